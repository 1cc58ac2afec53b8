"""A confirmation email to a missing mailbox bounces to its own return address, and the subscriber becomes bounced."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.newsletter_models import Subscription
from publisher.core.templates import Templates
from publisher.mail.transport import Accepted, Outcome, Rejected
from publisher.publishing.mail_wiring import open_transport, project_links, subscription_policy
from publisher.publishing.wiring import open_project_store
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.double_opt_in import confirm, request_subscription
from publisher.web.context import WebContext
from publisher.web.mail_worker import MailWorker, RejectedForGoodError
from publisher.web.send_notices import send_notice
from tests.support.bounce_samples import RETURN_PATH, failed, report
from tests.support.bounced_project import maildir
from tests.support.project import WEEKLY, Project
from tests.support.store_samples import NOW

ADA = "ada@example.org"
TAKEN = Accepted()


@dataclass
class Envelopes:
    """Accepts every message, and remembers its envelope sender."""

    senders: list[str] = field(default_factory=list)
    outcome: Outcome = TAKEN

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        self.senders.append(envelope_from)
        return self.outcome


def asked(project: Project, *, confirmed: bool = False, outcome: Outcome = TAKEN) -> str:
    """Subscribe as Ada; return the envelope sender of the confirmation email."""
    config, envelopes = project.config(), Envelopes(outcome=outcome)
    with open_project_store(config) as store:
        terms, wanted = subscription_policy(config), [Subscription("weekly")]
        evidence = Evidence("form")
        notice = request_subscription(store, terms, ADA, wanted, known=["weekly"], now=NOW, evidence=evidence)
        assert notice is not None
        context = WebContext(
            config=config,
            store=store,
            policy=terms,
            links=project_links(config),
            templates=Templates(config.root / "templates"),
            mail_worker=MailWorker(lambda: open_transport(config), lambda outcome, what: None),
            now=lambda: NOW,
        )
        send_notice(context, envelopes, notice, NOW)  # type: ignore[arg-type]
        if confirmed:
            assert confirm(store, terms, notice.token, now=NOW, evidence=evidence)
    return envelopes.senders[0]


def read(project: Project, status: str, to: str) -> tuple[str, str]:
    """Read a failure report sent to this return address; return the output, and Ada's status afterwards."""
    maildir(project.root / "returned", [report(failed(status), to=to)])
    said = project.ok("bounces", "read", "returned").out
    return said, str(project.ok("subscribers", "show", ADA, "--json").json["status"])


@pytest.fixture
def letters(empty: Project) -> Project:
    empty.configure('bounces = "bounces@letters.example"\n', WEEKLY)
    return empty


def test_an_undeliverable_confirmation_bounces_once(letters: Project) -> None:
    back = asked(letters)
    assert back.startswith("bounces+n1.") and back.endswith("@letters.example")
    assert read(letters, "4.2.2", back) == ("1 read: 1 soft bounce\n", "pending")
    assert read(letters, "5.1.1", back) == ("1 read: 1 hard bounce\n", "bounced")
    assert read(letters, "5.1.1", back) == ("1 read: 1 already processed\n", "bounced")


@pytest.mark.parametrize(
    ("answer", "status"),
    [("550 No such recipient here", "bounced"), ("552 over quota", "pending"), ("554 5.7.1 spam detected", "pending")],
)
def test_a_refusal_of_the_confirmation_counts_like_its_bounce(letters: Project, answer: str, status: str) -> None:
    with pytest.raises(RejectedForGoodError):
        asked(letters, outcome=Rejected(answer))
    assert letters.ok("subscribers", "show", ADA, "--json").json["status"] == status
    (listed,) = letters.ok("bounces", "list", "--json").json
    assert (listed["source"], listed["words"]) == ("mail server", answer)


def test_a_late_failure_stops_no_confirmed_subscriber(letters: Project) -> None:
    back = asked(letters, confirmed=True)
    assert read(letters, "5.1.1", back) == ("1 read: 1 delay or automatic reply\n", "active")


def test_a_forged_return_address_is_reported(letters: Project) -> None:
    back = asked(letters)
    assert read(letters, "5.1.1", back.replace("n1.", "n2.")) == ("1 read: 1 forged\n", "pending")


@given(st.integers(1, 10**13), st.text("n0123456789.-+ab", max_size=20))
def test_confirmations_and_deliveries_are_never_confused(number: int, noise: str) -> None:
    notice, delivery = RETURN_PATH.of_notice(number, NOW), RETURN_PATH.of(number)
    assert RETURN_PATH.read_notice(notice.upper()) == (number, int(NOW.timestamp()) // 3_600)
    assert (RETURN_PATH.read(notice), RETURN_PATH.read_notice(delivery)) == (None, None)
    assert not RETURN_PATH.pretends(notice)
    assert len(notice.partition("@")[0]) <= 64
    assert RETURN_PATH.read_notice(f"bounces+{noise}@letters.example") is None
