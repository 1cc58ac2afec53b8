"""A transaction on subscribers. Others cannot change a subscriber that it has read until it ends."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.bounce_report import Report
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_fields import FieldKind, FieldValue, encode_fields
from publisher.core.subscriber_status import SubscriberEvent, ends_all, next_status
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionStatus
from publisher.store import bounces, catch_up, consent, requested_emails, subscriptions
from publisher.store.database import Database
from publisher.store.edition_filling import decide
from publisher.store.erasure import erase_rows
from publisher.store.people_query import search_key
from publisher.store.subscriber_records import (
    ConsentEvent,
    EmailTrigger,
    Evidence,
    IssuedToken,
    PendingChange,
    address_key,
    current_name,
)
from publisher.store.subscriber_tags import note_fields, retag, set_tags
from publisher.store.suppressions import Suppressions
from publisher.store.tables import subscribers


class SubscriberTransaction:
    """The operations on subscribers inside one transaction. Finding a subscriber locks them until the transaction ends.

    now: the time that the transaction records for everything that it does.
    """

    def __init__(self, connection: Connection, database: Database, suppressed: Suppressions, now: datetime) -> None:
        self._connection = connection
        self._database = database
        self._suppressions = suppressed
        self._decided = set[int]()
        self.now = now

    def find(self, address: str) -> Subscriber | None:
        """Return the subscriber with a normalised address, or None."""
        return self._one(subscribers.c.address_key == address_key(address))

    def find_uid(self, uid: str) -> Subscriber | None:
        """Return the subscriber with a public uid, or None."""
        return self._one(subscribers.c.uid == uid)

    def find_id(self, subscriber_id: int) -> Subscriber | None:
        """Return the subscriber with a row number, or None."""
        return self._one(subscribers.c.id == subscriber_id)

    def find_or_add(self, address: str, event: SubscriberEvent) -> Subscriber:
        """Return the subscriber with an address, adding them if they are new.

        A new subscriber gets the status that the event leads to.
        """
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
        assert subscriber is not None  # noqa: S101 - it was added just now, or by someone else before
        return subscriber

    def apply(self, subscriber: Subscriber, event: SubscriberEvent, source: str = "") -> SubscriberStatus | None:
        """Give a subscriber the status that an event leads to; return the status, or None if the event is refused.

        core/subscriber_status.py decides which status follows, and whether the event ends all subscriptions. After an
        event that opts the subscriber out, confirmation links that were sent before it are invalid.

        source: the origin of the event, for the record of each subscription that it ends.
        """
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
        if ended := ends_all(event):
            self._decide(subscriber.id)
            subscriptions.end_all(self._connection, subscriber.id, ended, self.now, source)
            self.void(subscriber, consent.CONFIRM)
        return after

    def unsubscribe_if_none_left(self, subscriber: Subscriber) -> None:
        """Give a subscriber the status unsubscribed if they have no newsletter left."""
        now = self.find_id(subscriber.id)
        mailed = SubscriberStatus.ACTIVE, SubscriberStatus.BOUNCED
        if now is not None and now.status in mailed and now.records and not now.subscriptions:
            self.apply(now, SubscriberEvent.LEFT)

    def claim_email(self, mailbox: str, trigger: EmailTrigger, waits: Sequence[timedelta], most: int = 0) -> bool:
        """Claim the right to send an email that its recipient may not have asked for; return False if it is too early.

        The transaction must be `alone`, so that no two hosts claim the same email.

        mailbox  see subscribers/address.py
        waits    how long to wait after the first email, the second, and so on; after that, none is sent until
                 `allow_emails`
        most     the maximum number of such emails to all mailboxes within an hour; 0 for no limit
        """
        mailbox_hash = self._suppressions.hash_mailbox(self._connection, mailbox)
        if requested_emails.must_wait(self._connection, mailbox_hash, trigger, waits, self.now):
            return False
        hour_ago = self.now - timedelta(hours=1)
        if most and requested_emails.count_since(self._connection, trigger, hour_ago) >= most:
            return False
        requested_emails.count_email(self._connection, self._database, mailbox_hash, trigger, self.now)
        return True

    def allow_emails(self, mailbox: str) -> None:
        """Forget how many emails a mailbox got, because its owner has just proved that they are wanted."""
        requested_emails.forget(self._connection, self._suppressions.hash_mailbox(self._connection, mailbox))

    def silence(self, mailbox: str) -> None:
        """Prevent anybody from triggering an email to a mailbox, in any spelling, until `allow_emails`."""
        requested_emails.silence(self._connection, self._suppressions.hash_mailbox(self._connection, mailbox), self.now)

    def mark_asked(self, subscriber: Subscriber) -> None:
        """Record that a subscriber is being asked to confirm."""
        self._update(subscriber, asked_at=self.now)

    def describe(
        self,
        subscriber: Subscriber,
        *,
        name: str | None = None,
        language: str | None = None,
        fields: Mapping[str, FieldValue] | None = None,
        note: str | None = None,
    ) -> None:
        """Set what is known about a subscriber. None keeps the old value.

        fields: all of their fields, whose kinds `note_fields` must know.
        """
        values: dict[str, Any] = {"name": name, "language": language, "note": note}
        values["fields"] = None if fields is None else encode_fields(fields)
        values["name_key"] = None if name in (None, subscriber.name) else search_key(name)
        old = {"name": subscriber.name, "language": subscriber.language, "note": subscriber.note}
        old["fields"] = encode_fields(subscriber.fields)
        changed = {column: value for column, value in values.items() if value not in (None, old.get(column))}
        if changed:
            self._update(subscriber, **changed)

    def note_fields(self, kinds: Mapping[str, FieldKind]) -> None:
        """Record that subscribers have values for these fields; a known field keeps its kind."""
        note_fields(self._connection, self._database, kinds)

    def set_tags(self, subscriber: Subscriber, tags: Collection[str]) -> None:
        """Give a subscriber exactly these tags, already cleaned by core/subscriber_fields.py."""
        self._decide(subscriber.id)
        set_tags(self._connection, self._database, subscriber.id, tags)

    def retag(self, ids: Collection[int], tags: Collection[str], untags: Collection[str]) -> int:
        """Give tags to many subscribers and take tags from them; return how many have different tags now."""
        self._decide(*ids)
        return retag(self._connection, self._database, ids, tags, untags)

    def move(self, subscriber: Subscriber, address: str) -> None:
        """Give a subscriber a new address, and suppress the old one so that no import can add it again.

        No other subscriber may have the new address. All tokens that were sent to the old one become invalid.
        """
        old, new = address_key(subscriber.address), address_key(address)
        self._update(subscriber, address=address, address_key=new)
        consent.void_tokens(self._connection, subscriber.id, None, self.now)
        self.lift_move(address)
        if old != new:
            self._suppressions.add(self._connection, old, SuppressionReason.MOVED, self.now, "move")

    def change_frequency(self, subscriber: Subscriber, newsletter: str, frequency: str, evidence: Evidence) -> bool:
        """Change how often ("" for its own schedule) a subscriber gets a newsletter; return whether it changed.

        The transaction was opened for the newsletter, and the caller has checked that it offers the frequency.
        """
        self._decide(subscriber.id)
        changed = catch_up.change_frequency(self._connection, self._database, subscriber.id, newsletter, frequency)
        if changed:
            self.record(subscriber, "frequency", evidence, f"{newsletter} {frequency}".rstrip())
        return changed

    def pause(self, subscriber: Subscriber, until: datetime | None) -> None:
        """Pause a subscriber's emails until a moment. None ends the pause."""
        self._update(subscriber, paused_until=until)

    def subscribe(
        self, subscriber: Subscriber, subscription: Subscription, event: SubscriptionEvent, source: str
    ) -> bool:
        """Subscribe to a newsletter with these topics; return whether anything changed.

        Nothing changes if core/subscription_status.py refuses the event.
        event: what happened, such as CONFIRMED or CHOSEN.
        """
        name, topics = subscription.newsletter, subscription.topics
        return self._change(subscriber, name, event, source, topics)

    def end(
        self, subscriber: Subscriber, newsletter: str, event: SubscriptionEvent, evidence: Evidence, reason: str = ""
    ) -> bool:
        """End the subscription to one newsletter, and record it; return whether anything changed.

        The caller must call `unsubscribe_if_none_left` in the end.
        """
        if not self._change(subscriber, newsletter, event, evidence.source):
            return False
        what = "left" if event is SubscriptionEvent.LEFT else "removed"
        self.record(subscriber, what, evidence, f"{newsletter} {reason}".rstrip())
        return True

    def leave(self, subscriber: Subscriber, newsletter: str | None, evidence: Evidence, reason: str = "") -> bool:
        """Unsubscribe a subscriber at their own request, and record it; return whether anything changed.

        A subscriber who leaves their last newsletter gets the status unsubscribed.
        newsletter: the newsletter to leave, by its current or an earlier name; None to leave all newsletters.
        """
        if newsletter is not None:
            newsletter = self.current_name(subscriber, newsletter)
            if not self.end(subscriber, newsletter, SubscriptionEvent.LEFT, evidence, reason):
                return False
            self.unsubscribe_if_none_left(subscriber)
            return True
        after = self.apply(subscriber, SubscriberEvent.LEFT, evidence.source)
        if after in (subscriber.status, None):
            return False
        self.record(subscriber, "unsubscribed", evidence, reason)
        return True

    def remove(self, subscriber: Subscriber, newsletter: str | None, evidence: Evidence) -> bool:
        """Unsubscribe a subscriber for the operator, and record it; return whether anything changed.

        Subscribers who have already unsubscribed themselves can be removed too. After that, they cannot return with a
        link in an email that they have.

        newsletter: the newsletter to unsubscribe from; None for all newsletters.
        """
        if newsletter is not None:
            changed = self.end(subscriber, newsletter, SubscriptionEvent.REMOVED, evidence)
            if changed:
                self.void(subscriber, consent.CONFIRM)
                self.unsubscribe_if_none_left(subscriber)
            return changed
        after = self.apply(subscriber, SubscriberEvent.REMOVED, evidence.source)
        again = after is SubscriberStatus.UNSUBSCRIBED and (
            any(record.status is not SubscriptionStatus.REMOVED for record in subscriber.records)
        )
        if after is subscriber.status and not again:
            return False
        self.record(subscriber, "removed", evidence)
        return True

    def was_removed(self, subscriber: Subscriber) -> bool:
        """Return whether the operator removed a subscriber from everything, and they have not consented since then."""
        removed = [record.status is SubscriptionStatus.REMOVED for record in subscriber.records]
        return subscriber.status is SubscriberStatus.UNSUBSCRIBED and bool(removed) and all(removed)

    def current_name(self, subscriber: Subscriber, newsletter: str) -> str:
        """Return the current name of a newsletter, which may have had another one when an email was sent."""
        known = subscriber.record(newsletter)
        return newsletter if known else current_name(newsletter, self.history(subscriber))

    def erase(self, subscriber: Subscriber | None, address: str) -> int:
        """Delete every row of a subscriber, and all tokens for the address; return how many rows were deleted.

        subscriber: None if the address has no subscriber.
        """
        return erase_rows(self._connection, subscriber.id if subscriber else None, address_key(address))

    def record(self, subscriber: Subscriber, what: str, evidence: Evidence, detail: str = "") -> None:
        """Add an event to a subscriber's history of consent."""
        consent.record_event(self._connection, subscriber.id, self.now, what, evidence, detail)

    def history(self, subscriber: Subscriber) -> Sequence[ConsentEvent]:
        """Return a subscriber's history of consent, oldest first."""
        return consent.history(self._connection, subscriber.id)

    def take_report(self, report: Report) -> bool:
        """Record that a bounce report is being processed; return False if it was processed before."""
        return bounces.take_keys(self._connection, self._database, report.keys, self.now)

    def delivery(self, delivery_id: int) -> tuple[Subscriber, int] | None:
        """Return (subscriber, edition id) of a delivery, or None if the delivery no longer exists."""
        found = bounces.delivery_of(self._connection, delivery_id)
        subscriber = self.find_id(found[0]) if found else None
        return (subscriber, found[1]) if found and subscriber else None

    def record_bounce(self, subscriber: Subscriber, edition_id: int | None, report: Report, source: str) -> None:
        """Record a bounce of a message to a subscriber."""
        bounces.record(self._connection, subscriber.id, edition_id, report, at=self.now, source=source)

    def arrived_since_bounce(self, subscriber: Subscriber, delivery_id: int | None) -> bool:
        """Return whether any message between the last bounce and this delivery, None for now, presumably arrived."""
        return bounces.arrived_since_bounce(self._connection, subscriber.id, delivery_id, self.now)

    def count_bounce(self, subscriber: Subscriber) -> int:
        """Count another bounce, and return the number of bounces in a row."""
        self._update(subscriber, bounces=subscribers.c.bounces + 1, bounced_at=self.now)
        return subscriber.bounces + 1

    def forget_bounces(self, subscriber: Subscriber) -> None:
        """Reset the number of bounces in a row to 0."""
        self._update(subscriber, bounces=0, bounced_at=None)

    def issue(
        self, subscriber: Subscriber, purpose: str, token_hash: str, expires_at: datetime, change: PendingChange
    ) -> None:
        """Record a token that is about to be sent."""
        token = IssuedToken(token_hash, purpose, subscriber.id, self.now, expires_at, None, change)
        consent.issue_token(self._connection, token, address_key(change.address))

    def issue_to(
        self, subscriber: Subscriber, address: str, token_hash: str, expires_at: datetime, *, kept: bool
    ) -> None:
        """Record a token that confirms a new address.

        kept: whether the address itself may be stored. If not, only its hash is stored, and using the token changes
        nothing.
        """
        change = PendingChange(address=address) if kept else PendingChange()
        token = IssuedToken(token_hash, consent.ADDRESS, subscriber.id, self.now, expires_at, None, change)
        keys = self._keys_of_new(address)
        consent.issue_token(self._connection, token, keys[0] if kept else keys[1])

    def issued_to(self, address: str, since: datetime) -> Sequence[IssuedToken]:
        """Return the tokens made since a moment to confirm this new address, whichever subscriber asked."""
        return consent.tokens_to_address(self._connection, self._keys_of_new(address), since)

    def issued(self, subscriber: Subscriber) -> Sequence[IssuedToken]:
        """Return all tokens of a subscriber, oldest first."""
        return consent.tokens_of(self._connection, subscriber.id)

    def void(self, subscriber: Subscriber, purpose: str) -> None:
        """Invalidate all of a subscriber's tokens for a purpose."""
        consent.void_tokens(self._connection, subscriber.id, purpose, self.now)

    def token(self, token_hash: str, purpose: str) -> IssuedToken | None:
        """Return the token with this hash if it is valid for the purpose and unused, else None."""
        return consent.find_token(self._connection, token_hash, purpose, self.now)

    def use(self, token: IssuedToken) -> bool:
        """Mark a token as used; return False if another process has used it first."""
        return consent.use_token(self._connection, token, self.now)

    def newest_token(self, subscriber: Subscriber, purpose: str) -> IssuedToken | None:
        """Return a subscriber's newest valid and unused token for a purpose, or None."""
        return consent.newest_token(self._connection, subscriber.id, purpose, self.now)

    def extend(self, token: IssuedToken, change: PendingChange) -> bool:
        """Add the newsletters of a later request to a token that was already sent; return whether any were added."""
        joined = token.change.joined(change)
        if joined == token.change:
            return False
        consent.change_token(self._connection, token, joined)
        return True

    def suppression(self, address: str) -> SuppressionReason | None:
        """Return the reason why an address is on the suppression list, or None if it is not."""
        key = address_key(address)
        return self._suppressions.among(self._connection, [key]).get(key)

    def suppressed(self, addresses: Collection[str]) -> bool:
        """Return whether any of the addresses must never get email again.

        An address that is suppressed only because its subscriber changed to another one does not count: it may
        subscribe again.
        """
        found = self._suppressions.among(self._connection, {address_key(address) for address in addresses})
        return any(reason is not SuppressionReason.MOVED for reason in found.values())

    def suppress(self, address: str, reason: SuppressionReason, source: str) -> bool:
        """Put an address on the suppression list; return whether the list changed."""
        return self._suppressions.add(self._connection, address_key(address), reason, self.now, source)

    def lift(self, address: str) -> bool:
        """Remove an address from the suppression list; return whether it was on the list."""
        return self._suppressions.drop(self._connection, address_key(address))

    def lift_move(self, address: str) -> None:
        """Remove an address from the suppression list if it is there only because its subscriber changed to another."""
        if self.suppression(address) is SuppressionReason.MOVED:
            self._suppressions.drop(self._connection, address_key(address))

    def _keys_of_new(self, address: str) -> tuple[str, str]:
        """Return the two keys under which tokens may store a new address: its address key and a hash.

        The hash is for an address that itself must not be stored.
        """
        key = address_key(address)
        return key, f"hash {self._suppressions.hash(self._connection, key)}"

    def _change(
        self,
        subscriber: Subscriber,
        newsletter: str,
        event: SubscriptionEvent,
        source: str,
        topics: tuple[str, ...] | None = None,
    ) -> bool:
        """Change one subscription according to an event; return whether its status or topics changed."""
        records = subscriptions.records_of(self._connection, [subscriber.id]).get(subscriber.id, [])
        after = subscriptions.changed(records, newsletter, event, since=self.now, source=source, topics=topics)
        before = next((each for each in records if each.newsletter == newsletter), None)
        if after is None or after == before:
            return False
        self._decide(subscriber.id)
        subscriptions.save(self._connection, subscriber.id, after)
        return before is None or (before.status, before.topics) != (after.status, after.topics)

    def _decide(self, *ids: int) -> None:
        """Write subscribers' deliveries for editions that are being made, before the subscribers change."""
        decide(self._connection, self._database, set(ids) - self._decided)
        self._decided.update(ids)

    def _update(self, subscriber: Subscriber, **values: Any) -> None:
        self._decide(subscriber.id)
        self._connection.execute(sa.update(subscribers).where(subscribers.c.id == subscriber.id).values(**values))

    def _one(self, condition: sa.ColumnElement[bool]) -> Subscriber | None:
        # SQLite has one writer at a time and ignores FOR UPDATE.
        found = self._connection.execute(sa.select(subscribers).where(condition).with_for_update()).all()
        return next(iter(subscriptions.with_subscriptions(self._connection, found)), None)
