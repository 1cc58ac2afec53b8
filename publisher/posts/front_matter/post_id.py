"""The `id:` in a post's front matter: whether there is one, and how it is written without changing anything else."""

from __future__ import annotations

import json
import re
from pathlib import Path

from publisher.core.atomic_write import replacing
from publisher.core.errors import PostError, ProjectError
from publisher.posts.front_matter.field_names import FrontMatter
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.front_matter.preamble import front_start
from publisher.posts.post_file import Head, Tree
from publisher.posts.text.encoding import decode, without_controls

_BY_HAND = "write it into the front matter yourself"


def written_id(data: bytes) -> str:
    """Return the id in the front matter of a post file; "" if there is none. Raises PostError if it cannot be read."""
    return FrontMatter(_head(data).fields, {}).text("id")


def write_id(path: Path, post_id: str) -> bool:
    """Write `id:` into the front matter of a post file, in place of any other; return whether the file changed.

    Every other byte stays as it is, and the file is replaced as a whole. Raises ProjectError if that cannot be done.
    """
    try:
        before = path.read_bytes()
        after = with_id(before, post_id)
        if after == before:
            return False
        with replacing(path.resolve()) as part:
            part.write_bytes(after)
            part.chmod(path.stat().st_mode & 0o7777)
    except PostError as error:
        raise ProjectError(f"the id cannot be added: {error.message}", where=str(path), hint=_BY_HAND) from error
    except OSError as error:
        raise ProjectError(f"the id cannot be added: {error.strerror}", where=str(path)) from error
    return True


def with_id(data: bytes, post_id: str) -> bytes:
    """Return a post file with this id in its front matter, and every other byte unchanged.

    Raises PostError if the front matter cannot be read, or if it is written in a way to which no key can be added.
    """
    head = _head(data)
    meta = FrontMatter(head.fields, head.lines)
    if meta.text("id") == post_id:
        return data
    value, line = meta.find("id")
    after = _added(data, post_id) if value is None else _replaced(data, line, post_id)
    if after is not None:
        written = _head(after)
        same = (_others(written), written.body) == (_others(head), head.body)
        if same and FrontMatter(written.fields, {}).text("id") == post_id:
            return after
    raise PostError("its front matter is written in a way that cannot be added to", hint=_BY_HAND)


def _head(data: bytes) -> Head:
    return parse_head(without_controls(decode(data, whole=True))[0], whole=True)


def _others(head: Head) -> dict[str, Tree]:
    """Return the fields that are not an id."""
    return {key: item for key, item in head.fields.items() if FrontMatter({key: item}, {}).find("id")[0] is None}


def _added(data: bytes, post_id: str) -> bytes | None:
    """Add the id at the beginning of the front matter; None for an encoding in which that is not possible."""
    text = json.dumps(post_id)
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    rest = data[len(mark) :]
    has_fields = bool(_head(data).fields)
    if has_fields:
        start = len(rest.decode()[: front_start(rest.decode())[0]].encode())
        mark, rest = mark + rest[:start], rest[start:]
    end = b"\r\n" if b"\r\n" in rest[:4096] else b"\n"
    if opening := re.match(rb"(---|\+\+\+)[ \t]*\r?\n", rest):
        line = f"id: {text}" if opening[1] == b"---" else f"id = {text}"
        return mark + opening[0] + line.encode() + end + rest[opening.end() :]
    if opening := re.match(rb"\{(\s*)", rest):
        comma = b"" if rest[opening.end() : opening.end() + 1] == b"}" else b","
        return mark + opening[0] + f'"id": {text}'.encode() + comma + opening[1] + rest[opening.end() :]
    if rest.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    if has_fields:  # lines of the form `Title: ...` without fences, of which the first must stay first
        first, _, others = rest.partition(b"\n")
        return mark + first + b"\n" + f"id: {post_id}".encode() + end + others
    return mark + end.join((b"---", f"id: {text}".encode(), b"---", b"")) + rest


def _replaced(data: bytes, line: int, post_id: str) -> bytes | None:
    """Replace the value on a line of the front matter; None if its key cannot be recognised there."""
    lines = data.split(b"\n")
    written = lines[line - 1] if line else b""
    key = re.match(rb"""\s*["']?\w+["']?\s*[:=]\s*""", written)
    if key is None:
        return None
    value = written[key.end() :].rstrip().removesuffix(b",").rstrip()
    if b"\r" in value:
        return None
    is_json = re.match(rb"[ \t]*\"", written) is not None
    tail = written[key.end() + len(value) :]
    lines[line - 1] = key[0] + json.dumps(post_id).encode() + (tail if is_json else tail.replace(b",", b""))
    return b"\n".join(lines)
