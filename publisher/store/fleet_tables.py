"""The tables that hosts share, after the last migration: who may send, who is sending, and mail servers' limits."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text, text

from publisher.store.column_types import UtcTime
from publisher.store.tables import metadata

# The hosts that have run this project. Only confirmed hosts may send.
hosts = Table(
    "hosts",
    metadata,
    Column("host", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    *(Column(name, UtcTime) for name in ("confirmed_at", "forgotten_at")),  # a forgotten host never rejoins by itself
    Column("claims", BigInteger, nullable=False, server_default=text("0")),  # how many times it took messages to send
    Column("active_at", UtcTime),  # its last sign of life, by the database's clock on PostgreSQL
    Column("version", Text, nullable=False, server_default=text("''")),  # of the program, at `active_at`
    Column("sent", BigInteger, nullable=False, server_default=text("0")),  # by workers that have ended
    Column("key_id", String(16), nullable=False, server_default=text("''")),  # of the secret; see suppressions
)

# The workers that are sending. A row is deleted when its worker ends, or by another worker that takes over its
# deliveries. From then on the worker cannot hand over any message, even if it was only slow.
workers = Table(
    "workers",
    metadata,
    Column("worker", String(120), primary_key=True),  # as in deliveries.lease_owner
    Column("host", Text, nullable=False),  # the name that is shown to people
    *(Column(name, UtcTime, nullable=False) for name in ("begun_at", "seen_at", "lease_until")),
    # The ids of deliveries that may have been handed over without an answer, separated by spaces. NULL means all that
    # the worker has leased.
    Column("in_doubt", Text),
    Column("sent", BigInteger, nullable=False, server_default=text("0")),
    Column("host_id", String(64), nullable=False, server_default=text("''")),  # as in hosts.host
    Index(None, "lease_until"),
)

# When the next message may be handed over to a mail server, or through it to a domain. Only PostgreSQL has rows here.
sending_rates = Table(
    "sending_rates",
    metadata,
    Column("name", String(64), primary_key=True),  # a hash of the server's name, and of the domain if there is one
    Column("next_at", UtcTime, nullable=False),
)

# How many recipients a mail server has had on a day. Only PostgreSQL has rows here.
daily_recipients = Table(
    "daily_recipients",
    metadata,
    Column("server", String(64), nullable=False),  # a hash of the server's name
    Column("day", String(10), nullable=False),  # in UTC, 2026-11-21
    Column("recipients", Integer, nullable=False),
    PrimaryKeyConstraint("server", "day"),
)
