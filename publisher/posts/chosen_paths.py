"""Which paths in the posts folder may be posts: posts.include, posts.exclude, and the project's other files there.

The patterns are those of .gitignore. A pattern without a slash inside matches at any depth, and a pattern that matches
a folder includes everything in it.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache

from publisher.config import Config, Tool
from publisher.core.file_names import is_file, is_project

# Jekyll's and Hexo's folders of posts. Any other name with an underscore is a partial, a layout or a section page.
POST_FOLDERS = ("_posts", "_drafts")

# Files of other programs, at any depth, and those that this program needs, at the top of a project.
OF_OTHERS = frozenset(("node_modules", "bower_components", "__pycache__"))
_OURS = ("templates", "letters", "deploy")

# Where each tool writes its site, if nothing else is set.
_OUTPUTS = {
    "astro": ("dist",),
    "docusaurus": ("build",),
    "eleventy": ("_site",),
    "hexo": ("public",),
    "hugo": ("public", "resources"),
    "jekyll": ("_site", "vendor"),
    "mkdocs": ("site",),
    "pelican": ("output",),
    "quarto": ("_site",),
    "zola": ("public",),
}

# What each tool's posts depend on besides their folder: configuration, data, and parts that texts include.
_READ = {
    "astro": ("src/content/authors", "src/data"),
    "eleventy": ("_data", "_includes", "src/_data", "src/_includes"),
    "hexo": ("_config.yml", "source/_data"),
    "hugo": ("hugo.toml", "hugo.yaml", "hugo.json", "config.toml", "config.yaml", "config", "data"),
    "jekyll": ("_config.yml", "_data", "_includes", "_authors"),
    "pelican": ("pelicanconf.py",),
    "quarto": ("_quarto.yml",),
    "zola": ("config.toml", "zola.toml"),
}
# The same in each folder from that of the posts upwards.
_READ_ABOVE = {
    "eleventy": ("{}.json", "{}.11tydata.json", "{}.11tydata.js"),
    "hugo": ("_index.md",),
    "mkdocs": (".meta.yml", ".authors.yml"),
    "quarto": ("_metadata.yml",),
    "zola": ("_index.md",),
}

# Zola's pages are Markdown. Files with these extensions are published as they are.
_NO_PAGES_OF_ZOLA = (".html", ".mdx", ".qmd", ".rst")

# A position in one of the patterns, as (its number, the number of its parts that have been matched).
_State = tuple[int, int]


class PathPatterns:
    """Patterns of relative paths. Results for folders are cached, so a path costs one step per pattern."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Take patterns in the form that checks.path_patterns accepts."""
        self._patterns = tuple(map(_parts, patterns))
        self._states: dict[str, frozenset[_State]] = {"": self._closed({(n, 0) for n in range(len(self._patterns))})}

    def match(self, path: str) -> bool:
        """Return whether a path matches a pattern, or is in a folder that does."""
        folder, _, name = path.rpartition("/")
        before = self._after(folder)
        return self._is_done(before) or self._is_done(self._closed(self._step(before, name)))

    def lead_into(self, folder: str) -> bool:
        """Return whether something in a folder may match a pattern."""
        return bool(self._after(folder))

    def name(self, path: str) -> bool:
        """Return whether a pattern spells out the beginning of the last name in a path, and so means this path."""
        folder, _, name = path.rpartition("/")
        parts = (self._patterns[n][at : at + 1] for n, at in self._after(folder))
        return any(part and part[0][:1] == name[:1] and _regex(part[0]).fullmatch(name) for part in parts)

    def _after(self, path: str) -> frozenset[_State]:
        found = self._states.get(path)
        if found is None:
            folder, _, name = path.rpartition("/")
            before = self._after(folder)
            found = before if self._is_done(before) else self._closed(self._step(before, name))
            self._states[path] = found
        return found

    def _step(self, states: frozenset[_State], name: str) -> set[_State]:
        after = set()
        for n, at in states:
            if at < len(self._patterns[n]):
                part = self._patterns[n][at]
                if part == "**":
                    after.add((n, at))
                elif _regex(part).fullmatch(name):
                    after.add((n, at + 1))
        return after

    def _closed(self, states: set[_State]) -> frozenset[_State]:
        """Return the states of a match, including those that need no further name, because ** may match nothing."""
        found, waiting = set(states), list(states)
        while waiting:
            n, at = waiting.pop()
            following = (n, at + 1)
            if at < len(self._patterns[n]) and self._patterns[n][at] == "**" and following not in found:
                found.add(following)
                waiting.append(following)
        return frozenset(found)

    def _is_done(self, states: frozenset[_State]) -> bool:
        return any(at == len(self._patterns[n]) for n, at in states)


