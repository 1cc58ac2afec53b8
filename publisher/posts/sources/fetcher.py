"""The only fetcher: everything that posts need from the network is fetched here, and nowhere else.

`fetch` and `fetch_all` are called like any function; inside, one thread with an event loop talks to several hosts at
the same time, and to each host over one connection. Every hop of a redirect is checked (network_addresses.py), and each
request has limits of time, size and redirects, whatever the server does. docs/decisions/0040-one-fetcher.md has the
reasons.
"""

from __future__ import annotations

import asyncio
import base64
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any

from publisher import __version__
from publisher.config import Config
from publisher.core import patterns
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.posts.sources.network_addresses import PORTS, Destination, destination_of, joined, without_login

if TYPE_CHECKING:
    from publisher.posts.sources.exchange import Exchanger, HttpReply, Network

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, "
    "application/json;q=0.9, */*;q=0.5"
)
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
# Validators are sent as they came, but a header is one line.
_CLEAN = patterns.compile(r"[\x21-\x7e\x80-\xff][\x20-\x7e\x80-\xff]*")
# A host that failed this often in a row is not asked again in the same round.
_HOST_FAILURES = 3
# After this many seconds without an outcome, `is_stopped` is called.
_MOMENT = 0.2


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """The limits of a round of requests.

    seconds    for one request, all of its redirects included
    redirects  the most that one request follows
    bytes      the largest body, after inflation
    hosts      how many hosts are contacted at the same time
    """

    seconds: float = 30.0
    redirects: int = 5
    bytes: int = 20_000_000
    hosts: int = 16


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a URL.

    etag, last_modified  from the last answer, verbatim; "" makes the request unconditional
    user, password       only sent to the host of `url`; "" sends none
    allow_private        whether the URL may lead to this machine or a private network
    form                 the fields of a form, sent as a POST; its redirects are followed only if they keep the
                         method
    """

    url: str
    etag: str = ""
    last_modified: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    allow_private: bool = False
    form: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A useful answer: the document (200), or the news that it has not changed (304).

    url       the URL that answered, after all redirects
    headers   by lower-case name
    body      inflated; empty for 304
    moved_to  the URL that replaces the requested one, if every redirect was permanent (301 or 308); else ""
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    moved_to: str = ""


class FetchError(PublisherError):
    """A URL could not be fetched. The message says why; `where` is the requested URL.

    status       the status of the answer, such as 404; 0 if there was none
    retry_after  the header Retry-After of the answer, verbatim; "" if it had none
    is_refused   whether our own rules forbid connecting
    is_silent    whether the host could not be reached, or did not answer in time
    """

    def __init__(
        self,
        message: str,
        *,
        where: str,
        hint: str = "",
        status: int = 0,
        retry_after: str = "",
        is_refused: bool = False,
        is_silent: bool = False,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.status, self.retry_after, self.is_refused = status, retry_after, is_refused
        self.is_silent = is_silent


def user_agent(config: Config, readers: int) -> str:
    """Return the User-Agent header: the program, the site, and how many people read the fetched items."""
    count = f"; {readers} subscriber{'' if readers == 1 else 's'}" if readers else ""
    site = f"+{config.site.url}" if config.site.url.isascii() else "a site"
    return f"Publisher/{__version__} ({site}{count})"


DEFAULT_AGENT = f"Publisher/{__version__}"


def fetch(
    request: Request, limits: FetchLimits | None = None, *, agent: str = DEFAULT_AGENT, network: Network | None = None
) -> Answer:
    """Fetch one URL. Raise FetchError, in one line, whatever goes wrong."""
    for _, outcome in fetch_all([request], limits, agent=agent, network=network):
        if isinstance(outcome, FetchError):
            raise outcome
        return outcome
    raise AssertionError("a request has an outcome")


def fetch_all(
    requests: Sequence[Request],
    limits: FetchLimits | None = None,
    *,
    agent: str = DEFAULT_AGENT,
    network: Network | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Request, Answer | FetchError]]:
    """Fetch several URLs; yield each request with its outcome as soon as there is one, in any order.

    agent       the User-Agent header (see user_agent)
    network     how names are resolved and addresses are connected to; None uses the system's own
    is_stopped  returns whether to end immediately; the remaining requests then have no outcome
    One connection is open to each host. If the caller is slow, no further requests are sent in the meantime. If it
    stops early, requests under way are cancelled.
    """
    if requests:
        yield from _Round(requests, limits or FetchLimits(), agent, network).outcomes(is_stopped)


class _Round:
    """Requests that one thread sends, while another thread collects their outcomes."""

    def __init__(self, requests: Sequence[Request], limits: FetchLimits, agent: str, network: Network | None) -> None:
        self._requests, self._limits, self._agent, self._network = requests, limits, agent, network
        self._done: queue.SimpleQueue[tuple[Request, Answer | FetchError] | BaseException] = queue.SimpleQueue()
        self._started: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(limits.hosts)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._all: asyncio.Task[None] | None = None
        self._exchanger: Exchanger | None = None

    def outcomes(self, is_stopped: Callable[[], bool]) -> Iterator[tuple[Request, Answer | FetchError]]:
        """Yield each request with its outcome, until told to stop."""
        thread = threading.Thread(target=self._run, name="fetcher", daemon=True)
        thread.start()
        try:
            self._started.get()
            for _ in self._requests:
                while (outcome := self._next()) is None:
                    if is_stopped():
                        return
                if isinstance(outcome, BaseException):
                    raise outcome
                self._call(partial(self._taken, outcome[1]))
                yield outcome
                del outcome
        finally:
            self._call(self._stop)
            thread.join()

    def _taken(self, outcome: Answer | FetchError) -> None:
        """Let another request begin, since an outcome has been collected."""
        self._room.release()
        if self._exchanger is not None and isinstance(outcome, Answer):
            self._exchanger.dispose(outcome.body)

    def _next(self) -> tuple[Request, Answer | FetchError] | BaseException | None:
        """Return the next outcome; None if there is none within a moment."""
        try:
            return self._done.get(timeout=_MOMENT)
        except queue.Empty:
            return None

    def _call(self, function: Callable[[], object]) -> None:
        """Call a function in the thread of the loop, unless the loop has ended."""
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function)

    def _stop(self) -> None:
        if self._all is not None:
            self._all.cancel()

    def _run(self) -> None:
        try:
            asyncio.run(self._fetch_all())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - the other thread raises it
            self._done.put(error)
        finally:
            self._started.put(None)

    async def _fetch_all(self) -> None:
        # Not at the top: the HTTP client takes long to load.
        from publisher.posts.sources.exchange import Exchanger, Network

        self._loop = asyncio.get_running_loop()
        self._all = asyncio.current_task()
        self._started.put(None)
        exchanger = Exchanger(
            self._network or Network(), most_connections=self._limits.hosts, most_bytes=self._limits.bytes
        )
        self._exchanger = exchanger
        fetcher = _Fetcher(exchanger, self._limits, self._agent)
        by_host: defaultdict[str, deque[Request]] = defaultdict(deque)
        for request in self._requests:
            by_host[_host_of(request.url)].append(request)
        waiting = deque(by_host.values())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._limits.hosts, len(waiting))):
                    group.create_task(self._work(fetcher, waiting))
        finally:
            await exchanger.close()

    async def _work(self, fetcher: _Fetcher, waiting: deque[deque[Request]]) -> None:
        """Handle one host after another, and fetch its URLs one by one."""
        while waiting:
            failures = 0
            for request in waiting.popleft():
                await self._room.acquire()
                outcome = await fetcher.outcome(request) if failures < _HOST_FAILURES else _left_out(request)
                failures = failures + 1 if isinstance(outcome, FetchError) and outcome.is_silent else 0
                self._done.put((request, outcome))
                del outcome  # it may be large, and the next one may take a while


def _host_of(url: str) -> str:
    try:
        return destination_of(url).host
    except ValueError:
        return ""


def _left_out(request: Request) -> FetchError:
    return FetchError(
        "was not tried, because its host does not answer", where=without_login(request.url), is_silent=True
    )


class _Fetcher:
    """Fetches one URL at a time for each caller. It follows redirects, sends credentials, and explains failures."""

    def __init__(self, exchanger: Exchanger, limits: FetchLimits, agent: str) -> None:
        self._exchanger, self._limits, self._agent = exchanger, limits, agent
        self._hosts: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def outcome(self, request: Request) -> Answer | FetchError:
        """Return the answer to a request, or the error that explains why there is none."""
        try:
            return await self._fetch(request)
        except FetchError as error:
            return error

    async def _fetch(self, request: Request) -> Answer:
        url, left = request.url, self._limits.seconds
        first: Destination | None = None
        is_permanent = True
        for hop in range(self._limits.redirects + 1):
            place = self._checked(request, url, first)
            first = first or place
            reply, took = await self._send(request, first, place, left)
            left -= took
            if reply.status not in _REDIRECTS or not reply.headers.get("location"):
                moved = place.url if hop and is_permanent else ""
                try:
                    return _judged(request, place, reply, moved)
                except FetchError:
                    self._exchanger.dispose(reply.body)
                    raise
            if request.form and reply.status not in (307, 308):
                raise _error(request, f"answered {reply.status} to a form", status=reply.status)
            is_permanent = is_permanent and reply.status in _PERMANENT
            url = self._next(request, place, reply.headers["location"])
        raise _error(request, f"redirects more than {self._limits.redirects} times", hint="use its final address")

    def _checked(self, request: Request, url: str, first: Destination | None) -> Destination:
        try:
            return destination_of(url)
        except ValueError as error:
            message = f"redirects to {without_login(url)}, which {error}" if first else str(error)
            raise _error(
                request, message, hint="write it like https://example.org/feed.xml", is_refused=True
            ) from error

    def _next(self, request: Request, place: Destination, location: str) -> str:
        with suppress(UnicodeError):
            location = location.encode("latin-1").decode("utf-8")
        try:
            url = joined(place.url, location)
        except ValueError as error:
            raise _error(request, f"redirects to {without_login(location)}, which {error}", is_refused=True) from error
        if place.scheme == "https" and url[:5].lower() == "http:":
            message = f"redirects from https to {without_login(url)}, where anyone along the way could change it"
            raise _error(request, message, is_refused=True)
        return url

    async def _send(
        self, request: Request, first: Destination, place: Destination, left: float
    ) -> tuple[HttpReply, float]:
        """Send one request when its host is free; return the answer and how many seconds it took."""
        loop = asyncio.get_running_loop()
        async with self._hosts[place.host]:
            start = loop.time()
            try:
                reply = await self._exchanger.send(
                    place,
                    _headers(request, first, place, self._agent),
                    request.form,
                    allow_private=request.allow_private,
                    seconds=max(left, 0.001),
                )
            except Exception as error:  # `_explained` raises again what it does not know
                raise _explained(request, place, error, self._limits.seconds) from error
            return reply, loop.time() - start


def _headers(request: Request, first: Destination, place: Destination, agent: str) -> dict[str, str]:
    headers = {"User-Agent": agent, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate, br"}
    if _CLEAN.fullmatch(request.etag):
        headers["If-None-Match"] = request.etag
    if _CLEAN.fullmatch(request.last_modified):
        headers["If-Modified-Since"] = request.last_modified
    if (request.user or request.password) and _is_same_host(first, place):
        login = f"{request.user}:{request.password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(login).decode('ascii')}"
    return headers


def _is_same_host(first: Destination, place: Destination) -> bool:
    """Return whether a hop leads to the host that the user named, on the same port or from http to https."""
    return first.host == place.host and (
        first.port == place.port or (first.port, place.port) == (PORTS["http"], PORTS["https"])
    )


def _judged(request: Request, place: Destination, reply: HttpReply, moved: str) -> Answer:
    """Return the answer; raise FetchError if its status is not a success."""
    is_conditional = bool(request.etag or request.last_modified)
    if reply.status in (200, 203) or (reply.status == 304 and is_conditional) or (request.form and reply.status < 300):
        return Answer(place.url, reply.status, reply.headers, reply.body, moved)
    message, hint = _STATUSES.get(reply.status, (f"answered {reply.status}", ""))
    raise _error(request, message, hint=hint, status=reply.status, retry_after=reply.headers.get("retry-after", ""))


_STATUSES = {
    304: ("answered 304, although it was asked without a condition", ""),
    401: ("asks for a user name and password (401)", "set user and password_file for this source"),
    403: ("does not let us read it (403)", "ask its owner to allow feed readers"),
    404: ("was not found (404)", "look for the feed's new address"),
    410: ("is gone for good (410)", "remove the source, or look for the feed's new address"),
    429: ("wants fewer requests (429)", "nothing to do: Publisher will ask less often"),
    500: ("failed (500)", "nothing to do: Publisher will try again later"),
    503: ("is not available at present (503)", "nothing to do: Publisher will try again later"),
}


def _error(request: Request, message: str, **more: Any) -> FetchError:
    return FetchError(message, where=without_login(request.url), **more)


def _explained(request: Request, place: Destination, error: Exception, seconds: float) -> FetchError:
    """Return the error that explains what went wrong with one hop."""
    # Not at the top: the HTTP client takes long to load.
    from publisher.posts.sources.exchange import AddressRefusedError, explanation

    host = f"{place.host}: " if place.host != _host_of(request.url) else ""
    if isinstance(error, AddressRefusedError):
        hint = "if you trust it, set allow_private = true for this source" if error.may_be_allowed else ""
        return _error(request, f"{host}nothing may connect to this address: {error}", hint=hint, is_refused=True)
    message, is_silent = explanation(error, seconds)
    hint = "check the address and the network" if is_silent else ""
    return _error(request, f"{host}{message}", hint=hint, is_silent=is_silent)
