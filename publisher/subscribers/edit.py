"""The owner's changes to one person: address, name and language, tags, fields and note.

None of it is consent, except that a corrected address is recorded in the history of consent.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import frequency_schedules
from publisher.core.characters import MOST_LINES, clean_lines
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.subscriber_fields import (
    LONGEST_NOTE,
    MOST_FIELDS,
    FieldKind,
    FieldValue,
    clean_tags,
    parse_value,
    shown_value,
)
from publisher.core.subscriber_status import REFUSALS, SubscriberEvent, next_status
from publisher.store.subscriber_records import Evidence, address_key
from publisher.subscribers.address import checked_name, mailbox_of, normalise, shortened
from publisher.subscribers.languages import clean_language

if TYPE_CHECKING:
    from publisher.config import FieldConfig, NewsletterConfig
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

# The event in a person's history of consent for an address that the owner has corrected.
CORRECTED = "address corrected"


@dataclass(frozen=True, slots=True)
class Change:
    """What the owner wants to change about a person. A part that is None, or that is not named, stays as it is.

    tags    tags to add
    untags  tags to remove
    fields  name of a field -> its value as a text; "" removes the value
    note    the whole note; "" deletes it
    frequencies  newsletter -> how often they want it, such as "weekly", "" for its own schedule; the caller has checked
                 that it is offered (see require_offered)
    """

    address: str | None = None
    name: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    untags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    frequencies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edited:
    """The result of an edit.

    before   the person before the edit
    after    the person now
    changed  what has changed: "address", "name", "language", "note", "+TAG", "-TAG", "FIELD"; empty if nothing has
    """

    before: Subscriber
    after: Subscriber
    changed: tuple[str, ...]


def known_fields(store: Store | None, configured: Iterable[FieldConfig]) -> dict[str, FieldKind]:
    """Return the fields of a project with their kinds: those in [[fields]], and those that imports have found."""
    found = store.subscribers.known_fields() if store else {}
    return {**found, **{each.name: FieldKind(each.kind) for each in configured}}


def values_in(texts: Iterable[str]) -> dict[str, str]:
    """Return texts such as "city=Oslo" as name -> value. Raises SubscriberError for a text without "="."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip()):
            raise SubscriberError(f"{shortened(text)!r} isn't a field with a value", hint="write it like city=Oslo")
        found[name.strip()] = value
    return found


def is_offered(newsletter: NewsletterConfig, frequency: str) -> bool:
    """Return whether subscribers of a newsletter can choose a frequency; "" is the newsletter's own schedule."""
    return not frequency or frequency in frequency_schedules(newsletter)


def require_offered(newsletter: NewsletterConfig, frequency: str) -> None:
    """Raise SubscriberError if subscribers of a newsletter can't choose a frequency; see is_offered."""
    if not is_offered(newsletter, frequency):
        known = ", ".join([*frequency_schedules(newsletter), "default"])
        raise SubscriberError(
            f"{newsletter.name} does not offer {shortened(frequency)!r}", hint=f"it has: {known}; see `frequencies`"
        )


def require_possible(change: Change, known: Mapping[str, FieldKind]) -> None:
    """Raise SubscriberError, like `edit`, if a change of tags and fields is not possible for anybody."""
    clean_tags(change.tags)
    with_values({}, change.fields, known)


def edit(
    store: Store,
    subscriber: Subscriber,
    change: Change,
    *,
    at: datetime,
    source: str,
    known: Mapping[str, FieldKind],
    dry_run: bool = False,
) -> Edited:
    """Apply all changes to a person, or none of them; return what has changed.

    A corrected address keeps the person's subscriptions, history and links. No file can add the old one again. People
    who have bounced get email again; people who have not confirmed must still do so, with a new link.

    known    the fields that exist, with their kinds
    source   the origin of the change, for the history of consent
    dry_run  return the same, but write nothing
    Raises SubscriberError if the person was deleted, or if part of the change isn't possible.
    """
    alone, often = change.address is not None, change.frequencies
    with store.subscribers.transaction(at, alone=alone, dry_run=dry_run, newsletters=often) as transaction:
        before = transaction.find_id(subscriber.id)
        if before is None:
            raise SubscriberError("this subscriber was deleted in the meantime")
        if change.address is not None:
            _correct(transaction, before, normalise(change.address), source)
        _describe(transaction, before, change, known)
        for newsletter, frequency in often.items():
            transaction.change_frequency(before, newsletter, frequency, Evidence(source))
        after = transaction.find_id(before.id) or before
    return Edited(before, after, tuple(_differences(before, after)))


