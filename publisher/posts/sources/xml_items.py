"""Conversion of feedparser's result for an RSS or Atom feed to a FeedDocument.

feedparser only gets XML that xml_text has prepared, as text. It gets no address, so that it fetches nothing and leaves
URLs as they are written, and it does not clean HTML. URLs and HTML are treated here as in our own posts.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import feedparser

from publisher.core.errors import FeedError
from publisher.core.models import Author, Enclosure, Episode
from publisher.core.source_models import FeedDocument, FeedItem, FeedPace
from publisher.posts.front_matter.enclosures import seconds_of
from publisher.posts.media_types import media_type_of
from publisher.posts.sources.item_dates import read_date
from publisher.posts.sources.item_picture import NamedPictures, picture_of
from publisher.posts.sources.item_text import (
    MOST_TEXT,
    ItemText,
    absolute_web,
    clean_text,
    is_markup,
    plain_title,
    summary_of,
    too_long,
)
from publisher.posts.sources.xml_text import decoded_text, no_feed, require_tame, too_many, without_references, xml_text

Found = Mapping[str, Any]

# Text that is not well-formed XML may take feedparser twenty times as long.
_MOST_REPAIRED = 4_000_000
_MOST_AUTHORS, _MOST_CATEGORIES, _MOST_ENCLOSURES = 50, 100, 20
_HOURS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# The two forms of an author in RSS, in which feedparser cuts off the domains of email addresses.
_EMAIL_AND_NAME = re.compile(
    r"^\s*([^\s<>()@]{1,200}@[^\s<>()@]{1,200})(?:\s{1,9}\(([^<>@]{0,200})\))?\s*$"
    r"|^([^<>@]{1,200})<([^\s<>@]{1,200}@[^\s<>@]{1,200})>"
)
# Names in which feedparser looks for an address, for which it needs much time if they are long.
_PEOPLE = re.compile(
    r"(?s:<!\[CDATA\[.*?(?:\]\]>|\Z))"
    r"|<((?:[\w.-]{1,30}:)?(?:author|creator|managingeditor|webmaster|publisher|owner))(?:\s[^<>]*)?>"
    r"(?:[^<]++|(?s:<!\[CDATA\[.*?(?:\]\]>|\Z))|<(?!/\1\s*>))*+(?:</\1\s*>|\Z)",
    re.IGNORECASE,
)
_LONGEST_PERSON = 5_000
# Sections of a document in which nothing is markup.
_SECTION = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
_NOBODY = re.compile(r"\s*(?:no-?reply|nobody|donotreply)@", re.IGNORECASE)
# Elements that feedparser confuses with others of that name, or whose text it changes, and names for them that it does
# not know.
_RENAMED = (
    (re.compile(r"<(/?)((?:[\w.-]{1,30}:)?)(?:guid|id)(?:\s[^<>]*?)?(/?)>"), r"<\1\2entryid\3>"),
    (re.compile(r"<(/?)media:(?:description|text)\b[^<>]*?(/?)>"), r"<\1media:caption\2>"),
    (re.compile(r"<(/?)media:title\b[^<>]*?(/?)>"), r"<\1media:heading\2>"),
    (re.compile(r"<(/?)itunes:summary\b[^<>]*?(/?)>"), r"<\1itunes:notes\2>"),
    (re.compile(r"(<itunes:explicit>\s{0,20})(?:true|explicit)(?=\s{0,20}<)", re.IGNORECASE), r"\1yes"),
    (re.compile(r"(<itunes:explicit>\s{0,20})(?:false|no)(?=\s{0,20}<)", re.IGNORECASE), r"\1clean"),
)


def read_xml(body: bytes, url: str, headers: Mapping[str, str], most_items: int) -> FeedDocument:
    """Return the content of an RSS or Atom feed. Raises FeedError if it is not one, or has too many items."""
    text, problem = decoded_text(body, headers)
    text = xml_text(text)
    text = _PEOPLE.sub(lambda found: found[0] if not found[1] or len(found[0]) <= _LONGEST_PERSON else "", text)
    text = _renamed(text)
    flaw = require_tame(text, most_items)
    if flaw and len(text) > _MOST_REPAIRED:
        raise FeedError(f"is not well-formed XML: {flaw}", hint="report it to the site")
    found = _found_in(text)
    if not found.version and not found.entries:
        raise no_feed(text)
    if len(found.entries) > most_items:
        raise too_many(most_items)
    problems = (problem, f"is not well-formed XML: {flaw}" if flaw else "")
    return _Channel(found, text, url, is_repaired=bool(flaw)).document(tuple(filter(None, problems)))


def _renamed(text: str) -> str:
    """Return a document in which feedparser confuses no elements. What sections contain stays as it is."""
    pieces = _SECTION.split(text)
    for pattern, name in _RENAMED:
        pieces[::2] = [pattern.sub(name, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _found_in(text: str) -> Any:
    """Return feedparser's result. Raises FeedError if feedparser fails, which can happen when it repairs a document."""
    try:
        return feedparser.parse(
            io.BytesIO(text.encode()),  # it would take bytes alone for a file name
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        what = f"is not well-formed XML, and cannot be repaired: {' '.join(str(error).split())[:100]}"
        raise FeedError(what, hint="report it to the site") from error


class _Channel:
    """A feed while it is read, with the values that all of its items share."""

    def __init__(self, found: Found, text: str, url: str, *, is_repaired: bool) -> None:
        """is_repaired: whether the document is not well-formed, so that feedparser leaves references in names."""
        self._found, self._text, self._url, self._is_repaired = found, text, url, is_repaired
        self._feed: Found = found["feed"]
        self._is_atom = str(found.get("version") or "").startswith("atom")
        self._links = [link for link in self._feed.get("links") or () if isinstance(link, dict)]
        self.link = self._home()
        self._base = url if self._is_atom or not self.link else self.link
        self._language = _text(self._feed, "language")[:40]
        self._too_long = 0
        self._authors = self._authors_of(self._feed) if self._is_atom else ()

    def document(self, problems: tuple[str, ...]) -> FeedDocument:
        """Return the whole feed."""
        items = tuple(self._item(entry) for entry in self._found["entries"])
        return FeedDocument(
            kind="atom" if self._is_atom else "rss",
            title=self._title(self._feed),
            link=self.link,
            items=items,
            description=plain_title(_text(self._feed, "subtitle")),
            language=self._language,
            url=self._absolute(self._rel("self")),
            hub=self._absolute(self._rel("hub")),
            icon=self._icon(),
            pace=self._pace(),
            problems=problems + too_long(self._too_long),
        )

    def _home(self) -> str:
        written = _text(self._feed, "link") or self._rel("alternate")
        return absolute_web(self._url, written)

    def _rel(self, rel: str) -> str:
        return next((href for link in self._links if link.get("rel") == rel and (href := _text(link, "href"))), "")

    def _absolute(self, reference: str) -> str:
        return absolute_web(self._base, reference) if reference else ""

    def _icon(self) -> str:
        image = self._feed.get("image")
        written = _text(self._feed, "icon") or _text(self._feed, "logo")
        return self._absolute(written or (_text(image, "href") if isinstance(image, dict) else ""))

    def _title(self, found: Found) -> str:
        detail = found.get("title_detail")
        kind = _text(detail, "type") if isinstance(detail, dict) else ""
        return plain_title(_text(found, "title"), is_text=self._is_atom and kind == "text/plain")

    def _pace(self) -> FeedPace:
        minutes = _number(_text(self._feed, "ttl"))
        period = _HOURS.get(_text(self._feed, "sy_updateperiod").strip().lower(), 0)
        often = max(1, _number(_text(self._feed, "sy_updatefrequency")))
        hours = {hour % 24 for hour in map(_number, self._skipped("Hour")) if hour <= 24}
        days = {_DAYS.index(day) for word in self._skipped("Day") if (day := word.strip().lower()) in _DAYS}
        return FeedPace(max(minutes, period * 60 // often), frozenset(hours), frozenset(days))

    def _skipped(self, unit: str) -> list[str]:
        """Return the texts in <skipHours> or <skipDays>, of which feedparser keeps only the last."""
        name = f"skip{unit}s>"
        _, _, behind = self._text.partition(f"<{name}")
        return re.findall(r">([^<>]{1,20})</", behind.partition(f"</{name}")[0][:5000])

    def _name(self, found: Found, key: str) -> str:
        """Return a name or an address, in which feedparser may have left references."""
        value = _text(found, key)
        return without_references(value) if self._is_repaired and "&" in value else value

    def _item(self, entry: Found) -> FeedItem:
        guid, link = self._guid_of(entry), self._link_of(entry)
        title = self._title(entry)
        base = link or self.link or self._url
        content, summary = self._texts(entry, base)
        return FeedItem(
            guid=guid,
            link=link,
            title=title,
            html=content.html,
            summary=summary,
            authors=self._authors_of(entry) or self._authors,
            categories=tuple(self._categories(entry)),
            published=_first_date(entry, "published", "created", "updated"),
            updated=_first_date(entry, "updated"),
            image=picture_of(self._pictures(entry, content), base, title),
            enclosures=tuple(self._enclosures(entry, base)),
            episode=_episode(entry, base),
            language=self._language_of(entry),
        )

    def _link_of(self, entry: Found) -> str:
        """Return the URL of the item's page: the first link to a page, else any link, else a guid that is a URL."""
        links = [link for link in entry.get("links") or () if isinstance(link, dict) and link.get("rel") == "alternate"]
        links.sort(key=lambda link: "html" not in _text(link, "type"))
        written = [self._name(entry, "feedburner_origlink"), *(_text(link, "href") for link in links)]
        found = next((url for each in written if (url := self._absolute(each))), "")
        return found or absolute_web("", self._guid_of(entry))

    def _guid_of(self, entry: Found) -> str:
        return " ".join((self._name(entry, "entryid") or self._name(entry, "id")).split())

    def _texts(self, entry: Found, base: str) -> tuple[ItemText, str]:
        """Return the whole text, which may be empty, and the summary.

        If there is no other text, a description that seems to be the whole text counts as such, and so do an episode's
        notes.
        """
        contents = [self._text_of(each) for each in entry.get("content") or () if isinstance(each, dict)]
        whole = max(contents, key=lambda each: len(each.written), default=ItemText(""))
        detail = entry.get("summary_detail")
        described = self._text_of(detail) if isinstance(detail, dict) else ItemText(_text(entry, "summary"))
        said = self._name(entry, "itunes_notes") or self._name(entry, "media_caption")
        notes = ItemText(said, is_plain=not is_markup(said))
        if described.written == whole.written:  # feedparser copies the one into the other
            described = notes
        short = clean_text(described if described.written.strip() else notes, self._url, base, self.link)
        if whole.written.strip():
            return clean_text(whole, self._url, base, self.link), summary_of(short)
        return (short, "") if short.is_whole else (ItemText(""), summary_of(short))

    def _text_of(self, detail: Found) -> ItemText:
        kind = _text(detail, "type")
        if kind and not kind.startswith(("text/", "application/xhtml", "application/xml")) and "/" in kind:
            return ItemText("")
        if len(_text(detail, "value")) > MOST_TEXT:
            self._too_long += 1
            return ItemText("")
        return ItemText(
            _text(detail, "value"), _text(detail, "base"), is_plain=kind == "text/plain", is_xml=kind.endswith("xml")
        )

    def _authors_of(self, found: Found) -> tuple[Author, ...]:
        written = [(self._name(each, "name"), self._name(each, "email")) for each in found.get("authors") or ()]
        links = [_text(each, "href") for each in found.get("authors") or ()]
        if written and not self._is_atom and (both := _EMAIL_AND_NAME.search(self._name(found, "author"))):
            written[-1] = (both[2] or both[3] or "", both[1] or both[4])
        authors: dict[str, Author] = {}
        for (name, email), link in zip(written, links, strict=True):
            name, email = plain_title(name), "" if _NOBODY.match(email) else email.strip()
            if name or email:
                author = Author(name or email.partition("@")[0], email, absolute_web(self._base, link))
                authors.setdefault(author.name.lower(), author)
        return tuple(authors.values())[:_MOST_AUTHORS]

    def _categories(self, entry: Found) -> Iterator[str]:
        names: dict[str, str] = {}
        for tag in entry.get("tags") or ():
            scheme, term = _text(tag, "scheme"), self._name(tag, "label") or self._name(tag, "term")
            if scheme.endswith("#kind") or re.match(r"https?://", term):  # Google's kinds of entries
                continue
            name = plain_title(term)
            if name and len(names) < _MOST_CATEGORIES:
                names.setdefault(name.lower(), name)
        return iter(names.values())

    def _enclosures(self, entry: Found, base: str) -> Iterator[Enclosure]:
        duration = seconds_of(_text(entry, "itunes_duration").strip().partition(".")[0]) or 0
        seen: set[str] = set()
        for link in [link for link in entry.get("links") or () if link.get("rel") == "enclosure"][:_MOST_ENCLOSURES]:
            url = absolute_web(base, _text(link, "href"))
            if url and url not in seen:
                seen.add(url)
                kind = _text(link, "type").strip() or media_type_of(url.partition("?")[0]) or "application/octet-stream"
                played = kind.startswith(("audio/", "video/"))
                if kind.startswith("image/"):  # which is the item's picture, and nothing to download
                    continue
                yield Enclosure(url, kind, _number(_text(link, "length")), duration if played else 0)

    def _pictures(self, entry: Found, content: ItemText) -> NamedPictures:
        image = entry.get("image")
        return NamedPictures(
            media=tuple(each for each in entry.get("media_content") or () if isinstance(each, dict)),
            thumbnails=tuple(each for each in entry.get("media_thumbnail") or () if isinstance(each, dict)),
            enclosures=tuple(link for link in entry.get("links") or () if link.get("rel") == "enclosure"),
            own=_text(image, "href") if isinstance(image, dict) else "",
            html=content.html,
            words=plain_title(_text(entry, "media_caption")) if "content" in entry or "summary" in entry else "",
            caption=plain_title(_text(entry, "media_heading")),
        )

    def _language_of(self, entry: Found) -> str:
        detail = next(iter(entry.get("content") or ()), None) or entry.get("title_detail") or {}
        found = _text(detail, "language")[:40]
        return "" if found.lower() == self._language.lower() else found


def _text(found: Found, key: str) -> str:
    """Return a value that is a text; "" if there is none. feedparser's own mapping of keys is bypassed."""
    value = dict.get(found, key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,15}", text := text.strip(), re.ASCII) else 0


def _first_date(entry: Found, *names: str) -> datetime | None:
    return next((date for name in names if (date := read_date(_text(entry, name)))), None)


def _episode(entry: Found, base: str) -> Episode | None:
    """Return an item's episode data for podcast directories. Of several transcripts, feedparser keeps the last."""
    kind = _text(entry, "itunes_episodetype").strip().lower()
    transcript, chapters = (entry.get(f"podcast_{each}") or {} for each in ("transcript", "chapters"))
    written = (absolute_web(base, _text(transcript, "url")), _text(transcript, "type").strip() or "text/plain")
    found = Episode(
        season=_number(_text(entry, "itunes_season")) % 1_000_000,
        number=_number(_text(entry, "itunes_episode")) % 1_000_000,
        kind=kind if kind in ("full", "trailer", "bonus") else "",
        title=plain_title(_text(entry, "itunes_title")),
        explicit=dict.get(entry, "itunes_explicit") if isinstance(entry, dict) else None,
        transcripts=(written,) if written[0] else (),
        chapters=absolute_web(base, _text(chapters, "url")),
    )
    return None if found == Episode() else found
