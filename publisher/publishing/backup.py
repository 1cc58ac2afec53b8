"""Backups of a project: everything that exists nowhere else, in one file.

That is the database with all subscribers and everything that was sent, the secret of the links in emails, the ids under
which readers know the posts, and the signing keys. Posts, templates and settings are your own files, and are not in it.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from publisher import __version__
from publisher.config import Config
from publisher.core.atomic_write import remove_left, temporary_folder
from publisher.core.errors import ProjectError, StillSendingError, StoreError
from publisher.core.frozen import dataclass
from publisher.core.private_folder import make_private
from publisher.mail.links import SECRET_FILE
from publisher.mail.queue import take_over
from publisher.publishing.mail_wiring import delivery_options, project_secret
from publisher.publishing.wiring import has_store, open_project_store
from publisher.store import Store, open_store
from publisher.store.carry_over import CarriedOver, carry_over
from publisher.store.copying import copy_all, copy_file, into_one_file, is_whole, row_counts
from publisher.store.location import sqlite_path
from publisher.store.standstill import standstill

RECORD, IDS, KEYS, ABOUT = "publisher.db", "published.db", "dkim", "backup.json"

_MOST_KEYS, _LONGEST_KEY = 100, 20_000  # bytes
_LONGEST_ABOUT = 20_000

_BACKUP = ".backup-"  # what the names of temporary files begin with

Copied = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """The contents of a backup.

    made_at  when it was made
    counts   how many rows each table of the database has
    names    the files in it
    """

    made_at: datetime
    counts: dict[str, int]
    names: tuple[str, ...]


def back_up(config: Config, file: Path, now: datetime, copied: Copied = lambda table, rows: None) -> Backup:
    """Write a backup to a file that only its owner can read, while the project may be running.

    copied  called with the name of a table and the number of its rows just copied; only with PostgreSQL
    Raises ProjectError if there is nothing to back up, or the file cannot be written.
    """
    if not has_store(config):
        raise ProjectError("there is no database to back up yet", where=str(config.root))
    remove_left(file.parent, _BACKUP)
    with _explained(file), temporary_folder(file.parent, _BACKUP) as folder:
        counts = _copy_record(config, folder / RECORD, copied)
        (folder / SECRET_FILE).write_text(f"{project_secret(config)}\n")
        if (ids := config.state_dir / IDS).is_file():
            copy_file(ids, folder / IDS)
        about = {"version": __version__, "made_at": now.isoformat(timespec="seconds"), "rows": counts}
        (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n")
        keys = sorted((config.state_dir / KEYS).glob("*.pem"))
        found = [folder / ABOUT, folder / RECORD, folder / SECRET_FILE, folder / IDS]
        members = [(path, path.name) for path in found if path.exists()] + [(key, f"{KEYS}/{key.name}") for key in keys]
        _write_archive(folder / "archive", members)
        (folder / "archive").replace(file)
    return Backup(now, counts, tuple(name for _, name in members))


def read_backup(file: Path) -> Backup:
    """Return the contents of a backup. Raises ProjectError if it is not a backup, or is damaged."""
    with _explained(file), _opened(file) as archive:
        return _about(archive, file)


@dataclass(frozen=True, slots=True)
class RestoredBackup:
    """The result of restoring a backup.

    carried   what was carried over from the database that it replaced; None if there was none that could be read
    replaced  where the file of that database is now; None if there was none
    """

    backup: Backup
    carried: CarriedOver | None = None
    replaced: Path | None = None


def restore(config: Config, file: Path, now: datetime, copied: Copied = lambda table, rows: None) -> RestoredBackup:
    """Put everything in a backup into its place in the project, replacing what is there.

    No host can send meanwhile, and hosts that were sending before lose their leases.

    The replaced database's records of people who opted out, and of what was sent, are carried over, so that no one gets
    email against their wish, or twice.

    copied  called with the name of a table and the number of its rows just copied; only with PostgreSQL
    Raises ProjectError if it is not a backup, or a file cannot be written, and StillSendingError, which names the
    hosts, if workers are sending from the database. The database is replaced last.
    """
    with _explained(file), _opened(file) as archive:
        found = _about(archive, file)
        make_private(config.state_dir)
        remove_left(config.state_dir)
        with temporary_folder(config.state_dir, ".restore-") as folder:
            for member in found.names:
                target = folder / member
                target.parent.mkdir(exist_ok=True)
                taken = archive.extractfile(member)
                assert taken is not None  # noqa: S101 - _about has checked that it is a file
                with taken, target.open("xb") as written:
                    while data := taken.read(1 << 20):
                        written.write(data)
                target.chmod(0o600)
            _check_sqlite(folder, file)
            with _at_standstill(config, now) as old:
                carried = _carry_over(config, old, folder / RECORD)
                _put_files(config, folder)
                return RestoredBackup(found, carried, _put_record(config, folder / RECORD, copied))


@contextmanager
def _at_standstill(config: Config, now: datetime) -> Iterator[Store | None]:
    """Open the present database, and keep hosts from sending until the block ends; yield None if it cannot be read."""
    with ExitStack() as stack:
        old = None
        try:
            if has_store(config):
                old = stack.enter_context(open_project_store(config))
                take_over(old, options=delivery_options(config), now=now)
                stack.enter_context(standstill(old.database, now))
        except StillSendingError:
            raise
        except StoreError:
            old = None
        yield old


def _carry_over(config: Config, old: Store | None, record: Path) -> CarriedOver | None:
    """Add what only the present database contains to the restored one; return None if the former cannot be read."""
    if old is None:
        return None
    try:
        secret = project_secret(config)
        with open_store(f"sqlite:///{record}", record.parent, lambda: secret) as restored:
            return carry_over(old, restored)
    except StoreError:
        return None
    finally:
        into_one_file(record)


def _copy_record(config: Config, target: Path, copied: Copied) -> dict[str, int]:
    """Write the database to an SQLite file; return how many rows each table has."""
    path = sqlite_path(config.database.url, config.root)
    if path is not None:
        with open_project_store(config):
            copy_file(path, target)  # the schema is the current one now
    with open_store(f"sqlite:///{target}", target.parent) as copy:
        if path is None:
            with open_project_store(config) as store:
                copy_all(store.database, copy.database, copied)
        counts = row_counts(copy.database)
    into_one_file(target)
    return counts


def _write_archive(part: Path, members: list[tuple[Path, str]]) -> None:
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w") as archive:
            for path, name in members:
                info = archive.gettarinfo(path, name)
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                info.mode = 0o600
                with path.open("rb") as data:
                    archive.addfile(info, data)
        raw.flush()
        os.fsync(raw.fileno())


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    with tarfile.open(file, mode="r:") as archive:
        yield archive


def _about(archive: tarfile.TarFile, file: Path) -> Backup:
    members = {member.name: member for member in archive.getmembers()}
    names = tuple(name for name in members if name != ABOUT)
    keys = [name for name in names if name.startswith(f"{KEYS}/")]
    odd = [
        name
        for name, member in members.items()
        if not member.isfile() or not (name in (ABOUT, RECORD, SECRET_FILE, IDS) or _is_key(name, member))
    ]
    if odd or len(keys) > _MOST_KEYS or not {ABOUT, RECORD, SECRET_FILE} <= members.keys():
        raise _not_a_backup(file)
    text = archive.extractfile(ABOUT)
    assert text is not None  # noqa: S101 - it is a file
    try:
        found = json.loads(text.read(_LONGEST_ABOUT))
        counts = {str(name): int(number) for name, number in found["rows"].items()}
        return Backup(datetime.fromisoformat(found["made_at"]), counts, names)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_a_backup(file) from error


def _is_key(name: str, member: tarfile.TarInfo) -> bool:
    folder, _, rest = name.partition("/")
    return folder == KEYS and rest.endswith(".pem") and "/" not in rest and member.size <= _LONGEST_KEY


def _check_sqlite(folder: Path, file: Path) -> None:
    for name in (RECORD, IDS):
        if (folder / name).exists() and not is_whole(folder / name):
            raise ProjectError(f"is damaged: {name} in it cannot be read", where=str(file), hint="try another one")


def _put_files(config: Config, folder: Path) -> None:
    for name in (SECRET_FILE, IDS):
        if (folder / name).exists():
            for rest in ("-wal", "-shm", "-journal"):
                (config.state_dir / f"{name}{rest}").unlink(missing_ok=True)
            (folder / name).replace(config.state_dir / name)
    for key in (folder / KEYS).glob("*.pem"):
        make_private(config.state_dir / KEYS)
        key.replace(config.state_dir / KEYS / key.name)


def _put_record(config: Config, record: Path, copied: Copied) -> Path | None:
    """Replace the database; return where the old one is now, if it is a file."""
    path = sqlite_path(config.database.url, config.root)
    if path is None:
        with open_store(f"sqlite:///{record}", record.parent) as source, open_project_store(config) as target:
            copy_all(source.database, target.database, copied)
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.with_name(f"{path.name}.replaced") if path.exists() else None
    if old is not None:
        for rest in ("-wal", "-shm", ""):  # the database itself last: until then it is complete
            old.with_name(f"{old.name}{rest}").unlink(missing_ok=True)
            if (part := path.with_name(f"{path.name}{rest}")).exists():
                part.rename(old.with_name(f"{old.name}{rest}"))
    record.replace(path)
    return old


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except tarfile.TarError as error:
        raise _not_a_backup(file) from error
    except OSError as error:
        what = error.strerror or str(error)
        raise ProjectError(f"cannot be used: {what}", where=str(error.filename or file)) from error


def _not_a_backup(file: Path) -> ProjectError:
    hint = "`publisher database backup` writes one"
    return ProjectError("is not a backup of Publisher, or only a part of one", where=str(file), hint=hint)
