"""A form with a file that the owner sends: received on the disk, with limits on its size and time.

The file is written to a folder that only its owner can read, and that git ignores.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from starlette.concurrency import run_in_threadpool

from publisher.core.characters import clean_line
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.mime import BROKEN, head_and_body
from publisher.core.private_folder import make_private
from publisher.web.connections import MORE_TIME
from publisher.web.forms import Form, FormError

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 64_000_000
SECONDS = 600.0
_MOST_PARTS = 50
_MOST_HEAD = 2_000
_MOST_FIELD = 10_000
_BUFFER = 1_000_000
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form with a file.

    name  the name of the file, without a folder; "" if none was chosen
    path  where its content is; the caller deletes it
    """

    form: Form
    name: str
    path: Path


async def receive(request: Request, folder: Path, *, most: int = MOST_BYTES, seconds: float = SECONDS) -> SentForm:
    """Read a multipart form with one file (RFC 7578), whose content is written to a new file in a folder.

    most     the largest size of the body, in bytes
    seconds  the time within which it must arrive

    Raises FormError with status 413 if the body is larger, 408 if it does not arrive in time, and 400 if it is not such
    a form. Raises PublisherError if the disk is full.
    """
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or len(length) > 15:
        raise FormError(400)
    if int(length) > most:
        raise FormError(413)
    boundary = _boundary(request.headers.get("content-type", ""))
    if more_time := request.scope.get("state", {}).get(MORE_TIME):
        more_time(seconds)
    raw = folder / f".{secrets.token_hex(8)}.part"
    try:
        await run_in_threadpool(make_private, folder)
        async with asyncio.timeout(seconds):
            await _write(request, raw, most)
        return await run_in_threadpool(_divide, raw, boundary)
    except TimeoutError as error:
        raise FormError(408) from error
    except OSError as error:
        raise PublisherError(f"the file could not be stored: {error.strerror}") from error
    finally:
        with suppress(OSError):
            raw.unlink(missing_ok=True)


async def _write(request: Request, path: Path, most: int) -> None:
    total, waiting = 0, bytearray()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        async for part in request.stream():
            total += len(part)
            if total > most:
                raise FormError(413)
            waiting += part
            if len(waiting) >= _BUFFER:
                await run_in_threadpool(file.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(file.write, bytes(waiting))


def _boundary(content_type: str) -> bytes:
    kind, _, rest = content_type.partition(";")
    try:
        message, _ = head_and_body(f"Content-Type: multipart/form-data;{rest}\r\n\r\n", most_head=_MOST_HEAD)
        boundary = message.get_boundary() or ""
        if kind.strip().lower() != "multipart/form-data" or not 0 < len(boundary) <= 200:
            raise FormError(400)
        return boundary.encode("ascii")
    except BROKEN as error:
        raise FormError(400) from error


def _divide(raw: Path, boundary: bytes) -> SentForm:
    """Return the fields of a form, and the content of its file in a file of its own. Raises FormError(400)."""
    fields: dict[str, tuple[str, ...]] = {}
    name, content = "", raw.with_suffix(".file")
    with raw.open("rb") as file:
        if not raw.stat().st_size:
            raise FormError(400)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            parts = list(islice(_parts(data, boundary), _MOST_PARTS + 1))
            if not 0 < len(parts) <= _MOST_PARTS:
                raise FormError(400)
            for begin, end in parts:
                split = data.find(b"\r\n\r\n", begin, min(end, begin + _MOST_HEAD))
                head = data[begin:split].decode("utf-8", "replace") if split >= 0 else ""
                field = _between(head, 'name="')
                if not field:
                    raise FormError(400)
                if "filename=" not in head:
                    fields[field] = (*fields.get(field, ()), _text(data[split + 4 : min(end, split + _MOST_FIELD)]))
                elif not name:
                    name = _file_name(_between(head, 'filename="'))
                    file.seek(split + 4)
                    _copy(file, content, end - split - 4)
    return SentForm(Form(fields), name, content)


def _parts(data: mmap.mmap, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the parts begin and end."""
    line = b"--" + boundary
    begin = len(line) + 2 if data[: len(line) + 2] == line + b"\r\n" else -1
    at = begin - 2
    while begin >= 0 and (at := data.find(b"\r\n" + line, at)) >= 0:
        after = at + 2 + len(line)
        ending = data[after : after + 2]
        if ending in (b"\r\n", b"--"):
            yield begin, at
            begin = after + 2 if ending == b"\r\n" else -1
        at = after


def _between(head: str, opening: str) -> str:
    """Return the parameter of a header that begins with `opening`, up to the next quote."""
    _, found, rest = head.partition(f" {opening}")
    return rest.partition('"')[0] if found else ""


def _text(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormError(400) from error
    if "\0" in text:
        raise FormError(400)
    return text


def _file_name(given: str) -> str:
    """Return the name of a file without a folder, in which browsers write a quote as %22."""
    return clean_line(given.replace("\\", "/").rpartition("/")[2].replace("%22", "'"), _LONGEST_NAME).strip(". ")


def _copy(file: BinaryIO, into: Path, size: int) -> None:
    with os.fdopen(os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
        while size > 0 and (part := file.read(min(size, _BUFFER))):
            size -= len(part)
            copy.write(part)
