"""The people whom posts name by a short id: those in [[authors]], then those in the data files of the posts' tool.

    Jekyll      _data/authors.yml, and the collection _authors
    Hugo        data/authors.yaml, or a page for each, content/authors/ada/_index.md
    Eleventy    _data/authors.json
    Hexo        source/_data/authors.yml
    Docusaurus  authors.yml in the folder of posts
    MkDocs      .authors.yml in the folder of the blog
    Astro       src/content/authors/, a file for each

Instead of one file for all people, there may be a folder with a file for each person.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from publisher.config import AuthorConfig
from publisher.core.errors import file_and_line
from publisher.core.models import Problem, Severity
from publisher.posts.blog_tools.data_files import DATA_ENDINGS, Data, DataError, read_data, read_front
from publisher.posts.cache_keys import hash_of, stamp_of

# The data about one person, by the keys of the file.
PersonData = dict[str, Data]

_PLACES: dict[str, tuple[str, ...]] = {
    "astro": ("src/content/authors", "src/data/authors"),
    "docusaurus": ("{posts}/authors", "blog/authors"),
    "eleventy": ("_data/authors", "src/_data/authors"),
    "hexo": ("source/_data/authors",),
    "hugo": ("data/authors", "content/authors"),
    "jekyll": ("_data/authors", "_data/people", "_authors"),
    "mkdocs": ("{posts}/.authors", "{above}/.authors", "docs/blog/.authors"),
}
_PAGES = (".md", ".markdown")
# The keys in a list of people that contain the id by which posts name each of them.
_IDS = ("id", "key", "username", "short_name", "shortname", "slug", "handle")
_MOST_PEOPLE = 5_000


class AuthorData:
    """The people of one project. Files are read when somebody is first looked up."""

    def __init__(self, root: Path, folder: str, tool: str, own: Iterable[AuthorConfig]) -> None:
        """Take the project's folder, the posts folder in it, the tool, and the people of publisher.toml."""
        self._root = root
        self._own = {each.id: each for each in own}
        above = posixpath.dirname(folder.rstrip("/"))
        self._places = [place.format(posts=folder, above=above).lstrip("/") for place in _PLACES.get(tool, ())]
        self._wrong: list[DataError] = []

    @property
    def is_there(self) -> bool:
        """Whether any people are known, so that an unknown id is a mistake."""
        return bool(self._own or self._people)

    @property
    def named(self) -> str:
        """Where the people are defined, for a message."""
        return self._files[0] if self._files and not self._own else "[[authors]]"

    def find(self, name: str) -> PersonData | None:
        """Return the data about the person with this name in posts; None if there is no such person."""
        if own := self._own.get(name):
            values = {"name": own.name, "email": own.email, "url": own.url, "about": own.about}
            return {**values, "image": own.image}
        return self._people.get(name)

    def key(self) -> str:
        """Return a text that changes when one of the files changes."""
        return hash_of(*(f"{path}:{stamp_of(self._root / path)}" for path in self._files))

    def problems(self) -> list[Problem]:
        """Return an error for each file that cannot be read."""
        _ = self._people
        return [
            Problem(*file_and_line(each.where), each.message, each.hint or "correct it", Severity.ERROR)
            for each in self._wrong
        ]

    @cached_property
    def _files(self) -> list[str]:
        return [path for place in self._places for path in self._files_at(place)][:_MOST_PEOPLE]

    def _files_at(self, place: str) -> Iterator[str]:
        """Yield the file of people at a path without an extension, or the files in the folder there."""
        for ending in DATA_ENDINGS:
            if (self._root / f"{place}{ending}").is_file():
                yield f"{place}{ending}"
                return
        try:
            names = sorted(os.listdir(self._root / place))  # noqa: PTH208 - names alone
        except OSError:
            return
        for name in names:
            if name.lower().endswith((*DATA_ENDINGS, *_PAGES)):
                yield f"{place}/{name}"
            elif (self._root / place / name / "_index.md").is_file():
                yield f"{place}/{name}/_index.md"

    @cached_property
    def _people(self) -> dict[str, PersonData]:
        found: dict[str, PersonData] = {}
        for path in self._files:
            file = self._root / path
            try:
                is_page = file.suffix in _PAGES
                data: Data = {**read_front(file, self._root)} if is_page else read_data(file, self._root, as_text=True)
            except DataError as error:
                self._wrong.append(error)
                continue
            one = posixpath.basename(posixpath.dirname(path) if file.stem == "_index" else posixpath.splitext(path)[0])
            found = dict(_people_in(data, one if one.strip(".") != "authors" else "")) | found
        return found


def _people_in(data: Data, one: str) -> Iterator[tuple[str, PersonData]]:
    """Yield each person in a file, by id. one: the id of the only person in it, or "" if it has several."""
    if isinstance(data, list):
        for each in data:
            names = [each.get(key) for key in _IDS] if isinstance(each, dict) else []
            yield from ((name, each) for name in names if isinstance(name, str) and name and isinstance(each, dict))
    elif isinstance(data, dict) and one:
        names = [one, data.get("short_name"), data.get("slug")]
        yield from ((name, data) for name in names if isinstance(name, str) and name)
    elif isinstance(data, dict):
        inner = data.get("authors")
        people = inner if isinstance(inner, dict) else data
        for name, each in people.items():
            if isinstance(each, str):
                yield name, {"name": each}
            elif isinstance(each, dict):
                yield name, {"name": name, **each}
