"""The web application of one project: its resources, its URLs, and its error pages.

The subscribers' pages, the admin pages, the webhooks and the built site form one ASGI application. It is served by
`publisher serve` and `publisher run`. Start reading at `open_application`, and at the URLs in `_public_routes` and
`_admin_routes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from publisher.config import Config
from publisher.core.errors import PublisherError, StoreError, TemplateError
from publisher.core.logging import log
from publisher.core.templates import Templates
from publisher.publishing.mail_wiring import open_transport, project_links, project_secret, subscription_policy
from publisher.publishing.source_hubs import CALLBACK
from publisher.publishing.wiring import open_project_store
from publisher.subscribers.tokens import FormTokens
from publisher.web.admin.access_page import AccessPage
from publisher.web.admin.actions import AdminActions
from publisher.web.admin.admin_pages import AdminPages
from publisher.web.admin.auth import OwnerAuth
from publisher.web.admin.bulk_pages import BulkPages
from publisher.web.admin.email_pages import EmailPages
from publisher.web.admin.feed_stats import FeedStats
from publisher.web.admin.growth_page import GrowthPage
from publisher.web.admin.import_pages import ImportPages
from publisher.web.admin.people_pages import PeoplePages
from publisher.web.admin.person_actions import PersonActions
from publisher.web.admin.person_page import PersonPage
from publisher.web.admin.second_factor import SecondFactor
from publisher.web.admin.segment_pages import SegmentPages
from publisher.web.admin.session_cookies import Sessions
from publisher.web.admin.source_pages import SourcePages
from publisher.web.admin.step_pages import StepPages
from publisher.web.admin.views import AdminViews
from publisher.web.connections import LISTENER, ProxiedRequests
from publisher.web.context import FORM_SECONDS, WebContext
from publisher.web.fleet_metrics import FleetMetrics
from publisher.web.forms import Form, FormError, read_form
from publisher.web.mail_worker import MailWorker
from publisher.web.monitoring import AccessLog, Metrics
from publisher.web.public.account_page import AccountPages, AddressChangePages
from publisher.web.public.approval_page import ApprovalPages
from publisher.web.public.copy_page import CopyPages
from publisher.web.public.draft_page import DraftPages
from publisher.web.public.preferences_page import PreferencesPages
from publisher.web.public.public_pages import PublicPages
from publisher.web.public.sign_up_requests import SignUpRequests, resume_sign_ups
from publisher.web.public.static_site import SiteFiles
from publisher.web.public.subscribe_json import SubscribeJson
from publisher.web.public.subscribe_page import SubscribePages
from publisher.web.public.unsubscribe_page import NeverPages, UnsubscribePages
from publisher.web.responses import asset_headers, public_page_headers
from publisher.web.webhooks import PATH as WEBHOOKS
from publisher.web.webhooks import BounceWebhooks, HubCallbacks
from publisher.web.worker_threads import run_in_thread

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# The pages below /admin that list their routes themselves. The first one that matches a URL answers.
_ADMIN_PAGES = (
    *(SourcePages, EmailPages, StepPages, ImportPages, SegmentPages, GrowthPage, PeoplePages, BulkPages),
    *(PersonActions, PersonPage),
)

GetHandler = Callable[[Request], Response]
PostHandler = Callable[[Request, Form], Response]


@contextmanager
def open_application(
    config: Config, now: Callable[[], datetime], *, form_seconds: float = FORM_SECONDS
) -> Iterator[ASGIApp]:
    """Yield the application with its mail worker running. At the end, finish the jobs that are due and close it.

    now           returns the current time
    form_seconds  the number of seconds within which the body of a form must arrive

    Raises PublisherError if the database cannot be opened.
    """
    with open_project_store(config) as store:
        metrics = Metrics(
            lambda: {status.value: total for status, total in store.subscribers.counts().items()},
            lambda: mail_worker.waiting(),
            FleetMetrics(config, store, now),
        )
        mail_worker = MailWorker(lambda: open_transport(config), metrics.count_work)
        context = WebContext(
            config=config,
            store=store,
            policy=subscription_policy(config),
            links=project_links(config),
            templates=Templates(config.root / "templates"),
            mail_worker=mail_worker,
            now=now,
            form_seconds=form_seconds,
        )
        feed_stats = FeedStats(store, now)
        application = _make_application(context, metrics, feed_stats)
        resume_sign_ups(context)
        mail_worker.start()
        feed_stats.start()
        try:
            yield application
        finally:
            context.jobs.close()
            mail_worker.close()
            feed_stats.close()


async def unavailable(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request while there is no application, because it cannot be opened yet."""
    text = "we cannot do this right now; please try again later\n"
    await PlainTextResponse(text, 503, public_page_headers() | {"Retry-After": "30"})(scope, receive, send)


