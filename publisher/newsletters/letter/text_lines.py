"""Lines of plain text, measured in terminal columns: wrapped, indented, underlined.

A Chinese, Japanese or Korean character takes two columns, and lines may break next to it.
"""

from __future__ import annotations

import re
import unicodedata

from publisher.core.personal_marks import for_everyone, is_sealed, unsealed

WIDTH = 72  # columns

# Scripts in which a line may break next to any character, except before a closing mark or after an opening one.
_WIDE = "[\u2e80-\u2fff\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_OPENING = "[「『（【《〈〔［｛“‘(]"
_CLOSING = "[、。，．！？：；）」』】》〉〕］｝”’ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ・…)]"
_STOP = "、。，．！？：；"
_BEGIN = f"{_OPENING}{{0,9}}{_WIDE}"  # a longer run of brackets would be read again from each of them
_PIECE = re.compile(f"{_BEGIN}{_CLOSING}*|(?:(?!{_BEGIN})[^{_STOP}])+(?:[{_STOP}]{_CLOSING}*)?|[{_STOP}]+")


def underlined(title: str, sign: str, width: int = WIDTH) -> list[str]:
    """Return the wrapped lines of a heading, underlined with the character `sign`."""
    lines = wrap(title, width)
    return [*lines, sign * max((columns(line) for line in lines), default=0)] if lines else []


def columns(text: str) -> int:
    """Return the width of a text in terminal columns: a wide character takes two, a combining character none.

    The mark of a recipient's field is as wide as its default.
    """
    if is_sealed(text):
        text = for_everyone(unsealed(text))
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, width: int = WIDTH) -> list[str]:
    """Break text into lines of at most `width` columns; a piece that cannot be broken is left whole."""
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
    """Put `first` before the first line and `rest` before the others, and remove trailing spaces."""
    return [((rest if number else first) + line).rstrip() for number, line in enumerate(lines)]


def pad(text: str, width: int) -> str:
    """Return text padded with spaces to a width in columns."""
    return text + " " * max(0, width - columns(text))
