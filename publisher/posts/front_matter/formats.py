"""Handlers of YAML, TOML and JSON front matter for python-frontmatter, which return all values as text.

python-frontmatter splits the block and calls one of the three handlers here. They keep every scalar as the writer
typed it, remember the line of every key, and raise errors with messages that help the writer.
Only posts.front_matter.parsing imports this module, and only for front matter that it cannot parse by itself.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from typing import Any

import frontmatter
import yaml
from frontmatter.default_handlers import BaseHandler

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.posts.post_file import Head, Tree, Twice, Unread
from publisher.posts.text.encoding import without_controls
from publisher.posts.text.nesting import MOST_DEPTH

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML without libyaml is slower but otherwise the same
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

# Far more than real front matter has. A YAML alias bomb of a few hundred bytes quickly exceeds it.
MOST_NODES = 20_000

# A value may refer to another any number of times. Beyond this many characters, the values may be up to twice as long
# as the front matter.
_FREE_CHARACTERS = 100_000

# How many of the keys that are written twice are reported.
MOST_TWICE = 20

# How deeply lists and tables may be nested. The parsers and Python itself allow several hundred.
DEEPEST = MOST_DEPTH
# libyaml's own recursion ends the process with a segmentation fault. A shorter text cannot be nested deeply enough.
_SHALLOW_LENGTH = 2_000

# tomllib takes 12 seconds and 3 GB for a key of 30,000 parts.
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+')"""
_DOTTED = patterns.compile(rf"(?<![\w\"'.-])(?:{_PART}[ \t]*+\.[ \t]*+){{{DEEPEST + 1}}}")

_TOML_KEY = r"""["']?([\w-]+)["']?\s*="""

_STR, _NULL, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"


def parse_block(block: str) -> Head:
    """Parse a block of front matter including its fences; return it as a Head without a body.

    Raises PostError, with the line, if the block cannot be read.
    """
    handler = _YAML if block.startswith("---") else _TOML if block.startswith("+++") else _JSON
    metadata, _ = frontmatter.parse(block, handler=handler)
    head = metadata.get("head", Head({}))
    assert isinstance(head, Head)  # noqa: S101 - what every handler here returns
    if "\\" in block:
        return replace(head, fields={key: _without_controls(value) for key, value in head.fields.items()})
    return head


def _without_controls(value: Tree) -> Tree:
    """Remove the control characters and lone surrogates that escapes such as \\u0000 produce."""
    if isinstance(value, dict):
        return {key: _without_controls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_controls(item) for item in value]
    return without_controls(value)[0] if value else value


def wrong_fence(line: str) -> str:
    """Return the fault in a line that was probably intended as a fence, such as "has 4 hyphens"; "" for other lines."""
    signs = line.strip()
    names = {"-": "hyphens", "+": "plus signs", "–": "dashes", "—": "dashes"}
    if not 1 <= len(signs) <= 100 or len(set(signs)) != 1 or signs[0] not in names or signs in ("-", "+"):
        return ""
    if line.rstrip() in ("---", "+++"):
        return ""
    name = names[signs[0]] if len(signs) > 1 else "dash"
    return f"has spaces before its {name}" if signs in ("---", "+++") else f"has {len(signs)} {name}"


class _Handler(BaseHandler):
    """The part that all handlers have in common. split() expects a block that begins and ends with its fence."""

    fence = START_DELIMITER = END_DELIMITER = "---"
    FM_BOUNDARY = patterns.compile(r"^---", re.MULTILINE)

    def detect(self, text: str) -> bool:
        """Return True: the fence has already been checked."""
        return True

    def split(self, text: str) -> tuple[str, str]:
        """Return the front matter inside the fences. Raises PostError if the first line is not a fence."""
        first, _, rest = text.partition("\n")
        if first.strip() != self.fence:
            if why := wrong_fence(first):
                raise PostError(f"the first line {why}", hint=f"write exactly {self.fence}")
            raise PostError(
                f"the first line {first.strip()[:40]!r} doesn't open any known kind of front matter",
                hint=f"write {self.fence} alone on the line",
            )
        return rest.rpartition("\n")[0], ""


