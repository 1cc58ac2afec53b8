"""The fetcher against real servers: its requests and results, and what hostile servers cannot do."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.posts.sources import exchange
from publisher.posts.sources.fetcher import Answer, FetchError, FetchLimits, Request, fetch, fetch_all
from tests.support.source_server import (
    OTHER,
    PUBLIC,
    AskedRequest,
    Internet,
    SourceServer,
    answer,
    redirect,
    source_server,
)
from tests.support.web_client import until

FEED = b"<rss version='2.0'><channel><title>Notes</title></channel></rss>"
ZEROS = bytes(30_000_000)
PACKED = gzip.compress(ZEROS)
SMALL = FetchLimits(bytes=100_000)
QUICK = FetchLimits(seconds=0.4, bytes=100_000)


def echo(request: AskedRequest) -> bytes:
    return answer("\n".join(f"{name}: {value}" for name, value in sorted(request.headers.items())).encode())


def conditional(request: AskedRequest) -> bytes:
    tag = 'W/"a, b"-gzip'
    if request.headers.get("if-none-match") == tag:
        return answer(status="304 Not Modified", ETag=tag)
    return answer(FEED, ETag=tag, Last_Modified="Sat, 01 Jan 2000 00:00:00 +0100", Link="<a>; rel=hub\r\nLink: <b>")


async def dripping_head(_: AskedRequest) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for number in range(10_000):
        yield f"X-{number}: 1\r\n".encode()
        await asyncio.sleep(0.05)


async def dripping_body(_: AskedRequest) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    for _number in range(10_000):
        yield b" "
        await asyncio.sleep(0.05)


async def silence(_: AskedRequest) -> AsyncIterator[bytes]:
    await asyncio.sleep(20)
    yield b""


def endless(head: bytes, piece: bytes) -> object:
    async def pieces(_: AskedRequest) -> AsyncIterator[bytes]:
        yield head
        while True:
            yield piece

    return pieces


def hanging_up(data: bytes) -> object:
    async def pieces(_: AskedRequest) -> AsyncIterator[bytes]:
        yield data

    return pieces


ANSWERS = {
    "/feed": answer(FEED, Content_Type="application/rss+xml"),
    "/conditional": conditional,
    "/echo": echo,
    "/cookie": answer(FEED, Set_Cookie="a=b; Path=/"),
    "/gzip": answer(gzip.compress(FEED), Content_Encoding="gzip"),
    "/members": answer(gzip.compress(FEED[:9]) + gzip.compress(FEED[9:]) + b"\0" * 64, Content_Encoding="GZIP"),
    "/zlib": answer(zlib.compress(FEED), Content_Encoding="deflate"),
    "/deflate": answer(
        zlib.compressobj(wbits=-15).compress(b"") + zlib.compress(FEED)[2:-4], Content_Encoding="deflate"
    ),
    "/brotli": answer(brotli.compress(FEED), Content_Encoding="br"),
    "/twice": answer(brotli.compress(gzip.compress(FEED)), Content_Encoding="gzip, br"),
    "/identity": answer(FEED, Content_Encoding="identity"),
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (FEED[:20], FEED[20:]))
    + b"0\r\n\r\n",
    # hostile
    "/bomb/gzip": answer(PACKED, Content_Encoding="gzip"),
    "/bomb/brotli": answer(brotli.compress(ZEROS, quality=5), Content_Encoding="br"),
    "/bomb/twice": answer(gzip.compress(PACKED), Content_Encoding="gzip, gzip"),
    "/bomb/layers": answer(FEED, Content_Encoding="gzip, gzip, gzip, gzip"),
    "/bomb/members": answer(gzip.compress(b"") * 1_100, Content_Encoding="gzip"),
    "/zstd": answer(FEED, Content_Encoding="zstd"),
    "/damaged": answer(gzip.compress(FEED)[:-20] + b"x" * 12, Content_Encoding="gzip"),
    "/half": answer(gzip.compress(FEED)[:-12], Content_Encoding="gzip"),
    "/not-gzip": answer(FEED, Content_Encoding="gzip"),
    "/long": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    "/endless/body": endless(b"HTTP/1.1 200 OK\r\n\r\n", b"<x/>" * 10_000),
    "/endless/chunks": endless(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10\r\n<abcdefghijklmn>\r\n" * 1_000
    ),
    "/endless/head": endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1_000),
    "/endless/line": endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 10_000),
    "/endless/early": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n%b\r\n" % (b"X-A: b\r\n" * 80) * 1_000),
    "/slow/head": dripping_head,
    "/slow/body": dripping_body,
    "/slow/silence": silence,
    "/short": hanging_up(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"),
    "/smtp": hanging_up(b"220 mail.example.org ESMTP\r\n"),
    "/nothing": hanging_up(b""),
    "/two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "/upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "/gone": answer(status="410 Gone"),
    "/busy": answer(status="503 Service Unavailable", Retry_After="120"),
    "/many": answer(status="429 Too Many Requests", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"),
    "/teapot": answer(b"<b>no</b>", status="418 \x1b[31m"),
    # redirects
    "/moved": redirect("/feed"),
    "/moved-308": redirect("/moved", "308 Permanent Redirect"),
    "/found": redirect("/moved", "302 Found"),
    "/loop": redirect("/loop"),
    "/nowhere": answer(status="301 Moved Permanently"),
    "/to/ftp": redirect("ftp://example.org/feed"),
    "/to/file": redirect("file:///etc/passwd"),
    "/to/login": redirect("http://ann:secret@example.org/feed"),
    "/to/decimal": redirect("http://2130706433/feed"),
    "/to/metadata": redirect("http://169.254.169.254/latest/meta-data"),
    "/to/broken": redirect("http://[::1/"),
    "/to/umlaut": answer(status="302 Found", Location="/fee%64?ä".encode().decode("latin-1")),
    "/fee%64?%C3%A4": answer(FEED),
    **{f"/{number}": redirect(f"/{number + 1}") for number in range(1, 6)},
    "/6": answer(FEED),
    "/0": redirect("/1"),
}
READABLE = ("/feed", "/gzip", "/members", "/zlib", "/deflate", "/brotli", "/twice", "/identity", "/chunked", "/moved")
REFUSED = {
    "/bomb/gzip": "the answer is larger than 0.1 MB",
    "/bomb/brotli": "the answer is larger than 0.1 MB",
    "/bomb/twice": "the answer is larger than 0.1 MB",
    "/bomb/layers": "the answer is compressed as 'gzip, gzip, gzip, gzip', which was not asked for",
    "/bomb/members": "the answer consists of more than 1,000 compressed parts",
    "/zstd": "the answer is compressed as 'zstd', which was not asked for",
    "/damaged": "the answer is damaged: its compressed data can't be read",
    "/not-gzip": "the answer is damaged: its compressed data can't be read",
    "/half": "the answer ends in the middle of its compressed data",
    "/long": "the answer is larger than 0.1 MB",
    "/endless/body": "the answer is larger than 0.1 MB",
    "/endless/chunks": "the answer is larger than 0.1 MB",
    "/endless/head": "does not answer like a web server",
    "/endless/line": "does not answer like a web server",
    "/endless/early": "the answer is larger than 1.1 MB with its headers",
    "/slow/head": "did not answer within 0.4 seconds",
    "/slow/body": "did not answer within 0.4 seconds",
    "/slow/silence": "did not answer within 0.4 seconds",
    "/short": "does not answer like a web server",
    "/smtp": "does not answer like a web server",
    "/two-lengths": "does not answer like a web server",
    "/nothing": "does not answer like a web server",
    "/upgrade": "does not answer like a web server",
    "/gone": "is gone for good (410)",
    "/busy": "is not available at present (503)",
    "/many": "wants fewer requests (429)",
    "/teapot": "answered 418",
    "/loop": "redirects more than 5 times",
    "/0": "redirects more than 5 times",
    "/nowhere": "answered 301",
    "/to/ftp": "redirects to ftp://example.org/feed, which begins with ftp:, not with https:",
    "/to/file": "redirects to file:///etc/passwd, which begins with file:, not with https:",
    "/to/login": "redirects to http://example.org/feed, which contains a user name or password",
    "/to/decimal": "redirects to http://2130706433/feed, which has an IP address in an unusual form",
    "/to/metadata": "nothing may connect to this address: 169.254.169.254 is a metadata service",
    "/to/broken": "redirects to http://[::1/, which is not a valid web address",
}


@pytest.fixture(scope="module", autouse=True)
def kept_connections() -> Iterator[None]:
    """Let no connection end because a busy machine did not use it for five seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "_IDLE_SECONDS", 300.0)
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[SourceServer]:
    with source_server(ANSWERS) as running:
        yield running


