"""When two addresses are one person's."""

from __future__ import annotations

import unicodedata


def address_key(address: str) -> str:
    """Return a text that is equal for every spelling of an address: case, Unicode form and width do not count.

    NFKC makes one of characters that only look different, such as fullwidth letters. It is for comparing; mail goes
    to the address as it was written.
    """
    if address.isascii():
        return address.lower()
    composed = unicodedata.normalize("NFKC", address)
    return unicodedata.normalize("NFKC", composed.casefold())
