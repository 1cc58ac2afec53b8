"""Reading a post file up to the end of its front matter, or further if its title is in the body."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from publisher.core.errors import PostError
from publisher.core.file_names import in_folder
from publisher.core.models import Problem, Severity
from publisher.posts.cache_keys import hash_of
from publisher.posts.front_matter.metadata import build_post
from publisher.posts.front_matter.parsing import Unfinished, front_of, parse_head
from publisher.posts.front_matter.plain_posts import PlainPosts
from publisher.posts.front_matter.preamble import may_be_second, refuse_second
from publisher.posts.index import UNKNOWN_NS
from publisher.posts.index_rows import Row
from publisher.posts.post_file import Head, ParsedFile, PostSettings, problem_of
from publisher.posts.rendering.headline import title_in
from publisher.posts.scan import MOST_BYTES, Stamp
from publisher.posts.text.encoding import decode, is_suspect, refuse_binary, repair, without_controls
from publisher.posts.text.excerpt import is_visible

if TYPE_CHECKING:
    from publisher.posts.blog_tools.defaults import Inherited
    from publisher.posts.first_texts import FirstTexts

# Most front matter ends within these bytes. For longer front matter, the whole file is read.
_HEAD_BYTES = 4096


def plain_rows(
    folder: str,
    stamps: Mapping[str, Stamp],
    settings: PostSettings,
    settled_ns: int,
    others: list[str],
    texts: FirstTexts | None = None,
) -> Iterator[Row]:
    """Yield the row for the index of each file that is plain, and add the sources of all others to `others`.

    stamps  the stamps of the files, by source
    texts   receives the whole texts of these files; None if they are not needed
    The other arguments are as in read_file, which reads the other files.
    """
    plain = PlainPosts(settings)
    for source, stamp in stamps.items():
        row = None
        if stamp[0] <= MOST_BYTES and plain.takes(source):
            stored, digest = _stored(source, stamp, settings, settled_ns)
            try:
                data = _read(folder + source, max(stamp[0], _HEAD_BYTES) if texts else _HEAD_BYTES)
                row = plain.row(data, source, stored, digest)
            except OSError:  # read_file reports it
                row = None
            if row and texts:
                texts.add(row, data)
        if row:
            yield row
        else:
            others.append(source)


def _stored(source: str, stamp: Stamp, settings: PostSettings, settled_ns: int) -> tuple[Stamp, str]:
    """Return the stamp with which a file is stored, and the digest that changes with it."""
    size, mtime_ns = stamp
    digest = hash_of(source, str(size), str(mtime_ns))
    if old := settings.old.get(source):
        digest = hash_of(digest, old.line)
    if mtime_ns < settled_ns:
        return stamp, digest
    # Its text may be different in the next build although its size and time are the same.
    return (size, UNKNOWN_NS), hash_of(digest, f"may change again after {settled_ns}")


def read_file(
    folder: str, source: str, stamp: Stamp, settings: PostSettings, settled_ns: int
) -> tuple[str, Stamp, str, ParsedFile]:
    """Parse a file of the posts folder; return its source path, stamp, digest and parsed content.

    folder      path of the posts folder, with a trailing slash
    source      path of the file, relative to the folder
    stamp       the file's size and mtime (see scan.Stamp)
    settled_ns  a time in nanoseconds; a file modified then or later may change again with the same stamp, so it gets an
                unknown stamp
    An unreadable file raises no exception; the error is among the problems of the ParsedFile.
    """
    size = stamp[0]
    stamp, digest = _stored(source, stamp, settings, settled_ns)
    try:
        parsed = parse_file(folder + source, source, size, digest, settings)
    except (PostError, OSError) as error:
        if isinstance(error, OSError):
            stamp = (size, UNKNOWN_NS)  # a change of permissions doesn't show in the stamp, so try again next time
        return source, stamp, digest, ParsedFile(None, (problem_of(error, in_folder(settings.folder, source)),))
    except Exception as error:  # noqa: BLE001 - a defect that one file shows must not leave out the others
        defect = PostError(f"cannot be read: a defect in Publisher ({type(error).__name__})", hint="please report it")
        return source, stamp, digest, ParsedFile(None, (problem_of(defect, in_folder(settings.folder, source)),))
    digest = parsed.post.digest if parsed.post else digest  # it depends on the defaults of the post as well
    # A post that shows the sizes of other files changes when one of those files does.
    return source, stamp, hash_of(digest, str(parsed.measured)) if parsed.measured else digest, parsed


def parse_file(path: str, source: str, size: int, digest: str, settings: PostSettings) -> ParsedFile:
    """Parse the file at `path` as if it were at `source` in the posts folder.

    size: the file's size in bytes. Raises PostError or OSError if the file cannot be read.
    """
    if size > MOST_BYTES:
        raise PostError(
            f"is {size / 1_000_000:.0f} MB; a post may be at most {MOST_BYTES // 1_000_000} MB",
            hint="move it out of the posts folder",
        )
    data = _read(path, _HEAD_BYTES)
    parse = _parse_rst if source.lower().endswith(".rst") else _parse
    try:
        return parse(data, source, digest, settings, whole=len(data) >= size)
    except Unfinished:
        return parse(_read(path, size + 1), source, digest, settings, whole=True)


def parse_text(data: bytes, source: str, digest: str, settings: PostSettings) -> ParsedFile:
    """Parse the bytes of a whole file as if it were at `source`; raise PostError if it cannot be read."""
    parse = _parse_rst if source.lower().endswith(".rst") else _parse
    return parse(data, source, digest, settings, whole=True)


def _read(path: str, size: int) -> bytes:
    """Read the first `size` bytes of a file. os.open takes a third of the time of open(), for each of 10,000 files."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return os.read(handle, size)
    finally:
        os.close(handle)


