"""The result of an import does not depend on how its rows are grouped in transactions, nor on how a file is cut."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.newsletter_models import SubscriberStatus, SuppressionReason
from publisher.store import Store
from publisher.subscribers import csv_import
from publisher.subscribers.csv_fields import FieldOptions
from publisher.subscribers.manage import suppress
from tests.support.consent_samples import known, people
from tests.support.csv_samples import Imported, bring, export_to
from tests.support.import_results import everything, forget_everything
from tests.support.store_samples import NOW, later

__all__ = ["people"]

STATUSES = ("", "unconfirmed", "unsubscribed", "bounced", "complained", "suppressed")
DATES = st.sampled_from(["", "2020-01-31", "2024-05-31"])
# Rows: column -> cell. The dates can only be read in one way, whatever other rows there are.
ROWS = st.fixed_dictionaries(
    {
        "email": st.sampled_from(["ada@example.org", "Ada@Example.org", "ben@example.org", "no address"]),
        "status": st.sampled_from(STATUSES),
    },
    optional={
        "name": st.sampled_from(["Ada", "Ben"]),
        "language": st.sampled_from(["de", "Klingon"]),
        "newsletters": st.sampled_from(["weekly", "daily", "weekly daily", "monthly"]),
        "topics": st.sampled_from(["maps", "birds, maps"]),
        "joined_at": DATES,
        "unsubscribed_at": DATES,
        "complained_at": DATES,
        "tags": st.sampled_from(["vip", "new, vip"]),
        "note": st.sampled_from(["one", "two"]),
        "plan": st.sampled_from(["free", "pro"]),
    },
)
COLUMNS = (
    *("email", "status", "name", "language", "newsletters", "topics", "joined_at", "unsubscribed_at"),
    *("complained_at", "tags", "note", "plan"),
)
FILES = st.lists(ROWS, min_size=2, max_size=7)
FEW = settings(
    max_examples=settings.default.max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)


# Each file ends with it, so that one of its rows names a newsletter.
LAST = {"email": "eve@example.org", "newsletters": "weekly", "plan": "free"}


def bring_rows(store: Store, path: Path, rows: Sequence[dict[str, str]], **options: Any) -> Imported:
    """Import rows as a file."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows([*rows, LAST])
    path.parent.mkdir(exist_ok=True)
    plan = FieldOptions(("plan",))
    return bring(store, path, out.getvalue(), newsletters=("weekly", "daily"), fields=plan, **options)


def shown(done: Imported) -> tuple[object, ...]:
    """Return all that an import shows."""
    return done.report, done.refusals, done.rows


@given(earlier=FILES, rows=FILES)
@FEW
def test_groups_of_rows_change_neither_what_is_stored_nor_what_is_shown(
    people: Store, tmp_path: Path, earlier: list[dict[str, str]], rows: list[dict[str, str]]
) -> None:
    found = list[object]()
    for size in (100, 1, 2, 3):
        forget_everything(people)
        with pytest.MonkeyPatch.context() as patch:
            bring_rows(people, tmp_path / "earlier.csv", earlier)
            patch.setattr(csv_import, "GROUP", size)
            done = bring_rows(people, tmp_path / "list.csv", rows, at=later(days=1))
        found.append((shown(done), everything(people)))
        assert found[-1] == found[0]


@given(earlier=FILES, first=FILES, second=FILES)
@FEW
def test_two_files_are_stored_like_one_with_the_rows_of_both(
    people: Store,
    tmp_path: Path,
    earlier: list[dict[str, str]],
    first: list[dict[str, str]],
    second: list[dict[str, str]],
) -> None:
    """Topics are the exception: in a file the first choice counts, and a later file replaces it."""
    first, second = ([row | {"topics": ""} for row in rows] for rows in (first, second))
    found = list[object]()
    for files in ([[*first, LAST, *second]], [first, second]):
        forget_everything(people)
        bring_rows(people, tmp_path / "earlier.csv", earlier)
        done = [
            bring_rows(people, tmp_path / str(number) / "list.csv", rows, at=later(days=1))
            for number, rows in enumerate(files)
        ]
        said = [row.reason for each in done for row in each.rows]
        refused = [row.reason for each in done for row in each.refusals]
        mailed = sum(each.report.mailed for each in done)
        found.append((said, refused, mailed, everything(people, "import_id", "import_changes")))
    assert found[0] == found[1]


GROUPS = pytest.mark.parametrize("size", [1, 2, 100])


@GROUPS
def test_a_complaint_stays_final_if_a_later_row_calls_the_person_suppressed(
    people: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(csv_import, "GROUP", size)
    bring(people, tmp_path / "list.csv", "email,status\nada@example.org,complained\nada@example.org,suppressed\n")
    assert known(people, "ada@example.org").status is SubscriberStatus.COMPLAINED
    assert people.suppressions.reason("ada@example.org") is SuppressionReason.COMPLAINED


@GROUPS
def test_a_hashed_entry_refuses_only_the_people_after_it(
    people: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(csv_import, "GROUP", size)
    both = ("ada@example.org", "ben@example.org")
    for address in both:
        suppress(people, address, now=NOW, source="form")
    path = tmp_path / "all.csv"
    export_to(people, path)
    head, *entries = path.read_text(encoding="utf-8-sig").splitlines()
    forget_everything(people)
    rows = [f"{address},,weekly,,,active,subscribed{',' * (head.count(',') - 6)}" for address in both]
    done = bring(people, path, "\n".join([head, rows[0], *entries, rows[1], ""]))
    assert done.refused == ["line 5: ben@example.org is on the suppression list"]
    assert [each.address for each in people.subscribers.list()] == ["ada@example.org"]
    assert (done.report.kept[SubscriberStatus.SUPPRESSED].first, done.report.added) == (3, 1)
