"""The search for post files, which walks the posts folder without opening a file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from publisher.config import Config
from publisher.config.private_paths import PublicFiles
from publisher.core.errors import ProjectError
from publisher.core.file_names import in_folder, is_project
from publisher.core.listing import Row, kept_rows, opened
from publisher.core.models import Problem, Severity
from publisher.core.private_folder import COPY_IT, LEADS_OUT, LEADS_TO_PRIVATE
from publisher.posts.chosen_paths import OF_OTHERS, POST_FOLDERS, ChosenPaths, bundled, not_walked, why_none_is_taken
from publisher.posts.published import PublishedIds
from publisher.posts.unread_kinds import is_unread_kind, printable, unread_kinds

# The extensions of Markdown, and of the formats that formats/ reads.
ENDINGS = (
    ".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mkdown", ".mdwn", ".mdtext", ".mdtxt", ".html", ".mdx", ".qmd",
    ".rst",
)  # fmt: skip

# The folder where the items of sources appear to be. No file is read from a folder whose name begins like this.
_ITEMS = "_sources/"

# A novel has half a megabyte. A file larger than this is a data dump with the wrong extension.
MOST_BYTES = 5_000_000

# How many files and folders are looked at to find out why there are no posts.
_MOST_LOOKED_AT = 20_000

_NOT_TEXT = "has a name that is not UTF-8", "rename it"

# (size, mtime in nanoseconds) of a file, which show whether it has changed without reading it.
Stamp = tuple[int, int]

# The device and inode of a folder, whatever paths lead to it.
_Inode = tuple[int, int]

# Errors that say what is there, or that nothing is. After any other, it is unknown which posts there are.
_CERTAIN = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def item_source(name: str, number: int) -> str:
    """Return the Post.source of an item of the source `name`: a path that no file in the posts folder has."""
    return f"{_ITEMS}{name}/{number}.html"


def is_item(source: str) -> bool:
    """Return whether a Post.source belongs to an item, rather than being the path of a file."""
    return source.startswith(_ITEMS)


def source_name(source: str) -> str:
    """Return the name of the source of an item, given its Post.source."""
    return source.split("/")[1]


def item_number(source: str) -> int:
    """Return the number of an item, given its Post.source."""
    return int(source.rpartition("/")[2].partition(".")[0])


class Scan(NamedTuple):
    """The files and problems that a walk has found.

    found     the stamps of post files, by relative POSIX path
    problems  all problems, sorted by path
    unread    the problems that may hide any number of posts, such as a folder that cannot be read
    """

    found: dict[str, Stamp]
    problems: list[Problem]
    unread: list[Problem]


def scan(
    folder: Path,
    shown: str,
    project: Path | None = None,
    public: PublicFiles | None = None,
    chosen: ChosenPaths | None = None,
) -> Scan:
    """Walk through `folder`, and return the post files and the problems.

    shown    the folder's name in problems
    project  another folder, besides `folder` itself, to which symbolic links may lead
    public   decides to which files a symbolic link may lead
    chosen   decides which paths may be posts; None for all
    Names that begin with a dot or an underscore are skipped, except _posts and _drafts. Symbolic links are followed,
    but a link to a folder above itself or out of the project is a problem.
    """
    walk = _Walk(folder, shown, project or folder, public, chosen)
    pending = [("", _inodes_above(folder))]
    while pending:
        pending += walk.read(*pending.pop())
    walk.problems += unread_kinds(walk.other_kinds, walk.found, shown, folder)
    problems, unread = (sorted(each, key=lambda problem: problem.path) for each in (walk.problems, walk.unread))
    return Scan(walk.found, problems, unread)


def scan_posts(config: Config) -> Scan:
    """Scan the folder of posts, which a project with sources need not have."""
    folder = config.root / config.posts.folder
    if _needs_no_posts(config):
        return Scan({}, [], [])
    scanned = scan(folder, config.posts.folder, config.root, PublicFiles(config), ChosenPaths.of(config))
    for path in bundled(scanned.found, config.posts.tool):
        del scanned.found[path]
    if not (scanned.found or scanned.problems or config.sources):
        return scanned._replace(problems=_none_taken(config))
    return scanned


def _none_taken(config: Config) -> list[Problem]:
    """Return the problem of a folder whose files look like posts, but are all refused; [] for other folders."""
    root, left, seen = config.root / config.posts.folder, list[str](), 0
    never = {str(root / path) for path in not_walked(config)}
    for where, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f[0] != "." and f not in OF_OTHERS and os.path.join(where, f) not in never]
        below = os.path.relpath(where, root)
        left += [f"{below}/{name}".removeprefix("./") for name in names if name.lower().endswith(ENDINGS)]
        seen += len(names) + len(folders)
        if seen > _MOST_LOOKED_AT:
            break
    left = sorted(path for path in left if path.rpartition("/")[2][0] != ".")
    if not left:
        return []
    what = f"has no posts: {printable(left[0])} is not treated as one"
    if len(left) > 1:
        what = f"has no posts: none of {len(left):,} files (such as {printable(left[0])}) is treated as one"
    return [Problem(config.posts.folder, 0, what, why_none_is_taken(config), Severity.WARNING)]


def require_posts(config: Config) -> None:
    """Raise ProjectError if there is no posts folder, so that a typing error or a missing disk can't empty the site."""
    folder = config.root / config.posts.folder
    if folder.exists() and not folder.is_dir():
        hint = "move it away, or set posts.folder"
        raise ProjectError("is a file, not a folder of posts", where=config.posts.folder, hint=hint)
    if not folder.is_dir() and not _needs_no_posts(config):
        raise ProjectError(
            "there is no such folder of posts",
            where=config.posts.folder,
            hint='create it with `publisher new "Hello, world"`, or set posts.folder',
        )


