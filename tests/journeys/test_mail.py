"""The whole path: a folder, a written post, and the emails that arrive in real mailboxes through SMTP."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from publisher.cli.main import run
from tests.support.project import MONDAY, Project, parse
from tests.support.smtp_server import mail_server

POST = """\
---
title: "Rain & <sun>: a diary"
date: 2026-11-15 18:00
tags: [weather]
---

It rained for a [week](/notes/), and then it did not.

![The hill after rain](hill.png)

More on [the day before](2026-11-14-before.md), and `code < here`.
"""


def smtp(project: Project, port: int, more: str = "") -> None:
    """Let the project send to the server on this port."""
    text = project.read("publisher.toml").replace('transport = "outbox"', f'transport = "smtp"\n{more}')
    text += f'\n[mail.smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\ntimeout = 600\n'
    project.write("publisher.toml", text)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


@pytest.fixture
def begun(empty: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project from `publisher init`, with two posts next to its draft, and two subscribers."""
    assert run(["--now", "2026-11-13T08:00", "init", str(empty.root)]) == 0
    empty.write("posts/2026-11-15-rain.md", POST)
    empty.write("posts/hill.png", b"\x89PNG hill")
    empty.ok("new", "Before", now="2026-11-14T07:00")
    draft = empty.root / "posts/2026-11-14-before.md"
    draft.write_text(draft.read_text().replace("draft: true\n", "") + "The day before.\n")
    empty.subscribe("ada")
    empty.ok("subscribers", "add", "bob@example.org", "--name", 'Bob Ö. "The" Builder')
    return empty


def test_from_an_empty_folder_to_two_mailboxes(begun: Project) -> None:
    with mail_server() as (mailboxes, settings):
        smtp(begun, settings.port)
        ran = begun.ok("publish", "--yes")
        assert "2 messages sent" in ran.out
        assert begun.ok("publish", "--yes").out.endswith("weekly: no new posts\n")
        sent = {address: [parse(data) for data in found] for address, found in mailboxes.messages.items()}
    assert sorted(sent) == ["ada@example.org", "bob@example.org"]
    assert all(len(messages) == 1 for messages in sent.values())
    titles = ["Rain & <sun>: a diary", "Before"]
    for (message,) in sent.values():
        html, text = part(message, "html"), part(message, "plain")
        assert_names_the_same_posts(html, text, begun.ok("editions", "show", "1", "--json").json["posts"])
        assert [post["title"] for post in begun.ok("editions", "show", "1", "--json").json["posts"]] == titles
        assert_absolute(html)
        assert message.get_content_type() == "multipart/alternative"
        assert message["From"].addresses[0].addr_spec == "you@example.org"
        assert message["Subject"].startswith("Rain & <sun>: a diary")
        assert not re.search(r"@@publisher|\{\{|\{%", html + text)
        assert max(len(line) for line in message.as_bytes().splitlines()) <= 998
    assert sent["bob@example.org"][0]["To"].addresses[0].display_name == 'Bob Ö. "The" Builder'
    assert (begun.root / "public/2026/11/15/rain/hill.png").is_file()
    assert not (begun.root / ".publisher/outbox").exists()


def assert_names_the_same_posts(html: str, text: str, posts: list[dict[str, str]]) -> None:
    """Check that each post's URL is in both parts, in the same order."""
    addresses = [post["url"] for post in posts]
    for body in (html, text):
        places = [body.find(address) for address in addresses]
        assert -1 not in places
        assert places == sorted(places)


def assert_absolute(html: str) -> None:
    found = re.findall(r'(?:href|src)="([^"]*)"', html)
    assert len(found) > 5
    assert not [url for url in found if urlsplit(url).scheme not in ("https", "mailto")]


def test_pictures_have_working_urls(begun: Project) -> None:
    begun.write("publisher.toml", begun.read("publisher.toml").replace('# content = "full"', 'content = "full" #'))
    begun.ok("publish")
    ((message,), _) = begun.mail().values()
    (picture,) = [url for url in re.findall(r'src="([^"]*)"', part(message, "html")) if "hill" in url]
    assert picture == "https://example.org/2026/11/15/rain/hill.png"
    assert (begun.root / "public" / urlsplit(picture).path.lstrip("/")).is_file()
    assert "https://example.org/2026/11/14/before/" in part(message, "html")


def test_every_message_has_its_unsubscribe_link(begun: Project) -> None:
    begun.ok("publish")
    messages = [found[0] for found in begun.mail().values()]
    ways = set()
    for message in messages:
        assert message["List-Id"].endswith("<weekly.example.org>")  # RFC 2919
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"  # RFC 8058
        (way,) = re.findall(r"<(https://[^>]+)>", message["List-Unsubscribe"])  # RFC 2369
        ways.add(way)
        assert way in part(message, "plain")
        assert way.replace("&", "&amp;") in part(message, "html")
        assert message["List-Archive"] == "<https://example.org/editions/weekly/>"
        assert message["To"].addresses[0].addr_spec not in way
        for name in ("Message-ID", "Date", "From", "To", "Subject", "MIME-Version", "List-Unsubscribe"):
            assert len(message.get_all(name)) == 1
    assert len(ways) == len(messages) == 2
    assert len({message["Message-ID"] for message in messages}) == 2
    assert part(messages[0], "plain").count("unsubscribe") >= 1


