"""Functions that tell prose from code in a Markdown body, and that find the lines of a file with a given text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from html import escape
from urllib.parse import unquote

from publisher.core import patterns

_BEFORE_A_LINK = r"""(?:(?<=[(<"'=])|(?<=\]:[ ]))"""
_FENCE = patterns.compile(r"^[ \t]*+(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*+)*+(`{3,}+|~{3,}+)([^`]*)$")
_LIST_ITEM = patterns.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t](?:[ ]{1,3}(?=\S))?)")
_RAW_HTML = patterns.compile(r"\s*<(pre|script|style|textarea)\b", re.IGNORECASE)
_RAW_END = patterns.compile(r"</(?:pre|script|style|textarea)>", re.IGNORECASE)
_TICKS = patterns.compile(r"`+|\n[ \t]*(?=\n)")

# How many texts are looked for, for the warnings about one post. Each is searched for in the whole file.
MOST_SEARCHES = 200
# How many characters of such a text are searched for.
_LONGEST_NEEDLE = 200


def code_lines(lines: list[str]) -> list[bool]:
    """Return, for every line, whether it belongs to a code block, fenced or indented.

    An indented line after a blank line is code; in a list item, only if it is indented by at least four columns more
    than the item's text. A fence in a list item ends with the item, even if it isn't closed. HTML blocks of <pre>,
    <script>, <style> and <textarea> count as code.
    """
    reader = _Blocks()
    return [reader.is_code(line) for line in lines]


class _Blocks:
    """The state of reading a body line by line: whether a fence, raw HTML or a list is open."""

    def __init__(self) -> None:
        self._fence, self._fence_indent, self._html_end = "", 0, ""
        self._after_blank, self._in_list, self._was_code = True, False, False
        self._contents: list[int] = []  # the indents of the texts of the open items

    @property
    def in_fence(self) -> bool:
        """Whether the last line is inside a fenced block of code."""
        return self._fence != ""

    @property
    def is_open(self) -> bool:
        """Whether a fence or a block of HTML is not closed yet."""
        return self._fence != "" or self._html_end != ""

    def end_fence(self) -> None:
        """Treat the fenced block as closed."""
        self._fence = ""

    def is_code(self, line: str) -> bool:
        """Return whether the next line is code."""
        is_open = self._fence or self._html_end
        if not is_open and (not line or line[0].isalpha()):  # as most lines do, and then the rest is not needed
            if line and self._after_blank:
                self._in_list, self._contents = False, []
            self._after_blank, self._was_code = not line, False
            return False
        self._was_code = self._continues(line) or self._begins(line) or self._prose_or_indented(line)
        return self._was_code

    def _continues(self, line: str) -> bool:
        if self._html_end:
            if self._html_end in line.lower():
                self._html_end = ""
            return True
        if not self._fence:
            return False
        if not self._fence_indent and self._fence not in line:
            return True
        if line.strip() and _indent(line) < self._fence_indent:
            self._fence = ""  # the list item ends here, and so does the fence in it
            return False
        inner = line.strip(" \t>")
        if inner.startswith(self._fence) and not inner.strip(self._fence[0]):
            self._fence = ""
        return True

    def _begins(self, line: str) -> bool:
        # Most lines have none of these characters, and searching for one takes a tenth of the time of a pattern.
        match = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if match:
            self._fence = match[1]
            self._fence_indent = _indent(line) if self._in_list else 0
            return True
        html = _RAW_HTML.match(line) if "<" in line else None
        if html:
            end = f"</{html[1].lower()}"
            self._html_end = "" if end in line.lower() else end
        return html is not None

    def _prose_or_indented(self, line: str) -> bool:
        blank, indented = not line.strip(), line.startswith(("    ", "\t"))
        code = indented and not blank and (self._after_blank or self._was_code) and self._is_deep(line)
        item = None if code else _LIST_ITEM.match(line)
        if item:
            self._in_list = True
            indent = _indent(line)
            self._contents = [each for each in self._contents if each <= indent] + [item.end()]
        elif not blank and not line.startswith((" ", "\t")) and self._after_blank:
            self._in_list = False
            self._contents = []
        elif not blank and not code and self._after_blank:
            self._contents = [each for each in self._contents if each <= _indent(line)] or self._contents[:1]
        self._after_blank = blank
        return code

    def _is_deep(self, line: str) -> bool:
        """Return whether a line is indented by four or more than the text of its item."""
        if not self._in_list:
            return True
        indent = _indent(line)
        around = [each for each in self._contents if each <= indent]
        return "\t" not in line[: indent + 1] and bool(around) and indent >= around[-1] + 4


def fenced_lines(lines: list[str]) -> list[bool]:
    """Return, for every line, whether it belongs to a fenced code block or to raw HTML such as <pre>."""
    reader, found = _Blocks(), []
    for line in lines:
        was_open = reader.is_open
        reader.is_code(line)
        found.append(was_open or reader.is_open)
    return found


def ends_in_fence(lines: list[str]) -> bool:
    """Return whether the last line belongs to a fenced code block that is not closed."""
    reader = _Blocks()
    for line in lines:
        reader.is_code(line)
    return reader.in_fence


def unclosed_raw_blocks(lines: list[str]) -> list[int]:
    """Return the indices of lines that begin a block of <pre>, <script>, <style> or <textarea> which nothing ends.

    A closing tag in a fence or in inline code is not meant to end it.
    """
    reader = _Blocks()
    found: list[int] = []
    waiting: dict[str, int] = {}  # name -> the line that began a block of that name
    for number, line in enumerate(lines):
        match, was_in_fence = _RAW_HTML.match(line), reader.in_fence
        if not reader.is_code(line.replace("<", " ", 1) if match else line) and match:
            found += [waiting.pop(match[1].lower())] if match[1].lower() in waiting else []
            waiting[match[1].lower()] = number
        if not was_in_fence and (waiting or not reader.in_fence) and _RAW_END.search(without_inline_code(line)):
            reader.end_fence()  # the characters of a fence, followed by the closing tag, are shown
            waiting.clear()
    return sorted([*found, *waiting.values()])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def masked(body: str) -> str:
    """Return the body with all code replaced by spaces, so that a search finds only prose, at unchanged offsets.

    The backticks of inline code stay, since patterns may need to match them.
    """
    lines = body.split("\n")
    blank = "\n".join(" " * len(line) if code else line for line, code in zip(lines, code_lines(lines), strict=True))
    return without_inline_code(blank)


def without_inline_code(text: str) -> str:
    """Return the text with the inline code between backticks replaced by spaces."""
    if "`" not in text:
        return text
    pieces, last = [], 0
    for start, end in code_spans(text):
        inside = text[start:end].strip("`")
        ticks = "`" * ((end - start - len(inside)) // 2)
        blank = re.sub(r"[^\n]", " ", inside) if "\n" in inside else " " * len(inside)
        pieces += [text[last:start], ticks, blank, ticks]
        last = end
    return "".join([*pieces, text[last:]])


def code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the beginning and end of all inline code, including its backticks.

    As in CommonMark, a run of backticks is closed by the next run of the same length in the same paragraph.
    """
    runs = list(_TICKS.finditer(text))
    closes: dict[int, int] = {}
    next_run: dict[int, int] = {}  # length -> the nearest run after it, going from the last run to the first
    for index in range(len(runs) - 1, -1, -1):
        if runs[index][0][0] == "\n":
            next_run.clear()
            continue
        length = len(runs[index][0])
        if length in next_run:
            closes[index] = next_run[length]
        next_run[length] = index
    index = 0
    while index < len(runs):
        if index in closes:
            yield runs[index].start(), runs[closes[index]].end()
            index = closes[index]
        index += 1


def edited(body: str, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]) -> str:
    """Replace each match of a pattern outside code by the result of `change`, which gets the match in the original."""
    out, last = [], 0
    for found in pattern.finditer(masked(body)):
        real = pattern.match(body, found.start())
        if real and found.start() >= last:
            out += [body[last : found.start()], change(real)]
            last = real.end()
    return "".join([*out, body[last:]])


def cut(body: str, pattern: re.Pattern[str]) -> str:
    """Return a body without the matches of a pattern outside code. Line endings within them stay."""
    return edited(body, pattern, lambda match: "\n" * match[0].count("\n"))


class LineFinder:
    """A finder of the lines on which a text appears in a post's file."""

    def __init__(self, file: str, body: str, seen: str | None = None) -> None:
        """Keep the text of the whole file.

        body  the part of the file after the front matter
        seen  the body with blanks in place of other text that is not prose, such as formulas
        """
        self._file, self.head = file, file[: len(file) - len(body)]
        self._first = self.head.count("\n") + 1
        self._searches = 0
        # The file with its front matter and code blanked.
        self.prose = "\n" * self.head.count("\n") + masked(body if seen is None else seen)

    def line_of(self, text: str) -> int:
        """Return the first line with the text: in prose, else anywhere in the file, else the first line of the body.

        After MOST_SEARCHES searches, it is always the first line of the body.
        """
        self._searches += 1
        if self._searches > MOST_SEARCHES:
            return self._first
        return self._line(text, self.prose, without_inline_code(self._file), self._file) or self._first

    def line_of_body(self, line: int) -> int:
        """Return the line of the file for a line of the body, both from 1. 0 counts as the body's first line."""
        return self._first + max(line - 1, 0)

    def line_in_head(self, text: str) -> int:
        """Return the first line of the front matter with the text, else the result of line_of."""
        found = self._line(text, self.head) if self._searches < MOST_SEARCHES else 0
        return found or self.line_of(text)

    @staticmethod
    def _line(text: str, *sections: str) -> int:
        text = text[:_LONGEST_NEEDLE]
        patterns = []
        for spelling in filter(None, (text, unquote(text), escape(text))):
            # Punctuation may be escaped with a backslash. A name that continues with letters is a different name.
            pattern = "".join(char if char.isalnum() else rf"\\?{re.escape(char)}" for char in spelling)
            patterns.append(pattern + (r"(?![\w-])" if spelling[-1].isalnum() else ""))
        for section in sections:
            for pattern in (*(_BEFORE_A_LINK + pattern for pattern in patterns), *patterns):
                found = re.search(pattern, section)
                if found:
                    return line_at(section, found.start())
        return 0


def line_counter(text: str) -> Callable[[int], int]:
    """Return a function that does the same as line_at for one text, and is quick for many offsets."""
    ends = [found.start() for found in re.finditer("\n", text)]
    return lambda offset: bisect_left(ends, offset) + 1


def line_at(text: str, offset: int) -> int:
    """Return the line number (from 1) of an offset in a text."""
    return text.count("\n", 0, offset) + 1
