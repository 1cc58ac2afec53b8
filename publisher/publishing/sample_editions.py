"""The edition that a newsletter would send next, whether or not it is due, to preview and check it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.core.errors import SegmentError
from publisher.newsletters.select import USUAL_FIRST, in_its_language, select_posts
from publisher.newsletters.slots import post_slot, slot_label
from publisher.newsletters.variants import all_topics
from publisher.posts.archive import Archive
from publisher.publishing.edition_plan import PlannedEdition
from publisher.publishing.recipients import segment_of
from publisher.publishing.sent_before import handled_posts

if TYPE_CHECKING:
    from publisher.store import Store


def sample_edition(config: Config, newsletter: NewsletterConfig, archive: Archive, now: datetime) -> PlannedEdition:
    """Return the edition that a newsletter would send if it were new, to preview or check.

    If its posts are all too old for a first edition, it shows the newest of them.
    """
    zone = config.newsletter_zone(newsletter)
    own = in_its_language(archive.posts, newsletter, config)
    selection = select_posts(own, newsletter, frozenset(), True, now, zone)
    is_sample = not selection.posts
    if is_sample:  # old posts still show how an email looks
        any_age = replace(newsletter, since="", first=newsletter.first or USUAL_FIRST)
        selection = select_posts(own, any_age, frozenset(), True, now, zone)
    schedule = parse_schedule(newsletter.schedule)
    posts = selection.posts
    if schedule.kind is ScheduleKind.EACH_POST:
        posts = posts[:1]
        slot = post_slot(posts[0].id) if posts else "post:"
    else:
        slot = slot_label(schedule, now, zone)
    return PlannedEdition(newsletter, slot, 1, posts, (), (all_topics(posts),), is_sample=is_sample)


def next_edition(
    config: Config, store: Store | None, newsletter: NewsletterConfig, archive: Archive, now: datetime
) -> PlannedEdition:
    """Return the edition that a newsletter sends next, whether or not it is due.

    It contains the posts that the newsletter has never sent; for the schedule "each post", only the oldest of them. If
    there are no new posts, it is the sample edition, with the number that the next one will have. If it goes to a
    segment that does not exist, no one gets it.
    """
    planned = sample_edition(config, newsletter, archive, now)
    if store is None:
        return planned
    posts, slot, number, is_sample = planned.posts, planned.slot, planned.number, planned.is_sample
    is_first, begun = not store.editions.slots(newsletter.name), store.editions.beginnings(newsletter.name)
    if begun or not is_first:
        handled, zone = handled_posts(store, newsletter.name, archive.posts), config.newsletter_zone(newsletter)
        own = in_its_language(archive.posts, newsletter, config)
        new = select_posts(own, newsletter, handled, is_first, now, zone, begun).posts
        posts, number, is_sample = new or posts, store.editions.next_number(newsletter.name), not new
        if new and parse_schedule(newsletter.schedule).kind is ScheduleKind.EACH_POST:
            posts, slot = new[-1:], post_slot(new[-1].id)
    next_one = replace(planned, posts=posts, slot=slot, number=number, is_sample=is_sample)
    try:
        segment = segment_of(config, store, newsletter)
    except SegmentError:  # `check` reports that, and so does sending
        return next_one.for_choices(())
    return replace(next_one, segment=segment).for_subscribers(config, store, now)
