"""Lists of tags, "v=DMARC1; p=none", as DKIM and DMARC write them (RFC 6376, 3.2)."""

from __future__ import annotations


def parse_tags(text: str) -> dict[str, str]:
    """Return the tags by their names in small letters; white space inside a value is taken out."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, equals, value in pairs if equals}
