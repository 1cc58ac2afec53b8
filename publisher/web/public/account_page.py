"""The pages at /account/<token> and /address/<token>, for actions that a link in a forwarded newsletter must not allow.

On the first, subscribers change their address, and download or delete their data. Its link is emailed to them when they
ask for it on the preferences page, and works once. On the second, they confirm a new email address.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import Response

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber
from publisher.subscribers.account import look_at_account, use_account_link
from publisher.subscribers.address import normalise
from publisher.subscribers.address_change import (
    Moved,
    confirm_address_change,
    look_at_address_change,
    moved_email,
    request_address_change,
)
from publisher.subscribers.privacy import erase, export_data
from publisher.web.mail_worker import RetryLaterError
from publisher.web.public.public_pages import token_of
from publisher.web.responses import public_page_headers
from publisher.web.send_notices import alert_owner_of_limit, queue_notice

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.mail.transport import Transport
    from publisher.web.context import WebContext
    from publisher.web.forms import Form
    from publisher.web.public.public_pages import PublicPages

SOURCE = "link /account"


class AccountPages:
    """The handlers of /account and the page below it."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages

    def show(self, request: Request) -> Response:
        """Show the forms for the address and the data. Change nothing, and leave the link valid."""
        subscriber = self._subscriber(request)
        return self._page(request, "account.html", "account", subscriber) if subscriber else self._bad_link(request)

    def change(self, request: Request, form: Form) -> Response:
        """Handle one of the forms on the page."""
        subscriber = self._subscriber(request)
        if subscriber is None:
            return self._bad_link(request)
        match form.one("do"):
            case "move":
                return self._request_address(request, form, subscriber)
            case "data":
                return self._data(request)
        return self._pages.bad_form(request)

    def show_erase(self, request: Request) -> Response:
        """Ask for confirmation before the subscriber's data is deleted."""
        subscriber = self._subscriber(request)
        return self._page(request, "erase.html", "erase", subscriber) if subscriber else self._bad_link(request)

    def erase(self, request: Request, form: Form) -> Response:
        """Delete everything that is stored about the subscriber."""
        if form.one("do") != "erase":
            return self._pages.bad_form(request)
        subscriber = self._use(request)
        if subscriber is None:
            return self._bad_link(request)
        language = self._language(request, subscriber)
        done = erase(self._context.store, subscriber.address, now=self._context.now(), source=SOURCE)
        if not done.scrubbed:
            self._context.mail_worker.put("scrub", self._scrub)
        return self._pages.message(request, "erased_title", "erased", language=language, address=subscriber.address)

    def _scrub(self, transport: Transport) -> None:
        """Rewrite the database files, which still contain traces of deleted rows.

        Raises RetryLaterError if that is not possible now.
        """
        if not self._context.store.subscribers.scrub():
            raise RetryLaterError("another process is using the database, or the disk is full")

    def _data(self, request: Request) -> Response:
        """Return everything that is stored about the subscriber, as a JSON file."""
        subscriber = self._use(request)
        found = export_data(self._context.store, subscriber.uid) if subscriber else None
        if found is None:
            return self._bad_link(request)
        disposition = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        text = json.dumps(found, ensure_ascii=False, indent=2)
        return Response(text + "\n", 200, public_page_headers() | disposition, "application/json")

    def _request_address(self, request: Request, form: Form, subscriber: Subscriber) -> Response:
        """Queue a confirmation email to the new address."""
        context = self._context
        if not context.rate_limits.allow_form(context.clients.address(request.scope)):
            return self._pages.too_many(request)
        asked = form.one("email")
        try:
            bare = normalise(asked)
        except SubscriberError:
            return self._page(
                request, "account.html", "account", subscriber, trouble="bad_address", status=400, asked=asked[:200]
            )
        if self._use(request) is None:  # someone else was faster
            return self._bad_link(request)
        evidence, now = context.evidence(request, SOURCE), context.now()
        done = request_address_change(context.store, context.policy, subscriber.uid, bare, now=now, evidence=evidence)
        if done.email is not None:
            queue_notice(context, done.email)
        context.mail_worker.put("owner alert", lambda transport: alert_owner_of_limit(context))
        language = self._language(request, subscriber)
        if done.limited:
            page = self._pages.message(request, "move", "move_limited", status=429, language=language, address=bare)
            page.headers["retry-after"] = str(int(context.policy.waits[0].total_seconds()))
            return page
        return self._pages.message(request, "move", "move_sent", language=language, address=bare)

    def _page(
        self,
        request: Request,
        template: str,
        title: str,
        subscriber: Subscriber,
        *,
        trouble: str = "",
        status: int = 200,
        asked: str = "",
    ) -> Response:
        return self._pages.page(
            request,
            template,
            title,
            status=status,
            language=self._language(request, subscriber),
            token=token_of(request),
            trouble=trouble,
            asked=asked,
            values={"address": subscriber.address},
        )

    def _bad_link(self, request: Request) -> Response:
        return self._pages.message(request, "bad_link", "account_over", status=404)

    def _language(self, request: Request, subscriber: Subscriber) -> str:
        return self._pages.language(request, subscriber.language)

    def _subscriber(self, request: Request) -> Subscriber | None:
        context = self._context
        return look_at_account(context.store, context.policy, token_of(request), now=context.now())

    def _use(self, request: Request) -> Subscriber | None:
        context = self._context
        return use_account_link(context.store, context.policy, token_of(request), now=context.now())


class AddressChangePages:
    """The handlers of /address, which is linked from the email to a subscriber's new address."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages

    def show(self, request: Request) -> Response:
        """Show the old and the new address with a button that confirms the change. Change nothing yet."""
        context = self._context
        seen = look_at_address_change(context.store, context.policy, token_of(request), now=context.now())
        if seen is None:
            return self._pages.bad_link(request)
        subscriber, address = seen
        language = self._pages.language(request, subscriber.language)
        values = {"old": subscriber.address, "address": address}
        return self._pages.page(request, "move.html", "move_confirm", language=language, values=values)

    def change(self, request: Request, form: Form) -> Response:
        """Change the subscriber's address, and send a notice to the old address."""
        context, token = self._context, token_of(request)
        seen = look_at_address_change(context.store, context.policy, token, now=context.now())
        evidence = context.evidence(request, "link /address")
        moved = confirm_address_change(context.store, context.policy, token, now=context.now(), evidence=evidence)
        if seen is None or moved is Moved.REFUSED:
            return self._pages.bad_link(request)
        subscriber, address = seen
        language = self._pages.language(request, subscriber.language)
        if moved is Moved.TAKEN:
            return self._pages.message(request, "move", "move_taken", status=409, language=language, address=address)
        queue_notice(context, moved_email(context.store, context.policy, subscriber, now=context.now()))
        return self._pages.message(request, "moved_title", "moved", language=language, address=address)
