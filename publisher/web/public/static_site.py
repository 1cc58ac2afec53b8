"""Serves the files of the built site, with ETags, cache times and the media types of feeds.

Files outside the folder of the site are never served.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from publisher.web.responses import site_headers

if TYPE_CHECKING:
    from starlette.types import Scope

_TYPES = {
    "feed.xml": "application/rss+xml; charset=utf-8",
    "atom.xml": "application/atom+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
}
_FEED_AGE = "max-age=900"


class SiteFiles(StaticFiles):
    """Serves the files of one folder. A build may replace the folder at any time, and the folder may not exist yet."""

    def __init__(self, folder: Path, public_url: str, count_feed: Callable[[str, str], None] | None = None) -> None:
        """Prepare to serve a folder.

        folder      the folder of the built site, which need not exist
        public_url  the URL of the application, to which forms on the site may be sent
        count_feed  called with the path and the user agent of each request for a feed; it must not block
        """
        super().__init__(directory=folder, html=True, check_dir=False)
        self.config_checked = True  # otherwise Starlette requires the folder to exist
        self._headers = site_headers(public_url)
        self._count_feed = count_feed

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file. Raise HTTPException(404) if it is hidden, or if neither it nor a 404.html exists."""
        if any(part.startswith(".") and part not in (".", ".well-known") for part in path.split("/")):
            raise HTTPException(404)
        try:
            response = await super().get_response(path, scope)
        except (RuntimeError, OSError) as error:  # there is no folder yet, or the name is too long for a file
            raise HTTPException(404) from error
        if isinstance(response, RedirectResponse):
            # Built from the path of the folder that was found. What the client sent may have a forged host, or a path
            # such as //host/../folder, which browsers take for a link to another site.
            response.headers["location"] = quote(f"{scope.get('root_path', '')}/{path}/")
        name = path.rpartition("/")[2]
        if isinstance(response, FileResponse) or response.status_code == 304:
            feed_type = _feed_type(name)
            if feed_type and response.status_code == 200:  # 404.html is a page, even when a feed was requested
                response.headers["content-type"] = feed_type
            response.headers["cache-control"] = _cache(path, bool(feed_type) and response.status_code != 404)
        response.headers.update(self._headers)
        if self._count_feed and name in _TYPES and scope["method"] == "GET" and response.status_code in (200, 304):
            self._count_feed(path, _user_agent(scope))
        return response


def _feed_type(name: str) -> str | None:
    """Return the media type of a feed from its file name, including archived feeds such as feed-3.xml.

    Return None if the file is not a feed.
    """
    if name in _TYPES:
        return _TYPES[name]
    stem, _, ending = name.rpartition(".")
    base = f"{stem.partition('-')[0]}.{ending}"
    return _TYPES.get(base) if stem.partition("-")[2].isdigit() else None


def _user_agent(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")


def _cache(path: str, is_feed: bool) -> str:
    name = path.rpartition("/")[2]
    if path.startswith("assets/site.") and name.endswith(".css"):
        return "public, max-age=31536000, immutable"
    return _FEED_AGE if is_feed else "no-cache"
