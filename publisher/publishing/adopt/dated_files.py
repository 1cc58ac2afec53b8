"""Which of a blog's files are posts, as far as dates in names or in front matter show."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from publisher.core.errors import PostError
from publisher.core.frozen import dataclass
from publisher.posts.front_matter.parsing import Unfinished, parse_head
from publisher.posts.permalinks import day_of_path
from publisher.posts.written_days import head_of, is_dated

# File endings of posts, including those that only another tool reads.
POST_ENDINGS = (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".rst", ".html", ".ipynb")

_WRITTEN = tuple(ending for ending in POST_ENDINGS if ending != ".html")

# The date of these is in front matter. Without it, only header lines at the top are read, as code may show dates.
_MARKDOWN = (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd")
_FENCES = ("---", "+++")
_MOST_READ = 1_000_000

# Endings of files that pages show or link to.
_STATIC_ENDINGS = (
    ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico", ".css", ".js", ".mjs", ".pdf", ".mp3", ".m4a",
    ".ogg", ".mp4", ".webm", ".woff", ".woff2", ".ttf", ".otf", ".zip", ".gz", ".txt", ".csv", ".json", ".xml",
)  # fmt: skip

# Folders that no tool reads posts from.
_NOT_ENTERED = frozenset(("node_modules", "vendor", "__pycache__", "venv", "env", "themes", "layouts", "archetypes"))
_MOST_FILES = 50_000

_DATED_FOLDER = re.compile(r"(?:^|/)\d{4}-\d{1,2}-\d{1,2}(?:[-_.]|/)")
_DOCUMENT = re.compile(r"\s*(?:<\?xml[^<>]{0,200}>\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE)

# At least this share of the texts in a folder of posts has a date.
_ENOUGH = 0.6
# Up to this many files of a folder with other texts are named one by one.
_FEW = 5
# If posts would need more patterns than this, the few texts that are not posts are named instead.
_MOST_PATTERNS = 12


@dataclass(frozen=True, slots=True)
class BlogFile:
    """A text of a blog. path: relative to the folder that was searched; is_dated: whether the text has a date."""

    path: str
    is_dated: bool


@dataclass(frozen=True, slots=True)
class PostFolders:
    """Where posts are in a folder.

    include   patterns of their paths; () if all texts are posts
    undated   the texts among them without a date
    dated     the texts among them with a date
    """

    include: tuple[str, ...]
    undated: tuple[str, ...]
    dated: tuple[str, ...]


def texts_below(folder: Path, left_out: Collection[str] = ()) -> list[BlogFile]:
    """Return the texts in a folder, sorted by path, among its first 50,000 files.

    left_out  names and paths of folders that are not entered

    If there are texts in other formats, a complete HTML document counts as undated, whatever its name says.
    """
    found: list[str] = []
    seen = 0
    for where, folders, names in os.walk(folder):
        here = os.path.relpath(where, folder).replace(os.sep, "/")
        prefix = "" if here == "." else f"{here}/"
        folders[:] = sorted(
            name
            for name in folders
            if name[0] not in "._" and name not in _NOT_ENTERED and not {name, f"{prefix}{name}"} & set(left_out)
        )
        seen += len(names)
        if seen > _MOST_FILES:
            break
        texts = (f"{prefix}{name}" for name in names if name.lower().endswith(POST_ENDINGS) and name[0] not in "._")
        found += [path for path in texts if (folder / path).is_file()]
    is_written = any(path.lower().endswith(_WRITTEN) for path in found)
    return [BlogFile(path, _is_dated(folder, path, is_written=is_written)) for path in sorted(found)]


def post_folders(files: Sequence[BlogFile]) -> PostFolders:
    """Return which folders have posts, given all texts of a blog: those in which most texts have a date."""
    if not any(file.is_dated for file in files):
        return PostFolders((), tuple(file.path for file in files), ())
    others = sum(not file.is_dated for file in files)
    include = _patterns(files, "") if others else []
    if len(include) > _MOST_PATTERNS > others:
        include = []
    chosen = [file for file in files if not include or any(_is_in(file.path, each) for each in include)]
    undated, dated = (tuple(file.path for file in chosen if file.is_dated is wanted) for wanted in (False, True))
    return PostFolders(tuple(include), undated, dated)


def has_static_files(folder: Path) -> bool:
    """Return whether there are pictures or other files for pages in a folder, and no texts."""
    found = False
    for number, (_, folders, names) in enumerate(os.walk(folder)):
        folders[:] = [name for name in folders if name[0] != "." and name not in _NOT_ENTERED]
        if any(name.lower().endswith(_WRITTEN) for name in names):
            return False
        found = found or any(name.lower().endswith(_STATIC_ENDINGS) for name in names)
        if number > 200:
            break
    return found


def _patterns(files: Sequence[BlogFile], folder: str) -> list[str]:
    """Return patterns of the paths of posts below a folder."""
    groups: dict[str, list[BlogFile]] = {}
    for file in files:
        head, divided, _ = file.path.removeprefix(folder).partition("/")
        groups.setdefault(head if divided else "", []).append(file)
    found = []
    for name, members in sorted(groups.items()):
        share = sum(file.is_dated for file in members) / len(members)
        if not name:
            found += _single([file.path for file in members if file.is_dated], folder)
        elif share >= _ENOUGH:
            found.append(f"{folder}{name}/**")
        elif share:
            found += _patterns(members, f"{folder}{name}/")
    return found


def _single(paths: Sequence[str], folder: str) -> list[str]:
    """Return patterns for files of one folder: their paths, or their endings if there are many files."""
    if len(paths) <= _FEW:
        return list(paths)
    return sorted({f"{folder}*.{path.rpartition('.')[2]}" for path in paths})


def _is_in(path: str, pattern: str) -> bool:
    if pattern.endswith("/**"):
        return path.startswith(pattern.removesuffix("**"))
    begin, star, ending = pattern.partition("*")
    return path == pattern or bool(star and path.endswith(ending) and path.rpartition("/")[0] == begin.rstrip("/"))


def _is_dated(folder: Path, path: str, *, is_written: bool) -> bool:
    """Return whether a text has a date where posts have theirs. is_written: whether some texts are not HTML."""
    has_day = bool(day_of_path(path) or _DATED_FOLDER.search(path))
    may_be_document = is_written and path.lower().endswith(".html")
    if has_day and not may_be_document:
        return True
    head = head_of(folder / path)
    if path.lower().endswith(_MARKDOWN):
        return has_day or is_dated(_front(head)) or _is_broken(folder / path, head)
    return not (may_be_document and _DOCUMENT.match(head)) and (has_day or is_dated(head))


def _front(head: str) -> str:
    """Return the part at the beginning of a Markdown text in which front matter or header lines may be."""
    text = head.lstrip()
    return text if text[:3] in _FENCES or text[:1] in ("{", "<", "%") else text.partition("\n\n")[0]


def _is_broken(file: Path, head: str) -> bool:
    """Return whether there is front matter that cannot be read, so that the file may be a post with a mistake."""
    if "\0" in head:
        return True
    if head.lstrip()[:3] not in _FENCES:
        return False
    try:
        whole = len(head.encode()) >= file.stat().st_size
        try:
            parse_head(head, whole=whole)
        except Unfinished:
            if file.stat().st_size <= _MOST_READ:
                parse_head(file.read_text("utf-8-sig", "replace"), whole=True)
    except (OSError, Unfinished):
        return False
    except PostError:
        return True
    return False
