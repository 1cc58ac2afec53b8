"""Folders that contain data about people: only their owner can read them, and git leaves them out.

A folder protects itself: it gets mode 0700 and a `.gitignore` of its own, so that it is safe in a repository whose
`.gitignore` does not mention it, and in one that is created later.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from publisher.core.atomic_write import replacing

STATE_FOLDER = ".publisher"
IGNORE_FILE = ".gitignore"

# Why a file is not published, and what to do about a link.
LEADS_OUT = "is a link to something outside the project, so it is not published"
LEADS_TO_PRIVATE = "is a link to something private, so it is not published"
IS_PRIVATE = "is private, so it is not published"
COPY_IT = "copy its target into the project, or remove the link"

# The folders of a Maildir. In a folder that contains something else as well, git leaves out only these.
MAILDIR = ("tmp", "new", "cur")


def make_private(folder: Path) -> None:
    """Create a folder with everything above it, and protect it as `protect` does.

    Raises OSError if the folder cannot be created.
    """
    make_inside(folder)
    protect(folder)


def make_inside(folder: Path) -> None:
    """Create a folder that needs no protection of its own if it is in `.publisher`, which is then protected.

    Raises OSError if the folder cannot be created.
    """
    if folder.parent.name == STATE_FOLDER:
        make_private(folder.parent)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def protect(folder: Path) -> None:
    """Close an existing folder to everyone but its owner, and add a `.gitignore` if it has none.

    A folder that cannot be changed, because it belongs to someone else or is on a read-only disk, is left as it is;
    `publisher check` reports what is open.
    """
    with suppress(OSError):
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    ignore = folder / IGNORE_FILE
    with suppress(OSError):
        if not os.path.lexists(ignore):
            with replacing(ignore) as part:
                part.write_text(_ignored(folder), encoding="ascii")


def close_file(path: Path, bits: int = 0o077) -> None:
    """Remove the permissions in `bits` from a file, if the file belongs to us."""
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & bits:
            path.chmod(mode & ~bits)


def _ignored(folder: Path) -> str:
    others = {path.name for path in folder.iterdir() if not path.name.startswith(".")}.difference(MAILDIR)
    is_shared = bool(others) and folder.name != STATE_FOLDER and (folder / MAILDIR[1]).is_dir()
    return f"/{IGNORE_FILE}\n" + "".join(f"/{name}/\n" for name in MAILDIR) if is_shared else "*\n"
