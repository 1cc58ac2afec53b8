"""The path segments that each tool makes from a file's name, a title, a category and a folder.

The rules are the tools' own, down to their oddities, so that an adopted blog keeps its addresses. Where Pelican,
Zola and Eleventy spell a title in Latin letters (日本語: ri-ben-yu), latin_letters does. All functions are pure; their
results are not percent-encoded. tests/data/tool_names.tsv has what the tools themselves made.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from publisher.config import Tool
from publisher.core import patterns
from publisher.posts.blog_tools.latin_letters import sindresorhus_slug, unidecoded
from publisher.posts.slugs import post_slug

# More characters than any segment of a path can have.
_MOST_CHARACTERS = 1_000

_MARKUP = patterns.compile(r"<[^<>]*>")
_NOT_IN_PATHS = patterns.compile(r"[/\\\x00-\x1f\x7f]+")
_WORD_ENDS = patterns.compile(r"[^\w\s-]")
_SPACES = patterns.compile(r"[-\s]+")
_HEXO_SIGNS = patterns.compile(r"[\s~`!@#$%^&*()\-_+=\[\]{}|\\;:\"'<>,.?/]+")


def name_segment(tool: Tool, text: str) -> str:
    """Return the segment for the name of a file, without its day. Without a tool, the name is unchanged."""
    return _rule(_OF_NAMES, tool, _as_written, text)


def slug_segment(tool: Tool, text: str) -> str:
    """Return the segment for a slug in front matter, in an address that without a slug has the name of the file."""
    return _rule(_OF_SLUGS, tool, _as_written, text)


def title_segment(tool: Tool, text: str) -> str:
    """Return the segment for the title of a post, and for a slug where the tool treats both alike."""
    return _rule(_OF_TITLES, tool, post_slug, text)


def category_segment(tool: Tool, text: str) -> str:
    """Return the segment for a category."""
    return _rule(_OF_CATEGORIES, tool, post_slug, text)


def title_of_file(tool: Tool, name: str, undated: str) -> str:
    """Return the title that a tool derives from a file's name for a post without a title; "" if it derives none.

    name, undated  the name of the file with its day, and without it
    """
    if tool == "jekyll":
        return " ".join(map(str.capitalize, undated.split("-")))
    if tool == "mkdocs":
        title = name.replace("-", " ").replace("_", " ")
        return title.capitalize() if title.lower() == title else title
    return undated if tool == "docusaurus" else ""


def folder_path(tool: Tool, folder: str) -> str:
    """Return the path of the folder of a post, relative to the posts folder."""
    rule = _OF_FOLDERS.get(tool)
    return "/".join(map(rule, folder.split("/"))) if rule and folder else folder


@lru_cache(maxsize=4096)
def _applied(rule: Callable[[str], str], text: str) -> str:
    return rule(text)


def _rule(rules: dict[str, Callable[[str], str]], tool: Tool, other: Callable[[str], str], text: str) -> str:
    return _applied(rules.get(tool, other), text[:_MOST_CHARACTERS])


def _as_written(text: str) -> str:
    return _NOT_IN_PATHS.sub("-", text.strip())


def _with_slashes(text: str) -> str:
    return "/".join(filter(None, map(_as_written, text.split("/"))))


def hyphenated(text: str, signs: str, *, marks: bool = True) -> str:
    """Return a text in which each run of characters other than letters, digits and `signs` is one hyphen.

    marks  whether combining marks, such as vowel signs, are kept as well
    """
    kinds = {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", *(("Mn", "Mc", "Me") if marks else ())}
    kept = (char if char in signs or unicodedata.category(char) in kinds else "\0" for char in text)
    return re.sub("\0+", "-", "".join(kept))


def _jekyll(text: str) -> str:
    """Return a text as Jekyll slugifies it in its mode "pretty", for :title; the path then loses its double dots."""
    slug = re.sub("-{2,}", "-", hyphenated(text, "._~!$&'()+,;=@"))
    return slug.strip("-").replace("..", "/")


def jekyll_slug(text: str) -> str:
    """Return a text as Jekyll slugifies it in its default mode, for :slug and the pages of tags."""
    return hyphenated(text, "").strip("-").lower()


def _hugo_name(text: str) -> str:
    """Return a path as Hugo writes it, with a hyphen for each space."""
    return hugo_sanitized(re.sub(r"\s", "-", text.strip())).lower()


def _hugo(text: str) -> str:
    """Apply Hugo's urlize to a path that is unescaped once, such as one from [permalinks]: plus signs become spaces."""
    return hugo_sanitized(text.replace("+", " ").strip()).lower()


