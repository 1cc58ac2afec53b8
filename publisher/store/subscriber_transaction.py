"""One transaction on people: whoever is read in it stays as they are until it ends."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.bounce_report import Report
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_status import SubscriberEvent, next_status
from publisher.store import bounces, consent, tokens
from publisher.store.addresses import address_key
from publisher.store.consent import Evidence
from publisher.store.engine import Database
from publisher.store.erasure import erase_rows
from publisher.store.people import with_subscriptions
from publisher.store.renaming import now_called
from publisher.store.suppressions import Suppressions
from publisher.store.tables import subscribers, subscriptions
from publisher.store.tokens import IssuedToken, Wish
from publisher.store.topics import encode_topics


class Change:
    """The verbs of one transaction at one moment. A person who is found is locked until it ends."""

    def __init__(self, connection: Connection, database: Database, suppressed: Suppressions, now: datetime) -> None:
        self._connection = connection
        self._database = database
        self._suppressions = suppressed
        self.now = now

    def find(self, address: str) -> Subscriber | None:
        """Return the person of a normalised address."""
        return self._one(subscribers.c.address_key == address_key(address))

    def find_uid(self, uid: str) -> Subscriber | None:
        """Return the person of a public uid."""
        return self._one(subscribers.c.uid == uid)

    def find_id(self, subscriber_id: int) -> Subscriber | None:
        """Return the person of a row's number."""
        return self._one(subscribers.c.id == subscriber_id)

    def arrive(self, address: str, event: SubscriberEvent) -> Subscriber:
        """Return the person of an address, whose row is made in the standing of the event if there is none."""
        row = {
            "uid": secrets.token_hex(12),
            "address": address,
            "address_key": address_key(address),
            "name": "",
            "language": "",
            "status": next_status(None, event),
            "created_at": self.now,
        }
        self._connection.execute(self._database.insert_new(subscribers), [row])
        person = self.find(address)
        assert person is not None  # noqa: S101 - it was made just now, if another had not made it before
        return person

    def happened(self, person: Subscriber, event: SubscriberEvent) -> SubscriberStatus | None:
        """Move a person as the table of standings says; return the new status, None where it is refused."""
        after = next_status(person.status, event)
        if after is None:
            return None
        values: dict[str, Any] = {"status": after} if after is not person.status else {}
        if after is SubscriberStatus.ACTIVE and person.confirmed_at is None:
            values["confirmed_at"] = self.now
        if after is SubscriberStatus.ACTIVE and event is not SubscriberEvent.REQUESTED and person.bounces:
            values |= {"bounces": 0, "bounced_at": None}
        if values:
            self._update(person, **values)
        return after

    def may_ask(self, person: Subscriber, every: timedelta) -> bool:
        """Take the right to mail a person unasked, which is there once in `every`; return whether it was had."""
        free = sa.or_(subscribers.c.asked_at.is_(None), subscribers.c.asked_at <= self.now - every)
        change = sa.update(subscribers).where(subscribers.c.id == person.id, free)
        return self._connection.execute(change.values(asked_at=self.now)).rowcount > 0

    def describe(self, person: Subscriber, *, name: str | None = None, language: str = "") -> None:
        """Write a person's name and language, where given; "" is no name."""
        values = {"name": person.name if name is None else name, "language": language or person.language}
        if values != {"name": person.name, "language": person.language}:
            self._update(person, **values)

    def move(self, person: Subscriber, address: str) -> None:
        """Give a person another address, which nobody else has, and let no list bring the old one back."""
        old, new = address_key(person.address), address_key(address)
        self._update(person, address=address, address_key=new)
        self.lift_move(address)
        if old != new:
            self._suppressions.add(self._connection, old, SuppressionReason.MOVED, self.now, "move")

    def pause(self, person: Subscriber, until: datetime | None) -> None:
        """Stop letters until a moment; None goes on at once."""
        self._update(person, paused_until=until)

    def count_bounce(self, person: Subscriber) -> int:
        """Count one more letter that came back, and return how many did in a row."""
        self._update(person, bounces=subscribers.c.bounces + 1, bounced_at=self.now)
        return person.bounces + 1

    def forget_bounces(self, person: Subscriber) -> None:
        """Begin to count anew."""
        self._update(person, bounces=0, bounced_at=None)

    def take(self, report: Report) -> bool:
        """Write down that a report is taken; return False for one that was before."""
        return bounces.take_keys(self._connection, self._database, report.keys, self.now)

    def delivery(self, delivery_id: int) -> tuple[Subscriber, int] | None:
        """Return whose letter a row of the ledger is, and of which edition; None where it is gone."""
        found = bounces.delivery_of(self._connection, delivery_id)
        person = self.find_id(found[0]) if found else None
        return (person, found[1]) if found and person else None

    def came_back(self, person: Subscriber, edition_id: int | None, report: Report, source: str) -> None:
        """Write down a letter that came back."""
        bounces.record(self._connection, person.id, edition_id, report, at=self.now, source=source)

    def one_arrived(self, person: Subscriber, delivery_id: int) -> bool:
        """Return whether a letter between this one and the last that came back arrived, as far as is known."""
        return bounces.one_arrived(self._connection, person.id, delivery_id)

    def choose(self, person: Subscriber, wish: Subscription) -> bool:
        """Subscribe a person to a newsletter with these topics; return whether that is new or differs."""
        if wish in person.subscriptions:
            return False
        row = {"subscriber_id": person.id, "newsletter": wish.newsletter}
        self._connection.execute(sa.delete(subscriptions).where(*_of(row)))
        self._connection.execute(sa.insert(subscriptions), [row | {"topics": encode_topics(wish.topics)}])
        return True

    def drop(self, person: Subscriber, newsletter: str) -> bool:
        """Take a person off one newsletter; return whether they were on it."""
        row = {"subscriber_id": person.id, "newsletter": newsletter}
        return self._connection.execute(sa.delete(subscriptions).where(*_of(row))).rowcount > 0

    def leave(self, person: Subscriber, newsletter: str | None, evidence: Evidence, reason: str = "") -> bool:
        """Stop one newsletter, or all mail, as the person wants; record it and return whether anything changed."""
        if newsletter is not None:
            # A letter from before a renaming names what the newsletter was called then.
            if newsletter not in {wish.newsletter for wish in person.subscriptions}:
                newsletter = now_called(newsletter, self.history(person))
            if not self.drop(person, newsletter):
                return False
            self.record(person, "left", evidence, f"{newsletter} {reason}".rstrip())
            return True
        after = self.happened(person, SubscriberEvent.LEFT)
        if after in (person.status, None):
            return False
        self.record(person, "unsubscribed", evidence, reason)
        return True

    def remove(self, person: Subscriber, newsletter: str | None, evidence: Evidence) -> bool:
        """Stop one newsletter, or all mail, as the operator wants; record it and return whether anything changed.

        Who had left by themselves is removed all the same: no link of theirs brings them back then.
        """
        if newsletter is not None:
            stopped = self.drop(person, newsletter)
        else:
            after = self.happened(person, SubscriberEvent.REMOVED)
            again = after is SubscriberStatus.UNSUBSCRIBED and not self.was_removed(person)
            stopped = after is not person.status or again
        if stopped:
            self.record(person, "removed", evidence, newsletter or "")
        return stopped

    def was_removed(self, person: Subscriber) -> bool:
        """Return whether the operator stopped all mail to a person, who has not agreed anew since."""
        return consent.newest(self.history(person), ("removed", "unsubscribed", "confirmed", "returned")) == "removed"

    def erase(self, person: Subscriber | None, address: str) -> int:
        """Delete every row of a person and of their address; return how many there were."""
        return erase_rows(self._connection, person.id if person else None, address_key(address))

    def record(self, person: Subscriber, what: str, evidence: Evidence, detail: str = "") -> None:
        """Add one event to a person's history of consent."""
        consent.record(self._connection, person.id, self.now, what, evidence, detail)

    def history(self, person: Subscriber) -> Sequence[consent.ConsentEvent]:
        """Return a person's history of consent, oldest first."""
        return consent.history(self._connection, person.id)

    def issue(self, person: Subscriber, purpose: str, token_hash: str, expires_at: datetime, wish: Wish) -> None:
        """Write down a token that is about to be mailed."""
        token = IssuedToken(token_hash, purpose, person.id, self.now, expires_at, None, wish)
        tokens.issue(self._connection, token, address_key(wish.address))

    def issue_to(self, person: Subscriber, address: str, token_hash: str, expires_at: datetime, *, kept: bool) -> None:
        """Write down a token of the purpose "address" for a new address.

        kept: whether the address itself may be kept; else a hash stands for it, and the token makes nothing true.
        """
        wish = Wish(address=address) if kept else Wish()
        token = IssuedToken(token_hash, tokens.ADDRESS, person.id, self.now, expires_at, None, wish)
        marks = self._marks(address)
        tokens.issue(self._connection, token, marks[0] if kept else marks[1])

    def issued_to(self, address: str, since: datetime) -> Sequence[IssuedToken]:
        """Return the tokens that were made for a new address since a moment, of whomever."""
        return tokens.made_for(self._connection, self._marks(address), since)

    def issued(self, person: Subscriber) -> Sequence[IssuedToken]:
        """Return all tokens that are kept of a person, oldest first."""
        return tokens.of_person(self._connection, person.id)

    def void(self, person: Subscriber, purpose: str) -> None:
        """Let no token of a person for a purpose be good any more."""
        tokens.void(self._connection, person.id, purpose, self.now)

    def token(self, token_hash: str, purpose: str) -> IssuedToken | None:
        """Return a good token that was not used; None for any other."""
        return tokens.find(self._connection, token_hash, purpose, self.now)

    def use(self, token: IssuedToken) -> bool:
        """Use a token up; return False where another was faster."""
        return tokens.use(self._connection, token, self.now)

    def newest_token(self, person: Subscriber, purpose: str) -> IssuedToken | None:
        """Return the newest good token of a person for a purpose."""
        return tokens.newest(self._connection, person.id, purpose, self.now)

    def add_to(self, token: IssuedToken, wish: Wish) -> bool:
        """Let a token that was mailed already make more true; return whether it is more."""
        joined = token.wish.joined(wish)
        if joined == token.wish:
            return False
        tokens.change_wish(self._connection, token, joined)
        return True

    def suppressed(self, addresses: Collection[str]) -> bool:
        """Return whether any of the addresses must never be mailed again.

        One that its reader moved away from is none of these: its mailbox may ask for letters again.
        """
        found = self._suppressions.among(self._connection, {address_key(address) for address in addresses})
        return any(reason is not SuppressionReason.MOVED for reason in found.values())

    def suppress(self, address: str, reason: SuppressionReason, source: str) -> bool:
        """Put an address on the list of those never mailed again; return whether it is new there."""
        return self._suppressions.add(self._connection, address_key(address), reason, self.now, source)

    def lift(self, address: str) -> bool:
        """Take an address off that list; return whether it was on it."""
        return self._suppressions.drop(self._connection, address_key(address))

    def lift_move(self, address: str) -> None:
        """Take an address off that list if it is there because its reader moved: its mailbox has spoken."""
        key = address_key(address)
        if self._suppressions.among(self._connection, [key]).get(key) is SuppressionReason.MOVED:
            self._suppressions.drop(self._connection, key)

    def _marks(self, address: str) -> tuple[str, str]:
        """What tokens know a new address by: its key, or its hash where it must not be kept."""
        key = address_key(address)
        return key, f"hash {self._suppressions.hash(self._connection, key)}"

    def _update(self, person: Subscriber, **values: Any) -> None:
        self._connection.execute(sa.update(subscribers).where(subscribers.c.id == person.id).values(**values))

    def _one(self, condition: sa.ColumnElement[bool]) -> Subscriber | None:
        # SQLite has one writer at a time and leaves FOR UPDATE out.
        rows = self._connection.execute(sa.select(subscribers).where(condition).with_for_update()).all()
        return next(iter(with_subscriptions(self._connection, rows)), None)


def _of(row: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [subscriptions.c[name] == value for name, value in row.items()]
