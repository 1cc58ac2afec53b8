"""Where the letter's links and pictures lead."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from publisher.core.newsletter_models import Mark
from publisher.newsletters.letter.finding import Finding
from publisher.newsletters.lint.codes import found
from publisher.newsletters.lint.duties import is_reserved
from publisher.newsletters.lint.letter_context import Case

_SCHEMES = ("http", "https", "mailto", "tel", "sms")
_EMPTY = ("", "#", "mailto:", "tel:", "sms:", "http://", "https://")
# The web application and the archive of editions come and go with readers and letters.
_SERVED = ("editions", "subscribe", "preferences", "unsubscribe")


def link_findings(case: Case) -> Iterator[Finding]:
    """Yield links and pictures that lead nowhere, each address once."""
    seen = set()
    for element in case.sheet.elements:
        name = "src" if element.tag == "img" else "href" if element.tag in ("a", "area") else ""
        if not name or name not in element.attrib:
            continue  # an <a> without href is no link
        address = element.get(name).strip()
        if address in seen or any(mark in address for mark in Mark.ALL):
            continue
        seen.add(address)
        problem = _problem(case, address, "picture" if name == "src" else "link")
        if problem:
            yield found(problem[0], case.places.of_address(address), problem[1])


def _problem(case: Case, address: str, what: str) -> tuple[str, str] | None:
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
        return _elsewhere(case, address, host) if case.site_path(address) is None else _own(case, address, what)
    return None


def _elsewhere(case: Case, address: str, host: str) -> tuple[str, str] | None:
    own = urlsplit(case.config.site_url).hostname
    if not host or host == own or host == urlsplit(case.config.public_url).hostname:
        return None if host else ("link-relative", f"the link {address[:80]!r} has no domain")
    if _is_local(host):
        return "link-local", f"{address[:80]} leads to a machine that only you can reach"
    if is_reserved(host):
        return "link-placeholder", f"{address[:80]} is an address for examples"
    return None


def _own(case: Case, address: str, what: str) -> tuple[str, str] | None:
    path = case.site_path(address)
    if case.paths is None or path is None or path.split("/")[0] in _SERVED or is_built(path, case.paths):
        return None
    message = f"the {what} {address} leads to no page of this site"
    # Written with its domain it is believed: something else may be served there.
    written = any(address in case.places.source(post) for post in case.posts)
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
