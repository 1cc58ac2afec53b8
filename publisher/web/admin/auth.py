"""Who comes in: before every handler the session is looked at, and before every deed its form."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.web.admin.headers import admin_headers
from publisher.web.admin.passwords import is_password
from publisher.web.csrf import is_from_here
from publisher.web.forms import Form, FormError, read_form

if TYPE_CHECKING:
    from publisher.web.admin.pages import AdminPages
    from publisher.web.admin.sessions import Session, Sessions
    from publisher.web.context import Office
    from publisher.web.public.pages import Pages

Look = Callable[[Request, "Session"], Response]
Act = Callable[[Request, "Session", Form], Response]

COOKIE = "publisher_admin"
_NO = "this form is not of this page, or too old: load the page again, and press the button there\n"


class NotThereError(PublisherError):
    """What was asked for is not there."""


class Door:
    """Lets the owner in. As long as there is no password, nothing is here for anybody."""

    def __init__(self, office: Office, readers: Pages, pages: AdminPages, sessions: Sessions) -> None:
        self._office, self._readers, self._pages, self._sessions = office, readers, pages, sessions
        # Guesses one after the other: of a crowd that comes at once none slips in before the others are counted.
        self._guessing = threading.Lock()
        self._is_secure = office.links.public_url.startswith("https:")

    def asset(self, request: Request) -> Response:
        """Give the stylesheet or the script, to who is not logged in as well."""
        found = self._pages.asset(request.path_params["name"]) if self._password() else None
        return found or self._nothing(request)

    def look(self, handler: Look) -> Callable[[Request], Response]:
        """Make a handler of GET for the owner; anybody else is led to the form."""

        def answer(request: Request) -> Response:
            password = self._password()
            session = self._session(request, password)
            if not password:
                return self._nothing(request)
            if session is None or not session.is_owner:
                if request.url.path.endswith(".json"):
                    return PlainTextResponse("log in first\n", 403, admin_headers())
                return RedirectResponse(f"{self._pages.root}/login", 303, admin_headers())
            return handler(request, session)

        return self._calm(answer)

    def act(self, handler: Act) -> Callable[[Request], Awaitable[Response]]:
        """Make a handler of POST for the owner: refused without session, from elsewhere, or with another's form."""

        def answer(request: Request, form: Form) -> Response:
            password = self._password()
            session = self._session(request, password)
            if not password:
                return self._nothing(request)
            if session is None or not session.is_owner or not self._is_ours(request, session, form):
                return PlainTextResponse(_NO, 403, admin_headers())
            return handler(request, session, form)

        return self._with_form(answer)

    def greet(self, request: Request) -> Response:
        """Show the form to log in."""
        password = self._password()
        if not password:
            return self._nothing(request)
        session = self._session(request, password)
        if session and session.is_owner:
            return RedirectResponse(self._pages.root, 303, admin_headers())
        return self._form(password)

    def enter(self) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler that takes the form to log in."""
        return self._with_form(self._enter)

    def leave(self, request: Request, session: Session, form: Form) -> Response:
        """Log out: the browser forgets the session."""
        response = RedirectResponse(f"{self._pages.root}/login", 303, admin_headers())
        response.delete_cookie(COOKIE, path=self._pages.root, secure=self._is_secure, httponly=True, samesite="strict")
        return response

    def _enter(self, request: Request, form: Form) -> Response:
        password = self._password()
        if not password:
            return self._nothing(request)
        session = self._session(request, password)
        if session is None or not self._is_ours(request, session, form):
            return self._form(password, status=403, trouble="The form was too old. Please try again.")
        gate, client = self._office.gate, self._office.clients.address(request.scope)
        with self._guessing:
            if not gate.lets_guess(client):
                trouble = "Too many wrong passwords. Please try again in an hour."
                return self._form(password, status=429, trouble=trouble)
            if not is_password(form.exact("password"), password):
                gate.count_guess(client)
                return self._form(password, status=403, trouble="This is not the password.")
        response = RedirectResponse(self._pages.root, 303, admin_headers())
        owner, cookie = self._sessions.begin(password, self._office.now())
        self._set_cookie(response, owner, cookie)
        return response

    def _form(self, password: str, *, status: int = 200, trouble: str = "") -> Response:
        session, cookie = self._sessions.welcome(password, self._office.now())
        response = self._pages.page("login.html", "Log in", session, status=status, trouble=trouble)
        if status == 429:
            response.headers["retry-after"] = "3600"
        self._set_cookie(response, session, cookie)
        return response

    def _set_cookie(self, response: Response, session: Session, cookie: str) -> None:
        last = session.ends_at - self._office.now()
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=max(last, timedelta()) // timedelta(seconds=1),
            path=self._pages.root,
            secure=self._is_secure,
            httponly=True,
            samesite="strict",
        )

    def _password(self) -> str:
        return self._office.store.owner.password_hash()

    def _session(self, request: Request, password: str) -> Session | None:
        return self._sessions.read(request.cookies.get(COOKIE, ""), password, self._office.now()) if password else None

    def _is_ours(self, request: Request, session: Session, form: Form) -> bool:
        return is_from_here(request, self._office.links.public_url) and self._sessions.owns_form(
            session, form.one("token")
        )

    def _nothing(self, request: Request) -> Response:
        return self._readers.message(request, "nothing", "nothing_hint", status=404)

    def _with_form(self, handler: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
        @wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                form = await read_form(request, self._office.patience)
            except FormError as error:
                return PlainTextResponse("this form was not understood\n", error.status, admin_headers())
            except ClientDisconnect:
                return Response(status_code=400)
            return await run_in_threadpool(self._calm(lambda asked: handler(asked, form)), request)

        return answer

    def _calm(self, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """Make a handler say what keeps it from answering: to the owner in words, to the log without them."""

        @wraps(handler)
        def answer(request: Request) -> Response:
            try:
                return handler(request)
            except PublisherError as error:
                if not isinstance(error, NotThereError):
                    log("admin", f"admin: {type(error).__name__}", level="warning", error=type(error).__name__)
                return self._trouble(request, error)

        return answer

    def _trouble(self, request: Request, error: PublisherError) -> Response:
        try:
            session = self._session(request, self._password())
            if session and session.is_owner:
                status = 404 if isinstance(error, NotThereError) else 503
                title = "There is nothing here" if status == 404 else "This cannot be done now"
                return self._pages.page("trouble.html", title, session, status=status, error=error)
        except PublisherError:  # the database itself is away
            pass
        return PlainTextResponse("this cannot be done now; please try again later\n", 503, admin_headers())
