"""Splitting and parsing of front matter.

Nine posts in ten have plain `key: value` lines between two lines of dashes, which are parsed here without any library.
Other YAML, TOML and JSON are parsed by posts.front_matter.formats, whose libraries take 0.015 s to import, a tenth of a
build with one changed post. Headers without a fence, which Pelican uses, are parsed here too.

In every format, each scalar is kept as the text that the writer typed: a title `2024`, `1.10` or `yes` stays unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import cast

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.posts import bounded_child
from publisher.posts.bounded_process import OverLimit, TimeLimit, shared_process
from publisher.posts.front_matter.preamble import front_start, is_front_matter, refuse_misplaced
from publisher.posts.post_file import Head, Tree, Twice
from publisher.posts.text.comments import without_hidden_text
from publisher.posts.text.encoding import decode, repair_body, without_controls
from publisher.posts.text.tool_comments import may_have_tool_comments, without_tool_comments

# The line that closes front matter, by the characters that open it. Searching for \n is faster than for ^.
_CLOSING = {
    "---": patterns.compile(r"\n(?:---|\.\.\.)[ \t]*$", re.MULTILINE),
    "+++": patterns.compile(r"\n\+\+\+[ \t]*$", re.MULTILINE),
}
# The language of front matter after its first fence, as in gray-matter and Eleventy.
_LANGUAGE = patterns.compile(r"---[ \t]*(json|toml|ya?ml|js|javascript|node)[ \t]*", re.IGNORECASE)
_SCRIPTS = ("js", "javascript", "node")
_JSON_OPENS = patterns.compile(r"\{\s*(\"|\n)")
_JSON_KEY = patterns.compile(r'"([^"\\]{1,100})"\s*:')
_JSON_CLOSES = patterns.compile(r"^\}[ \t]*;*$", re.MULTILINE)

# Pelican and MultiMarkdown: "Title: ..." from the first line on, without a fence above, up to an empty line.
_HEADER_LINE = patterns.compile(
    r"(?:title|date|slug|author|authors|category|tags|status|summary|lang): *\S", re.IGNORECASE
)
# Python-Markdown, which Pelican uses, lets a line of dashes or dots close the headers, too.
_HEADERS_END = patterns.compile(r"\n(?:---|\.\.\.)?+[ \t]*(?:\n|\Z)")


def front_of(data: bytes) -> bytes:
    """Return front matter of the most common kind with both its fences; b"" if there is no such front matter."""
    end = data.find(b"\n---", 3) + 4 if data.startswith(b"---\n") else 0
    return data[:end] if end > 4 and data[end : end + 1] in (b"\n", b"") else b""


class Unfinished(Exception):  # noqa: N818 - not an error
    """The text ends inside the front matter, so more of the file is needed."""


def parse_head(text: str, *, whole: bool) -> Head:
    r"""Parse the beginning of a file whose line ends are \n. If there is no front matter, the whole text is the body.

    Comments and invisible characters may precede the front matter; they are then not part of the body.

    whole: whether `text` is the whole file. If it isn't, and the front matter doesn't end in it, Unfinished is raised.
    Raises PostError, with the line, if the front matter cannot be read, or if it seems to be in the wrong place.
    """
    start, is_open = (0, False) if text[:3] in _CLOSING else front_start(text)
    if is_open and not whole:
        raise Unfinished
    lines = text.count("\n", 0, start)
    try:
        head = _parsed_head(text[start:], whole=whole, is_first=not start)
    except PostError as error:
        error.line += lines
        raise
    if head is not None:
        return head.moved(lines)
    if not whole:
        raise Unfinished
    refuse_misplaced(text)
    return Head({}, {}, text, 1)


def _parsed_head(text: str, *, whole: bool, is_first: bool) -> Head | None:
    """Parse front matter at the beginning of a text; None if there is none. is_first: whether the file begins there."""
    if text[:3] in _CLOSING and (is_first or text[0] == "+" or is_front_matter(text)):
        return _head(text, _end_of_block(text, whole=whole))
    if _JSON_OPENS.match(text):
        if not whole:
            raise Unfinished  # in a part of a file, the end of a nested object may look like the end
        end = _end_of_json(text)
        return None if _is_sentence(text, end) else _head(text, end)
    return _header_lines(text, whole=whole) if _HEADER_LINE.match(text) else None


def split_body(text: str) -> tuple[str, int]:
    """Return the body of a whole file, and the line on which it begins; raise PostError as parse_head does."""
    if text.startswith("---"):
        end = _end_of_block(text, whole=True)
        return text[end:].removeprefix("\n"), text.count("\n", 0, end) + 2
    head = parse_head(text, whole=True)
    return head.body, head.body_line


def markdown_of(data: bytes, *, fix_encoding: bool) -> str:
    """Return the Markdown below the front matter in a post's file as it may be published: without its comments.

    fix_encoding: whether to repair garbled text
    """
    text, _ = without_controls(decode(data, whole=True))
    body = without_hidden_text(split_body(text)[0])
    if may_have_tool_comments(body):
        body = without_tool_comments(body).text
    return (repair_body(body)[0] if fix_encoding else body).strip("\n")


def _end_of_block(text: str, *, whole: bool) -> int:
    """Return the offset after the closing fence."""
    fence = text[:3]
    closing = _CLOSING[fence].search(text)
    if closing:
        return closing.end()
    if not whole:
        raise Unfinished
    raise _not_closed(text, fence)


def _not_closed(text: str, fence: str) -> PostError:
    """Return the error for front matter without a closing fence. It names the line that was meant as one, if any."""
    from publisher.posts.front_matter.formats import wrong_fence  # not at the top: only an error needs it

    for number, line in enumerate(text.split("\n", 100)[:100], 1):
        if why := wrong_fence(line):
            what = f"the front matter isn't {'closed' if number > 1 else 'opened'}: the line {why}"
            return PostError(what, line=number, hint=f"write exactly {fence} on this line, and nothing else")
    return PostError(
        f"the front matter isn't closed: there is no line with only {fence}",
        hint=f"add a line {fence} after the last key",
    )


def _end_of_json(text: str) -> int:
    """Return the offset after the first JSON value, in which a nested object may also end on a line of its own."""
    try:
        return json.JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        closing = _JSON_CLOSES.search(text, text.find("\n") + 1 or len(text))
        return closing.end() if closing else len(text)


def _is_sentence(text: str, end: int) -> bool:
    """Return whether a line begins with JSON and continues with words, as a sentence about JSON does.

    Raises PostError if the JSON has the fields of a post, so that it is front matter.
    """
    more = text[end:].partition("\n")[0].strip(" \t;")
    if not more:
        return False
    from publisher.posts.front_matter.field_names import fields_of  # not at the top: few posts begin like this

    line = text.count("\n", 0, end) + 1
    if line > 1 or any(fields_of(key) for key in _JSON_KEY.findall(text[:end])):
        what = f"the front matter ends in the middle of this line, before: {more[:40]}"
        raise PostError(what, line=line, hint="begin a new line there")
    return True


def _head(text: str, end: int) -> Head:
    block, body = text[:end], text[end:].removeprefix("\n")
    line = block.count("\n") + 2
    first, _, rest = block.partition("\n")
    if named := _LANGUAGE.fullmatch(first):
        return replace(_named_block(named[1].lower(), rest.rpartition("\n")[0]), body=body, body_line=line)
    if first.rstrip() == "---" and (simple := simple_yaml(rest.rpartition("\n")[0])):
        return Head(*simple, body, line)
    return replace(_parsed_block(block), body=body, body_line=line)


def _named_block(language: str, inner: str) -> Head:
    """Parse the text between the fences of front matter that names its language."""
    if language in _SCRIPTS:
        return _script_block(inner)
    if language != "json":
        fence = "+++" if language == "toml" else "---"
        return _parsed_block(f"{fence}\n{inner}\n{fence}")
    lines = 1 + inner.count("\n", 0, len(inner) - len(inner.lstrip()))
    try:
        return _parsed_block(inner.strip()).moved(lines) if inner.strip() else Head({})
    except PostError as error:
        error.line += lines
        raise


def _script_block(inner: str) -> Head:
    """Parse front matter in JavaScript, which begins on the second line of its file. Nothing is run."""
    # Not at the top: few posts have front matter in JavaScript.
    from publisher.posts.blog_tools.plain_programs import ScriptError, script_values

    try:
        found = script_values(inner)
    except ScriptError as error:
        what = f"the front matter is in JavaScript, which is not run, and {error.message}"
        raise PostError(
            what, line=error.line + 1, hint="write plain values, or YAML between two lines of ---"
        ) from error
    fields: dict[str, Tree] = {key: cast("Tree", value) for key, value in found.fields.items()}
    return Head(fields, {key: line + 1 for key, line in found.lines.items()})


# Front matter of up to this many characters costs little, whatever it contains, except for YAML in which a value refers
# to others: that can produce more values than there are atoms.
_HARMLESS = 2_000
_TIME = TimeLimit()


def _parsed_block(block: str) -> Head:
    """Parse front matter with the parser of its language, in the bounded process unless it is harmless."""
    # Not at the top: its libraries take 0.015 s to import.
    from publisher.posts.front_matter.formats import parse_block

    if bounded_child.is_child or (len(block) <= _HARMLESS and not ("&" in block and "*" in block)):
        return parse_block(block)
    try:
        head = shared_process().call(parse_block, block, seconds=_TIME.for_size(len(block)))
    except OverLimit as over:
        raise PostError(f"the front matter {over.said('to read')}", hint="simplify it") from over
    assert isinstance(head, Head)  # noqa: S101 - what parse_block returns
    return head


def _header_lines(text: str, *, whole: bool) -> Head | None:
    end = _HEADERS_END.search(text)
    if not whole and (end is None or end.end() == len(text)):
        raise Unfinished
    block, body = (text[: end.start()], text[end.end() :]) if end else (text, "")
    parts: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    twice: list[Twice] = []
    key = ""
    for number, line in enumerate(block.split("\n"), 1):
        match = re.match(r"([A-Za-z][\w -]*):(?:\s+(.*)|$)", line)
        if match:
            key = match[1].strip()
            twice += [Twice(key, lines[key], number)] if key in lines else []
            parts[key], lines[key] = [(match[2] or "").strip()], number
        elif key and line[:1] in " \t":
            parts[key].append(line.strip())
        else:
            _refuse_header_line(line, number, parts)
            return None
    fields: dict[str, Tree] = {key: " ".join(words) for key, words in parts.items()}
    if "title" not in {k.lower() for k in fields}:
        return None  # an essay may begin with "Summary: ..."; only a title makes it a header
    for key in fields.keys() & {"Tags", "tags", "Category", "Categories"}:
        # In a header only commas separate names: "Tags: machine learning" is one tag.
        fields[key] = [name.strip() for name in re.split("[,;]", str(fields[key]))]
    return Head(fields, lines, body, block.count("\n") + 3, tuple(twice[:_MOST_TWICE]))


def _refuse_header_line(line: str, number: int, before: Iterable[str]) -> None:
    """Raise PostError for a line that is not a header, if a title is among the headers before it."""
    if "title" in {key.lower() for key in before}:
        raise PostError(
            f"{line.strip()[:40]!r} is neither a header nor text",
            line=number,
            hint="leave a blank line between the headers and the text",
        )


# How many of the keys that are written twice are reported for a header.
_MOST_TWICE = 20
NULLS = frozenset(("null", "Null", "NULL"))
# In YAML these end a line or begin a file. In the patterns below, they would be slow to compile.
_STRANGE = patterns.compile("\u2028|\u2029|\ufeff")
_NOT_SIMPLE = r"\n\t\x80-\x9f"
_SIMPLE = rf"""([A-Za-z_][A-Za-z0-9_]*):(?:[ ]+(?:
        ([A-Za-z0-9(][^"'#:{_NOT_SIMPLE}]*(?::[^"'#:\ {_NOT_SIMPLE}]+[^"'#:{_NOT_SIMPLE}]*)*)
        |"([^"\\{_NOT_SIMPLE}]*)"[ ]*
        |\[([A-Za-z0-9+. _-]+(?:,[A-Za-z0-9+. _-]+)*)\][ ]*
    ))?"""
_SIMPLE_LINE = patterns.compile(_SIMPLE, re.VERBOSE)
_SIMPLE_LINES = patterns.compile(rf"\n{_SIMPLE}(?=\n)", re.VERBOSE)
_SIMPLE_ITEM = patterns.compile(r"[A-Za-z0-9](?:[A-Za-z0-9+._ -]*[A-Za-z0-9+._])?")


def simple_yaml(block: str) -> tuple[dict[str, Tree], dict[str, int]] | None:
    """Parse the simplest kind of YAML from the lines between the fences; return None if they need a real parser.

    Simple YAML has one `key: value` per line, where the value is plain, in double quotes without escapes, or a flat
    list of plain words. The result is the same as the parser's (a test compares the two), in an eighth of the time.
    """
    return _simple(block) if block.isascii() or not _STRANGE.search(block) else None


def _simple(block: str) -> tuple[dict[str, Tree], dict[str, int]] | None:
    fields: dict[str, Tree] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(block.split("\n"), 2):
        match = _SIMPLE_LINE.fullmatch(line)
        if match is None:
            return None
        key, plain, quoted, items = match.groups()
        if key in fields:
            return None
        lines[key] = number
        if plain is not None:
            value = fields[key] = plain.rstrip(" ")
            if value in NULLS:
                return None
        elif items is not None:
            words = list_words(items)
            if not words:
                return None
            fields[key] = [*words]
        else:
            fields[key] = quoted
    return fields, lines


# A line of simple YAML: its key, and its plain value, its quoted value or the items of its list; "" for the others.
SimpleLine = tuple[str, str, str, str]


def simple_lines(front: str) -> list[SimpleLine]:
    """Return the lines of simple YAML (see simple_yaml) between the fences; [] if they need a real parser.

    front  the front matter with its fences, which are three hyphens and nothing else
    This takes half the time of simple_yaml, because it does not look for null among the values, or for items of lists
    that need a real parser.
    """
    lines = _SIMPLE_LINES.findall(front)
    is_simple = len(lines) + 1 == front.count("\n") and (front.isascii() or not _STRANGE.search(front))
    return lines if is_simple else []


@lru_cache(maxsize=4096)
def list_words(items: str) -> tuple[str, ...]:
    """Return the items of a flat list; () if any needs a YAML parser. Cached because many posts share their tags."""
    words = [item.strip(" ") for item in items.split(",")]
    return tuple(words) if all(map(_SIMPLE_ITEM.fullmatch, words)) and NULLS.isdisjoint(words) else ()
