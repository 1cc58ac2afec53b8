"""Syntax highlighting for code in emails, with a few families of tokens whose classes are coloured by letter.css.

The families are few because every coloured token costs some fifty bytes once its style is inlined. They are classes
because the rules for dark mode have to match the same tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from publisher.core.models import Lex
from publisher.posts.rendering.code_tokens import nearest_class

MAX_CODE = 20_000  # characters; a longer listing is shown without colours, to keep the email small

# Dotted name of a family of tokens -> class. A token belongs to the nearest family above it.
_CLASSES = {
    "Comment": "c-note",
    "Literal.String": "c-text",
    "Literal.Number": "c-number",
    "Keyword": "c-word",
    "Operator.Word": "c-word",
    "Name.Tag": "c-word",
    "Name.Function": "c-name",
    "Name.Class": "c-name",
    "Name.Decorator": "c-name",
    "Name.Attribute": "c-name",
    "Generic.Deleted": "c-out",
    "Generic.Inserted": "c-text",
    "Generic.Heading": "c-name",
    "Generic.Subheading": "c-name",
}


def coloured(code: str, language: str, lex: Lex) -> Iterator[tuple[str, str]]:
    """Yield the code in pieces of (class, text); the class is "" for text without a colour.

    Code without tokens (see Lex) is yielded as one piece; its language is not guessed.
    """
    tokens = lex(code, language) if language and len(code) <= MAX_CODE else None
    if tokens is None:
        yield "", code
        return
    run_class, run = "", ""
    for token, text in tokens:
        css_class = _class_of(token)
        if css_class == run_class or not text.strip():
            run += text
            continue
        if run:
            yield run_class, run
        run_class, run = css_class, text
    if run:
        yield run_class, run


@lru_cache(maxsize=256)
def _class_of(token: str) -> str:
    return nearest_class(token, _CLASSES)
