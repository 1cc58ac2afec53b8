"""The defaults in a tool's files for all posts in a folder: fields of front matter that the posts themselves lack.

    Jekyll       `defaults` and `excerpt_separator` in _config.yml
    Hugo         `cascade` in the configuration and in each _index.md
    Eleventy     blog/blog.json, blog/blog.11tydata.json and .js, and the same next to a post
    Quarto       _metadata.yml, and the fields of _quarto.yml
    MkDocs       .meta.yml
    Pelican      DEFAULT_METADATA in pelicanconf.py
    Zola         `draft` in _index.md, which hides all pages of a section

A field here may hide a post. So if such a file cannot be read, no post in its folder is read, and a build stops.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from publisher.core.errors import file_and_line
from publisher.core.file_names import in_folder
from publisher.core.models import Problem, Severity
from publisher.posts.blog_tools.data_files import (
    DATA_ENDINGS,
    Data,
    DataError,
    read_data,
    read_front,
    text_of,
)
from publisher.posts.blog_tools.path_globs import expand_braces, matches_glob
from publisher.posts.blog_tools.plain_programs import SCRIPTS, ScriptError, exported, metadata_in
from publisher.posts.cache_keys import hash_of, stamp_of

# Fields of front matter, whose scalars are text.
Fields = dict[str, Data]


@dataclass(frozen=True)
class Inherited:
    """What a post inherits from its tool's files.

    fields     the inherited fields, without the post's own
    adds       whether the post's lists are added to inherited lists of the same name, instead of replacing them
    whole      fields in which a text is a single item of a list, and is not split into words
    is_hidden  whether the post is hidden, whatever its own fields say
    """

    fields: Fields = field(default_factory=dict)
    adds: bool = False
    whole: tuple[str, ...] = ()
    is_hidden: bool = False


NOTHING = Inherited()

# How many sets of defaults in one file are followed. Each is compared with the path of each post.
_MOST_SETS = 100


class Defaults:
    """The defaults of one project. Each file is read once."""

    def __init__(self, root: Path, folder: str, tool: str, language: str = "") -> None:
        """Take the project's folder, the posts folder in it, the tool, and the language of the site."""
        self._root, self._folder, self._language = root, folder, language
        find = _TOOLS.get(tool)
        self._find = find
        self._tool = tool
        self._read: dict[str, Data | DataError] = {}
        self._there: dict[str, frozenset[str]] = {}
        self._chains: dict[str, list[Fields]] = {}
        self._joined: dict[str, Fields] = {}

    def of(self, source: str) -> Inherited | None:
        """Return what the post at a path in the posts folder inherits; None if a file is unreadable (see problems)."""
        if self._find is None:
            return NOTHING
        try:
            return self._find(self, in_folder(self._folder, source))
        except DataError:
            return None

    def key(self, sources: Iterable[str]) -> str:
        """Return a text that changes with every file from which one of these posts may inherit."""
        return hash_of(*(f"{path}:{stamp_of(self._root / path)}" for path in self._files_of(sources)))

    def problems(self, sources: Iterable[str]) -> list[Problem]:
        """Return an error for each file that cannot be read. Nothing is then known about the posts in its folder.

        A program that would have to be run gives only a warning: it rarely sets more than a layout.
        """
        return [problem for path in self._files_of(sources) if (problem := self._problem(path))]

    def _problem(self, path: str) -> Problem | None:
        ending = posixpath.splitext(path)[1]
        try:
            if ending in SCRIPTS:
                return None if self.script(path) is not None else _not_run(path)
            (self.program if ending == ".py" else self.data if ending in DATA_ENDINGS else self.front)(path)
        except DataError as error:
            where, line = file_and_line(error.where)
            return Problem(where, line, error.message, error.hint or "correct it: it may hide posts")
        return None

    def _files_of(self, sources: Iterable[str]) -> list[str]:
        """Return the paths of the files that exist, sorted."""
        names = _NAMES.get(self._tool)
        found = set(_CONFIGS.get(self._tool, ()))
        if names:
            paths = [in_folder(self._folder, source) for source in sources]
            every = {above for folder in set(map(posixpath.dirname, paths)) for above in levels(folder)}
            found |= {posixpath.join(folder, name) for folder in every for name in names(folder)}
            if self._tool == "eleventy":
                found |= self._next_to_posts(paths)
        return sorted(path for path in found if self._has(path))

    def _next_to_posts(self, paths: Iterable[str]) -> set[str]:
        """Return the paths of Eleventy's data files that are next to posts and have their names."""
        stems = {posixpath.splitext(path)[0] for path in paths}
        found = set()
        for folder in set(map(posixpath.dirname, stems)):
            for name in self._names(folder):
                file = posixpath.join(folder, name)
                if any(name.endswith(ending) and file.removesuffix(ending) in stems for ending in _ELEVENTY):
                    found.add(file)
        return found

    def cascades(self, folder: str) -> list[Fields]:
        """Return Hugo's cascades for a folder, the nearest first: its own, its parents' and the configuration's."""
        if folder not in self._chains:
            self._chains[folder] = list(_cascades(self, folder))
        return self._chains[folder]

    def configured(self, key: str) -> list[Data]:
        """Return the values of a key in the files of Hugo's configuration, including a file for that key alone."""
        files = ((posixpath.basename(path), self.data(path)) for path in _CONFIGS["hugo"])
        return [table.get(key, table if name.startswith(f"{key}.") else None) for name, table in files]

    @cached_property
    def permalinks(self) -> list[Fields]:
        """The permalinks of Hugo's sections."""
        tables = [table for table in self.configured("permalinks") if isinstance(table, dict)]
        pages = [table.get("page", table) for table in tables]
        return [table for table in pages if isinstance(table, dict)]

    def tables(self, folder: str) -> Fields:
        """Return the tables in Eleventy's data files for a folder."""
        if folder not in self._joined:
            stems = [f"{each}/{posixpath.basename(each)}" for each in levels(folder) if each]
            self._joined[folder] = _joined((table for stem in stems for table in _tables(self, stem)), adds=True)
        return self._joined[folder]

    def data(self, path: str) -> Fields:
        """Return the table in a data file of the project; an empty one if there is no such file."""
        is_whole = path not in _CONFIGS.get(self._tool, ()) or posixpath.basename(path).startswith(_OWN_FILES)
        words = () if is_whole else _WORDS.get(self._tool, ())
        return self._kept(path, lambda file: self._data(file, words))

    def _data(self, file: Path, words: Sequence[str]) -> Data:
        """Return the data in a file. If words are given, a file that contains none of them counts as empty."""
        if words and not any(word in text_of(file, self._root) for word in words):
            return None
        return read_data(file, self._root, as_text=True)

    def front(self, path: str) -> Fields:
        """Return the front matter of a page of the project; an empty table if there is no such file."""
        return self._kept(path, lambda file: read_front(file, self._root))

    def script(self, path: str) -> Fields | None:
        """Return the table that a file of JavaScript exports; None if the file would have to be run."""
        try:
            return self._kept(path, lambda file: exported(text_of(file, self._root, SCRIPTS)))
        except ScriptError:
            return None

    def program(self, path: str) -> Fields:
        """Return the default metadata in a program of Pelican; an empty table if there is no such file."""
        return self._kept(path, lambda file: metadata_in(text_of(file, self._root, (".py",))))

    def _has(self, path: str) -> bool:
        """Return whether there is something at a path. Each folder is listed once: most of these files do not exist."""
        folder, name = posixpath.split(path)
        return name in self._names(folder)

    def _names(self, folder: str) -> frozenset[str]:
        if folder not in self._there:
            try:
                self._there[folder] = frozenset(os.listdir(self._root / folder))  # noqa: PTH208 - names alone
            except OSError:
                self._there[folder] = frozenset()
        return self._there[folder]

    def _kept(self, path: str, read: Callable[[Path], Data]) -> Fields:
        if not self._has(path):
            return {}
        if path not in self._read:
            file = self._root / path
            try:
                self._read[path] = read(file) if file.is_file() else None
            except DataError as error:
                self._read[path] = error if error.where else type(error)(error.message, where=path, hint=error.hint)
        found = self._read[path]
        if isinstance(found, DataError):
            raise found
        if found is not None and not isinstance(found, dict):
            raise DataError("is not a table of fields", where=path)
        return found or {}

    @property
    def language(self) -> str:
        """The language of the site."""
        return self._language


