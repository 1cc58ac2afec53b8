"""Where the letter's links and pictures lead."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from publisher.core.newsletter_models import Mark
from publisher.newsletters.lint.findings import Finding, found
from publisher.newsletters.lint.letter_context import LintContext
from publisher.newsletters.lint.requirements import is_reserved

_SCHEMES = ("http", "https", "mailto", "tel", "sms")
_EMPTY = ("", "#", "mailto:", "tel:", "sms:", "http://", "https://")
# The web application and the archive of editions come and go with readers and letters.
_SERVED = ("editions", "subscribe", "preferences", "unsubscribe")


def link_findings(context: LintContext) -> Iterator[Finding]:
    """Yield links and pictures that lead nowhere, each address once."""
    seen = set()
    for element in context.parsed.elements:
        name = "src" if element.tag == "img" else "href" if element.tag in ("a", "area") else ""
        if not name or name not in element.attrib:
            continue  # an <a> without href is no link
        address = element.get(name).strip()
        if address in seen or any(mark in address for mark in Mark.ALL):
            continue
        seen.add(address)
        problem = _problem(context, address, "picture" if name == "src" else "link")
        if problem:
            yield found(problem[0], context.locator.of_address(address), problem[1])


def _problem(context: LintContext, address: str, what: str) -> tuple[str, str] | None:
    """The code and the message of what is wrong with an address, if anything is."""
    if address.lower() in _EMPTY:
        return "link-empty", f"a {what} has no address"
    if address.startswith("#"):
        return "link-fragment", f"the link {address} leads to a place in the letter itself"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return "link-scheme", f"{address[:80]!r} is no address"
    if not parts.scheme:
        return "link-relative", f"the {what} {address[:80]!r} has no domain"
    if parts.scheme.lower() not in _SCHEMES:
        return "link-scheme", f"mail programs do not follow {parts.scheme}: ({address[:60]!r})"
    if parts.scheme.lower() in ("http", "https"):
        return (
            _elsewhere(context, address, host) if context.site_path(address) is None else _own(context, address, what)
        )
    return None


def _elsewhere(context: LintContext, address: str, host: str) -> tuple[str, str] | None:
    own = urlsplit(context.config.site_url).hostname
    if not host or host == own or host == urlsplit(context.config.public_url).hostname:
        return None if host else ("link-relative", f"the link {address[:80]!r} has no domain")
    if _is_local(host):
        return "link-local", f"{address[:80]} leads to a machine that only you can reach"
    if is_reserved(host):
        return "link-placeholder", f"{address[:80]} is an address for examples"
    return None


def _own(context: LintContext, address: str, what: str) -> tuple[str, str] | None:
    path = context.site_path(address)
    if context.paths is None or path is None or path.split("/")[0] in _SERVED or is_built(path, context.paths):
        return None
    message = f"the {what} {address} leads to no page of this site"
    # Written with its domain it is believed: something else may be served there.
    written = any(address in context.locator.source(post) for post in context.posts)
    return ("link-elsewhere" if written else "link-broken"), message


def is_built(path: str, paths: frozenset[str]) -> bool:
    """Return whether a web server finds something at a path of the site among the files that a build writes."""
    return any(name in paths for name in (path, f"{path.rstrip('/')}/index.html".lstrip("/"), f"{path}.html"))


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


HEAVY = 1_000_000  # bytes


def picture_findings(context: LintContext) -> Iterator[Finding]:
    """Yield what is wrong with the pictures; of those elsewhere in the world nobody knows the weight."""
    files = dict(pair for post in context.posts for pair in (*post.assets, *post.post.files))
    weighed = set()
    for picture in context.parsed.tree.iter("img"):
        source = picture.get("src", "")
        name = source.rpartition("/")[2] or "without an address"
        if _is_mute(picture):
            yield found("alt-missing", context.locator.of_address(source), f"the picture {name} has no alt text")
        if not picture.get("width"):
            yield found("picture-width", context.locator.of_address(source), f"the picture {name} has no width")
        if source not in weighed:
            weighed.add(source)
            yield from _weight(context, source, name, files)


def _is_mute(picture: Any) -> bool:
    if picture.get("role") in ("presentation", "none") or picture.get("aria-hidden") == "true":
        return False
    return not picture.get("alt", "").strip()


def _weight(context: LintContext, source: str, name: str, files: dict[str, str]) -> Iterator[Finding]:
    path = context.site_path(source)
    if path is None:
        return
    file = context.config.root / files.get(path, f"{context.config.pages.static}/{path}")
    try:
        size = file.stat().st_size
    except OSError:
        return  # not there: that is told as a broken link
    if size > HEAVY:
        yield found(
            "picture-heavy", context.locator.of_address(source), f"the picture {name} has {size / 1_000_000:.1f} MB"
        )
