"""Emails without posts: when and to whom they are sent, and the effect of mistakes in their files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from publisher.publishing.operations import approve
from publisher.publishing.wiring import open_project_store
from publisher.web.preview.snapshot import Snapshot
from tests.support.clockwork import DAY, HOUR, MINUTE, OWNER, SLOT, Clockwork, configure, slots, text, touch
from tests.support.documents import DOCS, blocks, commands, fits
from tests.support.project import WEEKLY, Project

PAGE = DOCS / "emails.md"
MANUAL = WEEKLY.replace("weekly monday 08:00", "manual")
TEXT = "---\nsend: {send}\nsubject: {subject}\n{more}---\nDear friends, this is **new**.\n"


def email(project: Project, name: str = "moved", send: str = "now", subject: str = "We have moved", more: str = ""):
    path = project.write(f"letters/weekly/{name}.md", TEXT.format(send=send, subject=subject, more=more))
    return touch(path, SLOT - 3 * DAY)


@pytest.fixture
def clockwork(project: Project) -> Iterator[Clockwork]:
    configure(project, MANUAL)
    project.subscribe("ada", "bob")
    with open_project_store(project.config()) as store:
        yield Clockwork(project, store)


def test_a_file_with_the_time_now_is_sent_once_it_has_settled(clockwork: Clockwork) -> None:
    path = touch(email(clockwork.project), SLOT)
    assert clockwork.at(SLOT + 9 * MINUTE).created == ()
    report = clockwork.at(SLOT + 10 * MINUTE)
    assert slots(report) == ["email:moved"]
    assert [each.sent for each in report.delivered] == [2]
    assert clockwork.letters() == clockwork.letters("bob@example.org") == ["We have moved"]
    (mail,) = clockwork.project.mail()["ada@example.org"]
    assert "this is new" in text(mail)
    assert mail["List-Unsubscribe"]
    assert mail["Date"].datetime == SLOT + 10 * MINUTE
    assert not [name for name in clockwork.project.files() if "moved" in name or name.startswith("editions")]
    assert "We have moved" not in clockwork.project.read("public/feed.xml")

    path.write_text(TEXT.format(send="now", subject="Another subject", more=""))
    assert clockwork.at(SLOT + DAY).created == ()
    assert len(clockwork.letters()) == 1


def test_a_renamed_file_is_not_sent_a_second_time(clockwork: Clockwork) -> None:
    path = email(clockwork.project)
    clockwork.at(SLOT)
    path.rename(path.with_name("we-have-moved.md"))
    email(clockwork.project, "another", subject="We have moved", more="preheader: x\n").write_text(
        TEXT.format(send="now", subject="We have moved", more="").replace("new", "newer")
    )
    clockwork.at(SLOT + DAY)
    assert "the same text was sent as moved at 2026-11-23 08:00" in clockwork.editions()["email:we-have-moved"]
    assert clockwork.editions()["email:another"] == ""
    assert clockwork.letters() == ["We have moved", "We have moved"]


def test_a_dry_run_says_what_the_real_run_puts_on_hold(project: Project) -> None:
    project.configure(newsletters=MANUAL)
    project.subscribe("ada")
    project.ok("publish", "--yes")
    path = email(project, "first")
    email(project, "twin")
    email(project, "other", more="preheader: x\n")
    dry = project.run("publish", "--dry-run")
    assert "weekly email:first: 'We have moved' would go to 1 subscriber" in dry.out
    assert "weekly email:other: 'We have moved' would go to 1 subscriber" in dry.out
    held = "the same text is sent as first"
    assert "weekly email:twin: 'We have moved', for 1 subscriber\n  it would be put on hold: waits for a p" in dry.out
    planned = project.run("publish", "--dry-run", "--json").json
    assert {each["slot"]: held in each["held"] for each in planned} == {
        "email:first": False,
        "email:other": False,
        "email:twin": True,
    }
    done = project.run("publish", "--yes")
    assert (dry.code, done.code) == (1, 1)
    assert held in done.out.partition("email:twin")[2]
    assert len(project.mail()["ada@example.org"]) == 3
    path.rename(path.with_name("renamed.md"))
    dry = project.run("publish", "--dry-run").out
    assert "weekly email:renamed: 'We have moved', for 1 subscriber\n  it would be put on hold: waits for a p" in dry


def test_a_wrong_condition_is_reported_at_its_line_before_there_is_a_database(project: Project) -> None:
    project.without_placeholders().configure(newsletters=MANUAL)
    email(project, more='to: "tag:vip and"\n')
    email(project, "other", send="soon")
    for command in (("check",), ("publish", "--dry-run"), ("emails",), ("status",), ("schedule",)):
        said = project.run(*command).said
        assert "letters/weekly/moved.md:4: " in said or command[0] in ("emails", "status", "schedule"), said
        assert "column 12 of the condition: a condition is missing" in said, command
        assert "'soon' isn't a time" in said, command
    states = {each["name"]: each["state"] for each in project.ok("emails", "--json").json}
    assert states == {"moved": "has an error", "other": "has an error"}
    project.subscribe("ada")
    assert "letters/weekly/moved.md:4: " in project.run("publish", "--dry-run").said
    assert "column 12 of the condition" in project.ok("emails").out


def test_a_time_is_in_the_time_zone_of_the_newsletter(clockwork: Clockwork) -> None:
    email(clockwork.project, send="2026-11-23 08:00")  # in Berlin, like SLOT
    assert clockwork.at(SLOT - MINUTE).created == ()
    assert slots(clockwork.at(SLOT + HOUR)) == ["email:moved"]
    assert clockwork.letters() == ["We have moved"]


def test_a_late_email_waits_for_a_person(clockwork: Clockwork) -> None:
    email(clockwork.project, send="2026-11-23 08:00")
    assert slots(clockwork.at(SLOT + 3 * DAY)) == ["email:moved"]
    assert "was due 2026-11-23 08:00" in clockwork.editions()["email:moved"]
    assert clockwork.letters() == []


@pytest.mark.parametrize("more", ["approve: yes\n", ""])
def test_an_email_to_approve_is_made_ahead_and_sent_at_its_time(project: Project, more: str) -> None:
    configure(project, MANUAL + ("" if more else "approve = true\n") + "approve_hours = 24\n")
    project.subscribe("ada")
    email(project, send="2026-11-23 08:00", more=more)
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        assert clockwork.at(SLOT - 25 * HOUR).created == ()
        assert slots(clockwork.at(SLOT - 24 * HOUR)) == ["email:moved"]
        (alert,) = project.mail()[OWNER]
        assert "waits for approval, then goes at 2026-11-23 08:00" in text(alert)
        (edition,) = store.editions.list()
        assert approve(store, edition, now=SLOT - HOUR)
        assert clockwork.at(SLOT - MINUTE).delivered == ()
        assert [each.sent for each in clockwork.at(SLOT).delivered] == [1]
        assert clockwork.letters() == ["We have moved"]
        assert not [name for name in project.files() if name.startswith("editions")]


def test_drafts_and_notes_are_not_sent(clockwork: Clockwork) -> None:
    email(clockwork.project, send="draft")
    email(clockwork.project, "empty", send="Draft", subject="")
    clockwork.project.write("letters/weekly/2026-W48.md", "---\nsubject: A note\n---\nDear readers.\n")
    clockwork.project.write("letters/weekly/stray.md", "Dear readers.\n")
    report = clockwork.at(SLOT)
    assert report.created == ()
    assert report.problems == ()


def test_an_email_without_subscribers_counts_as_sent(project: Project) -> None:
    configure(project, MANUAL)
    email(project)
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        assert slots(clockwork.at(SLOT)) == ["email:moved"]
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        assert Clockwork(project, store).at(SLOT + DAY).created == ()


def test_topics_of_posts_do_not_matter(clockwork: Clockwork) -> None:
    clockwork.project.ok("subscribers", "add", "cyd@example.org", "--newsletter", "weekly", "--topic", "R&D")
    email(clockwork.project)
    assert [each.sent for each in clockwork.at(SLOT).delivered] == [3]


def test_an_error_in_the_email_puts_it_on_hold(clockwork: Clockwork) -> None:
    email(clockwork.project)
    clockwork.project.write("templates/email/message.html", "<html><body>{{ letter.intro|safe }}</body></html>")
    clockwork.at(SLOT)
    assert "unsubscribe" in clockwork.editions()["email:moved"]
    assert clockwork.letters() == []


def test_an_email_to_a_segment_reaches_no_one_else(clockwork: Clockwork) -> None:
    project = clockwork.project
    project.ok("subscribers", "add", "cyd@example.org", "--newsletter", "weekly", "--tag", "vip", "--topic", "R&D")
    project.ok("segments", "save", "important", "tag:vip")
    email(project, more="to: important\n")
    email(project, "others", subject="To the others", more='to: "not tag:vip"\n')
    email(project, "few", subject="To nobody", more='to: "tag:nobody"\n')
    email(project, "unknown", more="to: imprtant\n")
    assert "to 1 subscriber in important\n  cyd@example.org" in project.ok("emails", "show", "weekly", "moved").out
    dry = project.run("publish", "--dry-run")
    assert "weekly email:moved: 'We have moved' would go to 1 subscriber" in dry.out
    assert "weekly email:few: no subscriber of weekly is in 'tag:nobody'" in dry.out
    report = clockwork.at(SLOT)
    assert sorted(slots(report)) == ["email:moved", "email:others"]
    (problem,) = report.problems
    assert str(problem).startswith("letters/weekly/unknown.md:4: there is no segment 'imprtant' (did you mean importa")
    assert clockwork.letters("cyd@example.org") == ["We have moved"]
    assert clockwork.letters() == clockwork.letters("bob@example.org") == ["To the others"]
    project.ok("subscribers", "edit", "ada@example.org", "--tag", "nobody")
    assert slots(clockwork.at(SLOT + HOUR)) == ["email:few"]
    assert sorted(clockwork.letters()) == ["To nobody", "To the others"]


MISTAKES = {
    "tomorrow": ("send: tomorrow", "", ":2: send: 'tomorrow' isn't a time (write"),
    "a-day": ("send: 2026-12-01", "", ":2: send: 2026-12-01 has no time of day (write `send: now`, `send: draft` or"),
    "maybe": ("send: now", "approve: maybe\n", ":4: approve: 'maybe' is neither yes nor no"),
    "odd": ("send: now", "sned: now\n", ":4: 'sned' is unknown (use send, to, approve, subject and preheader)"),
    "2026-W50": ("send: now", "", ":2: an email cannot have the name of a slot"),
    "a b": ("send: now", "", ": 'a b' can't be the name of an email (choose a short one like we-have-moved)"),
}


def test_a_mistake_is_reported_and_stops_no_other(clockwork: Clockwork) -> None:
    email(clockwork.project, "right")
    for name, (send, more, _) in MISTAKES.items():
        email(clockwork.project, name, send=send.removeprefix("send: "), more=more)
    report = clockwork.at(SLOT)
    assert slots(report) == ["email:right"]
    said = {problem.path.rpartition("/")[2]: str(problem) for problem in report.problems}
    for name, (_, _, message) in MISTAKES.items():
        assert said[f"{name}.md"].startswith(f"letters/weekly/{name}.md{message}")
    assert len(report.problems) == len(MISTAKES)
    assert clockwork.letters() == ["We have moved"]
    again = clockwork.at(SLOT + timedelta(minutes=1))
    assert again.created == ()
    assert len(clockwork.project.mail()[OWNER]) == 1


def test_publish_sends_an_email_immediately_and_lists_waiting_ones(project: Project) -> None:
    project.configure(newsletters=MANUAL)
    project.subscribe("ada")
    project.ok("publish", "--yes")
    email(project)
    email(project, "later", send="2026-12-01 09:00", subject="Later")
    dry = project.ok("publish", "--dry-run").out
    assert "weekly email:moved: 'We have moved' would go to 1 subscriber" in dry
    assert "weekly email:later: 'Later' will be sent at 2026-12-01 09:00" in dry
    (planned,) = project.ok("publish", "--dry-run", "--json").json
    assert (planned["kind"], planned["number"], planned["recipients"], planned["posts"]) == ("letter", None, 1, [])
    (forecast,) = project.ok("schedule", "--json").json
    assert [(each["name"], each["state"]) for each in forecast["emails"]] == [
        ("moved", "goes next"),
        ("later", "scheduled"),
    ]
    assert "later             2026-12-01 09:00, 'Later'" in project.ok("schedule").out
    assert "  next  later on 2026-12-01 at 09:00: Later\n" in project.ok("status").out
    assert "weekly email:moved: 'We have moved'\n  1 message sent" in project.ok("publish", "--yes").out
    assert "moved" not in project.ok("publish", "--yes").out
    (done,) = [each for each in project.ok("editions", "--json").json if each["kind"] == "letter"]
    assert (done["slot"], done["number"], done["deliveries"]) == ("email:moved", None, {"sent": 1})
    project.post("fourth", "2026-11-16")
    assert "weekly 2026-11-16.2, no. 2" in project.ok("publish", "--yes", "--extra").out


def test_the_commands_in_the_document_work_as_described(project: Project) -> None:
    project.configure(newsletters=MANUAL)
    project.subscribe("ada", "bob")
    ran = 0
    for block in blocks(PAGE, "console"):
        for command, shown in commands(block):
            done = project.ok(*shlex.split(command)[1:])
            assert fits(_spaced(shown), _spaced(done.out)), (command, done.out)
            ran += 1
        project.write("letters/weekly/we-have-moved.md", blocks(PAGE, "markdown")[0])
    assert ran >= 4


def _spaced(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_commands_write_list_show_and_test_emails(project: Project) -> None:
    project.configure(newsletters=MANUAL)
    project.subscribe("ada", "bob")
    assert "no emails without posts yet" in project.ok("emails").out
    path = project.ok("emails", "new", "weekly", "we-have-moved").out.strip()
    assert path.endswith("letters/weekly/we-have-moved.md")
    assert "already exists" in project.fails("emails", "new", "weekly", "we-have-moved").err
    for name in ("2026-W47", "welcome-2", "farewell", "a/b", "..", "", "x" * 101):
        assert project.run("emails", "new", "weekly", name).code == 1, name
    (draft,) = project.ok("emails", "list", "--json").json
    assert (draft["state"], draft["subject"], draft["at"], draft["edition"]) == ("draft", "We have moved", None, None)
    assert "the email has no text" in project.fails("emails", "show", "weekly", "we-have-moved").err
    assert "did you mean we-have-moved?" in project.fails("emails", "show", "weekly", "wehavemoved").err

    email(project, "we-have-moved")
    email(project, "later", send="2026-12-01 09:00", subject="Later")
    personal = "\"{{ subscriber.name | default('You') }}, {title} {x}\""
    email(project, "personal", send="2026-12-02 09:00", subject=personal)
    subjects = [each["subject"] for each in project.ok("emails", "--json").json]
    assert subjects == ["Later", "You, The Quiet Reader {x}", "We have moved"]
    assert "'You, The Quiet Reader {x}' will be sent at" in project.ok("publish", "--dry-run").said
    (project.root / "letters/weekly/personal.md").unlink()
    email(project, "wrong", send="soon")
    shown = project.ok("emails", "show", "weekly", "we-have-moved")
    assert "weekly we-have-moved: goes next\nto 2 subscribers\n  ada@example.org\n  bob@example.org\n" in shown.out
    assert "this is new" in project.ok("emails", "show", "weekly", "we-have-moved", "--text").out
    whole = project.ok("emails", "show", "weekly", "later", "--json").json
    assert (whole["recipients"], whole["at"], whole["subject"]) == (2, "2026-12-01T09:00:00+01:00", "Later")
    assert "UNSUBSCRIBE-LINK" in whole["html"]
    assert "December 1, 2026" in whole["text"]
    listed = {each["name"]: each["state"] for each in project.ok("emails", "--json").json}
    assert listed == {"later": "scheduled", "we-have-moved": "goes next", "wrong": "has an error"}

    project.ok("emails", "test", "weekly", "later", "me@example.org")
    (sample,) = project.mail()["me@example.org"]
    assert sample["Subject"] == "[Test] Later"
    assert [each["deliveries"] for each in project.ok("editions", "--json").json] == []


def test_check_reads_emails_and_reports_changes(project: Project) -> None:
    project.without_placeholders().configure(newsletters=MANUAL)
    project.subscribe("ada")
    email(project)
    email(project, "wrong", send="soon")
    email(project, "unfinished", send="draft", subject="")
    project.write("letters/weekly/about-us.md", "Dear readers.\n")
    project.write("letters/weekly/welcome.md", "---\nsubject: Welcome\n---\nHello.\n")
    said = project.fails("check").said
    assert "letters/weekly/wrong.md:2: newsletter weekly: send: 'soon' isn't a time" in said
    assert "letters/weekly/about-us.md: weekly has no slot called 'about-us'" in said
    assert "or add `send: draft` to make it an email of its own" in said
    assert not [name for name in ("moved.md", "unfinished.md", "welcome.md") if name in said]

    (project.root / "letters/weekly/wrong.md").unlink()
    (project.root / "letters/weekly/about-us.md").unlink()
    project.ok("publish", "--yes")
    assert "moved.md" not in project.ok("check").said
    project.write("letters/weekly/moved.md", TEXT.format(send="now", subject="We have moved again", more=""))
    assert "letters/weekly/moved.md: it has changed since it was sent on 2026-11-16" in project.ok("check").said
    listed = project.ok("emails", "list", "--newsletter", "weekly", "--json").json
    (sent,) = [each for each in listed if each["name"] == "moved"]
    assert (sent["state"], sent["subject"], sent["changed"]) == ("sent", "We have moved", True)


def test_findings_name_the_file_of_the_email(project: Project) -> None:
    project.without_placeholders().configure(newsletters=MANUAL)
    email(project, "code", more="preheader: Dear [[name]]\n", subject="'{{ page.title }} is here'")
    link = f"[Join]({project.config().site_url}/nope/?name={{{{ subscriber.name | default('') }}}})"
    project.write("letters/weekly/link.md", f"---\nsend: now\nsubject: A link\n---\nHello all.\n\n{link}\n")
    project.write(
        "letters/weekly/short.md", "---\nsend: now\nsubject: Short\n---\n![A picture](https://blog.test/a.png)\n"
    )
    project.write("letters/weekly/same.md", "---\nsend: now\nsubject: Hello\npreheader: Hello\n---\nText.\n")
    project.write("letters/weekly/wrong.md", "---\nsend: now\nsubject: Hello\nto: tag:\n---\nText.\n")
    said = {(each["path"], each["line"]): each for each in project.run("check", "--json").json}

    def of(name: str, line: int) -> dict[str, str]:
        return said[f"letters/weekly/{name}.md", line]

    assert of("code", 4)["message"] == "the preheader shows [[name]]"
    assert of("code", 3)["message"] == "the subject shows {{ page.title }}"
    assert "does not lead to a page" in of("link", 7)["message"]
    assert "add a line `preheader: ...`" in of("short", 0)["mend"]
    assert "`preheader` of its own" in of("same", 4)["mend"]
    lines = project.run("check").said.splitlines()
    assert len([line for line in lines if "letters/weekly/wrong.md" in line]) == 1, lines
    assert not [path for path, _ in said if path.startswith("templates/")]


def test_the_preview_shows_waiting_emails_and_drafts(project: Project) -> None:
    project.configure(newsletters=MANUAL)
    project.subscribe("ada")
    email(project, "later", send="2026-12-01 09:00", subject="Later")
    email(project, "draft", send="draft", subject="A draft")
    email(project, "wrong", send="soon")
    snapshot = Snapshot(project.config(), datetime(2026, 11, 16, 9, tzinfo=UTC))
    (emails,) = snapshot.newsletters
    listed = [(each.which, each.title, each.number) for each in emails.next]
    assert listed == [("next", "Next email", 1), ("email:draft", "A draft", 0), ("email:later", "Later", 0)]
    sample = snapshot.sample("weekly", "email:later", "")
    assert "this is <strong>new</strong>" in sample.html
    assert "December 1, 2026" in sample.text
    assert snapshot.findings("weekly", "email:later", "").count("error") == 0
    assert [problem.path for problem in snapshot.problems] == ["letters/weekly/wrong.md"]


def test_unreadable_files_are_one_line_each_everywhere(project: Project) -> None:
    project.configure(newsletters=MANUAL)
    project.subscribe("ada")
    project.ok("publish", "--yes")
    folder = project.root / "letters/weekly"
    project.write("letters/weekly/binary.md", b"\xff\xfe\x00")
    project.write("letters/weekly/huge.md", "---\nsend: now\nsubject: x\n---\n" + "x" * 600_000)
    project.write("letters/weekly/open.md", "---\nsend: now\nsubject: [x\n---\nText.\n")
    project.write("letters/weekly/deep.md", "---\nsend: now\nsubject: Deep\n---\n" + "> " * 5_000 + "x\n")
    project.write("letters/weekly/line\nbreak.md", TEXT.format(send="now", subject="x", more=""))
    (folder / "folder.md").mkdir()
    (folder / "loop.md").symlink_to("loop.md")
    email(project, "right")
    said = {command: project.run(command).said for command in ("check", "emails", "status", "schedule")}
    said["publish"] = project.run("publish", "--dry-run").said
    for command, lines in said.items():
        for name in ("binary", "huge", "open", "line\\nbreak", "folder", "loop"):
            assert [line for line in lines.splitlines() if name in line], (command, name)
        assert not [line for line in lines.splitlines() if line.startswith("break")], command
    assert "1 message sent" in project.run("publish", "--yes").out
    assert [str(each["Subject"]) for each in project.mail()["ada@example.org"]][-1:] == ["We have moved"]
