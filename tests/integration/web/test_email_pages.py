"""Emails without posts at /admin/emails: listed, viewed, sent as a test, approved."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from publisher.publishing.wiring import open_project_store
from publisher.subscribers.manage import subscribe
from tests.support.admin_page import Owner, set_password
from tests.support.project import Project
from tests.support.web_client import web_client

TEXT = "---\nsend: {send}\nsubject: {subject}\n{more}---\nDear friends, this is **new**.\n"
EMAILS = {
    "moved": ("now", "We have moved", ""),
    "later": ("2026-12-24 09:00", "Happy holidays", ""),
    "draft": ("draft", "Not yet <b>", ""),
    "wrong": ("soon", "Wrong", ""),
    "asked": ("now", "Ask me first", "approve: yes\n"),
}


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """The owner of a project with four subscribers and an email of each kind."""
    project = Project(tmp_path_factory.mktemp("emails") / "letter", None)  # type: ignore[arg-type]
    with web_client(project, now="2026-11-29T12:00:00") as web:
        set_password(project)
        found = Owner(web)
        found.log_in()
        assert "No emails yet." in found.get("/emails").text
        for name, (send, subject, more) in EMAILS.items():
            project.write(f"letters/weekly/{name}.md", TEXT.format(send=send, subject=subject, more=more))
        yield found


def shown(owner: Owner, path: str) -> str:
    answer = owner.get(path)
    assert answer.status_code == 200
    return " ".join(html.unescape(answer.text).split())


def test_the_list_shows_each_email_with_its_state(owner: Owner) -> None:
    page = shown(owner, "/emails")
    for subject, state in (
        ("We have moved", "goes next"),
        ("Happy holidays", "scheduled"),
        ("Wrong", "has an error"),
        ("Ask me first", "goes next"),
    ):
        assert f'<bdi>{subject}</bdi></a> <span class="state' in page
        assert f">{state}</span>" in page
    assert "Not yet &lt;b&gt;" in owner.get("/emails").text
    assert "send: 'soon'" in page
    assert page.index("Happy holidays") < page.index("Not yet")


def test_an_email_is_shown_with_its_recipients_and_sent_as_a_test(owner: Owner) -> None:
    page = shown(owner, "/emails/weekly/later")
    assert 'src="/admin/emails/weekly/later/letter"' in page
    assert "24 Dec 2026, 09:00" in page
    assert "After the subject" in page
    frame = owner.get("/emails/weekly/later/letter").text
    assert "this is <strong>new</strong>" in frame
    assert "A test was sent to me@example.org" in owner.press(
        "/emails/weekly/later", do="test", address="me@example.org"
    )
    assert "Nothing was done" in owner.press("/emails/weekly/later", do="test", address="nobody")
    assert "nobody gets it until its line send is changed" in shown(owner, "/emails/weekly/draft")
    assert "letters/weekly/wrong.md:2: send: 'soon'" in shown(owner, "/emails/weekly/wrong")
    for path in ("/emails/weekly/nothing", "/emails/nothing/moved", "/emails/weekly/..%2Fmoved"):
        assert owner.get(path).status_code == 404


def test_an_email_is_shown_for_someone_without_fields_and_for_the_first_recipient(project: Project) -> None:
    with web_client(project, now="2026-11-29T12:00:00") as web:
        set_password(project)
        owner = Owner(web)
        owner.log_in()
        with open_project_store(project.config()) as store:
            subscribe(
                store, "zoe@example.org", newsletters=["weekly"], at=datetime(2026, 11, 1, tzinfo=UTC), name="Zoe"
            )
        body = 'Dear {{ subscriber.name | default("friend") }}.'
        project.write("letters/weekly/hello.md", f"---\nsend: draft\nsubject: Hello\n---\n{body}\n")
        for asked, name in (("", "Ada Lovelace"), ("?as=nobody", "friend"), ("?as=first", "Zoe"), ("?as=x", "Ada")):
            assert f"Dear {name}" in owner.get(f"/emails/weekly/hello/letter{asked}").text
        page = shown(owner, "/emails/weekly/hello?as=first")
        assert 'src="/admin/emails/weekly/hello/letter?as=first"' in page
        assert 'aria-current="page">the first who gets it' in page


def test_welcome_and_farewell_emails_can_be_viewed_before_anyone_gets_one(project: Project) -> None:
    with web_client(project, now="2026-11-29T12:00:00") as web:
        set_password(project)
        owner = Owner(web)
        owner.log_in()
        assert owner.get("/welcome/weekly/welcome").status_code == 404
        for name, subject in (
            ("welcome", "Hello you"),
            ("welcome-2", "Still there?\nafter: soon"),
            ("farewell", "See you"),
        ):
            project.write(f"letters/weekly/{name}.md", f"---\nsubject: {subject}\n---\nDear *reader*.\n")
        page = shown(owner, "/emails")
        for name, subject in (("welcome", "Hello you"), ("farewell", "See you")):
            path = f"/welcome/weekly/{name}"
            assert f'<a href="/admin{path}"><bdi>{subject}</bdi></a>' in page
            assert f'src="/admin{path}/letter"' in shown(owner, path)
            assert "<em>reader</em>" in owner.get(f"{path}/letter").text
            assert owner.press(path, address="me@example.org").startswith("A test was sent to me@example.org")
            assert "Nothing was done" in owner.press(path, address="nobody")
        assert "welcome-2.md:3" in shown(owner, "/welcome/weekly/welcome-2")
    listed = {each["name"]: each for each in project.ok("emails", "--json").json}
    assert (listed["farewell"]["subject"], listed["farewell"]["state"]) == ("See you", "to people who unsubscribe")
    assert "reader" in project.ok("emails", "show", "weekly", "farewell", "--text").out
    assert "when they unsubscribe; 0 sent" in project.ok("emails", "show", "weekly", "farewell").out
    assert (
        "'See you' sent to me@example.org" in project.ok("emails", "test", "weekly", "farewell", "me@example.org").out
    )
