"""The table of delivery statuses matches its drawing, and retries come at the intended times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition, EditionKind
from publisher.mail import lifecycle
from publisher.mail.lifecycle import (
    FEWEST_OF_LATER,
    FEWEST_TRIES,
    GIVE_UP_AFTER,
    LONGEST_WAIT,
    TABLE,
    WAITING,
    DeliveryEvent,
    moves,
    next_status,
    next_try,
    update_after,
)
from publisher.mail.transport import Deferred, Outcome, Unanswered

FINAL = {DeliveryStatus.SENT, DeliveryStatus.SKIPPED}


def drawn() -> dict[tuple[str, str], str]:
    """Return the table that is drawn in the docstring of `lifecycle`."""
    lines = [line.split() for line in (lifecycle.__doc__ or "").splitlines() if line.startswith("    ")]
    header, _, *rows = lines
    return {
        (status, row[0]): after
        for row in rows
        for status, after in zip(header[1:], row[1:], strict=True)
        if after != "·"
    }


def test_the_drawing_matches_the_table() -> None:
    assert drawn() == {(status.value, event.value): after.value for (status, event), after in TABLE.items()}


@pytest.mark.parametrize("status", DeliveryStatus)
@pytest.mark.parametrize("event", DeliveryEvent)
def test_a_move_is_in_the_table_or_is_refused(status: DeliveryStatus, event: DeliveryEvent) -> None:
    if (status, event) in TABLE:
        assert next_status(status, event) is moves(event)[status] is TABLE[status, event]
    else:
        assert status not in moves(event)
        with pytest.raises(ValueError, match=f"a delivery that is {status} cannot be {event}"):
            next_status(status, event)


def test_a_final_status_never_changes() -> None:
    assert FINAL.isdisjoint(status for status, _ in TABLE)


def test_every_open_status_can_become_sent() -> None:
    reachable = set(FINAL - {DeliveryStatus.SKIPPED})
    while grown := {status for (status, _), after in TABLE.items() if after in reachable} - reachable:
        reachable |= grown
    assert reachable == set(DeliveryStatus) - {DeliveryStatus.SKIPPED}


def test_queued_and_deferred_are_waiting() -> None:
    assert set(WAITING) == {DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED}


def test_an_uncertain_delivery_waits_for_answer_or_owner() -> None:
    events = {event for status, event in TABLE if status is DeliveryStatus.UNCERTAIN}
    assert events == {
        DeliveryEvent.RETRY,
        DeliveryEvent.CANCELLED,
        DeliveryEvent.ACCEPTED,
        DeliveryEvent.DEFERRED,
        DeliveryEvent.REJECTED,
        DeliveryEvent.EXPIRED,
    }


MADE = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 5), (2, 10), (3, 20), (7, 320), (8, 360), (9, 360), (5_000, 360)]
)
def test_waits_double_up_to_six_hours(attempts: int, minutes: int) -> None:
    assert next_try(MADE, MADE, attempts) == MADE + timedelta(minutes=minutes)


@given(st.timedeltas(timedelta(0), timedelta(days=30)), st.integers(1, 10_000))
def test_tries_end_after_five_days(age: timedelta, attempts: int) -> None:
    now = MADE + age
    due = next_try(MADE, now, attempts)
    if due is None:
        assert age + LONGEST_WAIT > GIVE_UP_AFTER and attempts >= FEWEST_TRIES
    else:
        assert now < due <= (MADE + GIVE_UP_AFTER if attempts >= FEWEST_TRIES else now + LONGEST_WAIT)


@pytest.mark.parametrize(
    ("fewest", "hours"), [(FEWEST_TRIES, range(22, 24)), (FEWEST_OF_LATER, range(72, 96))], ids=["posts", "welcome"]
)
def test_a_message_that_is_first_tried_late_is_tried_again(fewest: int, hours: range) -> None:
    first, tries = MADE + timedelta(days=200), 1
    now = first
    while due := next_try(MADE, now, tries, fewest=fewest):
        now, tries = due, tries + 1
    assert tries == fewest
    assert (now - first) // timedelta(hours=1) in hours


WELCOME = Edition(1, "weekly", "welcome:1", 0, "Welcome", MADE, kind=EditionKind.WELCOME)


def delivery(tries: int) -> Delivery:
    """Return a delivery that was tried this often before."""
    return Delivery(1, 1, "uid", "ada@example.org", "", "", tries)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(Deferred("451 greylisted"), DeliveryStatus.DEFERRED), (Unanswered("reset"), DeliveryStatus.QUEUED)],
)
def test_an_old_welcome_email_waits_after_its_first_temporary_failure(
    outcome: Outcome, expected: DeliveryStatus
) -> None:
    now = MADE + timedelta(days=200)
    update = update_after(WELCOME, delivery(0), outcome, DeliveryEvent.UNANSWERED_RESEND, now)
    assert update.status is expected
    assert update.settled.next_try_at is not None
    assert timedelta(minutes=4) < update.settled.next_try_at - now <= timedelta(minutes=5)


def test_a_message_without_an_answer_is_not_resent_for_ever() -> None:
    now = MADE + timedelta(days=6)
    update = update_after(WELCOME, delivery(40), Unanswered("reset"), DeliveryEvent.UNANSWERED_RESEND, now)
    assert (update.status, update.settled.next_try_at) == (DeliveryStatus.FAILED, None)
    assert update.reason == "given up after 41 tries: reset"
    assert update.unanswered


@pytest.mark.parametrize(("kind", "most"), [(EditionKind.POSTS, FEWEST_TRIES), (EditionKind.WELCOME, FEWEST_OF_LATER)])
def test_an_old_edition_gives_up_after_the_fewest_tries(kind: EditionKind, most: int) -> None:
    now, outcome = MADE + timedelta(days=200), Deferred("451 greylisted")
    statuses = [
        update_after(replace(WELCOME, kind=kind), delivery(tries), outcome, DeliveryEvent.UNANSWERED_RESEND, now).status
        for tries in range(most)
    ]
    assert statuses == [*[DeliveryStatus.DEFERRED] * (most - 1), DeliveryStatus.FAILED]


def test_jitter_spreads_equal_waits() -> None:
    waits = {(next_try(MADE, MADE, 2, seed=delivery) or MADE) - MADE for delivery in range(100)}
    assert len(waits) == 100
    assert timedelta(minutes=9) < min(waits) < timedelta(minutes=9, seconds=10)
    assert timedelta(minutes=9, seconds=50) < max(waits) <= timedelta(minutes=10)
