"""The people whom the front matter names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from publisher.core.models import Author
from publisher.posts.addresses import is_web_address
from publisher.posts.excerpt import plain_line
from publisher.posts.field_names import Metadata, first_text

if TYPE_CHECKING:
    from publisher.posts.fast_frontmatter import Tree

_UNQUOTED = re.compile(r"[\s<>\"\\]")
# What stands behind a comma and is no other person: O'Brien, Jr.
_PARTED = re.compile(r";|,(?!\s*(?:Jr|Sr|II|III|IV|Ph\.?D|M\.?D)\.?\s*(?:[,;]|$))", re.IGNORECASE)
_MAIL = re.compile(r"[^\s<>@]+@[^\s<>@]+")


@lru_cache(maxsize=1024)
def named_authors(text: str, *, many: bool) -> tuple[Author, ...]:
    """Return the authors that a text names; many says whether commas part them (not those before Jr. or PhD)."""
    return tuple(author for author in map(author_of, _PARTED.split(text) if many else [text]) if author)


def author_of(item: Tree) -> Author | None:
    """Return who a value of front matter names, None for nobody."""
    if isinstance(item, dict):
        table = Metadata(item, {})
        name = first_text(table, "name", "title", "displayname")
        email = first_text(table, "email", "mail")
        url = first_text(table, "url", "website", "uri")
        url = url if is_web_address(url) and not _UNQUOTED.search(url) else ""
        name = plain_line(name) or email
        return Author(name, email if _MAIL.fullmatch(email) else "", url) if name else None
    if not isinstance(item, str) or not item.strip():
        return None
    text = " ".join(item.split())
    match = re.fullmatch(r"(.*?)\s*<([^<>\s]+@[^<>\s]+)>", text)
    if match:
        return Author(match[1].strip('"') or match[2], match[2])
    return Author(plain_line(text))
