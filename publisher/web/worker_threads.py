"""The threads for handlers that may have to wait. The only user of anyio.

Starlette runs handlers and reads files in 40 threads. If requests that wait for a database lock, a provider's
certificate or a password hash took all of them, no one would get a page or a feed. So each kind of handler has a few
threads of its own, and only waits for handlers of its kind. Together they are fewer than the connections to the
database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

Kind = Literal["form", "webhook", "password"]

THREADS: dict[Kind, int] = {"form": 6, "webhook": 3, "password": 1}

# A limiter belongs to an event loop, and a process may have several.
_limiters: RunVar[dict[str, CapacityLimiter]] = RunVar("publisher_threads")


async def run_in_thread(
    kind: Kind, function: Callable[Parameters, Result], *given: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Run a function in one of the threads for its kind, and return its result. Wait until one of them is free."""
    limiters = _limiters.get({})
    if kind not in limiters:
        limiters[kind] = CapacityLimiter(THREADS[kind])
        _limiters.set(limiters)
    return await to_thread.run_sync(lambda: function(*given, **named), limiter=limiters[kind])
