"""The program knows without sending anything that a daily limit is reached, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.config import Mail, Relay
from publisher.core.models import Problem
from publisher.mail.daily_limit import limit_reached_until
from publisher.mail.smtp.limits import DailyQuota, counts_folder, server_name
from publisher.mail.smtp.shared_limits import hashed
from publisher.store import Store

LIMITED = Relay(host="127.0.0.1", port=25, per_day=3)
UNLIMITED = Relay(host="127.0.0.1", port=26)


def mail(*relays: Relay) -> Mail:
    return Mail(transport="smtp", relays=relays)


@pytest.mark.usefixtures("one_day")
def test_a_limit_is_reached_until_midnight_unless_another_server_may_send(store: Store, tmp_path: Path) -> None:
    now = datetime.now(UTC)  # the day of PostgreSQL's clock
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
    assert limit_reached_until(mail(LIMITED), tmp_path, store, now) is None
    if store.limits.shared:
        store.limits.take_recipients(hashed(server_name(LIMITED)), 3, 3)
    else:
        quota = DailyQuota(counts_folder(tmp_path), server_name(LIMITED), 3, lambda: now)
        assert quota.left()
        for _ in range(3):
            quota.take()
        quota.close()
    assert limit_reached_until(mail(LIMITED), tmp_path, store, now) == midnight
    assert limit_reached_until(mail(LIMITED), tmp_path, store, midnight) is None
    assert limit_reached_until(mail(LIMITED, UNLIMITED), tmp_path, store, now) is None
    assert limit_reached_until(Mail(transport="outbox"), tmp_path, store, now) is None


def test_a_problem_without_a_place_does_not_begin_with_a_colon() -> None:
    assert str(Problem("", 0, "the disk is full", "make room")) == "the disk is full (make room)"
    assert str(Problem("a.md", 3, "is empty")) == "a.md:3: is empty"
