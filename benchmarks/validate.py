"""Checks every RSS and Atom file of a site with the W3C's feed validator, at its strictest level.

    python -m benchmarks.validate --validator CHECKOUT FOLDER [FOLDER ...]

CHECKOUT is a copy of the W3C's feedvalidator, which is in no registry. A FOLDER is a project or a folder of posts; it
is copied, built with archives, and every feed in it validated with its own URL at level AAA, which tolerates nothing.
Exits with 1 if there was any event.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from publisher.config import CONFIG_FILE, load_config

_PROJECT = '[site]\ntitle = "A folder of posts"\nurl = "https://posts.example.org"\nauthority = "example.org,2024"\n'


def copied(folder: Path, to: Path) -> Path:
    """Copy a project, or make one from a folder of posts; return its folder."""
    if (folder / CONFIG_FILE).exists():
        made = shutil.ignore_patterns(".git", ".venv*", ".publisher", "public", "outbox", "node_modules", "tests")
        return Path(shutil.copytree(folder, to, ignore=made))
    shutil.copytree(folder, to / "posts")
    (to / CONFIG_FILE).write_text(_PROJECT, encoding="utf-8")
    return to


def feeds(project: Path) -> dict[str, bytes]:
    """Build the project; return its RSS and Atom files by their URLs."""
    command = [sys.executable, "-m", "publisher", "--project", str(project), "build", "--keep-going"]
    subprocess.run(command, check=True, capture_output=True)
    config = load_config(project)
    public = project / config.pages.output
    return {
        f"{config.site_url}/{quote(str(path.relative_to(public)))}": path.read_bytes()
        for path in sorted(public.rglob("*.xml"))
        if path.is_file() and path.name.startswith(("feed", "atom"))
    }


def events(validator: Any, data: bytes, address: str) -> list[str]:
    """Return the validator's events for one file at level AAA, one line each."""
    try:
        said = validator.validateString(data, firstOccurrenceOnly=0, base=address)["loggedEvents"]
    except validator.logging.ValidationFailure as failure:
        said = [failure.event]
    return [
        f"{type(event).__name__} {event.params.get('parent', '')}/{event.params.get('element', '')}"
        for event in validator.compatibility.AAA(said)
    ]


def main() -> int:
    """Validate, and print a table of the folders and every kind of event."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--validator", type=Path, required=True, metavar="CHECKOUT", help="copy of feedvalidator")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="a project, or a folder of posts")
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.validator / "src"))
    import feedvalidator
    import feedvalidator.compatibility
    import feedvalidator.logging

    every: Counter[str] = Counter()
    print(f"{'files':>7} {'events':>7}  folder")
    for folder in arguments.folders:
        with tempfile.TemporaryDirectory(prefix="publisher-validate-") as scratch:
            found = feeds(copied(folder.resolve(), Path(scratch) / "project"))
        said = [line for address, data in found.items() for line in events(feedvalidator, data, address)]
        every.update(said)
        print(f"{len(found):>7} {len(said):>7}  {folder.name}")
    for line, count in every.most_common():
        print(f"{count:>7}  {line}")
    return 1 if every else 0


if __name__ == "__main__":
    sys.exit(main())
