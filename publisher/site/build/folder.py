"""The output folder. Changed files are replaced atomically, and files that builds no longer make are removed."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from publisher.core.atomic_write import Parts, is_temporary
from publisher.core.errors import ProjectError
from publisher.core.models import Output, Problem, Severity
from publisher.posts.permalinks import file_key
from publisher.site.build.manifest import Manifest, WrittenFile, is_feed
from publisher.site.unchanged import PARTS

# The list of all files that builds wrote. It is in the output folder itself, so that it survives a deleted cache and a
# killed build.
LIST = ".publisher-files.json"

# How many folders that exist are remembered.
_MOST_FOLDERS = 1_000

# Called with the number of files made so far, and the number of files to make.
Progress = Callable[[int, int], None]


class OutputFolder:
    """Writes files into the output folder, and updates the manifest and the folder's own list.

    written  paths of the files that this build replaced or added
    removed  paths of the files that this build removed
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self._manifest = path, manifest
        self._parts = Parts(path, PARTS)  # in the top folder, where the next build finds those of a killed one
        self._known_folders: set[str] = set()
        self._staged: dict[str, tuple[str, int]] = {}  # path -> the key of the output, and the number of its file
        self._made = 0
        self._listed: set[str] = set()
        self.written: list[str] = []
        self.removed: list[str] = []

    def prepare(self, wanted: Collection[str]) -> None:
        """Make sure that a build may write the files in `wanted`.

        Raises ProjectError if the output folder is a file, or if nothing was built into it before and a
        file in it would be replaced.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ProjectError("is a file, not a folder", where=str(self.path), hint="move it away")
        self._listed = _read_list(self.path / LIST)
        self._require_ours(wanted)

    def begin(self, wanted: Collection[str]) -> None:
        """Add the paths in `wanted` to the folder's list before the files are written, and make room for them.

        With the list, the next build knows every file that a killed build left behind. Old files are removed if they
        are where a folder is wanted, or in a folder where a file is wanted. Raises the same errors as `prepare`, and
        ProjectError if the list cannot be written.
        """
        self.prepare(wanted)
        known = self._listed | self._manifest.outputs.keys()
        self._write_list(known.union(wanted))
        for name in _in_the_way(known.difference(wanted), wanted):
            self._remove(name)

    def _require_ours(self, wanted: Collection[str]) -> None:
        """Raise ProjectError if nothing was built into this folder before, and a file in it would be replaced."""
        if self._manifest.outputs or (self.path / LIST).exists() or _has_our_feed(self.path):
            return
        if _has_only_parts(self.path):  # as in a first build; otherwise each path would be looked at
            return
        foreign = [name for name in sorted(wanted) if os.path.isfile(f"{self.path}/{name}")]  # see _move
        if foreign and not (self.path / LIST).exists():  # otherwise another build has begun in the meantime
            more = f" (and {len(foreign) - 1:,} more)" if len(foreign) > 1 else ""
            what = f"was not written by a build{more}, and is not replaced"
            hint = "move it away, or choose a different folder"
            raise ProjectError(what, where=str(self.path / foreign[0]), hint=hint)

    def is_current(self, output: Output) -> bool:
        """Return whether the file was made with the same key and has not been modified since."""
        known = self._manifest.outputs.get(output.path)
        if known is None or known.key != output.key:
            return False
        try:
            status = os.stat(self.path / output.path)
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (known.size, known.mtime_ns)

    def stage(
        self,
        outputs: Iterable[Output],
        progress: Progress | None,
        expect: Callable[[Sequence[Output]], None] | None = None,
        done: Callable[[Output], None] | None = None,
    ) -> None:
        """Make the outputs whose files are not current, and write them to partial files.

        The site changes only in `put_staged`. So if a template turns out to be broken, or the disk is full, the whole
        last good site stays, and no feed leads to a missing page.

        expect  receives all of these outputs before the first is made
        done    receives each after it is made
        """
        stale = [output for output in outputs if not (self._is_staged(output) or self.is_current(output))]
        if expect is not None:
            expect(stale)
        for number, output in enumerate(stale):
            if progress:
                progress(number, len(stale))
            sys.audit("publisher.make", output.path)  # so a supervisor can see which file takes too long
            self._stage(output, output.make())
            if done is not None:
                done(output)

    def put_staged(self, outputs: Iterable[Output]) -> None:
        """Put the staged files of these outputs in place, each atomically; call `begin` first."""
        for output in outputs:
            if not self._is_staged(output):
                continue
            target, (_, number) = f"{self.path}/{output.path}", self._staged[output.path]
            try:
                self._move(self._parts.path(number), target)
                del self._staged[output.path]  # only now: if interrupted earlier, `discard` removes the partial file
                self.written.append(output.path)
                self._record(output, target)
            except OSError as error:
                raise _unwritable(Path(target), error) from error
        self.discard()

    def discard(self) -> None:
        """Remove the files that are still staged, as at the end of a build."""
        for _, number in self._staged.values():
            self._remove_part(number)
        self._staged.clear()
        self._parts.close()

    def put(self, output: Output, data: bytes) -> None:
        """Write a file atomically unless it already has this content; raise ProjectError if that fails."""
        target = f"{self.path}/{output.path}"
        try:
            if not _holds(target, data):
                self._replace(target, data)
                self.written.append(output.path)
            self._record(output, target)
        except OSError as error:
            raise _unwritable(Path(target), error) from error

    def _is_staged(self, output: Output) -> bool:
        return output.path in self._staged and self._staged[output.path][0] == output.key

    def _stage(self, output: Output, data: bytes) -> None:
        target = f"{self.path}/{output.path}"
        try:
            if _holds(target, data):
                self._record(output, target)
                return
            self._make_folder(str(self.path))
            part = self._parts.path(self._made)
            if output.path in self._staged:
                self._remove_part(self._staged[output.path][1])
            self._staged[output.path] = output.key, self._made
            self._made += 1
            with open(part, "wb") as file:
                file.write(data)
        except OSError as error:
            raise _unwritable(Path(target), error) from error

    def _remove_part(self, number: int | str) -> None:
        Path(self._parts.path(number)).unlink(missing_ok=True)

    def _record(self, output: Output, target: str) -> None:
        status = os.stat(target)
        self._manifest.outputs[output.path] = WrittenFile(output.key, status.st_size, status.st_mtime_ns)

    def remove_others(self, wanted: set[str]) -> None:
        """Remove the files of earlier builds that are not in `wanted`, and the folders that become empty.

        Only files in the manifest or the folder's list are removed; other files in the folder stay.
        """
        others = sorted((self._listed | self._manifest.outputs.keys()) - wanted)
        keys = {file_key(name): name for name in wanted} if others else {}
        for name in others:
            if self._is_one_file(name, keys.get(file_key(name), "")):
                self._manifest.outputs.pop(name, None)
            else:
                self._remove(name)
        self._write_list(wanted)

    def _is_one_file(self, name: str, wanted: str) -> bool:
        """Return whether an old path leads to a wanted file, as on file systems that ignore case or Unicode forms."""
        try:
            return bool(wanted) and os.path.samefile(self.path / name, self.path / wanted)
        except OSError:
            return False

    def _remove(self, name: str) -> None:
        target = self.path / name
        self._manifest.outputs.pop(name, None)
        try:
            target.unlink()
            self.removed.append(name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return  # already gone, or replaced by a file or folder that no build wrote
        except OSError as error:
            raise ProjectError(f"cannot be removed: {error.strerror}", where=str(target)) from error
        self._remove_empty(target.parent)

    def _write_list(self, names: Collection[str]) -> None:
        if self._listed == set(names):
            return
        self._listed = set(names)
        data = json.dumps(sorted(names), indent=0).encode() + b"\n"
        try:
            self._replace(f"{self.path}/{LIST}", data)
        except OSError as error:
            raise _unwritable(self.path / LIST, error) from error

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.path:
            try:
                folder.rmdir()
            except OSError:
                return
            self._known_folders.discard(str(folder))
            folder = folder.parent

    def _move(self, part: str, target: str) -> None:
        folder = target.rpartition("/")[0]
        self._make_folder(folder)
        try:
            os.replace(part, target)  # for ten thousand files, pathlib takes twice as long
        except FileNotFoundError:
            # Another build removed the folder while it was empty for a moment.
            self._known_folders.clear()
            self._make_folder(folder)
            os.replace(part, target)

    def _make_folder(self, folder: str) -> None:
        if folder not in self._known_folders:
            if len(self._known_folders) >= _MOST_FOLDERS:  # most pages have a folder of their own, which no other needs
                self._known_folders.clear()
            try:
                os.mkdir(folder)
            except OSError:  # it exists already, or its parents do not
                Path(folder).mkdir(parents=True, exist_ok=True)
            self._known_folders.add(folder)

    def _replace(self, target: str, data: bytes) -> None:
        self._make_folder(str(self.path))
        part = self._parts.path("one")
        try:
            Path(part).write_bytes(data)
            self._move(part, target)
        except BaseException:  # even Ctrl-C must leave no partial file
            self._remove_part("one")
            raise


def _has_only_parts(path: Path) -> bool:
    try:
        return all(is_temporary(name, PARTS) for name in os.listdir(path))
    except FileNotFoundError:
        return True
    except OSError:
        return False


def stray_feeds(path: Path, shown: str) -> list[Problem]:
    """Return a warning for each feed in an output folder that no build updates, because it is not in the folder's list.

    shown  name of the output folder for the warnings
    """
    if not (path / LIST).is_file():
        return []
    names = (file.relative_to(path).as_posix() for file in sorted(path.rglob("*")) if is_feed(file.name))
    what, hint = "was not written by the last build, so nothing keeps it up to date", "delete it if it is not needed"
    ours = _read_list(path / LIST)
    return [Problem(f"{shown}/{name}", 0, what, hint, Severity.WARNING) for name in names if name not in ours]


def _has_our_feed(path: Path) -> bool:
    """Return whether the feed in a folder names Publisher: a build wrote the feed, but the folder's list was lost."""
    for name in ("feed.xml", "atom.xml"):
        with suppress(OSError), (path / name).open("rb") as file:
            if b">Publisher</generator>" in file.read(10_000):
                return True
    return False