def _parse(data: bytes, source: str, digest: str, settings: PostSettings, *, whole: bool) -> ParsedFile:
    """Parse the data of a file. Only the front matter is decoded, unless the title may be in the body."""
    refuse_binary(data)
    front = front_of(data)
    text = decode(front, whole=True) if front else ""
    if "\ntitle:" not in text:
        front, text = b"", decode(data, whole=whole)
    text, controls = without_controls(text)
    head = parse_head(text, whole=whole or bool(front))
    if front and not _has_title(head):
        front, text = b"", without_controls(decode(data, whole=whole))[0]
        head = parse_head(text, whole=whole)
    problems: list[Problem] = []
    if settings.fix_encoding and is_suspect(text):
        head = _repaired(text, head, source, settings, problems)
    if controls and controls[0] < head.body_line:
        what, hint = "contained a control character, which was removed", "delete it"
        problems.append(Problem(in_folder(settings.folder, source), controls[0], what, hint, Severity.WARNING))
    inherited = settings.defaults().of(source) if settings.defaults else None
    if settings.defaults and inherited is None:
        return ParsedFile(None)  # it may be hidden, and the file that cannot be read is reported
    parsed = build_post(source, *_with_defaults(head, digest, inherited), settings, _title_of(source))
    rest = data[len(front) + 1 :] if front else head.body.encode("utf-8", "replace")
    if parsed.post and may_be_second(rest):
        body = rest.decode("utf-8", "replace").replace("\r\n", "\n")
        if not refuse_second(body, head.body_line, whole=whole):
            raise Unfinished
    return replace(parsed, problems=(*problems, *parsed.problems)) if problems else parsed


def _parse_rst(data: bytes, source: str, digest: str, settings: PostSettings, *, whole: bool) -> ParsedFile:
    """Parse a file in reStructuredText, whose front matter may be anywhere near its beginning."""
    from publisher.posts.formats.rst_fields import rst_head  # few projects have such files

    if not whole:
        raise Unfinished
    refuse_binary(data)
    inherited = settings.defaults().of(source) if settings.defaults else None
    if settings.defaults and inherited is None:
        return ParsedFile(None)
    head = rst_head(without_controls(decode(data, whole=True))[0])
    return build_post(source, *_with_defaults(head, digest, inherited), settings, lambda body: ("", False))


def _title_of(source: str) -> Callable[[str], tuple[str, bool]]:
    """Return the function that finds the title in the body of a post."""
    if not source.lower().endswith(".mdx"):
        return title_in
    from publisher.posts.formats.mdx import without_modules  # few projects have MDX

    return lambda body: title_in(without_modules(body))


def _with_defaults(head: Head, digest: str, inherited: Inherited | None) -> tuple[Head, str]:
    """Return the front matter with the fields from the tool's files, and a digest that changes with them."""
    if inherited is None or not (inherited.fields or inherited.whole or inherited.is_hidden):
        return head, digest
    # Not at the top: only projects of some tools need it.
    from publisher.posts.front_matter.inherited_fields import with_inherited

    return with_inherited(head, inherited), hash_of(digest, repr(inherited))


def _has_title(head: Head) -> bool:
    title = head.fields.get("title")
    return isinstance(title, str) and is_visible(title)


def _repaired(text: str, head: Head, source: str, settings: PostSettings, problems: list[Problem]) -> Head:
    """Parse the front matter again with its garbled text repaired, and add a warning for each repair."""
    end = len(text) - len(head.body)
    front, repairs = repair(text[:end])
    problems += [item.warning(in_folder(settings.folder, source)) for item in repairs]
    return parse_head(front + head.body, whole=True) if repairs else head
