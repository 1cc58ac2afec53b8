"""`publisher run` as a process: on time, aware of changes, robust against failures, and cleanly shut down."""

from __future__ import annotations

import gc
import json
import re
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import httpx
import psutil
import pytest

from benchmarks.free_ports import free_port
from publisher.core.logging import configure as configure_logs
from publisher.daemon.jobs import SendJob
from publisher.mail.run_options import Stop
from publisher.publishing.tick import TickReport
from tests.support.admin_page import Owner, set_password
from tests.support.project import WEEKLY, Project
from tests.support.run_server import DUE, Running, running
from tests.support.sink import sink
from tests.support.smtp_server import Patient, Silent, mail_server
from tests.support.web_client import configure, until


def letters(project: Project) -> Counter[str]:
    """Return how many editions each subscriber has in the outbox."""
    mails = project.mail().items()
    return Counter({address: sum("List-Id" in mail for mail in several) for address, several in mails})


def test_due_editions_are_sent_once_at_the_start(project: Project) -> None:
    project.subscribe("ada", "bob")
    # Neither the language nor the time zone of the host matters.
    for event, host in (("site built", {"TZ": "Pacific/Apia", "LC_ALL": "C"}), ("answered", {"TZ": "Pacific/Apia"})):
        with running(project, **host) as run:
            assert run.get("/healthz").text == "ok\n"
            run.wait(event)
            until(lambda: len(project.mail()) == 2)
        assert run.logged()[-1]["event"] == "ended"
    assert letters(project) == {"ada@example.org": 1, "bob@example.org": 1}
    assert project.ok("editions", "--json").json[0]["slot"] == "2026-W47"


def test_a_new_subscriber_gets_the_next_edition(project: Project) -> None:
    with running(project, now="2026-11-16T07:30", is_moved=True) as run:
        run.subscribed("eve@example.org")
        assert run.logged("edition made") == []
        run.move_to(DUE)
        run.look_until("edition delivered")
    assert letters(project) == {"eve@example.org": 1}
    assert run.logged("edition made")[0]["slot"] == "2026-W47"


def test_changed_files_are_soon_on_the_site(project: Project) -> None:
    with running(project, now="2026-11-17T10:00") as run:
        run.wait("site built")
        assert "Fourth" not in run.get("/feed.xml").text
        project.post("fourth", "2026-11-16")
        run.wait("site built", 2)  # requesting a page costs more
        until(lambda: "Fourth" in run.get("/feed.xml").text)
        project.write("static/hello.txt", "hello\n")
        run.wait("site built", 3)
        until(lambda: run.get("/hello.txt").status_code == 200)
        project.write("static/hello.txt", "hello again\n")
        run.wait("site built", 4)
        until(lambda: run.get("/hello.txt").text == "hello again\n")


def test_only_a_valid_configuration_is_reloaded(project: Project) -> None:
    with running(project, now="2026-11-17T10:00") as run:
        text = project.read("publisher.toml")
        project.write("publisher.toml", text.replace("[web]", "[web]\nclient_limit = 0"))
        run.wait("configuration refused")
        assert "publisher.toml:" in run.logged("configuration refused")[-1]["what"]
        project.write("publisher.toml", text.replace('name = "weekly"', 'name = "monthly"'))
        run.wait("configuration taken")
        assert 'value="monthly"' in run.get("/subscribe").text or "monthly" in run.get("/subscribe").text
        run.process.send_signal(signal.SIGHUP)
        run.wait("configuration unchanged")


def test_the_owner_stays_logged_in_after_a_reload(project: Project) -> None:
    set_password(project)
    with running(project, now="2026-11-17T10:00") as run:
        owner = Owner(run)
        owner.log_in()
        project.write("publisher.toml", project.read("publisher.toml").replace("The Quiet Reader", "The Loud Reader"))
        run.wait("configuration taken")
        assert "The Loud Reader" in owner.get().text
        assert "A test was sent to test@example.net" in owner.press("/next/weekly", address="test@example.net")
        assert [line["path"] for line in run.logged("answered") if "login" in line["path"]] == []
    assert str(project.mail()["test@example.net"][0]["Subject"]).startswith("[Test]")


