"""Forms that a browser, a mailbox provider or a program posts: how they are read, within bounds, and checked.

A form that needs the owner's session is only accepted from a page of our own (CSRF): a browser names the origin of
every POST, and a form carries a token that no other site can know.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 64_000
MOST_FIELDS = 1_000


class FormError(Exception):
    """A form that is not accepted; `status` is the HTTP status to answer with."""

    def __init__(self, status: int) -> None:
        super().__init__(f"form refused with {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form. One name can have several values, as checkboxes do."""

    fields: Mapping[str, tuple[str, ...]]

    def has(self, name: str) -> bool:
        """Return whether a field was sent, empty or not."""
        return name in self.fields

    def one(self, name: str) -> str:
        """Return the first value of a field without surrounding white space; "" if it was not sent."""
        return self.exact(name).strip()

    def exact(self, name: str) -> str:
        """Return the first value of a field unchanged: a password may begin with a space."""
        return self.fields.get(name, ("",))[0]

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that is not empty."""
        return tuple(value.strip() for value in self.fields.get(name, ()) if value.strip())


async def read_form(request: Request, seconds: float) -> Form:
    """Read the form of a request, in either of the two encodings that browsers use.

    seconds  how long the body may take to arrive

    Raises FormError: 413 if it is too long, 400 if it cannot be parsed, 408 if it takes too long. Never more than
    MOST_BYTES are kept, whatever Content-Length says.
    """
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or len(length) > 12:
        raise FormError(400)
    if int(length) > MOST_BYTES:
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


def parse_form(content_type: str, body: bytes) -> Form:
    """Return the fields of a body. Raises FormError(400) if it is not text, contains NUL, or is not a form."""
    try:
        if content_type.lower().startswith("multipart/form-data"):
            pairs = _multipart(content_type, body)
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


def is_same_site(request: Request, public_url: str) -> bool:
    """Return whether a POST comes from a page at the public URL, or at the host that the request was sent to.

    Only the hosts are compared: behind a proxy with TLS, the scheme that arrives here is not the browser's.
    """
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.scheme not in ("http", "https") or not origin.netloc:
        return False
    return origin.netloc in (request.headers.get("host", ""), urlsplit(public_url).netloc)


def is_own_form(request: Request, token: str, expected: str) -> bool:
    """Return whether a POST has our own origin and the token that we put into the form.

    A browser names the origin of every POST. A request without one is not from a browser, and is refused.
    """
    own_origin = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return request.headers.get("origin", "") == own_origin and hmac.compare_digest(token.encode(), expected.encode())


def _multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Return the fields of multipart/form-data (RFC 7578), which RFC 8058 allows too. Files are ignored."""
    whole = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body)
    parts = whole.get_payload()
    if not isinstance(parts, list) or len(parts) > MOST_FIELDS:
        raise ValueError("no parts")
    return [pair for part in parts if isinstance(part, Message) and (pair := _field(part))]


def _field(part: Message) -> tuple[str, str] | None:
    name = part.get_param("name", header="content-disposition")
    content = part.get_payload(decode=True)
    if not isinstance(name, str) or part.get_filename() or not isinstance(content, bytes):
        return None
    return name, content.decode("utf-8")
