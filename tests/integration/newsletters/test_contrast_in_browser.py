"""The contrast is computed from the colours that a browser shows: they are the same in Chromium for every text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from publisher.newsletters.lint.contrast import Cascade, colour_of, initial_style, visible_texts
from publisher.newsletters.lint.parsed_letter import ParsedLetter
from tests.support.editions_samples import LETTERS, make

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser import Chromium

Seen = tuple[str, str, str, float, bool]

# The appearance of each text of a page: its beginning, colour, background, size and weight.
SCRIPT = """() => {
const seen = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const text = walk.currentNode.data, element = walk.currentNode.parentElement, clear = 'rgba(0, 0, 0, 0)';
  if (!/[\\p{L}\\p{N}]/u.test(text) ) continue;
  if (!element.checkVisibility({checkOpacity: true, visibilityProperty: true})) continue;
  let behind = element;
  while (getComputedStyle(behind).backgroundColor == clear) behind = behind.parentElement;
  const style = getComputedStyle(element), ground = getComputedStyle(behind).backgroundColor;
  seen.push([text.trim().slice(0, 30), style.color, ground, parseFloat(style.fontSize), +style.fontWeight]);
}
return seen;
}"""


@pytest.fixture(scope="module")
def page(browser: Chromium) -> Iterator[Page]:
    """One window for all emails."""
    with browser.page(width=900) as opened:
        yield opened


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", LETTERS)
def test_every_text_has_the_same_colours_as_in_a_browser(name: str, dark: bool, page: Page) -> None:
    letter = make(*LETTERS[name])
    sheet = ParsedLetter(letter)
    texts = visible_texts(sheet.tree, Cascade(sheet, dark=dark), initial_style(dark=dark))
    ours = sorted(
        (text.strip()[:30], str(look.colour), str(look.behind), round(look.size, 1), look.bold) for text, look in texts
    )
    assert len(ours) > 20
    assert ours == seen_by_chromium(page, letter.html, dark)


def seen_by_chromium(page: Page, html: str, dark: bool) -> list[Seen]:
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.set_content(html)
    return sorted(
        (text, str(colour_of(colour)), str(colour_of(behind)), round(size, 1), weight >= 700)
        for text, colour, behind, size, weight in page.evaluate(SCRIPT)
    )
