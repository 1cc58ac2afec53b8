"""The built site over HTTP, and the common properties of all answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Message

from publisher.web.public.static_site import SiteFiles
from tests.support.project import Project
from tests.support.web_client import PORT, WebClient, configure, web_client


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "letter"


@pytest.fixture
def web(project: Project, kept: Path) -> Iterator[WebClient]:
    def prepare() -> None:
        configure(project, PORT)
        project.subscribe("first")
        project.ok("publish")

    project.prepare(kept, prepare)
    with web_client(project) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/feed.xml", "application/rss+xml"),
        ("/atom.xml", "application/atom+xml"),
        ("/feed.json", "application/feed+json"),
        ("/tags/reading/feed.xml", "application/rss+xml"),
        ("/editions/weekly/", "text/html"),
    ],
)
def test_files_have_media_types_and_etags(web: WebClient, path: str, kind: str) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, kind)
    again = web.get(path, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/feed.xml", "/feed.json", "/editions/weekly/"])
def test_files_are_sent_as_a_bare_application_sends_them(web: WebClient, path: str) -> None:
    bare = Starlette(routes=[Mount("/", StaticFiles(directory=web.project.root / "public", html=True))])

    async def asked() -> httpx.Response:
        """Send a request to the bare application."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(bare), base_url=web.url) as client:
            return await client.get(path)

    theirs, ours = asyncio.run(asked()), web.get(path, **{"accept-encoding": "identity"})
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    for name in ("content-length", "last-modified", "etag", "accept-ranges"):
        assert ours.headers[name] == theirs.headers[name], name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("feeds.opml", "text/x-opml; charset=utf-8"),
        ("sitemap.xml", "application/xml"),
        ("site.webmanifest", "application/manifest+json"),
        ("a.avif", "image/avif"),
        ("a.WEBP", "image/webp"),
        ("a.woff2", "font/woff2"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.SVG", "image/svg+xml"),
        ("a.svg.gz", "application/gzip"),
        ("a.unknown", "application/octet-stream"),
        ("CNAME", "application/octet-stream"),
        ("feed-3.xml", "application/rss+xml; charset=utf-8"),
    ],
)
def test_types_do_not_depend_on_the_system(web: WebClient, name: str, kind: str) -> None:
    file = web.project.root / "public" / name
    if not file.exists():
        file.write_bytes(b"x")
    answer = web.get(f"/{name}")
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-security-policy"].endswith("; sandbox") == ("javascript" not in kind)


def test_pages_run_scripts_of_the_site_and_other_documents_none(web: WebClient) -> None:
    assert "sandbox" not in web.get("/").headers["content-security-policy"]
    answer = web.get("/sitemap.xml")
    again = web.get("/sitemap.xml", **{"if-none-match": answer.headers["etag"]})
    for each in (answer, again):
        assert each.headers["content-security-policy"].endswith("; sandbox")


