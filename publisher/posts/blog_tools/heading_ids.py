"""The ids of headings as each tool makes them, so that links to a heading (#whats-next) work here as they do there.

All functions are pure. tests/unit/posts/test_tool_links.py has the ids that the tools themselves made.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from publisher.config import Tool
from publisher.core import patterns
from publisher.posts.blog_tools.names import ascii_letters, github_slug, zola_slug

_MOST_CHARACTERS = 1_000

_TYPESET = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "--", "—": "---", "…": "..."})
_VITEPRESS_SIGNS = patterns.compile(r"[\s~`!@#$%^&*()\-_+=\[\]{}|\\;:\"'“”‘’<>,.?/]+")
_HEXO_SIGNS = patterns.compile(r"[\s~`!@#$%^&*()\-_+=\[\]{}|\\;:\"'<>,.?/]+")
_NOT_OF_PYTHON = patterns.compile(r"[^\w\s-]")
_NOT_OF_PANDOC = patterns.compile(r"[^\w\s.-]")


def heading_ids(tool: Tool, headings: Sequence[str]) -> list[str] | None:
    """Return the ids of a page's headings, given their texts as readers see them; None if the tool makes none."""
    rule = _RULES.get(tool)
    if rule is None:
        return None
    ids: list[str] = []
    counts: dict[str, int] = {}
    for heading in headings:
        name = rule(heading[:_MOST_CHARACTERS])
        count = counts.get(name, 0 if name or tool != "mkdocs" else 1)
        counts[name] = count + 1
        ids.append(f"{name}{'_' if tool == 'mkdocs' else '-'}{count}" if count else name)
    return ids


def is_meant(fragment: str, heading: str) -> bool:
    """Return whether a name after # may be the id that some tool makes for a heading.

    Tools differ in what they do with punctuation and accents, and Zola replaces an emoji with its name.
    """
    name, text = _letters(fragment), _letters(heading[:_MOST_CHARACTERS])
    if name == text or not name:
        return bool(name)
    if len(text) < 3 or not (name.endswith(text) or name.startswith(text)):
        return False
    return any(unicodedata.category(char) == "So" for char in heading[:_MOST_CHARACTERS])


@lru_cache(maxsize=4096)
def _letters(text: str) -> str:
    return "".join(char for char in ascii_letters(text).casefold() if char.isalnum())


def _gfm(text: str) -> str:
    """Return the id that kramdown (for GFM) and Goldmark make from a text with typographic quotes and dashes."""
    kept = (char for char in text.lower() if char in " \t-_" or unicodedata.category(char)[0] in "LMN")
    return "".join(kept).replace("\t", "-").replace(" ", "-")


def _github(text: str) -> str:
    return github_slug(text.translate(_TYPESET))


def _vitepress(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_TYPESET))
    plain = "".join(char for char in plain if not "\u0300" <= char <= "\u036f")
    return re.sub(r"^(\d)", r"_\1", _VITEPRESS_SIGNS.sub("-", plain).strip("-")).lower()


def _hexo(text: str) -> str:
    plain = unicodedata.normalize("NFC", ascii_letters(text)) if text.isascii() else _without_accents(text)
    return _HEXO_SIGNS.sub("-", plain).strip("-")


def _without_accents(text: str) -> str:
    decomposed = ((char, unicodedata.normalize("NFD", char)[0]) for char in text)
    return "".join(base if base.isascii() else char for char, base in decomposed)


def _mkdocs(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_TYPESET)).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", _NOT_OF_PYTHON.sub("", plain).strip().lower())


def _pandoc(text: str) -> str:
    name = re.sub(r"\s+", "-", _NOT_OF_PANDOC.sub("", text.translate(_TYPESET)).strip().lower())
    first = next((index for index, char in enumerate(name) if char.isalpha()), len(name))
    return name[first:] or "section"


_RULES: dict[str, Callable[[str], str]] = {
    "astro": _github,
    "docusaurus": _github,
    "hexo": _hexo,
    "hugo": _gfm,
    "jekyll": _gfm,
    "mkdocs": _mkdocs,
    "obsidian": _github,
    "quarto": _pandoc,
    "vitepress": _vitepress,
    "zola": zola_slug,
}
