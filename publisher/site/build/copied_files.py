"""Files that a build copies: the static folder, and the pictures and sounds that posts show.

Files are not changed, except that pictures lose their metadata and get smaller copies (see posts.pictures).

They are not in `site_files`, because every build needs this module, and a build with nothing to do must not import
the feeds and pages.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from publisher.config import CONFIG_FILE, Config
from publisher.config.origins import KeyLines
from publisher.config.private_paths import PublicFiles
from publisher.core.errors import ProjectError
from publisher.core.file_names import existing, is_file, is_project
from publisher.core.models import Output, Problem, Severity
from publisher.core.private_folder import COPY_IT, LEADS_OUT, LEADS_TO_PRIVATE
from publisher.posts.bundles import output_path, resources
from publisher.posts.cache_keys import stamp_of
from publisher.posts.chosen_paths import POST_FOLDERS
from publisher.posts.media_types import has_places
from publisher.posts.permalinks import file_key
from publisher.posts.pictures import VERSION, PublishedFiles
from publisher.posts.scan import ENDINGS

# Files that git and similar tools keep for themselves.
_OF_VERSIONS = (".git", ".hg", ".svn", ".jj")

# The list of files in the output folder, and the files of a build in progress (see folder.py), begin like this.
OURS = "/.publisher-"
IS_OURS = "has a name that builds use for their own files, so it is not published"


class StaticFiles(NamedTuple):
    """The files under the static folder, including hidden ones such as .nojekyll, and the problems of files left out.

    unread  the problems that may hide any number of files
    """

    outputs: list[Output]
    problems: list[Problem]
    unread: list[Problem]

    def require_whole(self) -> None:
        """Raise ProjectError if a folder cannot be read, because its files would seem to be deleted."""
        if self.unread:
            first = self.unread[0]
            raise ProjectError(first.message, where=first.path, hint=first.hint)


def static_files(config: Config) -> StaticFiles:
    """Return an output for every file to copy, and a problem for each that is outside the project or private.

    These are the files of the static folder and those of pages.copy. A link to a file in the project is followed, a
    link to a folder is not. Without pages, there are no static files.
    """
    found = StaticFiles([], [], [])
    if not config.pages.enabled:
        return found
    _require_folder(found, config.root / config.pages.static, config.pages.static)
    copier = _Copier(config, found)
    copier.copy(config.pages.static, "")
    for shown, place in config.pages.copies:
        if not os.path.lexists(config.root / shown):
            found.problems.append(_missing(config, shown))
        copier.copy(shown, place)
    return found


class _Copier:
    """The copied files, and the folders from which they are copied."""

    def __init__(self, config: Config, found: StaticFiles) -> None:
        self._root, self._found = config.root, found
        self._public, self._files = PublicFiles(config), PublishedFiles(config)
        self._known: dict[str, str] = {}
        self._static = config.pages.static.rstrip("/")
        self._posts = "" if is_project(config.posts.folder) else f"{config.posts.folder.rstrip('/')}/"

    def copy(self, shown: str, place: str) -> None:
        """Add the files of a folder, or a single file. shown: its path in the project; place: its output path."""
        folder = self._root / shown
        why = self._public.why_not(folder)
        if why:
            self._found.problems.append(Problem(shown, 0, why, COPY_IT if why == LEADS_OUT else "move it away"))
        elif folder.is_file():
            self._add(place or folder.name, shown, folder)
        else:
            self._copy_folder(folder, shown, place)

    def _copy_folder(self, folder: Path, shown: str, place: str) -> None:
        found, has_private = self._found, self._public.has_private(folder)
        for path, folders, names in os.walk(folder, onerror=partial(_note, found, self._root)):
            folders[:] = sorted(name for name in folders if not place or name not in _OF_VERSIONS)
            links = (name for name in folders if has_private or os.path.islink(f"{path}/{name}"))
            for name in sorted([*names, *links]):
                file = Path(path, name)
                inside = file.relative_to(folder).as_posix()
                site_path = f"{place}/{inside}" if place else inside
                why = self._public.why_not(file) if has_private or file.is_symlink() else ""
                why = why or (IS_OURS if file_key(f"/{site_path}").startswith(OURS) else "")
                if why:
                    hint = COPY_IT if why in (LEADS_OUT, LEADS_TO_PRIVATE) else "move it away"
                    found.problems.append(Problem(f"{shown}/{inside}", 0, why, hint))
                    folders[:] = [each for each in folders if each != name]
                elif file.is_symlink() and file.is_dir():
                    what = "is a link to a folder, so it is not published"
                    found.problems.append(Problem(f"{shown}/{inside}", 0, what, "copy the folder", Severity.WARNING))
                elif file.is_file() and not self._is_source(f"{shown}/{inside}"):
                    self._add(site_path, f"{shown}/{inside}", file)

    def _is_source(self, project_path: str) -> bool:
        """Return whether a file in a folder that is copied as a whole is the source of a post or draft."""
        if not project_path.lower().endswith(ENDINGS):
            return False
        if self._posts and project_path.startswith(self._posts):
            return True
        # The static folder is published as it is, whatever the names of its files.
        is_static = project_path.startswith(f"{self._static}/")
        return not is_static and any(name in POST_FOLDERS for name in project_path.split("/")[:-1])

    def _add(self, site_path: str, project_path: str, file: Path) -> None:
        other = self._known.setdefault(site_path, project_path)
        if other == project_path:
            self._found.outputs.append(_copy(self._files, site_path, project_path, file))
        else:
            what = f"is not published, since {other} has the same URL: /{site_path}"
            hint = "rename one of them, or change pages.copy"
            self._found.problems.append(Problem(project_path, 0, what, hint, Severity.WARNING))


def assets(files: PublishedFiles, wanted: Iterable[tuple[str, str]]) -> Iterator[Output]:
    """Yield an output for each file that posts show, each given as (path in the site, path in the project).

    Missing files and links that lead out of the project are skipped.
    """
    inside = files.root.resolve()
    for site_path, written in wanted:
        project_path = existing(files.root, written)
        file = files.root / project_path
        if is_file(file) and file.resolve().is_relative_to(inside):
            yield _copy(files, site_path, project_path, file)


def bundle_files(config: Config, permalinks: Mapping[str, str]) -> Iterator[Output]:
    """Yield an output for each file of a page bundle. permalinks: the public posts' permalinks, by source."""
    if config.pages.enabled and config.posts.tool:
        files = PublishedFiles(config)
        here = [source for source, permalink in permalinks.items() if permalink[0] == "/"]
        for source, inside, path in resources(config, here):
            yield _copy(files, output_path(permalinks[source], inside), path, files.root / path)


