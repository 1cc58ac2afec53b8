"""Finds the CSS in an email's templates: in files, in <style> elements, and in blocks that end up inside one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from html.parser import HTMLParser
from itertools import groupby

import jinja2

from publisher.core.errors import file_and_line
from publisher.core.frozen import dataclass
from publisher.core.templates import SHIPPED_PREFIX, Templates
from publisher.newsletters.letter.css_parser import imports, unclosed

_STYLE_BLOCKS = {"style": False, "kept_style": True}  # base.html has them inside a <style>


@dataclass(frozen=True, slots=True)
class CssSource:
    """A piece of CSS as it was written, or a link to a stylesheet.

    css    the CSS without Jinja; "" for a link
    where  "file:line" of the first line of this piece
    kept   whether the CSS stays in a <style> instead of becoming style attributes
    link   whether this is a <link rel="stylesheet">
    """

    css: str
    where: str
    kept: bool = False
    link: bool = False


def sources_of(templates: Templates, template: str) -> list[CssSource]:
    """Return all CSS of an email template, such as "email/digest.html", with its files and lines."""
    found: list[CssSource] = []
    for name, text in templates.family(template).items():
        found += _in_file(text, f"templates/{name.removeprefix(f'{SHIPPED_PREFIX}/')}")
    return found


def refused_in(sources: Iterable[CssSource]) -> str:
    """Return "file:line" of the first link or @import that would fetch a stylesheet, or ""."""
    for source in sources:
        if source.link:
            return source.where
        for line in imports(source.css):
            return line_of(source.where, line)
    return ""


def unclosed_in(sources: Iterable[CssSource]) -> str:
    """Return "file:line" of the first block or comment that is never closed, or ""."""
    lines = ((source.where, unclosed(source.css)) for source in sources)
    return next((line_of(where, line) for where, line in lines if line), "")


def line_of(where: str, line: int) -> str:
    """Return "file:line" for a line that is counted from `where`, which is a file or "file:line"."""
    file, first = file_and_line(where)
    return f"{file}:{max(first, 1) + line - 1}"


@lru_cache(maxsize=64)
def _in_file(text: str, where: str) -> tuple[CssSource, ...]:
    """Return the CSS of one file, which is read once for all emails of a run."""
    if not where.endswith(".css"):
        return tuple(_in_template(text, where))
    css = "".join(data for _, _, data in _pieces(text))
    return (CssSource(css, f"{where}:1", kept=where.endswith("-kept.css")),)


def _in_template(text: str, where: str) -> Iterator[CssSource]:
    html = _Styles()
    for block, group in groupby(_pieces(text), key=lambda piece: piece[1]):
        pieces = list(group)
        data = "".join(piece[2] for piece in pieces)
        if block in _STYLE_BLOCKS and not html.inside:
            if data.strip():
                yield CssSource(data, f"{where}:{pieces[0][0]}", kept=_STYLE_BLOCKS[block])
            data = "\n" * data.count("\n")
        html.feed(data)
    html.close()
    for line, css, kept in html.styles:
        yield CssSource(css, f"{where}:{line}", kept=kept)
    for line in html.links:
        yield CssSource("", f"{where}:{line}", link=True)


def _pieces(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, innermost block, text) without Jinja; each value is replaced by an x, and line ends are kept.

    Together, the pieces have as many lines as the template, so lines can be counted in them.
    """
    line, blocks = 1, [""]
    statement: list[str] = []
    for _, kind, token in jinja2.Environment(autoescape=True).lex(text):
        ends = "\n" * token.count("\n")
        yield line, blocks[-1], token if kind == "data" else "x" * (kind == "variable_begin") + ends
        line += len(ends)
        if kind == "block_begin":
            statement = []
        elif kind == "name":
            statement.append(token)
        elif kind == "block_end":
            _enter(statement, blocks)


def _enter(statement: list[str], blocks: list[str]) -> None:
    if statement[:1] == ["block"] and len(statement) > 1:
        blocks.append(statement[1])
    elif statement[:1] == ["endblock"] and len(blocks) > 1:
        blocks.pop()


class _Styles(HTMLParser):
    """Collects <style> elements and links to stylesheets, with their lines."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.styles: list[tuple[int, str, bool]] = []
        self.links: list[int] = []
        self._kept, self._text, self._line = False, "", 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember where a <style> starts, and every link to a stylesheet."""
        values = {name: value or "" for name, value in attrs}
        if tag == "style":
            self.inside, self._text, self._kept = True, "", "data-premailer" in values
            self._line = self.getpos()[0] + (self.get_starttag_text() or "").count("\n")
        elif tag == "link" and "stylesheet" in values.get("rel", "").lower():
            self.links.append(self.getpos()[0])

    def handle_data(self, data: str) -> None:
        """Collect the text of a <style>, which the parser may pass on in pieces."""
        if self.inside:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        """Finish a <style>."""
        if tag == "style":
            self.inside = False
            self.styles.append((self._line, self._text, self._kept))
