"""A newsletter's next letter as it would go out, for a look and for a test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, parse_schedule
from publisher.core.newsletter_models import Edition, Letter
from publisher.newsletters.slots import next_due
from publisher.posts.archive import open_archive
from publisher.publishing.due import lead_of
from publisher.publishing.next_letter import next_edition
from publisher.publishing.render import Press
from publisher.web.preview.sample import make_sample

if TYPE_CHECKING:
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class Draft:
    """The letter, beside what a page says of it."""

    number: int
    subject: str
    letter: Letter
    html: str
    posts: int


def next_letter(config: Config, store: Store, newsletter: NewsletterConfig, now: datetime) -> Draft | None:
    """Compose a newsletter's next letter, as of when it is made; None where there is no post to show.

    Raises PublisherError for a post, note or template that is broken.
    """
    slot = next_due(parse_schedule(newsletter.schedule), now, config.newsletter_zone(newsletter))
    moment = max(now, slot.at - lead_of(newsletter)) if slot else now
    archive = open_archive(config, moment)
    planned = next_edition(config, store, newsletter, archive, moment)
    if not planned.posts:
        return None
    letter = Press(config, archive).letter(planned, moment)
    edition = Edition(0, newsletter.name, planned.slot, planned.number, letter.subject, moment)
    html = make_sample(config, edition, letter, ()).html
    return Draft(planned.number, letter.subject, letter, html, len(planned.posts))
