"""publisher deliveries: what it shows about an edition's messages, and how to fix failures."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from publisher.cli.hosts import PUBLISH, how_to_send
from publisher.cli.terminal import rate
from publisher.core.hold_reasons import by_person
from publisher.core.models import Severity
from publisher.daemon.lock import only_one
from publisher.mail.dkim_keys import make_key
from publisher.publishing.tick import create_due
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from publisher.store.workers import Heartbeat
from tests.support.project import Project
from tests.support.smtp_server import Mailboxes, mail_server
from tests.support.store_samples import draft

TROUBLE = ("450-busy", "550-closed", "drop", "gone", "gone-too")


@pytest.fixture
def mail(project: Project) -> Iterator[Mailboxes]:
    """A project that sends to a server on loopback and puts uncertain messages on hold."""
    with mail_server() as (mailboxes, settings):
        smtp = f'\n[mail.smtp]\nhost = "127.0.0.1"\nport = {settings.port}\ntls = "none"\ntimeout = 600\n'
        more = '[delivery]\non_uncertain = "hold"\n'
        project.configure(f'transport = "smtp"\n{smtp}{more}')
        yield mailboxes


@pytest.fixture
def trouble(project: Project, mail: Mailboxes) -> Project:
    """One edition of seven messages, five of which were not sent."""
    project.subscribe("ada", "bob", *TROUBLE)
    ran = project.run("publish", "--yes")
    assert ran.code == 1
    assert "2 messages sent, 1 deferred, 3 rejected, 1 uncertain" in ran.out
    assert "2 subscribers no longer sent to: the mail server says the mailbox doesn't exist" in ran.out
    assert "to see why: publisher deliveries list 1" in ran.out
    return project


def counts(project: Project) -> dict[str, int]:
    found: dict[str, int] = project.ok("deliveries", "list", "1", "--json").json["counts"]
    return found


def test_a_list_shows_problems_first(trouble: Project) -> None:
    first, *lines = trouble.ok("deliveries", "list", "1").out.splitlines()
    assert first.startswith("weekly 2026-W47, no. 1: ")
    assert lines[0].split(": ")[0] == "messages"
    assert set(lines[0].partition(": ")[2].split(", ")) == {"2 sent", "1 deferred", "3 failed", "1 uncertain"}
    assert lines[1:5] == [
        "  2 x failed: 550 5.1.1 <…>: no such user",
        "  1 x deferred: 450 busy",
        "  1 x failed: 550 closed",
        "  1 x uncertain: the connection broke: closed by the server",
    ]
    assert [line.split("\t")[:2] for line in lines[5:]] == [
        ["Address", "Status"],
        ["550-closed@example.org", "failed"],
        ["gone@example.org", "failed"],
        ["gone-too@example.org", "failed"],
        ["drop@example.org", "uncertain"],
        ["450-busy@example.org", "deferred"],
        ["ada@example.org", "sent"],
        ["bob@example.org", "sent"],
    ]
    busy = next(line for line in lines if line.startswith("450-busy"))
    assert busy.split("\t")[2:] == ["1", "2026-11-16 10:04", "450 busy"]


def test_a_list_can_be_limited(trouble: Project) -> None:
    some = trouble.ok("deliveries", "list", "1", "--status", "failed", "--status", "sent", "--limit", "2").out
    assert [line.split("\t")[0] for line in some.splitlines() if "\t" in line] == [
        "Address",
        "550-closed@example.org",
        "gone@example.org",
    ]
    assert some.endswith("and 3 more (--limit 0 lists all)\n")
    assert "busy" not in some


def test_a_script_gets_every_message(trouble: Project) -> None:
    found = trouble.ok("deliveries", "list", "1", "--json", "--status", "deferred").json
    assert (found["edition"], found["slot"], found["held"]) == (1, "2026-W47", "")
    assert found["reasons"] == [{"status": "deferred", "reason": "450 busy", "count": 1}]
    (row,) = found["deliveries"]
    assert (row["address"], row["attempts"], row["sent_at"]) == ("450-busy@example.org", 1, None)
    assert len(trouble.ok("deliveries", "list", "1", "--json").json["deliveries"]) == 7
    assert trouble.ok("deliveries", "list", "1", "--json", "--status", "queued").json["deliveries"] == []


def test_a_person_sees_a_table(trouble: Project) -> None:
    seen = trouble.on_a_terminal("deliveries", "list", "1", "--status", "deferred")
    assert "Attempts" in seen
    assert "450-busy@example.org" in seen


def test_a_retry_sends_once_the_server_works(trouble: Project, mail: Mailboxes) -> None:
    mail.lenient = True
    assert trouble.ok("deliveries", "retry", "1", "--status", "uncertain").out == (
        "1 message due now (1 uncertain); run `publisher publish` to send\n"
    )
    assert trouble.ok("deliveries", "retry", "1").out.startswith("4 messages due now (3 failed, 1 deferred)")
    assert trouble.ok("deliveries", "retry", "1").out == "nothing to retry\n"

    # Subscribers whose mailboxes don't exist are no longer subscribed, so a retry sends them nothing.
    ran = trouble.ok("publish", "--yes")
    assert "3 messages sent, 2 unsubscribed in the meantime, or cancelled" in ran.out
    assert {reader: len(found) for reader, found in mail.messages.items()} == {
        "ada@example.org": 1,
        "bob@example.org": 1,
        "450-busy@example.org": 1,
        "550-closed@example.org": 1,
        "drop@example.org": 2,
    }
    assert len(set(mail.messages["drop@example.org"])) == 1


def test_uncertain_and_failed_messages_are_in_the_status_and_reported_once(trouble: Project) -> None:
    shown = trouble.ok("status").out
    assert (
        "uncertain    weekly 2026-W47: 1 message waits for your decision\n"
        "             (publisher deliveries list 1 --status uncertain)\n"
        "failed       weekly 2026-W47: 3 messages\n"
        "             (publisher deliveries list 1 --status failed)\n"
    ) in shown
    (row,) = trouble.ok("status", "--json").json["undelivered"]
    assert row == {"id": 1, "newsletter": "weekly", "slot": "2026-W47", "uncertain": 1, "failed": 3}

    now = datetime(2026, 11, 16, 12, tzinfo=UTC)
    with open_project_store(trouble.config()) as store:
        reports = [create_due(OpenProject(trouble.config(), store, lambda: now)) for _ in range(2)]
        trouble.ok("deliveries", "retry", "1", "--status", "uncertain")
        reports.append(create_due(OpenProject(trouble.config(), store, lambda: now)))
    told = [[line for line in each.unreported if "uncertain" in line] for each in reports]
    assert [len(lines) for lines in told] == [1, 0, 0]
    assert told[0][0].startswith("weekly 2026-W47: edition 1 has uncertain messages, which wait for your decision (")
    problems = [[each for each in report.problems if "uncertain" in each.message] for report in reports]
    assert [[each.severity for each in found] for found in problems] == [[Severity.WARNING], [Severity.WARNING], []]


def test_advice_names_the_process_that_sends(trouble: Project) -> None:
    with only_one(trouble.config().state_dir):
        by = f"`publisher run` (pid {os.getpid()}) sends what is due\n"
        assert trouble.ok("deliveries", "retry", "1").out.endswith(f"); {by}")
        trouble.ok("deliveries", "hold", "1")
        assert f"still to send; {by}" in trouble.ok("deliveries", "resume", "1").out
        assert "still to send; `publisher run` sends them" in trouble.ok("status").out
    with open_project_store(trouble.config()) as store:
        now = datetime.now(UTC)
        assert how_to_send(trouble.config(), store, now) == PUBLISH
        store.hosts.check_in("another", "b", now)
        store.hosts.confirm("another", now)
        store.hosts.note_active("another", "1.0", now)
        words = "`publisher run` or `publisher worker` on b, seen a moment ago, sends what is due"
        assert how_to_send(trouble.config(), store, now).startswith(words)
        assert how_to_send(trouble.config(), store, now + timedelta(hours=1)) == PUBLISH
        store.workers.begin("w1", "b", Heartbeat(now, timedelta(minutes=2)), "another")
        assert how_to_send(trouble.config(), store, now) == "what is due is sent by b"


def test_a_missing_mailbox_gets_no_more_email(trouble: Project, mail: Mailboxes) -> None:
    shown = trouble.ok("subscribers", "show", "gone@example.org").out
    assert "status      bounced" in shown
    assert "bounced  550 5.1.1 <gone@example.org>: no such user  [mail server, weekly 2026-W47]" in shown
    assert "status      active" in trouble.ok("subscribers", "show", "550-closed@example.org").out

    trouble.post("fourth", "2026-11-16")
    trouble.run("publish", "--yes", now="2026-11-23T10:00")
    told = trouble.ok("deliveries", "list", "2", "--json").json["deliveries"]
    assert {row["address"].partition("@")[0] for row in told} == {"ada", "bob", "450-busy", "550-closed", "drop"}


def test_implausibly_many_missing_mailboxes_are_kept(project: Project, mail: Mailboxes) -> None:
    project.subscribe("ada", *(f"gone-{number}" for number in range(30)))
    ran = project.run("publish", "--yes")
    assert ran.code == 1
    assert "says 30 mailboxes don't exist. That is implausibly many" in ran.out
    assert project.ok("status", "--json").json["subscribers"] == {"active": 31}


def test_an_edition_on_hold_says_why(project: Project, mail: Mailboxes) -> None:
    project.subscribe("ada", "450-busy")
    project.run("publish", "--yes")
    assert project.ok("deliveries", "hold", "1", "--why", "a typo\nin it").out == "edition 1 is on hold\n"
    assert project.ok("deliveries", "hold", "1").out == "edition 1 was already on hold: a typo in it\n"

    later = "2026-11-16T12:00"
    ran = project.ok("publish", "--yes", now=later)
    assert "weekly 2026-W47, no. 1: 1 message on hold: a typo in it\n" in ran.out
    assert "to resume: publisher deliveries resume 1" in ran.out
    assert "1 message on hold: a typo in it" in project.ok("publish", "--dry-run").out
    assert "on hold: a typo in it" in project.ok("editions").out
    assert "on hold: a typo in it" in project.ok("editions", "show", "1").out
    assert "on hold: a typo in it" in project.ok("deliveries", "list", "1").out
    status = project.ok("status")
    assert "on hold      weekly 2026-W47: 1 message (run `publisher deliveries resume 1`)\n" in status.out
    assert "a typo in it" in status.out

    mail.lenient = True
    assert (
        project.ok("deliveries", "resume", "1").out
        == "edition 1 is resumed: 1 message still to send; run `publisher publish` to send\n"
    )
    assert "1 message sent" in project.ok("publish", "--yes", now=later).out
    assert project.ok("deliveries", "resume", "1").out.startswith("edition 1 was not on hold")


def test_cancelling_asks_first(trouble: Project, mail: Mailboxes) -> None:
    refused = trouble.run("deliveries", "cancel", "1")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "2 messages of weekly 2026-W47 would never be sent (use --yes" in refused.err
    assert "stopped" in trouble.on_a_terminal("deliveries", "cancel", "1", answer="n\n")
    assert counts(trouble)["deferred"] == 1

    assert trouble.ok("deliveries", "cancel", "1", "--yes", "--why", "old news").out == "2 messages cancelled\n"
    assert counts(trouble) == {"sent": 2, "failed": 3, "skipped": 2}
    assert "2 x skipped: old news" in trouble.ok("deliveries", "list", "1").out
    assert trouble.ok("deliveries", "cancel", "1").out == "nothing is waiting, so there is nothing to cancel\n"
    mail.lenient = True
    trouble.ok("publish", "--yes", now="2026-11-17T10:00")
    assert sorted(mail.messages) == ["ada@example.org", "bob@example.org", "drop@example.org"]


def test_the_next_try_is_shown(project: Project, mail: Mailboxes) -> None:
    project.write("publisher.toml", project.read("publisher.toml").replace('on_uncertain = "hold"', ""))
    project.subscribe("ada", "drop", "450-busy")
    when = "  next try at 2026-11-16 10:04; to retry now: publisher deliveries retry 1\n"
    ran = project.run("publish", "--yes")
    assert ran.code == 1
    assert when in ran.out
    assert counts(project) == {"sent": 1, "queued": 1, "deferred": 1}
    assert when in project.run("publish", "--yes").out
    assert project.ok("deliveries", "resume", "1").out == (
        f"edition 1 was not on hold: 2 messages still to send; run `publisher publish` to send\n{when}"
    )
    assert project.ok("deliveries", "retry", "1", "--status", "queued").out.startswith("1 message due now (1 queued)")
    assert project.ok("deliveries", "retry", "1").out.startswith("1 message due now (1 deferred)")
    assert project.ok("deliveries", "retry", "1").out == "nothing to retry\n"
    mail.lenient = True
    assert "2 messages sent" in project.ok("publish", "--yes").out
    assert project.ok("deliveries", "retry", "1").out == "nothing to retry\n"


def test_a_rejected_edition_is_put_on_hold(project: Project, mail: Mailboxes) -> None:
    project.subscribe(*(f"data-554-{number}" for number in range(40)))
    ran = project.run("publish", "--yes")
    assert ran.code == 1
    assert ran.err == ""
    assert "on hold: the mail server refuses the edition itself, 10 of 10 messages: 554 5.6.0 no thank you" in ran.out
    before = counts(project)
    assert before["queued"] + before["failed"] == 40
    assert before["queued"] > 0

    # A scheduled run does not keep trying.
    project.ok("publish", "--yes", now="2026-11-16T12:00")
    assert counts(project) == before

    mail.lenient = True
    assert "edition 1 is on hold" in project.ok("deliveries", "retry", "1", "--status", "failed").out
    project.ok("deliveries", "resume", "1")
    assert "40 messages sent" in project.ok("publish", "--yes").out


def test_a_failed_run_says_what_it_did(project: Project, mail: Mailboxes) -> None:
    project.write("publisher.toml", project.read("publisher.toml").replace("timeout = 600", "per_day = 2"))
    project.subscribe("ada", "bob", "cy")
    ran = project.run("publish", "--yes")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "every mail server has reached its daily limit of recipients" in ran.err
    assert "2 messages sent, 1 waiting" in ran.out
    assert len(mail.messages) == 2

    ran = project.run("publish", "--yes", now="2026-11-16T20:00")
    assert "0 messages sent, 1 waiting" in ran.out
    (line,) = ran.err.splitlines()
    assert "sending resumes at 2026-11-17 00:00 UTC, by `publisher run` or with `publisher publish`" in line
    shown = project.ok("status", now="2026-11-16T20:00").out
    assert "1 message still to send; every mail server has reached its daily limit of recipients" in shown
    assert "`publisher publish` resumes at 2026-11-17 00:00 UTC or later" in shown
    assert "1 message still to send; `publisher publish` resumes" in project.ok("status", now="2026-11-17T12:00").out


def test_a_bar_shows_progress_and_results(project: Project, mail: Mailboxes) -> None:
    project.subscribe("ada", "moment", "450-busy")
    seen = project.on_a_terminal("publish", "--yes")
    assert "3/3" in seen
    assert "2 sent, 1 deferred" in seen


@pytest.mark.parametrize(
    ("speed", "words"), [(None, ""), (0.0, ""), (0.1, "6/min"), (0.5, "0.5/s"), (9.94, "9.9/s"), (3456.7, "3,457/s")]
)
def test_a_rate_has_a_fitting_unit(speed: float | None, words: str) -> None:
    assert rate(speed) == words


@pytest.mark.parametrize(
    ("key", "what"),
    [
        (None, "the key cannot be read: No such file or directory"),
        ("no key", "does not contain an unencrypted private key"),
    ],
)
def test_an_unreadable_key_stops_the_edition(project: Project, key: str | None, what: str) -> None:
    project.configure('[[mail.dkim]]\ndomain = "letters.example"\nselector = "a"\nkey = "a.pem"\n')
    project.subscribe("ada")
    if key is not None:
        project.write("a.pem", key)

    (told,) = [problem for problem in project.run("check", "--json").json if "dkim" in problem["message"]]
    assert told["message"] == f"mail.dkim: a.pem: {what}; without it no email is sent"
    line = project.read("publisher.toml").splitlines()[told["line"] - 1]
    assert (told["path"], line, told["severity"]) == ("publisher.toml", 'key = "a.pem"', "error")
    for command in (["publish", "--dry-run"], ["publish"]):
        ran = project.run(*command)
        assert (ran.code, ran.err.count("\n")) == (1, 1)
        assert what in ran.err
        assert "newsletter weekly" in ran.err
    assert project.ok("editions", "--json").json == []

    (project.root / "a.pem").unlink(missing_ok=True)
    assert make_key(project.root / "a.pem", "ed25519")
    assert not [problem for problem in project.ok("check", "--json").json if "dkim" in problem["message"]]
    project.ok("publish")


@pytest.mark.parametrize("verb", ["list", "retry", "hold", "resume", "cancel"])
def test_a_missing_edition_is_one_line(project: Project, verb: str) -> None:
    assert project.run("deliveries", verb, "1").err == (
        "error: no editions yet (`publisher publish` creates the first one)\n"
    )
    project.subscribe("ada")
    for number in ("7", "0", "99999999999999999999999"):
        for command in (["deliveries", verb, number], ["editions", "show", number]):
            ran = project.run(*command)
            assert (ran.code, ran.err) == (
                1,
                f"error: there is no edition {number} (`publisher editions` lists them)\n",
            )


def test_a_long_list_comes_in_pages(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from publisher.cli import deliveries as shown
    from publisher.store import ledger

    project.subscribe(*(f"reader{number}" for number in range(7)))
    project.ok("publish")
    whole = project.ok("deliveries", "list", "1").out
    monkeypatch.setattr(ledger, "PAGE", 2)
    monkeypatch.setattr(shown, "TABLE", 3)
    assert project.ok("deliveries", "list", "1").out == whole
    assert whole.count("@example.org") == 7


@pytest.mark.parametrize("transport", ["outbox", "smtp"])
def test_a_full_disk_leaves_nothing_in_doubt(project: Project, mail: Mailboxes, transport: str) -> None:
    if transport == "outbox":
        project.configure()
    project.subscribe("ada", "bob", "cy")
    project.ok("subscribers", "list")
    with closing(sqlite3.connect(project.root / ".publisher/publisher.db")) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON deliveries WHEN NEW.status = 'sent' "
            "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        ran = project.run("publish", "--yes")
        connection.execute("DROP TRIGGER full")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert (
        "disk is full: the ledger cannot be written, and the mail server's last answers are missing from it" in ran.err
    )
    assert "free some space and run it again; the next run finds the deliveries concerned" in ran.err
    assert "half written" not in ran.err
    project.run("publish", "--yes")
    assert counts(project).get("sent", 0) + counts(project).get("uncertain", 0) == 3


AGAIN = "run `publisher publish` again to send them, and no one gets anything twice"
UNSENT = f"edition 1 was created; 2 messages wait; {AGAIN}\n"


@pytest.mark.parametrize(
    "mail",
    [
        'transport = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = 1\ntls = "none"\n',
        'outbox = "in-the-way"\n',
        "outbox = 'in-the-way/below'\n",
    ],
    ids=["no server", "a file", "below a file"],
)
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_failure_before_the_first_message_counts_waiting_messages(
    mail: str, options: list[str], project: Project
) -> None:
    project.subscribe("ada", "bob")
    project.write("in-the-way", "")
    project.configure(mail)
    for _ in range(2):
        ran = project.run("publish", "--yes", *options)
        assert ran.code == 1
        assert ran.err.startswith(UNSENT + "error: ")
        assert ran.err.count("\n") == 2
    project.configure()
    assert len(project.ok("publish", "--json").json["editions"]) == 1
    assert len(project.mail()) == 2


def test_each_failure_of_the_mail_server_is_named_and_counts_waiting_messages(project: Project) -> None:
    project.subscribe("ada", "bob")

    def tried(port: int, words: str, more: str = 'tls = "none"\n') -> None:
        project.configure(f'transport = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {port}\n{more}')
        ran = project.run("publish", "--yes")
        assert ran.code == 1, words
        assert "/public/: " in ran.out, words
        waits, error = ran.err.splitlines()
        assert waits + "\n" == UNSENT, words
        assert words in error, error
        assert counts(project) == {"queued": 2}, words

    tried(1, "refused")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        tried(deaf.getsockname()[1], "Timed out", 'tls = "none"\ntimeout = 1\n')
    with mail_server(password="right") as (_, settings):
        login = 'tls = "none"\nusername = "ann"\npassword = "wrong"\n'
        tried(settings.port, "refuses the login of ann", login)
    with mail_server() as (_, settings):
        tried(settings.port, "STARTTLS", 'tls = "starttls"\n')
        tried(settings.port, "no secure connection", 'tls = "tls"\n')


@pytest.mark.parametrize("step", ["remember_files", "deliver_open"])
def test_an_interruption_before_the_first_message_counts_waiting_messages(
    step: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    project.subscribe("ada", "bob")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(f"publisher.cli.publish.{step}", interrupted)
        ran = project.run("publish")
    assert (ran.code, ran.err.endswith("stopped\n")) == (130, True)
    assert ("2 messages" in ran.said, "run `publisher publish`" in ran.err) == (True, True)


def test_a_failure_before_an_edition_is_created_mentions_none(project: Project) -> None:
    project.subscribe("ada")
    project.write("public", "")
    ran = project.run("publish")
    assert ran.code == 1
    assert "created" not in ran.said


def test_an_edition_is_sent_once_to_people_who_joined_later(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish", "--yes")
    project.ok("subscribers", "add", "bob@example.org", "--topic", "nothing-of-it", now="2026-11-17")
    project.ok("subscribers", "add", "cy@example.org", now="2026-11-18")
    project.ok("subscribers", "add", "dee@example.org", now="2026-11-18")
    project.ok("subscribers", "unsubscribe", "dee@example.org", now="2026-11-19")

    would = project.ok("deliveries", "add", "1", "--dry-run", now="2026-11-20")
    assert would.out == (
        "left out 1 subscriber: the edition has no version for their topics, or for the posts they lack\n"
        "1 subscriber would get edition 1; nothing was changed\n"
    )
    late = project.ok("deliveries", "add", "1", "--joined-since", "2026-11-19", "--json", now="2026-11-20").json
    assert late == {"edition": 1, "added": 0, "unmatched": 0, "left_out": []}
    assert "1 message added; run `publisher publish`" in project.ok("deliveries", "add", "1", now="2026-11-20").out
    assert "no one to add" in project.ok("deliveries", "add", "1", now="2026-11-20").out

    named = project.fails("deliveries", "add", "1", "ada@example.org", "dee@example.org", now="2026-11-20")
    assert "ada@example.org has it already" in named.err
    assert "dee@example.org is unsubscribed" in named.err
    unknown = project.fails("deliveries", "add", "1", "dea@example.org", now="2026-11-20")
    assert "dea@example.org is not a subscriber (did you mean dee@example.org?)" in unknown.err

    project.ok("publish", "--yes", now="2026-11-20")
    sent = project.ok("deliveries", "list", "1", "--json").json["deliveries"]
    assert [(each["address"], each["status"]) for each in sent] == [
        ("ada@example.org", "sent"),
        ("cy@example.org", "sent"),
    ]
    assert project.run("deliveries", "add", "1", "--joined-since", "soon").code == 2


def test_a_cancelled_edition_is_not_sent_to_more_people(project: Project) -> None:
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        assert store.editions.create(draft(hold=by_person("a typo")))
    project.ok("deliveries", "cancel", "1", "--yes")
    assert "edition 1 was cancelled, and no one gets it" in project.fails("deliveries", "add", "1").err
