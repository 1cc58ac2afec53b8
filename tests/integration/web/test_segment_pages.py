"""Building, counting, saving and deleting segments at /admin/segments."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.publishing.wiring import open_project_store
from publisher.subscribers.edit import Change, edit
from publisher.web.admin.segment_pages import _EXAMPLES
from tests.support.admin_page import Owner, set_password
from tests.support.project import Project
from tests.support.store_samples import person
from tests.support.web_client import web_client


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """The owner of a project with four subscribers."""
    project = Project(tmp_path_factory.mktemp("segments") / "letter", None)  # type: ignore[arg-type]
    with web_client(project, now="2026-11-29T12:00:00") as web:
        set_password(project)
        with open_project_store(web.project.config()) as store:
            people = [person(f"{name}@example.org") for name in ("ada", "bob", "eve", "joe")]
            store.subscribers.add_many(people, at=datetime(2026, 11, 1, tzinfo=UTC), source="test")
            ada = store.subscribers.get("ada@example.org")
            assert ada is not None
            edit(store, ada, Change(tags=("press",)), at=datetime(2026, 11, 1, tzinfo=UTC), source="test", known={})
        found = Owner(web)
        found.log_in()
        yield found


def send(owner: Owner, path: str, **fields: str) -> str:
    """Submit the form of a segment; return the text of the next page."""
    answer = owner.client.post(f"/admin/segments/{path}", data={"token": owner.token("/segments/_new"), **fields})
    if answer.status_code == 303:
        answer = owner.client.get(answer.headers["location"])
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_a_condition_is_counted_saved_renamed_and_deleted(owner: Owner) -> None:
    page = send(owner, "_new", do="count", condition='address ~ "example" and joined > 2026-10-01', name="")
    assert "4 people" in page
    assert re.findall(r"(\d+) would get an email of <bdi>", page) == ["4", "0"]
    assert page.count("@example.org</bdi>") == 3
    assert "1 person" in send(owner, "_new", do="count", condition='address ~ "ada"')
    assert "No one has the tag" not in send(owner, "_new", do="count", condition="tag:nobody or tag:press")
    assert "No one has the tag 'pres' (did you mean press?)." in send(owner, "_new", do="count", condition="tag:pres")
    assert "No subscriber has a field 'cty'." in send(owner, "_new", do="count", condition="field.cty = Oslo")
    assert "Saved." in send(owner, "_new", do="save", condition="status:active", name="Active")
    assert "4 people" in html.unescape(owner.get("/segments/active").text)
    assert "There is a segment 'active' already" in send(owner, "_new", do="save", condition="tag:x", name="active")
    assert "Saved." in send(owner, "active", do="save", condition="tag:x", name="x-people")
    assert owner.get("/segments/active").status_code == 404
    assert "please tick the confirmation box" in send(owner, "x-people", do="delete")
    assert "was deleted" in send(owner, "x-people", do="delete", sure="yes")
    assert "None yet" in owner.get("/segments").text
    log = owner.get("/log").text
    assert "saved a segment" in log
    assert "deleted a segment" in log


def test_many_people_are_changed_only_through_the_saved_condition(owner: Owner) -> None:
    button = "Tag, unsubscribe or delete these people…"
    assert button in send(owner, "_new", do="save", condition="status:active", name="kept")
    typed = send(owner, "kept", do="count", condition='address ~ "ada"', name="kept")
    assert "1 person" in typed
    assert button not in typed
    assert button not in send(owner, "kept", do="save", condition="status:", name="kept")
    said = send(owner, "kept", do="save", condition="tag:b", name="kept", was="tag:a")
    assert "While this page was open, the condition became 'status:active'" in said
    assert 'name="was" value="status:active"' in said
    assert "Saved." in send(owner, "kept", do="save", condition="tag:b", name="kept", was="status:active")


@pytest.mark.parametrize(
    ("condition", "name", "says"),
    [
        ("tag:vip and joined > 2026-01-0", "a", "Column 22 of the condition"),
        ("", "a", "The condition is empty"),
        ("x" * 1_001, "a", "at most 1,000 characters"),
        ("tag:vip", "", "isn't a valid name"),
        ("tag:vip", "../x", "isn't a valid name"),
        ("tag:vip", "_new", "isn't a valid name"),
        ("<script>alert(1)</script>", "a", "Column 1 of the condition"),
    ],
)
def test_mistakes_are_reported_next_to_the_typed_text(owner: Owner, condition: str, name: str, says: str) -> None:
    answer = owner.client.post(
        "/admin/segments/_new",
        data={"token": owner.token("/segments/_new"), "do": "save", "condition": condition, "name": name},
    )
    assert says in html.unescape(answer.text)
    assert f">{html.escape(condition)}</textarea>" in answer.text.replace("&#34;", "&quot;")
    assert "<script>alert" not in answer.text


def test_the_examples_on_the_page_are_conditions(owner: Owner) -> None:
    for condition, _ in _EXAMPLES:
        page = send(owner, "_new", do="count", condition=condition)
        assert "people" in page, condition
        assert 'id="_trouble"' not in page, condition


def test_only_the_owner_sees_or_changes_segments(owner: Owner) -> None:
    stranger = owner.client.__class__(base_url=owner.client.base_url, transport=owner.client._transport)
    assert stranger.get("/admin/segments").headers["location"] == "/admin/login?next=segments"
    assert owner.client.post("/admin/segments/_new", data={"do": "save", "condition": "tag:x"}).status_code == 403
    assert owner.get("/segments/nobody").status_code == 404
    assert owner.get(f"/segments/{'x' * 500}").status_code == 404


def test_a_segment_lists_its_uses_and_is_not_deleted_while_used(tmp_path: Path) -> None:
    project = Project(tmp_path / "letter", None)  # type: ignore[arg-type]
    newsletters = '\n[[newsletters]]\nname = "weekly"\ntitle = "The Weekly"\nsegment = "vips"\n'
    with web_client(project, now="2026-11-29T12:00:00", newsletters=newsletters) as web:
        set_password(project)
        project.write("letters/weekly/moved.md", "---\nsend: draft\nsubject: Moved\nto: friends\n---\nWe have moved.\n")
        with open_project_store(project.config()) as store:
            for name in ("vips", "friends", "free"):
                store.segments.save(name, "tag:x", datetime(2026, 11, 1, tzinfo=UTC))
        owner = Owner(web)
        owner.log_in()
        page = html.unescape(owner.get("/segments").text)
        assert [part.partition("</p>")[0] for part in page.split('<p class="quiet">')[1:]] == [
            "used by <bdi>the email weekly moved</bdi>",
            "used by <bdi>The Weekly</bdi>",
        ]
        for name, where in (("vips", "publisher.toml:"), ("friends", "letters/weekly/moved.md:4")):
            assert "used by: <bdi>" in owner.get(f"/segments/{name}").text
            refused = send(owner, name, do="delete", sure="yes")
            assert f"Nothing was deleted: {where}" in refused
            assert f"{name} is used" in refused
            assert f"{name} is used" in send(owner, name, do="save", condition="tag:x", name="other")
        assert "was deleted" in send(owner, "free", do="delete", sure="yes")
