"""What an output folder holds of ours, and on what it depends. Kept in .publisher/; without it all is compared anew."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from publisher.config import Config
from publisher.core.models import Problem, Severity

FORMAT = 2


def manifest_file(config: Config, folder: Path) -> Path:
    """Return where the record of an output folder is."""
    name = hashlib.blake2b(str(folder.resolve()).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return config.state_dir / f"outputs-{name}.json"


def is_feed(name: str) -> bool:
    """Return whether a file is a feed that readers poll, not a page of its archive."""
    return name.rpartition("/")[2] in ("feed.xml", "atom.xml", "feed.json")


class WrittenFile(NamedTuple):
    """One file of ours: the key it was made with, and what the file system said after writing."""

    key: str
    size: int
    mtime_ns: int


@dataclass
class Manifest:
    """The record of one output folder.

    inputs      hash of the configuration, code, templates, static files and editions it was made from
    since       the moment of the build; until: when posts appear or expire next (None: never)
    facts       counts for the summary of a build with nothing to do
    problems    what was told then, and is still so
    index       the state of the index of posts; whatever read posts since changed it, and this folder not
    shown       files of the project that posts show, as they were: path -> stamp, "" for one that was not there
    """

    path: Path
    inputs: str = ""
    since: datetime | None = None
    until: datetime | None = None
    facts: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    outputs: dict[str, WrittenFile] = field(default_factory=dict)
    index: str = ""
    shown: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read the record; what is missing, broken or of another format is an empty one."""
        try:
            raw = json.loads(path.read_bytes())
            if raw["format"] != FORMAT:
                return cls(path)
            return cls(
                path,
                raw["inputs"],
                _moment(raw["since"]),
                _moment(raw["until"]),
                raw["facts"],
                [_problem(*item) for item in raw["problems"]],
                {name: WrittenFile(*item) for name, item in raw["outputs"].items()},
                raw["index"],
                raw["shown"],
            )
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
            return cls(path)

    def write(self) -> None:
        """Replace the record; raise OSError when that cannot be done."""
        raw = {
            "format": FORMAT,
            "inputs": self.inputs,
            "index": self.index,
            "shown": self.shown,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "facts": self.facts,
            "problems": [[p.path, p.line, p.message, p.hint, p.severity] for p in self.problems],
            "outputs": self.outputs,
        }
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}-{id(self):x}")
        part.write_text(json.dumps(raw, separators=(",", ":")), encoding="utf-8")
        part.replace(self.path)

    def is_current(self, inputs: str, index: str, now: datetime) -> bool:
        """Return whether nothing but the posts' files can have changed since the record was made."""
        return (
            (self.inputs, self.index) == (inputs, index)
            and self.since is not None
            and self.since <= now
            and (self.until is None or now < self.until)
        )

    def is_intact(self, folder: str) -> bool:
        """Return whether every file is still as it was written."""
        stat = os.stat
        try:
            for name, written in self.outputs.items():
                status = stat(f"{folder}/{name}")
                if status.st_size != written.size or status.st_mtime_ns != written.mtime_ns:
                    return False
        except OSError:
            return False
        return True


def _problem(path: str, line: int, message: str, hint: str, severity: str) -> Problem:
    return Problem(path, line, message, hint, Severity(severity))


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
