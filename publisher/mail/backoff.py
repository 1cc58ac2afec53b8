"""When a delivery that the server put off is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)

# As long as RFC 5321, 4.5.4.1 asks a mail server to keep trying.
GIVE_UP_AFTER = timedelta(days=5)

# So much of a wait may be left out, by each delivery another part: what was put off at once must not come
# back at once.
JITTER = 0.1


def next_try(made_at: datetime, now: datetime, attempts: int, *, seed: int | None = None) -> datetime | None:
    """Return the moment of the next try, or None when it is time to give up.

    made_at: when the edition was made, or went. attempts: how often it was tried, this time included; from 1.
    seed: what is the delivery's own, for its part of the jitter; None for none. The wait doubles with each
    attempt, from 5 minutes to 6 hours.
    """
    doublings = min(attempts - 1, 10)  # beyond the longest wait anyhow
    wait = min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
    due = now + wait * (1 - JITTER * (0 if seed is None else _part(seed + attempts)))
    return due if due - made_at <= GIVE_UP_AFTER else None


def _part(seed: int) -> float:
    """Return a part of 1 that neighbours do not share (Knuth's multiplicative hash)."""
    return (seed * 2_654_435_761 % 2**32) / 2**32
