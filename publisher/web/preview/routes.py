"""The preview application: its URLs and handlers. Start reading at `make_preview`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import wraps
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Letter
from publisher.publishing.publish import send_letter
from publisher.publishing.wiring import transport_name
from publisher.subscribers.address import normalise
from publisher.web.forms import is_own_form
from publisher.web.preview.live_project import LiveProject
from publisher.web.preview.preview_pages import PreviewPages
from publisher.web.preview.view_options import ViewOptions
from publisher.web.responses import (
    Flash,
    NotFoundError,
    owner_page_headers,
    preview_email_headers,
    preview_site_headers,
)
from publisher.web.sample_email import link_to_preview, open_links_in_tabs

if TYPE_CHECKING:
    from publisher.web.preview.snapshot import Snapshot

Handler = Callable[[Request], Response]

# With any other host name, someone may be using DNS to reach this computer (DNS rebinding).
LOCAL_HOSTS = ["127.0.0.1", "localhost"]
# The seconds between two checks for changes, while a page waits for them.
_NEWS_EVERY = 0.3
_LONGEST_FORM = 10_000


class ForeignFormError(PublisherError):
    """A form was not sent from a page of this preview."""


_STATUS: dict[type[Exception], int] = {NotFoundError: 404, ForeignFormError: 403}


def make_preview(project: LiveProject, root: Path, is_ending: Callable[[], bool]) -> Starlette:
    """Return the preview application.

    is_ending  returns whether the server was asked to stop; open responses then end
    """
    preview = _Preview(project, root, is_ending)
    routes = [
        Route("/", preview.get(preview.start)),
        Route("/letters/{newsletter}/{which}", preview.get(preview.email)),
        Route("/letters/{newsletter}/{which}/letter.html", preview.get(preview.frame)),
        Route("/letters/{newsletter}/{which}/message.eml", preview.get(preview.message)),
        Route("/letters/{newsletter}/{which}/test", preview.post(preview.test), methods=["POST"]),
        Route("/pages", preview.get(preview.pages)),
        Route("/feeds", preview.get(preview.feeds)),
        Route("/site/{path:path}", preview.get(preview.site)),
        Route("/events", preview.events),
        Route("/assets/{name}", preview.asset),
        Route("/{path:path}", preview.get(preview.missing)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS)])


class _Preview:
    """The handlers of the preview. Most are plain functions whose work is done in the project's own thread."""

    def __init__(self, project: LiveProject, root: Path, is_ending: Callable[[], bool]) -> None:
        self._project, self._is_ending = project, is_ending
        self._token = secrets.token_urlsafe(24)
        self._pages = PreviewPages(project, root, self._token)

    def start(self, request: Request) -> Response:
        """Redirect to the first email, or to the site if there are no emails."""
        newsletters = self._project.ask(lambda snapshot: snapshot.newsletters)
        first = next((each for emails in newsletters for each in (*emails.next, *emails.past)), None)
        return RedirectResponse(first.place if first else "/pages", 303, owner_page_headers())

    def email(self, request: Request) -> Response:
        """Show the page of an email."""
        newsletter, which = _names(request)
        said = request.query_params.get("said", "")
        return self._page(self._pages.email(newsletter, which, ViewOptions.of(request.query_params), said))

    def frame(self, request: Request) -> Response:
        """Return the HTML of an email, for a frame on its page."""
        newsletter, which = _names(request)
        topics = request.query_params.get("topics", "")

        def made(snapshot: Snapshot) -> str:
            """Return the HTML of an email, with links that open in tabs of their own."""
            html = snapshot.sample(newsletter, which, topics).html
            return open_links_in_tabs(link_to_preview(html, snapshot.config.site_url))

        return Response(self._project.ask(made), 200, preview_email_headers(), "text/html")

    def message(self, request: Request) -> Response:
        """Return the message as a file that an email client can open."""
        newsletter, which = _names(request)
        topics = request.query_params.get("topics", "")
        sample = self._project.ask(lambda snapshot: snapshot.sample(newsletter, which, topics))
        disposition = {"Content-Disposition": f'attachment; filename="{sample.file_name}"'}
        return Response(sample.message, 200, owner_page_headers() | disposition, "message/rfc822")

    def test(self, request: Request, form: dict[str, str]) -> Response:
        """Send an email as a test to the address in the form, through the project's transport."""
        if not is_own_form(request, form.get("token", ""), self._token):
            raise ForeignFormError("this form is not from this preview", hint="reload the page and send the form again")
        newsletter, which = _names(request)
        options = ViewOptions.of(form)
        try:
            flash = Flash(send_test(self._project, newsletter, which, options.topics, form.get("address", "")))
        except PublisherError as error:
            flash = Flash(f"No test was sent: {error}", is_bad=True)
        query = options.query()
        place = f"/letters/{newsletter}/{which}{query}{'&' if query else '?'}said={self._pages.flashes.add(flash)}"
        return RedirectResponse(place, 303, owner_page_headers())

    def pages(self, request: Request) -> Response:
        """Show the site in frames."""
        return self._page(self._pages.site(request.query_params.get("path", ""), ViewOptions.of(request.query_params)))

    def feeds(self, request: Request) -> Response:
        """Show the list of feeds, and the chosen feed."""
        return self._page(self._pages.feeds(request.query_params.get("feed"), request.query_params.get("as", "")))

    def site(self, request: Request) -> Response:
        """Return a file of the site as a build would write it."""
        path = request.path_params["path"]
        found = self._project.ask(lambda snapshot: snapshot.site.file(path))
        if found is None:
            missing = self._project.ask(lambda snapshot: snapshot.site.missing())
            return Response(missing, 404, preview_site_headers(), "text/html")
        kind = guess_type(path)[0] if "." in path.rpartition("/")[2] else "text/html"
        return Response(found, 200, preview_site_headers(), kind or "application/octet-stream")

    def missing(self, request: Request) -> Response:
        """Answer any other URL with 404."""
        raise NotFoundError("there is no such page", where=request.url.path)

    def asset(self, request: Request) -> Response:
        """Return a stylesheet, script or icon of the preview's own pages."""
        name = request.path_params["name"]
        text = self._pages.asset(name)
        if text is None:
            return Response("no such file", 404, owner_page_headers(), "text/plain")
        return Response(text, 200, owner_page_headers(), guess_type(name)[0])

    async def events(self, request: Request) -> Response:
        """Send the state of the files as server-sent events, immediately and after each change."""
        headers = owner_page_headers() | {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._news(), 200, headers, "text/event-stream")

    async def _news(self) -> AsyncIterator[str]:
        known = ""
        while not self._is_ending():
            state = await run_in_threadpool(self._project.state)
            if state != known:
                known = state
                yield f"event: state\ndata: {state}\n\n"
            await asyncio.sleep(_NEWS_EVERY)

    def get(self, handler: Handler) -> Handler:
        """Wrap a GET handler. An error is shown as a page that reloads itself once the cause is fixed."""

        @wraps(handler)
        def answer(request: Request) -> Response:
            """Answer, and show an error as a page."""
            try:
                return handler(request)
            except Exception as error:  # noqa: BLE001 - a person must see a page, never a traceback
                page = self._pages.error(error, request.url.path, ViewOptions.of(request.query_params))
                return self._page(page, _STATUS.get(type(error), 500))

        return answer

    def post(self, handler: Callable[[Request, dict[str, str]], Response]) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a POST handler. The form is read before the handler runs in a thread."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            """Read the body and answer it, if it comes from the preview's own pages."""
            body = b""
            async for part in request.stream():
                body += part
                if len(body) > _LONGEST_FORM:
                    return Response("the form is too long", 413, owner_page_headers(), "text/plain")
            fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
            return await run_in_threadpool(self.get(lambda asked: handler(asked, fields)), request)

        return answer

    def _page(self, html: str, status: int = 200) -> Response:
        return Response(html, status, owner_page_headers(), "text/html")


@dataclass(frozen=True, slots=True)
class _TestEmail:
    config: Config
    slot: str
    number: int
    letter: Letter
    now: datetime


def send_test(project: LiveProject, newsletter: str, which: str, topics: str, address: str) -> str:
    """Send an email as a test through the project's transport, and return a message that describes the result.

    Raises PublisherError if the address is not valid, or the transport does not accept the message.
    """
    to = normalise(address)

    def chosen(snapshot: Snapshot) -> _TestEmail:
        """Return the edition that is sent as a test."""
        sample = snapshot.sample(newsletter, which, topics)
        edition = sample.edition
        now = project.now(snapshot.config)
        return _TestEmail(snapshot.config, edition.slot, edition.number, sample.letter, now)

    test = project.ask(chosen)
    # Don't send in the project's thread. A mail server may be slow, and the pages must still be served.
    send_letter(test.config, newsletter, test.slot, test.number, test.letter, to, test.now)
    return f"A test was sent to {to} through {transport_name(test.config)}"


def _names(request: Request) -> tuple[str, str]:
    return request.path_params["newsletter"], request.path_params["which"]