def private(server: SourceServer, path: str, **more: object) -> Request:
    return Request(server.url + path, allow_private=True, **more)  # type: ignore[arg-type]


def outcomes(*requests: Request, limits: FetchLimits | None = None, internet: Internet | None = None) -> dict[str, str]:
    """Return the message of the error, or the status, by URL."""
    network = internet.network if internet else None
    found = fetch_all(requests, limits, network=network)
    return {request.url: str(getattr(outcome, "message", outcome)) for request, outcome in found}


def test_a_document_is_the_same_however_it_was_compressed_and_framed(server: SourceServer) -> None:
    for path in READABLE:
        assert fetch(private(server, path)).body == FEED, path


def test_every_hostile_answer_ends_in_one_line(server: SourceServer) -> None:
    requests = [private(server, path) for path in REFUSED]
    found = {}
    for request in requests:  # one at a time: a host that was silent three times gets no more requests
        with pytest.raises(FetchError) as caught:
            fetch(request, QUICK if "/slow/" in request.url else SMALL)
        assert len(str(caught.value).splitlines()) == 1
        assert "secret" not in str(caught.value)
        assert caught.value.where == request.url
        found[request.url.removeprefix(server.url)] = caught.value.message
    assert {path: found[path] for path, words in REFUSED.items() if words not in found[path]} == {}


