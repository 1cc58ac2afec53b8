"""Counts how often this host has taken messages to send, also in a file, so that an older database is noticed.

A database that was restored from a backup does not know what was sent after the backup was made, and would send it
again. So each time messages are taken, a number in the database is increased, and then a number in a file on this host.
If the number in the file is higher, the database is older than what was sent.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from publisher.core.atomic_write import replacing
from publisher.core.errors import ProjectError
from publisher.core.private_folder import make_inside

if TYPE_CHECKING:
    from publisher.store import Store

FILE = "claims"
_LONGEST = 20


def count_claim(store: Store, state_dir: Path, host: str) -> None:
    """Count that this host is about to take messages to send. host: its id.

    Raises ProjectError if the file cannot be written.
    """
    if number := store.hosts.count_claim(host):
        _write(state_dir, host, number)


def is_older_than_sent(store: Store, state_dir: Path, host: str) -> bool:
    """Return whether the database is older than what this host has sent, according to its file. Writes nothing."""
    return store.hosts.claims(host) < _read(state_dir, host)


def accept_older(store: Store, state_dir: Path, host: str) -> None:
    """Accept the database as it is, so that this host sends again; raise ProjectError if the file cannot be written."""
    _write(state_dir, host, store.hosts.claims(host))


def _read(state_dir: Path, host: str) -> int:
    """Return the number in the file; 0 if there is no file, or if it belongs to another host."""
    try:
        found, _, number = (state_dir / FILE).read_text("ascii").strip().partition(" ")
    except (OSError, UnicodeDecodeError):
        return 0
    return int(number) if found == host and number.isdecimal() and len(number) < _LONGEST else 0


def _write(state_dir: Path, host: str, number: int) -> None:
    path = state_dir / FILE
    try:
        make_inside(state_dir)
        with replacing(path) as part:
            part.write_text(f"{host} {number}\n", encoding="ascii")
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise ProjectError(what, where=str(path), hint="free some disk space, and make the folder writable") from error
