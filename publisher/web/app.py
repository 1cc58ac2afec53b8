"""The application for readers: addresses, and what answers at each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from publisher.core.errors import PublisherError, StoreError, TemplateError
from publisher.core.logging import log
from publisher.web.access_log import Log
from publisher.web.forms import Form, FormError, read_form
from publisher.web.metrics import Metrics
from publisher.web.public.approve import Approving
from publisher.web.public.change_address import Moving
from publisher.web.public.headers import page_headers, style_headers
from publisher.web.public.pages import Pages
from publisher.web.public.preferences import Choosing
from publisher.web.public.static_site import SiteFiles
from publisher.web.public.subscribe import Subscribing
from publisher.web.public.unsubscribe import Leaving
from publisher.web.webhooks import PATH as HOOKS
from publisher.web.webhooks import BounceHooks

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from publisher.web.context import Office

Look = Callable[[Request], Response]
Act = Callable[[Request, Form], Response]


def make_app(
    office: Office,
    metrics: Metrics,
    pages: Pages,
    others: Sequence[BaseRoute] = (),
    feed_asked: Callable[[str, str], None] | None = None,
) -> ASGIApp:
    """Return the application of one project, without beginning any work.

    others      what answers beside the pages for readers
    feed_asked  told path and user agent of each request of a feed
    """
    front = _Front(office, pages, metrics)
    config = office.config
    site = SiteFiles(config.root / config.pages.output, office.links.public_url, feed_asked)
    routes = [
        *_reader_routes(front, office, pages),
        Route(pages.prefix + HOOKS, BounceHooks(office).post, methods=["POST"]),
        *others,
        Route(pages.style_path, front.style),
        Route(f"{pages.prefix}/healthz", front.look(front.health)),
        Route(f"{pages.prefix}/metrics", front.look(front.metrics)),
        Mount(urlsplit(config.site_url).path.rstrip("/") or "/", site),
    ]
    handlers = {HTTPException: front.refused, Exception: front.failed}
    application = Starlette(routes=routes, exception_handlers=handlers)
    return Log(application, pages.prefix, office.clients, metrics.answered)


def _reader_routes(front: _Front, office: Office, pages: Pages) -> list[Route]:
    subscribing, leaving = Subscribing(office, pages), Leaving(office, pages)
    choosing, moving = Choosing(office, pages), Moving(office, pages)
    approving = Approving(office, pages)
    table: list[tuple[str, Look, Act | None]] = [
        ("/subscribe", subscribing.form, subscribing.ask),
        ("/confirm/{token}", subscribing.look, subscribing.confirm),
        ("/address/{token}", moving.look, moving.move),
        ("/unsubscribe/{token}", leaving.look, leaving.leave),
        ("/preferences/{token}", choosing.look, choosing.choose),
        ("/preferences/{token}/data", choosing.data, None),
        ("/preferences/{token}/erase", choosing.ask_to_erase, choosing.erase),
        ("/approve/{token}", approving.look, approving.decide),
    ]
    return [
        Route(pages.prefix + path, _Address(front.look(look), front.act(act) if act else None))
        for path, look, act in table
    ]


class _Address:
    """What answers at one address of ours, whatever the method: another would be passed on to the site's files."""

    def __init__(self, look: Look, act: Callable[[Request], Awaitable[Response]] | None) -> None:
        self._look, self._act = look, act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises HTTPException with 405 for a method that nothing here takes."""
        request = Request(scope, receive, send)
        if request.method == "POST" and self._act:
            response = await self._act(request)
        elif request.method in ("GET", "HEAD"):
            response = await run_in_threadpool(self._look, request)
        else:
            raise HTTPException(405, headers={"Allow": "GET, HEAD, POST" if self._act else "GET, HEAD"})
        await response(scope, receive, send)


class _Front:
    """What stands before every handler: forms are read, and whatever goes wrong becomes a plain page."""

    def __init__(self, office: Office, pages: Pages, metrics: Metrics) -> None:
        self._office, self._pages, self._metrics = office, pages, metrics

    def look(self, handler: Look) -> Look:
        """Make a handler of GET, which runs in a thread of its own."""

        @wraps(handler)
        def answer(request: Request) -> Response:
            try:
                return handler(request)
            except PublisherError as error:  # the database is away, or a template is broken
                _tell(error)
                return self._busy(request)

        return answer

    def act(self, handler: Act) -> Callable[[Request], Awaitable[Response]]:
        """Make a handler of POST: its form is read before the handler's thread begins."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                form = await read_form(request, self._office.patience)
            except FormError as error:
                return await run_in_threadpool(self._bad_form, request, error.status)
            except ClientDisconnect:
                return Response(status_code=400)
            return await run_in_threadpool(self.look(lambda asked: handler(asked, form)), request)

        return answer

    def style(self, request: Request) -> Response:
        """Give the stylesheet of our pages."""
        return Response(self._pages.style, 200, style_headers(), "text/css")

    def health(self, request: Request) -> Response:
        """Say whether the record can be read."""
        self._office.store.subscribers.by_id(0)
        return PlainTextResponse("ok\n", 200, page_headers())

    def metrics(self, request: Request) -> Response:
        """Give the figures to those who may see them."""
        if not self._office.clients.may_read_metrics(request.scope):
            return self._pages.message(request, "nothing", "nothing_hint", status=404)
        return Response(self._metrics.text(), 200, page_headers(), self._metrics.content_type)

    def refused(self, request: Request, error: Exception) -> Response:
        """Say that nothing is there, on a page of ours; other refusals are one line."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:
            return self._pages.message(request, "nothing", "nothing_hint", status=404)
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        said = "this address does not take that" if status == 405 else "not possible"
        return PlainTextResponse(f"{said}\n", status, headers | page_headers())

    def failed(self, request: Request, error: Exception) -> Response:
        """Say nothing of what went wrong: the traceback could hold what belongs to a person."""
        return PlainTextResponse("something went wrong; please try again later\n", 500, page_headers())

    def _bad_form(self, request: Request, status: int) -> Response:
        hint = {413: "too_long", 408: "too_slow"}.get(status, "bad_form_hint")
        response = self._pages.message(request, "bad_form", hint, status=status)
        if status in (413, 408):
            response.headers["connection"] = "close"  # what is still to come is not waited for
        return response

    def _busy(self, request: Request) -> Response:
        try:
            return self._pages.message(request, "busy", "busy_hint", status=503)
        except PublisherError:  # the templates themselves are broken
            return PlainTextResponse("we cannot do this just now; please try again later\n", 503, page_headers())


def _tell(error: PublisherError) -> None:
    """Say in the log what keeps us from answering: where, not in its words, which may hold an address."""
    kept = error.where if isinstance(error, StoreError | TemplateError) else ""
    log("busy", level="warning", error=type(error).__name__, where=kept)
