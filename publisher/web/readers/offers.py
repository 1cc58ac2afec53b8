"""What a reader may choose: newsletters with their topics; as a form shows them, and as it sends them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from publisher.config import Config
from publisher.errors import SubscriberError
from publisher.model import Subscription
from publisher.posts.naming import tag_slug
from publisher.web.readers.form import Form

TOPIC_FIELD = "topic."  # and the newsletter's name


@dataclass(frozen=True, slots=True)
class Topic:
    """One box of a newsletter."""

    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """One newsletter in a form, as it stands for somebody."""

    name: str
    title: str
    description: str
    topics: tuple[Topic, ...]
    is_chosen: bool


def offers(config: Config, held: Sequence[Subscription] = ()) -> tuple[Offer, ...]:
    """Return every newsletter, with what somebody holds of it chosen.

    A topic that somebody holds and nobody offers stays theirs, and in sight.
    """
    mine = {subscription.newsletter: subscription for subscription in held}
    found = []
    for newsletter in config.newsletters:
        topics = mine[newsletter.name].topics if newsletter.name in mine else ()
        found.append(
            Offer(
                name=newsletter.name,
                title=config.newsletter_title(newsletter),
                description=newsletter.description,
                topics=_topics(newsletter.topics, topics),
                is_chosen=newsletter.name in mine,
            )
        )
    return tuple(found)


def chosen(config: Config, form: Form, *, held: Sequence[Subscription] = ()) -> tuple[Subscription, ...]:
    """Return what a form chooses. Where there is one newsletter only, a form need not name it.

    held  what the person has: a topic that nobody offers any more can be kept
    Raises SubscriberError for no newsletter, and for one or a topic that there is not.
    """
    offered = {offer.name: {topic.name for topic in offer.topics} for offer in offers(config, held)}
    names = form.all("newsletter") or (tuple(offered) if len(offered) == 1 and not held else ())
    wishes = []
    for name in dict.fromkeys(names):
        topics = form.all(f"{TOPIC_FIELD}{name}")
        if name not in offered or not offered[name].issuperset(topics):
            raise SubscriberError("there is no such newsletter or topic")
        wishes.append(Subscription(name, topics))
    return tuple(wishes)


def _topics(offered: Sequence[str], held: Sequence[str]) -> tuple[Topic, ...]:
    """The boxes of one newsletter; spellings of one tag are one box."""
    mine = {tag_slug(topic) for topic in held}
    names = {tag_slug(name): name for name in [*held, *offered]}
    order = dict.fromkeys([*map(tag_slug, offered), *map(tag_slug, held)])
    return tuple(Topic(names[slug], slug in mine) for slug in order)


def title_of(config: Config, name: str) -> str:
    """Return a newsletter's title, also of one that is no longer configured."""
    newsletter = config.newsletter(name)
    return config.newsletter_title(newsletter) if newsletter else name
