"""A zip archive whose files are read within limits, and never unpacked to a path that the archive names."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO

from publisher.publishing.exports.exported import ExportError

MOST_FILES = 500_000
MOST_BYTES = 200_000_000
MOST_TIMES = 400  # how much larger a file may become; deflate can reach 1,032


class ExportArchive:
    """A zip archive.

    names  the paths of its files
    """

    def __init__(self, path: Path) -> None:
        """Open the archive. Raises ExportError if it isn't one."""
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise ExportError(
                "isn't a zip archive that can be read", where=str(path), hint="download it again"
            ) from error
        files = [each for each in self._zip.infolist() if not each.is_dir() and "__MACOSX" not in each.filename]
        if len(files) > MOST_FILES:
            raise ExportError(f"has more than {MOST_FILES:,} files", where=str(path))
        self._files = {each.filename: each for each in files}
        self.names = list(self._files)

    def __enter__(self) -> ExportArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def named(self, name: str) -> str:
        """Return the path of the file with this name, wherever in the archive it is; "" if there is none."""
        found = [path for path in self.names if path.rpartition("/")[2] == name]
        return min(found, key=len, default="")

    def ending(self, ending: str) -> list[str]:
        """Return the paths of the files with this ending, sorted."""
        return sorted(path for path in self.names if path.lower().endswith(ending))

    def read(self, name: str) -> bytes:
        """Return what a file contains. Raises ExportError if it is damaged, encrypted or too large."""
        with self.open(name) as file:
            try:
                data = file.read(MOST_BYTES + 1)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
                raise self._error(name, "is damaged") from error
        if len(data) > MOST_BYTES:
            raise self._error(name, f"is larger than {MOST_BYTES // 1_000_000} MB")
        return data

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading. Raises ExportError if it is encrypted, or seems to be a zip bomb."""
        info = self._files[name]
        if info.file_size > 1_000_000 and info.file_size > MOST_TIMES * max(1, info.compress_size):
            raise self._error(name, "is compressed so tightly that it seems to be a zip bomb")
        try:
            return self._zip.open(info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error) as error:
            raise self._error(name, "is encrypted or damaged") from error

    def _error(self, name: str, what: str) -> ExportError:
        return ExportError(what, where=f"{self._path}/{name[:200]}")
