"""The rates and daily limits of mail servers, which all workers on a PostgreSQL database share.

A worker takes a grant: the next turns of a rate, or some of the day's recipients. A grant belongs to that worker alone,
and covers at most GRANT_SECONDS. All times are those of the database's clock, so the clocks of the hosts do not matter.
Whatever a worker does not use is lost, even if it dies. Nothing is ever granted twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.frozen import dataclass
from publisher.store.database import Database
from publisher.store.fleet_tables import daily_recipients, sending_rates

# The turns of a grant take at most this many seconds, unless a single turn takes longer.
GRANT_SECONDS = 0.5

# How many seconds ahead a grant may begin. Later turns are left for workers that ask later.
AHEAD_SECONDS = 0.5

# How long the counts of earlier days are kept.
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RateGrant:
    """Turns of a rate that belong to one worker.

    turns     how many there are, at the pace of the rate; 0 if none is available yet
    at        when the first turn is, or when to ask again if there are no turns; in seconds of the database's clock
              (Unix time)
    read_at   the time of the database's clock
    asked     when the query was sent, by the caller's timer
    answered  when the answer arrived, by the caller's timer
    """

    turns: int
    at: float
    read_at: float
    asked: float
    answered: float


@dataclass(frozen=True, slots=True)
class DayGrant:
    """Recipients of a mail server's day (UTC, by the database's clock) that belong to one worker.

    recipients  how many there are; 0 if the limit is reached
    day         the day, such as 2026-11-21
    left        how many seconds are left of the day
    """

    recipients: int
    day: str
    left: float


def most_turns(rate: float) -> int:
    """Return the maximum number of turns in a grant. rate: turns per second."""
    return max(1, math.floor(rate * GRANT_SECONDS))


class SendingLimits:
    """The tables of sending rates and daily recipients; part of Store. Only PostgreSQL has rows in them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def shared(self) -> bool:
        """Whether workers share their limits here. On SQLite, each process keeps to the limits on its own."""
        return not self._database.is_sqlite

    def take_turns(self, name: str, rate: float, turns: int, *, late: float, timer: Callable[[], float]) -> RateGrant:
        """Take the next turns of a rate (GCRA), or find out when to ask again.

        name: the rate's name, of at most 64 characters. rate: turns per second. turns: how many are wanted; no more
        than `most_turns` are granted. late: how many seconds in the past the first turn may be if it was not used.
        timer: returns the caller's time in seconds.
        """
        turns = min(turns, most_turns(rate))
        now, length = sa.func.clock_timestamp(), timedelta(microseconds=math.ceil(turns / rate * 1e6))
        ahead, next_at = timedelta(seconds=AHEAD_SECONDS), sending_rates.c.next_at
        # No grant reaches this far ahead. If the rate was slower before, or the clock was set back, the row is wrong.
        wrong = next_at > now + timedelta(seconds=AHEAD_SECONDS + max(GRANT_SECONDS, 1 / rate) + 1)
        start = sa.case((wrong, now + ahead), else_=sa.func.greatest(next_at, now - timedelta(seconds=late)))
        take = (
            sa.update(sending_rates)
            .where(sending_rates.c.name == name, (next_at <= now + ahead) | wrong)
            .values(next_at=start + length)
            .returning(next_at, now.label("now"), _not_waiting_for_the_disk())
        )
        look = sa.select(next_at, now.label("now")).where(sending_rates.c.name == name)
        with self._database.each_alone() as connection:
            while True:
                asked = timer()
                if row := connection.execute(take).first():
                    return RateGrant(turns, (row.next_at - length).timestamp(), row.now.timestamp(), asked, timer())
                if row := connection.execute(look).first():
                    at = (row.next_at - ahead).timestamp()
                    return RateGrant(0, at, row.now.timestamp(), asked, timer())
                connection.execute(self._database.insert_new(sending_rates).values(name=name, next_at=now))

    def take_recipients(self, server: str, recipients: int, per_day: int) -> DayGrant:
        """Take some of the recipients that a mail server accepts in a day, up to its limit.

        server: the server's name, of at most 64 characters. recipients: how many are wanted. per_day: the limit.
        """
        with self._database.write() as connection:
            now = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one().astimezone(UTC)
            day, tomorrow = f"{now:%Y-%m-%d}", datetime.combine(now.date() + timedelta(days=1), time(), UTC)
            row = _counted(connection, server, day)
            if row is None:
                new = self._database.insert_new(daily_recipients).values(server=server, day=day, recipients=0)
                connection.execute(new)
                connection.execute(_earlier(server, f"{now - KEPT:%Y-%m-%d}"))
                row = _counted(connection, server, day)
            used = row.recipients if row else per_day
            granted = max(0, min(recipients, per_day - used))
            if granted:
                connection.execute(_change(server, day, granted))
        return DayGrant(granted, day, (tomorrow - now).total_seconds())

    def recipients(self, server: str, day: str) -> int:
        """Return how many of a day's recipients were taken. server: its name. day: in UTC, such as 2026-11-21."""
        row = daily_recipients.c.server == server, daily_recipients.c.day == day
        with self._database.read() as connection:
            return connection.execute(sa.select(daily_recipients.c.recipients).where(*row)).scalar() or 0

    def return_recipients(self, server: str, day: str, recipients: int) -> None:
        """Return recipients that `take_recipients` granted, because nothing was sent to them."""
        with self._database.write() as connection:
            connection.execute(_change(server, day, -recipients))


def _not_waiting_for_the_disk() -> Any:
    """Return a column that lets its statement finish before its data is on the disk.

    If the database crashes, it can forget the grants of its last half second. Their workers have then lost their
    connections, and forget their turns, too.
    """
    return sa.func.set_config("synchronous_commit", "off", sa.true())


def _counted(connection: Connection, server: str, day: str) -> Row[Any] | None:
    """Return the row for a server's day, and lock it."""
    row = daily_recipients.c.server == server, daily_recipients.c.day == day
    return connection.execute(sa.select(daily_recipients.c.recipients).where(*row).with_for_update()).first()


def _change(server: str, day: str, recipients: int) -> sa.Update:
    row = daily_recipients.c.server == server, daily_recipients.c.day == day
    count = sa.func.greatest(0, daily_recipients.c.recipients + recipients)
    return sa.update(daily_recipients).where(*row).values(recipients=count)


def _earlier(server: str, day: str) -> sa.Delete:
    return sa.delete(daily_recipients).where(daily_recipients.c.server == server, daily_recipients.c.day < day)
