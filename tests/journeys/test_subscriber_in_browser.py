"""From stranger to subscriber to deletion, in a real Chromium with a real mail server; axe-core finds no fault."""

from __future__ import annotations

import email.policy
import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import faults, faults_everywhere, held, load_axe
from tests.support.picture_samples import picture
from tests.support.project import Project
from tests.support.smtp_server import Mailboxes, mail_server
from tests.support.web_client import database, link_in, until
from tests.support.web_server import Serving, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser import Chromium

ADDRESS = "ada.lovelace@example.org"
NEWSLETTERS = """
[[newsletters]]
name = "weekly"
title = "The weekly letter"
description = "Every Monday."
topics = ["Reading", "R&D"]

[[newsletters]]
name = "daily"
title = "The daily letter"
"""

# Counts how much of each page moves while it loads, as Lighthouse does.
SHIFTS = """
window.shifts = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => { shifts += entry.value; }))
  .observe({type: "layout-shift", buffered: true});
"""


class Post:
    """A mail server with short methods to look up its messages."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    def get(self, count: int, address: str = ADDRESS) -> EmailMessage:
        """Wait until an address has got this many messages, and return the last of them."""
        found = until(lambda: self._mailboxes.messages.get(address, [])[count - 1 :])
        message = BytesParser(policy=email.policy.default).parsebytes(found[0])
        assert isinstance(message, EmailMessage)
        return message

    def count(self, address: str = ADDRESS) -> int:
        """Return how many messages have arrived for an address."""
        return len(self._mailboxes.messages.get(address, []))


@pytest.fixture
def post() -> Iterator[tuple[Post, str]]:
    """A mail server, and the configuration for it."""
    with mail_server() as (mailboxes, smtp):
        more = f'transport = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {smtp.port}\ntls = "none"\n'
        yield Post(mailboxes), more


def publish(server: Serving) -> None:
    # In a separate thread: the browser's driver keeps an event loop in this one.
    with ThreadPoolExecutor(1) as apart:
        assert apart.submit(server.project.run, "publish", "--yes").result().code == 0


def complaints(page: Page) -> list[str]:
    """Return what the browser logs about a page, except for errors about the missing icon of the site."""
    said: list[str] = []
    icon = "https://letters.example/favicon.svg"
    page.on("console", lambda message: None if message.location["url"] == icon else said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def test_a_reader_subscribes_chooses_reads_unsubscribes_and_is_deleted(
    project: Project, browser: Chromium, post: tuple[Post, str], tmp_path: Path
) -> None:
    mails, more = post
    with serving(project, more, newsletters=NEWSLETTERS) as server, browser.page(base_url=server.url) as page:
        said = complaints(page)
        project.ok("build")
        page.goto("/")
        page.click("nav >> text=Subscribe")
        page.fill("input[name=email]", ADDRESS)
        assert page.is_checked("input[name=newsletter][value=weekly]")
        page.click("text=More options")
        page.fill("input[name=name]", "Ada Lovelace")
        page.click("button[type=submit]")
        page.wait_for_selector("h1:has-text('Check your inbox')")

        page.goto(link_in(mails.get(1), "confirm"))
        assert ADDRESS in page.inner_text("main")
        page.click("button")
        page.click("text=Email preferences")
        page.check("text=R&D")
        page.select_option("select[name=language]", "fr")
        page.click("button[value=save]")
        page.wait_for_selector("text=Enregistré.")
        assert page.is_checked("text=R&D")
        assert page.get_attribute("html", "lang") == "fr"

        publish(server)
        letter = mails.get(2)
        text = letter.get_body(("plain",)).get_content()
        assert ("Third" in text, "Second" in text, "First" in text) == (True, False, False)

        leave = letter["List-Unsubscribe"].strip("<>")
        answer = subprocess.run(
            ["curl", "-s", "-w", "%{http_code}", "-d", "List-Unsubscribe=One-Click", leave],
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.endswith("200")
        assert server.show(ADDRESS)["subscriptions"] == []
        page.goto(leave)
        page.fill("textarea", "Trop de lettres")
        page.click("button[value=leave]")
        page.click("button[value=back]")
        page.wait_for_selector("h1:has-text('Bon retour')")
        assert [held["topics"] for held in server.show(ADDRESS)["subscriptions"]] == [["R&D"]]
        page.goto(leave)
        page.click("button[value=leave-all]")
        page.wait_for_selector("h1:has-text('Désabonnement effectué')")
        project.post("fourth", "2026-11-15", tags='["R&D"]')
        publish(server)
        assert mails.count() == 2

        page.goto(link_in(letter, "preferences"))
        page.click("button[value=account]")
        page.goto(link_in(mails.get(3), "account"))
        with page.expect_download() as download:
            page.click("text=Télécharger mes données")
        download.value.save_as(tmp_path / "data.json")
        assert json.loads((tmp_path / "data.json").read_text())["email"] == ADDRESS
        page.goto(link_in(letter, "preferences"))
        page.click("button[value=account]")
        page.goto(link_in(mails.get(4), "account"))
        page.click("text=Supprimer mes données")
        page.click("button[value=erase]")
        page.wait_for_selector("h1:has-text('Vos données ont été supprimées')")
        page.goto(link_in(letter, "preferences"))
        assert "Ce lien ne fonctionne pas" in page.content() or "This link doesn’t work" in page.content()
        assert b"lovelace" not in database(project.root).lower()
        project.write("again.csv", f"email\n{ADDRESS}\n")
        assert "on the suppression list" in project.run("subscribers", "import", str(project.root / "again.csv")).said
        assert [line for line in said if "404" not in line] == []
    assert "lovelace" not in project.read("serve.log").lower()


@pytest.mark.parametrize(("dark", "language"), [(False, "en"), (True, "ar"), (False, "ja")])
def test_axe_finds_nothing_wrong_on_any_page(
    axe: Path, project: Project, browser: Chromium, monkeypatch: pytest.MonkeyPatch, dark: bool, language: str
) -> None:
    monkeypatch.setenv("PUBLISHER_SITE_LANGUAGE", language)
    wide = "```python\nwide = " + " + ".join(["'words'"] * 40) + "\n```\n\n| | a |\n|-|-|\n| b | c |\n"
    project.post("code", body=f"{wide}\n![Me](/me.png)\n", tags="[Code]")
    project.post("more", day="2026-10-01", tags="[Code]")
    project.write("pages/about.md", f"# About us\n\n{wide}\n![Me](/me.png)\n")
    project.write("static/me.png", picture("png", 900, 300))
    with serving(project, '[theme]\nlogo = "me.png"\naccent = "#8a2846"\n', newsletters=NEWSLETTERS) as server:
        own = server.subscribed("ada@example.org", "weekly", language=language)
        server.post(own, do="save", newsletter="weekly", language=language, pause="2")
        server.post(server.account(own), do="move", email="new@example.org")
        account = server.account(own, count=2)
        server.ask("other@example.org")
        never = server.link("other@example.org", "never")
        project.subscribe("first")
        project.ok("publish")
        confirm, move = server.link("other@example.org"), server.link("new@example.org", "address")
        leave = server.mails("first@example.org")[-1]["List-Unsubscribe"].strip("<>")
        paths = [
            "/",
            "/editions/",
            "/feeds/",
            "/subscribe",
            "/subscribe/",
            confirm,
            own,
            account,
            f"{account}/erase",
            move,
            leave,
            never,
        ]
        paths += ["/confirm/x", "/account/x", "/nothing", "/about/"]
        paths += [
            f"/{file.removesuffix('index.html')}"
            for file in sorted(project.files())
            if re.search(r"/(?:code|weekly/[^/]+)/index\.html$", file)
        ]
        presses = [
            (confirm, "button"),
            (leave, "button[value=leave]"),
            (own, "button[value=save]"),
            (own, "button[value=account]"),
            (f"{account}/erase", "button[value=erase]"),
            (never, "button[value=never]"),
        ]
        if (
            language != "en"
        ):  # the first pages that a stranger sees: another language has other texts and another direction
            first = (
                ("/", "/subscribe/", confirm, own) if language == "ar" else ("/", "/feeds/", "/about/", "/subscribe/")
            )
            paths, presses = [path for path in paths if path in (*first, *paths[-2:])], []
        wrong: dict[str, list[str]] = {}
        with browser.page(width=360, dark=dark, base_url=server.url) as page:
            page.set_extra_http_headers({"accept-language": language})
            load_axe(page, axe)
            asked: set[str] = set()
            page.on("request", lambda request: asked.add(request.url))
            page.add_init_script(SHIFTS)
            page.route(
                "https://letters.example/**",
                lambda route: route.fulfill(path=f"{project.root}/public/{route.request.url.split('/', 3)[3]}"),
            )
            for path in paths:
                page.goto(path)
                page.wait_for_load_state("load")
                # An email only has the widths of its images; Lighthouse calls 0.1 good.
                assert page.evaluate("shifts") <= (0.1 if path.startswith("/editions/weekly/") else 0), path
                wrong[path] = faults_everywhere(page, dark=dark)
            page.goto("/subscribe")
            page.evaluate("document.querySelector('form').noValidate = true")
            page.click("button[type=submit]")
            wrong["no address"] = faults_everywhere(page, dark=dark)
            assert page.evaluate("document.activeElement.name") == "email"
            page.fill("input[name=email]", "eve@example.org")
            page.check("input[name=newsletter][value=weekly]")
            page.evaluate("document.querySelector('[name=token]').remove()")  # like a form on another page
            with held(page, "/subscribe"):
                page.click("button[type=submit]")
                page.wait_for_selector("h1:has-text('One more click')" if language == "en" else "h1")
                wrong["one more click"] = faults(page)
            page.wait_for_selector("ul.ways")  # the script presses the button
            wrong["success"] = faults_everywhere(page, dark=dark)
            for path, button in presses:
                page.goto(path)
                page.click(button)
                wrong[f"{path} {button}"] = faults_everywhere(page, dark=dark)
        assert {path: found for path, found in wrong.items() if found} == {}
        ours = (f"{server.url}/", "https://letters.example/")  # the web application, and the logo of the site
        assert [url for url in asked if not url.startswith(ours)] == []
        assert language != "en" or {path.split("/")[-2] for path in paths} > {"code", "about"}
        assert language == "ja" or any(path.startswith("/editions/weekly/") for path in paths)


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus; each element on the way must show its focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        seen = "getComputedStyle(document.activeElement).outlineStyle != 'none'"
        assert page.evaluate(seen), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(selector)


def test_the_preferences_can_be_reached_from_the_index_with_only_the_keyboard(
    project: Project, browser: Chromium
) -> None:
    with serving(project, newsletters=NEWSLETTERS) as server, browser.page(base_url=server.url) as page:
        project.ok("build")
        page.goto("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        tab_to(page, "h2 a")
        page.keyboard.press("Enter")
        page.wait_for_selector("article.post")
        tab_to(page, "input[name=newsletter][value=daily]")
        page.keyboard.press("Space")
        tab_to(page, "input[name=email]")
        page.keyboard.type("ada@example.org")
        with held(page, "/subscribe"):
            page.keyboard.press("Enter")
            page.wait_for_selector("h1:has-text('One more click')")  # the page of a file has no token
        page.wait_for_selector("h1:has-text('Check your inbox')")
        page.goto(server.link("ada@example.org"))
        tab_to(page, "button[value=confirm]")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('You’re subscribed')")
        tab_to(page, "a[href*='preferences']")
        page.keyboard.press("Enter")
        page.wait_for_selector("select[name=language]")
        tab_to(page, "select[name=language]")
        page.keyboard.press("D")  # a browser soon forgets the first letter of several
        tab_to(page, "button[value=save]")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Gespeichert.")
        assert {held["newsletter"] for held in server.show("ada@example.org")["subscriptions"]} == {"weekly", "daily"}


def test_a_form_can_be_filled_in_with_only_the_keyboard_and_without_scripts(
    project: Project, browser: Chromium
) -> None:
    with serving(project, newsletters=NEWSLETTERS) as server, browser.page(base_url=server.url) as page:
        page.goto("/subscribe")
        assert page.evaluate("document.scripts.length") == 0
        page.focus("input[name=email]")
        page.keyboard.type("ada@example.org")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Choose at least one newsletter")
        page.keyboard.press("Space")  # the focus is on the first of them
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Check your inbox')")
        assert "The weekly letter" in server.mails("ada@example.org")[0]["Subject"]


def test_a_browser_does_its_proof_of_work_and_confirms_by_a_click_in_the_email(
    project: Project, browser: Chromium, tmp_path: Path
) -> None:
    strict = '[subscribers]\nconfirm = "click"\n'
    with (
        serving(project, strict, newsletters=NEWSLETTERS, web="proof_of_work = true\nclient_limit = 1000") as server,
        browser.page(width=360, dark=True, base_url=server.url) as page,
    ):
        said = complaints(page)
        project.ok("build")
        page.goto("/subscribe/")  # of the built site, which has no token
        page.fill("input[name=email]", "ada@example.org")
        page.check("input[name=newsletter][value=weekly]")
        with held(page, "/subscribe"):
            page.click("button[type=submit]")
            page.wait_for_selector("h1:has-text('One more click')")
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        page.wait_for_selector("h1:has-text('Check your inbox')")
        link = server.link("ada@example.org")
        assert server.get(link).status_code == 200  # like a link scanner
        assert server.show("ada@example.org")["status"] == "pending"
        page.goto(link)
        page.wait_for_selector("h1:has-text('You’re subscribed')")
        assert server.show("ada@example.org")["status"] == "active"
        assert [line for line in said if "404" not in line] == []
