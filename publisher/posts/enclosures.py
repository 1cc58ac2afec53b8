"""Sounds, films and documents that a post's front matter names, with the type and length that RSS wants of them."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from publisher.core.models import Enclosure, Post, Problem, Severity
from publisher.posts.field_names import FrontMatter, first_text
from publisher.posts.post_file import PostSettings
from publisher.posts.urls import local_file

if TYPE_CHECKING:
    from publisher.posts.post_file import Tree

NOT_THERE = -1

_MEDIA_TYPE = re.compile(r"[a-zA-Z]+/[a-zA-Z0-9][a-zA-Z0-9.+-]*")

# The machine's own table is not asked first: it says audio/mp4a-latm of an episode here, and nothing there.
_TYPES = {
    ".aac": "audio/aac",
    ".epub": "application/epub+zip",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",  # RFC 7845 section 9
    ".pdf": "application/pdf",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "video/webm",
}


def enclosures_of(
    value: Tree,
    address_of: Callable[[str], str],
    length_of: Callable[[str, str], int],
    doubt: Callable[[str, str], None],
) -> tuple[Enclosure, ...]:
    """Return the enclosures of a value of front matter: an address, a table with `url`, or a list of such.

    address_of  returns the absolute address of a reference, "" for none
    length_of   returns the bytes of a reference and its address, 0 where they are not known; a `length` goes before
    doubt       is told what is doubtful, and how to mend it: a type that nobody knows, a number that is none
    """
    found = []
    for item in value if isinstance(value, list) else [value]:
        table = FrontMatter(item, {}) if isinstance(item, dict) else FrontMatter({"url": item}, {})
        reference = first_text(table, "url", "src", "file", "href")
        address = address_of(reference)
        if not address:
            continue
        written = first_text(table, "type", "mimetype", "mediatype")
        media_type = written if _MEDIA_TYPE.fullmatch(written) else _type_of(address)
        if not media_type:
            doubt(f"the type of {reference!r} is not known", "add `type: audio/mpeg`")
            continue
        length = first_text(table, "length", "size", "bytes")
        is_number = re.fullmatch(r"\d{1,15}", length, re.ASCII)
        size = int(length) if is_number else length_of(reference, address)
        if length and not is_number:
            doubt(f"the length {length[:40]!r} of {reference!r} is no number of bytes", "write digits only: 12345678")
        duration = first_text(table, "duration")
        seconds = _seconds(duration)
        if duration and seconds is None:
            doubt(f"the duration {duration[:40]!r} of {reference!r} is no time", "write it like 1:02:03, or in seconds")
        found.append(Enclosure(address, media_type, size, seconds or 0))
    return tuple(found)


def unknown_lengths(folder: Path, shown: str, posts: Iterable[Post]) -> Iterator[Problem]:
    """Yield a warning for each enclosure whose length nobody knows, at its line of the post; reads only such posts.

    shown is how the folder of posts is named in problems.
    """
    for post in posts:
        for enclosure in post.enclosures:
            if not enclosure.length:
                yield Problem(
                    f"{shown}/{post.source}",
                    _line_of(folder / post.source, unquote(enclosure.url.rpartition("/")[2])),
                    f"the length of {enclosure.url} is not known",
                    "add `length:` in bytes beside the url",
                    Severity.WARNING,
                )


def _line_of(file: Path, name: str) -> int:
    """The first line that holds the name of a file, 1 where none does."""
    try:
        lines = file.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return 1
    return next((number for number, line in enumerate(lines, 1) if name in unquote(line)), 1)


def files_of(reference: str, address: str, settings: PostSettings, source: str) -> list[str]:
    """Return where in the project the file of a reference may lie, as the build publishes it: static files first.

    The paths are relative to the project and lie in it by their words; see size_in for links.
    """
    found = []
    if address.startswith(f"{settings.site_url}/"):
        path = unquote(urlsplit(address[len(settings.site_url) :]).path)
        found.append(posixpath.normpath(f"{settings.static}/{path}"))
    beside = local_file(reference, address, settings.site_url, settings.folder, source)
    if beside:
        found.append(beside[1])
    return [path for path in found if not path.startswith(("..", "/")) and "\0" not in path]


def size_in(root: Path, path: str) -> int:
    """Return the bytes of a file of the project, NOT_THERE for none and for a link that leads out of the project."""
    try:
        file = Path(os.path.realpath(root / path))
        status = file.stat()
    except (OSError, ValueError):
        return NOT_THERE
    is_inside = file.is_relative_to(os.path.realpath(root))
    return status.st_size if is_inside and stat.S_ISREG(status.st_mode) else NOT_THERE


def _type_of(address: str) -> str:
    path = unquote(urlsplit(address).path)
    ending = posixpath.splitext(path)[1].lower()
    if ending in _TYPES:
        return _TYPES[ending]
    import mimetypes

    # A table of its own holds what Python knows, and not what this machine adds.
    return mimetypes.MimeTypes().guess_type(f"file{ending}")[0] or ""


def _seconds(text: str) -> int | None:
    """Seconds of "1:02:03", "62:03" or "3723"; None of what is no time."""
    if not re.fullmatch(r"\d{1,6}(:\d{1,2}){0,2}", text, re.ASCII):
        return None
    total = 0
    for part in text.split(":"):
        total = total * 60 + int(part)
    return total
