"""The table of subscription statuses matches its drawing, and no other code sets a status."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import publisher
from publisher.core import subscription_status
from publisher.core.subscriber_status import SUBSCRIBES, SubscriberEvent, ends_all
from publisher.core.subscription_status import (
    TABLE,
    SubscriptionEvent,
    SubscriptionRecord,
    SubscriptionStatus,
    next_subscription_status,
    no_counts,
)

SUBSCRIBED, UNSUBSCRIBED, REMOVED = SubscriptionStatus
STATUSES = (None, *SubscriptionStatus)
OWN_ACTS = {SubscriptionEvent.CONFIRMED, SubscriptionEvent.CHOSEN, SubscriptionEvent.UNDONE}
NOW = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)


def drawn() -> dict[tuple[SubscriptionStatus | None, SubscriptionEvent], SubscriptionStatus]:
    """Return the table that is drawn in the docstring of `subscription_status`."""
    assert subscription_status.__doc__
    lines = [
        line.split() for line in subscription_status.__doc__.splitlines() if line.startswith("    ") and "─" not in line
    ]
    head, *rows = lines
    columns = [None if name == "never" else SubscriptionStatus(name) for name in head[1:]]
    return {
        (status, SubscriptionEvent(row[0])): SubscriptionStatus(cell)
        for row in rows
        for status, cell in zip(columns, row[1:], strict=True)
        if cell != "·"
    }


def test_the_table_matches_its_drawing() -> None:
    assert drawn() == dict(TABLE)
    assert {event for _, event in TABLE} == set(SubscriptionEvent)


@pytest.mark.parametrize(("status", "event"), list(itertools.product((UNSUBSCRIBED, REMOVED), SubscriptionEvent)))
def test_only_the_subscriber_or_a_reason_can_undo_a_no(status: SubscriptionStatus, event: SubscriptionEvent) -> None:
    may = OWN_ACTS | {SubscriptionEvent.READDED}
    assert next_subscription_status(status, event) is not SUBSCRIBED or event in may


def test_a_subscriber_cannot_undo_what_the_owner_did() -> None:
    assert next_subscription_status(UNSUBSCRIBED, SubscriptionEvent.UNDONE) is SUBSCRIBED
    assert next_subscription_status(REMOVED, SubscriptionEvent.UNDONE) is None
    assert next_subscription_status(None, SubscriptionEvent.UNDONE) is None


@pytest.mark.parametrize("event", [each for each in map(ends_all, SubscriberEvent) if each])
def test_ending_all_email_ends_each_subscription(event: SubscriptionEvent) -> None:
    for status in STATUSES:
        once = next_subscription_status(status, event)
        assert once is not SUBSCRIBED
        assert next_subscription_status(once, event) is once


def test_adding_subscribes_someone_who_was_never_asked() -> None:
    for event in (SubscriberEvent.ADDED, SubscriberEvent.READDED, SubscriberEvent.IMPORTED, SubscriberEvent.CONFIRMED):
        assert next_subscription_status(None, SUBSCRIBES[event]) is SUBSCRIBED


@pytest.mark.parametrize(
    ("yes", "no", "counts"),
    [(0, 1, True), (1, 0, False), (0, 0, True), (None, 0, True), (0, None, True), (None, None, True)],
)
def test_the_later_decision_counts_and_a_no_wins_if_a_date_is_missing(
    yes: int | None, no: int | None, counts: bool
) -> None:
    moments = [None if day is None else NOW + timedelta(days=day) for day in (yes, no)]
    assert no_counts(*moments) is counts


def test_a_refusal_names_the_newsletter_and_the_day() -> None:
    local = NOW.astimezone(datetime.fromisoformat("2026-01-01T00:00+02:00").tzinfo)
    left = SubscriptionRecord("weekly", status=UNSUBSCRIBED, since=NOW)
    assert left.ending(NOW) == "unsubscribed from weekly on 28 November 2026"
    assert left.ending(local) == "unsubscribed from weekly on 29 November 2026"
    assert SubscriptionRecord("weekly", status=REMOVED).ending(NOW) == "was unsubscribed from weekly"


def test_no_other_file_decides_a_status() -> None:
    """Other code may compare a status or filter by it, but must never assign a status by name."""
    written = re.compile(r"""["']?status["']?\s*[:=]\s*SubscriptionStatus\.|values\([^)]*SubscriptionStatus\.""")
    package = Path(publisher.__file__).parent
    found = [path.name for path in package.rglob("*.py") if written.search(path.read_text(encoding="utf-8"))]
    assert found == []
