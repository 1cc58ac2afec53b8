"""What a browser, a mailbox provider or a program sends by POST: a small form, read once and whole."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 64_000
MOST_FIELDS = 1_000


class FormError(Exception):
    """A form that is not read. status is what is answered."""

    def __init__(self, status: int) -> None:
        super().__init__(f"form refused with {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form; one name may stand there often, as those of boxes do."""

    fields: Mapping[str, tuple[str, ...]]

    def has(self, name: str) -> bool:
        """Return whether a field is there, empty or not."""
        return name in self.fields

    def one(self, name: str) -> str:
        """Return the first value of a field without white space around it; "" for one that is not there."""
        return self.fields.get(name, ("",))[0].strip()

    def exact(self, name: str) -> str:
        """Return the first value of a field as it is: a password may begin with a space."""
        return self.fields.get(name, ("",))[0]

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that is not empty."""
        return tuple(value.strip() for value in self.fields.get(name, ()) if value.strip())


async def read_form(request: Request, seconds: float) -> Form:
    """Read a form of either kind that browsers send.

    Raises FormError: 413 for a long one, 400 for nonsense, 408 for one that is not here within so many seconds.
    A body is never kept beyond MOST_BYTES, whatever its length is said to be.
    """
    said = request.headers.get("content-length", "0")
    if not said.isascii() or not said.isdigit() or len(said) > 12:
        raise FormError(400)
    if int(said) > MOST_BYTES:
        raise FormError(413)
    body = b""
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise FormError(413)
    except TimeoutError as error:
        raise FormError(408) from error
    return parse_form(request.headers.get("content-type", ""), body)


def parse_form(kind: str, body: bytes) -> Form:
    """Return the fields of a body. Raises FormError(400) for what is no text, holds NUL, or is neither kind of form."""
    try:
        if kind.lower().startswith("multipart/form-data"):
            pairs = _multipart(kind, body)
        else:
            pairs = parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MOST_FIELDS,
            )
    except (ValueError, LookupError) as error:  # UnicodeError is a ValueError
        raise FormError(400) from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise FormError(400)
        fields.setdefault(name, []).append(value)
    return Form({name: tuple(values) for name, values in fields.items()})


def _multipart(kind: str, body: bytes) -> list[tuple[str, str]]:
    """The fields of multipart/form-data (RFC 7578), which RFC 8058 allows too; a file is no field of ours."""
    whole = message_from_bytes(b"Content-Type: " + kind.encode("latin-1", "replace") + b"\r\n\r\n" + body)
    parts = whole.get_payload()
    if not isinstance(parts, list) or len(parts) > MOST_FIELDS:
        raise ValueError("no parts")
    return [pair for part in parts if isinstance(part, Message) and (pair := _part(part))]


def _part(part: Message) -> tuple[str, str] | None:
    name = part.get_param("name", header="content-disposition")
    content = part.get_payload(decode=True)
    if not isinstance(name, str) or part.get_filename() or not isinstance(content, bytes):
        return None
    return name, content.decode("utf-8")
