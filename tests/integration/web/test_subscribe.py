"""Subscribing over HTTP, with the real mail worker, database and outbox."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from publisher.publishing.wiring import open_project_store
from publisher.subscribers.privacy import erase
from publisher.subscribers.tokens import PROOF_BITS, is_proof
from publisher.web.mail_worker import MailWorker
from tests.support.full_disk import files_of_at_most
from tests.support.project import Project, parse
from tests.support.web_client import WebClient, database, link_in, until, web_client


@pytest.fixture
def web(project: Project) -> Iterator[WebClient]:
    with web_client(project) as running:
        yield running


def test_confirming_makes_a_subscriber(web: WebClient) -> None:
    answer = web.ask("ada@example.org", "weekly", name="Ada", **{"topic.weekly": ["Reading", "日本語"]})
    assert (answer.status_code, "Check your inbox" in answer.text) == (200, True)
    link = web.link()
    assert web.show()["status"] == "pending"

    before = web.rows()
    page = web.get(link)
    assert page.status_code == 200
    assert "The weekly &lt;letter&gt;" in page.text
    assert web.rows() == before

    done = web.post(link, do="confirm")
    assert done.status_code == 200
    person = web.show()
    assert (person["status"], person["name"], person["language"]) == ("active", "Ada", "en")
    assert person["subscriptions"] == [{"newsletter": "weekly", "topics": ["Reading", "日本語"]}]
    assert web.get(link).status_code == 404
    assert web.post(link).status_code == 404


def test_pages_after_a_form_link_to_further_pages(web: WebClient) -> None:
    ways = lambda page: re.findall(r'<li><a href="([^"]+)"', page.text.partition('class="ways"')[2])  # noqa: E731
    lists = ["https://letters.example/archive/", "https://letters.example/feeds/"]
    assert ways(web.ask("ada@example.org")) == lists
    web.project.subscribe("first")
    web.project.ok("publish")
    sent, done = web.ask("eve@example.org"), web.post(web.link("ada@example.org"), do="confirm")
    broken = web.client.post("/subscribe", content=b"\xff", headers={"content-type": "multipart/form-data"})
    assert broken.status_code == 400
    for page in (sent, done, web.get("/confirm/x"), broken):
        newest, *others = ways(page)
        assert others == lists
        assert re.fullmatch(r"https://letters\.example/editions/(weekly|daily)/[^/]+/", newest)
        assert "Third" in page.text  # its subject


def test_next_to_the_site_of_another_tool_pages_link_only_to_the_newest_edition(project: Project) -> None:
    with web_client(project, '[pages]\nenabled = false\noutput = "feeds"\n') as web:
        web.project.subscribe("first")
        web.project.ok("publish")
        page = web.ask("ada@example.org").text.partition('class="ways"')[2]
        (url,) = re.findall(r'<li><a href="([^"]+)"', page)
        assert web.get(url).status_code == 200


def test_choices_can_change_while_confirming(web: WebClient) -> None:
    web.ask("ada@example.org", "weekly", name="Ada", **{"topic.weekly": "Reading"})
    link = web.link()
    web.ask("ada@example.org", "weekly", "daily", name="Mallory")
    web.ask("other@example.org")
    web.mails("other@example.org")
    page = web.get(link).text
    assert re.findall(r'name="newsletter" value="(\w+)"( checked)?', page) == [("weekly", " checked"), ("daily", "")]
    assert 'value="Reading" checked' in page
    assert 'name="name" value="Ada"' in page
    assert "Mallory" not in page

    before = web.rows()
    shown = ["weekly", "daily"]
    assert "Choose at least one" in web.post(link, do="confirm", shown=shown, name="Ada L.").text
    assert web.post(link, do="confirm", shown=shown, newsletter="monthly").status_code == 400
    assert web.rows() == before
    assert web.post(link, do="confirm", shown=shown, newsletter="daily", name="Ada L.").status_code == 200
    person = web.show()
    assert (person["name"], person["subscriptions"]) == ("Ada L.", [{"newsletter": "daily", "topics": []}])


def test_renamed_topic_is_reported(web: WebClient) -> None:
    answer = web.ask("ada@example.org", "weekly", **{"topic.weekly": "Renamed"})
    assert answer.status_code == 400
    assert "The options have changed since you opened this page" in answer.text
    assert "Choose at least one" in web.subscribe(email="ada@example.org").text


def test_a_confirmation_email_has_no_text_of_a_stranger(web: WebClient) -> None:
    web.ask("ada@example.org", name="Your account is locked, visit https://evil.example/login NOW")
    (mail,) = web.mails("ada@example.org")
    parts = [mail.as_string(), *(part.get_content() for part in mail.walk() if not part.is_multipart())]
    assert not [part for part in parts if "evil" in part or "locked" in part]
    assert mail["To"] == "ada@example.org"


def test_the_answer_does_not_reveal_the_status(web: WebClient) -> None:
    web.project.ok("subscribers", "add", "active@example.org", "--newsletter", "weekly")
    web.project.ok("subscribers", "add", "left@example.org", "--newsletter", "weekly")
    web.project.ok("subscribers", "remove", "left@example.org")
    web.project.ok("subscribers", "suppress", "never@example.org", "--yes")
    names = ("stranger", "active", "left", "never")
    answers = {name: web.ask(f"{name}@example.org") for name in names}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len({answer.text.replace(name, "NAME") for name, answer in answers.items()}) == 1
    assert len({tuple(sorted(set(answer.headers) - {"date"})) for answer in answers.values()}) == 1
    assert "already" not in link_in(web.mails("stranger@example.org")[0], "confirm")
    assert "/preferences/" in link_in(web.mails("active@example.org")[0], "preferences")
    assert "/confirm/" in link_in(web.mails("left@example.org")[0], "confirm")
    assert "suppression list" in web.mails("never@example.org")[0].as_string()


def test_snippet_works_in_both_encodings(project: Project) -> None:
    with web_client(project, newsletters='[[newsletters]]\nname = "weekly"\n') as web:
        made = web.project.ok("serve", "--snippet").out
        assert f'action="{web.url}/subscribe"' in made
        assert "<script" not in made
        steps = [web.post("/subscribe", email="one@example.org", newsletter="weekly")]
        parts = {"email": (None, "two@example.org"), "name": (None, "Zwei Ü")}
        foreign = {"origin": "https://elsewhere.example", "referer": "https://elsewhere.example/"}
        steps.append(web.client.post("/subscribe", files=parts, headers=foreign))
        for step in steps:
            assert (step.status_code, "One more click" in step.text) == (200, True)
            assert "script-src 'self'" in step.headers["content-security-policy"]
            assert "Check your inbox" in web.post("/subscribe", **hidden(step) | {"token": web.form_token()}).text
        web.mails("one@example.org")
        assert web.post(web.link("two@example.org"), do="confirm").status_code == 200
        assert web.show("two@example.org")["name"] == "Zwei Ü"


def hidden(page: httpx.Response) -> dict[str, list[str]]:
    """Return the hidden fields of a page's form."""
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text):
        fields.setdefault(name, []).append(html.unescape(value))
    return fields


