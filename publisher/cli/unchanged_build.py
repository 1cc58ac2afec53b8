"""`publisher build` when there is nothing to do, without the libraries of the command line and the configuration.

Any other command line, and any project that has changed since the last build, is handled in the usual way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from publisher.cli.wording import built, scheduled


def report_unchanged(arguments: Sequence[str]) -> bool:
    """Print the report of a build if `arguments` ask for one and nothing has changed; return whether that was so.

    If not, nothing is printed or written.
    """
    try:
        root = "" if None in (sys.stdin, sys.stdout, sys.stderr) else _project(arguments)
    except (OSError, ValueError):  # such as a current folder that was deleted
        root = ""
    if not root:
        return False
    from publisher.site.unchanged import unchanged  # not at the top: no other command needs it

    if not (found := unchanged(root)):
        return False
    folder, counts = found
    shown = os.path.relpath(os.path.realpath(folder))
    if shown.startswith("..") or not shown.isascii() or counts["kept"] or counts["flawed"] or counts["flawed_files"]:
        return False
    lines = [built(shown, counts["posts"], counts["pages"], counts["feeds"])]
    lines += [f"  {text}" for text in scheduled(counts["waiting"])]
    return _printed("".join(f"{line}\n" for line in lines))


def _project(arguments: Sequence[str]) -> str:
    """Return the folder of the project that is to be built; "" if the arguments ask for anything else."""
    if "PUBLISHER_PROJECT" in os.environ:
        return ""
    match arguments:
        case ["build"]:
            here = Path.cwd()
            folders = [here, *here.parents]
        case ["-C" | "--project", named, "build"] | ["build", "-C" | "--project", named]:
            folders = [Path(os.path.realpath(named))]
        case _:
            return ""
    return next((str(folder) for folder in folders if (folder / "publisher.toml").is_file()), "")


def _printed(text: str) -> bool:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError):
        return False  # the usual path finds the same, and says what is wrong
    return True
