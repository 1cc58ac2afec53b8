"""When two addresses are one person's."""

from __future__ import annotations

import unicodedata


def address_key(address: str) -> str:
    """Return a text that is equal for every spelling of an address: case and Unicode form do not count."""
    if address.isascii():
        return address.lower()
    composed = unicodedata.normalize("NFC", address)
    return unicodedata.normalize("NFC", composed.casefold())