def _make_application(context: WebContext, metrics: Metrics, feed_stats: FeedStats) -> ASGIApp:
    config, pages = context.config, PublicPages(context)
    front, hubs = _Front(context, pages, metrics), HubCallbacks(context)
    admin, site_path = _admin_routes(context, pages), urlsplit(config.site_url).path.rstrip("/")
    common = [
        Route(pages.style_path, front.style),
        Route(pages.script_path, front.script),
        Route(f"{pages.prefix}/healthz", front.get(front.health)),
        Route(f"{pages.prefix}/metrics", front.get(front.metrics)),
    ]
    public = [
        *_public_routes(front, context, pages),
        Route(pages.prefix + WEBHOOKS, BounceWebhooks(context).post, methods=["POST"]),
        Route(pages.prefix + CALLBACK, _Methods(front.get(hubs.verify), hubs.receive)),
        *(admin if not config.admin.listen else ()),
        *common,
        *([Route(site_path, front.site_home)] if site_path else ()),
        Mount(
            site_path or "/",
            SiteFiles(
                config.root / config.pages.output,
                context.links.public_url,
                feed_stats.count,
                {name.file: name.kind for name in config.feeds.other_names},
            ),
        ),
    ]
    home = [Route(path, front.admin_home) for path in ("/", f"{pages.prefix}/admin/")]
    by_listener = _ByListener(front.application(public), front.application([*home, *admin, *common]))
    limited = ProxiedRequests(by_listener, context.clients)
    return AccessLog(limited, pages.prefix, context.clients, metrics.count_response)


def _public_routes(front: _Front, context: WebContext, pages: PublicPages) -> list[Route]:
    """Return the routes of the public pages, to which emails and the site link."""
    tokens = FormTokens(project_secret(context.config), needs_proof=context.config.web.proof_of_work)
    sign_ups = SignUpRequests(context, tokens)
    subscribe, unsubscribe = SubscribePages(context, pages, sign_ups), UnsubscribePages(context, pages)
    preferences, account = PreferencesPages(context, pages), AccountPages(context, pages)
    address, never = AddressChangePages(context, pages), NeverPages(context, pages)
    approval, copy = ApprovalPages(context, pages), CopyPages(context, pages)
    draft = DraftPages(context, pages)
    table: list[tuple[str, GetHandler, PostHandler | None]] = [
        ("/subscribe", subscribe.show_form, subscribe.take_form),
        ("/confirm/{token}", subscribe.show_confirm, subscribe.confirm),
        ("/address/{token}", address.show, address.change),
        ("/unsubscribe/{token}", unsubscribe.show, unsubscribe.unsubscribe),
        ("/preferences/{token}", preferences.show, preferences.change),
        ("/account/{token}", account.show, account.change),
        ("/account/{token}/erase", account.show_erase, account.erase),
        ("/never/{token}", never.show, never.decline),
        ("/approve/{token}", approval.show, approval.decide),
        ("/test-copy/{token}", copy.show, None),
        ("/draft/{token}", draft.show, None),
        ("/draft/{token}/{path:path}", draft.show, None),
    ]
    return [
        *(
            Route(pages.prefix + path, _Methods(front.get(get), front.post(post) if post else None))
            for path, get, post in table
        ),
        Route(f"{pages.prefix}/subscribe.json", SubscribeJson(context, pages, sign_ups)),
    ]


