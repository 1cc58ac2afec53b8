"""The pages of newsletters: lists of their editions, and the web version of each edition."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from types import MappingProxyType

from publisher.config import Config
from publisher.core.frozen import dataclass
from publisher.core.models import Output
from publisher.core.newsletter_models import Edition
from publisher.site.pages.frame import Frame, day_in_words, href, output_path
from publisher.site.pages.signup import newest_path
from publisher.site.web_versions import WebVersion

_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_BODY_START = re.compile(r'<body(?:[^<>"]*(?:"[^"]*"[^<>"]*)*)>', re.IGNORECASE)
LATEST = 5
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NewsletterArchive:
    """A newsletter with its editions, newest first."""

    name: str
    title: str
    description: str
    editions: tuple[Edition, ...]

    @property
    def path(self) -> str:
        """The path of its page in the site."""
        return f"editions/{self.name}/index.html"

    @property
    def href(self) -> str:
        """The quoted path of its page from the root of the site."""
        return href(self.path)

    @property
    def latest(self) -> tuple[Edition, ...]:
        """Its newest editions."""
        return self.editions[:LATEST]

    @property
    def identity(self) -> str:
        """Everything that its pages show, as one string."""
        shown = [(e.number, e.subject, e.path, e.dated.isoformat()) for e in self.editions]
        return repr((self.name, self.title, self.description, shown))


def plan_editions(
    frame: Frame, config: Config, pages: Sequence[WebVersion], elsewhere: Mapping[str, str] = _NOTHING
) -> Iterator[Output]:
    """Yield an output for each page of newsletters and editions, or none if there are no editions yet.

    An edition for subscribers who chose a different frequency has a page, to which its emails link, but is not listed.

    elsewhere  the URLs of pages of posts that are not on this site, by the ids of the posts
    """
    archives = _archives(config, [page.edition for page in pages if not page.edition.frequency])
    if archives:
        key = frame.key("editions", *(archive.identity for archive in archives))
        yield Output("editions/index.html", key, partial(make_editions, frame, archives))
    for archive in archives:
        key = frame.key("newsletter", archive.identity)
        yield Output(archive.path, key, partial(make_newsletter, frame, archive))
    for page in pages:
        path = output_path(page.edition.path)
        url = _only_page(page.edition, elsewhere)
        key = frame.key("edition", page.edition.path, page.edition.subject, page.html, url)
        yield Output(path, key, partial(make_edition, frame, path, page, url))
    newest = {edition.path for edition in newest_editions(pages)}
    for page in pages:
        if page.edition.path in newest:
            path = f"{newest_path(page.edition.newsletter)}index.html"
            url = _only_page(page.edition, elsewhere)
            key = frame.key("newest", page.edition.path, page.edition.subject, page.html, url)
            yield Output(path, key, partial(make_edition, frame, path, page, url))


def newest_editions(pages: Sequence[WebVersion]) -> list[Edition]:
    """Return the newest edition, by the newsletter's own schedule, of each newsletter that has one."""
    found: dict[str, Edition] = {}
    for edition in (page.edition for page in pages if not page.edition.frequency):
        held = found.get(edition.newsletter)
        if held is None or (edition.dated, edition.number) > (held.dated, held.number):
            found[edition.newsletter] = edition
    return list(found.values())


def make_editions(frame: Frame, archives: Sequence[NewsletterArchive]) -> bytes:
    """Return the page that lists all newsletters, each with its latest editions."""
    page = frame.page("editions/index.html", frame.words.editions, section="editions")
    return frame.render("editions.html", page, shelves=archives, edition_href=edition_href, day=_day)


def make_newsletter(frame: Frame, archive: NewsletterArchive) -> bytes:
    """Return the page that lists all editions of a newsletter."""
    page = frame.page(archive.path, archive.title, description=archive.description, section="editions")
    return frame.render("newsletter.html", page, shelf=archive, edition_href=edition_href, day=_day)


def make_edition(frame: Frame, path: str, page: WebVersion, canonical: str = "") -> bytes:
    """Return the page of an edition, which is its web version with a bar above it that links to the site.

    The newest edition of a newsletter is also at a path that never changes; the page there names the edition's own URL.

    canonical  the URL of a page elsewhere with the same content; "" if there is none
    """
    html = page.html
    head_end, body_start = _HEAD_END.search(html), _BODY_START.search(html)
    if head_end is None or body_start is None or body_start.start() < head_end.start():
        return html.encode("utf-8", "replace")
    return frame.render(
        "edition.html",
        replace(
            frame.page(path, page.edition.subject),
            url=canonical or f"{frame.site.url}/{edition_href(page.edition)}",
        ),
        edition=page.edition,
        before=html[: head_end.start()],
        middle=html[head_end.start() : body_start.end()],
        after=html[body_start.end() :],
    )


def _only_page(edition: Edition, elsewhere: Mapping[str, str]) -> str:
    """Return the URL of the page of the only post in an edition, if that is elsewhere; "" for any other edition."""
    return elsewhere.get(edition.posts[0].id, "") if len(edition.posts) == 1 else ""


def bare_web_version(page: WebVersion, elsewhere: Mapping[str, str] = _NOTHING) -> Output:
    """Return the output of an edition without the site's bar, for a site made by another tool.

    elsewhere  the URLs of pages of posts that are not on this site, by the ids of the posts
    """
    text, url = page.html, _only_page(page.edition, elsewhere)
    if url and (end := _HEAD_END.search(text)):
        text = f'{text[: end.start()]}<link rel="canonical" href="{escape(url)}">\n{text[end.start() :]}'
    html = text.encode("utf-8", "replace")
    return Output(output_path(page.edition.path), hashlib.sha256(html).hexdigest(), lambda: html)


def _archives(config: Config, editions: Sequence[Edition]) -> list[NewsletterArchive]:
    """Return the newsletters that have editions: configured ones in their order, then former ones by name."""
    former = sorted({edition.newsletter for edition in editions} - {n.name for n in config.newsletters})
    known = [(n.name, config.newsletter_title(n), n.description) for n in config.newsletters]
    archives = [
        NewsletterArchive(name, title, description, _newest_first([e for e in editions if e.newsletter == name]))
        for name, title, description in known + [(name, name, "") for name in former]
    ]
    return [archive for archive in archives if archive.editions]


def _newest_first(editions: list[Edition]) -> tuple[Edition, ...]:
    return tuple(sorted(editions, key=lambda edition: (edition.dated, edition.number), reverse=True))


def edition_href(edition: Edition) -> str:
    """Return the quoted path of the page of an edition from the root of the site."""
    return href(output_path(edition.path))


def _day(edition: Edition, language: str) -> str:
    return day_in_words(edition.dated.date(), language)
