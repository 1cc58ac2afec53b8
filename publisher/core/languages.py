"""Which way a language is written."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

# The languages that are written from right to left, and the scripts that make any language so (az-Arab).
_RTL_LANGUAGES = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "khw", "ks", "ku", "nqo", "ps", "sd", "syr", "ug", "ur", "yi")
)
_RTL_SCRIPTS = frozenset(("adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"))


@lru_cache(maxsize=512)
def direction(language: str) -> Literal["rtl", "ltr"]:
    """Return "rtl" or "ltr" for a BCP 47 tag: a named script counts before the language."""
    primary, *rest = language.lower().split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _RTL_SCRIPTS else "ltr"
    return "rtl" if primary in _RTL_LANGUAGES else "ltr"
