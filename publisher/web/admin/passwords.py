"""The owner's password: what is good enough, and its hash. The only user of argon2."""

from __future__ import annotations

import unicodedata

from publisher.core.errors import PublisherError

SHORTEST, LONGEST = 12, 1_000
_FEWEST_DIFFERENT = 5


def check_password(password: str) -> None:
    """Raise PublisherError for a password that is easily guessed by its length, or is one character again and again."""
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise PublisherError("the password is not UTF-8 text", hint="type it on a terminal of UTF-8")
    if len(password) < SHORTEST:
        raise PublisherError(
            f"the password has {len(password)} characters, and needs {SHORTEST}",
            hint="a few words in a row are long and easy to keep",
        )
    if len(password) > LONGEST:
        raise PublisherError(f"the password is longer than {LONGEST} characters", hint="choose a shorter one")
    if len(set(password)) < _FEWEST_DIFFERENT:
        raise PublisherError("the password repeats too few characters", hint="choose another")


def hash_password(password: str) -> str:
    """Return the hash to keep of a password, with its own salt (argon2id, RFC 9106)."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(_one_spelling(password))


def is_password(password: str, password_hash: str) -> bool:
    """Return whether this is the password of a hash; a broken hash fits none.

    Takes 64 MiB and a tenth of a second or two: never to be called by many at once.
    """
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    if not password_hash or len(password) > LONGEST:
        return False
    try:
        return PasswordHasher().verify(password_hash, _one_spelling(password))
    except (Argon2Error, InvalidHashError):
        return False


def _one_spelling(password: str) -> str:
    """A terminal and a browser may spell one letter differently; both mean the same (RFC 8265, 4.2.2)."""
    return unicodedata.normalize("NFC", password)
