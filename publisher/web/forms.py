"""Reads forms sent by browsers, mailbox providers and programs, with limits on size and time, and checks their origin.

To prevent CSRF, a form that needs the owner's session is only accepted from one of our own pages. Browsers send the
origin with every POST request, and the form contains a token that no other site can know.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from publisher.core.frozen import dataclass
from publisher.core.mime import BROKEN, divided, head_and_body

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 64_000
MOST_FIELDS = 1_000
# Parts of a multipart form, and characters of the headers of each: such forms take longer to read.
MOST_PARTS = 100
_MOST_HEAD = 2_000
# The names in JSON, and the corresponding fields of the form.
_JSON_FIELDS = {name: name for name in ("email", "name", "language", "token", "proof", "website")}
_JSON_FIELDS["newsletters"] = "newsletter"


class FormError(Exception):
    """A form cannot be accepted. `status` is the HTTP status of the response."""

    def __init__(self, status: int) -> None:
        super().__init__(f"form refused with {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form. A field can have several values, for example from a group of checkboxes."""

    fields: Mapping[str, tuple[str, ...]]

    def has(self, name: str) -> bool:
        """Return whether a field was sent, even if it is empty."""
        return name in self.fields

    def one(self, name: str) -> str:
        """Return the first value of a field without surrounding white space; "" if the field was not sent."""
        return self.exact(name).strip()

    def exact(self, name: str) -> str:
        """Return the first value of a field, or "". White space is kept, because it may be part of a password."""
        return self.fields.get(name, ("",))[0]

    def all(self, name: str) -> tuple[str, ...]:
        """Return all non-empty values of a field, without surrounding white space."""
        return tuple(value.strip() for value in self.fields.get(name, ()) if value.strip())


async def read_form(request: Request, seconds: float) -> Form:
    """Read the form in a request, in either of the two encodings that browsers use.

    seconds  the time within which the body must arrive

    Raises FormError as read_body does, and with status 400 if it cannot be parsed.
    """
    return parse_form(request.headers.get("content-type", ""), await read_body(request, seconds))


async def read_body(request: Request, seconds: float) -> bytes:
    """Read the body of a request within some seconds.

    Raises FormError with status 413 if it is longer than MOST_BYTES (even if Content-Length says otherwise), and 408 if
    it does not arrive in time.
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
    return body


def parse_form(content_type: str, body: bytes) -> Form:
    """Return the form in the body of a request.

    Raises FormError(400) if the body is not a form, is not text, or contains a NUL character.
    """
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
    except BROKEN as error:  # UnicodeError is a ValueError
        raise FormError(400) from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise FormError(400)
        fields.setdefault(name, []).append(value)
    return Form({name: tuple(values) for name, values in fields.items()})


def parse_sign_up(body: bytes) -> Form:
    """Return the JSON object in the body of a request as the sign-up form that it represents.

    A value is a string, a whole number or a list of strings; "newsletters" is the field "newsletter", and "topics" is
    an object with a list for each newsletter. Other names are ignored.

    Raises FormError(400) for anything else, and for text that UTF-8 cannot encode, or with a NUL character.
    """
    try:
        found = json.loads(body)
        if not isinstance(found, dict):
            raise ValueError("not an object")
        topics = found.pop("topics", None) or {}
        pairs = [(field, found[name]) for name, field in _JSON_FIELDS.items() if name in found]
        pairs += [(f"topic.{name}", value) for name, value in topics.items()]
        fields = {name: _strings(value) for name, value in pairs}
        "".join((*fields, *chain.from_iterable(fields.values()))).encode()
    except (ValueError, AttributeError, RecursionError) as error:  # UnicodeError is a ValueError
        raise FormError(400) from error
    return Form(fields)


def _strings(value: object) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [] if value is None else [value]
    texts = [str(text) if type(text) is int else text for text in texts]
    if len(texts) > MOST_FIELDS or any(not isinstance(text, str) or "\0" in text for text in texts):
        raise ValueError("neither a string nor a list of strings")
    return tuple(texts)


def is_same_site(request: Request, public_url: str) -> bool:
    """Return whether a POST request comes from a page on the host of the public URL, or on the host in the request.

    The schemes are not compared, because behind a TLS proxy the request arrives with a different scheme.
    """
    try:
        origin = urlsplit(request.headers.get("origin", ""))
    except ValueError:  # an unmatched bracket
        return False
    if origin.scheme not in ("http", "https") or not origin.netloc:
        return False
    return origin.netloc in (request.headers.get("host", ""), urlsplit(public_url).netloc)


def is_own_form(request: Request, token: str, expected: str) -> bool:
    """Return whether a POST request has our own origin and the token from our form.

    Browsers send the origin with every POST request. A request without an origin is not from a browser, and is refused.
    """
    own_origin = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return request.headers.get("origin", "") == own_origin and hmac.compare_digest(token.encode(), expected.encode())


def _multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a multipart/form-data body (RFC 7578), which RFC 8058 also allows. Files are ignored.

    Raises one of BROKEN if it has no parts or too many, or if a part has parts of its own, which no browser sends.
    """
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    message, content = head_and_body((head + body).decode("ascii", "surrogateescape"), most_head=_MOST_HEAD)
    texts = divided(message, content, MOST_PARTS + 1)
    if not 0 < len(texts) <= MOST_PARTS:
        raise ValueError("no parts, or too many")
    return [pair for text in texts if (pair := _field(text))]


def _field(text: str) -> tuple[str, str] | None:
    part, body = head_and_body(text, most_head=_MOST_HEAD)
    if part.get_content_maintype() in ("multipart", "message"):
        raise ValueError("a part with parts of its own")
    part.set_payload(body)
    name = part.get_param("name", header="content-disposition")
    content = part.get_payload(decode=True)
    if not isinstance(name, str) or part.get_filename() or not isinstance(content, bytes):
        return None
    return name, content.decode("utf-8")
