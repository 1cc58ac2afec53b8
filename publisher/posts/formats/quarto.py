"""A Quarto document as Markdown: no cell is run, and parts of a cell that Quarto itself would not show are not shown.

The rest of Pandoc's Markdown, such as callouts and attributes, is read for all posts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from publisher.core import patterns
from publisher.posts.shortcodes.embedded_shortcodes import value_at
from publisher.posts.tags.expanded import Expanded, TagProblem

_FENCE = patterns.compile(r"([ \t>]{0,40})(`{3,30}|~{3,30})[ \t]*+\{([^{}\n]{1,500})\}[ \t]*")
_PLAIN_FENCE = patterns.compile(r"[ \t>]{0,40}(`{3,30}|~{3,30})(?!.*`)")
_LANGUAGE = patterns.compile(r"([A-Za-z][\w+-]{0,30})(?=[\s,]|\Z)")
_OPTION = patterns.compile(r"[ \t>]{0,40}(?:#|//|%%|--|\*|')\|[ \t]*([\w.-]{1,60}):?[ \t]*+(.*+)")
_INLINE = patterns.compile(r"(?<!`)`(?:\{(?:python|r|julia|ojs)\}|r)[ \t][^`\n]{1,300}`(?!`)")
# Diagrams are shown as their code, which is never run here.
_DIAGRAMS = frozenset(("mermaid", "dot"))
_NO = frozenset(("false", "no", "f"))
_HINT = "render it with Quarto and copy the results, or set `eval: false` for what need not run"


class _Cell(NamedTuple):
    """A cell: its language, the first line of its code, the line of its closing fence, and its options."""

    language: str
    first: int
    end: int
    options: Mapping[str, str]


def quarto_as_markdown(body: str, page: Mapping[str, Any]) -> Expanded:
    """Return the body of a Quarto document as Markdown. page: its front matter"""
    if "{" not in body and "`r " not in body:
        return Expanded(body)
    lines, kept = body.split("\n"), list[tuple[str, int]]()
    not_run: list[int] = []
    number, fence = 0, ""
    while number < len(lines):
        line = lines[number]
        opening = _FENCE.fullmatch(line) if not fence else None
        if opening:
            number = _block(lines, number, opening, page, kept, not_run)
            continue
        fence = _after(line, fence)
        if not fence and _INLINE.search(line):
            not_run.append(number + 1)
        kept.append((line, number + 1))
        number += 1
    text, places = "\n".join(line for line, _ in kept), tuple(place for _, place in kept)
    problems: tuple[TagProblem, ...] = ()
    if not_run:
        cells = "a cell is" if len(not_run) == 1 else f"{len(not_run)} cells are"
        what = f"{cells} not run, so readers don't see the results"
        problems = (TagProblem(not_run[0], what, _HINT),)
    return Expanded(text, () if places == tuple(range(1, len(places) + 1)) else places, problems)


def _after(line: str, fence: str) -> str:
    """Return the fence that is open after a line, given the fence that was open before it."""
    if fence:
        return "" if line.strip(" \t>").startswith(fence) and not line.strip(" \t>").strip(fence[0]) else fence
    opening = _PLAIN_FENCE.match(line)
    return opening[1] if opening else ""


def _block(
    lines: list[str],
    number: int,
    opening: re.Match[str],
    page: Mapping[str, Any],
    kept: list[tuple[str, int]],
    not_run: list[int],
) -> int:
    """Add the visible lines of a fence with braces to `kept`; return the index of the line after the fence."""
    end = number + 1
    while end < len(lines) and not _closes(lines[end], opening[2]):
        end += 1
    inside = opening[3].strip()
    language = _LANGUAGE.match(inside)
    if inside.startswith("="):  # raw text for one format
        if inside[1:].strip() in ("html", "markdown", "md"):
            kept += [("", number + 1), *((lines[each], each + 1) for each in range(number + 1, end)), ("", end + 1)]
        return end + 1
    if not language:
        kept += ((lines[each], each + 1) for each in range(number, min(end + 1, len(lines))))
        return end + 1
    cell = _cell(lines, number, end, language[1].lower(), inside)
    is_run = cell.language not in _DIAGRAMS and not _is_off(cell, "eval", page)
    if is_run and not _is_off(cell, "include", page):
        not_run.append(number + 1)
    if not (_is_off(cell, "echo", page) or _is_off(cell, "include", page)):
        kept.append((f"{opening[1]}{opening[2]}{cell.language}", number + 1))
        kept += ((lines[each], each + 1) for each in range(cell.first, min(end + 1, len(lines))))
    return end + 1


def _closes(line: str, fence: str) -> bool:
    inner = line.strip(" \t>")
    return inner.startswith(fence) and not inner.strip(fence[0])


def _cell(lines: list[str], number: int, end: int, language: str, inside: str) -> _Cell:
    options = {
        key.strip(): value.strip().lower() for key, _, value in (part.partition("=") for part in inside.split(","))
    }
    first = number + 1
    while first < end and (option := _OPTION.fullmatch(lines[first])):
        options[option[1]] = option[2].strip().strip("\"'").lower()
        first += 1
    return _Cell(language, first, end, options)


def _is_off(cell: _Cell, name: str, page: Mapping[str, Any]) -> bool:
    """Return whether an option of a cell, or else of the whole document, is false."""
    value = cell.options.get(name)
    if value is None:
        found = value_at(page, f"execute.{name}")
        value = "" if found is None else str(found).lower()
    return value in _NO