def test_a_form_that_is_sent_unread_or_too_quickly_gets_one_more_button(web: WebClient) -> None:
    choice = {"email": "ada@example.org", "newsletter": "weekly", "topic.weekly": ["R&D", "日本語"], "name": 'A"da'}
    (fresh,) = hidden(web.get("/subscribe"))["token"]
    early = (fresh, web.form_token(0))
    for token in (*early, "", "x", web.form_token(86_500), web.form_token()[:-1], "x" * 10_000):
        step = web.post("/subscribe", token=token, **choice)
        assert (step.status_code, "One more click" in step.text) == (200, True), token
        shown = hidden(step)
        assert [shown[name] for name in choice] == [["ada@example.org"], ["weekly"], ["R&D", "日本語"], ['A"da']]
        assert (shown["token"] == [token]) == (token in early)  # so that its age is not lost
    assert web.rows()["subscribers"] == []
    assert "Choose at least one" in web.post("/subscribe", email="ada@example.org").text


def test_proof_of_work_is_for_one_address(project: Project) -> None:
    with web_client(project, web="proof_of_work = true") as web:
        page = web.get("/subscribe")
        assert "script-src 'self'" in page.headers["content-security-policy"]
        hint = page.text.partition("<noscript>")[2].partition("</noscript>")[0]
        assert "write to ada@letters.example" in hint
        script = web.get(re.search(r'<script src="([^"]+)"', page.text)[1])
        assert script.headers["content-type"].startswith("text/javascript")
        token = web.form_token()
        assert "One more click" in web.ask(token="").text
        numbers = (str(n) for n in range(10_000_000))
        proof = next(each for each in numbers if is_proof(token, "ada@example.org", each, PROOF_BITS))
        fields = {"newsletter": "weekly", "token": token, "proof": proof}
        late = {"token": web.form_token(9)}
        for wrong in ({"proof": ""}, {"proof": "-1"}, {"proof": f"{proof}0"}, {"proof": "٣"}, late):
            assert "One more click" in web.post("/subscribe", **fields | {"email": "ada@example.org"} | wrong).text
        assert "One more click" in web.post("/subscribe", email="bob@example.org", **fields).text
        assert "Check your inbox" in web.post("/subscribe", email="ada@example.org", **fields).text
        web.mails("ada@example.org")


