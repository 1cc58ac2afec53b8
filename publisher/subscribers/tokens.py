"""Signed tokens that can be used only once and expire. The database stores only their hashes.

The links in newsletters are different: they work forever, and mail/links.py makes and reads them.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from enum import StrEnum

from itsdangerous import BadData

from publisher.core.signing import signer

LONGEST = 500  # characters; a longer token was not made here


class TokenPurpose(StrEnum):
    """The action that a token allows. A token for one purpose is invalid for the other."""

    CONFIRM = "confirm"
    ADDRESS = "address"


class TokenSigner:
    """Makes and reads the tokens of one project."""

    def __init__(self, secret: str) -> None:
        self._signers = {purpose: signer(secret, f"once {purpose}") for purpose in TokenPurpose}

    def make(self, purpose: TokenPurpose, expires_at: datetime) -> tuple[str, str]:
        """Return a new token, and the hash of it that the database stores."""
        nonce = secrets.token_urlsafe(24)
        token = self._signers[purpose].dumps([nonce, int(expires_at.timestamp())])
        return token if isinstance(token, str) else token.decode("ascii"), _hash(nonce)

    def read(self, purpose: TokenPurpose, token: str, now: datetime) -> str | None:
        """Return the hash of a token, or None if it is forged, expired or made for another purpose.

        Signatures are compared in constant time. This does not check whether the token was already used, which only the
        database knows.
        """
        if len(token) > LONGEST:
            return None
        try:
            nonce, expires = self._signers[purpose].loads(token)
        except (BadData, ValueError, TypeError):  # half of a surrogate pair is not a signature either
            return None
        return _hash(nonce) if now < datetime.fromtimestamp(expires, UTC) else None


def _hash(nonce: str) -> str:
    # A hash without a key or salt is enough, because nobody can guess the 24 random bytes.
    return hashlib.sha256(nonce.encode()).hexdigest()
