"""Serves the files of the built site, with ETags, cache times, media types, gzip and a policy for each type.

Files outside the folder of the site are never served.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from mimetypes import guess_type
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from publisher.posts.media_types import MEDIA_TYPES
from publisher.web.compression import GzipFiles, accepts_gzip, is_compressible
from publisher.web.responses import site_headers

if TYPE_CHECKING:
    from starlette.staticfiles import PathLike
    from starlette.types import Receive, Scope, Send

_TYPES = {
    "feed.xml": "application/rss+xml; charset=utf-8",
    "atom.xml": "application/atom+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
}
_NAMES = {"rss": "feed.xml", "atom": "atom.xml", "json": "feed.json"}
# Feed readers that run in a browser may read these types from any page.
_READ_BY_OTHERS = (*_TYPES.values(), "text/x-opml")
# Types that Python knows only on some systems, or by a different name; those of media are in MEDIA_TYPES.
_ENDINGS = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".opml": "text/x-opml",
    ".webmanifest": "application/manifest+json",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".xsl": "application/xml",
}
_FEED_AGE = "max-age=900"
# The suffix of the ETag of a file that is sent compressed.
_GZIP_TAG = '-gzip"'


# No file can have a longer path, and each part of a path would be looked up.
_LONGEST_PATH = 4_096


class _OpenFile(FileResponse):
    """A file whose headers and content match, although a build may replace it at any time."""

    _file: anyio.AsyncFile[bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file. Raise HTTPException(404) if it is gone."""
        try:
            self._file = await anyio.open_file(self.path, "rb")
        except OSError as error:
            raise HTTPException(404) from error
        async with self._file:
            found = os.fstat(self._file.wrapped.fileno())
            if self.stat_result and (found.st_ino, found.st_size) != (
                self.stat_result.st_ino,
                self.stat_result.st_size,
            ):
                for name in ("content-length", "last-modified", "etag"):
                    del self.headers[name]
                self.stat_result = found
                self.set_stat_headers(found)
            await super().__call__(scope, receive, send)

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[anyio.AsyncFile[bytes]]:
        yield self._file


def _version(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns


class SiteFiles(StaticFiles):
    """Serves the files of one folder. A build may replace the folder at any time, and the folder may not exist yet."""

    def __init__(
        self,
        folder: Path,
        public_url: str,
        count_feed: Callable[[str, str], None] | None = None,
        other_feeds: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare to serve a folder.

        folder      the folder of the built site, which need not exist
        public_url  the URL of the application, to which forms on the site may be sent
        count_feed  called with the path and the user agent of each request for a feed; it must not block
        other_feeds  the formats (rss, atom or json) of feeds with unusual names, by the paths of their files
        """
        super().__init__(directory=folder, html=True, check_dir=False)
        self.config_checked = True  # otherwise Starlette requires the folder to exist
        self._folder, self._public_url = folder, public_url
        self._count_feed = count_feed
        self._gzip = GzipFiles()
        self._other_feeds = {path: _TYPES[_NAMES[kind]] for path, kind in (other_feeds or {}).items()}

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file. Raise HTTPException(404) if it is hidden, or if neither it nor a 404.html exists."""
        if len(path) > _LONGEST_PATH:
            raise HTTPException(404)
        if any(part.startswith(".") and part not in (".", ".well-known") for part in path.split("/")):
            raise HTTPException(404)
        response = await self._response(path, scope)
        if (response is None or response.status_code == 404) and not scope["path"].endswith("/"):
            page = await self._response(f"{path}.html", scope)  # the file of a page whose URL has no trailing slash
            response = page if page and page.status_code in (200, 304) else response
        if response is None:
            raise HTTPException(404)
        if isinstance(response, RedirectResponse):
            # Built from the path of the folder that was found. What the client sent may have a forged host, or a path
            # such as //host/../folder, which browsers treat as a link to another site.
            response.headers["location"] = quote(f"{scope.get('root_path', '')}/{path}/")
        if response.status_code not in (200, 304):  # 404.html is a page, even when a feed was requested
            response.headers.update(site_headers(self._public_url))
            response.headers["cache-control"] = "no-cache"
        elif self._count_feed and self._is_feed(path) and scope["method"] == "GET":
            self._count_feed(path, _user_agent(scope))
        return await self._compressed(response)

    def _is_feed(self, path: str) -> bool:
        names = {path, f"{path}/index.html"}
        return path.rpartition("/")[2] in _TYPES or not names.isdisjoint(self._other_feeds)

    async def _response(self, path: str, scope: Scope) -> Response | None:
        """Return a file, or the site's page for missing files; None if there is neither."""
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404:
                raise
        except (RuntimeError, OSError):  # there is no folder yet, or the name is too long for a file
            pass
        return None

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return a file with its headers, or 304 if the client has it."""
        path = os.path.relpath(full_path, os.path.realpath(self._folder))
        kind = self._other_feeds.get(path) or _media_type(path)
        response = _OpenFile(full_path, status_code=status_code, stat_result=stat_result, media_type=kind)
        if is_compressible(kind, stat_result.st_size):
            response.headers["vary"] = "Accept-Encoding"
            if accepts_gzip(scope):
                response.headers["etag"] = f"{response.headers['etag'][:-1]}{_GZIP_TAG}"
        headers = site_headers(self._public_url, kind) | {"Cache-Control": _cache(path, kind)}
        if kind in _READ_BY_OTHERS:
            headers["Access-Control-Allow-Origin"] = "*"
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            unchanged = NotModifiedResponse(response.headers)
            unchanged.headers.update(headers)
            return unchanged
        response.headers.update(headers)
        return response

    async def _compressed(self, response: Response) -> Response:
        """Return a file compressed, if its ETag announces that. All other responses are returned as they are."""
        tag = response.headers.get("etag", "")
        if not isinstance(response, FileResponse) or not response.stat_result or not tag.endswith(_GZIP_TAG):
            return response
        try:
            content = await self._gzip.content(str(response.path), response.stat_result)
        except OSError:
            content = None
        if content is None:  # it has just been replaced
            response.headers["etag"] = tag.removesuffix(_GZIP_TAG) + '"'
            return response
        smaller = Response(content, response.status_code, media_type=response.media_type)
        kept = {name: value for name, value in response.headers.items() if name != "content-length"}
        del kept["accept-ranges"]
        smaller.headers.update(kept | {"content-encoding": "gzip"})
        return smaller


def _media_type(path: str) -> str:
    name = path.rpartition("/")[2]
    ending = PurePath(name).suffix.lower()
    known = _feed_type(name) or _ENDINGS.get(ending) or MEDIA_TYPES.get(ending)
    guessed, encoding = guess_type(name)  # for x.svg.gz, the type of its content
    return known or (None if encoding else guessed) or "application/octet-stream"


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


def _cache(path: str, kind: str) -> str:
    name = path.rpartition("/")[2]
    if path.startswith("assets/site.") and name.endswith(".css"):
        return "public, max-age=31536000, immutable"
    return _FEED_AGE if kind in _TYPES.values() else "no-cache"
