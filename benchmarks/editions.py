"""What the proofs of delivery share: an edition with many subscribers, and its rows in the ledger."""

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

# Messages of an edition that is older than a week would be dated when they are sent.
MADE_AT = datetime.now(UTC).replace(microsecond=0)
LINKS = Links("https://letters.example.org", "a secret for benchmarks only")
HEADERS = NewsletterHeaders("Weekly", "Ada <ada@example.org>", "weekly.example.org")
_LETTER = Letter("", "Hello", "", f"<p>Hello {Mark.NAME}</p>", f"Hello {Mark.NAME}\n{Mark.UNSUBSCRIBE}\n")


def address(number: int) -> str:
    """Return the email address of a subscriber."""
    return f"reader{number}@example.org"


def add_readers(store: Store, count: int) -> None:
    """Add subscribers to the newsletter "weekly"."""
    wishes = (Subscription("weekly"),)
    for start in range(0, count, 10_000):
        numbers = range(start, min(start + 10_000, count))
        people = [NewSubscriber(address(i), name=f"Reader {i}", subscriptions=wishes) for i in numbers]
        store.subscribers.add_many(people, at=MADE_AT, source="benchmark")


def add_readers_at_once(store: Store, count: int) -> None:
    """Add subscribers to the newsletter "weekly" in two statements, so that even millions take only seconds."""
    numbers = f"SELECT generate_series(0, {count - 1}) AS i"
    if store.database.is_sqlite:
        numbers = f"SELECT 0 AS i UNION ALL SELECT i + 1 FROM numbers WHERE i < {count - 1}"
    moment = "TIMESTAMP '2026-01-01 00:00:00'" if not store.database.is_sqlite else "'2026-01-01 00:00:00.000000'"
    with store.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO subscribers (uid, address, address_key, name, language, status, created_at, confirmed_at)"
            f" WITH RECURSIVE numbers AS ({numbers}) SELECT 'uid' || i, 'reader' || i || '@example.org',"
            f" 'reader' || i || '@example.org', 'Reader ' || i, 'en', 'active', {moment}, {moment} FROM numbers"
        )
        connection.exec_driver_sql(
            "INSERT INTO subscriptions (subscriber_id, newsletter, topics, status, cause)"
            " SELECT id, 'weekly', '[]', 'subscribed', 'imported' FROM subscribers"
        )


def make_edition(store: Store, at: datetime = MADE_AT, newsletter: str = "weekly") -> Edition:
    """Make an edition for all subscribers. at: when it is due."""
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
    """Return every delivery of the only edition."""
    with open_store(url, root) as store:
        (edition,) = store.editions.list()
        return list(store.ledger.rows(edition.id))
