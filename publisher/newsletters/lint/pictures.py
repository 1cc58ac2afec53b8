"""The letter's pictures: their words, their weight, their width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from publisher.newsletters.letter.finding import Finding
from publisher.newsletters.lint.codes import found
from publisher.newsletters.lint.letter_context import Case

HEAVY = 1_000_000  # bytes


def picture_findings(case: Case) -> Iterator[Finding]:
    """Yield what is wrong with the pictures; of those elsewhere in the world nobody knows the weight."""
    files = dict(pair for post in case.posts for pair in (*post.assets, *post.post.files))
    weighed = set()
    for picture in case.sheet.tree.iter("img"):
        source = picture.get("src", "")
        name = source.rpartition("/")[2] or "without an address"
        if _is_mute(picture):
            yield found("alt-missing", case.places.of_address(source), f"the picture {name} has no alt text")
        if not picture.get("width"):
            yield found("picture-width", case.places.of_address(source), f"the picture {name} has no width")
        if source not in weighed:
            weighed.add(source)
            yield from _weight(case, source, name, files)


def _is_mute(picture: Any) -> bool:
    if picture.get("role") in ("presentation", "none") or picture.get("aria-hidden") == "true":
        return False
    return not picture.get("alt", "").strip()


def _weight(case: Case, source: str, name: str, files: dict[str, str]) -> Iterator[Finding]:
    path = case.site_path(source)
    if path is None:
        return
    file = case.config.root / files.get(path, f"{case.config.pages.static}/{path}")
    try:
        size = file.stat().st_size
    except OSError:
        return  # not there: that is told as a broken link
    if size > HEAVY:
        yield found(
            "picture-heavy", case.places.of_address(source), f"the picture {name} has {size / 1_000_000:.1f} MB"
        )