@pytest.mark.parametrize("path", ["/", "/feed.xml", "/feed.json", "/feeds.opml", "/assets/site.css"])
def test_text_is_compressed_for_those_who_accept_it(web: WebClient, path: str) -> None:
    if path.startswith("/assets/"):
        path = f"/assets/{next((web.project.root / 'public/assets').glob('site.*.css')).name}"
    plain, small = web.get(path, **{"accept-encoding": "identity"}), web.get(path, **{"accept-encoding": "br, gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert small.content == plain.content
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"])
    assert small.headers["etag"] != plain.headers["etag"]
    for answer, accepted in ((plain, "identity"), (small, "gzip")):
        assert "accept-encoding" in answer.headers["vary"].lower()
        again = web.get(path, **{"accept-encoding": accepted, "if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.headers["etag"], again.content) == (304, answer.headers["etag"], b"")
        assert "accept-encoding" in again.headers["vary"].lower()
        same = {"content-security-policy", "cache-control", "x-content-type-options", "etag", "last-modified"}
        assert {name: again.headers[name] for name in same - {"last-modified"}} == {
            name: answer.headers[name] for name in same - {"last-modified"}
        }
    head = web.client.head(path, headers={"accept-encoding": "gzip"})
    assert dict(head.headers) == dict(small.headers)


def test_a_changed_file_is_compressed_again(web: WebClient) -> None:
    file = web.project.root / "public/notes.txt"
    for text in ("first " * 500, "second " * 500):
        file.write_text(text)
        assert web.get("/notes.txt", **{"accept-encoding": "gzip"}).text == text


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "gzip; q=0.000", "br", "*;q=0", "gzip;q=0, *"])
def test_no_one_gets_gzip_unasked(web: WebClient, accepted: str) -> None:
    assert "content-encoding" not in web.get("/feed.xml", **{"accept-encoding": accepted}).headers


def test_only_text_of_the_site_is_compressed(web: WebClient) -> None:
    (web.project.root / "public/a.png").write_bytes(bytes(5_000))
    (web.project.root / "public/large.txt").write_bytes(bytes(1_000_001))
    for path in ("/a.png", "/large.txt", "/subscribe", "/unsubscribe/x", "/nothing", "/healthz"):
        assert "content-encoding" not in web.get(path, **{"accept-encoding": "gzip"}).headers, path
    part = web.get("/feed.xml", **{"accept-encoding": "gzip", "range": "bytes=0-9"})
    assert (part.status_code, len(part.content), part.headers.get("content-encoding")) == (206, 10, None)


def test_feed_readers_in_a_browser_may_read_feeds_and_nothing_else(web: WebClient) -> None:
    for path in ("/feed.json", "/feed.xml", "/atom.xml", "/feeds.opml"):
        assert web.get(path).headers["access-control-allow-origin"] == "*", path
    for path in ("/", "/subscribe", "/unsubscribe/x"):
        assert "access-control-allow-origin" not in web.get(path).headers, path


def test_missing_and_hidden_files_are_404(web: WebClient) -> None:
    (web.project.root / "public/link").symlink_to(web.project.root / "publisher.toml")
    paths = ["/nothing", "/.publisher-files.json", "/../publisher.toml", "/%2e%2e/publisher.toml", "/link"]
    paths += ["/%00", "/" + "x" * 5_000, "/..%5c..%5cpublisher.toml", "/.publisher/secret", "/%ff"]
    for path in paths:
        answer = web.client.get(httpx.URL(web.url).copy_with(raw_path=path.encode()))
        assert answer.status_code == 404, path
        assert "[site]" not in answer.text


def test_a_page_without_a_slash_in_its_url_is_found(web: WebClient) -> None:
    for name in ("about-me.html", "v7.4.0.html", "archive.html"):
        (web.project.root / "public" / name).write_text(f"<p>{name}")
    for path in ("/about-me", "/v7.4.0", "/about-me.html"):
        answer = web.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert web.get(path, **{"if-none-match": answer.headers["etag"]}).status_code == 304
    assert [web.get(path).status_code for path in ("/about-me/", "/about", "/about-me.html.html")] == [404] * 3
    assert web.get("/archive").status_code == 307  # a folder takes precedence


def test_a_folder_redirect_ignores_the_host_header(web: WebClient) -> None:
    answer = web.get("/archive", host="evil.example")
    assert (answer.status_code, answer.headers["location"]) == (307, "/archive/")


REDIRECTS = [
    b"//evil.example/..//archive", b"/%5Cevil.example%2F..%2Farchive", b"/%09%2Fevil.example%2F..%2F..%2Farchive",
    b"/%E2%82%AC%2F..%2Farchive", b"/a%00b%2F..%2Farchive", b"/%0D%0Aset-cookie:a%2F..%2Farchive", b"/%2F%2Farchive",
    b"/.%2Farchive", b"/archive%2F.", b"/user@evil.example%2F..%2Farchive", b"/%ff%2F..%2Farchive",
    b"/http:%2F%2Fevil.example%2F..%2F..%2Farchive", b"/%5C%5Cevil.example%2F..%2Farchive", b"/archive%00",
]  # fmt: skip


@pytest.mark.parametrize("path", REDIRECTS)
def test_a_redirect_never_leaves_the_site(web: WebClient, path: bytes) -> None:
    answer = web.client.get(httpx.URL(web.url).copy_with(raw_path=path), follow_redirects=False)
    assert answer.status_code in (200, 307, 404)
    assert answer.headers.get("location", "/archive/") == "/archive/"


def test_a_redirect_to_a_folder_with_an_odd_name_finds_it(web: WebClient) -> None:
    folder = web.project.root / "public" / "a\\é ?#%"
    folder.mkdir()
    (folder / "index.html").write_text("found")
    answer = web.client.get("/a%5C%C3%A9%20%3F%23%25", follow_redirects=False)
    assert answer.headers["location"] == "/a%5C%C3%A9%20%3F%23%25/"
    assert web.client.get(answer.headers["location"]).text == "found"


def test_a_server_without_a_site_still_answers(project: Project) -> None:
    with web_client(project) as web:
        assert web.get("/").status_code == 404
        assert web.get("/subscribe").status_code == 200
        assert web.get("/healthz").text == "ok\n"


def test_every_answer_has_security_headers(web: WebClient) -> None:
    for path in ("/subscribe", "/unsubscribe/x", "/preferences/x", "/healthz", "/nothing/at/all"):
        answer = web.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"] or path.startswith("/nothing")
        assert "frame-ancestors" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"]
        assert "set-cookie" not in answer.headers
        assert "unsafe" not in answer.headers["content-security-policy"].partition("script-src")[2]
        assert "web" not in answer.headers
    for path in ("/subscribe", "/confirm/x", "/unsubscribe/x"):
        refused = web.client.request("DELETE", path)
        assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})
    assert web.client.head("/subscribe").status_code == 200


