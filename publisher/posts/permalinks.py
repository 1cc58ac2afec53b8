"""The permalinks and ids of posts, made from file names or front matter.

A permalink must never be the path of a file that the site itself needs. Permalinks and ids must never change once a
post is published, so the rules here must not change either. All functions are pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from datetime import date
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

from publisher.core import patterns
from publisher.posts.slugs import MOST_NAME_BYTES

# The folder of a project may have a long path as well, and a path has at most 4,096 bytes.
MOST_PATH_BYTES = 2_000

_PLAIN = patterns.compile(r"[A-Za-z0-9/._~-]*")
_TIDY = patterns.compile(r"(?:/[A-Za-z0-9_~-]+)+/")
_FREE = patterns.compile(
    r"(?!/(?:archive|assets|editions|page|subscribe|tags)(?:/|\Z))(?:/[A-Za-z0-9_~-]+)+/?", re.IGNORECASE | re.ASCII
)
_ODD = patterns.compile(r"[\x00-\x1f\x7f:]")
_ODD_BEFORE = patterns.compile(r"[\s:]")
_FILE_ENDING = patterns.compile(r"\.(?:html?|xhtml)$")
_FILE_DATE = patterns.compile(r"([1-9]\d{3})-(\d{1,2})-(\d{1,2})(?:[-_ ]++(.+))?")
_PATH_DATE = patterns.compile(r"(?:^|/)([1-9]\d{3})/(\d{1,2})/(\d{1,2})(?:/|$)")

# The paths of feeds, their archives, the list of feeds and the sitemap. A page there would need a folder with the same
# name as the file.
_FEEDS = patterns.compile(
    r"/(?:(?:feed|atom)(?:-\d+)?\.xml|feed(?:-\d+)?\.json)(?:/|$)|^/(?:feeds\.opml|sitemap(?:-\d+)?\.xml)(?:/|$)"
)
# The site's own files and folders, where no post can be. Names that begin with a dot are not for readers either.
_OWN = ("assets", "editions", "404.html")
_FOR_READERS = "/.well-known/"
# The index, 404, subscribe and archive pages, and the pages of tags and of editions.
_PAGES = patterns.compile(
    r"/(?:(?:subscribe|archive|tags(?:/[^/]+(?:/page/\d+)?)?|editions(?:/.+)?|page/\d+)/)?(?:index\.html)?|/404\.html",
    re.IGNORECASE,
)


def name_of(source: str) -> tuple[str, str]:
    """Split a post's path into (folder, name). A page bundle such as `hello/index.md` is named after its folder."""
    folder, _, file = source.rpartition("/")
    stem = file.rpartition(".")[0]
    if folder and stem.lower() in ("index", "_index"):
        folder, _, stem = folder.rpartition("/")
    return _folder(folder) if folder else "", stem


@lru_cache(maxsize=1024)
def _folder(folder: str) -> str:
    """Return the folder as it appears in URLs, without Jekyll's own folders, which mean nothing to readers."""
    return "/".join(part for part in folder.split("/") if part not in ("_posts", "_drafts"))


def file_date(name: str) -> tuple[date, str] | None:
    """Return the day and the rest of a file name such as 2024-07-06-hello; None for other names."""
    match = _FILE_DATE.fullmatch(name)
    if match is None:
        return None
    year, month, day, rest = match.groups()
    try:
        return date(int(year), int(month), int(day)), rest or name
    except ValueError:
        return None


def path_date(path: str) -> date | None:
    """Return the day in a path such as 2025/06/26/Name; None for other paths."""
    match = _PATH_DATE.search(path)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def day_of_path(path: str) -> date | None:
    """Return the day that the path of a post names, in its file's name or in its folders; None if there is none."""
    dated = file_date(name_of(path)[1])
    return dated[0] if dated else path_date(path.rpartition("/")[0])


def tag_uri(authority: str, day: date, folder: str, name: str) -> str:
    """Return the permanent id of a post (RFC 4151), which depends on the authority, the day and the file's path."""
    specific = f"{folder}/{name}" if folder and name else folder or name
    return f"tag:{authority}:{day.isoformat()}:{specific if _PLAIN.fullmatch(specific) else _uri_safe(specific)}"


def _uri_safe(text: str) -> str:
    return quote(unicodedata.normalize("NFC", text), safe="/._~-")


def permalink(pattern: str, *, folder: str, day: date, slug: str, language: str) -> str:
    """Return the path for a permalink pattern, not yet percent-encoded. Empty parts leave no double slash."""
    filled = _template(pattern) % {
        "folder": folder,
        "year": day.year,
        "month": day.month,
        "day": day.day,
        "slug": slug,
        "lang": language,
    }
    return tidy_path(filled.replace("//", "/"))


@lru_cache(maxsize=16)
def _template(pattern: str) -> str:
    """Return the pattern as a format string for the % operator."""
    text = pattern.replace("%", "%%")
    for part in ("folder", "slug", "lang"):
        text = text.replace(f"{{{part}}}", f"%({part})s")
    for part, digits in (("year", 4), ("month", 2), ("day", 2)):
        text = text.replace(f"{{{part}}}", f"%({part})0{digits}d")
    return text


