"""Editions with their posts, letters and holds, and the posts that a newsletter will never send again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.hold_reasons import HeldBy, Hold
from publisher.core.models import require_aware
from publisher.core.newsletter_models import (
    DeliveryStatus,
    Edition,
    EditionDraft,
    EditionKind,
    Letter,
    ledger_name,
)
from publisher.core.source_records import SourceBeginning
from publisher.store import edition_filling
from publisher.store.audience import ChoicesChangedError, audience_of, missing_letters, queue
from publisher.store.catch_up import ALL_NEWSLETTERS, BEGINNING, call_off, lock_those_behind, settle
from publisher.store.database import Database
from publisher.store.edition_content import insert_content, letter_of, posts_of
from publisher.store.edition_filling import is_complete, with_complete_editions
from publisher.store.feed_tables import source_items
from publisher.store.ledger_partitions import make_partition
from publisher.store.tables import deliveries, edition_posts, editions, letters, newsletter_posts

LARGEST_ID = 2**63 - 1

# The kinds of editions that everybody gets when the edition is made.
SENT_AT_ONCE = frozenset({EditionKind.POSTS, EditionKind.LETTER})


class Editions:
    """The tables of editions; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, draft: EditionDraft) -> Edition | None:
        """Write an edition with its posts and letters, and a delivery for every active subscriber.

        This takes one transaction. If there are many subscribers, it only decides who gets the edition; the deliveries
        follow in parts, each in its own transaction, and nothing is sent before the last part (see `complete`).

        Subscribers get the variant that the draft has for their selection of topics. If the variant is None, they get
        no delivery. An edition that each person gets at their own time has no deliveries yet (see Latecomers).

        Returns None, and writes nothing, if another process has already created an edition for this slot or taken one
        of the posts. Raises ChoicesChangedError, and writes nothing, if a subscriber has a selection that the draft
        does not know, or if one of the posts was passed over or was taken by a change of frequency; the edition must
        then be composed again.
        Raises ValueError if the draft has no letter for all topics, or no letter for one of its variants.
        """
        if all(letter.variant for letter in draft.letters):
            raise ValueError("an edition needs a letter for all topics")
        if missing := missing_letters(draft):
            raise ValueError(f"an edition needs a letter for {missing[0]!r}")
        locks = (ALL_NEWSLETTERS, draft.newsletter)[not draft.once :]
        is_large = draft.kind in SENT_AT_ONCE and self._is_large(draft)
        own_id = make_partition(self._database) if is_large else None
        try:
            with with_complete_editions(self._database, *locks, guarded=is_large) as connection:
                if draft.kind is EditionKind.POSTS:
                    lock_those_behind(connection, draft, draft.ahead)
                edition = self._insert(connection, draft, own_id)
                self._take_posts(connection, edition, draft)
                insert_content(connection, edition, draft)
                if is_large:
                    edition_filling.begin(connection, self._database, edition, draft)
                elif draft.kind in SENT_AT_ONCE:
                    queue(connection, sa.insert(deliveries), edition, draft)
                if draft.kind is EditionKind.POSTS:
                    settle(connection, edition, audience_of(edition), draft.earlier, draft.ahead)
        except _TakenError:
            return None
        self.complete(edition.id)
        return edition

    def complete(self, edition_id: int | None = None) -> int:
        """Write the missing deliveries of one edition, or of all; return how many editions lacked some.

        Deliveries are missing while an edition for many subscribers is being made, or if that process was killed.
        """
        these = [] if edition_id is None else [editions.c.id == edition_id]
        return edition_filling.complete(self._database, *these)

    def _is_large(self, draft: EditionDraft) -> bool:
        with self._database.read() as connection:
            return edition_filling.is_large(connection, draft)

    def get(self, edition_id: int) -> Edition | None:
        """Return an edition with its posts, or None if it does not exist. Any integer is allowed, however large."""
        if not 0 < edition_id <= LARGEST_ID:
            return None
        return next(iter(self._select(editions.c.id == edition_id)), None)

    def find(self, newsletter: str, slot: str) -> Edition | None:
        """Return the newsletter's edition for a slot, or None if it has none."""
        return next(iter(self._select(editions.c.newsletter == newsletter, editions.c.slot == slot)), None)

    def list(
        self, newsletter: str | None = None, limit: int | None = None, *, kind: EditionKind | None = None
    ) -> Sequence[Edition]:
        """Return editions with their posts, newest first. kind: only editions of this kind."""
        conditions = [] if newsletter is None else [editions.c.newsletter == newsletter]
        if kind is not None:
            conditions.append(editions.c.kind == kind)
        return self._select(*conditions, limit=limit)

    def public(
        self, now: datetime, newsletter: str | None = None, limit: int | None = None, *, listed: bool = False
    ) -> Sequence[Edition]:
        """Return the editions that are public on the web at a moment, with their posts, newest first.

        Only an edition of posts is ever public, and only if one of them has a page. An edition that is on hold or is
        scheduled for later is public only if sending it has already begun.

        listed: leave out editions for a frequency that subscribers have chosen, whose posts are in the others too
        """
        require_aware("now", now)
        conditions = [_of_posts(), sa.not_(_by_email_only())]
        if newsletter is not None:
            conditions.append(editions.c.newsletter == newsletter)
        conditions += [editions.c.frequency == ""] if listed else []
        goes = (editions.c.held == "") & (editions.c.goes_at.is_(None) | (editions.c.goes_at <= now))
        return self._select(goes | _tried(), *conditions, limit=limit)

    def ready(self, now: datetime) -> Sequence[Edition]:
        """Return the editions with deliveries that are due or leased (perhaps by a dead worker), oldest first.

        Editions on hold, and those that are not complete, are left out.
        """
        require_aware("now", now)
        of_edition = sa.select(deliveries.c.id).where(deliveries.c.edition_id == editions.c.id)
        due = of_edition.where(deliveries.c.next_try_at <= now).exists()
        leased = sa.select(deliveries.c.edition_id).where(deliveries.c.lease_owner.is_not(None))
        return self._select(due | editions.c.id.in_(leased), editions.c.held == "", is_complete())[::-1]

    def unfinished(self) -> Sequence[Edition]:
        """Return the editions with waiting, leased or missing deliveries, oldest first, including those on hold."""
        of_edition = sa.select(deliveries.c.id).where(deliveries.c.edition_id == editions.c.id)
        waiting = of_edition.where(deliveries.c.next_try_at.is_not(None)).exists()
        leased = sa.select(deliveries.c.edition_id).where(deliveries.c.lease_owner.is_not(None))
        return self._select(waiting | editions.c.id.in_(leased) | sa.not_(is_complete()))[::-1]

    def called_off(self, newsletter: str) -> frozenset[int]:
        """Return the ids of the newsletter's editions that nobody got or will get, because they were cancelled."""
        of_edition = sa.select(deliveries.c.id).where(deliveries.c.edition_id == editions.c.id)
        other = of_edition.where(deliveries.c.status != DeliveryStatus.SKIPPED).exists()
        query = sa.select(editions.c.id).where(editions.c.newsletter == newsletter, of_edition.exists(), sa.not_(other))
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def hold(self, edition_id: int, hold: Hold) -> bool:
        """Put an edition on hold, so that nothing more is sent until it is released; return False if it was on hold.

        An edition that is already on hold keeps its first hold. Messages that a mail server has accepted cannot be
        recalled.
        """
        return self._set_hold(edition_id, hold, editions.c.held == "")

    def held(self, edition_id: int) -> bool:
        """Return whether the edition is on hold now."""
        query = sa.select(editions.c.held != "").where(editions.c.id == edition_id)
        with self._database.read() as connection:
            return bool(connection.execute(query).scalar())

    def release(self, edition_id: int) -> bool:
        """End the hold of an edition; return whether it was on hold."""
        return self._set_hold(edition_id, None, editions.c.held != "")

    def begin(self, edition_id: int, now: datetime) -> None:
        """Set the date of an edition on hold to `now`, unless it is scheduled for later or sending it has begun."""
        require_aware("now", now)
        waits = editions.c.held != "", editions.c.goes_at.is_(None) | (editions.c.goes_at < now), sa.not_(_tried())
        with self._database.write() as connection:
            connection.execute(sa.update(editions).where(editions.c.id == edition_id, *waits).values(goes_at=now))

    def give_up(self, edition_id: int, hold: Hold, *, frees_posts: bool, passes_over: Collection[str] = ()) -> None:
        """Replace the hold of an edition with a permanent one. Editions that are not on hold are left alone.

        frees_posts  whether a later edition may include its posts
        passes_over  ids of posts that even then no later edition may include
        """
        change = sa.update(editions).where(editions.c.id == edition_id, editions.c.held != "").values(_columns(hold))
        edition = self.get(edition_id)
        if edition is None:
            return
        with with_complete_editions(self._database, edition.newsletter) as connection:
            if connection.execute(change).rowcount:
                call_off(connection, edition, passes_over if frees_posts else [post.id for post in edition.posts])

    def _set_hold(self, edition_id: int, hold: Hold | None, condition: sa.ColumnElement[bool]) -> bool:
        change = sa.update(editions).where(editions.c.id == edition_id, condition).values(_columns(hold))
        with self._database.write() as connection:
            return connection.execute(change).rowcount == 1

    def letters(self, edition_id: int) -> Sequence[Letter]:
        """Return an edition's letters, beginning with the letter for all topics."""
        query = sa.select(letters).where(letters.c.edition_id == edition_id).order_by(letters.c.variant)
        with self._database.read() as connection:
            return [letter_of(row) for row in connection.execute(query)]

    def letter(self, edition_id: int, variant: str = "") -> Letter | None:
        """Return an edition's letter for a variant, by default the letter for all topics; None if there is none."""
        query = sa.select(letters).where(letters.c.edition_id == edition_id, letters.c.variant == variant)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else letter_of(row)

    def exist(self, newsletter: str) -> bool:
        """Return whether the newsletter has had an edition of posts."""
        query = sa.select(editions.c.id).where(editions.c.newsletter == newsletter, _of_posts()).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def slots(self, newsletter: str, kind: EditionKind = EditionKind.POSTS) -> frozenset[str]:
        """Return the slots for which the newsletter has an edition of a kind, of whatever frequency."""
        query = sa.select(editions.c.slot).where(editions.c.newsletter == newsletter, editions.c.kind == kind)
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def pass_over(self, newsletter: str, post_ids: Collection[str]) -> None:
        """Record posts that the newsletter will never send. Posts that it has sent or passed over stay unchanged."""
        rows = [{"newsletter": newsletter, "post_id": i, "edition_id": None} for i in sorted(set(post_ids))]
        if rows:
            with self._database.write() as connection:
                connection.execute(self._database.insert_new(newsletter_posts), rows)

    def begin_with(self, newsletter: str, source: str, beginning: SourceBeginning) -> None:
        """Record when a newsletter began with a source. An earlier record stays."""
        if source not in self.beginnings(newsletter):
            moments = " ".join(moment.astimezone(UTC).isoformat() for moment in beginning)
            self.pass_over(newsletter, [f"{BEGINNING}{source} {moments}"])

    def beginnings(self, newsletter: str) -> dict[str, SourceBeginning]:
        """Return when the newsletter began with each of its sources, by the source's name."""
        its_own = newsletter_posts.c.newsletter == newsletter
        query = (
            sa.select(newsletter_posts.c.post_id).where(its_own, _is_beginning()).order_by(newsletter_posts.c.post_id)
        )
        found: dict[str, SourceBeginning] = {}
        with self._database.read() as connection:
            for text in connection.execute(query).scalars():
                source, *moments = text.removeprefix(BEGINNING).split(" ")
                found.setdefault(source, SourceBeginning(*map(datetime.fromisoformat, moments)))
        return found

    def sent_posts(self, newsletter: str) -> frozenset[str]:
        """Return all ids of the posts that are in editions of the newsletter."""
        has_edition = newsletter_posts.c.newsletter == newsletter, newsletter_posts.c.edition_id.is_not(None)
        with self._database.read() as connection:
            query = sa.select(newsletter_posts.c.post_id).where(*has_edition)
            return frozenset(connection.execute(query).scalars().all())

    def unhandled_items(self, newsletter: str, sources: Collection[str], before: datetime) -> frozenset[str]:
        """Return the ids of source items that the newsletter has neither sent nor passed over.

        Items that have vanished, are dated in the future, or have changed after `before` are left out.
        """
        require_aware("before", before)
        its_own = newsletter_posts.c.newsletter == newsletter
        handled = sa.select(newsletter_posts.c.post_id).where(
            its_own, newsletter_posts.c.post_id == source_items.c.post_id
        )
        query = sa.select(source_items.c.post_id).where(
            source_items.c.source.in_(sorted(sources)),
            source_items.c.gone_at.is_(None),
            source_items.c.changed_at <= before,
            source_items.c.published_at.is_(None) | (source_items.c.published_at <= before),
            sa.not_(handled.exists()),
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def next_number(self, newsletter: str, frequency: str = "") -> int:
        """Return the number of the newsletter's next edition of posts. The first is 1; other editions have no number.

        Each frequency has its own numbers.
        """
        these = editions.c.newsletter == newsletter, editions.c.frequency == frequency
        query = sa.select(sa.func.max(editions.c.number)).where(*these)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0) + 1

    def handled_posts(self, newsletter: str) -> frozenset[str]:
        """Return the ids of the posts that the newsletter has sent or passed over."""
        its_own = newsletter_posts.c.newsletter == newsletter
        query = sa.select(newsletter_posts.c.post_id).where(its_own, sa.not_(_is_beginning()))
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars().all())  # without all(), each row takes a microsecond

    def _insert(self, connection: Connection, draft: EditionDraft, own_id: int | None) -> Edition:
        insert = self._database.insert_new(editions).values(
            **({} if own_id is None else {"id": own_id}),
            newsletter=draft.newsletter,
            slot=draft.slot,
            number=draft.number,
            subject=draft.subject,
            made_at=draft.made_at,
            goes_at=draft.goes_at,
            kind=draft.kind,
            segment=draft.segment,
            frequency=draft.frequency,
            **_columns(draft.hold),
        )
        if connection.execute(insert).rowcount != 1:
            raise _TakenError
        query = sa.select(editions.c.id).where(editions.c.newsletter == draft.newsletter, editions.c.slot == draft.slot)
        return Edition(
            id=connection.execute(query).scalar_one(),
            newsletter=draft.newsletter,
            slot=draft.slot,
            number=draft.number,
            subject=draft.subject,
            made_at=draft.made_at,
            posts=draft.posts,
            hold=draft.hold,
            goes_at=draft.goes_at,
            kind=draft.kind,
            segment=draft.segment,
            frequency=draft.frequency,
        )

    def _take_posts(self, connection: Connection, edition: Edition, draft: EditionDraft) -> None:
        """Mark the draft's posts as handled. They are sorted, so that two processes lock them in the same order."""
        insert, name = self._database.insert_new(newsletter_posts), ledger_name(draft.newsletter, draft.frequency)
        for post_id in sorted({post.id for post in draft.posts} - draft.repeats):
            row = {"newsletter": name, "post_id": post_id, "edition_id": edition.id}
            if connection.execute(insert, row).rowcount != 1:
                _raise_taken(connection, row, draft)
        taken = {post.id for post in draft.posts}
        others: dict[str, int | None] = dict.fromkeys(draft.passed_over)
        others |= self._editions_of_others(connection, name, draft, dict.fromkeys(taken, edition.id))
        rows = [
            {"newsletter": each, "post_id": post_id, "edition_id": others[post_id]}
            for each in sorted({name, *draft.begins})
            for post_id in sorted(others.keys() - taken)
        ]
        if rows:
            connection.execute(insert, rows)

    @staticmethod
    def _editions_of_others(
        connection: Connection, name: str, draft: EditionDraft, known: dict[str, int | None]
    ) -> dict[str, int | None]:
        """Return, for each id that a post has in another source, the edition that contains the post.

        name   the ledger name of the edition
        known  the edition of each post of the draft, by its id
        """
        if not draft.other_ids:
            return {}
        query = sa.select(newsletter_posts.c.post_id, newsletter_posts.c.edition_id)
        mine = query.where(newsletter_posts.c.newsletter == name)
        found = {row.post_id: row.edition_id for row in connection.execute(mine)} | known
        return {other: found[post_id] for post_id, other in draft.other_ids if post_id in found}

    def _select(self, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> Sequence[Edition]:
        newest_first = (editions.c.made_at.desc(), editions.c.id.desc())
        query = sa.select(editions).where(*conditions).order_by(*newest_first).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            posts = posts_of(connection, [row.id for row in rows])
        return [
            Edition(
                id=row.id,
                newsletter=row.newsletter,
                slot=row.slot,
                number=row.number,
                subject=row.subject,
                made_at=row.made_at,
                posts=tuple(posts.get(row.id, ())),
                hold=_hold(row),
                goes_at=row.goes_at,
                kind=row.kind,
                segment=row.segment,
                frequency=row.frequency,
            )
            for row in rows
        ]


def _is_beginning() -> sa.ColumnElement[bool]:
    """Return the SQL condition that a row records when a newsletter began with a source. No post has such an id."""
    return newsletter_posts.c.post_id.startswith(BEGINNING)


def _of_posts() -> sa.ColumnElement[bool]:
    """Return the SQL condition that an edition consists of posts."""
    return editions.c.kind == EditionKind.POSTS


def _by_email_only() -> sa.ColumnElement[bool]:
    """Return the SQL condition that no post of an edition has a page."""
    of_edition = sa.select(edition_posts.c.position).where(edition_posts.c.edition_id == editions.c.id)
    return of_edition.exists() & sa.not_(of_edition.where(edition_posts.c.url != "").exists())


def _tried() -> sa.ColumnElement[bool]:
    """Return the SQL condition that at least one delivery of an edition has been attempted or is leased."""
    tried = (deliveries.c.attempts > 0) | deliveries.c.lease_owner.is_not(None)
    return sa.select(deliveries.c.id).where(deliveries.c.edition_id == editions.c.id, tried).exists()


class _TakenError(Exception):
    """Raised to roll the transaction back, because the slot or a post already belongs to another edition."""


def _raise_taken(connection: Connection, row: Mapping[str, Any], draft: EditionDraft) -> NoReturn:
    """Raise _TakenError if another edition of the draft's frequency has the post of a row, or else ChoicesChangedError.

    The post has no edition if it was passed over, which may also be recorded when somebody chooses a frequency that
    nobody had.
    """
    mine = newsletter_posts.c.newsletter == row["newsletter"], newsletter_posts.c.post_id == row["post_id"]
    query = sa.select(editions.c.frequency).join_from(newsletter_posts, editions).where(*mine)
    if connection.execute(query).scalar() == draft.frequency:
        raise _TakenError
    raise ChoicesChangedError(f"{draft.newsletter} {draft.slot}")


def _columns(hold: Hold | None) -> dict[str, str | None]:
    return {"held": hold.why, "held_by": hold.by} if hold else {"held": "", "held_by": None}


def _hold(row: Row[Any]) -> Hold | None:
    # held_by is missing if an older version, still running during the migration, put the edition on hold.
    return Hold(row.held_by or HeldBy.PERSON, row.held) if row.held else None
