"""The owner's password: the rules for accepting, storing and checking it. The only user of argon2."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from publisher.core.errors import PublisherError

SHORTEST, LONGEST = 12, 1_000
_FEWEST_DIFFERENT = 5


def check_password(password: str) -> None:
    """Raise PublisherError if a password is too short or too long, isn't UTF-8, or has too few different characters."""
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise PublisherError("the password is not UTF-8 text", hint="use a terminal that sends UTF-8")
    if len(password) < SHORTEST:
        raise PublisherError(
            f"the password has {len(password)} characters; it needs at least {SHORTEST}",
            hint="a few words in a row are long and easy to remember",
        )
    if len(password) > LONGEST:
        raise PublisherError(f"the password is longer than {LONGEST} characters", hint="choose a shorter one")
    if len(set(password)) < _FEWEST_DIFFERENT:
        raise PublisherError("the password uses too few different characters", hint="choose another")


def hash_password(password: str) -> str:
    """Return the salted hash of a password, to be stored in the database (argon2id, RFC 9106)."""
    return PasswordHasher().hash(_normalised(password))


def is_password(password: str, password_hash: str) -> bool:
    """Return whether a password matches a hash. Return False if the hash is malformed.

    A call takes 64 MiB of memory and up to 0.2 s, so callers must not make many calls at once.
    """
    if not password_hash or len(password) > LONGEST:
        return False
    try:
        return PasswordHasher().verify(password_hash, _normalised(password))
    except (Argon2Error, InvalidHashError):
        return False


def _normalised(password: str) -> str:
    """Return the password in NFC (RFC 8265, 4.2.2).

    This is needed because a terminal and a browser may encode the same character differently.
    """
    return unicodedata.normalize("NFC", password)
