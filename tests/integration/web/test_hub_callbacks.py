"""/hooks/websub/<token> over HTTP: a hub verifies a subscription, and its notifications cause a fetch."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from publisher.config import load_config
from publisher.publishing.source_hubs import renew_hubs
from publisher.publishing.tick import fetch_due
from publisher.publishing.wiring import Project as Opened
from publisher.publishing.wiring import open_project_store
from publisher.store import Store
from tests.support.project import Project
from tests.support.source_server import SourceServer, answer, source_server
from tests.support.store_samples import NOW
from tests.support.web_client import WebClient, web_client

TOPIC = "https://blog.example/feed"
AT = "2026-11-21T10:00"  # the same as NOW, in the project's time zone
SOURCES = """
[[sources]]
name = "blog"
url = "http://127.0.0.1:1/feed"
allow_private = true

[[sources]]
name = "public"
url = "https://blog.example/feed"
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[SourceServer]:
    with source_server({"/hub": answer(status="202 Accepted"), "/closed": answer(status="403 Forbidden")}) as running:
        yield running


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebClient]:
    project = Project(tmp_path / "letter", None)  # type: ignore[arg-type]
    project.post("first", "2026-11-02")
    with web_client(project, SOURCES, now=AT) as running:
        yield running


def name_hub(store: Store, name: str, hub: str) -> None:
    """Record that the document of a source names a hub."""
    state = store.sources.state(name)
    assert state is not None
    store.sources.answered(replace(state, hub=hub, topic=TOPIC))


def subscribed(web: WebClient, hub: SourceServer) -> tuple[Any, Any, dict[str, str]]:
    """Return the configuration, the open store, and the request to the hub."""
    config = load_config(web.project.root)
    store = open_project_store(config)
    store.sources.see({source.name: source.url for source in config.sources}, NOW)
    before = len(hub.requests("/hub"))
    name_hub(store, "blog", f"{hub.url}/hub")
    assert renew_hubs(config, store, NOW) == 1
    assert renew_hubs(config, store, NOW) == 0
    assert len(hub.requests("/hub")) == before + 1
    return config, store, dict(parse_qsl(hub.requests("/hub")[-1].body.decode()))


def test_a_hub_that_verifies_gets_a_lease_only_for_the_requested_topic(web: WebClient, hub: SourceServer) -> None:
    config, store, form = subscribed(web, hub)
    assert form["hub.callback"].startswith(f"{config.web.public_url}/hooks/websub/")
    path = urlsplit(form["hub.callback"]).path
    wanted = {
        "hub.mode": "subscribe",
        "hub.topic": form["hub.topic"],
        "hub.challenge": "<b>x",
        "hub.lease_seconds": "600",
    }

    def ask(path: str, **changes: str) -> Any:
        return web.client.get(path, params=wanted | {f"hub.{name}": value for name, value in changes.items()})

    assert [ask(path, topic="https://other.example/").status_code, ask(path, mode="unsubscribe").status_code] == [
        404,
        404,
    ]
    assert [ask(f"{path}x").status_code, ask("/hooks/websub/x").status_code] == [404, 404]
    assert store.sources.hub("blog").lease_until is None
    agreed = ask(path)
    assert (agreed.status_code, agreed.text) == (200, "<b>x")
    assert agreed.headers["content-type"].startswith("text/plain")
    assert store.sources.hub("blog").lease_until == NOW + timedelta(minutes=10)
    assert ask(path, mode="denied").status_code == 200
    assert store.sources.hub("blog").lease_until is None
    store.close()


def test_a_signed_notification_causes_a_fetch_and_others_are_ignored(web: WebClient, hub: SourceServer) -> None:
    _, store, form = subscribed(web, hub)
    path = urlsplit(form["hub.callback"]).path
    later = NOW + timedelta(minutes=30)
    store.sources.claim({"blog": later}, NOW - timedelta(seconds=10), since={"blog": NOW})
    assert store.sources.state("blog").next_at == later

    def report(secret: str, body: bytes = b"<feed/>", path: str = path) -> int:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return int(web.client.post(path, content=body, headers={"X-Hub-Signature": f"sha256={digest}"}).status_code)

    assert report("wrong") == 200
    assert web.client.post(path, content=b"<feed/>").status_code == 200
    assert report(form["hub.secret"], path="/hooks/websub/x") == 410
    assert report(form["hub.secret"], b" " * 20_000_001) == 413
    assert store.sources.state("blog").next_at == later
    assert report(form["hub.secret"]) == 200
    assert store.sources.state("blog").next_at == NOW + timedelta(seconds=10)  # 20 seconds after the last request
    store.close()


def test_a_hub_is_contacted_within_the_rules_of_its_source(web: WebClient, hub: SourceServer) -> None:
    config, store, _ = subscribed(web, hub)
    asked = len(hub.asked)
    name_hub(store, "public", f"{hub.url}/hub")
    assert renew_hubs(config, store, NOW) == 0
    assert len(hub.asked) == asked
    name_hub(store, "blog", f"{hub.url}/closed")
    assert renew_hubs(config, store, NOW) == 0
    assert [each.path for each in hub.asked[asked:]] == ["/closed"]
    name_hub(store, "blog", "")
    assert renew_hubs(config, store, NOW) == 0
    assert "blog" not in store.sources.hubs()
    private = replace(config, web=replace(config.web, public_url=""))
    name_hub(store, "blog", f"{hub.url}/hub")
    assert renew_hubs(private, store, NOW + timedelta(days=1)) == 0
    assert "blog" not in store.sources.hubs()
    store.close()


def feed(hub: str, count: int) -> bytes:
    items = "".join(f"<item><title>Item {number}</title><guid>{number}</guid></item>" for number in range(count))
    links = f'<link xmlns="http://www.w3.org/2005/Atom" rel="hub" href="{hub}/hub"/>'
    head = f"<title>A blog</title><link>https://blog.example/</link><description>x</description>{links}"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def test_a_new_item_is_known_at_the_first_tick_after_its_notification(tmp_path: Path, hub: SourceServer) -> None:
    documents: dict[str, Any] = {"/feed": answer(feed(hub.url, 1))}
    project = Project(tmp_path / "letter", None)  # type: ignore[arg-type]
    with source_server(documents) as blog:
        sources = f'[[sources]]\nname = "blog"\nurl = "{blog.url}/feed"\nallow_private = true\n'
        with web_client(project, sources, now=AT) as web:
            config = load_config(web.project.root)
            with open_project_store(config) as store:
                before = len(hub.asked)
                fetch_due(Opened(config, store, lambda: NOW - timedelta(minutes=2)))
                form = dict(parse_qsl(hub.asked[before].body.decode()))
                assert form["hub.topic"] == f"{blog.url}/feed"
                documents["/feed"] = answer(feed(hub.url, 2))
                assert fetch_due(Opened(config, store, lambda: NOW)).fetched == ()
                digest = hmac.new(form["hub.secret"].encode(), b"x", hashlib.sha1).hexdigest()
                path = urlsplit(form["hub.callback"]).path
                web.client.post(path, content=b"x", headers={"X-Hub-Signature": f"sha1={digest}"})
                (report,) = fetch_due(Opened(config, store, lambda: NOW)).fetched
                assert report.new == 1
                assert len(hub.asked) == before + 1
