"""Takes values from a tool's settings: the first of several keys, patterns of paths, the format of a feed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from publisher.posts.blog_tools.data_files import Data, DataError, read_data
from publisher.publishing.adopt.adopted_blog import Findings, inner, one_line, table
from publisher.publishing.adopt.dated_files import PostFolders

# Up to this many files without a date are left out by name. More are probably posts whose dates were not found.
_MOST_NAMED = 12


def data_of(found: Findings, root: Path, name: str) -> dict[str, Data]:
    """Return the table in a data file; if it cannot be read, note that for the owner and return an empty table."""
    try:
        return table(read_data(root / name, root))
    except DataError as error:
        found.leave(str(error))
        return {}


def folder_in(value: Data) -> str:
    """Return the path of a folder in a setting, such as "./src/", without dots and slashes around it."""
    parts = [part for part in one_line(value).split("/") if part not in ("", ".")]
    return "/".join(parts) if ".." not in parts else ""


def tell_unread(found: Findings, settings: dict[str, Data], file: str, *keys: str) -> None:
    """Note the keys whose values are computed by code and so could not be read."""
    for key in keys:
        if key in settings and settings[key] is None:
            found.leave(f"{file}: {key}: is made by a program, so it was not read")


def take_first(found: Findings, settings: Data, file: str, *rows: Sequence[str]) -> None:
    """For each row (a key of publisher.toml, then names of settings), take the first setting that has a value.

    Settings inside tables are named with dots. file: the file with the settings, which is named to the owner.
    """
    for key, *names in rows:
        take = found.take_language if key == "site.language" else found.take
        for name in names:
            if take(key, inner(settings, *name.split(".")), f"{file}: {name}"):
                break


def take_patterns(found: Findings, key: str, patterns: Sequence[str], where: str) -> None:
    """Take patterns of paths, if there are any, except those that publisher.toml cannot contain."""
    good = [each for each in patterns if not re.search(r"[\\\x00-\x1f=]", each.replace(" = /", ""))]
    found.take(key, good, where)


def take_posts(found: Findings, folder: str, posts: PostFolders, where: str) -> None:
    """Take the folder of the posts, and the patterns that distinguish them from other texts."""
    found.take("posts.folder", folder, where)
    take_patterns(found, "posts.include", posts.include, "the texts here have dates")
    found.posts = len(posts.dated)
    if len(posts.undated) <= min(_MOST_NAMED, len(posts.dated)):
        take_patterns(found, "posts.exclude", posts.undated, "these have no date")
    else:
        count = len(posts.undated)
        shown = ", ".join(posts.undated[:3]) + (" and others" if count > 3 else "")
        what = "a text has no date" if count == 1 else f"{count:,} texts have no date"
        found.leave(f"{folder}: {what}: {shown} (see posts.exclude)")


def feed_kind(text: str) -> str:
    """Return the format of a feed, given the text of its template: rss, atom, json, or "" if it isn't a feed."""
    if "<rss" in text:
        return "rss"
    if "<feed" in text:
        return "atom"
    return "json" if "jsonfeed.org/version" in text else ""


def without_template(root: Path, names: Iterable[str]) -> list[str]:
    """Return the names of shortcodes, each once, for which the owner has not written a template yet."""
    written = {path.stem for path in (root / "templates/shortcodes").glob("*.html")}
    return [name for name in dict.fromkeys(names) if name not in written]
