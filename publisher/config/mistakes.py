"""What is wrong with a configuration: every mistake, with its line and the mend."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePosixPath
from typing import Any, get_args, get_origin, get_type_hints

from publisher.config.environment import CONFIG_FILE, variables
from publisher.config.fits import fits
from publisher.config.keys import Config
from publisher.config.theme import unreadable_themes
from publisher.core.errors import PublisherError

Path = tuple[str | int, ...]


# What a value has to be, by the kind of pydantic's error.
_WANTED = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a whole number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dataclass_type": "must be a table",
    "dataclass_exact_type": "must be a table",
}

# Keys whose values no message may repeat.
_SECRETS = (
    ("mail", "smtp", "password"),
    ("mail", "relays", "password"),
    ("database", "url"),
    ("bounces", "password"),
    ("bounces", "postmark", "secret"),
    ("bounces", "mailgun", "signing_key"),
)


class Places:
    """Where a key got its value: a line of the file, or a variable."""

    def __init__(self, text: str, env: Mapping[str, str]) -> None:
        self._lines = KeyLines(text)
        self._variables: dict[Path, str] = {keys: name for name, (keys, _) in variables().items() if name in env}

    def of(self, path: Path) -> tuple[int, str]:
        """Return the line and "publisher.toml:line", or 0 and the name of the variable that set the key."""
        for length in range(len(path), 0, -1):
            if name := self._variables.get(path[:length]):
                return 0, name
        line = self._lines.of(path)
        return line, f"{CONFIG_FILE}:{line}" if line else CONFIG_FILE


def find_mistakes(
    raw: dict[str, Any], text: str, env: Mapping[str, str], unknown_variables: list[str]
) -> list[PublisherError]:
    """Validate the table `raw` that `text` and the variables made; return the mistakes: variables', then by line."""
    found: list[tuple[int, PublisherError]] = [(0, _unknown_variable(name)) for name in unknown_variables]
    garbled = (name for name in sorted(env) if re.search("[\ud800-\udfff]", env[name]))
    found += [(0, PublisherError("not UTF-8 text", where=name)) for name in garbled]
    places = Places(text, env)
    if not fits(Config, raw):
        found.extend(_of_single_keys(raw, places))
    found.extend(_beyond_single_keys(raw, places))
    return [mistake for _, mistake in sorted(found, key=lambda pair: pair[0])]


def _of_single_keys(raw: dict[str, Any], places: Places) -> Iterator[tuple[int, PublisherError]]:
    from pydantic import TypeAdapter, ValidationError

    # Strict mode takes tables and arrays only as JSON.
    data = json.dumps(raw, ensure_ascii=False).encode("utf-8", "replace")
    try:
        TypeAdapter(Config).validate_json(data)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            path = _clean_path(item["loc"])
            line, where = places.of(path)
            yield line, _mistake(path, where, item)


def _clean_path(loc: tuple[str | int, ...]) -> Path:
    return tuple(part for part in loc if not (isinstance(part, str) and part.startswith(("function-", "dataclass"))))


