"""The preview as an application: addresses, and what answers at each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from publisher.core.errors import PublisherError
from publisher.web.csrf import LOCAL_HOSTS, is_own_form, letter_headers, page_headers, site_headers
from publisher.web.preview.sample import file_name, for_frame
from publisher.web.preview.send import send_test_copy
from publisher.web.preview.snapshot import NotThereError, Snapshot
from publisher.web.preview.state import Desk
from publisher.web.preview.view_options import Angle
from publisher.web.preview.views import Notice, Views

Handler = Callable[[Request], Response]

# How often a waiting page is asked whether there is news for it, in seconds.
_NEWS_EVERY = 0.3
_LONGEST_FORM = 10_000


class ForeignFormError(PublisherError):
    """A form that came from somewhere else."""


_STATUS: dict[type[Exception], int] = {NotThereError: 404, ForeignFormError: 403}


def make_app(desk: Desk, root: Path, is_ending: Callable[[], bool]) -> Starlette:
    """Return the application. is_ending tells pages that wait for news that none will come."""
    preview = _Preview(desk, root, is_ending)
    routes = [
        Route("/", preview.calm(preview.start)),
        Route("/letters/{newsletter}/{which}", preview.calm(preview.letter)),
        Route("/letters/{newsletter}/{which}/letter.html", preview.calm(preview.frame)),
        Route("/letters/{newsletter}/{which}/message.eml", preview.calm(preview.message)),
        Route("/letters/{newsletter}/{which}/test", preview.form(preview.test), methods=["POST"]),
        Route("/pages", preview.calm(preview.pages)),
        Route("/feeds", preview.calm(preview.feeds)),
        Route("/site/{path:path}", preview.calm(preview.site)),
        Route("/events", preview.events),
        Route("/assets/{name}", preview.asset),
        Route("/{path:path}", preview.calm(preview.nothing)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS)])


class _Preview:
    """The handlers. All but those that wait are plain functions; the desk does their work in its own thread."""

    def __init__(self, desk: Desk, root: Path, is_ending: Callable[[], bool]) -> None:
        self._desk, self._is_ending = desk, is_ending
        self._token = secrets.token_urlsafe(24)
        self._views = Views(desk, root, self._token)

    def start(self, request: Request) -> Response:
        """Lead to the first letter there is."""
        shelves = self._desk.ask(lambda snapshot: snapshot.shelves)
        first = next((each for shelf in shelves for each in (*shelf.next, *shelf.past)), None)
        place = first.place if first else "/pages"
        return RedirectResponse(place, 303, page_headers())

    def letter(self, request: Request) -> Response:
        """Show one letter from one angle."""
        newsletter, which = _names(request)
        said = request.query_params.get("said", "")
        return self._page(self._views.letter(newsletter, which, Angle.of(request.query_params), said))

    def frame(self, request: Request) -> Response:
        """Give a letter's HTML to a frame."""
        newsletter, which = _names(request)
        topics = request.query_params.get("topics", "")

        def made(snapshot: Snapshot) -> str:
            return for_frame(snapshot.sample(newsletter, which, topics).html, snapshot.config.site_url)

        return Response(self._desk.ask(made), 200, letter_headers(), "text/html")

    def message(self, request: Request) -> Response:
        """Give the message as a file for a mail program."""
        newsletter, which = _names(request)
        topics = request.query_params.get("topics", "")
        sample = self._desk.ask(lambda snapshot: snapshot.sample(newsletter, which, topics))
        disposition = {"Content-Disposition": f'attachment; filename="{file_name(sample)}"'}
        return Response(sample.message, 200, page_headers() | disposition, "message/rfc822")

    def test(self, request: Request, form: dict[str, str]) -> Response:
        """Send a copy of a letter to the address of the form, by the project's transport."""
        if not is_own_form(request, form.get("token", ""), self._token):
            raise ForeignFormError("this form is not of this preview", hint="load the letter again, and send it there")
        newsletter, which = _names(request)
        angle = Angle.of(form)
        try:
            notice = Notice(send_test_copy(self._desk, newsletter, which, angle.topics, form.get("address", "")))
        except PublisherError as error:
            notice = Notice(f"No copy was sent: {error}", is_bad=True)
        query = angle.query()
        place = f"/letters/{newsletter}/{which}{query}{'&' if query else '?'}said={self._views.remember(notice)}"
        return RedirectResponse(place, 303, page_headers())

    def pages(self, request: Request) -> Response:
        """Show the site in frames."""
        return self._page(self._views.site(request.query_params.get("path", ""), Angle.of(request.query_params)))

    def feeds(self, request: Request) -> Response:
        """Show the feeds, or one of them."""
        return self._page(self._views.feeds(request.query_params.get("feed"), request.query_params.get("as", "")))

    def site(self, request: Request) -> Response:
        """Give one file of the site, as a build would write it."""
        path = request.path_params["path"]
        found = self._desk.ask(lambda snapshot: snapshot.site.file(path))
        if found is None:
            return Response(self._desk.ask(lambda snapshot: snapshot.site.missing()), 404, site_headers(), "text/html")
        kind = guess_type(path)[0] if "." in path.rpartition("/")[2] else "text/html"
        return Response(found, 200, site_headers(), kind or "application/octet-stream")

    def nothing(self, request: Request) -> Response:
        """Say that nothing is there."""
        raise NotThereError("there is no such page", where=request.url.path)

    def asset(self, request: Request) -> Response:
        """Give a file that the preview's own pages need."""
        name = request.path_params["name"]
        text = self._views.asset(name)
        if text is None:
            return Response("no such file", 404, page_headers(), "text/plain")
        return Response(text, 200, page_headers(), guess_type(name)[0])

    async def events(self, request: Request) -> Response:
        """Tell a page, as server-sent events, in which state the files are: at once, and after each change."""
        headers = page_headers() | {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._news(), 200, headers, "text/event-stream")

    async def _news(self) -> AsyncIterator[str]:
        known = ""
        while not self._is_ending():
            state = await run_in_threadpool(self._desk.state)
            if state != known:
                known = state
                yield f"event: state\ndata: {state}\n\n"
            await asyncio.sleep(_NEWS_EVERY)

    def calm(self, handler: Handler) -> Handler:
        """Make a handler say what went wrong on a page that comes back to life when it is mended."""

        @wraps(handler)
        def answer(request: Request) -> Response:
            try:
                return handler(request)
            except Exception as error:  # noqa: BLE001 - the last line of defence: a person gets a page, not a traceback
                page = self._views.trouble(error, request.url.path, Angle.of(request.query_params))
                return self._page(page, _STATUS.get(type(error), 500))

        return answer

    def form(self, handler: Callable[[Request, dict[str, str]], Response]) -> Callable[[Request], Awaitable[Response]]:
        """Make a handler of a small form, which is read before the handler's own thread begins."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            body = b""
            async for part in request.stream():
                body += part
                if len(body) > _LONGEST_FORM:
                    return Response("the form is too long", 413, page_headers(), "text/plain")
            fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
            return await run_in_threadpool(self.calm(lambda asked: handler(asked, fields)), request)

        return answer

    def _page(self, html: str, status: int = 200) -> Response:
        return Response(html, status, page_headers(), "text/html")


def _names(request: Request) -> tuple[str, str]:
    return request.path_params["newsletter"], request.path_params["which"]
