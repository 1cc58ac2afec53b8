"""Importing a file at /admin/readers/import: inspection, dry run, import with the same result, and undo."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from publisher.publishing.wiring import open_project_store
from tests.support.admin_page import Owner, set_password
from tests.support.project import Project
from tests.support.web_client import WebClient, web_client

LIST = "email,Vorname,Stand,Stadt\nada@example.org,Ada,ok,Oslo\nbob@example.org,Bob,weg,Paris\nnonsense,x,ok,\n"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    """A project with two newsletters and a password."""
    project = Project(tmp_path_factory.mktemp("import") / "letter", None)  # type: ignore[arg-type]
    with web_client(project, now="2026-11-29T12:00:00") as running:
        set_password(project)
        yield running


@pytest.fixture
def owner(web: WebClient) -> Owner:
    found = Owner(web)
    found.log_in()
    return found


def send(owner: Owner, text: str | bytes, name: str = "list.csv") -> str:
    """Upload a file; return the path of the next page, below /admin."""
    content = text.encode() if isinstance(text, str) else text
    data = {"token": owner.token("/readers/import")}
    answer = owner.client.post("/admin/readers/import", data=data, files={"file": (name, content, "text/csv")})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).removeprefix("/admin")


def press(owner: Owner, path: str, **fields: object) -> str:
    """Press a button on a page; return the text of the next page."""
    answer = owner.client.post(f"/admin{path}", data={"token": owner.token(path), **fields})
    assert answer.status_code == 303, answer.text
    return text_of(owner, str(answer.headers["location"]).removeprefix("/admin"))


def text_of(owner: Owner, path: str) -> str:
    answer = owner.get(path)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def addresses(web: WebClient) -> dict[str, str]:
    with open_project_store(web.project.config()) as store:
        return {each.address: each.status.value for each in store.subscribers.list()}


def test_a_dry_run_has_the_same_result_as_the_import_which_can_be_undone(web: WebClient, owner: Owner) -> None:
    path = send(owner, LIST)
    page = owner.get(path).text
    assert "Email address (recognised)" in page
    assert "First name (recognised)" in page
    both = {"newsletter": ["weekly", "daily"], "column:2": "status"}
    asked = press(owner, path, do="check", **both)
    assert "Please decide first" in asked
    assert "The column 'Stand' seems to say who must not get email" in asked
    assert "--map" not in asked
    assert "Check the file first" in press(owner, path, do="import")
    decided = {**both, "means:2:weg": "unsubscribed", "means:2:ok": "subscribed", "consent": "a fair in Oslo"}
    shown = press(owner, path, do="check", **decided)
    assert (
        "1 would get the next edition 1 new 1 would be stored, and get no email 1 unsubscribed (line 3) 1 refused"
        in shown
    )
    assert "4 'nonsense' is not a valid email address" in shown
    assert "2 ada@example.org: added" in shown
    assert addresses(web) == {}
    done = press(owner, path, do="import", newsletter="daily")  # the contents of this form do not count
    assert "list.csv Imported 3 rows" in done
    assert addresses(web) == {"ada@example.org": "active", "bob@example.org": "unsubscribed"}
    with open_project_store(web.project.config()) as store:
        ada = store.subscribers.get("ada@example.org")
        assert ada is not None
        assert sorted(each.newsletter for each in ada.subscriptions) == ["daily", "weekly"]
        assert "a fair in Oslo" in store.subscribers.consent(ada.id)[0].detail
    assert list((web.project.root / ".publisher/uploads").glob("*/")) == []
    number = re.search(r"/readers/imports/(\d+)", owner.get(path).text)
    assert number
    back = f"/readers/imports/{number[1]}"
    assert "If you undo it: People What becomes of them 2 deleted" in press(owner, back, do="check")
    assert "please tick the confirmation box" in press(owner, back, do="undo")
    assert len(addresses(web)) == 2
    assert "It was undone: People What becomes of them 2 deleted" in press(owner, back, do="undo", sure="yes")
    assert addresses(web) == {}
    assert "was already undone" in press(owner, back, do="undo", sure="yes")
    log = text_of(owner, "/log")
    assert "imported a file: list.csv (3 rows)" in log
    assert "took an import back" in log


def test_a_second_press_of_import_shows_the_first_import(owner: Owner, web: WebClient) -> None:
    path = send(owner, "email\ntwice@example.org\n")
    press(owner, path, do="check", newsletter="weekly", **{"as": "subscribed"})
    assert "Imported" in press(owner, path, do="import")
    again = press(owner, path, do="import")
    assert "Imported" in again
    assert "Check the file first" not in again
    assert "no longer here" not in press(owner, path, do="drop")
    (number,) = re.findall(r"/readers/imports/(\d+)", owner.get(path).text)
    back = f"/readers/imports/{number}"
    assert "If you undo it: People What becomes of them 1 deleted" in press(owner, back, do="check")
    with open_project_store(web.project.config()) as store:
        store.subscribers.remove("twice@example.org", None, at=datetime(2026, 11, 29, 13, tzinfo=UTC), source="t")
    asked = press(owner, back, do="undo", sure="yes")
    assert "If you undo it: People What becomes of them 1 unchanged" in asked  # the numbers have changed
    assert "It was undone: People What becomes of them 1 unchanged" in press(owner, back, do="undo", sure="yes")


def test_examples_of_columns_are_read_as_csv(owner: Owner) -> None:
    text = 'id,email,note,plan\n1,a@example.org,"first line\nsecond line, with ""quotes""",free\n'
    text += '2,b@example.org,"x",paid\n'
    page = text_of(owner, send(owner, text + '3,c@example.org,"not closed,free\n4,d@example.org,y,basic\n'))
    for each in ("id 1 , 2 , 4 ", "a@example.org , b@example.org , d@example.org", "free , paid , basic"):
        assert each in page
    assert 'first line second line, with "quotes" , x , y' in page


