"""The files of a project that are never published, links to them or out of the project, and passwords in files.

Someone who may add files to a project, for example through git, must not be able to publish the subscribers, a key or a
file of the server by means of a link. A hard link cannot be distinguished from the file itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from publisher.config.environment import CONFIG_FILE
from publisher.config.origins import KeyPath
from publisher.config.project import OLD_OUTBOX, Config
from publisher.core.errors import ProjectError
from publisher.core.private_folder import IS_PRIVATE, LEADS_OUT, LEADS_TO_PRIVATE

_OF_DATABASE = ("", "-wal", "-shm", "-journal")
_SQLITE = "sqlite:///"
_LONGEST_PASSWORD = 10_000


def private_paths(config: Config) -> tuple[Path, ...]:
    """Return the folders and files of the project that must not be published, whether they exist or not.

    They are the state folder, the outbox, the database, DKIM keys, and the files with passwords or environment
    variables. publisher.toml, which may contain passwords, is among them.
    """
    root, url = config.root, config.database.url
    outbox = [config.outbox, *([OLD_OUTBOX] if (root / OLD_OUTBOX / "new").is_dir() else [])]
    database = url.removeprefix(_SQLITE).partition("?")[0] if url.startswith(_SQLITE) else ""
    names = [*outbox, *(f"{database}{end}" for end in _OF_DATABASE if database), CONFIG_FILE, ".env", "deploy/.env"]
    secrets = [*(each.key for each in config.mail.dkim), *(each.password_file for each in config.mail.servers)]
    secrets += [each.password_file for each in config.sources]
    names += [name for name in (*secrets, config.bounces.password_file) if name]
    return tuple(dict.fromkeys((config.state_dir, *(root / name for name in names))))


def password_in(root: Path, name: str) -> str:
    """Return the password in a file of the project in `root`; raise ProjectError, without a place, if it can't be read.

    name  the file's name, as the configuration has it
    """
    try:
        with (root / name).open(encoding="utf-8") as file:
            return file.read(_LONGEST_PASSWORD).strip()
    except UnicodeDecodeError:
        why = "it is not text in UTF-8"
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
    except ValueError:
        why = "no file can have this name"
    hint = "write the password into that file, or correct password_file"
    raise ProjectError(f"the password cannot be read from {name!r}: {why}", hint=hint)


def unreadable_passwords(config: Config) -> Iterator[tuple[KeyPath, ProjectError]]:
    """Yield each key `password_file` whose file cannot be read although it is needed, and why."""
    mail = config.mail
    named: list[tuple[KeyPath, str]] = [(("sources", i), each.password_file) for i, each in enumerate(config.sources)]
    if mail.transport == "smtp":
        tables: list[KeyPath] = [("mail", "relays", i) for i in range(len(mail.relays))] or [("mail", "smtp")]
        named += [(table, each.password_file) for table, each in zip(tables, mail.servers, strict=True)]
    if config.bounces.source and not config.bounces.password:
        named.append((("bounces",), config.bounces.password_file))
    for table, name in named:
        try:
            if name:
                password_in(config.root, name)
        except ProjectError as error:
            yield (*table, "password_file"), error


class PublicFiles:
    """Decides which files of a project may be published."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def _inside(self) -> str:
        return _folder(os.path.realpath(self._config.root))

    @cached_property
    def _private(self) -> tuple[str, ...]:
        return tuple(_folder(os.path.realpath(path)) for path in private_paths(self._config))

    def why_not(self, path: Path | str) -> str:
        """Return why a file or folder must not be published; "" if it may be, or does not exist."""
        real = _folder(os.path.realpath(path))
        is_link = real != _folder(str(Path(path).absolute()))
        if real.startswith(self._private):
            return LEADS_TO_PRIVATE if is_link else IS_PRIVATE
        if real.startswith(self._inside) or not Path(path).exists():
            return ""
        return LEADS_OUT

    def has_private(self, folder: Path) -> bool:
        """Return whether a folder contains anything private, so that each of its files has to be checked."""
        real = _folder(os.path.realpath(folder))
        return any(path.startswith(real) or real.startswith(path) for path in self._private)


def _folder(path: str) -> str:
    return path.rstrip(os.sep) + os.sep
