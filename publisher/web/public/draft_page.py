"""The pages at /draft/<token>: a draft, or the next email of a newsletter, for anyone who was given the link."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from mimetypes import guess_type
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from publisher.core.errors import PublisherError, StoreError
from publisher.core.i18n import civil_date
from publisher.posts.archive import open_archive
from publisher.posts.draft_posts import find_draft
from publisher.posts.scan import Stamp
from publisher.publishing.shared_drafts import DraftKind, DraftLink, DraftSite, draft_site, read_draft_link
from publisher.web.public.copy_page import below_line
from publisher.web.public.public_pages import token_of
from publisher.web.public.strings import speech
from publisher.web.responses import draft_headers, public_page_headers
from publisher.web.sample_email import next_email

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.context import WebContext
    from publisher.web.public.copy_page import below_line
from publisher.web.public.public_pages import PublicPages

_LONGEST_TOKEN = 2_000
_KEPT, _AGE = 8, timedelta(seconds=20)  # a page loads a few files together, and a changed file is shown without delay


class DraftPages:
    """The handler of /draft."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages
        self._kept: OrderedDict[tuple[str, Stamp], tuple[datetime, DraftSite | PublisherError]] = OrderedDict()
        self._lock = Lock()

    def show(self, request: Request) -> Response:
        """Show a draft, or say that the link has expired. A post that is public by now is shown at its own URL."""
        token = token_of(request)
        link = read_draft_link(self._context.links, token) if len(token) <= _LONGEST_TOKEN else None
        if link is None:
            return self._pages.bad_link(request)
        if link.until <= self._context.now():
            return self._pages.message(request, "draft_over", "draft_over_hint", status=410)
        try:
            return self._email(request, link) if link.kind is DraftKind.EMAIL else self._post(request, token, link)
        except StoreError:
            raise
        except PublisherError:  # `publisher check` shows the author what is wrong
            return self._pages.message(request, "draft_broken", "draft_broken_hint", status=503)

    def _email(self, request: Request, link: DraftLink) -> Response:
        context = self._context
        newsletter = context.config.newsletter(link.name)
        email = next_email(context.config, context.store, newsletter, context.now()) if newsletter else None
        return self._page(request, link, email.html) if email else self._gone(request)

    def _post(self, request: Request, token: str, link: DraftLink) -> Response:
        path, site_url = str(request.path_params.get("path", "")).strip("/"), self._context.config.site_url
        found = self._shown(link.name)
        if found is None:
            return self._gone(request)
        if isinstance(found, str):
            return RedirectResponse(found, 303, public_page_headers())
        if not path:
            return RedirectResponse(f"{self._pages.prefix}/draft/{token}/{found.path}", 303, public_page_headers())
        for name in (path, f"{path}/index.html", f"{path}.html"):
            data = found.file(name)
            if data is not None and name.endswith(".html"):
                return self._page(request, link, data.decode("utf-8", "replace"))
            if data is not None:
                return Response(data, 200, draft_headers(), guess_type(name)[0] or "application/octet-stream")
        return RedirectResponse(f"{site_url}/{quote(path)}", 303, public_page_headers())

    def _shown(self, source: str) -> DraftSite | str | None:
        """Return the page of a post as its file is now, the URL of a public post, or None if the file is gone."""
        config, now = self._context.config, self._context.now()
        stamp = find_draft(config, source)
        if stamp is None:
            return None
        with self._lock:  # one post is rendered at a time, however many requests there are
            made, found = self._kept.get((source, stamp), (now - _AGE, None))
            if isinstance(found, PublisherError):  # rendering it again would fail again, and may take seconds
                raise found
            if found and now - made < _AGE:
                return found
            archive = open_archive(config, now)
            if public := archive.permalink(source):
                return public if "://" in public else config.site_url + quote(public)
            try:
                found = draft_site(config, source, archive)
            except PublisherError as error:
                found = error
            self._kept[source, stamp] = now, found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            if isinstance(found, PublisherError):
                raise found
            return found

    def _page(self, request: Request, link: DraftLink, html: str) -> Response:
        say = speech(self._pages.language(request), self._context.templates)
        day = civil_date(link.until.astimezone(self._context.config.zone).date(), say.language)
        shown = below_line(html, say.language, say.draft_line.format(date=day))
        return Response(shown.encode("utf-8", "replace"), 200, draft_headers(), "text/html; charset=utf-8")

    def _gone(self, request: Request) -> Response:
        return self._pages.message(request, "draft_gone", "draft_gone_hint", status=404)
