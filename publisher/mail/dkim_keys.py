"""Making keys for DKIM, and what the DNS must say of them."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from publisher.core.errors import ProjectError
from publisher.mail.dkim import read_key

if TYPE_CHECKING:
    from publisher.mail.dkim import Key

Kind = Literal["rsa", "ed25519"]

RSA_BITS = 2048  # what every receiver takes; 4096 does not fit one UDP answer

# RFC 1035, 3.3.14: one string of a TXT record.
_STRING = 255


def make_key(path: Path, kind: Kind) -> bool:
    """Write a new private key, readable by its owner only; return False where there is a file already.

    Raises ProjectError where it cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        if kind == "rsa"
        else ed25519.Ed25519PrivateKey.generate()
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise ProjectError(f"the key cannot be written: {error.strerror}", where=str(path)) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return True


def check_kind(path: Path, kind: Kind) -> None:
    """Raise ProjectError where the key of a file is of the other kind, or is none."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    is_rsa = isinstance(read_key(path), RSAPrivateKey)
    if is_rsa != (kind == "rsa"):
        there, wanted = ("RSA", "Ed25519") if is_rsa else ("Ed25519", "RSA")
        hint = "choose another --selector"
        raise ProjectError(f"the key that is there is of the kind {there}, not {wanted}", where=str(path), hint=hint)


def dns_record(path: Path, selector: str, domain: str) -> str:
    """Return the TXT record of a key as a line of a zone file; raises ProjectError like `read_key`."""
    text = record_text(read_key(path))
    strings = " ".join(f'"{text[at : at + _STRING]}"' for at in range(0, len(text), _STRING))
    return f"{selector}._domainkey.{domain}. IN TXT ( {strings} )"


def record_text(key: Key) -> str:
    """Return what the DNS says of a key: RSA as SubjectPublicKeyInfo (RFC 6376), Ed25519 bare (RFC 8463)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(key, RSAPrivateKey):
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode('ascii')}"
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode('ascii')}"
