"""Checks the URLs of links and pictures, and the size and alt text of pictures."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from publisher.config.placeholders import is_reserved, sends_for_real
from publisher.newsletters.letter.safe_text import MARK_OPENING
from publisher.newsletters.lint.finding_codes import Finding, FindingLevel, found
from publisher.newsletters.lint.letter_context import LintContext
from publisher.posts.chosen_paths import unmoved_page
from publisher.posts.permalinks import is_served
from publisher.posts.pictures import PublishedFiles
from publisher.posts.urls import static_path

HEAVY = 1_000_000  # bytes

_SCHEMES = ("http", "https", "mailto", "tel", "sms")
_EMPTY = ("", "#", "mailto:", "tel:", "sms:", "http://", "https://")


def link_findings(context: LintContext) -> Iterator[Finding]:
    """Yield a finding for each link or picture whose URL does not work, each URL once."""
    seen = set()
    for element in context.parsed.elements:
        name = "src" if element.tag == "img" else "href" if element.tag in ("a", "area") else ""
        if not name or name not in element.attrib:
            continue  # an <a> without href is not a link
        url = element.get(name).strip()
        if url in seen or MARK_OPENING in url:
            continue
        seen.add(url)
        problem = _problem(context, url, "picture" if name == "src" else "link")
        if problem:
            where = context.locator.of_url(url)
            yield found(problem[0], where, problem[1], level=_level_in_template(context, problem[0], where))


def picture_findings(context: LintContext) -> Iterator[Finding]:
    """Yield findings about pictures; the file size is checked only for pictures of the project's own site."""
    files = dict(pair for post in context.posts for pair in (*post.assets, *post.post.files))
    weighed = set()
    for picture in context.parsed.tree.iter("img"):
        source = picture.get("src", "")
        name = source.rpartition("/")[2] or "without a URL"
        if _needs_alt(picture):
            yield found("alt-missing", context.locator.of_url(source), f"the picture {name} has no alt text")
        if not picture.get("width"):
            yield found("picture-width", context.locator.of_url(source), f"the picture {name} has no width")
        if source not in weighed:
            weighed.add(source)
            yield from _weight(context, source, name, files)


def _level_in_template(context: LintContext, code: str, where: str) -> FindingLevel | None:
    """Return the level for a placeholder in a template, where it cannot be an example; None for the usual level."""
    if code != "link-placeholder" or not where.startswith("templates/"):
        return None
    return "error" if sends_for_real(context.config) else "warning"


def _problem(context: LintContext, url: str, what: str) -> tuple[str, str] | None:
    """Return the code and the message for the problem of a URL; None if there is no problem."""
    if url.lower() in _EMPTY:
        return "link-empty", f"a {what} has no URL"
    if url.startswith("#"):
        return "link-fragment", f"the link {url} leads to a place within the email"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "link-scheme", f"{url[:80]!r} is not a valid URL"
    if not parts.scheme:
        return "link-relative", f"the {what} {url[:80]!r} has no domain"
    if parts.scheme.lower() not in _SCHEMES:
        return "link-scheme", f"email clients do not follow {parts.scheme}: ({url[:60]!r})"
    if parts.scheme.lower() in ("http", "https"):
        return _elsewhere(context, url, host) if context.site_path(url) is None else _own(context, url, what)
    return None


def _elsewhere(context: LintContext, url: str, host: str) -> tuple[str, str] | None:
    own = urlsplit(context.config.site_url).hostname
    if not host or host == own or host == urlsplit(context.config.public_url).hostname:
        return None if host else ("link-relative", f"the link {url[:80]!r} has no domain")
    if _is_local(host):
        return "link-local", f"{url[:80]} leads to a host that only you can reach"
    if is_reserved(host):
        return "link-placeholder", f"{url[:80]} is at a placeholder domain"
    return None


def _own(context: LintContext, url: str, what: str) -> tuple[str, str] | None:
    path = context.site_path(url)
    if context.paths is None or path is None or is_served(path, context.paths):
        return None
    message = f"the {what} {url} does not lead to a page of this site"
    if move := unmoved_page(context.config, path):
        message += f": {move}"
    # If the post contains the full URL, another program may serve the page.
    written = any(url in context.locator.source(post) for post in context.posts)
    return ("link-elsewhere" if written else "link-broken"), message


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _needs_alt(picture: Any) -> bool:
    if picture.get("role") in ("presentation", "none") or picture.get("aria-hidden") == "true":
        return False
    return not picture.get("alt", "").strip()


def _weight(context: LintContext, source: str, name: str, files: dict[str, str]) -> Iterator[Finding]:
    path = context.site_path(source)
    if path is None:
        return
    project_path = files.get(path) or static_path(context.config.root, context.config.pages.places, path)
    try:
        size = (context.config.root / project_path).stat().st_size
        if size > HEAVY:  # a smaller copy may be shown
            size = len(PublishedFiles(context.config).content(path, project_path))
    except OSError:
        return  # a missing file is reported as a broken link
    if size > HEAVY:
        yield found("picture-heavy", context.locator.of_url(source), f"the picture {name} is {size / 1_000_000:.1f} MB")
