"""Welcome emails for new subscribers: which are made, who gets them and when, and what stops them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest

from publisher.core.newsletter_models import EditionKind
from publisher.publishing.sequences import stray_steps
from publisher.publishing.wiring import open_project_store
from publisher.subscribers.manage import subscribe, unsubscribe
from tests.support.clockwork import DAY, HOUR, MINUTE, SLOT, Clockwork, configure, text
from tests.support.project import WEEKLY, Project

WELCOME = "---\nsubject: Welcome to {title}\n---\nDear reader,\n\nthis is **it**.\n"
SECOND = "---\nsubject: The best of it\nafter: 3d\n---\nThree days are over.\n"


@pytest.fixture
def clock(empty: Project) -> Iterator[Clockwork]:
    """A project with a newsletter, two welcome emails and no posts, whose scheduler has run once."""
    configure(empty, WEEKLY)
    empty.write("letters/weekly/welcome.md", WELCOME)
    empty.write("letters/weekly/welcome-2.md", SECOND)
    empty.write("posts/.keep", "")
    with open_project_store(empty.config()) as store:
        clock = Clockwork(empty, store)
        assert clock.at(SLOT).problems == ()
        yield clock


def mails(clock: Clockwork, name: str, domain: str = "example.org") -> list[EmailMessage]:
    """Return a subscriber's emails, sorted by date."""
    found = clock.project.mail().get(f"{name}@{domain}", [])
    return sorted(found, key=lambda mail: parsedate_to_datetime(str(mail["Date"])))


def letters(clock: Clockwork, name: str = "ada") -> list[str]:
    return [str(mail["Subject"]) for mail in mails(clock, name)]


def join(clock: Clockwork, name: str, after: timedelta, newsletter: str = "weekly") -> None:
    subscribe(clock.store, f"{name}@example.org", newsletters=[newsletter], at=SLOT + after)


def test_a_new_subscriber_is_welcomed_once_and_again_after_three_days(clock: Clockwork) -> None:
    join(clock, "ada", HOUR)
    first = clock.at(SLOT + 2 * HOUR)
    assert [(each.kind, each.number, each.subject) for each in first.created] == [
        (EditionKind.WELCOME, 0, "Welcome to The Quiet Reader")
    ]
    for days in range(7):
        join(clock, f"reader{days}", days * DAY + 3 * HOUR)
        clock.at(SLOT + days * DAY + 4 * HOUR)
    assert letters(clock) == ["Welcome to The Quiet Reader", "The best of it"]
    assert letters(clock, "reader6") == ["Welcome to The Quiet Reader"]
    welcome, second = mails(clock, "ada")
    assert "this is it" in text(welcome) and "2026" not in text(welcome)
    assert str(second["Date"]).startswith("Thu, 26 Nov 2026")
    assert welcome["List-Unsubscribe"] and welcome["Message-ID"] != second["Message-ID"]
    assert len(clock.editions()) == 2


def test_a_new_version_of_the_text_is_sent_only_to_later_subscribers(clock: Clockwork) -> None:
    join(clock, "ada", HOUR)
    clock.at(SLOT + 2 * HOUR)
    clock.project.write("letters/weekly/welcome.md", WELCOME.replace("it", "it now"))
    assert clock.at(SLOT + 3 * HOUR).created == ()
    join(clock, "bob", 4 * HOUR)
    assert len(clock.at(SLOT + 5 * HOUR).created) == 1
    assert len(letters(clock)) == len(letters(clock, "bob")) == 1
    assert "now" in text(mails(clock, "bob")[0])


def test_the_sequence_stops_for_people_who_unsubscribed(clock: Clockwork) -> None:
    join(clock, "ada", HOUR)
    clock.at(SLOT + 2 * HOUR)
    unsubscribe(clock.store, "ada@example.org", at=SLOT + DAY)
    clock.at(SLOT + 4 * DAY)
    subscribe(clock.store, "ada@example.org", newsletters=["weekly"], at=SLOT + 5 * DAY, again="she asked")
    clock.at(SLOT + 6 * DAY)
    assert letters(clock) == ["Welcome to The Quiet Reader"]
    clock.at(SLOT + 9 * DAY)
    assert letters(clock) == ["Welcome to The Quiet Reader", "The best of it"]


def test_a_broken_step_is_reported_and_later_steps_wait_for_it(clock: Clockwork) -> None:
    clock.project.write("letters/weekly/welcome.md", "---\nsubject: Welcome\nafter: soon\n---\nHello\n")
    join(clock, "ada", HOUR)
    report = clock.at(SLOT + 2 * HOUR)
    assert [str(each) for each in report.problems] == [
        "letters/weekly/welcome.md:3: after: 'soon' is not a valid duration; write it like 90m, 12h or 2d "
        "(write how long after subscribing it is sent, such as `after: 3d`)"
    ]
    assert clock.at(SLOT + 4 * DAY).created == ()
    clock.project.write("letters/weekly/welcome.md", WELCOME)
    clock.at(SLOT + 4 * DAY + MINUTE)
    assert letters(clock) == ["Welcome to The Quiet Reader"]
    clock.at(SLOT + 5 * DAY + 2 * MINUTE)
    assert letters(clock) == ["Welcome to The Quiet Reader", "The best of it"]