def test_confirming_by_a_click_needs_a_browser(project: Project) -> None:
    with web_client(project, '[subscribers]\nconfirm = "click"\n') as web:
        web.ask()
        link, before = web.link(), web.rows()
        page = web.get(link)
        assert web.client.head(link).status_code == 200
        assert web.rows() == before
        assert ('data-when-here="' in page.text, 'type="submit"' in page.text) == (True, True)
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert web.post(link, do="confirm").status_code == 200


def test_the_owner_is_notified_of_a_flood_once(project: Project) -> None:
    with web_client(project, 'owner = "owner@example.org"\n', web="email_limit = 2") as web:
        for number in range(2):
            web.ask(f"reader{number}@example.org")
            web.mails(f"reader{number}@example.org")
        told = web.mails("owner@example.org")
        assert web.ask("late@example.org").status_code == 503
        assert "2 emails within an hour" in told[0].get_body(("plain",)).get_content()
        assert len(web.mails("owner@example.org")) == 1
        assert not [row for row in web.rows()["subscribers"] if "late" in row]


def test_honeypot_catches_bots(web: WebClient) -> None:
    assert web.ask("bot@example.org", website="https://spam.example").status_code == 200
    web.ask("ada@example.org")
    web.mails("ada@example.org")
    assert [row for row in web.rows()["subscribers"] if "bot@" in row] == []


def test_sign_ups_per_address_are_limited_silently(project: Project) -> None:
    with web_client(project, web="address_limit = 2") as web:
        answers = [web.ask("ada@example.org").status_code for _ in range(5)]
        assert answers == [200] * 5
        web.ask("grace@example.org")
        web.mails("grace@example.org")
        metrics = web.get("/metrics").text
        assert 'publisher_mailroom_work_total{outcome="done",what="request"} 3.0' in metrics


