"""Subscribing over HTTP, with the real server, database and outbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.project import Project
from tests.support.web_server import Serving, link_in, serving, until


@pytest.fixture
def server(project: Project) -> Iterator[Serving]:
    with serving(project) as running:
        yield running


def test_a_stranger_becomes_a_subscriber_by_the_button_behind_the_mailed_link(server: Serving) -> None:
    answer = server.ask("ada@example.org", "weekly", name="Ada", **{"topic.weekly": ["Reading", "日本語"]})
    assert (answer.status_code, "Check your inbox" in answer.text) == (200, True)
    link = server.link()
    assert server.show()["status"] == "pending"

    before = server.rows()
    page = server.get(link)
    assert page.status_code == 200
    assert "The weekly &lt;letter&gt;" in page.text
    assert server.rows() == before

    done = server.post(link, do="confirm")
    assert done.status_code == 200
    person = server.show()
    assert (person["status"], person["name"], person["language"]) == ("active", "Ada", "en")
    assert person["subscriptions"] == [{"newsletter": "weekly", "topics": ["Reading", "日本語"]}]
    assert server.get(link).status_code == 404
    assert server.post(link).status_code == 404


def test_the_page_behind_the_mail_shows_what_is_to_be_and_lets_it_be_changed(server: Serving) -> None:
    server.ask("ada@example.org", "weekly", name="Ada", **{"topic.weekly": "Reading"})
    link = server.link()
    server.ask("ada@example.org", "weekly", "daily", name="Mallory")
    server.ask("other@example.org")
    server.mails("other@example.org")
    page = server.get(link).text
    assert re.findall(r'name="newsletter" value="(\w+)"( checked)?', page) == [("weekly", " checked"), ("daily", "")]
    assert 'value="Reading" checked' in page
    assert 'name="name" value="Ada"' in page
    assert "Mallory" not in page

    before = server.rows()
    shown = ["weekly", "daily"]
    assert "Choose at least one" in server.post(link, do="confirm", shown=shown, name="Ada L.").text
    assert server.post(link, do="confirm", shown=shown, newsletter="monthly").status_code == 400
    assert server.rows() == before
    assert server.post(link, do="confirm", shown=shown, newsletter="daily", name="Ada L.").status_code == 200
    person = server.show()
    assert (person["name"], person["subscriptions"]) == ("Ada L.", [{"newsletter": "daily", "topics": []}])


def test_a_topic_that_was_renamed_while_the_page_was_open_is_said_to_be_gone(server: Serving) -> None:
    answer = server.ask("ada@example.org", "weekly", **{"topic.weekly": "Renamed"})
    assert answer.status_code == 400
    assert "has changed since this page was opened" in answer.text
    assert "Choose at least one" in server.post("/subscribe", email="ada@example.org").text


def test_a_strangers_words_are_nowhere_in_the_mail_that_the_form_causes(server: Serving) -> None:
    server.ask("ada@example.org", name="Your account is locked, visit https://evil.example/login NOW")
    (mail,) = server.mails("ada@example.org")
    parts = [mail.as_string(), *(part.get_content() for part in mail.walk() if not part.is_multipart())]
    assert not [part for part in parts if "evil" in part or "locked" in part]
    assert mail["To"] == "ada@example.org"


def test_the_answer_is_the_same_whoever_the_address_belongs_to(server: Serving) -> None:
    server.project.ok("subscribers", "add", "active@example.org", "--newsletter", "weekly")
    server.project.ok("subscribers", "add", "left@example.org", "--newsletter", "weekly")
    server.project.ok("subscribers", "remove", "left@example.org")
    server.project.ok("subscribers", "suppress", "never@example.org")
    names = ("stranger", "active", "left", "never")
    answers = {name: server.ask(f"{name}@example.org") for name in names}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len({answer.text.replace(name, "NAME") for name, answer in answers.items()}) == 1
    assert len({tuple(sorted(set(answer.headers) - {"date"})) for answer in answers.values()}) == 1
    assert "already" not in link_in(server.mails("stranger@example.org")[0], "confirm")
    assert "/preferences/" in link_in(server.mails("active@example.org")[0], "preferences")
    assert "/confirm/" in link_in(server.mails("left@example.org")[0], "confirm")
    assert not [f for f in server.project.files("outbox/new") if "never" in f]


def test_many_posts_at_once_for_one_address_make_one_subscriber_and_one_mail(project: Project) -> None:
    with serving(project, web="address_limit = 100000\nclient_limit = 100000") as server:
        addresses = ["ada@example.org", "Ada@Example.ORG", "ADA@example.org"]

        def ask(number: int) -> int:
            return server.ask(addresses[number % 3]).status_code

        with ThreadPoolExecutor(32) as pool:
            assert set(pool.map(ask, range(500))) == {200}
        server.ask("last@example.org")
        server.mails("last@example.org")
        assert server.project.ok("subscribers", "stats", "--json").json["status"]["pending"] == 2
        assert len(server.project.files("outbox/new")) == 2


def test_a_form_in_any_page_works_in_both_encodings_and_need_not_name_the_only_newsletter(project: Project) -> None:
    with serving(project, newsletters='[[newsletters]]\nname = "weekly"\n') as server:
        made = server.project.ok("serve", "--snippet").out
        assert f'action="{server.url}/subscribe"' in made
        assert "<script" not in made
        assert server.post("/subscribe", email="one@example.org").status_code == 200
        parts = {"email": (None, "two@example.org"), "name": (None, "Zwei Ü")}
        foreign = {"origin": "https://elsewhere.example", "referer": "https://elsewhere.example/"}
        assert httpx.post(f"{server.url}/subscribe", files=parts, headers=foreign).status_code == 200
        server.mails("one@example.org")
        server.post(server.link("two@example.org"))
        assert server.show("two@example.org")["name"] == "Zwei Ü"


def test_a_program_that_fills_in_the_hidden_field_is_thanked_and_forgotten(server: Serving) -> None:
    assert server.ask("bot@example.org", website="https://spam.example").status_code == 200
    server.ask("ada@example.org")
    server.mails("ada@example.org")
    assert [row for row in server.rows()["subscribers"] if "bot@" in row] == []


def test_one_address_is_looked_at_so_often_in_an_hour_and_nobody_is_told(project: Project) -> None:
    with serving(project, web="address_limit = 2") as server:
        answers = [server.ask("ada@example.org").status_code for _ in range(5)]
        assert answers == [200] * 5
        server.ask("grace@example.org")
        server.mails("grace@example.org")
        metrics = server.get("/metrics").text
        assert 'publisher_mailroom_work_total{outcome="done",what="request"} 3.0' in metrics


def test_one_client_may_send_so_many_forms_in_an_hour(project: Project) -> None:
    with serving(project, web="client_limit = 3") as server:
        answers = [server.ask(f"{n}@example.org") for n in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 3_600


@pytest.mark.parametrize(
    ("language", "word", "subject"),
    [("de-AT,de;q=0.9,en;q=0.5", "Abonnieren", "bestätigen"), ("ar", "اشترك", "")],
)
def test_pages_and_notices_speak_the_readers_language(server: Serving, language: str, word: str, subject: str) -> None:
    page = server.get("/subscribe", **{"accept-language": language})
    assert word in page.text
    tag = re.search(r'<html lang="([^"]+)" dir="(\w+)"', page.text)
    assert tag[2] == ("rtl" if language == "ar" else "ltr")
    assert re.search(r"<h1>[^<]*<bdi>The Quiet Reader</bdi>[^<]*</h1>", page.text)
    server.ask("ada@example.org", language=tag[1])
    assert subject in server.mails("ada@example.org")[0]["Subject"].lower()
    assert f'lang="{tag[1]}"' in server.get(server.link()).text


def test_the_newest_edition_welcomes_whoever_confirms_where_the_newsletter_wants_that(project: Project) -> None:
    newsletters = '[[newsletters]]\nname = "weekly"\nwelcome = true\n'
    with serving(project, newsletters=newsletters) as server:
        server.project.subscribe("first")
        server.project.ok("publish")
        server.subscribed("ada@example.org")
        welcome = server.mails("ada@example.org", 2)[-1]
        assert welcome["List-Unsubscribe"]
        left = server.post(welcome["List-Unsubscribe"].strip("<>"), **{"List-Unsubscribe": "One-Click"})
        assert left.status_code == 200
        assert server.show()["subscriptions"] == []


def test_a_mail_that_cannot_go_now_does_not_keep_anybody_waiting(project: Project) -> None:
    dead = '[mail.smtp]\nhost = "127.0.0.1"\nport = 9\ntls = "none"\ntimeout = 1\n'
    with serving(project, more=f'transport = "smtp"\n{dead}') as server:
        assert server.ask().status_code == 200
        until(lambda: "publisher_mailroom_waiting 1.0" in server.get("/metrics").text)
        assert server.show()["status"] == "pending"
