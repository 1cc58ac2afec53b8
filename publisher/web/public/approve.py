"""The owner's page of an edition that waits: /approve/<token>. Opening it changes nothing: scanners open every link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.mail.links import LinkPurpose
from publisher.publishing import approval
from publisher.web.public.subscribe import bad_link

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from publisher.web.context import Office
    from publisher.web.forms import Form
    from publisher.web.public.pages import Pages

LONGEST = 2_000  # characters of a token: a slot may hold a post's id


class Approving:
    """The handlers. The page speaks English, as everything does that is the owner's."""

    def __init__(self, office: Office, pages: Pages) -> None:
        self._office, self._pages = office, pages

    def look(self, request: Request) -> Response:
        """Show what waits, with its buttons, or what has become of it."""
        edition = self._read(request)
        if edition is None:
            return bad_link(self._pages, request)
        return self._page(request, edition, "")

    def decide(self, request: Request, form: Form) -> Response:
        """Do what the button says, once; pressed again, say how it stands."""
        edition = self._read(request)
        if edition is None:
            return bad_link(self._pages, request)
        store, wish = self._office.store, form.one("do")
        if wish == "approve":
            waited = approval.approve(store, edition, now=self._office.now())
        elif wish == "skip":
            waited = approval.skip(store, edition)
        else:
            return self._pages.message(request, "bad_form", "bad_form_hint", status=400)
        said = "It is done." if waited else "Nothing was changed: this edition was decided on before."
        return self._page(request, store.editions.get(edition.id) or edition, said)

    def _page(self, request: Request, edition: Edition, done: str) -> Response:
        config = self._office.config
        newsletter = config.newsletter(edition.newsletter)
        zone = config.newsletter_zone(newsletter) if newsletter else config.zone
        # Once its time is over it goes at once.
        waits_until = edition.goes_at if edition.goes_at and edition.goes_at > self._office.now() else None
        goes_at = f"{waits_until.astimezone(zone):%A %Y-%m-%d, %H:%M} ({zone.key})" if waits_until else ""
        counts = self._office.store.deliveries.counts(edition.id)
        return self._pages.owner_page(
            request,
            "approve.html",
            f"{edition.newsletter} {edition.slot}",
            edition=edition,
            waits=approval.waits(edition),
            goes_at=goes_at,
            readers=counts.total,
            sent=counts[DeliveryStatus.SENT],
            gone=not counts.open,
            done=done,
        )

    def _read(self, request: Request) -> Edition | None:
        token = str(request.path_params["token"])
        found = self._office.links.read(LinkPurpose.APPROVE, token) if len(token) <= LONGEST else None
        if found is None or len(found) != 3 or not found[0].isdigit():
            return None
        edition = self._office.store.editions.get(int(found[0]))
        same = edition is not None and (edition.newsletter, edition.slot) == found[1:]
        return edition if same else None  # another database, with another edition of that number
