"""The streams of a newsletter: editions by its own schedule, and by each other frequency that subscribers can choose.

Each stream has slots, editions and numbers of its own, and a ledger of the posts that it has handled. Its subscribers
get all posts of the newsletter, only more or less often than others.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from publisher.config import NewsletterConfig, Schedule, frequency_schedules, parse_schedule
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import ledger_name


@dataclass(frozen=True, slots=True)
class NewsletterStream:
    """One stream of a newsletter.

    newsletter  the newsletter, with the schedule of the stream
    frequency   such as "weekly", as subscribers have chosen it; "" for the newsletter's own schedule
    """

    newsletter: NewsletterConfig
    frequency: str = ""

    @property
    def name(self) -> str:
        """The name under which its posts and slots are recorded, such as "news/weekly"."""
        return ledger_name(self.newsletter.name, self.frequency)

    @property
    def schedule(self) -> Schedule:
        """When its editions are due."""
        return parse_schedule(self.newsletter.schedule)

    def slot(self, label: str) -> str:
        """Return the slot for a label of the schedule, such as "weekly-2026-W47". It is unique in the newsletter."""
        return f"{self.frequency}-{label}" if self.frequency else label

    def labels(self, slots: Collection[str]) -> frozenset[str]:
        """Return the labels of this stream's slots among the given slots of the newsletter."""
        if not self.frequency:
            return frozenset(slots)
        start = self.slot("")
        return frozenset(each.removeprefix(start) for each in slots if each.startswith(start))


def streams_of(newsletter: NewsletterConfig) -> tuple[NewsletterStream, ...]:
    """Return the streams of a newsletter; its own schedule's stream comes first."""
    further = frequency_schedules(newsletter).items()
    return (
        NewsletterStream(newsletter),
        *(NewsletterStream(replace(newsletter, schedule=schedule), frequency) for frequency, schedule in further),
    )
