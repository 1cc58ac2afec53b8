"""How `publisher check` shows what it found: in groups, as plain lines, and as workflow commands of GitHub Actions."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.scan import ENDINGS

# How many lines that differ only in what they quote make a group, and how many of a group are shown.
_LEAST_GROUP = 10
_SHOWN_OF_GROUP = 3

# What a message quotes: text in quotes, tags of other tools, addresses, paths, file names, places in a page.
_QUOTED = patterns.compile(
    r"'[^'\n]{1,300}'|\"[^\"\n]{1,300}\"|(?<!\w)\[[^\[\]\n]{1,300}\](?!\])|https?://[^\s,]{1,500}|(?<!\w)#[\w-]{1,200}"
    r"|(?<![\w/])/?[\w.-]{1,100}(?:/[\w.%-]{1,100}){1,20}/?|(?<!\w)[\w-]{1,100}\.[a-z]\w{1,4}\b(?:\?[\w=&;%-]{1,200})?"
)
_NUMBER = patterns.compile(r"\d[\d,.]{0,20}")
# The colon in front of a list of another tool's tags.
_TAGS = patterns.compile(r": (?=\{[%{<#]|<)")
_MORE_LINES = patterns.compile(
    r"(?:, nor \d+ more like it)?(?:,? and \d+ more)?(?:, on \d+ lines(?: up to line \d+)?)?$"
)


class CheckLine(NamedTuple):
    """A problem in the form in which it is printed. Only findings about emails have a newsletter and a code."""

    level: str
    path: str
    line: int
    message: str
    hint: str
    newsletter: str = ""
    code: str = ""

    @property
    def where(self) -> str:
        """The place as "path:line", or the path alone."""
        return f"{self.path}:{self.line}" if self.line else self.path

    @property
    def text(self) -> str:
        """The message with its newsletter and how to fix it."""
        name = f"newsletter {self.newsletter}: " if self.newsletter else ""
        return f"{name}{self.message}{f' ({self.hint})' if self.hint else ''}"


class Group(NamedTuple):
    """Lines that say the same about many files.

    what   the text that they share, without the words that each of them quotes
    often  the tag of another tool that most of them name; "" if they name no tag
    """

    lines: Sequence[CheckLine]
    what: str
    often: str

    @property
    def level(self) -> str:
        """The level, which all of its lines share."""
        return self.lines[0].level

    @property
    def summary(self) -> str:
        """The number of files, and the problem that they share."""
        paths = {line.path for line in self.lines}
        noun = "posts" if all(path.lower().endswith(ENDINGS) for path in paths) else "files"
        count = f"{len(paths):,} {noun}" if len(paths) > 1 else f"{len(self.lines):,} times in {self.lines[0].path}"
        return f"{count}: {self.what}{f', mostly {self.often}' if self.often else ''}"

    @property
    def shown(self) -> Sequence[CheckLine]:
        """The first few lines."""
        return self.lines[:_SHOWN_OF_GROUP]

    @property
    def rest(self) -> int:
        """How many lines are not shown."""
        return len(self.lines) - len(self.shown)


def grouped(lines: Sequence[CheckLine]) -> tuple[list[Group], list[CheckLine]]:
    """Return the groups of lines, sorted by errors first and then by size, and the lines that are in no group."""
    kinds: dict[tuple[str, str, str], list[CheckLine]] = {}
    for line in lines:
        kinds.setdefault((line.level, line.newsletter, _kind(line.message)), []).append(line)
    groups = [_group(found) for found in kinds.values() if len(found) >= _LEAST_GROUP]
    groups.sort(key=lambda group: (group.level != "error", -len(group.lines)))
    inside = {id(line) for group in groups for line in group.lines}
    return groups, [line for line in lines if id(line) not in inside]


def plain_lines(lines: Sequence[CheckLine], *, every: bool) -> Iterator[str]:
    """Yield the lines that editors and grep understand. A group becomes its summary and first lines, unless `every`."""
    groups, rest = ([], lines) if every else grouped(lines)
    for group in groups:
        yield f"{group.level}: {group.summary}"
    for group in groups:
        yield from map(_plain_line, group.shown)
        yield f"note: {group.rest:,} more of {group.what!r}; --verbose shows all"
    yield from map(_plain_line, rest)


def _plain_line(line: CheckLine) -> str:
    place = f"{line.where}: " if line.where else ""
    return f"{line.level}: {place}{line.text}"


def github_lines(lines: Sequence[CheckLine], root: Path, *, every: bool) -> Iterator[str]:
    """Yield a workflow command for each line, with which GitHub shows it next to the file; a group has only one.

    root: the project. Paths are relative to the repository, GITHUB_WORKSPACE, in which the project may be a folder.
    """
    groups, rest = ([], lines) if every else grouped(lines)
    for group in groups:
        yield _command(group.lines[0], f"{group.summary}; here: {group.lines[0].text}", root)
    yield from (_command(line, line.text, root) for line in rest)


_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


def _command(line: CheckLine, text: str, root: Path) -> str:
    place = {"file": _in_repository(line.path, root), "line": str(line.line or "")} if line.path else {}
    properties = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in place.items() if value)
    return f"::{_LEVELS[line.level]}{' ' if properties else ''}{properties}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    for sign in ("%", "\r", "\n", *more):
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _in_repository(path: str, root: Path) -> str:
    """Return the path of a project file within the repository; "" for a URL."""
    if "://" in path:
        return ""
    workspace = os.environ.get("GITHUB_WORKSPACE", "")
    top = Path(workspace).resolve() if workspace else root.resolve()
    file = root.resolve() / path
    return file.relative_to(top).as_posix() if file.is_relative_to(top) else path


def _kind(message: str) -> str:
    """Return a message without the words that it quotes."""
    return _NUMBER.sub("0", _QUOTED.sub("…", _parted(message)[0]))


def _parted(message: str) -> tuple[str, list[str]]:
    """Split off the list of another tool's tags at the end of a message; return the rest of it, and the tags."""
    plain = _MORE_LINES.sub("", message)
    found = _TAGS.search(plain)
    return (plain[: found.start()], plain[found.end() :].split(", ")) if found else (plain, [])


def _group(lines: Sequence[CheckLine]) -> Group:
    if all(line.message == lines[0].message for line in lines):
        return Group(lines, lines[0].message, "")
    tags = Counter(tag for line in lines for tag in dict.fromkeys(_parted(line.message)[1]))
    what = _QUOTED.sub("…", _parted(lines[0].message)[0])
    return Group(lines, what, tags.most_common(1)[0][0] if tags else "")