def _mistake(path: Path, where: str, item: Any) -> PublisherError:
    name = _dotted(path)
    kind = item["type"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return _unknown_key(path, where)
    if kind in ("missing", "missing_argument"):
        return PublisherError(f"{name} is missing", where=where, hint=f"add {_example(path)}")
    if kind == "value_error":
        return PublisherError(f"{name}: {item['ctx']['error']}", where=where)
    choice = f"must be {item['ctx']['expected']}" if kind == "literal_error" else item["msg"]
    message = _WANTED.get(kind, choice)
    keys = tuple(part for part in path if isinstance(part, str))
    hidden = isinstance(item["input"], dict) or any(keys == secret[: len(keys)] for secret in _SECRETS)
    shown = "" if hidden else f", not {item['input']!r}"
    hint = "write [[newsletters]]" if path == ("newsletters",) else ""
    return PublisherError(f"{name}: {message}{shown}", where=where, hint=hint)


def _unknown_key(path: Path, where: str) -> PublisherError:
    near = difflib.get_close_matches(str(path[-1]), _siblings(path), n=1, cutoff=0.5)
    known = f"did you mean {near[0]}?" if near else f"known here: {', '.join(_siblings(path))}"
    return PublisherError(f"{_dotted(path)} is no known key", where=where, hint=known)


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
    near = difflib.get_close_matches(name, variables(), n=1, cutoff=0.8)
    hint = f"did you mean {near[0]}?" if near else "docs/configuration.md lists them"
    return PublisherError("sets no known key", where=name, hint=hint)


def _beyond_single_keys(raw: dict[str, Any], places: Places) -> Iterator[tuple[int, PublisherError]]:
    """Mistakes that only show when keys are seen together, and the one key that the program sets itself."""
    if "root" in raw:
        line, where = places.of(("root",))
        yield line, _unknown_key(("root",), where)
    yield from _names_taken(raw, places)
    yield from _folders_inside_each_other(raw, places)
    for path, wrong, hint in unreadable_themes(raw):
        line, where = places.of(path)
        yield line, PublisherError(f"{_dotted(path)}: {wrong}", where=where, hint=hint)
    mail = raw.get("mail")
    if isinstance(mail, dict) and "smtp" in mail and "relays" in mail:
        line, where = places.of(("mail", "relays"))
        message = "mail.relays: [mail.smtp] names a server too, and would never be used"
        yield line, PublisherError(message, where=where, hint="write it as one of the [[mail.relays]]")
    if isinstance(mail, dict) and mail.get("transport") == "smtp" and not _has_sender(raw, mail):
        line, where = places.of(("mail", "transport"))
        hint = 'add sender = "Ada <ada@example.org>" under [mail]'
        yield line, PublisherError("mail.sender is missing: smtp needs a From address", where=where, hint=hint)


def _has_sender(raw: dict[str, Any], mail: dict[str, Any]) -> bool:
    newsletters = raw.get("newsletters")
    own = isinstance(newsletters, list) and all(isinstance(n, dict) and n.get("sender") for n in newsletters)
    return bool(mail.get("sender") or (newsletters and own))


def _names_taken(raw: dict[str, Any], places: Places) -> Iterator[tuple[int, PublisherError]]:
    seen: dict[str, int] = {}
    newsletters = raw.get("newsletters")
    for number, item in enumerate(newsletters if isinstance(newsletters, list) else []):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name in seen:
            line, where = places.of(("newsletters", number, "name"))
            message = f"newsletters[{number + 1}].name: {name!r} is the name of newsletters[{seen[name] + 1}] too"
            yield line, PublisherError(message, where=where, hint="rename one")
        elif isinstance(name, str):
            seen[name] = number


# Pairs of folders of which neither may be in the other, and what would happen.
_APART = (
    (("pages", "output"), ("posts", "folder"), "pages would become posts, or drafts would be public"),
    (("pages", "output"), ("pages", "static"), "the output would be copied into itself"),
    (("pages", "output"), ("mail", "outbox"), "letters and addresses would be public"),
    (("pages", "static"), ("mail", "outbox"), "letters and addresses would be public"),
)


def _folders_inside_each_other(raw: dict[str, Any], places: Places) -> Iterator[tuple[int, PublisherError]]:
    for one, other, why in _APART:
        first, second = _folder(raw, one), _folder(raw, other)
        if first and second and (first[: len(second)] == second or second[: len(first)] == first):
            written = [place for place in (places.of(one), places.of(other)) if place[1] != CONFIG_FILE]
            line, where = max(written, key=lambda place: (place[0] == 0, place[0]))  # a variable, or the later line
            message = f"{_dotted(one)} and {_dotted(other)} must be apart: {why}"
            yield line, PublisherError(message, where=where, hint="choose another folder")


def _folder(raw: dict[str, Any], key: tuple[str, str]) -> tuple[str, ...]:
    """The parts of a folder's path as the file system may compare them; none for what is no path."""
    section, name = key
    default = next(item.default for item in fields(get_type_hints(Config)[section]) if item.name == name)
    table = raw.get(section, {})
    value = table.get(name, default) if isinstance(table, dict) else default
    parts = PurePosixPath(value.replace("\\", "/").casefold()).parts if isinstance(value, str) else ()
    return parts if ".." not in parts else ()


class KeyLines:
    """Finds the line of a key by parsing growing beginnings of the file: right for every TOML spelling."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")  # TOML knows no other end of a line; splitlines() knows nine
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
