"""Names in paths: slugs of posts, dates in file names, permanent ids; tags: posts.tagging. Pure, stable for ever."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date
from functools import lru_cache

# A name on a disk may have 255; the name of a file that is being written is a little longer than the file's.
MOST_NAME_BYTES = 200

# Marks that only choose how an emoji looks.
LOOKS = re.compile("[\ufe00-\ufe0f]")
_PLAIN = re.compile(r"[A-Za-z0-9/._~-]*")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_TIDY = re.compile(r"(?:/[A-Za-z0-9_~-]+)+/")
_FILE_ENDING = re.compile(r"\.(?:html?|xhtml)$")
_FILE_DATE = re.compile(r"([1-9]\d{3})-(\d{1,2})-(\d{1,2})(?:[-_ ]+(.+))?")
_PATH_DATE = re.compile(r"(?:^|/)([1-9]\d{3})/(\d{1,2})/(\d{1,2})(?:/|$)")


def post_slug(text: str) -> str:
    """Return the path segment of a post from its title or file name."""
    if _SLUG.fullmatch(text):
        return text if len(text) <= MOST_NAME_BYTES else _short(text)
    text = folded(re.sub(r"['’`]", "", text))
    kept = "".join(c if c.isalnum() or unicodedata.category(c) in ("Mn", "Mc") or c in "._" else "-" for c in text)
    slug = re.sub(r"([.-])\1+", r"\1", kept).strip("-._")
    return _short(slug) if any(map(str.isalnum, slug)) else "post"


def folded(text: str) -> str:
    """The text without case, and in one Unicode form; emoji without the marks that only choose their looks."""
    before = ""
    while text != before:
        before, text = text, unicodedata.normalize("NFKC", LOOKS.sub("", text)).casefold()
    return text


def _short(slug: str) -> str:
    """A slug that fits into a file's name; a longer one keeps its beginning, and a hash of all of it."""
    data = slug.encode("utf-8", "surrogatepass")
    if len(data) <= MOST_NAME_BYTES:
        return slug
    kept = data[: MOST_NAME_BYTES - 11].decode("utf-8", "ignore").rstrip("-._")
    return f"{kept}-{hashlib.blake2b(data, digest_size=5).hexdigest()}"


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
