"""The archive of editions: what each newsletter sent, and the web copy of every letter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from publisher.config import Config
from publisher.core.models import Output
from publisher.core.newsletter_models import Edition
from publisher.site.pages.frame import Frame, day_in_words, href, output_path
from publisher.site.web_versions import WebVersion

_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_BODY_START = re.compile(r'<body(?:[^<>"]*(?:"[^"]*"[^<>"]*)*)>', re.IGNORECASE)
LATEST = 5


@dataclass(frozen=True, slots=True)
class NewsletterArchive:
    """The editions of one newsletter, newest first."""

    name: str
    title: str
    description: str
    editions: tuple[Edition, ...]

    @property
    def path(self) -> str:
        return f"editions/{self.name}/index.html"

    @property
    def href(self) -> str:
        """Its address from the site's root, quoted."""
        return href(self.path)

    @property
    def latest(self) -> tuple[Edition, ...]:
        return self.editions[:LATEST]

    @property
    def identity(self) -> str:
        """All that its pages show, as text."""
        shown = [(e.number, e.subject, e.path, e.dated.isoformat()) for e in self.editions]
        return repr((self.name, self.title, self.description, shown))


def plan_editions(frame: Frame, config: Config, pages: Sequence[WebVersion]) -> Iterator[Output]:
    """Plan the archive of editions; nothing at all if there is no edition yet."""
    shelves = _shelves(config, [page.edition for page in pages])
    if not shelves:
        return
    key = frame.key("editions", *(shelf.identity for shelf in shelves))
    yield Output("editions/index.html", key, partial(make_editions, frame, shelves))
    for shelf in shelves:
        key = frame.key("newsletter", shelf.identity)
        yield Output(shelf.path, key, partial(make_newsletter, frame, shelf))
    for page in pages:
        path = output_path(page.edition.path)
        key = frame.key("edition", page.edition.path, page.edition.subject, page.html)
        yield Output(path, key, partial(make_edition, frame, path, page))


def make_editions(frame: Frame, shelves: Sequence[NewsletterArchive]) -> bytes:
    """Make the page of all newsletters with their latest editions."""
    page = frame.page("editions/index.html", frame.words.editions, section="editions")
    return frame.render("editions.html", page, shelves=shelves, edition_href=_href, day=_day)


def make_newsletter(frame: Frame, shelf: NewsletterArchive) -> bytes:
    """Make the page of all editions of one newsletter."""
    page = frame.page(shelf.path, shelf.title, description=shelf.description, section="editions")
    return frame.render("newsletter.html", page, shelf=shelf, edition_href=_href, day=_day)


def make_edition(frame: Frame, path: str, page: WebVersion) -> bytes:
    """Make the web copy: the letter as it was sent, a way back above it, the site's links in its head."""
    html = page.html
    head_end, body_start = _HEAD_END.search(html), _BODY_START.search(html)
    if head_end is None or body_start is None or body_start.start() < head_end.start():
        return html.encode("utf-8", "replace")
    return frame.render(
        "edition.html",
        frame.page(path, page.edition.subject),
        edition=page.edition,
        before=html[: head_end.start()],
        middle=html[head_end.start() : body_start.end()],
        after=html[body_start.end() :],
    )


def _shelves(config: Config, editions: Sequence[Edition]) -> list[NewsletterArchive]:
    """One shelf a newsletter that has sent something: in the configuration's order, then former ones."""
    former = sorted({edition.newsletter for edition in editions} - {n.name for n in config.newsletters})
    known = [(n.name, config.newsletter_title(n), n.description) for n in config.newsletters]
    shelves = [
        NewsletterArchive(name, title, description, _newest_first([e for e in editions if e.newsletter == name]))
        for name, title, description in known + [(name, name, "") for name in former]
    ]
    return [shelf for shelf in shelves if shelf.editions]


def _newest_first(editions: list[Edition]) -> tuple[Edition, ...]:
    return tuple(sorted(editions, key=lambda edition: (edition.dated, edition.number), reverse=True))


def _href(edition: Edition) -> str:
    return href(output_path(edition.path))


def _day(edition: Edition, language: str) -> str:
    return day_in_words(edition.dated.date(), language)
