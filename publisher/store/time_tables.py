"""The tables of time: what the clock has to do with newsletters, hosts and chores; part of the same record."""

from __future__ import annotations

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Table, Text

from publisher.core.newsletter_models import DeliveryStatus
from publisher.store.tables import UtcTime, belongs, metadata, words

# From when on a newsletter's slots count, and up to when they are over.
newsletters = Table(
    "newsletters",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("rule", Text, nullable=False),  # schedule and zone: with others it is counted anew
    Column("since", UtcTime, nullable=False),
    Column("passed", UtcTime),
)

# Which machines have run this project; only those that are confirmed send.
hosts = Table(
    "hosts",
    metadata,
    Column("host", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime),
)

# What the owner was mailed about, so that no tick mails it again.
told = Table(
    "told",
    metadata,
    Column("kind", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    PrimaryKeyConstraint("kind", "digest"),
)

# When each chore of housekeeping was begun last, so that two hosts do not both do it.
chores = Table(
    "chores",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("begun_at", UtcTime, nullable=False),
)

# What is left of the deliveries of an old edition.
delivery_totals = Table(
    "delivery_totals",
    metadata,
    belongs("edition_id", "editions.id"),
    Column("variant", String(255), nullable=False),
    Column("status", words(DeliveryStatus), nullable=False),
    Column("total", Integer, nullable=False),
    PrimaryKeyConstraint("edition_id", "variant", "status"),
)
