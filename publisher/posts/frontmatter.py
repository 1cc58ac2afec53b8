"""The head of a post file: front matter of every spelling as a plain tree of text.

python-frontmatter finds and splits the block; the handlers here keep every scalar as the text that the
writer typed (a title `2024`, `1.10` or `yes` stays itself) and remember the line of every key.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import frontmatter
import yaml
from frontmatter.default_handlers import BaseHandler

from publisher.core.errors import PostError
from publisher.posts.fast_frontmatter import FENCE, Head, Unfinished, simple_yaml
from publisher.posts.parse_errors import misread, yaml_error
from publisher.posts.text import without_controls

if TYPE_CHECKING:
    from publisher.posts.fast_frontmatter import Tree


def split_body(text: str) -> tuple[str, int]:
    """Return the body of a whole file, and the line on which it begins; see parse_head for what it raises."""
    if text.startswith("---"):
        end = FENCE.search(text, text.find("\n") + 1 or len(text))
        if end is not None:
            return text[end.end() :].removeprefix("\n"), text.count("\n", 0, end.end()) + 2

    head = parse_head(text, whole=True)
    return head.body, head.body_line


# One door for readers of heads; what the plainest need is in posts.plain, which imports no library.
__all__ = ["Head", "Loader", "Unfinished", "parse_head", "simple_yaml", "split_body"]

# Far more than any real front matter; a YAML alias bomb of a few hundred bytes expands past it at once.
MOST_NODES = 20_000

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # a PyYAML without libyaml is slower and otherwise the same
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

_STR, _NULL, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"


class Loader(_SafeLoader):
    """YAML whose plain scalars are text, null or a merge key: no number, date or switch is guessed.

    PyYAML's own resolver runs a regular expression for each scalar, which takes longer than parsing it.
    """

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is not yaml.ScalarNode:
            return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]
        if implicit[0]:
            if value in ("", "~", "null", "Null", "NULL"):
                return _NULL
            if value == "<<":
                return _MERGE
        return _STR


def parse_head(text: str, *, whole: bool) -> Head:
    r"""Parse the beginning of a file whose line ends are \n.

    whole says whether `text` is all of the file. Raises Unfinished when it is not and the front matter
    does not end in it; raises PostError with the line when the front matter cannot be read.
    """
    if text.startswith("---"):
        return _fenced(text, _YAML, whole)
    if text.startswith("+++"):
        return _fenced(text, _TOML, whole)
    if re.match(r"\{\s*(\"|\n)", text):
        if not whole:
            raise Unfinished  # in a part of it, a nested object's end looks like the end
        return _fenced(text, _JSON, whole)
    if _HEADER_LINE.match(text):
        return _header_lines(text, whole)
    return Head({}, {}, text, 1)


def _fenced(text: str, handler: _Handler, whole: bool) -> Head:
    end = handler.find_end(text)
    if end is None:
        if not whole:
            raise Unfinished
        raise PostError(
            f"the front matter is never closed: no line with {handler.fence} alone",
            hint=f"add a line {handler.fence} after the last key",
        )
    block, body = text[:end], text[end:].removeprefix("\n")
    metadata, _ = frontmatter.parse(block, handler=handler)
    tree, lines = metadata.get("tree", {}), metadata.get("lines", {})
    assert isinstance(tree, dict) and isinstance(lines, dict)  # noqa: S101 - what every handler here returns
    if "\\" in block:
        tree = {key: _without_controls(value) for key, value in tree.items()}
    return Head(tree, lines, body, block.count("\n") + 2)


def _without_controls(value: Tree) -> Tree:
    """The tree without the control characters and lone surrogates that an escape such as \\u0000 brings in."""
    if isinstance(value, dict):
        return {key: _without_controls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_controls(item) for item in value]
    return without_controls(value)[0] if value else value


class _Handler(BaseHandler):
    """What the three handlers share: the block starts on the first line, and split() is given only the block."""

    fence = START_DELIMITER = END_DELIMITER = "---"
    close = FM_BOUNDARY = FENCE

    def find_end(self, text: str) -> int | None:
        """Return the offset just after the closing fence's text, or None."""
        match = self.close.search(text, text.find("\n") + 1 or len(text))
        return match.end() if match else None

    def detect(self, text: str) -> bool:
        return True

    def split(self, text: str) -> tuple[str, str]:
        first, _, rest = text.partition("\n")
        if first.strip() != self.fence:
            raise PostError(
                f"the first line {first.strip()[:40]!r} opens no front matter that is known",
                hint=f"write {self.fence} alone",
            )
        return rest.rpartition("\n")[0], ""


class _YamlHandler(_Handler):
    def load(self, fm: str, **kwargs: object) -> Any:
        simple = simple_yaml(fm)
        if simple is not None:
            return {"tree": simple[0], "lines": simple[1]}
        try:
            loader = Loader(fm)
            try:
                node = loader.get_single_node()
                if node is None:
                    return {}
                if not isinstance(node, yaml.MappingNode):
                    raise PostError("the front matter is no list of keys", line=2, hint="write key: value")
                lines = {str(key.value): key.start_mark.line + 2 for key, _ in node.value}
                return {"tree": _Converter().mapping(node), "lines": lines}
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            raise yaml_error(error, fm) from error
        except (yaml.YAMLError, RecursionError) as error:
            raise misread("YAML", error, line=2) from error