@pytest.mark.parametrize(
    ("name", "front", "problem"),
    [
        (
            "welcome",
            "after: 3d\nsend: now",
            ":4: send: now is not possible here: each subscriber gets this email at their own",
        ),
        ("welcome", "after: 400d", ":3: after: 400d is longer than a year"),
        ("welcome", "to: tag:vip", ":3: 'to' is unknown"),
        ("welcome-2", "", ":1: it does not say when it is sent"),
        ("welcome-2", "after: 0h", ":3: after: 0h is not later than the email before it"),
    ],
)
def test_unsupported_keys_of_a_step_are_reported(clock: Clockwork, name: str, front: str, problem: str) -> None:
    head = f"subject: Hello\n{front}".strip()
    clock.project.write(f"letters/weekly/{name}.md", f"---\n{head}\n---\nHello\n")
    (found,) = clock.at(SLOT + HOUR).problems
    assert f"letters/weekly/{name}.md{problem}" in str(found)


def test_a_welcome_shows_no_date_and_drafts_are_not_sent(clock: Clockwork) -> None:
    clock.project.write("letters/weekly/welcome.md", "---\nsubject: Hello of {date}\n---\nHello\n")
    (found,) = clock.at(SLOT + HOUR).problems
    assert "the subject has a {date}" in found.message
    clock.project.write("letters/weekly/welcome.md", "---\nsubject: Hello\nsend: draft\n---\nHello\n")
    join(clock, "ada", HOUR)
    assert clock.at(SLOT + 2 * HOUR).problems == ()
    clock.at(SLOT + 4 * DAY)
    assert letters(clock) == ["The best of it"]


def test_names_similar_to_those_of_steps_are_reported(clock: Clockwork) -> None:
    for name in ("welcome-1", "Welcome", "welcome-x", "welcome-100"):
        clock.project.write(f"letters/weekly/{name}.md", WELCOME)
    config = clock.project.config()
    found = [each.path for each in stray_steps(config, config.newsletters[0])]
    assert found == [f"letters/weekly/{name}.md" for name in ("Welcome", "welcome-1", "welcome-100", "welcome-x")]


def test_publish_sends_what_is_due(clock: Clockwork) -> None:
    clock.project.ok("subscribers", "add", "ada@example.org", now="2026-11-23T09:00")
    out = clock.project.ok("publish", "--yes", now="2026-11-23T09:01").out
    assert "Welcome to The Quiet Reader" in out and "1 message sent" in out
    clock.project.ok("publish", "--yes", now="2026-11-26T08:59")
    assert len(letters(clock)) == 1
    clock.project.ok("publish", "--yes", now="2026-11-26T09:00")
    clock.project.ok("publish", "--yes", now="2026-11-27T09:00")
    assert letters(clock) == ["Welcome to The Quiet Reader", "The best of it"]


def test_imported_people_are_welcomed_only_on_request(clock: Clockwork) -> None:
    clock.project.write("list.csv", "email\nada@example.org\n")
    clock.project.ok("subscribers", "import", str(clock.project.root / "list.csv"), now="2026-11-23T09:00")
    join(clock, "bob", HOUR + MINUTE)
    clock.at(SLOT + 2 * HOUR)
    assert letters(clock) == []
    edition = clock.store.editions.list()[0]
    refused = clock.project.fails("deliveries", "add", str(edition.id), now="2026-11-23T12:00").err
    assert "goes to each new subscriber in turn (name addresses, or --joined-since DATE" in refused
    clock.project.write("letters/weekly/welcome.md", WELCOME.replace("it", "it now"))
    join(clock, "cy", 3 * HOUR)
    clock.at(SLOT + 3.5 * HOUR)
    twice = clock.project.fails("deliveries", "add", str(edition.id), "cy@example.org", now="2026-11-23T12:00").err
    assert "cy@example.org has it already" in twice
    clock.project.ok("deliveries", "add", str(edition.id), "ada@example.org", now="2026-11-23T12:00")
    clock.at(SLOT + 5 * HOUR)
    assert letters(clock) == ["Welcome to The Quiet Reader"]


