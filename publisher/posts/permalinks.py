"""TODO."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

from publisher.posts.slugs import MOST_NAME_BYTES

_PLAIN = re.compile(r"[A-Za-z0-9/._~-]*")


_TIDY = re.compile(r"(?:/[A-Za-z0-9_~-]+)+/")


_FILE_ENDING = re.compile(r"\.(?:html?|xhtml)$")


_FILE_DATE = re.compile(r"([1-9]\d{3})-(\d{1,2})-(\d{1,2})(?:[-_ ]+(.+))?")


_PATH_DATE = re.compile(r"(?:^|/)([1-9]\d{3})/(\d{1,2})/(\d{1,2})(?:/|$)")


def name_of(source: str) -> tuple[str, str]:
    """Split a post's path into (folder, name): a page bundle `hello/index.md` is named by its folder."""
    folder, _, file = source.rpartition("/")
    stem = file.rpartition(".")[0]
    if folder and stem.lower() in ("index", "_index"):
        folder, _, stem = folder.rpartition("/")
    return _folder(folder) if folder else "", stem


@lru_cache(maxsize=1024)
def _folder(folder: str) -> str:
    """The folder as it shows in addresses: Jekyll's own folders say nothing to a reader."""
    return "/".join(part for part in folder.split("/") if part not in ("_posts", "_drafts"))


def file_date(name: str) -> tuple[date, str] | None:
    """Return the day and the rest of a name such as 2024-07-06-hello, or None."""
    match = _FILE_DATE.fullmatch(name)
    if match is None:
        return None
    year, month, day, rest = match.groups()
    try:
        return date(int(year), int(month), int(day)), rest or name
    except ValueError:
        return None


def path_date(path: str) -> date | None:
    """Return the day in a path such as 2025/06/26/Name, or None."""
    match = _PATH_DATE.search(path)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def tag_uri(authority: str, day: date, folder: str, name: str) -> str:
    """Return the permanent id of a post (RFC 4151): of its first day and its file name, and of nothing else."""
    specific = f"{folder}/{name}" if folder and name else folder or name
    return f"tag:{authority}:{day.isoformat()}:{specific if _PLAIN.fullmatch(specific) else _uri_safe(specific)}"


def _uri_safe(text: str) -> str:
    from urllib.parse import quote

    return quote(unicodedata.normalize("NFC", text), safe="/._~-")


def permalink(pattern: str, *, folder: str, day: date, slug: str, language: str) -> str:
    """Fill a permalink pattern; empty parts leave no double slash. Returns a site-relative path, not yet quoted."""
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
    """The pattern as the % operator reads it."""
    text = pattern.replace("%", "%%")
    for part in ("folder", "slug", "lang"):
        text = text.replace(f"{{{part}}}", f"%({part})s")
    for part, digits in (("year", 4), ("month", 2), ("day", 2)):
        text = text.replace(f"{{{part}}}", f"%({part})0{digits}d")
    return text


def tidy_path(path: str) -> str:
    """Make a path absolute and clean; one without a file ending gets a slash at its end.

    Dot segments are dropped, so that no post can name a file outside the output folder.
    """
    if _TIDY.fullmatch(path):
        return path
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    clean = "/" + "/".join(parts)
    if clean == "/" or _FILE_ENDING.search(clean):
        return clean
    return clean + "/"


# As feeds.which and pages.sitemap name them. A page there would need a folder where the site has a file.
_FILES = re.compile(
    r"/(?:(?:feed|atom)(?:-\d+)?\.xml|feed(?:-\d+)?\.json)(?:/|$)|^/(?:feeds\.opml|sitemap\.xml)(?:/|$)", re.IGNORECASE
)
# The index, 404, subscribe, archive, and those of tags and of editions.
_PAGES = re.compile(
    r"/(?:(?:subscribe|archive|tags(?:/[^/]+(?:/page/\d+)?)?|editions(?:/.+)?|page/\d+)/)?(?:index\.html)?|/404\.html",
    re.IGNORECASE,
)


def why_unfit(value: object, path: str) -> str:
    """Return why a permalink of a front matter is not used, "" for one that is; path is the tidied value."""
    if not isinstance(value, str):
        return "the permalink is no text and is not used"
    if re.search(r"[{}:\s]", value):
        return f"the permalink {_short(value)} holds placeholders of another tool and is not used"
    if is_file_of_site(path):
        return f"the permalink {_short(value)} is the name of a feed and is not used"
    if max(map(len, path.encode("utf-8", "replace").split(b"/"))) > MOST_NAME_BYTES:
        return "the permalink is too long for a file's name and is not used"
    return ""


def _short(value: str) -> str:
    """The permalink in quotes, as much of it as a message can hold."""
    return repr(value if len(value) <= 80 else f"{value[:79]}…")


def is_file_of_site(path: str) -> bool:
    """Return whether a page at a path would be in the way of a feed, its archive, their list or the sitemap."""
    return _FILES.search(path) is not None


def is_page_of_site(path: str) -> bool:
    """Return whether the site has, or may have, a page of its own at a path."""
    return _PAGES.fullmatch(path) is not None
