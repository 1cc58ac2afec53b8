"""The declarations that reach one element, as one style attribute: CSS Cascading Level 4, section 6.

A style attribute has no cascade of its own, only an order. So what wins must stand last: a property that is
set again moves to the end, and takes with it what its shorthand covers.
"""

from __future__ import annotations

from collections.abc import Iterable

from publisher.newsletters.letter.css.sheet import Declaration

_SIDES = ("top", "right", "bottom", "left")
_ASPECTS = ("width", "style", "color")
# Longhands that go once their shorthand is set again, to save bytes; others stay before it, where they lose.
_COVERED = {
    "margin": frozenset(f"margin-{side}" for side in _SIDES),
    "padding": frozenset(f"padding-{side}" for side in _SIDES),
    "border": frozenset(
        [f"border-{part}" for part in _SIDES + _ASPECTS]
        + [f"border-{side}-{aspect}" for side in _SIDES for aspect in _ASPECTS]
    ),
}


def style_attribute(rules: Iterable[tuple[Declaration, ...]], own: tuple[Declaration, ...] = ()) -> str:
    """Return the style attribute of an element.

    rules  what reaches it, weakest first
    own    what its style attribute says already; it wins over all but urgent rules

    Equal properties within one rule all stay, in order: they are a writer's fallback for old programs.
    What was urgent in a rule has won, and loses its `!important`, so that dark rules can win over it; in an
    attribute of the writer's own it stays.
    """
    held = [*rules, own]
    winners: dict[str, list[str]] = {}
    for urgent in (False, True):
        for layer in held:
            suffix = " !important" if urgent and layer is own else ""
            _apply([(each.name, each.value + suffix) for each in layer if each.important is urgent], winners)
    return "; ".join(f"{name}:{value}" for name, values in winners.items() for value in values)


def _apply(layer: list[tuple[str, str]], winners: dict[str, list[str]]) -> None:
    fresh: set[str] = set()
    for name, value in layer:
        # To the end, behind a shorthand in between.
        winners[name] = [*winners.pop(name), value] if name in fresh else _replaced(name, value, winners)
        for longhand in _COVERED.get(name, frozenset()) - fresh:
            winners.pop(longhand, None)
        fresh.add(name)


def _replaced(name: str, value: str, winners: dict[str, list[str]]) -> list[str]:
    winners.pop(name, None)
    return [value]
