"""The manifest of an output folder, which records the files that a build wrote and their inputs.

It is in .publisher/ and may be deleted. The next build then makes and compares every file again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from publisher.config import Config
from publisher.core.atomic_write import replacing
from publisher.core.models import Problem, Severity
from publisher.core.private_folder import make_private
from publisher.posts.cache_keys import hash_of
from publisher.site.unchanged import is_intact

FORMAT = 3


def manifest_file(config: Config, folder: Path) -> Path:
    """Return the path of the manifest of an output folder."""
    return config.state_dir / f"outputs-{hash_of(str(folder.resolve()))}.json"


def is_feed(name: str) -> bool:
    """Return whether a path belongs to a current feed document, rather than to an archive document."""
    return name.rpartition("/")[2] in ("feed.xml", "atom.xml", "feed.json")


class WrittenFile(NamedTuple):
    """A file that a build wrote, with the key of its output, and its size and modification time."""

    key: str
    size: int
    mtime_ns: int


@dataclass
class Manifest:
    """The manifest of an output folder. A build fills it in, and writes it at the end.

    path      path of the manifest file
    inputs    hash of the configuration, code, templates, static files and editions that the folder was made from
    since     the time of the build
    until     when the next post appears or expires; None if none will
    facts     counts, for the report of a later build with nothing to do
    problems  the problems of the build, which a later build with nothing to do reports again
    outputs   the written files, by path
    index     state of the index of posts after the build; a different state means that posts have changed
    shown     stamps of the project's files that posts show, by path; "" for a missing file
    failure   why builds have failed since `failing_since`, so that the folder is still in an older state; None if the
              last build succeeded
    seen      what the project looked like before the build, as returned by unchanged.recorded
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
    failure: Problem | None = None
    failing_since: datetime | None = None
    seen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest; return an empty one if the file is missing, broken or of a different format."""
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
                _problem(*raw["failure"]) if raw["failure"] else None,
                _moment(raw["failing_since"]),
                raw.get("seen", {}),
            )
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
            return cls(path)

    def write(self) -> None:
        """Write the manifest atomically; raise OSError if that fails."""
        raw = {
            "format": FORMAT,
            "inputs": self.inputs,
            "index": self.index,
            "shown": self.shown,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "facts": self.facts,
            "problems": [_flat(problem) for problem in self.problems],
            "outputs": self.outputs,
            "failure": _flat(self.failure) if self.failure else None,
            "failing_since": self.failing_since.isoformat() if self.failing_since else None,
            "seen": self.seen,
        }
        make_private(self.path.parent)
        with replacing(self.path) as part:
            part.write_text(json.dumps(raw, separators=(",", ":")), encoding="utf-8")

    def note_failure(self, problem: Problem, now: datetime) -> None:
        """Record that a build failed, if the manifest can be written; everything else in it stays as it is."""
        if problem != self.failure:
            self.failing_since = self.failing_since if self.failure else now.astimezone(UTC)
            self.failure = problem
            with suppress(OSError):
                self.write()

    def is_current(self, inputs: str, index: str, now: datetime) -> bool:
        """Return whether nothing has changed since the build, without looking at the output files."""
        return (
            (self.inputs, self.index, self.failure) == (inputs, index, None)
            and self.since is not None
            and self.since <= now
            and (self.until is None or now < self.until)
        )

    def is_intact(self, folder: str) -> bool:
        """Return whether every written file still has its recorded size and modification time."""
        return is_intact(folder, self.outputs)


def _flat(problem: Problem) -> list[str | int]:
    return [problem.path, problem.line, problem.message, problem.hint, problem.severity, problem.shows_last_version]


def _problem(path: str, line: int, message: str, hint: str, severity: str, shows_last_version: bool) -> Problem:
    return Problem(path, line, message, hint, Severity(severity), shows_last_version)


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
