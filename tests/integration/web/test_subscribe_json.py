"""/subscribe.json, for other people's front ends: it has the rules and limits of the form."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from publisher.subscribers.tokens import PROOF_BITS, is_proof
from publisher.web.mail_worker import MailWorker
from tests.support.full_disk import files_of_at_most
from tests.support.project import Project
from tests.support.web_client import WebClient, until, web_client

PATH = "/subscribe.json"
BLOG = "https://blog.example.net"
ORIGINS = f'form_origins = ["{BLOG}"]\nclient_limit = 100000'


def ask(web: WebClient, origin: str = "", **changed: Any) -> httpx.Response:
    """Send a front end's request with a token that it got some seconds ago."""
    body = {"email": "ada@example.org", "newsletters": ["weekly"], "token": web.form_token()} | changed
    return web.client.post(PATH, json=body, headers={"origin": origin} if origin else {})


def test_a_front_end_signs_someone_up(project: Project) -> None:
    with web_client(project, web=ORIGINS) as web:
        shown = web.client.get(PATH, params={"language": "de"}, headers={"origin": BLOG})
        offer = shown.json()
        assert [each["name"] for each in offer["newsletters"]] == ["weekly", "daily"]
        assert offer["newsletters"][0]["topics"] == ["Reading", "R&D", "日本語"]
        assert offer["newsletters"][0]["how_often"] == "Ab und zu eine E-Mail."
        assert (offer["language"], offer["wait_seconds"], offer["proof_bits"]) == ("de", 2, 0)
        assert shown.headers["access-control-allow-origin"] == BLOG

        early = ask(web, BLOG, token=offer["token"])
        assert (early.status_code, early.json()["error"], early.json()["token"]) == (409, "unproved", offer["token"])
        answer = ask(web, BLOG, name="Ada", topics={"weekly": ["R&D"]}, language="de")
        assert (answer.status_code, answer.json()["status"]) == (202, "sent")
        assert answer.json()["title"] == "Sehen Sie in Ihrem Posteingang nach"
        assert web.post(web.link(), do="confirm").status_code == 200
        person = web.show()
        assert (person["name"], person["language"]) == ("Ada", "de")
        assert person["subscriptions"] == [{"newsletter": "weekly", "topics": ["R&D"]}]
        asked = next(event for event in person["consent"] if "subscribe.json" in event["source"])
        assert asked["source"] == f"form /subscribe.json on {BLOG}"
        assert asked["text_version"].startswith("de-")


def test_the_answer_does_not_reveal_the_status(project: Project) -> None:
    with web_client(project, web="address_limit = 1\nclient_limit = 1000") as web:
        web.project.ok("subscribers", "add", "active@example.org", "--newsletter", "weekly")
        web.project.ok("subscribers", "add", "left@example.org", "--newsletter", "weekly")
        web.project.ok("subscribers", "remove", "left@example.org")
        web.project.ok("subscribers", "suppress", "never@example.org", "--yes")
        names = ("stranger", "active", "left", "never", "stranger")
        answers = [ask(web, email=f"{name}@example.org") for name in names]
        texts = {a.text.replace(name, "NAME") for name, a in zip(names, answers, strict=True)}
        assert len(texts) == len({a.status_code for a in answers}) == 1
        assert len({tuple(sorted(set(a.headers) - {"date", "content-length"})) for a in answers}) == 1
        assert ask(web, email="bot@example.org", website="x").text.replace("bot", "NAME") in texts
        web.mails("never@example.org")
        assert [row for row in web.rows()["subscribers"] if "bot@" in row] == []
        with files_of_at_most(4_096):
            full = {ask(web, email=f"{name}@example.org").text for name in ("active", "stranger")}
        assert (len(full), "try again" in full.pop()) == (1, True)


REFUSED: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"email": "ada"}, 400, "bad_address", "email"),
    ({"email": ""}, 400, "bad_address", "email"),
    ({"newsletters": []}, 400, "bad_choice", "newsletters"),
    ({"newsletters": ["monthly"]}, 400, "stale_choice", "newsletters"),
    ({"topics": {"weekly": ["Gone"]}}, 400, "stale_choice", "newsletters"),
    ({"token": ""}, 409, "unproved", None),
    ({"token": "x" * 10_000}, 409, "unproved", None),
    ({"email": ["ada@example.org", {}]}, 400, "bad_form", None),
    ({"email": "a\0@example.org"}, 400, "bad_form", None),
    ({"topics": ["weekly"]}, 400, "bad_form", None),
    ({"name": "x" * 70_000}, 413, "bad_form", None),
]