class _Converter:
    """Turns YAML nodes into the tree, within bounds."""

    def __init__(self) -> None:
        self._left = MOST_NODES

    def mapping(self, node: yaml.MappingNode) -> dict[str, Tree]:
        fields: dict[str, Tree] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif isinstance(key, yaml.ScalarNode):
                fields[str(key.value)] = self.node(value)
        # PyYAML's own merging copies before anybody can count: nine lines of aliases fill the memory.
        for source in merged:
            inherited = self.node(source)
            if isinstance(inherited, dict):
                fields = inherited | fields
        return fields

    def node(self, node: yaml.Node) -> Tree:
        self._left -= 1
        if self._left < 0:
            raise PostError("the front matter holds too many values", line=2, hint="take out its YAML aliases")
        if isinstance(node, yaml.ScalarNode):
            return None if node.tag == _NULL else node.value
        if isinstance(node, yaml.SequenceNode):
            return [self.node(item) for item in node.value]
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - there are three kinds of nodes
        return self.mapping(node)


class _TomlHandler(_Handler):
    fence = "+++"
    close = re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)

    def load(self, fm: str, **kwargs: object) -> Any:
        try:
            tree = tomllib.loads(fm)
        except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a bare ValueError
            found = re.search(r"at line (\d+)", str(error))
            line = int(found[1]) + 1 if found else fm.count("\n") + 2
            raise misread("TOML", error, line=line) from error
        return {"tree": _as_text(tree), "lines": _key_lines(fm, r'^["\']?([\w-]+)["\']?\s*=', 2)}


class _JsonHandler(_Handler):
    fence = "{"
    close = re.compile(r"^\}[ \t]*;*$", re.MULTILINE)

    def find_end(self, text: str) -> int | None:
        """Return where the first JSON value ends: nested objects may close on lines of their own."""
        try:
            return json.JSONDecoder().raw_decode(text)[1]
        except (ValueError, RecursionError):
            return super().find_end(text) or len(text)

    def split(self, text: str) -> tuple[str, str]:
        return text, ""

    def load(self, fm: str, **kwargs: object) -> Any:
        try:
            tree = json.loads(fm)
        except json.JSONDecodeError as error:
            raise PostError(f"the front matter is no JSON: {error.msg}", line=error.lineno) from error
        except (ValueError, RecursionError) as error:
            raise misread("JSON", error, line=1) from error
        return {"tree": _as_text(tree), "lines": _key_lines(fm, r'^\s*"([^"]+)"\s*:', 1)}


_YAML, _TOML, _JSON = _YamlHandler(), _TomlHandler(), _JsonHandler()


def _as_text(value: Any) -> Any:
    """Turn the scalars of TOML and JSON into the text a writer would have typed."""
    if isinstance(value, dict):
        return {str(key): _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if value is None else str(value)


def _key_lines(block: str, pattern: str, first: int) -> dict[str, int]:
    lines: dict[str, int] = {}
    for match in re.finditer(pattern, block, re.MULTILINE):
        lines.setdefault(match[1], block.count("\n", 0, match.start(1)) + first)
    return lines


# Pelican and MultiMarkdown: "Title: ..." from the first line on, no fences, ended by an empty line.
_HEADER_LINE = re.compile(r"(?:title|date|slug|author|authors|category|tags|status|summary|lang): *\S", re.IGNORECASE)

_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def _header_lines(text: str, whole: bool) -> Head:
    end = _BLANK_LINE.search(text)
    if end is None and not whole:
        raise Unfinished
    block, body = (text[: end.start()], text[end.end() :]) if end else (text, "")
    fields: dict[str, Tree] = {}
    lines: dict[str, int] = {}
    key = ""
    for number, line in enumerate(block.split("\n"), 1):
        match = re.match(r"([A-Za-z][\w -]*):(?:\s+(.*)|$)", line)
        if match:
            key = match[1].strip()
            fields[key], lines[key] = (match[2] or "").strip(), number
        elif key and line[:1] in " \t":
            fields[key] = f"{fields[key]} {line.strip()}"
        elif "title" not in {k.lower() for k in fields}:
            return Head({}, {}, text, 1)
        else:
            raise PostError(
                f"{line.strip()[:40]!r} is neither a header nor text",
                line=number,
                hint="leave a blank line between the headers and the text",
            )
    if "title" not in {k.lower() for k in fields}:
        return Head({}, {}, text, 1)  # an essay may begin with "Summary: ..."; only a title makes it a header
    for key in fields.keys() & {"Tags", "tags", "Category", "Categories"}:
        # In a header only commas part names: "Tags: machine learning" is one.
        fields[key] = [name.strip() for name in re.split("[,;]", str(fields[key]))]
    return Head(fields, lines, body, block.count("\n") + 3)
