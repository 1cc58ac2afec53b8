"""A subscriber's own pages over HTTP: preferences, address change, unsubscribing and undoing it, data and deletion."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.project import Project
from tests.support.web_client import WebClient, database, link_in, until, web_client


@pytest.fixture(params=["sqlite", "postgresql"])
def web(project: Project, request: pytest.FixtureRequest) -> Iterator[WebClient]:
    """A client of the application, on each kind of database."""
    more = ""
    if request.param == "postgresql":
        more = f'[database]\nurl = "{request.getfixturevalue("postgres_url")}"\n'
    with web_client(project, more) as running:
        yield running


def stored(web: WebClient) -> bytes:
    """Return everything in the database in lower case: every row, and every byte of SQLite's files."""
    return (repr(web.rows()).encode() + database(web.project.root)).lower()


def held(web: WebClient, address: str = "ada@example.org") -> dict[str, list[str]]:
    """Return the newsletters of a subscriber, with their topics."""
    return {held["newsletter"]: held["topics"] for held in web.show(address)["subscriptions"]}


def leave_link(web: WebClient, address: str = "ada@example.org") -> str:
    """Publish; return the link in List-Unsubscribe."""
    web.project.ok("publish")
    return web.mails(address, 2)[-1]["List-Unsubscribe"].strip("<>")


def test_preferences_are_saved(web: WebClient) -> None:
    path = web.subscribed()
    before = web.rows()
    page = web.get(path)
    assert page.status_code == 200
    assert web.rows() == before

    chosen = {"newsletter": ["weekly", "daily"], "topic.weekly": ["R&D"], "language": "de", "pause": "2"}
    saved = web.post(path, do="save", **chosen)
    assert saved.status_code == 200
    person = web.show()
    assert person["language"] == "de"
    assert person["paused_until"]
    assert held(web) == {"daily": [], "weekly": ["R&D"]}
    assert '<html lang="de"' in saved.text
    assert 'value="R&amp;D" checked' in saved.text

    named = web.post(path, do="save", newsletter=["weekly", "daily"], name="Ada <L.>", shown="daily")
    assert 'name="name" value="Ada &lt;L.&gt;"' in named.text
    assert held(web) == {"daily": [], "weekly": []}
    assert web.post(path, do="save", shown="daily").status_code == 200
    assert held(web) == {"weekly": []}

    ended = web.post(path, do="save", newsletter="daily", pause="0")
    assert ended.status_code == 200
    assert (held(web), web.show()["paused_until"]) == ({"daily": []}, None)


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
def test_unknown_choices_change_nothing(web: WebClient, fields: dict[str, str]) -> None:
    path = web.subscribed()
    before = web.rows()
    assert web.post(path, **({"do": "save"} | fields)).status_code == 400
    assert web.rows() == before


def test_unticking_every_newsletter_says_that_no_more_emails_will_come(web: WebClient) -> None:
    path = web.subscribed("zoe@example.org")
    page = web.post(path, do="save", shown=["weekly", "daily"])
    assert "You won’t receive any more emails from us." in page.text
    page = web.post(path, do="save", shown=["weekly", "daily"], newsletter=["weekly"])
    assert "You won’t receive" not in page.text


def test_one_button_of_the_preferences_unsubscribes_from_everything(web: WebClient) -> None:
    path = web.subscribed("ada@example.org", "weekly", "daily")
    found = re.search(r'action="(/unsubscribe/[^"]+)">\s*<p><button [^>]+value="leave-all">', web.get(path).text)
    assert found
    assert web.post(found[1], do="leave-all").status_code == 200
    assert held(web) == {}
    assert "leave-all" not in web.get(path).text
    assert web.post(found[1], do="back", scope="all").status_code == 200
    assert set(held(web)) == {"weekly", "daily"}


def test_one_click_unsubscribe_can_be_repeated(web: WebClient) -> None:
    web.subscribed("ada@example.org", "weekly", "daily")
    link = leave_link(web)
    kinds = [{"data": {"List-Unsubscribe": "One-Click"}}, {"files": {"List-Unsubscribe": (None, "One-Click")}}]
    for how in kinds * 2:
        answer = web.browser().post(link, **how)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
        assert len(held(web)) == 1


