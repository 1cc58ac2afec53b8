"""Login, and the checks before every admin handler: the session, and the token and origin of a form (against CSRF)."""

from __future__ import annotations

import string
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.web.admin.credentials import is_password
from publisher.web.admin.file_upload import MOST_BYTES, SentForm, receive
from publisher.web.admin.guesses import PasswordGate, PasswordResult, refusal
from publisher.web.admin.session_cookies import Session, Sessions
from publisher.web.forms import Form, FormError, is_same_site, read_form
from publisher.web.responses import NotFoundError, owner_page_headers
from publisher.web.worker_threads import run_in_thread

if TYPE_CHECKING:
    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.second_factor import SecondFactor
    from publisher.web.context import WebContext
    from publisher.web.public.public_pages import PublicPages

GetHandler = Callable[[Request, Session], Response]
PostHandler = Callable[[Request, Session, Form], Response]
FileHandler = Callable[[Request, Session, SentForm], Response]
ProvedHandler = Callable[[Request, Session, Form, PasswordResult], Response]

TOO_LARGE = (
    f"a file may have at most {MOST_BYTES // 1_000_000} MB here; `publisher subscribers import` accepts larger ones"
)
_LOGGED_OUT = "You are no longer logged in, so nothing was done. Log in and try again."
_EXPIRED = PublisherError(
    "Nothing was done, because this form is older than your login", hint="Go back to the page and try again."
)
_LONGEST_NEXT = 2_000  # characters of the page that is shown after the login
_URL_CHARACTERS = frozenset(f"{string.ascii_letters}{string.digits}-._~/?=&%+:")
_FOREIGN_FORM = "this form has expired or is not from this page: reload the page and press the button again\n"


