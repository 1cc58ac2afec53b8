"""The files and folders of a project that are never published, and links that lead to them or out of the project.

Someone who may add files to a project, for example by git, must not be able to publish the subscribers, a key or a
file of the server by a link. A hard link cannot be told from the file itself.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from publisher.config.environment import CONFIG_FILE
from publisher.config.project import OLD_OUTBOX, Config
from publisher.core.private_folder import IS_PRIVATE, LEADS_OUT, LEADS_TO_PRIVATE

_OF_DATABASE = ("", "-wal", "-shm", "-journal")
_SQLITE = "sqlite:///"


def private_paths(config: Config) -> tuple[Path, ...]:
    """Return the folders and files of the project that must not be published, whether they exist or not.

    They are the state folder, the outbox, the database, DKIM keys, files with passwords, and those of environment
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
        """Return whether something private is in a folder, so that each of its files has to be looked at."""
        real = _folder(os.path.realpath(folder))
        return any(path.startswith(real) or real.startswith(path) for path in self._private)


def _folder(path: str) -> str:
    return path.rstrip(os.sep) + os.sep
