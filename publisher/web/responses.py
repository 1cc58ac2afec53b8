"""What the answers of all pages have in common: the headers that tell a browser what it may do with an answer,
messages that are shown once after a form, and the error for something that does not exist.

Every page forbids what it does not need: scripts and styles from elsewhere, being framed by another site, being
cached where its URL holds a token.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import urlsplit

from publisher.core.errors import PublisherError

# An email in a frame on the admin page: no scripts, no forms, and an origin of its own, so it reads no cookie.
ADMIN_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
# In the preview a frame shares our origin, so that the page can restore its scroll position. No scripts run either.
PREVIEW_SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"

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


class NotFoundError(PublisherError):
    """What a URL names does not exist."""


def public_page_headers() -> dict[str, str]:
    """Return the headers of a page for subscribers. Its URL may hold a token, so it is neither stored nor passed on."""
    return _SITE | {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
        "Vary": "Accept-Language",
    }


def site_headers(public_url: str) -> dict[str, str]:
    """Return the headers of a file of the built site: pictures and players from anywhere, scripts from here only."""
    parts = urlsplit(public_url)
    return _SITE | {
        "Content-Security-Policy": "default-src 'self'; img-src 'self' data: http: https:; "
        "media-src 'self' http: https:; frame-src http: https:; style-src 'self' 'unsafe-inline'; "
        f"script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self' {parts.scheme}://{parts.netloc}; "
        "frame-ancestors 'self'",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }


def asset_headers() -> dict[str, str]:
    """Return the headers of a stylesheet or script whose name contains a hash of its content: cached for a year."""
    return _SITE | {"Cache-Control": "public, max-age=31536000, immutable"}


def owner_page_headers() -> dict[str, str]:
    """Return the headers of a page for the owner, in /admin or the preview: everything on it comes from here."""
    return _OWNER | {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def admin_email_headers() -> dict[str, str]:
    """Return the headers of an email in a frame on the admin page: pictures from anywhere, as in an inbox."""
    return _email_headers("data: http: https:", ADMIN_SANDBOX)


def preview_email_headers() -> dict[str, str]:
    """Return the headers of an email in a frame of the preview: also pictures that are not published yet."""
    return _email_headers("'self' data: http: https:", PREVIEW_SANDBOX)


def preview_site_headers() -> dict[str, str]:
    """Return the headers of a file of the site in the preview: whatever it shows, without its scripts."""
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
    """What a form did, shown once on the page that follows it."""

    text: str
    is_bad: bool = False


class Flashes:
    """The newest messages, in memory, each under a random name that the redirect after a form carries."""

    def __init__(self, most: int = 50) -> None:
        self._most = most
        self._kept: OrderedDict[str, Flash] = OrderedDict()

    def add(self, flash: Flash) -> str:
        """Keep a message and return its name. The oldest is dropped where there are too many."""
        name = secrets.token_urlsafe(9)
        self._kept[name] = flash
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> Flash | None:
        """Return the message with this name; None if there is none."""
        return self._kept.get(name)