class ChosenPaths:
    """Decides, by their paths, which parts of the posts folder are walked through and which files may be posts."""

    def __init__(self, config: Config) -> None:
        """Take the settings of a project."""
        posts = config.posts
        self._include = PathPatterns(posts.include) if posts.include else None
        self._exclude = PathPatterns(posts.exclude) if posts.exclude else None
        self._tool, self._start = posts.tool, posixpath.normpath(posts.folder)
        self._is_whole = is_project(posts.folder) or bool(posts.tool)
        self._not_walked = not_walked(config)
        self._needs_folder = posts.tool in ("jekyll", "hexo") and not self._include and _has_folder_of_posts(config)

    @classmethod
    def of(cls, config: Config) -> ChosenPaths | None:
        """Return the choice that a project's settings make; None if they leave nothing out."""
        chosen = cls(config)
        posts = config.posts
        return chosen if posts.include or posts.exclude or posts.tool or chosen._not_walked else None

    def enters(self, folder: str) -> bool:
        """Return whether a folder, given by its path in the posts folder, is walked through."""
        name = folder.rpartition("/")[2]
        if name[0] == "." or folder in self._not_walked or (self._is_whole and name in OF_OTHERS):
            return False
        if self._include and not self._include.lead_into(folder):
            return False
        is_named = name in POST_FOLDERS or (self._include is not None and self._include.name(folder))
        return (name[0] != "_" or is_named) and not (self._exclude and self._exclude.match(folder))

    def takes(self, path: str) -> bool:
        """Return whether a file, given by its path in the posts folder, may be a post."""
        name = path.rpartition("/")[2]
        if name[0] in "._" and not (self._include and name[0] == "_" and self._include.name(path)):
            return False
        if self._tool == "zola" and name.lower().endswith(_NO_PAGES_OF_ZOLA):
            return False
        if self._needs_folder and not set(POST_FOLDERS).intersection(path.split("/")[:-1]):
            return False
        if self._exclude and self._exclude.match(path):
            return False
        return self._include is None or self._include.match(path)


def bundled(paths: Iterable[str], tool: Tool) -> set[str]:
    """Return which of these files Hugo treats as parts of the page in an index.md of their folder or one above.

    Such a page has no other below it, not even in a folder with an index.md of its own.
    """
    if tool != "hugo":
        return set()
    split = [path.rpartition("/") for path in paths]
    bundles = {folder for folder, _, name in split if folder and name.partition(".")[0].lower() == "index"}
    parts = set()
    for folder, divided, name in split if bundles else ():
        outer = next((each for each in _above(f"{folder}/") if each in bundles), "")
        if outer and (outer != folder or name.partition(".")[0].lower() != "index"):
            parts.add(f"{folder}{divided}{name}")
    return parts


def _has_folder_of_posts(config: Config) -> bool:
    """Return whether all posts are in folders named _posts or _drafts, at any depth, as for Jekyll and Hexo.

    The answer applies to the project as a whole. But a folder that the settings name may contain posts directly, unless
    it has such a folder.
    """
    start = posixpath.normpath(config.posts.folder)
    if start == "." or set(POST_FOLDERS).intersection(start.split("/")):
        return start == "."
    folder = config.root / start
    return any(next(folder.glob(f"{above}_posts"), None) is not None for above in ("", "*/", "*/*/"))


def why_none_is_taken(config: Config) -> str:
    """Return the advice for a posts folder in which no file is a post."""
    posts = config.posts
    if posts.include or posts.exclude:
        return "correct posts.include or posts.exclude"
    if posts.tool in ("jekyll", "hexo") and _has_folder_of_posts(config):
        return "move posts into a folder named _posts, or set posts.folder to the folder that contains them"
    return "rename files and folders whose names begin with an underscore, or set posts.include"


