"""Reading built feeds as a validator would: what `publisher check` says of public/.

Not a second opinion on feedgen, but on everything between a post and the file on the disk: a template, a
static file laid over a feed, a picture that is missing, a hand that edited public/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from publisher.config import Config
from publisher.core.models import Problem, Severity
from publisher.site.feeds.feed_list import MEDIA_TYPES, feed_url, file_name

_ATOM = "{http://www.w3.org/2005/Atom}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_ARCHIVED = re.compile(r"-\d+(?=\.)")
_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
# Only inside tags: a post about these things names them in its text.
_ACTIVE = re.compile(
    r"<(?:script|style|object|embed|form)\b"
    r'|<[a-z][^\s<>]*(?:\s+[^\s=<>"]+(?:="[^"]*")?)*?\s+(?:on[a-z]+=|[^\s=<>"]+="\s*javascript:)',
    re.IGNORECASE,
)


def feed_problems(config: Config, folder: Path, told: Set[str] = frozenset()) -> list[Problem]:
    """Return what is wrong in the feed files under `folder`; nothing when it was never built.

    told  addresses of enclosures whose length nobody knows, as is told of their posts already
    """
    if folder.exists() and not folder.is_dir():
        return [Problem(config.pages.output, 0, "is a file, not a folder", "move it away")]
    found: list[Problem] = []
    names = {file_name(kind) for kind in MEDIA_TYPES}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if _ARCHIVED.sub("", path.name, count=1) in names and path.is_file():
            shown = f"{config.pages.output}/{path.relative_to(folder).as_posix()}"
            address = feed_url(config, path.relative_to(folder).as_posix())
            found.extend(_FeedFile(config, shown, address, path.read_bytes(), told).problems())
    return found


class _Links(HTMLParser):
    """Finds the addresses in full text; words about HTML, in code, are none."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "poster", "cite"):
                self.found.append(value or "")
            elif name == "srcset":
                self.found += [part.split()[0] for part in re.split(r",\s+", value or "") if part.strip()]


class _FeedFile:
    """One feed file being read."""

    def __init__(self, config: Config, shown: str, address: str, data: bytes, told: Set[str]) -> None:
        self._config, self._shown, self._address, self._data, self._told = config, shown, address, data, told
        self._line = 0

    def problems(self) -> Iterator[Problem]:
        if len(self._data) > self._config.feeds.max_bytes:
            yield self._problem(
                f"has {len(self._data):,} bytes; readers refuse large files",
                "lower feeds.limit, or send summaries: feeds.content",
            )
        try:
            entries = list(self._json() if self._shown.endswith(".json") else self._xml())
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
                yield self._problem(f"the id {entry['id']} comes twice", "give one of the posts an id of its own")
            seen[entry["id"]] = 1
            for reference in [*entry["urls"], *_Links(entry["html"]).found]:
                if not _ABSOLUTE.match(reference):
                    yield self._problem(
                        f"the entry {entry['title']!r} has the relative URL {reference!r}", "write the whole address"
                    )
            active = _ACTIVE.search(entry["html"])
            if active:
                yield self._problem(
                    f"the entry {entry['title']!r} holds {active[0].strip()!r}, which readers drop", "take it out"
                )
            for url, length in entry["enclosures"]:
                yield from self._enclosure(url, length)

    def _enclosure(self, url: str, length: str) -> Iterator[Problem]:
        """A length that is not the file's own makes podcast programs stop early or ask again."""
        prefix = f"{self._config.site_url}/"
        if not length or length == "0":
            if url in self._told:
                return
            yield self._problem(f"the length of {url} is not known", "add `length:` in bytes beside the url")
        elif not re.fullmatch(r"\d{1,15}", length, re.ASCII):
            yield self._problem(f"the length of {url} is {length[:30]!r}, which is no number", "mend `length:`")
        elif url.startswith(prefix):
            from urllib.parse import unquote

            file = self._config.root / self._config.pages.output / unquote(url.removeprefix(prefix))
            if file.is_file() and file.stat().st_size != int(length):
                yield self._problem(f"{url} has {file.stat().st_size} bytes, not {length}", "mend `length:`")

    def _xml(self) -> Iterator[dict[str, Any]]:
        from lxml import etree

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