def test_unsubscribe_link_changes_nothing_and_its_buttons_do(web: WebClient) -> None:
    web.subscribed("ada@example.org", "weekly", "daily", **{"topic.weekly": "Reading"})
    link = leave_link(web)
    before, had = web.rows(), held(web)
    page = web.get(link)
    assert (page.status_code, web.rows() == before) == (200, True)

    assert web.post(link, do="leave-all", reason="Too\r\nmany").status_code == 200
    assert web.show()["status"] == "unsubscribed"
    assert web.post(link, do="back", scope="all").status_code == 200
    assert (web.show()["status"], held(web)) == ("active", had)

    assert web.post(link, do="leave").status_code == 200
    assert held(web) != had
    assert web.post(link, do="back", scope="one").status_code == 200
    assert held(web) == had
    assert "Too many" in str(web.show()["consent"])


def test_a_new_address_is_confirmed_there(web: WebClient) -> None:
    path = web.subscribed()
    assert web.post(path, do="move", email="ada@new.example.org").status_code == 400
    account = web.account(path)
    before = web.rows()
    assert web.get(account).status_code == 200
    assert web.post(account, do="move", email="nonsense").status_code == 400
    assert web.rows() == before
    said = web.post(account, do="move", email="ada@new.example.org")
    assert said.status_code == 200
    assert web.post(account, do="move", email="other@new.example.org").status_code == 404
    link = web.link("ada@new.example.org", "address")
    before = web.rows()
    assert web.get(link).status_code == 200
    assert web.rows() == before
    assert web.post(link).status_code == 200
    assert web.show("ada@new.example.org")["status"] == "active"
    assert web.project.run("subscribers", "show", "ada@example.org").code == 1
    assert web.post(link).status_code == 404
    assert web.get(path).status_code == 200
    back = web.link("ada@example.org", "address", 3)
    assert web.post(back).status_code == 200
    assert web.show("ada@example.org")["status"] == "active"


def test_a_newer_address_change_voids_the_older_one(web: WebClient) -> None:
    path = web.subscribed()

    def move(address: str, count: int) -> httpx.Response:
        return web.post(web.account(path, count=count), do="move", email=address)

    move("typo@example.org", 1)
    typo = web.link("typo@example.org", "address")
    assert "victim" not in move("right@example.org", 2).text
    right = web.link("right@example.org", "address")
    assert web.post(typo).status_code == 404
    assert move("third@example.org", 3).status_code == 200
    limited = move("fourth@example.org", 4)
    assert (limited.status_code, "We haven’t sent another link to fourth@example.org" in limited.text) == (429, True)
    assert web.post(right).status_code == 404


def test_the_old_address_is_notified_and_not_imported_again(web: WebClient) -> None:
    path = web.subscribed(name="Ada")
    web.post(web.account(path), do="move", email="new@example.org")
    assert web.post(web.link("new@example.org", "address")).status_code == 200
    told = web.mails("ada@example.org", 3)[-1]
    assert told["Subject"] == "Your email address for The Quiet Reader has changed"
    assert "new@example.org" not in told.as_string()
    web.project.write("old.csv", "email\nada@example.org\n")
    again = web.project.run("subscribers", "import", str(web.project.root / "old.csv"))
    assert (again.code, "ada@example.org moved to another address" in again.err) == (1, True)
    assert "has moved to a different address" in web.project.run("subscribers", "show", "ada@example.org").err


