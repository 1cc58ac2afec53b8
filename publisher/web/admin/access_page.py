"""The page /admin/access: who is logged in, and the second factor, which can be turned on and off there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.web.admin.guesses import PasswordResult, refusal
from publisher.web.admin.second_factor import SecondFactor, is_key, key_uri, new_key, svg_code
from publisher.web.responses import Flash, owner_page_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext
    from publisher.web.forms import Form


class AccessPage:
    """The handlers of /admin/access. They never change the password: the command line does that."""

    def __init__(self, context: WebContext, pages: AdminPages, second: SecondFactor) -> None:
        self._context, self._pages, self._second = context, pages, second

    def show(self, request: Request, session: Session) -> Response:
        """Show the sessions that have not ended, and the form for the second factor."""
        return self._page(request, session)

    def turn_on(self, request: Request, session: Session, form: Form, result: PasswordResult) -> Response:
        """Turn the second factor on, if the password was right, and show the recovery codes."""
        key = form.one("key")
        if result is not PasswordResult.RIGHT:
            return self._refused(request, session, result, key)
        try:
            codes = self._second.turn_on(key, "".join(form.one("code").split()), self._context.now())
        except PublisherError as error:
            return self._page(request, session, key=key, status=400, trouble=f"Nothing was changed: {error}.")
        # Someone who knows the password may already be logged in.
        self._context.store.sessions.end_others(session.nonce)
        self._context.record(request, ActionKind.FACTOR_ON)
        return self._page(request, session, codes=codes)

    def turn_off(self, request: Request, session: Session, form: Form, result: PasswordResult) -> Response:
        """Turn the second factor off, if the password and the code were right."""
        if result is not PasswordResult.RIGHT:
            return self._refused(request, session, result)
        if was_on := self._second.turn_off():
            self._context.record(request, ActionKind.FACTOR_OFF)
        name = self._pages.flashes.add(Flash("The second factor is off." if was_on else "It was already off."))
        return RedirectResponse(f"{self._pages.root}/access?said={name}", 303, owner_page_headers())

    def _refused(self, request: Request, session: Session, result: PasswordResult, key: str = "") -> Response:
        status, trouble, headers = refusal(result, needs_code=self._second.is_on)
        response = self._page(request, session, key=key, status=status, trouble=trouble)
        response.headers.update(headers)
        return response

    def _page(
        self,
        request: Request,
        session: Session,
        *,
        key: str = "",
        status: int = 200,
        trouble: str = "",
        codes: list[str] | None = None,
    ) -> Response:
        """Return the page. key: the key in the form that was just refused, which may already be in the app."""
        stored, now = self._context.store.sessions, self._context.now()
        is_on = self._second.is_on
        key = "" if is_on else key if is_key(key) else new_key()
        uri = key_uri(key, self._context.config.site.title) if key else ""
        return self._pages.page(
            "access.html",
            "Access",
            session,
            status=status,
            said=request.query_params.get("said", ""),
            sessions=stored.list(now),
            here=stored.find(session.nonce, now),
            is_on=is_on,
            codes_left=self._second.codes_left() if is_on else 0,
            key=key,
            uri=uri,
            picture=Markup(svg_code(uri)) if uri else "",  # noqa: S704 - made by segno, of our own text
            trouble=trouble,
            codes=codes or [],
        )
