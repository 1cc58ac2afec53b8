"""The contrast is computed from the colours that a browser shows: every text is compared with Chromium."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path

import pytest

from publisher.newsletters.lint.contrast import Cascade, colour_of, initial_style, visible_texts
from publisher.newsletters.lint.parsed_letter import ParsedLetter
from tests.support.editions_samples import LETTERS, make
from tests.support.needs import needs

Seen = tuple[str, str, str, float, bool]

# What each text of a page looks like: its beginning, colour, background, size and weight.
SCRIPT = """<script>window.onload = () => {
const seen = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const text = walk.currentNode.data, element = walk.currentNode.parentElement, clear = 'rgba(0, 0, 0, 0)';
  if (!/[\\p{L}\\p{N}]/u.test(text) || element.tagName == 'SCRIPT') continue;
  if (!element.checkVisibility({checkOpacity: true, visibilityProperty: true})) continue;
  let behind = element;
  while (getComputedStyle(behind).backgroundColor == clear) behind = behind.parentElement;
  const style = getComputedStyle(element), ground = getComputedStyle(behind).backgroundColor;
  seen.push([text.trim().slice(0, 30), style.color, ground, parseFloat(style.fontSize), +style.fontWeight]);
}
document.body.innerHTML = '<pre></pre>';
document.body.firstChild.textContent = JSON.stringify(seen);
}</script>"""


@needs("chromium")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", LETTERS)
def test_every_text_has_a_browsers_colours(name: str, dark: bool, tmp_path: Path) -> None:
    letter = make(*LETTERS[name])
    sheet = ParsedLetter(letter)
    texts = visible_texts(sheet.tree, Cascade(sheet, dark=dark), initial_style(dark=dark))
    ours = sorted(
        (text.strip()[:30], str(look.colour), str(look.behind), round(look.size, 1), look.bold) for text, look in texts
    )
    page = tmp_path / "letter.html"
    page.write_text(letter.html.replace("</body>", f"{SCRIPT}</body>"), encoding="utf-8")
    assert len(ours) > 20
    assert ours == seen_by_chromium(page, dark)


def seen_by_chromium(page: Path, dark: bool) -> list[Seen]:
    ran = subprocess.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={page.parent / 'profile'}",
            "--window-size=900,900",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    found = re.search("<pre>(.*?)</pre>", ran.stdout.decode(), re.DOTALL)
    assert found
    return sorted(
        (text, str(colour_of(colour)), str(colour_of(behind)), round(size, 1), weight >= 700)
        for text, colour, behind, size, weight in json.loads(html.unescape(found[1]))
    )