class Loader(_SafeLoader):
    """A YAML loader that treats plain scalars as text, null or a merge key, so that numbers and dates stay text.

    PyYAML's own resolver runs a regular expression for each scalar, which takes longer than parsing it.
    """

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Return the tag of a node. A plain scalar is null, a merge key or text."""
        if kind is not yaml.ScalarNode:
            return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]
        if implicit[0]:
            if value in ("", "~", "null", "Null", "NULL"):
                return _NULL
            if value == "<<":
                return _MERGE
        return _STR


class _YamlHandler(_Handler):
    def load(self, fm: str, **kwargs: object) -> Any:
        """Return the fields of front matter in YAML. Raises PostError if it is not valid."""
        try:
            _require_shallow_yaml(fm)
            loader = Loader(fm)
            try:
                node = loader.get_single_node()
                if node is None:
                    return {}
                if not isinstance(node, yaml.MappingNode):
                    raise PostError("the front matter is not a list of keys", line=2, hint="write key: value")
                keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
                lines = {str(key.value): key.start_mark.line + 2 for key in keys}
                values = _YamlValues(fm)
                fields = values.mapping(node)
                return {"head": Head(fields, lines, twice=tuple(values.twice), unread=tuple(values.unread))}
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            raise _yaml_error(error, fm) from error
        except (yaml.YAMLError, RecursionError) as error:
            raise _unreadable("YAML", error, line=2) from error


def _require_shallow_yaml(text: str) -> None:
    """Raise PostError, with the line, if lists and mappings in a YAML text are nested deeper than DEEPEST."""
    if len(text) <= _SHALLOW_LENGTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _too_deep("YAML", (event.start_mark.line if event.start_mark else 0) + 2)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _YamlValues:
    """A converter of YAML nodes to plain values, which accepts at most MOST_NODES nodes, DEEPEST deep."""

    def __init__(self, text: str) -> None:
        self.twice: list[Twice] = []
        self.unread: list[Unread] = []
        self._lines = text.split("\n")
        self._left = MOST_NODES
        self._characters = 2 * len(text) + _FREE_CHARACTERS
        self._depth = 0

    def mapping(self, node: yaml.MappingNode, table: str = "") -> dict[str, Tree]:
        """Return a mapping with the lines of its keys."""
        fields: dict[str, Tree] = {}
        lines: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif isinstance(key, yaml.ScalarNode):
                name, line = str(key.value), key.start_mark.line + 2
                if name in lines and len(self.twice) < MOST_TWICE:
                    self.twice.append(Twice(f"{table}{name}", lines[name], line))
                lines[name] = line
                fields[name] = self.value(value, f"{table}{name}.")
        # PyYAML's own merging copies before nodes can be counted, so nine lines of aliases would fill the memory.
        for source in merged:
            inherited = self.value(source)
            if isinstance(inherited, dict):
                fields = inherited | fields
        return fields

    def value(self, node: yaml.Node, table: str = "") -> Tree:
        """Return the value of a node. Raises PostError if aliases make it too large."""
        self._left -= 1
        self._characters -= len(node.value) if isinstance(node, yaml.ScalarNode) else 0
        if self._left < 0 or self._characters < 0:
            raise PostError("the front matter contains too many values", line=2, hint="remove its YAML aliases")
        if isinstance(node, yaml.ScalarNode):
            if len(self.unread) < MOST_TWICE and (what := self._unread(node)):
                line = node.end_mark.line
                self.unread.append(Unread(table.removesuffix("."), line + 2, what, in_quotes(self._lines[line])))
            return None if node.tag == _NULL else node.value
        self._depth += 1
        if self._depth > DEEPEST:
            raise _too_deep("YAML", node.start_mark.line + 2)
        value: Tree
        if isinstance(node, yaml.SequenceNode):
            value = [self.value(item, table) for item in node.value]
        else:
            assert isinstance(node, yaml.MappingNode)  # noqa: S101 - there are three kinds of nodes
            value = self.mapping(node, table)
        self._depth -= 1
        return value

    def _unread(self, node: yaml.ScalarNode) -> str:
        """Return the comment after a scalar without quotes, or the tag or anchor before it; "" if there is none."""
        start, end = node.start_mark, node.end_mark
        first, last = (self._lines[mark.line] if mark.line < len(self._lines) else "" for mark in (start, end))
        if first[start.column : start.column + 1] in ("!", "&"):
            return first[start.column :]
        rest = last[end.column :].lstrip(" \t")
        return rest if not node.style and rest.startswith("#") else ""


class _TomlHandler(_Handler):
    fence = "+++"

    def load(self, fm: str, **kwargs: object) -> Any:
        """Return the fields of front matter in TOML. Raises PostError if it is not valid."""
        if dotted := _DOTTED.search(fm):
            raise _too_deep("TOML", fm.count("\n", 0, dotted.start()) + 2)
        try:
            table = tomllib.loads(fm)
        except (ValueError, RecursionError) as error:
            if "digits" in str(error):
                raise _too_many_digits("TOML", fm, 2) from error
            found = re.search(r"at line (\d+)", str(error))
            line = int(found[1]) + 1 if found else fm.count("\n") + 2
            if "overwrite" in str(error):
                raise _twice_in_toml(fm, line) from error
            raise _unreadable("TOML", error, line=line, hint=_toml_hint(fm, line - 2)) from error
        try:
            fields = _as_text(table, "TOML", 2)
        except ValueError as error:
            raise _too_many_digits("TOML", fm, 2) from error
        return {"head": Head(fields, _key_lines(fm, _TOML_KEY, 2))}


class _JsonHandler(_Handler):
    fence = "{"

    def split(self, text: str) -> tuple[str, str]:
        """Return the whole text, which has no fences."""
        return text, ""

    def load(self, fm: str, **kwargs: object) -> Any:
        """Return the fields of front matter in JSON. Raises PostError if it is not valid."""
        lines = _key_lines(fm, r'\s*"([^"]+)"\s*:', 1)
        twice: list[Twice] = []

        def joined(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            """Return an object with the first value of each name, and note names that occur twice."""
            found: dict[str, Any] = {}
            for name, value in pairs:
                if name in found and len(twice) < MOST_TWICE:
                    twice.append(Twice(name, *_lines_of_json_key(fm, name)))
                found[name] = value
            return found

        try:
            table = json.loads(fm, object_pairs_hook=joined)
        except json.JSONDecodeError as error:
            hint = _json_hint(fm.split("\n")[error.lineno - 1])
            raise PostError(f"the front matter is not valid JSON: {error.msg}", line=error.lineno, hint=hint) from error
        except RecursionError as error:
            raise _unreadable("JSON", error, line=1) from error
        except ValueError as error:
            raise _too_many_digits("JSON", fm, 1) from error
        return {"head": Head(_as_text(table, "JSON", 1), lines, twice=tuple(twice))}


_YAML, _TOML, _JSON = _YamlHandler(), _TomlHandler(), _JsonHandler()


def _as_text(value: Any, language: str, line: int, depth: int = 0) -> Any:
    """Convert the scalars of TOML and JSON to the text that a writer would have typed."""
    if depth > DEEPEST:
        raise _too_deep(language, line)
    if isinstance(value, dict):
        return {str(key): _as_text(item, language, line, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item, language, line, depth + 1) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if value is None else str(value)


def _lines_of_json_key(text: str, name: str) -> tuple[int, int]:
    """Return the first and the last line with a key; line 1 for a key that is written with escapes."""
    key = patterns.compile(rf"{re.escape(json.dumps(name, ensure_ascii=False))}\s*:")
    found = [match.start() for match in key.finditer(text)] or [0]
    return text.count("\n", 0, found[0]) + 1, text.count("\n", 0, found[-1]) + 1


def _twice_in_toml(text: str, line: int) -> PostError:
    """Return a PostError for a key that a line of the file repeats."""
    lines = text.split("\n")
    found = re.match(_TOML_KEY, lines[line - 2].strip()) if line - 2 < len(lines) else None
    first = _key_lines(text, _TOML_KEY, 2).get(found[1], line) if found else line
    what = f"{found[1]!r} is written twice, on lines {first} and {line}" if found else "a key is written twice"
    return PostError(f"the front matter is not valid TOML: {what}", line=line, hint="delete one of them")


def _key_lines(block: str, pattern: str, first: int) -> dict[str, int]:
    lines: dict[str, int] = {}
    key = patterns.compile(pattern)
    for number, line in enumerate(block.split("\n"), first):
        if match := key.match(line):
            lines.setdefault(match[1], number)
    return lines


def _unreadable(language: str, error: Exception, line: int, hint: str = "") -> PostError:
    """Return a PostError for a parser's error that has no usable line of its own."""
    if isinstance(error, RecursionError):
        return _too_deep(language, line)
    message = (str(error).splitlines() or [type(error).__name__])[0]
    message = message.partition(" (at ")[0]  # TOML's parser counts from the line after the fence
    return PostError(f"the front matter is not valid {language}: {message}", line=line, hint=hint or "fix it there")


