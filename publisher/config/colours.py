"""Colours as numbers: how well one can be read on another (WCAG 2.2), and the nearest that can.

Pure. A colour is "#rrggbb" in small letters.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

AA = 4.5  # the contrast that WCAG 2.2, success criterion 1.4.3, wants of text


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours: 1 for equal ones, 21 for black on white (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def is_dark(ground: str) -> bool:
    """Return whether white can be read better than black on a colour."""
    return contrast(ground, "#ffffff") > contrast(ground, "#000000")


def mixed(one: str, other: str, share: float) -> str:
    """Return a colour with a share (0 to 1) of another in it."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return _written([a + (b - a) * share for a, b in pairs])


def least_contrast(colour: str, grounds: Sequence[str]) -> float:
    """Return the contrast of a colour on the ground where it is read worst."""
    return min(contrast(colour, ground) for ground in grounds)


def readable(colour: str, grounds: Sequence[str], least: float = AA) -> str:
    """Return the colour, or the nearest of its hue that has a contrast of `least` on every ground.

    It becomes lighter on dark grounds and darker on light ones. Where nothing is enough, the end of the way
    is returned: white or black.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _parts(colour)))
    step = 0.01 if is_dark(grounds[0]) else -0.01
    found = colour
    while least_contrast(found, grounds) < least and 0 < lightness + step < 1:
        lightness += step
        found = _written([part * 255 for part in colorsys.hls_to_rgb(hue, lightness, saturation)])
    if least_contrast(found, grounds) >= least:
        return found
    return "#ffffff" if step > 0 else "#000000"


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _written(parts: Sequence[float]) -> str:
    return "#" + "".join(f"{min(255, max(0, round(part))):02x}" for part in parts)


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (part / 255 for part in _parts(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
