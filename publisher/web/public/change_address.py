"""The button at a person's new address: /address/<token>."""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.subscribers.address_change import Moved, confirm_address_change, look_at_address_change, moved_notice
from publisher.web.public.subscribe import bad_link
from publisher.web.send_notices import mail_notice

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from publisher.web.context import Office
    from publisher.web.forms import Form
    from publisher.web.public.pages import Pages


class Moving:
    """The handlers."""

    def __init__(self, office: Office, pages: Pages) -> None:
        self._office, self._pages = office, pages

    def look(self, request: Request) -> Response:
        """Show the button that a token is for; change nothing."""
        office = self._office
        seen = look_at_address_change(office.store, office.terms, _token(request), now=office.now())
        if seen is None:
            return bad_link(self._pages, request)
        person, address = seen
        language = self._pages.language(request, person.language)
        values = {"old": person.address, "address": address}
        return self._pages.page(request, "move.html", "move_confirm", language=language, values=values)

    def move(self, request: Request, form: Form) -> Response:
        """Give the person the address."""
        office, token = self._office, _token(request)
        seen = look_at_address_change(office.store, office.terms, token, now=office.now())
        evidence = office.evidence(request, "link /address")
        moved = confirm_address_change(office.store, office.terms, token, now=office.now(), evidence=evidence)
        if seen is None or moved is Moved.REFUSED:
            return bad_link(self._pages, request)
        person, address = seen
        language = self._pages.language(request, person.language)
        if moved is Moved.TAKEN:
            return self._pages.message(request, "move", "move_taken", status=409, language=language, address=address)
        mail_notice(office, moved_notice(person))
        return self._pages.message(request, "confirmed_title", "moved", language=language, address=address)


def _token(request: Request) -> str:
    return str(request.path_params["token"])
