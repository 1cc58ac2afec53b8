"""Redirects from the earlier paths of posts: a small page for each, and lists for web servers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from publisher.core.models import Output, Post, Problem, Severity
from publisher.posts.permalinks import address_key, page_file
from publisher.site.pages.frame import Frame, href

# Netlify, Cloudflare Pages and others read the first; nginx includes the second in a map.
LIST = "_redirects"
NGINX_MAP = "redirects.map"


class Redirect(NamedTuple):
    """A path of the site, from its root and not quoted, that leads to a post's page."""

    path: str
    post: Post


def redirects_of(
    posts: Iterable[Post], where: Callable[[Post], str] | None = None
) -> tuple[list[Redirect], list[Problem]]:
    """Return the redirects to the pages of posts, and the problems of redirects that are left out.

    A path belongs to the post that has its page there, or else to the first post that names it.

    posts  all public posts and standalone pages
    where  returns a post's name for problems
    """
    posts = list(posts)
    earlier = [post for post in posts if post.aliases]
    if not earlier:
        return [], []
    pages = {address_key(post.permalink): post for post in posts if not post.is_elsewhere}
    found: dict[str, Redirect] = {}
    problems: list[Problem] = []
    for post in earlier:
        for path in post.aliases:
            key = address_key(path)
            other = pages.get(key) or (found[key].post if key in found else None)
            if other is None:
                found[key] = Redirect(path, post)
            elif other is not post:
                what = "is the address of" if key in pages else "already leads to"
                names = (post.source, other.source) if where is None else (where(post), where(other))
                problems.append(_taken(path, what, *names))
    return list(found.values()), problems


def _taken(path: str, what: str, name: str, other: str) -> Problem:
    message = f"its earlier address {path} {what} {other}, and is left out"
    return Problem(name, 1, message, "delete it from one of them", Severity.WARNING)


def plan_redirects(frame: Frame, redirects: Collection[Redirect], taken: Collection[str]) -> Iterator[Output]:
    """Yield an output for each redirect whose file is not among those in `taken`, and the lists of all redirects."""
    for path, post in redirects:
        file = page_file(path)
        if file not in taken:
            yield redirect_output(frame, file, post, _target(post))
    if redirects:
        for name, make in ((LIST, _netlify), (NGINX_MAP, _nginx)):
            text = make(frame, redirects)
            yield Output(name, frame.key(name, text), partial(text.encode, "utf-8", "replace"))


def redirect_output(frame: Frame, file: str, post: Post, target: str) -> Output:
    """Return the output of a page at `file` that redirects to a URL."""
    language = post.language or frame.site.language
    key = frame.key("redirect", target, post.title, language)
    return Output(file, key, partial(make_redirect, frame, file, post.title, language, target))


def make_redirect(frame: Frame, file: str, title: str, language: str, target: str) -> bytes:
    """Return a page that redirects to a URL immediately, also without scripts and for search engines."""
    page = replace(frame.page(file, title), language=language)
    return frame.render("redirect.html", page, target=target)


def _spellings(path: str) -> tuple[str, ...]:
    """Return the paths by which browsers request a page: with and without a slash, unless it has an extension."""
    bare = path.rstrip("/")
    return (f"{bare}/", bare) if path.endswith("/") else (path,)


def _netlify(frame: Frame, redirects: Collection[Redirect]) -> str:
    base = frame.site.base.rstrip("/")
    lines = (f"{base}/{href(path[1:])}".replace("*", "%2A") + f" {_target(post)} 301\n" for path, post in redirects)
    return "".join(lines)


def _nginx(frame: Frame, redirects: Collection[Redirect]) -> str:
    """Return the lines of a map from $uri, which is not quoted, to URLs."""
    base = frame.site.base.rstrip("/")
    lines = ((_in_quotes(base + each), _target(post)) for path, post in redirects for each in _spellings(path))
    return "".join(f"{path} {_in_quotes(url.replace('$', '%24'))};\n" for path, url in lines)


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _target(post: Post) -> str:
    return post.redirect_to or post.url
