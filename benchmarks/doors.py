"""The "doors", the entry points for text from outside. Each processes a text in every way that the program does.

A door is a context manager, so that its setup is not measured. The function that it yields raises PublisherError or
BrokenPost if the text is refused, which is a correct outcome; any other error is a defect.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from publisher.bounces.providers.generic import read_generic
from publisher.bounces.providers.webhook_request import WebhookError, WebhookRequest
from publisher.bounces.reading import Signatures, read_message
from publisher.config import Config, NewsletterConfig, Site, load_config
from publisher.core.errors import PublisherError
from publisher.core.i18n import LOCALE_FOLDER, translate
from publisher.core.logging import configure, log
from publisher.core.models import RenderedPost
from publisher.core.templates import Templates
from publisher.mail.links import Links
from publisher.mail.verp import ReturnPath
from publisher.newsletters.letter.compose import compose
from publisher.newsletters.letter.note import read_note
from publisher.posts.archive import open_archive
from publisher.posts.front_matter.metadata import build_post
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.markup import BrokenPost, Renderer
from publisher.posts.post_file import PostSettings
from publisher.posts.rendering.headline import title_in
from publisher.posts.sources.discovery import feeds_of
from publisher.posts.sources.feed_document import read_feed
from publisher.publishing.wiring import open_project_store
from publisher.site.build import build
from publisher.subscribers.address import bare_address, clean_name, mailbox_of, normalise
from publisher.subscribers.csv_import import import_csv
from publisher.subscribers.csv_rows import NamedNewsletters, titles_of
from publisher.web.application import open_application

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "a secret for measurements only, long enough"
REFUSALS = (PublisherError, BrokenPost, WebhookError)
_SITE = Site(title="The Site", url="https://site.example", timezone="Europe/Berlin", postal_address="1 Long Road")
_WEEKLY = NewsletterConfig(name="weekly", content="full")
_CATALOG = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
_HEAD = "---\ntitle: A title\ndate: 2024-07-06\n---\n"
_NAME = "2024-07-06-hello.md"

Take = Callable[[str], object]

# The limits for one request, and for any other text of up to 60 KB, in seconds of CPU time.
_A_REQUEST, _A_TEXT = 0.05, 2.0


@dataclass(frozen=True, slots=True)
class Door:
    """An entry point. times: how many texts or requests it makes from one text; each may take `seconds`."""

    open: Callable[[], AbstractContextManager[Take]]
    times: int = 1
    seconds: float = _A_TEXT

    @property
    def most_seconds(self) -> float:
        """The limit for one text in total. One second is for starting the process that renders posts."""
        return self.times * self.seconds + (1.0 if self.seconds == _A_TEXT else 0)


@contextmanager
def _project(settings: str = "") -> Iterator[Path]:
    with TemporaryDirectory() as name:
        root = Path(name)
        (root / "posts").mkdir()
        (root / "publisher.toml").write_text(
            '[site]\ntitle = "The Site"\nurl = "https://site.example"\npostal_address = "1 Long Road"\n'
            f'[[newsletters]]\nname = "weekly"\n{settings}'
        )
        yield root


def _rendered(root: Path, body: str, *, inspect: bool = False) -> RenderedPost:
    (root / "posts" / _NAME).write_bytes(f"{_HEAD}{body}\n".encode("utf-8", "surrogatepass"))
    config = Config(site=_SITE, root=root)
    archive = open_archive(config, NOW, keep=False)
    if not archive.posts:
        raise PublisherError(str(archive.problems[0].message))
    return Renderer(archive, config, inspect=inspect).render(archive.posts[0])


@contextmanager
def post() -> Iterator[Take]:
    """Render a body, its excerpt and its word count, as `publisher check` does."""
    with _project() as root:
        yield lambda text: _rendered(root, text, inspect=True)


@contextmanager
def email() -> Iterator[Take]:
    """Render a body and compose an email from it: HTML with inlined CSS, and plain text."""
    templates = Templates(Path("no-such-folder"))
    with _project() as root:

        def take(text: str) -> object:
            posts = [_rendered(root, text)]
            return compose(Config(site=_SITE), _WEEKLY, posts, 1, "2026-W47", NOW, templates, "https://site.example/e/")

        yield take


@contextmanager
def site() -> Iterator[Take]:
    """Build a site with one post: its page, lists and feeds."""
    with _project() as root:

        def take(text: str) -> object:
            (root / "posts" / _NAME).write_bytes(f"{_HEAD}{text}\n".encode("utf-8", "surrogatepass"))
            return build(load_config(root, {}), NOW)

        yield take


def _heads(text: str) -> Iterator[str]:
    """Yield the text in every format of front matter, as the whole block and as a value."""
    line = " ".join(text.split())
    yield f"---\n{text}\n---\nBody"
    yield f"+++\n{text}\n+++\nBody"
    yield f"{{\n{text}\n}}\nBody"
    yield f"title: {text}\n\nBody"
    for key in ("title", "date", "tags", "author", "excerpt", "image", "permalink"):
        yield f"---\ntitle: T\n{key}: {json.dumps(line)}\n---\nBody"
    yield f"---\ntitle: T\ntags: [{line}]\n---\nBody"
    yield text


@contextmanager
def front_matter() -> Iterator[Take]:
    """Read the text as front matter in every format, and as the value of each field."""
    settings = PostSettings.of(Config(site=_SITE, root=Path("no-such-project")))

    def take(text: str) -> None:
        for head in _heads(text):
            _refusable(lambda head=head: build_post(_NAME, parse_head(head, whole=True), "digest", settings, title_in))  # type: ignore[misc]

    yield take


@contextmanager
def note() -> Iterator[Take]:
    """Read the text as the note of an edition: as its front matter, and as its body in Markdown."""
    with _project() as root:
        config = load_config(root, {})
        path = root / "letters/weekly/2026-W48.md"
        path.parent.mkdir(parents=True)

        def take(text: str) -> None:
            for whole in (f"---\nsubject: A\n{text}\n---\nBody", f"---\nsubject: A\n---\n{text}"):
                path.write_bytes(whole.encode("utf-8", "surrogatepass"))
                _refusable(lambda: read_note(config, _WEEKLY, "2026-W48"))

        yield take


@contextmanager
def configuration() -> Iterator[Take]:
    """Read publisher.toml with the text appended, and as the value of every key that accepts text."""
    values = ("site.title", "site.url", "site.language", "site.author", "mail.bounces", "theme.logo", "theme.accent")
    with _project() as root:
        file = root / "publisher.toml"
        begin = file.read_text()

        def take(text: str) -> None:
            line = json.dumps(" ".join(text.split()))
            for whole in (f"{begin}\n{text}\n", *(f"{key} = {line}\n" for key in values)):
                file.write_bytes(whole.encode("utf-8", "replace"))
                _refusable(lambda: load_config(root, {}))

        yield take


@contextmanager
def catalog() -> Iterator[Take]:
    """Read a catalog of translations with the text at its end, and as a translation."""
    with TemporaryDirectory() as name:
        path = Path(name) / LOCALE_FOLDER / "de.po"
        path.parent.mkdir()

        def take(text: str) -> None:
            line = json.dumps(" ".join(text.split()))
            for whole in (text, f'msgctxt "page.a"\nmsgid "b"\nmsgstr {line}\n'):
                path.write_bytes(
                    f'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n{whole}'.encode(
                        "utf-8", "replace"
                    )
                )
                _refusable(lambda: translate("page", {"a": "b"}, "de", [Path(name)]))

        yield take


@contextmanager
def log_line() -> Iterator[Take]:
    """Log the text as a path, user agent, method and message, in both formats."""
    streams = {style: StringIO() for style in ("human", "json")}

    def take(text: str) -> None:
        for style, stream in streams.items():
            configure(style, stream)  # type: ignore[arg-type]
            log("request", text, method=text, path=text, agent=text)
            stream.truncate(0)

    try:
        yield take
    finally:
        configure()


@contextmanager
def csv_file() -> Iterator[Take]:
    """Import a file of subscribers with the text in each cell, and as the whole file."""
    with _project() as root, open_project_store(load_config(root, {})) as store:
        path = root / "people.csv"
        names = NamedNewsletters(("weekly",), frozenset(("weekly",)), titles_of({}))

        def take(text: str) -> None:
            line = " ".join(text.split()).replace('"', '""')
            cell = f'email,name,status,topics,language,date\n"{line}","{line}","{line}","{line}","{line}","{line}"\n'
            for whole in (cell, f"email\n{text}", text):
                path.write_bytes(whole.encode("utf-8", "replace"))
                _refusable(lambda: import_csv(store, path, names, at=NOW, dry_run=True))

        yield take


@contextmanager
def bounce() -> Iterator[Take]:
    """Read a message with the text as a header, a body, a part of a report, and the original that a report encloses."""
    path = ReturnPath("bounces@letters.example", SECRET)
    signatures = Signatures(path, Links("https://letters.example", SECRET))
    head = f"From: MAILER-DAEMON@mx.example\nTo: {path.of(7)}\nSubject: failed\n"

    def take(text: str) -> None:
        line = " ".join(text.split())
        report = 'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\n\n--b1\n'
        parts = ("text/plain", "text/html", "message/delivery-status", "message/rfc822", "message/feedback-report")
        for whole in (
            f"{head}\n{text}",
            f"{head}Content-Type: text/html\n\n{text}",
            f"{head}Content-Type: multipart/mixed; boundary=b1\n\n{text}",
            f"{head}{report}" + "\n--b1\n".join(f"Content-Type: {kind}\n\n{text}" for kind in parts) + "\n--b1--\n",
            *(f"{head}{name}: {line}\n\nsorry" for name in ("Delivered-To", "From", "Subject", "Content-Type", "X")),
            f"To: {line}\n\n{text}",
        ):
            read_message(whole.encode("utf-8", "surrogatepass"), signatures)

    yield take


@contextmanager
def address() -> Iterator[Take]:
    """Read the text as an email address and as a name."""

    def take(text: str) -> None:
        for whole in (text, f"{text}@example.org", f"a@{text}", f"a@{text}.org"):
            _refusable(lambda whole=whole: mailbox_of(normalise(whole)))  # type: ignore[misc]
            bare_address(whole)
        clean_name(text)

    yield take


@contextmanager
def feed() -> Iterator[Take]:
    """Read the text as the feed of a source, as each text inside a feed, and as a page that may link to feeds."""
    fields = "".join(f"<{name}>{{0}}</{name}>" for name in ("title", "guid", "link", "author", "pubDate", "category"))
    item = f"<rss><channel><item>{fields}<description>{{0}}</description></item></channel></rss>"
    names = ("id", "url", "title", "summary", "content_html", "date_published", "image")
    url = "https://blog.example/feed.xml"

    def take(text: str) -> None:
        section = text.replace("]]>", "")
        documents = (text, item.format(text), item.format(escape(text)), item.format(f"<![CDATA[{section}]]>"))
        value = json.dumps({"items": [dict.fromkeys(names, text)]})
        for each in (*documents, f"<feed><entry {text}/><content type='xhtml'>{text}</content></feed>", value):
            _refusable(lambda each=each: read_feed(each.encode("utf-8", "replace"), url, {}))  # type: ignore[misc]
        feeds_of(text.encode("utf-8", "replace"), url)

    yield take


@contextmanager
def webhook() -> Iterator[Take]:
    """Read the body of a webhook: the text as the JSON, and in each field of an event."""
    path = ReturnPath("bounces@letters.example", SECRET)
    signatures = Signatures(path, Links("https://letters.example", SECRET))

    def take(text: str) -> None:
        event = {"event": "bounce", "address": f"a@{text}", "answer": text, "status": text, "id": text}
        for body in (text, f"[{text}", json.dumps(event), json.dumps({**event, "address": "a@b.example"})):
            request = WebhookRequest({"x-webhook-secret": SECRET}, body.encode("utf-8", "replace"), NOW, signatures)
            _refusable(lambda request=request: read_generic(request, SECRET))  # type: ignore[misc]

    yield take


ROUTES = (
    *(
        "/",
        "/subscribe",
        "/subscribe.json",
        "/confirm/{}",
        "/address/{}",
        "/unsubscribe/{}",
        "/preferences/{}",
        "/account/{}",
    ),
    *("/account/{}/erase", "/never/{}", "/approve/{}", "/healthz", "/metrics", "/hooks/bounce/{}", "/admin"),
    *("/admin/login", "/admin/assets/{}", "/admin/next/{}", "/assets/{}", "/editions/{}", "/{}/index.html", "/{}"),
)
_HEADERS = ("user-agent", "cookie", "referer", "accept-language", "x-forwarded-for", "forwarded", "if-none-match")
_MORE_HEADERS = ("range", "if-modified-since", "accept-encoding", "origin", "host", "authorization", "content-type")


class Requests:
    """A client that calls the web application of a project directly, without a server or a network."""

    def __init__(self, application: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._application, self._loop = application, loop

    def get(self, path: str, *, query: str = "", headers: tuple[tuple[str, str], ...] = ()) -> int:
        """Send a GET request, and return the status of the answer."""
        return self._ask("GET", path, query, headers, b"")

    def post(self, path: str, body: bytes, kind: str = "application/x-www-form-urlencoded") -> int:
        """Submit a form, and return the status of the answer."""
        form = (("content-type", kind), ("content-length", str(len(body))))
        return self._ask("POST", path, "", form, body)

    def _ask(self, method: str, path: str, query: str, headers: tuple[tuple[str, str], ...], body: bytes) -> int:
        raw = path if path.isascii() and path.isprintable() else quote(path, safe="/%")
        named = {"host": "site.example", **dict(headers)}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": raw.encode(),
            "root_path": "",
            "query_string": query.encode("utf-8", "replace"),
            "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in named.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("site.example", 80),
            "state": {},
        }
        return self._loop.run_until_complete(asyncio.wait_for(self._answer(scope, body), 60))

    async def _answer(self, scope: dict[str, Any], body: bytes) -> int:
        parts = iter([body])
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            for part in parts:
                return {"type": "http.request", "body": part, "more_body": False}
            return await asyncio.Future()

        async def send(message: Any) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        return int(sent[0]["status"])


@contextmanager
def web_requests() -> Iterator[Requests]:
    """Yield the web application of a project that has been built once."""
    settings = '[web]\npublic_url = "https://site.example"\nclient_limit = 100000\n'
    loop = asyncio.new_event_loop()
    with _project(settings) as root:
        config = load_config(root, {})
        configure("json", StringIO())
        build(config, NOW)
        with open_application(config, lambda: datetime.now(UTC)) as application:
            yield Requests(application, loop)
    loop.close()
    configure()


@contextmanager
def web_paths() -> Iterator[Take]:
    """Request every route with the text in its path."""
    with web_requests() as web:
        yield lambda text: [web.get(route.format(text)) for route in _PATHS]


@contextmanager
def web_headers() -> Iterator[Take]:
    """Send the text as the query and as each header that is read anywhere."""
    with web_requests() as web:

        def take(text: str) -> None:
            line = " ".join(text.split())
            for route in ("/subscribe", "/index.html"):
                web.get(route, query=line)
                web.get(route, query=f"email={quote(line)}")
                for name in (*_HEADERS, *_MORE_HEADERS):
                    web.get(route, headers=((name, line),))

        yield take


@contextmanager
def web_forms() -> Iterator[Take]:
    """Send the text to every route as a form of each encoding and as each field of a form, and to one route as JSON."""
    with web_requests() as web:

        def take(text: str) -> None:
            field = quote(text.encode("utf-8", "replace"))[: len(text)]
            body = "&".join(f"{name}={field}" for name in ("email", "name", "token", "newsletter", "topics", "do"))
            for route in ROUTES:
                for data in (text, body):
                    web.post(route.format("a"), data.encode("utf-8", "replace")[: len(text)])
                parts = text.encode("utf-8", "replace")[: len(text)]
                web.post(route.format("a"), parts, "multipart/form-data; boundary=b1")
            names = ("email", "name", "token", "newsletters", "language", "website")
            for data in (text, json.dumps(dict.fromkeys(names, text)), json.dumps({"topics": {text: [text]}})):
                web.post("/subscribe.json", data.encode("utf-8", "replace"), "application/json")

        yield take


def _refusable(call: Callable[[], object]) -> None:
    try:
        call()
    except REFUSALS:
        return


_PATHS = [route for route in ROUTES if "{}" in route]
_REQUESTS_WITH_HEADERS = 2 * (2 + len(_HEADERS) + len(_MORE_HEADERS))

DOORS: dict[str, Door] = {
    "post": Door(post),
    "email": Door(email),
    "site and feeds": Door(site),
    "front matter": Door(front_matter),
    "note": Door(note),
    "publisher.toml": Door(configuration),
    "catalog": Door(catalog),
    "log": Door(log_line),
    "import": Door(csv_file),
    "bounce": Door(bounce),
    "address": Door(address),
    "feed": Door(feed, 7),
    "webhook": Door(webhook, 4, _A_REQUEST),
    "web: paths": Door(web_paths, len(_PATHS), _A_REQUEST),
    "web: headers": Door(web_headers, _REQUESTS_WITH_HEADERS, _A_REQUEST),
    "web: forms": Door(web_forms, 3 * len(ROUTES) + 3, _A_REQUEST),
}
