"""The sessions of the admin page, and the cookie in which a browser keeps one.

The session of an owner who has logged in is a random token in the cookie, and a row in the database that contains its
hash. Ending the session deletes the row, so that a copy of the cookie is of no use. The login form has a session too,
against CSRF. Because anyone can request that form, its session is a signed cookie and needs no row.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from itsdangerous import BadData

from publisher.core.frozen import dataclass
from publisher.core.signing import hashing_key, keyed_hash, signer
from publisher.web.client_address import is_local_host

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from publisher.store import Store

_NAME = "publisher_admin"
_PURPOSE = "admin login form"
_LOGIN_FORM = timedelta(hours=1)  # how long the login form is valid
_NONCE, _TOKEN = 16, 32  # bytes
_LONGEST_COOKIE = 500

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the admin page.

    nonce     a random value that is unique to the session
    ends_at   the time at which the session expires
    is_owner  whether the owner has logged in; if not, the session is only valid for the login form
    """

    nonce: str
    ends_at: datetime
    is_owner: bool


class Sessions:
    """Begins, finds and ends the sessions of one project."""

    def __init__(
        self, store: Store, secret: str, lifetime: timedelta, public_url: str, *, has_own_address: bool = False
    ) -> None:
        """Prepare to handle sessions.

        secret           the secret of the project
        lifetime         how long the owner stays logged in
        public_url       the URL of the web application
        has_own_address  whether the admin pages have an address of their own (admin.listen)
        """
        self._store, self._secret, self._lifetime = store, secret, lifetime
        self._public, self._has_own_address = urlsplit(public_url), has_own_address
        self._root = f"{self._public.path.rstrip('/')}/admin"

    def begin(self, request: Request, response: Response, now: datetime, client: str) -> None:
        """Begin a session of the owner, who has just logged in. It replaces the session of the same browser.

        client: the network or IP address of the browser, to be shown in the list of sessions.
        """
        token, ends_at = secrets.token_urlsafe(_TOKEN), now + self._lifetime
        browser = browser_name(request.headers.get("user-agent", ""))
        self._store.sessions.begin(token, now, ends_at, client=client, browser=browser, old=self.cookie(request))
        self._set(request, response, token, self._lifetime)

    def begin_login(self, request: Request, response: Response, session: Session) -> None:
        """Let the browser keep the session of a login form."""
        cookie = str(signer(self._secret, _PURPOSE).dumps([session.nonce, int(session.ends_at.timestamp())]))
        self._set(request, response, cookie, _LOGIN_FORM)

    def for_login(self, now: datetime) -> Session:
        """Return a new session for the login form."""
        return Session(secrets.token_urlsafe(_NONCE), now + _LOGIN_FORM, is_owner=False)

    def find(self, request: Request, now: datetime) -> Session | None:
        """Return the session of a browser; None if it has none, or a forged, expired or ended one."""
        cookie = self.cookie(request)
        if not cookie or len(cookie) > _LONGEST_COOKIE:
            return None
        if "." not in cookie:
            known = self._store.sessions.find(cookie, now)
            return Session(cookie, known.ends_at, is_owner=True) if known else None
        try:
            nonce, ends = signer(self._secret, _PURPOSE).loads(cookie)
            session = Session(str(nonce), datetime.fromtimestamp(int(ends), UTC), is_owner=False)
        except (BadData, ValueError, TypeError):  # the last two occur only if a different version signed the cookie
            return None
        return session if now < session.ends_at else None

    def end(self, request: Request, response: Response) -> None:
        """End the session of a browser in the database, and delete its cookie."""
        self._store.sessions.end(self.cookie(request))
        self._set(request, response, "", timedelta())

    def cookie(self, request: Request) -> str:
        """Return the content of the cookie; "" if there is none."""
        return request.cookies.get(self._name(is_secure=self._is_secure(request)), "")

    def form_token(self, session: Session) -> str:
        """Return the token for the forms of a session. No other site can know it."""
        return keyed_hash(self._form_key, session.nonce)

    def owns_form(self, session: Session, token: str) -> bool:
        """Return whether the token in a form was issued for this session."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.form_token(session).encode())

    def _set(self, request: Request, response: Response, content: str, lifetime: timedelta) -> None:
        is_secure = self._is_secure(request)
        response.set_cookie(
            self._name(is_secure=is_secure),
            content,
            max_age=lifetime // timedelta(seconds=1),
            path="/" if is_secure else self._root,
            secure=is_secure,
            httponly=True,
            samesite="strict",
        )

    def _is_secure(self, request: Request) -> bool:
        """Return whether the browser uses https. Behind a proxy, only the public URL shows that.

        An owner who comes through a tunnel, to localhost or an IP address, uses http, whatever the scheme of the public
        URL. On an address of its own, the page may or may not use TLS; browsers send Sec-Fetch-Site only if it does.
        """
        host = request.headers.get("host", "")
        if host != self._public.netloc and is_local_host(host):
            return False
        return "sec-fetch-site" in request.headers if self._has_own_address else self._public.scheme == "https"

    def _name(self, *, is_secure: bool) -> str:
        """Return the name of the cookie.

        Browsers accept a name with __Host- only from the host itself, over https, for the path "/". Another site on the
        same domain can then not plant a cookie of its own. Two projects below one host need different names.
        """
        if not is_secure:
            return _NAME
        return f"__Host-{_NAME}" + re.sub(r"[^A-Za-z0-9]", "_", self._root.removesuffix("/admin"))

    @cached_property
    def _form_key(self) -> bytes:
        return hashing_key(self._secret, "admin form")


def browser_name(user_agent: str) -> str:
    """Return a short name of a browser and its system, such as "Firefox on Linux"; "unknown browser" for others."""
    agent = user_agent[:_LONGEST_COOKIE]
    browser = next((name for sign, name in _BROWSERS if f"{sign}/" in agent), "")
    system = next((name for name in _SYSTEMS if name in agent), "").replace("Mac OS X", "macOS")
    return " on ".join(filter(None, (browser or "unknown browser", system)))
