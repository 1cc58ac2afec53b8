"""Finds the longhands that a CSS declaration sets, so that a feature is found however it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from publisher.newsletters.lint.parsed_letter import Property

# A value of several parts: strings, functions with their arguments, words, a slash, a comma.
_PART = re.compile(
    r"""[a-z-]*+\((?:[^()"']++|"[^"]*+"|'[^']*+'|\((?:[^()]|\([^()]*+\))*+\))*+\)?|"[^"]*+"?|'[^']*+'?|[/,]|[^\s/,("']++|\("""
)
_PICTURE = re.compile(r"(?:url|(?:repeating-)?[a-z]+-gradient|image-set|image|element|cross-fade)\(")
_LENGTH = re.compile(r"[-+]?(?:\d++(?:\.\d++)?|\.\d++)[a-z%]*+$|(?:calc|min|max|clamp)\(")
_POSITIONS = frozenset(("left", "right", "top", "bottom", "center"))
_REPEATS = frozenset(("repeat", "no-repeat", "repeat-x", "repeat-y", "round", "space"))
_BOXES = frozenset(("border-box", "padding-box", "content-box", "text"))
_LINES = frozenset(("underline", "overline", "line-through", "blink"))
_LINE_STYLES = frozenset(("solid", "double", "dotted", "dashed", "wavy"))
_WIDTHS = re.compile(r"(?:(?:ultra|extra|semi)-)?(?:condensed|expanded)$")
_DIRECTIONS = frozenset(("row", "row-reverse", "column", "column-reverse"))
_WRAPS = frozenset(("wrap", "nowrap", "wrap-reverse"))

# Longhands of which caniemail.com tests only the shorthand.
_PART_OF = re.compile(
    r"(animation|transition|outline|border-image|columns?|mask-border|text-emphasis|scroll-snap)-[a-z-]+$"
)
_NEGATIVE = re.compile(r"(?<![\w.)-])-(?:\d|\.\d)")


def declared(declaration: Property) -> Iterator[Property]:
    """Yield a declaration, and the longhands that it also sets."""
    yield declaration
    name, value = declaration.name, declaration.value.lower()
    if name in _SHORTHANDS:
        for longhand, part in _SHORTHANDS[name](_PART.findall(value)):
            yield Property(longhand, part)
    elif part_of := _PART_OF.match(name):
        yield Property(part_of[1], value)


def negative(declaration: Property) -> str:
    """Return the property, without its side, to which a declaration gives a negative value; "" if it does not."""
    base = "margin" if declaration.name.startswith("margin") else declaration.name
    bare = re.sub(r"[a-z-]+\([^()]*+\)|\"[^\"]*\"|'[^']*'", "", declaration.value.lower())
    return base if _NEGATIVE.search(bare) else ""


def _background(parts: list[str]) -> Iterator[tuple[str, str]]:
    after_slash = False
    for part in parts:
        if part == "/":
            after_slash = True
        elif _PICTURE.match(part):
            yield "background-image", part
        elif part in _REPEATS:
            yield "background-repeat", part
        elif part in _BOXES:
            yield from (("background-origin", part), ("background-clip", part))
        elif part in _POSITIONS or _LENGTH.match(part) or part in ("cover", "contain", "auto"):
            yield ("background-size" if after_slash else "background-position"), part
        elif part in ("fixed", "local", "scroll"):
            yield "background-attachment", part
        after_slash = after_slash and part != ","


def _list_style(parts: list[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if _PICTURE.match(part):
            yield "list-style-image", part
        elif part in ("inside", "outside"):
            yield "list-style-position", part


def _mask(parts: list[str]) -> Iterator[tuple[str, str]]:
    yield from (("mask-image", part) for part in parts if _PICTURE.match(part))


def _text_decoration(parts: list[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if part in _LINE_STYLES:
            yield "text-decoration-style", part
        elif _LENGTH.match(part) or part == "from-font":
            yield "text-decoration-thickness", part
        elif part not in _LINES and part not in ("none", "inherit", "initial", "unset", "revert"):
            yield "text-decoration-color", part


def _font(parts: list[str]) -> Iterator[tuple[str, str]]:
    yield from (("font-stretch", part) for part in parts if _WIDTHS.match(part))


def _flex_flow(parts: list[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if part in _DIRECTIONS:
            yield "flex-direction", part
        elif part in _WRAPS:
            yield "flex-wrap", part


def _columns(parts: list[str]) -> Iterator[tuple[str, str]]:
    yield from (("column-count", part) for part in parts if part.isdecimal())


def _grid(parts: list[str]) -> Iterator[tuple[str, str]]:
    if parts and parts != ["none"]:
        yield "grid-template-rows", " ".join(parts)


_SHORTHANDS = {
    "background": _background,
    "list-style": _list_style,
    "mask": _mask,
    "-webkit-mask": _mask,
    "text-decoration": _text_decoration,
    "font": _font,
    "flex-flow": _flex_flow,
    "columns": _columns,
    "grid": _grid,
    "grid-template": _grid,
}
