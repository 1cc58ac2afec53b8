"""Values written so that old mail programs read them too."""

from __future__ import annotations

from typing import Any

_COLOURS = {"rgb", "rgba", "hsl", "hsla"}


def plain_value(tokens: list[Any]) -> str:
    """Return a value with colours in the form of CSS Color Level 3: `rgb(0 0 0 / 50%)` is `rgba(0, 0, 0, 0.5)`.

    Everything else comes back as it was, without comments and outer blanks.
    """
    return "".join(_plain(token) for token in tokens if token.type != "comment").strip()


def _plain(token: Any) -> str:
    if token.type == "function":
        if token.lower_name in _COLOURS:
            return _colour(token)
        return f"{token.name}({plain_value(token.arguments)})"
    if token.type == "() block":
        return f"({plain_value(token.content)})"
    if token.type == "hash" and len(token.value) in (4, 8):
        return _hash(token.value)
    return str(token.serialize())


def _colour(function: Any) -> str:
    """Colours with blanks and a slash, with commas; what is not that simple (var(), calc()) comes back untouched."""
    parts = [t for t in function.arguments if t.type not in ("whitespace", "comment")]
    numbers = [t for t in parts if t.type in ("number", "percentage", "dimension")]
    signs = [t.value for t in parts if t.type == "literal"]
    if len(numbers) + len(signs) != len(parts) or signs not in ([], ["/"]) or len(numbers) != 3 + len(signs):
        return str(function.serialize())
    name = function.lower_name[:3]
    channels = [t.serialize() for t in numbers[:3]]
    if not signs:
        return f"{name}({', '.join(channels)})"
    alpha = numbers[3].value / 100 if numbers[3].type == "percentage" else numbers[3].value
    return f"{name}a({', '.join(channels)}, {alpha:g})"


def _hash(digits: str) -> str:
    """#rrggbbaa and #rgba, which Outlook and older programs take for no colour."""
    wide = digits if len(digits) == 8 else "".join(digit * 2 for digit in digits)
    try:
        red, green, blue, alpha = bytes.fromhex(wide)
    except ValueError:
        return f"#{digits}"
    return f"rgba({red}, {green}, {blue}, {alpha / 255:.3g})"
