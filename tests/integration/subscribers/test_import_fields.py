"""Tags, notes and fields in files: the meaning of columns, the stored values, and undoing an import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from publisher.core.errors import SubscriberError
from publisher.core.subscriber_fields import FieldKind
from publisher.store import Store
from publisher.subscribers.csv_fields import FieldOptions
from publisher.subscribers.csv_survey import QuestionsError
from publisher.subscribers.edit import Change, edit
from tests.support.consent_samples import known, people
from tests.support.csv_samples import Imported, bring
from tests.support.store_samples import NOW, later, person

__all__ = ["people"]

ADA, BOB = "ada@example.org", "bob@example.org"
EVERYTHING = FieldOptions(everything=True)


def file(store: Store, folder: Path, text: str, *maps: str, **options: Any) -> Imported:
    """Import a file with this content."""
    return bring(store, folder / "list.csv", text, *maps, **options)


def fields(store: Store, address: str = ADA) -> dict[str, object]:
    return dict(known(store, address).fields)


def test_tags_and_notes_are_kept_by_their_headings(people: Store, tmp_path: Path) -> None:
    text = (
        'Email,TAGS,Notes\nada@example.org,"""VIP"",""Early birds""","two\nlines"\n'
        'bob@example.org,"[""A"", ""b""]",\neve@example.org,"a; b, -c",\n'
    )
    done = file(people, tmp_path, text, tags=("all",))
    assert (known(people).tags, known(people).note) == (("all", "early birds", "vip"), "two\nlines")
    assert known(people, BOB).tags == ("a", "all", "b")
    assert known(people, "eve@example.org").tags == ("a", "all", "b")
    assert done.report.doubts == ("these can't be tags, and were left out: '-c'",)
    assert done.columns.shown == {"email": "Email", "tags": "TAGS", "note": "Notes"}
    assert done.columns.ignored == []


def test_a_column_becomes_a_field_if_the_operator_chooses(people: Store, tmp_path: Path) -> None:
    text = "email,Plan,City,Postal code,Points,Since,Active member\n"
    text += "ada@example.org,pro,Oslo,01234,10,2024-05-01 10:00,yes\nbob@example.org,free,,56789,2.5,2025-01-02,No\n"
    text += "eve@example.org,,,,,,\n"
    done = file(people, tmp_path, text, "Active member=ignore", fields=FieldOptions(("plan", "postal_code")))
    assert fields(people) == {"plan": "pro", "postal_code": "01234"}
    assert done.columns.ignored == ["City", "Points", "Since", "Active member"]
    done = file(people, tmp_path, text, "Active member=ignore", fields=EVERYTHING)
    assert done.report.fields == {
        **{"plan": FieldKind.TEXT, "city": FieldKind.TEXT, "postal_code": FieldKind.TEXT},
        **{"points": FieldKind.NUMBER, "since": FieldKind.DATE},
    }
    assert fields(people, BOB) == {"plan": "free", "postal_code": "56789", "points": 2.5, "since": "2025-01-02"}
    assert (fields(people, "eve@example.org"), done.report.described) == ({}, 2)
    file(people, tmp_path, text, "Active member=ignore", fields=FieldOptions(("Active member",)))
    assert fields(people)["active_member"] is True
    assert people.subscribers.known_fields()["active_member"] is FieldKind.YES_NO


def test_fields_of_the_project_need_no_choice(people: Store, tmp_path: Path) -> None:
    options = FieldOptions(
        known={"points": FieldKind.NUMBER, "member": FieldKind.YES_NO, "born": FieldKind.DATE, "old": FieldKind.TEXT},
        configured=frozenset({"points", "member", "born"}),
    )
    text = "email,Points,Member,Born,Old\nada@example.org,ten,ja,13.05.1990,x\nbob@example.org,10,nein,gestern,\n"
    done = file(people, tmp_path, text, fields=options)
    assert fields(people) == {"member": True, "born": "1990-05-13"}
    assert fields(people, BOB) == {"points": 10, "member": False}
    assert done.report.doubts == (
        "field points: 1 value is not of its kind (number), and left out; first in line 2",
        "field born: 1 value is not of its kind (date), and left out; first in line 3",
    )


def test_too_long_values_are_reported(people: Store, tmp_path: Path) -> None:
    long = "x" * 10_000
    text = f"email,name,note,city\nada@example.org,{long},{long},{long}\nbob@example.org,{long},short,Oslo\n"
    text += f"eve@example.org,{'y' * 200},{'y' * 5_000},{'y' * 500}\n"
    done = file(people, tmp_path, text, fields=FieldOptions(("city",)))
    assert done.report.doubts == (
        "name: 2 are longer than 200 characters, and cut there; first in line 2",
        "field city: 1 is longer than 500 characters, and left out; first in line 2",
        "note: 1 is longer than 5,000 characters, and cut there; first in line 2",
    )
    ada = known(people)
    assert (len(ada.name), len(ada.note), dict(ada.fields)) == (200, 5_000, {})
    assert fields(people, "eve@example.org") == {"city": "y" * 500}


def test_members_of_a_json_object_become_fields(people: Store, tmp_path: Path) -> None:
    text = "uuid,email,attributes,status\n"
    text += '1,ada@example.org,"{""city"": ""Oslo"", ""age"": 30, ""vip"": true, ""list"": [1], ""tags"": 3}",enabled\n'
    text += "2,bob@example.org,{broken,enabled\n"
    assert file(people, tmp_path, text).columns.dropped == ["attributes"]
    done = file(people, tmp_path, text, fields=FieldOptions(("attributes",)))
    assert fields(people) == {"city": "Oslo", "age": 30, "vip": True}
    assert done.report.doubts == ("the names of these columns can't be field names, so they were left out: 'tags'",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": FieldOptions(("Nothing",))}, "there is no column 'Nothing' .columns: email, Name, 2nd, Ümlaut"),
        ({"fields": FieldOptions(("Name",))}, "is read as something else"),
        ({"fields": FieldOptions(("2nd",))}, "can't be the name of a field"),
        ({"tags": ("a,b",)}, "can't be a tag"),
    ],
)
def test_a_wrong_choice_is_refused_in_one_line(
    people: Store, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SubscriberError, match=message):
        file(people, tmp_path, "email,Name,2nd,Ümlaut\nada@example.org,Ada,x,y\n", **options)
    assert people.subscribers.count() == 0


def test_a_file_with_too_many_columns_is_refused(people: Store, tmp_path: Path) -> None:
    header = ",".join(f"c{number}" for number in range(101))
    text = f"email,{header}\n{ADA},{','.join('1' * 101)}\n"
    with pytest.raises(SubscriberError, match="101 columns would become fields"):
        file(people, tmp_path, text, fields=EVERYTHING)
    assert file(people, tmp_path, text.replace(",1\n", ",\n"), fields=EVERYTHING).report.added == 1
    assert len(fields(people)) == 100


def test_a_column_about_people_who_must_not_get_email_still_causes_a_question(people: Store, tmp_path: Path) -> None:
    with pytest.raises(QuestionsError):
        file(people, tmp_path, "email,Opted out lately\nada@example.org,perhaps\n", fields=EVERYTHING)


def test_two_columns_with_the_same_name_are_two_fields(people: Store, tmp_path: Path) -> None:
    file(people, tmp_path, "email,City,city!\nada@example.org,Oslo,Bergen\n", fields=EVERYTHING)
    assert fields(people) == {"city": "Oslo", "city_2": "Bergen"}


def test_an_undo_removes_tags_and_fields(people: Store, tmp_path: Path) -> None:
    people.subscribers.add(person(), at=NOW, source="form")
    before = Change(tags=("old",), fields={"city": "Oslo", "plan": "free"})
    kinds = {"city": FieldKind.TEXT, "plan": FieldKind.TEXT}
    edit(people, known(people), before, at=NOW, source="test", known=kinds)
    text = "email,tags,city,plan,points,note\n"
    text += "ada@example.org,new,Bergen,pro,1,from the file\n" + "new@example.org,new,Rome,pro,2,\n"
    number = file(people, tmp_path, text, fields=EVERYTHING, at=later(hours=1)).report.number
    assert file(people, tmp_path, text, fields=EVERYTHING, at=later(hours=2)).report.described == 0
    assert known(people).tags == ("new", "old")
    assert (known(people).note, known(people).fields["points"]) == ("from the file", 1)
    assert [(each.people, each.changed) for each in people.imports.list()] == [(1, 1)]

    later_on = Change(tags=("later",), fields={"plan": "gold"})
    edit(people, known(people), later_on, at=later(hours=3), source="test", known=kinds)
    done = people.imports.undo(number, later(hours=4))
    assert (done.deleted, done.restored) == (1, 1)
    assert known(people).tags == ("later", "old")
    assert fields(people) == {"city": "Oslo", "plan": "gold"}
    assert known(people).note == ""
    assert people.subscribers.tags_in_use() == {"later": 1, "old": 1}
    assert people.subscribers.known_fields() == kinds


def test_rows_of_one_person_in_two_parts_of_a_file_are_undone(
    people: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.subscribers.csv_import.GROUP", 1)
    people.subscribers.add(person(), at=NOW, source="form")
    text = "email,tags,city\nada@example.org,a,Oslo\nada@example.org,b,Bergen\n"
    number = file(people, tmp_path, text, fields=EVERYTHING, at=later(hours=1)).report.number
    assert (known(people).tags, fields(people)) == (("a", "b"), {"city": "Bergen"})
    people.imports.undo(number, later(hours=2))
    assert (known(people).tags, fields(people)) == ((), {})


def test_an_existing_note_stays(people: Store, tmp_path: Path) -> None:
    people.subscribers.add(person(), at=NOW, source="form")
    edit(people, known(people), Change(note="mine"), at=NOW, source="test", known={})
    file(people, tmp_path, "email,note\nada@example.org,theirs\n")
    assert known(people).note == "mine"


def test_a_refused_row_and_a_dry_run_leave_no_tags(people: Store, tmp_path: Path) -> None:
    people.subscribers.add(person(), at=NOW, source="form")
    people.subscribers.remove(ADA, at=NOW, source="test")
    text = "email,tags,city\nada@example.org,x,Oslo\nbob@example.org,x,Oslo\n"
    assert file(people, tmp_path, text, fields=EVERYTHING, dry_run=True).report.fields == {"city": FieldKind.TEXT}
    assert people.subscribers.known_fields() == {}
    assert file(people, tmp_path, text, fields=EVERYTHING).report.refused == 1
    assert (known(people).tags, fields(people), known(people, BOB).tags) == ((), {}, ("x",))
