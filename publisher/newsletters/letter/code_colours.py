"""Colours for code in letters: few families of tokens, each with a class that letter.css paints.

Few, because every coloured token costs some fifty bytes once its style is inlined; and as classes, because
the dark colours have to find the same tokens again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_CODE = 20_000  # characters; a longer listing is shown without colours, to keep the letter small


def painted(code: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield (class, text) pieces that join to `code` exactly; the class is "" for text without a colour.

    A language that nobody knows gives one piece. Nothing is guessed from the code itself.
    """
    lexer = _lexer(language) if language and len(code) <= MAX_CODE else None
    if lexer is None:
        yield "", code
        return
    held_class, held = "", ""
    for token, text in lexer.get_tokens(code):
        css_class = _family(token)
        if css_class == held_class or not text.strip():
            held += text
            continue
        if held:
            yield held_class, held
        held_class, held = css_class, text
    if held:
        yield held_class, held


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _family(token: Any) -> str:
    from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String

    families = (
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
    return next((css_class for family, css_class in families if token in family), "")
