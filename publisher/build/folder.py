"""The output folder: files replaced whole, compared before they are touched, removed when nothing makes them."""

from __future__ import annotations

import os
from pathlib import Path

from publisher.build.manifest import Manifest, Written
from publisher.errors import ProjectError
from publisher.model import Output

# How every HTML page, XML file and JSON feed of ours says who made it, within its first bytes.
_SIGNATURE = b"Publisher"


class Folder:
    """Writes outputs into one folder and keeps the manifest's entries true."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self._manifest = path, manifest
        self._known_folders: set[Path] = set()
        self.written: list[str] = []
        self.removed: list[str] = []

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
            raise ProjectError(
                f"cannot be written: {error.strerror}",
                where=str(target),
                mend="make room, or mend the permissions; then run the same again",
            ) from error
        self._manifest.outputs[output.path] = Written(output.key, status.st_size, status.st_mtime_ns)

    def remove_others(self, wanted: set[str]) -> None:
        """Remove our files that nothing makes any more, and the folders that this leaves empty.

        Only files that the manifest names. When there was no manifest, also files that say in their first
        bytes that Publisher made them: a withdrawn post must not stay public because a cache was lost.
        """
        gone = self._manifest.outputs.keys() - wanted
        if self._manifest.is_new:
            gone = gone | (_ours(self.path) - wanted)
        for name in sorted(gone):
            target = self.path / name
            self._manifest.outputs.pop(name, None)
            try:
                target.unlink()
                self.removed.append(name)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise ProjectError(f"cannot be removed: {error.strerror}", where=str(target)) from error
            self._remove_empty(target.parent)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.path:
            try:
                folder.rmdir()
            except OSError:
                return
            self._known_folders.discard(folder)
            folder = folder.parent

    def _replace(self, target: Path, data: bytes) -> None:
        if target.parent not in self._known_folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._known_folders.add(target.parent)
        part = f"{target.parent}/.publisher-{os.getpid()}.part"
        try:
            with open(part, "wb") as file:
                file.write(data)
            os.replace(part, target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise


def _holds(target: Path, data: bytes) -> bool:
    try:
        with open(target, "rb") as file:
            return os.fstat(file.fileno()).st_size == len(data) and file.read() == data
    except FileNotFoundError:
        return False


def _ours(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*"):
        if path.suffix in (".html", ".xml", ".json") and path.is_file() and _SIGNATURE in path.read_bytes()[:4096]:
            found.add(path.relative_to(folder).as_posix())
    return found
