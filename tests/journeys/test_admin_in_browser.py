"""The admin page in a real Chromium: logging in; watching, holding and resuming an edition; axe-core finds no fault."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from publisher.bounces.apply import take_report
from publisher.core.bounce_report import Addressee, Report, Verdict
from publisher.core.hold_reasons import HeldBy, Hold
from publisher.core.newsletter_models import DeliveryStatus
from publisher.core.subscriber_fields import FieldKind
from publisher.publishing.mail_wiring import subscription_policy
from publisher.publishing.wiring import open_project_store
from publisher.store.feed_readers import FeedReader
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.edit import Change, edit
from tests.support.admin_page import PASSWORD, set_password
from tests.support.browser import faults, load_axe, wait_until
from tests.support.project import MONDAY, WEEKLY, Project, Ran
from tests.support.smtp_server import Patient, mail_server
from tests.support.store_samples import person
from tests.support.web_server import Serving, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser import Chromium

SINCE = datetime(2026, 10, 1, tzinfo=UTC)
# More than four connections have at the same time, each with a message and the envelope of the next one.
PEOPLE = 20


@pytest.fixture
def mail() -> Iterator[tuple[Patient, str]]:
    """A mail server that accepts messages when the test lets it, and the configuration for it."""
    with mail_server(mailboxes=Patient()) as (mailboxes, smtp):
        assert isinstance(mailboxes, Patient)
        more = f'transport = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {smtp.port}\ntls = "none"\ntimeout = 600\n'
        yield mailboxes, more


def fill(project: Project, *local_parts: str) -> None:
    """Add subscribers to the weekly newsletter, and set the owner's password."""
    with open_project_store(project.config()) as store:
        people = [person(f"{local}@example.org") for local in local_parts or [f"reader{n}" for n in range(PEOPLE)]]
        store.subscribers.add_many(people, at=SINCE, source="test")
        store.feed_readers.record(
            [FeedReader("feed.xml", name, 42, datetime.now(UTC)) for name in ("Feedly", "Inoreader")],
            {("feed.xml", "2026-11-15"): 5},
        )
    set_password(project)


def log_in(page: Page) -> None:
    page.goto("/admin")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button")
    page.wait_for_selector("text=What comes next")


def publish(apart: ThreadPoolExecutor, server: Serving) -> Future[Ran]:
    # In a separate thread: the browser's driver keeps an event loop in this one.
    return apart.submit(server.project.spawn, "publish", "weekly", "--yes", now=MONDAY)


def waiting(project: Project) -> int:
    """Return how many messages of the edition no run has claimed."""
    with open_project_store(project.config()) as store:
        return store.deliveries.counts(1)[DeliveryStatus.QUEUED]


def test_the_owner_watches_an_edition_being_sent_holds_it_and_resumes_it(
    project: Project, browser: Chromium, mail: tuple[Patient, str]
) -> None:
    mailboxes, more = mail
    with (
        ThreadPoolExecutor(1) as apart,
        serving(project, more, newsletters=WEEKLY) as server,
        browser.page(base_url=server.url) as page,
    ):
        fill(project)
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto("/admin")
        page.fill("input[type=password]", "not the password")
        page.click("main button")
        page.wait_for_selector("text=Wrong password")
        log_in(page)

        sending = publish(apart, server)
        mailboxes.let(3)
        page.reload()
        while page.locator("[data-edition]").count() == 0:  # when the process starts
            page.wait_for_timeout(200)
            page.reload()
        page.click("[data-edition] h3 a")
        page.wait_for_selector(f"[data-said]:text('3 of {PEOPLE} sent')")
        assert page.locator("[data-state]").inner_text() == "sending"
        first = page.locator("rect.sent").get_attribute("width")
        page.evaluate("window.stayed = true")
        mailboxes.let(2)
        page.wait_for_selector(f"[data-said]:text('5 of {PEOPLE} sent')")
        assert page.evaluate("window.stayed")  # it was not loaded again
        assert float(page.locator("rect.sent").get_attribute("width") or 0) > float(first or 0)
        assert page.locator("[data-count=sent]").inner_text() == "5"

        wait_until(page, lambda: mailboxes.handed_over > 5)  # at least one of the others is in flight
        page.fill("input[name=why]", "a typo in the title")
        page.click("button[value=hold]")
        page.wait_for_selector("text=On hold. Messages already")
        wait_until(page, lambda: waiting(project) > 0)  # the run has noticed, and returned its messages
        mailboxes.let(PEOPLE)
        assert sending.result(240).code == 0
        assert 5 < mailboxes.arrived < PEOPLE
        page.wait_for_selector(f"[data-said]:text('{mailboxes.arrived} of {PEOPLE} sent')")
        page.click("button[value=resume]")
        page.wait_for_selector("text=Resumed: sending continues")
        assert publish(apart, server).result(240).code == 0
        page.wait_for_selector(f"[data-said]:text('{PEOPLE} of {PEOPLE} sent')")
        assert said == []


