"""From when on a newsletter's slots count, and up to when they are over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from publisher.core.models import require_aware
from publisher.store import renaming
from publisher.store.engine import Database
from publisher.store.time_tables import newsletters


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of one newsletter's time.

    since   from when on its slots count
    passed  up to when they are over; None before any is
    rule    its schedule and its zone, as it was seen last
    is_new  whether it is seen for the first time
    """

    since: datetime
    passed: datetime | None
    rule: str
    is_new: bool = False


class Newsletters:
    """The table of newsletters; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Watched | None:
        """Return what is known of a newsletter; None of one that no tick has seen."""
        query = sa.select(newsletters).where(newsletters.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Watched(row.since, row.passed, row.rule)

    def see(self, name: str, rule: str, now: datetime) -> Watched:
        """Return what is known of a newsletter; its slots count from now on where it, or its rule, is a new one.

        rule: its schedule and its zone, in one text.
        """
        require_aware("now", now)
        query = sa.select(newsletters).where(newsletters.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is not None and row.rule == rule:
            return Watched(row.since, row.passed, row.rule)
        with self._database.write() as connection:
            new = self._database.insert_new(newsletters).values(name=name, rule=rule, since=now)
            is_new = connection.execute(new).rowcount == 1
            if not is_new:
                changed = newsletters.c.name == name, newsletters.c.rule != rule
                connection.execute(sa.update(newsletters).where(*changed).values(rule=rule, since=now))
            row = connection.execute(query).one()
        return Watched(row.since, row.passed, row.rule, is_new)

    def passed(self, name: str, until: datetime) -> None:
        """Write down that a newsletter's slots are over up to a moment; never sets it back."""
        require_aware("until", until)
        earlier = newsletters.c.passed.is_(None) | (newsletters.c.passed < until)
        with self._database.write() as connection:
            connection.execute(sa.update(newsletters).where(newsletters.c.name == name, earlier).values(passed=until))

    def rename(self, old: str, new: str, now: datetime, source: str, *, rehearse: bool = False) -> renaming.Renamed:
        """Move everything of a newsletter to its new name; see renaming.rename."""
        return renaming.rename(self._database, old, new, now, source, rehearse=rehearse)
