"""What the owner's buttons do. Each ends on a page that says what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.publishing.approval import approve, skip
from publisher.publishing.operations import cancel, hold, resume, retry
from publisher.publishing.publish import send_letter
from publisher.publishing.wiring import transport_name
from publisher.subscribers.address import normalise
from publisher.web.admin.auth import NotThereError
from publisher.web.admin.headers import admin_headers
from publisher.web.admin.next_letter import next_letter
from publisher.web.admin.pages import Notice
from publisher.web.admin.views import find_edition

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.pages import AdminPages
    from publisher.web.admin.sessions import Session
    from publisher.web.admin.views import Desk
    from publisher.web.context import Office
    from publisher.web.forms import Form

_LONGEST_WHY = 200
_RETRYABLE = (DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN, DeliveryStatus.DEFERRED)


class Deeds:
    """The handlers of POST."""

    def __init__(self, office: Office, pages: AdminPages, desk: Desk) -> None:
        self._office, self._pages, self._desk = office, pages, desk
        self._deeds: Mapping[str, Callable[[Edition, Form], Notice]] = {
            "hold": self._hold,
            "resume": self._resume,
            "retry": self._retry,
            "cancel": self._cancel,
            "approve": self._approve,
            "skip": self._skip,
            "test": self._test,
        }

    def edition(self, request: Request, session: Session, form: Form) -> Response:
        """Do one thing with one edition."""
        edition = find_edition(self._office, request)
        deed = self._deeds.get(form.one("do"))
        if deed is None:
            raise NotThereError("there is no such button")
        return self._said(f"editions/{edition.id}", lambda: deed(edition, form))

    def next(self, request: Request, session: Session, form: Form) -> Response:
        """Send a test of a newsletter's next letter."""
        newsletter, office = self._desk.newsletter(request), self._office

        def send() -> Notice:
            address = normalise(form.one("address"))
            draft = next_letter(office.config, office.store, newsletter, office.now())
            if draft is None:
                return Notice("There is no post to show.", is_bad=True)
            send_letter(office.config, newsletter.name, draft.number, draft.letter, address, office.now())
            return self._sent(address)

        return self._said(f"next/{newsletter.name}", send)

    def _hold(self, edition: Edition, form: Form) -> Notice:
        why = " ".join(form.one("why").split())[:_LONGEST_WHY] or "held on the admin page"
        if not hold(self._office.store, edition, why):
            return Notice("It was held already.")
        return Notice("It is held. What a mail server has in its hands already, it has.")

    def _resume(self, edition: Edition, form: Form) -> Notice:
        was_held = resume(self._office.store, edition, now=self._office.now())
        return Notice("It goes on with the next run." if was_held else "It was not held.")

    def _approve(self, edition: Edition, form: Form) -> Notice:
        now = self._office.now()
        if not approve(self._office.store, edition, now=now):
            return Notice("It does not wait for you any more.")
        if edition.goes_at and edition.goes_at > now:
            return Notice(f"It is approved, and goes {self._pages.ago(edition.goes_at)}.")
        return Notice("It is approved, and goes with the next run.")

    def _skip(self, edition: Edition, form: Form) -> Notice:
        if form.one("sure") != "yes":
            return Notice("Nothing was skipped: tick the box that says that you are sure.", is_bad=True)
        if not skip(self._office.store, edition):
            return Notice("It does not wait for you any more.")
        return Notice("It is skipped, and nobody gets it.")

    def _retry(self, edition: Edition, form: Form) -> Notice:
        named = {status.value: status for status in _RETRYABLE}
        statuses = tuple(named[value] for value in form.all("status") if value in named)
        if not statuses:
            return Notice("Choose what is to be tried again.", is_bad=True)
        total = retry(self._office.store, edition, statuses, now=self._office.now())
        return Notice(f"{total:,} wait to be tried again with the next run.")

    def _cancel(self, edition: Edition, form: Form) -> Notice:
        if form.one("sure") != "yes":
            return Notice("Nothing was cancelled: tick the box that says that you are sure.", is_bad=True)
        total = cancel(self._office.store, edition, why="cancelled on the admin page")
        return Notice(f"{total:,} are not sent any more. What was sent, was sent.")

    def _test(self, edition: Edition, form: Form) -> Notice:
        office, address = self._office, normalise(form.one("address"))
        letter = office.store.editions.letter(edition.id, form.one("variant")) or office.store.editions.letter(
            edition.id
        )
        if letter is None:
            return Notice("This edition has no letter.", is_bad=True)
        send_letter(office.config, edition.newsletter, edition.number, letter, address, office.now())
        return self._sent(address)

    def _sent(self, address: str) -> Notice:
        return Notice(f"A test went to {address} by {transport_name(self._office.config)}.")

    def _said(self, place: str, deed: Callable[[], Notice]) -> Response:
        try:
            notice = deed()
        except PublisherError as error:
            notice = Notice(f"This was not done: {error}", is_bad=True)
        name = self._pages.remember(notice)
        return RedirectResponse(f"{self._pages.root}/{place}?said={name}", 303, admin_headers())
