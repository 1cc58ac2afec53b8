"""The parts from which the address of a post is built: the placeholders of posts.permalink and of other tools.

Only the parts that a pattern names are computed. Parts made from a file name, a title or a category are spelled as the
blog's tool would spell them (see blog_tools.names). All functions are pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from publisher.config import Tool
from publisher.core import patterns
from publisher.posts.blog_tools.names import (
    category_segment,
    folder_path,
    jekyll_slug,
    name_segment,
    slug_segment,
    title_segment,
)
from publisher.posts.permalinks import file_date, tidy_path
from publisher.posts.slugs import MOST_NAME_BYTES, fitting, post_slug


class AddressParts(NamedTuple):
    """The values from which the parts of an address are made.

    folder      the folder of the post, relative to the posts folder
    file        the name of its file without the extension
    name        the name of the post in its id
    slug        the slug in its front matter; "" if there is none
    categories  the categories in its front matter, in their order
    when        the date of the post, in the zone of posts
    """

    tool: Tool
    folder: str
    file: str
    name: str
    slug: str
    title: str
    categories: tuple[str, ...]
    when: datetime
    language: str


# English, whatever the language of the site, as in all tools.
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _undated(parts: AddressParts) -> str:
    dated = file_date(parts.file)
    return dated[1] if dated else parts.file


def _name(parts: AddressParts) -> str:
    if parts.tool == "eleventy":  # its fileSlug comes from the file, whatever the post says
        return name_segment(parts.tool, _undated(parts))
    return (parts.slug and slug_segment(parts.tool, parts.slug)) or name_segment(parts.tool, _undated(parts))


def _slug(parts: AddressParts) -> str:
    tool = parts.tool
    if not tool:
        return post_slug(parts.slug) if parts.slug else parts.name
    if tool == "jekyll":
        return jekyll_slug(parts.slug or _undated(parts))
    if tool == "eleventy" and parts.slug:
        return slug_segment(tool, parts.slug)
    if tool in ("mkdocs", "pelican"):
        return _slug_or_title(parts)
    if tool == "docusaurus" and not parts.slug:
        return _docusaurus_path(parts)
    return _name(parts)


def _docusaurus_path(parts: AddressParts) -> str:
    """Return the path of a post in a Docusaurus blog: its day as folders if its file has one, its folder and its name.

    The day may also begin the path of the file (2026/01-05/hello.md).
    """
    whole = f"{parts.folder}/{parts.file}".strip("/")
    found = _DOCUSAURUS.fullmatch(whole)
    return "/".join((found[2].replace("-", "/"), (found[1] + found[3]).strip("/"))) if found else whole


_DOCUSAURUS = patterns.compile(r"((?:[^/]+/)*?)(\d{4}[-/]\d{1,2}[-/]\d{1,2})[-/]?(.*)", re.DOTALL)


def _file(parts: AddressParts) -> str:
    return jekyll_slug(parts.file) if parts.tool == "jekyll" else name_segment(parts.tool, parts.file)


def _title(parts: AddressParts) -> str:
    return title_segment(parts.tool, parts.title)


def _slug_or_title(parts: AddressParts) -> str:
    return (parts.slug and slug_segment(parts.tool, parts.slug)) or _title(parts)


def _slug_or_file(parts: AddressParts) -> str:
    return (parts.slug and slug_segment(parts.tool, parts.slug)) or _file(parts)


# The text that tools put in place of a category if a post has none.
_NO_CATEGORY = {"hexo": "uncategorized", "pelican": "misc"}


def _categories(parts: AddressParts) -> list[str]:
    found = [category_segment(parts.tool, each) for each in parts.categories if each.strip()]
    none = _NO_CATEGORY.get(parts.tool)
    return list(dict.fromkeys(filter(None, found))) or ([none] if none else [])


def _slugified_categories(parts: AddressParts) -> str:
    slugs = (jekyll_slug(each) if parts.tool == "jekyll" else post_slug(each) for each in parts.categories)
    return "/".join(dict.fromkeys(filter(None, slugs)))


_MADE: dict[str, Callable[[AddressParts], str]] = {
    "folder": lambda parts: folder_path(parts.tool, parts.folder),
    "section": lambda parts: folder_path(parts.tool, parts.folder.partition("/")[0]),
    "slug": _slug,
    "name": _name,
    "file": _file,
    "title": _title,
    "slug_or_title": _slug_or_title,
    "slug_or_file": _slug_or_file,
    "category": lambda parts: "".join(_categories(parts)[:1]),
    "categories": lambda parts: "/".join(_categories(parts)),
    "slugified_categories": _slugified_categories,
    "lang": lambda parts: parts.language,
    "year": lambda parts: f"{parts.when.year:04}",
    "short_year": lambda parts: f"{parts.when.year % 100:02}",
    "month": lambda parts: f"{parts.when.month:02}",
    "i_month": lambda parts: str(parts.when.month),
    "short_month": lambda parts: _MONTHS[parts.when.month - 1][:3],
    "long_month": lambda parts: _MONTHS[parts.when.month - 1],
    "day": lambda parts: f"{parts.when.day:02}",
    "i_day": lambda parts: str(parts.when.day),
    "y_day": lambda parts: f"{parts.when.timetuple().tm_yday:03}",
    "i_y_day": lambda parts: str(parts.when.timetuple().tm_yday),
    "w_year": lambda parts: f"{parts.when.isocalendar().year:04}",
    "week": lambda parts: f"{parts.when.isocalendar().week:02}",
    "w_day": lambda parts: str(parts.when.isoweekday()),
    "i_w_day": lambda parts: str(parts.when.isoweekday() % 7),
    "short_day": lambda parts: _DAYS[parts.when.weekday()][:3],
    "long_day": lambda parts: _DAYS[parts.when.weekday()],
    "hour": lambda parts: f"{parts.when.hour:02}",
    "minute": lambda parts: f"{parts.when.minute:02}",
    "second": lambda parts: f"{parts.when.second:02}",
}  # fmt: skip


def filled(pattern: str, parts: AddressParts) -> str:
    """Return the path that a pattern gives, not percent-encoded; it may be "". Empty parts leave no double slash."""
    pieces = (_MADE[piece](parts) if index % 2 else piece for index, piece in enumerate(_split(pattern)))
    path = tidy_path("".join(pieces))
    if parts.tool == "hugo":
        path = path.lower()
    if len(path) > MOST_NAME_BYTES // 4:
        path = "/".join(map(fitting, path.split("/")))
    return path if path != "/" else ""


@lru_cache(maxsize=256)
def _split(pattern: str) -> tuple[str, ...]:
    """Return the literal texts of a pattern and the names between them, alternating. Unknown names count as text."""
    names = "|".join(_MADE)
    return tuple(re.split(rf"\{{({names})\}}", pattern))


# Hugo's tokens by other names: https://gohugo.io/configuration/permalinks/#tokens
_HUGOS = {
    "sections": "folder", "slugorcontentbasename": "slug_or_file", "slugorfilename": "slug_or_file",
    "contentbasename": "file", "filename": "file", "slug": "slug_or_title", "yearday": "i_y_day",
    "monthname": "long_month", "weekday": "i_w_day", "weekdayname": "long_day",
}  # fmt: skip
_HUGO = patterns.compile(r":([a-z_]+(?:\[[^\]/]{0,20}\])?)")


def from_hugo(permalink: str) -> str:
    """Return a permalink of Hugo as a pattern; "" if a token is not known."""
    pattern = _HUGO.sub(_of_hugo, permalink)
    pattern = pattern if pattern.startswith("/") else f"/{pattern}"
    if "{}" in pattern:
        return ""
    return pattern if pattern.endswith("/") or "." in pattern.rpartition("/")[2] else f"{pattern}/"


def _of_hugo(token: re.Match[str]) -> str:
    part = _HUGOS.get(token[1], token[1])
    return f"{{{part if part in _MADE else ''}}}"


# Jekyll's placeholders, and ours for them. In all versions of Jekyll, :title is the file's name; :name is the same in
# lower case.
_JEKYLLS = {"title": "name", "name": "file"}
_JEKYLL = patterns.compile(r":([a-z][a-z_]*)")
_JEKYLL_STYLES = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}


def from_jekyll(permalink: str) -> str:
    """Return a permalink with Jekyll's placeholders, or the name of one of its styles, as a pattern.

    Returns "" if a placeholder is not known. As in Jekyll, an underscore may separate two placeholders.
    """
    pattern = _JEKYLL.sub(_ours, _JEKYLL_STYLES.get(permalink, permalink).replace(":output_ext", ".html"))
    return "" if "{}" in pattern else pattern


# The parts that most of Eleventy's permalinks consist of, without spaces. Nothing in them is run.
_ELEVENTYS = {
    "page.fileSlug": "{name}", "page.fileSlug|slugify": "{name}", "page.fileSlug|slug": "{name}", "slug": "{slug}",
    "slug|slugify": "{slug}", "slug|slug": "{slug}", "title|slugify": "{title}", "title|slug": "{title}",
    "category|slugify": "{category}", "category|slug": "{category}", "lang": "{lang}", "locale": "{lang}",
    "page.lang": "{lang}",
}  # fmt: skip
_OUTPUT = patterns.compile(r"\{\{-?([^{}]*+)\}\}")
_OF_DATE = patterns.compile(r"""(?:page\.)?date\|\w+(?::|\()["']([^"']*+)["']\)?""")
_STRFTIME = {"%Y": "{year}", "%m": "{month}", "%d": "{day}", "%-m": "{i_month}", "%-d": "{i_day}", "%y": "{short_year}"}
# The same in the formats of Luxon and Moment, which a blog's own filters use.
_LUXON = {
    "yyyy": "{year}", "YYYY": "{year}", "MM": "{month}", "LL": "{month}", "dd": "{day}", "DD": "{day}",
    "M": "{i_month}", "L": "{i_month}", "d": "{i_day}", "D": "{i_day}", "yy": "{short_year}", "YY": "{short_year}",
}  # fmt: skip


def from_eleventy(permalink: str) -> str:
    """Return a permalink with Eleventy's usual templates as a pattern; "" if it has no template, or an unusual one."""
    if "{{" not in permalink:
        return ""
    pattern = _OUTPUT.sub(_of_template, permalink)
    return "" if "{{" in pattern or "{}" in pattern or "{%" in pattern else pattern


def _of_template(found: re.Match[str]) -> str:
    text = "".join(found[1].rstrip("-").split())
    if dated := _OF_DATE.fullmatch(text):
        if "%" in dated[1]:
            return re.sub(r"%-?[A-Za-z]", lambda sign: _STRFTIME.get(sign[0], "{}"), dated[1])
        return re.sub("[A-Za-z]+", lambda word: _LUXON.get(word[0], "{}"), dated[1])
    return _ELEVENTYS.get(text, "{}")


def _ours(found: re.Match[str]) -> str:
    name = found[1].rstrip("_")
    part = _JEKYLLS.get(name, name)
    return f"{{{part if part in _MADE else ''}}}{found[1][len(name) :]}"
