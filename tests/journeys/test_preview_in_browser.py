"""`publisher preview` in a real Chromium: its views, its keys, the reaction to changes, and what it must not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import wait_until
from tests.support.preview_server import Preview, previewing
from tests.support.project import Project

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Error, Page

    from tests.support.browser import Chromium

LETTER = "/letters/weekly/next"
EVERY_PAGE = [
    *(f"{LETTER}?view={view}" for view in ("letter", "text", "source", "headers", "findings")),
    *(f"{LETTER}?scheme=both", "/pages", "/feeds", "/feeds?feed=", "/feeds?feed=&as=rss", "/nothing"),
]


# What Chromium logs about missing or broken pages, and when it blocks a script.
EXPECTED = ("Failed to load resource: the server responded with a status of", "Blocked script execution in")


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """The preview of a project that no test changes."""
    project = Project(tmp_path_factory.mktemp("preview") / "letter", None)  # type: ignore[arg-type]
    project.configure()
    for name, day in (("first", "2026-11-02"), ("second", "2026-11-09"), ("third", "2026-11-15")):
        project.post(name, day)
    with previewing(project) as running:
        yield running


@pytest.fixture
def changing(project: Project) -> Iterator[Preview]:
    """The preview of the test's own project."""
    with previewing(project) as running:
        yield running


@pytest.fixture(scope="module")
def window(browser: Chromium, unchanged: Preview) -> Iterator[Page]:
    """A window shared by all tests that change nothing, because opening one takes longer than most of these tests."""
    with browser.page(width=1280, height=800, dark=None, base_url=unchanged.url) as opened:
        yield opened


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Chromium) -> Iterator[Page]:
    """The page of the next email. Any complaint from the browser fails the test.

    A test with its own project has its own window; the others find no cookies and an empty storage.
    """
    if "project" in request.fixturenames:
        preview = request.getfixturevalue("changing")
        with browser.page(width=1280, height=800, dark=None, base_url=preview.url) as opened:
            yield from without_complaints(opened)
    else:
        opened = request.getfixturevalue("window")
        opened.context.clear_cookies()
        opened.goto("/nothing")
        opened.evaluate("localStorage.clear(); sessionStorage.clear()")
        yield from without_complaints(opened)


