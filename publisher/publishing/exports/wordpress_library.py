"""The things that texts of a WordPress blog refer to by number: pictures, posts, and blocks that several posts show."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from html import escape
from urllib.parse import urlsplit

from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.publishing.exports.exported import MOST_TEXT

# How many characters of reusable blocks are kept, and how deeply they may be nested.
_MOST_KEPT = 50_000_000
_DEEPEST = 3

_REUSED = patterns.compile(r"<!--\s{0,3}wp:block\s{1,3}(\{[^<>]{0,2000}\})\s{0,3}/-->")
_NUMBERED = patterns.compile(
    r"(\shref\s{0,3}=\s{0,3}[\"'])((?:https?:/)?(?:/[^\"'<>\s?#]{0,300})?)\?(?:p|page_id|attachment_id)=(\d{1,18})"
    r"(?:&[^\"'<>#]{0,300})?(?=[\"'#])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of the blog: its URL, its description for people who don't see it, and its caption."""

    url: str
    alt: str = ""
    caption: str = ""

    def figure(self) -> str:
        """Return the HTML of a picture."""
        words = f"<figcaption>{self.caption}</figcaption>" if self.caption else ""
        return f'<figure><img src="{escape(self.url)}" alt="{escape(self.alt)}">{words}</figure>'


@dataclass(slots=True)
class Library:
    """The files, addresses and reusable blocks of a blog, by number.

    attachments  its files
    attached     the numbers of the files that were uploaded for a post, by the post's number
    links        the addresses of its posts and pages
    blocks       the texts of its reusable blocks
    used         the numbers of the reusable blocks that a post showed
    """

    attachments: dict[str, Attachment] = field(default_factory=dict)
    attached: dict[str, list[str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    kept: int = 0

    def keep_block(self, number: str, text: str) -> None:
        """Keep the text of a reusable block, as long as there is room."""
        self.kept += len(text)
        if self.kept <= _MOST_KEPT:
            self.blocks[number] = text

    def with_blocks(self, text: str, left: Counter[str]) -> str:
        """Insert the reusable blocks, which may contain others, into a text; count those that are not in the file."""
        for _ in range(_DEEPEST):
            if "wp:block" not in text:
                break
            size = len(text)

            def shown(found: re.Match[str]) -> str:
                """Return the text of a reusable block."""
                nonlocal size
                number = str(values_of(found[1]).get("ref"))
                block = self.blocks.get(number, "")
                size += len(block)
                if not block or size > MOST_TEXT:
                    return found[0]
                self.used.add(number)
                return block

            text = _REUSED.sub(shown, text)
        if missing := len(_REUSED.findall(text)):
            left["reusable blocks that are not in the file"] += missing
        return _REUSED.sub("", text)

    def gallery(self, values: Mapping[str, str], post: str, left: Counter[str]) -> str:
        """Return the pictures of a gallery, whose shortcode names them, or means all those uploaded for the post."""
        named = values.get("ids") or values.get("include") or ""
        numbers = re.findall(r"\d+", named) if named else self.attached.get(values.get("id", post), [])
        files = [self.attachments.get(number) for number in numbers]
        missing = sum(file is None for file in files) if numbers else 1
        if missing:
            left["pictures of galleries that are not in the file"] += missing
        return "\n".join(file.figure() for file in files if file)

    def playlist(self, values: Mapping[str, str], left: Counter[str]) -> str:
        """Return the recordings of a playlist."""
        files = [self.attachments.get(number) for number in re.findall(r"\d+", values.get("ids", ""))]
        if missing := files.count(None) or not files:
            left["recordings of playlists that are not in the file"] += missing
        kind = "video" if values.get("type") == "video" else "audio"
        return "\n".join(f'<p><{kind} controls src="{escape(file.url)}"></{kind}></p>' for file in files if file)

    def with_addresses(self, html: str, site_url: str) -> str:
        """Return a text whose links to a post's or file's number lead to its address."""
        site = _comparable(site_url)

        def led(found: re.Match[str]) -> str:
            """Return a link with the post's or file's own address in place of the number."""
            base = _comparable(found[2])
            if base not in (site, urlsplit(site_url).path.strip("/")):
                return found[0]
            file = self.attachments.get(found[3])
            url = self.links.get(found[3]) or (file.url if file else "")
            return f"{found[1]}{escape(url)}" if url else found[0]

        return _NUMBERED.sub(led, html) if "?" in html else html


def values_of(written: str) -> dict[str, object]:
    """Return the attributes of a block, which are JSON; none if they can't be read."""
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def footnotes_of(written: str, left: Counter[str]) -> str:
    """Return the list of a post's footnotes, which WordPress keeps as JSON next to the text."""
    try:
        notes = json.loads(written or "[]")
    except (ValueError, RecursionError):
        left["lists of footnotes that can't be read"] += 1
        return ""
    notes = [note for note in notes if isinstance(note, dict)] if isinstance(notes, list) else []
    items = "\n".join(_footnote(str(note.get("id", "")), str(note.get("content", ""))) for note in notes)
    return f'<ol class="wp-block-footnotes">\n{items}\n</ol>' if items else ""


def _footnote(name: str, content: str) -> str:
    name = escape(name)
    return f'<li id="{name}">{content} <a href="#{name}-link">↩︎</a></li>'


def _comparable(url: str) -> str:
    """Return an address without the parts that vary in spelling: scheme, www and slashes at the end."""
    url = re.sub(r"^https?://(?:www\.)?", "", url.lower())
    return url.strip("/").removesuffix("index.php").rstrip("/")
