"""A person's own pages over HTTP: choosing, pausing, moving, leaving, coming back, data, erasure."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.project import Project
from tests.support.web_server import Serving, database, link_in, serving


@pytest.fixture(params=["sqlite", "postgresql"])
def server(project: Project, request: pytest.FixtureRequest) -> Iterator[Serving]:
    """A server with its record, once on each kind of database."""
    more = ""
    if request.param == "postgresql":
        more = f'[database]\nurl = "{request.getfixturevalue("postgres_url")}"\n'
    with serving(project, more) as running:
        yield running


def kept(server: Serving) -> bytes:
    """All that the record holds, in lower case: every row, and every byte of SQLite's files."""
    return (repr(server.rows()).encode() + database(server.project.root)).lower()


def held(server: Serving, address: str = "ada@example.org") -> dict[str, list[str]]:
    """Newsletters and topics that somebody gets."""
    return {held["newsletter"]: held["topics"] for held in server.show(address)["subscriptions"]}


def leave_link(server: Serving, address: str = "ada@example.org") -> str:
    """The link of the newest edition's List-Unsubscribe."""
    server.project.ok("publish")
    return server.mails(address, 2)[-1]["List-Unsubscribe"].strip("<>")


def test_newsletters_topics_language_and_a_pause_are_chosen_on_one_page(server: Serving) -> None:
    path = server.subscribed()
    before = server.rows()
    page = server.get(path)
    assert page.status_code == 200
    assert server.rows() == before

    chosen = {"newsletter": ["weekly", "daily"], "topic.weekly": ["R&D"], "language": "de", "pause": "2"}
    saved = server.post(path, do="save", **chosen)
    assert saved.status_code == 200
    person = server.show()
    assert person["language"] == "de"
    assert person["paused_until"]
    assert held(server) == {"daily": [], "weekly": ["R&D"]}
    assert '<html lang="de"' in saved.text
    assert 'value="R&amp;D" checked' in saved.text

    named = server.post(path, do="save", newsletter=["weekly", "daily"], name="Ada <L.>", shown="daily")
    assert 'name="name" value="Ada &lt;L.&gt;"' in named.text
    assert held(server) == {"daily": [], "weekly": []}
    assert server.post(path, do="save", shown="daily").status_code == 200
    assert held(server) == {"weekly": []}

    ended = server.post(path, do="save", newsletter="daily", pause="0")
    assert ended.status_code == 200
    assert (held(server), server.show()["paused_until"]) == ({"daily": []}, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"newsletter": "monthly"},
        {"newsletter": "weekly", "topic.weekly": "Nothing like it"},
        {"newsletter": "weekly", "pause": "-1"},
        {"newsletter": "weekly", "pause": "53"},
        {"newsletter": "weekly", "pause": "1e9"},
        {"do": "everything"},
    ],
)
def test_what_the_page_does_not_offer_is_refused_and_changes_nothing(server: Serving, fields: dict[str, str]) -> None:
    path = server.subscribed()
    before = server.rows()
    assert server.post(path, **({"do": "save"} | fields)).status_code == 400
    assert server.rows() == before


def test_one_click_leaves_again_and_again_without_cookies_or_redirect(server: Serving) -> None:
    server.subscribed("ada@example.org", "weekly", "daily")
    link = leave_link(server)
    kinds = [{"data": {"List-Unsubscribe": "One-Click"}}, {"files": {"List-Unsubscribe": (None, "One-Click")}}]
    for how in kinds * 2:
        answer = httpx.post(link, follow_redirects=False, **how)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
        assert len(held(server)) == 1


def test_opening_a_link_to_leave_changes_nothing_and_its_buttons_leave_and_bring_back(server: Serving) -> None:
    server.subscribed("ada@example.org", "weekly", "daily", **{"topic.weekly": "Reading"})
    link = leave_link(server)
    before, had = server.rows(), held(server)
    page = server.get(link)
    assert (page.status_code, server.rows() == before) == (200, True)

    assert server.post(link, do="leave-all", reason="Too\r\nmany").status_code == 200
    assert server.show()["status"] == "unsubscribed"
    assert server.post(link, do="back", scope="all").status_code == 200
    assert (server.show()["status"], held(server)) == ("active", had)

    assert server.post(link, do="leave").status_code == 200
    assert held(server) != had
    assert server.post(link, do="back", scope="one").status_code == 200
    assert held(server) == had
    assert "Too many" in str(server.show()["consent"])


def test_a_new_address_is_confirmed_at_the_new_one(server: Serving) -> None:
    path = server.subscribed()
    said = server.post(path, do="move", email="ada@new.example.org")
    assert said.status_code == 200
    link = server.link("ada@new.example.org", "address")
    before = server.rows()
    assert server.get(link).status_code == 200
    assert server.rows() == before
    assert server.post(link).status_code == 200
    assert server.show("ada@new.example.org")["status"] == "active"
    assert server.project.run("subscribers", "show", "ada@example.org").code == 1
    assert server.post(link).status_code == 404
    assert server.get(path).status_code == 200
    assert server.post(path, do="move", email="nonsense").status_code == 400


