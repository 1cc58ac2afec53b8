"""DKIM signatures (RFC 6376, RFC 8463) in the relaxed/relaxed form, with RSA or Ed25519 keys.

A body is hashed in pieces of whole lines. Each piece is brought into canonical form separately, so that this has to be
done only once for the pieces that all messages share.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from publisher.core.frozen import dataclass
from publisher.mail.addresses import is_within

if TYPE_CHECKING:
    from publisher.mail.dkim_keys import PrivateKey

# The headers that RFC 6376, 5.4.1 recommends, and that RFC 8058, 4 requires for one-click unsubscribing.
_SIGNED = """
    from to cc subject date message-id reply-to in-reply-to references mime-version content-type
    content-transfer-encoding list-id list-owner list-archive list-help list-unsubscribe list-unsubscribe-post
    auto-submitted feedback-id
"""
SIGNED = frozenset(_SIGNED.split())

# These headers are listed one more time than they occur, so that nobody can add another, which email clients might show
# (RFC 6376, 8.15).
SEALED = ("from", "to", "subject", "date", "reply-to")

_WHITE = re.compile(rb"[ \t]+")


class Header(NamedTuple):
    """One header field as it is signed: its name in lower case, and its canonical line without CRLF."""

    name: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with the name of its DNS record: <selector>._domainkey.<domain>. The domain is in ASCII."""

    domain: str
    selector: str
    key: PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        """Return the value of the a= tag, such as "rsa-sha256"."""
        return f"{self.key.kind}-sha256"

    def signs_for(self, domain: str) -> bool:
        """Return whether the key signs emails from a domain, which must be the key's own domain or below it."""
        return is_within(domain.lower(), self.domain.lower())

    def header(self, headers: Sequence[Header], body_hash: bytes, at: datetime) -> bytes:
        """Return the DKIM-Signature field, folded and ending with CRLF.

        headers: the headers to sign (see `signed_headers`). body_hash: the hash of the body (see `hash_body`). at: the
        message's Date, so that the signature is the same when the message is sent again.
        """
        names = tuple([header.name for header in headers])
        start, relaxed = _beginning(self.algorithm, self.domain, self.selector, int(at.timestamp()), names)
        hashed = base64.b64encode(body_hash)
        lines = b"\r\n".join([*[header.line for header in headers], relaxed])
        signature = base64.b64encode(self.key.sign(lines + hashed + b"; b="))
        folded = b"\r\n\t ".join([signature[at : at + 72] for at in range(0, len(signature), 72)])
        return start + hashed + b";\r\n\tb=" + folded + b"\r\n"


def sign(message: bytes, signers: Iterable[Signer], at: datetime) -> bytes:
    """Return a message with the signatures of all signers in front of it. message: with CRLF line ends."""
    head, _, body = message.partition(b"\r\n\r\n")
    whole = body if body.endswith(b"\r\n") or not body else body + b"\r\n"  # SMTP ends the body like this
    headers, hashed = signed_headers(head + b"\r\n"), hash_body([canonical(whole)])
    return b"".join(signer.header(headers, hashed, at) for signer in signers) + message


def signed_headers(block: bytes) -> list[Header]:
    """Return the fields to sign from a block of whole header lines."""
    unfolded = _WHITE.sub(b" ", block.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t"))
    fields = [line.partition(b":") for line in unfolded.split(b"\r\n") if line]
    named = [(name.decode("ascii", "replace").lower().rstrip(), value) for name, _, value in fields]
    return [Header(name, b"%s:%s" % (name.encode(), value.strip())) for name, value in named if name in SIGNED]


def canonical(lines: bytes) -> bytes:
    """Return whole lines of a body in relaxed form. `hash_body` deals with the empty lines at the end of the body."""
    if b" " not in lines and b"\t" not in lines:
        return lines  # like links
    return _WHITE.sub(b" ", lines).replace(b" \r\n", b"\r\n")


def hash_body(pieces: Iterable[bytes]) -> bytes:
    """Return the hash of a body for the bh= tag. pieces: the body in canonical form."""
    digest, end = hashlib.sha256(), b""
    for piece in pieces:
        if piece.endswith(b"\r\n\r\n") or not piece.endswith(b"\r\n") or piece == b"\r\n":
            end += piece  # it may be the end of the body; the next piece will show
        else:
            digest.update(end + piece if end else piece)
            end = b""
    end = end.rstrip(b"\r\n") + b"\r\n" if end.strip(b"\r\n") else b""
    digest.update(end)
    return digest.digest()


@lru_cache(maxsize=64)  # the messages of an edition have the same headers
def _beginning(algorithm: str, domain: str, selector: str, at: int, names: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Return a DKIM-Signature field up to the hash of the body, both as it is sent and as it is signed."""
    named = "\r\n\t :".join(_folded([*names, *SEALED], ":"))
    start = (
        f"DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={domain};\r\n"
        f"\ts={selector}; t={at};\r\n"
        f"\th={named};\r\n\tbh="
    ).encode("ascii")
    relaxed = _WHITE.sub(b" ", start.partition(b":")[2].replace(b"\r\n", b"")).strip()
    return start, b"dkim-signature:" + relaxed


def _folded(names: Sequence[str], joint: str) -> list[str]:
    """Return the names, joined into parts of at most 60 characters."""
    parts: list[str] = []
    for name in names:
        if parts and len(parts[-1]) + len(name) < 60:
            parts[-1] += joint + name
        else:
            parts.append(name)
    return parts