def test_the_web_version_has_no_personal_links(begun: Project) -> None:
    begun.ok("publish")
    page = begun.read("public/editions/weekly/2026-W47/index.html")
    assert "Rain &amp; &lt;sun&gt;: a diary" in page
    ways = [re.findall(r"<(https://[^>]+)>", m["List-Unsubscribe"])[0] for (m,) in begun.mail().values()]
    everything = "".join(
        path.read_text(errors="replace") for path in (begun.root / "public").rglob("*") if path.is_file()
    )
    assert not [way for way in ways if way in everything]
    assert "@example.org" not in everything.replace("you@example.org", "")
    assert "@@publisher" not in everything


def test_an_unreachable_server_is_one_line_and_another_counts_waiting_messages(begun: Project) -> None:
    smtp(begun, 9)
    ran = begun.run("publish", "--yes")
    waits, error = ran.err.splitlines()
    assert ran.code == 1
    assert "127.0.0.1:9" in error
    again = "run `publisher publish` again to send them, and no one gets anything twice"
    assert waits == f"edition 1 was created; 2 messages wait; {again}"
    assert "/public/: 2 posts, " in ran.out
    assert [e["deliveries"] for e in begun.ok("editions", "--json").json] == [{"queued": 2}]
    with mail_server() as (mailboxes, settings):
        text = begun.read("publisher.toml").replace("port = 9\n", f"port = {settings.port}\n")
        begun.write("publisher.toml", text)
        assert "2 messages left over from an earlier run" in begun.ok("publish", "--dry-run").out
        begun.ok("publish", "--yes")
        assert {len(found) for found in mailboxes.messages.values()} == {1}
        assert len(mailboxes.messages) == 2


def test_publish_asks_before_sending(begun: Project) -> None:
    with mail_server() as (mailboxes, settings):
        smtp(begun, settings.port)
        asked = begun.on_a_terminal("publish", answer="n\n")
        assert "weekly 2026-W47: 2 posts to 2 subscribers" in asked
        assert f"Send 2 messages through smtp://127.0.0.1:{settings.port}? [y/N]" in asked
        assert asked.rstrip().endswith("stopped")
        assert begun.ok("editions", "--json").json == []
        assert mailboxes.messages == {}
        assert "2 messages sent" in begun.on_a_terminal("publish", answer="y\n")
        assert len(mailboxes.messages) == 2


def test_a_rejected_recipient_does_not_affect_others(begun: Project) -> None:
    begun.ok("subscribers", "add", "550-unknown@example.org")
    begun.ok("subscribers", "add", "450-busy@example.org")
    with mail_server() as (mailboxes, settings):
        smtp(begun, settings.port)
        ran = begun.run("publish", "--yes")
        assert ran.code == 1
        assert "2 messages sent, 1 deferred, 1 rejected" in ran.out
        assert sorted(mailboxes.messages) == ["ada@example.org", "bob@example.org"]
        again = begun.run("publish", "--yes")
        assert "0 messages sent" in again.out or "no new posts" in again.out
        assert {len(found) for found in mailboxes.messages.values()} == {1}


def test_a_resent_message_is_identical(begun: Project) -> None:
    begun.ok("subscribers", "add", "drop@example.org")
    with mail_server() as (mailboxes, settings):
        smtp(begun, settings.port)
        for hour in range(10, 24, 3):
            begun.run("publish", "--yes", now=f"2026-11-16T{hour}:00")
        copies = mailboxes.messages["drop@example.org"]
        assert len(copies) > 1
        assert len(set(copies)) == 1
        assert len({parse(data)["Message-ID"] for data in copies}) == 1


def test_a_password_is_never_shown(begun: Project) -> None:
    secret = "correct-horse-battery"
    with mail_server(password="another") as (_, settings):
        smtp(begun, settings.port)
        begun.write("publisher.toml", begun.read("publisher.toml") + 'username = "ada"\n')
        ran = begun.spawn("publish", "--yes", PUBLISHER_MAIL_SMTP_PASSWORD=secret)
    assert ran.code == 1
    assert secret not in ran.said
    for path in begun.root.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_the_sample_project_is_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    from tests.support.project import ROOT

    sample = Project(tmp_path / "sample", capsys)
    shutil.copytree(ROOT / "posts", sample.root / "posts")
    shutil.copy(ROOT / "publisher.toml", sample.root)
    sample.run("subscribers", "import", str(ROOT / "docs/sample-subscribers.csv"))
    sample.ok("publish", now=MONDAY)
    assert all(len(found) >= 1 for found in sample.mail().values())
    assert sample.ok("publish", now=MONDAY).out.count("no new posts") == 2
