"""Compare the addresses of the old and the new site, to find those that readers and search engines would miss.

The old site is a folder that a tool wrote, a sitemap, or a site whose sitemap can be found. Addresses are compared as
servers see them: case, punctuation and ending count, but /x is answered where /x/ or /x.html exists.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import suppress
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.posts.archive import Archive
from publisher.posts.permalinks import file_key
from publisher.posts.sources.fetcher import FetchError, Request, fetch
from publisher.site.build.site_files import built_paths

# Limits: files in a folder, addresses in all sitemaps, sitemaps, and bytes of one (sitemaps.org allows 50 MB).
MOST_FILES = 500_000
_MOST_ADDRESSES = 500_000
_MOST_SITEMAPS = 200
_MOST_BYTES = 50_000_000

_USUAL = ("sitemap.xml", "sitemap_index.xml", "sitemap-index.xml", "sitemap.xml.gz")
_LOCATION = re.compile(r"<(?:\w{1,20}:)?loc>\s*+(?:<!\[CDATA\[)?([^<\]]{1,4000}+)")
_FEED = re.compile(rb"<rss\b|<feed\b|<rdf:RDF\b|jsonfeed\.org")
_FEED_ENDINGS = (".xml", ".rss", ".atom", ".json")
_PAGE_ENDINGS = (".html", ".htm", ".xhtml")
_NOT_FOR_READERS = re.compile(r"/(?:404(?:\.html?|/)|google[0-9a-f]{16}\.html)$")
_ENDING = re.compile(r"\.x?html?$")


@dataclass(frozen=True, slots=True)
class OldSite:
    """The paths of an old site's pages and feeds, decoded. place: what was read."""

    place: str
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class PostElsewhere:
    """A post whose address the old site does not have. near: a similar address there, or "" """

    source: str
    path: str
    near: str = ""


@dataclass(frozen=True, slots=True)
class AddressDifferences:
    """The differences between the addresses of the old site and the new one.

    shared     how many addresses of posts both have
    elsewhere  the posts whose addresses the old site lacks
    gone       the addresses of the old site that the new one lacks
    """

    shared: int
    elsewhere: tuple[PostElsewhere, ...]
    gone: tuple[str, ...]


def read_old_site(place: str, *, allow_private: bool = False) -> OldSite:
    """Return the addresses of the site in a folder, in a sitemap (a file or a URL), or of the site at a URL.

    allow_private  whether a URL may be on this machine or in a private network
    Raises PublisherError if there are no addresses.
    """
    path = Path(place)
    if re.match(r"https?://", place, re.IGNORECASE):
        paths = frozenset(map(_plain, _from_web(place, allow_private)))
    elif path.is_dir():
        paths = frozenset(map(_plain, _from_folder(path)))
    elif path.is_file():
        paths = frozenset(map(_plain, _from_file(path, allow_private)))
    else:
        raise PublisherError(
            "is not there", where=place, hint="give the folder of the old site, its sitemap or its URL"
        )
    found = frozenset(each for each in paths if not _NOT_FOR_READERS.search(each))
    if not found:
        raise PublisherError("has no pages", where=place, hint="give the folder that the tool writes, or its sitemap")
    return OldSite(place, found)


def compare_addresses(config: Config, archive: Archive, old: OldSite) -> AddressDifferences:
    """Return the differences between the old site and a build, or the links in the feeds. Writes nothing."""
    base = urlsplit(config.site_url).path.rstrip("/")
    paths = {path.removeprefix(base) if base and path.startswith(f"{base}/") else path for path in old.paths}
    near = {_loose(path): path for path in sorted(paths)}
    ours = archive.ids()
    elsewhere = []
    shared = 0
    for source in ours:
        path = archive.permalink(source) or ""
        if path[:1] != "/":
            continue  # the page of a link post, or of an item of a source
        if is_answered(_plain(path), paths):
            shared += 1
        else:
            elsewhere.append(PostElsewhere(source, path, near.get(_loose(_plain(path)), "")))
    new = new_paths(config, archive)
    gone = sorted(path for path in paths if not is_answered(path, new))
    return AddressDifferences(shared, tuple(sorted(elsewhere, key=lambda each: each.source)), tuple(gone))


def new_paths(config: Config, archive: Archive) -> frozenset[str]:
    """Return the paths of the new site's pages and feeds, and of all posts, whichever tool makes the posts' pages."""
    written = (_address_of(path) for path in built_paths(config, archive))
    return frozenset(map(_plain, [*written, *(path for path in archive.permalinks() if path[0] == "/")]))


