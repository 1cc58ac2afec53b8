"""The pages /admin/sources: the feeds of other sites, the items of each, and buttons to skip an item and to fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.posts.sources.item_post import item_name
from publisher.publishing.fetch_sources import fetch_sources
from publisher.publishing.item_states import item_states
from publisher.publishing.source_views import SourceSummary, source_views
from publisher.publishing.wiring import Project
from publisher.web.responses import Flash, NotFoundError, owner_page_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

_ITEMS = 100


class SourcePages:
    """The handlers of /admin/sources."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        one = f"{self._pages.root}/sources/{{source}}"
        return [
            Route(f"{self._pages.root}/sources", auth.get(self.overview), methods=["GET"]),
            Route(one, auth.get(self.source), methods=["GET"]),
            Route(one, auth.post(self.press), methods=["POST"]),
        ]

    def overview(self, request: Request, session: Session) -> Response:
        """List the sources, and what is wrong with each."""
        return self._page(request, session, "sources.html", "Sources", sources=self._views())

    def source(self, request: Request, session: Session) -> Response:
        """Show one source and its newest items, each with its state."""
        source, context = self._find(request), self._context
        items = item_states(Project(context.config, context.store, context.now), source.name)
        return self._page(
            request, session, "source.html", source.title, source=source, items=items[:_ITEMS], total=len(items)
        )

    def press(self, request: Request, session: Session, form: Form) -> Response:
        """Fetch the source now, or skip the item in the form."""
        source = self._find(request)
        try:
            flash = self._skip(request, form) if form.one("do") == "skip" else self._fetch(source)
        except PublisherError as error:
            flash = Flash(f"Nothing was done: {error}", is_bad=True)
        name = self._pages.flashes.add(flash)
        return RedirectResponse(f"{self._pages.root}/sources/{source.name}?said={name}", 303, owner_page_headers())

    def _fetch(self, source: SourceSummary) -> Flash:
        context = self._context
        project = Project(context.config, context.store, context.now)
        (report,) = fetch_sources(project, context.now(), [source.name], force=True)
        if report.waits:
            return Flash(f"Not fetched: {report.waits}", is_bad=True)
        return Flash(report.error or f"Fetched: {report.summary}", is_bad=bool(report.error))

    def _skip(self, request: Request, form: Form) -> Flash:
        number, store = form.one("item"), self._context.store
        is_number = number.isdecimal() and number.isascii() and len(number) < 15
        item = store.sources.item(int(number)) if is_number else None
        if item is None:
            return Flash("Nothing was skipped: there is no such item.", is_bad=True)
        if not store.sources.skip(item.number, self._context.now()):
            return Flash("It was already skipped.")
        title = item_name(item, store.sources.html)
        self._context.record(request, ActionKind.SKIP, about=f"item {item.number} of {item.source}", detail=title)
        return Flash(f"Skipped: no newsletter will send {title!r}.")

    def _views(self) -> tuple[SourceSummary, ...]:
        return source_views(self._context.config, self._context.store)

    def _find(self, request: Request) -> SourceSummary:
        """Return the source named in the URL. Raise NotFoundError if it is not configured."""
        found = next((view for view in self._views() if view.name == request.path_params["source"]), None)
        if found is None:
            raise NotFoundError("there is no such source")
        return found

    def _page(self, request: Request, session: Session, template: str, title: str, **variables: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **variables)