def _tagged(before: Iterable[str], tags: Iterable[str], untags: Iterable[str]) -> tuple[str, ...]:
    """Return somebody's tags after a change. Raises SubscriberError for a bad tag, or for too many."""
    return clean_tags({*before, *clean_tags(tags)} - set(clean_tags(untags)))


def with_values(
    before: Mapping[str, FieldValue], values: Mapping[str, str], known: Mapping[str, FieldKind]
) -> dict[str, FieldValue]:
    """Return somebody's fields after a change. Raises SubscriberError for an unknown field, or an unfit value."""
    after = dict(before)
    for name, text in values.items():
        if name not in known and not (name in after and not text.strip()):
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]}? If not, name it in [[fields]] of publisher.toml" if near else ""
            raise SubscriberError(
                f"there is no field {shortened(name)!r}", hint=meant or "name it in [[fields]] of publisher.toml"
            )
        if not text.strip():
            after.pop(name, None)
            continue
        try:
            after[name] = parse_value(known[name], text)
        except SubscriberError as error:
            raise SubscriberError(f"field {name}: {error.message}", hint=error.hint) from error
    if len(after) > max(MOST_FIELDS, len(before)):
        raise SubscriberError(f"a person can have at most {MOST_FIELDS} fields")
    return after


def _describe(
    transaction: SubscriberTransaction, before: Subscriber, change: Change, known: Mapping[str, FieldKind]
) -> None:
    if change.language and not clean_language(change.language):
        raise SubscriberError(
            f"{shortened(change.language)!r} isn't a language tag", hint="use one such as de or pt-BR"
        )
    fields = with_values(before.fields, change.fields, known)
    transaction.note_fields({name: known[name] for name in change.fields if name in fields and name in known})
    transaction.describe(
        before,
        name=None if change.name is None else checked_name(change.name),
        language=None if change.language is None else clean_language(change.language),
        fields=fields,
        note=None if change.note is None else _clean_note(change.note),
    )
    tags = _tagged(before.tags, change.tags, change.untags)
    if tags != before.tags:
        transaction.set_tags(before, tags)


def _clean_note(text: str) -> str:
    if len(text) > LONGEST_NOTE or len(text.splitlines()) > MOST_LINES:
        raise SubscriberError(f"the note is longer than {LONGEST_NOTE:,} characters, or {MOST_LINES} lines")
    return clean_lines(text, LONGEST_NOTE)


def _correct(transaction: SubscriberTransaction, before: Subscriber, address: str, source: str) -> None:
    """Correct somebody's address, and record that. Raises SubscriberError if that isn't possible."""
    if address == before.address:
        return
    pending = before.status is SubscriberStatus.PENDING
    if not pending and next_status(before.status, SubscriberEvent.MOVED) is None:
        raise SubscriberError(f"{before.address} {REFUSALS[before.status]}", hint="its address can't be changed")
    for each in (before.address, address):
        if transaction.suppressed([each]):
            raise SubscriberError(f"{each} is on the suppression list", hint="its owner does not want email")
    holder = transaction.find(address)
    if holder is not None and holder.id != before.id:
        raise SubscriberError(
            f"{address} is a subscriber already ({holder.status})",
            hint="delete all data about one of the two, or unsubscribe it",
        )
    transaction.move(before, address)
    if not pending:
        transaction.apply(before, SubscriberEvent.MOVED)
        transaction.unsubscribe_if_none_left(before)
    if address_key(address) != address_key(before.address):
        transaction.allow_emails(mailbox_of(address))
    transaction.record(before, CORRECTED, Evidence(source))


def _differences(before: Subscriber, after: Subscriber) -> Iterable[str]:
    for what in ("address", "name", "language", "note"):
        if getattr(before, what) != getattr(after, what):
            yield what
    yield from (f"+{tag}" for tag in after.tags if tag not in before.tags)
    yield from (f"-{tag}" for tag in before.tags if tag not in after.tags)
    often = {each.newsletter: each.frequency for each in before.records}
    if any(often.get(each.newsletter, "") != each.frequency for each in after.records):
        yield "frequency"
    names = sorted({*before.fields, *after.fields})
    yield from (name for name in names if _shown(before, name) != _shown(after, name))


def _shown(person: Subscriber, name: str) -> str:
    return shown_value(person.fields[name]) if name in person.fields else ""