def is_copy(output: Output) -> bool:
    """Return whether an output is a copy of a file in the project, rather than a generated file."""
    return output.key.startswith("copy:")


def stamps(root: Path, paths: Iterable[str], settled_ns: int | None = None) -> dict[str, str]:
    """Return the stamp (size and time) of each of these files, by path; "" for a file that does not exist.

    settled_ns  a time in nanoseconds; see stamp_of
    """
    return {path: stamp_of(root / existing(root, path), settled_ns) for path in paths}


def _require_folder(found: StaticFiles, folder: Path, shown: str) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "is a broken link, not a folder"
        found.problems.append(Problem(shown, 0, what, "restore the folder; or remove what is there now"))
        found.unread.append(found.problems[-1])


def _missing(config: Config, shown: str) -> Problem:
    """Return the problem of a folder or file in pages.copy that does not exist.

    Its place is the line that lists the path.
    """
    file = config.root / CONFIG_FILE
    text = file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else ""
    line, hint = KeyLines(text).written(("pages", "copy")), "create it, or remove it from pages.copy"
    if not line:  # named by a variable, or by the blog's tool
        return Problem(shown, 0, "should be copied, but doesn't exist", hint, Severity.WARNING)
    return Problem(CONFIG_FILE, line, f"pages.copy: {shown!r} doesn't exist", hint, Severity.WARNING)


def _note(found: StaticFiles, root: Path, error: OSError) -> None:
    if error.errno not in (errno.ENOENT, errno.ENOTDIR):  # a static folder is optional
        place = os.path.relpath(os.fsdecode(error.filename), root)
        problem = Problem(place, 0, f"cannot be read: {error.strerror}", "fix its permissions")
        found.problems.append(problem)
        found.unread.append(problem)


def _copy(files: PublishedFiles, path: str, project_path: str, file: Path) -> Output:
    status = file.stat()
    version = f":{VERSION}" if has_places(project_path) else ""
    key = f"copy:{status.st_size}:{status.st_mtime_ns}{version}"
    return Output(path, key, partial(_content, files, path, project_path))


def _content(files: PublishedFiles, path: str, project_path: str) -> bytes:
    try:
        return files.content(path, project_path)
    except OSError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", where=str(files.root / project_path)) from error