def levels(folder: str) -> tuple[str, ...]:
    """Return a folder and all folders above it up to the project (""), the highest first."""
    found = [folder]
    while folder:
        folder = posixpath.dirname(folder)
        found.append(folder)
    return tuple(reversed(found))


def merged(under: Data, over: Data, *, adds: bool) -> Data:
    """Return two values as one: tables by their keys, lists one after the other if `adds`, else `over`."""
    if isinstance(under, dict) and isinstance(over, dict):
        same = {key: merged(under[key], value, adds=adds) if key in under else value for key, value in over.items()}
        return under | same
    if adds and isinstance(under, list) and isinstance(over, list):
        return under + [item for item in over if item not in under]
    return over


def _joined(tables: Iterable[Fields], *, adds: bool = False) -> Fields:
    """Return tables merged into one; later ones have precedence."""
    found: Data = {}
    for table in tables:
        found = merged(found, table, adds=adds)
    return found if isinstance(found, dict) else {}


# Jekyll


def _jekyll(defaults: Defaults, path: str) -> Inherited:
    config = next(filter(None, map(defaults.data, _CONFIGS["jekyll"])), {})
    sets, mark = config.get("defaults"), config.get("excerpt_separator")
    own: Fields = {"excerpt_separator": mark} if isinstance(mark, str) and mark.strip() else {}
    if not isinstance(sets, list):
        return Inherited(own) if own else NOTHING
    source = config.get("source")
    place = path.removeprefix(f"{source.strip('./')}/") if isinstance(source, str) else path
    kind = _collection(place)
    fields: Data = own
    last: tuple[str, bool] | None = None
    for each in sets[:_MOST_SETS]:
        scope, values = (each.get("scope"), each.get("values")) if isinstance(each, dict) else (None, None)
        if not isinstance(scope, dict) or not isinstance(values, dict):
            continue
        where, named = str(scope.get("path") or "").rstrip("/"), scope.get("type")
        if (named and named != kind) or not _in_scope(place, where):
            continue
        if last is None or (len(where), bool(named)) >= (len(last[0]), last[1]):
            fields, last = merged(fields, values, adds=False), (where, bool(named))
        else:
            fields = merged(values, fields, adds=False)
    return Inherited(fields if isinstance(fields, dict) else {})


