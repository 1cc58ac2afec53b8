"""The pages at /preferences/<token> and /address/<token>.

On the first, subscribers change their preferences, and download or delete their data. On the second, they confirm a new
email address. The link is the only proof of identity: it is in every email to the subscriber, and in no one else's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import Response

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber
from publisher.mail.links import LinkPurpose
from publisher.site.pages.signup import newsletter_offers
from publisher.subscribers.address import normalise
from publisher.subscribers.address_change import (
    Moved,
    confirm_address_change,
    look_at_address_change,
    moved_email,
    request_address_change,
)
from publisher.subscribers.privacy import erase, export_data
from publisher.subscribers.self_service import Preferences, set_preferences
from publisher.web.mail_worker import RetryLaterError
from publisher.web.public.public_pages import SHOWN_FIELD, chosen, token_of
from publisher.web.responses import public_page_headers
from publisher.web.send_notices import queue_notice

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.mail.transport import Transport
    from publisher.web.context import WebContext
    from publisher.web.forms import Form
    from publisher.web.public.public_pages import PublicPages

SOURCE = "link /preferences"
PAUSES = (1, 2, 4, 8, 12, 26)  # weeks
_LONGEST_TOKEN = 500


class PreferencesPages:
    """The handlers of /preferences and the pages below it."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages

    def show(self, request: Request) -> Response:
        """Show forms with the subscriber's newsletters, topics, language, pause and address."""
        subscriber = self._subscriber(request)
        return self._page(request, subscriber) if subscriber else self._pages.bad_link(request)

    def change(self, request: Request, form: Form) -> Response:
        """Handle one of the forms on the page."""
        subscriber = self._subscriber(request)
        if subscriber is None:
            return self._pages.bad_link(request)
        try:
            match form.one("do"):
                case "save":
                    return self._save(request, form, subscriber)
                case "move":
                    return self._request_address(request, form, subscriber)
        except SubscriberError:
            return self._page(request, subscriber, trouble="stale_choice", status=400)
        return self._pages.bad_form(request)

    def data(self, request: Request) -> Response:
        """Return everything that is stored about the subscriber, as a JSON file."""
        subscriber = self._subscriber(request)
        if subscriber is None:
            return self._pages.bad_link(request)
        found = json.dumps(export_data(self._context.store, subscriber.uid), ensure_ascii=False, indent=2)
        disposition = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(found + "\n", 200, public_page_headers() | disposition, "application/json")

    def show_erase(self, request: Request) -> Response:
        """Ask for confirmation before the subscriber's data is deleted."""
        subscriber = self._subscriber(request)
        if subscriber is None:
            return self._pages.bad_link(request)
        return self._pages.page(
            request,
            "erase.html",
            "erase",
            language=self._language(request, subscriber),
            token=token_of(request),
            values={"address": subscriber.address},
        )

    def erase(self, request: Request, form: Form) -> Response:
        """Delete everything that is stored about the subscriber."""
        subscriber = self._subscriber(request)
        if subscriber is None:
            return self._pages.bad_link(request)
        if form.one("do") != "erase":
            return self._pages.bad_form(request)
        language = self._language(request, subscriber)
        done = erase(self._context.store, subscriber.address, now=self._context.now(), source=SOURCE)
        if not done.scrubbed:
            self._context.mail_worker.put("scrub", self._scrub)
        return self._pages.message(request, "erased_title", "erased", language=language, address=subscriber.address)

    def _scrub(self, transport: Transport) -> None:
        """Rewrite the database files, which still contain traces of deleted rows.

        Raises RetryLaterError if another process is reading the database.
        """
        if not self._context.store.subscribers.scrub():
            raise RetryLaterError("another process is reading the database")

    def _save(self, request: Request, form: Form, subscriber: Subscriber) -> Response:
        context = self._context
        weeks = form.one("pause")
        if weeks and not (weeks.isascii() and weeks.isdigit() and len(weeks) < 4):
            raise SubscriberError("a pause is a number of weeks")
        wanted = Preferences(
            subscriptions=chosen(context.config, form, held=subscriber.subscriptions),
            language=form.one("language"),
            pause_weeks=int(weeks) if weeks else None,
            name=form.one("name") if form.has("name") else None,
            shown=form.all(SHOWN_FIELD) if form.has(SHOWN_FIELD) else None,
        )
        after = set_preferences(
            context.store,
            context.policy,
            subscriber.uid,
            wanted,
            known=context.newsletter_names,
            now=context.now(),
            evidence=context.evidence(request, SOURCE),
        )
        if after is None:
            return self._page(request, subscriber, trouble="not_saved", status=409)
        return self._page(request, after, said="saved")

    def _request_address(self, request: Request, form: Form, subscriber: Subscriber) -> Response:
        """Queue a confirmation email to the new address."""
        context = self._context
        if not context.rate_limits.allow_form(context.clients.address(request.scope)):
            return self._pages.too_many(request)
        asked = form.one("email")
        try:
            bare = normalise(asked)
        except SubscriberError:
            return self._page(request, subscriber, trouble="bad_address", status=400, asked=asked[:200])
        done = request_address_change(
            context.store,
            context.policy,
            subscriber.uid,
            bare,
            now=context.now(),
            evidence=context.evidence(request, SOURCE),
        )
        if done.email is not None:
            queue_notice(context, done.email)
        if done.limited:
            page = self._page(request, subscriber, trouble="move_limited", status=429, asked=bare)
            page.headers["retry-after"] = str(int(context.policy.ask_every.total_seconds()))
            return page
        return self._page(request, subscriber, said="move_sent", asked=bare)

    def _page(
        self,
        request: Request,
        subscriber: Subscriber,
        *,
        said: str = "",
        trouble: str = "",
        status: int = 200,
        asked: str = "",
    ) -> Response:
        paused = subscriber.paused_until
        now = self._context.now()
        active = subscriber.status.value == "active"
        return self._pages.page(
            request,
            "preferences.html",
            "preferences",
            status=status,
            language=self._language(request, subscriber),
            person=subscriber,
            token=token_of(request),
            offers=newsletter_offers(self._context.config, subscriber.subscriptions if active else ()),
            languages=self._pages.languages(subscriber.language),
            pauses=PAUSES,
            paused=paused.astimezone(self._context.config.zone) if paused and paused > now else None,
            said=said,
            trouble=trouble,
            values={"address": asked or subscriber.address},
        )

    def _language(self, request: Request, subscriber: Subscriber) -> str:
        return self._pages.language(request, subscriber.language)

    def _subscriber(self, request: Request) -> Subscriber | None:
        """Return the subscriber that the token belongs to; None if the token is invalid or the subscriber is gone."""
        token = token_of(request)
        found = self._context.links.read(LinkPurpose.PREFERENCES, token) if len(token) <= _LONGEST_TOKEN else None
        return self._context.store.subscribers.by_uid(found[0]) if found and len(found) == 1 else None


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
        queue_notice(context, moved_email(subscriber))
        return self._pages.message(request, "confirmed_title", "moved", language=language, address=address)
