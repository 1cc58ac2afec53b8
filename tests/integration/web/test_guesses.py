"""People who guess the owner's password, all at the same time and one after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.support.admin_page import PASSWORD, Owner, set_password
from tests.support.project import Project
from tests.support.web_client import WebClient, until, web_client

PROXY = 'client_limit = 100000\ntrusted_proxies = ["127.0.0.1"]'
GUESSERS = 60


class Visitor(Owner):
    """Someone behind the trusted proxy, with their own IP address."""

    def __init__(self, web: WebClient, address: str) -> None:
        super().__init__(web)
        self.client.headers["x-forwarded-for"] = address


def test_the_owner_can_log_in_while_many_guess(project: Project) -> None:
    with web_client(project, web=PROXY) as web, ThreadPoolExecutor(GUESSERS + 3) as pool:
        set_password(project)
        project.ok("build")
        guessers = [Visitor(web, f"198.51.100.{number}") for number in range(GUESSERS)]
        tokens = [each.token("/login") for each in guessers]
        owner = Visitor(web, "203.0.113.9")
        own = owner.token("/login")

        def guess(number: int) -> httpx.Response:
            fields = {"token": tokens[number], "password": f"guess number {number}"}
            return guessers[number].client.post("/admin/login", data=fields)

        def log_in() -> bool:
            return owner.client.post("/admin/login", data={"token": own, "password": PASSWORD}).status_code == 303

        answers = [pool.submit(guess, number) for number in range(GUESSERS)]
        pages = [pool.submit(web.get, path) for path in ("/healthz", "/feed.xml")]
        admitted = pool.submit(until, log_in)  # a refused client tries again
        assert [page.result().status_code for page in pages] == [200, 200]
        assert admitted.result()
        assert owner.get().status_code == 200
        refused = [answer.result() for answer in answers if answer.result().status_code == 429]
        wrong = [answer for answer in answers if answer.result().status_code == 403]
        assert len(refused) + len(wrong) == GUESSERS
        assert refused
        assert {answer.headers["retry-after"] for answer in refused} == {"5"}
        assert "try again in a few seconds" in refused[0].text


def test_the_tenth_wrong_password_is_reported_once(project: Project) -> None:
    with web_client(project, 'owner = "olga@example.net"\n', web=PROXY) as web:
        set_password(project)
        for number in range(9):
            assert Visitor(web, f"198.51.100.{number}").log_in("a wrong password").status_code == 403
        assert not (project.root / ".publisher/outbox/new").exists()
        for number in range(9, 12):
            Visitor(web, f"198.51.100.{number}").log_in("a wrong password")
        (mail,) = web.mails("olga@example.net")
        body = mail.get_body(("plain",)).get_content()
        assert "at least 10 wrong passwords were tried at http://127.0.0.1:8018/admin within an hour" in body
        assert Visitor(web, "203.0.113.9").log_in().status_code == 303
    assert len(web.mails("olga@example.net")) == 1
