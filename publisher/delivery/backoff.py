"""When a delivery that the server put off is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)

# As long as RFC 5321, 4.5.4.1 asks a mail server to keep trying.
GIVE_UP_AFTER = timedelta(days=5)


def next_try(made_at: datetime, now: datetime, attempts: int) -> datetime | None:
    """Return the moment of the next try, or None when it is time to give up.

    made_at: when the edition was made. attempts: how often it was tried, this time included; from 1.
    The wait doubles with each attempt, from 5 minutes to 6 hours.
    """
    doublings = min(attempts - 1, 10)  # beyond the longest wait anyhow
    due = now + min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
    return due if due - made_at <= GIVE_UP_AFTER else None
