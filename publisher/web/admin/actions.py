"""The actions of the buttons on the admin pages. Each action ends with a redirect to a page that shows the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.publishing.later_recipients import add_recipients
from publisher.publishing.operations import (
    approve,
    cancel,
    edition_label,
    hold,
    in_hand,
    resume,
    retry,
    skip,
    take_over_dead,
)
from publisher.publishing.publish import send_letter
from publisher.publishing.shared_drafts import DAYS, DraftKind, draft_link
from publisher.publishing.wiring import transport_name
from publisher.subscribers.address import normalise
from publisher.web.admin.views import find_edition
from publisher.web.responses import Flash, NotFoundError, owner_page_headers
from publisher.web.sample_email import next_email

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.session_cookies import Session
    from publisher.web.admin.views import AdminViews
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

_LONGEST_REASON = 200

# How long to wait for running deliveries to stop, in seconds, before the rest of an edition is cancelled.
PATIENCE = 5.0

_RETRYABLE = (DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN, DeliveryStatus.DEFERRED)


@dataclass(frozen=True, slots=True)
class _Done:
    """What a button did, for the owner and for the log of actions."""

    text: str
    what: ActionKind
    detail: str = ""


class AdminActions:
    """The POST handlers of the admin pages."""

    def __init__(self, context: WebContext, pages: AdminPages, views: AdminViews) -> None:
        self._context, self._pages, self._views = context, pages, views
        self._actions: Mapping[str, Callable[[Edition, Form], Flash | _Done]] = {
            "hold": self._hold,
            "resume": self._resume,
            "retry": self._retry,
            "cancel": self._cancel,
            "add": self._add,
            "approve": self._approve,
            "skip": self._skip,
            "test": self._test,
        }

    def edition(self, request: Request, session: Session, form: Form) -> Response:
        """Run the action of the button that was pressed on an edition's page."""
        edition = find_edition(self._context, request)
        action = self._actions.get(form.one("do"))
        if action is None:
            raise NotFoundError("there is no such button")

        def press() -> Flash:
            """Run the action, record it, and return a message about its result."""
            done = action(edition, form)
            if isinstance(done, Flash):
                return done
            self._context.record(request, done.what, about=edition_label(edition), detail=done.detail)
            return Flash(done.text)

        return self._redirect(f"editions/{edition.id}", press)

    def next(self, request: Request, session: Session, form: Form) -> Response:
        """Send a newsletter's next email to the address in the form, as a test, or make a link to it."""
        newsletter, context = self._views.newsletter(request), self._context

        def share() -> Flash:
            """Return a link with which anyone can read the next email for several days."""
            until = context.now() + timedelta(days=DAYS)
            link = draft_link(context.links, DraftKind.EMAIL, newsletter.name, until)
            return Flash(f"Anyone with this link can read the next email for {DAYS} days: {link}")

        def send() -> Flash:
            """Send the next email to one address, as a test."""
            address = normalise(form.one("address"))
            draft = next_email(context.config, context.store, newsletter, context.now())
            if draft is None:
                return Flash("No posts yet.", is_bad=True)
            send_letter(
                *(context.config, newsletter.name, draft.slot, draft.number, draft.letter, address, context.now())
            )
            return self._sent(address)

        return self._redirect(f"next/{newsletter.name}", share if form.one("do") == "share" else send)

    def _hold(self, edition: Edition, form: Form) -> Flash | _Done:
        reason = " ".join(form.one("why").split())[:_LONGEST_REASON] or "put on hold on the admin page"
        if not hold(self._context.store, edition, reason):
            return Flash("It was already on hold.")
        return _Done("On hold. Messages already with a mail server can't be recalled.", ActionKind.HOLD, reason)

    def _resume(self, edition: Edition, form: Form) -> Flash | _Done:
        if not resume(self._context.store, edition, now=self._context.now()):
            return Flash("It was not on hold.")
        return _Done("Resumed: sending continues with the next run.", ActionKind.RESUME)

    def _approve(self, edition: Edition, form: Form) -> Flash | _Done:
        now = self._context.now()
        if not approve(self._context.store, edition, now=now):
            return Flash("It no longer needs your approval.")
        if edition.goes_at and edition.goes_at > now:
            return _Done(f"Approved. It will be sent {self._pages.ago(edition.goes_at)}.", ActionKind.APPROVE)
        return _Done("Approved. It will be sent with the next run.", ActionKind.APPROVE)

    def _skip(self, edition: Edition, form: Form) -> Flash | _Done:
        if form.one("sure") != "yes":
            return Flash("Nothing was skipped: please tick the confirmation box.", is_bad=True)
        if not skip(self._context.store, edition):
            return Flash("It no longer needs your approval.")
        return _Done("Skipped. No one will receive it.", ActionKind.SKIP)

    def _retry(self, edition: Edition, form: Form) -> Flash | _Done:
        named = {status.value: status for status in _RETRYABLE}
        statuses = tuple(named[value] for value in form.all("status") if value in named)
        if not statuses:
            return Flash("Choose which messages to retry.", is_bad=True)
        total = retry(self._context.store, edition, statuses, now=self._context.now())
        return _Done(f"{total:,} will be retried with the next run.", ActionKind.RETRY, f"{total:,}")

    def _cancel(self, edition: Edition, form: Form) -> Flash | _Done:
        if form.one("sure") != "yes":
            return Flash("Nothing was cancelled: please tick the confirmation box.", is_bad=True)
        take_over_dead(self._context.config, self._context.store, self._context.now())
        total = cancel(self._context.store, edition, why="cancelled on the admin page", patience=PATIENCE)
        text = f"{total:,} cancelled. Messages already sent are not affected."
        if left := in_hand(self._context.store, edition):
            text += f" {left:,} being sent right now may still go out."
        return _Done(text, ActionKind.CANCEL, f"{total:,}")

    def _add(self, edition: Edition, form: Form) -> Flash | _Done:
        context = self._context
        if form.one("sure") != "yes":
            return Flash("Nothing was sent: please tick the confirmation box.", is_bad=True)
        done = add_recipients(context.config, context.store, edition, context.now())
        if not done.added:
            return Flash("Everyone who joined later already has it.")
        people = "1 subscriber" if done.added == 1 else f"{done.added:,} subscribers"
        return _Done(f"{people} will get it with the next run.", ActionKind.ADD_DELIVERIES, f"{done.added:,}")

    def _test(self, edition: Edition, form: Form) -> Flash:
        context, address = self._context, normalise(form.one("address"))
        editions = context.store.editions
        letter = editions.letter(edition.id, form.one("variant")) or editions.letter(edition.id)
        if letter is None:
            return Flash("This edition has no email.", is_bad=True)
        send_letter(*(context.config, edition.newsletter, edition.slot, edition.number, letter, address, context.now()))
        return self._sent(address)

    def _sent(self, address: str) -> Flash:
        return Flash(f"A test was sent to {address} through {transport_name(self._context.config)}.")

    def _redirect(self, path: str, action: Callable[[], Flash]) -> Response:
        """Run an action, and return a redirect to the page that shows its result or error.

        path  the path of that page below /admin
        """
        try:
            flash = action()
        except PublisherError as error:
            flash = Flash(f"Nothing was done: {error}", is_bad=True)
        name = self._pages.flashes.add(flash)
        return RedirectResponse(f"{self._pages.root}/{path}?said={name}", 303, owner_page_headers())
