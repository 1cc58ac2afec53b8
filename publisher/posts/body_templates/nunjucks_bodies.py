"""Nunjucks in bodies, run by Jinja2 in its sandbox, as Eleventy and Hexo do.

Nunjucks is a port of Jinja2, so nunjucks_source has little to translate. Code that cannot be run stays as it is
written, and is reported. docs/decisions/0045-tags-of-other-tools.md has the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import jinja2

from publisher.core import patterns
from publisher.core.errors import PostError, TemplateError
from publisher.core.templates import trusted_html
from publisher.posts.body_templates.hexo_tags import hexo_tag
from publisher.posts.body_templates.kept_tags import problems_of, shortened
from publisher.posts.body_templates.liquid_filters import SiteFilters
from publisher.posts.body_templates.nunjucks_environment import NunjucksEnvironment, TooMuchError, UnknownName, shown
from publisher.posts.body_templates.nunjucks_source import (
    END_MARK,
    END_OUT,
    END_TAG,
    MARK,
    OUT,
    TAG,
    NunjucksText,
    Piece,
)
from publisher.posts.body_templates.site_values import Asking, Noted, SiteValues
from publisher.posts.tags.expanded import Expanded, Pieces
from publisher.posts.tags.owner_templates import owner_templates, plain_error
from publisher.posts.text.prose import line_counter, masked

_MARKS = patterns.compile(f"{MARK}(\\d+){END_MARK}")
# How many tags that fail are set aside, one after the other.
_MOST_RETRIES = 20
# The filters of Eleventy, Jekyll and Liquid that a tool may give to Nunjucks templates.
_SITE_FILTERS = ("url", "slug", "slugify", "absoluteUrl", "htmlBaseUrl", "date", "jsonify", "markdownify")


def expand_nunjucks(text: str, asking: Asking, most: int, folders: Sequence[str], *, in_code: bool) -> Expanded:
    """Run the Nunjucks in a body, and return the result.

    most     how many characters it may become
    folders  where its includes are, relative to the root of the project
    in_code  whether it is run in code as well
    Raises PostError, with a line of the text, if it runs for too long or becomes too large.
    """
    return _NunjucksBody(text, asking, folders, in_code).expanded(most)


class _NunjucksBody:
    """A body while its Nunjucks is run."""

    def __init__(self, text: str, asking: Asking, folders: Sequence[str], in_code: bool) -> None:
        self.noted = Noted()
        self._text, self._folders = text, folders
        self._values = SiteValues(asking, self.noted)
        self._is_hexo = asking.config.posts.tool == "hexo"
        self._owner = owner_templates(asking.config.root)
        self._pieces: list[tuple[Piece, str]] = []  # with the text that they are in
        self._vain: list[str] = []
        self._current = -1  # the number of the tag that is run
        self._asked: dict[str, None] = {}
        self._kept: list[tuple[str, int]] = []
        self._wrong: dict[tuple[int, str, str], None] = {}
        self._line_of = line_counter(text)
        self._prose = masked(text)
        self._code = _without_code(text, self._prose) if not in_code else text
        self._env = NunjucksEnvironment(
            self._values.names(), self._include, self._vain.append, escapes=not self._is_hexo
        )
        filters = SiteFilters(self._values).all()
        self._env.filters |= {name: filters[name] for name in _SITE_FILTERS} | {"out_": self._out}
        self._env.globals |= {"start_": self._start, "tag_": self._tag}

    def expanded(self, most: int) -> Expanded:
        """Return the body in which everything that can be run was run."""
        try:
            made = self._run(most)
        except TooMuchError as error:
            piece, text = self._pieces[self._current] if self._current >= 0 else (None, "")
            line = self._line_of(piece.start) if piece and text is self._text else 1
            raise PostError(f"its Nunjucks was stopped: {error}", line=line, hint="simplify it") from error
        pieces = Pieces()
        first, *parts = _MARKS.split(made)
        pieces.insert(first, 1)
        for number, words in zip(parts[::2], parts[1::2], strict=True):
            pieces.insert(words, int(number))
        problems = problems_of("Nunjucks", self._kept, self._wrong, self.noted)
        files = (*self.noted.files, "_config.yml", *self._owner.files(list(self._asked)))
        return pieces.expanded(tuple(problems), tuple(dict.fromkeys(files)))

    def _run(self, most: int) -> str:
        """Render the body, retrying without tags that fail. If too many fail, the body stays as it is written."""
        as_text: set[int] = set()
        for _ in range(_MOST_RETRIES):
            self._current, self._kept, self._pieces = -1, [], []
            self._env.forget()  # templates with the previous numbers of pieces
            try:
                return self._rendered(most, as_text)
            except (TooMuchError, MemoryError, RecursionError):
                raise
            except Exception as error:  # noqa: BLE001 - a filter of Jinja2 may raise anything
                why = str(getattr(error, "message", "")) or str(error) or type(error).__name__
                piece, text = self._pieces[self._current] if self._current >= 0 else (None, "")
                if piece is None or text is not self._text or piece.start in as_text:
                    break
                as_text.add(piece.start)
        what = f"Nunjucks cannot be run here, and is shown as written: {shortened(why)}"
        self._wrong[(1, what, "correct it")] = None
        return f"{MARK}1{END_MARK}" + self._text

    def _rendered(self, most: int, as_text: Collection[int]) -> str:
        source = self._source(self._text, self._code, has_lines=True, as_text=as_text)
        made, size = [], 0
        for chunk in self._env.from_string(source).generate():
            made.append(chunk)
            size += len(chunk)
            if size > 4 * most:  # with the marks of lines
                raise TooMuchError(f"the text becomes longer than {most:,} characters")
        return "".join(made)

    def _source(self, text: str, code: str, *, has_lines: bool, as_text: Collection[int] = ()) -> str:
        """Return the source for Jinja2 of the body or of an include."""
        read = NunjucksText(text, code, self._reads, first=len(self._pieces), has_lines=has_lines, as_text=as_text)
        source = read.source()
        self._pieces += [(piece, text) for piece in read.pieces]
        for piece in read.refused:
            self._keep(piece, text)
        return source

    def _include(self, name: str) -> str | None:
        found = self._values.text(self._folders, name)
        return self._source(found[1], found[1], has_lines=False) if found else None

    def _reads(self, name: str, words: str) -> bool:
        """Return whether Jinja2 can read an expression or a tag, and has its filters."""
        if name in ("include", "import", "from") and not self._can_include(words):
            return False
        if name == "args" and self._is_hexo:
            return False  # its tags contain words, not values
        end = "elif" if name == "elif" else f"end{name}"
        source = {
            "": f"{OUT} ({words}) {END_OUT}",
            "args": f"{OUT} tag_(0, {words}) {END_OUT}",
            "elif": f"{TAG} if true {END_TAG}{TAG} elif {words} {END_TAG}{TAG} endif {END_TAG}",
            "set": f"{TAG} set {words} {END_TAG}" + ("" if "=" in words else f"{TAG} endset {END_TAG}"),
        }.get(name, f"{TAG} {name} {words} {END_TAG}{TAG} {end} {END_TAG}")
        if name in ("include", "import", "from"):
            source = f"{TAG} {name} {words} {END_TAG}"
        try:
            tree = self._env.parse(source)
        except jinja2.TemplateError:
            return False
        if any(each.name == "self" for each in tree.find_all(jinja2.nodes.Name)):
            return False
        return {each.name for each in tree.find_all(jinja2.nodes.Filter)} <= self._env.filters.keys()

    def _can_include(self, words: str) -> bool:
        quoted = re.match(r"[\"']([^\"']{1,200})[\"']", words)
        return quoted is None or "ignore missing" in words or self._values.text(self._folders, quoted[1]) is not None

    def _start(self, number: int) -> str:
        self._current = number
        self._vain.clear()
        return ""

    def _out(self, value: Any, number: int) -> Any:
        """Return a value as readers see it, or its tag as it is written if the value is not known."""
        piece, text = self._pieces[number]
        if isinstance(value, UnknownName):
            value = str(value)
        if not self._vain:
            return shown(value)
        self._vain.clear()
        return self._keep(piece, text)

    def _keep(self, piece: Piece, text: str) -> Any:
        if text is self._text:
            if self._prose[piece.start] == "{":
                name = f"{{% {piece.name} %}}" if piece.name else shortened(text[piece.start : piece.end])
                self._kept.append((name, self._line_of(piece.start)))
        else:
            self._kept.append((shortened(text[piece.start : piece.end]), 1))
        return trusted_html(text[piece.start : piece.end])

    def _tag(self, number: int, *args: Any, caller: Callable[[], str] | None = None, **named: Any) -> Any:
        """Return the result of a tag, from the owner's template or the tool's own code, or the tag as it is written."""
        piece, text = self._pieces[number]
        self._current = number
        self._env.spend(1)
        inner = _MARKS.sub("", str(caller())) if caller else ""
        made = self._made(piece, text, list(args), named, inner)
        if made is None:
            closing = trusted_html(f"{{% end{piece.name} %}}") if caller else ""
            return self._keep(piece, text) + (trusted_html(inner) + closing if caller else "")
        return trusted_html(made)

    def _made(self, piece: Piece, text: str, args: list[Any], named: dict[str, Any], inner: str) -> str | None:
        self._asked[piece.name] = None
        if self._owner.has(piece.name):
            if not args and not named and piece.words:
                args = [each.strip("\"'") for each in re.findall(r"\"[^\"]*\"|'[^']*'|[^\s,\"']+", piece.words)]
            try:
                return self._owner.render(piece.name, args, named, inner, self._values.page)
            except TemplateError as error:
                line = self._line_of(piece.start) if text is self._text else 1
                self._wrong[(line, *plain_error(error))] = None
                return None
        return hexo_tag(piece.name, piece.words, inner, self._values) if self._is_hexo else None


def _without_code(text: str, prose: str) -> str:
    """Return the text in which tags are searched for: with blanks in place of its code."""
    return prose if len(prose) == len(text) else text
