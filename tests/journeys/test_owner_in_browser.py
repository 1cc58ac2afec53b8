"""An owner among thousands of subscribers, and one of the subscribers, in a real Chromium, with a real mail server."""

from __future__ import annotations

import email.policy
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from publisher.core.newsletter_models import DeliveryStatus
from publisher.publishing.wiring import open_project_store
from publisher.store.tables import deliveries, letter_posts, subscribers
from publisher.subscribers.manage import subscribe
from tests.support.admin_page import PASSWORD, set_password
from tests.support.browser import faults_everywhere, load_axe
from tests.support.project import Project, Ran
from tests.support.smtp_server import Mailboxes, mail_server
from tests.support.store_samples import person
from tests.support.web_client import link_in, until
from tests.support.web_server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser import Chromium

ADA = "ada@example.org"
PEOPLE = 2_000  # benchmarks.people runs the same queries on 100,000 people
WEEKLY = """
[[newsletters]]
name = "weekly"
title = "The weekly letter"
schedule = "weekly monday 08:00"
frequencies = ["monthly 1 09:00"]

[[newsletters]]
name = "daily"
"""
MOVED = """\
---
subject: "{{ subscriber.name | default('Hello') }}, we have moved"
to: patrons
send: draft
---
Hello {{ subscriber.name | default("friend") }},

come and see the **new** rooms.
"""


@pytest.fixture
def mail() -> Iterator[tuple[Mailboxes, str]]:
    """A mail server, and the configuration for it."""
    with mail_server() as (mailboxes, smtp):
        more = f'transport = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {smtp.port}\ntls = "none"\n'
        yield mailboxes, more


def publish(project: Project, now: str) -> None:
    # In a separate thread: the browser's driver keeps an event loop in this one.
    with ThreadPoolExecutor(1) as apart:
        ran: Ran = apart.submit(project.run, "publish", "weekly", "--yes", now=now).result()
    assert ran.code == 0, ran


def messages(mailboxes: Mailboxes, address: str) -> list[EmailMessage]:
    parsed = [BytesParser(policy=email.policy.default).parsebytes(each) for each in mailboxes.messages.get(address, [])]
    return [message for message in parsed if isinstance(message, EmailMessage)]


def subjects(mailboxes: Mailboxes, address: str) -> list[str]:
    return [str(message["Subject"]) for message in messages(mailboxes, address)]


def posts_sent(project: Project) -> dict[str, Counter[str]]:
    """Return how often each post was sent to each address, according to the ledger."""
    same = (letter_posts.c.edition_id == deliveries.c.edition_id) & (letter_posts.c.variant == deliveries.c.variant)
    query = (
        sa.select(subscribers.c.address, letter_posts.c.post_id)
        .select_from(deliveries.join(letter_posts, same).join(subscribers))
        .where(deliveries.c.status == DeliveryStatus.SENT)
    )
    found: dict[str, Counter[str]] = {}
    with open_project_store(project.config()) as store, store._database.read() as connection:
        for address, post_id in connection.execute(query):
            found.setdefault(address, Counter())[re.split("[:/]", post_id.rstrip("/"))[-1]] += 1
    return found


def sent_by_ledger(project: Project) -> Counter[str]:
    """Return how many messages were sent to each address, according to the ledger."""
    query = sa.select(subscribers.c.address).select_from(deliveries.join(subscribers))
    with open_project_store(project.config()) as store, store._database.read() as connection:
        return Counter(connection.scalars(query.where(deliveries.c.status == DeliveryStatus.SENT)))


def log_in(page: Page) -> None:
    page.goto("/admin")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button")
    page.wait_for_selector("text=What comes next")


def find(page: Page, words: str) -> None:
    page.goto("/admin/readers")
    page.fill("input[type=search]", words)
    page.click("form.finder p button")
    page.wait_for_selector("text=1 person matches")
    page.click("table.people th a[href*='/readers/'] >> nth=-1")