def _needs_no_posts(config: Config) -> bool:
    """Return whether a project has sources but no folder of posts, and has never published a post of its own."""
    if not config.sources or os.path.lexists(config.root / config.posts.folder):
        return False
    return all(map(is_item, PublishedIds(config).ids()))


def scan_pages(config: Config) -> Scan | None:
    """Scan the folder of standalone pages; return None if there is no such folder.

    In older projects, the folder of that name may contain the posts, or the output. It then has no pages.
    """
    folder = config.root / config.pages.folder
    posts = config.posts.folder
    # In the project itself, this folder is not walked through for posts.
    others = (config.pages.output, config.pages.static, config.outbox, *([] if is_project(posts) else [posts]))
    if not (config.pages.enabled and folder.is_dir()) or any(_overlap(config.pages.folder, each) for each in others):
        return None
    return scan(folder, config.pages.folder, config.root, PublicFiles(config))


def _overlap(one: str, other: str) -> bool:
    first, second = Path(os.path.normpath(one)), Path(os.path.normpath(other))
    return first.is_relative_to(second) or second.is_relative_to(first)


class _Walk:
    """The files and problems that a walk has found so far.

    Paths are relative to the posts folder; the paths of folders end in a slash.
    """

    def __init__(
        self,
        folder: Path,
        shown: str,
        project: Path,
        public: PublicFiles | None,
        chosen: ChosenPaths | None,
    ) -> None:
        self.found: dict[str, Stamp] = {}
        self.other_kinds: list[str] = []
        self.problems: list[Problem] = []
        self.unread: list[Problem] = []
        self._folder, self._shown, self._public, self._chosen = folder, shown, public, chosen
        self._inside = tuple({f"{os.path.realpath(path)}".rstrip(os.sep) + os.sep for path in (folder, project)})

    def read(self, path: str, above: tuple[_Inode, ...]) -> list[tuple[str, tuple[_Inode, ...]]]:
        """Note the files in one folder; return its subfolders, each with the inodes of the folders above it."""
        try:
            here = _inode(f"{self._folder}/{path}")
            if here in above:
                self._report(path.rstrip("/"), "is a link to a folder above itself", "remove the link")
                return []
            if kept := kept_rows(f"{self._folder}/{path}"):
                return [(name, (*above, here)) for name in self._sort_kept(*kept, path)]
            with opened(f"{self._folder}/{path}") as entries:
                return [(name, (*above, here)) for name in self._sort(entries, path)]
        except OSError as error:
            self._report(path.rstrip("/"), *_not_walked(error), unread=error.errno not in _CERTAIN)
            return []

    def _sort(self, entries: Iterable[os.DirEntry[str]], folder: str) -> list[str]:
        folders = []
        for entry in entries:
            name = entry.name
            path = folder + name
            if not self._may_have_posts(entry, path):
                continue
            has_ending = name.lower().endswith(ENDINGS)
            if entry.is_symlink() and self._is_refused(entry, path):
                continue
            try:
                status = entry.stat() if has_ending else None
                is_folder = entry.is_dir() if status is None else stat.S_ISDIR(status.st_mode)
            except OSError as error:
                self._report(path, *_unreadable(error), unread=error.errno not in _CERTAIN)
                continue
            if is_folder:
                folders.append(f"{path}/")
            elif status:
                self._note(path, status)
            elif is_unread_kind(name):
                self.other_kinds.append(path)
        return folders

    def _sort_kept(self, folders: Collection[str], rows: Iterable[Row], folder: str) -> list[str]:
        """Do what _sort does, for folders and plain files whose state is known already."""
        chosen, found = self._chosen, self.found
        for name, size, mtime_ns, _ in rows:
            path = folder + name
            if name in folders or not (chosen.takes(path) if chosen else name[0] not in "._"):
                continue
            if not name.lower().endswith(ENDINGS):
                if is_unread_kind(name):
                    self.other_kinds.append(path)
            elif path.isascii() or printable(path) == path:
                found[path] = size, mtime_ns
            else:
                self._report(path, *_NOT_TEXT)
        return [f"{folder}{name}/" for name in folders if self._enters(name, folder + name)]

    def _enters(self, name: str, path: str) -> bool:
        return self._chosen.enters(path) if self._chosen else name[0] not in "._" or name in POST_FOLDERS

    def _may_have_posts(self, entry: os.DirEntry[str], path: str) -> bool:
        """Return whether a file may be a post, or a folder may contain any, by its name and the settings."""
        if self._chosen is None:
            return self._enters(entry.name, path)
        with suppress(OSError):
            return self._chosen.enters(path) if entry.is_dir() else self._chosen.takes(path)
        return self._chosen.takes(path)  # a link that leads back to itself

    def _note(self, path: str, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode) and (path.isascii() or printable(path) == path):
            self.found[path] = (status.st_size, status.st_mtime_ns)
        else:
            self._report(path, *_odd(status))

    def _is_refused(self, entry: os.DirEntry[str], path: str) -> bool:
        """Return whether a symbolic link must not be followed; report it if posts may be missing because of it."""
        why = self._why_not(path)
        if why and (path.lower().endswith(ENDINGS) or entry.is_dir()):
            self._report(path, why, COPY_IT)
        return bool(why)

    def _why_not(self, path: str) -> str:
        """Return why the target of a symbolic link is not published: because it is outside the project, or private.

        A broken link is neither. Call this only for links, since resolving a path is slow.
        """
        full = f"{self._folder}/{path}"
        real = os.path.realpath(full)
        if os.path.exists(real) and not f"{real}{os.sep}".startswith(self._inside):
            return LEADS_OUT
        why = self._public.why_not(full) if self._public else ""
        return why if why == LEADS_TO_PRIVATE else ""

    def _report(self, path: str, message: str, hint: str, *, unread: bool = False) -> None:
        where = in_folder(self._shown, printable(path)).rstrip("/") or self._shown
        self.problems.append(Problem(where, 0, message, hint))
        if unread:
            self.unread.append(self.problems[-1])


def _inodes_above(folder: Path) -> tuple[_Inode, ...]:
    """Return the inodes of the folders above the posts folder, so that links to these folders are reported.

    Through a link to the project, for example, the built pages would become posts.
    """
    above = []
    for parent in folder.resolve().parents:
        with suppress(OSError):
            above.append(_inode(str(parent)))
    return tuple(above)


def _inode(path: str) -> _Inode:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _odd(status: os.stat_result) -> tuple[str, str]:
    if stat.S_ISREG(status.st_mode):
        return _NOT_TEXT
    return "is not a regular file", "move it out of the posts folder"


def _unreadable(error: OSError) -> tuple[str, str]:
    if error.errno == errno.ELOOP:
        return "is a link that leads back to itself", "remove the link"
    if error.errno == errno.ENOENT:
        return "is a link to a file that doesn't exist", "remove the link"
    return f"cannot be read: {error.strerror}", "fix its permissions"


def _not_walked(error: OSError) -> tuple[str, str]:
    if error.errno == errno.ENOTDIR:
        return "is a file, not a folder", "move it away"
    hint = "create the folder, or set posts.folder" if error.errno == errno.ENOENT else "fix its permissions"
    return f"cannot be read: {error.strerror}", hint