def tidy_path(path: str) -> str:
    """Return a path in absolute form, with or without a trailing slash as it is written.

    Dot segments are removed, so that no post can name a file outside the output folder, and so is a slash after an
    extension such as .html.
    """
    if _TIDY.fullmatch(path):
        return path
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    clean = "/" + "/".join(parts)
    if clean == "/" or _FILE_ENDING.search(clean) or not path.endswith(("/", "\\")):
        return clean
    return clean + "/"


def why_unfit(value: object, path: str, *, is_strict: bool = False) -> str:
    """Return why a permalink in front matter cannot be used; "" if it can.

    path       the value as it is read, tidied
    is_strict  whether spaces are refused, as earlier versions did
    """
    if not isinstance(value, str):
        return "the permalink is not text, and is ignored"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://|//", value):
        return f"the permalink {_short(value)} is a whole URL instead of a path, and is ignored"
    written = value if is_strict else path
    if re.search(r"[{}]|:[A-Za-z]", written):
        return f"the permalink {_short(value)} contains another tool's placeholders, and is ignored"
    if odd := (_ODD_BEFORE if is_strict else _ODD).search(written):
        kind = "colon" if odd[0] == ":" else "space" if is_strict else "hidden character"
        return f"the permalink {_short(value)} contains a {kind}, and is ignored"
    if used := used_by_site(path):
        return f"the permalink {_short(value)} is already used by {used}, and is ignored"
    if max(map(len, path.encode("utf-8", "replace").split(b"/"))) > MOST_NAME_BYTES:
        return "the permalink is too long for a file name, and is ignored"
    if len(path.encode("utf-8", "replace")) > MOST_PATH_BYTES:
        return "the permalink is too long for the path of a file, and is ignored"
    return ""


def _short(value: str) -> str:
    """Return the permalink in quotes, cut to a length that fits into a message."""
    return repr(value if len(value) <= 80 else f"{value[:79]}…")


def used_by_site(path: str) -> str:
    """Return what a page at this path would conflict with on some file system, such as "a feed"; "" for nothing."""
    plain = file_key(path)
    first = plain[1:].partition("/")[0]
    if first not in _OWN and _TIDY.fullmatch(plain):
        return ""  # most paths
    if _FEEDS.search(plain):
        return "a feed"
    if any(map(_FILE_ENDING.search, plain.split("/")[1:-1])):
        return "a page, whose file would have to be a folder"
    hidden = "/." in plain.replace(_FOR_READERS, "/", 1) if plain.startswith(_FOR_READERS) else "/." in plain
    return "the site itself" if hidden or first in _OWN else ""


def is_surely_free(path: str) -> bool:
    """Quickly return True for most paths that are tidy, short, and not used by the site; False means "perhaps"."""
    return _FREE.fullmatch(path) is not None and len(path) < MOST_PATH_BYTES


def file_key(path: str) -> str:
    """Return a key that is equal for two paths if some file system treats them as the same file.

    Such file systems fold case and Unicode forms (APFS, NTFS), and ignore invisible characters (HFS+) and full stops
    and spaces at the end of a name (NTFS).
    """
    if not path.isascii():
        path = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
        path = "".join(char for char in path if unicodedata.category(char) != "Cf")
    path = path.lower()
    return path if "./" not in path and " /" not in path else "/".join(part.rstrip(". ") for part in path.split("/"))


def address_key(path: str) -> str:
    """Return a key that is equal for two permalinks whose pages would be the same file on some disk (see file_key).

    It is also equal for /x and /x/, which many servers treat as the same.
    """
    return file_key(path).removesuffix("index.html").rstrip("/") or "/"


def is_feed(path: str) -> bool:
    """Return whether a path from the root of the site is reserved for a feed, the list of feeds or the sitemap."""
    return _FEEDS.search(path) is not None


def is_page_of_site(path: str) -> bool:
    """Return whether the site has, or may have, a page of its own at this path, with or without a trailing slash."""
    return _PAGES.fullmatch(path) is not None or _PAGES.fullmatch(f"{path}/") is not None


def page_file(permalink: str) -> str:
    """Return the path of the file of a page in the output folder: index.html, or p.html for the permalink /p."""
    path = permalink.lstrip("/")
    if _FILE_ENDING.search(path):
        return path
    return f"{path}index.html" if not path or path.endswith("/") else f"{path}.html"


# Paths that the web application serves or that depend on editions, so that a build doesn't know them.
_ELSEWHERE = ("editions", "subscribe", "preferences", "unsubscribe")


def site_path(url: str, site_url: str) -> str | None:
    """Return the path of a URL relative to the root of the site; None for a URL of another site."""
    if url != site_url and not url.startswith(f"{site_url}/"):
        return None
    return unquote(urlsplit(url).path)[len(urlsplit(site_url).path) :].lstrip("/")


def is_served(path: str, built: Container[str]) -> bool:
    """Return whether a web server can serve a path of the site.

    built  the paths of all files that a build writes, relative to the output folder
    """
    if path.split("/")[0] in _ELSEWHERE:
        return True
    return any(name in built for name in (path, f"{path.rstrip('/')}/index.html".lstrip("/"), f"{path}.html"))
