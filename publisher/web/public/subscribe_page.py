"""The pages at /subscribe and /confirm/<token>: the sign-up form, and the confirmation of the subscription.

The response to the form is the same whether or not the address is known, because the request is only stored, and the
mail worker looks up the address and sends the email later. Opening the link in the email changes nothing, because mail
scanners open every link; the button on the page confirms the subscription. With subscribers.confirm = "click" a script
presses it for a person who is looking at the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, Subscription
from publisher.core.templates import Templates
from publisher.mail.addresses import split_mailbox, wire_url
from publisher.publishing.mail_wiring import headers_of
from publisher.publishing.sequences import see_sequences
from publisher.site.pages.look import look_of
from publisher.site.pages.signup import newsletter_offers
from publisher.store.subscriber_records import PendingChange
from publisher.subscribers.double_opt_in import Agreed, checked, confirm, look_at_request
from publisher.web.public.public_pages import SHOWN_FIELD, TOPIC_FIELD, chosen, token_of
from publisher.web.public.sign_up_requests import SignUpOutcome, SignUpRequests
from publisher.web.public.strings import speech
from publisher.web.send_notices import queue_welcome

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from publisher.config import Config
    from publisher.web.context import WebContext
    from publisher.web.forms import Form
    from publisher.web.public.public_pages import PublicPages

SOURCE = "form /subscribe"


class SubscribePages:
    """The handlers of /subscribe and /confirm."""

    def __init__(self, context: WebContext, pages: PublicPages, requests: SignUpRequests) -> None:
        self._context, self._pages, self._requests, self._tokens = context, pages, requests, requests.tokens

    def show_form(self, request: Request) -> Response:
        """Show the sign-up form."""
        return self._form(request)

    def take_form(self, request: Request, form: Form) -> Response:
        """Check the sign-up form, and queue the request for the mail worker.

        A form from another page has no token, and a robot sends the form immediately: both get a page with one button.
        """
        outcome, address = self._requests.take(request, form, SOURCE, self._pages.language(request)), form.one("email")
        match outcome:
            case SignUpOutcome.SENT:
                return self._sent(request, address)
            case SignUpOutcome.TOO_MANY:
                return self._pages.too_many(request)
            case SignUpOutcome.UNPROVED:
                return self._step(request, form, self._requests.next_token(form))
            case SignUpOutcome.BUSY | SignUpOutcome.BUSY_HOUR:
                hint = "busy_hint" if outcome is SignUpOutcome.BUSY else "busy_hour"
                ways = self._pages.ways_on(with_newest=False)
                return self._pages.message(request, "busy", hint, status=503, ways=ways)
        return self._form(request, form, trouble=outcome.value, address=address[:200])

    def show_confirm(self, request: Request) -> Response:
        """Show the requested newsletters with a button to confirm. Change nothing yet."""
        seen = self._read(request)
        return self._confirm_form(request, *seen) if seen else self._pages.bad_link(request)

    def confirm(self, request: Request, form: Form) -> Response:
        """Confirm the newsletters chosen on the page, or all those named in the email if the form has no checkboxes."""
        context, agreed = self._context, None
        if form.has(SHOWN_FIELD):
            seen = self._read(request)
            if seen is None:
                return self._pages.bad_link(request)
            try:
                wishes = checked(chosen(context.config, form, held=seen[1].subscriptions), context.newsletter_names)
            except SubscriberError:
                return self._confirm_form(request, *seen, trouble="stale_choice")
            if not wishes:
                return self._confirm_form(request, *seen, trouble="bad_choice")
            agreed = Agreed(wishes, form.one("name"))
        evidence, now = context.evidence(request, "link /confirm"), context.now()
        see_sequences(context.config, context.store, now)
        done = confirm(context.store, context.policy, token_of(request), now=now, evidence=evidence, agreed=agreed)
        if done is None:
            return self._pages.bad_link(request)
        queue_welcome(context, done.subscriber, done.gained)
        return self._confirmed(request, done.subscriber)

    def _read(self, request: Request) -> tuple[Subscriber, PendingChange] | None:
        return look_at_request(self._context.store, self._context.policy, token_of(request), now=self._context.now())

    def _form(self, request: Request, form: Form | None = None, trouble: str = "", address: str = "") -> Response:
        title = self._context.config.site.title
        return self._pages.page(
            request,
            "subscribe.html",
            "subscribe",
            status=400 if trouble else 200,
            values={"title": title, "address": address},
            offers=newsletter_offers(self._context.config, _chosen_before(form)),
            email=form.one("email")[:254] if form else "",
            person_name=form.one("name")[:200] if form else "",
            trouble=trouble,
            token=self._tokens.make(),
            proof_bits=self._tokens.proof_bits,
            contact=self._contact(),
            script=self._pages.script_path if self._tokens.proof_bits else "",
            ways=self._pages.ways_on(),
        )

    def _step(self, request: Request, form: Form, token: str) -> Response:
        """Show the form again as a single button. With JavaScript, the browser presses it after some seconds."""
        names = ("email", "name", "newsletter", "language", *(name for name in form.fields if TOPIC_FIELD in name))
        return self._pages.page(
            request,
            "step.html",
            "step",
            values={"address": form.one("email")},
            fields=[(name, value[:254]) for name in dict.fromkeys(names) for value in form.all(name)],
            token=token,
            proof_bits=self._tokens.proof_bits,
            contact=self._contact(),
            script=self._pages.script_path,
        )

    def _contact(self) -> str:
        """Return the address to which people who cannot use the form can write."""
        headers = headers_of(self._context.config, next(iter(self._context.newsletter_names), "newsletter"))
        return split_mailbox(headers.reply_to or headers.sender)[1]

    def _sent(self, request: Request, address: str) -> Response:
        return self._pages.message(request, "sent_title", "sent", ways=self._pages.ways_on(), address=address[:254])

    def _confirm_form(
        self, request: Request, subscriber: Subscriber, change: PendingChange, *, trouble: str = ""
    ) -> Response:
        """Show the newsletters that were requested.

        Only the newsletters named in the email are ticked, because someone else may have requested the others.
        """
        asked = {each.newsletter for each in change.subscriptions}
        by_itself = self._context.config.subscribers.confirm == "click" and not trouble
        return self._pages.page(
            request,
            "confirm.html",
            "confirm",
            status=400 if trouble else 200,
            language=self._pages.language(request, subscriber.language or change.language),
            offers=[offer for offer in newsletter_offers(self._context.config, change.named) if offer.name in asked],
            person_name=subscriber.name or change.name,
            trouble=trouble,
            by_itself=by_itself,
            script=self._pages.script_path if by_itself else "",
            values={"address": subscriber.address},
        )

    def _confirmed(self, request: Request, subscriber: Subscriber) -> Response:
        token = self._context.links.preferences(subscriber.uid).rpartition("/")[2]
        return self._pages.page(
            request,
            "message.html",
            "confirmed_title",
            language=self._pages.language(request, subscriber.language),
            hint="confirmed",
            values={"address": subscriber.address},
            link=f"{self._pages.prefix}/preferences/{token}",
            link_text="preferences",
            ways=self._pages.ways_on(),
        )


def snippet(config: Config) -> str:
    """Return the sign-up form as HTML for any web page, in the site's language. It needs no script.

    Its styles come after it. All rules of the page override them, and the form works without them.
    """
    templates = Templates(config.root / "templates")
    return templates.render(
        "web/snippet.html",
        action=f"{wire_url(config.public_url)}/subscribe",
        offers=newsletter_offers(config),
        say=speech(config.site.language, templates),
        looks=look_of(config),
    )


def _chosen_before(form: Form | None) -> tuple[Subscription, ...] | None:
    """Return the choices made in a form that is shown again, or None for a new form."""
    if form is None:
        return None
    names = dict.fromkeys(form.all("newsletter"))
    return tuple(Subscription(name, form.all(f"{TOPIC_FIELD}{name}")) for name in names)
