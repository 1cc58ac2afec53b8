"""Common parts of responses: security headers, messages that are shown after a form, and the error for missing pages.

Every page forbids what it does not need, such as scripts and styles from other sites and being framed by another site.
A page whose URL contains a token also forbids caching.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from urllib.parse import urlsplit

from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass

# For an email in a frame on an admin page: no scripts, no forms, and a separate origin, so that it cannot read cookies.
ADMIN_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
# In the preview, a frame shares our origin so that the page can restore its scroll position. Scripts are forbidden too.
PREVIEW_SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"

_OWN_SCRIPT = "script-src 'self'; "

_SITE = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_OWNER = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # "no-referrer" would turn the Origin of our own forms into "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


# Pages, scripts of workers, and PDF files, which browsers do not show in a sandbox.
_UNSANDBOXED = ("text/html", "text/javascript", "application/pdf")


class NotFoundError(PublisherError):
    """The object named in the URL does not exist."""


def public_page_headers(*, script: bool = False, pictures: str = "") -> dict[str, str]:
    """Return the headers of a page for subscribers.

    The URL may contain a token, so the page must not be cached, and the URL must not be sent to other sites.

    script    whether the page needs a script of our own
    pictures  the origins of the site's logo and icon, which may be on other sites
    """
    images = f"img-src 'self'{' ' * bool(pictures)}{pictures}"
    return _SITE | {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; {_OWN_SCRIPT * script}style-src 'self'; {images}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
        "Vary": "Accept-Language",
    }


def site_headers(public_url: str, media_type: str = "text/html") -> dict[str, str]:
    """Return the headers of a file of the built site.

    They allow pictures and media players from any site, but scripts only from our own, and only to pages: a picture or
    another document that can contain scripts is opened in a sandbox, because any author may control it.
    """
    parts = urlsplit(public_url)
    policy = (
        "default-src 'self'; img-src 'self' data: http: https:; media-src 'self' http: https:; frame-src http: https:; "
        "style-src 'self' 'unsafe-inline'; script-src 'self'; object-src 'none'; base-uri 'none'; "
        f"form-action 'self' {parts.scheme}://{parts.netloc}; frame-ancestors 'self'"
    )
    return _SITE | {
        "Content-Security-Policy": policy if media_type.partition(";")[0] in _UNSANDBOXED else f"{policy}; sandbox",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }


def asset_headers() -> dict[str, str]:
    """Return the headers of a stylesheet or script whose name contains a hash of its content.

    They allow caching for a year.
    """
    return _SITE | {"Cache-Control": "public, max-age=31536000, immutable"}


def owner_page_headers() -> dict[str, str]:
    """Return the headers of a page for the owner, in /admin or the preview.

    They only allow content from our own site.
    """
    return _OWNER | {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def admin_email_headers() -> dict[str, str]:
    """Return the headers of an email in a frame on an admin page.

    They allow pictures from any site, as an inbox does.
    """
    return _email_headers("data: http: https:", ADMIN_SANDBOX)


def test_copy_headers() -> dict[str, str]:
    """Return the headers of the web version of a test email, whose URL contains a token."""
    return _email_headers("data: http: https:", ADMIN_SANDBOX) | {"Referrer-Policy": "no-referrer"}


def preview_email_headers() -> dict[str, str]:
    """Return the headers of an email in a frame of the preview.

    They also allow pictures from the preview itself, because these may not be published yet.
    """
    return _email_headers("'self' data: http: https:", PREVIEW_SANDBOX)


def draft_headers() -> dict[str, str]:
    """Return the headers of a draft that is shared, and of its files. They allow all content but scripts and forms."""
    return _OWNER | {
        "Content-Security-Policy": "default-src 'self' data: http: https:; "
        "style-src 'self' 'unsafe-inline' http: https:; script-src 'none'; form-action 'none'; base-uri 'none'; "
        f"frame-ancestors 'none'; sandbox {ADMIN_SANDBOX}",
        "Cross-Origin-Resource-Policy": "cross-origin",  # the page has no origin of its own
        "Referrer-Policy": "no-referrer",
    }


def preview_site_headers() -> dict[str, str]:
    """Return the headers of a file of the site in the preview. They allow all content except scripts and forms."""
    return _OWNER | {
        "Content-Security-Policy": "default-src 'self' data: http: https:; "
        "style-src 'self' 'unsafe-inline' http: https:; script-src 'none'; form-action 'none'; "
        f"frame-ancestors 'self'; sandbox {PREVIEW_SANDBOX}"
    }


def _email_headers(pictures: str, sandbox: str) -> dict[str, str]:
    return _OWNER | {
        "Content-Security-Policy": f"default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; "
        f"form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox {sandbox}"
    }


@dataclass(frozen=True, slots=True)
class Flash:
    """A message about the result of a form, shown on the next page. is_bad: whether it reports an error."""

    text: str
    is_bad: bool = False


class Flashes:
    """The newest messages, kept in memory.

    Each message has a random name, which the redirect after a form passes to the next page.
    """

    def __init__(self, most: int = 50) -> None:
        self._most = most
        self._kept: OrderedDict[str, Flash] = OrderedDict()

    def add(self, flash: Flash) -> str:
        """Store a message and return its name. If there are too many messages, the oldest is dropped."""
        name = secrets.token_urlsafe(9)
        self._kept[name] = flash
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> Flash | None:
        """Return the message with this name; None if it does not exist."""
        return self._kept.get(name)
