"""Data in the files of other tools: YAML, TOML, JSON and CSV, such as _config.yml, hugo.toml and _data/authors.yml.

The files come from outside. Each is bounded in size, depth and number of values, including those that aliases repeat,
and a long one is parsed in the bounded process. A link that leads out of the project, or to something private, is
refused.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tomllib
from collections.abc import Container
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from publisher.core import patterns
from publisher.core.errors import PublisherError
from publisher.core.private_folder import STATE_FOLDER
from publisher.posts import bounded_child
from publisher.posts.bounded_process import OverLimit, TimeLimit, shared_process

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML without libyaml is slower but otherwise the same
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

# A value of a data file. A date is text, in ISO 8601.
Data = None | bool | int | float | str | list["Data"] | dict[str, "Data"]

# The extensions of data files. Where a folder has two files of one name, the tools read the first of these.
DATA_ENDINGS = (".yml", ".yaml", ".json", ".toml", ".csv", ".tsv")

MOST_DATA_BYTES = 5_000_000
_MOST_VALUES = 200_000
_DEEPEST_DATA = 50
# A text counts as one more value for each run of this many characters, as aliases may repeat it.
_CHARACTERS = 1_000
# A file up to this many characters costs little, whatever it contains.
_HARMLESS = 2_000
_TIME = TimeLimit()


class DataError(PublisherError):
    """A data file cannot be read."""


def read_data(path: Path, root: Path, *, as_text: bool = False) -> Data:
    """Return the data in a data file of the project in `root`; None if the file is empty.

    as_text  whether to keep each scalar as the text that its writer typed, as front matter is read

    The first line of CSV names the columns, so that each other line is a table. Raises DataError, in one line with the
    file's path in the project, if the file cannot be read.
    """
    try:
        return parse_data(text_of(path, root), path.suffix, as_text=as_text)
    except DataError as error:
        raise DataError(error.message, where=f"{_shown(path, root)}{error.where}", hint=error.hint) from error


def text_of(path: Path, root: Path, endings: Container[str] = DATA_ENDINGS) -> str:
    """Return the text of a file that is not too long; raise DataError, without its path, if it cannot be read."""
    try:
        real = _inside(path, root, endings)
        size = real.stat().st_size
        if size > MOST_DATA_BYTES:
            what = f"is {size / 1_000_000:.0f} MB; a data file may have at most {MOST_DATA_BYTES // 1_000_000} MB"
            raise DataError(what, hint="split it")
        return real.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("is not text in UTF-8", hint="save it as UTF-8") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or "no file can have this name"
        raise DataError(f"cannot be read: {why}") from error


def parse_data(text: str, ending: str, *, as_text: bool = False) -> Data:
    """Return the data in a text. ending: one of DATA_ENDINGS. as_text: see read_data.

    Raises DataError, whose `where` is ":LINE" if the line is known.
    """
    if bounded_child.is_child or len(text) <= _HARMLESS:
        return _parsed(text, ending, as_text)
    try:
        found: Data = shared_process().call(_parsed, text, ending, as_text, seconds=_TIME.for_size(len(text)))
    except OverLimit as over:
        raise DataError(over.said("to read"), hint="simplify it") from over
    return found


def read_front(path: Path, root: Path) -> dict[str, Data]:
    """Return the front matter of a page of another tool, such as a section's _index.md, with its scalars as text.

    It is empty if the page has none. Raises DataError as read_data does.
    """
    try:
        text = text_of(path, root, (path.suffix.lower(),)).replace("\r\n", "\n")
        fence = text[:3]
        if fence in ("---", "+++"):
            block = text[3:].partition(f"\n{fence}")[0].partition("\n")[2]
            found = parse_data(block, ".yml" if fence == "---" else ".toml", as_text=True)
        elif text.startswith("{"):
            end = text.find("\n}")
            found = parse_data(text[: end + 2] if end > 0 else text.partition("\n")[0], ".json", as_text=True)
        else:
            return {}
    except DataError as error:
        raise DataError(error.message, where=_shown(path, root), hint=error.hint) from error
    return found if isinstance(found, dict) else {}


def data_file(folder: Path, name: str) -> Path | None:
    """Return the data file in a folder whose name, without its extension, is this one; None if there is none."""
    return next((path for ending in DATA_ENDINGS if (path := folder / f"{name}{ending}").is_file()), None)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _inside(path: Path, root: Path, endings: Container[str]) -> Path:
    """Return the path of a file with symbolic links resolved; raise DataError if that file may not be read."""
    real, top = path.resolve(), root.resolve()
    if not real.is_relative_to(top):
        raise DataError("is outside the project", hint="copy it into the project")
    parts = real.relative_to(top).parts
    is_link = not path.is_relative_to(root) or real != top / path.relative_to(root)
    is_hidden = any(part.startswith(".") for part in parts) or real.suffix.lower() not in endings
    if STATE_FOLDER in parts or real.name == "publisher.toml" or (is_link and is_hidden):
        raise DataError("leads to something private, so it is not read", hint="copy what you need from it")
    return real


def _parsed(text: str, ending: str, as_text: bool) -> Data:
    """Parse a text in this process."""
    kind = PurePosixPath(f"x{ending}").suffix.lower()
    try:
        if kind in (".yml", ".yaml"):
            return _YamlData(as_text).parse(text)
        if kind in (".csv", ".tsv"):
            return _table(text, "\t" if kind == ".tsv" else ",")
        found = _toml(text, as_text) if kind == ".toml" else _json(text, as_text) if kind == ".json" else None
    except RecursionError as error:
        raise _too_deep() from error
    if kind not in DATA_ENDINGS:
        raise DataError(f"{ending} is not the extension of a data file", hint=f"use {', '.join(DATA_ENDINGS)}")
    _require_bounded(found)
    return found


def _too_deep(line: int = 0) -> DataError:
    where = f":{line}" if line else ""
    return DataError("its values are nested too deeply, or contain themselves", where=where, hint="simplify it")


def _too_many(line: int = 0) -> DataError:
    where = f":{line}" if line else ""
    return DataError(f"has more than {_MOST_VALUES:,} values", where=where, hint="split it, or remove YAML aliases")


def _require_bounded(data: Data) -> None:
    """Raise DataError if there are too many values, or if they are nested too deeply."""
    pending, count = [(data, 0)], 0
    while pending:
        value, depth = pending.pop()
        count += 1
        if depth > _DEEPEST_DATA:
            raise _too_deep()
        if isinstance(value, dict | list):
            pending += [(each, depth + 1) for each in (value.values() if isinstance(value, dict) else value)]
        if count + len(pending) > _MOST_VALUES:
            raise _too_many()


def _toml(text: str, as_text: bool) -> Data:
    try:
        return _plain(tomllib.loads(text, parse_float=str if as_text else _finite), as_text)
    except ValueError as error:
        said, _, place = str(error).partition(" (at ")
        line = re.search(r"line (\d+)", place)
        raise DataError(f"is not valid TOML: {said}", where=f":{line[1]}" if line else "", hint="correct it") from error


def _plain(value: object, as_text: bool) -> Data:
    """Return a value of TOML or JSON with its dates as text, or with all scalars as text."""
    if isinstance(value, dict):
        return {key: _plain(item, as_text) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, as_text) for item in value]
    if isinstance(value, bool):
        return ("true" if value else "false") if as_text else value
    if value is None or (isinstance(value, int | float) and not as_text):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _json(text: str, as_text: bool) -> Data:
    if not text.strip():
        return None
    kinds: dict[str, Any] = {"parse_int": str, "parse_float": str} if as_text else {"parse_float": _finite}
    try:
        return _plain(json.loads(text, parse_constant=lambda _: None, **kinds), as_text)
    except json.JSONDecodeError as error:
        raise DataError(f"is not valid JSON: {error.msg}", where=f":{error.lineno}", hint="correct it") from error
    except ValueError as error:
        raise DataError("has a number with thousands of digits", hint="put it in quotes") from error


def _finite(text: str) -> float | None:
    """Return a number; None for one that is infinite."""
    return number if math.isfinite(number := float(text)) else None


def _table(text: str, delimiter: str) -> Data:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = next(rows, [])
        found: list[Data] = []
        left = _MOST_VALUES
        for row in rows:
            left -= len(row) + 1
            if left < 0:
                raise _too_many(rows.line_num)
            if row:
                found.append(dict(zip(names, row, strict=False)))
    except csv.Error as error:
        raise DataError(f"is not valid CSV: {error}", where=f":{rows.line_num}", hint="correct it") from error
    return found


_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_INTEGER = patterns.compile(r"[-+]?(?:0|[1-9][0-9_]{0,17})", re.ASCII)
_FLOAT = patterns.compile(r"[-+]?(?:[0-9]{1,30}\.[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)


class _Merge:
    """The key `<<`, whose value is a table that becomes part of the table around it."""


class _Open:
    """A list or table whose end has not been read.

    begin  how many values there were before it
    key    the key whose value comes next; None if a key comes next
    """

    def __init__(self, value: list[Data] | dict[str, Data], anchor: str | None, begin: int) -> None:
        self.value, self.anchor, self.begin = value, anchor, begin
        self.key: str | type[_Merge] | None = None
        self.merged: list[Data] = []

    @property
    def awaits_key(self) -> bool:
        """Whether the next value is a key."""
        return self.key is None and isinstance(self.value, dict)

    def add(self, value: Data) -> None:
        """Add a value to a list, or a key or the value of a key to a table."""
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is None:
            self.key = value if isinstance(value, str) else ""  # no tool uses a list or table as a key
        else:
            if self.key is _Merge:
                self.merged += value if isinstance(value, list) else [value]
            elif isinstance(self.key, str):
                self.value[self.key] = value
            self.key = None

    def closed(self) -> Data:
        """Return the list or table, with the tables that are merged into it."""
        for table in self.merged:
            if isinstance(table, dict) and isinstance(self.value, dict):
                self.value = table | self.value
        return self.value


class _YamlData:
    """The values of a YAML text, from the events of its parser, so without recursion or a tree.

    A tag such as !ENV or !!python/name changes nothing. The second document of a text is not read.
    """

    def __init__(self, as_text: bool) -> None:
        self._as_text = as_text
        self._count = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Data, int]] = {}
        self._result: Data = None

    def parse(self, text: str) -> Data:
        """Return the first document of a YAML file as data."""
        try:
            for event in yaml.parse(text, _Loader):
                if isinstance(event, yaml.DocumentEndEvent):
                    break
                self._take(event)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or (str(error).splitlines() or ["unreadable"])[0]
            where = f":{min(mark.line, text.rstrip().count(chr(10))) + 1}" if mark else ""
            raise DataError(f"is not valid YAML: {said}", where=where, hint="correct it") from error
        return self._result

    def _take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.ScalarEvent):
            if not self._is_merge(event):
                self._add(self._scalar(event), event.anchor, 1 + len(event.value) // _CHARACTERS, line)
        elif isinstance(event, yaml.AliasEvent):
            name = event.anchor or ""
            if name not in self._anchors:
                raise DataError(
                    f"the alias *{name[:40]} does not name a complete value above it",
                    where=f":{line}",
                    hint="correct it",
                )
            value, size = self._anchors[name]
            self._add(value, None, size, line)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) >= _DEEPEST_DATA:
                raise _too_deep(line)
            empty: list[Data] | dict[str, Data] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            self._open.append(_Open(empty, event.anchor, self._count))
            self._anchors.pop(event.anchor or "", None)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            self._add(done.closed(), done.anchor, 1, line, begin=done.begin)

    def _add(self, value: Data, anchor: str | None, size: int, line: int, begin: int | None = None) -> None:
        """Put a value into the list or table that is open. size: how many values in it are not counted yet."""
        begin = self._count if begin is None else begin
        self._count += size
        if self._count > _MOST_VALUES:
            raise _too_many(line)
        if anchor:
            self._anchors[anchor] = (value, self._count - begin)
        if self._open:
            self._open[-1].add(value)
        else:
            self._result = value

    def _is_merge(self, event: yaml.ScalarEvent) -> bool:
        """Return whether a scalar is the key of a merge, and note it."""
        if event.value != "<<" or event.style or not (self._open and self._open[-1].awaits_key):
            return False
        self._open[-1].key = _Merge
        return True

    def _scalar(self, event: yaml.ScalarEvent) -> Data:
        text = str(event.value)
        if event.style or not event.implicit[0] or (self._open and self._open[-1].awaits_key):
            return text
        return None if text in _NULLS else text if self._as_text else _typed(text)


def _typed(text: str) -> Data:
    """Return the value that a plain scalar has in YAML 1.1, except for numbers in base 60 and 8."""
    if (value := _BOOLEANS.get(text.lower())) is not None:
        return value
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    return float(text) if _FLOAT.fullmatch(text) else text
