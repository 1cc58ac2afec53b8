"""Moves between statuses as SQL: which they are is said by delivery/lifecycle.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from publisher.core.newsletter_models import DeliveryStatus
from publisher.store.tables import deliveries

# What one event does to a row, by the status it finds; rows in any other status are left alone.
Moves = Mapping[DeliveryStatus, DeliveryStatus]


def moved(moves: Moves) -> sa.ColumnElement[Any]:
    """Return the status that each row moves to, as an expression over the status it is found in."""
    whens = [(deliveries.c.status == _word(was), _word(becomes)) for was, becomes in moves.items()]
    return sa.case(*whens, else_=deliveries.c.status)


def found_in(moves: Moves) -> sa.ColumnElement[bool]:
    """Return whether the moves say anything about a row; without IN, which executemany cannot take."""
    return sa.or_(*(deliveries.c.status == _word(was) for was in moves))


def _word(status: DeliveryStatus) -> sa.ColumnElement[Any]:
    """Return a status as a constant of the statement; as parameters they would be read anew for each row."""
    return sa.literal_column(f"'{status.value}'", deliveries.c.status.type)
