"""The pictures and other files of the old site that an export's posts show, and where they are in this project.

Each file keeps its path on the site, below the folder of static files, so that links to it from anywhere stay valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape, unescape
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from publisher.posts.media_types import is_published
from publisher.publishing.exports.exported import ExportedPost
from publisher.publishing.exports.ghost import PLACEHOLDER

_TAG = re.compile(r"<[a-z][^<>]{0,20000}", re.IGNORECASE)
_REFERENCE = re.compile(
    r"(\s(?:src|href|poster)\s{0,3}=\s{0,3})(?:\"([^\"<>]{1,2000})\"|'([^'<>]{1,2000})')", re.IGNORECASE
)
# The sizes of a picture that the old site had; this program makes its own.
_SIZES = re.compile(r"\s(?:srcset|sizes)\s{0,3}=\s{0,3}(?:\"[^\"<>]{0,20000}\"|'[^'<>]{0,20000}')", re.IGNORECASE)
_SOURCE = re.compile(r"<source\b[^<>]{0,5000}?\bsrcset[^<>]{0,20000}>", re.IGNORECASE)
# Hosts that keep the files of many sites.
_SUBSTACK = re.compile(r"substack-post-media\.s3\.amazonaws\.com|bucketeer-[0-9a-f-]+\.s3\.amazonaws\.com")
_PHOTON = re.compile(r"i[0-3]\.wp\.com")
_MOST_NAME = 200


class PreviousSite:
    """The site that an export comes from.

    url    its address without a slash at the end, at which its files still are; "" if that isn't known
    pages  the address of each page that shows a single picture, with the picture's address
    """

    def __init__(self, url: str, pages: Mapping[str, str], *, takes_files: bool = True) -> None:
        self._pages = {_split(page): file for page, file in pages.items()}
        self.url = url.rstrip("/")
        self._host = _host(self.url)
        self._path = urlsplit(self.url).path
        self._takes_files = takes_files

    def files(self, post: ExportedPost) -> Iterator[tuple[str, str]]:
        """Yield the URL, and the path on the site, of each file of the old site that a post shows or links to."""
        for found in (each for tag in _TAG.finditer(post.html) for each in _REFERENCE.finditer(tag[0])):
            if named := self._file(unescape(found[2] or found[3])):
                yield named
        for url in (post.image, post.audio.partition(" ")[0]):
            if named := self._file(url):
                yield named

    def moved(self, post: ExportedPost) -> ExportedPost:
        """Return a post whose references to its own site are paths, so that they lead to the site's present address."""
        post = replace(post, canonical=post.canonical.replace(PLACEHOLDER, self.url))
        html = _TAG.sub(lambda tag: _REFERENCE.sub(self._moved, tag[0]), post.html).replace(PLACEHOLDER, self.url)
        if self._takes_files:
            html = _SIZES.sub("", _SOURCE.sub("", html))
        audio, space, about = post.audio.partition(" ")
        return replace(post, html=html, image=self._place(post.image), audio=f"{self._place(audio)}{space}{about}")

    def _moved(self, found: re.Match[str]) -> str:
        written = found[2] or found[3]
        url = unescape(written)
        place = self._place(url)
        return found[0] if place == url else f'{found[1]}"{escape(place)}"'

    def _place(self, url: str) -> str:
        """Return a URL of the old site as a path, and other URLs unchanged."""
        if named := self._file(url):
            return quote(named[1], safe="/~!$&'()*+,;=:@")
        url = self._whole(url)
        if not self._is_own(url) or is_published(_path(url)):
            return url
        parts = urlsplit(url)
        rest = (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
        return f"{self._below(parts.path) or '/'}{rest}"

    def _file(self, url: str) -> tuple[str, str] | None:
        """Return the URL of one of the old site's files and its path on the site; None for anything else."""
        url = self._whole(url)
        parts = _split(url)
        if not self._takes_files or parts is None or parts[0] == "" or not is_published(parts[1]):
            return None
        host, path = parts
        if _PHOTON.fullmatch(host):
            host, _, path = path.lstrip("/").partition("/")
            url, path = f"https://{host}/{path}", f"/{path}"
            host = _bare(host)
        if _SUBSTACK.fullmatch(host):
            path = f"/images/{PurePosixPath(path).name}"
        elif host == self._host and self._host:
            path = self._below(path)
        elif not (host.endswith(".files.wordpress.com") and host.partition(".")[0] == self._host.partition(".")[0]):
            return None
        place = unquote(path)
        return (url.partition("?")[0].partition("#")[0], place) if _is_plain(place) else None

    def _whole(self, url: str) -> str:
        """Return a URL made absolute; for a page that shows a single picture, the URL of the picture."""
        if url.startswith(PLACEHOLDER):
            url = f"{self.url}{url.removeprefix(PLACEHOLDER)}"
        elif url.startswith("/") and not url.startswith("//"):
            url = f"{self.url.removesuffix(self._path)}{url}"
        return self._pages.get(_split(url.rstrip("/")), url) if self._pages else url

    def _is_own(self, url: str) -> bool:
        parts = _split(url)
        return bool(self._host) and parts is not None and parts[0] == self._host

    def _below(self, path: str) -> str:
        return path.removeprefix(self._path) if path.startswith(f"{self._path}/") else path


def _split(url: str) -> tuple[str, str] | None:
    """Return the host, without www, and the path of a URL; None if it is not http(s)."""
    try:
        parts = urlsplit(url)
        return (_bare(parts.netloc), parts.path) if parts.scheme in ("http", "https") else None
    except ValueError:
        return None


def _host(url: str) -> str:
    parts = _split(url)
    return parts[0] if parts else ""


def _path(url: str) -> str:
    parts = _split(url)
    return parts[1] if parts else ""


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.")


def _is_plain(path: str) -> bool:
    """Return whether a path can belong to a file below the static folder."""
    parts = path.lstrip("/").split("/")
    return (
        all(
            part
            and part[0] != "."
            and len(part.encode("utf-8", "replace")) <= _MOST_NAME
            and not re.search(r"[\\\x00-\x1f\x7f\ufffd]", part)
            for part in parts
        )
        and len(parts) < 30
    )
