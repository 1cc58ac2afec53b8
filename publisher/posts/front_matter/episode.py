"""The podcast episode that a post contains: its number, season, kind, transcripts and chapters in front matter."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from publisher.core.models import Episode
from publisher.posts.front_matter.field_names import FrontMatter, first_text
from publisher.posts.front_matter.switches import FALSE, TRUE, word_of
from publisher.posts.post_file import Tree
from publisher.posts.text.excerpt import plain_line

_KINDS = ("full", "trailer", "bonus")
_EXPLICIT, _CLEAN = TRUE | {"explicit"}, FALSE | {"clean"}

# The types of transcripts in Podcasting 2.0.
_TRANSCRIPTS = {
    ".html": "text/html",
    ".json": "application/json",
    ".srt": "application/x-subrip",
    ".txt": "text/plain",
    ".vtt": "text/vtt",
}


def episode_of(
    meta: FrontMatter, url_of: Callable[[str, int], str], warn: Callable[[int, str, str], None]
) -> Episode | None:
    """Return the episode that front matter describes; None if it describes none.

    url_of  function that returns the absolute URL for a reference on a line, or "" if it isn't valid
    warn    function that is called with a line, a message and a hint for a value that is not understood
    """
    chapters, line = meta.find("chapters")
    found = Episode(
        season=_number(meta, "season", warn),
        number=_number(meta, "episode_number", warn),
        kind=_kind(meta, warn),
        title=plain_line(meta.text("episode_title")),
        explicit=_explicit(meta, warn),
        transcripts=tuple(_transcripts(*meta.find("transcript"), url_of)),
        chapters=url_of(chapters, line) if isinstance(chapters, str) and _is_address(chapters) else "",
    )
    return None if found == Episode() else found


def _number(meta: FrontMatter, field: str, warn: Callable[[int, str, str], None]) -> int:
    for key, value, line in meta.all(field):
        if isinstance(value, str) and re.fullmatch(r"\d{1,6}", value.strip(), re.ASCII):
            return int(value)
        if isinstance(value, str) and key.lower() != "episode":  # which may be the address of its file
            what = f"{key}: {value[:40]!r} is not a number, and is ignored"
            warn(line, what, f"write `{key}: 3`")
    return 0


def _kind(meta: FrontMatter, warn: Callable[[int, str, str], None]) -> str:
    value, line = meta.find("episode_type")
    kind = word_of(value)
    if not kind or kind in _KINDS:
        return kind
    warn(line, f"{meta.key('episode_type')}: {kind[:40]!r} is not a kind of episode", "write full, trailer or bonus")
    return ""


def _explicit(meta: FrontMatter, warn: Callable[[int, str, str], None]) -> bool | None:
    value, line = meta.find("explicit")
    word = word_of(value)
    if word and word not in _EXPLICIT | _CLEAN:
        warn(line, f"{meta.key('explicit')}: {word[:40]!r} is neither true nor false", "write true or false")
        return None
    return word in _EXPLICIT if word else None


def _transcripts(value: Tree, line: int, url_of: Callable[[str, int], str]) -> Iterator[tuple[str, str]]:
    """Yield (URL, media type) of each transcript. A value may also be the text of the transcript, which is ignored."""
    for item in value if isinstance(value, list) else [value]:
        table = FrontMatter(item, {}) if isinstance(item, dict) else FrontMatter({"url": item}, {})
        address = first_text(table, "url", "src", "file", "href")
        if not isinstance(item, str) or _is_address(item):
            url = url_of(address, line) if address else ""
            if url:
                ending = posixpath.splitext(urlsplit(url).path)[1].lower()
                yield url, first_text(table, "type", "mimetype") or _TRANSCRIPTS.get(ending, "text/html")


def _is_address(text: str) -> bool:
    """Return whether a value is an address rather than the text of a transcript, or a list of chapters."""
    return len(text) < 2_000 and len(text.split()) == 1
