"""Actions of the owner for one person at /admin/readers: each button, what it records, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from publisher.cli.main import run
from publisher.core.newsletter_models import Subscriber
from publisher.publishing.wiring import open_project_store
from publisher.subscribers.manage import suppress
from publisher.web.admin.person_actions import SOURCE
from tests.support.admin_page import Owner, set_password
from tests.support.project import Project
from tests.support.store_samples import person
from tests.support.web_client import NEWSLETTERS, WebClient, web_client

FIELDS = '\n[[fields]]\nname = "city"\n\n[[fields]]\nname = "points"\nkind = "number"\n'
OFTEN = NEWSLETTERS + 'schedule = "daily 07:30"\nfrequencies = ["weekly monday 08:00"]\n'


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    """A project with two newsletters, two fields and a password."""
    project = Project(tmp_path_factory.mktemp("person") / "letter", None)  # type: ignore[arg-type]
    with web_client(project, FIELDS, newsletters=OFTEN, now="2026-11-29T12:00:00") as running:
        set_password(project)
        yield running


@pytest.fixture
def owner(web: WebClient) -> Owner:
    found = Owner(web)
    found.log_in()
    return found


def add(web: WebClient, local: str) -> str:
    """Add someone to weekly; return the path of their page below /admin."""
    with open_project_store(web.project.config()) as store:
        store.subscribers.add_many([person(f"{local}@example.org")], at=datetime(2026, 11, 1, tzinfo=UTC), source="t")
    return f"/readers/{known(web, local).uid}"


def known(web: WebClient, local: str) -> Subscriber:
    with open_project_store(web.project.config()) as store:
        found = store.subscribers.get(f"{local}@example.org")
    assert found is not None
    return found


def history(web: WebClient, local: str) -> list[str]:
    """Return the events in someone's consent history that come from the owner's buttons."""
    with open_project_store(web.project.config()) as store:
        return [event.what for event in store.subscribers.consent(known(web, local).id) if event.source == SOURCE]


def press(owner: Owner, path: str, **fields: str | list[str]) -> str:
    """Press a button; return what the next page says about the result."""
    answer = owner.client.post(f"/admin{path}", data={"token": owner.token("/segments/_new"), **fields})
    page = answer.text  # shown again if it was refused
    if answer.status_code == 303:
        page = owner.client.get(f"/admin/log?{answer.headers['location'].partition('?')[2]}").text
    return page.split('role="status">' if 'role="status">' in page else 'role="alert">')[1].split("</p>")[0]


def test_tags_fields_name_and_note_are_saved_together_or_not_at_all(web: WebClient, owner: Owner) -> None:
    path = add(web, "ada")
    assert press(owner, path, do="tag", tags="VIP, press") == "Saved: +press, +vip."
    assert press(owner, path, do="tag", untag="press") == "Saved: -press."
    assert press(owner, path, do="tag", tags=" ") == "Nothing was changed: type a tag first."
    save = {"do": "save", "name": "Ada L", "language": "de", "note": "met in\r\nOslo", "field.city": "Oslo"}
    assert press(owner, path, **save, **{"field.points": "12"}) == "Saved: name, language, note, city, points."
    assert press(owner, path, **save, **{"field.points": "12"}) == "Nothing was different."
    refused = press(owner, path, **save | {"note": "other"}, **{"field.points": "twelve"})
    assert "is" in refused
    assert "a number (write it like 12 or 12.5)" in refused
    assert "there is no field" in press(owner, path, do="save", **{"field.plan": "pro"})
    assert "a language tag" in press(owner, path, do="save", language="?!")
    ada = known(web, "ada")
    assert (ada.name, ada.language, ada.note, ada.tags) == ("Ada L", "de", "met in\nOslo", ("vip",))
    assert dict(ada.fields) == {"city": "Oslo", "points": 12}
    assert press(owner, path, do="save", **{"field.points": ""}) == "Saved: points."


def opened(owner: Owner, path: str) -> dict[str, str]:
    """Return the fields of the form with a person's details, as a browser would submit them unchanged."""
    form = owner.get(path).text.partition('id="_details"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'<input [^>]*name="([^"]+)" value="([^"]*)"', form))
    return fields | {"note": form.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0][1:]}


def test_two_tabs_do_not_overwrite_each_other(web: WebClient, owner: Owner) -> None:
    path = add(web, "tabs")
    first, second, third = (opened(owner, path) for _ in range(3))
    assert press(owner, path, do="save", **first | {"note": "met in\r\nOslo", "field.city": "Oslo"}).startswith("Saved")
    assert press(owner, path, do="save", **second | {"name": "Tab"}) == "Saved: name."
    said = press(owner, path, do="save", **third | {"note": "mine", "language": "de"})
    assert "Nothing was changed: while this page was open, the note became" in said
    tabs = known(web, "tabs")
    assert (tabs.name, tabs.note, tabs.language, dict(tabs.fields)) == ("Tab", "met in\nOslo", "", {"city": "Oslo"})
    page = owner.client.post(
        f"/admin{path}", data={"token": owner.token("/log"), "do": "save", **third, "note": "mine"}
    ).text
    again = re.findall(r'name="was.note" value="([^"]+)"', page)
    assert press(owner, path, do="save", **third | {"note": "mine", "was.note": again[0]}) == "Saved: note."
    emptied = opened(owner, path)
    assert press(owner, path, do="save", **opened(owner, path) | {"note": ""}) == "Saved: note."
    assert press(owner, path, do="save", **emptied) == "Nothing was different."
    assert "the note was emptied" in press(owner, path, do="save", **emptied | {"note": "third"})


def test_typed_text_is_still_there_after_a_refusal(web: WebClient, owner: Owner) -> None:
    path = add(web, "typed")
    fields = {"token": owner.token(path), "name": "Typed", "language": "klingon language", "note": "<long>\r\nnote"}
    page = owner.client.post(f"/admin{path}", data=fields | {"do": "save", "field.city": "Bergen"}).text
    for part in ("Nothing was changed", 'value="Typed"', 'value="klingon language"', "&lt;long&gt;\r\nnote", "Bergen"):
        assert part in page, part
    for deed, given in (("address", {"address": "x@"}), ("subscribe", {"newsletter": "nix", "why": "by pigeon"})):
        page = owner.client.post(f"/admin{path}", data={"token": fields["token"], "do": deed, **given}).text
        assert "<details open>" in page, deed
        assert all(f'value="{text}"' in page for name, text in given.items() if name != "newsletter"), deed


def test_the_owner_sees_and_changes_how_often_someone_gets_a_newsletter(web: WebClient, owner: Owner) -> None:
    path = add(web, "ivy")
    assert "Change how often" not in owner.get(path).text, "weekly offers no choice"
    press(owner, path, do="subscribe", newsletter="daily", why="by phone")
    assert "as usual: daily 07:30" in owner.get(path).text
    change = {"do": "often", "newsletter": "daily"}
    assert press(owner, path, **change, frequency="weekly") == "Saved: frequency."
    page = owner.get(path).text
    assert "weekly: weekly monday 08:00" in page
    assert '<option value="weekly" selected>' in page
    assert press(owner, path, **change, frequency="weekly") == "Nothing was different."
    assert "daily does not offer &#39;hourly&#39;" in press(owner, path, **change, frequency="hourly")
    assert "no such newsletter" in press(owner, path, do="often", newsletter="nix", frequency="")
    assert press(owner, path, **change, frequency="") == "Saved: frequency."
    assert history(web, "ivy")[-2:] == ["frequency", "frequency"]
    assert press(owner, path, do="save", language="de") == "Saved: language."
    assert press(owner, path, do="save", language="") == "Saved: language."
    assert known(web, "ivy").language == ""


def test_a_corrected_address_is_recorded_and_one_in_use_is_refused(web: WebClient, owner: Owner) -> None:
    path = add(web, "bbo")
    add(web, "joe")
    assert "is a subscriber already" in press(owner, path, do="address", address="joe@example.org")
    assert "is not a valid email address" in press(owner, path, do="address", address="nobody")
    assert press(owner, path, do="address", address="bob@example.org") == "Saved: address."
    assert (f"/readers/{known(web, 'bob').uid}", history(web, "bob")) == (path, ["address corrected"])


def test_someone_unsubscribed_is_subscribed_again_only_with_a_reason(web: WebClient, owner: Owner) -> None:
    path = add(web, "eve")
    assert press(owner, path, do="unsubscribe", newsletter="weekly") == "Unsubscribed from weekly."
    assert press(owner, path, do="unsubscribe", newsletter="weekly") == "They were not subscribed."
    assert "say how they agreed" in press(owner, path, do="subscribe", newsletter="weekly")
    assert "choose a newsletter" in press(owner, path, do="subscribe", newsletter="nix", why="x")
    assert press(owner, path, do="subscribe", newsletter="weekly", why="by phone") == "Subscribed to weekly."
    assert press(owner, path, do="subscribe", newsletter="daily", why="by phone") == "Subscribed to daily."
    assert history(web, "eve") == ["removed", "returned", "subscribed", "subscribed"]
    assert press(owner, path, do="unsubscribe", newsletter="") == "Unsubscribed from everything."
    assert known(web, "eve").status.value == "unsubscribed"


def test_a_suppression_asks_and_can_be_lifted(web: WebClient, owner: Owner) -> None:
    path = add(web, "sue")
    assert "please tick the confirmation box" in press(owner, path, do="suppress")
    assert "nothing will be sent to it" in press(owner, path, do="suppress", sure="yes")
    assert "already" in press(owner, path, do="suppress", sure="yes")
    assert known(web, "sue").status.value == "suppressed"
    again = press(owner, path, do="subscribe", newsletter="weekly", why="by phone")
    assert "is on the suppression list, so no email is sent to it (with this person" in again
    assert "off the suppression list" in press(owner, path, do="lift")
    assert "was not on" in press(owner, path, do="lift")


def test_a_confirmation_is_sent_again_to_people_who_have_not_confirmed(web: WebClient, owner: Owner) -> None:
    path = add(web, "ann")
    assert "is not waiting for a confirmation" in press(owner, path, do="ask")
    web.ask("pia@example.org")
    web.link("pia@example.org")
    pia = f"/readers/{known(web, 'pia').uid}"
    assert "less than an hour ago" in press(owner, pia, do="ask")
    assert "Send the confirmation again" in owner.get(pia).text
    (web.project.root / "file.csv").write_text("email\nfile@example.org\n")
    file, at = str(web.project.root / "file.csv"), ["--now", "2026-11-20T10:00"]
    assert run(["-C", str(web.project.root), *at, "subscribers", "import", file, "--as", "unconfirmed"]) == 0
    filed = f"/readers/{known(web, 'file').uid}"
    assert known(web, "file").status.value == "pending"
    assert "Send the confirmation again" not in owner.get(filed).text
    assert "has never asked for email here" in press(owner, filed, do="ask")


def test_all_data_is_deleted_only_after_a_question(web: WebClient, owner: Owner) -> None:
    path = add(web, "del")
    page = owner.get(f"{path}/erase").text
    assert "del@example.org" in page
    assert "rows are deleted" in page
    assert "please tick the confirmation box" in press(owner, f"{path}/erase")
    assert "All data about del@example.org was deleted" in press(owner, f"{path}/erase", sure="yes")
    with open_project_store(web.project.config()) as store:
        assert store.subscribers.get("del@example.org") is None
        assert store.suppressions.is_listed("del@example.org")
    assert owner.client.post(f"/admin{path}", data={"token": owner.token("/readers/add")}).status_code == 404
    assert owner.get(f"{path}/erase").status_code == 404


def test_someone_is_added_with_a_reason_and_never_against_their_will(web: WebClient, owner: Owner) -> None:
    def send(**fields: str) -> str:
        data = {"token": owner.token("/readers/add"), "newsletter": "weekly", "why": "at the fair", **fields}
        answer = owner.client.post("/admin/readers/add", data=data)
        return str(answer.text if answer.status_code == 200 else answer.headers["location"])

    assert send(address="new@example.org", name="Név", tags="fair, 2026").startswith("/admin/readers/")
    new = known(web, "new")
    assert (new.name, new.tags) == ("Név", ("2026", "fair"))
    with open_project_store(web.project.config()) as store:
        event = store.subscribers.consent(new.id)[0]
        assert (event.what, event.source, event.detail) == ("added", SOURCE, "at the fair")
    assert "say how they agreed" in (page := send(address="x@example.org", why=""))
    assert 'value="x@example.org"' in page  # the typed text is still there
    assert "is not a valid email address" in send(address="nobody")
    with open_project_store(web.project.config()) as store:
        suppress(store, "gone@example.org", now=datetime(2026, 11, 2, tzinfo=UTC), source="t")
    refused = send(address="gone@example.org", name="Gone")
    assert "gone@example.org is on the suppression list" in refused
    assert "Take it off the suppression list" in refused
    lifted = send(address="gone@example.org", name="Gone", do="lift")
    assert "off the suppression list. Now add it." in lifted
    assert 'value="Gone"' in lifted
    assert "publisher subscribers" not in refused + lifted
    press(owner, f"/readers/{new.uid}", do="unsubscribe", newsletter="weekly")
    page = send(address="new@example.org")
    assert "unsubscribed from weekly" in page
    assert "tick the last box and say how they asked" in page
    assert known(web, "new").status.value == "unsubscribed"
    assert send(address="new@example.org", again="yes").startswith("/admin/readers/")
    assert known(web, "new").status.value == "active"


def test_the_log_records_actions_without_addresses_in_the_database(web: WebClient, owner: Owner) -> None:
    path = add(web, "log")
    press(owner, path, do="tag", tags="vip")
    log = owner.get("/log").text
    assert "changed a subscriber" in log
    assert "log@example.org" in log  # looked up while they exist
    assert not [row for row in web.rows()["actions"] if "@example.org" in row]


def test_the_buttons_need_the_owner_and_a_token(web: WebClient, owner: Owner) -> None:
    path = add(web, "csrf")
    for each in ("/readers/add", path, f"{path}/erase"):
        assert owner.client.post(f"/admin{each}", data={"do": "tag", "tags": "x", "sure": "yes"}).status_code == 403
    assert (
        Owner(web).get(f"{path}/erase").headers["location"] == f"/admin/login?next={quote(path[1:], safe='')}%2Ferase"
    )
    assert known(web, "csrf").tags == ()
    for bad in ("0" * 24, "x" * 500, "%2e%2e"):
        answer = owner.client.post(f"/admin/readers/{bad}", data={"token": owner.token("/readers/add"), "do": "tag"})
        assert answer.status_code == 404