def _too_many_digits(language: str, text: str, first: int) -> PostError:
    """Return the error for a number too long for Python. first: the line of the file on which the text begins."""
    lines = text.split("\n")
    longest = max(range(len(lines)), key=lambda number: len(lines[number]))
    what = f"the front matter can't be read as {language}: a number has thousands of digits"
    return PostError(what, line=first + longest, hint="put it in quotes")


def _too_deep(language: str, line: int) -> PostError:
    what = f"the front matter can't be read as {language}: its values are nested too deeply, or contain themselves"
    return PostError(what, line=line, hint="remove brackets, and any alias (*name) inside the value that it names")


def _yaml_error(error: yaml.MarkedYAMLError, block: str) -> PostError:
    """Return a PostError for an error in a block of YAML, which begins on the second line of its file."""
    # For an unclosed quote, the parser reports the end of the text, but the writer needs the line where it begins.
    is_open = "end of stream" in str(error.problem) and "quoted" in str(error.context)
    mark = error.context_mark if is_open else error.problem_mark or error.context_mark
    line = (mark.line if mark else 0) + 2
    lines = block.split("\n")
    written = lines[line - 2] if line - 2 < len(lines) else ""
    begun = error.context_mark.line if error.context_mark else 0
    hint = ""
    if is_open:
        hint = "close the quotes"
    elif "escape" in str(error.problem):
        hint = "write the character itself (\N{GRINNING FACE}), or a single escape for it: \\U0001F600"
    elif quoted := in_quotes(written):
        hint = f"put the value in quotes: {quoted}"
    elif "flow" in str(error.context) and begun < len(lines) and (quoted := in_quotes(lines[begun])):
        line, hint = begun + 2, f"put the value in quotes: {quoted}"
    elif "mapping values are not allowed" in str(error.problem):
        hint = "put the value in quotes"
    elif "\t" in written:
        hint = "indent with spaces, not tabs"
    return PostError(f"the front matter is not valid YAML: {error.problem}", line=line, hint=hint)


