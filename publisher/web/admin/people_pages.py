"""The pages /admin/readers: the list of subscribers with search, filters and pages, and its export.

The owner may search for an address: in the search words, a field, or the condition of a segment. So a search is sent as
a form, and the URL of its result contains it encrypted: only a person's uid appears in URLs, and so in the logs of
proxies and the history of a browser.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import SegmentError, SubscriberError
from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.segment_language import is_segment_name
from publisher.core.signing import open_sealed, seal
from publisher.publishing.mail_wiring import project_secret
from publisher.store.people_query import PeoplePage, PeopleQuery, PlaceGoneError
from publisher.subscribers.edit import known_fields
from publisher.subscribers.export import export_csv, export_json
from publisher.subscribers.people_filter import PARTS, people_query
from publisher.web.admin.person_page import download
from publisher.web.responses import Flash, owner_page_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

_SEALED = ("search", "field", "segment")  # but the name of a saved segment may be readable
_NEWEST = "-joined"
_PURPOSE = "search"
_COUNTED = 10_000  # matching people are counted up to this number
_SUGGESTED = 200  # words that the browser suggests for a field of the form


class PeoplePages:
    """The handlers of /admin/readers."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages
        self._secret = project_secret(context.config)
        config = context.config
        self._titles = {each.name: config.newsletter_title(each) for each in config.newsletters}

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        every = f"{self._pages.root}/readers"
        return [
            Route(every, auth.get(self.list), methods=["GET"]),
            Route(every, auth.post(self.search), methods=["POST"]),
            Route(f"{every}/export", auth.post(self.export), methods=["POST"]),
        ]

    def list(self, request: Request, session: Session) -> Response:
        """Show a page of the people whom the URL's query selects."""
        given, context = self.given(request.query_params), self._context
        if not _may_be_read("segment", request.query_params.get("segment", "")):
            return RedirectResponse(f"{self._pages.root}/{self._link(given)}", 303, owner_page_headers())
        trouble, page, total = "", PeoplePage(()), 0
        try:
            query = self.query(given)
            total = context.store.people.count(query, context.now(), most=_COUNTED + 1)
            page, trouble = self._find(query, request.query_params)
        except (SubscriberError, SegmentError) as error:
            trouble = f"{error}"
        counts = context.store.subscribers.counts()
        return self._page(
            request,
            session,
            "readers.html",
            "Subscribers",
            trouble=trouble,
            page=page,
            total=total,
            most=_COUNTED,
            given=given,
            asked=[name for name in PARTS if given[name] and name != "sort"],
            link=lambda **changes: self._link(given, **changes),
            counts={status: counts.get(status, 0) for status in SubscriberStatus},
            titles=self._titles,
            tags=[*context.store.subscribers.tags_in_use()][:_SUGGESTED],
            fields=known_fields(context.store, context.config.fields),
            segments=[each.name for each in context.store.segments.list()],
            sealed=self.parameters(given),
        )

    def search(self, request: Request, session: Session, form: Form) -> Response:
        """Go to the list of the people whom the form asks for, at a URL that does not show the words."""
        given = {name: form.one(name)[:1_000] for name in PARTS}
        if form.one("field"):
            given["field"] = f"{form.one('field')}={form.one('value')}".removesuffix("=")
        return RedirectResponse(f"{self._pages.root}/{self._link(given)}", 303, owner_page_headers())

    def export(self, request: Request, session: Session, form: Form) -> Response:
        """Send the people on a list as a file: CSV with everything, or JSON."""
        context, given = self._context, self.given({name: form.one(name) for name in form.fields})
        store = context.store
        try:
            query = replace(self.query(given), limit=1_000)
        except (SubscriberError, SegmentError) as error:
            name = self._pages.flashes.add(Flash(f"Nothing was exported: {error}", is_bad=True))
            return RedirectResponse(f"{self._pages.root}/readers?said={name}", 303, owner_page_headers())
        people = store.subscribers.full_records(store.people.each(query, context.now()))
        is_all = not any(given[name] for name in PARTS if name != "sort")
        is_json, file = form.one("as") == "json", tempfile.TemporaryFile()  # noqa: SIM115 - closed by the response
        fields = known_fields(store, context.config.fields)
        text = io.TextIOWrapper(file, "utf-8" if is_json else "utf-8-sig", newline="", write_through=True)
        suppressed = store.suppressions.entries() if is_all else ()
        count = export_json(people, text) if is_json else export_csv(people, suppressed, text, fields)
        context.record(request, ActionKind.EXPORT, detail=f"{count:,}")
        text.flush()
        return download(text.detach(), f"subscribers-{context.now():%Y-%m-%d}.{'json' if is_json else 'csv'}")

    def _find(self, query: PeopleQuery, asked: Mapping[str, str]) -> tuple[PeoplePage, str]:
        """Return the page that a URL asks for, and "".

        If the person at its start is gone, return the first page and the reason.
        """
        people, now = self._context.store.people, self._context.now()
        after, before = asked.get("after", "")[:40], asked.get("before", "")[:40]
        try:
            return people.find(replace(query, after=after, before="" if after else before), now), ""
        except PlaceGoneError:
            return people.find(query, now), "The subscriber at the start of that page is gone. This is the first page."

    def query(self, given: Mapping[str, str]) -> PeopleQuery:
        """Return the query made from its parts. Raises SubscriberError or SegmentError if a part isn't understood."""
        if given.get("damaged"):
            raise SubscriberError("this link is damaged, so it doesn't say whom you searched for; search again")
        return people_query(given, self._context.store, self._context.config.zone)

    def given(self, asked: Mapping[str, str]) -> dict[str, str]:
        """Return the parts of the query that a URL or a form asks for, with the encrypted words decrypted."""
        text = open_sealed(self._secret, _PURPOSE, asked.get("q", ""))
        given = {name: asked.get(name, "") for name in PARTS} | {"search": "", "field": ""}
        given |= {name: word for name, word in (json.loads(text) if text else {}).items() if name in _SEALED}
        given["sort"] = given["sort"] or _NEWEST
        if asked.get("q") and not text:
            given["damaged"] = "yes"  # ignoring it would select everyone
        return given

    def parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the URL parameters that ask for the same query."""
        found = {name: given[name] for name in PARTS if given[name] and _may_be_read(name, given[name])}
        if found.get("sort") == _NEWEST:
            del found["sort"]
        if words := {name: given[name] for name in _SEALED if given[name] and name not in found}:
            found["q"] = seal(self._secret, _PURPOSE, json.dumps(words))
        return found

    def _link(self, given: Mapping[str, str], **changes: str) -> str:
        """Return the URL of a list below /admin. changes: different values of parts; `after` or `before` for a page."""
        place = {name: changes.pop(name) for name in ("after", "before") if name in changes}
        asked = urlencode(self.parameters({**given, **changes}) | place)
        return f"readers?{asked}" if asked else "readers"

    def _page(self, request: Request, session: Session, template: str, title: str, **variables: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **variables)


def _may_be_read(name: str, value: str) -> bool:
    """Return whether a part of a query may be in a URL unencrypted."""
    return name not in _SEALED or not value or (name == "segment" and is_segment_name(value))