def test_files_that_wait_are_listed_until_they_are_imported_or_deleted(owner: Owner) -> None:
    path = send(owner, LIST, "friends.csv")
    page = owner.get("/readers/import").text
    assert f'href="/admin{path}"' in page
    assert "friends.csv" in page
    assert "The file was deleted" in press(owner, path, do="drop")
    assert path not in owner.get("/readers/import").text


def test_a_column_can_be_chosen_but_not_two_for_one_field(owner: Owner, web: WebClient) -> None:
    path = send(owner, "mail1,mail2,a,b\nx@example.org,y@example.org,Xavier,Yps\n")
    assert "Several columns contain addresses" in text_of(owner, path)
    twice = press(owner, path, do="check", newsletter="weekly", **{"column:0": "email", "column:1": "email"})
    assert "'mail1' and 'mail2' were both chosen as: Email address" in twice
    shown = press(owner, path, do="check", newsletter="weekly", **{"column:1": "email", "column:2": "name"})
    assert "y@example.org: added" in shown
    assert "choose at least one newsletter" in press(owner, path, do="check", **{"column:1": "email"})
    assert "Nothing was imported" in press(owner, path, do="drop")
    assert owner.get(path).status_code == 404


def test_columns_become_tags_notes_and_own_fields(owner: Owner, web: WebClient) -> None:
    path = send(owner, "email,Labels,City,Plan\nzoe@example.org,vip,Oslo,01234\n")
    assert "Tags (recognised)" in owner.get(path).text
    fields = {"newsletter": "weekly", "column:2": "own-field", "column:3": "own-field", "tags": "Fair, 2026"}
    checked = press(owner, path, do="check", **fields)
    assert "1 would get the next edition 1 new" in checked
    assert "field" not in str(addresses(web))
    press(owner, path, do="import")
    with open_project_store(web.project.config()) as store:
        zoe = store.subscribers.get("zoe@example.org")
        assert zoe is not None
        assert (zoe.tags, dict(zoe.fields)) == (("2026", "fair", "vip"), {"city": "Oslo", "plan": "01234"})
        store.imports.undo(store.imports.list()[-1].id, datetime(2026, 11, 30, tzinfo=UTC))
    path = send(owner, "email,Labels\nzoe@example.org,vip\n")
    assert "can't be a tag" in press(owner, path, do="check", newsletter="weekly", tags='"')
    press(owner, path, do="drop")


