"""Whether the mail servers have reached their daily limits of recipients, for people and for metrics.

A run finds out by itself when a limit is reached. This module only reads the counts that runs keep.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.config import Mail, Smtp

if TYPE_CHECKING:
    from publisher.store import Store


def limit_reached_until(mail: Mail, state_dir: Path, store: Store, now: datetime) -> datetime | None:
    """Return when the next day begins (midnight, UTC) if all mail servers have reached their daily limits; else None.

    Recipients that a run has reserved count too, so the limit may be reported just before the last of them are used.

    mail       the servers, with their `per_day`
    state_dir  the project's .publisher, where a host keeps its own count without PostgreSQL
    now        the present time, with a time zone
    """
    if mail.transport != "smtp" or not mail.servers or not all(server.per_day for server in mail.servers):
        return None
    from publisher.mail.smtp.limits import next_day  # not at the top: most servers have no daily limit

    day = f"{now.astimezone(UTC):%Y-%m-%d}"
    reached = all(_given_out(server, state_dir, store, day) >= server.per_day for server in mail.servers)
    return next_day(now) if reached else None


def _given_out(server: Smtp, state_dir: Path, store: Store, day: str) -> int:
    from publisher.mail.smtp.limits import counts_folder, recipients_counted, server_name  # as above

    if store.limits.shared:
        from publisher.mail.smtp.shared_limits import hashed  # not at the top: it loads SQLAlchemy

        return store.limits.recipients(hashed(server_name(server)), day)
    return recipients_counted(counts_folder(state_dir), server_name(server), day)
