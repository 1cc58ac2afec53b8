"""publisher segments, and newsletters, editions and test emails that are sent to a segment."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from publisher.core.subscriber_fields import FieldKind
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import DAY, MINUTE, SLOT, Clockwork, configure, is_quiet
from tests.support.documents import DOCS, blocks, commands, fits
from tests.support.preview_client import preview_client
from tests.support.project import WEEKLY, Project
from tests.support.store_samples import NOW

PATRONS = WEEKLY + 'segment = "patrons"\n'


@pytest.fixture
def peopled(project: Project) -> Project:
    """A project with three subscribers: ada and bob are tagged vip, and bob lives in Oslo."""
    project.configure('\n[[fields]]\nname = "city"\n\n[[fields]]\nname = "points"\nkind = "number"\n')
    project.post("first")
    for address, name in {"ada@example.org": "Ada", "bob@example.org": "", "cyd@example.org": ""}.items():
        project.ok("subscribers", "add", address, "--name", name)
    with open_project_store(project.config()) as store, store.subscribers.transaction(NOW) as change:
        change.note_fields({"city": FieldKind.TEXT, "points": FieldKind.NUMBER})
        for address, fields in {"ada@example.org": {}, "bob@example.org": {"city": "Oslo", "points": 7}}.items():
            person = change.find(address)
            assert person is not None
            change.set_tags(person, ["vip"])
            change.describe(person, fields=fields)
    return project


def test_segments_are_saved_shown_renamed_and_deleted(peopled: Project) -> None:
    assert peopled.ok("segments").out.startswith("no segments yet; save one: publisher segments save")
    assert peopled.ok("segments", "save", "patrons", " tag:vip ").out == "patrons: saved (2 subscribers)\n"
    assert peopled.ok("segments", "save", "oslo", 'field.city = "oslo"').out == "oslo: saved (1 subscriber)\n"
    assert peopled.ok("segments", "save", "oslo", "field.city = Oslo").out == "oslo: changed (1 subscriber)\n"
    listed = peopled.ok("segments", "list")
    assert "patrons\t2\ttag:vip" in listed.out
    assert peopled.ok("segments", "list", "--json").json == [
        {"name": "oslo", "condition": "field.city = Oslo", "people": 1},
        {"name": "patrons", "condition": "tag:vip", "people": 2},
    ]
    shown = peopled.ok("segments", "show", "patrons", "--limit", "1").out
    assert shown == "tag:vip\n2 subscribers\n  ada@example.org  Ada\n  ...\n"
    found = peopled.ok("segments", "show", "patrons", "--json").json
    assert (found["people"], [each["email"] for each in found["some"]]) == (2, ["ada@example.org", "bob@example.org"])
    assert peopled.ok("segments", "count", "not tag:vip").out == "1\n"
    assert peopled.ok("segments", "count", "patrons", "--newsletter", "weekly", "--json").json == {"people": 2}
    assert peopled.ok("segments", "rename", "patrons", "friends").out == "patrons is now friends\n"
    assert peopled.ok("segments", "delete", "friends").out == "friends: deleted\n"
    assert [each["name"] for each in peopled.ok("segments", "--json").json] == ["oslo"]


def test_mistakes_are_one_line(peopled: Project) -> None:
    peopled.ok("segments", "save", "vip", "tag:vip")
    for arguments, said in {
        ("show", "vpi"): "error: SEGMENT: there is no segment 'vpi' (did you mean vip?)\n",
        ("show", "tag:"): "error: SEGMENT: column 5 of the condition: a value is missing after : (write it like tag:",
        (
            "save",
            "A b",
            "tag:vip",
        ): "error: 'A b' isn't a valid name for a segment (write it like vip or",
        ("save", "x", "tag;vip"): "error: column 4 of the condition: a comparison is missing after 'tag;vip'",
        ("delete", "nix"): "error: there is no segment 'nix' (known: vip)\n",
        ("rename", "vip", "vip"): "error: there is a segment 'vip' already\n",
        ("rename", "nix", "y"): "error: there is no segment 'nix' (known: vip)\n",
    }.items():
        ran = peopled.run("segments", *arguments)
        assert (ran.code, ran.err.count("\n")) == (1, 1), ran.err
        if not ran.err.startswith(said):
            assert ran.err.startswith("error: column 1 of the condition: 'tag;vip' can't be used"), ran.err
    for condition, note in {
        "field.cty = Oslo": "note: no subscriber has a field 'cty' (did you mean city?)\n",
        "field.points = many": "note: the values of points are numbers, but 'many' is not one\n",
        "newsletter:weekli": "note: there is no newsletter 'weekli' (did you mean weekly?)\n",
    }.items():
        assert peopled.ok("segments", "show", condition).out.endswith(note)


def test_an_edition_goes_to_a_segment_only_once_for_its_posts(peopled: Project) -> None:
    dry = peopled.ok("publish", "--segment", "tag:vip and field.city = oslo", "--dry-run")
    assert "would go to 1 subscriber" in dry.out
    assert "\n  to bob@example.org\n" in dry.out
    assert "  2 other subscribers do not get these posts, now or later; they are not in the segment tag:vip" in dry.out
    (planned,) = peopled.ok("publish", "--segment", "tag:vip", "--dry-run", "--json").json
    assert (planned["recipients"], planned["outside"], planned["segment"]) == (2, 1, "tag:vip")
    assert planned["some"] == ["ada@example.org", "bob@example.org"]
    sent = peopled.ok("publish", "--segment", "tag:vip")
    assert "weekly: 1 other subscriber does not get these posts, now or later; " in sent.out
    assert sorted(peopled.mail()) == ["ada@example.org", "bob@example.org"]
    (made,) = peopled.ok("editions", "--json").json
    assert (made["segment"], made["deliveries"]) == ("tag:vip", {"sent": 2})
    assert "\nonly to the segment tag:vip\n" in peopled.ok("editions", "show", "1").out
    again = peopled.ok("publish", "--extra")
    assert "weekly: no new posts" in again.out
    assert sorted(peopled.mail()) == ["ada@example.org", "bob@example.org"]
    assert (
        peopled.run("publish", "--segment", "nix").err == "error: --segment: there is no segment 'nix' (known: none)\n"
    )
    assert peopled.run("publish", "--segment", "tag:x", "--to", "me@example.org").code == 2


@pytest.mark.parametrize("condition", ["not field.cty = Oslo", "field.cty has no value", "not newsletter:wekly"])
def test_a_condition_on_an_unknown_value_reaches_no_one(peopled: Project, condition: str) -> None:
    peopled.write("letters/weekly/thanks.md", f"---\nsend: now\nsubject: Hi\nto: '{condition}'\n---\n\nFor you.\n")
    assert peopled.run("check").code == 1
    assert peopled.run("publish").code == 1
    assert "Hi" not in {str(each["Subject"]) for mail in peopled.mail().values() for each in mail}
    for command in (["publish", "--segment"], ["subscribers", "unsubscribe", "--yes", "--segment"]):
        assert peopled.run(*command, condition).err.startswith("error: --segment: ")
    assert peopled.run("segments", "count", condition).code == 1


def test_an_email_without_posts_goes_to_a_segment(peopled: Project) -> None:
    peopled.ok("segments", "save", "patrons", "tag:vip")
    email = "---\nsend: now\nsubject: Thank you\nto: patrons\n---\n\nFor you.\n"
    peopled.write("letters/weekly/thanks.md", email)
    assert peopled.run("segments", "delete", "patrons").err.startswith("error: letters/weekly/thanks.md:4: patrons is")
    assert "'Thank you' would go to 2 subscribers" in peopled.ok("publish", "--dry-run").out
    peopled.write("letters/weekly/thanks.md", email.replace("patrons", "field.cty = Oslo"))
    checked = peopled.run("check").out
    assert "error: letters/weekly/thanks.md:4: newsletter weekly: no subscriber has a field 'cty'" in checked
    peopled.write("letters/weekly/thanks.md", email.replace("patrons", "field.city = Oslo"))
    peopled.ok("publish")
    subjects = {address: [str(each["Subject"]) for each in mail] for address, mail in peopled.mail().items()}
    assert {address for address, mail in subjects.items() if "Thank you" in mail} == {"bob@example.org"}


def test_the_preview_names_the_segment_and_three_people(peopled: Project) -> None:
    peopled.configure(newsletters=WEEKLY + 'segment = "tag:vip"\n')
    with preview_client(peopled) as preview:
        page = preview.page()
    assert "2 subscribers" in page
    assert "Only to the segment <code>tag:vip</code>, for example ada@example.org, bob@example.org" in page


def test_people_who_joined_later_get_an_edition_if_they_are_in_its_segment(peopled: Project) -> None:
    peopled.ok("publish", "--segment", "address ~ ada or address ~ dora")
    for name in ("dora", "otto"):
        peopled.ok("subscribers", "add", f"{name}@ex.org", now="2026-11-17T10:00")
    assert "1 " in peopled.ok("deliveries", "add", "1", "--dry-run", now="2026-11-18T10:00").out
    peopled.ok("deliveries", "add", "1", now="2026-11-18T10:00")
    peopled.ok("deliveries", "add", "1", "cyd@example.org", now="2026-11-18T10:00")  # named by the owner
    peopled.ok("publish", now="2026-11-18T10:00")
    assert sorted(peopled.mail()) == ["ada@example.org", "cyd@example.org", "dora@ex.org"]


def test_a_test_email_goes_to_the_people_in_a_segment(peopled: Project) -> None:
    sent = peopled.ok("publish", "--test-segment", "tag:vip")
    assert sent.out.count("weekly: test email ") == 2
    assert sorted(peopled.mail()) == ["ada@example.org", "bob@example.org"]
    nobody = peopled.run("publish", "--test-segment", "tag:nobody")
    assert nobody.err == "error: --test-segment: no one in this segment can be sent email\n"
    assert "weekly" in peopled.ok("publish", "--dry-run").out  # nothing was recorded


@pytest.fixture
def clockwork(peopled: Project) -> Iterator[Clockwork]:
    """A newsletter to the saved segment patrons; the first tick was three days before the slot."""
    configure(peopled, PATRONS)
    peopled.ok("segments", "save", "patrons", "tag:vip and joined <= 2026-12-31")
    with open_project_store(peopled.config()) as store:
        ready = Clockwork(peopled, store)
        assert is_quiet(ready.at(SLOT - 3 * DAY))
        yield ready


def test_a_newsletter_goes_to_its_segment(clockwork: Clockwork) -> None:
    project = clockwork.project
    said = project.ok("status", now="2026-11-20T10:00").out
    assert "today: 3 posts to 2 subscribers; 1 other is not in its segment\n" in said
    (forecast,) = project.ok("schedule", "--json", now="2026-11-20T10:00").json
    assert forecast["slots"][0]["would_reach"] == 2
    done = clockwork.at(SLOT)
    assert [edition.segment for edition in done.created] == ["tag:vip and joined <= 2026-12-31"]
    assert [each.sent for each in done.delivered] == [2]
    assert project.run("segments", "delete", "patrons").err.startswith("error: publisher.toml:")


def test_a_missing_segment_stops_its_newsletter_until_it_exists(clockwork: Clockwork) -> None:
    project = clockwork.project
    clockwork.store.segments.delete("patrons")
    wrong = "publisher.toml:24: newsletter weekly: segment: there is no segment 'patrons' (known: none)"
    assert wrong.split(": ", 1)[1] in project.run("check").out
    assert wrong.split(": ", 1)[1] in project.run("publish", "--dry-run").err
    assert "today: newsletter weekly: segment: there is no segment 'patrons'" in project.ok("status").out
    assert "there is no segment 'patrons'" in project.ok("schedule", now="2026-11-20T10:00").out
    done = clockwork.at(SLOT)
    assert done.created == ()
    assert any("there is no segment 'patrons'" in each.message for each in done.problems)
    clockwork.store.segments.save("patrons", "tag:vip", SLOT)
    assert [edition.slot for edition in clockwork.at(SLOT + MINUTE).created] == ["2026-W48"]
    project.configure(newsletters=WEEKLY + 'segment = "tag:"\n')
    assert "newsletters[1].segment: column 5 of the condition: a value is missing" in project.run("status").err


def test_the_examples_in_the_document_work(peopled: Project) -> None:
    page = DOCS / "segments.md"
    for block in blocks(page, "console"):
        for command, shown in commands(block):
            _, *arguments = shlex.split(command)
            assert fits(shown, peopled.ok(*arguments).out), command
    text = page.read_text(encoding="utf-8")
    with open_project_store(peopled.config()) as store, store.subscribers.transaction(NOW) as change:
        change.note_fields({"renews": FieldKind.DATE, "vip": FieldKind.YES_NO, "plan": FieldKind.TEXT})
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    conditions = [each for row in rows for each in re.findall("`(.+?)`", row)] + blocks(page, "text")
    assert len(conditions) > 15
    for condition in conditions:
        peopled.ok("segments", "count", condition)
