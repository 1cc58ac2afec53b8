"""Where a post's page may stand: beside the files and pages that the site has itself. Pure."""

from __future__ import annotations

import re

from publisher.posts.naming import MOST_NAME_BYTES

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
