"""One action for many people at /admin/readers/bulk: exactly the people that were shown first are changed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from publisher.publishing.wiring import open_project_store
from publisher.subscribers.edit import Change, edit
from publisher.web.admin.person_actions import SOURCE
from tests.support.admin_page import Owner, set_password
from tests.support.project import Project
from tests.support.store_samples import person
from tests.support.web_client import WebClient, web_client


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    """A project with a segment of 25 people at one domain, and one person at another domain."""
    project = Project(tmp_path_factory.mktemp("bulk") / "letter", None)  # type: ignore[arg-type]
    with web_client(project, now="2026-11-29T12:00:00") as running:
        set_password(project)
        with open_project_store(project.config()) as store:
            people = [person(f"reader{number}@one.example.org") for number in range(25)]
            people.append(person("other@two.example.org"))
            store.subscribers.add_many(people, at=datetime(2026, 11, 1, tzinfo=UTC), source="test")
            store.segments.save("one", 'address ~ "@one."', datetime(2026, 11, 2, tzinfo=UTC))
        yield running


@pytest.fixture
def owner(web: WebClient) -> Owner:
    found = Owner(web)
    found.log_in()
    return found


def send(owner: Owner, **fields: str) -> str:
    """Submit a form of the bulk pages; return the text of the next page."""
    answer = owner.client.post("/admin/readers/bulk", data={"token": owner.token("/segments/_new"), **fields})
    if answer.status_code == 303:
        answer = owner.client.get(answer.headers["location"])
    assert answer.status_code == 200, answer.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def seen(owner: Owner, **fields: str) -> str:
    """Let the page show whom an action would change; return the value with which its button identifies them."""
    answer = owner.client.post("/admin/readers/bulk", data={"token": owner.token("/segments/_new"), **fields})
    found = re.search(r'name="expected" value="([0-9a-f]+)"', answer.text)
    assert found is not None
    return found[1]


def people(web: WebClient, **values: object) -> int:
    with open_project_store(web.project.config()) as store:
        found = list(store.subscribers.list())
    return sum(all(getattr(each, name) == value for name, value in values.items()) for each in found)


def test_people_are_shown_and_then_exactly_those_are_tagged(web: WebClient, owner: Owner) -> None:
    shown = send(owner, segment="one")
    assert "25 people" in shown
    assert "The first 20" in shown
    asked = send(owner, segment="one", do="tag", tags="Fair")
    assert "Tag 25 people: fair ?" in asked
    assert people(web, tags=("fair",)) == 0
    refused = send(owner, segment="one", do="do-tag", tags="fair", expected="24")
    assert "these are no longer the same people" in refused
    assert people(web, tags=("fair",)) == 0
    whom = seen(owner, segment="one", do="tag", tags="fair")
    done = send(owner, segment="one", do="do-tag", tags="fair", expected=whom)
    assert "25 people got a new tag (fair)." in done
    assert people(web, tags=("fair",)) == 25
    assert "None of them would change" in send(owner, segment="one", do="tag", tags="fair")
    assert "25 people lost a tag" in send(owner, segment="one", do="do-untag", tags="fair", expected=whom)
    assert "tagged subscribers: segment one" in " ".join(re.sub(r"<[^>]+>", " ", owner.get("/log").text).split())


def test_actions_that_cannot_be_undone_ask_first(web: WebClient, owner: Owner) -> None:
    two = {"segment": 'address ~ "@two."'}
    two["expected"] = seen(owner, **two, do="suppress")
    assert "Unsubscribe 1 person: weekly ?" in send(owner, **two, do="unsubscribe", **{"from": "weekly"})
    assert "please tick the confirmation box" in send(owner, **two, do="do-unsubscribe", **{"from": "weekly"})
    done = send(owner, **two, do="do-unsubscribe", sure="yes", **{"from": "weekly"})
    assert "1 person unsubscribed (weekly)." in done
    assert people(web, status="unsubscribed") == 1
    assert "1 person suppressed" in send(owner, **two, do="do-suppress", sure="yes")
    assert people(web, status="suppressed") == 1
    assert "please tick the confirmation box" in send(owner, **two, do="do-erase")
    assert "All data about 1 person deleted" in send(owner, **two, do="do-erase", sure="yes")
    assert people(web) == 25
    with open_project_store(web.project.config()) as store:
        assert store.suppressions.is_listed("other@two.example.org")
    assert SOURCE


def test_the_same_number_of_other_people_is_refused(web: WebClient, owner: Owner) -> None:
    with open_project_store(web.project.config()) as store:
        first, second = (store.subscribers.get(f"reader{number}@one.example.org") for number in (3, 4))
        assert first is not None and second is not None
        edit(store, first, Change(tags=("press",)), at=datetime(2026, 11, 3, tzinfo=UTC), source="test", known={})
        whom = seen(owner, segment="tag:press", do="suppress")
        edit(store, first, Change(untags=("press",)), at=datetime(2026, 11, 3, tzinfo=UTC), source="test", known={})
        edit(store, second, Change(tags=("press",)), at=datetime(2026, 11, 3, tzinfo=UTC), source="test", known={})
    for deed in ("suppress", "erase", "unsubscribe", "tag", "untag"):
        fields = {"do": f"do-{deed}", "sure": "yes", "expected": whom, "tags": "x", "from": "weekly"}
        assert "no longer the same people" in send(owner, segment="tag:press", **fields), deed
    assert (people(web), people(web, status="active"), people(web, tags=("x",))) == (25, 25, 0)
    assert "1 person lost a tag" in send(
        owner,
        segment="tag:press",
        do="do-untag",
        tags="press",
        expected=seen(owner, segment="tag:press", do="untag", tags="press"),
    )


def test_a_search_leads_to_the_bulk_page_with_its_words_sealed(web: WebClient, owner: Owner) -> None:
    data = {"token": owner.token("/readers"), "search": "reader1@"}
    answer = owner.client.post("/admin/readers", data=data)
    assert "reader1" not in answer.headers["location"]
    page = owner.client.get(answer.headers["location"]).text
    form = page.split("/readers/bulk")[1].split("</form>")[0]
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert "reader1" not in form
    assert "1 person searched for reader1@" in send(owner, **hidden | {"token": owner.token("/readers")})


def test_mistakes_are_reported_and_nothing_is_done(web: WebClient, owner: Owner) -> None:
    for fields, says in (
        ({"segment": "tag:", "do": "tag"}, "column"),
        ({"segment": "nobody-has-it"}, "there is no segment"),
        ({"q": "forged", "do": "tag", "tags": "x"}, "this link is damaged"),
        ({"segment": "one", "do": "tag", "tags": " , "}, "type a tag first"),
        ({"segment": "one", "do": "tag", "tags": "x" * 100}, "too long"),
        ({"segment": "one", "do": "unsubscribe", "from": "nix"}, "choose a newsletter"),
        ({"segment": "one", "do": "do-tag", "tags": "x", "expected": "²"}, "no longer the same people"),
        ({"segment": "one", "do": "nothing"}, "What should be done?"),
    ):
        assert says in send(owner, **fields), fields
    assert people(web, tags=()) == people(web)


def test_only_the_owner_can_do_anything(web: WebClient, owner: Owner) -> None:
    answer = owner.client.post("/admin/readers/bulk", data={"segment": "one", "do": "do-erase", "sure": "yes"})
    assert answer.status_code == 403
    assert Owner(web).get("/readers/bulk/0").headers["location"] == "/admin/login?next=readers%2Fbulk%2F0"
    assert owner.get("/readers/bulk/0").status_code == 404