def _admin_routes(context: WebContext, public_pages: PublicPages) -> list[BaseRoute]:
    """Return the routes of the admin pages. Each answers 404 until a password is set."""
    lifetime = timedelta(hours=context.config.admin.session_hours)
    secret, public_url = project_secret(context.config), context.links.public_url
    own = bool(context.config.admin.listen)
    sessions = Sessions(context.store, secret, lifetime, public_url, has_own_address=own)
    pages = AdminPages(context, public_pages, sessions)
    second = SecondFactor(context.store, secret)
    auth, views = OwnerAuth(context, public_pages, pages, sessions, second), AdminViews(context, pages)
    access, actions = AccessPage(context, pages, second), AdminActions(context, pages, views)
    gets = {
        "": views.overview,
        "/editions": views.editions,
        "/editions/{edition:int}": views.edition,
        "/editions/{edition:int}/letter": views.edition_email,
        "/next/{newsletter}": views.next,
        "/next/{newsletter}/letter": views.next_email,
        "/feeds": views.feeds,
        "/posts": views.posts,
        "/log": views.log,
        "/access": access.show,
        "/progress.json": views.progress,
    }
    posts = {
        "/logout": auth.log_out,
        "/logout-all": auth.end_all,
        "/editions/{edition:int}": actions.edition,
        "/next/{newsletter}": actions.next,
    }
    root = pages.root
    return [
        Route(f"{root}/login", auth.show_login, methods=["GET"]),
        Route(f"{root}/login", auth.log_in, methods=["POST"]),
        Route(f"{root}/assets/{{name}}", auth.asset, methods=["GET"]),
        *(route for kind in _ADMIN_PAGES for route in kind(context, pages).routes(auth)),
        Route(f"{root}/access/on", auth.post_with_password(access.turn_on), methods=["POST"]),
        Route(f"{root}/access/off", auth.post_with_password(access.turn_off, needs_code=True), methods=["POST"]),
        *(Route(root + path, auth.post(handler), methods=["POST"]) for path, handler in posts.items()),
        *(Route(root + path, auth.get(handler), methods=["GET"]) for path, handler in gets.items()),
    ]


class _ByListener:
    """Passes requests for the address in admin.listen to an application of its own."""

    def __init__(self, public: ASGIApp, admin: ASGIApp) -> None:
        self._public, self._admin = public, admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_admin = scope.get("state", {}).get(LISTENER) == 1
        await (self._admin if is_admin else self._public)(scope, receive, send)


