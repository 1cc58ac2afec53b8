"""Validate the feeds in the output folder, for `publisher check`.

This does not check feedgen, but finds anything else that can go wrong between a post and the file on disk, such as a
static file that replaces a feed, a missing picture, or an edit by hand.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Set
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from publisher.config import Config
from publisher.core import patterns
from publisher.core.models import Problem, Severity
from publisher.site.feeds.feed_list import MEDIA_TYPES, file_name

_ATOM = "{http://www.w3.org/2005/Atom}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_ARCHIVED = patterns.compile(r"-\d+(?=\.)")
_ABSOLUTE = patterns.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
# Active content, such as scripts. It is searched only inside tags, because the text of a post may mention these names.
_ACTIVE = patterns.compile(
    r"<(?:script|style|object|embed|form)\b"
    r'|<[a-z][^\s<>]*(?:\s+[^\s=<>"]+(?:="[^"]*")?)*?\s+(?:on[a-z]+=|[^\s=<>"]+="\s*javascript:)',
    re.IGNORECASE,
)


def feed_problems(config: Config, folder: Path, reported: Set[str] = frozenset()) -> list[Problem]:
    """Return the problems of the feed files under `folder`; an empty list if the site was never built.

    reported  URLs of enclosures whose unknown length has already been reported for their post
    """
    if folder.exists() and not folder.is_dir():
        return [Problem(config.pages.output, 0, "is a file, not a folder", "move it away")]
    found, bodies = list[Problem](), _Bodies()
    names = {file_name(kind) for kind in MEDIA_TYPES}
    others = {name.file for name in config.feeds.other_names}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = path.relative_to(folder).as_posix()
        if (_ARCHIVED.sub("", path.name, count=1) in names or inside in others) and path.is_file():
            shown = f"{config.pages.output}/{inside}"
            found.extend(_FeedFile(config, shown, path.read_bytes(), reported, bodies).problems())
    return found


class _Links(HTMLParser):
    """Collects the URLs in the full text of an entry."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the URLs of a tag."""
        for name, value in attrs:
            if name in ("href", "src", "poster", "cite"):
                self.found.append(value or "")
            elif name == "srcset":
                self.found += [part.split()[0] for part in re.split(r",\s+", value or "") if part.strip()]


