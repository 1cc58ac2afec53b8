"""The built site as files: with the media types of feeds, ETags, and without a request reaching beside the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from publisher.web.public.headers import site_headers

if TYPE_CHECKING:
    from starlette.types import Scope

_TYPES = {
    "feed.xml": "application/rss+xml; charset=utf-8",
    "atom.xml": "application/atom+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
}
_FEED_AGE = "max-age=900"


class SiteFiles(StaticFiles):
    """The files of one folder, which a build may replace at any time and which need not be there yet."""

    def __init__(self, folder: Path, public_url: str, asked: Callable[[str, str], None] | None = None) -> None:
        """asked: told path and user agent of each request of a feed, and to be back at once."""
        super().__init__(directory=folder, html=True, check_dir=False)
        self.config_checked = True  # the folder may come later
        self._headers = site_headers(public_url)
        self._asked = asked

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file; raise HTTPException for what is not there or not for everybody."""
        if any(part.startswith(".") and part not in (".", ".well-known") for part in path.split("/")):
            raise HTTPException(404)
        try:
            response = await super().get_response(path, scope)
        except (RuntimeError, OSError) as error:  # no folder yet, or a name that no system knows
            raise HTTPException(404) from error
        if isinstance(response, RedirectResponse):
            # Without the host, which the request could have made up; and not "//host", which is another site.
            response.headers["location"] = "/" + scope["path"].strip("/") + "/"
        name = path.rpartition("/")[2]
        if isinstance(response, FileResponse) or response.status_code == 304:
            kind = self._kind(name)
            if kind and response.status_code == 200:  # 404.html is a page, whatever was asked for
                response.headers["content-type"] = kind
            response.headers["cache-control"] = _cache(path, bool(kind) and response.status_code != 404)
        response.headers.update(self._headers)
        if self._asked and name in _TYPES and scope["method"] == "GET" and response.status_code in (200, 304):
            self._asked(path, _user_agent(scope))
        return response

    def _kind(self, name: str) -> str | None:
        if name in _TYPES:
            return _TYPES[name]
        stem, _, ending = name.rpartition(".")  # feed-3.xml in an archive
        base = f"{stem.partition('-')[0]}.{ending}"
        return _TYPES.get(base) if stem.partition("-")[2].isdigit() else None


def _user_agent(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")


def _cache(path: str, is_feed: bool) -> str:
    name = path.rpartition("/")[2]
    if path.startswith("assets/site.") and name.endswith(".css"):
        return "public, max-age=31536000, immutable"
    return _FEED_AGE if is_feed else "no-cache"