def _collection(path: str) -> str:
    """Return the collection that the folder of a file names, such as posts for _posts/a.md; pages if it names none."""
    return next((part[1:] for part in reversed(path.split("/")[:-1]) if part[:1] == "_"), "pages")


def _in_scope(path: str, where: str) -> bool:
    if "*" not in where:
        return path.startswith(where)
    folders = [path[: found.start()] for found in re.finditer("/", path)]
    return any(matches_glob(where, each) for each in (path, *folders))


# Hugo


def _hugo(defaults: Defaults, path: str) -> Inherited:
    place = path.partition("content/")[2] if path.startswith("content/") else path
    stem = posixpath.splitext(place)[0]
    page = f"/{posixpath.dirname(stem) if posixpath.basename(stem) == 'index' else stem}".lower().replace(" ", "-")
    found: Fields = {}
    for each in defaults.cascades(posixpath.dirname(path)):
        if _is_target(each, page, defaults.language):
            new = {key.lower(): value for key, value in each.items() if key not in ("_target", "target")}
            params = merged(new.get("params", {}), found.get("params", {}), adds=False)
            found = new | found | ({"params": params} if params else {})
    if "url" not in found and (permalink := _hugo_permalink(defaults.permalinks, place)):
        found = found | {"url": permalink}
    return Inherited(found) if found else NOTHING


def _cascades(defaults: Defaults, folder: str) -> Iterator[Fields]:
    """Yield Hugo's cascades for a folder, the nearest first: its own, its parents' and the configuration's."""
    pages = [posixpath.join(each, name) for each in reversed(levels(folder)) for name in _SECTIONS]
    for cascade in (*(defaults.front(page).get("cascade") for page in pages), *defaults.configured("cascade")):
        sets = cascade[:_MOST_SETS] if isinstance(cascade, list) else [cascade]
        yield from (each for each in sets if isinstance(each, dict) and each)


def _hugo_permalink(tables: Iterable[Fields], place: str) -> str:
    """Return the permalink, in Hugo's notation, for the section of a page; "" if none is set."""
    for folder in place.split("/")[:-1][:2]:  # the first folder may be that of a language
        for table in tables:
            if isinstance(found := table.get(folder), str):
                return found
    return ""


def _is_target(cascade: Fields, page: str, language: str) -> bool:
    """Return whether a cascade applies to a page, given by its path on the site."""
    target = cascade.get("target", cascade.get("_target"))
    targets = target if isinstance(target, list) else [target or {}]
    facts = {"path": page, "kind": "page", "environment": "production", "lang": language.lower()}
    for each in targets:
        wanted = {key.lower(): str(value).lower() for key, value in each.items()} if isinstance(each, dict) else {}
        if all(
            any(matches_glob(glob, facts[key]) for glob in expand_braces(value))
            for key, value in wanted.items()
            if key in facts
        ):
            return True
    return False


# Eleventy