def test_the_owner_finds_corrects_tags_and_writes_to_a_segment(
    axe: Path, project: Project, browser: Chromium, mail: tuple[Mailboxes, str]
) -> None:
    mailboxes, more = mail
    since = datetime(2026, 10, 1, tzinfo=UTC)
    with serving(project, more, newsletters=WEEKLY, now="2026-11-16T10:00") as server:
        with open_project_store(project.config()) as store:
            people = [person(f"other{number}@example.org", "daily", name=f"Other {number}") for number in range(PEOPLE)]
            people += [person(f"reader{number}@example.org") for number in range(8)]
            people.append(person("grace@exmaple.org", name="Grace Hopper"))
            store.subscribers.add_many(people, at=since, source="test")
        set_password(project)
        wrong: dict[str, list[str]] = {}
        with browser.page(base_url=server.url, width=1280) as page:
            load_axe(page, axe)

            def look(what: str) -> None:
                wrong[what] = faults_everywhere(page)

            log_in(page)
            find(page, "hopper")
            page.click("summary:text('Correct the address')")
            page.fill("input[name=address]", "grace@example.org")
            page.click("button[value=address]")
            page.wait_for_selector("h1:has-text('grace@example.org')")
            page.fill("input[name=tags]", "patron")
            page.click("button[value=tag]")
            page.wait_for_selector("ul.chips >> text=patron")
            look("person")
            page.click("ul.chips >> text=patron")  # shows everyone with the tag
            page.wait_for_selector("text=1 person matches")
            page.click("table.people td a >> text=patron")
            page.wait_for_selector("text=1 person matches")

            page.goto("/admin/segments")
            page.click("text=New segment")
            page.fill("textarea[name=condition]", "tag:patron and address ~ ")
            page.click("button[value=count]")
            page.wait_for_selector("[role=alert]")
            page.fill("textarea[name=condition]", 'tag:patron and address ~ "@example.org"')
            page.click("button[value=count]")
            page.wait_for_selector("[role=status] >> text=1 person")
            page.fill("input[name=name]", "patrons")
            page.click("button[value=save]")
            page.wait_for_selector("h1:has-text('patrons')")
            look("segment")

            draft = project.write("letters/weekly/we-have-moved.md", MOVED)
            page.goto("/admin/emails")
            page.click("main h3 a")
            page.wait_for_selector("text=grace@example.org")
            assert "1 subscriber in the segment patrons" in page.inner_text("main")
            assert page.inner_text("h1").startswith("Hello, we have moved")
            assert "come and see the new rooms" in page.inner_text("dl.facts-list")
            look("email")
            for width in (1280, 360):  # the frame is high enough to read an email, even on a phone
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.querySelector('iframe.letter').clientHeight") > 600
            page.set_viewport_size({"width": 1280, "height": 900})
            publish(project, "2026-11-16T10:05")
            assert "Hopper, we have moved" not in str(subjects(mailboxes, "grace@example.org"))
            project.write(str(draft.relative_to(project.root)), MOVED.replace("draft", "now"))
            publish(project, "2026-11-16T10:30")
            publish(project, "2026-11-16T10:40")

            before = page_count(page)
            page.goto("/admin/readers/import")
            content = (
                "email,name,city\nnew1@example.org,One,Oslo\nnew2@example.org,Two,Paris\nreader1@example.org,R,Rome\n"
            )
            file = {"name": "fair.csv", "mimeType": "text/csv", "buffer": content.encode()}
            page.set_input_files("input[type=file]", files=[file])
            page.click("text=Look at the file")
            page.click("button[value=check]")
            page.wait_for_selector("text=What the import would do")
            look("import")
            page.click("button[value=import]")
            page.wait_for_selector("h2:has-text('Imported')")
            assert page_count(page) == before + 2
            page.goto("/admin/readers/import")
            page.click("text=fair.csv")
            page.click("button[value=check]")
            page.wait_for_selector("text=If you undo it")
            look("undo")
            page.check("input[name=sure]")
            page.click("button[value=undo]")
            page.wait_for_selector("text=It was undone")
            assert page_count(page) == before
        assert {what: found for what, found in wrong.items() if found} == {}

    message = messages(mailboxes, "grace@example.org")[-1]
    assert message["Subject"] == "Grace Hopper, we have moved"
    assert "Hello Grace Hopper," in message.get_body(("plain",)).get_content()
    moved = [address for address in mailboxes.messages if "moved" in str(subjects(mailboxes, address))]
    assert moved == ["grace@example.org"]
    assert sent_by_ledger(project) == {address: len(got) for address, got in mailboxes.messages.items()}
    assert set(sent_by_ledger(project).values()) == {1, 2}


