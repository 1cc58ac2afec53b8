"""The declarations that reach one element, as one style attribute: CSS Cascading Level 4, section 6.

A style attribute has no cascade of its own, only an order. So what wins must stand last: a property that is
set again moves to the end, and takes with it what its shorthand covers.
"""

from __future__ import annotations

from collections.abc import Iterable

from publisher.editions.css.sheet import Declaration

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


def style_attribute(layers: Iterable[Iterable[Declaration]]) -> str:
    """Return the style attribute of an element.

    layers  what reaches it, weakest first: the rules by weight, and its own style attribute behind them

    Equal properties within one layer all stay, in order: they are a writer's fallback for old programs.
    No `!important` is left: what was urgent has won, and must not win over dark rules.
    """
    held = [list(layer) for layer in layers]
    winners: dict[str, list[str]] = {}
    for urgent in (False, True):
        for layer in held:
            _apply([each for each in layer if each.important is urgent], winners)
    return "; ".join(f"{name}:{value}" for name, values in winners.items() for value in values)


def _apply(layer: list[Declaration], winners: dict[str, list[str]]) -> None:
    fresh: set[str] = set()
    for declaration in layer:
        name = declaration.name
        if name in fresh:
            values = [*winners.pop(name), declaration.value]  # to the end, behind a shorthand in between
        else:
            values = [declaration.value]
            winners.pop(name, None)
        for longhand in _COVERED.get(name, frozenset()):
            if longhand not in fresh:
                winners.pop(longhand, None)
        winners[name] = values
        fresh.add(name)
