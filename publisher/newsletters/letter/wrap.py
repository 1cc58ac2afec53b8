"""Wrapping text for a fixed-width screen, by what each character really takes there."""

from __future__ import annotations

import re
import unicodedata

WIDTH = 72

# A line may break beside any of these, but not before a closing sign nor after an opening one.
_WIDE = "[\u2e80-\u2fff\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_OPENING = "[「『（【《〈〔［｛“‘(]"
_CLOSING = "[、。，．！？：；）」』】》〉〕］｝”’ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ・…)]"
_STOP = "、。，．！？：；"
_PIECE = re.compile(
    f"{_OPENING}*{_WIDE}{_CLOSING}*|(?:(?!{_OPENING}*{_WIDE})[^{_STOP}])+(?:[{_STOP}]{_CLOSING}*)?|[{_STOP}]+"
)


def columns(text: str) -> int:
    """Return how many columns a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, width: int = WIDTH) -> list[str]:
    """Break text into lines of at most `width` columns; a piece that has no place to break stays whole."""
    lines, line, used = [], "", 0
    for word in re.split(r"[ \t\n]+", text.strip()):
        space = " " if line else ""
        for piece in _PIECE.findall(word):
            needed = columns(piece)
            if line and used + len(space) + needed > width:
                lines.append(line)
                line, used, space = "", 0, ""
            line += space + piece
            used += len(space) + needed
            space = ""
    return [*lines, line] if line else lines


def indent(lines: list[str], first: str, rest: str) -> list[str]:
    """Return lines with `first` before the first and `rest` before the others; none ends in spaces."""
    return [((rest if number else first) + line).rstrip() for number, line in enumerate(lines)]


def pad(text: str, width: int) -> str:
    """Return text filled with spaces to a width in columns."""
    return text + " " * max(0, width - columns(text))
