"""The page /admin/readers/UID: everything that is known about one person, to view and to download.

What the owner can change there is in `person_actions`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.subscription_status import SubscriptionEvent
from publisher.subscribers.privacy import export_data
from publisher.web.admin.person_actions import PersonActions, find_person
from publisher.web.responses import Flash, owner_page_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

_SHOWN = 50  # deliveries, bounces, events and actions
_CHUNK = 64 * 1024
# Why a subscription has its status.
CAUSES: Mapping[SubscriptionEvent, str] = {
    SubscriptionEvent.CONFIRMED: "signed up and confirmed",
    SubscriptionEvent.CHOSEN: "chose it on the preferences page",
    SubscriptionEvent.UNDONE: "undid the unsubscription",
    SubscriptionEvent.ADDED: "added by the owner",
    SubscriptionEvent.READDED: "added again by the owner",
    SubscriptionEvent.IMPORTED: "in an imported file",
    SubscriptionEvent.LEFT: "unsubscribed",
    SubscriptionEvent.LEFT_ALL: "unsubscribed from everything",
    SubscriptionEvent.COMPLAINED: "reported an email as spam",
    SubscriptionEvent.REMOVED: "unsubscribed by the owner",
    SubscriptionEvent.SUPPRESSED: "suppressed by the owner",
    SubscriptionEvent.FILE_LEFT: "unsubscribed, according to an imported file",
    SubscriptionEvent.FILE_LEFT_ONE: "unsubscribed from this newsletter, according to an imported file",
    SubscriptionEvent.FILE_REMOVED: "unsubscribed by the owner, according to an imported file",
}
STATUS_MEANINGS: Mapping[SubscriberStatus, str] = {
    SubscriberStatus.ACTIVE: "receives email",
    SubscriberStatus.PENDING: "has not confirmed yet",
    SubscriberStatus.UNSUBSCRIBED: "receives nothing",
    SubscriberStatus.BOUNCED: "the address does not accept email",
    SubscriberStatus.COMPLAINED: "reported an email as spam",
    SubscriberStatus.SUPPRESSED: "on the suppression list",
}


class PersonPage:
    """The handlers of /admin/readers/UID. PersonActions has the actions of the buttons."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages
        self._actions = PersonActions(context, pages)
        self._titles = {each.name: context.config.newsletter_title(each) for each in context.config.newsletters}

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        one = f"{self._pages.root}/readers/{{uid}}"
        return [
            Route(one, auth.get(self.person), methods=["GET"]),
            Route(one, auth.post(self.press), methods=["POST"]),
            Route(f"{one}/data", auth.post(self.data), methods=["POST"]),
        ]

    def person(self, request: Request, session: Session) -> Response:
        """Show everything about one person."""
        return self._page(session, find_person(self._context, request), request.query_params.get("said", ""))

    def press(self, request: Request, session: Session, form: Form) -> Response:
        """Run the action of the button that was pressed. If it is refused, show the page again, with what was typed."""
        person = find_person(self._context, request)
        try:
            return self._actions.press(request, person, form)
        except SubscriberError as error:
            return self._page(session, person, self._pages.flashes.add(Flash(error.message, is_bad=True)), form)

    def _page(self, session: Session, person: Subscriber, said: str, form: Form | None = None) -> Response:
        store = self._context.store
        history, sent = store.subscribers.consent(person.id), store.subscribers.deliveries(person.id)
        return self._pages.page(
            "person.html",
            person.address,
            session,
            said=said,
            **self._actions.variables(person, form) | {"titles": self._titles},
            meaning=STATUS_MEANINGS[person.status],
            causes=CAUSES,
            source=history[0].source if history else "",
            suppressed=store.suppressions.reason(person.address),
            history=history[: -_SHOWN - 1 : -1],
            deliveries=sent[: -_SHOWN - 1 : -1],
            bounces=store.subscribers.bounces(person.id)[: -_SHOWN - 1 : -1],
            actions=store.actions.about(person.id)[: -_SHOWN - 1 : -1],
            totals={"history": len(history), "deliveries": len(sent)},
            now=self._context.now(),
        )

    def data(self, request: Request, session: Session, form: Form) -> Response:
        """Send everything that is stored about one person, as they would get it themselves."""
        person = find_person(self._context, request)
        text = json.dumps(export_data(self._context.store, person.uid), ensure_ascii=False, indent=2)
        self._context.record(request, ActionKind.EXPORT, subscriber_id=person.id)
        return download(io.BytesIO(text.encode()), f"subscriber-{person.uid}.json")


def download(file: IO[bytes], name: str) -> Response:
    """Return a response that sends a file from its beginning, as a download, and then closes it."""
    file.seek(0)
    headers = owner_page_headers() | {"Content-Disposition": f'attachment; filename="{name}"'}
    kind = "application/json" if name.endswith(".json") else "text/csv; charset=utf-8"
    return StreamingResponse(_chunks(file), 200, headers, kind, BackgroundTask(file.close))


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(_CHUNK):
        yield part
