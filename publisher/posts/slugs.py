"""Slugs: the path segments of posts, tags and authors, readable in any script.

Slugs are part of URLs and ids, so neither they nor the rules here may ever change. All functions are pure.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from publisher.core import patterns

# A file name may have 255 bytes, and while a file is being written its name is a little longer.
MOST_NAME_BYTES = 200

# Characters that only change how an emoji looks.
LOOKS = patterns.compile("[\ufe00-\ufe0f]")
_SLUG = patterns.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def post_slug(text: str) -> str:
    """Return the path segment for a post with this title or file name."""
    if _SLUG.fullmatch(text):
        return text if len(text) <= MOST_NAME_BYTES else fitting(text)
    text = _folded(re.sub(r"['’`]", "", text))
    kept = "".join(c if c.isalnum() or unicodedata.category(c) in ("Mn", "Mc") or c in "._" else "-" for c in text)
    slug = re.sub(r"([.-])\1+", r"\1", kept).strip("-._")
    return fitting(slug) if any(map(str.isalnum, slug)) else "post"


def is_slug(text: str) -> bool:
    """Return whether a text is its own slug, by every rule here."""
    return _SLUG.fullmatch(text) is not None and len(text) <= MOST_NAME_BYTES


def own_slug(text: str) -> str:
    """Return a path segment for a post that no other file name has, such as c_plus_plus."""
    return post_slug(text) if _SLUG.fullmatch(text) or not text.strip() else tag_slug(text)


def _folded(text: str) -> str:
    """Return the text case-folded, in one Unicode form, without characters that only change the look of an emoji."""
    before = ""
    while text != before:
        before, text = text, unicodedata.normalize("NFKC", LOOKS.sub("", text)).casefold()
    return text


def fitting(slug: str) -> str:
    """Return a slug that fits into a file name. A slug that is too long becomes its beginning and a hash."""
    data = slug.encode("utf-8", "surrogatepass")
    if len(data) <= MOST_NAME_BYTES:
        return slug
    kept = data[: MOST_NAME_BYTES - 11].decode("utf-8", "ignore").rstrip("-._")
    return f"{kept}-{hashlib.blake2b(data, digest_size=5).hexdigest()}"


# These characters are spelt out, so that C, C++ and C# have different, readable paths.
_SPELLED = {
    "+": "plus",
    "#": "sharp",
    "&": "and",
    "@": "at",
    "%": "percent",
    "*": "star",
    "$": "dollar",
    "!": "bang",
    "?": "what",
    "=": "equals",
    "<": "less",
    ">": "greater",
    "|": "pipe",
    "^": "caret",
    ".": "dot",
}
_SIGNS = {word: sign for sign, word in _SPELLED.items()}
_AROUND_SIGN = patterns.compile(rf"-?([{re.escape(''.join(_SPELLED))}])-?")  # _SPACE leaves no two hyphens together
_SPACE = patterns.compile("[\\s\u2010\u2011-]+")

# Unicode's decomposition types for letters that are only a different form of a letter. m² is not a form of m2.
_FORMS = ("<wide>", "<narrow>", "<compat>", "<noBreak>", "<font>", "<initial>", "<medial>", "<final>", "<isolated>")

# Files that the site writes in the folders of tags and authors, and slugs that seem to end in a hash.
_TAKEN = patterns.compile(r"index\.html?|(?:feed|atom)(?:-\d+)?\.xml|feed(?:-\d+)?\.json|.*_[0-9a-f]{8}", re.DOTALL)


@lru_cache(maxsize=4096)
def tag_slug(name: str) -> str:
    """Return the path segment for a tag or an author, in any script.

    Names that differ in more than case, spaces, hyphens and Unicode form have different slugs. 日本語 stays unchanged,
    and "R and D" becomes r-and-d. Underscores mark a word that represents a character: R&D becomes r_and_d, C++ becomes
    c_plus_plus, C# becomes c_sharp, and .NET becomes dot_net. If the name could not be derived from the slug, the slug
    ends in an underscore and eight digits of the name's hash: a/b becomes a-b_82badf67. With fewer digits, a few
    hundred names that differ only in such characters could collide.
    """
    said = normal_form(name)
    slug = _readable(said)
    if slug and _meant(slug) == said and not _TAKEN.fullmatch(slug) and len(slug.encode()) <= MOST_NAME_BYTES:
        return slug
    mark = hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    begin = slug or "-".join(f"u{ord(char):x}" for char in said[:20]) or "none"
    kept = begin.encode()[: MOST_NAME_BYTES - 9].decode("utf-8", "ignore").rstrip("-._")
    return f"{kept}_{mark}"


def topic_slug(text: str) -> str:
    """Return the slug of a tag. text: its name, or a slug that was copied from a URL."""
    is_slug = tag_slug(_meant(text)) == text or re.fullmatch(r"[^\s/\\]+_[0-9a-f]{8}", text)
    return text if is_slug else tag_slug(text)


def normal_form(name: str) -> str:
    """Return a tag's name in normal form: case-folded, with one hyphen for spaces, in one Unicode form."""
    before, text = "", name
    while text != before:
        before, text = text, LOOKS.sub("", text).casefold()
        if not text.isascii():
            text = unicodedata.normalize("NFC", "".join(map(_plain, unicodedata.normalize("NFD", text))))
    return _AROUND_SIGN.sub(r"\1", _SPACE.sub("-", text)).strip("-")


def _plain(char: str) -> str:
    """Return the plain letters for a ligature or the like, such as "fi" for ﬁ; return other characters unchanged."""
    kind, _, _ = unicodedata.decomposition(char).partition(" ")
    if kind not in _FORMS:
        return char
    plain = unicodedata.normalize("NFKD", char)
    return plain if all(c.isspace() or unicodedata.category(c)[0] in "LMN" for c in plain) else char


def _readable(said: str) -> str:
    """Return a readable path segment for the name: some characters become words between underscores, others hyphens."""
    out = re.sub("[-_]+", lambda run: "_" if "_" in run[0] else "-", "".join(_parts(_folded(said))))
    slug = out.strip("-_")
    return f"{slug}_" if "_" in out and "_" not in slug else slug  # a character alone: "*" must differ from "star"


def _parts(text: str) -> Iterator[str]:
    for index, char in enumerate(text):
        inside = index and text[index - 1].isalnum() and text[index + 1 : index + 2].isalnum()
        if char == "." and inside:
            yield "."
        elif char in _SPELLED:
            yield f"_{_SPELLED[char]}_"
        elif char.isalnum() or unicodedata.category(char) in ("Mn", "Mc", "Me", "So", "Sm"):
            yield char
        else:
            yield "-"


def _meant(slug: str) -> str:
    """Return the normal form of the name from which a slug without a hash was made."""
    return "".join(_SIGNS.get(part, part) for part in slug.split("_")) if "_" in slug else slug
