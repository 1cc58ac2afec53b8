"""A person's own page: /preferences/<token>, with their data, their address and their end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import Response

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber
from publisher.mail.links import LinkPurpose
from publisher.site.pages.signup import newsletter_offers
from publisher.subscribers.address import normalise
from publisher.subscribers.address_change import request_address_change
from publisher.subscribers.privacy import erase, export_data
from publisher.subscribers.self_service import Preferences, set_preferences
from publisher.web.mail_worker import LaterError
from publisher.web.public.headers import page_headers
from publisher.web.public.offers import SHOWN_FIELD, chosen
from publisher.web.public.subscribe import bad_link, too_many
from publisher.web.public.unsubscribe import LONGEST
from publisher.web.send_notices import mail_notice

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.mail.transport import Transport
    from publisher.web.context import Office
    from publisher.web.forms import Form
    from publisher.web.public.pages import Pages

SOURCE = "link /preferences"
PAUSES = (1, 2, 4, 8, 12, 26)  # weeks


class Choosing:
    """The handlers. Whoever has the link is the person: it is in every letter to them, and in nobody else's."""

    def __init__(self, office: Office, pages: Pages) -> None:
        self._office, self._pages = office, pages

    def look(self, request: Request) -> Response:
        """Show what is sent to the person, as a form."""
        person = self._person(request)
        return self._page(request, person) if person else bad_link(self._pages, request)

    def choose(self, request: Request, form: Form) -> Response:
        """Take one of the page's forms."""
        person = self._person(request)
        if person is None:
            return bad_link(self._pages, request)
        try:
            match form.one("do"):
                case "save":
                    return self._save(request, form, person)
                case "move":
                    return self._move(request, form, person)
        except SubscriberError:
            return self._page(request, person, trouble="stale_choice", status=400)
        return self._pages.message(request, "bad_form", "bad_form_hint", status=400)

    def data(self, request: Request) -> Response:
        """Give the person everything that is kept of them, as a file."""
        person = self._person(request)
        if person is None:
            return bad_link(self._pages, request)
        found = json.dumps(export_data(self._office.store, person.uid), ensure_ascii=False, indent=2)
        disposition = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(found + "\n", 200, page_headers() | disposition, "application/json")

    def ask_to_erase(self, request: Request) -> Response:
        """Ask whether they mean it."""
        person = self._person(request)
        if person is None:
            return bad_link(self._pages, request)
        return self._pages.page(
            request,
            "erase.html",
            "erase",
            language=self._language(request, person),
            token=request.path_params["token"],
            values={"address": person.address},
        )

    def erase(self, request: Request, form: Form) -> Response:
        """Delete everything of the person."""
        person = self._person(request)
        if person is None:
            return bad_link(self._pages, request)
        if form.one("do") != "erase":
            return self._pages.message(request, "bad_form", "bad_form_hint", status=400)
        language = self._language(request, person)
        done = erase(self._office.store, person.address, now=self._office.now(), source=SOURCE)
        if not done.scrubbed:
            self._office.mailroom.put("scrub", self._scrub)
        return self._pages.message(request, "erased_title", "erased", language=language, address=person.address)

    def _scrub(self, transport: Transport) -> None:
        """Write the database's files anew when nobody is reading: until then they hold bytes of who was erased."""
        if not self._office.store.subscribers.scrub():
            raise LaterError("another process is reading")

    def _save(self, request: Request, form: Form, person: Subscriber) -> Response:
        office = self._office
        weeks = form.one("pause")
        if weeks and not (weeks.isascii() and weeks.isdigit() and len(weeks) < 4):
            raise SubscriberError("a pause is a number of weeks")
        wanted = Preferences(
            subscriptions=chosen(office.config, form, held=person.subscriptions),
            language=form.one("language"),
            pause_weeks=int(weeks) if weeks else None,
            name=form.one("name") if form.has("name") else None,
            shown=form.all(SHOWN_FIELD) if form.has(SHOWN_FIELD) else None,
        )
        after = set_preferences(
            office.store,
            office.terms,
            person.uid,
            wanted,
            known=office.known,
            now=office.now(),
            evidence=office.evidence(request, SOURCE),
        )
        if after is None:
            return self._page(request, person, trouble="not_saved", status=409)
        return self._page(request, after, said="saved")

    def _move(self, request: Request, form: Form, person: Subscriber) -> Response:
        office = self._office
        if not office.gate.lets_client(office.clients.address(request.scope)):
            return too_many(self._pages, request, office)
        asked = form.one("email")
        try:
            bare = normalise(asked)
        except SubscriberError:
            return self._page(request, person, trouble="bad_address", status=400, asked=asked[:200])
        done = request_address_change(
            office.store,
            office.terms,
            person.uid,
            bare,
            now=office.now(),
            evidence=office.evidence(request, SOURCE),
        )
        if done.notice is not None:
            mail_notice(office, done.notice)
        if done.limited:
            page = self._page(request, person, trouble="move_limited", status=429, asked=bare)
            page.headers["retry-after"] = str(int(office.terms.ask_every.total_seconds()))
            return page
        return self._page(request, person, said="move_sent", asked=bare)

    def _page(
        self,
        request: Request,
        person: Subscriber,
        *,
        said: str = "",
        trouble: str = "",
        status: int = 200,
        asked: str = "",
    ) -> Response:
        paused = person.paused_until
        now = self._office.now()
        active = person.status.value == "active"
        return self._pages.page(
            request,
            "preferences.html",
            "preferences",
            status=status,
            language=self._language(request, person),
            person=person,
            token=request.path_params["token"],
            offers=newsletter_offers(self._office.config, person.subscriptions if active else ()),
            languages=self._pages.languages(person.language),
            pauses=PAUSES,
            paused=paused.astimezone(self._office.config.zone) if paused and paused > now else None,
            said=said,
            trouble=trouble,
            values={"address": asked or person.address},
        )

    def _language(self, request: Request, person: Subscriber) -> str:
        return self._pages.language(request, person.language)

    def _person(self, request: Request) -> Subscriber | None:
        token = str(request.path_params["token"])
        found = self._office.links.read(LinkPurpose.PREFERENCES, token) if len(token) <= LONGEST else None
        return self._office.store.subscribers.by_uid(found[0]) if found and len(found) == 1 else None
