"""The tables about feeds, after the last migration: other sites' feeds with their items, and the readers of our own."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from publisher.store.column_types import UtcTime, key
from publisher.store.tables import metadata

# The numbers of subscribers reported by programs that fetch feeds for many people. They are not personal data.
feed_readers = Table(
    "feed_readers",
    metadata,
    Column("feed", String(200), nullable=False),
    Column("reader", String(60), nullable=False),
    Column("subscribers", Integer, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("feed", "reader"),
)

# The number of requests for each feed and day from programs that report no number of subscribers.
feed_requests = Table(
    "feed_requests",
    metadata,
    Column("feed", String(200), nullable=False),
    Column("day", String(10), nullable=False),  # in UTC, 2026-11-21
    Column("requests", Integer, nullable=False),
    PrimaryKeyConstraint("feed", "day"),
)

# The feeds of other sites. The columns are what queries use; `state` contains everything else as JSON.
sources = Table(
    "sources",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("url", Text, nullable=False),
    Column("next_at", UtcTime, nullable=False),  # a host that claims a source sets this before it fetches
    *(Column(name, UtcTime) for name in ("asked_at", "closed_until")),
    Column("claim", String(40), nullable=False, server_default=text("''")),
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False),
    Column("hub", Text, nullable=False, server_default=text("''")),  # JSON: what was agreed with its WebSub hub
)

# The items of sources. The three keys are hashes that recognise an item in a later document.
source_items = Table(
    "source_items",
    metadata,
    key("number"),
    Column("source", String(100), nullable=False),
    *(Column(name, String(80), nullable=False) for name in ("guid_key", "link_key", "title_key")),
    Column("post_id", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("data", Text, nullable=False),  # JSON: what the feed says, without the HTML
    Column("html", Text, nullable=False),
    Column("published_at", UtcTime),
    *(Column(name, UtcTime, nullable=False) for name in ("first_seen_at", "changed_at")),
    *(Column(name, UtcTime) for name in ("gone_at", "skipped_at")),
    *(Column(name, Boolean, nullable=False) for name in ("is_backlog", "is_suspect")),
    Column("revision", BigInteger, nullable=False),
    Column("is_old", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("source", "guid_key"),
    UniqueConstraint("source", "post_id"),
    Index(None, "link_key"),
)