def _holds(target: str | Path, data: bytes) -> bool:
    try:
        if os.stat(target).st_size != len(data):
            return False
        with open(target, "rb") as file:
            return file.read() == data
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def _read_list(path: Path) -> set[str]:
    """Return the paths in a folder's list; an empty set if it is broken. Paths outside the folder are ignored."""
    try:
        names = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return set()
    names = names if isinstance(names, list) else []
    return {name for name in names if isinstance(name, str) and _is_inside(name)}


def _is_inside(name: str) -> bool:
    return not any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in name.split("/"))


def _in_the_way(gone: Iterable[str], wanted: Collection[str]) -> list[str]:
    """Return the old files that are where a folder is wanted, or in a folder where a file is wanted."""
    gone = sorted(gone)
    if not gone:
        return []
    folders = {parent for name in wanted for parent in parents(name)}
    return [name for name in gone if name in folders or any(parent in wanted for parent in parents(name))]


def parents(name: str) -> list[str]:
    """Return all folders above a path, such as a and a/b for a/b/c."""
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _unwritable(target: Path, error: OSError) -> ProjectError:
    hint = "free some disk space, or fix the permissions"
    if target.is_dir():
        hint = "a folder is in the way: move it away"
    elif error.errno in (errno.EEXIST, errno.ENOTDIR):
        hint = "a file is in the way of a folder: move it away"
    again = "then run the same command again"
    return ProjectError(f"cannot be written: {error.strerror}", where=str(target), hint=f"{hint}; {again}")
