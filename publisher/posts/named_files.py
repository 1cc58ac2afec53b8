"""Posts, pages and files by their names alone, as in the links of Obsidian: [[A note]] finds the file in any folder.

Upper and lower case are the same in a name, and so are spaces, hyphens and underscores. A name may be preceded by
folders. Of several files with one name, the nearest is used: the one that shares most folders with the post, or else
the one with the shortest path.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from publisher.core import patterns
from publisher.core.file_names import composed
from publisher.posts.media_types import is_published
from publisher.posts.scan import ENDINGS

# How many files of the folder are known by their names. Any more are not looked at.
_MOST = 200_000
_NEVER = frozenset(("_site", "bower_components", "node_modules", "__pycache__"))

_DATE = patterns.compile(r"\d{4}-\d{2}-\d{2}[-_ ]")
_SEPARATORS = patterns.compile(r"[\s_-]+")


def key_of_name(name: str) -> str:
    """Return a key that all spellings of a name have in common."""
    return _SEPARATORS.sub("-", composed(name).casefold()).strip("-")


class NamedFiles:
    """The posts, pages and files of a project by their names.

    folder   the posts folder
    sources  the posts, by their paths in it
    pages    the paths of the standalone pages, relative to the posts folder, such as ../pages/about.md
    closed   the paths of folders in it that are not searched
    """

    def __init__(
        self, folder: Path, sources: Iterable[str], pages: Iterable[str], closed: frozenset[str] = frozenset()
    ) -> None:
        self._folder, self._closed = folder, closed
        self._posts = _by_name(map(without_ending, sources), sources)
        self._pages = _by_name(map(without_ending, pages), pages)
        self._files: Mapping[str, list[str]] | None = None

    def post(self, name: str, base: str) -> str:
        """Return the path of the post, or else of the page, that a post in the folder `base` refers to; "" for none."""
        name = without_ending(name)
        return _nearest(self._posts, name, base) or _nearest(self._pages, name, base)

    def file(self, name: str, base: str) -> str:
        """Return the path in the posts folder of the file that a post in the folder `base` refers to; "" for none."""
        if not is_published(name):
            return ""
        if self._files is None:
            files = list(_walk(self._folder, self._closed))
            self._files = _by_name(files, files)
        return _nearest(self._files, name, base)

    def all_of(self, key: str) -> str:
        """Return a text that changes when another post or file gets the name that has this key."""
        self.file(".png", "")  # reads the folder
        found = (self._posts, self._pages, self._files or {})
        return "\n".join(path for paths in found for path in paths.get(key, ()))


def without_ending(path: str) -> str:
    """Return the path of a post without its extension; for a bundle's index.md, the path of its folder."""
    stem, ending = posixpath.splitext(path)
    stem = stem if ending.lower() in ENDINGS else path
    folder, _, name = stem.rpartition("/")
    return folder if folder and name.lower() in ("index", "_index") else stem


def _by_name(names: Iterable[str], paths: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, path in zip(names, paths, strict=True):
        last = name.rpartition("/")[2]
        keys = {key_of_name(last), key_of_name(_DATE.sub("", last, count=1))}
        for key in keys:
            found.setdefault(key, []).append(path)
    return found


def _nearest(known: Mapping[str, list[str]], name: str, base: str) -> str:
    """Return, of the paths with a name, the one that is nearest to the folder `base`; "" if there is none."""
    name = posixpath.normpath(posixpath.join(base, name)) if name.startswith(("./", "../")) else name.strip("/ ")
    before, _, last = name.rpartition("/")
    folders = [key_of_name(part) for part in before.split("/") if part]
    found = [path for path in known.get(key_of_name(last), ()) if _is_in(path, folders)]
    return min(found, key=lambda path: (-_shared(path, base), path.count("/"), path), default="")


def _is_in(path: str, folders: list[str]) -> bool:
    """Return whether a path ends in these folders."""
    parts = [key_of_name(part) for part in without_ending(path).split("/")[:-1]]
    return not folders or parts[-len(folders) :] == folders


def _shared(path: str, base: str) -> int:
    """Return how many folders, from the first one on, `base` and the path have in common."""
    return len(posixpath.commonprefix([path.split("/")[:-1], base.split("/")]))


def _walk(folder: Path, closed: frozenset[str]) -> Iterator[str]:
    """Yield the paths of files that posts may publish, relative to the folder. Hidden files are not among them."""
    count = 0
    for top, folders, names in os.walk(folder):
        inside = os.path.relpath(top, folder)
        paths = {name: name if inside == "." else f"{inside}/{name}" for name in folders}
        folders[:] = sorted(
            name for name in folders if name[0] != "." and name not in _NEVER and paths[name] not in closed
        )
        for name in sorted(names):
            count += 1
            if count > _MOST:
                return
            if is_published(name) and not name.startswith("."):
                yield name if inside == "." else f"{inside}/{name}"
