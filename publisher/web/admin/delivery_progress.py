"""The progress of an edition's delivery as words, numbers and a bar, and the reasons for failures. Pure functions."""

from __future__ import annotations

from typing import Any

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition

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
            (self.edition.held and (counts.open or counts.missing), "held"),
            (counts[DeliveryStatus.SENDING], "sending"),
            (counts.open or counts.missing, "waiting"),
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
        if counts.missing:
            return f"{counts.unwritten}; the next run completes it"
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
            "open": self.counts.open + self.counts.missing,
            "complete": not self.counts.missing,
            "shares": {
                segment.status.value: {"total": segment.total, "begins": segment.begins, "width": segment.width}
                for segment in self.segments
            },
        }