def _eleventy(defaults: Defaults, path: str) -> Inherited:
    tables = [defaults.tables(posixpath.dirname(path)), *_tables(defaults, posixpath.splitext(path)[0])]
    return Inherited(_joined(tables, adds=True), adds=True, whole=("tags",))


def _tables(defaults: Defaults, stem: str) -> Iterator[Fields]:
    """Yield the data in the data files of a folder or a post, given their path without an extension."""
    for ending in _ELEVENTY:
        file = f"{stem}{ending}"
        table = defaults.script(file) or {} if ending.endswith(SCRIPTS) else defaults.data(file)
        if table:
            yield table | ({"tags": [table["tags"]]} if isinstance(table.get("tags"), str) else {})


# The extensions of Eleventy's data files; later ones have precedence.
_ELEVENTY = (".json", ".11tydata.json", *(f".11tydata{ending}" for ending in reversed(SCRIPTS)))


def _not_run(path: str) -> Problem:
    return Problem(
        path,
        1,
        "is an Eleventy program, which is not run here, so what it sets for the posts in its folder is unknown",
        f"write what they need into {path.rpartition('.')[0]}.json, such as draft or permalink",
        Severity.WARNING,
    )


# Quarto, MkDocs, Pelican, Zola


def _quarto(defaults: Defaults, path: str) -> Inherited:
    project = next(filter(None, map(defaults.data, _CONFIGS["quarto"])), {})
    shared = {key: value for key, value in project.items() if key in _OF_DOCUMENTS}
    folders = [
        next(filter(None, (defaults.data(posixpath.join(folder, name)) for name in _METADATA)), {})
        for folder in levels(posixpath.dirname(path))
    ]
    return Inherited(_joined([shared, *folders], adds=True), adds=True)


# The fields in _quarto.yml that apply to each document. The others are those of the site.
_OF_DOCUMENTS = ("author", "categories", "draft", "image", "lang")


def _mkdocs(defaults: Defaults, path: str) -> Inherited:
    files = (posixpath.join(folder, ".meta.yml") for folder in levels(posixpath.dirname(path)))
    return Inherited(_joined(map(defaults.data, files), adds=True), adds=True)


def _pelican(defaults: Defaults, path: str) -> Inherited:
    del path
    return Inherited(
        defaults._kept("pelicanconf.py", lambda file: metadata_in(text_of(file, defaults._root, (".py",))))
    )


def _zola(defaults: Defaults, path: str) -> Inherited:
    sections = (posixpath.join(folder, "_index.md") for folder in levels(posixpath.dirname(path)))
    return Inherited(is_hidden=any(defaults.front(section).get("draft") == "true" for section in sections))


# Keys of Hugo's configuration that may be in a file of their own.
_OWN_KEYS = ("cascade", "permalinks")
_OWN_FILES = ("cascade.", "permalinks.")
_SECTIONS = ("_index.md", "_index.markdown", "_index.html")
_METADATA = ("_metadata.yml", "_metadata.yaml")


def _hugo_configs() -> Iterator[str]:
    for folder in ("", "config/_default/", "config/production/"):
        for name in ("hugo", "config", *(_OWN_KEYS if folder else ())):
            yield from (f"{folder}{name}{ending}" for ending in (".toml", ".yaml", ".yml", ".json"))


_TOOLS: dict[str, Callable[[Defaults, str], Inherited]] = {
    "eleventy": _eleventy,
    "hugo": _hugo,
    "jekyll": _jekyll,
    "mkdocs": _mkdocs,
    "pelican": _pelican,
    "quarto": _quarto,
    "zola": _zola,
}
_CONFIGS: dict[str, tuple[str, ...]] = {
    "hugo": tuple(_hugo_configs()),
    "jekyll": ("_config.yml", "_config.yaml", "_config.toml"),
    "pelican": ("pelicanconf.py",),
    "quarto": ("_quarto.yml", "_quarto.yaml"),
}
# Words that a configuration contains if it has defaults. Most have none, and need not be parsed.
_WORDS = {"hugo": ("cascade", "permalinks"), "jekyll": ("defaults", "excerpt_separator")}
# The files in each folder, by their names.
_NAMES: dict[str, Callable[[str], tuple[str, ...]]] = {
    "eleventy": lambda folder: tuple(f"{posixpath.basename(folder)}{end}" for end in _ELEVENTY) if folder else (),
    "hugo": lambda _: _SECTIONS,
    "mkdocs": lambda _: (".meta.yml",),
    "quarto": lambda _: _METADATA,
    "zola": lambda _: ("_index.md",),
}
