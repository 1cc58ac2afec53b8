"""The URLs of references in posts, and the files of the project that they refer to.

A reference is always joined to the post's own URL. If the same reference, relative to the post's file, is the path of a
file in the project, that file is copied to the joined URL. The reference therefore works in an editor's preview, on the
page, in feeds and in emails.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from publisher.core import patterns
from publisher.core.file_names import existing, is_file
from publisher.posts.media_types import ending_of, is_published

_WEB = patterns.compile(r"https?://[^/]", re.IGNORECASE)
_LIKE_URL = patterns.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?//|[^\s./]*+[./][^\s]*+|[^\n]*\.[a-z0-9]{2,4}(?:[?#][\s\S]*)?", re.IGNORECASE
)
_PLAIN_PATH = patterns.compile(r"[A-Za-z0-9/._~-]*")

_LONGEST_NAME = 255

# The folders and files that are copied into the output, each with its path there (see PagesConfig.places).
StaticPlaces = Sequence[tuple[str, str]]

# What to do about a file that is left out (see left_out).
ELSEWHERE = "save it in a different format, or put it into the static folder if everyone may read it"


def key_of(url: str) -> str:
    """Return a few characters that identify the page of a post, for ids that no other entry of a feed may have."""
    return hashlib.blake2b(url.encode(), digest_size=3).hexdigest()


def is_web_url(text: str) -> bool:
    """Return whether a text is an absolute http(s) URL."""
    return _WEB.match(text) is not None


def looks_like_url(text: str) -> bool:
    """Return whether a value in front matter may be a path or a URL, rather than a boolean or a name."""
    return _LIKE_URL.fullmatch(text) is not None


def quoted(path: str) -> str:
    """Return a path percent-encoded as needed in a URL."""
    return path if _PLAIN_PATH.fullmatch(path) else quote(path, safe="/._~-!$&'()*+,;=:@")


def absolute(base: str, reference: str) -> str:
    """Join a reference to a post's own URL; return "" if the reference cannot be parsed, such as //[."""
    try:
        joined = urljoin(base, reference.strip())
    except ValueError:
        return ""
    return quote(joined, safe="/._~-!$&'()*+,;=:@?#[]%")


def from_root(reference: str, url: str, site_url: str, has: Callable[[str], bool]) -> str:
    """Return the absolute URL of a reference on a site whose own URL has a path, such as https://ann.test/notes.

    url  the reference joined to the URL of its post
    has  returns whether the project has a file, or the site a page, at a path from the root of the site
    A path from the root (/files/a.pdf) leads to a path of the site, if the site has that path. It may also begin with
    the path of the site. Any other path may lead to something else on the same domain, and is not changed. The name of
    the site's host is written as in the site's URL, which has it in ASCII.
    """
    url = _with_host_of(site_url, url)
    base = urlsplit(site_url).path.rstrip("/")
    origin = site_url.removesuffix("/").removesuffix(base)
    if not base or not re.match(r"/(?!/)", reference.strip()) or not url.startswith(f"{origin}/"):
        return url
    path = unquote(urlsplit(url).path)
    if (path == base or path.startswith(f"{base}/")) and has(path[len(base) :] or "/"):
        return url
    return f"{origin}{base}{url[len(origin) :]}" if has(path) else url


def _with_host_of(site_url: str, url: str) -> str:
    """Return a URL of the site with its host in ASCII, as in the site's URL; return other URLs unchanged."""
    host = site_url.partition("://")[2].partition("/")[0]
    if "xn--" not in host:
        return url
    scheme, divided, rest = url.partition("://")
    written, slash, path = rest.partition("/")
    return f"{scheme}{divided}{host}{slash}{path}" if unquote(written).lower() == _in_unicode(host) else url


@lru_cache(maxsize=16)
def _in_unicode(host: str) -> str:
    """Return a host in ASCII with its letters decoded (RFC 3492)."""
    try:
        return re.sub(r"\bxn--([a-z0-9-]+)", lambda found: found[1].encode().decode("punycode"), host)
    except UnicodeError:
        return host


def own_path(url: str, site_url: str) -> str:
    """Return the path from the root of the domain, with query and fragment, of a URL of the site; "" for other URLs.

    http and https count as equal, and so do upper and lower case in the name of the host.
    """
    host, base = _host_and_base(site_url)
    found = _with_host_of(site_url, url).partition("://")[2]
    path = found[len(host) :]
    return path if found[: len(host)].lower() == host and path.startswith(base) else ""


@lru_cache(maxsize=16)
def _host_and_base(site_url: str) -> tuple[str, str]:
    """Return the host of a site in lower case, and the path after it with which all URLs of the site begin."""
    host, _, base = f"{site_url}/".partition("://")[2].partition("/")
    return host.lower(), f"/{base}"


def leads_out(reference: str, url: str, site_url: str) -> bool:
    """Return whether a path from the root leads out of a site whose own URL has a path (see from_root)."""
    return re.match(r"/(?!/)", reference) is not None and url != site_url and not url.startswith(f"{site_url}/")


