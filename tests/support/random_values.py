"""Random values for the columns of a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

BERLIN = timezone(timedelta(hours=1))
START = datetime(1990, 1, 1, tzinfo=UTC)
MOMENTS = st.builds(
    lambda seconds, zone: (START + timedelta(seconds=seconds)).astimezone(zone),
    st.floats(0, 3e9),
    st.sampled_from([UTC, BERLIN]),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
