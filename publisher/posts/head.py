"""Reading the head of one file, and no more of it than is needed."""

from __future__ import annotations

import os
from dataclasses import replace

from publisher.core.errors import PostError
from publisher.core.models import Problem, Severity
from publisher.posts.cache_keys import hash_of
from publisher.posts.encoding import decode, is_suspect, refuse_binary, repair, without_controls
from publisher.posts.excerpt import is_visible
from publisher.posts.frontmatter import Unfinished, parse_head, plain_head
from publisher.posts.index import UNKNOWN_NS
from publisher.posts.metadata import build_post
from publisher.posts.post_file import Head, ParsedFile, PostSettings
from publisher.posts.scan import MOST_BYTES, Stamp

# Most heads end within these; a longer one is read again with the whole file.
_HEAD_BYTES = 4096


def read_file(
    folder: str, source: str, stamp: Stamp, settings: PostSettings, settled_ns: int
) -> tuple[str, Stamp, str, ParsedFile]:
    """Read the head of one post file; return its path, stamp and digest with the ParsedFile.

    folder      the posts folder's path with a slash at its end
    settled_ns  a file of this time or later may change again without its stamp telling; it gets an unknown one
    Raises nothing for a bad post: the ParsedFile says it.
    """
    size, mtime_ns = stamp
    digest = hash_of(source, str(size), str(mtime_ns))
    if mtime_ns >= settled_ns:
        stamp, digest = (size, UNKNOWN_NS), hash_of(digest, "may change again")
    try:
        entry = parse_file(folder + source, source, size, digest, settings)
        return source, stamp, _with_measures(digest, entry), entry
    except PostError as error:
        problem = Problem(f"{settings.folder}/{source}", error.line, error.message, error.hint)
    except OSError as error:
        problem = Problem(f"{settings.folder}/{source}", 0, f"cannot be read: {error.strerror}")
        stamp = (size, UNKNOWN_NS)  # permissions change without a trace in the stamp: look again next time
    return source, stamp, digest, ParsedFile(None, (problem,))


def _with_measures(digest: str, entry: ParsedFile) -> str:
    """The digest, another one for each size of the files that the post's lengths are taken from."""
    return hash_of(digest, str(entry.measured)) if entry.measured else digest


def parse_file(path: str, source: str, size: int, digest: str, settings: PostSettings) -> ParsedFile:
    """Parse the file at `path` as if it were at `source` in the posts folder.

    Raises PostError or OSError when it cannot be read.
    """
    if size > MOST_BYTES:
        raise PostError(
            f"has {size / 1_000_000:.0f} MB; a post may have {MOST_BYTES // 1_000_000}",
            hint="move it out of the posts folder",
        )
    data = _read(path, _HEAD_BYTES)
    try:
        return _entry(data, source, digest, settings, whole=len(data) >= size)
    except Unfinished:
        return _entry(_read(path, size + 1), source, digest, settings, whole=True)


def _read(path: str, size: int) -> bytes:
    """Read the first `size` bytes. os.open takes a third of the time of open(), 10,000 times."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return os.read(handle, size)
    finally:
        os.close(handle)


def _entry(data: bytes, source: str, digest: str, settings: PostSettings, *, whole: bool) -> ParsedFile:
    """Decode no more than the front matter; a post without a title in it needs the text behind it too."""
    refuse_binary(data)
    front = _front(data)
    text = decode(front, whole=True) if front else ""
    if "\ntitle:" not in text:
        front, text = b"", decode(data, whole=whole)
    text, controls = without_controls(text)
    head = (plain_head(text) if front else None) or parse_head(text, whole=whole or bool(front))
    if front and not _has_title(head):
        front, text = b"", without_controls(decode(data, whole=whole))[0]
        head = parse_head(text, whole=whole)
    problems: list[Problem] = []
    if settings.fix_encoding and is_suspect(text):
        head = _mended(text, head, source, settings, problems)
    if controls and controls[0] < head.body_line:
        problems.append(
            Problem(
                f"{settings.folder}/{source}",
                controls[0],
                "held a control character, taken out",
                "delete it",
                Severity.WARNING,
            )
        )
    entry = build_post(source, head, digest, settings)
    return replace(entry, problems=(*problems, *entry.problems)) if problems else entry


def _has_title(head: Head) -> bool:
    """Whether the front matter gives the post a title; if not, it may be a heading of the text behind it."""
    title = head.fields.get("title")
    return isinstance(title, str) and is_visible(title)


def _front(data: bytes) -> bytes:
    """The front matter of the most common kind with both its fences, b"" where there is another kind or none."""
    end = data.find(b"\n---", 3) + 4 if data.startswith(b"---\n") else 0
    return data[:end] if end > 4 and data[end : end + 1] in (b"\n", b"") else b""


def _mended(text: str, head: Head, source: str, settings: PostSettings, problems: list[Problem]) -> Head:
    """Parse the head again with its mojibake mended; report each place."""
    end = len(text) - len(head.body)
    front, repairs = repair(text[:end])
    problems.extend(
        Problem(
            f"{settings.folder}/{source}",
            item.line,
            f"garbled text {item.before!r} published as {item.after!r}",
            "save the file as UTF-8",
            Severity.WARNING,
        )
        for item in repairs
    )
    return parse_head(front + head.body, whole=True) if repairs else head
