"""A post of another tool's export, and the file that it becomes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.posts.slugs import post_slug

# The text of a post may be as long as a post's file may be.
MOST_TEXT = 5_000_000
# More posts than any blog has. An export with more is not read to its end.
MOST_POSTS = 200_000

# At most this many posts that lost something of one kind are named.
_MOST_NAMES = 5

# Characters that YAML or a terminal would misread.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class ExportError(PublisherError):
    """A file isn't an export that can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPost:
    """A post or page in an export.

    html       the text, as HTML
    path       the path of its page on the old site; "" if the export doesn't say
    id         the id under which feed readers know it; "" if the export doesn't say
    published  None for a post that was never published
    is_draft   whether readers must not see it
    why_draft  why readers must not see it, if its author has not made it a draft
    image      the URL of its picture
    audio      the URL of its recording, which may be followed by its length and type
    """

    kind: Literal["post", "page"] = "post"
    title: str
    html: str
    slug: str = ""
    path: str = ""
    id: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    excerpt: str = ""
    image: str = ""
    image_alt: str = ""
    image_caption: str = ""
    canonical: str = ""
    audio: str = ""
    is_draft: bool = False
    why_draft: str = ""

    def file_name(self, zone: ZoneInfo) -> str:
        """Return the name of its file, without the ending: its day in `zone`, and a name from its address or title."""
        name = post_slug(unquote(self.slug) or self.title)
        if self.kind == "page" or self.published is None:
            return name
        return f"{self.published.astimezone(zone):%Y-%m-%d}-{name}"

    def as_file(self) -> str:
        """Return the text of its file: front matter, and the HTML as it is."""
        return "\n".join(["---", *self._fields(), "---", "", clean_text(self.html).strip(), ""])

    def _fields(self) -> Iterator[str]:
        yield f"title: {_quoted(self.title)}"
        if self.published:
            yield f"date: {self.published.isoformat()}"
        if self.updated and self.published and self.updated > self.published:
            yield f"updated: {self.updated.isoformat()}"
        texts = {"permalink": self.path, "id": self.id, "description": self.excerpt, "canonical": self.canonical}
        texts |= {"image": self.image, "image_alt": self.image_alt, "image_caption": self.image_caption}
        texts["audio"] = self.audio
        for key, text in texts.items():
            if text:
                yield f"{key}: {_quoted(text)}"
        for key, names in (("tags", self.tags), ("authors", self.authors)):
            if names:
                yield f"{key}: [{', '.join(map(_quoted, names))}]"
        if self.is_draft or self.why_draft:
            yield f"draft: true{f'  # {self.why_draft}' if self.why_draft else ''}"


@dataclass(frozen=True, slots=True)
class Export:
    """An export. Its posts are read from its file when they are requested.

    tool      the tool's name
    site_url  the address of the old site, without a slash at the end; "" if the export doesn't say
    posts     returns its posts and pages, in the order of the file; each call reads the file again
    pages     the address of each page that shows a single picture, with the picture's address
    left      the parts that cannot be imported, with the number of each; complete once the posts have been read
    """

    tool: str
    site_url: str
    posts: Callable[[], Iterator[ExportedPost]]
    left: Counter[str] = field(default_factory=Counter)
    pages: Mapping[str, str] = field(default_factory=dict)


class LeftInPosts:
    """Parts of posts' texts that cannot be imported, with the posts that they were in."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._names: dict[str, dict[str, None]] = {}

    def add(self, name: str, what: Mapping[str, int]) -> None:
        """Note a part that a post has lost. `name` is its title, or its address if it has none."""
        for kind, count in what.items():
            self._counts[kind] += count
            self._names.setdefault(kind, {})[name] = None

    def summary(self) -> Iterator[tuple[str, int]]:
        """Yield each kind of part with the names of the posts that had it, and the number of such parts."""
        for kind, count in self._counts.items():
            names = list(self._names[kind])
            more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
            shown = ", ".join(name if len(name) <= 60 else f"{name[:59]}…" for name in names[:_MOST_NAMES])
            yield f"{kind} (in {shown}{more})", count


def clean_text(text: str) -> str:
    """Return a text without characters that do not belong in a text file."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: object) -> str:
    """Return a value of an export as one line of text; "" for a value that is not text."""
    return " ".join(_UNSEEN.sub(" ", text).split()) if isinstance(text, str) else ""


def public_name(text: object) -> str:
    """Return a person's name as one line; "" for an email address, which is a login and must not be published."""
    name = one_line(text)
    return "" if re.fullmatch(r"[^\s@]{1,200}@[^\s@]{1,200}", name) else name


def moment(value: object) -> datetime | None:
    """Return a time of an export, which is in UTC unless it says otherwise; None if there is none."""
    text = one_line(value).replace("Z", "+00:00")
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return found.astimezone(UTC) if 1900 < found.year < 2200 else None
    except (ValueError, OverflowError):
        return None


def path_of(url: str, site_url: str) -> str:
    """Return the path of a page below the root of its site, as people write it; "" if the URL has no path."""
    try:
        parts, site = urlsplit(url), urlsplit(site_url)
    except ValueError:
        return ""
    if parts.query or not parts.path.strip("/"):
        return ""
    path = unquote(parts.path).removeprefix(unquote(site.path.rstrip("/")))
    return f"/{path.lstrip('/')}" if path.startswith("/") and "\ufffd" not in path else ""


def _quoted(text: str) -> str:
    """Return a text in quotes, as JSON, which YAML reads too."""
    return json.dumps(one_line(text), ensure_ascii=False)