class _Methods:
    """Answers all HTTP methods of a URL.

    Without this class, requests with other methods would fall through to the built site.
    """

    def __init__(self, get: GetHandler, post: Callable[[Request], Awaitable[Response]] | None) -> None:
        self._get, self._post = get, post

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Raises HTTPException(405) if the URL does not support the method."""
        request = Request(scope, receive, send)
        if request.method == "POST" and self._post:
            response = await self._post(request)
        elif request.method in ("GET", "HEAD"):
            response = await run_in_threadpool(self._get, request)
        else:
            raise HTTPException(405, headers={"Allow": "GET, HEAD, POST" if self._post else "GET, HEAD"})
        await response(scope, receive, send)


class _Front:
    """Wraps the public handlers. It reads their forms, and turns errors into plain pages."""

    def __init__(self, context: WebContext, pages: PublicPages, metrics: Metrics) -> None:
        self._context, self._pages, self._metrics = context, pages, metrics

    def get(self, handler: GetHandler) -> GetHandler:
        """Wrap a GET handler. The caller must run the result in a thread."""

        @wraps(handler)
        def answer(request: Request) -> Response:
            """Answer, and show an error as a page."""
            try:
                return handler(request)
            except PublisherError as error:  # the database is unavailable, or a template is broken
                _log_busy(error)
                return self._busy(request)

        return answer

    def post(self, handler: PostHandler) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a POST handler. The form is read before the handler gets a thread, so slow clients occupy no threads."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            """Read the form and answer it, and show an error as a page."""
            try:
                form = await read_form(request, self._context.form_seconds)
            except FormError as error:
                return await run_in_threadpool(self._bad_form, request, error.status)
            except ClientDisconnect:
                return Response(status_code=400)
            return await run_in_thread("form", self.get(lambda asked: handler(asked, form)), request)

        return answer

    def application(self, routes: Sequence[BaseRoute]) -> Starlette:
        """Return an application made of some routes, with our error pages."""
        handlers = {HTTPException: self.refused, Exception: self.failed}
        application = Starlette(routes=routes, exception_handlers=handlers)
        application.router.redirect_slashes = False  # the redirect would lead to the host that the client has named
        return application

    def admin_home(self, request: Request) -> Response:
        """Redirect to the admin page, on its own address."""
        return RedirectResponse(f"{self._pages.prefix}/admin", 303, public_page_headers())

    def site_home(self, request: Request) -> Response:
        """Redirect to the home page of a site that has a path, if the trailing slash is missing."""
        return RedirectResponse(f"{request.url.path}/", 307, public_page_headers())

    def style(self, request: Request) -> Response:
        """Return the stylesheet of the subscribers' pages."""
        return Response(self._pages.style, 200, asset_headers(), "text/css")

    def script(self, request: Request) -> Response:
        """Return the script of the subscribers' pages."""
        return Response(self._pages.script, 200, asset_headers(), "text/javascript")

    def health(self, request: Request) -> Response:
        """Return "ok" if the database can be read."""
        self._context.store.subscribers.by_id(0)
        return PlainTextResponse("ok\n", 200, public_page_headers())

    def metrics(self, request: Request) -> Response:
        """Return the metrics to clients in web.metrics_for, and 404 to all others."""
        if not self._context.clients.may_read_metrics(request.scope):
            return self._not_found(request)
        return Response(self._metrics.text(), 200, public_page_headers(), self._metrics.content_type)

    def refused(self, request: Request, error: Exception) -> Response:
        """Return the response for an HTTP error: the "not found" page for 404, and a line of text for all others."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:
            return self._not_found(request)
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        text = "method not allowed" if status == 405 else "not possible"
        return PlainTextResponse(f"{text}\n", status, headers | public_page_headers())

    def failed(self, request: Request, error: Exception) -> Response:
        """Return a 500 response without details of the error, because a traceback could show personal data."""
        return PlainTextResponse("something went wrong; please try again later\n", 500, public_page_headers())

    def _not_found(self, request: Request) -> Response:
        return self._pages.nothing(request)

    def _bad_form(self, request: Request, status: int) -> Response:
        hint = {413: "too_long", 408: "too_slow"}.get(status, "bad_form_hint")
        response = self._pages.message(request, "bad_form", hint, status=status, ways=self._pages.ways_on())
        if status in (413, 408):
            response.headers["connection"] = "close"  # the rest of the body is not read
        return response

    def _busy(self, request: Request) -> Response:
        try:
            ways = self._pages.ways_on(with_newest=False)
            return self._pages.message(request, "busy", "busy_hint", status=503, ways=ways)
        except PublisherError:  # the templates themselves are broken
            return PlainTextResponse(
                "we cannot do this right now; please try again later\n", 503, public_page_headers()
            )


def _log_busy(error: PublisherError) -> None:
    """Log the type and location of an error that prevents a page from being shown.

    Its message is omitted, because it may contain an email address.
    """
    where = error.where if isinstance(error, StoreError | TemplateError) else ""
    log("busy", level="warning", error=type(error).__name__, where=where)
