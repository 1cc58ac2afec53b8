"""Rows of a large archive share equal values in memory, and are equal to rows that share nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from publisher.posts.index_rows import sharing

TEXTS = st.sampled_from(["", "en", "a\tA", "0.0"]).map(lambda text: f" {text}"[1:])
TIMES = st.sampled_from([0.0, 1.5, -1.0])
TEXT_COLUMNS = [TEXTS] * 4
ROWS = st.lists(
    st.tuples(TEXTS, TIMES, TIMES, st.none() | TIMES, st.integers(0, 1), TEXTS, *TEXT_COLUMNS, TIMES, TEXTS)
)


@given(ROWS)
def test_shared_rows_are_equal_to_the_others(rows: list[tuple[object, ...]]) -> None:
    shared = list(sharing(rows, {str(row[0]) for row in rows[::2]}))
    assert shared == rows
    for column in (8, 9, 10, 11):
        assert len({id(row[column]) for row in shared}) == len({row[column] for row in rows})
