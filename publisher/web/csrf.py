"""Who may ask for what: hosts, origins and tokens; and what a browser is told about each answer."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request

# A name that somebody's DNS points at this machine is none of these (DNS rebinding).
LOCAL_HOSTS = ["127.0.0.1", "localhost"]

_ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # "no-referrer" would turn the Origin of our own forms into "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# No script of a letter or of a page runs. Being of our origin, they can be scrolled to where they were.
_SANDBOX = "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
_LETTER = (
    "default-src 'none'; img-src 'self' data: http: https:; style-src 'unsafe-inline'; form-action 'none'; "
    f"base-uri 'none'; {_SANDBOX}"
)
_SITE = (
    "default-src 'self' data: http: https:; style-src 'self' 'unsafe-inline' http: https:; script-src 'none'; "
    f"form-action 'none'; {_SANDBOX}"
)
SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"


def page_headers() -> dict[str, str]:
    """Return the headers of a page of our own: everything on it is ours, and nobody may frame it."""
    return _ALWAYS | {"Content-Security-Policy": _PAGE, "Cross-Origin-Opener-Policy": "same-origin"}


def letter_headers() -> dict[str, str]:
    """Return the headers of a letter in a frame: pictures from anywhere, as in an inbox; no scripts, no forms."""
    return _ALWAYS | {"Content-Security-Policy": _LETTER}


def site_headers() -> dict[str, str]:
    """Return the headers of a file of the site: whatever it shows, without its scripts."""
    return _ALWAYS | {"Content-Security-Policy": _SITE}


def is_from_here(request: Request, public_url: str) -> bool:
    """Return whether a POST comes from a page of ours: of the public address, or of the host it was sent to.

    Behind a proxy with TLS the scheme that arrives is not the browser's, so only the hosts are compared.
    """
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.scheme not in ("http", "https") or not origin.netloc:
        return False
    public = urlsplit(public_url)
    hosts = (request.headers.get("host", ""), public.netloc)
    return origin.netloc in hosts


def is_own_form(request: Request, token: str, expected: str) -> bool:
    """Return whether a POST comes from a form of ours: sent from our own origin, with the token we put into it.

    A browser names the origin of every POST; one without it is not from a browser, and has no business here.
    """
    origin = request.headers.get("origin", "")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return origin == own and hmac.compare_digest(token.encode(), expected.encode())
