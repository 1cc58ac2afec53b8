"""Sources and their items: what was fetched from the feeds of other sites, and when each is fetched next.

A host claims the sources that it is going to fetch, in one transaction that also says when they are due again. So two
hosts never fetch a source for the same moment, and a feed that has not changed needs no other write. The changes from a
document are written in one transaction, together with the headers for requesting the next one: if a process is killed,
either all of a document is written or nothing, and then it is fetched again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.models import require_aware
from publisher.core.source_records import (
    LONGEST_CLAIM,
    MOST_SKEW,
    ChangedItem,
    HubLease,
    ItemChanges,
    ItemKey,
    ItemKeys,
    ItemLink,
    KnownItem,
    NewItem,
    SourceState,
    StoredItem,
)
from publisher.store.database import Database
from publisher.store.feed_tables import source_items, sources
from publisher.store.source_rows import (
    decode_hub,
    decode_state,
    encode_hub,
    encode_item,
    encode_state,
    known_item,
    stored_item,
)

_ITEMS: sa.Select[Any] = sa.select(
    *(column for column in source_items.c if column.name != "html"), sa.func.length(source_items.c.html).label("size")
)
_KNOWN = sa.select(
    *(source_items.c[name] for name in ("number", "post_id", "guid_key", "link_key", "title_key", "digest")),
    *(source_items.c[name] for name in ("published_at", "first_seen_at", "gone_at")),
)
_NUMBERS_AT_ONCE = 500
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Sources:
    """The tables of sources and of their items; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, urls: Mapping[str, str], now: datetime) -> dict[str, SourceState]:
        """Return the states of sources, by name, after recording those that are new or have a different URL.

        A source with a different URL is fetched immediately and without conditions, and the answers from the old URL no
        longer count. Its items stay, so that items of the same blog are recognised.

        urls: the URL of each source, by name.
        """
        require_aware("now", now)
        known = {state.name: state for state in self.states() if state.name in urls}
        if other := {name: url for name, url in urls.items() if name not in known or known[name].url != url}:
            with self._database.write() as connection:
                for name, url in other.items():
                    _write_address(self._database, connection, name, url, now)
            known = {state.name: state for state in self.states() if state.name in urls}
        return known

    def states(self) -> Sequence[SourceState]:
        """Return the state of every source that was ever fetched or was about to be, sorted by name."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(sources).order_by(sources.c.name))
            return [decode_state(row) for row in rows]

    def state(self, name: str) -> SourceState | None:
        """Return the state of a source, or None if it was never seen."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(sources).where(sources.c.name == name)).first()
        return decode_state(row) if row else None

    def claim(
        self,
        until: Mapping[str, datetime],
        now: datetime,
        since: Mapping[str, datetime] | None = None,
        *,
        force: bool = False,
    ) -> dict[str, SourceState]:
        """Claim sources in order to fetch them; return those that the caller should fetch, by name.

        A source can be claimed if it is due, or if the host that claimed it last was killed, or had a clock that was
        wrong; with `since`, also if nobody has claimed it since the moment given for it; with `force`, whenever no host
        is fetching it. No source can be claimed while its server has asked not to be contacted.
        The claim moves the time at which it is due again, so nobody else can claim it until then, and an answer that
        brings nothing new needs no other write. The caller gives all its claims back with `finished`.

        until: when each source is due again if nothing else is written, by name.
        """
        require_aware("now", now)
        if not until:
            return {}
        time, claim = sources.c.next_at.type, secrets.token_hex(16)
        is_due = sources.c.next_at <= now
        is_wanted = sa.func.coalesce(sources.c.asked_at, _NEVER) < sa.bindparam("since", type_=time)
        is_left = (sources.c.claim != "") & (sources.c.asked_at <= now - LONGEST_CLAIM)
        is_from_future = sources.c.asked_at > now + MOST_SKEW
        may_be = sources.c.claim == "" if force else is_due | is_wanted
        is_open = sources.c.closed_until.is_(None) | (sources.c.closed_until <= now) | is_from_future
        move = (
            sa.update(sources)
            .where(sources.c.name == sa.bindparam("of"), may_be | is_left | is_from_future)
            .where(is_open)
            .values(next_at=sa.bindparam("due_again", type_=time), asked_at=now, claim=claim)
        )
        # In the same order everywhere, so that two hosts never wait for each other.
        wanted = dict.fromkeys(until, _NEVER) | dict(since or {})
        rows = [{"of": name, "due_again": until[name], "since": wanted[name]} for name in sorted(until)]
        with self._database.write() as connection:
            connection.execute(move, rows)
            mine = connection.execute(sa.select(sources).where(sources.c.claim == claim))
            return {row.name: decode_state(row) for row in mine}

    def finished(self, claims: Mapping[str, str]) -> None:
        """Give claims back, because the results are recorded. claims: SourceState.claim, by name."""
        mine = sources.c.name == sa.bindparam("of"), sources.c.claim == sa.bindparam("whose")
        rows = [{"of": name, "whose": claims[name]} for name in sorted(claims)]
        if not rows:
            return
        with self._database.write() as connection:
            connection.execute(sa.update(sources).where(*mine).values(claim=""), rows)

    def answered(self, state: SourceState) -> None:
        """Record the state of a source after an answer that brought no document, or after a failure."""
        with self._database.write() as connection:
            same = sources.c.name == state.name, sources.c.url == state.url
            connection.execute(sa.update(sources).where(*same).values(_after_answer(state)))

    def apply(self, state: SourceState, changes: ItemChanges, now: datetime) -> bool:
        """Record a document: the changes of the source's items and its state, in one transaction.

        Returns False, and writes nothing, if the items or the URL have changed since `state` was read; the changes must
        then be computed again.

        state: the state as it was read, updated with the data of the document and its answer. Its `listed` is set by
        the changes.
        """
        require_aware("now", now)
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(sources).where(sources.c.name == state.name).with_for_update()  # SQLite has one writer anyway
            ).first()
            if row is None or (row.revision, row.url) != (state.revision, state.url):
                return False
            before = decode_state(row)
            shown = (before.title, before.link, before.language) != (state.title, state.link, state.language)
            revision = state.revision + bool(changes or shown)
            numbers = _insert(connection, state.name, changes.new, now, revision)
            _write_changed(connection, changes.changed, now, revision)
            for found, gone_at in ((changes.back, None), (changes.gone, now)):
                _write(connection, found, {"gone_at": gone_at, "revision": revision})
            listed = tuple(number if number > 0 else numbers[-number - 1] for number in changes.listed)
            values = {**_after_answer(replace(state, listed=listed)), "revision": revision}
            connection.execute(sa.update(sources).where(sources.c.name == state.name).values(values))
        return True

    def skip(self, number: int, now: datetime) -> bool:
        """Record that no newsletter may take an item; return False if there is none or it was already skipped."""
        require_aware("now", now)
        this = source_items.c.number == number, source_items.c.skipped_at.is_(None)
        with self._database.write() as connection:
            name = connection.execute(sa.select(source_items.c.source).where(*this)).scalar()
            if name is None:
                return False
            its_source = sources.c.name == name
            connection.execute(sa.update(sources).where(its_source).values(revision=sources.c.revision + 1))
            revision = sa.select(sources.c.revision).where(its_source).scalar_subquery()
            changed = sa.update(source_items).where(*this).values(skipped_at=now, revision=revision)
            return connection.execute(changed).rowcount == 1

    def known(self, name: str) -> Sequence[KnownItem]:
        """Return what is needed to recognise each item of a source in a new document, oldest first."""
        query = _KNOWN.where(source_items.c.source == name)
        with self._database.read() as connection:
            return [known_item(row) for row in connection.execute(query.order_by(source_items.c.number))]

    def listing(self) -> Sequence[ItemKey]:
        """Return the version of each item of every source, in the order in which the items were first seen."""
        columns = source_items.c.source, source_items.c.number, source_items.c.revision
        query = sa.select(*columns, sa.func.length(source_items.c.html)).order_by(source_items.c.number)
        with self._database.read() as connection:
            return [ItemKey(*row) for row in connection.execute(query)]

    def items(self, name: str) -> Sequence[StoredItem]:
        """Return the items of a source without their HTML, in the order in which they were first seen."""
        query = _ITEMS.where(source_items.c.source == name).order_by(source_items.c.number)
        with self._database.read() as connection:
            return [stored_item(row) for row in connection.execute(query)]

    def item(self, number: int) -> StoredItem | None:
        """Return an item without its HTML, or None if there is none with this number."""
        return next(iter(self.some([number])), None)

    def some(self, numbers: Sequence[int]) -> Sequence[StoredItem]:
        """Return the items with these numbers, without their HTML, in the order in which they were first seen."""
        found: list[StoredItem] = []
        with self._database.read() as connection:
            for start in range(0, len(numbers), _NUMBERS_AT_ONCE):
                these = _ITEMS.where(source_items.c.number.in_(numbers[start : start + _NUMBERS_AT_ONCE]))
                found += [stored_item(row) for row in connection.execute(these)]
        return sorted(found, key=lambda item: item.number)

    def exist(self) -> bool:
        """Return whether any item of any source was ever stored."""
        with self._database.read() as connection:
            return connection.execute(sa.select(source_items.c.number).limit(1)).first() is not None

    def with_links(self, keys: Sequence[str]) -> Sequence[ItemLink]:
        """Return all items with these links, including items that have vanished and items of unused sources.

        keys: ItemKeys.link
        """
        columns = source_items.c.source, source_items.c.link_key, source_items.c.post_id
        found: list[ItemLink] = []
        with self._database.read() as connection:
            for start in range(0, len(keys), _NUMBERS_AT_ONCE):
                these = source_items.c.link_key.in_(keys[start : start + _NUMBERS_AT_ONCE])
                found += [ItemLink(*row) for row in connection.execute(sa.select(*columns).where(these))]
        return sorted(found)

    def html(self, number: int) -> str:
        """Return the HTML of an item; "" if it has none."""
        query = sa.select(source_items.c.html).where(source_items.c.number == number)
        with self._database.read() as connection:
            return connection.execute(query).scalar() or ""

    def suspects(self) -> Mapping[str, str]:
        """Return the ids of the posts that arrived when more than half of a feed seemed new, with their sources."""
        query = sa.select(source_items.c.post_id, source_items.c.source).where(source_items.c.is_suspect)
        with self._database.read() as connection:
            return {row.post_id: row.source for row in connection.execute(query)}

    def revision(self) -> int:
        """Return a number that grows with every change of any item, and of the title of any source."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.coalesce(sa.func.sum(sources.c.revision), 0))).scalar_one())

    def hub(self, name: str) -> HubLease | None:
        """Return the lease with a source's hub, or None."""
        with self._database.read() as connection:
            return decode_hub(connection.execute(sa.select(sources.c.hub).where(sources.c.name == name)).scalar() or "")

    def hubs(self) -> Mapping[str, HubLease]:
        """Return the leases with hubs, by the name of the source."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(sources.c.name, sources.c.hub).where(sources.c.hub != "")).all()
        return {row.name: lease for row in rows if (lease := decode_hub(row.hub))}

    def set_hub(self, name: str, lease: HubLease | None) -> None:
        """Record the lease with a source's hub; None if there is none any longer."""
        with self._database.write() as connection:
            connection.execute(sa.update(sources).where(sources.c.name == name).values(hub=encode_hub(lease)))

    def wake(self, name: str, now: datetime) -> None:
        """Make a source due at `now` at the latest, because its hub reports something new.

        A host that is fetching it now may have asked too early to get the news, so its result does not postpone the
        source.
        """
        require_aware("now", now)
        with self._database.write() as connection:
            time = sa.case((sources.c.next_at > now, sa.literal(now, sources.c.next_at.type)), else_=sources.c.next_at)
            connection.execute(sa.update(sources).where(sources.c.name == name).values(next_at=time, claim=""))


