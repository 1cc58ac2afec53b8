"""Who is logged in: a signed cookie that says until when, and which forms are theirs.

The server keeps nothing. A session names the password it began with by a hash, so another password ends it.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from publisher.core.signing import hashing_key, keyed_hash, signer

_PURPOSE = "admin session"
# A form to log in is good for so long.
_GUEST = timedelta(hours=1)
_NONCE = 16
_LONGEST_COOKIE = 500


@dataclass(frozen=True, slots=True)
class Session:
    """Whom a cookie stands for, until when.

    nonce      which session: random, in no other cookie
    is_owner   whether the password was given; a guest has a form to log in, and nothing else
    """

    nonce: str
    ends_at: datetime
    is_owner: bool


class Sessions:
    """Makes and reads sessions of one project. last: for how long one who is logged in stays so."""

    def __init__(self, secret: str, last: timedelta) -> None:
        self._secret, self._last = secret, last

    def begin(self, password_hash: str, now: datetime) -> tuple[Session, str]:
        """Return a session for whoever has just given the password, and its cookie."""
        session = Session(secrets.token_urlsafe(_NONCE), now + self._last, is_owner=True)
        return session, self._cookie(session, password_hash)

    def welcome(self, password_hash: str, now: datetime) -> tuple[Session, str]:
        """Return a session for somebody who is shown the form, and its cookie."""
        session = Session(secrets.token_urlsafe(_NONCE), now + _GUEST, is_owner=False)
        return session, self._cookie(session, password_hash)

    def read(self, cookie: str, password_hash: str, now: datetime) -> Session | None:
        """Return the session of a cookie; None for one that is forged, over, or of another password."""
        from itsdangerous import BadData

        if not cookie or len(cookie) > _LONGEST_COOKIE:
            return None
        try:
            nonce, ends, is_owner, password = signer(self._secret, _PURPOSE).loads(cookie)
            session = Session(str(nonce), datetime.fromtimestamp(int(ends), UTC), bool(is_owner))
        except (BadData, ValueError, TypeError):  # signed by us, it is none of the latter; an older version's may be
            return None
        if now >= session.ends_at or not hmac.compare_digest(str(password), self._mark(password_hash)):
            return None
        return session

    def form_token(self, session: Session) -> str:
        """Return what a form of this session carries, and no other site can know."""
        return keyed_hash(self._form_key, session.nonce)

    def owns_form(self, session: Session, token: str) -> bool:
        """Return whether a form was made for this session."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.form_token(session).encode())

    @cached_property
    def _form_key(self) -> bytes:
        return hashing_key(self._secret, "admin form")

    def _cookie(self, session: Session, password_hash: str) -> str:
        facts = [session.nonce, int(session.ends_at.timestamp()), int(session.is_owner), self._mark(password_hash)]
        return str(signer(self._secret, _PURPOSE).dumps(facts))

    def _mark(self, password_hash: str) -> str:
        return keyed_hash(hashing_key(self._secret, "admin password"), password_hash)[:24]
