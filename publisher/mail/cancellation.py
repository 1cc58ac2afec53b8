"""How whoever sends is told from outside that it is enough."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from publisher.core.errors import StoppedError


class Stop:
    """A wish to end, from any thread, for any number of runs. It cannot be taken back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._asked = self._hurried = False

    @property
    def asked(self) -> bool:
        """Whether nothing more may be handed over."""
        return self._asked

    @property
    def hurried(self) -> bool:
        """Whether even answers that are on their way are not awaited."""
        return self._hurried

    def ask(self) -> None:
        """Let nothing more be handed over; said again, let no answer be awaited either."""
        with self._lock:
            self._asked, self._hurried = True, self._asked
            for listener in self._listeners:
                listener()

    def check(self) -> None:
        """Raise StoppedError where somebody asked."""
        if self._asked:
            raise StoppedError("stopped as asked", hint="the next run goes on with what is left")

    @contextmanager
    def heard(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call a function, which must not wait, at each wish during the block; at once where there was one already."""
        with self._lock:
            self._listeners.append(listener)
            if self._asked:
                listener()
        try:
            yield
        finally:
            with self._lock:  # from here on nobody is in the middle of calling it
                self._listeners.remove(listener)