# A line with a key or an item of a list, and its value.
_KEY_AND_VALUE = patterns.compile(r"[ \t]*((?:- +)?[\w.-]+:[ \t]+|- +)(\S.*)")
_LONGEST_FIX = 200


# A text in quotes with the same quotes inside it: title: "He said "hi""
_NESTED_QUOTES = patterns.compile(r"""(["'])((?:[^"'\n]*\s)?+\1[^\s"'][^\n]*)\1""")


def in_quotes(line: str) -> str:
    """Return a line of YAML with its value in quotes, if it is misread without them; "" for any other line."""
    found = _KEY_AND_VALUE.fullmatch(line.rstrip()) if len(line) <= _LONGEST_FIX else None
    if found is None or _value_of(line.strip()) == found[2]:
        return ""
    nested = _NESTED_QUOTES.fullmatch(found[2])
    value = nested[2] if nested else found[2]
    plain = not re.search(r'["\\]', value)
    for written in (f'"{value}"' if plain else "", "'" + value.replace("'", "''") + "'"):
        if written and _value_of(f"{found[1]}{written}") == value:
            return f"{found[1]}{written}".strip()
    return ""


def _value_of(line: str) -> str | None:
    """Return the value of a line of YAML that is valid alone; None if it is not valid, or not text."""
    loader = Loader(line)
    try:
        node = loader.get_single_node()
    except (yaml.YAMLError, RecursionError):
        return None
    finally:
        loader.dispose()
    for _ in range(DEEPEST):  # a node may contain itself
        if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and len(node.value) == 1:
            node = node.value[0][1] if isinstance(node, yaml.MappingNode) else node.value[0]
    return str(node.value) if isinstance(node, yaml.ScalarNode) and node.tag == _STR else None


def _toml_hint(text: str, index: int) -> str:
    """Return how to correct a line of TOML whose value needs quotes; "" for any other line."""
    lines = text.split("\n")
    found = (
        re.fullmatch(r"""([\w."'-]+)[ \t]*=[ \t]*([^\s"'\[{].*)""", lines[index].strip())
        if index < len(lines)
        else None
    )
    if found is None or len(found[0]) > _LONGEST_FIX:
        return ""
    value = json.dumps(found[2].strip(), ensure_ascii=False)
    return f"put the value in quotes: {found[1]} = {value}"


def _json_hint(line: str) -> str:
    """Return how to correct a line of JSON whose value needs quotes; "" for any other line."""
    found = re.fullmatch(r'("[^"]+"[ \t]*:[ \t]*)([^\s"\[{,][^",]*?),?', line.strip()[:_LONGEST_FIX])
    if found is None or found[2] in ("true", "false", "null") or found[2].replace(".", "").isdecimal():
        return ""
    return f'put the value in double quotes: {found[1]}"{found[2]}"'
