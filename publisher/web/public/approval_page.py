"""The page at /approve/<token>, where the owner approves an edition. The approval email links to it.

Opening the link changes nothing, because mail scanners open every link. The page is in English, like all pages for the
owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.core.action_kinds import ActionKind, Via
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.mail.links import LinkPurpose
from publisher.publishing import operations as approval
from publisher.web.public.public_pages import token_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from publisher.web.context import WebContext
    from publisher.web.forms import Form
    from publisher.web.public.public_pages import PublicPages

_LONGEST_TOKEN = 2_000  # characters: a slot may contain the id of a post


class ApprovalPages:
    """The handlers of /approve."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages

    def show(self, request: Request) -> Response:
        """Show the edition with the buttons to decide, or its current state if it was decided before."""
        edition = self._read(request)
        return self._page(request, edition, "") if edition else self._pages.bad_link(request)

    def decide(self, request: Request, form: Form) -> Response:
        """Approve or skip the edition, and show the result. If it was decided before, change nothing and say so."""
        edition = self._read(request)
        if edition is None:
            return self._pages.bad_link(request)
        store = self._context.store
        match form.one("do"):
            case "approve":
                waited, what = approval.approve(store, edition, now=self._context.now()), ActionKind.APPROVE
            case "skip":
                waited, what = approval.skip(store, edition), ActionKind.SKIP
            case _:
                return self._pages.bad_form(request)
        if waited:
            self._context.record(request, what, via=Via.LINK, about=approval.edition_label(edition))
        result = "Done." if waited else "Nothing changed: this edition no longer needs a decision."
        return self._page(request, store.editions.get(edition.id) or edition, result)

    def _page(self, request: Request, edition: Edition, result: str) -> Response:
        config = self._context.config
        newsletter = config.newsletter(edition.newsletter)
        zone = config.newsletter_zone(newsletter) if newsletter else config.zone
        # Once this time has passed, an approved edition is sent immediately.
        goes_at = edition.goes_at if edition.goes_at and edition.goes_at > self._context.now() else None
        counts = self._context.store.deliveries.counts(edition.id)
        return self._pages.owner_page(
            request,
            "approve.html",
            f"{edition.newsletter} {edition.slot}",
            edition=edition,
            waits=approval.waits(edition),
            goes_at=f"{goes_at.astimezone(zone):%A %Y-%m-%d, %H:%M} ({zone.key})" if goes_at else "",
            readers=counts.total + counts.missing,
            sent=counts[DeliveryStatus.SENT],
            gone=not (counts.open or counts.missing),
            done=result,
        )

    def _read(self, request: Request) -> Edition | None:
        """Return the edition that the token belongs to; None if the token is invalid."""
        token = token_of(request)
        found = self._context.links.read(LinkPurpose.APPROVE, token) if len(token) <= _LONGEST_TOKEN else None
        if found is None or len(found) != 3 or not found[0].isdigit():
            return None
        edition = self._context.store.editions.get(int(found[0]))
        same = edition is not None and (edition.newsletter, edition.slot) == found[1:]
        return edition if same else None  # in another database, another edition may have this number
