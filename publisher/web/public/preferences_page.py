"""The page at /preferences/<token>, on which subscribers choose newsletters, topics, a language and a pause.

The link is in every email to the subscriber, and so it may have been forwarded with one. Getting or deleting data
requires a different link; see account_page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber
from publisher.mail.links import LinkPurpose
from publisher.mail.send_test import NOBODY
from publisher.site.pages.signup import NewsletterOffer, newsletter_offers, with_frequencies
from publisher.subscribers.account import request_account_link
from publisher.subscribers.edit import require_offered
from publisher.subscribers.self_service import Preferences, set_preferences
from publisher.web.public.public_pages import SHOWN_FIELD, chosen, title_of, token_of
from publisher.web.send_notices import queue_farewell, queue_notice

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from publisher.web.context import WebContext
    from publisher.web.forms import Form
    from publisher.web.public.public_pages import PublicPages

SOURCE = "link /preferences"
PAUSES = (1, 2, 4, 8, 12, 26)  # weeks
OFTEN_FIELD = "often."
_LONGEST_TOKEN = 500


class PreferencesPages:
    """The handlers of /preferences."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages

    def show(self, request: Request) -> Response:
        """Show forms with the subscriber's newsletters, topics, language and pause."""
        subscriber = self._subscriber(request)
        return self._page(request, subscriber) if subscriber else self._no_subscriber(request)

    def change(self, request: Request, form: Form) -> Response:
        """Handle one of the forms on the page."""
        subscriber = self._subscriber(request)
        if subscriber is None:
            return self._no_subscriber(request)
        try:
            match form.one("do"):
                case "save":
                    return self._save(request, form, subscriber)
                case "account":
                    return self._email_link(request, subscriber)
        except SubscriberError:
            return self._page(request, subscriber, trouble="stale_choice", status=400)
        return self._pages.bad_form(request)

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
            frequencies=_frequencies(context.config, form),
        )
        saved = set_preferences(
            context.store,
            context.policy,
            subscriber.uid,
            wanted,
            known=context.newsletter_names,
            now=context.now(),
            evidence=context.evidence(request, SOURCE),
        )
        if saved is None:
            return self._page(request, subscriber, trouble="not_saved", status=409)
        if saved.email is not None:
            queue_notice(context, saved.email)
        queue_farewell(context, subscriber.uid, saved.left)
        waiting = ", ".join(title_of(context.config, name) for name in saved.waiting)
        said = "saved_waiting" if waiting else "saved"
        if subscriber.subscriptions and not (saved.subscriber.subscriptions or waiting):
            said = "left_all"
        return self._page(request, saved.subscriber, said=said, waiting=waiting)

    def _email_link(self, request: Request, subscriber: Subscriber) -> Response:
        """Queue an email with a link to the subscriber's data and address, and say so even if one was already sent."""
        context = self._context
        if not context.rate_limits.allow_form(context.clients.address(request.scope)):
            return self._pages.too_many(request)
        done = request_account_link(context.store, context.policy, subscriber.uid, now=context.now())
        if not done.possible:
            return self._page(request, subscriber, trouble="not_saved", status=409)
        if done.email is not None:
            queue_notice(context, done.email)
        return self._page(request, subscriber, said="account_sent")

    def _page(
        self,
        request: Request,
        subscriber: Subscriber,
        *,
        said: str = "",
        trouble: str = "",
        status: int = 200,
        waiting: str = "",
    ) -> Response:
        paused = subscriber.paused_until
        now = self._context.now()
        active, links = subscriber.status.value == "active", self._context.links
        leave = (
            links.unsubscribe(subscriber.uid, subscriber.subscriptions[0].newsletter)
            if subscriber.subscriptions
            else ""
        )
        return self._pages.page(
            request,
            "preferences.html",
            "preferences",
            status=status,
            language=self._language(request, subscriber),
            person=subscriber,
            token=token_of(request),
            offers=self._offers(subscriber) if active else newsletter_offers(self._context.config, ()),
            languages=self._pages.languages(subscriber.language),
            pauses=PAUSES,
            leave=leave.removeprefix(links.public_url) if active else "",
            paused=paused.astimezone(self._context.config.zone) if paused and paused > now else None,
            said=said,
            trouble=trouble,
            values={"address": subscriber.address, "newsletters": waiting},
        )

    def _offers(self, subscriber: Subscriber) -> tuple[NewsletterOffer, ...]:
        offers = newsletter_offers(self._context.config, subscriber.subscriptions)
        chosen = {record.newsletter: record.frequency for record in subscriber.records}
        return with_frequencies(self._context.config, offers, chosen)

    def _language(self, request: Request, subscriber: Subscriber) -> str:
        return self._pages.language(request, subscriber.language)

    def _subscriber(self, request: Request) -> Subscriber | None:
        """Return the subscriber that the token belongs to; None if the token is invalid or the subscriber is gone."""
        uid = self._uid(request)
        return self._context.store.subscribers.by_uid(uid) if uid else None

    def _no_subscriber(self, request: Request) -> Response:
        is_test = self._uid(request) == NOBODY
        return self._pages.test_copy(request) if is_test else self._pages.bad_link(request)

    def _uid(self, request: Request) -> str:
        token = token_of(request)
        found = self._context.links.read(LinkPurpose.PREFERENCES, token) if len(token) <= _LONGEST_TOKEN else None
        return found[0] if found and len(found) == 1 else ""


def _frequencies(config: Config, form: Form) -> dict[str, str]:
    """Return the frequencies that the form asks for, by newsletter; raise SubscriberError if one isn't offered."""
    found = {}
    for newsletter in config.newsletters:
        name = f"{OFTEN_FIELD}{newsletter.name}"
        if form.has(name):
            found[newsletter.name] = form.one(name)
            require_offered(newsletter, form.one(name))
    return found
