"""Why messages did not go, in groups that a person can read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publisher.core.newsletter_models import DeliveryStatus
    from publisher.store.ledger import ReasonCount

# A word that differs from message to message: an address, or what holds a digit and is long, as the names of
# queue files are. Codes of replies (550 5.1.1) and links to explanations stay.
_OWN = re.compile(r"\S*@\S*|(?!https?://)(?=\S*\d)(?!\d\.\d{1,3}\.\d{1,3}\b)\S{6,}")


def grouped(reasons: Iterable[ReasonCount]) -> list[tuple[DeliveryStatus, str, int]]:
    """Return (status, reason, how many), the most frequent first; reasons that differ only in names are one.

    "..." stands where they differ.
    """
    counts: Counter[tuple[DeliveryStatus, str]] = Counter()
    for each in reasons:
        counts[each.status, _OWN.sub("...", each.reason)] += each.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(status, reason, count) for (status, reason), count in ordered]
