"""The output folder: files replaced whole, compared before they are touched, removed when nothing makes them."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from publisher.core.errors import ProjectError
from publisher.core.models import Output, Problem, Severity
from publisher.site.build.manifest import Manifest, WrittenFile, is_feed

# Names every file of ours, in the folder itself: it stays where caches are thrown away and builds are killed.
LIST = ".publisher-files.json"


class OutputFolder:
    """Writes outputs into one folder and keeps the manifest's entries, and the folder's own list, true."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self._manifest = path, manifest
        self._known_folders: set[Path] = set()
        self._listed: set[str] = set()
        self.written: list[str] = []
        self.removed: list[str] = []

    def begin(self, wanted: Collection[str]) -> None:
        """List what will be written before it is, and remove what would be in its way.

        A build that is killed thus leaves no file of which the next one does not know.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ProjectError("is a file, not a folder", where=str(self.path), hint="move it away")
        self._listed = _read_list(self.path / LIST)
        known = self._listed | self._manifest.outputs.keys()
        self._write_list(known.union(wanted))
        for part in self.path.glob(".publisher-*.part"):
            if not _is_alive(part.name.split("-")[1]):
                part.unlink(missing_ok=True)
        for name in _in_the_way(known.difference(wanted), wanted):
            self._remove(name)

    def is_current(self, output: Output) -> bool:
        """Return whether the file was made with the same key and is as it was left."""
        known = self._manifest.outputs.get(output.path)
        if known is None or known.key != output.key:
            return False
        try:
            status = os.stat(self.path / output.path)
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (known.size, known.mtime_ns)

    def put(self, output: Output, data: bytes) -> None:
        """Write one file, atomically, unless it already holds these bytes."""
        target = self.path / output.path
        try:
            if not _holds(target, data):
                self._replace(target, data)
                self.written.append(output.path)
            status = target.stat()
        except OSError as error:
            raise _unwritable(target, error) from error
        self._manifest.outputs[output.path] = WrittenFile(output.key, status.st_size, status.st_mtime_ns)

    def remove_others(self, wanted: set[str]) -> None:
        """Remove our files that nothing makes any more, and the folders that this leaves empty.

        Only files that the manifest or the folder's list names: whatever else is in the folder stays.
        """
        for name in sorted((self._listed | self._manifest.outputs.keys()) - wanted):
            self._remove(name)
        self._write_list(wanted)

    def _remove(self, name: str) -> None:
        target = self.path / name
        self._manifest.outputs.pop(name, None)
        try:
            target.unlink()
            self.removed.append(name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return  # gone already, or somebody else's by now
        except OSError as error:
            raise ProjectError(f"cannot be removed: {error.strerror}", where=str(target)) from error
        self._remove_empty(target.parent)

    def _write_list(self, names: Collection[str]) -> None:
        if self._listed == set(names):
            return
        self._listed = set(names)
        data = json.dumps(sorted(names), indent=0).encode() + b"\n"
        try:
            self._replace(self.path / LIST, data)
        except OSError as error:
            raise _unwritable(self.path / LIST, error) from error

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.path:
            try:
                folder.rmdir()
            except OSError:
                return
            self._known_folders.discard(folder)
            folder = folder.parent

    def _replace(self, target: Path, data: bytes) -> None:
        try:
            self._try_replace(target, data)
        except FileNotFoundError:
            # Another build removed the folder, which was empty for a moment.
            self._known_folders.clear()
            self._try_replace(target, data)

    def _try_replace(self, target: Path, data: bytes) -> None:
        if target.parent not in self._known_folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._known_folders.add(target.parent)
        part = f"{self.path}/.publisher-{os.getpid()}-{id(self):x}.part"
        try:
            with open(part, "wb") as file:
                file.write(data)
            os.replace(part, target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise


def stray_feeds(path: Path, shown: str) -> list[Problem]:
    """Return a warning for each feed in an output folder that its list does not name: nothing mends or removes it."""
    if not (path / LIST).is_file():
        return []
    names = (file.relative_to(path).as_posix() for file in sorted(path.rglob("*")) if is_feed(file.name))
    what, hint = "was not made by the last build, and nothing will bring it up to date", "remove it, if nobody needs it"
    ours = _read_list(path / LIST)
    return [Problem(f"{shown}/{name}", 0, what, hint, Severity.WARNING) for name in names if name not in ours]


def _holds(target: Path, data: bytes) -> bool:
    try:
        with open(target, "rb") as file:
            return os.fstat(file.fileno()).st_size == len(data) and file.read() == data
    except FileNotFoundError:
        return False


def _read_list(path: Path) -> set[str]:
    """The names in a folder's list; a list that somebody broke or bent names nothing outside the folder."""
    try:
        names = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return set()
    names = names if isinstance(names, list) else []
    return {name for name in names if isinstance(name, str) and _is_inside(name)}


def _is_inside(name: str) -> bool:
    return not any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in name.split("/"))


def _in_the_way(gone: Iterable[str], wanted: Collection[str]) -> list[str]:
    """Files of ours where a folder is wanted, or inside of what is wanted as a file."""
    gone = sorted(gone)
    if not gone:
        return []
    folders = {parent for name in wanted for parent in parents(name)}
    return [name for name in gone if name in folders or any(parent in wanted for parent in parents(name))]


def parents(name: str) -> list[str]:
    """Return every folder above a file: a/b/c is in a and a/b."""
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except OSError:
        return True  # another user's
    return True


def _unwritable(target: Path, error: OSError) -> ProjectError:
    return ProjectError(
        f"cannot be written: {error.strerror}",
        where=str(target),
        hint="make room, or mend the permissions; then run the same again",
    )
