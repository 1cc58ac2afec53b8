"""The segments that the owner has saved, and the people in any segment."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from publisher.core.errors import SegmentError
from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.newsletter_models import Subscriber
from publisher.core.segment_language import Condition, is_segment_name, parse
from publisher.store.audience import mailable_to
from publisher.store.database import Database
from publisher.store.segment_sql import where
from publisher.store.subscriptions import with_subscriptions
from publisher.store.tables import segments, subscribers

__all__ = ["Segment", "Segments", "where"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A condition that the owner has saved under a name."""

    name: str
    condition: str
    made_at: datetime


class Segments:
    """The saved segments, and the people in any segment; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> Sequence[Segment]:
        """Return all segments, sorted by name."""
        query = sa.select(segments).order_by(segments.c.name)
        with self._database.read() as connection:
            found = [Segment(row.name, row.condition, row.made_at) for row in connection.execute(query)]
        return sorted(found, key=lambda each: each.name)

    def get(self, name: str) -> Segment | None:
        """Return the segment with a name, or None."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(segments).where(segments.c.name == name)).first()
        return Segment(row.name, row.condition, row.made_at) if row else None

    def require(self, name: str) -> Segment:
        """Return the segment with a name. Raises SegmentError, with the nearest known name, if there is none."""
        segment = self.get(name)
        if segment is None:
            raise self._unknown(name)
        return segment

    def save(self, name: str, condition: str, at: datetime) -> bool:
        """Save a condition under a name, replacing any other condition with this name; return whether the name is new.

        Raises SegmentError if the name or the condition is not valid.
        """
        require_aware("at", at)
        _check_name(name)
        parse(condition)
        values = {"condition": condition.strip(), "made_at": at}
        with self._database.write() as connection:
            if connection.execute(self._database.insert_new(segments).values(name=name, **values)).rowcount == 1:
                return True
            connection.execute(sa.update(segments).where(segments.c.name == name).values(values))
        return False

    def delete(self, name: str) -> bool:
        """Delete a segment; return False if there is none with this name."""
        with self._database.write() as connection:
            return connection.execute(sa.delete(segments).where(segments.c.name == name)).rowcount == 1

    def rename(self, name: str, new: str) -> None:
        """Rename a segment. Raises SegmentError if there is no such segment, or if the new name is taken."""
        _check_name(new)
        taken = sa.select(segments.c.name).where(segments.c.name == new)
        with self._database.write() as connection:
            if connection.execute(taken).first() is not None:
                raise SegmentError(f"there is a segment {new!r} already")
            changed = connection.execute(sa.update(segments).where(segments.c.name == name).values(name=new))
        if changed.rowcount == 0:
            raise self._unknown(name)

    def resolve(self, text: str) -> str:
        """Return the condition that a segment's name refers to, or a condition unchanged; "" for "".

        Raises SegmentError if there is no such segment, or the text is not a condition.
        """
        if not text.strip():
            return ""
        if is_segment_name(text.strip()):
            return self.require(text.strip()).condition
        parse(text)
        return text.strip()

    def count(self, condition: Condition | None, at: datetime, newsletter: str | None = None) -> int:
        """Return how many people meet a condition; None for everyone.

        at          the moment from which dates are counted back; its time zone says when a day begins
        newsletter  count only those who may be sent this newsletter at that moment
        """
        query = sa.select(sa.func.count()).select_from(subscribers).where(*_these(condition, at, newsletter))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def some(
        self, condition: Condition | None, at: datetime, newsletter: str | None = None, limit: int = 3
    ) -> Sequence[Subscriber]:
        """Return the first people who meet a condition; see `count`."""
        query = sa.select(subscribers).where(*_these(condition, at, newsletter)).order_by(subscribers.c.id)
        with self._database.read() as connection:
            return with_subscriptions(connection, connection.execute(query.limit(limit)).all())

    def _unknown(self, name: str) -> SegmentError:
        known = [each.name for each in self.list()]
        near = difflib.get_close_matches(name[:60], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known[:10]) or 'none'}"
        return SegmentError(f"there is no segment {name[:60]!r}", hint=hint)


def _these(condition: Condition | None, at: datetime, newsletter: str | None) -> list[sa.ColumnElement[bool]]:
    require_aware("at", at)
    wanted = [] if condition is None else [where(condition, at)]
    return wanted if newsletter is None else [*wanted, mailable_to(newsletter, at)]


def _check_name(name: str) -> None:
    if not is_segment_name(name):
        shown = name if len(name) <= 60 else f"{name[:57]}..."
        raise SegmentError(f"{shown!r} isn't a valid name for a segment", hint="write it like vip or paying-readers")