def hugo_sanitized(text: str) -> str:
    """Return a path as Hugo writes it: without punctuation, and with one hyphen for spaces next to other characters."""
    out: list[str] = []
    wants_hyphen = was_hyphen = False
    for index, char in enumerate(text):
        if _hugo_keeps(text, index, char):
            was_hyphen = char == "-"
            if wants_hyphen and not was_hyphen:
                out.append("-")
            wants_hyphen = False
            out.append(char)
        elif out and not was_hyphen and char.isspace():
            wants_hyphen = True
    return "".join(out)


def _hugo_keeps(text: str, index: int, char: str) -> bool:
    if char in "./\\_#+~-@":
        return True
    if char == "%":
        return re.match(r"%[0-9A-Fa-f]{2}", text[index : index + 3]) is not None
    return unicodedata.category(char) in ("Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Mn", "Mc", "Me")


def _hugo_title(text: str) -> str:
    return _hugo(text.replace("/", "-"))


def ascii_letters(text: str) -> str:
    """Return a text with ASCII letters in place of Latin letters with accents and the like; other characters stay."""
    text = text.translate(_SPELLED)
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "ð": "d"}
    | {"þ": "th", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."}
)


def zola_slug(text: str) -> str:
    """Return the slug of Zola's library: lower case, and a hyphen for every run of anything but letters and digits."""
    return re.sub(r"[\W_]+", "-", unidecoded(text).lower()).strip("-") or _as_letters(text)


def _eleventy(text: str) -> str:
    return sindresorhus_slug(text) or _as_letters(text)


def _pelican(text: str) -> str:
    plain = unidecoded(unicodedata.normalize("NFKC", _MARKUP.sub("", text)))
    return _SPACES.sub("-", _WORD_ENDS.sub("", plain).strip()).strip().lower() or _as_letters(text)


def _as_letters(text: str) -> str:
    """Return a title in its own letters. It is used if a tool's library leaves nothing of the title."""
    return post_slug(text) if any(map(str.isalnum, text)) else ""


def _hexo(text: str) -> str:
    plain = "".join(char if unicodedata.combining(char) else _base(char) for char in text)
    return _HEXO_SIGNS.sub("-", plain).strip("-")


def _base(char: str) -> str:
    """Return a Latin letter without its accent; return any other character unchanged."""
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else char


def github_slug(text: str) -> str:
    """Return the slug of github-slugger, which Astro, Docusaurus and GitHub use."""
    kept = (char for char in text.lower() if char in " -_" or unicodedata.category(char)[0] in "LMN")
    return "".join(kept).replace(" ", "-")


def pymdownx_slug(text: str) -> str:
    """Return the slug of pymdownx.slugs in lower case, which Material for MkDocs uses for titles."""
    text = _MARKUP.sub("", unicodedata.normalize("NFC", text))
    kept = "".join(char for char in text if char in " -" or re.match(r"\w", char)).strip()
    return re.sub(r"\s", "-", kept.lower())


def _obsidian(text: str) -> str:
    text = re.sub(r"[?#]", "", text.replace("&", "-and-").replace("%", "-percent"))
    return _as_written(re.sub(r"\s", "-", text))


_Rules = dict[str, Callable[[str], str]]
_OF_NAMES: _Rules = {
    "astro": github_slug,
    "hugo": _hugo_name,
    "jekyll": _jekyll,
    "obsidian": _obsidian,
    "pelican": _pelican,
    "zola": zola_slug,
}
_OF_SLUGS: _Rules = {
    **_OF_NAMES,
    "astro": _with_slashes,
    "docusaurus": _with_slashes,
    "hugo": _hugo,
    "pelican": _as_written,
}
_OF_TITLES: _Rules = {
    "astro": github_slug,
    "eleventy": _eleventy,
    "hexo": _hexo,
    "hugo": _hugo_title,
    "jekyll": jekyll_slug,
    "mkdocs": pymdownx_slug,
    "pelican": _pelican,
    "zola": zola_slug,
}
_OF_CATEGORIES: _Rules = {**_OF_TITLES, "jekyll": str.lower}
_OF_FOLDERS: _Rules = {"astro": github_slug, "hugo": _hugo_name, "obsidian": _obsidian, "zola": zola_slug}