def test_deletion_leaves_no_trace(web: WebClient) -> None:
    address = "ada.lovelace@example.org"
    path = web.subscribed(address, name="Ada Lovelace")
    assert web.get(f"{path}/data").status_code == 404
    assert web.post(f"{path}/erase", do="erase").status_code == 405
    data = web.post(web.account(path, address), do="data")
    assert data.json()["email"] == address
    assert "attachment" in data.headers["content-disposition"]
    account = web.account(path, address, 2)
    before = web.rows()
    assert b"lovelace" in stored(web)
    assert web.get(f"{account}/erase").status_code == 200
    assert web.rows() == before

    gone = web.post(f"{account}/erase", do="erase")
    assert gone.status_code == 200
    assert b"lovelace" not in stored(web)
    assert web.get(path).status_code == 404
    assert web.get(account).status_code == 404
    web.project.write("again.csv", f"email\n{address}\n")
    assert web.project.run("subscribers", "import", str(web.project.root / "again.csv")).code == 1
    assert web.ask(address).status_code == 200
    told = web.mails(address, 4)[-1]
    assert told["Subject"] == "The weekly <letter> can’t be sent to your address"
    assert "this address is on our suppression list" in " ".join(told.get_body(("plain",)).get_content().split())
    assert b"lovelace" not in stored(web)


def test_the_never_button_suppresses_the_address(web: WebClient) -> None:
    web.ask("ada@example.org")
    link = web.link("ada@example.org", "never")
    before = web.rows()
    assert "never write to it again" in web.get(link).text
    assert web.post(link).status_code == 400
    assert web.rows() == before
    for _ in range(2):
        assert web.post(link, do="never").status_code == 200
    assert web.project.run("subscribers", "show", "ada@example.org").code == 1
    assert web.get(web.link()).status_code == 404


def test_farewell_emails_can_be_switched_on(project: Project) -> None:
    with web_client(project, "[subscribers]\nfarewell = true\n") as web:
        web.subscribed("ada@example.org", "weekly", "daily", **{"topic.weekly": "Reading"})
        had = held(web)
        link = leave_link(web)
        web.post(link, **{"List-Unsubscribe": "One-Click"})
        told = until(lambda: [mail for mail in web.mails("ada@example.org") if "unsubscribed" in mail["Subject"]])
        assert len(held(web)) == 1
        assert web.post(link_in(told[0], "confirm"), do="confirm").status_code == 200
        assert held(web) == had


OWN_FAREWELL = """\
---
subject: Goodbye{% if subscriber.name %}, {{ subscriber.name | default("you") }}{% endif %}
---
It was good to have you, {{ subscriber.name | default("reader") }}. **Farewell.**
"""