class _Bodies:
    """Finds problems in the full texts of entries. Many feeds show the same text, but it is read only once."""

    def __init__(self) -> None:
        self._faultless: set[bytes] = set()

    def faults(self, html: str) -> tuple[list[str], str]:
        """Return the relative URLs in a full text, and the first active content in it, or ""."""
        digest = hashlib.blake2b(html.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in self._faultless:
            return [], ""
        relative = [each for each in _Links(html).found if not _ABSOLUTE.match(each)]
        active = _ACTIVE.search(html)
        if not relative and not active:
            self._faultless.add(digest)
        return relative, active[0] if active else ""


class _FeedFile:
    """A feed file to check. It is parsed, and then checked entry by entry."""

    def __init__(self, config: Config, shown: str, data: bytes, reported: Set[str], bodies: _Bodies) -> None:
        self._config, self._shown, self._data, self._reported = config, shown, data, reported
        self._bodies = bodies
        self._line = 0

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of the file."""
        if len(self._data) > self._config.feeds.max_bytes:
            yield self._problem(
                f"has {len(self._data):,} bytes; feed readers reject large files",
                "lower feeds.limit, or set feeds.content to publish only summaries",
            )
        try:
            entries = list(self._json() if self._data[:1] == b"{" else self._xml())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield self._problem(f"cannot be read: {error}", "build again")
            return
        yield from self._entries(entries)

    def _entries(self, entries: list[dict[str, Any]]) -> Iterator[Problem]:
        seen: dict[str, int] = {}
        for entry in entries:
            self._line = entry["line"]
            if not entry["id"]:
                yield self._problem(f"the entry {entry['title']!r} has no id", "build again")
            elif entry["id"] in seen:
                yield self._problem(f"the id {entry['id']} occurs twice", "give one of the posts a different id")
            seen[entry["id"]] = 1
            relative, active = self._bodies.faults(entry["html"])
            for reference in (*(url for url in entry["urls"] if not _ABSOLUTE.match(url)), *relative):
                yield self._problem(
                    f"the entry {entry['title']!r} has the relative URL {reference!r}", "write the absolute URL"
                )
            if active:
                yield self._problem(
                    f"the entry {entry['title']!r} contains {active.strip()!r}, which feed readers drop", "remove it"
                )
            for url, length in entry["enclosures"]:
                yield from self._enclosure(url, length)

    def _enclosure(self, url: str, length: str) -> Iterator[Problem]:
        """Check the length of an enclosure. If it is wrong, podcast apps stop early or download the file again."""
        prefix = f"{self._config.site_url}/"
        if not length or length == "0":
            if url in self._reported:
                return
            yield self._problem(f"the length of {url} is not known", "add `length:`, in bytes, next to the url")
        elif not re.fullmatch(r"\d{1,15}", length, re.ASCII):
            yield self._problem(f"the length of {url} is {length[:30]!r}, which is not a number", "correct `length:`")
        elif url.startswith(prefix):
            file = self._config.root / self._config.pages.output / unquote(url.removeprefix(prefix))
            if file.is_file() and file.stat().st_size != int(length):
                yield self._problem(f"{url} has {file.stat().st_size} bytes, not {length}", "correct `length:`")

    def _xml(self) -> Iterator[dict[str, Any]]:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        try:
            root = etree.fromstring(self._data, parser)
        except etree.XMLSyntaxError as error:
            raise ValueError(str(error)) from error
        if root.tag == "rss":
            yield from (self._rss_item(item) for item in root.iter("item"))
        else:
            yield from (self._atom_entry(entry) for entry in root.iter(f"{_ATOM}entry"))

    def _rss_item(self, item: Any) -> dict[str, Any]:
        return {
            "line": item.sourceline,
            "id": item.findtext("guid", ""),
            "title": item.findtext("title", ""),
            "html": item.findtext(_CONTENT, ""),
            "urls": [item.findtext("link", ""), *_attributes(item, "enclosure", "url"), *_pictures(item)],
            "enclosures": [(e.get("url", ""), e.get("length", "")) for e in item.iter("enclosure")],
        }

    def _atom_entry(self, entry: Any) -> dict[str, Any]:
        links = [link for link in entry.iter(f"{_ATOM}link") if link.get("rel") == "enclosure"]
        return {
            "line": entry.sourceline,
            "id": entry.findtext(f"{_ATOM}id", ""),
            "title": entry.findtext(f"{_ATOM}title", ""),
            "html": entry.findtext(f"{_ATOM}content", ""),
            "urls": [*_attributes(entry, f"{_ATOM}link", "href"), *_pictures(entry)],
            "enclosures": [(link.get("href", ""), link.get("length", "")) for link in links],
        }

    def _json(self) -> Iterator[dict[str, Any]]:
        for item in json.loads(self._data)["items"]:
            attached = [(str(a["url"]), str(a.get("size_in_bytes", ""))) for a in item.get("attachments", ())]
            yield {
                "line": 0,
                "id": str(item.get("id", "")),
                "title": item.get("title", ""),
                "html": str(item.get("content_html", "")),
                "urls": [str(item[key]) for key in ("url", "image") if key in item] + [a[0] for a in attached],
                "enclosures": attached,
            }

    def _problem(self, message: str, hint: str) -> Problem:
        return Problem(self._shown, self._line, message, hint, Severity.WARNING)


def _attributes(parent: Any, name: str, attribute: str) -> list[str]:
    return [element.get(attribute, "") for element in parent.iter(name)]


def _pictures(parent: Any) -> list[str]:
    return [url for name in ("content", "thumbnail") for url in _attributes(parent, f"{_MEDIA}{name}", "url")]