class OwnerAuth:
    """Admits only the owner. While no password is set, every page answers 404."""

    def __init__(
        self,
        context: WebContext,
        public_pages: PublicPages,
        pages: AdminPages,
        sessions: Sessions,
        second: SecondFactor,
    ) -> None:
        self._context, self._public_pages, self._pages = context, public_pages, pages
        self._sessions, self._second = sessions, second
        self._gate = PasswordGate(context)
        self._busy_page = b""

    def get(self, handler: GetHandler) -> Callable[[Request], Response]:
        """Wrap a GET handler. Anyone but the owner is redirected to the login form."""

        def answer(request: Request) -> Response:
            """Answer the owner, or ask for the password."""
            if not self._password():
                return self._not_found(request)
            session = self._session(request)
            if session is None or not session.is_owner:
                if request.url.path.endswith(".json"):
                    return PlainTextResponse("log in first\n", 403, owner_page_headers())
                wanted = self._below(request.url.path, request.url.query)
                asked = f"?{urlencode({'next': wanted})}" if wanted else ""
                return RedirectResponse(f"{self._pages.root}/login{asked}", 303, owner_page_headers())
            return handler(request, session)

        return self._with_error_page(answer)

    def post(self, handler: PostHandler) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a POST handler. A form is refused if it has no session, or comes from another site or session."""

        def answer(request: Request, form: Form) -> Response:
            """Answer the owner's form, and refuse any other."""
            admitted = self._admit(request, form)
            return admitted if isinstance(admitted, Response) else handler(request, admitted, form)

        async def in_thread(request: Request, form: Form) -> Response:
            """Answer in a thread, so that other requests need not wait."""
            return await run_in_thread("form", answer, request, form)

        return self._with_form(in_thread)

    def post_with_password(
        self, handler: ProvedHandler, *, needs_code: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a POST handler of a form that asks for the password again. The handler gets the result of the check.

        needs_code: whether the form also asks for a code of the second factor.
        """

        async def answer(request: Request, form: Form) -> Response:
            """Answer the owner's form, in which the password was typed again."""
            admitted = await run_in_thread("form", self._admit, request, form)
            if isinstance(admitted, Response):
                return admitted
            result = await self._check(request, form, needs_code=needs_code)
            return await run_in_thread("form", handler, request, admitted, form, result)

        return self._with_form(answer)

    def post_with_file(self, handler: FileHandler, folder: Path) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a POST handler of a form with a file. Only the owner's browser may send one.

        folder: where the file is written while it arrives
        """

        async def answer(request: Request) -> Response:
            """Answer a file from the owner's browser, and refuse any other before it is read."""
            stranger = await run_in_thread("form", self._refuse_stranger, request)
            if stranger is not None:
                return stranger
            try:
                sent = await receive(request, folder)
            except FormError as error:
                reason = TOO_LARGE if error.status == 413 else "the file did not arrive completely"
                return await run_in_thread("form", self._report, request, PublisherError(reason), error.status)
            except ClientDisconnect:
                return Response(status_code=400)
            try:
                admitted = await run_in_thread("form", self._admit, request, sent.form)
                if isinstance(admitted, Response):
                    return admitted
                return await run_in_thread("form", handler, request, admitted, sent)
            finally:
                sent.path.unlink(missing_ok=True)

        return self._with_reports(answer)

    def asset(self, request: Request) -> Response:
        """Return the stylesheet or the script. They need no session, because the login form uses them."""
        found = self._pages.asset(request.path_params["name"]) if self._password() else None
        return found or self._not_found(request)

    def show_login(self, request: Request) -> Response:
        """Show the login form, or redirect an owner who is already logged in to the page they want."""
        if not self._password():
            return self._not_found(request)
        session, wanted = self._session(request), request.query_params.get("next", "")
        if session and session.is_owner:
            return RedirectResponse(self._page_below(wanted), 303, owner_page_headers())
        return self._login_form(request, wanted)

    async def log_in(self, request: Request) -> Response:
        """Check the login form, and begin a session if the password, and the code if one is needed, are right."""
        return await self._with_form(self._log_in)(request)

    def log_out(self, request: Request, session: Session, form: Form) -> Response:
        """Log out: end the session, and delete the cookie in the browser."""
        response = RedirectResponse(f"{self._pages.root}/login", 303, owner_page_headers())
        self._sessions.end(request, response)
        self._context.record(request, ActionKind.LOGOUT)
        return response

    def end_all(self, request: Request, session: Session, form: Form) -> Response:
        """End all sessions, in this browser and in all others."""
        ended = self._context.store.sessions.end_all()
        self._context.record(request, ActionKind.SESSIONS_ENDED, detail=f"{ended}")
        response = RedirectResponse(f"{self._pages.root}/login", 303, owner_page_headers())
        self._sessions.end(request, response)
        return response

    def _refuse_stranger(self, request: Request) -> Response | None:
        """Return the answer that refuses a request, or None if its headers show that it is from the owner's browser."""
        if not self._password():
            return self._not_found(request)
        session = self._session(request)
        if session is None or not session.is_owner or not self._is_same_site(request):
            return self._refuse_form(request, session)
        return None

    def _admit(self, request: Request, form: Form) -> Session | Response:
        """Return the owner's session if a form belongs to it; otherwise return the answer that refuses the form."""
        if not self._password():
            return self._not_found(request)
        session = self._session(request)
        if session is None or not session.is_owner or not self._is_ours(request, session, form):
            return self._refuse_form(request, session)
        return session

    def _refuse_form(self, request: Request, session: Session | None) -> Response:
        """Return the answer to a form from outside the owner's session: the owner may log in and send it again."""
        if not self._is_same_site(request):
            return PlainTextResponse(_FOREIGN_FORM, 403, owner_page_headers())
        before = urlsplit(request.headers.get("referer", ""))
        wanted = self._below(before.path, before.query)
        if session is None or not session.is_owner:
            return self._login_form(request, wanted, status=403, trouble=_LOGGED_OUT)
        return self._pages.page(
            "error.html", "This form has expired", session, status=403, error=_EXPIRED, back=self._page_below(wanted)
        )

    def _below(self, path: str, query: str) -> str:
        """Return a page and its query, relative to /admin; "" for the overview, and for anything but a page there."""
        below = path.removeprefix(f"{self._pages.root}/")
        if below == path or below.split("/")[0] in ("login", "logout", "logout-all"):
            return ""
        asked = urlencode([(name, value) for name, value in parse_qsl(query) if name != "said"])
        return quote(below, safe="/%") + (f"?{asked}" if asked else "")

    def _page_below(self, wanted: str) -> str:
        """Return the URL of the page below /admin that a link or a form asks for, or else the URL of the overview."""
        is_page = 0 < len(wanted) <= _LONGEST_NEXT and set(wanted) <= _URL_CHARACTERS and ".." not in wanted
        return f"{self._pages.root}/{wanted.lstrip('/')}" if is_page else self._pages.root

    async def _check(self, request: Request, form: Form, *, needs_code: bool) -> PasswordResult:
        """Return whether the password in a form is right, and the code if one is needed. The code is then used up."""

        def find_fault() -> str:
            """Return why the password or the code is wrong, or ""."""
            if not is_password(form.exact("password"), self._password()):
                return "wrong password"
            if needs_code and not self._second.accepts(form.one("code"), self._context.now()):
                return "right password, wrong code"
            return ""

        return await self._gate.check(request, find_fault)

    async def _log_in(self, request: Request, form: Form) -> Response:
        refused = await run_in_thread("form", self._refuse_login, request, form)
        if refused is not None:
            return refused
        needs_code = await run_in_thread("form", lambda: self._second.is_on)
        result = await self._check(request, form, needs_code=needs_code)
        if result is PasswordResult.BUSY:
            return self._busy()
        return await run_in_thread("form", self._finish_login, request, form.one("next"), result)

    def _refuse_login(self, request: Request, form: Form) -> Response | None:
        if not self._password():
            return self._not_found(request)
        session = self._session(request)
        if session is None or not self._is_ours(request, session, form):
            wanted = form.one("next")
            return self._login_form(request, wanted, status=403, trouble="The form has expired. Please try again.")
        return None

    def _finish_login(self, request: Request, wanted: str, result: PasswordResult) -> Response:
        if result is not PasswordResult.RIGHT:
            status, trouble, headers = refusal(result, needs_code=self._second.is_on)
            response = self._login_form(request, wanted, status=status, trouble=trouble)
            response.headers.update(headers)
            return response
        client = self._context.clients.shown(request.scope)
        response = RedirectResponse(self._page_below(wanted), 303, owner_page_headers())
        self._sessions.begin(request, response, self._context.now(), client)
        self._context.record(request, ActionKind.LOGIN)
        log("login", f"login from {client}", client=client)
        return response

    def _busy(self) -> Response:
        """Return the page that turns people away. It is rendered only once, because hundreds may need it together."""
        if not self._busy_page:
            nobody = self._sessions.for_login(self._context.now())
            self._busy_page = bytes(self._pages.page("busy.html", "Log in", nobody).body)
        _, _, headers = refusal(PasswordResult.BUSY, needs_code=False)
        return HTMLResponse(self._busy_page, 429, owner_page_headers() | headers)

    def _login_form(self, request: Request, wanted: str, *, status: int = 200, trouble: str = "") -> Response:
        session = self._sessions.for_login(self._context.now())
        response = self._pages.page(
            "login.html",
            "Log in",
            session,
            status=status,
            trouble=trouble,
            needs_code=self._second.is_on,
            wanted=wanted if len(wanted) <= _LONGEST_NEXT else "",
        )
        self._sessions.begin_login(request, response, session)
        return response

    def _password(self) -> str:
        """Return the hash of the owner's password; "" if none is set."""
        return self._context.store.owner.password_hash()

    def _session(self, request: Request) -> Session | None:
        return self._sessions.find(request, self._context.now())

    def _is_ours(self, request: Request, session: Session, form: Form) -> bool:
        return self._is_same_site(request) and self._sessions.owns_form(session, form.one("token"))

    def _is_same_site(self, request: Request) -> bool:
        # On an address of its own, the admin page accepts no forms from pages of the site.
        return is_same_site(request, "" if self._context.config.admin.listen else self._context.links.public_url)

    def _not_found(self, request: Request) -> Response:
        return self._public_pages.nothing(request)

    def _with_form(
        self, handler: Callable[[Request, Form], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a handler so that it gets the form, and the owner sees its errors on a page."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            """Read the form, and pass it on."""
            form = await self._read(request)
            return form if isinstance(form, Response) else await handler(request, form)

        return self._with_reports(answer)

    def _with_reports(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a handler so that the owner sees its errors on a page, as `_with_error_page` does."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            """Answer, or show the owner a page with the error."""
            try:
                return await handler(request)
            except PublisherError as error:
                return await run_in_thread("form", self._report, request, error)

        return answer

    async def _read(self, request: Request) -> Form | Response:
        """Return the form in a request, or the answer if it cannot be read."""
        try:
            return await read_form(request, self._context.form_seconds)
        except FormError as error:
            return PlainTextResponse("this form could not be read\n", error.status, owner_page_headers())
        except ClientDisconnect:
            return Response(status_code=400)

    def _with_error_page(self, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """Wrap a handler so that the owner sees a page with its errors.

        Only the type of an error is logged, because its message may contain an email address.
        """

        @wraps(handler)
        def answer(request: Request) -> Response:
            """Answer, or show the owner a page with the error."""
            try:
                return handler(request)
            except PublisherError as error:
                return self._report(request, error)

        return answer

    def _report(self, request: Request, error: PublisherError, status: int = 503) -> Response:
        """Log an error, and return a page about it to the owner, or a line of text to anyone else."""
        if not isinstance(error, NotFoundError):
            log("admin", f"admin: {type(error).__name__}", level="warning", error=type(error).__name__)
        try:
            session = self._session(request)
            if session and session.is_owner:
                status = 404 if isinstance(error, NotFoundError) else status
                title = "Page not found" if status == 404 else "This can't be done right now"
                return self._pages.page("error.html", title, session, status=status, error=error)
        except PublisherError:  # the database itself is unavailable
            pass
        return PlainTextResponse("this can't be done right now; please try again later\n", 503, owner_page_headers())