def test_a_farewell_in_own_words_is_sent_once_and_can_subscribe_again(project: Project) -> None:
    project.write("letters/weekly/farewell.md", OWN_FAREWELL)
    with web_client(project) as web:
        web.subscribed("ada@example.org", "weekly", name="Ada <3")
        had, link = held(web), leave_link(web)
        web.post(link, **{"List-Unsubscribe": "One-Click"})
        told = until(lambda: [mail for mail in web.mails("ada@example.org") if "Goodbye" in mail["Subject"]])
        assert told[0]["Subject"] == "Goodbye, Ada <3"
        plain, html = (told[0].get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert "It was good to have you, Ada <3. Farewell." in plain
        assert "It was good to have you, Ada &lt;3. <strong>Farewell.</strong>" in html
        assert "@@publisher" not in plain + html and "Subscribe again" in plain
        editions = web.project.ok("editions", "--json").json
        own = [each for each in editions if each["kind"] == "farewell"]
        assert [(each["subject"], each["deliveries"]) for each in own] == [("Goodbye", {"sent": 1})]
        assert web.post(link_in(told[0], "confirm"), do="confirm").status_code == 200
        assert held(web) == had
        project.write("letters/weekly/farewell.md", OWN_FAREWELL.replace("good", "great"))
        web.post(link, **{"List-Unsubscribe": "One-Click"})
        until(lambda: "publisher_mailroom_waiting 0.0" in web.get("/metrics").text)
        assert len([mail for mail in web.mails("ada@example.org") if "Goodbye" in mail["Subject"]]) == 1


def test_the_default_farewell_replaces_a_broken_one(project: Project) -> None:
    project.write("letters/weekly/farewell.md", "---\nsubject: Goodbye\n---\n{{ subscriber.nome }}\n")
    with web_client(project, "[subscribers]\nfarewell = true\n") as web:
        web.subscribed("ada@example.org", "weekly")
        web.post(leave_link(web), **{"List-Unsubscribe": "One-Click"})
        until(lambda: [mail for mail in web.mails("ada@example.org") if "unsubscribed" in mail["Subject"]])
        assert "letters/weekly/farewell.md:4" in web.project.run("check").out


def test_an_old_preferences_link_asks_by_email_first(project: Project) -> None:
    with web_client(project, now="2026-11-20T10:00") as web:
        path = web.subscribed()
        web.post(path, do="save", shown=["weekly", "daily"])
    with web_client(project, now="2026-11-21T10:01") as web:
        said = web.post(path, do="save", shown=["weekly", "daily"], newsletter="weekly")
        assert "You unsubscribed from The weekly &lt;letter&gt; some time ago" in said.text
        assert held(web) == {}
        web.post(link_in(web.mails("ada@example.org", 2)[-1], "confirm"), do="confirm")
        assert held(web) == {"weekly": []}


def test_bad_tokens_open_nothing(web: WebClient) -> None:
    path = web.subscribed()
    leave = leave_link(web).removeprefix(web.url)
    web.ask("waiting@example.org")
    confirm = web.link("waiting@example.org").removeprefix(web.url)
    tokens = {p.split("/")[1]: p.split("/")[2] for p in (path, leave, confirm)}
    pages = ["confirm", "address", "preferences", "unsubscribe", "account", "never"]
    bad = ["x", "%00", "%ff", "a.b.c", "é" * 50, "x" * 5_000, "..%2f..%2fetc", "%3Cscript%3E"]
    tries = [f"/{page}/{token}" for page in pages for token in bad]
    tries += [f"/{page}/{token}" for page in pages for own, token in tokens.items() if page != own]
    tries += [f"/{page}/{token[:-1]}" for page, token in tokens.items()]
    tries += [f"/{page}/{'A' if token[0] != 'A' else 'B'}{token[1:]}" for page, token in tokens.items()]
    tries += [f"/account/{token}/erase" for token in tokens.values()]
    before = web.rows()
    one_click = {"List-Unsubscribe": "One-Click", "do": "erase"}
    codes = {(path, web.get(path).status_code) for path in tries}
    codes |= {(path, web.post(path, **one_click).status_code) for path in tries}
    assert {code for _, code in codes} == {404}
    assert web.rows() == before


def test_confirmation_token_expires(project: Project) -> None:
    more = "[subscribers]\nconfirm_days = 2\n"
    with web_client(project, more, now="2026-11-20T10:00") as web:
        web.ask()
        link = link_in(web.mails("ada@example.org")[0], "confirm")
        assert web.get(link).status_code == 200
    path = link.removeprefix(web.url)
    with web_client(project, more, now="2026-11-22T10:01") as web:
        before = web.rows()
        assert web.get(path).status_code == 404
        assert web.post(path).status_code == 404
        assert web.rows() == before


def test_subscribers_choose_how_often_if_it_is_offered(project: Project) -> None:
    newsletters = (
        '[[newsletters]]\nname = "weekly"\nschedule = "daily 08:00"\n'
        'frequencies = ["weekly monday 08:00", "monthly first weekday 08:00"]\n\n[[newsletters]]\nname = "daily"\n'
    )
    with web_client(project, newsletters=newsletters) as web:
        path = web.subscribed()
        page = web.get(path).text
        assert page.count("<select") - page.count('name="often.weekly"') == 2
        assert "How often" in page
        assert ">At most one email a month</option>" in page
        saved = web.post(path, do="save", newsletter="weekly", **{"often.weekly": "monthly"}).text
        assert '<option value="monthly" selected>' in saved
        assert [event["detail"] for event in web.show()["consent"] if event["what"] == "frequency"] == [
            "weekly monthly"
        ]
        for field in ({"often.weekly": "daily"}, {"often.daily": "weekly"}, {"often.weekly": "x" * 1_000}):
            assert web.post(path, do="save", newsletter="weekly", **field).status_code == 400
        assert '<option value="monthly" selected>' in web.get(path).text
        again = web.post(path, do="save", newsletter="weekly", **{"often.weekly": ""}).text
        assert '<option value="" selected>' in again
