"""The address of a post: its own permalink, or posts.permalink filled in from its front matter and its file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from publisher.config import Tool
from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.posts.address_parts import AddressParts, filled, from_eleventy, from_hugo, from_jekyll
from publisher.posts.front_matter.elsewhere import Warn, is_elsewhere
from publisher.posts.front_matter.field_names import FrontMatter, fold
from publisher.posts.permalinks import MOST_PATH_BYTES, is_page_of_site, permalink, tidy_path, used_by_site, why_unfit
from publisher.posts.post_file import PostSettings, Tree
from publisher.posts.slugs import post_slug

_ESCAPE = patterns.compile(r"%[0-9A-Fa-f]{2}")
_PLACEHOLDER = patterns.compile(r"(?<![A-Za-z0-9]):[a-z]")
# The parts of a pattern that need nothing but what every post has.
_PLAIN_PATTERN = patterns.compile(r"(?:[^{}]++|\{(?:folder|year|month|day|slug|lang)\})*+")


class Named(NamedTuple):
    """The values, besides front matter, from which an address is made. See AddressParts for the fields."""

    source: str
    folder: str
    file: str
    name: str
    title: str
    when: datetime
    language: str


def unescaped(text: str) -> str:
    """Return a name or path without the percent escapes that WordPress's exporters write.

    The text is unchanged if it has none, or if they decode to characters that one name or path cannot have.
    """
    if not _ESCAPE.search(text):
        return text
    plain = unquote(text, errors="replace")
    has_odd = "\ufffd" in plain or any(ord(char) < 32 for char in plain) or plain.count("/") != text.count("/")
    return text if has_odd or "\\" in plain else plain


class PostAddress:
    """The address of one post.

    path      the path of its page, not percent-encoded
    is_unfit  whether its own permalink was ignored, for the reason given in the last warning

    old_path: the path at which readers of the old feed find the post; "" if that is not known. Raises PostError, with
    the line, if there is no address that the post can have.
    """

    def __init__(self, meta: FrontMatter, settings: PostSettings, named: Named, warn: Warn, old_path: str = "") -> None:
        self._meta, self._settings, self._named, self._warn = meta, settings, named, warn
        self._tool: Tool = settings.tool if settings.needs_date else ""  # the names of standalone pages are ours
        self.is_unfit = False
        # A post without a tool that was published by an earlier version keeps the address that it had there.
        self._as_before: bool | None = None
        value, line = meta.find("permalink")
        self.path = self._own_path(value, line) or (old_path and _fit(old_path)) or self._by_pattern()
        base = urlsplit(settings.site_url).path.rstrip("/") if value else ""
        if base and self.path.startswith(f"{base}/"):
            what = f"its URL is {base}{self.path}, because the permalink repeats the path of site.url"
            warn(line, what, f"delete {base} from it, unless this is intended")
        if is_page_of_site(self.path):
            what = f"its URL {self.path} belongs to one of the site's own pages, which the post replaces"
            warn(self._line(), what, "choose a different permalink, unless this is intended")

    def _line(self) -> int:
        field = "permalink" if self._meta.find("permalink")[0] and not self.is_unfit else "slug"
        return self._meta.find(field)[1]

    def _by_pattern(self) -> str:
        settings, slug = self._settings, self._meta.text("slug")
        pattern = _of_file(settings.pattern, self._tool, self._named.source)
        if not self._tool and is_plain_pattern(pattern):
            path = permalink(
                pattern,
                folder=self._plain(self._named.folder),
                day=self._named.when.date(),
                slug=post_slug(self._plain(slug)) if slug else self._named.name,
                language=self._named.language,
            )
        else:
            path = filled(pattern, self._parts()) or f"/{self._named.name}/"
        if used := used_by_site(path):
            line = self._meta.find("slug")[1]
            raise PostError(f"its URL {path} is already used by {used}", line=line, hint="give it a different slug")
        if len(path) > MOST_PATH_BYTES // 4 and len(path.encode("utf-8", "replace")) > MOST_PATH_BYTES:
            raise PostError(
                "its URL is too long for the path of a file", hint="give it a permalink, or fewer categories"
            )
        return path

    def _parts(self) -> AddressParts:
        named, slug = self._named, self._meta.text("slug")
        return AddressParts(
            tool=self._tool,
            folder=self._plain(named.folder),
            file=self._plain(named.file),
            name=named.name,
            slug=self._plain(slug),
            title=self._meta.text("title") or named.title,  # as written, before quotes and dashes were set
            categories=tuple(dict.fromkeys(self._categories())),
            when=named.when,
            language=named.language,
        )

    def _plain(self, text: str) -> str:
        """Return a name without escapes. To Jekyll, percent signs are part of the name."""
        if "%" not in text or self._tool == "jekyll" or self._is_as_before():
            return text
        return unescaped(text)

    def _is_as_before(self) -> bool:
        if self._as_before is None:
            self._as_before = not self._tool and self._settings.was_published_before(self._named.source)
        return self._as_before

    def _categories(self) -> Iterator[str]:
        """Yield the categories of the post, in the order in which addresses have them."""
        tool, source = self._tool, self._named.source
        above, divided, _ = source.rpartition("_posts/")
        if tool == "jekyll" and divided:
            yield from filter(None, above.split("/"))
        found = False
        for spelling in ("categories", "category", "taxonomies.categories"):
            for name in _names_in(self._meta.at(spelling), is_one=spelling == "category", by_comma=tool != "jekyll"):
                found = True
                yield name
        if tool == "pelican" and not found and self._named.folder:
            yield self._named.folder.rpartition("/")[2]

    def _own_path(self, value: Tree, line: int) -> str:
        """Return the permalink in the front matter; "" if it is missing or cannot be used."""
        if value is None or (isinstance(value, str) and value.lower() in ("true", "false")):
            return ""
        if isinstance(value, str):
            if is_elsewhere(value, self._settings.site_url) and " " not in value:
                return ""
            value = value.removeprefix(self._settings.site_url) or "/"
            # For Hugo's `url` and Zola's `path`, pages always have a slash at the end.
            is_written = value.endswith("/") or fold(self._meta.key("permalink")) == "permalink"
            value = value if is_written else f"{value}/"
        path = tidy_path(self._read(value)) if isinstance(value, str) else ""
        why = why_unfit(value, path, is_strict=_is_odd(value) and self._is_as_before())
        if why:
            self._warn(line, why, "write a different one, as a plain path")
            self.is_unfit = True
        return "" if why else path

    def _read(self, value: str) -> str:
        """Return a permalink without escapes, and with the placeholders of Jekyll or Eleventy filled in."""
        if self._tool == "eleventy":
            value = value.removesuffix("index.html") if value.endswith("/index.html") else value
            if pattern := from_eleventy(value):
                return filled(pattern, self._parts())
        if not _is_odd(value) or self._is_as_before():
            return value
        if self._tool == "hugo" and _PLACEHOLDER.search(value) and (pattern := from_hugo(value)):
            return filled(pattern, self._parts())
        pattern = from_jekyll(value) if _PLACEHOLDER.search(value) and "{" not in value else ""
        if pattern:
            return filled(pattern, self._parts()._replace(tool=self._tool or "jekyll"))
        return unescaped(value)


def _of_file(pattern: str, tool: Tool, source: str) -> str:
    """Return the pattern for the address of a file; some tools have their own for a file that represents its folder.

    For Quarto and VitePress that is index.md, and for Eleventy also a file with the name of its folder.
    """
    if tool not in ("eleventy", "quarto", "vitepress"):
        return pattern
    folder, _, file = source.rpartition("/")
    stem, above = file.rpartition(".")[0], folder.rpartition("/")[2]
    if tool == "eleventy":
        return pattern.replace("{folder}/{file}", "{folder}") if above and stem == above else pattern
    if above and stem == "index" and pattern.endswith(("/{file}", "/{file}.html")):
        return f"{pattern.removesuffix('.html')}/"
    return pattern


def _fit(path: str) -> str:
    """Return a path from an old feed as the path of a post; "" if no post can have it."""
    path = tidy_path(path)
    return "" if why_unfit(path, path) else path


@lru_cache(maxsize=64)
def is_plain_pattern(pattern: str) -> bool:
    """Return whether all parts of a permalink pattern can be filled in for every post."""
    return _PLAIN_PATTERN.fullmatch(pattern) is not None


def _is_odd(value: Tree) -> bool:
    """Return whether earlier versions did not understand a permalink."""
    return isinstance(value, str) and re.search(r"[%:\s]", value) is not None


def _names_in(value: Tree, *, is_one: bool, by_comma: bool) -> Iterator[str]:
    """Yield the names in a value: a list, or a text with one name, or with several between spaces or commas."""
    if isinstance(value, str):
        text = value.strip()
        if is_one:
            yield text
        elif by_comma and "," in text:
            yield from (part.strip() for part in text.split(","))
        else:
            yield from text.split()
    for item in value if isinstance(value, list) else ():
        for each in item if isinstance(item, list) else (item,):  # Hexo's nested categories
            name = each.get("name") if isinstance(each, dict) else each
            if isinstance(name, str) and name.strip():
                yield " ".join(name.split())