def unmoved_page(config: Config, path: str) -> str:
    """Return advice on a page that Jekyll had at a path, if its file was not moved to the folder of pages; else ""."""
    file, pages = f"{path.rstrip('/').removesuffix('.html')}.md", config.pages
    if config.posts.tool != "jekyll" or not pages.enabled or ".." in file.split("/") or file[0] in "._":
        return ""
    if is_project(config.posts.folder) and ChosenPaths(config).takes(file):
        return ""  # a post, which is at another address or not published
    there = "" if path.endswith("/") else f", with permalink: /{path}"
    return f"move {file} to {pages.folder}/{there}" if is_file(config.root / file) else ""


def place_for(config: Config, name: str) -> str:
    """Return the path in the posts folder of a new file with this name, in a folder where it is a post.

    That is the folder itself, a folder that a pattern of posts.include names, or the tool's folder of posts.
    """
    chosen = ChosenPaths(config)
    named = (_named_folder(pattern) for pattern in config.posts.include)
    folders = ("", *named, "_posts", "source/_posts")
    paths = [f"{folder}/{name}" if folder else name for folder in folders]
    in_folders = (path for path in paths if all(map(chosen.enters, _above(path))))
    return next((path for path in in_folders if chosen.takes(path)), name)


def _named_folder(pattern: str) -> str:
    """Return the folders with which a pattern begins, up to the first star."""
    parts = pattern.strip("/").split("/")
    ends = next((n for n, part in enumerate(parts) if "*" in part or "?" in part), len(parts) - 1)
    return "/".join(parts[:ends])


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def posts_paths(config: Config) -> tuple[str, ...]:
    """Return the paths in the project on which all posts depend, to be watched for changes.

    These are the posts folder, and the files of the posts' tool next to it. If the folder is the whole project, they
    are everything that the project contains now, except the folders that are not walked through: the site and the
    database change all the time.
    """
    if not is_project(config.posts.folder):
        return (config.posts.folder, *_tool_files(config))
    chosen = ChosenPaths(config)
    with suppress(OSError), os.scandir(config.root) as entries:
        there = sorted((entry.name, entry.is_dir()) for entry in entries)
        taken = tuple(name for name, is_folder in there if (chosen.enters if is_folder else chosen.takes)(name))
        return (*taken, *(path for path in _tool_files(config) if path not in taken))
    return ()


def _tool_files(config: Config) -> tuple[str, ...]:
    """Return the files and folders of the posts' tool next to the posts folder, whether they exist or not."""
    tool, above = config.posts.tool, posixpath.dirname(posixpath.normpath(config.posts.folder))
    found = list(_READ.get(tool, ()))
    while above:
        names = _READ_ABOVE.get(tool, ())
        found += [f"{above}/{name.format(posixpath.basename(above))}" for name in names]
        above = posixpath.dirname(above)
    return tuple(found)


def written_folders(config: Config) -> frozenset[str]:
    """Return the paths in the project of output folders, and of this program's own files."""
    others = (config.pages.output, config.outbox, *_OURS, *_OUTPUTS.get(config.posts.tool, ()))
    return frozenset(map(posixpath.normpath, others))


def not_walked(config: Config) -> frozenset[str]:
    """Return the folders in the posts folder that have no posts, by their paths in it."""
    start = posixpath.normpath(config.posts.folder)
    if start != ".":
        inside = (posixpath.normpath(folder) for folder, _ in config.pages.copies)
        return frozenset(each[len(start) + 1 :] for each in inside if each.startswith(f"{start}/"))
    pages = config.pages
    copied = (folder for folder, _ in pages.copies)
    return written_folders(config) | frozenset(map(posixpath.normpath, (pages.static, pages.folder, *copied)))


def _parts(pattern: str) -> tuple[str, ...]:
    """Return the names of a pattern, with ** for any folders."""
    stripped = pattern.strip().rstrip("/")
    parts = [] if "/" in stripped else ["**"]
    for part in stripped.split("/"):
        if part not in ("", ".") and (part != "**" or parts[-1:] != ["**"]):
            parts.append(part)
    return tuple(parts)


@lru_cache(maxsize=1_000)
def _regex(part: str) -> re.Pattern[str]:
    """Return the expression for one name of a pattern. A star never backtracks, so it takes linear time."""
    first, *rest = (_without_stars(piece) for piece in part.split("*"))
    inner = "".join(f"(?>.*?{piece})" for piece in rest[:-1] if piece)
    return re.compile(f"{first}{inner}.*{rest[-1]}" if rest else first, re.DOTALL)


def _without_stars(piece: str) -> str:
    return re.escape(piece).replace(r"\?", ".")
