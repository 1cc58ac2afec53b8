"""Definition lists as PHP Markdown Extra and Pandoc read them: several paragraphs in a definition, several terms.

The Markdown parser joins the paragraphs of a definition without a space, unless a blank line precedes it, and it reads
the lines of several terms as one term.
"""

from __future__ import annotations

import re

from publisher.core import patterns
from publisher.posts.text.prose import fenced_lines

_DEFINITION = patterns.compile(r"([ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ ]++)?+)[:~][ \t]+\S")
# Searching for line ends is ten times as fast as for ^, which is tried at each character.
_MAYBE = patterns.compile(r"\n[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ ]++)?+[:~][ \t]")
_NO_PARAGRAPH = patterns.compile(r"[-*+>#|]|\d{1,9}[.)][ \t]|```|~~~|[:~][ \t]")
_TERM = patterns.compile(r"<dt>([^<]*+(?:<(?!/?dt>)[^<]*+)*+)</dt>")
_TAG = patterns.compile(r"<(/?)[a-z][^<>]*?(/?)>")
_BREAK = patterns.compile(r"<br ?/?>$")


def has_definitions(body: str) -> bool:
    """Return whether a Markdown body may have definition lists."""
    return (":" in body or "~" in body) and _MAYBE.search(f"\n{body}") is not None


def loosened(body: str) -> str:
    """Return a Markdown body with a blank line above each definition of several paragraphs."""
    lines = body.split("\n")
    fenced = fenced_lines(lines)
    following = _following(lines)
    kept: list[str] = []
    column = 0  # of the innermost definition around the line; 0 if there is none
    for number, line in enumerate(lines):
        found = None if fenced[number] else _DEFINITION.match(line)
        if found and (len(found[1]) < 4 or column > 0):
            column = len(found[1]) + 2
            if number and _content(lines[number - 1]) and _has_paragraphs(lines, number, column, following):
                kept.append(found[1].rstrip())
        elif column and _content(line) and number and not _content(lines[number - 1]) and _indent(line) < column:
            column = 0
        kept.append(line)
    return "\n".join(kept)


def _following(lines: list[str]) -> list[int]:
    """Return, for each line, the next line that begins a block: a line with text below a line without text."""
    following, next_one = [len(lines)] * len(lines), len(lines)
    for number in range(len(lines) - 1, -1, -1):
        following[number] = next_one
        if _content(lines[number]) and number and not _content(lines[number - 1]):
            next_one = number
    return following


def _has_paragraphs(lines: list[str], number: int, column: int, following: list[int]) -> bool:
    """Return whether a definition has a paragraph after its first block."""
    number = following[number]
    while number < len(lines) and _indent(lines[number]) >= column:
        if not _NO_PARAGRAPH.match(_content(lines[number])):
            return True
        number = following[number]
    return False


def _content(line: str) -> str:
    return line.strip(" \t>")


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" >"))


def with_separate_terms(html: str) -> str:
    """Return HTML in which each line of a term is a separate term, unless emphasis or a link spans several lines."""
    return _TERM.sub(_separated, html)


def _separated(term: re.Match[str]) -> str:
    terms = [_BREAK.sub("", line).rstrip() for line in term[1].split("\n")]
    if len(terms) == 1 or not all(_is_whole(line) for line in terms):
        return term[0]
    return "\n".join(f"<dt>{line}</dt>" for line in terms)


def _is_whole(line: str) -> bool:
    depth = 0
    for tag in _TAG.finditer(line):
        depth += -1 if tag[1] else 0 if tag[2] else 1
        if depth < 0:
            return False
    return depth == 0
