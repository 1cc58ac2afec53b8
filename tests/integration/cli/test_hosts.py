"""A copy of the database sends nothing until its host is confirmed. Two hosts fill a slot once."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from itertools import product
from os import environ
from pathlib import Path

import httpx
import pytest

from publisher import __version__
from publisher.cli.hosts import last_seen
from publisher.config import Config
from publisher.core.host_id import host_id
from publisher.daemon.jobs import TickJob
from publisher.mail.run_options import Stop
from publisher.publishing.joining import may_join
from publisher.publishing.mail_wiring import project_secret
from publisher.publishing.wiring import NOT_THE_TOKEN, check_in_host, open_project_store, why_unconfirmed
from publisher.publishing.wiring import Project as OpenProject
from publisher.store import Store
from publisher.store.workers import Heartbeat
from tests.support.clockwork import DAY, HOUR, MINUTE, SLOT, Clockwork, configure, slots, tick
from tests.support.project import WEEKLY, Project
from tests.support.store_samples import NOW, later
from tests.support.web_server import serving


@pytest.fixture
def clockwork(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clockwork]:
    """A project whose own host has run a tick."""
    monkeypatch.setenv("PUBLISHER_HOST", "home")
    configure(project, WEEKLY)
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        ready = Clockwork(project, store)
        ready.at(SLOT - 3 * DAY)
        yield ready


def test_a_copied_database_sends_nothing(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISHER_HOST", "copy")
    copied = clockwork.at(SLOT)
    assert copied.waits == "this host, copy, is not confirmed, and the project has run on home"
    assert (copied.created, clockwork.letters()) == ((), [])
    assert "may send" in clockwork.project.ok("hosts", "confirm").out
    assert slots(clockwork.at(SLOT + MINUTE)) == ["2026-W48"]
    monkeypatch.setenv("PUBLISHER_HOST", "home")
    assert clockwork.at(SLOT + 2 * MINUTE).waits == ""
    listed = {row["name"]: row["id"] for row in clockwork.project.ok("hosts", "--json").json}
    assert list(listed) == ["home", "copy"]
    clockwork.project.ok("hosts", "forget", listed["home"])
    assert clockwork.at(SLOT + HOUR).waits.startswith("this host, home, is not confirmed")
    assert "may send" in clockwork.project.ok("hosts", "confirm", listed["home"]).out
    assert clockwork.project.run("hosts", "forget", "nobody").code == 1


@pytest.mark.parametrize("mail", ["", 'transport = "smtp"\n[mail.smtp]\nport = 1\n'])
def test_publish_is_refused_on_an_unconfirmed_host(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, mail: str
) -> None:
    project = clockwork.project
    configure(project, WEEKLY, mail)
    monkeypatch.setenv("PUBLISHER_HOST", "copy")
    shutil.rmtree(project.root / "public", ignore_errors=True)
    for words in (("--yes",), (), ("weekly", "--yes", "--extra")):
        refused = project.run("publish", *words)
        assert refused.code == 1
        assert refused.err == (
            "error: this host, copy, is not confirmed, and the project has run on home "
            "(if this host is to send: publisher hosts confirm)\n"
        )
    assert (project.ok("editions", "--json").json, project.mail()) == ([], {})
    assert not (project.root / "public").exists()
    assert "nothing would be created or sent" in project.ok("publish", "--dry-run").err
    if not mail:
        project.ok("publish", "--to", "me@example.org")
        assert list(project.mail()) == ["me@example.org"]
        project.ok("hosts", "confirm")
        assert "warning" not in project.ok("publish", "--dry-run").err
        project.ok("publish", "--yes")
        assert "ada@example.org" in project.mail()


def test_serve_logs_an_unconfirmed_host(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISHER_HOST", "copy")
    with serving(clockwork.project) as server:
        assert httpx.get(f"{server.url}/subscribe", timeout=60).status_code == 200
    log = (clockwork.project.root / "serve.log").read_text()
    assert "this host, copy, is not confirmed, and the project has run on home" in log
    monkeypatch.setenv("PUBLISHER_HOST", "home")
    with serving(clockwork.project) as server:
        assert httpx.get(f"{server.url}/healthz", timeout=60).status_code == 200
    assert "not confirmed" not in (clockwork.project.root / "serve.log").read_text()


def test_the_first_host_may_publish(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISHER_HOST", "home")
    configure(project, WEEKLY)
    assert project.ok("publish", "--dry-run").err == ""
    project.ok("publish", "--yes")
    monkeypatch.setenv("PUBLISHER_HOST", "copy")
    assert "the project has run on home" in project.run("publish", "--yes").err


def test_a_removed_host_does_not_count_as_the_first_again(store: Store) -> None:
    assert store.hosts.check_in("a", "home", NOW).confirmed_at == NOW
    assert store.hosts.forget("a", NOW)
    assert store.hosts.check_in("a", "home", later(days=1)).confirmed_at is None
    assert store.hosts.check_in("b", "copy", later(days=1)).confirmed_at is None
    assert store.hosts.confirm("a", later(days=2))
    assert not store.hosts.confirm("a", later(days=3))
    assert [host.id for host in store.hosts.list() if host.confirmed_at] == ["a"]


def test_a_host_with_the_token_joins_unless_it_was_forbidden(store: Store) -> None:
    store.hosts.check_in("a", "home", NOW)
    assert store.hosts.check_in("b", "copy", NOW).confirmed_at is None
    assert store.hosts.check_in("b", "copy", later(days=1), joins=True).confirmed_at == later(days=1)
    assert store.hosts.check_in("c", "new", later(days=1), joins=True).confirmed_at == later(days=1)
    store.hosts.forget("c", later(days=2))
    assert store.hosts.check_in("c", "new", later(days=3), joins=True).confirmed_at is None
    store.hosts.confirm("c", later(days=4))
    assert store.hosts.find("c").confirmed_at == later(days=4)


def test_a_token_is_for_one_secret_and_one_database(
    project: Project, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    def configured(url: str) -> Config:
        configure(project, WEEKLY, f'[database]\nurl = "{url}"\n')
        return project.config()

    monkeypatch.setenv("PUBLISHER_HOST", "home")
    config = configured(postgres_url)
    with open_project_store(config) as store:
        assert check_in_host(config, store, NOW) == ""
        monkeypatch.setenv("PUBLISHER_HOST", "copy")
        assert "is not confirmed" in why_unconfirmed(config, store)
        token = project.ok("hosts", "token").out.strip().removeprefix("PUBLISHER_JOIN=")
        monkeypatch.setenv("PUBLISHER_JOIN", "")
        assert "is not confirmed" in check_in_host(config, store, NOW)
        for host, other in product(("copy", "home"), ("x", token[:-1], token + "=", f"{token} {token}")):
            monkeypatch.setenv("PUBLISHER_HOST", host)
            monkeypatch.setenv("PUBLISHER_JOIN", other)
            assert check_in_host(config, store, NOW) == NOT_THE_TOKEN == why_unconfirmed(config, store)
        assert project.fails("publish", "--yes").said == (
            "error: PUBLISHER_JOIN is not the token of this database and secret "
            "(print a new one with `publisher hosts token`, or remove it)\n"
        )
        assert f"home is confirmed, but sends nothing: {NOT_THE_TOKEN} (" in project.ok("hosts", "confirm").err
        monkeypatch.setenv("PUBLISHER_HOST", "copy")
        monkeypatch.setenv("PUBLISHER_JOIN", f"PUBLISHER_JOIN={token}")
        assert why_unconfirmed(config, store) == ""
        monkeypatch.setenv("PUBLISHER_JOIN", token)
        assert not may_join(configured(postgres_url + "x" if "?" not in postgres_url else f"{postgres_url}x"), environ)
        assert not may_join(configured("sqlite:///publisher.db"), environ)
        with monkeypatch.context() as other_secret:
            other_secret.setenv("PUBLISHER_SECRET", "y" * 40)
            assert not may_join(config, environ)
        assert why_unconfirmed(config, store) == ""
        assert check_in_host(config, store, NOW) == ""
        project.ok("hosts")


OTHER = "the secret of this host differs from that of home"
SAME = "give it the same secret; after a deliberate change, `publisher hosts forget` the others"


def test_a_host_with_another_secret_sends_nothing(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    project = clockwork.project
    (home,) = clockwork.store.hosts.list()
    assert home.key_id == clockwork.store.suppressions.key_id()
    monkeypatch.setenv("PUBLISHER_HOST", "copy")
    right = project.read(".publisher/secret").strip()
    monkeypatch.setenv("PUBLISHER_SECRET", "y" * 40)
    with open_project_store(project.config()) as store:
        open_one = OpenProject(project.config(), store, lambda: SLOT)
        assert tick(open_one).waits == OTHER
        assert project.fails("hosts", "confirm").err == f"error: {OTHER.replace('this host', 'copy')} ({SAME})\n"
        copy = next(host.id for host in store.hosts.list() if host.name == "copy")
        job = TickJob(project.config, lambda: SLOT, Stop())
        job()
        assert job.waits_for == f"{OTHER} ({SAME})"
        assert project.fails("publish", "--yes").err == f"error: {OTHER} ({SAME})\n"
        assert f"this host sends nothing: {OTHER} ({SAME})" in project.ok("hosts").err
        assert f"waits        nothing is sent from this host: {OTHER}\n" in project.ok("status").out
    monkeypatch.setenv("PUBLISHER_SECRET", right)
    project.ok("hosts", "confirm")

    # A confirmed host that gets a wrong secret later does not stop the others.
    monkeypatch.setenv("PUBLISHER_SECRET", "y" * 40)
    with open_project_store(project.config()) as store:
        assert check_in_host(project.config(), store, SLOT) == OTHER
    monkeypatch.delenv("PUBLISHER_SECRET")
    monkeypatch.setenv("PUBLISHER_HOST", "home")
    assert clockwork.at(SLOT).waits == ""
    project.ok("hosts", "forget", copy)
    monkeypatch.setenv("PUBLISHER_SECRET", "z" * 40)
    with open_project_store(project.config()) as store:  # the only host may have a new secret
        assert check_in_host(project.config(), store, SLOT) == ""
        assert next(host.key_id for host in store.hosts.list()) == store.suppressions.key_id() != home.key_id


def test_the_log_and_probes_name_the_way_to_confirm_a_host(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_HOST", "copy")
    job = TickJob(clockwork.project.config, lambda: SLOT, Stop())
    job()
    assert job.waits_for.endswith("has run on home (if this host is to send: publisher hosts confirm)")


def test_a_token_needs_a_database_that_several_hosts_can_use(project: Project) -> None:
    assert project.fails("hosts", "token").said.startswith("error: database.url: several hosts need a database on")


def test_one_of_two_starting_hosts_is_first(store: Store) -> None:
    found = []
    threads = [
        threading.Thread(target=lambda i=i: found.append(store.hosts.check_in(f"h{i}", f"h{i}", NOW))) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(host.confirmed_at is not None for host in found) == 1


def test_two_hosts_create_an_edition_once(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store_url: str
) -> None:
    configure(project, WEEKLY, f'[database]\nurl = "{store_url}"\n')
    project.subscribe(*(f"reader{number}" for number in range(5)))
    project_secret(project.config())  # both have the same
    other = Project(tmp_path / "other", project._capsys)
    shutil.copytree(project.root, other.root, dirs_exist_ok=True)
    with open_project_store(project.config()) as one, open_project_store(other.config()) as two:
        tick(OpenProject(project.config(), one, lambda: SLOT - DAY))
        assert tick(OpenProject(other.config(), two, lambda: SLOT - DAY)).waits
        other.ok("hosts", "confirm")
        done = []
        threads = [
            threading.Thread(target=lambda p=p, s=s: done.append(tick(OpenProject(p.config(), s, lambda: SLOT))))
            for p, s in ((project, one), (other, two))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(len(ticked.created) for ticked in done) == [0, 1]
        messages = [*project.mail().items(), *other.mail().items()]
        assert sorted(reader for reader, _ in messages) == [f"reader{number}@example.org" for number in range(5)]
        assert all(len(mails) == 1 for _, mails in messages)


def test_a_host_is_recognised(tmp_path: Path) -> None:
    machine, clone = tmp_path / "one", tmp_path / "two"
    machine.write_text("aaaa\n")
    clone.write_text("bbbb\n")
    ids = {
        host_id(tmp_path, {}, [machine]),
        host_id(tmp_path, {}, [clone]),
        host_id(tmp_path / "copy", {}, [machine]),
        host_id(tmp_path, {"PUBLISHER_HOST": "web"}, [machine]),
    }
    assert len(ids) == 4
    assert host_id(tmp_path, {}, [tmp_path / "none", machine]) == host_id(tmp_path, {}, [machine])
    assert host_id(tmp_path, {"PUBLISHER_HOST": "web"}) == host_id(tmp_path / "moved", {"PUBLISHER_HOST": "web"})


def test_hosts_shows_what_each_is_doing(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    project = clockwork.project
    monkeypatch.setenv("PUBLISHER_HOST", "copy")
    now = ("--now", f"{SLOT:%Y-%m-%dT%H:%MZ}")
    project.ok("hosts", "confirm", *now)
    ids = [host.id for host in clockwork.store.hosts.list()]
    # Other hosts, with other clocks, wrote these rows.
    clockwork.store.workers.begin("one", "home", Heartbeat(SLOT - 3 * HOUR, 10 * DAY, (5, 6), sent=1_200), ids[0])

    head, home, copy = (line.split("\t") for line in project.ok("hosts", *now).out.splitlines())
    assert head == ["ID", "Host", "May send", "Last seen", "Sending", "In hand", "Sent", "Version"]
    assert home[1:] == [
        "home",
        f"since {SLOT - 3 * DAY:%Y-%m-%d}",
        "3 hours ago",
        "1 worker",
        "0",
        "1,200",
        __version__,
    ]
    assert copy[3:] == ["not known", "no", "0", "0", ""]
    rows = project.ok("hosts", "--json", *now).json
    assert [(row["silent_seconds"], row["in_doubt"]) for row in rows] == [(10_800, 2), (None, 0)]
    lines = project.ok("status", *now).out.splitlines()
    assert [line for line in lines if line.startswith("host ")] == [
        "host         home is sending, with 0 messages in hand; last seen: 3 hours ago",
        "host         copy is not sending; last seen: not known",
    ]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "not known"), (89, "now"), (90, "1 minute ago"), (3_599, "59 minutes ago"), (172_800, "2 days ago")],
)
def test_a_silence_is_shown_in_its_largest_unit(seconds: int | None, shown: str) -> None:
    assert last_seen({"silent_seconds": seconds}) == shown


def test_hosts_counts_messages_for_the_outbox(project: Project) -> None:
    project.subscribe("ada", "bob")
    project.ok("publish")
    (row,) = project.ok("hosts", "--json").json
    assert (row["sent"], row["in_hand"], row["workers"]) == (2, 0, 0)
