"""The preview's own pages: what each shows, handed to its template."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from publisher.core.templates import Templates, shipped_folder
from publisher.mail.addresses import split_mailbox
from publisher.publishing.wiring import transport_name
from publisher.web.csrf import SANDBOX
from publisher.web.preview.error_page import Trouble, left_out, trouble_of
from publisher.web.preview.findings import LetterFindings
from publisher.web.preview.header_help import HEADERS
from publisher.web.preview.sample import GMAIL_BYTES, READER_ADDRESS, READER_NAME, Sample
from publisher.web.preview.site import FeedInWords
from publisher.web.preview.snapshot import Listed, Snapshot
from publisher.web.preview.state import Desk
from publisher.web.preview.view_options import SCHEMES, VIEWS, WIDTHS, Angle

_ASSETS = {
    "preview.css": "preview/preview.css",
    "preview.js": "preview/preview.js",
    "icon.svg": "preview/icon.svg",
    "highlight.css": "pages/highlight.css",
}
_KEPT_NOTICES = 20

# What every template may use.
_TABLES: dict[str, Any] = {
    "formats": {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"},
    "gloss": HEADERS,
    "groups": {"site": "The site", "tags": "Tags", "authors": "Authors", "newsletters": "Newsletters"},
    "limit": GMAIL_BYTES,
    "reader": f"{READER_NAME} <{READER_ADDRESS}>",
    "sandbox": SANDBOX,
    "schemes": SCHEMES,
    "tabs": VIEWS,
    "widths": WIDTHS,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of something that was asked for, said once on the next page."""

    text: str
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the page of a letter shows of the snapshot."""

    listed: Listed
    sample: Sample
    findings: LetterFindings
    problems: Trouble | None
    transport: str


class Views:
    """Renders pages. token stands in every form."""

    def __init__(self, desk: Desk, root: Path, token: str) -> None:
        self._desk, self._root, self._token = desk, root, token
        # A project's own templates change its letters and its site, not this tool.
        self._templates = Templates(shipped_folder())
        self._notices: OrderedDict[str, Notice] = OrderedDict()

    def letter(self, newsletter: str, which: str, angle: Angle, said: str = "") -> str:
        """Return the page of one letter."""

        def look(snapshot: Snapshot) -> _Seen:
            sample = snapshot.sample(newsletter, which, angle.topics)
            return _Seen(
                snapshot.listed(newsletter, which),
                sample,
                snapshot.findings(newsletter, which, angle.topics),
                left_out(snapshot.problems),
                transport_name(snapshot.config),
            )

        state, seen = self._desk.state(), self._desk.ask(look)
        place, sample = seen.listed.place, seen.sample
        return self._render(
            "letter.html",
            state=state,
            title=sample.letter.subject,
            place=place,
            angle=angle,
            listed=seen.listed,
            sample=sample,
            sender=split_mailbox(sample.header("From"))[0] or sample.header("From"),
            findings=seen.findings,
            left_out=seen.problems,
            transport=seen.transport,
            token=self._token,
            notice=self._notices.get(said),
            source=_in_colours(sample.html, "html") if angle.view == "source" else "",
            frame=f"{place}/letter.html{Angle(topics=angle.topics).query()}",
        )

    def site(self, path: str, angle: Angle) -> str:
        """Return the page that shows the site; path: which of its pages."""

        def look(snapshot: Snapshot) -> tuple[list[tuple[str, str]], Trouble | None]:
            return snapshot.site.pages(), left_out(snapshot.problems)

        state, (pages, problems) = self._desk.state(), self._desk.ask(look)
        return self._render(
            "site.html",
            state=state,
            title="The site",
            place="/pages",
            section="site",
            angle=angle,
            pages=pages,
            path=path,
            left_out=problems,
        )

    def feeds(self, folder: str | None, kind: str) -> str:
        """Return the page of all feeds; or of one, by its folder, as entries or in one of its formats."""

        def look(snapshot: Snapshot) -> tuple[list[FeedInWords], FeedInWords | None, bytes, Trouble | None]:
            chosen = None if folder is None else snapshot.site.feed(folder)
            path = dict(chosen.files).get(kind) if chosen else None
            raw = (snapshot.site.file(path) or b"") if path else b""
            return snapshot.site.feeds(), chosen, raw, left_out(snapshot.problems)

        state, (feeds, chosen, raw, problems) = self._desk.state(), self._desk.ask(look)
        text = raw.decode("utf-8", "replace")
        return self._render(
            "feeds.html",
            state=state,
            title=chosen.feed.title if chosen else "Feeds",
            place="/feeds",
            section="feeds",
            feeds=feeds,
            chosen=chosen,
            kind=kind if raw else "",
            size=len(raw),
            raw=_in_colours(_indented(text) if kind == "json" else text, kind) if raw else "",
            left_out=problems,
        )

    def trouble(self, error: Exception, place: str, angle: Angle) -> str:
        """Return the page that says what went wrong, with the list of letters as it last was."""
        found = trouble_of(error, self._root)
        return self._render(
            "trouble.html", state=self._desk.state(), title=found.title, place=place, angle=angle, trouble=found
        )

    def remember(self, notice: Notice) -> str:
        """Keep a notice for the next page, and return the name under which it asks for it."""
        name = secrets.token_urlsafe(8)
        self._notices[name] = notice
        while len(self._notices) > _KEPT_NOTICES:
            self._notices.popitem(last=False)
        return name

    def asset(self, name: str) -> str | None:
        """Return a file that the pages need, None for one that they do not."""
        return self._templates.source(_ASSETS[name]) if name in _ASSETS else None

    def _render(self, template: str, **context: Any) -> str:
        usual = _TABLES | {
            "shelves": self._desk.shelves,
            "site_title": self._desk.title or self._root.name,
            "section": "",
            "angle": Angle(),
            "left_out": None,
        }
        return self._templates.render(f"preview/{template}", **usual | context)


def _in_colours(text: str, kind: str) -> str:
    from html import escape

    from publisher.site.pages.post_body import highlight

    coloured = highlight(text, {"rss": "xml", "atom": "xml"}.get(kind, kind))
    return escape(text, quote=False) if coloured is None else coloured


def _indented(text: str) -> str:
    """JSON for reading: the feed itself is written without a space."""
    import json

    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
