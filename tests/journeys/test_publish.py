"""publisher publish: which posts are sent, once; what a dry run shows; what stops it."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from tests.support.project import WEEKLY, Project

NEXT_MONDAY = "2026-11-23T10:00"


def titles(project: Project, reader: str = "ada") -> list[str]:
    """Return the subjects of one subscriber's messages, oldest slot first."""
    return [str(message["Subject"]) for message in project.mail().get(f"{reader}@example.org", [])]


def text_of(project: Project, number: int = -1, reader: str = "ada") -> str:
    part = project.mail()[f"{reader}@example.org"][number].get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_dry_run_lists_what_would_happen(project: Project) -> None:
    project.subscribe("ada", "bob")
    project.post("later", "2026-11-20")
    before = {name: state for name, state in project.listing().items() if name != ".publisher"}
    said = project.ok("publish", "--dry-run")
    facts = project.ok("publish", "--dry-run", "--json").json
    assert {name: state for name, state in project.listing().items() if name != ".publisher"} == before
    assert said.out == (
        "Dry run: nothing is written. 3 posts would be built.\n"
        "weekly 2026-W47, no. 1: 'Third and 2 more' would go to 2 subscribers (.publisher/outbox/)\n"
        "  2026-11-15  Third\n  2026-11-09  Second\n  2026-11-02  First\n"
        "  the first edition; its oldest post is from 2026-11-02 (see `since`)\n"
    )
    (done,) = project.ok("publish", "--json").json["editions"]
    (planned,) = facts
    assert {key: done[key] for key in ("newsletter", "slot", "number", "subject", "posts")} == {
        key: planned[key] for key in ("newsletter", "slot", "number", "subject", "posts")
    }
    assert done["deliveries"] == {"sent": planned["recipients"]}
    assert "no new posts" in project.ok("publish", "--dry-run").out


def test_a_dry_run_writes_nothing(project: Project) -> None:
    before = project.listing()
    assert "3 new posts, but no subscribers yet" in project.ok("publish", "--dry-run").out
    assert project.listing() == before


def test_a_test_email_is_not_recorded(project: Project) -> None:
    project.subscribe("ada")
    ran = project.ok("publish", "--to", "me@example.net", "weekly")
    assert "me@example.net (.publisher/outbox/)" in ran.out
    (message,) = project.mail()["me@example.net"]
    assert "Third" in message["Subject"]
    assert message["Subject"] != "Third and 2 more"
    assert project.mail().keys() == {"me@example.net"}
    assert project.ok("editions", "--json").json == []
    assert "index.html" not in (project.files() if (project.root / "public").exists() else set())
    assert not (project.root / ".publisher/index.db").exists()
    project.ok("publish")
    assert titles(project) == ["Third and 2 more"]
    project.ok("publish", "--to", "me@example.net")
    assert len(project.ok("editions", "--json").json) == 1


def test_a_test_email_needs_no_database(project: Project) -> None:
    project.ok("publish", "--to", "me@example.net")
    assert len(project.mail()["me@example.net"]) == 1
    assert not (project.root / ".publisher/publisher.db").exists()
    assert project.run("publish", "--to", "nobody").err.count("\n") == 1


def test_the_first_edition_never_sends_the_archive(project: Project) -> None:
    for number in range(1, 29):
        project.post(f"old-{number}", f"2025-01-{number:02}")
    project.subscribe("ada")
    (edition,) = project.ok("publish", "--json").json["editions"]
    assert [post.rpartition(":")[2] for post in edition["posts"]] == ["third", "second", "first"]
    assert "no new posts" in project.ok("publish", now=NEXT_MONDAY).out
    assert len(titles(project)) == 1


def test_a_first_edition_can_begin_on_a_date(project: Project) -> None:
    project.configure(newsletters=WEEKLY + "since = 2026-11-09\n")
    project.subscribe("ada")
    (edition,) = project.ok("publish", "--json").json["editions"]
    assert [post.rpartition(":")[2] for post in edition["posts"]] == ["third", "second"]
    project.post("before", "2026-11-08")  # added late, and the day only limits the first edition
    (edition,) = project.ok("publish", "--json", now=NEXT_MONDAY).json["editions"]
    assert [post.rpartition(":")[2] for post in edition["posts"]] == ["before"]