def test_the_commands_show_the_same_numbers(clock: Clockwork) -> None:
    for name, hours in (("ada", 1), ("bob", 2), ("cy", 50)):
        join(clock, name, hours * HOUR)
        clock.at(SLOT + (hours + 0.5) * HOUR)
    clock.at(SLOT + 3 * DAY + 1.5 * HOUR)
    now = "2026-11-26T09:30"
    (forecast,) = clock.project.ok("schedule", "--json", now=now).json
    assert [(each["name"], each["when"], each["sent"], each["to_come"]) for each in forecast["welcome"]] == [
        ("welcome", "at once", 3, 0),
        ("welcome-2", "after 3 days", 1, 2),
    ]
    (newsletter,) = clock.project.ok("status", "--json", now=now).json["newsletters"]
    assert newsletter["welcome"] == forecast["welcome"]
    shown = clock.project.ok("schedule", now=now).out
    assert "welcome-2         after 3 days, 'The best of it': 1 sent, 2 to come" in shown
    configure(clock.project, WEEKLY + 'frequencies = ["monthly 1 09:00"]\n')
    assert clock.project.ok("schedule", now=now).out.count("  welcome-2") == 1, "once, not for each frequency"
    own, monthly = clock.project.ok("schedule", "--json", now=now).json
    assert (len(own["welcome"]), monthly["welcome"], monthly["emails"]) == (2, [], [])
    configure(clock.project, WEEKLY)
    dry = clock.project.ok("publish", "--dry-run", now="2026-11-26T10:30").out
    assert "weekly welcome-2: 'The best of it' to 1 subscriber" in dry
    (due,) = clock.project.ok("publish", "--dry-run", "--json", now="2026-11-26T10:30").json
    assert (due["slot"], due["kind"], due["recipients"], due["problem"]) == ("welcome-2", "welcome", 1, "")
    listed = clock.project.ok("emails", "--json", now=now).json
    assert [(each["name"], each["deliveries"], each["to_come"]) for each in listed] == [
        ("welcome", {"sent": 3}, 0),
        ("welcome-2", {"sent": 1}, 2),
    ]
    text = clock.project.ok("emails", "show", "weekly", "welcome", "--text", now=now).out
    assert "this is it." in text
    clock.project.ok("emails", "test", "weekly", "welcome-2", "me@example.net", now=now)
    assert str(mails(clock, "me", "example.net")[0]["Subject"]) == "[Test] The best of it"
    clock.project.write("letters/weekly/welcome-2.md", SECOND.replace("3d", "soon"))
    assert "not sent: letters/weekly/welcome-2.md:3" in clock.project.ok("schedule", now=now).out
    assert "letters/weekly/welcome-2.md:3: after" in clock.project.fails("publish", "--yes", now=now).err
    assert "letters/weekly/welcome-2.md:3: after" in clock.project.fails("check", now=now).out


def test_an_email_with_an_error_is_not_sent(clock: Clockwork) -> None:
    clock.project.write("letters/weekly/welcome.md", WELCOME + "\n{% if %}")
    join(clock, "ada", HOUR)
    (problem,) = clock.at(SLOT + 2 * HOUR).problems
    assert str(problem).startswith("letters/weekly/welcome.md")
    assert letters(clock) == []
    assert problem.message in clock.project.fails("check").out


def test_a_welcome_addresses_each_subscriber(clock: Clockwork) -> None:
    subject = 'Welcome{% if subscriber.name %}, {{ subscriber.name | default("you") }}{% endif %}'
    body = 'Dear {{ subscriber.name | default("reader") }},\n\nhello.\n'
    clock.project.write("letters/weekly/welcome.md", f"---\nsubject: '{subject}'\n---\n{body}")
    subscribe(clock.store, "ada@example.org", newsletters=["weekly"], at=SLOT + HOUR, name="Ada <A>")
    join(clock, "bob", HOUR)
    assert clock.at(SLOT + 2 * HOUR).problems == ()
    assert letters(clock) == ["Welcome, Ada <A>"]
    assert letters(clock, "bob") == ["Welcome"]
    assert "Dear Ada <A>," in text(mails(clock, "ada")[0]) and "Dear reader," in text(mails(clock, "bob")[0])
    (edition,) = clock.store.editions.list()
    assert edition.subject == "Welcome"
    clock.project.write("letters/weekly/welcome.md", f"---\nsubject: Hello\n---\n{body} {{{{ subscriber.nome }}}}\n")
    join(clock, "cy", 3 * HOUR)
    (problem,) = clock.at(SLOT + 4 * HOUR).problems
    assert str(problem).startswith("letters/weekly/welcome.md:") and letters(clock, "cy") == []


def test_only_the_segment_of_the_newsletter_is_welcomed(clock: Clockwork) -> None:
    configure(clock.project, WEEKLY + 'segment = "language:de"\n')
    subscribe(clock.store, "ada@example.org", newsletters=["weekly"], at=SLOT + HOUR, language="de")
    join(clock, "bob", HOUR)
    clock.at(SLOT + 2 * HOUR)
    assert (len(letters(clock)), letters(clock, "bob")) == (1, [])
    configure(clock.project, WEEKLY + 'segment = "nobody-made-it"\n')
    join(clock, "cy", 3 * HOUR)
    assert "there is no segment 'nobody-made-it'" in str(clock.at(SLOT + 4 * HOUR).problems)
    assert letters(clock, "cy") == []
