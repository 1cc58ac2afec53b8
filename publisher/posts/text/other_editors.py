"""Markdown of other editors, and typing mistakes, that stay in the text. They are found in the prose, with the fix.

Readers would see the characters as they were typed. Tools with a template language of their own are in other_tools.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.text.prose import line_at, line_counter
from publisher.posts.text.signs import Signs


class _Family(NamedTuple):
    """A kind of syntax that is shown as it was typed: its pattern, and what to write instead.

    may_be  quickly says whether a text may have it
    """

    may_be: Callable[[str], object]
    what: str
    pattern: re.Pattern[str]
    hint: str


_FAMILIES = (
    _Family(
        patterns.compile(r"\]\([^()<>{}\"'\n ]{1,300} ").search,
        "the address has a space, so that readers see it as text",
        patterns.compile(
            r"!?\[[^\[\]\n]{0,300}\]\((?![<\s])(?=[^()<>{}\"'\n ]{1,300} \S)[^()<>{}\"'\n]{1,600}[/.]\w{1,9}\)"
        ),
        "put it in angle brackets: ![x](<my pic.png>), or write %20 for the space",
    ),
    _Family(
        Signs("~").are_in,
        "a single tilde is shown as is",
        patterns.compile(
            r"(?<![~\w\\/.])~(?![\s~/])[^~\n]{1,200}(?<![\s\\(\[])~(?![~\w/])"
            r"|(?<=[A-Za-z)\]])~(?:\d{1,3}|[a-z]{1,3})~(?![~\d])"
        ),
        "write ~~words~~ to strike words out, or H<sub>2</sub>O",
    ),
    _Family(
        Signs("*").are_in,
        "asterisks inside a word emphasise a part of it, and are not shown",
        patterns.compile(r"\*(?<=[A-Za-z0-9]\*)(?=[A-Za-z])[A-Za-z0-9]{1,60}\*(?=[A-Za-z0-9])"),
        "write \\* for an asterisk that readers should see",
    ),
    _Family(
        Signs(">!", "||").are_in,
        "spoilers are not supported, so readers see their text",
        patterns.compile(r"(?<!\S)>![^\n]{1,300}!<|(?<![|\w])\|\|(?=[^\s|])[^|\n]{1,300}(?<=[^\s|])\|\|(?![|\w])"),
        "write <details><summary>Spoiler</summary>words</details>",
    ),
    _Family(
        Signs("<").are_in,
        "Markdown in this HTML element is not processed, and its markup is shown as is",
        patterns.compile(
            r"^ {0,3}(?:<(?:details|figure|table)\b[^<>\n]{0,200}> {0,8})?<(?:summary|figcaption|caption|legend)"
            r"(?: [^<>\n]{0,200})?>[^<\n]{0,300}?(?:\*\*[^\s*<]|\]\(|(?<!\w)\*[^\s*<])",
            re.IGNORECASE | re.MULTILINE,
        ),
        "write <b>, <i>, <code> or <a> in it",
    ),
    _Family(
        Signs("+-", "+=").are_in,
        "tables drawn with + are not supported and are shown as is",
        patterns.compile(r"^[ \t>]{0,9}\+(?:[-=]{3,200}\+){1,100}[ \t]*$", re.MULTILINE),
        "write | a | b | and |---|---| below the header",
    ),
    _Family(
        Signs("[](", "[ ](").are_in,
        "a link without text is not shown",
        patterns.compile(r"(?<![!\w\]\\])\[ ?\]\((?=[^()\s]{0,300}[/.#:])[^()\s]{1,300}\)"),
        "write its text between the brackets",
    ),
    _Family(
        Signs("]()", "](<>)").are_in,
        "a link has no address, and leads to this post",
        patterns.compile(r"(?<![!\w\]\\])\[[^\[\]\n]{1,200}\]\((?:<>)?\)(?! ?\{)"),
        "write the address between the parentheses",
    ),
)

_NOTE = patterns.compile(r"\[\^([^\[\]\s]{1,100})\](:?)")


def shown_as_typed(prose: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, message, hint) for syntax that stays in the text: one for each family, with the number of lines.

    prose  a file whose front matter and code are blank
    """
    for family in _FAMILIES:
        hits = list(family.pattern.finditer(prose)) if family.may_be(prose) else []
        if hits:
            line_of = line_counter(prose)
            lines = {line_of(hit.start()): hit for hit in reversed(hits)}
            first, last = min(lines), max(lines)
            words = " ".join(lines[first][0].lstrip(" \t>").split())
            shown = words if len(words) <= 40 else f"{words[:39]}…"
            more = f", on {len(lines)} lines up to line {last}" if len(lines) > 1 else ""
            yield first, f"{family.what}: {shown}{more}", family.hint
    yield from _notes_without_text(prose)
    if "|" in prose:
        yield from _tables_with_wrong_rule(prose.split("\n"))


_RULE = patterns.compile(r"[ \t>]*+(?=[^\n]*\|)\|?[ \t]*+:?-[-:| \t]*+")
_PIPE = patterns.compile(r"(?<!\\)\|")


def _tables_with_wrong_rule(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the rules below table headers that don't have as many cells as the header."""
    for number in range(1, len(lines)):
        above = lines[number - 2] if number > 1 else ""
        if "|" not in lines[number - 1] or "|" in above or not _RULE.fullmatch(lines[number]):
            continue
        header, rule = (_cells(line) for line in lines[number - 1 : number + 1])
        if header != rule:
            what = f"a table is shown as text, because its header has {header} cells and the line below it {rule}"
            yield number + 1, what, "write --- once for each column, as in |---|---|"


def _cells(line: str) -> int:
    """Return the number of cells in a line of a table, which may be empty; the pipes at its ends may be missing."""
    parts = _PIPE.split(line.strip(" \t>"))
    return len(parts) - (not parts[0]) - (len(parts) > 1 and not parts[-1])


def _notes_without_text(prose: str) -> Iterator[tuple[int, str, str]]:
    """Yield the footnote marks without a text. lost_words finds the texts without a mark."""
    used: dict[str, int] = {}
    texts: dict[str, int] = {}
    for found in _NOTE.finditer(prose):
        begins_line = not prose[max(0, found.start() - 3) : found.start()].rpartition("\n")[2].strip(" >")
        names = texts if found[2] and begins_line else used
        names.setdefault(found[1].casefold(), found.start())
    for name in used:
        if name not in texts:
            hint = f"write its text on a line of its own: [^{name}]: text"
            yield line_at(prose, used[name]), f"the footnote [^{name}] has no text, and is shown as is", hint