def test_an_edition_on_hold_is_sent_when_the_owner_approves_it(
    project: Project, browser: Chromium, mail: tuple[Patient, str]
) -> None:
    mailboxes, more = mail
    mailboxes.let(1_000)
    with (
        ThreadPoolExecutor(1) as apart,
        serving(project, more, newsletters=WEEKLY) as server,
        browser.page(base_url=server.url, width=360) as page,
    ):
        fill(project, "450-busy", "550-gone")
        publish(apart, server).result(240)
        log_in(page)
        page.click("[data-edition] h3 a")
        assert "550 gone" in page.inner_text("main")
        # The answer to a button takes so long that the page shows the result before it: it still waits for the answer.
        page.evaluate("addEventListener('submit', event => event.preventDefault(), {once: true}); window.stayed = true")
        page.click("button[value=hold]")
        assert apart.submit(server.project.spawn, "deliveries", "hold", "1", "--why", "a typo").result(240).code == 0
        page.wait_for_timeout(1_500)
        assert page.evaluate("window.stayed")
        page.reload()
        page.click("button[value=resume]")
        page.wait_for_selector("text=Resumed: sending continues")
        page.click("button[value=hold]")
        page.wait_for_selector("text=put on hold on the admin page")
        page.goto("/admin")
        assert "put on hold on the admin page" in page.inner_text("section[aria-labelledby=_you]")
        page.click("section[aria-labelledby=_you] h3 a")
        page.click("button[value=resume]")
        page.wait_for_selector("text=Resumed: sending continues")
        page.click("summary")
        page.check("input[name=sure]")
        page.click("button[value=cancel]")
        page.wait_for_selector("[data-said]:text('0 of 2 sent, 1 failed, 1 skipped')")
        page.click("text=Log out")
        page.wait_for_selector("h1:text('Log in')")
        page.go_back()
        page.reload()
        page.wait_for_selector("h1:text('Log in')")


def test_axe_finds_nothing_wrong_on_any_page_and_none_is_too_wide(
    axe: Path, project: Project, browser: Chromium
) -> None:
    project.write("posts/broken.md", "---\ntitle: [unclosed\n---\n")
    with serving(project, newsletters=WEEKLY) as server:
        fill(project)
        project.ok("publish", "weekly", "--keep-going")
        project.write(
            "letters/weekly/holidays.md", "---\nsend: 2099-12-24 09:00\nsubject: Happy holidays\n---\nDear *all*.\n"
        )
        project.write("letters/weekly/wrong.md", "---\nsend: soon\nsubject: Wrong\n---\nDear all.\n")
        project.post("fourth-with-a-title-that-goes-on-and-on-and-on", "2026-11-15", body="![](nothing.png)")
        with open_project_store(project.config()) as store:
            store.editions.hold(1, Hold(HeldBy.SCHEDULER, "waits for a person: two findings of level error"))
            store.hosts.check_in("1" * 16, "a laptop", datetime.now(UTC))
            delivery = next(store.ledger.rows(1)).id
            report = Report(Verdict.REFUSED, Addressee(delivery_id=delivery), "5.7.1", "spam " * 20, ("a key",))
            take_report(store, subscription_policy(project.config()), report, now=datetime.now(UTC), source="test")
            store.ledger.move(
                1,
                {s: type(s)("failed") for s in store.deliveries.counts(1).by_status},
                next_try_at=None,
                reason="550 " + "no such user " * 9,
            )
            person, gone = islice(store.subscribers.list(), 2)
            uid, kinds = person.uid, {"city": FieldKind.TEXT}
            change = Change(tags=("vip", "a tag of several words"), fields={"city": "Oslo"})
            edit(store, person, change, at=datetime.now(UTC), source="test", known=kinds)
            with store.subscribers.transaction(datetime.now(UTC)) as transaction:
                transaction.leave(gone, None, Evidence("page"), "too many emails")
        paths = [
            "/",
            "/editions",
            "/editions/1",
            "/next/weekly",
            "/emails",
            "/emails/weekly/holidays",
            "/readers",
            "/readers/growth",
            "/readers/add",
            "/readers/import",
            f"/readers/{uid}",
            f"/readers/{uid}/erase",
            "/segments/_new",
            "/feeds",
            "/posts",
            "/access",
            "/log",
            "/editions/99",
        ]
        wrong: dict[str, list[str]] = {}
        for width, dark in ((360, False), (1_100, True)):
            with browser.page(width=width, dark=dark, base_url=server.url) as page:
                load_axe(page, axe)
                page.goto("/admin/login")
                wrong[f"login {width}"] = faults(page)
                log_in(page)
                for path in paths:
                    page.goto(f"/admin{path}".rstrip("/"))
                    if path in ("/access", "/readers"):
                        page.click("summary")
                    wrong[f"{path} {width}"] = faults(page)
                    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
        assert {path: found for path, found in wrong.items() if found} == {}