def test_of_two_wishes_for_an_address_the_newer_is_mailed_and_the_older_is_void(server: Serving) -> None:
    path = server.subscribed()
    server.post(path, do="move", email="typo@example.org")
    typo = server.link("typo@example.org", "address")
    assert "victim" not in server.post(path, do="move", email="right@example.org").text
    right = server.link("right@example.org", "address")
    assert server.post(typo).status_code == 404
    assert server.post(path, do="move", email="third@example.org").status_code == 200
    limited = server.post(path, do="move", email="fourth@example.org")
    assert (limited.status_code, "We haven’t sent another link to fourth@example.org" in limited.text) == (429, True)
    assert server.post(right).status_code == 404


def test_the_old_address_is_told_of_a_move_and_no_file_brings_it_back(server: Serving) -> None:
    path = server.subscribed(name="Ada")
    server.ask("new@example.org", "daily")  # somebody who would block it
    server.mails("new@example.org")
    server.post(path, do="move", email="new@example.org")
    assert server.post(server.link("new@example.org", "address", 2)).status_code == 200
    told = server.mails("ada@example.org", 2)[-1]
    assert told["Subject"] == "Your email address for The Quiet Reader has changed"
    assert "new@example.org" not in told.as_string()
    server.project.write("old.csv", "email\nada@example.org\n")
    again = server.project.run("subscribers", "import", str(server.project.root / "old.csv"))
    assert (again.code, "ada@example.org moved to another address" in again.err) == (1, True)
    assert "moved to another address" in server.project.run("subscribers", "show", "ada@example.org").err


def test_data_are_given_and_erasure_leaves_no_byte_and_no_way_back(server: Serving) -> None:
    address = "ada.lovelace@example.org"
    path = server.subscribed(address, name="Ada Lovelace")
    data = server.get(f"{path}/data")
    assert data.json()["email"] == address
    assert "attachment" in data.headers["content-disposition"]
    before = server.rows()
    assert b"lovelace" in kept(server)
    assert server.get(f"{path}/erase").status_code == 200
    assert server.rows() == before

    gone = server.post(f"{path}/erase", do="erase")
    assert gone.status_code == 200
    assert b"lovelace" not in kept(server)
    assert server.get(path).status_code == 404
    assert server.get(f"{path}/data").status_code == 404
    server.project.write("again.csv", f"email\n{address}\n")
    assert server.project.run("subscribers", "import", str(server.project.root / "again.csv")).code == 1
    assert server.ask(address).status_code == 200
    server.ask("other@example.org")
    server.mails("other@example.org")
    assert b"lovelace" not in kept(server)


def test_a_token_that_is_forged_cut_used_or_for_something_else_opens_nothing(server: Serving) -> None:
    path = server.subscribed()
    leave = leave_link(server).removeprefix(server.url)
    server.ask("waiting@example.org")
    confirm = server.link("waiting@example.org").removeprefix(server.url)
    tokens = {p.split("/")[1]: p.split("/")[2] for p in (path, leave, confirm)}
    pages = ["confirm", "address", "preferences", "unsubscribe"]
    bad = ["x", "%00", "%ff", "a.b.c", "é" * 50, "x" * 5_000, "..%2f..%2fetc", "%3Cscript%3E"]
    tries = [f"/{page}/{token}" for page in pages for token in bad]
    tries += [f"/{page}/{token}" for page in pages for own, token in tokens.items() if page != own]
    tries += [f"/{page}/{token[:-1]}" for page, token in tokens.items()]
    tries += [f"/{page}/{'A' if token[0] != 'A' else 'B'}{token[1:]}" for page, token in tokens.items()]
    tries += [f"/preferences/{tokens['unsubscribe']}/{what}" for what in ("data", "erase")]
    before = server.rows()
    one_click = {"List-Unsubscribe": "One-Click", "do": "erase"}
    codes = {(path, server.get(path).status_code) for path in tries}
    codes |= {(path, server.post(path, **one_click).status_code) for path in tries if not path.endswith("/data")}
    assert {code for _, code in codes} == {404}
    assert server.rows() == before


def test_a_token_is_good_for_its_days_only(project: Project) -> None:
    more = "[subscribers]\nconfirm_days = 2\n"
    with serving(project, more, now="2026-11-20T10:00") as server:
        server.ask()
        link = link_in(server.mails("ada@example.org")[0], "confirm")
        assert server.get(link).status_code == 200
    path = link.removeprefix(server.url)
    with serving(project, more, now="2026-11-22T10:01") as server:
        before = server.rows()
        assert server.get(path).status_code == 404
        assert server.post(path).status_code == 404
        assert server.rows() == before
