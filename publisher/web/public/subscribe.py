"""From the form to a confirmed person: /subscribe and /confirm/<token>."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, Subscription
from publisher.site.pages.signup import newsletter_offers
from publisher.subscribers.address import clean_language, normalise
from publisher.subscribers.double_opt_in import Agreed, checked, confirm, look_at_request, request_subscription
from publisher.web.public.offers import SHOWN_FIELD, chosen
from publisher.web.public.strings import speech
from publisher.web.send_notices import mail_notice, mail_welcome

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from publisher.mail.transport import Transport
    from publisher.store.issued_tokens import PendingChange
    from publisher.web.context import Office
    from publisher.web.forms import Form
    from publisher.web.public.pages import Pages

HONEYPOT = "website"  # nobody sees it, and programs fill it in
SOURCE = "form /subscribe"


class Subscribing:
    """The handlers."""

    def __init__(self, office: Office, pages: Pages) -> None:
        self._office, self._pages = office, pages

    def form(self, request: Request) -> Response:
        """Show the form."""
        return self._form(request)

    def ask(self, request: Request, form: Form) -> Response:
        """Take the form. What is answered, and when, is the same whoever's address it is."""
        office = self._office
        if not office.gate.lets_client(office.clients.address(request.scope)):
            return too_many(self._pages, request, office)
        address = form.one("email")
        if form.one(HONEYPOT):
            return self._sent(request, address)
        try:
            bare = normalise(address)
        except SubscriberError:
            return self._form(request, form, trouble="bad_address", address=address[:200])
        try:
            wishes = checked(chosen(office.config, form), office.known)
        except SubscriberError:  # it was there when the page was opened
            return self._form(request, form, trouble="stale_choice")
        if not wishes:
            return self._form(request, form, trouble="bad_choice")
        if office.gate.lets_address(bare) and not self._take(request, form, bare, wishes):
            return self._pages.message(request, "busy", "busy_hint", status=503)
        return self._sent(request, bare)

    def look(self, request: Request) -> Response:
        """Show what a token is for, and the button; change nothing."""
        seen = self._seen(request)
        return self._confirming(request, *seen) if seen else bad_link(self._pages, request)

    def confirm(self, request: Request, form: Form) -> Response:
        """Let come true what is chosen on the page; all that the mail names, where there were no boxes."""
        office, agreed = self._office, None
        if form.has(SHOWN_FIELD):
            seen = self._seen(request)
            if seen is None:
                return bad_link(self._pages, request)
            try:
                wishes = checked(chosen(office.config, form, held=seen[1].subscriptions), office.known)
            except SubscriberError:
                return self._confirming(request, *seen, trouble="stale_choice")
            if not wishes:
                return self._confirming(request, *seen, trouble="bad_choice")
            agreed = Agreed(wishes, form.one("name"))
        evidence = office.evidence(request, "link /confirm")
        done = confirm(office.store, office.terms, _token(request), now=office.now(), evidence=evidence, agreed=agreed)
        if done is None:
            return bad_link(self._pages, request)
        mail_welcome(office, done.subscriber, done.gained)
        return self._confirmed(request, done.subscriber)

    def _seen(self, request: Request) -> tuple[Subscriber, PendingChange] | None:
        return look_at_request(self._office.store, self._office.terms, _token(request), now=self._office.now())

    def _confirming(self, request: Request, person: Subscriber, wish: PendingChange, *, trouble: str = "") -> Response:
        """The boxes of what was asked for, ticked where the mail names it: the rest may be a stranger's wish."""
        asked = {each.newsletter for each in wish.subscriptions}
        return self._pages.page(
            request,
            "confirm.html",
            "confirm",
            status=400 if trouble else 200,
            language=self._pages.language(request, person.language or wish.language),
            offers=[offer for offer in newsletter_offers(self._office.config, wish.named) if offer.name in asked],
            person_name=person.name or wish.name,
            trouble=trouble,
            values={"address": person.address},
        )

    def _confirmed(self, request: Request, person: Subscriber) -> Response:
        return self._pages.page(
            request,
            "message.html",
            "confirmed_title",
            language=self._pages.language(request, person.language),
            hint="confirmed",
            values={"address": person.address},
            link=f"{self._pages.prefix}/preferences/{self._office.links.preferences(person.uid).rpartition('/')[2]}",
            link_text="preferences",
        )

    def _take(self, request: Request, form: Form, bare: str, wishes: Sequence[Subscription]) -> bool:
        """Put a request where it is worked on after the answer; False where too much waits there."""
        office, asked_at = self._office, self._office.now()
        language = clean_language(form.one("language")) or self._pages.language(request)
        consent = speech(language, office.templates).consent
        version = f"{language}-{hashlib.sha256(consent.encode()).hexdigest()[:8]}"
        evidence = office.evidence(request, SOURCE, version)
        name = form.one("name")

        def work(transport: Transport) -> None:
            notice = request_subscription(
                office.store,
                office.terms,
                bare,
                wishes,
                known=office.known,
                now=asked_at,
                evidence=evidence,
                name=name,
                language=language,
            )
            if notice is not None:
                mail_notice(office, notice)

        return office.mailroom.put("request", work)

    def _form(self, request: Request, form: Form | None = None, trouble: str = "", address: str = "") -> Response:
        title = self._office.config.site.title
        return self._pages.page(
            request,
            "subscribe.html",
            "subscribe",
            status=400 if trouble else 200,
            values={"title": title, "address": address},
            offers=newsletter_offers(self._office.config, _held(form)),
            email=form.one("email")[:254] if form else "",
            person_name=form.one("name")[:200] if form else "",
            trouble=trouble,
        )

    def _sent(self, request: Request, address: str) -> Response:
        return self._pages.message(request, "sent_title", "sent", address=address[:254])


def bad_link(pages: Pages, request: Request) -> Response:
    """Return the page for a token that is forged, cut short, too old, used, or for something else."""
    return pages.message(request, "bad_link", "bad_link_hint", status=404)


def too_many(pages: Pages, request: Request, office: Office) -> Response:
    """Return the page for a client that sent all its forms of this hour, and when the next hour begins."""
    page = pages.message(request, "too_many", "too_many_hint", status=429)
    page.headers["retry-after"] = str(office.gate.seconds_left(office.clients.address(request.scope)))
    return page


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _held(form: Form | None) -> tuple[Subscription, ...]:
    """What a form that is shown again had chosen."""
    names = form.all("newsletter") if form else ()
    return tuple(Subscription(name, form.all(f"topic.{name}")) for name in dict.fromkeys(names)) if form else ()
