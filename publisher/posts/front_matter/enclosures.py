"""Enclosures: the audio, video and documents in a post's front matter, with the type and length that RSS requires."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from publisher.core import patterns
from publisher.core.file_names import existing, in_folder
from publisher.core.models import Enclosure, Post, Problem, Severity
from publisher.posts.front_matter.field_names import FrontMatter, first_text, fold
from publisher.posts.front_matter.switches import is_switched
from publisher.posts.media_types import is_picture, media_type_of
from publisher.posts.picture_metadata import without_metadata
from publisher.posts.post_file import PostSettings, Tree
from publisher.posts.urls import local_file, static_paths

NOT_THERE = -1

_MEDIA_TYPE = patterns.compile(r"[a-zA-Z]+/[a-zA-Z0-9][a-zA-Z0-9.+-]*")


# The keys under which tables have the address, type, length and duration of a file.
_ADDRESS = ("url", "src", "file", "href", "audio", "audiourl", "uri", "path", "link", "media", "enclosure", "download")
_TYPE = ("type", "mimetype", "mediatype", "mime", "contenttype")
_LENGTH = ("length", "size", "bytes", "filesize", "sizeinbytes", "lengthinbytes")
_FORMATS = ("mp3", "m4a", "aac", "flac", "m4b", "oga", "ogg", "opus", "wav", "weba", "mp4", "m4v", "mov", "ogv", "webm")

# Keys that many posts use for something else, such as the number of an episode.
_VAGUE = ("podcast", "episode")
_DEEPEST = 3

# After the address, the length and the type, WordPress's plug-in for podcasts has a list as PHP writes it.
_PHP = patterns.compile(r"\sa:\d{1,3}:\{")
_PHP_DURATION = patterns.compile(r'"duration";s:\d{1,3}:"([\d:]{1,12})"')


class Written(NamedTuple):
    """An enclosure as it is written: the texts of its address, type, length and duration; "" for what is missing."""

    address: str
    media_type: str = ""
    length: str = ""
    duration: str = ""


class Enclosures:
    """The enclosures in front matter: an address, a table with `url`, or a list of these.

    An address may also be WordPress's value, which has the length and the type after it. If there is only one
    enclosure, separate keys of the front matter may describe it too.
    """

    def __init__(
        self,
        url_of: Callable[[str], str],
        length_of: Callable[[str, str], int],
        warn: Callable[[int, str, str], None],
    ) -> None:
        """Store the functions that depend on the post.

        url_of     function that returns the absolute URL for a reference, or "" if it isn't valid
        length_of  function that returns the size in bytes for a reference and its URL, or 0 if unknown; called only if
                   the length is missing or invalid
        warn       function that is called with a line, a message and a hint for a value that is not understood
        """
        self._url_of, self._length_of, self._warn = url_of, length_of, warn

    def read(self, meta: FrontMatter) -> tuple[Enclosure, ...]:
        """Return the enclosures of the first key that has any. Values that are not understood give warnings."""
        for key, value, line in meta.all("audio"):
            written = list(_written(value))
            items = [_with_separate_values(item, meta, alone=len(written) == 1) for item in written]
            urls = [(item, self._url_of(item.address)) for item in items]
            if _is_meant(fold(key), value) and not (urls and all(url for _, url in urls)):
                wrong = next((item.address for item, url in urls if not url), "") or next(_texts(value), "")
                what = f"{key}: {_shortened(wrong)!r} is not the URL or path of a file, and is left out"
                self._warn(line, what, "write `enclosure: https://cdn.example/1.mp3`, or a table with `url`")
            enclosures = [each for item, url in urls if url for each in self._enclosure(item, url, line)]
            if enclosures:
                return tuple(enclosures)
        return ()

    def _enclosure(self, item: Written, url: str, line: int) -> Iterator[Enclosure]:
        reference = item.address
        media_type = (
            item.media_type if _MEDIA_TYPE.fullmatch(item.media_type) else media_type_of(unquote(urlsplit(url).path))
        )
        if not media_type:
            self._warn(line, f"the type of {reference!r} is not known", "add `type: audio/mpeg`")
            return
        is_number = re.fullmatch(r"\d{1,15}", item.length, re.ASCII)
        size = (int(item.length) if is_number else 0) or self._length_of(reference, url)
        if item.length and not is_number:
            what = f"the length {item.length[:40]!r} of {reference!r} is not a number of bytes"
            self._warn(line, what, "write digits only: 12345678")
        seconds = seconds_of(item.duration)
        if item.duration and seconds is None:
            what = f"the duration {item.duration[:40]!r} of {reference!r} is not valid"
            self._warn(line, what, "write it like 1:02:03, or in seconds")
        yield Enclosure(url, media_type, size, seconds or 0)


def _written(value: Tree, deep: int = 0) -> Iterator[Written]:
    """Yield the enclosures in a value, which may be in nested tables and lists."""
    if isinstance(value, str):
        found = _in_text(value)
        if not re.fullmatch(r"[\d.,:\s]*", found.address):  # the number of an episode
            yield found
    elif isinstance(value, list) and deep < _DEEPEST:
        for inner in value:
            yield from _written(inner, deep + 1)
    elif isinstance(value, dict) and deep < _DEEPEST:
        table = FrontMatter(value, {})
        files = [table.at(key) for key in _ADDRESS if table.at(key)][:1] or [table.at(key) for key in _FORMATS]
        for file in files:
            for item in _written(file, deep + 1):
                yield Written(
                    item.address,
                    item.media_type or first_text(table, *_TYPE),
                    item.length or first_text(table, *_LENGTH),
                    item.duration or _duration(table),
                )


def _in_text(text: str) -> Written:
    """Return the enclosure in a text: an address, perhaps followed by a length and a type, as in WordPress."""
    php = _PHP.search(text)
    words = text[: php.start() if php else None].split()
    length = media_type = ""
    while len(words) > 1:
        if not length and re.fullmatch(r"\d{1,15}", words[-1], re.ASCII):
            length = words.pop()
        elif not media_type and re.match(r"(?:audio|video|application|image|text)/", words[-1]):
            media_type = words.pop()
        else:
            break
    found = _PHP_DURATION.search(text, php.start()) if php else None
    return Written(" ".join(words), media_type, length, found[1] if found else "")


def _with_separate_values(item: Written, meta: FrontMatter, *, alone: bool) -> Written:
    """Return an enclosure, completed with the type, length and duration that are under separate keys.

    Such keys may mean something else, so their values count only if they look like a type, a length or a duration.
    alone: whether it is the only enclosure; if not, only the duration counts
    """
    media_type, length, duration = meta.text("audio_type"), meta.text("audio_length"), _separate_duration(meta)
    if ":" in length and seconds_of(length) is not None:
        length, duration = "", duration or length
    if not alone:
        media_type = length = ""
    return Written(
        item.address,
        item.media_type or (media_type if _MEDIA_TYPE.fullmatch(media_type) else ""),
        item.length or (length if length[:1].isdigit() else ""),
        item.duration or duration,
    )


def _separate_duration(meta: FrontMatter) -> str:
    key = fold(meta.key("duration"))
    return _whole(meta.text("duration")) if key == "durationinseconds" else meta.text("duration")


def _duration(table: FrontMatter) -> str:
    return first_text(table, "duration", "itunesduration") or _whole(first_text(table, "durationinseconds"))


def _whole(seconds: str) -> str:
    """Return a number of seconds without the fraction that JSON Feed allows."""
    whole, _, fraction = seconds.partition(".")
    return whole if fraction.isdigit() else seconds


def _is_meant(key: str, value: Tree) -> bool:
    """Return whether the value of a key was meant as an enclosure: neither a switch nor the number of an episode."""
    texts = list(_texts(value))
    if key in _VAGUE:
        return any(text.partition("?")[0].lower().endswith(tuple(f".{name}" for name in _FORMATS)) for text in texts)
    return any(not is_switched(text) for text in texts)


def _texts(value: Tree, deep: int = 0) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value.strip()
    elif isinstance(value, (dict, list)) and deep <= _DEEPEST:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner, deep + 1)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def is_played(enclosure: Enclosure) -> bool:
    """Return whether an enclosure is audio or video, which podcast players can play."""
    return enclosure.media_type.startswith(("audio/", "video/"))


def unknown_lengths(folder: Path, shown: str, posts: Iterable[Post]) -> Iterator[Problem]:
    """Yield a warning, with the line, for each enclosure of unknown length. Only the files of such posts are opened.

    shown: the posts folder's name in problems.
    """
    for post in posts:
        for enclosure in post.enclosures if not post.from_source else ():
            if not enclosure.length:
                yield Problem(
                    in_folder(shown, post.source),
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
    """Return the paths at which the file of a reference may be, in the order of precedence: static files first.

    The paths are relative to the project and don't lead out of it. Symbolic links are not resolved; size_in does that.
    """
    found: list[str] = []
    if url.startswith(f"{settings.site_url}/"):
        path = unquote(urlsplit(url[len(settings.site_url) :]).path)
        found += map(posixpath.normpath, static_paths(settings.places, path.lstrip("/")))
    local = local_file(reference, url, settings.site_url, settings.folder, source)
    if local:
        found.append(local[1])
    inside = (path for path in found if not path.startswith(("..", "/")) and "\0" not in path)
    return [existing(settings.root, path) for path in inside]


def remeasured(root: Path, measured: Mapping[str, Iterable[tuple[str, int]]]) -> list[str]:
    """Return the posts that have a file whose size has changed. measured: the files and their sizes, by post"""
    return [source for source, files in measured.items() if any(size_in(root, path) != size for path, size in files)]


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


def seconds_of(text: str) -> int | None:
    """Return the seconds in text such as "1:02:03", "62:03", "3723", "1h 2m 3s", "45 min" or "PT1H2M3S"; or None."""
    if re.fullmatch(r"\d{1,6}(:\d{1,2}){0,2}", text, re.ASCII):
        total = 0
        for part in text.split(":"):
            total = total * 60 + int(part)
        return total
    parts = _IN_WORDS.fullmatch(text)
    if parts is None or not any(parts.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return (hours * 60 + minutes) * 60 + seconds


_IN_WORDS = patterns.compile(
    r"(?:PT)?(?:(\d{1,6})\s?h(?:ours?|rs?)?[\s,]?)?(?:(\d{1,6})\s?m(?:inutes?|ins?)?[\s,]?)?(?:(\d{1,6})\s?s(?:econds?|ecs?)?)?",
    re.IGNORECASE | re.ASCII,
)
