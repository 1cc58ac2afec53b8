"""What is wrong with a configuration: every mistake, with its line and the mend."""

from __future__ import annotations

import difflib
import json
import tomllib
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from publisher.config.keys import Config
from publisher.config.load import CONFIG_FILE, variables
from publisher.errors import PublisherError

Path = tuple[str | int, ...]


def find_mistakes(raw: dict[str, Any], text: str, unknown_variables: list[str]) -> list[PublisherError]:
    """Validate the table `raw` that `text` and the environment made; return the mistakes in file order."""
    found: list[tuple[int, PublisherError]] = [(0, _unknown_variable(name)) for name in unknown_variables]
    lines = KeyLines(text)
    try:
        TypeAdapter(Config).validate_json(json.dumps(raw))  # strict mode takes tables and arrays only as JSON
    except ValidationError as error:
        for item in error.errors(include_url=False):
            path = _clean_path(item["loc"])
            line = lines.of(path)
            found.append((line, _mistake(path, line, item)))
    found.extend(_beyond_single_keys(raw, lines))
    return [mistake for _, mistake in sorted(found, key=lambda pair: pair[0])]


def _clean_path(loc: tuple[str | int, ...]) -> Path:
    return tuple(part for part in loc if not (isinstance(part, str) and part.startswith(("function-", "dataclass"))))


def _mistake(path: Path, line: int, item: Any) -> PublisherError:
    name = _dotted(path)
    where = f"{CONFIG_FILE}:{line}" if line else CONFIG_FILE
    kind = item["type"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        near = difflib.get_close_matches(str(path[-1]), _siblings(path), n=1, cutoff=0.5)
        known = f"did you mean {near[0]}?" if near else f"known here: {', '.join(_siblings(path))}"
        return PublisherError(f"{name} is no known key", where=where, mend=known)
    if kind in ("missing", "missing_argument"):
        return PublisherError(f"{name} is missing", where=where, mend=f"add {_example(path)}")
    if kind == "value_error":
        return PublisherError(f"{name}: {item['ctx']['error']}", where=where)
    message = item["msg"][0].lower() + item["msg"][1:]
    message = message.replace("valid tuple", "list").replace("an instance of", "a table for")
    shown = "" if isinstance(item["input"], dict) or path[-1:] == ("password",) else f", not {item['input']!r}"
    return PublisherError(f"{name}: {message}{shown}", where=where)


def _example(path: Path) -> str:
    examples = {
        ("site",): 'a [site] table with title = "My letter" and url = "https://example.org"',
        ("site", "title"): 'title = "My letter" under [site]',
        ("site", "url"): 'url = "https://example.org" under [site]',
    }
    return examples.get(path, f'{path[-1]} = "weekly" under [[newsletters]]')  # type: ignore[arg-type]


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _siblings(path: Path) -> list[str]:
    """The known keys of the table that `path` stands in."""
    cls: Any = Config
    for part in path[:-1]:
        if isinstance(part, str):
            hint = get_type_hints(cls).get(part)
            cls = get_args(hint)[0] if get_origin(hint) is tuple else hint
        if not is_dataclass(cls):
            return []
    return [item.name for item in fields(cls) if item.name != "root"]


def _unknown_variable(name: str) -> PublisherError:
    near = difflib.get_close_matches(name, variables(), n=1, cutoff=0.6)
    mend = f"did you mean {near[0]}?" if near else "docs/configuration.md lists them"
    return PublisherError(f"the variable {name} sets no known key", where="environment", mend=mend)


def _beyond_single_keys(raw: dict[str, Any], lines: KeyLines) -> list[tuple[int, PublisherError]]:
    """Mistakes that only show when keys are seen together."""
    seen: dict[str, int] = {}
    found = []
    newsletters = raw.get("newsletters")
    for number, item in enumerate(newsletters if isinstance(newsletters, list) else []):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name in seen:
            line = lines.of(("newsletters", number, "name"))
            message = f"newsletters[{number + 1}].name: {name!r} is the name of newsletters[{seen[name] + 1}] too"
            found.append((line, PublisherError(message, where=f"{CONFIG_FILE}:{line}", mend="rename one")))
        elif isinstance(name, str):
            seen[name] = number
    mail = raw.get("mail")
    if isinstance(mail, dict) and mail.get("transport") == "smtp" and not mail.get("sender"):
        line = lines.of(("mail", "transport"))
        found.append(
            (
                line,
                PublisherError(
                    "mail.sender is missing: smtp needs a From address",
                    where=f"{CONFIG_FILE}:{line}",
                    mend='add sender = "Ada <ada@example.org>" under [mail]',
                ),
            )
        )
    return found


class KeyLines:
    """Finds the line of a key by parsing growing beginnings of the file: right for every TOML spelling."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._prefixes: list[tuple[int, dict[str, Any]]] | None = None

    def of(self, path: Path) -> int:
        """Return the line (from 1) on which `path` begins, or that of its nearest parent; 0 if there is none."""
        for length in range(len(path), 0, -1):
            line = self._first(path[:length])
            if line:
                return line
        return 0

    def _first(self, path: Path) -> int:
        before = 0
        for end, table in self._parsed():
            if _holds(table, path):
                return next(
                    (
                        n
                        for n in range(before + 1, end + 1)
                        if self._lines[n - 1].strip() and not self._lines[n - 1].lstrip().startswith("#")
                    ),
                    end,
                )
            before = end
        return 0

    def _parsed(self) -> list[tuple[int, dict[str, Any]]]:
        if self._prefixes is None:
            self._prefixes = []
            for end in range(1, len(self._lines) + 1):
                try:
                    table = tomllib.loads("\n".join(self._lines[:end]) + "\n")
                except tomllib.TOMLDecodeError:
                    continue  # in the middle of a value of several lines
                self._prefixes.append((end, table))
        return self._prefixes


def _holds(table: Any, path: Path) -> bool:
    for part in path:
        if isinstance(part, str):
            found = isinstance(table, dict) and part in table
        else:
            found = isinstance(table, list) and part < len(table)
        if not found:
            return False
        table = table[part]
    return True
