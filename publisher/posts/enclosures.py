"""Enclosures: the audio, video and documents in a post's front matter, with the type and length that RSS requires."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from publisher.core.file_names import existing
from publisher.core.models import Enclosure, Post, Problem, Severity
from publisher.posts.field_names import FrontMatter, first_text
from publisher.posts.media_types import is_picture, media_type_of
from publisher.posts.picture_metadata import without_metadata
from publisher.posts.post_file import PostSettings, Tree
from publisher.posts.urls import local_file

NOT_THERE = -1

_MEDIA_TYPE = re.compile(r"[a-zA-Z]+/[a-zA-Z0-9][a-zA-Z0-9.+-]*")


def enclosures_of(
    value: Tree,
    url_of: Callable[[str], str],
    length_of: Callable[[str, str], int],
    warn: Callable[[str, str], None],
) -> tuple[Enclosure, ...]:
    """Return the enclosures in a value of front matter: a URL, a table with `url`, or a list of these.

    url_of     function that returns the absolute URL for a reference, or "" if it isn't valid
    length_of  function that returns the size in bytes for a reference and its URL, or 0 if unknown; called only if
               `length` is missing or invalid
    warn       function that is called with a message and a hint for an unknown type or an invalid length or duration
    """
    found = []
    for item in value if isinstance(value, list) else [value]:
        table = FrontMatter(item, {}) if isinstance(item, dict) else FrontMatter({"url": item}, {})
        reference = first_text(table, "url", "src", "file", "href")
        url = url_of(reference)
        if not url:
            continue
        written = first_text(table, "type", "mimetype", "mediatype")
        media_type = written if _MEDIA_TYPE.fullmatch(written) else media_type_of(unquote(urlsplit(url).path))
        if not media_type:
            warn(f"the type of {reference!r} is not known", "add `type: audio/mpeg`")
            continue
        length = first_text(table, "length", "size", "bytes")
        is_number = re.fullmatch(r"\d{1,15}", length, re.ASCII)
        size = int(length) if is_number else length_of(reference, url)
        if length and not is_number:
            warn(f"the length {length[:40]!r} of {reference!r} is not a number of bytes", "write digits only: 12345678")
        duration = first_text(table, "duration")
        seconds = _seconds(duration)
        if duration and seconds is None:
            warn(
                f"the duration {duration[:40]!r} of {reference!r} is not valid", "write it like 1:02:03, or in seconds"
            )
        found.append(Enclosure(url, media_type, size, seconds or 0))
    return tuple(found)


def unknown_lengths(folder: Path, shown: str, posts: Iterable[Post]) -> Iterator[Problem]:
    """Yield a warning, with the line, for each enclosure of unknown length. Only the files of such posts are read.

    shown: the posts folder's name in problems.
    """
    for post in posts:
        for enclosure in post.enclosures:
            if not enclosure.length:
                yield Problem(
                    f"{shown}/{post.source}",
                    _line_of(folder / post.source, unquote(enclosure.url.rpartition("/")[2])),
                    f"the length of {enclosure.url} is not known",
                    "add `length:` in bytes next to its URL",
                    Severity.WARNING,
                )


def _line_of(file: Path, name: str) -> int:
    """Return the number of the first line that contains the name, or 1 if no line does."""
    try:
        lines = file.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return 1
    return next((number for number, line in enumerate(lines, 1) if name in unquote(line)), 1)


def files_of(reference: str, url: str, settings: PostSettings, source: str) -> list[str]:
    """Return the paths at which the file of a reference may be, in the order of the build: static files first.

    The paths are relative to the project and don't lead out of it. Symbolic links are not resolved; size_in does that.
    """
    found = []
    if url.startswith(f"{settings.site_url}/"):
        path = unquote(urlsplit(url[len(settings.site_url) :]).path)
        found.append(posixpath.normpath(f"{settings.static}/{path}"))
    beside = local_file(reference, url, settings.site_url, settings.folder, source)
    if beside:
        found.append(beside[1])
    inside = (path for path in found if not path.startswith(("..", "/")) and "\0" not in path)
    return [existing(settings.root, path) for path in inside]


def size_in(root: Path, path: str) -> int:
    """Return the size in bytes at which a file of the project is published.

    It is NOT_THERE if the file is missing or links out of the project.
    """
    try:
        file = Path(os.path.realpath(root / path))
        status = file.stat()
        if not (file.is_relative_to(os.path.realpath(root)) and stat.S_ISREG(status.st_mode)):
            return NOT_THERE
        return len(without_metadata(file.read_bytes())) if is_picture(path) else status.st_size
    except (OSError, ValueError):
        return NOT_THERE


def _seconds(text: str) -> int | None:
    """Return the seconds in text such as "1:02:03", "62:03" or "3723"; None for other text."""
    if not re.fullmatch(r"\d{1,6}(:\d{1,2}){0,2}", text, re.ASCII):
        return None
    total = 0
    for part in text.split(":"):
        total = total * 60 + int(part)
    return total
