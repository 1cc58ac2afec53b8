"""/hooks/bounce/<provider> over HTTP: an authentic report is recorded once, and anything else changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from publisher.core.templates import Templates
from publisher.publishing.mail_wiring import open_transport, project_links, subscription_policy
from publisher.publishing.wiring import open_project_store
from publisher.web.context import WebContext
from publisher.web.mail_worker import MailWorker
from publisher.web.webhooks import PATH, BounceWebhooks
from tests.support.project import Project
from tests.support.provider_samples import (
    SECRET,
    TOPIC,
    TWILIO_KEY,
    Amazon,
    basic,
    mailgun,
    mailgun_failure,
    sendgrid,
    sendgrid_event,
    ses_bounce,
    sns,
)
from tests.support.store_samples import NOW
from tests.support.web_client import WebClient, link_in, until, web_client

HOOKS = f"""
[bounces.postmark]
secret = "{SECRET}"

[bounces.mailgun]
signing_key = "{SECRET}"

[bounces.sendgrid]
public_key = "{TWILIO_KEY}"

[bounces.generic]
secret = "{SECRET}"
"""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    project = Project(tmp_path_factory.mktemp("hooks") / "letter", None)  # type: ignore[arg-type]
    project.post("first", "2026-11-02")
    with web_client(project, HOOKS, now="2026-11-21T10:00") as running:
        yield running


def post(web: WebClient, provider: str, body: bytes, **headers: str) -> httpx.Response:
    return web.client.post(
        f"/hooks/bounce/{provider}",
        content=body,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def test_a_report_of_each_provider_is_recorded_once(web: WebClient) -> None:
    people = {name: f"{name}@example.org" for name in ("ada", "bob", "eve")}
    for address in people.values():
        web.subscribed(address)
    hard = {"RecordType": "Bounce", "ID": 1, "Type": "HardBounce", "Email": people["ada"]}
    for answer in ("1 read: 1 hard bounce\n", "1 read: 1 already processed\n"):
        got = post(web, "postmark", json.dumps(hard).encode(), authorization=basic(SECRET))
        assert (got.status_code, got.text) == (200, answer)
    failure = mailgun(mailgun_failure() | {"recipient": people["bob"]})
    assert post(web, "mailgun", json.dumps(failure).encode()).text == "1 read: 1 hard bounce\n"
    # The same token with a different event: the signature does not cover the event, so the token is valid only once.
    replayed = failure | {"event-data": mailgun_failure() | {"recipient": people["eve"], "id": "e-9"}}
    assert post(web, "mailgun", json.dumps(replayed).encode()).text == "1 read: 1 already processed\n"
    signed = sendgrid([sendgrid_event("spamreport", email="Eve@Example.org"), sendgrid_event("delivered")])
    got = post(web, "sendgrid", signed.body, **signed.headers)
    assert got.text == "2 read: 1 spam complaint, 1 delay or automatic reply\n"
    shown = web.rows()["subscribers"]
    assert [("bounced" in row, "complained" in row) for row in shown] == [(True, False), (True, False), (False, True)]


def test_a_script_of_the_owner_can_report_events(web: WebClient) -> None:
    for name in ("gus", "hal", "ivy"):
        web.subscribed(f"{name}@example.org")
    events = [
        {"event": "bounce", "address": "gus@example.org", "answer": "550 5.1.1 user unknown"},
        {"event": "unsubscribe", "address": "hal@example.org"},
        {"event": "complaint", "address": "ivy@example.org"},
        {"event": "bounce", "address": "nobody@example.org"},
    ]
    got = post(web, "generic", json.dumps(events).encode(), x_webhook_secret=SECRET)
    told = "4 read: 1 hard bounce, 1 spam complaint, 1 unsubscribe, 1 for a deleted subscriber\n"
    assert (got.status_code, got.text) == (200, told)
    shown = {row.split("'")[3].partition("@")[0]: row for row in web.rows()["subscribers"]}
    assert [word in shown[name] for name, word in (("gus", "'bounced'"), ("hal", "'unsubscribed'"))] == [True, True]
    change = {"RecordType": "SubscriptionChange", "Recipient": "gus@example.org", "SuppressSending": True}
    change |= {"SuppressionReason": "ManualSuppression", "ChangedAt": "2026-11-21T09:00:00Z"}
    got = post(web, "postmark", json.dumps(change).encode(), authorization=basic(SECRET))
    assert got.text == "1 read: 1 unsubscribe\n"


def test_a_farewell_follows_an_unsubscribe_at_the_provider(project: Project) -> None:
    with web_client(project, f'[bounces.generic]\nsecret = "{SECRET}"\n[subscribers]\nfarewell = true\n') as web:
        for name in ("ada", "bob"):
            web.subscribed(f"{name}@example.org")
        events = [
            {"event": "unsubscribe", "address": "ADA@example.org"},
            {"event": "complaint", "address": "bob@example.org"},
        ]
        for said in ("1 spam complaint, 1 unsubscribe", "2 already processed"):
            got = post(web, "generic", json.dumps(events).encode(), x_webhook_secret=SECRET)
            assert got.text == f"2 read: {said}\n"
        (told,) = until(lambda: [mail for mail in web.mails("ada@example.org") if "unsubscribed" in mail["Subject"]])
        assert web.post(link_in(told, "confirm"), do="confirm").status_code == 200
        assert web.show()["status"] == "active"
        assert not [mail for mail in web.mails("bob@example.org") if "unsubscribed" in mail["Subject"]]


def test_forged_and_unknown_requests_do_nothing(web: WebClient) -> None:
    before = web.rows()
    assert post(web, "postmark", b"{}").status_code == 403
    assert post(web, "mailgun", b"{}").status_code == 403
    assert post(web, "sendgrid", b"[]").status_code == 403
    assert post(web, "generic", b'{"event": "complaint", "address": "ada@example.org"}').status_code == 403
    assert post(web, "generic", b'[{"event": "bounce"}]', x_webhook_secret=SECRET).status_code == 400
    assert post(web, "generic", b"[" + b" " * 1_000_001, x_webhook_secret=SECRET).status_code == 413
    assert post(web, "postmark", b"{", authorization=basic(SECRET)).status_code == 400
    assert post(web, "ses", b"{}").status_code == 404
    assert post(web, "nobody", b"{}").status_code == 404
    assert web.get("/hooks/bounce/postmark").status_code == 404

    assert web.rows() == before


def post_to(application: Any, body: Any) -> httpx.Response:
    """Send a webhook request to an application in this process."""

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://letters.example") as client:
            return await client.post("/hooks/bounce/ses", json=body)

    return asyncio.run(call())


def test_amazon_certificate_is_fetched_and_checked(project: Project) -> None:
    project.configure(f'\n[bounces.ses]\ntopic_arn = "{TOPIC}"\n')
    project.subscribe("ada")
    config = project.config()
    with open_project_store(config) as store:
        context = WebContext(
            config=config,
            store=store,
            policy=subscription_policy(config),
            links=project_links(config),
            templates=Templates(config.root / "templates"),
            mail_worker=MailWorker(lambda: open_transport(config), lambda outcome, what: None),
            now=lambda: NOW,
        )
        amazon = Amazon()
        client = Starlette(routes=[Route(PATH, BounceWebhooks(context, amazon).post, methods=["POST"])])
        confirmed = post_to(client, sns("You chose", kind="SubscriptionConfirmation"))
        assert (confirmed.status_code, len(amazon.asked)) == (200, 2)
        forged = sns(ses_bounce()) | {"Message": "{}"}
        assert post_to(client, forged).status_code == 403
        assert post_to(client, sns(ses_bounce())).text == "1 read: 1 hard bounce\n"
        assert post_to(client, sns(ses_bounce())).text == "1 read: 1 already processed\n"
        person = store.subscribers.get("ada@example.org")
        assert person is not None
        assert person.status == "bounced"
        amazon.certificate = b"nothing"
        silent = Starlette(routes=[Route(PATH, BounceWebhooks(context, amazon).post, methods=["POST"])])
        assert post_to(silent, sns(ses_bounce())).status_code == 503
