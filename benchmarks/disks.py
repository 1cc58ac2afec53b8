"""Full disks in different places: small file systems in memory, which only root can mount."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.broken import CONNECTIONS, READERS, Fault, Scene
from benchmarks.servers import all_of
from publisher.core.newsletter_models import DeliveryStatus as Status

_PAGE = 4096
_FITS = 20


def _small(place: Callable[[Scene], Path]) -> Callable[[Scene], None]:
    """Mount a file system of 4 MiB at a place of the scene."""

    def prepare(scene: Scene) -> None:
        folder = place(scene)
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
        scene.stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)

    return prepare


def _full(folder: Path, room: int, send: Callable[[], str]) -> str:
    """Send while the folder's file system has this many bytes free."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        system = os.statvfs(folder)
        file.write(bytes(system.f_bavail * system.f_frsize - room))
    try:
        return send()
    finally:
        filler.unlink()


def _outbox(scene: Scene) -> str:
    for part in ("tmp", "new", "cur"):
        (scene.outbox / part).mkdir()
    return _full(scene.outbox, _FITS * _PAGE, scene.file)


def _database(scene: Scene) -> str:
    port = scene.sink().port
    return _full(scene.database, 24 * _PAGE, lambda: scene.send(port))


def _state(scene: Scene) -> str:
    port = scene.sink().port
    return _full(scene.state, 0, lambda: scene.send(port))


# Messages answered while the disk was full are in doubt: one per connection.
_STOPPED = {
    Status.SENT: range(READERS),
    Status.UNCERTAIN: range(CONNECTIONS + 1),
    Status.QUEUED: range(1, READERS + 1),
}

DISKS: tuple[Fault, ...] = (
    Fault(
        "the disk of `outbox/` is full",
        "stops; sends the rest when there is room",
        _outbox,
        {Status.SENT: range(1, _FITS + 1), Status.QUEUED: range(READERS - _FITS, READERS)},
        "the outbox cannot be written",
        prepare=_small(lambda scene: scene.outbox),
    ),
    Fault(
        "the disk of the database is full",
        "stops; puts messages on hold whose answer could not be recorded",
        _database,
        _STOPPED,
        "disk is full",
        prepare=_small(lambda scene: scene.database),
    ),
    Fault(
        "the disk of `.publisher/` is full",
        "sends; everything it needs is in the database",
        _state,
        all_of(Status.SENT),
        prepare=_small(lambda scene: scene.state),
    ),
)
