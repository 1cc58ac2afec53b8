"""Advice on how to correct a line of invalid TOML, for someone who does not know TOML."""

from __future__ import annotations

import json
import tomllib

from publisher.core import patterns

_KEY = patterns.compile(r"[A-Za-z0-9_.\"'-]+")
_UNCLOSED = patterns.compile(r"[A-Za-z0-9_.\"-]+ *= *'(?!'')[^']*")
_DATE = patterns.compile(r"\d{4}-\d\d")
# Parts of the names of keys whose values must not appear in messages.
_SECRET = ("password", "secret", "signing_key")
_CURLY = "“”„«»‘’"
_LONGEST_LINE = 500  # characters; no one writes a longer one by hand
_LONGEST = 60  # characters of a value in a hint

Advice = tuple[str, str]
"""What is wrong, and how to write it."""


def advice_on(lines: list[str], number: int) -> tuple[int, Advice] | None:
    """Return the line of a mistake with advice on it, or None if Python's own message says it best.

    lines   all lines of the file
    number  the line, from 1, at which Python stopped
    """
    # A text whose single quote is never closed extends to the next such quote, which may be several lines below.
    for earlier in range(max(1, number - 20), min(number, len(lines)) + 1):
        if _UNCLOSED.fullmatch(lines[earlier - 1][:_LONGEST_LINE].strip()):
            return (earlier, found) if (found := _advice_on_line(lines[earlier - 1])) else None
    found = _advice_on_line(lines[number - 1]) if number <= len(lines) else None
    return (number, found) if found else None


def _advice_on_line(line: str) -> Advice | None:
    line = line[:_LONGEST_LINE].strip()
    found = _KEY.match(line)
    if not found or _is_valid(line):
        return None
    key, rest = found[0], line[found.end() :].lstrip()
    sign = rest[0] if rest.startswith(("=", ":")) else ""
    value = rest.removeprefix(sign).lstrip()
    if any(word in line.lower() for word in _SECRET) or ("://" in value and "@" in value):
        return "a password or secret needs quotes around it, and = before it", 'write it like password = "..."'
    if sign == ":":
        return "a key is followed by = and not by a colon", f"write {key} = {_quoted(value)}"
    if not sign and "=" in value:
        return "a key has no spaces", "docs/configuration.md lists the keys"
    if not sign:
        return "a line has a key, = and a value", f"write {key} = {_quoted(value)}" if value else f'write {key} = "..."'
    return _advice_on_value(key, value)


def _is_valid(line: str) -> bool:
    try:
        tomllib.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _advice_on_value(key: str, value: str) -> Advice | None:
    bare = value.partition(" #")[0].strip()
    if not bare or bare.startswith("#"):
        return f"{key} has no value", f'write {key} = "..."'
    if bare.lower() in ("true", "false"):
        return "true and false are written in lower case", f"write {key} = {bare.lower()}"
    if bare[0] in _CURLY:
        return "text needs straight quotes", f"write {key} = {_quoted(bare.strip(_CURLY))}"
    if bare[0] in "\"'":
        return None if bare.startswith(('"""', "'''")) else _advice_on_text(key, bare)
    if bare[0] in "[{" or _DATE.match(bare):
        return None
    return "text needs quotes", f"write {key} = {_quoted(bare)}"


def _advice_on_text(key: str, text: str) -> Advice | None:
    mark, inside = text[0], text[1:]
    if mark not in inside:
        return "the text has no closing quote", f"write {key} = {_quoted(inside.rstrip(_CURLY))}"
    if not inside.endswith(mark):
        return "something follows the text", "put it inside the quotes, or remove it"
    inside = inside[:-1]
    if mark == '"' and "\\" in inside and mark not in inside:
        return "a backslash needs single quotes around the text", f"write {key} = '{inside[:_LONGEST]}'"
    return ("the text has a quote in the middle", f"write {key} = {_quoted(inside)}") if mark in inside else None


def _quoted(value: str) -> str:
    """Return a value as TOML: unchanged if it is quoted, a number, a list, true or false; otherwise as quoted text."""
    text = value.strip()
    if _is_valid(f"x = {text}"):
        return text[: _LONGEST + 2]
    return json.dumps(text[:_LONGEST], ensure_ascii=False)