def static_paths(places: StaticPlaces, path: str) -> list[str]:
    """Return the paths in the project of the files that a build may copy to a path in the output, by precedence.

    places  the value of PagesConfig.places
    """
    found = []
    for folder, place in places:
        if not place:
            found.append(f"{folder}/{path}")
        elif path == place or path.startswith(f"{place}/"):
            found.append(f"{folder}{path[len(place) :]}")
    return found


def static_path(root: Path, places: StaticPlaces, path: str) -> str:
    """Return the path in the project of the file that a build copies to a path in the output; "" if there is none."""
    found = (existing(root, each) for each in static_paths(places, path))
    return next((each for each in found if is_file(root / each)), "")


def has_file(root: Path, places: StaticPlaces, path: str) -> bool:
    """Return whether a path from the root of the site is the path of a project file that may be published.

    places  the value of PagesConfig.places: what is copied into the output
    """
    inside = posixpath.normpath(path.lstrip("/"))
    parts = inside.split("/")
    if parts[0] == ".." or "\0" in path or max(map(len, path.encode("utf-8", "replace").split(b"/"))) > _LONGEST_NAME:
        return False
    if any(is_file(root / each) for each in static_paths(places, inside)):
        return True
    if not is_published(inside) or any(part.startswith(".") for part in parts):
        return False
    return is_file(root / existing(root, inside)) and not is_disguised(root, existing(root, inside))


def local_file(reference: str, url: str, site_url: str, folder: str, source: str) -> tuple[str, str] | None:
    """Return (site path, project path) of the file that a reference may refer to; None if it can't refer to a file.

    reference  the reference as written in the post
    url        the absolute URL of the reference
    site_url   the site's URL without a trailing slash
    folder     the posts folder, relative to the project
    source     the post's file, relative to the posts folder
    The file need not exist. It is one that posts may publish: never a hidden file, and never outside the project.
    """
    if not is_published(urlsplit(reference).path):
        return None
    return _place_of(reference, url, site_url, folder, source)


def other_places(
    reference: str, url: str, site_url: str, folder: str, source: str, places: StaticPlaces
) -> Iterator[tuple[str, str]]:
    """Yield (site path, project path) of each place where other tools look for a file that is not next to its post.

    A browser loads the file relative to the post's own URL; the static folder may contain it at that path, as in Zola.
    Hugo looks in the folder with the post's name. Obsidian's paths begin at the folder of posts, and those of Jekyll's
    plug-ins at the root of the site. A path from the root has no other place. See local_file for the arguments; places
    is the value of PagesConfig.places.
    """
    here = _place_of(reference, url, site_url, folder, source)
    path = posixpath.normpath(unquote(urlsplit(reference).path))
    if here is None or path.startswith("/"):
        return
    for project_path in static_paths(places, here[0]):
        yield here[0], project_path
    if path.startswith("../"):
        return
    stem = posixpath.splitext(posixpath.join(folder, source))[0]
    yield here[0], posixpath.normpath(posixpath.join(stem, path))
    for project_path in (*static_paths(places, path), path, posixpath.normpath(posixpath.join(folder, path))):
        yield path, project_path


def left_out(
    reference: str, url: str, site_url: str, folder: str, source: str, root: Path, places: StaticPlaces
) -> str:
    """Return why the file of a reference is not published; "" if it is published, or there is no such file.

    root    the project's folder
    places  the value of PagesConfig.places: what is copied into the output
    See local_file for the other arguments.
    """
    found = None if is_published(urlsplit(reference).path) else _place_of(reference, url, site_url, folder, source)
    if (
        not found
        or not is_file(root / found[1])
        or any(is_file(root / each) for each in static_paths(places, found[0]))
    ):
        return ""
    ending = ending_of(found[1])
    kind = f"files that end in {ending} are not" if ending else "files without an extension are not"
    return f"the file {found[1]} is not published: {kind} pictures, audio, video or documents"


def _place_of(reference: str, url: str, site_url: str, folder: str, source: str) -> tuple[str, str] | None:
    """Return the same as local_file, for a file of any kind."""
    if not url.startswith(f"{site_url}/"):
        return None
    base = urlsplit(site_url).path.rstrip("/")
    path = unquote(urlsplit(reference).path)
    is_doubled = unquote(urlsplit(url).path).startswith(f"{base}{base}/")
    path = path[len(base) :] if path.startswith(f"{base}/") and not is_doubled else path
    start = "" if path.startswith("/") else posixpath.dirname(posixpath.join(folder, source))
    project_path = posixpath.normpath(posixpath.join(start, path.lstrip("/")))
    if project_path.startswith("..") or any(part.startswith(".") for part in project_path.split("/")):
        return None
    if "\0" in project_path or max(map(len, project_path.encode("utf-8", "replace").split(b"/"))) > _LONGEST_NAME:
        return None  # no file system can have such a file
    site_path = re.sub("/+", "/", unquote(urlsplit(url).path)[len(base) :].lstrip("/"))
    if not site_path or ".." in site_path.split("/"):
        return None
    return site_path, project_path


def is_disguised(root: Path, project_path: str) -> bool:
    """Return whether a file is a link that leads out of the project, or to a file that posts must not publish."""
    real, inside = os.path.realpath(root / project_path), os.path.realpath(root)
    if not is_published(real) or not Path(real).is_relative_to(inside):
        return True
    return any(part.startswith(".") for part in Path(real).relative_to(inside).parts)
