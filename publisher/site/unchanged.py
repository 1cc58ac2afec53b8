"""Find out whether a build would have nothing to do, before the configuration and the command line are loaded.

A build records in its manifest what all files of the project looked like before it began. If all of them are unchanged,
and so are the program, its variables and the files that it wrote, the next build would do nothing. If this module is
unsure, for example because of a symbolic link, the build makes its own full check. So this module never decides
differently from a build.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publisher.core.atomic_write import is_temporary
from publisher.core.listing import Listing, forget, shipped_folder
from publisher.core.private_folder import IGNORE_FILE, STATE_FOLDER
from publisher.posts.cache_keys import code_key

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.site.web_versions import WebVersions

# The files in .publisher/ that a build reads and writes begin like this.
CACHES = ("index.db", "published.db", "last-versions.db")

# What the names of the files in an output folder that a build has not completed yet begin with.
PARTS = ".publisher-"

# Folders at the top of a project that are skipped: no build reads them, and they may have many files.
_LEFT_OUT = frozenset((STATE_FOLDER, ".git", ".hg", ".svn", ".jj", ".venv", "venv", "node_modules"))


class Look:
    """The state of the program and of a project's files, except its output, at one moment.

    digest      changes whenever the program or a file does; "" if there is anything other than folders and plain files
    is_settled  whether every later change of a file will be visible
    """

    def __init__(self, root: str, output: str) -> None:
        """Look at all files. root: the project's folder; output: the path of the output folder in it."""
        variables = sorted(each for each in os.environ.items() if each[0].startswith("PUBLISHER_"))
        program = Listing(str(shipped_folder()))
        files = Listing(root, _LEFT_OUT | {output})
        self.root, self.output, self.is_settled = root, output, files.is_settled
        self.digest = ""
        if program.plain and files.plain:
            self.digest = _hash(sys.version, code_key(), variables, program.rows, files.rows)


def look_at(root: str, output: str) -> Look:
    """Return the Look of a project: the last one that was taken, or a new one if that has already been used."""
    found = _last.pop() if _last else None
    return found if found and (found.root, found.output) == (root, output) else Look(root, output)


def forget_look() -> None:
    """Forget the last Look and the entries that it found. Call this if no build follows to use them."""
    _last.clear()
    forget()


def recorded(config: Config, look: Look, editions: WebVersions, named: Iterable[str]) -> dict[str, str]:
    """Return the state that `unchanged` compares, for the manifest; {} if a later build has to make its own full check.

    look      what the project looked like before the build read any file
    editions  the web versions that the build showed
    named     the paths, in the project, of files that posts show or whose sizes they use
    """
    pages = config.pages
    folders = [config.posts.folder, pages.folder, pages.static, *(path for path, _ in pages.copies)]
    is_sure = (
        look.digest
        and look.is_settled
        and editions.database is not None
        and not (config.posts.tool or config.sources or config.scratch)
        and all(_is_looked_at(path, look.output) for path in (*folders, *named))
        and _is_looked_at(look.output, "")
    )
    if not is_sure or editions.database is None:
        return {}
    return {
        "files": look.digest,
        "output": look.output,
        "outbox": config.outbox,
        "caches": _caches(str(config.state_dir)),
        "database": editions.database,
        "editions": editions.key,
    }


def unchanged(root: str) -> tuple[str, Mapping[str, int]] | None:
    """Return the output folder of a project and the counts of its last build if a build would do nothing, or else None.

    The results are kept for the build that follows in this process (see forget_look).
    """
    state = f"{root}/{STATE_FOLDER}"
    try:
        stored = os.listdir(state)  # noqa: PTH208 - names alone
        names = [name for name in stored if name.startswith("outputs-")]
        if len(names) != 1 or any(map(is_temporary, stored)):
            return None
        made = json.loads(Path(state, names[0]).read_bytes())
        seen = made["seen"]
        if not seen or made["problems"] or made["failure"] or not _is_time(made):
            return None
        output = f"{root}/{seen['output']}"
        is_same = (
            _is_protected(state)
            and _is_protected(f"{root}/{seen['outbox']}")
            and _caches(state) == seen["caches"]
            and is_intact(output, made["outputs"])
            and not any(is_temporary(name, PARTS) for name in os.listdir(output))  # noqa: PTH208
        )
        if not is_same:
            return None
        _last[:] = [look := Look(root, seen["output"])]
        if look.digest != seen["files"] or not _are_same_editions(root, seen):
            return None
        return output, made["facts"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def is_intact(folder: str, outputs: Mapping[str, tuple[str, int, int]]) -> bool:
    """Return whether every file that a build wrote still has its size and modification time.

    outputs: the key, size and modification time of each file, by its path in the output folder
    """
    stat = os.stat
    try:
        for name, (_, size, mtime_ns) in outputs.items():
            status = stat(f"{folder}/{name}")
            if status.st_size != size or status.st_mtime_ns != mtime_ns:
                return False
    except OSError:
        return False
    return True


# The look that was taken last, until it is used.
_last: list[Look] = []


def _is_looked_at(path: str, output: str) -> bool:
    """Return whether a Look covers everything at a path; False if the path is in the output or contains it."""
    parts = path.removeprefix("./").rstrip("/").split("/")
    inside = output.split("/")
    return (
        parts[0] not in ("", ".", *_LEFT_OUT)
        and ".." not in parts
        and parts[: len(inside)] != inside
        and inside[: len(parts)] != parts
    )


def _is_time(made: Mapping[str, Any]) -> bool:
    """Return whether no post has appeared or expired since the build."""
    now = datetime.now(UTC)
    since, until = (datetime.fromisoformat(made[name]) if made[name] else None for name in ("since", "until"))
    return since is not None and since <= now and (until is None or now < until)


def _is_protected(folder: str) -> bool:
    """Return whether a folder needs no protection: others cannot read it and git ignores it, or it does not exist."""
    path = Path(folder)
    return not path.is_dir() or (not path.stat().st_mode & 0o077 and os.path.lexists(path / IGNORE_FILE))


def _are_same_editions(root: str, seen: Mapping[str, str]) -> bool:
    from publisher.store.location import editions_key, store_exists  # most projects of feeds have no database

    url = seen["database"]
    exists = store_exists(url, Path(root))
    return (editions_key(url, Path(root), datetime.now(UTC)) if exists else "") == seen["editions"]


def _caches(state: str) -> str:
    """Return a hash of the sizes and times of the files in .publisher/ that a build reads and writes."""
    found = []
    for entry in os.scandir(state):
        if entry.name.startswith(CACHES):
            status = entry.stat()
            found.append((entry.name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return _hash(sorted(found))


def _hash(*parts: Any) -> str:
    # Later versions of this format also record how often each text is referred to.
    return hashlib.blake2b(marshal.dumps(parts, 2), digest_size=16).hexdigest()
