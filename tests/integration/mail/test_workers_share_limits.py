"""Workers with their own stores on one PostgreSQL, each in a thread, and a server that notes arrival times."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from publisher.config import Relay
from publisher.core.errors import PublisherError, StoreError, TransportError
from publisher.mail.smtp.shared_limits import ClockDifference
from publisher.store import open_store
from tests.support.delivery_samples import make_edition
from tests.support.smtp_samples import everybody, send
from tests.support.smtp_server import Mailboxes, mail_server

WORKERS = 4


@dataclass
class Noted(Mailboxes):
    """Accepts everything, and notes the time."""

    times: list[float] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - see Mailboxes
        self.times.append(time.monotonic())
        return await super().handle_DATA(server, session, envelope)


@dataclass
class Fleet:
    """Workers on one database. Each has its own folder, as on its own host."""

    url: str
    folder: Path

    def send(
        self, readers: int, workers: int = WORKERS, then: int = 0, **limits: Any
    ) -> tuple[Noted, float, list[str]]:
        """Make an edition, and send it with these limits; return the arrivals, the start time, and the errors.

        then: how many more workers run afterwards, one after the other.
        """
        with open_store(self.url, self.folder) as store, mail_server(mailboxes=Noted()) as (noted, settings):
            assert isinstance(noted, Noted)
            edition = make_edition(store, readers)
            server = replace(Relay(host=settings.host, port=settings.port, tls="none"), **limits)

            def work(number: int) -> str:
                with open_store(self.url, self.folder) as own:
                    try:
                        send(own, [server], edition, self.folder / f"worker{number}")
                    except TransportError as error:
                        return error.message
                return ""

            begun = time.monotonic()
            with ThreadPoolExecutor(workers) as pool:
                errors = list(pool.map(work, range(workers)))
            errors += [work(workers + number) for number in range(then)]
        return noted, begun, errors


@pytest.fixture
def fleet(postgres_url: str, tmp_path: Path) -> Fleet:
    return Fleet(postgres_url, tmp_path)


def most_allowed(rate: float) -> Callable[[float], float]:
    """Return a function of the seconds since the start: the most messages that may have arrived by then."""
    return lambda seconds: rate * (seconds + 0.1) + 1


@pytest.mark.parametrize("limits", [{"rate": "40/s"}, {"domains": ("example.org 40/s",)}])
def test_all_workers_together_keep_to_one_rate(
    fleet: Fleet, limits: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Workers infer the time of the database from its answers, and late answers on a busy machine make this inexact.
    ahead = time.time() - time.monotonic()
    monkeypatch.setattr(ClockDifference, "by_loop", lambda clocks, moment: moment - ahead)
    noted, begun, errors = fleet.send(100, **limits)
    assert errors == [""] * WORKERS
    assert Counter({who: len(messages) for who, messages in noted.messages.items()}) == everybody(100)
    allowed = most_allowed(40)
    for number, moment in enumerate(sorted(noted.times), 1):
        assert number <= allowed(moment - begun)


@pytest.mark.usefixtures("one_day")
def test_all_workers_together_keep_to_the_daily_limit(fleet: Fleet) -> None:
    # Workers that end early may leave recipients that others returned; one more worker uses all that are left.
    noted, _, errors = fleet.send(130, then=1, per_day=60)
    reached = "every mail server has reached its daily limit of recipients"
    assert set(errors) <= {reached, ""}
    assert errors[-1] == reached
    assert len(noted.times) == 60


def test_a_run_that_cannot_request_turns_ends_with_the_error_of_the_database(fleet: Fleet) -> None:
    with open_store(fleet.url, fleet.folder), psycopg.connect(fleet.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE sending_rates RENAME TO sending_rates_away")
    with pytest.raises(StoreError, match="sending_rates") as caught:
        fleet.send(5, workers=1, rate="10/s")
    assert isinstance(caught.value, PublisherError)
