"""Messages that a mail server refuses while editions are sent: counted and shown like bounces."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tests.support.project import Project
from tests.support.smtp_server import Mailboxes, mail_server

LIMIT = 3


class Answers(Mailboxes):
    """Answers RCPT according to the local part of the address."""

    said = {
        "dead": "550 No such recipient here",
        "odd": "550 5.7.1 no such person here",
        "full": "552 5.2.2 over quota",
        "closed": "550 rejected",
        "spam": "554 5.7.1 rejected as spam",
        "sender": "550 5.1.8 Sender address rejected: user unknown",
    }

    def answer(self, address: str) -> str:
        return "" if self.lenient else self.said.get(address.partition("@")[0], "")

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # type: ignore[no-untyped-def]  # noqa: N802
        return self.answer(address) or await super().handle_RCPT(server, session, envelope, address, options)


@pytest.fixture
def server(project: Project) -> Iterator[Answers]:
    answers = Answers()
    with mail_server(mailboxes=answers) as (_, settings):
        smtp = f'\n[mail.smtp]\nhost = "127.0.0.1"\nport = {settings.port}\ntls = "none"\n'
        project.configure(f'transport = "smtp"\n{smtp}[subscribers]\nbounce_limit = {LIMIT}\n')
        yield answers


def publish(project: Project, week: int) -> str:
    """Send the edition of a week, with a new post."""
    day = date(2026, 11, 16) + timedelta(weeks=week)
    project.post(f"post-{week}", f"{day - timedelta(days=4):%Y-%m-%d}")
    return project.run("publish", "--yes", now=f"{day:%Y-%m-%d}T10:00").out


def statuses(project: Project) -> dict[str, str]:
    rows = project.ok("subscribers", "list", "--json").json
    return {row["email"].partition("@")[0]: row["status"] for row in rows}


def listed(project: Project) -> list[tuple[str, str, str]]:
    """Return the bounces as (local part, verdict, code), oldest first."""
    rows = project.ok("bounces", "list", "--json").json
    return [(row["address"].partition("@")[0], row["verdict"], row["status"]) for row in reversed(rows)]


def test_permanent_refusals_count_like_bounces(project: Project, server: Answers) -> None:
    project.subscribe("ada", "bob", *server.said)
    told = publish(project, 0)
    assert "2 subscribers no longer sent to: the mail server says the mailbox doesn't exist" in told
    assert sorted(listed(project)) == [
        ("closed", "temporary", ""),
        ("dead", "permanent", ""),
        ("full", "temporary", "5.2.2"),
        ("odd", "permanent", "5.7.1"),
        ("sender", "refused", "5.1.8"),
        ("spam", "refused", "5.7.1"),
    ]
    (edition,) = project.ok("bounces", "stats", "--json").json
    assert (edition["sent"], edition["permanent"], edition["temporary"], edition["refused"]) == (2, 2, 2, 2)
    assert "mail server" in project.ok("bounces", "list").out

    publish(project, 1)
    told = publish(project, 2)
    assert "2 subscribers no longer sent to: the mailbox has refused email too often in a row" in told
    stopped = {name for name, status in statuses(project).items() if status == "bounced"}
    assert stopped == {"dead", "odd", "full", "closed"}


def test_an_accepted_message_in_between_resets_the_count(project: Project, server: Answers) -> None:
    project.subscribe("ada", "full")
    for week in range(2 * LIMIT):
        server.lenient = week % LIMIT == LIMIT - 1
        publish(project, week)
    assert statuses(project) == {"ada": "active", "full": "active"}
    assert len(listed(project)) == 2 * (LIMIT - 1)


def test_a_message_that_is_deferred_for_days_counts_once(project: Project, server: Answers) -> None:
    project.subscribe("ada", "450-busy")
    publish(project, 0)
    for hours in (20, 30, 40, 50, 60, 70, 80, 100, 130):  # the tenth try, after more than five days
        assert listed(project) == []
        moment = f"{date(2026, 11, 16) + timedelta(days=hours // 24):%Y-%m-%d}T{hours % 24:02}:00"
        project.run("publish", "--yes", now=moment)
    assert listed(project) == [("450-busy", "temporary", "")]
    assert statuses(project)["450-busy"] == "active"


def test_a_server_that_refuses_most_mailboxes_is_not_trusted(project: Project, server: Answers) -> None:
    project.subscribe("ada", *(f"550-n{number}" for number in range(30)))
    told = publish(project, 0)
    assert "the mail server says 30 mailboxes take no email. That is implausibly many" in told
    assert listed(project) == []
