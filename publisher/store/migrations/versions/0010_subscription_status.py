"""A status for each subscription. Before this, a subscription that had ended was only known from the consent history.

The status is derived from that history. An existing row is subscribed, unless its subscriber as a whole is
unsubscribed, complained or suppressed. If the history says that someone left a newsletter, its row is restored. Nobody
gets email because of this who did not get it before, and a subscriber without any subscription is unsubscribed.
The tables are written out here, because the result of a migration must never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op
from sqlalchemy.engine import Connection, Row

revision = "0010"
down_revision = "0009"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
PAGE = 1_000  # subscribers

SUBSCRIBERS = sa.table("subscribers", sa.column("id", KEY), sa.column("status", sa.String(20)))
SUBSCRIPTIONS = sa.table(
    "subscriptions",
    sa.column("subscriber_id", KEY),
    sa.column("newsletter", sa.String(100)),
    sa.column("topics", sa.Text()),
    sa.column("status", sa.String(20)),
    sa.column("since", TIME),
    sa.column("cause", sa.String(20)),
    sa.column("source", sa.Text()),
)
EVENTS = sa.table(
    "consent_events",
    sa.column("id", KEY),
    sa.column("subscriber_id", KEY),
    sa.column("at", TIME),
    sa.column("what", sa.String(40)),
    sa.column("source", sa.Text()),
    sa.column("detail", sa.Text()),
)
COLUMNS = ("status", "since", "cause", "source")

# The events that end every subscription: (status, cause) of a subscription that had not ended before.
ENDS_ALL = {
    "unsubscribed": ("unsubscribed", "left_all"),
    "complained": ("unsubscribed", "complained"),
    "removed": ("removed", "removed"),
    "suppressed": ("removed", "suppressed"),
}
ENDS_ONE = {"left": ("unsubscribed", "left"), "removed": ("removed", "removed")}
STOPPED = ("unsubscribed", "complained", "suppressed")  # the statuses of subscribers who want or get no more email


class Derived(NamedTuple):
    """A subscription according to the history. with_all: whether all subscriptions ended at once, so its row stayed."""

    status: str
    since: datetime | None
    cause: str
    source: str
    topics: str = "[]"
    with_all: bool = False


class History:
    """The events of one subscriber about each newsletter, by its current name."""

    def __init__(self) -> None:
        self.found: dict[str, Derived] = {}

    def add(self, event: Row[Any]) -> None:
        """Take the next event of the subscriber into account."""
        name, _, rest = event.detail.partition(" ")
        match event.what:
            case "subscribed":
                dated = None if event.source.startswith("import ") else event.at
                cause = "imported" if dated is None else "confirmed"
                self.found[name] = Derived("subscribed", dated, cause, event.source, rest or "[]")
            case "left" | "removed" if name:
                status, cause = ENDS_ONE[event.what]
                self._end(name, status, cause, event)
            case "unsubscribed" | "complained" | "removed" | "suppressed":
                self._end_all(event)
            case "returned" | "confirmed":
                self._return(event)
            case "renamed":
                self.rename(name, rest)

    def rename(self, old: str, new: str) -> None:
        """Give a newsletter its new name, unless the new name already has a history."""
        if old in self.found:
            moved = self.found.pop(old)
            self.found.setdefault(new, moved)

    def _end_all(self, event: Row[Any]) -> None:
        status, cause = ENDS_ALL[event.what]
        for name, was in self.found.items():
            if was.status == "subscribed" or status == "removed":
                self._end(name, status, cause, event, with_all=True)

    def catch_up(self, renames: list[tuple[datetime, str, str]], had: set[str]) -> None:
        """Apply the renamings that these events do not mention, because the subscriber had already left."""
        for at, old, new in renames:
            if old not in had and old in self.found and (self.found[old].since or at) <= at:
                self.rename(old, new)

    def _return(self, event: Row[Any]) -> None:
        for each, was in self.found.items():
            if was.status != "subscribed" and was.with_all:
                self.found[each] = Derived("subscribed", event.at, "confirmed", event.source, was.topics)

    def _end(self, name: str, status: str, cause: str, event: Row[Any], *, with_all: bool = False) -> None:
        was = self.found.get(name)
        with_all = with_all and (was is None or was.status == "subscribed" or was.with_all)
        self.found[name] = Derived(status, event.at, cause, event.source, was.topics if was else "[]", with_all)


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("subscriptions", sa.Column("status", sa.String(20), nullable=False, server_default="subscribed"))
    op.add_column("subscriptions", sa.Column("since", TIME, nullable=True))
    op.add_column("subscriptions", sa.Column("cause", sa.String(20), nullable=False, server_default="imported"))
    op.add_column("subscriptions", sa.Column("source", sa.Text(), nullable=False, server_default=sa.text("''")))
    connection = op.get_bind()
    renames = _renames(connection)
    last = 0
    while page := connection.execute(
        sa.select(SUBSCRIBERS).where(SUBSCRIBERS.c.id > last).order_by(SUBSCRIBERS.c.id).limit(PAGE)
    ).all():
        last = page[-1].id
        _upgrade(connection, page, renames)


def _renames(connection: Connection) -> list[tuple[datetime, str, str]]:
    """Return when newsletters were renamed, oldest first. Subscribers who had left by then have no such event."""
    query = sa.select(EVENTS.c.detail, sa.func.max(EVENTS.c.at).label("at")).where(EVENTS.c.what == "renamed")
    rows = connection.execute(query.group_by(EVENTS.c.detail).order_by(sa.func.max(EVENTS.c.at))).all()
    return [(row.at, *row.detail.split(" ", 1)) for row in rows if " " in row.detail]


def _upgrade(connection: Connection, page: Iterable[Row[Any]], renames: list[tuple[datetime, str, str]]) -> None:
    people = {row.id: row.status for row in page}
    mine = SUBSCRIPTIONS.c.subscriber_id.in_(people)
    query = sa.select(SUBSCRIPTIONS.c.subscriber_id, SUBSCRIPTIONS.c.newsletter).where(mine)
    rows: dict[int, set[str]] = {}
    for row in connection.execute(query):
        rows.setdefault(row.subscriber_id, set()).add(row.newsletter)
    changed, new, over = [], [], []
    for number, history in _histories(connection, people):
        had = rows.get(number, set())
        history.catch_up(renames, had)
        for name, derived in _all_derived(history, had, people[number]):
            if name in had:
                changed.append({"of": number, "name": name, **_values(derived)})
            else:
                new.append({"subscriber_id": number, "newsletter": name, "topics": derived.topics, **_values(derived)})
        if people[number] in ("active", "bounced") and not had and history.found:
            over.append({"of": number})
    _write(connection, changed, new, over)


def _all_derived(history: History, had: set[str], status: str) -> Iterator[tuple[str, Derived]]:
    for name in sorted(had | set(history.found)):
        derived = _derived(history.found.get(name), name in had, status)
        if derived is not None:
            yield name, derived


def _histories(connection: Connection, people: dict[int, str]) -> Iterator[tuple[int, History]]:
    query = sa.select(EVENTS).where(EVENTS.c.subscriber_id.in_(people)).order_by(EVENTS.c.subscriber_id, EVENTS.c.id)
    told = {number: list(rows) for number, rows in groupby(connection.execute(query), lambda row: row.subscriber_id)}
    for number in people:
        history = History()
        for event in told.get(number, ()):
            history.add(event)
        yield number, history


def _derived(told: Derived | None, has_row: bool, status: str) -> Derived | None:
    """Return the status of a subscription; None if there never was one. The row decides first, then the subscriber."""
    if not has_row:
        # Nothing says how it ended, so only the subscriber may begin it again.
        return told if told is None or told.status != "subscribed" else Derived("unsubscribed", None, "left", "")
    if status not in STOPPED:
        return told if told is not None and told.status == "subscribed" else Derived("subscribed", None, "imported", "")
    if told is not None and told.status != "subscribed":
        return told
    ended = {"suppressed": ("removed", "suppressed"), "complained": ("unsubscribed", "complained")}
    ended_as, cause = ended.get(status, ("unsubscribed", "left_all"))
    return Derived(ended_as, None, cause, "")


def _values(derived: Derived) -> dict[str, Any]:
    return {name: getattr(derived, name) for name in COLUMNS}


def _write(
    connection: Connection, changed: list[dict[str, Any]], new: list[dict[str, Any]], over: list[dict[str, Any]]
) -> None:
    if changed:
        this = (
            SUBSCRIPTIONS.c.subscriber_id == sa.bindparam("of"),
            SUBSCRIPTIONS.c.newsletter == sa.bindparam("name"),
        )
        values: dict[str, Any] = {name: sa.bindparam(name) for name in COLUMNS}
        connection.execute(sa.update(SUBSCRIPTIONS).where(*this).values(values), changed)
    if new:
        connection.execute(sa.insert(SUBSCRIPTIONS), new)
    if over:
        this_one = SUBSCRIBERS.c.id == sa.bindparam("of")
        connection.execute(sa.update(SUBSCRIBERS).where(this_one).values(status="unsubscribed"), over)


def downgrade() -> None:
    """Delete the rows that this migration added. Rows that ended with all others were there before, and stay."""
    stopped = sa.select(SUBSCRIBERS.c.id).where(SUBSCRIBERS.c.status.in_(STOPPED)).scalar_subquery()
    alone = SUBSCRIPTIONS.c.cause.in_(("left", "file_left", "file_left_one"))
    with_all = sa.and_(SUBSCRIPTIONS.c.subscriber_id.in_(stopped), sa.not_(alone))
    op.execute(SUBSCRIPTIONS.delete().where(SUBSCRIPTIONS.c.status != "subscribed", sa.not_(with_all)))
    for name in reversed(COLUMNS):
        op.drop_column("subscriptions", name)