def without_complaints(page: Page) -> Iterator[Page]:
    """Open the next email for a test; in the end, the browser must have logged nothing unexpected."""
    complaints: list[str] = []

    def hear_message(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    def hear_error(error: Error) -> None:
        complaints.append(str(error))

    page.on("console", hear_message)
    page.on("pageerror", hear_error)
    page.goto(LETTER)
    yield page
    page.remove_listener("console", hear_message)
    page.remove_listener("pageerror", hear_error)
    assert [text for text in complaints if not text.startswith(EXPECTED)] == []


def press(page: Page, key: str) -> None:
    """Press a key once the page has all its scripts: earlier keys would be lost."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


def in_frames(page: Page, script: str) -> list[object]:
    """Return the result of a script in each frame."""
    page.wait_for_load_state("load")
    return [frame.evaluate(script) for frame in page.frames[1:]]


def test_an_email_is_shown_in_every_view_with_only_the_keyboard(page: Page) -> None:
    seen = []
    for key in "12345":
        press(page, key)
        page.wait_for_selector(f'.tabs [data-view="{key}"][aria-current]')
        seen.append(page.inner_text(".tabs [aria-current]").split("\n")[0])
    assert seen == ["Email", "Plain text", "Source", "Headers", "Findings"]
    press(page, "1")
    page.wait_for_selector("iframe")
    assert [frame.bounding_box()["width"] >= 640 for frame in page.query_selector_all("iframe")] == [True, False]
    assert in_frames(page, "innerWidth <= 360") == [False, True]


def test_keys_lead_through_the_list_and_the_view_stays(page: Page) -> None:
    press(page, "d")
    page.wait_for_url("**scheme=dark")
    press(page, "p")
    page.wait_for_url("**width=desktop&scheme=dark")
    press(page, "j")
    page.wait_for_url("**/pages?width=desktop&scheme=dark")
    press(page, "j")
    page.wait_for_url("**/feeds")
    press(page, "k")
    page.wait_for_url("**/pages**")
    press(page, "?")
    assert page.is_visible("dialog")
    press(page, "Escape")
    assert not page.is_visible("dialog")


def test_keys_also_work_while_an_email_has_the_focus(page: Page) -> None:
    page.wait_for_load_state("load")
    page.focus("iframe")
    press(page, "2")
    page.wait_for_url("**view=text")


def test_an_email_is_shown_light_and_dark_according_to_its_own_rules(page: Page) -> None:
    page.goto(f"{LETTER}?scheme=both")
    background = "getComputedStyle(document.querySelector('.sheet')).backgroundColor"
    light, _, dark, _ = in_frames(page, background)
    assert light == "rgb(255, 255, 255)"
    assert dark != light
    assert in_frames(page, "matchMedia('(prefers-color-scheme: dark)').matches") == [False, False, True, True]


def test_a_saved_file_appears_and_the_chosen_view_stays(page: Page, project: Project) -> None:
    page.goto(f"{LETTER}?scheme=dark&width=phone")
    page.wait_for_load_state("load")
    page.evaluate("window.sameWindow = true")
    page.frames[1].evaluate("scrollTo(0, 40)")
    project.post("third", "2026-11-15", title="Third thoughts", body="What I think now. " * 40)
    wait_until(page, "document.querySelector('h1').textContent.startsWith('Third thoughts')")
    wait_until(page, "frames[0].document.body?.textContent.includes('Third thoughts')")
    wait_until(page, "frames[0].scrollY === 40")
    assert page.url.endswith("?width=phone&scheme=dark") or page.url.endswith("?scheme=dark&width=phone")
    assert page.title().startswith("Third thoughts")
    assert page.evaluate("window.sameWindow")


def test_an_open_form_survives_a_change(page: Page, project: Project) -> None:
    press(page, "t")
    page.keyboard.type("ada@ex")
    project.post("fourth", "2026-11-16")
    wait_until(page, "document.querySelector('h1').textContent.startsWith('Fourth')")
    page.keyboard.type("ample.org")
    press(page, "Enter")
    page.wait_for_selector("text=A test was sent to ada@example.org through .publisher/outbox/")
    assert list(project.mail()) == ["ada@example.org"]


def test_a_mistake_is_shown_as_a_panel_until_it_is_corrected(page: Page, project: Project) -> None:
    path = project.write("templates/email/digest.html", "{{ nothing }}")
    page.wait_for_selector("text=templates/email/digest.html:1")
    assert page.query_selector_all("iframe") == []
    path.unlink()
    page.wait_for_selector("iframe")
    project.write("posts/broken.md", "---\ntitle: [\n---\n")
    page.wait_for_selector("text=posts/broken.md:")
    assert len(page.query_selector_all("iframe")) == 2
    (project.root / "posts/broken.md").unlink()
    page.wait_for_selector("text=posts/broken.md:", state="detached")


def test_no_page_scrolls_sideways_or_contacts_another_machine(page: Page, project: Project, changing: Preview) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    project.post("a" * 60, "2026-11-16", title="W" * 80, body="`" + "x" * 300 + "`")
    wide = []
    for path in EVERY_PAGE:
        page.goto(path)
        for width in (320, 768, 1100):
            page.set_viewport_size({"width": width, "height": 640})
            wait_until(page, f"innerWidth === {width}")
            inner, needed = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
            assert inner == width
            if needed > inner:
                wide.append((path, width))
        page.wait_for_load_state("load")
    assert wide == []
    assert [url for url in asked if not url.startswith(f"{changing.url}/")] == []
    assert len(asked) > len(EVERY_PAGE)


def test_everything_can_be_reached_by_tab_and_shows_its_focus(page: Page) -> None:
    page.wait_for_load_state("load")
    wanted = page.evaluate(
        "[...document.querySelectorAll('a, button, summary, input, select, iframe')]"
        ".filter(e => e.checkVisibility() && e.type !== 'hidden').length"
    )
    reached = set()
    for _ in range(3 * wanted):
        press(page, "Tab")
        here, outline = page.evaluate(
            "(() => { const e = document.activeElement; return [e.outerHTML, getComputedStyle(e).outlineStyle]; })()"
        )
        if here.startswith(("<a", "<button", "<summary", "<iframe")):
            reached.add(here)
            assert outline != "none" or here.startswith("<iframe"), here
    assert len(reached) == wanted


def test_no_script_in_an_email_runs(page: Page, project: Project) -> None:
    project.write(
        "templates/email/digest.html",
        '{% extends "shipped/email/digest.html" %}{% block intro %}'
        "<tr><td onclick='parent.ran = 1'><p id='_proof'>Here</p><script>parent.ran = 1</script>"
        "<img src='/site/no.png' onerror='parent.ran = 1'></td></tr>{% endblock %}",
    )
    wait_until(page, "frames[0]?.document.getElementById('_proof') != null")
    page.frames[1].click("#_proof")
    assert page.evaluate("window.ran") is None
