"""The owner's password, and the signed cookie of a session. The only user of argon2.

The server stores no sessions. A session contains a hash of the password it began with, so a new password ends all of
them.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from itsdangerous import BadData

from publisher.core.errors import PublisherError
from publisher.core.signing import hashing_key, keyed_hash, signer

SHORTEST, LONGEST = 12, 1_000
_FEWEST_DIFFERENT = 5
_PURPOSE = "admin session"
_LOGIN_FORM = timedelta(hours=1)  # how long the form to log in is valid
_NONCE = 16
_LONGEST_COOKIE = 500


def check_password(password: str) -> None:
    """Raise PublisherError for a password that is too short, too long, or made of very few characters."""
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise PublisherError("the password is not UTF-8 text", hint="use a terminal that sends UTF-8")
    if len(password) < SHORTEST:
        raise PublisherError(
            f"the password has {len(password)} characters; it needs at least {SHORTEST}",
            hint="a few words in a row are long and easy to keep",
        )
    if len(password) > LONGEST:
        raise PublisherError(f"the password is longer than {LONGEST} characters", hint="choose a shorter one")
    if len(set(password)) < _FEWEST_DIFFERENT:
        raise PublisherError("the password repeats too few characters", hint="choose another")


def hash_password(password: str) -> str:
    """Return the hash of a password for the database, with a salt of its own (argon2id, RFC 9106)."""
    return PasswordHasher().hash(_normalised(password))


def is_password(password: str, password_hash: str) -> bool:
    """Return whether this is the password of a hash; False for a broken hash.

    It takes 64 MiB and up to 0.2 s, so callers must not run it for many requests at once.
    """
    if not password_hash or len(password) > LONGEST:
        return False
    try:
        return PasswordHasher().verify(password_hash, _normalised(password))
    except (Argon2Error, InvalidHashError):
        return False


def _normalised(password: str) -> str:
    """Return the password in NFC (RFC 8265, 4.2.2): a terminal and a browser may encode one letter differently."""
    return unicodedata.normalize("NFC", password)


@dataclass(frozen=True, slots=True)
class Session:
    """What a cookie says.

    nonce     the session's own random value
    is_owner  whether the password was given; otherwise the session is only for the form to log in
    """

    nonce: str
    ends_at: datetime
    is_owner: bool


class Sessions:
    """Makes and reads the sessions of one project."""

    def __init__(self, secret: str, lifetime: timedelta) -> None:
        """secret: the project's. lifetime: of a session once the password was given."""
        self._secret, self._lifetime = secret, lifetime

    def for_owner(self, password_hash: str, now: datetime) -> tuple[Session, str]:
        """Return a session for the owner, who has just given the password, and its cookie."""
        return self._begin(password_hash, now + self._lifetime, is_owner=True)

    def for_login(self, password_hash: str, now: datetime) -> tuple[Session, str]:
        """Return a session for the form to log in, and its cookie."""
        return self._begin(password_hash, now + _LOGIN_FORM, is_owner=False)

    def read(self, cookie: str, password_hash: str, now: datetime) -> Session | None:
        """Return the session of a cookie; None if it is forged, has expired, or began with another password."""
        if not cookie or len(cookie) > _LONGEST_COOKIE:
            return None
        try:
            nonce, ends, is_owner, password = signer(self._secret, _PURPOSE).loads(cookie)
            session = Session(str(nonce), datetime.fromtimestamp(int(ends), UTC), bool(is_owner))
        except (BadData, ValueError, TypeError):  # the last two only for a cookie that another version has signed
            return None
        if now >= session.ends_at or not hmac.compare_digest(str(password), self._fingerprint(password_hash)):
            return None
        return session

    def form_token(self, session: Session) -> str:
        """Return the token for the forms of a session, which no other site can know."""
        return keyed_hash(self._form_key, session.nonce)

    def owns_form(self, session: Session, token: str) -> bool:
        """Return whether a form's token was made for this session."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.form_token(session).encode())

    def _begin(self, password_hash: str, ends_at: datetime, *, is_owner: bool) -> tuple[Session, str]:
        session = Session(secrets.token_urlsafe(_NONCE), ends_at, is_owner)
        facts = [session.nonce, int(ends_at.timestamp()), int(is_owner), self._fingerprint(password_hash)]
        return session, str(signer(self._secret, _PURPOSE).dumps(facts))

    @cached_property
    def _form_key(self) -> bytes:
        return hashing_key(self._secret, "admin form")

    def _fingerprint(self, password_hash: str) -> str:
        return keyed_hash(hashing_key(self._secret, "admin password"), password_hash)[:24]
