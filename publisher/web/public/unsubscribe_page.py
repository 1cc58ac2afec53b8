"""The pages at /unsubscribe/<token>, where subscribers unsubscribe and can undo it for a day, and at /never/<token>.

On the second, anyone who got an email that a form triggered can say that they want no email at all. Opening a link
changes nothing, because mail scanners open every link. Subscribers unsubscribe with a button on the page or with the
one-click request of their mailbox provider (RFC 8058).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from publisher.mail.links import LinkPurpose
from publisher.mail.send_test import NOBODY
from publisher.subscribers.self_service import come_back, decline_all, unsubscribe
from publisher.web.public.public_pages import title_of, token_of
from publisher.web.responses import public_page_headers
from publisher.web.send_notices import queue_farewell

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.context import WebContext
    from publisher.web.forms import Form
    from publisher.web.public.public_pages import PublicPages

SOURCE = "link /unsubscribe"
ONE_CLICK = "one-click /unsubscribe"
_LONGEST_TOKEN = 500
_LONGEST_NEVER = 2_500  # its token contains an address of up to 254 characters, escaped


class UnsubscribePages:
    """The handlers of /unsubscribe."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages

    def show(self, request: Request) -> Response:
        """Ask the subscriber to confirm."""
        found = self._read(request)
        if found is None:
            return self._pages.bad_link(request)
        uid, newsletter = found
        if uid == NOBODY:
            return self._pages.test_copy(request)
        return self._page(request, "leave.html", "leave", newsletter, self._language(uid))

    def unsubscribe(self, request: Request, form: Form) -> Response:
        """Unsubscribe, or undo it, depending on the button in the form.

        A mailbox provider's one-click request gets a plain response without cookies or a redirect (RFC 8058).
        """
        found = self._read(request)
        if found is None:
            return self._pages.bad_link(request)
        uid, newsletter = found
        if uid == NOBODY:
            return self._pages.test_copy(request)
        if form.one("List-Unsubscribe") == "One-Click":
            self._unsubscribe(request, uid, newsletter, ONE_CLICK)
            return Response("You are unsubscribed.\n", 200, public_page_headers(), "text/plain; charset=utf-8")
        language = self._language(uid)
        match form.one("do"):
            case "leave":
                self._unsubscribe(request, uid, newsletter, SOURCE, form.one("reason"))
                return self._page(request, "left.html", "left_title", newsletter, language, scope="one")
            case "leave-all":
                self._unsubscribe(request, uid, None, SOURCE, form.one("reason"))
                return self._page(request, "left.html", "left_title", newsletter, language, scope="all")
            case "back":
                return self._undo(request, uid, newsletter, form.one("scope"), language)
        return self._pages.bad_form(request)

    def _undo(self, request: Request, uid: str, newsletter: str, scope: str, language: str) -> Response:
        context = self._context
        is_back = come_back(
            context.store,
            context.policy,
            uid,
            None if scope == "all" else newsletter,
            now=context.now(),
            evidence=context.evidence(request, SOURCE),
        )
        if is_back:
            return self._page(request, "message.html", "back_title", newsletter, language, hint="back")
        return self._page(request, "message.html", "bad_form", newsletter, language, status=409, hint="not_back")

    def _unsubscribe(self, request: Request, uid: str, newsletter: str | None, source: str, reason: str = "") -> None:
        context = self._context
        evidence, now = context.evidence(request, source), context.now()
        if unsubscribe(context.store, context.policy, uid, newsletter, now=now, evidence=evidence, reason=reason):
            queue_farewell(context, uid, [newsletter] if newsletter else None)

    def _page(
        self,
        request: Request,
        template: str,
        title: str,
        newsletter: str,
        known_language: str,
        *,
        status: int = 200,
        **variables: str,
    ) -> Response:
        values = {"title": title_of(self._context.config, newsletter)}
        language = self._pages.language(request, known_language)
        return self._pages.page(request, template, title, status=status, language=language, values=values, **variables)

    def _language(self, uid: str) -> str:
        subscriber = self._context.store.subscribers.by_uid(uid)
        return subscriber.language if subscriber else ""

    def _read(self, request: Request) -> tuple[str, str] | None:
        """Return the subscriber's uid and the newsletter's name from the token; None if the token is invalid."""
        token = token_of(request)
        found = self._context.links.read(LinkPurpose.UNSUBSCRIBE, token) if len(token) <= _LONGEST_TOKEN else None
        return (found[0], found[1]) if found and len(found) == 2 else None


class NeverPages:
    """The handlers of /never, which is linked from the emails that anyone can trigger with a form."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages

    def show(self, request: Request) -> Response:
        """Show a button that puts the address on the suppression list. Change nothing yet."""
        address = self._read(request)
        if address is None:
            return self._pages.bad_link(request)
        return self._pages.page(request, "never.html", "never", values={"address": address})

    def decline(self, request: Request, form: Form) -> Response:
        """Put the address on the suppression list."""
        address = self._read(request)
        if address is None:
            return self._pages.bad_link(request)
        if form.one("do") != "never":
            return self._pages.bad_form(request)
        decline_all(self._context.store, address, now=self._context.now(), source="link /never")
        return self._pages.message(request, "never_title", "never_done", address=address)

    def _read(self, request: Request) -> str | None:
        token = token_of(request)
        return self._context.links.read_never(token) if len(token) <= _LONGEST_NEVER else None
