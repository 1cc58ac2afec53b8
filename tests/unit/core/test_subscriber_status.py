"""The table of subscriber statuses matches its drawing, and no other code sets a status."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

import publisher
from publisher.core import subscriber_status
from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.subscriber_status import REFUSALS, TABLE, SubscriberEvent, next_status

STATUSES = (None, *SubscriberStatus)
PROVE_NOTHING = (SubscriberEvent.REQUESTED, SubscriberEvent.IMPORTED)


def drawn() -> dict[tuple[SubscriberStatus | None, SubscriberEvent], SubscriberStatus]:
    """Return the table that is drawn in the docstring of `subscriber_status`."""
    assert subscriber_status.__doc__
    lines = [
        line.split() for line in subscriber_status.__doc__.splitlines() if line.startswith("    ") and "─" not in line
    ]
    head, *rows = lines
    columns = [None if name == "stranger" else SubscriberStatus(name) for name in head[1:]]
    return {
        (status, SubscriberEvent(row[0])): SubscriberStatus(cell)
        for row in rows
        for status, cell in zip(columns, row[1:], strict=True)
        if cell != "·"
    }


def test_the_table_matches_its_drawing() -> None:
    assert drawn() == dict(TABLE)


@pytest.mark.parametrize(("status", "event"), list(itertools.product(STATUSES, SubscriberEvent)))
def test_every_event_has_a_status_or_a_reason(status: SubscriberStatus | None, event: SubscriberEvent) -> None:
    assert isinstance(next_status(status, event), SubscriberStatus) or REFUSALS[status]


@pytest.mark.parametrize("event", PROVE_NOTHING)
@pytest.mark.parametrize("status", [s for s in SubscriberStatus if s is not SubscriberStatus.ACTIVE])
def test_no_form_or_file_reactivates_a_subscriber(status: SubscriberStatus, event: SubscriberEvent) -> None:
    assert next_status(status, event) is not SubscriberStatus.ACTIVE


@pytest.mark.parametrize("event", SubscriberEvent)
def test_complained_and_suppressed_are_final(event: SubscriberEvent) -> None:
    for status in (SubscriberStatus.COMPLAINED, SubscriberStatus.SUPPRESSED):
        assert next_status(status, event) not in (SubscriberStatus.ACTIVE, SubscriberStatus.PENDING)


@pytest.mark.parametrize("status", SubscriberStatus)
def test_unsubscribing_twice_is_allowed(status: SubscriberStatus) -> None:
    once = next_status(status, SubscriberEvent.LEFT)
    assert once is not None
    assert once is not SubscriberStatus.ACTIVE
    assert next_status(once, SubscriberEvent.LEFT) is once


def test_no_other_file_decides_a_status() -> None:
    """Other code may compare a status or filter by it, but must never assign a status by name."""
    given = r"""(?<!count\()["']?status["']?\s*[:=]\s*SubscriberStatus\."""
    written = re.compile(rf"{given}|values\([^)]*SubscriberStatus\.")
    package = Path(publisher.__file__).parent
    found = [path.name for path in package.rglob("*.py") if written.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_no_code_changes_the_consent_history() -> None:
    changed = re.compile(r"update\(consent_events|UPDATE consent_events|consent_events\.update\(")
    package = Path(publisher.__file__).parent
    found = [path.name for path in package.rglob("*.py") if changed.search(path.read_text(encoding="utf-8"))]
    assert found == []
