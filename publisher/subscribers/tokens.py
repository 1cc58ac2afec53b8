"""Tokens for one use within some time: signed, and known to the record by a hash only.

The links in letters are of another kind: they work for ever, and are made and read in delivery/links.py.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from enum import StrEnum

from publisher.core.signing import signer

LONGEST = 500  # characters; a longer one was not made here


class TokenPurpose(StrEnum):
    """What a token lets its bearer do; one made for the one does not do the other."""

    CONFIRM = "confirm"
    ADDRESS = "address"


class TokenSigner:
    """Makes and reads the tokens of one project."""

    def __init__(self, secret: str) -> None:
        self._signers = {purpose: signer(secret, f"once {purpose}") for purpose in TokenPurpose}

    def make(self, purpose: TokenPurpose, expires_at: datetime) -> tuple[str, str]:
        """Return a new token and the hash by which the record knows it."""
        nonce = secrets.token_urlsafe(24)
        token = self._signers[purpose].dumps([nonce, int(expires_at.timestamp())])
        return token if isinstance(token, str) else token.decode("ascii"), _hash(nonce)

    def read(self, purpose: TokenPurpose, token: str, now: datetime) -> str | None:
        """Return the hash of a token that was made here for this purpose and is not too old; else None.

        Signatures are compared in constant time. Whether the token was used is for the record to say.
        """
        from itsdangerous import BadData

        if len(token) > LONGEST:
            return None
        try:
            nonce, expires = self._signers[purpose].loads(token)
        except (BadData, ValueError, TypeError):  # half a surrogate is no signature either
            return None
        return _hash(nonce) if now < datetime.fromtimestamp(expires, UTC) else None


def _hash(nonce: str) -> str:
    # Unkeyed and unsalted will do: 24 random bytes cannot be guessed from it.
    return hashlib.sha256(nonce.encode()).hexdigest()