def test_the_site_has_a_form_if_it_has_a_public_url(web: WebClient) -> None:
    page = web.get("/subscribe/")
    assert f'action="{web.url}/subscribe"' in page.text
    assert page.text.count('name="newsletter"') == 2
    project = web.project
    project.write("publisher.toml", project.read("publisher.toml").replace("public_url", "# public_url"))
    project.ok("build")
    assert "<form" not in project.read("public/subscribe/index.html")


def test_an_application_under_a_path_answers_there(project: Project) -> None:
    with web_client(project, path="/letters") as web:
        page = web.get("/letters/subscribe")
        style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        assert style.startswith("/letters/")
        assert web.get(style).headers["content-type"] == "text/css; charset=utf-8"
        assert 'action="/letters/subscribe"' in page.text
        web.post("/letters/subscribe", email="ada@example.org", newsletter="weekly", token=web.form_token())
        link = web.link()
        assert "/letters/confirm/" in link
        assert web.get(link).status_code == 200


def test_metrics_count_subscribers_and_responses(web: WebClient) -> None:
    web.get("/subscribe")
    text = web.get("/metrics").text
    assert 'publisher_subscribers{status="active"} 1.0' in text
    assert 'publisher_http_requests_total{page="subscribe",status="200"} 1.0' in text
    assert 'publisher_open_deliveries{newsletter="weekly",state="due"} 0.0' in text
    assert web.get("/metrics", **{"x-forwarded-for": "192.0.2.1"}).status_code == 404


@pytest.mark.parametrize("path", ["/tags/nothing/feed.xml", "/nothing/atom.xml", "/nothing/feed.json", "/feed-77.xml"])
def test_a_missing_feed_gets_a_page(web: WebClient, path: str) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "text/html")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("range_", [b"", b"bytes=0-2"])
def test_a_file_that_is_replaced_before_it_is_sent_is_sent_completely(tmp_path: Path, range_: bytes) -> None:
    """Such an answer used to declare the length of the old file, which broke the connection."""
    scope = {"type": "http", "method": "GET", "path": "/a.txt", "headers": [(b"range", range_)] if range_ else []}
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def answer(content: str) -> None:
        (tmp_path / "a.txt").write_text("hello\n")
        response = await SiteFiles(tmp_path, "").get_response("a.txt", scope)
        (tmp_path / "a.txt").unlink()
        if content:
            (tmp_path / "a.txt").write_text(content)
        await response(scope, receive, send)

    anyio.run(answer, "hello again\n")
    headers = dict(sent[0]["headers"])
    body = b"".join(message["body"] for message in sent[1:])
    assert body == (b"hel" if range_ else b"hello again\n")
    assert int(headers[b"content-length"]) == len(body)
    with pytest.raises(HTTPException):
        anyio.run(answer, "")
