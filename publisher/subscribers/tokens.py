"""Signed tokens that expire: those sent by email, which can be used only once, and those of the sign-up form.

The database stores only hashes of the tokens sent by email, and nothing about the others. The links in newsletters are
different: they work forever, and mail/links.py makes and reads them.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from itsdangerous import BadData

from publisher.core.signing import signer

LONGEST = 500  # characters; a longer token was not made here
SOONEST, LATEST = 2, 86_400  # seconds between loading and sending the form
PROOF_BITS = 16  # each further bit doubles the work; this takes a computer half a second, and a phone a few seconds


class TokenPurpose(StrEnum):
    """The action that a token allows. A token for one purpose is invalid for any other."""

    CONFIRM = "confirm"
    ADDRESS = "address"
    ACCOUNT = "account"


class TokenSigner:
    """Makes and reads the tokens of one project."""

    def __init__(self, secret: str) -> None:
        self._signers = {purpose: signer(secret, f"once {purpose}") for purpose in TokenPurpose}

    def make(self, purpose: TokenPurpose, expires_at: datetime) -> tuple[str, str]:
        """Return a new token, and its hash for the database."""
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
        except (BadData, ValueError, TypeError):  # a lone surrogate is not a signature either
            return None
        return _hash(nonce) if now < datetime.fromtimestamp(expires, UTC) else None


def _hash(nonce: str) -> str:
    # A hash without a key or salt is enough, because nobody can guess the 24 random bytes.
    return hashlib.sha256(nonce.encode()).hexdigest()


class FormTokens:
    """Makes and reads the tokens of one project's sign-up form. They are not stored.

    They show that the form was loaded some time before it was sent. A proof of work makes each sign-up cost a second of
    a computer's time.

    clock: returns the seconds since 1970. Like the rate limits, the tokens follow the real clock.
    """

    def __init__(self, secret: str, *, needs_proof: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._signer, self._clock = signer(secret, "sign-up form"), clock
        self.proof_bits = PROOF_BITS if needs_proof else 0

    def make(self) -> str:
        """Return a token for a form that is loaded now."""
        token = self._signer.dumps([int(self._clock()), secrets.token_urlsafe(9)])
        return token if isinstance(token, str) else token.decode("ascii")

    def is_known(self, token: str) -> bool:
        """Return whether a token was made here within the last day."""
        return self._age(token) is not None

    def accepts(self, token: str, email: str, proof: str) -> bool:
        """Return whether a form may be accepted: it was not sent too soon, and has its proof of work if one is needed.

        email, proof  fields of the form; the proof is only valid for this email address
        """
        age = self._age(token)
        return age is not None and age >= SOONEST and is_proof(token, email, proof, self.proof_bits)

    def _age(self, token: str) -> float | None:
        if len(token) > LONGEST:
            return None
        try:
            made_at, _ = self._signer.loads(token)
        except (BadData, ValueError, TypeError):
            return None
        age = self._clock() - made_at
        return age if -1 <= age <= LATEST else None


def is_proof(token: str, email: str, proof: str, bits: int) -> bool:
    """Return whether the SHA-256 of "token:email:proof" begins with this number of zero bits."""
    if not bits:
        return True
    if not (proof.isascii() and proof.isdigit() and len(proof) <= 15):
        return False
    digest = hashlib.sha256(f"{token}:{email}:{proof}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest, "big") >> (256 - bits) == 0
