"""The values that other tools' programs set, as far as they can be read without running them.

Eleventy's front matter and data files are JavaScript: a table `{...}`, or lines such as `const title = "..."`.
Pelican's settings are Python. Plain values are read as data. A value that has to be computed is refused, since it might
hide a post.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.blog_tools.data_files import Data, DataError, parse_data

SCRIPTS = (".js", ".cjs", ".mjs")

_QUOTED = r"""(?:"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|`(?:[^`\\]|\\.)*+`?)"""
_TOKEN = patterns.compile(
    rf"""
    (?P<space>\s++ | //[^\n]*+ | /\*(?:[^*]|\*(?!/))*+(?:\*/)?)
    |(?:new[ ]{{1,4}}Date\([ ]{{0,4}}(?P<day>{_QUOTED})[ ]{{0,4}}\))
    |(?P<text>{_QUOTED})
    |(?:(?:const|let|var)[ \t]{{1,9}}(?P<name>[A-Za-z_$][\w$]*+)[ \t]{{0,9}}=(?![=>]))
    |(?P<number>-?\d[\w.]*+)
    |(?P<word>[A-Za-z_$][\w$]*+)
    |(?P<sign>[\[\]{{}}:,;])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = patterns.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": "", "b": "", "f": "", "v": "", "0": ""}
_LITERALS = {"true": "true", "false": "false", "null": "null", "undefined": "null"}
_OPENING, _CLOSING = "{[", "}]"
_EXPORT = patterns.compile(r"(?:export\s+default|module\.exports\s*=)\s*(?=\{)")
_LINE_COMMENT = patterns.compile(r"^[ \t]*+//.*$", re.MULTILINE)


class ScriptError(DataError):
    """A file of JavaScript would have to be run. line: the line that cannot be read without running it, from 1."""

    def __init__(self, message: str, *, where: str = "", hint: str = "", line: int = 1) -> None:
        super().__init__(message, where=where, hint=hint)
        self.line = line


class _Word(NamedTuple):
    kind: str
    text: str
    line: int


class ScriptValues(NamedTuple):
    """The values by key, and the line of each key, from 1."""

    fields: dict[str, Data]
    lines: dict[str, int]


def script_values(text: str) -> ScriptValues:
    """Return the values of a table or of constants, with every scalar as text.

    Raises ScriptError, with the line, for anything that has to be computed, and for a key that is written twice.
    """
    tokens = list(_tokens(text))
    is_table = bool(tokens) and tokens[0].text == "{"
    lines = _lines_of_keys(tokens, is_table=is_table)
    table = "".join(map(_as_yaml, tokens))
    return ScriptValues(_parsed(table if is_table else f"{{{table.removeprefix(',')}}}"), lines)


def _lines_of_keys(tokens: list[_Word], *, is_table: bool) -> dict[str, int]:
    """Return the line of each key or constant; raise ScriptError unless the text is one table, or constants."""
    lines: dict[str, int] = {}
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.kind == "sign") * ((token.text in _OPENING) - (token.text in _CLOSING))
        if token.kind == ("key" if is_table else "name") and depth == is_table:
            if token.text in lines:
                raise _computed(token)
            lines[token.text] = token.line
        is_misplaced = (token.kind == "name" and (depth or is_table)) or (token.kind == "key" and not depth)
        is_outside = not depth and not is_table and not lines
        if is_misplaced or is_outside or _is_empty(tokens, at):
            raise _computed(token)
        if token == ("sign", ";", token.line) and (depth or (is_table and at + 1 < len(tokens))):
            raise _computed(token)
    return lines


def _is_empty(tokens: list[_Word], at: int) -> bool:
    """Return whether the constant at this index has no value."""
    after = tokens[at + 1] if at + 1 < len(tokens) else _Word("sign", ";", 0)
    return tokens[at].kind == "name" and (after.kind == "name" or (after.kind, after.text) == ("sign", ";"))


def _as_yaml(token: _Word) -> str:
    if token.kind == "name":
        return f",\n{json.dumps(token.text)}: "
    if token.kind == "key":
        return json.dumps(token.text, ensure_ascii=False)
    signs = {":": ": ", ",": ", ", ";": ""}
    return signs.get(token.text, token.text) if token.kind == "sign" else f"{token.text} "


def _parsed(table: str) -> dict[str, Data]:
    try:
        found = parse_data(table, ".yml", as_text=True)
    except DataError as error:
        raise ScriptError("is not a table of plain values") from error
    if not isinstance(found, dict):
        raise ScriptError("is not a table of plain values")
    return found


def _tokens(text: str) -> Iterator[_Word]:
    """Yield the tokens of a text without comments, each string as JSON; raise ScriptError for anything else."""
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        token = _Word(found.lastgroup or "", found[found.lastgroup or 0], line) if found else None
        if found is None or token is None:
            raise ScriptError(f"has to be run because of {text[at : at + 30].partition(chr(10))[0]!r}", line=line)
        at = found.end()
        line += found[0].count("\n")
        if token.kind == "space":
            continue
        if token.kind in ("day", "text"):
            yield _string(token, is_key=text[at : at + 9].lstrip()[:1] == ":")
        elif token.kind == "word" and text[at : at + 9].lstrip()[:1] == ":":
            yield token._replace(kind="key")
        elif token.kind == "word":
            if token.text not in _LITERALS:
                raise _computed(token)
            yield token._replace(text=_LITERALS[token.text])
        else:
            yield token


def _string(token: _Word, *, is_key: bool) -> _Word:
    quote, text = token.text[0], token.text[1:-1]
    if len(token.text) < 2 or token.text[-1] != quote or (quote == "`" and "${" in text):
        raise _computed(token)
    text = _ESCAPE.sub(_character, text)
    return (
        token._replace(kind="key", text=text) if is_key else token._replace(text=json.dumps(text, ensure_ascii=False))
    )


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if not code:
        return _ESCAPES.get(found[4], found[4])
    number = int(code, 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else ""


def _computed(token: _Word) -> ScriptError:
    return ScriptError(f"has to be run because of {token.text[:30].partition(chr(10))[0]!r}", line=token.line)


def exported(text: str) -> Data:
    """Return the table that a file of JavaScript exports; raise ScriptError if it is more than a plain table."""
    text = _LINE_COMMENT.sub("", _without_comments(text)).strip()
    found = _EXPORT.match(text)
    if found is None:
        raise ScriptError("is a program")
    return script_values(text[found.end() :]).fields


def _without_comments(text: str) -> str:
    """Return a program without its comments between /* and */."""
    first, *rest = text.split("/*")
    return first + "".join(part.partition("*/")[2] for part in rest)


def metadata_in(text: str) -> Data:
    """Return DEFAULT_METADATA of a program, without running it."""
    try:
        assigned = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
        named = [
            node.value
            for node in assigned
            if any(getattr(each, "id", "") == "DEFAULT_METADATA" for each in node.targets)
        ]
        found = dict(ast.literal_eval(named[-1])) if named else {}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise DataError("DEFAULT_METADATA is not a plain table", hint="write it as {'status': 'draft'}") from error
    return {str(key): str(value) for key, value in found.items()}
