"""What the proofs of delivery share: an edition with many readers, and what the ledger says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from publisher.core.newsletter_models import Edition, EditionDraft, EditionPost, Letter, Mark, Subscription
from publisher.mail.links import Links
from publisher.mail.message import NewsletterHeaders
from publisher.store import Store, open_store
from publisher.store.ledger import LedgerRow
from publisher.store.subscriber_records import NewSubscriber

# Messages of an edition of more than a week ago would be dated when they are sent.
MADE_AT = datetime.now(UTC).replace(microsecond=0)
LINKS = Links("https://letters.example.org", "a secret for benchmarks only")
HEADERS = NewsletterHeaders("Weekly", "Ada <ada@example.org>", "weekly.example.org")
_LETTER = Letter("", "Hello", "", f"<p>Hello {Mark.NAME}</p>", f"Hello {Mark.NAME}\n{Mark.UNSUBSCRIBE}\n")


def address(number: int) -> str:
    """Return a reader's address."""
    return f"reader{number}@example.org"


def add_readers(store: Store, count: int) -> None:
    """Add readers of the newsletter "weekly"."""
    wishes = (Subscription("weekly"),)
    for start in range(0, count, 10_000):
        numbers = range(start, min(start + 10_000, count))
        people = [NewSubscriber(address(i), name=f"Reader {i}", subscriptions=wishes) for i in numbers]
        store.subscribers.add_many(people, at=MADE_AT, source="benchmark")


def make_edition(store: Store, at: datetime = MADE_AT, newsletter: str = "weekly") -> Edition:
    """Make an edition for everybody who is there. at: from when it is due."""
    draft = edition_draft("2026-W47", 1, "tag:example.org,2026:a")
    edition = store.editions.create(replace(draft, newsletter=newsletter, made_at=at))
    if edition is None:
        raise ValueError("there is one already")
    return edition


def edition_draft(slot: str, number: int, post: str) -> EditionDraft:
    """Return the draft of an edition with one post."""
    posts = (EditionPost(post, "A post", "https://example.org/a/"),)
    return EditionDraft("weekly", slot, number, "Hello", MADE_AT, posts, (_LETTER,))


def ledger(url: str, root: Path) -> list[LedgerRow]:
    """Return every delivery of the only edition there is."""
    with open_store(url, root) as store:
        (edition,) = store.editions.list()
        return list(store.ledger.rows(edition.id))