def is_answered(path: str, there: Collection[str]) -> bool:
    """Return whether a web server with the paths `there` answers a path with a page, perhaps after adding a slash."""
    if path in there or f"{path}/" in there or (path[-1:] != "/" and f"{path}.html" in there):
        return True
    if path.endswith("/index.html"):
        return path.removesuffix("index.html") in there
    if path.endswith(".html"):  # the file of a page without an ending
        return path.removesuffix(".html") in there
    return path.endswith("/") and f"{path}index.html" in there


def _plain(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _loose(path: str) -> str:
    """Return a key that is equal for paths that differ in case, slash or ending."""
    return _ENDING.sub("", file_key(path).removesuffix("index.html").rstrip("/")) or "/"


def _address_of(file: str) -> str:
    """Return the path of a site's file as it appears in addresses; for index.html, the path of its folder."""
    return f"/{file}".removesuffix("index.html") if f"/{file}".endswith("/index.html") else f"/{file}"


def _from_folder(folder: Path) -> Iterator[str]:
    seen = 0
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != "." or name == ".well-known")
        for name in files:
            seen += 1
            if seen > MOST_FILES:
                raise PublisherError(f"has more than {MOST_FILES:,} files", where=str(folder), hint="give its sitemap")
            path = Path(top, name)
            ending = path.suffix.lower()
            if ending in _PAGE_ENDINGS or (ending in _FEED_ENDINGS and _is_feed(path)):
                yield _address_of(path.relative_to(folder).as_posix())


def _is_feed(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return _FEED.search(file.read(600)) is not None
    return False


def _from_file(path: Path, allow_private: bool) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            body = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PublisherError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return _from_sitemap(body, str(path), allow_private)


def _from_web(url: str, allow_private: bool) -> Iterator[str]:
    answer = _fetched(url, allow_private)
    if _is_sitemap(answer):
        return _from_sitemap(answer, url, allow_private)
    with suppress(FetchError):
        robots = _fetched(urljoin(url, "/robots.txt"), allow_private)[:500_000].decode("utf-8", "replace")
        for found in re.findall(r"(?im)^[ \t]*sitemap[ \t]*:[ \t]*(\S{1,2000})", robots):
            return _from_sitemap(_fetched(urljoin(url, found), allow_private), found, allow_private)
    for name in _USUAL:
        with suppress(FetchError):
            body = _fetched(urljoin(url, name), allow_private)
            if _is_sitemap(body):
                return _from_sitemap(body, url, allow_private)
    raise PublisherError("has no sitemap that can be found", where=url, hint="give the URL of its sitemap")


def _fetched(url: str, allow_private: bool) -> bytes:
    try:
        return fetch(Request(url, allow_private=allow_private)).body
    except FetchError as error:
        if error.is_refused and "allow_private" in error.hint:
            raise FetchError(error.message, where=error.where, hint="if you trust it, use --allow-private") from error
        raise


def _is_sitemap(body: bytes) -> bool:
    start = _unpacked(body)[:5_000]
    return b"<urlset" in start or b"<sitemapindex" in start


def _unpacked(body: bytes) -> bytes:
    """Return a sitemap, unpacked if it is a gzip file, up to its first 50 MB."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    with suppress(OSError, EOFError), gzip.open(io.BytesIO(body)) as file:
        return file.read(_MOST_BYTES)
    return b""


def _from_sitemap(body: bytes, place: str, allow_private: bool) -> Iterator[str]:
    """Yield the paths in a sitemap, or in the sitemaps that a sitemap index names.

    Only <loc> is looked for, so attacks on XML parsers have no effect.
    """
    if not _is_sitemap(body):
        raise PublisherError("is not a sitemap", where=place, hint="give a folder, a sitemap (sitemaps.org) or a URL")
    waiting, known, found = [(_unpacked(body), place)], {place}, 0
    while waiting:
        text, where = waiting.pop()
        is_index = b"<sitemapindex" in text[:5_000]
        for written in _LOCATION.findall(text[:_MOST_BYTES].decode("utf-8", "replace")):
            url = unescape(written).strip()
            if not is_index:
                found += 1
                if found > _MOST_ADDRESSES:
                    raise PublisherError(f"has more than {_MOST_ADDRESSES:,} addresses", where=where)
                yield unquote(urlsplit(url).path) or "/"
            elif url not in known and len(known) <= _MOST_SITEMAPS:
                known.add(url)
                waiting.append((_unpacked(_named_sitemap(url, where, allow_private)), url))


def _named_sitemap(url: str, place: str, allow_private: bool) -> bytes:
    """Return a sitemap that an index names: a file next to the index, or the answer from its URL."""
    beside = Path(place).parent / Path(urlsplit(url).path).name
    if "://" not in place and beside.is_file():
        with beside.open("rb") as file:
            return file.read(_MOST_BYTES)
    return _fetched(url, allow_private)
