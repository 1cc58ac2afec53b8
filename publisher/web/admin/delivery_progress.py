"""The progress of an edition's delivery as words, numbers and a bar, and the reasons for failures. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition
from publisher.store.ledger import ReasonCount

# The order in a progress bar: first sent, then failed or skipped, then unfinished.
ORDER = (
    DeliveryStatus.SENT,
    DeliveryStatus.FAILED,
    DeliveryStatus.UNCERTAIN,
    DeliveryStatus.SKIPPED,
    DeliveryStatus.SENDING,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.QUEUED,
)
MEANINGS = {
    DeliveryStatus.SENT: "accepted by the mail server",
    DeliveryStatus.FAILED: "rejected by the mail server, or given up",
    DeliveryStatus.UNCERTAIN: "sent but not acknowledged; it may have arrived",
    DeliveryStatus.SKIPPED: "not sent: unsubscribed in the meantime, or cancelled",
    DeliveryStatus.SENDING: "being sent",
    DeliveryStatus.DEFERRED: "deferred by the mail server; will be retried",
    DeliveryStatus.QUEUED: "waiting",
}
_LABELS = {"held": "on hold", "nobody": "no recipients", "unclear": "uncertain"}

_ADDRESS = re.compile(r"<?[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+>?")
# Ids at the end of replies from large providers: "... - gsmtp 5b1f17b1804b1-4779c5", "[AMS0EPF000001.eurprd05 ...]".
_ID = re.compile(r"\b(?=\w*\d)(?=\w*[a-z])[\w.-]{12,}|\[[^\]]{20,}\]", re.IGNORECASE)
_MOST_REASONS = 20
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class BarSegment:
    """The part of a progress bar for one status. `begins` (its left edge) and `width` are percentages of the bar."""

    status: DeliveryStatus
    total: int
    begins: float
    width: float


@dataclass(frozen=True, slots=True)
class EditionProgress:
    """An edition with the number of its messages in each status."""

    edition: Edition
    counts: DeliveryCounts

    @property
    def state(self) -> str:
        """The state as one word: "held", "sending", "waiting", "nobody", "unclear", "failed", "sent" or "cancelled"."""
        counts = self.counts
        for applies, name in (
            (self.edition.held and counts.open, "held"),
            (counts[DeliveryStatus.SENDING], "sending"),
            (counts.open, "waiting"),
            (not counts.total, "nobody"),
            (counts[DeliveryStatus.UNCERTAIN], "unclear"),
            (counts[DeliveryStatus.FAILED] and not counts[DeliveryStatus.SENT], "failed"),
        ):
            if applies:
                return name
        return "sent" if counts[DeliveryStatus.SENT] else "cancelled"

    @property
    def label(self) -> str:
        """The state in the words that the pages show."""
        return _LABELS.get(self.state, self.state)

    @property
    def summary(self) -> str:
        """The numbers of messages, in one line."""
        counts = self.counts
        if not counts.total:
            return "no recipients"
        line = f"{counts[DeliveryStatus.SENT]:,} of {counts.total:,} sent"
        more = [
            f"{counts[status]:,} {status.value}"
            for status in (DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN, DeliveryStatus.SKIPPED)
            if counts[status]
        ]
        return ", ".join([line, *more])

    @property
    def segments(self) -> tuple[BarSegment, ...]:
        """The segments of the progress bar: one for each status in ORDER, including empty ones."""
        segments, before, total = [], 0, max(self.counts.total, 1)
        for status in ORDER:
            here = self.counts[status]
            segments.append(BarSegment(status, here, round(before * 100 / total, 3), round(here * 100 / total, 3)))
            before += here
        return tuple(segments)

    def as_json(self) -> dict[str, Any]:
        """Return the values that the script on the page updates."""
        return {
            "id": self.edition.id,
            "state": self.state,
            "label": self.label,
            "said": self.summary,
            "open": self.counts.open,
            "shares": {
                segment.status.value: {"total": segment.total, "begins": segment.begins, "width": segment.width}
                for segment in self.segments
            },
        }


def group_reasons(reasons: Iterable[ReasonCount]) -> list[ReasonCount]:
    """Group the reasons for failures that differ only in an address or an id, and return the most frequent first.

    Mail servers include the recipient and an id in their replies, so without grouping every reply would be different.
    """
    totals: Counter[tuple[DeliveryStatus, str]] = Counter()
    for each in reasons:
        plain = _ID.sub("…", _ADDRESS.sub("…", each.reason))[:_LONGEST_REASON]
        totals[each.status, plain] += each.count
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0][1]))
    return [ReasonCount(status, plain, total) for (status, plain), total in ordered[:_MOST_REASONS]]
