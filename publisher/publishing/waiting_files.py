"""Files that the owner has uploaded, and that wait for a decision, such as how to read a list of people.

Each file is in a folder of its own, which only its owner can read and which git ignores, under its own name. In a URL
it has a random name. It is deleted when it is no longer needed, when too many wait, and after a day.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass

UPLOADS = "uploads"  # the folder in .publisher
KEPT = timedelta(days=1)
MOST_KEPT = 5


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file that waits for the owner's decision. token: the text that identifies the file in a URL."""

    token: str
    path: Path

    @property
    def since(self) -> datetime:
        """When it came; the earliest possible time if it was deleted in the meantime."""
        with suppress(OSError):
            return datetime.fromtimestamp(self.path.parent.stat().st_mtime, UTC)
        return datetime.min.replace(tzinfo=UTC)


class WaitingFiles:
    """The files that wait, each in a folder of its own and under its original name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, file: Path, name: str, now: datetime) -> WaitingFile:
        """Keep a file that was received, under its name; delete those that have waited too long, or are too many.

        Raises PublisherError if the disk is full.
        """
        token = secrets.token_hex(8)
        folder = self.folder / token
        try:
            folder.mkdir(mode=0o700)
            file.rename(folder / name)
        except OSError as error:
            raise PublisherError(f"the file could not be stored: {error.strerror}") from error
        self.tidy(now, keep=token)
        return WaitingFile(token, folder / name)

    def find(self, token: str) -> WaitingFile | None:
        """Return the file with this token; None if there is none, or it was deleted."""
        if len(token) != 16 or not set(token) <= set("0123456789abcdef"):
            return None
        with suppress(OSError):
            return next((WaitingFile(token, path) for path in (self.folder / token).iterdir()), None)
        return None

    def every(self) -> list[WaitingFile]:
        """Return all files that wait, the newest first."""
        tokens = list[str]()
        with suppress(OSError):
            tokens = [path.name for path in self.folder.iterdir()]
        found = [waiting for token in tokens if (waiting := self.find(token))]
        return sorted(found, key=lambda each: each.since, reverse=True)

    def delete(self, token: str) -> None:
        """Delete the file with this token."""
        if found := self.find(token):
            shutil.rmtree(found.path.parent, ignore_errors=True)

    def tidy(self, now: datetime, keep: str = "") -> int:
        """Delete the files that have waited for KEPT, those beyond MOST_KEPT, and the remains of interrupted uploads.

        Return how many were deleted. keep: the token of a file that stays
        """
        found: list[tuple[float, Path]] = []
        with suppress(OSError):
            found = [(path.stat().st_mtime, path) for path in self.folder.iterdir() if path.name != ".gitignore"]
        found.sort(reverse=True)
        oldest = (now - KEPT).timestamp()
        kept = deleted = 0
        for at, path in found:
            is_waiting = path.is_dir()
            kept += is_waiting
            if path.name == keep or (at >= oldest and (not is_waiting or kept <= MOST_KEPT)):
                continue
            deleted += 1
            if is_waiting:
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()
        return deleted
