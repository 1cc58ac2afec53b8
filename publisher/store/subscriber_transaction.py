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
from publisher.store import bounces, consent
from publisher.store import issued_tokens as tokens
from publisher.store.consent import Evidence, now_called
from publisher.store.database import Database
from publisher.store.erasure import erase_rows
from publisher.store.issued_tokens import IssuedToken, PendingChange
from publisher.store.subscriber_rows import address_key, encode_topics, with_subscriptions
from publisher.store.suppressions import Suppressions
from publisher.store.tables import subscribers, subscriptions


class SubscriberTransaction:
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
        subscriber = self.find(address)
        assert subscriber is not None  # noqa: S101 - it was made just now, if another had not made it before
        return subscriber

    def happened(self, subscriber: Subscriber, event: SubscriberEvent) -> SubscriberStatus | None:
        """Move a person as the table of standings says; return the new status, None where it is refused."""
        after = next_status(subscriber.status, event)
        if after is None:
            return None
        values: dict[str, Any] = {"status": after} if after is not subscriber.status else {}
        if after is SubscriberStatus.ACTIVE and subscriber.confirmed_at is None:
            values["confirmed_at"] = self.now
        if after is SubscriberStatus.ACTIVE and event is not SubscriberEvent.REQUESTED and subscriber.bounces:
            values |= {"bounces": 0, "bounced_at": None}
        if values:
            self._update(subscriber, **values)
        return after

    def may_ask(self, subscriber: Subscriber, every: timedelta) -> bool:
        """Take the right to mail a person unasked, which is there once in `every`; return whether it was had."""
        free = sa.or_(subscribers.c.asked_at.is_(None), subscribers.c.asked_at <= self.now - every)
        change = sa.update(subscribers).where(subscribers.c.id == subscriber.id, free)
        return self._connection.execute(change.values(asked_at=self.now)).rowcount > 0

    def describe(self, subscriber: Subscriber, *, name: str | None = None, language: str = "") -> None:
        """Write a person's name and language, where given; "" is no name."""
        values = {"name": subscriber.name if name is None else name, "language": language or subscriber.language}
        if values != {"name": subscriber.name, "language": subscriber.language}:
            self._update(subscriber, **values)

    def move(self, subscriber: Subscriber, address: str) -> None:
        """Give a person another address, which nobody else has, and let no list bring the old one back."""
        old, new = address_key(subscriber.address), address_key(address)
        self._update(subscriber, address=address, address_key=new)
        self.lift_move(address)
        if old != new:
            self._suppressions.add(self._connection, old, SuppressionReason.MOVED, self.now, "move")

    def pause(self, subscriber: Subscriber, until: datetime | None) -> None:
        """Stop letters until a moment; None goes on at once."""
        self._update(subscriber, paused_until=until)

    def count_bounce(self, subscriber: Subscriber) -> int:
        """Count one more letter that came back, and return how many did in a row."""
        self._update(subscriber, bounces=subscribers.c.bounces + 1, bounced_at=self.now)
        return subscriber.bounces + 1

    def forget_bounces(self, subscriber: Subscriber) -> None:
        """Begin to count anew."""
        self._update(subscriber, bounces=0, bounced_at=None)

    def take(self, report: Report) -> bool:
        """Write down that a report is taken; return False for one that was before."""
        return bounces.take_keys(self._connection, self._database, report.keys, self.now)

    def delivery(self, delivery_id: int) -> tuple[Subscriber, int] | None:
        """Return whose letter a row of the ledger is, and of which edition; None where it is gone."""
        found = bounces.delivery_of(self._connection, delivery_id)
        subscriber = self.find_id(found[0]) if found else None
        return (subscriber, found[1]) if found and subscriber else None

    def came_back(self, subscriber: Subscriber, edition_id: int | None, report: Report, source: str) -> None:
        """Write down a letter that came back."""
        bounces.record(self._connection, subscriber.id, edition_id, report, at=self.now, source=source)

    def one_arrived(self, subscriber: Subscriber, delivery_id: int) -> bool:
        """Return whether a letter between this one and the last that came back arrived, as far as is known."""
        return bounces.one_arrived(self._connection, subscriber.id, delivery_id)

    def choose(self, subscriber: Subscriber, wish: Subscription) -> bool:
        """Subscribe a person to a newsletter with these topics; return whether that is new or differs."""
        if wish in subscriber.subscriptions:
            return False
        row = {"subscriber_id": subscriber.id, "newsletter": wish.newsletter}
        self._connection.execute(sa.delete(subscriptions).where(*_of(row)))
        self._connection.execute(sa.insert(subscriptions), [row | {"topics": encode_topics(wish.topics)}])
        return True

    def drop(self, subscriber: Subscriber, newsletter: str) -> bool:
        """Take a person off one newsletter; return whether they were on it."""
        row = {"subscriber_id": subscriber.id, "newsletter": newsletter}
        return self._connection.execute(sa.delete(subscriptions).where(*_of(row))).rowcount > 0

    def leave(self, subscriber: Subscriber, newsletter: str | None, evidence: Evidence, reason: str = "") -> bool:
        """Stop one newsletter, or all mail, as the person wants; record it and return whether anything changed."""
        if newsletter is not None:
            # A letter from before a renaming names what the newsletter was called then.
            if newsletter not in {wish.newsletter for wish in subscriber.subscriptions}:
                newsletter = now_called(newsletter, self.history(subscriber))
            if not self.drop(subscriber, newsletter):
                return False
            self.record(subscriber, "left", evidence, f"{newsletter} {reason}".rstrip())
            return True
        after = self.happened(subscriber, SubscriberEvent.LEFT)
        if after in (subscriber.status, None):
            return False
        self.record(subscriber, "unsubscribed", evidence, reason)
        return True

    def remove(self, subscriber: Subscriber, newsletter: str | None, evidence: Evidence) -> bool:
        """Stop one newsletter, or all mail, as the operator wants; record it and return whether anything changed.

        Who had left by themselves is removed all the same: no link of theirs brings them back then.
        """
        if newsletter is not None:
            stopped = self.drop(subscriber, newsletter)
        else:
            after = self.happened(subscriber, SubscriberEvent.REMOVED)
            again = after is SubscriberStatus.UNSUBSCRIBED and not self.was_removed(subscriber)
            stopped = after is not subscriber.status or again
        if stopped:
            self.record(subscriber, "removed", evidence, newsletter or "")
        return stopped

    def was_removed(self, subscriber: Subscriber) -> bool:
        """Return whether the operator stopped all mail to a person, who has not agreed anew since."""
        return (
            consent.newest(self.history(subscriber), ("removed", "unsubscribed", "confirmed", "returned")) == "removed"
        )

    def erase(self, subscriber: Subscriber | None, address: str) -> int:
        """Delete every row of a person and of their address; return how many there were."""
        return erase_rows(self._connection, subscriber.id if subscriber else None, address_key(address))

    def record(self, subscriber: Subscriber, what: str, evidence: Evidence, detail: str = "") -> None:
        """Add one event to a person's history of consent."""
        consent.record(self._connection, subscriber.id, self.now, what, evidence, detail)

    def history(self, subscriber: Subscriber) -> Sequence[consent.ConsentEvent]:
        """Return a person's history of consent, oldest first."""
        return consent.history(self._connection, subscriber.id)

    def issue(
        self, subscriber: Subscriber, purpose: str, token_hash: str, expires_at: datetime, wish: PendingChange
    ) -> None:
        """Write down a token that is about to be mailed."""
        token = IssuedToken(token_hash, purpose, subscriber.id, self.now, expires_at, None, wish)
        tokens.issue(self._connection, token, address_key(wish.address))

    def issue_to(
        self, subscriber: Subscriber, address: str, token_hash: str, expires_at: datetime, *, kept: bool
    ) -> None:
        """Write down a token of the purpose "address" for a new address.

        kept: whether the address itself may be kept; else a hash stands for it, and the token makes nothing true.
        """
        wish = PendingChange(address=address) if kept else PendingChange()
        token = IssuedToken(token_hash, tokens.ADDRESS, subscriber.id, self.now, expires_at, None, wish)
        marks = self._marks(address)
        tokens.issue(self._connection, token, marks[0] if kept else marks[1])

    def issued_to(self, address: str, since: datetime) -> Sequence[IssuedToken]:
        """Return the tokens that were made for a new address since a moment, of whomever."""
        return tokens.made_for(self._connection, self._marks(address), since)

    def issued(self, subscriber: Subscriber) -> Sequence[IssuedToken]:
        """Return all tokens that are kept of a person, oldest first."""
        return tokens.of_person(self._connection, subscriber.id)

    def void(self, subscriber: Subscriber, purpose: str) -> None:
        """Let no token of a person for a purpose be good any more."""
        tokens.void(self._connection, subscriber.id, purpose, self.now)

    def token(self, token_hash: str, purpose: str) -> IssuedToken | None:
        """Return a good token that was not used; None for any other."""
        return tokens.find(self._connection, token_hash, purpose, self.now)

    def use(self, token: IssuedToken) -> bool:
        """Use a token up; return False where another was faster."""
        return tokens.use(self._connection, token, self.now)

    def newest_token(self, subscriber: Subscriber, purpose: str) -> IssuedToken | None:
        """Return the newest good token of a person for a purpose."""
        return tokens.newest(self._connection, subscriber.id, purpose, self.now)

    def add_to(self, token: IssuedToken, wish: PendingChange) -> bool:
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

    def _update(self, subscriber: Subscriber, **values: Any) -> None:
        self._connection.execute(sa.update(subscribers).where(subscribers.c.id == subscriber.id).values(**values))

    def _one(self, condition: sa.ColumnElement[bool]) -> Subscriber | None:
        # SQLite has one writer at a time and leaves FOR UPDATE out.
        rows = self._connection.execute(sa.select(subscribers).where(condition).with_for_update()).all()
        return next(iter(with_subscriptions(self._connection, rows)), None)


def _of(row: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [subscriptions.c[name] == value for name, value in row.items()]