def test_the_first_page_reports_what_the_dry_run_will_find(owner: Owner, web: WebClient) -> None:
    path = send(owner, "email,Opt-in date,City\nzoe@example.org,2024-05-06,Oslo\n")
    for _ in range(2):
        assert "Date of subscribing (recognised)" in owner.get(path).text
        press(owner, path, do="check", newsletter="weekly")
    press(owner, path, do="drop")


def test_a_list_without_column_names_needs_a_meaning(owner: Owner, web: WebClient) -> None:
    path = send(owner, "x@example.org\ny@example.org\n", "opted-out.txt")
    assert "The file has no column names" in text_of(owner, path)
    shown = press(owner, path, do="check", newsletter="weekly", **{"as": "suppressed"})
    assert "2 would be stored, and get no email 2 suppressed (lines 1 to 2)" in shown
    press(owner, path, do="drop")


def test_text_from_a_file_is_never_markup_and_costs_little(owner: Owner, web: WebClient) -> None:
    bad = "<script>alert(1)</script>"
    header = ",".join(["email", bad, *(f"c{number}" for number in range(400))])
    path = send(owner, f"{header}\nx@example.org,{bad}\n", f"{bad}.csv")
    for _ in range(2):
        page = owner.get(path).text
        assert "<script>alert" not in page
        assert len(page) < 200_000
        assert "And 342 more" in page
        checked = press(owner, path, do="check", newsletter="weekly", **{"column:1": "name", "column:99999": "name"})
        assert "1 would get the next edition" in checked
    press(owner, path, do="drop")


def test_a_file_that_is_not_a_list_is_refused_immediately(owner: Owner, web: WebClient) -> None:
    for content, why in (
        (b"PK\x03\x04xl/workbook", "this is an Excel workbook, not a CSV file"),
        (b"%PDF-1.7", "this is a PDF"),
        (b"", "the file is empty"),
    ):
        where = send(owner, content)
        assert why in text_of(owner, where)
        assert re.fullmatch(r"/readers/import\?said=.*", where)
    answer = owner.client.post(
        "/admin/readers/import", data={"token": owner.token("/readers/import")}, files={"file": ("", b"")}
    )
    assert "choose a file first" in owner.client.get(answer.headers["location"]).text


def test_only_the_owner_can_send_a_file(web: WebClient, owner: Owner) -> None:
    file = {"file": ("list.csv", b"email\nx@example.org\n", "text/csv")}
    token = {"token": owner.token("/readers/import")}
    stranger = Owner(web)
    foreign = web.browser(origin="https://elsewhere.example")
    foreign.cookies.update(dict(owner.client.cookies))
    refused = stranger.client.post("/admin/readers/import", data=token, files=file)
    assert (refused.status_code, "Log in and try again" in refused.text) == (403, True)
    assert foreign.post("/admin/readers/import", data=token, files=file).status_code == 403
    assert owner.client.post("/admin/readers/import", data={"token": "0" * 64}, files=file).status_code == 403
    assert owner.client.post("/admin/readers/import", data=token).status_code == 400
    for path in ("/readers/import", "/readers/import/0123456789abcdef", "/readers/imports/1"):
        assert stranger.get(path).headers["location"].startswith("/admin/login?next=")
    assert stranger.get("/job/x.json").status_code == 403
    assert owner.get("/job/x.json").json() == {"over": True, "done": 0, "of": 0}
    for path in ("/readers/import/0123456789abcdef", "/readers/import/..%2f..%2fsecret", "/readers/imports/99"):
        assert owner.get(path).status_code == 404
