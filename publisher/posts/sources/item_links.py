"""The links by which items of feeds are recognised: equal for all URLs of one page.

The database stores their keys, so a key must stay the same in later versions.
"""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

_PORTS = {"http": 80, "https": 443}


def canonical_link(url: str) -> str:
    """Return the part of a URL that says which page it is: without scheme, www, trailing slash and utm_ parameters.

    The result is only for comparisons, and need not be a URL itself.
    """
    host, rest = _parts(url)
    return host + rest


def link_key(url: str) -> str:
    """Return the key of a link, the same for all links to one page: two hashes joined by a dot; "" for none.

    They are the hashes of the link's host and of the rest. The second is missing if the link leads to a home page.
    """
    if not url:
        return ""
    host, rest = _parts(url)
    return f"{hash_of_texts(host)}.{hash_of_texts(rest) if rest else ''}"


def path_of(key: str) -> str:
    """Return the part of a link's key that stays the same when a site moves to another host; "" for a home page."""
    return key.partition(".")[2]


def is_home(key: str, home: str) -> bool:
    """Return whether a link leads to the page that the feed belongs to, or to a site as a whole."""
    return key == home or not path_of(key)


def hash_of_texts(*parts: str) -> str:
    """Return the hash of texts in this order, for the keys of items: 32 hexadecimal digits."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _parts(url: str) -> tuple[str, str]:
    """Return the host and the rest of a URL in the forms in which they are compared."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return "", url.strip()
    if port and port != _PORTS.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    query = parts.query
    if "utm_" in query:
        query = urlencode([pair for pair in parse_qsl(query, keep_blank_values=True) if not pair[0].startswith("utm_")])
    rest = unquote(parts.path).rstrip("/") + (f"?{query}" if query else "")
    return host, rest + (f"#{parts.fragment}" if parts.fragment else "")