def _after_answer(state: SourceState) -> dict[str, Any]:
    """Return the columns that an answer changes. Only the host with the claim may set when the source is next due."""
    is_mine = sources.c.claim == state.claim
    next_at = sa.case((is_mine, sa.literal(state.next_at, sources.c.next_at.type)), else_=sources.c.next_at)
    return {**encode_state(state), "next_at": next_at, "claim": sa.case((is_mine, ""), else_=sources.c.claim)}


def _write_address(database: Database, connection: Connection, name: str, url: str, now: datetime) -> None:
    fresh = {"url": url, **encode_state(SourceState(name, url, now)), "asked_at": None, "claim": "", "hub": ""}
    query = sa.select(sources).where(sources.c.name == name, sources.c.url != url)
    if row := connection.execute(query).first():
        old = decode_state(row)
        kept = SourceState(
            name,
            url,
            now,
            title=old.title,
            link=old.link,
            language=old.language,
            first_fetched_at=old.first_fetched_at,
        )
        values = {**fresh, **encode_state(kept)}
        connection.execute(sa.update(sources).where(sources.c.name == name).values(values))
    else:
        connection.execute(database.insert_new(sources).values(name=name, **fresh))


def _keys(keys: ItemKeys) -> dict[str, str]:
    return {"guid_key": keys.guid, "link_key": keys.link, "title_key": keys.title}