def test_a_second_process_is_refused_in_one_line(project: Project) -> None:
    with running(project) as run:
        second = project.run("run", "--port", "0")
        assert f"running (pid {run.process.pid})" in project.ok("status").out
    assert "not running" in project.ok("status").out
    assert second.code == 1
    assert second.err.count("\n") == 1
    assert f"is already running here (pid {run.process.pid})" in second.err


def test_a_failing_tick_is_logged_and_ends_nothing(project: Project) -> None:
    project.subscribe("ada")
    project.write("templates/email/digest.html", "{{ nothing.at.all }}")
    with running(project) as run:
        run.wait("problem")
        assert run.get("/healthz").status_code == 200
    assert len(run.logged("problem")) < 5
    assert letters(project) == {}


def test_a_dead_mail_server_is_left_alone(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.subscribe("ada")
    project.configure(f'transport = "smtp"\nsmtp = {{ url = "smtp://127.0.0.1:{free_port()}", tls = "none" }}\n')
    assert project.run("publish", "--yes").code == 1  # the edition is made
    config, now = project.config(), datetime(2026, 11, 17, 10, tzinfo=UTC)
    ended: list[bool] = []
    sending = SendJob(lambda: config, lambda: now, Stop(), lambda ticked: ended.append(ticked.stuck))
    capsys.readouterr()
    configure_logs("json")
    try:
        for _ in range(4):
            sending()
    finally:
        configure_logs()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert ended == [True, True]  # the first failure is tried again immediately; then it pauses, whatever is called
    assert [line["event"] for line in lines] == ["problem", "resting"]
    assert lines[1]["seconds"] == 60


def test_a_reached_daily_limit_is_not_a_failure(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.subscribe("ada", "bob", "cy")
    reports: list[TickReport] = []
    with mail_server() as (mailboxes, settings):
        smtp = f'smtp = {{ url = "smtp://127.0.0.1:{settings.port}", tls = "none", per_day = 2 }}\n'
        project.configure(f'transport = "smtp"\n{smtp}')
        assert project.run("publish", "--yes").code == 1
        config, clock = project.config(), [datetime(2026, 11, 16, 20, tzinfo=UTC)]
        sending = SendJob(lambda: config, lambda: clock[0], Stop(), reports.append)
        capsys.readouterr()
        configure_logs("json")
        try:
            for _ in range(3):
                sending()
        finally:
            configure_logs()
        (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        assert line["event"] == "problem"
        assert line["what"].startswith(
            f"127.0.0.1:{settings.port}: every mail server has reached its daily limit of recipients"
        )
        assert [each.limited for each in reports] == [datetime(2026, 11, 17, tzinfo=UTC)]  # then it pauses
        clock[0] = datetime(2026, 11, 17, 0, 1, tzinfo=UTC)
        SendJob(lambda: config, lambda: clock[0], Stop(), reports.append)()
        assert len(mailboxes.messages) == 3
    assert [(each.stuck, bool(each.delivered)) for each in reports] == [(False, False), (False, True)]


def test_sigterm_leaves_nothing_uncertain(project: Project, tmp_path: Path) -> None:
    readers = [f"reader{number}" for number in range(500)]  # it would take minutes to reach all
    project.subscribe(*readers)
    with sink(tmp_path / "sink") as to:
        port = to.server.address.port
        smtp = f'transport = "smtp"\nsmtp = {{ url = "smtp://127.0.0.1:{port}", tls = "none", rate = "2/s" }}\n'
        with running(project, smtp):
            until(lambda: len(to.taken()) > 3)
        sent = project.ok("editions", "--json").json[0]["deliveries"]
        assert 3 < len(to.taken()) < len(readers)
        assert sent == {"sent": len(to.taken()), "queued": len(readers) - len(to.taken())}
        with running(project, smtp.replace("2/s", "1000/s"), now="2026-11-16T08:05") as run:
            run.wait("edition delivered")
        assert Counter(to.recipients()) == Counter(f"{reader}@example.org" for reader in readers)


def test_sending_delays_no_other_slot(project: Project, tmp_path: Path) -> None:
    daily = WEEKLY.replace('"weekly"', '"daily"').replace("weekly monday 08:00", "1 8 * * *")
    newsletters = WEEKLY + daily
    project.configure("", newsletters)
    project.subscribe(*(f"reader{number}" for number in range(500)))
    project.subscribe("bob", newsletter="daily")
    with sink(tmp_path / "sink") as to:
        port = to.server.address.port
        smtp = f'transport = "smtp"\nsmtp = {{ url = "smtp://127.0.0.1:{port}", tls = "none", rate = "1/s" }}\n'
        with running(project, smtp, newsletters=newsletters, is_moved=True) as run:
            until(lambda: to.taken())
            assert [line["newsletter"] for line in run.logged("edition made")] == ["weekly"]
            run.move_to("2026-11-16T08:01")
            made = run.look_until("edition made", newsletter="daily", slot="2026-11-16T08:01")
        assert 0 < len(to.taken()) < 500
    assert made["why"] == ""
    assert not run.logged("edition delivered")
    assert not [line for line in run.logged() if "skipped" in line["event"]]


@pytest.mark.parametrize("owner", ["", "olga@example.net"])
def test_the_log_says_whether_the_owner_was_notified(project: Project, owner: str) -> None:
    project.subscribe("ada")
    with running(project, f'owner = "{owner}"\n' if owner else "", now="2026-11-19T08:00") as run:
        assert run.wait("edition held")["slot"] == "2026-W47"
        run.wait("owner told" if owner else "no owner")
    assert bool(run.logged("to be told")) == bool(run.logged("no owner")) == (not owner)
    assert bool(run.logged("owner told")) == bool(owner)
    assert list(project.mail()) == ([owner] if owner else [])


def test_systemd_is_notified(project: Project, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        heard: list[bytes] = []

        def listen() -> None:  # all the time: the program waits when the socket has no room
            while b"STOPPING=1" not in heard:
                heard.append(manager.recv(100))

        listening = threading.Thread(target=listen, daemon=True)
        listening.start()
        with running(project, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="300000"):
            until(lambda: len(heard) >= 3)
        listening.join(60)
    assert heard[:3] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    assert heard[-1] == b"STOPPING=1"


@contextmanager
def stopped(run: Running) -> Iterator[None]:
    """Let the processes of a run do nothing during the block."""
    parent = psutil.Process(run.process.pid)
    parent.suspend()  # first, so that it starts no other
    others = parent.children(recursive=True)
    for each in others:
        with suppress(psutil.NoSuchProcess):  # a build that has just ended
            each.suspend()
    try:
        yield
    finally:
        for each in (*others, parent):
            with suppress(psutil.NoSuchProcess):
                each.resume()


def test_an_outage_of_the_database_is_logged_in_two_lines(project: Project) -> None:
    project.subscribe("ada")
    record = project.root / ".publisher/publisher.db"
    with running(project, now="2026-11-16T07:00") as run:
        run.wait("site built")
        with stopped(run):  # otherwise it might create a new one between the two steps
            moved = record.rename(record.with_suffix(".away"))
            record.mkdir()
        assert "publisher.db" in run.look_until("database away")["what"]
        with stopped(run):
            record.rmdir()
            moved.rename(record)
        run.look_until("database back")
        assert run.get("/feed.xml").status_code == 200
    assert len(run.logged("database away")) == len(run.logged("database back")) == 1
    assert [line for line in run.logged() if line["event"] in ("tick failed", "sending failed", "resting")] == []


def test_a_database_that_is_away_at_the_start_is_waited_for(
    project: Project, postgres_url: str, tmp_path: Path
) -> None:
    server, found = tmp_path / "server", re.search(r"host=([^&]+)", postgres_url)
    assert found
    url, port = postgres_url.replace(found[1], str(server)), free_port()
    configure(project, port)
    refused = project.spawn("run", "--no-wait", "--port", str(port), PUBLISHER_DATABASE_URL=url)
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    run = Running(project, port, now="2026-11-17T10:00", PUBLISHER_DATABASE_URL=url)
    assert run.get("/healthz").status_code == 503
    server.symlink_to(unquote(found[1]))
    run.look_until("database back")
    until(lambda: run.get("/healthz").text == "ok\n")
    code, log = run.end()
    assert code == 0, log
    lines = [line["event"] for line in run.logged() if line["level"] != "info"]
    assert lines == ["database away"], log


def only(run: Running, name: str) -> psutil.Process:
    """Return the only process of a run with this name. One that is being started has its parent's name for a moment."""

    def found() -> psutil.Process | None:
        all_of_them = run.processes(name)
        return all_of_them[0] if len(all_of_them) == 1 else None

    return until(found)


def test_the_death_of_a_child_stops_nothing(project: Project) -> None:
    project.subscribe(*(f"reader{number}" for number in range(60)))
    with mail_server(mailboxes=Patient()) as (taken, server):
        url = f"smtp://127.0.0.1:{server.port}"
        smtp = f'transport = "smtp"\nsmtp = {{ url = "{url}", tls = "none", timeout = 600 }}\n'
        with running(project, smtp) as run:
            for number, name in enumerate(("publisher web", "publisher start", "publisher web")):
                victim, before = only(run, name), len(taken.senders)
                victim.kill()
                if name == "publisher web":
                    run.wait("web ended", 1 + number // 2)
                # A new connection waits until the next process accepts it.
                assert httpx.get(f"{run.url}/healthz", timeout=60).text == "ok\n"
                taken.let(5)
                until(lambda before=before: len(taken.senders) == before + 5)
            taken.let(45)
            run.wait("edition delivered")
            left = [only(run, "publisher web"), only(run, "publisher start")]
        assert {address: len(each) for address, each in taken.messages.items()} == {
            f"reader{number}@example.org": 1 for number in range(60)
        }
    assert psutil.wait_procs(left, timeout=240)[1] == []


def test_the_death_of_the_parent_ends_its_children(project: Project) -> None:
    with running(project) as run:
        left = psutil.Process(run.process.pid).children(recursive=True)
        assert {"publisher web", "publisher start"} <= {each.name() for each in left}
        run.process.kill()
        assert psutil.wait_procs(left, timeout=240)[1] == []
        assert run.process.wait(240) == -signal.SIGKILL
        run.process.returncode = 0  # as intended
    with running(project) as run:  # nothing holds the lock
        assert run.get("/healthz").text == "ok\n"


def test_a_second_sigterm_stops_immediately(project: Project) -> None:
    project.subscribe("ada")
    with mail_server(mailboxes=Silent()) as (silent, server):
        url = f"smtp://127.0.0.1:{server.port}"
        smtp = f'transport = "smtp"\nsmtp = {{ url = "{url}", tls = "none", timeout = 600 }}\n'
        with running(project, smtp) as run:
            assert silent.asked.wait(240)
            run.process.send_signal(signal.SIGTERM)
            run.wait("ending")
            run.process.send_signal(signal.SIGTERM)
            run.process.wait(240)
    assert run.logged("hurrying")
    assert project.ok("editions", "--json").json[0]["deliveries"] == {"queued": 1}


def test_a_build_leaves_no_file_open(project: Project) -> None:
    gc.disable()  # they must not be closed only by the garbage collector
    try:
        project.ok("build")  # it starts the process that renders, which stays for a while
        before = open_files()
        for number in range(5):
            project.post(f"more-{number}", "2026-11-14")
            project.ok("build")
        assert open_files() <= before  # a thread of an earlier test may have closed some
    finally:
        gc.enable()


def open_files() -> Counter[str]:
    """Count what this process has open, by name, without the numbers of pipes and sockets."""
    found = Counter[str]()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # of the list itself
            found[re.sub(r"\d+", "", str(link.readlink()))] += 1
    return found
