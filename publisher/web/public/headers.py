"""What browsers are told about each answer, and in which look pages of our own come."""

from __future__ import annotations

from urllib.parse import urlsplit

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page_headers() -> dict[str, str]:
    """Return the headers of a page of our own. Its address may hold a token: it is told to nobody and kept nowhere."""
    return _ALWAYS | {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
        "Vary": "Accept-Language",
    }


def style_headers() -> dict[str, str]:
    """Return the headers of the stylesheet, whose name changes with its content."""
    return _ALWAYS | {"Cache-Control": "public, max-age=31536000, immutable"}


def site_headers(public_url: str) -> dict[str, str]:
    """Return the headers of a file of the site: pictures and players from anywhere, scripts from files here only."""
    parts = urlsplit(public_url)
    return _ALWAYS | {
        "Content-Security-Policy": "default-src 'self'; img-src 'self' data: http: https:; "
        "media-src 'self' http: https:; frame-src http: https:; style-src 'self' 'unsafe-inline'; "
        f"script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self' {parts.scheme}://{parts.netloc}; "
        "frame-ancestors 'self'",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
