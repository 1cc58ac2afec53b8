"""A project of an old version: its database, its templates and the links in its emails.

tests/data/old_project was written by that version (schema 0006), and its databases were dumped as text: two
newsletters, posts in five dialects, a note, and its own templates and phrase. Edition 1 was sent, 3 was held by hand
with the reason "waits for my boss", 2 and 4 wait for approval. Ada and Cleo were added, Bob has one topic, Dan
unsubscribed, Eve and never@example.org are suppressed, Fay confirmed a form, Gus has not answered, and
gone@example.org was erased.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest

from publisher.mail.links import LinkPurpose
from publisher.publishing.mail_wiring import project_links, subscription_policy
from publisher.publishing.operations import approve
from publisher.publishing.wiring import open_project_store
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.self_service import unsubscribe
from tests.support import ROOT
from tests.support.project import Project

OLD = ROOT / "tests/data/old_project"
BEFORE, AFTER = "2026-11-23T09:00", "2026-11-24T08:01"
# As in the old version's emails: to the owner, and below Ada's email.
APPROVE = "WyI0IiwiZXNzYXlzIiwiMjAyNi1XNDgiXQ.dZojaeEoiFPycehDV1yuoDwRMtQMXz58_9-cHFuhrCw"
UNSUBSCRIBE = "WyIwMjRlYTJjM2RmZDY5ZDVlMDA1ZGI5MzIiLCJ3ZWVrbHkiXQ.dBJRs9s1dK3euqJGBZ1rcuF48tGSz5kKBrsMZPeDcC8"
IDS = [
    "2026-11-18:second-week",
    "2026-11-13:eleventy-ways",
    "2026-11-12:pelican-ways",
    "2026-11-11:zola-ways",
    "2026-11-10:hugo-ways",
    "2026-11-09:jekyll-ways",
]


@pytest.fixture
def old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    """The old project in its own folder, on a machine that may send."""
    project = Project(tmp_path / "project", capsys)
    shutil.copytree(OLD, project.root, dirs_exist_ok=True)
    state = (project.root / "state").rename(project.root / ".publisher")
    for dump in state.glob("*.sql"):
        with closing(sqlite3.connect(dump.with_suffix(".db"))) as connection:
            connection.executescript(dump.read_text(encoding="utf-8"))
        dump.unlink()
    project.ok("hosts", "confirm", now=BEFORE)
    return project


def test_all_data_is_still_there(old: Project) -> None:
    status = old.ok("--json", "status", now=BEFORE).json
    assert status["subscribers"] == {"pending": 1, "active": 4, "unsubscribed": 1, "suppressed": 1}
    assert [(each["id"], each["held_by"], each["held"]) for each in status["unfinished"]] == [
        (2, "approval", "waits for approval, then goes at 2026-11-17 08:00 (Europe/Berlin)"),
        (3, "person", "waits for my boss"),
        (4, "approval", "waits for approval, then goes at 2026-11-24 08:00 (Europe/Berlin)"),
    ]
    editions = old.ok("--json", "editions", now=BEFORE).json
    assert [(each["newsletter"], each["slot"], each["subject"]) for each in editions] == [
        ("essays", "2026-W48", "The second week"),
        ("weekly", "2026-W48", "A word before"),
        ("essays", "2026-W47", "Pelican's ways and 1 more"),
        ("weekly", "2026-W47", "Eleventy's ways and 4 more"),
    ]
    assert editions[-1]["deliveries"] == {"sent": 3}
    assert "Hello Ada Lovelace" not in old.ok("editions", "show", "1", "--html").out  # no recipient is in an edition
    assert "from an old template" in old.ok("editions", "show", "1", "--html").out


def test_every_subscriber_keeps_choices_and_history(old: Project) -> None:
    listed = [line.split("\t")[:4] for line in old.ok("subscribers", "list").out.splitlines()[1:]]
    assert listed == [
        ["ada@example.org", "Ada Lovelace", "active", "essays, weekly"],
        ["bob@example.org", "", "active", "weekly (birds)"],
        ["cleo@example.org", "", "active", "essays"],
        ["dan@example.org", "", "unsubscribed", ""],
        ["eve@example.org", "", "suppressed", ""],
        ["fay@example.org", "Fay", "active", "weekly (stars)"],
        ["gus@example.org", "", "pending", ""],
    ]
    fay = old.ok("--json", "subscribers", "show", "fay@example.org").json
    assert [event["what"] for event in fay["consent"]] == ["requested", "confirmed", "subscribed"]
    assert (fay["consent"][0]["source"], fay["consent"][0]["text_version"]) == ("form /subscribe", "2026-11")
    for address in ("eve@example.org", "never@example.org", "gone@example.org"):
        assert old.run("subscribers", "add", address, "--newsletter", "weekly").code == 1
        file = old.write("list.csv", f"email\n{address}\n")
        assert "0 added" in old.run("subscribers", "import", str(file), "--newsletter", "weekly").out


def test_no_one_gets_an_email_twice(old: Project) -> None:
    old.run("publish", now=BEFORE)
    assert old.mail() == {}
    old.ok("deliveries", "resume", "3", now=BEFORE)
    with open_project_store(old.config()) as store:
        found = project_links(old.config()).read(LinkPurpose.APPROVE, APPROVE)
        assert found == ("4", "essays", "2026-W48")
        edition, by_hand = store.editions.get(4), store.editions.get(3)
        assert edition is not None
        assert by_hand is not None
        assert approve(store, edition, now=edition.made_at)
        assert not approve(store, by_hand, now=by_hand.made_at)
    for now in (BEFORE, AFTER, AFTER):
        old.run("publish", now=now)
    assert subjects(old) == {
        "ada@example.org": ["A word before", "The second week"],
        "cleo@example.org": ["The second week"],
        "fay@example.org": ["A word before"],
    }
    old.post("third-week", "2026-11-25", tags="[essay, birds, stars]")
    old.run("publish", now="2026-11-30T09:00")
    assert subjects(old) == {
        "ada@example.org": ["A word before", "The second week", "Third week", "Third week"],
        "bob@example.org": ["Third week"],
        "cleo@example.org": ["The second week", "Third week"],
        "fay@example.org": ["A word before", "Third week"],
    }
    identities = Counter(str(message["Message-ID"]) for messages in old.mail().values() for message in messages)
    assert set(identities.values()) == {1}


def test_own_templates_and_phrases_are_used(old: Project) -> None:
    old.ok("deliveries", "resume", "3", now=BEFORE)
    old.post("fourth-week", "2026-11-26", tags="[stars]")
    old.run("publish", "weekly", now="2026-11-30T09:00")
    (made_before, made_now) = (html(message) for message in old.mail()["ada@example.org"])
    for document in (made_before, made_now):
        assert re.search(r'style="[^"]*text-transform:\s?lowercase[^"]*"[^>]*>Hello', document)
        assert "Hello Ada Lovelace, from an old template." in document
        assert ">No more of this</a>" in document
    page = old.read("public/2026/11/10/hugo-ways/index.html")
    assert (
        '<p class="answer"><a href="mailto:ada@example.org?subject=Hugo%E2%80%99s%20ways">Answer by mail</a></p>'
        in page
    )
    assert '<ol class="own-rows">' in old.read("public/index.html")


def test_feeds_keep_their_ids(old: Project) -> None:
    old.ok("build", "--keep-going", now=BEFORE)
    guids = re.findall(r"<guid[^>]*>tag:letters\.example,2024:(.*?)</guid>", old.read("public/feed.xml"))
    assert guids == IDS
    assert "editions/weekly/2026-W47/index.html" in old.files()
    assert not [name for name in old.files() if "essays/2026-W4" in name]


def test_a_link_in_an_old_email_unsubscribes(old: Project) -> None:
    config = old.config()
    found = project_links(config).read(LinkPurpose.UNSUBSCRIBE, UNSUBSCRIBE)
    assert found is not None
    uid, newsletter = found
    with open_project_store(config) as store:
        ada = store.subscribers.by_uid(uid)
        assert ada is not None
        assert (ada.address, newsletter) == ("ada@example.org", "weekly")
        policy = subscription_policy(config)
        assert unsubscribe(store, policy, uid, newsletter, now=ada.created_at, evidence=Evidence("link /unsubscribe"))
        after = store.subscribers.by_uid(uid)
        assert after is not None
        assert [wish.newsletter for wish in after.subscriptions] == ["essays"]


def subjects(project: Project) -> dict[str, list[str]]:
    """Return the subjects of the emails that each subscriber got."""
    mail = project.mail()
    return {to: sorted(str(each["Subject"]) for each in mail[to]) for to in sorted(mail) if to != "owner@example.net"}


def html(message: EmailMessage) -> str:
    """Return the HTML of a message."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())
