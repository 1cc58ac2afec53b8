"""A text that was made from another one, such as a body whose tags were run, and where each of its lines comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from publisher.core.frozen import dataclass


class TagProblem(NamedTuple):
    """Something that is wrong with a tag.

    line      its line in the text that was expanded, from 1
    message   what is wrong
    hint      how to fix it
    is_error  whether readers would see something other than the writer means, so that no email should be sent
    where     the place in another file that is wrong, as "path:line" or "path"; "" if the tag itself is wrong
    """

    line: int
    message: str
    hint: str = ""
    is_error: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text that was made from another one.

    text      the new text
    lines     for each of its lines, the line (from 1) of the original that it was made from; () if they are the same
    problems  what is wrong with the tags, with lines of the original
    files     the files on which it depends, by their paths from the root of the project, whether they exist or not
    """

    text: str
    lines: tuple[int, ...] = ()
    problems: tuple[TagProblem, ...] = ()
    files: tuple[str, ...] = ()

    def line_of(self, line: int) -> int:
        """Return the line of the original text for a line of this text, both from 1."""
        if not self.lines or line < 1:
            return line
        return self.lines[min(line, len(self.lines)) - 1]

    def then(self, step: Callable[[str], Expanded]) -> Expanded:
        """Return the result of another step on this text, with the lines of the original text."""
        later = step(self.text)
        if later.text == self.text and not later.problems and not later.files:
            return self
        lines = tuple(map(self.line_of, later.lines)) if later.lines else self.lines
        problems = (each._replace(line=self.line_of(each.line)) for each in later.problems)
        files = dict.fromkeys((*self.files, *later.files))
        return Expanded(later.text, lines, (*self.problems, *problems), tuple(files))


class Pieces:
    """The pieces of a text while it is put together, and the line that each of them comes from."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._lines: list[int] = []
        self._ended = True  # whether the next piece begins a line
        self._next = 1  # the line from which the text after the last line ending comes

    def copy(self, text: str, line: int) -> None:
        """Add a text that begins on a line of the original, and has the same lines as the original."""
        self._add(text, range(line, line + text.count("\n") + 1))

    def insert(self, text: str, line: int) -> None:
        """Add a text that replaces something on a line of the original."""
        self._add(text, [line] * (text.count("\n") + 1))

    def expanded(self, problems: tuple[TagProblem, ...] = (), files: tuple[str, ...] = ()) -> Expanded:
        """Return the text of all pieces."""
        text = "".join(self._texts)
        if self._ended and self._lines:
            self._lines.append(self._next)
        is_same = self._lines == list(range(1, len(self._lines) + 1))
        return Expanded(text, () if is_same else tuple(self._lines), problems, files)

    def _add(self, text: str, lines: range | list[int]) -> None:
        if not text:
            return
        self._texts.append(text)
        self._lines += lines if self._ended else lines[1:]
        self._ended = text.endswith("\n")
        if self._ended:
            self._next = self._lines.pop()