def page_count(page: Page) -> int:
    page.goto("/admin/readers")
    return int(page.inner_text("nav[aria-label=Status] li:first-child .number").replace(",", ""))


def test_a_subscriber_is_welcomed_chooses_monthly_and_gets_each_post_once(
    axe: Path, project: Project, browser: Chromium, mail: tuple[Mailboxes, str]
) -> None:
    mailboxes, more = mail
    project.write("letters/weekly/welcome.md", "---\nsubject: Welcome\n---\nThis is it.\n")
    project.write("letters/weekly/welcome-2.md", "---\nsubject: The best of it\nafter: 3d\n---\nThree days.\n")
    with serving(project, more, newsletters=WEEKLY, now="2026-11-16T10:00") as server:
        with open_project_store(project.config()) as store:
            subscribe(store, "bob@example.org", newsletters=["weekly"], at=datetime(2026, 10, 1, tzinfo=UTC))
        publish(project, "2026-11-16T09:59")  # finds the welcome emails, and sends bob the first three posts
        with browser.page(base_url=server.url, width=360, dark=True) as page:
            page.goto("/subscribe")
            page.fill("input[name=email]", ADA)
            page.check("input[name=newsletter][value=weekly]")
            page.click("main button")
            page.wait_for_selector("h1:has-text('Check your inbox')")
            until(lambda: subjects(mailboxes, ADA))
            page.goto(link_in(messages(mailboxes, ADA)[0], "confirm"))
            page.click("main button")
            page.wait_for_selector("h1:has-text('subscribed')")
            until(lambda: subjects(mailboxes, ADA)[1:])
    assert subjects(mailboxes, ADA)[1:] == ["Welcome"]
    publish(project, "2026-11-19T09:59")
    assert subjects(mailboxes, ADA)[1:] == ["Welcome"]
    publish(project, "2026-11-19T10:01")
    assert subjects(mailboxes, ADA)[2:] == ["The best of it"]

    preferences = link_in(messages(mailboxes, ADA)[-1], "preferences").partition("//")[2].partition("/")[2]
    with (
        serving(project, more, newsletters=WEEKLY, now="2026-11-20T10:00") as server,
        browser.page(base_url=server.url, width=360, dark=True) as page,
    ):
        load_axe(page, axe)
        page.goto(f"/{preferences}")
        page.select_option("select[name='often.weekly']", "monthly")
        page.click("button[value=save]")
        page.wait_for_selector("[role=status]")
        assert page.locator("select[name='often.weekly']").input_value() == "monthly"
        assert faults_everywhere(page, dark=True) == []
    for name, day, moment in (
        ("fourth", "2026-11-18", "2026-11-23T08:00"),
        ("fifth", "2026-11-25", "2026-11-30T08:00"),
        ("", "", "2026-12-01T09:00"),
    ):
        if name:
            project.post(name, day)
        publish(project, moment)
    with (
        serving(project, more, newsletters=WEEKLY, now="2026-12-02T10:00") as server,
        browser.page(base_url=server.url, width=360) as page,
    ):
        load_axe(page, axe)
        page.goto(
            "/" + messages(mailboxes, ADA)[-1]["List-Unsubscribe"].strip("<>").partition("//")[2].partition("/")[2]
        )
        page.click("button[value=leave]")
        page.wait_for_selector("button[value=back]")
        assert faults_everywhere(page) == []
    project.post("sixth", "2026-12-05")
    publish(project, "2026-12-07T08:00")
    publish(project, "2027-01-01T09:00")
    first = Counter(("first", "second", "third"))
    later = Counter(("fourth", "fifth"))
    assert posts_sent(project) == {ADA: later, "bob@example.org": first + later + Counter(["sixth"])}
    assert sent_by_ledger(project) == Counter({ADA: 3, "bob@example.org": 4})
    assert {address: len(got) for address, got in mailboxes.messages.items()} == {ADA: 4, "bob@example.org": 4}
