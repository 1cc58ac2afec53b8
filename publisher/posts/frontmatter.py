"""Front matter: where it ends, and what it says.

Nine posts in ten have plain `key: value` lines between two lines of dashes; those are read here, without any library.
Other YAML, TOML and JSON are read by posts.frontmatter_formats, whose libraries take 0.015 s to import: a tenth of a
build with one changed post. Headers without a fence, which Pelican uses, are read here too.

Whatever the format, every scalar is the text that the writer typed: a title `2024`, `1.10` or `yes` stays as it is.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from publisher.core.errors import PostError
from publisher.posts.encoding import decode, repair_body, without_controls
from publisher.posts.post_file import Head, Tree

# The line that closes front matter, by the characters that open it.
_CLOSING = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE),
}
_JSON_OPENS = re.compile(r"\{\s*(\"|\n)")
_JSON_CLOSES = re.compile(r"^\}[ \t]*;*$", re.MULTILINE)

# Pelican and MultiMarkdown: "Title: ..." from the first line on, without fences, up to an empty line.
_HEADER_LINE = re.compile(r"(?:title|date|slug|author|authors|category|tags|status|summary|lang): *\S", re.IGNORECASE)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


class Unfinished(Exception):  # noqa: N818 - an answer, not an error
    """The text ends inside the front matter: more of the file is needed."""


def parse_head(text: str, *, whole: bool) -> Head:
    r"""Parse the beginning of a file whose line ends are \n; without front matter, all of it is the body.

    whole says whether `text` is all of the file. Raises Unfinished when it is not and the front matter does not end
    in it; raises PostError with the line when the front matter cannot be read.
    """
    if text[:3] in _CLOSING:
        return _head(text, _end_of_block(text, whole=whole))
    if _JSON_OPENS.match(text):
        if not whole:
            raise Unfinished  # in a part of the file, the end of a nested object looks like the end
        return _head(text, _end_of_json(text))
    if _HEADER_LINE.match(text):
        return _header_lines(text, whole=whole)
    return Head({}, {}, text, 1)


def split_body(text: str) -> tuple[str, int]:
    """Return the body of a whole file, and the line on which it begins. Raises PostError as parse_head does."""
    if text.startswith("---"):
        end = _end_of_block(text, whole=True)
        return text[end:].removeprefix("\n"), text.count("\n", 0, end) + 2
    head = parse_head(text, whole=True)
    return head.body, head.body_line


def markdown_of(file: Path, *, fix_encoding: bool) -> str:
    """Return the text of a post's file without its front matter; fix_encoding repairs garbled text, as in its HTML."""
    text, _ = without_controls(decode(file.read_bytes(), whole=True))
    body = split_body(text)[0]
    return (repair_body(body)[0] if fix_encoding else body).strip("\n")


def _end_of_block(text: str, *, whole: bool) -> int:
    """Return the offset behind the closing fence."""
    fence = text[:3]
    closing = _CLOSING[fence].search(text, text.find("\n") + 1 or len(text))
    if closing:
        return closing.end()
    if not whole:
        raise Unfinished
    raise PostError(
        f"the front matter isn't closed: there is no line with only {fence}",
        hint=f"add a line {fence} after the last key",
    )


def _end_of_json(text: str) -> int:
    """Return the offset behind the first JSON value; a nested object may close on a line of its own."""
    try:
        return json.JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        closing = _JSON_CLOSES.search(text, text.find("\n") + 1 or len(text))
        return closing.end() if closing else len(text)


def _head(text: str, end: int) -> Head:
    block, body = text[:end], text[end:].removeprefix("\n")
    fields, lines = _plain(block) or _parsed(block)
    return Head(fields, lines, body, block.count("\n") + 2)


def _plain(block: str) -> tuple[dict[str, Tree], dict[str, int]] | None:
    first, _, rest = block.partition("\n")
    return simple_yaml(rest.rpartition("\n")[0]) if first.rstrip() == "---" else None


def _parsed(block: str) -> tuple[dict[str, Tree], dict[str, int]]:
    from publisher.posts.frontmatter_formats import parse_block  # its libraries take 0.015 s to import

    return parse_block(block)


def _header_lines(text: str, *, whole: bool) -> Head:
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
        # In a header only commas separate names: "Tags: machine learning" is one tag.
        fields[key] = [name.strip() for name in re.split("[,;]", str(fields[key]))]
    return Head(fields, lines, body, block.count("\n") + 3)


_NULLS = frozenset(("null", "Null", "NULL"))
# In YAML these end a line or open a file. They are not in the patterns below, which they would make slow to compile.
_STRANGE = re.compile("\u2028|\u2029|\ufeff")
_NOT_SIMPLE = r"\n\t\x80-\x9f"
_SIMPLE_LINE = re.compile(
    rf"""([A-Za-z_][A-Za-z0-9_]*):(?:[ ]+(?:
        ([A-Za-z0-9(][^"'#:{_NOT_SIMPLE}]*(?::[^"'#:\ {_NOT_SIMPLE}]+[^"'#:{_NOT_SIMPLE}]*)*)
        |"([^"\\{_NOT_SIMPLE}]*)"[ ]*
        |\[([A-Za-z0-9+. _-]+(?:,[A-Za-z0-9+. _-]+)*)\][ ]*
    ))?""",
    re.VERBOSE,
)
_SIMPLE_ITEM = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9+._ -]*[A-Za-z0-9+._])?")


def simple_yaml(block: str) -> tuple[dict[str, Tree], dict[str, int]] | None:
    """Read YAML of the plainest kind, as the lines between the fences; None for anything that needs a parser.

    That is one `key: value` per line, where the value is plain, in double quotes without escapes, or a flat list of
    plain words. It is read as the parser would read it (a test compares the two), in an eighth of the time.
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
            if value in _NULLS:
                return None
        elif items is not None:
            words = _words(items)
            if not words:
                return None
            fields[key] = [*words]
        else:
            fields[key] = quoted
    return fields, lines


@lru_cache(maxsize=4096)
def _words(items: str) -> tuple[str, ...]:
    """Return the items of a flat list, () where one needs a YAML parser. Cached, since many posts share their tags."""
    words = [item.strip(" ") for item in items.split(",")]
    return tuple(words) if all(map(_SIMPLE_ITEM.fullmatch, words)) and _NULLS.isdisjoint(words) else ()