def test_validators_are_sent_back_exactly_as_received(server: SourceServer) -> None:
    first = fetch(private(server, "/conditional"))
    assert (first.status, first.body, first.headers["link"]) == (200, FEED, "<a>; rel=hub, <b>")
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    second = fetch(private(server, "/conditional", etag=tag, last_modified=modified))
    assert (second.status, second.body) == (304, b"")
    asked = server.requests("/conditional")[-1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == (tag, modified)


def test_a_request_identifies_the_program_and_nothing_more(server: SourceServer) -> None:
    fetch(private(server, "/cookie"))
    answered = fetch(private(server, "/echo", etag="two\r\nCookie: a=b", last_modified="\ud800"), agent="Publisher (x)")
    assert answered.body.decode().splitlines() == [
        "accept: application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
        "text/xml;q=0.9, application/json;q=0.9, */*;q=0.5",
        "accept-encoding: gzip, deflate, br",
        f"host: 127.0.0.1:{server.port}",
        "user-agent: Publisher (x)",
    ]


def test_proxies_and_logins_of_the_environment_are_not_used(
    server: SourceServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with source_server({}) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        assert b"authorization" not in fetch(private(server, "/echo")).body
        assert proxy.connections == 0


def test_a_permanent_redirect_is_reported_and_a_temporary_one_only_followed(server: SourceServer) -> None:
    moves = {"/feed": "", "/moved": "/feed", "/moved-308": "/feed", "/found": "", "/to/umlaut": ""}
    for path, to in moves.items():
        found = fetch(private(server, path))
        assert (found.body, found.moved_to) == (FEED, server.url + to if to else ""), path
    assert fetch(private(server, "/1")).moved_to == f"{server.url}/6"


def test_a_form_is_posted_again_after_a_redirect(server: SourceServer) -> None:
    form = (("hub.mode", "subscribe"), ("hub.topic", "https://example.org/ä b"))
    fetch(private(server, "/feed", form=form))
    asked = server.requests("/feed")[-1]
    assert (asked.method, asked.body) == ("POST", b"hub.mode=subscribe&hub.topic=https%3A%2F%2Fexample.org%2F%C3%A4+b")
    with pytest.raises(FetchError, match="answered 301 to a form"):
        fetch(private(server, "/moved", form=form))


def test_nothing_reaches_an_address_that_is_not_public() -> None:
    """The forbidden server counts its connections, and every dialled address is recorded."""
    with source_server({}) as forbidden:
        port = forbidden.port
        redirects = {
            "/localhost": redirect(f"http://127.0.0.1:{port}/"),
            "/mapped": redirect(f"http://[::ffff:127.0.0.1]:{port}/", "302 Found"),
            "/v6": redirect(f"http://[::1]:{port}/", "307 Temporary Redirect"),
            "/name": redirect(f"http://inside.example:{port}/", "303 See Other"),
            "/relative": redirect(f"//localhost:{port}/"),
            "/decimal": redirect(f"http://2130706433:{port}/"),
        }
        with source_server(redirects) as outside:
            names = {
                "outside.example": [[PUBLIC]],
                "inside.example": [["127.0.0.1"]],
                "localhost": [["127.0.0.1", "::1"]],
                "both.example": [[PUBLIC, "127.0.0.1"]],
                "mapped.example": [["::ffff:127.0.0.1"]],
                "metadata.example": [["169.254.169.254"]],
            }
            internet = Internet(names, {PUBLIC: outside.port, "127.0.0.1": port, "::1": port, "169.254.169.254": port})
            urls = [
                *(f"http://outside.example{path}" for path in redirects),
                *(
                    f"http://{host}:{port}/"
                    for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "0x7f.1", "0.0.0.0")
                ),
                *(f"http://{host}/" for host in names if host != "outside.example"),
                *(
                    "http://2130706433/",
                    "http://017700000001/",
                    "http://169.254.169.254/",
                    "http://[::ffff:a9fe:a9fe]/",
                ),
            ]
            for url in urls:
                with pytest.raises(FetchError) as caught:
                    fetch(Request(url), network=internet.network)
                assert caught.value.is_refused, url
                assert len(str(caught.value).splitlines()) == 1
            assert len(outside.asked) == len(redirects)
        assert forbidden.connections == 0
        assert set(internet.dialled) == {PUBLIC}


def test_a_name_that_resolves_differently_the_second_time_gains_nothing() -> None:
    with (
        source_server({"/": answer(FEED)}) as forbidden,
        source_server({"/": redirect("/again"), "/again": answer(FEED)}) as outside,
    ):
        internet = Internet(
            {"blog.example": [[PUBLIC], ["127.0.0.1"]]}, {PUBLIC: outside.port, "127.0.0.1": forbidden.port}
        )
        assert fetch(Request("http://blog.example/"), network=internet.network).body == FEED
        assert internet.questions == ["blog.example"]  # the connection whose address was checked is reused
        with pytest.raises(FetchError, match=r"nothing may connect to this address: 127\.0\.0\.1 is this machine"):
            fetch(Request("http://blog.example/"), network=internet.network)
        assert forbidden.connections == 0


def test_a_connection_to_a_private_address_serves_only_sources_that_may_use_it() -> None:
    with source_server({"/": answer(FEED), "/b": answer(FEED)}) as inside:
        internet = Internet({"nas.example": [["192.168.0.9"]]}, {"192.168.0.9": inside.port})
        found = outcomes(
            Request("http://nas.example/", allow_private=True), Request("http://nas.example/b"), internet=internet
        )
        assert "192.168.0.9 is a private network" in found["http://nas.example/b"]
        assert [each.path for each in inside.asked] == ["/"]


def test_the_next_address_is_tried_if_one_does_not_answer() -> None:
    with source_server({"/": answer(FEED)}) as outside:
        internet = Internet({"blog.example": [[OTHER, PUBLIC]]}, {PUBLIC: outside.port})
        assert fetch(Request("http://blog.example/"), network=internet.network).body == FEED
        assert internet.dialled == [OTHER, PUBLIC]


def test_a_password_is_sent_only_to_its_host() -> None:
    answers = {
        "/": echo,
        "/here": redirect("/"),
        "/other": redirect("http://other.example/"),
        "/port": redirect("http://blog.example:8080/"),
        "/back": redirect("http://other.example/back"),
    }
    with source_server(answers) as blog, source_server({"/": echo, "/back": redirect("http://blog.example/")}) as other:
        internet = Internet(
            {"blog.example": [[PUBLIC]], "other.example": [[OTHER]]}, {PUBLIC: blog.port, OTHER: other.port}
        )

        def sent(path: str) -> bool:
            request = Request(f"http://blog.example{path}", user="ann", password="pässword")
            return b"authorization: Basic YW5uOnDDpHNzd29yZA==" in fetch(request, network=internet.network).body

        assert {path: sent(path) for path in answers} == {
            "/": True,
            "/here": True,
            "/other": False,
            "/port": False,
            "/back": True,
        }
    assert "pässword" not in repr(Request("http://blog.example", password="pässword"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for blog.example, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "blog.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("blog.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private_bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private_bytes)
    return path


def test_only_trusted_servers_are_read_and_https_is_never_downgraded(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    answers = {
        "/": answer(FEED),
        "/plain": redirect("http://blog.example/"),
        "/upgrade": redirect("https://blog.example/"),
    }
    with source_server(answers, tls=context) as secure, source_server(answers) as plain:
        names = {"blog.example": [[PUBLIC]], "other.example": [[PUBLIC]], "plain.example": [[OTHER]]}
        internet = Internet(names, {PUBLIC: secure.port, OTHER: plain.port})
        bad = ("https://blog.example/", "https://plain.example/")
        found = outcomes(*map(Request, bad), internet=internet, limits=FetchLimits(seconds=20))
        assert found["https://blog.example/"] == "no secure connection is possible: self-signed certificate"
        assert found["https://plain.example/"] == "no secure connection is possible: wrong version number"
        assert secure.asked == plain.asked == []

        exchange._tls.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        good = (
            "https://blog.example/",
            "https://blog.example/plain",
            "https://other.example/",
            "http://plain.example/upgrade",
        )
        found = outcomes(*map(Request, good), internet=internet)
        exchange._tls.cache_clear()
        assert found["https://blog.example/plain"].startswith("redirects from https to http://blog.example/")
        assert "hostname mismatch" in found["https://other.example/"].lower()
        assert sorted(each.path for each in secure.asked) == ["/", "/", "/plain"]
        assert [each.path for each in plain.asked] == ["/upgrade"]


def test_one_connection_serves_a_host_while_other_hosts_are_fetched() -> None:
    arrived = threading.Barrier(3, timeout=60)

    async def together(_: AskedRequest) -> AsyncIterator[bytes]:
        await asyncio.to_thread(arrived.wait)
        yield answer(FEED, Connection="close")

    servers = [source_server({"/": together, "/a": answer(FEED), "/b": answer(FEED)}) for _ in range(3)]
    with servers[0] as one, servers[1] as two, servers[2] as three:
        addresses = ["93.184.216.1", "93.184.216.2", "93.184.216.3"]
        names = {f"{number}.example": [[address]] for number, address in enumerate(addresses)}
        internet = Internet(names, dict(zip(addresses, (one.port, two.port, three.port), strict=True)))
        urls = [f"http://{name}/{path}" for name in names for path in ("a", "b", "")]
        found = list(fetch_all([Request(url) for url in urls], network=internet.network))
        assert sorted(request.url for request, outcome in found if isinstance(outcome, Answer)) == sorted(urls)
        assert [server.connections for server in (one, two, three)] == [1, 1, 1]


def test_a_connection_that_was_closed_in_between_is_replaced_once() -> None:
    def only_one(request: AskedRequest) -> bytes | AsyncIterator[bytes]:
        is_first = [each.connection for each in running.asked].count(request.connection) == 1
        return answer(FEED) if is_first else hanging_up(b"")(request)  # type: ignore[operator]

    answers = {"/a": only_one, "/b": only_one, "/c": hanging_up(b"")}
    with source_server(answers) as running:
        assert [fetch(private(running, "/a")).status for _ in range(2)] == [200, 200]
        found = outcomes(*(private(running, path) for path in ("/a", "/b", "/c")))
        assert found[f"{running.url}/b"].startswith("Answer")
        assert found[f"{running.url}/c"] == "does not answer like a web server"
        assert [each.path for each in running.asked] == ["/a", "/a", "/a", "/b", "/b", "/c", "/c"]


def test_a_resolver_that_does_not_answer_blocks_no_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [] * ended.wait(240))
    with pytest.raises(FetchError, match=r"did not answer within 0\.1 seconds"):
        fetch(Request("http://blog.example/"), FetchLimits(seconds=0.1))
    assert "resolver" in [thread.name for thread in threading.enumerate()]  # it waits on
    ended.set()


def test_a_host_that_does_not_answer_is_given_up_after_three_attempts() -> None:
    internet = Internet({"dead.example": [[PUBLIC]]}, {})
    found = outcomes(*(Request(f"http://dead.example/{number}") for number in range(5)), internet=internet)
    assert (
        list(found.values()) == ["nothing answers there"] * 3 + ["was not tried, because its host does not answer"] * 2
    )
    assert len(internet.dialled) == 3


def test_large_documents_wait_until_the_caller_has_received_earlier_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGE", 1_000)
    large = b"<rss>" + b" " * 2_000
    broken = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"<x/>" * 500)
    answers = {"/": answer(large), "/part": answer(large, status="206 Partial Content"), "/endless": broken}
    with source_server(answers) as running:
        addresses = [f"93.184.216.{number}" for number in range(1, 13)]
        names = {f"{number}.example": [[address]] for number, address in enumerate(addresses)}
        internet = Internet(names, dict.fromkeys(addresses, running.port))
        urls = [f"http://{name}{path}" for name, path in zip(names, 4 * [*answers], strict=True)]
        found = outcomes(*map(Request, urls), internet=internet, limits=FetchLimits(bytes=10_000))
    assert sum(each.startswith("Answer") for each in found.values()) == 4
    assert sum(each == "answered 206" for each in found.values()) == 4
    assert sum(each == "the answer is larger than 0.01 MB" for each in found.values()) == 4


def test_a_caller_that_stops_early_ends_open_requests(server: SourceServer) -> None:
    requests = [private(server, "/feed"), Request("http://slow.example/slow/silence")]
    internet = Internet({"slow.example": [[PUBLIC]]}, {PUBLIC: server.port, "127.0.0.1": server.port})
    before = set(threading.enumerate())
    for request, _ in fetch_all(requests, network=internet.network):
        assert request is requests[0]
        break
    assert set(threading.enumerate()) <= before
    assert list(fetch_all([])) == []


def test_no_more_is_fetched_ahead_than_hosts_are_fetched_in_parallel(server: SourceServer) -> None:
    before = len(server.asked)
    round_ = fetch_all([private(server, f"/echo?{number}") for number in range(20)], FetchLimits(hosts=2))
    next(round_)
    until(lambda: len(server.asked) - before >= 3)
    assert len(server.asked) - before == 3  # one was handed over, and two wait
    assert len(list(round_)) == 19


@settings(max_examples=40)
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 301 x\r\nLocation: ",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]
    ),
)
def test_whatever_bytes_a_server_sends_there_is_an_outcome(fuzzed: SourceServer, data: bytes, head: bytes) -> None:
    fuzzed.answers = {"/": hanging_up(head + data)}
    for _, outcome in fetch_all([private(fuzzed, "/")], QUICK):
        assert isinstance(outcome, Answer) or len(str(outcome).splitlines()) == 1


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[SourceServer]:
    with source_server({}) as running:
        yield running
