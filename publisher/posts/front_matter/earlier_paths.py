"""The earlier addresses of a post, in its front matter, and the address to which its own page redirects."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from publisher.core import patterns
from publisher.posts.blog_tools.names import name_segment
from publisher.posts.front_matter.elsewhere import Warn, is_elsewhere, linked, shortened
from publisher.posts.front_matter.field_names import FrontMatter, fold
from publisher.posts.front_matter.post_address import unescaped
from publisher.posts.permalinks import is_page_of_site, page_file, tidy_path, why_unfit
from publisher.posts.post_file import PostSettings, Tree
from publisher.posts.urls import absolute, is_web_url

# Far more than any post has ever had; each is a file of the site.
_MOST = 100
_ENDING = patterns.compile(r"\.[A-Za-z0-9]{1,10}$")


def earlier_paths(meta: FrontMatter, path: str, settings: PostSettings, warn: Warn) -> tuple[str, ...]:
    """Return the paths at which the post used to be, except its present one. They are not percent-encoded.

    A path with a slash at the end is a folder. Under `aliases`, as in Hugo and Zola, so is a path without an extension,
    and a path that does not begin with a slash is relative to the post. Unusable paths get a warning.

    path  the permalink of the post
    """
    found: dict[str, None] = {}
    for key, value, line in meta.all("aliases"):
        is_alias = fold(key) != "redirectfrom"
        for number, written in enumerate(_texts(value)):
            if number == _MOST:
                warn(line, f"{key}: only the first {_MOST} addresses are used", "delete addresses that nobody uses")
                break
            earlier, why = _read(written, path, settings, is_alias=is_alias)
            if why:
                warn(line, f"{key}: {why}", "write a path of this site, such as /old/address/")
            elif page_file(earlier) != page_file(path):
                found[earlier] = None
    return tuple(found)


def _texts(value: Tree) -> Iterator[str]:
    for item in value if isinstance(value, list) else (value,):
        text = linked(item).strip()
        if text:
            yield text


def _read(written: str, path: str, settings: PostSettings, *, is_alias: bool) -> tuple[str, str]:
    """Return the path of an address, and why it cannot be used; one of them is empty."""
    if is_elsewhere(written, settings.site_url):
        return "", f"{shortened(written)!r} is not on this site, and is ignored"
    text = unescaped(written.removeprefix(settings.site_url) or "/")
    if not text.startswith("/") and is_alias:
        text = _from_root(text, path, settings)
    if "?" in text:
        return "", f"{shortened(written)!r} has a question mark, so no file can be there, and is ignored"
    earlier = tidy_path(text)
    if is_alias and not _ENDING.search(earlier) and not earlier.endswith("/"):
        earlier = f"{earlier}/"
    if why := why_unfit(text, earlier):
        return "", why.replace("the permalink ", "", 1)
    if is_page_of_site(earlier):
        return "", f"{shortened(written)!r} is the address of one of the site's own pages, and is ignored"
    return earlier, ""


def _from_root(text: str, path: str, settings: PostSettings) -> str:
    """Return a path relative to a post as a path from the root. In Obsidian, it is a name rather than a path."""
    name = name_segment(settings.tool, text) if settings.tool == "obsidian" else text
    return posixpath.normpath(posixpath.join(path, "..", name)) + ("/" if name.endswith("/") else "")


def leads_on(meta: FrontMatter, path: str, settings: PostSettings, warn: Warn) -> str:
    """Return the absolute URL to which the post's own page redirects; "" if it has a text of its own.

    path  the permalink of the post
    """
    for key, value, line in meta.all("redirect_to"):
        target = linked(value)
        if not target:
            continue
        url = target if is_web_url(target) else settings.site_url + unescaped(target) if target[0] == "/" else ""
        url = absolute(url, "") if url else ""
        if url and url.rstrip("/") != (settings.site_url + path).rstrip("/"):
            return url
        warn(line, f"{key}: {shortened(target)!r} is not the address of another page, and is ignored", "write its URL")
    return ""
