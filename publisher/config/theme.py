"""The keys of a letter's looks, and what of them cannot be read.

[theme] is for all letters; a newsletter's own theme says what is different in its. A key left out is taken from
the table above it, and at the end from DEFAULT.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any

from publisher.config import checks
from publisher.config.checks import STRICT, Check, Doc
from publisher.config.colours import AA, least_contrast, mixed, readable
from publisher.config.fits import fits

TINT = 0.055  # share of the text's colour in the ground of code


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """[theme]: how letters look; colours as #rrggbb."""

    __pydantic_config__ = STRICT

    accent: Annotated[str, Check(checks.colour), Doc("Colour of links. Default: #0a5a8a.")] = ""
    background: Annotated[str, Check(checks.colour), Doc("Colour around the letter. Default: #f4f2ee.")] = ""
    paper: Annotated[str, Check(checks.colour), Doc("Colour behind the text. Default: #ffffff.")] = ""
    text: Annotated[str, Check(checks.colour), Doc("Colour of the text. Default: #1f1d1a.")] = ""
    dark_accent: Annotated[
        str, Check(checks.colour), Doc("Colour of links in dark mode. Default: `accent`, as light as it must be.")
    ] = ""
    dark_background: Annotated[
        str, Check(checks.colour), Doc("Colour around the letter in dark mode. Default: #131211.")
    ] = ""
    dark_paper: Annotated[str, Check(checks.colour), Doc("Colour behind the text in dark mode. Default: #1d1b19.")] = ""
    dark_text: Annotated[str, Check(checks.colour), Doc("Colour of the text in dark mode. Default: #ebe7df.")] = ""
    font: Annotated[
        str,
        Check(checks.font),
        Doc("Font of the text: system, sans, serif, or names with commas between. Default: system."),
    ] = ""
    title_font: Annotated[str, Check(checks.font), Doc("Font of titles, likewise. Default: serif.")] = ""
    logo: Annotated[str, Check(checks.picture), Doc("Picture above the name: a URL or a path under static/.")] = ""
    logo_width: Annotated[
        int, Check(checks.between(0, 536)), Doc("How wide the logo is shown, in pixels. Default: 120.")
    ] = 0

    def over(self, below: "Theme") -> "Theme":
        """Return this theme with what it leaves out taken from another."""
        return Theme(**{item.name: getattr(self, item.name) or getattr(below, item.name) for item in fields(self)})


ACCENT = "#0a5a8a"  # made readable on whatever paper there is, while nobody chose another
DEFAULT = Theme(
    background="#f4f2ee",
    paper="#ffffff",
    text="#1f1d1a",
    dark_background="#131211",
    dark_paper="#1d1b19",
    dark_text="#ebe7df",
    font="system",
    title_font="serif",
    logo_width=120,
)


def grounds(paper: str, text: str) -> tuple[str, str]:
    """Return what text stands on in a letter: its paper, and the ground of code."""
    return paper, mixed(paper, text, TINT)


def unreadable(theme: Theme) -> Iterator[tuple[str, str, str]]:
    """Yield (key, what is wrong, how to mend it) for each colour of a theme that misses WCAG's AA on its paper.

    A theme that is mended as it is told has none left.
    """
    whole = theme.over(DEFAULT)
    for mode in ("", "dark_"):
        paper, text = getattr(whole, f"{mode}paper"), getattr(whole, f"{mode}text")
        better = _nearest_text(text, paper)
        if least_contrast(better, grounds(paper, better)) < AA:
            key = f"{mode}paper"
            yield (
                key,
                f"no text can be read on {paper}, and on code, with AA's {AA}",
                "choose a lighter or a darker one",
            )
            continue
        yield from _unreadable_on(paper, f"{mode}text", text, better, grounds(paper, text))
        if accent := getattr(whole, f"{mode}accent"):
            behind = grounds(paper, better)
            yield from _unreadable_on(paper, f"{mode}accent", accent, readable(accent, behind), behind)


def _unreadable_on(
    paper: str, key: str, colour: str, better: str, behind: tuple[str, str]
) -> Iterator[tuple[str, str, str]]:
    reached = least_contrast(colour, behind)
    if reached < AA:
        wrong = f"{colour} on {paper}, and on the {behind[1]} of code, has a contrast of {reached:.2f}; AA wants {AA}"
        yield key, wrong, f'the nearest that can be read is {key} = "{better}"'


def _nearest_text(text: str, paper: str) -> str:
    """The nearest text that can be read on a paper; the ground of code has some of it, and moves with it."""
    for _ in range(10):
        behind = grounds(paper, text)
        if least_contrast(text, behind) >= AA:
            break
        text = readable(text, behind)
    return text


def unreadable_themes(raw: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield (path of the key, what is wrong, how to mend it) for every theme in the table of publisher.toml.

    Tables whose keys are not right by themselves are passed over.
    """
    site = _theme(raw.get("theme", {})) or Theme()
    found: list[tuple[tuple[str | int, ...], Theme]] = [(("theme",), site)]
    newsletters = raw.get("newsletters")
    for number, newsletter in enumerate(newsletters if isinstance(newsletters, list) else []):
        own = _theme(newsletter.get("theme", {})) if isinstance(newsletter, dict) else None
        if own and own != Theme():
            found.append((("newsletters", number, "theme"), own.over(site)))
    for path, theme in found:
        for key, wrong, hint in unreadable(theme):
            yield (*path, key), wrong, hint


def _theme(table: Any) -> Theme | None:
    return Theme(**table) if fits(Theme, table) else None
