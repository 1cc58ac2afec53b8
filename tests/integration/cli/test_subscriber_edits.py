"""publisher subscribers edit | tag | confirm-again, and commands for everyone in a segment."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from publisher.publishing.wiring import open_project_store
from publisher.subscribers.double_opt_in import request_subscription
from tests.support import ROOT
from tests.support.consent_samples import FORM, TERMS, wishes
from tests.support.project import Project
from tests.support.store_samples import NOW

FIELDS = '\n[[fields]]\nname = "city"\n\n[[fields]]\nname = "points"\nkind = "number"\n'
ADA = "ada@example.org"


@pytest.fixture
def desk(project: Project) -> Project:
    """A project with two fields for subscribers."""
    project.configure(FIELDS)
    return project


def person(project: Project, address: str = ADA) -> dict[str, Any]:
    """Return all stored data about a person."""
    found: dict[str, Any] = project.ok("subscribers", "show", address, "--json").json
    return found


def actions(project: Project) -> list[tuple[str, str]]:
    return [(each["what"], each["detail"]) for each in project.ok("admin", "log", "--json").json]


def test_a_name_that_is_too_long_is_refused(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--name", "Ada")
    for command in (["edit", "ada@example.org"], ["add", "bob@example.org"]):
        said = project.fails("subscribers", *command, "--name", "x" * 201).said
        assert said.startswith("error: a name can have at most 200 characters")
    assert [each["name"] for each in project.ok("subscribers", "list", "--json").json] == ["Ada"]


def test_details_of_a_person_are_changed_and_shown(desk: Project) -> None:
    desk.ok("subscribers", "add", ADA, "--tag", "VIP", "--field", "city=Oslo")
    ran = desk.ok(
        "subscribers", "edit", ADA, "--field", "points=10", "--untag", "vip", "--tag", "old", "--note", "Hi.\nHo."
    )
    assert ran.out == "ada@example.org: changed note, +old, -vip, points\n"
    shown = desk.ok("subscribers", "show", ADA).out.splitlines()
    assert shown[2:7] == [
        "  tags        old",
        "  field       city: Oslo",
        "  field       points: 10",
        "  note        Hi.",
        "  note        Ho.",
    ]
    assert desk.ok("subscribers", "edit", ADA, "--tag", "old").out == "ada@example.org: nothing to change\n"
    ran = desk.ok("subscribers", "edit", ADA, "--field", "city=", "--name", "Ada", "--json", "--dry-run")
    assert [each["changed"] for each in ran.json["people"]] == [["name", "city"]]
    assert ran.json["people"][0]["subscriber"]["fields"] == {"points": 10}
    assert (person(desk)["tags"], person(desk)["fields"]) == (["old"], {"city": "Oslo", "points": 10})
    assert actions(desk)[0] == ("changed a subscriber", "note +old -vip points")
    for given, before in (("de", ""), ("", "de")):
        assert person(desk)["language"] == before
        assert desk.ok("subscribers", "edit", ADA, "--language", given).out == "ada@example.org: changed language\n"
    assert desk.ok("subscribers", "edit", ADA, "--language", "").out == "ada@example.org: nothing to change\n"


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("edit", ADA), "name what to change"),
    (("edit", ADA, "--field", "city"), "isn't a field with a value"),
    (("edit", ADA, "--field", "citty=x"), "there is no field 'citty' (did you mean city?"),
    (("edit", "adda@example.org", "--tag", "x"), "is not a subscriber (did you mean ada@example.org?)"),
    (("add", "new@example.org", "--field", "points=x"), "field points: 'x' isn't a number"),
    (("add", "new@example.org", "--tag", "a,b"), "can't be a tag"),
    (("tag", ADA), "what to do: --tag or --untag"),
    (("tag", "--tag", "x"), "name each ADDRESS, or a --segment"),
    (("tag", ADA, "nobody@example.org", "--tag", "x"), "nobody@example.org is not a subscriber"),
    (("tag", "--segment", "tag:", "--tag", "x"), "column"),
    (("tag", "--segment", "nobody", "--tag", "x"), "nobody"),
    (("unsubscribe",), "name an ADDRESS, or a --segment"),
    (("erase", ADA, "--segment", "tag:x"), "name an ADDRESS, or a --segment"),
    (("suppress", ADA, "--dry-run"), "--dry-run is for a --segment"),
    (("erase", "--segment", "name ~ a"), "1 subscriber would be deleted (use --yes"),
    (("confirm-again", ADA), "is not waiting for a confirmation"),
]


def test_a_wrong_call_is_one_line_and_changes_nothing(desk: Project) -> None:
    desk.ok("subscribers", "add", ADA, "--name", "Ada")
    before = desk.ok("subscribers", "export", "-").out
    for arguments, message in WRONG:
        ran = desk.run("subscribers", *arguments)
        assert ran.code in (1, 2), arguments
        assert message in ran.err, arguments
    assert desk.ok("subscribers", "export", "-").out == before


def test_a_mistyped_address_is_corrected(desk: Project) -> None:
    desk.ok("subscribers", "add", "ada@exmaple.org", "--topic", "birds")
    ran = desk.ok("subscribers", "edit", "ada@exmaple.org", "--address", ADA)
    assert ran.out.splitlines() == [
        "ada@exmaple.org: changed address",
        "  the address is now ada@example.org; no file can add the old one again",
    ]
    assert [event["what"] for event in person(desk)["consent"]] == ["added", "subscribed", "address corrected"]
    assert person(desk)["subscriptions"] == [{"newsletter": "weekly", "topics": ["birds"]}]
    assert "moved to a different address" in desk.fails("subscribers", "show", "ada@exmaple.org").err


def test_a_confirmation_is_sent_again(desk: Project) -> None:
    with open_project_store(desk.config()) as store:
        request_subscription(store, TERMS, "ada@exmaple.org", wishes(), known=["weekly"], now=NOW, evidence=FORM)
    ran = desk.ok("subscribers", "edit", "ada@exmaple.org", "--address", ADA, now="2026-11-21T10:30")
    assert "`publisher subscribers confirm-again ada@example.org` sends a new link" in ran.out
    ran = desk.ok("subscribers", "confirm-again", ADA, now="2026-11-21T10:31")
    assert ran.out == "ada@example.org: emailed a link to confirm weekly, valid until 2026-11-28 09:31 UTC\n"
    (message,) = desk.mail()[ADA]
    assert re.search(r"/confirm/\S{20}", message.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert "less than an hour ago" in desk.fails("subscribers", "confirm-again", ADA, now="2026-11-21T10:32").err


def test_everyone_in_a_segment_is_tagged_unsubscribed_suppressed_and_deleted(desk: Project) -> None:
    desk.subscribe("ada", "bob", "eve", "zoe")
    assert desk.ok("subscribers", "tag", ADA, "bob@example.org", "eve@example.org", "--tag", "x").out.count("+x") == 3
    ran = desk.ok("subscribers", "tag", "--segment", "tag:x", "--tag", "y", "--untag", "x", "--dry-run")
    assert ran.out.splitlines() == [
        "3 of 3 subscribers would be tagged",
        "  ada@example.org, bob@example.org, eve@example.org",
    ]
    assert desk.ok("subscribers", "tag", "--segment", "tag:x", "--tag", "y", "--json").json == {
        **{"people": 3, "changed": 3, "dry_run": False},
        "first": ["ada@example.org", "bob@example.org", "eve@example.org"],
    }
    assert (
        "4 subscribers would be unsubscribed" in desk.fails("subscribers", "unsubscribe", "--segment", "not tag:z").err
    )
    one = ("--segment", "tag:y and address ~ ada")
    assert desk.ok("subscribers", "unsubscribe", *one, "--yes").out == "1 of 1 subscriber unsubscribed\n"
    assert person(desk)["status"] == "unsubscribed"
    assert desk.ok("subscribers", "suppress", *one, "--yes").out == "1 of 1 subscriber suppressed\n"
    assert desk.ok("subscribers", "erase", "--segment", "tag:x", "--dry-run").out.startswith("3 of 3 subscribers would")
    assert desk.ok("subscribers", "erase", "--segment", "tag:x", "--yes").out == "3 of 3 subscribers deleted\n"
    assert [each["email"] for each in desk.ok("subscribers", "list", "--json").json] == ["zoe@example.org"]
    assert actions(desk)[0] == ("deleted a subscriber's data", "")


def test_imported_tags_and_fields_are_exported(desk: Project) -> None:
    path = desk.write("list.csv", "email,City,Plan,Labels\nada@example.org,Oslo,pro,VIP\nbob@example.org,,free,\n")
    ran = desk.ok("subscribers", "import", str(path), "--fields", "plan", "--tag", "moved")
    assert ran.out.splitlines()[:2] == ["email from 'email', tags from 'Labels'", "fields: city (text), plan (text)"]
    assert (person(desk)["tags"], person(desk)["fields"]) == (["moved", "vip"], {"city": "Oslo", "plan": "pro"})
    head, *rows = desk.ok("subscribers", "export", "-").out.splitlines()
    assert head.endswith("history,suppressed_hash,field.city,field.plan,field.points:number")
    assert rows[0].endswith(",Oslo,pro,")
    ran = desk.ok("subscribers", "import", str(path), "--all-fields", "--json")
    assert (ran.json["fields"], ran.json["described"]) == ({"city": "text", "plan": "text"}, 0)


def test_the_examples_in_the_document_about_subscribers_work(desk: Project) -> None:
    page = (ROOT / "docs/readers.md").read_text(encoding="utf-8")
    section, more = (
        page.split(f"## {title}\n")[1].split("\n## ")[0] for title in ("Tags, fields and notes", "Many people at once")
    )
    desk.configure(re.findall(r"```toml\n(.*?)```", section, re.DOTALL)[0])
    desk.subscribe("ada", "bob")
    lines = [
        line for block in re.findall(r"```text\n(.*?)```", section + more, re.DOTALL) for line in block.splitlines()
    ]
    assert len(lines) == 6
    said = [
        desk.ok(*shlex.split(line)[1:], *(["--yes"] if "--segment" in line and " tag " not in line else [])).out
        for line in lines
    ]
    assert said[1] == "ada@example.org: changed note, +early, -vip, city, points\n"
    assert person(desk)["fields"] == {"points": 10}


def test_a_heading_with_a_comma_can_be_kept(desk: Project) -> None:
    path = desk.write("list.csv", 'email,"City, State",Plan\nada@example.org,"Austin, TX",pro\n')
    ran = desk.ok("subscribers", "import", str(path), "--fields", '"City, State", Plan')
    assert "fields: city_state (text), plan (text)" in ran.out
    assert person(desk)["fields"] == {"city_state": "Austin, TX", "plan": "pro"}


def test_values_of_a_changed_kind_are_reported_and_read_again(desk: Project) -> None:
    desk.subscribe("ada", "bob", "eve")
    wanted = {"ada": ("10", "2026-05-01", "yes"), "bob": ("ten", "soon", "perhaps")}
    kinds = (("points", "number"), ("since", "date"), ("member_2", "yes-no"))
    desk.configure("".join(f'\n[[fields]]\nname = "{name}"\n' for name, _ in kinds))
    for who, values in wanted.items():
        given = [f"--field={name}={value}" for (name, _), value in zip(kinds, values, strict=True)]
        desk.ok("subscribers", "edit", f"{who}@example.org", *given)
    assert "not of its kind" not in desk.run("check").said
    desk.configure("".join(f'\n[[fields]]\nname = "{name}"\nkind = "{kind}"\n' for name, kind in kinds))
    said = desk.run("check").said
    assert "field points: 2 values are not of its kind (number)" in said
    assert "field since: 1 value is not of its kind (date)" in said
    desk.ok("subscribers", "export", str(desk.root / "all.csv"))
    ran = desk.run("subscribers", "import", str(desk.root / "all.csv"))
    assert "field points: 1 value is not of its kind (number), and left out" in ran.err
    assert person(desk)["fields"] == {"points": 10, "since": "2026-05-01", "member_2": True}
    assert "field member_2: 1 value is not of its kind (yes-no)" in desk.run("check").said
