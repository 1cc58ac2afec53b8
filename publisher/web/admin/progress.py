"""How far the sending of an edition is, in words, figures and shares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition

# In the order in which they stand in a bar: what is done, what went wrong, what is to come.
ORDER = (
    DeliveryStatus.SENT,
    DeliveryStatus.FAILED,
    DeliveryStatus.UNCERTAIN,
    DeliveryStatus.SKIPPED,
    DeliveryStatus.SENDING,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.QUEUED,
)
WORDS = {
    DeliveryStatus.SENT: "taken by the mail server",
    DeliveryStatus.FAILED: "refused for good, or given up",
    DeliveryStatus.UNCERTAIN: "handed over without an answer: it may have arrived",
    DeliveryStatus.SKIPPED: "not sent, as the person left or it was cancelled",
    DeliveryStatus.SENDING: "in hand",
    DeliveryStatus.DEFERRED: "put off by the mail server, and tried again",
    DeliveryStatus.QUEUED: "waiting",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One status in a bar: where it begins and how wide it is, in hundredths of the bar."""

    status: DeliveryStatus
    total: int
    begins: float
    width: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an edition is.

    state   "held", "sending", "waiting", "unclear", "failed", "sent" or "nobody"
    """

    edition: Edition
    counts: DeliveryCounts

    @property
    def state(self) -> str:
        counts = self.counts
        for is_so, name in (
            (self.edition.held and counts.open, "held"),
            (counts[DeliveryStatus.SENDING], "sending"),
            (counts.open, "waiting"),
            (not counts.total, "nobody"),
            (counts[DeliveryStatus.UNCERTAIN], "unclear"),
            (counts[DeliveryStatus.FAILED] and not counts[DeliveryStatus.SENT], "failed"),
        ):
            if is_so:
                return name
        return "sent" if counts[DeliveryStatus.SENT] else "cancelled"

    @property
    def said(self) -> str:
        """Where it is in one line."""
        counts = self.counts
        if not counts.total:
            return "it went to nobody"
        line = f"{counts[DeliveryStatus.SENT]:,} of {counts.total:,} sent"
        more = [
            f"{counts[status]:,} {status.value}"
            for status in (DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN, DeliveryStatus.SKIPPED)
            if counts[status]
        ]
        return ", ".join([line, *more])

    @property
    def shares(self) -> tuple[Share, ...]:
        """The bar: every status in its order, also those with nothing."""
        shares, before, total = [], 0, max(self.counts.total, 1)
        for status in ORDER:
            here = self.counts[status]
            shares.append(Share(status, here, round(before * 100 / total, 3), round(here * 100 / total, 3)))
            before += here
        return tuple(shares)

    def as_json(self) -> dict[str, Any]:
        """Return what the script on the page shows."""
        return {
            "id": self.edition.id,
            "state": self.state,
            "said": self.said,
            "open": self.counts.open,
            "shares": {
                share.status.value: {"total": share.total, "begins": share.begins, "width": share.width}
                for share in self.shares
            },
        }
