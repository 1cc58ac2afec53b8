"""The list of subscribers in /admin: search, filters, pages, exports and the page of one person."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape

import pytest

from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.core.subscriber_fields import FieldKind
from publisher.core.subscriber_status import SubscriberEvent
from publisher.publishing.wiring import open_project_store
from publisher.store.subscriber_records import AddOptions, Evidence, NewSubscriber
from publisher.subscribers.edit import Change, edit
from tests.support.admin_page import Owner, set_password
from tests.support.project import MONDAY, Project
from tests.support.store_samples import NOW, later
from tests.support.web_client import WebClient, web_client

NEWSLETTERS = '\n[[newsletters]]\nname = "weekly"\ntitle = "The Weekly"\n\n[[newsletters]]\nname = "daily"\n'


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    """A project with 120 people, two of whom have more details."""
    project = Project(tmp_path_factory.mktemp("admin") / "project", None)  # type: ignore[arg-type]
    with web_client(project, newsletters=NEWSLETTERS, now=MONDAY) as web:
        set_password(project)
        with open_project_store(project.config()) as store:
            people = [
                NewSubscriber(
                    f"p{number:03}@example.org",
                    name="Zoë <b>Ålund" if number == 7 else "",
                    subscriptions=(Subscription("weekly"), *([Subscription("daily", ("ruby",))] * (number % 40 == 7))),
                    joined_at=later(days=-number),
                )
                for number in range(120)
            ]
            store.subscribers.add_all(people, AddOptions(NOW, "import p.csv", SubscriberEvent.IMPORTED))
            zoe = store.subscribers.get("p007@example.org")
            assert zoe
            change = Change(tags=("vip",), fields={"city": "Oslo"})
            edit(store, zoe, change, at=NOW, source="test", known={"city": FieldKind.TEXT})
            with store.subscribers.transaction(NOW) as transaction:
                transaction.leave(zoe, "daily", Evidence("page"), "too many <emails>")
            store.segments.save("vips", "tag:vip", NOW)
        yield web


@pytest.fixture(scope="module")
def owner(web: WebClient) -> Owner:
    owner = Owner(web)
    owner.log_in()
    return owner


def shown(page: str) -> list[str]:
    """Return the numbers of the people in a list."""
    return re.findall(r'/readers/[0-9a-f]{24}"><bdi class="address">p(\d+)@', page)


def ask(owner: Owner, **fields: str) -> str:
    """Submit the form of the list; return the page with the results."""
    answer = owner.client.post("/admin/readers", data={"token": owner.token("/readers"), **fields})
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    said = " ".join(fields.get(name, "") for name in ("search", "value")).lower().split()
    # A sealed text may contain the letters of a short word by chance.
    parts = re.split(r"[^a-z0-9]", place.lower())
    assert not any(word in (place.lower() if len(word) > 4 else parts) for word in said), place
    return owner.client.get(place).text


def test_the_form_finds_people_and_its_url_does_not_show_the_words(owner: Owner) -> None:
    asked: list[tuple[dict[str, str], str]] = [
        ({"search": "P007@EXAMPLE"}, "007"),
        ({"search": "zoe alund"}, "007"),
        ({"search": "oslo"}, "007"),
        ({"field": "city", "value": "Oslo"}, "007"),
        ({"field": "city"}, "007"),
        ({"tag": "VIP"}, "007"),
        ({"segment": "vips"}, "007"),
        ({"newsletter": "daily", "status": "active"}, "047 087"),
        ({"newsletter": "daily", "status": "unsubscribed"}, "007"),
        ({"topic": "ruby"}, "047 087"),
        ({"since": "2026-11-20", "until": "2026-11-20"}, "001"),
        ({"search": "p00", "sort": "address"}, "000 001 002 003 004 005 006 007 008 009"),
        ({"search": "p00", "sort": "-joined"}, "000 001 002 003 004 005 006 007 008 009"),
        ({"source": "import p.csv", "search": "p119"}, "119"),
        ({"search": "nobody at all"}, ""),
    ]
    wrong = {str(fields): found for fields, right in asked if (found := shown(ask(owner, **fields))) != right.split()}
    assert wrong == {}
    assert "<b>1 person matches</b>" in ask(owner, search="zoe")
    assert "Zoë &lt;b&gt;Ålund" in ask(owner, search="zoe")
    assert "Nobody matches." in ask(owner, search="nobody at all")


def test_the_condition_of_a_segment_is_sealed_in_urls_and_a_name_is_not(owner: Owner) -> None:
    answer = owner.get("/readers?segment=address+~+p007&sort=address")
    assert answer.status_code == 303
    found = answer.headers["location"]
    assert "p007" not in found
    assert "sort=address" in found
    page = owner.client.get(found).text
    assert shown(page) == ["007"]
    assert "<option selected>address ~ p007</option>" in page
    assert not [
        link for link in re.findall(r'(?:href|action)="([^"]*)"', page) if "segment" in link and "readers" in link
    ]
    assert shown(ask(owner, segment="address ~ p007")) == ["007"]
    assert shown(owner.get("/readers?segment=vips").text) == ["007"]


def test_invalid_queries_are_reported(owner: Owner) -> None:
    wrong = {
        "since=31.12.2026": "&#39;31.12.2026&#39; isn&#39;t a day (write it like 2026-01-31)",
        "status=gone": "there is no status &#39;gone&#39;",
        "sort=size": "there is no order &#39;size&#39;",
        "segment=nix": "there is no segment &#39;nix&#39;",
        "q=forged": "this link is damaged",
    }
    for query, words in wrong.items():
        page = owner.get(f"/readers?{query}").text
        assert words in page
        assert shown(page) == []
    gone = owner.get(f"/readers?after={'0' * 24}").text
    assert "is gone. This is the first page." in gone
    assert shown(gone)[0] == "000"


def test_pages_lead_forward_and_back(owner: Owner) -> None:
    page, found = owner.get("/readers").text, []
    while True:
        found += shown(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if not following:
            break
        page = owner.client.get(unescape(following[1])).text
    assert found == [f"{number:03}" for number in range(120)]
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back
    assert shown(owner.client.get(unescape(back[1])).text) == found[50:100]


def hidden(page: str) -> dict[str, str]:
    """Return the fields of the form for exports."""
    form = page[page.index('action="/admin/readers/export"') :]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_the_people_found_are_exported(owner: Owner) -> None:
    table = owner.client.post("/admin/readers/export", data={**hidden(ask(owner, search="zoe")), "as": "csv"})
    assert table.headers["content-disposition"] == 'attachment; filename="subscribers-2026-11-16.csv"'
    assert table.headers["cache-control"] == "no-store"
    assert {row.partition(",")[0] for row in table.text.splitlines()[1:]} == {"p007@example.org"}
    assert table.text.startswith("\ufeffemail,")
    everyone = owner.client.post("/admin/readers/export", data={**hidden(owner.get("/readers").text), "as": "json"})
    assert len(json.loads(everyone.content)) == 120
    assert "exported subscribers" in owner.get("/log").text
    assert owner.client.post("/admin/readers/export", data={"as": "csv"}).status_code == 403


def test_the_page_of_a_person_shows_and_exports_all_data(web: WebClient, owner: Owner) -> None:
    with open_project_store(web.project.config()) as store:
        zoe = store.subscribers.get("p007@example.org")
        assert zoe
        assert zoe.status is SubscriberStatus.ACTIVE
    page = owner.get(f"/readers/{zoe.uid}").text
    for words in (
        "Zoë &lt;b&gt;Ålund",
        "The Weekly",
        "in an imported file",
        "import p.csv",
        "topics: ruby",
        "unsubscribed</span>",
        "daily too many &lt;emails&gt;",
    ):
        assert words in page, words
    assert owner.get("/readers/nobody").status_code == 404
    data = owner.client.post(f"/admin/readers/{zoe.uid}/data", data={"token": owner.token(f"/readers/{zoe.uid}")})
    assert data.headers["content-disposition"] == f'attachment; filename="subscriber-{zoe.uid}.json"'
    assert data.json()["email"] == "p007@example.org"
    assert "exported subscribers" in owner.get(f"/readers/{zoe.uid}").text


def test_a_damaged_search_exports_no_one(owner: Owner) -> None:
    data = {"token": owner.token("/readers"), "q": "forged", "as": "csv"}
    answer = owner.client.post("/admin/readers/export", data=data)
    assert (answer.status_code, answer.text) == (303, "")
    assert "Nothing was exported: this link is damaged" in (owner.client.get(answer.headers["location"]).text)
