"""What browsers are told about the owner's pages."""

from __future__ import annotations

from publisher.web.csrf import page_headers

# No script of a letter runs, no form of it is sent, and it is of nobody's origin: it sees no cookie and no page.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
_LETTER = (
    "default-src 'none'; img-src data: http: https:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    f"frame-ancestors 'self'; sandbox {SANDBOX}"
)
_ROBOTS = {"X-Robots-Tag": "noindex, nofollow"}


def admin_headers() -> dict[str, str]:
    """Return the headers of a page: everything on it is of this origin, nobody frames it, nobody keeps it."""
    return page_headers() | _ROBOTS


def letter_headers() -> dict[str, str]:
    """Return the headers of a letter in a frame: pictures from anywhere, as in an inbox, and nothing else."""
    headers = page_headers() | _ROBOTS | {"Content-Security-Policy": _LETTER}
    return {name: value for name, value in headers.items() if name != "Cross-Origin-Opener-Policy"}


def asset_headers() -> dict[str, str]:
    """Return the headers of the stylesheet and the script, whose names change with their content."""
    return {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=31536000, immutable"}