def test_forms_per_client_are_limited(project: Project) -> None:
    with web_client(project, web="client_limit = 3") as web:
        answers = [web.ask(f"{n}@example.org") for n in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 3_600


@pytest.mark.parametrize(
    ("language", "word", "subject"),
    [("de-AT,de;q=0.9,en;q=0.5", "Abonnieren", "bestätigen"), ("ar", "اشترك", "")],
)
def test_pages_and_emails_use_the_chosen_language(web: WebClient, language: str, word: str, subject: str) -> None:
    page = web.get("/subscribe", **{"accept-language": language})
    assert word in page.text
    tag = re.search(r'<html lang="([^"]+)" dir="(\w+)"', page.text)
    assert tag[2] == ("rtl" if language == "ar" else "ltr")
    assert re.search(r"<h1>[^<]*<bdi>The Quiet Reader</bdi>[^<]*</h1>", page.text)
    web.ask("ada@example.org", language=tag[1])
    assert subject in web.mails("ada@example.org")[0]["Subject"].lower()
    assert f'lang="{tag[1]}"' in web.get(web.link()).text


def test_the_newest_edition_is_sent_as_a_welcome_email(project: Project) -> None:
    newsletters = '[[newsletters]]\nname = "weekly"\nwelcome = true\n'
    with web_client(project, newsletters=newsletters) as web:
        web.project.subscribe("first")
        web.project.ok("publish")
        web.subscribed("ada@example.org")
        welcome = web.mails("ada@example.org", 2)[-1]
        assert welcome["List-Unsubscribe"]
        assert web.project.ok("editions", "--json").json[0]["deliveries"] == {"sent": 2}
        left = web.post(welcome["List-Unsubscribe"].strip("<>"), **{"List-Unsubscribe": "One-Click"})
        assert left.status_code == 200
        assert web.show()["subscriptions"] == []


def test_an_own_welcome_email_is_sent_immediately_and_through_the_ledger(project: Project) -> None:
    newsletters = '[[newsletters]]\nname = "weekly"\nwelcome = true\n'
    project.write("letters/weekly/welcome.md", "---\nsubject: Welcome!\n---\nDear reader\n")
    with web_client(project, newsletters=newsletters) as web:
        web.project.subscribe("first")
        web.project.ok("publish")
        web.subscribed("ada@example.org")
        assert web.mails("ada@example.org", 2)[-1]["Subject"] == "Welcome!"
        web.project.ok("publish", now="")
        assert len(web.mails("ada@example.org", 2)) == 2
        editions = web.project.ok("editions", "--json").json
        assert [each["deliveries"] for each in editions if each["kind"] == "welcome"] == [{"sent": 2}]


def test_a_dead_mail_server_delays_no_answer(project: Project) -> None:
    dead = '[mail.smtp]\nhost = "127.0.0.1"\nport = 9\ntls = "none"\ntimeout = 1\n'
    with web_client(project, more=f'transport = "smtp"\n{dead}') as web:
        assert web.ask().status_code == 200
        until(lambda: web.rows()["subscribers"])
        until(lambda: "publisher_mailroom_waiting 1.0" in web.get("/metrics").text)
        assert web.show()["status"] == "pending"


def test_spellings_of_one_mailbox_get_one_email(project: Project) -> None:
    domains = ("gmail.com", "googlemail.com")
    spellings = [f"{('ada', 'a.da', 'a.d.a')[n % 3]}+{n}@{domains[n % 2]}" for n in range(45)]
    with web_client(project, web="client_limit = 60") as web:
        assert {web.ask(spelling).status_code for spelling in spellings} == {200}
        web.ask("last@example.org")
        web.mails("last@example.org")
        files = list((project.root / ".publisher/outbox/new").glob("*.eml"))
        recipients = [str(parse(file.read_bytes())["To"]) for file in files]
        assert sorted(recipients) == [spellings[0], "last@example.org"]


@pytest.mark.parametrize("known", ["ada@example.org", "stranger@example.org"])
def test_a_form_is_refused_while_the_disk_is_full(project: Project, known: str) -> None:
    with web_client(project) as client:
        client.subscribed("ada@example.org")
        with files_of_at_most(4_096):
            answers = [client.ask(known, "daily") for _ in range(2)]
        assert {answer.status_code for answer in answers} == {503}
        assert "try again" in answers[0].text
        assert client.ask(known, "daily").status_code == 200
        assert client.mails(known, count=1 + (known == "ada@example.org"))


def test_every_address_gets_the_same_answer_while_the_disk_is_full(project: Project) -> None:
    with web_client(project) as client:
        client.subscribed("ada@example.org")
        client.ask("asked@example.org")
        client.mails("asked@example.org")
        with files_of_at_most(4_096):
            pages = {
                client.ask(f"{name}@example.org").text.replace(name, "") for name in ("ada", "asked", "stranger", "ada")
            }
    assert len(pages) == 1


@pytest.fixture
def stopped_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let the mail worker accept jobs without doing them, as if its process had been killed."""
    with monkeypatch.context() as idle:
        idle.setattr(MailWorker, "put", lambda *job: True)
        yield idle


def test_an_accepted_request_survives_the_process(project: Project, stopped_worker: pytest.MonkeyPatch) -> None:
    with web_client(project) as client:
        for name in ("ada", "bob"):
            assert client.ask(f"{name}@example.org", "weekly", **{"topic.weekly": "Reading"}).status_code == 200
        assert len(client.rows()["sign_ups"]) == 2
        assert b"bob" not in database(project.root)
        with open_project_store(project.config()) as store:
            erase(store, "bob@example.org", now=datetime.now(UTC), source="test")
    stopped_worker.undo()
    with web_client(project) as client:
        assert "/confirm/" in client.link("ada@example.org")
        assert not client.project.mail().get("bob@example.org")
        until(lambda: not client.rows()["sign_ups"])
        assert client.post(client.link("ada@example.org"), do="confirm").status_code == 200


def test_an_old_request_is_forgotten(project: Project, stopped_worker: pytest.MonkeyPatch) -> None:
    with web_client(project, now="2026-11-01T10:00") as client:
        assert client.ask("ada@example.org").status_code == 200
        assert len(client.rows()["sign_ups"]) == 1
    stopped_worker.undo()
    with web_client(project, now="2026-11-20T10:00") as client:
        until(lambda: not client.rows()["sign_ups"])
        assert client.rows()["subscribers"] == []


def test_a_full_queue_accepts_nothing(web: WebClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(MailWorker, "put", lambda *job: False)
        assert web.ask("ada@example.org").status_code == 503
    assert web.rows()["sign_ups"] == []
