"""Private keys for DKIM, and the DNS records of their public halves.

This is the only module that uses the cryptography library, which takes 80 ms to load. Import it only if a key is
configured or about to be made.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from publisher.core.errors import ProjectError
from publisher.core.private_folder import make_inside

Kind = Literal["rsa", "ed25519"]

RSA_BITS = 2048  # every receiver accepts it; a record with 4096 bits does not fit into one UDP answer

# RFC 8301: shorter RSA keys must not be used.
LEAST_RSA_BITS = 1024

# RFC 1035, 3.3.14: the length of one string of a TXT record.
_STRING = 255


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A private key that signs messages."""

    key: RSAPrivateKey | Ed25519PrivateKey

    @property
    def kind(self) -> Kind:
        """Return "rsa" or "ed25519"."""
        return "rsa" if isinstance(self.key, RSAPrivateKey) else "ed25519"

    @property
    def bits(self) -> int | None:
        """Return the length of an RSA key in bits; return None for Ed25519, where all keys have the same length."""
        return self.key.key_size if isinstance(self.key, RSAPrivateKey) else None

    def sign(self, data: bytes) -> bytes:
        """Return the DKIM signature of the data."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, PKCS1v15(), SHA256())
        return self.key.sign(hashlib.sha256(data).digest())  # RFC 8463, 3: Ed25519 signs the hash

    def record_text(self) -> str:
        """Return the text of the DNS record with the public key.

        An RSA key is written as SubjectPublicKeyInfo (RFC 6376), an Ed25519 key as raw bytes (RFC 8463).
        """
        public = self.key.public_key()
        if isinstance(self.key, RSAPrivateKey):
            data = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        else:
            data = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k={self.kind}; p={base64.b64encode(data).decode('ascii')}"


def read_key(path: Path) -> PrivateKey:
    """Read a private key from a PEM file. Raises ProjectError if the file has no key that DKIM can use."""
    hint = "make one with `publisher mail keys`"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ProjectError(f"the key cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ProjectError("does not contain an unencrypted private key", where=str(path), hint=hint) from error
    if isinstance(key, RSAPrivateKey) and key.key_size >= LEAST_RSA_BITS:
        return PrivateKey(key)
    if isinstance(key, Ed25519PrivateKey):
        return PrivateKey(key)
    raise ProjectError("is neither an RSA key of 1024 bits or more nor an Ed25519 key", where=str(path), hint=hint)


def make_key(path: Path, kind: Kind) -> bool:
    """Write a new private key to a file that only its owner can read; return False if the file already exists.

    Raises ProjectError if the file cannot be written.
    """
    key = (
        generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        if kind == "rsa"
        else Ed25519PrivateKey.generate()
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        make_inside(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise ProjectError(f"the key cannot be written: {error.strerror}", where=str(path)) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return True


def check_kind(path: Path, kind: Kind) -> None:
    """Raise ProjectError if the key in a file is not of this kind, or cannot be read."""
    if read_key(path).kind != kind:
        there, wanted = ("Ed25519", "RSA") if kind == "rsa" else ("RSA", "Ed25519")
        hint = "choose a different --selector"
        raise ProjectError(f"the existing key is an {there} key, not {wanted}", where=str(path), hint=hint)


def dns_record(path: Path, selector: str, domain: str) -> str:
    """Return the TXT record of a key as a line of a zone file. Raises ProjectError if the key cannot be read.

    path: the PEM file with the private key.
    """
    text = read_key(path).record_text()
    strings = " ".join(f'"{text[at : at + _STRING]}"' for at in range(0, len(text), _STRING))
    return f"{selector}._domainkey.{domain}. IN TXT ( {strings} )"
