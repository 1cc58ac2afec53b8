"""publisher subscribers show | erase | suppress | stats, and the output and robustness of import."""

from __future__ import annotations

import io
import signal
import sys

import pytest

from tests.support.project import MONDAY, WEEKLY, Project, spawn

GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,created_at\n"
    "1,ada@example.org,Ada,,true,false,2024-05-02\n"
    "2,off@example.org,Off,,false,false,2024-05-02\n"
)


class Typed(io.StringIO):
    """The input of a person at a terminal."""

    def isatty(self) -> bool:
        return True


def addresses(project: Project) -> list[str]:
    return [person["email"] for person in project.ok("subscribers", "list", "--json").json]


def test_adding_again_updates_the_name(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--name", "Ada")
    project.ok("subscribers", "add", "ADA@example.org")
    assert project.ok("subscribers", "list", "--json").json[0]["name"] == "Ada"
    project.ok("subscribers", "add", "ADA@example.org", "--name", "Ada Lovelace", "--language", "en")
    (ada,) = project.ok("subscribers", "list", "--json").json
    assert (ada["name"], ada["language"], ada["email"]) == ("Ada Lovelace", "en", "ada@example.org")


def chosen(project: Project) -> dict[str, list[str]]:
    """Return the topics of Ada's subscriptions."""
    (ada,) = project.ok("subscribers", "list", "--json").json
    return {wish["newsletter"]: wish["topics"] for wish in ada["subscriptions"]}


def test_adding_again_updates_the_topics(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--topic", "birds")
    ran = project.ok("subscribers", "add", "ADA@example.org", "--topic", "maps")
    assert (ran.out, chosen(project)) == ("ADA@example.org: updated (weekly)\n", {"weekly": ["maps"]})
    assert project.ok("subscribers", "add", "ada@example.org", "--topic", "maps").out.endswith("unchanged (weekly)\n")
    assert project.ok("subscribers", "add", "ada@example.org").out.endswith("unchanged (weekly)\n")
    assert chosen(project) == {"weekly": ["maps"]}
    assert 'subscribed  weekly ["maps"]  [command line]' in project.ok("subscribers", "show", "ada@example.org").out


def test_subscribing_again_without_topics_keeps_them(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--topic", "birds")
    for words, topics in ((("--topic", "maps"), ["maps"]), ((), ["maps"])):
        project.ok("subscribers", "remove", "ada@example.org")
        assert (
            "returned"
            in project.ok("subscribers", "add", "ada@example.org", "--again", "--why", "by phone", *words).out
        )
        assert chosen(project) == {"weekly": topics}


def test_an_import_without_topics_keeps_them(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--topic", "birds")
    path = project.write("people.csv", "email,topics\nada@example.org,maps\n")
    counts = project.ok("subscribers", "import", str(path), "--json").json
    assert (counts["updated"], counts["unchanged"], chosen(project)) == (1, 0, {"weekly": ["maps"]})
    assert "[import people.csv]" in project.ok("subscribers", "show", "ada@example.org").out
    project.write("people.csv", "email,topics\nada@example.org,\n")
    assert project.ok("subscribers", "import", str(path), "--json").json["unchanged"] == 1
    assert chosen(project) == {"weekly": ["maps"]}


@pytest.mark.parametrize("topic", ["", " ", "-"])
def test_an_empty_topic_is_refused(project: Project, topic: str) -> None:
    ran = project.run("subscribers", "add", "ada@example.org", "--topic", topic)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: --topic is empty (name a tag, or omit --topic for all posts)\n"
    assert project.ok("subscribers", "list", "--json").json == []


def test_an_unknown_topic_suggests_the_nearest(project: Project) -> None:
    project.write("posts/one.md", "---\ntitle: One\ndate: 2026-01-02\ntags: [Birds, Bird watching]\n---\nWords.\n")
    ran = project.ok("subscribers", "add", "ada@example.org", "--topic", "brids", "--topic", "bird-watching")
    assert ran.err == "warning: no post has the topic 'brids' (did you mean 'Birds'?)\n"
    assert chosen(project) == {"weekly": ["bird-watching", "brids"]}
    ran = project.ok("subscribers", "add", "ada@example.org", "--topic", "C++")
    assert ran.err == "warning: no post has the topic 'c_plus_plus' yet\n"
    assert project.ok("subscribers", "add", "ada@example.org", "--topic", "BIRDS").err == ""


def test_an_unsubscribed_newsletter_is_refused_by_name(project: Project) -> None:
    project.configure(newsletters=WEEKLY + WEEKLY.replace('"weekly"', '"daily"', 1))
    project.ok("subscribers", "add", "ada@example.org")
    project.ok("subscribers", "unsubscribe", "ada@example.org", "--newsletter", "weekly")
    ran = project.run("subscribers", "add", "ada@example.org")
    assert (ran.code, ran.out) == (1, "ada@example.org: unchanged (daily)\n")
    assert "ada@example.org was unsubscribed from weekly on 16 November 2026" in ran.err
    assert "--again --why" in ran.err
    listed = project.ok("subscribers", "list", "--newsletter", "weekly").out
    assert "unsubscribed" in listed
    assert project.ok("subscribers", "list", "--newsletter", "weekly", "--status", "active", "--json").json == []
    assert "removed     weekly since 2026-11-16" in project.ok("subscribers", "show", "ada@example.org").out
    assert project.ok("subscribers", "stats", "--json").json["newsletters"] == {"weekly": 0, "daily": 1}
    back = project.ok("subscribers", "add", "ada@example.org", "--again", "--why", "by phone on 3 May")
    assert back.out == "ada@example.org: returned (weekly, daily)\n"
    events = project.ok("subscribers", "show", "ada@example.org", "--json").json["consent"]
    assert [event["detail"] for event in events if event["what"] == "returned"] == ["by phone on 3 May"]


def test_all_topics_replace_those_chosen_before(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--topic", "ruby")
    assert project.ok("subscribers", "add", "ada@example.org", "--all-topics").out.startswith(
        "ada@example.org: updated"
    )
    assert project.ok("subscribers", "add", "ada@example.org", "--all-topics").out.startswith(
        "ada@example.org: unchang"
    )
    assert chosen(project) == {"weekly": []}
    assert project.run("subscribers", "add", "ada@example.org", "--all-topics", "--topic", "a").code == 1


def test_show_lists_everything_stored(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--name", "Ada", "--topic", "ruby")
    shown = project.ok("subscribers", "show", "ADA@example.org").out
    for part in ("ada@example.org  Ada", "status      active", "weekly (ruby)", "added", "[command line]"):
        assert part in shown
    data = project.ok("subscribers", "show", "ada@example.org", "--json").json
    assert (data["status"], [event["what"] for event in data["consent"]]) == ("active", ["added", "subscribed"])
    assert project.run("subscribers", "show", "bob@example.org").err == "error: bob@example.org is not a subscriber\n"


def test_an_erased_address_is_refused_afterwards(project: Project) -> None:
    project.ok("subscribers", "add", "zebra@example.org", "--name", "Quagga")
    ran = project.ok("subscribers", "erase", "Zebra@example.org", "--yes")
    assert ran.out == "Zebra@example.org: deleted (4 rows); the address is on the suppression list\n"
    files = [path for path in (project.root / ".publisher").iterdir() if path.is_file()]
    assert not [path for path in files if any(word in path.read_bytes() for word in (b"zebra", b"Quagga"))]

    assert project.run("subscribers", "add", "zebra@example.org", "--again", "--why", "by phone").code == 1
    path = project.write("people.csv", "email\nzebra@example.org\n")
    refused = project.run("subscribers", "import", str(path))
    assert (refused.code, refused.err) == (
        1,
        f"{path}:2: zebra@example.org is on the suppression list\n",
    )
    said = project.run("subscribers", "show", "zebra@example.org").err
    assert said == "error: zebra@example.org is suppressed; nothing else is stored about it\n"
    assert project.ok("subscribers", "erase", "zebra@example.org").out.startswith(
        "zebra@example.org: no such subscriber"
    )


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("ada@exmaple.org", "ada@example.org"),
        ("daa@example.org", "ada@example.org"),
        ("lovelace.ada@gmial.com", "lovelace.ada@gmail.com"),
        ("lovelace.aad@gmail.com", "lovelace.ada@gmail.com"),
        ("Lovelace.Ada@gmail.co", "lovelace.ada@gmail.com"),
        ("bob@example.org", ""),
        ("ada@elsewhere.net", ""),
    ],
)
def test_a_typing_error_erases_and_suppresses_no_one(project: Project, typed: str, known: str) -> None:
    for each in ("ada@example.org", "lovelace.ada@gmail.com"):
        project.ok("subscribers", "add", each)
    before = project.ok("subscribers", "list", "--json").json
    hint = f" (did you mean {known}?)" if known else ""
    for line in (["erase", typed], ["erase", typed, "--yes"], ["show", typed], ["unsubscribe", typed]):
        ran = project.run("subscribers", *line)
        assert (ran.code, ran.out, ran.err) == (1, "", f"error: {typed} is not a subscriber{hint}\n")
    assert project.run("subscribers", "suppress", typed).err.startswith(f"error: {typed} is not a subscriber{hint} (")
    assert project.ok("subscribers", "list", "--json").json == before
    assert project.ok("subscribers", "stats", "--json").json["suppressed"] == {}


@pytest.mark.parametrize("command", ["erase", "suppress"])
@pytest.mark.parametrize(("answer", "code"), [("n", 130), ("", 130), ("y", 0)])
def test_actions_that_cannot_be_undone_need_confirmation(
    project: Project, monkeypatch: pytest.MonkeyPatch, command: str, answer: str, code: int
) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--name", "Ada")
    assert project.run("subscribers", command, "ada@example.org").err.endswith(
        "(use --yes to do it without being asked)\n"
    )
    monkeypatch.setattr(sys, "stdin", Typed(f"{answer}\n" if answer else ""))
    ran = project.run("subscribers", command, "ada@example.org")
    assert ran.code == code
    for word in (
        "ada@example.org",
        *(("Ada, active, weekly", "2 consent events, 0 emails") if command == "erase" else ()),
    ):
        assert word in ran.err
    assert project.run("subscribers", "show", "ada@example.org").code == (1 if code == 0 and command == "erase" else 0)


def test_lifting_a_suppression_subscribes_no_one(project: Project) -> None:
    project.subscribe("ada")
    assert project.ok("subscribers", "suppress", "ada@example.org", "--yes").out == "ada@example.org is suppressed\n"
    assert "was already suppressed" in project.ok("subscribers", "suppress", "ada@example.org").out
    assert "suppress --lift" in project.run("subscribers", "add", "ada@example.org", "--again", "--why", "by phone").err
    assert "no longer" in project.ok("subscribers", "suppress", "ada@example.org", "--lift").out
    assert project.ok("subscribers", "list", "--json").json[0]["status"] == "unsubscribed"
    project.ok("subscribers", "add", "ada@example.org", "--again", "--why", "by phone")
    assert project.ok("subscribers", "list", "--json").json[0]["status"] == "active"


def test_a_lost_secret_is_one_line(project: Project) -> None:
    project.ok("subscribers", "suppress", "ada@example.org", "--yes")
    (project.root / ".publisher/secret").write_text("0" * 64)
    ran = project.run("subscribers", "add", "ada@example.org")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "restore the project's secret" in ran.err


def test_subscribers_are_counted(project: Project) -> None:
    assert project.ok("subscribers", "stats", "--json").json == {
        "status": {},
        "newsletters": {"weekly": 0},
        "last_30_days": {},
        "sources": {},
        "suppressed": {},
    }
    project.subscribe("ada")
    project.subscribe("bob")
    project.ok("subscribers", "remove", "bob@example.org")
    project.ok("subscribers", "suppress", "eve@example.org", "--yes")
    assert project.ok("subscribers", "stats", "--json").json == {
        "status": {"active": 1, "unsubscribed": 1},
        "newsletters": {"weekly": 1},
        "last_30_days": {"joined": 2, "left": 1},
        "sources": {"command line": 1},
        "suppressed": {"suppressed": 1},
    }
    assert "unsubscribed" in project.ok("subscribers", "stats").out


def test_an_import_first_shows_its_columns_and_who_would_get_email(project: Project) -> None:
    path = project.write("members.csv", GHOST)
    ran = project.ok("subscribers", "import", str(path), "--dry-run")

    assert ran.out.splitlines() == [
        "Ghost export: email from 'email', name from 'name', joined_at from 'created_at', note from 'note'",
        "who must not get email, from 'subscribed_to_emails'",
        "ignored columns: id (--fields COLUMN keeps one as a field)",
        "not kept: complimentary_plan; to keep them as fields: --fields complimentary_plan",
        "2 rows: 1 added, 0 subscribed to another newsletter, 0 unchanged, 1 without email, 0 refused"
        " (dry run: nothing was written)",
        "        1  would get email",
        "        1  would be kept, and get no email",
        "              1  unsubscribed, line 3",
        "        0  refused",
    ]
    assert ran.err == ""
    kept = project.ok("subscribers", "import", str(path), "--dry-run", "--fields", "id").out
    assert "ignored columns" not in kept
    assert "fields: id (" in kept
    assert not (project.root / ".publisher/publisher.db").exists()
    shown = project.ok("subscribers", "import", str(path), "--dry-run", "--verbose").err.splitlines()
    assert shown == [
        f"{path}:2: ada@example.org: added",
        f"{path}:3: off@example.org: gets no email, unsubscribed in the file",
    ]
    ran = project.ok("subscribers", "import", str(path), "--consent", "the form of our old site")
    assert ran.out.splitlines()[-2:] == [
        "import 1: `publisher subscribers import --undo 1` undoes it",
        "weekly now goes to 1 subscriber",
    ]
    assert "the form of our old site; since 2024-05-02" in project.ok("subscribers", "show", "ada@example.org").out
    assert "unsubscribed" in project.ok("subscribers", "show", "off@example.org").out


def test_an_import_asks_before_it_writes(project: Project) -> None:
    path = project.write("list.csv", "email,opted out,state\nada@example.org,perhaps,lapsed\nbob@example.org,,active\n")
    ran = project.run("subscribers", "import", str(path))
    assert (ran.code, project.run("subscribers", "list", "--json").json) == (1, [])
    assert [line.partition(": the column ")[2].partition(" seems")[0] for line in ran.err.splitlines()] == [
        "'opted out'"
    ]
    done = project.ok("subscribers", "import", str(path), "--map", "opted out=ignore", "--json")
    assert (done.json["mailed"], done.json["not_mailed"]) == (2, {})


def test_an_import_reports_people_who_get_email_although_the_file_forbids_it(project: Project) -> None:
    for name in ("ann", "bob"):
        project.ok("subscribers", "add", f"{name}@example.org")
    left = "email,unsubscribed_at\nann@example.org,2020-01-02\nbob@example.org,2020-01-02\n"
    ran = project.ok("subscribers", "import", str(project.write("left.csv", left)), "--dry-run")
    assert ran.out.splitlines()[-4:-2] == [
        "        2  would get email",
        "              2  agreed again later, lines 2 to 3",
    ]
    never = str(project.write("never.txt", "ann@example.org\nbob@example.org\ncyd@example.org\n"))
    ran = project.ok("subscribers", "import", never, "--as", "unconfirmed", "--dry-run")
    assert "2  stay subscribed here, because they confirmed or were added before, lines 1 to 2" in ran.out
    done = project.ok("subscribers", "import", never, "--as", "unconfirmed", "--json").json
    assert (done["stay_subscribed"], done["mailed"], done["not_mailed"]) == (2, 2, {"unconfirmed": 1})


def test_imports_are_listed_and_undone(project: Project) -> None:
    gone = project.write("gone.txt", "ann@example.org\nbob@example.org\n")
    people = project.write("people.csv", "email\nada@example.org\nbob@example.org\n")
    assert project.ok("subscribers", "imports").out == "nothing was imported yet\n"
    project.ok("subscribers", "import", str(gone), "--as", "unsubscribed")
    ran = project.run("subscribers", "import", str(people))
    assert (ran.code, ran.err.count("bob@example.org")) == (1, 1)
    listed = project.ok("subscribers", "imports", "--json").json
    assert [(each["id"], each["file"], each["options"], each["people"]) for each in listed] == [
        (1, "gone.txt", "--as=unsubscribed", 2),
        (2, "people.csv", "", 1),
    ]
    listed_as_text = project.ok("subscribers", "imports").out.splitlines()
    assert listed_as_text[0].split("\t")[:2] == ["Number", "File"]
    assert "gone.txt" in listed_as_text[1]
    rehearsed = project.ok("subscribers", "import", "--undo", "2", "--dry-run").out
    assert "import 2 would be undone:" in rehearsed
    assert addresses(project) == ["ann@example.org", "bob@example.org", "ada@example.org"]
    assert project.ok("subscribers", "import", "--undo", "2", "--json").json["deleted"] == 1
    assert addresses(project) == ["ann@example.org", "bob@example.org"]
    assert project.run("subscribers", "import", "--undo", "2").err.startswith("error: ")
    assert project.run("subscribers", "import").code == 2


def test_tags_that_no_post_has_are_said_to_reach_no_one(project: Project) -> None:
    rows = "".join(f"reader{number}@example.org,vip\n" for number in range(30))
    path = project.write("list.csv", f"Email Address,TAGS\n{rows}")
    ran = project.ok("subscribers", "import", str(path), "--map", "topics=TAGS", "--dry-run")
    assert "30 people would get nothing: no post has any of their topics" in ran.err


def test_columns_can_be_named_on_the_command_line(project: Project) -> None:
    path = project.write("list.csv", "Adresse;Vorname\nada@example.org;Ada\n")
    ran = project.ok("subscribers", "import", str(path), "--map", "email=Adresse", "--map", "name=Vorname", "--json")
    assert ran.json["columns"] == {"email": "Adresse", "name": "Vorname"}
    assert project.ok("subscribers", "list", "--json").json[0]["name"] == "Ada"
    wrong = project.run("subscribers", "import", str(path), "--map", "email=Address")
    assert wrong.err == f"error: {path}:1: there is no column 'Address' (columns: Adresse, Vorname)\n"


# It ends when it is about to commit the third group of rows.
KILLED = """
import os, signal, sys
import sqlalchemy as sa
from publisher.cli.main import run
from publisher.subscribers import csv_import
csv_import.GROUP = 100
def commit(connection):
    if sa.inspect(connection).has_table("subscribers"):
        if connection.exec_driver_sql("SELECT count(*) FROM subscribers").scalar() == 300:
            os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(sa.Engine, "commit", commit)
run(sys.argv[1:])
"""


def test_a_killed_import_can_be_repeated(project: Project) -> None:
    rows = "".join(f"Reader{number}@example.org,Name {number}\n" for number in range(600))
    path = project.write("people.csv", f"email,name\n{rows}")
    words = ("--now", MONDAY, "-C", str(project.root), "subscribers", "import", str(path))
    assert spawn(*words, program=("-c", KILLED)).code == -signal.SIGKILL
    assert len(addresses(project)) == 200

    again = project.ok("subscribers", "import", str(path), "--json").json
    assert (again["added"], again["unchanged"]) == (400, 200)
    assert addresses(project) == [f"Reader{number}@example.org" for number in range(600)]
    assert project.ok("subscribers", "stats", "--json").json["last_30_days"] == {"joined": 600, "left": 0}
