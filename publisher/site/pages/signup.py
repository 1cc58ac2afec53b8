"""The form to subscribe: on the site's own page of feeds, on the web application's, and in anybody's HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.i18n import Plural, speak
from publisher.core.templates import Templates
from publisher.posts.tagging import tag_slug, topic_slug

if TYPE_CHECKING:
    from publisher.core.newsletter_models import Subscription

ENGLISH: dict[str, str | Plural] = {
    "address": "E-mail address",
    "name": "Name (optional)",
    "newsletters": "Newsletters",
    "topics": "Only these topics (none means all)",
    "leave_empty": "Leave this field empty",
    "consent": "We send you the letters you choose and nothing else. Every letter has a link to leave.",
    "subscribe_button": "Subscribe",
    "by_mail": "Letters by e-mail",
}


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


@dataclass(frozen=True, slots=True)
class SignUp:
    """The form on a page of the site. action: where it is sent to."""

    action: str
    offers: tuple[Offer, ...]
    language: str


def sign_up(config: Config) -> SignUp | None:
    """Return the form of the site; None where nothing takes it: without web.public_url, or without newsletters."""
    if not config.web.public_url or not config.newsletters:
        return None
    return SignUp(f"{config.public_url}/subscribe", offers(config), config.site.language)


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


def form_words(language: str, templates: Templates) -> SimpleNamespace:
    """Return the form's words in a language (BCP 47). Templates say `say.address`."""
    spoken = speak("form", ENGLISH, language, templates.folders)
    return SimpleNamespace(language=spoken.language, **spoken.phrases)


def _topics(offered: Sequence[str], held: Sequence[str]) -> tuple[Topic, ...]:
    """The boxes of one newsletter; spellings of one tag are one box."""
    mine = {topic_slug(topic) for topic in held}
    names = {topic_slug(name): name for name in held} | {tag_slug(name): name for name in offered}
    order = dict.fromkeys([*map(tag_slug, offered), *map(topic_slug, held)])
    return tuple(Topic(names[slug], slug in mine) for slug in order)
