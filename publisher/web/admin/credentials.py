"""The owner's password, and the signed session cookie. The only user of argon2.

The server stores no sessions. A session cookie contains a fingerprint of the password that was valid when the session
began, so changing the password ends all sessions.
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
_LOGIN_FORM = timedelta(hours=1)  # how long the login form is valid
_NONCE = 16
_LONGEST_COOKIE = 500


def check_password(password: str) -> None:
    """Raise PublisherError if a password is too short or too long, isn't UTF-8, or has too few different characters."""
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


@dataclass(frozen=True, slots=True)
class Session:
    """The content of a session cookie.

    nonce     a random value that is unique to the session
    ends_at   the time at which the session expires
    is_owner  whether the owner has entered the password; if not, the session is only valid for the login form
    """

    nonce: str
    ends_at: datetime
    is_owner: bool


class Sessions:
    """Creates and reads the session cookies of one project."""

    def __init__(self, secret: str, lifetime: timedelta) -> None:
        """Prepare to sign and read cookies.

        secret    the secret of the project
        lifetime  how long the owner stays logged in
        """
        self._secret, self._lifetime = secret, lifetime

    def for_owner(self, password_hash: str, now: datetime) -> tuple[Session, str]:
        """Return a session and its cookie for the owner, who has just entered the password."""
        return self._begin(password_hash, now + self._lifetime, is_owner=True)

    def for_login(self, password_hash: str, now: datetime) -> tuple[Session, str]:
        """Return a session and its cookie for the login form."""
        return self._begin(password_hash, now + _LOGIN_FORM, is_owner=False)

    def read(self, cookie: str, password_hash: str, now: datetime) -> Session | None:
        """Return the session in a cookie; None if the cookie is forged or expired, or the password has changed."""
        if not cookie or len(cookie) > _LONGEST_COOKIE:
            return None
        try:
            nonce, ends, is_owner, password = signer(self._secret, _PURPOSE).loads(cookie)
            session = Session(str(nonce), datetime.fromtimestamp(int(ends), UTC), bool(is_owner))
        except (BadData, ValueError, TypeError):  # the last two occur only if another version signed the cookie
            return None
        if now >= session.ends_at or not hmac.compare_digest(str(password), self._fingerprint(password_hash)):
            return None
        return session

    def form_token(self, session: Session) -> str:
        """Return the token for the forms of a session. No other site can know it."""
        return keyed_hash(self._form_key, session.nonce)

    def owns_form(self, session: Session, token: str) -> bool:
        """Return whether the token in a form was issued for this session."""
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
