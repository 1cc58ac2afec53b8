"""Why messages were not sent, as few lines as there are causes. Pure.

Servers put into their words whom they speak of, in whatever spelling, and the number of the mail: then every reason is
another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from publisher.core.newsletter_models import DeliveryStatus
from publisher.store.ledger import ReasonCount

_ADDRESS = re.compile(r"<?[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+>?")
# At the end of what large providers say: "... - gsmtp 5b1f17b1804b1-4779c5", "[AMS0EPF000001.eurprd05 2026-...]".
_NUMBER = re.compile(r"\b(?=\w*\d)(?=\w*[a-z])[\w.-]{12,}|\[[^\]]{20,}\]", re.IGNORECASE)
_MOST = 20
_LONGEST = 300


def grouped(reasons: Iterable[ReasonCount]) -> list[ReasonCount]:
    """Return reasons without the addresses and numbers in them, those that are then the same as one, most first."""
    totals: Counter[tuple[DeliveryStatus, str]] = Counter()
    for each in reasons:
        plain = _NUMBER.sub("…", _ADDRESS.sub("…", each.reason))[:_LONGEST]
        totals[each.status, plain] += each.count
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0][1]))
    return [ReasonCount(status, plain, total) for (status, plain), total in ordered[:_MOST]]
