"""Login, and the checks before every admin handler: the session, and the token and origin of a form (against CSRF)."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.web.admin.credentials import is_password
from publisher.web.admin.session_cookies import Session, Sessions
from publisher.web.client_address import shortened_client
from publisher.web.forms import Form, FormError, is_same_site, read_form
from publisher.web.responses import NotFoundError, owner_page_headers

if TYPE_CHECKING:
    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.context import WebContext
    from publisher.web.public.public_pages import PublicPages

GetHandler = Callable[[Request, Session], Response]
PostHandler = Callable[[Request, Session, Form], Response]

_FOREIGN_FORM = "this form has expired or is not from this page: reload the page and press the button again\n"


class OwnerAuth:
    """Admits only the owner. As long as no password is set, every page answers 404."""

    def __init__(self, context: WebContext, public_pages: PublicPages, pages: AdminPages, sessions: Sessions) -> None:
        self._context, self._public_pages, self._pages, self._sessions = context, public_pages, pages, sessions
        # Check one password at a time. Otherwise a burst of guesses would all be checked before the first is counted.
        self._guessing = threading.Lock()

    def get(self, handler: GetHandler) -> Callable[[Request], Response]:
        """Wrap a GET handler. Anyone but the owner is redirected to the login form."""

        def answer(request: Request) -> Response:
            if not self._password():
                return self._not_found(request)
            session = self._session(request)
            if session is None or not session.is_owner:
                if request.url.path.endswith(".json"):
                    return PlainTextResponse("log in first\n", 403, owner_page_headers())
                return RedirectResponse(f"{self._pages.root}/login", 303, owner_page_headers())
            return handler(request, session)

        return self._with_error_page(answer)

    def post(self, handler: PostHandler) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a POST handler. A form is refused if it has no session, or comes from another site or session."""

        def answer(request: Request, form: Form) -> Response:
            if not self._password():
                return self._not_found(request)
            session = self._session(request)
            if session is None or not session.is_owner or not self._is_ours(request, session, form):
                return PlainTextResponse(_FOREIGN_FORM, 403, owner_page_headers())
            return handler(request, session, form)

        return self._with_form(answer)

    def asset(self, request: Request) -> Response:
        """Return the stylesheet or the script. They need no session, because the login form uses them."""
        found = self._pages.asset(request.path_params["name"]) if self._password() else None
        return found or self._not_found(request)

    def show_login(self, request: Request) -> Response:
        """Show the login form, or redirect an owner who is already logged in to the overview."""
        if not self._password():
            return self._not_found(request)
        session = self._session(request)
        if session and session.is_owner:
            return RedirectResponse(self._pages.root, 303, owner_page_headers())
        return self._login_form(request)

    async def log_in(self, request: Request) -> Response:
        """Check the login form, and begin a session if the password is correct."""
        return await self._with_form(self._log_in)(request)

    def log_out(self, request: Request, session: Session, form: Form) -> Response:
        """Log out: end the session, and delete the cookie in the browser."""
        response = RedirectResponse(f"{self._pages.root}/login", 303, owner_page_headers())
        self._sessions.end(request, response)
        return response

    def end_all(self, request: Request, session: Session, form: Form) -> Response:
        """End all sessions, also those of other browsers."""
        self._context.store.sessions.end_all()
        return self.log_out(request, session, form)

    def _log_in(self, request: Request, form: Form) -> Response:
        password = self._password()
        if not password:
            return self._not_found(request)
        session = self._session(request)
        if session is None or not self._is_ours(request, session, form):
            return self._login_form(request, status=403, trouble="The form has expired. Please try again.")
        limits, client = self._context.rate_limits, self._context.clients.address(request.scope)
        with self._guessing:
            if not limits.allow_password(client):
                trouble = "Too many wrong passwords. Please try again in an hour."
                return self._login_form(request, status=429, trouble=trouble)
            if not is_password(form.exact("password"), password):
                limits.count_wrong_password(client)
                return self._login_form(request, status=403, trouble="Wrong password.")
        response = RedirectResponse(self._pages.root, 303, owner_page_headers())
        self._sessions.begin(request, response, self._context.now(), shortened_client(client))
        return response

    def _login_form(self, request: Request, *, status: int = 200, trouble: str = "") -> Response:
        session = self._sessions.for_login(self._context.now())
        response = self._pages.page("login.html", "Log in", session, status=status, trouble=trouble)
        if status == 429:
            response.headers["retry-after"] = "3600"
        self._sessions.begin_login(request, response, session)
        return response

    def _password(self) -> str:
        """Return the hash of the owner's password; "" if none is set."""
        return self._context.store.owner.password_hash()

    def _session(self, request: Request) -> Session | None:
        return self._sessions.find(request, self._context.now())

    def _is_ours(self, request: Request, session: Session, form: Form) -> bool:
        return is_same_site(request, self._context.links.public_url) and self._sessions.owns_form(
            session, form.one("token")
        )

    def _not_found(self, request: Request) -> Response:
        return self._public_pages.message(request, "nothing", "nothing_hint", status=404)

    def _with_form(self, handler: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a handler so that the form is read before the handler runs in a thread."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                form = await read_form(request, self._context.form_seconds)
            except FormError as error:
                return PlainTextResponse("this form could not be read\n", error.status, owner_page_headers())
            except ClientDisconnect:
                return Response(status_code=400)
            return await run_in_threadpool(self._with_error_page(lambda asked: handler(asked, form)), request)

        return answer

    def _with_error_page(self, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """Wrap a handler so that the owner sees a page with its errors.

        Only the type of an error is logged, because its message may contain an email address.
        """

        @wraps(handler)
        def answer(request: Request) -> Response:
            try:
                return handler(request)
            except PublisherError as error:
                if not isinstance(error, NotFoundError):
                    log("admin", f"admin: {type(error).__name__}", level="warning", error=type(error).__name__)
                return self._error_page(request, error)

        return answer

    def _error_page(self, request: Request, error: PublisherError) -> Response:
        try:
            session = self._session(request)
            if session and session.is_owner:
                status = 404 if isinstance(error, NotFoundError) else 503
                title = "Page not found" if status == 404 else "This can't be done right now"
                return self._pages.page("error.html", title, session, status=status, error=error)
        except PublisherError:  # the database itself is unavailable
            pass
        return PlainTextResponse("this can't be done right now; please try again later\n", 503, owner_page_headers())
