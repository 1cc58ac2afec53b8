"""Syntax highlighting for code in emails, with a few families of tokens whose classes are coloured by letter.css.

The families are few because every coloured token costs some fifty bytes once its style is inlined. They are classes
because the rules for dark mode have to match the same tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String
from pygments.util import ClassNotFound

MAX_CODE = 20_000  # characters; a longer listing is shown without colours, to keep the email small

_CLASSES = (
    (Comment, "c-note"),
    (String, "c-text"),
    (Number, "c-number"),
    (Keyword, "c-word"),
    (Operator.Word, "c-word"),
    (Name.Tag, "c-word"),
    (Name.Function, "c-name"),
    (Name.Class, "c-name"),
    (Name.Decorator, "c-name"),
    (Name.Attribute, "c-name"),
    (Generic.Deleted, "c-out"),
    (Generic.Inserted, "c-text"),
    (Generic.Heading, "c-name"),
    (Generic.Subheading, "c-name"),
)


def coloured(code: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield the code in pieces of (class, text); the class is "" for text without a colour.

    Code in an unknown language is yielded as one piece, because the language is not guessed.
    """
    lexer = _lexer(language) if language and len(code) <= MAX_CODE else None
    if lexer is None:
        yield "", code
        return
    run_class, run = "", ""
    for token, text in lexer.get_tokens(code):
        css_class = _class_of(token)
        if css_class == run_class or not text.strip():
            run += text
            continue
        if run:
            yield run_class, run
        run_class, run = css_class, text
    if run:
        yield run_class, run


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _class_of(token: Any) -> str:
    return next((css_class for family, css_class in _CLASSES if token in family), "")
