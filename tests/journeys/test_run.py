"""`publisher run` as a process: on time, aware of changes, robust against failures, and cleanly shut down."""

from __future__ import annotations

import gc
import json
import re
import signal
import socket
import time
from collections import Counter
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
from tests.support.run_server import Running, running
from tests.support.sink import sink
from tests.support.smtp_server import mail_server
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
    # It checks at its start and then not for a minute: time to start before eight, and to subscribe, on a busy host.
    eight = time.monotonic() + 8
    with running(project, "[run]\ntick_seconds = 60\n", now="2026-11-16T07:59:52") as run:
        run.subscribed("eve@example.org")
        time.sleep(max(0, eight - time.monotonic()))
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
    project.subscribe(*(f"reader{number}" for number in range(40)))
    with sink(tmp_path / "sink") as to:
        port = to.server.address.port
        smtp = f'transport = "smtp"\nsmtp = {{ url = "smtp://127.0.0.1:{port}", tls = "none", rate = "10/s" }}\n'
        with running(project, smtp):
            until(lambda: len(to.taken()) > 3)
        sent = project.ok("editions", "--json").json[0]["deliveries"]
        assert 3 < len(to.taken()) < 40
        assert sent == {"sent": len(to.taken()), "queued": 40 - len(to.taken())}
        with running(project, smtp.replace("10/s", "1000/s"), now="2026-11-16T08:05") as run:
            run.wait("edition delivered")
        assert Counter(to.recipients()) == Counter(f"reader{number}@example.org" for number in range(40))


def test_sending_delays_no_other_slot(project: Project, tmp_path: Path) -> None:
    newsletters = WEEKLY + WEEKLY.replace('"weekly"', '"daily"').replace("weekly monday 08:00", "1 8 * * *")
    project.configure("", newsletters)
    project.subscribe(*(f"reader{number}" for number in range(60)))
    project.subscribe("bob", newsletter="daily")
    with sink(tmp_path / "sink") as to:
        port = to.server.address.port
        smtp = f'transport = "smtp"\nsmtp = {{ url = "smtp://127.0.0.1:{port}", tls = "none", rate = "1/s" }}\n'
        due = time.monotonic() + 5
        with running(project, smtp, newsletters=newsletters, now="2026-11-16T08:00:55") as run:
            run.look_until("edition made")
            until(lambda: to.taken())
            time.sleep(max(0, due - time.monotonic()))
            made = run.look_until("edition made", newsletter="daily", slot="2026-11-16T08:01")
        assert 0 < len(to.taken()) < 60
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
        manager.settimeout(60)
        with running(project, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="300000"):
            heard = [manager.recv(100) for _ in range(3)]
        manager.settimeout(0.1)
        while heard[-1] != b"STOPPING=1":
            heard.append(manager.recv(100))
    assert heard[:3] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]


def test_an_outage_of_the_database_is_logged_in_two_lines(project: Project) -> None:
    project.subscribe("ada")
    record = project.root / ".publisher/publisher.db"
    with running(project, now="2026-11-16T07:00") as run:
        run.wait("site built")
        moved = record.rename(record.with_suffix(".away"))
        record.mkdir()
        assert "publisher.db" in run.look_until("database away")["what"]
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
    assert run.get("/healthz").text == "ok\n"
    code, log = run.end()
    assert code == 0, log
    lines = [line["event"] for line in run.logged() if line["level"] != "info"]
    assert lines == ["database away"], log


def test_the_death_of_a_child_stops_nothing(project: Project, tmp_path: Path) -> None:
    project.subscribe(*(f"reader{number}" for number in range(60)))
    with sink(tmp_path / "sink") as to:
        port = to.server.address.port
        smtp = f'transport = "smtp"\nsmtp = {{ url = "smtp://127.0.0.1:{port}", tls = "none", rate = "10/s" }}\n'
        with running(project, smtp) as run:
            until(lambda: to.taken())
            for number, name in enumerate(("publisher web", "publisher start", "publisher web")):
                (victim,) = until(lambda name=name: run.processes(name))
                before = len(to.taken())
                victim.kill()
                if name == "publisher web":
                    run.wait("web ended", 1 + number // 2)
                # A new connection waits until the next process accepts it.
                assert httpx.get(f"{run.url}/healthz", timeout=60).text == "ok\n"
                until(lambda before=before: len(to.taken()) > before)
            run.wait("edition delivered")
            left = run.processes("publisher web") + run.processes("publisher start")
            assert len(left) == 2
        assert Counter(to.recipients()) == Counter(f"reader{number}@example.org" for number in range(60))
    assert psutil.wait_procs(left, timeout=60)[1] == []


def test_the_death_of_the_parent_ends_its_children(project: Project) -> None:
    with running(project) as run:
        left = psutil.Process(run.process.pid).children(recursive=True)
        assert {"publisher web", "publisher start"} <= {each.name() for each in left}
        run.process.kill()
        assert psutil.wait_procs(left, timeout=60)[1] == []
        assert run.process.wait(60) == -signal.SIGKILL
        run.process.returncode = 0  # as intended
    with running(project) as run:  # nothing holds the lock
        assert run.get("/healthz").text == "ok\n"


def test_a_second_sigterm_stops_immediately(project: Project, tmp_path: Path) -> None:
    project.subscribe("ada")
    with sink(tmp_path / "sink", "-w", "120") as to:  # seconds before it lets a message begin
        port = to.server.address.port
        smtp = f'transport = "smtp"\nsmtp = {{ url = "smtp://127.0.0.1:{port}", tls = "none", timeout = 100 }}\n'
        for _ in range(5):  # on a busy machine the first signal may come before the message begins
            with running(project, smtp) as run:
                until(lambda: [e for e in project.ok("editions", "--json").json if "sending" in e["deliveries"]])
                run.process.send_signal(signal.SIGTERM)
                run.wait("ending")
                run.process.send_signal(signal.SIGTERM)
                run.process.wait(60)
            if run.logged("hurrying"):
                break
        else:
            pytest.fail("the process always ended after the first signal")
    assert project.ok("editions", "--json").json[0]["deliveries"] == {"queued": 1}


def test_a_build_leaves_no_file_open(project: Project) -> None:
    gc.disable()  # they must not be closed only by the garbage collector
    try:
        project.ok("build")  # it starts the process that renders, which stays for a while
        before = len(list(Path("/proc/self/fd").iterdir()))
        for number in range(5):
            project.post(f"more-{number}", "2026-11-14")
            project.ok("build")
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    finally:
        gc.enable()
