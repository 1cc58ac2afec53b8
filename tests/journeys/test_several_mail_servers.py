"""Several mail servers, some unusable: the others send, and the owner is notified."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.free_ports import free_port
from tests.support.project import Project
from tests.support.smtp_server import Mailboxes, mail_server

# This test is about the login; encryption has its own test.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

WEEKLY = '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\n'
DAILY = '\n[[newsletters]]\nname = "daily"\nschedule = "daily 08:00"\n'


@pytest.fixture
def servers(project: Project) -> Iterator[tuple[Mailboxes, Mailboxes, list[int]]]:
    """A project with three mail servers, and their ports: one refuses the password, one is down, and one works."""
    away = free_port()
    with mail_server(password="right") as (locked, first), mail_server() as (open_one, last):
        relays = [
            f'port = {first.port}\nusername = "ada"\npassword = "wrong"\n',
            f"port = {away}\n",
            f"port = {last.port}\n",
        ]
        tables = "".join(f'[[mail.relays]]\nhost = "127.0.0.1"\ntls = "none"\n{relay}' for relay in relays)
        project.configure(f'transport = "smtp"\n{tables}', WEEKLY + DAILY)
        yield locked, open_one, [first.port, away]


def test_each_unusable_server_is_reported_once_while_another_sends(
    project: Project, servers: tuple[Mailboxes, Mailboxes, list[int]]
) -> None:
    _, taken, (first, away) = servers
    project.subscribe(*(f"reader{number}" for number in range(12)))
    ran = project.ok("publish", "--yes")
    assert len(taken.messages) == 12
    assert ran.err.splitlines() == [
        f"warning: 127.0.0.1:{first}: the mail server refuses the login of ada; other mail servers are used instead "
        "(see mail.relays: username and password)",
        f"warning: 127.0.0.1:{away}: the mail server cannot be reached: Connection refused; other mail servers are "
        "used instead (see mail.relays: host and port)",
    ]


def test_a_wrong_password_is_tried_once_per_run_however_many_editions_it_sends(
    project: Project, servers: tuple[Mailboxes, Mailboxes, list[int]]
) -> None:
    locked, taken, (first, _) = servers
    names = [f"reader{number}" for number in range(30)]
    project.subscribe(*names)
    project.subscribe(*(f"other{number}" for number in range(30)), newsletter="daily")
    found = project.ok("publish", "--yes", "--json").json
    assert len(taken.messages) == 60
    assert locked.logins == 1
    assert found["relays"][0]["relay"] == f"127.0.0.1:{first}"


def test_working_servers_are_not_reported(project: Project) -> None:
    with mail_server(password="right") as (taken, server):
        login = 'username = "ada"\npassword = "right"\n'
        relay = f'[[mail.relays]]\nhost = "127.0.0.1"\ntls = "none"\nport = {server.port}\n{login}'
        project.configure(f'transport = "smtp"\n{relay}{relay}connections = 1\n')
        project.subscribe(*(f"reader{number}" for number in range(12)))
        ran = project.ok("publish", "--yes", "--json")
        assert (ran.json["relays"], ran.err) == ([], "")
        assert len(taken.messages) == 12
