"""Send an edition that is already made to more people: those who joined later, or some addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Choice, Edition, EditionKind, Subscriber, SubscriberStatus
from publisher.newsletters.variants import topic_set, variant_key, variants_of
from publisher.publishing.recipients import local
from publisher.subscribers.manage import require_subscriber

if TYPE_CHECKING:
    from publisher.store import Store

# People are added in groups of this size, because a database accepts only so many values in one query.
_GROUP = 500


@dataclass(frozen=True, slots=True)
class LaterRecipients:
    """The result of adding people to an edition.

    added      how many get it now
    unmatched  how many do not get it, because it has no version for the topics that they chose, or none without the
               posts that they already have
    left_out   the addresses that were named and do not get it, each with the reason
    """

    added: int = 0
    unmatched: int = 0
    left_out: tuple[tuple[str, str], ...] = ()


def add_recipients(
    config: Config,
    store: Store,
    edition: Edition,
    now: datetime,
    *,
    addresses: Sequence[str] = (),
    joined_since: datetime | None = None,
    dry_run: bool = False,
) -> LaterRecipients:
    """Add deliveries of an edition for subscribers who have none; the next run sends them.

    Only subscribers of its newsletter who may get email get one; for an edition of posts, only subscribers with its
    frequency. People who have had the edition do not get it again. People who have had some of its posts with another
    edition get the version without these posts, if there is one. An edition for a segment goes to people who are in it
    now, but named addresses need not be in it.

    addresses     only these subscribers; if there are none, everyone who joined since
    joined_since  only people who joined the newsletter at this moment or later; if neither it nor any address is given,
                  people who joined after the edition was made
    dry_run       return the same result, but add nothing
    Raises PublisherError if an address is unknown, or if the edition cannot be sent to more people.
    """
    from publisher.store.latecomers import WhoJoined  # not at the top: loads SQLAlchemy

    _require_open(store, edition)
    if not dry_run:
        store.editions.complete(edition.id)  # so that people who get it anyway are not counted as added
    if newsletter := config.newsletter(edition.newsletter):
        now = local(config, newsletter, now)  # for the days in the condition of its segment
    people = {each.id: each for each in (require_subscriber(store, address) for address in addresses)}
    if not addresses and joined_since is None:
        if edition.kind is EditionKind.WELCOME:
            what = f"edition {edition.id} goes to each new subscriber in turn"
            raise PublisherError(what, hint="name addresses, or --joined-since DATE, to send it to others")
        joined_since = edition.made_at
    change = store.latecomers.count if dry_run else store.latecomers.add
    variant_of = _variant_of(config, store, edition, now)
    result = LaterRecipients(left_out=tuple(_left_out(store, edition, people, now)))
    ids = sorted(people)
    for group in [ids[i : i + _GROUP] for i in range(0, len(ids), _GROUP)] if addresses else [None]:
        who = WhoJoined(group, joined_since, config.subscribers.each_post_once)
        done = change(edition, who, variant_of, now)
        result = replace(result, added=result.added + done.added, unmatched=result.unmatched + done.unmatched)
    return result


def _require_open(store: Store, edition: Edition) -> None:
    if edition.kind is EditionKind.FAREWELL:
        raise PublisherError(f"edition {edition.id} is for people who unsubscribed")
    if edition.id in store.editions.called_off(edition.newsletter):
        raise PublisherError(f"edition {edition.id} was cancelled, and no one gets it")


def _left_out(store: Store, edition: Edition, people: dict[int, Subscriber], now: datetime) -> list[tuple[str, str]]:
    if not people:
        return []
    having = store.latecomers.having(edition, people)
    found = []
    for each in people.values():
        record = each.record(edition.newsletter)
        if each.id in having:
            found.append((each.address, "has it already"))
        elif each.status is not SubscriberStatus.ACTIVE:
            found.append((each.address, f"is {each.status.value}"))
        elif record is None or not record.is_subscribed:
            found.append((each.address, f"is not subscribed to {edition.newsletter}"))
        elif edition.kind is EditionKind.POSTS and record.frequency != edition.frequency:
            found.append((each.address, "gets its posts with editions of a different frequency"))
        elif each.paused_until is not None and each.paused_until > now:
            found.append((each.address, "has paused"))
    return found


def _variant_of(config: Config, store: Store, edition: Edition, now: datetime) -> Callable[[Choice], str | None]:
    """Return a function that finds an edition's version for a choice; it returns None if there is none.

    An email without posts is the same for everyone. A selection that all posts match gets the version for all topics.
    """
    versions = {letter.variant for letter in store.editions.letters(edition.id)}

    @cache
    def matches_all(topics: tuple[str, ...]) -> bool:
        """Return whether people with these topics get all posts of the edition."""
        from publisher.posts.archive import open_archive  # not at the top: most selections have a version

        sent = {post.id for post in edition.posts}
        posts = [post for post in open_archive(config, now, keep=False).posts if post.id in sent]
        return len(posts) == len(sent) and variants_of(posts, [Choice(topics, 1)])[0].subscribers == 1

    def for_topics(topics: tuple[str, ...]) -> str | None:
        """Return the variant for topics, or None if there is none."""
        slugs = topic_set(topics)
        if not slugs or edition.kind is not EditionKind.POSTS:
            return ""
        key = variant_key(slugs)
        return key if key in versions else "" if matches_all(slugs) else None

    contents = store.latecomers.letter_posts(edition)

    def variant_of(choice: Choice) -> str | None:
        """Return the variant for a choice, without what these people were already sent, or None if there is none."""
        usual = for_topics(choice.topics)
        if usual is None or choice.sent.isdisjoint(contents.get(usual, ())):
            return usual
        left = contents[usual] - choice.sent
        return next((key for key, ids in sorted(contents.items()) if left and ids == left), None)

    return variant_of