def test_a_backdated_post_is_sent_once(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    project.post("found-again", "2019-05-01")
    project.ok("publish", now=NEXT_MONDAY)
    project.ok("publish", now="2026-11-30T10:00")
    assert titles(project) == ["Third and 2 more", "Found again"]


def test_publishing_twice_sends_nothing(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    public, outbox = project.listing("public"), project.listing(".publisher/outbox")
    ran = project.ok("publish")
    assert "nothing changed" in ran.out
    assert "weekly: no new posts" in ran.out
    assert (project.listing("public"), project.listing(".publisher/outbox")) == (public, outbox)
    assert project.ok("publish", "--json").json["editions"] == []


def test_an_edited_post_is_not_sent_again(project: Project) -> None:
    project.post("kept", "2026-11-10", id="urn:x:kept")
    project.subscribe("ada")
    project.ok("publish")
    (project.root / "posts/kept.md").unlink()
    project.post("moved/elsewhere", "2026-11-11", "Other words.", id="urn:x:kept", title="Other title")
    assert "no new posts" in project.ok("publish", now=NEXT_MONDAY).out


def test_the_minimum_delays_an_edition(project: Project) -> None:
    project.configure(newsletters=WEEKLY + "minimum = 2\n")
    project.subscribe("ada")
    project.ok("publish")
    project.post("fourth", "2026-11-17")
    assert "weekly: 1 new post; an edition needs 2" in project.ok("publish", now=NEXT_MONDAY).out
    project.post("fifth", "2026-11-18")
    project.ok("publish", now=NEXT_MONDAY)
    assert titles(project) == ["Third and 2 more", "Fifth and Fourth"] or len(titles(project)) == 2
    assert "Fourth" in text_of(project)


def test_publishing_nothing_new_leaves_no_file_of_the_project_open(project: Project) -> None:
    project.ok("publish", "--yes")
    gc.collect()
    project.ok("publish", "--yes")
    opened = [os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()]
    assert not [path for path in opened if path.startswith(str(project.root))]


def test_two_newsletters_select_their_own_posts(project: Project) -> None:
    project.configure(
        newsletters='\n[[newsletters]]\nname = "reading"\ntags = ["READING"]\n'
        '\n[[newsletters]]\nname = "all"\nschedule = "daily 07:00"\n'
    )
    project.subscribe("ada", newsletter="reading")
    project.subscribe("bob", newsletter="all")
    made = {e["newsletter"]: e for e in project.ok("publish", "--json").json["editions"]}
    assert [len(made["reading"]["posts"]), len(made["all"]["posts"])] == [2, 3]
    assert made["all"]["slot"] == "2026-11-16"
    assert "All about third" not in text_of(project, reader="ada")
    assert "All about third" in text_of(project, reader="bob")
    project.post("fourth", "2026-11-17")
    ran = project.ok("publish", "reading", now=NEXT_MONDAY)
    assert "reading: no new posts" in ran.out
    assert "all" not in ran.out.replace("All", "").split("\n", 1)[1]
    assert len(titles(project, "bob")) == 1


def test_each_post_is_sent_in_order(project: Project) -> None:
    project.configure(newsletters='\n[[newsletters]]\nname = "weekly"\nschedule = "each post"\nfirst = 2\n')
    project.subscribe("ada")
    made = project.ok("publish", "--json").json["editions"]
    assert [(e["number"], e["subject"]) for e in made] == [(1, "Second"), (2, "Third")]
    assert all(e["slot"] == f"post:{e['posts'][0]}" for e in made)
    assert project.ok("publish", "--json").json["editions"] == []
    project.post("fourth", "2026-11-16", title="Fourth")
    assert [e["subject"] for e in project.ok("publish", "--json").json["editions"]] == ["Fourth"]
    assert sorted(titles(project)) == ["Fourth", "Second", "Third"]


def test_a_second_edition_gets_its_own_slot(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    for number, name in enumerate(("fourth", "fifth"), 2):
        project.post(name, "2026-11-16")
        (edition,) = project.ok("publish", "--extra", "--json").json["editions"]
        assert (edition["slot"], edition["number"]) == (f"2026-W47.{number}", number)
    assert len(list((project.root / "public/editions/weekly").iterdir())) >= 3


def test_new_subscribers_get_the_next_edition(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    project.subscribe("bob")
    assert project.ok("publish", "--json").json["editions"] == []
    assert "bob@example.org" not in project.mail()
    project.post("fourth", "2026-11-17")
    project.ok("publish", now=NEXT_MONDAY)
    assert (len(titles(project)), len(titles(project, "bob"))) == (2, 1)


def test_unsubscribing_in_time_stops_the_email(project: Project) -> None:
    project.subscribe("ada", "bob")
    project.write(".publisher/outbox/new", "in the way")
    stopped = project.run("publish")
    assert stopped.code == 1
    assert "/public/: 3 posts, " in stopped.out
    assert "outbox: the outbox cannot be written: " in stopped.err
    assert [e["deliveries"] for e in project.ok("editions", "--json").json] == [{"queued": 2}]
    project.ok("subscribers", "remove", "bob@example.org")
    (project.root / ".publisher/outbox/new").unlink()
    ran = project.ok("publish")
    assert "1 message sent, 1 unsubscribed in the meantime" in ran.out
    assert project.mail().keys() == {"ada@example.org"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("templates/email/digest.html", "{% for %}"),
        ("templates/email/digest.html", "<p>{{ nothing.of.this }}</p>"),
        ("templates/email/letter.txt", "{{ 1 / 0 }}"),
        ("letters/engine/2026-11.md", "---\nsubject: [\n---\nDear"),
        ("letters/engine/2026-11.md", b"\xff\xfe"),
        ("letters/engine/2026-11.md/x", "a folder"),
    ],
)
def test_each_stopped_newsletter_is_reported_once(project: Project, name: str, text: str | bytes) -> None:
    stopped = {"engine"} if name.startswith("letters/") else {"weekly", "engine"}
    project.configure(newsletters=WEEKLY + '\n[[newsletters]]\nname = "engine"\nschedule = "monthly 1 09:00"\n')
    for newsletter in ("weekly", "engine"):
        project.subscribe("ada", newsletter=newsletter)
    project.write(name, text)
    for words in (["publish", "--dry-run"], ["publish"]):
        ran = project.run(*words)
        assert (ran.code, ran.err.count("\n")) == (1, len(stopped))
        assert "should not have happened" not in ran.err
        assert all(
            f": newsletter {each}: " in line
            for each, line in zip(sorted(stopped), sorted(ran.err.splitlines()), strict=True)
        )
        assert name.rpartition("/")[2] in ran.err or name.split("/")[2] in ran.err
    assert {each["newsletter"] for each in project.ok("editions", "--json").json} == {"weekly", "engine"} - stopped
    assert bool(project.mail()) is (stopped == {"engine"})


def test_a_note_opens_its_edition(project: Project) -> None:
    project.subscribe("ada")
    project.write("letters/weekly/2026-W47.md", "---\nsubject: Three birds\n---\nDear readers, *hello*.\n")
    project.ok("publish")
    assert titles(project) == ["Three birds"]
    assert "Dear readers," in text_of(project)


@pytest.mark.parametrize("more", ["", "\n[pages]\nenabled = false\n\n[feeds]\nlimit = 1\n"])
def test_an_unreadable_body_stops_only_its_post(project: Project, more: str) -> None:
    project.configure(more)
    project.subscribe("ada")
    head = "---\ntitle: Broken\ndate: 2026-11-14\n---\n" + "Words. " * 1000
    project.write("posts/broken.md", head.encode() + b"\xff\xfe\x00")
    rehearsed = project.fails("publish", "--dry-run")
    assert "Broken" not in rehearsed.out
    assert "3 posts would be built" in rehearsed.out
    ran = project.fails("publish")
    assert ran.err.count("posts/broken.md") == 1
    assert titles(project) == ["Third and 2 more"]
    project.post("broken", "2026-11-14", "Mended.")
    project.ok("publish", now=NEXT_MONDAY)
    assert titles(project)[1:] == ["Broken"]


def test_a_project_without_newsletters_is_only_built(project: Project) -> None:
    project.configure(newsletters="")
    ran = project.ok("publish")
    assert "3 posts" in ran.out
    assert not (project.root / ".publisher/publisher.db").exists()
    assert project.run("publish", "--to", "me@example.net").err.startswith("error: the project has no newsletter (")


def test_a_removed_newsletter_finishes_its_edition(project: Project) -> None:
    project.subscribe("ada")
    project.write(".publisher/outbox/new", "in the way")
    assert project.run("publish").code == 1
    (project.root / ".publisher/outbox/new").unlink()
    project.configure(newsletters='\n[[newsletters]]\nname = "other"\n')
    project.ok("publish")
    assert titles(project) == ["Third and 2 more"]


def test_sending_without_a_terminal_needs_yes(project: Project) -> None:
    project.subscribe("ada")
    project.configure("transport = 'smtp'\n")
    before = project.listing("public") if (project.root / "public").exists() else {}
    ran = project.spawn("publish")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "error: 1 message would be sent through smtp://localhost:587 "
        "(use --yes to skip this prompt, or --dry-run to see what would be sent)\n"
    )
    assert before == {}
    assert project.ok("editions", "--json").json == []
    assert "(smtp://localhost:587)" in project.ok("publish", "--dry-run").out
