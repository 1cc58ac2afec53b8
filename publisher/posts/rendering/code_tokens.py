"""The tokens of code in posts, found by Pygments in a child process. Only quick_lexer uses Pygments too.

Some of Pygments' lexers need minutes for a few kilobytes that look nothing like their language. Code that takes too
long is shown without colours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from html import unescape
from time import process_time
from typing import TYPE_CHECKING

from publisher.core import patterns
from publisher.core.models import Paint, Token
from publisher.posts.bounded_child import allow
from publisher.posts.bounded_process import BoundedProcess, Call, OverLimit, TimeLimit, shared_process

if TYPE_CHECKING:
    from pygments.lexer import Lexer

    from publisher.posts.rendering.rendered_body import RenderedBody

# The processor time for all the code of a post, by the size of its HTML. A usual listing takes a few milliseconds.
CODE_TIME = TimeLimit(1.0, 5.0)

# Seconds that loading Pygments and a lexer may take, which is not the code's fault.
_LOADING = 0.5

# From this many listings in a language it pays to prepare its lexer, which takes as long as thirty listings.
_MANY = 50

# The length, in characters, from which no more spaces are added to a token.
_LONG = 200

_CODE_BLOCK = patterns.compile(r'<pre[^<>]*><code class="language-([^"\s]++)[^"]*+">([^<]*+)</code></pre>')


# The processor time spent finding the tokens of a listing, and the tokens; None for an unknown language.
_Found = tuple[float, list[Token] | None]

# By language and code, as they are in the HTML of a body: the time, and the code as HTML.
Painted = dict[tuple[str, str], tuple[float, str | None]]


def nearest_class(kind: str, classes: Mapping[str, str]) -> str:
    """Return the CSS class of a kind of token such as "Name.Function.Magic", or of the nearest kind above; or ""."""
    while kind and kind not in classes:
        kind = kind.rpartition(".")[0]
    return classes.get(kind, "")


class CodeLexer:
    """Splits the code of one post into tokens, within a limit of time for all of it.

    slow  the first code that took longer than the time that was left, as (language, code); None if none did
    """

    def __init__(self, process: BoundedProcess, seconds: float, painted: Painted | None = None) -> None:
        """Start with no tokens. painted: the listings that are HTML already."""
        self._process, self._limit, self._left = process, seconds, seconds
        self._ahead: Call | None = None
        self._painted = painted or {}
        self.slow: tuple[str, str] | None = None

    @property
    def seconds(self) -> float:
        """The limit for all code of the post."""
        return self._limit

    def __call__(self, code: str, language: str) -> list[Token] | None:
        """Return the tokens of a listing; None if its language is unknown, or the post's time for code is over."""
        tokens: list[Token] | None = None
        if self.slow is not None:
            return tokens
        try:
            used, tokens = self._process.call(tokens_of, code, language, seconds=self._left + _LOADING)
        except OverLimit:
            used = self._left
        self._spend(used, language, code)
        return tokens

    def begin(self, html: str, paint: Paint) -> bool:
        """Begin to turn all code of the post into HTML, so that the HTML is ready when it is needed.

        Returns False if that is not necessary.
        """
        if self._ahead is not None or self._painted or not (found := _CODE_BLOCK.findall(html)):
            return False
        self._ahead = self._process.begin(painted, found, paint, seconds=self._limit + _LOADING)
        return True

    def html(self, paint: Paint, language: str, code: str) -> str | None:
        """Return a listing as HTML, as `paint` writes it; None if its language is unknown, or the time is over.

        language, code: as they are in the HTML of the body
        """
        if self._ahead is not None:
            with suppress(OverLimit):  # then they are tried one after the other, to see which it was
                self._painted = self._process.result(self._ahead)
            self._ahead = None
        known = self._painted.pop((language, code), None) if self.slow is None else None
        if known is None:
            tokens = self(unescape(code), unescape(language))
            return None if tokens is None else paint(tokens)
        self._spend(known[0], language, code)
        return known[1]

    def _spend(self, seconds: float, language: str, code: str) -> None:
        self._left -= seconds
        if self._left <= 0:
            self.slow = (language, code)


def body_with_code(
    around: object, render: Callable[..., RenderedBody], args: Sequence[object], limit: TimeLimit, paint: Paint
) -> tuple[RenderedBody, Painted]:
    """Return render(around, *args), and its code as HTML. It runs in the child, with a time limit for the code alone.

    limit  the time for all code, by the size of the body's HTML
    """
    body = render(around, *args)
    found = _CODE_BLOCK.findall(body.html)
    if not found:
        return body, {}
    allow(limit.for_size(len(body.html)) + _LOADING)
    return body, painted(found, paint)


def painted(listings: Iterable[tuple[str, str]], paint: Paint) -> Painted:
    """Return listings as HTML. Each is (language, code), as in the HTML of a body. It runs in the child."""
    made: Painted = {}
    for language, code in listings:
        seconds, tokens = tokens_of(unescape(code), unescape(language))
        made[language, code] = seconds, None if tokens is None else paint(tokens)
    return made


def lexed(code: str, language: str) -> list[Token] | None:
    """Return the tokens of code outside posts; None if its language is unknown, or it takes too long."""
    return CodeLexer(shared_process(), CODE_TIME.for_size(len(code)))(code, language)


def listings(html: str) -> Iterator[tuple[str, str]]:
    """Yield (code, language) of each listing in a body's HTML that names its language."""
    for language, code in _CODE_BLOCK.findall(html):
        yield unescape(code), unescape(language)


def tokens_of(code: str, language: str) -> _Found:
    """Return the processor time that finding the tokens took, and the tokens.

    It runs in the child. A kind is the dotted name of Pygments' type. A space belongs to the token before it, since
    it has no colour. There are no tokens for an unknown language.
    """
    known = _language(language)
    if known is None:
        return 0.0, None
    begun = process_time()
    tokens: list[Token] = []
    before = ""
    for kind, text in known.tokens(code):
        if 0 < len(before) < _LONG and text.isspace():
            before += text
            tokens[-1] = tokens[-1][0], before
        else:
            before = text
            tokens.append((_name(kind), text))
    return process_time() - begun, tokens


class _Language:
    """A language whose listings are split into tokens."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer
        self._count = 0
        self._tokens: Callable[[str], Iterable[tuple[tuple[str, ...], str]]] = lexer.get_tokens

    def tokens(self, code: str) -> Iterable[tuple[tuple[str, ...], str]]:
        """Return the tokens of a listing."""
        self._count += 1
        if self._count == _MANY:
            from publisher.posts.rendering.quick_lexer import quick_tokens  # it loads Pygments too

            self._tokens = quick_tokens(self._lexer)
        return self._tokens(code)


@lru_cache(maxsize=1024)
def _name(kind: tuple[str, ...]) -> str:
    return ".".join(kind)


@lru_cache(maxsize=256)
def _language(name: str) -> _Language | None:
    """Return a language, or None if there is no lexer for it.

    Lexers are cached, because finding and compiling a lexer takes as long as lexing a page of code.
    """
    # Imported here: Pygments takes 40 ms, and many sites have no code.
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return _Language(get_lexer_by_name(name, stripnl=False, ensurenl=False))
    except ClassNotFound:
        return None
