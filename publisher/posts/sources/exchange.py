"""One request and its answer, over a connection whose address was checked.

httpcore only speaks HTTP here: without proxies, cookies, redirects or ~/.netrc. Its connections are opened by
_CheckedNetwork, which resolves a name once, checks every address, and connects to one of the addresses that it checked.
So it does not matter if the name resolves differently the next time.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import urlencode

import httpcore

from publisher.core.frozen import dataclass
from publisher.posts.sources.inflating import BadBodyError, Inflater
from publisher.posts.sources.network_addresses import Destination, may_be_allowed, refusal

# What a server may send in addition to the body: status lines, headers and the sizes of chunks.
_MOST_AROUND = 1_000_000
_SMALL = 16_384
_MOST_PIECES = 100_000
# Larger bodies are read a few at a time, or many feeds together could fill the memory.
LARGE = 4_000_000
_LARGE_AT_ONCE = 3
_MOST_ADDRESSES = 4
_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 5.0


class AddressRefusedError(Exception):
    """A name leads to an address that nothing may connect to."""

    def __init__(self, message: str, *, may_be_allowed: bool) -> None:
        super().__init__(message)
        self.may_be_allowed = may_be_allowed


class NotSecureError(Exception):
    """TLS failed: the certificate is wrong, or the server doesn't speak it."""


class UnknownNameError(Exception):
    """A name doesn't exist, or its name servers don't answer."""


def explanation(error: Exception, seconds: float) -> tuple[str, bool]:
    """Return an exception of `Exchanger.send` in words, and whether it means that the host could not be reached.

    Any other exception is raised again. seconds: the limit, which is named if it was exceeded.
    """
    if isinstance(error, BadBodyError):
        return f"the answer {error}", False
    if isinstance(error, NotSecureError):
        return f"no secure connection is possible: {error}", True
    for kinds, message, is_silent in _EXPLANATIONS:
        if isinstance(error, kinds):
            return message.format(seconds=seconds), is_silent
    raise error


_EXPLANATIONS = (
    ((UnknownNameError,), "its host name is unknown", True),
    ((TimeoutError, httpcore.TimeoutException), "did not answer within {seconds:.3g} seconds", True),
    ((httpcore.ConnectError,), "nothing answers there", True),
    ((httpcore.ProtocolError, UnicodeError), "does not answer like a web server", False),
    ((httpcore.NetworkError, OSError), "the connection broke off", False),
)


async def _resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name. A name server that doesn't answer does not delay the loop's end.

    The thread is not from the event loop's own pool, because a loop that ends waits for all threads of its pool.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def ask() -> None:
        """Resolve the name in a thread, and hand the addresses or the error to the loop."""
        answer: list[str] | OSError | UnicodeError
        try:
            answer = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            answer = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, answer)

    def settle(answer: list[str] | OSError | UnicodeError) -> None:
        """Give the future its result, unless it is already done, such as after a time-out."""
        if found.done():
            return
        if isinstance(answer, list):
            found.set_result(list(dict.fromkeys(answer)))
        else:
            found.set_exception(answer)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    return await found


async def _dial(address: str, port: int, seconds: float) -> httpcore.AsyncNetworkStream:
    return await httpcore.AnyIOBackend().connect_tcp(address, port, timeout=seconds)


@dataclass(frozen=True, slots=True)
class Network:
    """The two ways in which the fetcher uses the network. Tests replace them.

    resolve  returns the addresses of a name, and raises OSError if there are none
    dial     connects to an address, within a number of seconds
    """

    resolve: Callable[[str, int], Awaitable[Sequence[str]]] = _resolve
    dial: Callable[[str, int, float], Awaitable[httpcore.AsyncNetworkStream]] = _dial


@dataclass(frozen=True, slots=True)
class HttpReply:
    """The answer to one request.

    headers  the headers by lower-case name; several of one name are joined by ", "
    body     empty for the answer to a form, and for a status that is not a success
    reason   the phrase that the server sends with the status, such as "Not Found"
    """

    status: int
    headers: dict[str, str]
    body: bytes
    reason: str = ""