def test_a_refusal_says_what_is_wrong_and_where(project: Project) -> None:
    with web_client(project) as web:
        for changed, status, error, field in REFUSED:
            answer = ask(web, **changed)
            assert (answer.status_code, answer.json()["error"], answer.json().get("field")) == (status, error, field)
            assert answer.json()["message"]
        for body in (b"", b"[]", b"{", b'"' * 9, b"[" * 60_000, b'{"email":"\\ud800"}', b"\xff", b"1" * 50_000):
            answer = web.client.post(PATH, content=body, headers={"content-type": "application/json"})
            assert (answer.status_code, answer.json()["error"]) == (400, "bad_form"), body[:20]
        german = web.client.post(PATH, json={"email": "x", "language": "de"})
        assert german.json()["message"] == "Bitte geben Sie eine gültige E-Mail-Adresse ein."
        assert web.client.put(PATH).status_code == 405
        assert web.rows()["subscribers"] == []


def test_only_listed_sites_may_send_requests(project: Project) -> None:
    with web_client(project, web=ORIGINS) as web:
        preflight = web.client.options(PATH, headers={"origin": BLOG, "access-control-request-method": "POST"})
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == BLOG
        assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
        assert ask(web, web.url).status_code == ask(web, "https://letters.example").status_code == 202  # our own
        assert ask(web).status_code == 202  # a program
        for origin in (
            "https://elsewhere.example",
            "null",
            f"{BLOG}.evil.example",
            f"{BLOG}:444",
            "http://blog.example.net",
        ):
            for answer in (web.client.options(PATH, headers={"origin": origin}), ask(web, origin)):
                assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)
        # What a form on any page could send without a preflight request.
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""):
            headers = {"origin": BLOG, "content-type": kind}
            assert web.client.post(PATH, content=b'{"email":"ada@example.org"}', headers=headers).status_code == 415
        assert ask(web, BLOG, email="x").headers["access-control-allow-origin"] == BLOG  # so that it sees the answer


def test_all_sites_may_send_requests_if_configured(project: Project) -> None:
    with web_client(project, web='form_origins = ["*"]') as web:
        assert ask(web, "https://anybody.example").headers["access-control-allow-origin"] == "*"


def test_limits_are_the_same_as_for_the_form(project: Project) -> None:
    with web_client(project, web="client_limit = 3\nemail_limit = 1") as web:
        assert web.ask("one@example.org").status_code == 200
        web.mails("one@example.org")
        until(lambda: not web.rows()["sign_ups"])
        answers = [ask(web, email=f"{number}@example.org") for number in range(3)]
        assert [answer.status_code for answer in answers] == [503, 503, 429]
        assert [answer.json()["error"] for answer in answers] == ["busy_hour", "busy_hour", "too_many"]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 3_600


def test_the_endpoint_is_below_the_path_of_the_application(project: Project) -> None:
    with web_client(project, path="/letters") as web:
        assert web.client.get(f"/letters{PATH}").json()["title"] == "The Quiet Reader"
        assert web.client.get(PATH).status_code == 404
        assert 'publisher_http_requests_total{page="subscribe.json",status="200"}' in web.get("/letters/metrics").text


def test_a_full_queue_accepts_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_client(project) as web:
        with monkeypatch.context() as full:
            full.setattr(MailWorker, "put", lambda *job: False)
            assert (ask(web).status_code, ask(web).json()["error"]) == (503, "busy")
        assert web.rows()["sign_ups"] == []


def test_a_front_end_also_needs_proof_of_work(project: Project) -> None:
    with web_client(project, web="proof_of_work = true") as web:
        assert web.client.get(PATH).json()["proof_bits"] == PROOF_BITS
        token = web.form_token()
        assert ask(web, token=token).status_code == 409
        numbers = (n for n in range(10_000_000))
        proof = next(n for n in numbers if is_proof(token, "ada@example.org", str(n), PROOF_BITS))
        assert ask(web, token=token, proof=proof).status_code == 202
        assert json.loads(ask(web, token=token, proof=proof, email="eve@example.org").text)["error"] == "unproved"
