"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, by RSA or Ed25519. The only user of cryptography.

A body is hashed as its pieces, each of whole lines and canonical by itself: the pieces that all messages
share are made canonical once.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.core.errors import ProjectError
from publisher.mail.addresses import is_within

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    Key = RSAPrivateKey | Ed25519PrivateKey

# What RFC 6376, 5.4.1 recommends, and what RFC 8058, 4 demands for one-click unsubscribing.
_SIGNED = """
    from to cc subject date message-id reply-to in-reply-to references mime-version content-type
    content-transfer-encoding list-id list-owner list-archive list-help list-unsubscribe list-unsubscribe-post
    auto-submitted feedback-id
"""
SIGNED = frozenset(_SIGNED.split())

# Named once more than they occur, so that nobody can add a second one that readers would show (RFC 6376, 8.15).
SEALED = ("from", "to", "subject", "date", "reply-to")

# RFC 8301: shorter RSA keys must not be used.
LEAST_RSA_BITS = 1024

_WHITE = re.compile(rb"[ \t]+")
_WHITE_AT_END = re.compile(rb"[ \t]+(?=\r\n)")


@dataclass(frozen=True, slots=True)
class Header:
    """One header field as it is signed: its name in small letters, and its canonical line without CRLF."""

    name: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with its place in the DNS: <selector>._domainkey.<domain>, which is in ASCII."""

    domain: str
    selector: str
    key: Key = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The a= tag."""
        return "rsa-sha256" if _is_rsa(self.key) else "ed25519-sha256"

    def signs_for(self, domain: str) -> bool:
        """Whether mail from an address of the domain is this key's: its own domain, or one above it."""
        return is_within(domain.lower(), self.domain.lower())

    def header(self, headers: Sequence[Header], body_hash: bytes, at: datetime) -> bytes:
        """Return the DKIM-Signature field, folded, ending with CRLF.

        headers: the message's own, of which those in SIGNED are signed. body_hash: see `hash_body`. at: the
        message's Date, so that one sent again has the same signature.
        """
        names = [header.name for header in headers]
        named = "\r\n\t :".join(_folded([*names, *SEALED], ":"))
        start = (
            f"DKIM-Signature: v=1; a={self.algorithm}; c=relaxed/relaxed; d={self.domain};\r\n"
            f"\ts={self.selector}; t={int(at.timestamp())};\r\n"
            f"\th={named};\r\n\tbh={base64.b64encode(body_hash).decode('ascii')};\r\n\tb="
        )
        value = _WHITE.sub(b" ", start.partition(":")[2].replace("\r\n", "").encode()).strip()
        signed = b"".join(header.line + b"\r\n" for header in headers) + b"dkim-signature:" + value
        signature = base64.b64encode(_sign(self.key, signed)).decode("ascii")
        lines = [signature[at : at + 72] for at in range(0, len(signature), 72)]
        return (start + "\r\n\t ".join(lines) + "\r\n").encode("ascii")


def sign(message: bytes, signers: Iterable[Signer], at: datetime) -> bytes:
    """Return a whole message (CRLF line ends) with a signature of each signer before it."""
    head, _, body = message.partition(b"\r\n\r\n")
    whole = body if body.endswith(b"\r\n") or not body else body + b"\r\n"  # as SMTP will end it
    headers, hashed = signed_headers(head + b"\r\n"), hash_body([canonical(whole)])
    return b"".join(signer.header(headers, hashed, at) for signer in signers) + message


def signed_headers(block: bytes) -> list[Header]:
    """Return those fields of a block of whole header lines that are signed."""
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", block)
    fields = (line.partition(b":") for line in unfolded.split(b"\r\n") if line)
    named = ((name.decode("ascii", "replace").lower().rstrip(), value) for name, _, value in fields)
    return [
        Header(name, f"{name}:".encode() + _WHITE.sub(b" ", value).strip()) for name, value in named if name in SIGNED
    ]


def canonical(lines: bytes) -> bytes:
    """Return whole lines of a body in relaxed form; empty lines at the body's end are left to `hash_body`."""
    return _WHITE.sub(b" ", _WHITE_AT_END.sub(b"", lines))


def hash_body(pieces: Iterable[bytes]) -> bytes:
    """Return the bh= value of a body in canonical pieces."""
    digest, end = hashlib.sha256(), b""
    for piece in pieces:
        if piece.endswith(b"\r\n\r\n") or not piece.endswith(b"\r\n") or piece == b"\r\n":
            end += piece  # what may be the body's end is looked at when the next piece is here
        else:
            digest.update(end + piece if end else piece)
            end = b""
    end = end.rstrip(b"\r\n") + b"\r\n" if end.strip(b"\r\n") else b""
    digest.update(end)
    return digest.digest()


def read_key(path: Path) -> Key:
    """Return the private key of a PEM file. Raises ProjectError where it is none that DKIM knows."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    hint = "`publisher mail keys` makes one"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ProjectError(f"the key cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ProjectError("holds no private key without a password", where=str(path), hint=hint) from error
    if isinstance(key, RSAPrivateKey) and key.key_size >= LEAST_RSA_BITS:
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ProjectError("is neither RSA of 1024 bits or more nor Ed25519", where=str(path), hint=hint)


def _is_rsa(key: Key) -> bool:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    return isinstance(key, RSAPrivateKey)


def _sign(key: Key, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, RSAPrivateKey):
        return key.sign(data, PKCS1v15(), SHA256())
    return key.sign(hashlib.sha256(data).digest())  # RFC 8463, 3: Ed25519 signs the hash


def _folded(names: Sequence[str], joint: str) -> list[str]:
    """Return the names joined, as parts of at most 60 characters."""
    parts: list[str] = []
    for name in names:
        if parts and len(parts[-1]) + len(name) < 60:
            parts[-1] += joint + name
        else:
            parts.append(name)
    return parts
