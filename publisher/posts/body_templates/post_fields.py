"""The values that templates can read from a post: front matter with numbers and booleans, and the tool's additions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from publisher.config import Config
from publisher.core import patterns
from publisher.posts.blog_tools.data_files import DataError, parse_data
from publisher.posts.blog_tools.defaults import Defaults
from publisher.posts.front_matter.dates import parse_date
from publisher.posts.front_matter.parsing import parse_head, split_body
from publisher.posts.places import Places

_DATED = patterns.compile(r"(\d{4}-\d{1,2}-\d{1,2})-(.+)")


def fields_of(file: str) -> dict[str, Any]:
    """Return the front matter of a file with numbers and booleans; as text if it is not YAML."""
    body = split_body(file)[0]
    head = file[: len(file) - len(body)].strip()
    if head.startswith("---"):
        try:
            found = parse_data("\n".join(head.split("\n")[1:-1]), ".yml")
        except DataError:
            found = None
        if isinstance(found, dict):
            return dict(found)
    return dict(parse_head(file, whole=True).fields)


def inherited_fields_of(places: Places, config: Config, source: str) -> dict[str, Any]:
    """Return the fields that a post inherits from its tool's files, such as _config.yml or blog.json."""
    found = _defaults(places, config.root, config.posts.folder, config.posts.tool).of(source)
    return {key: _typed(value) for key, value in found.fields.items()} if found else {}


@lru_cache(maxsize=2)
def _defaults(places: Places, root: Path, folder: str, tool: str) -> Defaults:
    """Return the defaults of a project. places: the key of the cache, so that changed files are read again."""
    return Defaults(root, folder, tool)


def _typed(value: Any) -> Any:
    """Return a value of front matter with numbers and booleans in place of the texts that represent them."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and re.fullmatch(r"0|-?[1-9]\d{0,15}", value) else value


def post_values(fields: Mapping[str, Any], source: str, permalink: str, config: Config) -> dict[str, Any]:
    """Return the values that tags can read from a post: its front matter, and the values that the tool adds."""
    stem = PurePosixPath(source).stem
    dated = _DATED.fullmatch(stem)
    date = _moment(fields.get("date") or (dated[1] if dated else ""), config)
    categories = _words(fields.get("categories") or fields.get("category"))
    path = f"{config.posts.folder}/{source}"
    name = dated[2] if dated else stem
    usual = {"title": stem, "slug": name, "name": PurePosixPath(source).name, "draft": False, "collection": "posts"}
    added = {
        "url": permalink,
        "id": permalink.rstrip("/").removesuffix(".html"),
        "ext": PurePosixPath(source).suffix,
        "path": path,
        "relative_path": path,
        "fileSlug": name,
        "categories": categories,
        "tags": _words(fields.get("tags") or fields.get("tag")),
        **({"date": date} if date else {}),
    }
    return {**usual, **fields, **added}


def _words(value: Any) -> list[str]:
    """Return a list of names, which may be written as one text with spaces between them."""
    if isinstance(value, str):
        return value.split()
    return [str(each) for each in value if each is not None] if isinstance(value, list) else []


class Moment(datetime):
    """A time that Liquid shows as Ruby does."""

    def __str__(self) -> str:
        return self.strftime("%Y-%m-%d %H:%M:%S %z")


def moment_of(value: datetime) -> Moment:
    """Return the same time as a Moment."""
    return Moment.fromtimestamp(value.timestamp(), value.tzinfo)


def _moment(text: Any, config: Config) -> Moment | None:
    try:
        return civil_moment(str(text), config) if text else None
    except (ValueError, OverflowError):
        return None


def civil_moment(text: str, config: Config) -> Moment:
    """Parse a text as a time, by the settings for dates in posts; raise ValueError if it is not a time."""
    morning = time.fromisoformat(config.posts.time)
    return moment_of(parse_date(text, config.posts_zone, morning=morning))