class Exchanger:
    """Sends requests and reuses connections. A connection to a private address is only for requests that may use it.

    Belongs to one event loop.
    """

    def __init__(self, network: Network, *, most_connections: int, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._pools = {
            allow_private: httpcore.AsyncConnectionPool(
                ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # trusts nobody; see _CountedStream.start_tls
                max_connections=most_connections,
                keepalive_expiry=_IDLE_SECONDS,
                network_backend=_CheckedNetwork(network, allow_private=allow_private, most_bytes=most_bytes),
            )
            for allow_private in (False, True)
        }

    async def send(
        self,
        place: Destination,
        headers: Mapping[str, str],
        form: Sequence[tuple[str, str]] = (),
        *,
        allow_private: bool,
        seconds: float,
    ) -> HttpReply:
        """Send a GET, or a POST of a form, and return the answer with its body inflated. Follow no redirect.

        Raises TimeoutError after `seconds`, AddressRefusedError, UnknownNameError, BadBodyError, and httpcore's
        NetworkError, ProtocolError and TimeoutException.
        """
        content = urlencode(form).encode("ascii")
        headers = {"Host": place.authority, **headers}
        if form:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(content))}
        request = httpcore.Request(
            "POST" if form else "GET",
            httpcore.URL(
                scheme=place.scheme.encode(), host=place.host.encode(), port=place.port, target=place.target.encode()
            ),
            headers=[(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()],
            content=content,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)},
        )
        async with asyncio.timeout(seconds) as limit:
            response = await self._begin(request, self._pools[allow_private])
            try:
                return await self._read(response, limit, has_body=not form)
            finally:
                await response.aclose()

    async def _begin(self, request: httpcore.Request, pool: httpcore.AsyncConnectionPool) -> httpcore.Response:
        """Send a request and return the answer, before its body is read.

        A server may close a reused connection at this very moment; then another one is tried.
        """
        is_new = False

        async def trace(event: str, _: Mapping[str, Any]) -> None:
            """Note that a new connection is being made."""
            nonlocal is_new
            is_new = is_new or event == "connection.connect_tcp.started"

        request.extensions = {**request.extensions, "trace": trace}
        try:
            return await pool.handle_async_request(request)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            if is_new or request.method != b"GET":
                raise
        return await pool.handle_async_request(request)

    async def _read(self, response: httpcore.Response, limit: asyncio.Timeout, *, has_body: bool) -> HttpReply:
        headers = _joined(response.headers)
        length = int(text) if (text := headers.get("content-length", "")).isdecimal() and len(text) < 20 else None
        reason = response.extensions.get("reason_phrase", b"").decode("ascii", "replace")
        if not has_body or response.status < 200 or response.status >= 300:  # nobody needs the body
            if response.status == 304 or (length is not None and length <= _SMALL):
                await response.aread()  # so that the connection can be used again
            return HttpReply(response.status, headers, b"", reason)
        if length is not None and length > self._most_bytes:
            raise BadBodyError(f"is larger than {self._most_bytes / 1_000_000:g} MB")
        body = await self._body(response, headers, limit)
        return HttpReply(response.status, headers, body, reason)

    async def _body(self, response: httpcore.Response, headers: Mapping[str, str], limit: asyncio.Timeout) -> bytes:
        """Return the body, inflated. A large one waits for its turn; the limit does not include that wait."""
        inflater = Inflater(headers.get("content-encoding", ""), self._most_bytes)
        number, is_large = 0, False
        try:
            async for part in response.aiter_stream():
                number += 1
                if number > _MOST_PIECES:  # each takes time, however small it is
                    raise BadBodyError(f"comes in more than {_MOST_PIECES:,} pieces")
                for size in inflater.add(part):
                    if size > LARGE and not is_large:
                        await self._turn(limit)
                        is_large = True
            return inflater.result()
        except BaseException:  # a cancelled download gives back its turn too
            if is_large:
                self._large.release()
            raise

    async def _turn(self, limit: asyncio.Timeout) -> None:
        start, end = asyncio.get_running_loop().time(), limit.when()
        limit.reschedule(None)
        await self._large.acquire()
        limit.reschedule(None if end is None else end + asyncio.get_running_loop().time() - start)

    def dispose(self, body: bytes) -> None:
        """Make room for another large body. Must be called once for each body that `send` has returned."""
        if len(body) > LARGE:
            self._large.release()

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections for httpcore, after every address of the name has been checked."""

    def __init__(self, network: Network, *, allow_private: bool, most_bytes: int) -> None:
        self._network, self._allow_private, self._most_bytes = network, allow_private, most_bytes

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve a name, and connect to the first of its addresses that answers. Raise if one must not be used."""
        failure: Exception = UnknownNameError(host)
        addresses = (await self._addresses(host, port))[:_MOST_ADDRESSES]
        for number, address in enumerate(addresses, 1):
            # An address that is silent must leave time for the others: many hosts have IPv6 that leads nowhere.
            most = _CONNECT_SECONDS if number == len(addresses) else _CONNECT_SECONDS / len(addresses)
            try:
                stream = await self._network.dial(address, port, min(timeout or most, most))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return _CountedStream(stream, self._most_bytes + _MOST_AROUND)
        raise failure

    async def connect_unix_socket(self, path: str, *args: object, **options: object) -> httpcore.AsyncNetworkStream:
        """Raise an error, since nothing uses Unix sockets."""
        raise AddressRefusedError(f"{path} is a socket of this machine", may_be_allowed=False)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
            addresses: Sequence[str] = [host]
        except OSError:
            try:
                addresses = await self._network.resolve(host, port)
            except (OSError, UnicodeError) as error:
                raise UnknownNameError(host) from error
        for address in addresses:
            if reason := refusal(address, allow_private=self._allow_private):
                raise AddressRefusedError(reason, may_be_allowed=may_be_allowed(address))
        return addresses


class _CountedStream(httpcore.AsyncNetworkStream):
    """A connection that raises BadBodyError once an answer, including its headers, is too long."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, most: int) -> None:
        self._stream, self._most, self._read = stream, most, 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the bytes that have arrived."""
        data = await self._stream.read(max_bytes, timeout)
        self._read += len(data)
        if self._read > self._most:
            raise BadBodyError(f"is larger than {self._most / 1_000_000:g} MB with its headers")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes. The bytes that arrive next count as a new answer."""
        self._read = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Begin TLS with the only context of this process, because loading certificates takes 15 ms and a megabyte."""
        try:
            secure = await self._stream.start_tls(_tls(), server_hostname, timeout)
        except httpcore.ConnectError as error:
            cause = error.__cause__
            reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "it does not speak TLS"
            raise NotSecureError(str(reason).lower().replace("_", " ")) from error
        return _CountedStream(secure, self._most)

    def get_extra_info(self, info: str) -> Any:
        """Return the information about the connection that httpcore asks for."""
        return self._stream.get_extra_info(info)


@cache
def _tls() -> ssl.SSLContext:
    context = httpcore.default_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
