"""A real Chromium without a window, driven by Playwright: the fixture `browser`.

    def test_it_is_dark(browser):
        with browser.page(width=360, dark=True) as page:
            page.goto(url)                      # or page.set_content(html)
            page.click("text=Phone")            # and press, fill, keyboard, screenshot(path=...)
            assert page.evaluate("document.body.scrollWidth") <= 360

Debian's browser is used, not one that Playwright would download. It resolves only localhost, so that no test contacts
other servers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.support.needs import need, need_npm

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = [
    "--no-sandbox",  # it shows only what the tests wrote, and containers allow nothing else
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    # One process for all pages, since starting one takes longer than most pages. Headers decide what a page may do.
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
]


class Chromium:
    """One running browser; each page has its own cookies and storage."""

    def __init__(self, running: Browser) -> None:
        self._running = running

    @contextmanager
    def page(
        self, *, width: int = 700, height: int = 900, dark: bool | None = False, base_url: str | None = None
    ) -> Iterator[Page]:
        """Yield an empty page, `width` CSS pixels wide, that prefers light or dark colours; close it at the end.

        dark  None sets no preference; otherwise all frames have it, too, whatever their own color-scheme
        """
        scheme: Literal["light", "dark", "null"] = "null" if dark is None else "dark" if dark else "light"
        context = self._running.new_context(
            base_url=base_url, viewport={"width": width, "height": height}, color_scheme=scheme
        )
        context.set_default_timeout(240_000)
        try:
            yield context.new_page()
        finally:
            context.close()


def wait_until(page: Page, found: str | Callable[[], object]) -> None:
    """Wait for at most four minutes until a script in a page, or a function, returns something true.

    Playwright's own wait_for_function checks a second time from a timer, with the eval that our pages forbid, so it
    fails whenever the first check is too early. A test receives the page's events while this waits.
    """
    limit = time.monotonic() + 240
    while not (page.evaluate(found) if isinstance(found, str) else found()):
        assert time.monotonic() < limit, found
        page.wait_for_timeout(50)


_HELD = """
const repeat = setInterval;
window.isHeld = location.pathname === "{path}";
window.setInterval = (call, ...more) => repeat(() => isHeld || call(), ...more);
"""  # {path} is replaced


@contextmanager
def held(page: Page, path: str) -> Iterator[None]:
    """Let a page that is opened in the block do nothing at intervals, such as sending its form, until the block ends.

    path  of its URL
    """
    page.add_init_script(_HELD.replace("{path}", path))
    yield
    page.evaluate("window.isHeld = false")


@pytest.fixture(scope="session")
def axe() -> Path:
    """The script of axe-core. A test with this fixture is skipped before it begins if axe-core is not installed."""
    return need_npm("web", "axe-core") / "axe.min.js"


def load_axe(page: Page, axe: Path) -> None:
    """Load axe-core into every page that is opened from now on."""
    page.add_init_script(path=axe)


def faults(page: Page, *rules: str) -> list[str]:
    """Return the faults that axe-core finds in a page, by all its rules or only some, as "rule: element"."""
    page.wait_for_load_state("load")
    # Listing the elements that passed would take most of the time.
    options = {"resultTypes": ["violations"], "selectors": False} | ({"runOnly": list(rules)} if rules else {})
    passes, violations = page.evaluate(
        "options => axe.run(document, options).then(found => [found.passes.length, found.violations])", options
    )
    assert rules or passes > 5
    return [f"{each['id']}: {node['html'][:120]}" for each in violations for node in each["nodes"]]


def faults_everywhere(page: Page, *, dark: bool = False) -> list[str]:
    """Return the faults of a page in its present window, and then at another width: of a phone or a desktop.

    The second check looks only for faults of colour, in the other colour scheme. In both windows, content wider than
    the window is a fault. dark: whether the page prefers dark colours now
    """
    found = faults(page)
    now = page.viewport_size["width"] if page.viewport_size else 0
    for width, is_dark in ((1280 if now == 360 else 360, not dark), (now, dark)):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if is_dark else "light")
        if width != now:
            found += faults(page, "color-contrast", "link-in-text-block")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"wider than {width}")
    return found


@pytest.fixture(scope="module")  # not the session: Playwright's event loop would prevent asyncio.run in other modules
def browser() -> Iterator[Chromium]:
    """A browser for the tests of one module; it starts within a second."""
    program = need("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield Chromium(running)
        running.close()