def _insert(connection: Connection, name: str, new: Sequence[NewItem], now: datetime, revision: int) -> Sequence[int]:
    """Insert items, and return their numbers in the same order."""
    if not new:
        return []
    rows = [
        {
            "source": name,
            "post_id": each.post_id,
            "digest": each.digest,
            "first_seen_at": now,
            "changed_at": now,
            "is_backlog": each.is_backlog,
            "is_suspect": each.is_suspect,
            "is_old": each.is_old,
            "revision": revision,
            **_keys(each.keys),
            **encode_item(each.item),
        }
        for each in new
    ]
    numbered = sa.insert(source_items).returning(source_items.c.number, sort_by_parameter_order=True)
    return list(connection.execute(numbered, rows).scalars())


def _write_changed(connection: Connection, changed: Sequence[ChangedItem], now: datetime, revision: int) -> None:
    if not changed:
        return
    this = sa.update(source_items).where(source_items.c.number == sa.bindparam("of"))
    # A changed guid must never collide with one that another item gives up in the same document.
    aside = this.values(guid_key=sa.bindparam("aside"))
    connection.execute(aside, [{"of": each.number, "aside": f"of {each.number}"} for each in changed])
    for is_edited in (False, True):
        rows = [
            {
                "of": each.number,
                "digest": each.digest,
                "revision": revision,
                **_keys(each.keys),
                **encode_item(each.item),
            }
            for each in changed
            if each.is_edited is is_edited
        ]
        if rows:
            connection.execute(this.values(changed_at=now) if is_edited else this, rows)


def _write(connection: Connection, numbers: Sequence[int], values: Mapping[str, object]) -> None:
    for start in range(0, len(numbers), _NUMBERS_AT_ONCE):
        these = source_items.c.number.in_(numbers[start : start + _NUMBERS_AT_ONCE])
        connection.execute(sa.update(source_items).where(these).values(values))
