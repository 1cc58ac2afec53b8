"""Addresses on the web: joined, quoted, told from other text. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin

_WEB = re.compile(r"https?://[^/]", re.IGNORECASE)
_LIKE_ONE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|[^\s]*[./][^\s]*|[^\n]*\.[a-z0-9]{2,4}", re.IGNORECASE)
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*")


def is_web_address(text: str) -> bool:
    """Return whether a text is an absolute address of a page or a file on the web."""
    return _WEB.match(text) is not None


def is_like_address(text: str) -> bool:
    """Return whether a value of front matter may be a path or an address, and not a switch or a name."""
    return _LIKE_ONE.fullmatch(text) is not None


def quoted(path: str) -> str:
    """Return a path as it stands in an address."""
    return path if _PLAIN_PATH.fullmatch(path) else quote(path, safe="/._~-!$&'()*+,;=:@")


def absolute(base: str, reference: str) -> str:
    """Join a reference to a post's own address; "" for one that cannot be read, such as //[."""
    try:
        joined = urljoin(base, reference.strip())
    except ValueError:
        return ""
    return quote(joined, safe="/._~-!$&'()*+,;=:@?#[]%")
