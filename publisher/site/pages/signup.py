"""The form to subscribe: on the site's own page of feeds, on the web application's, and in anybody's HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.i18n import Plural, translate
from publisher.core.models import Output
from publisher.core.templates import Templates
from publisher.posts.slugs import tag_slug, topic_slug
from publisher.site.pages.frame import FeedLink, Frame

if TYPE_CHECKING:
    from publisher.core.newsletter_models import Subscription


ENGLISH: dict[str, str | Plural] = {
    "address": "Email address",
    "name": "Name (optional)",
    "newsletters": "Newsletters",
    "topics": "Only these topics (leave empty for all)",
    "leave_empty": "Leave this field empty",
    "consent": "We’ll only send you what you choose here. Unsubscribe at any time with one click.",
    "subscribe_button": "Subscribe",
    "by_mail": "Get new posts by email",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """One box of a newsletter."""

    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class NewsletterOffer:
    """One newsletter in a form, as it stands for somebody."""

    name: str
    title: str
    description: str
    topics: tuple[Topic, ...]
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """The form on a page of the site. action: where it is sent to."""

    action: str
    offers: tuple[NewsletterOffer, ...]
    language: str


def sign_up_form(config: Config) -> SignUpForm | None:
    """Return the form of the site; None where nothing takes it: without web.public_url, or without newsletters."""
    if not config.web.public_url or not config.newsletters:
        return None
    return SignUpForm(f"{config.public_url}/subscribe", newsletter_offers(config), config.site.language)


def newsletter_offers(config: Config, held: Sequence[Subscription] = ()) -> tuple[NewsletterOffer, ...]:
    """Return every newsletter, with what somebody holds of it chosen.

    A topic that somebody holds and nobody offers stays theirs, and in sight.
    """
    mine = {subscription.newsletter: subscription for subscription in held}
    found = []
    for newsletter in config.newsletters:
        topics = mine[newsletter.name].topics if newsletter.name in mine else ()
        found.append(
            NewsletterOffer(
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
    spoken = translate("form", ENGLISH, language, templates.folders)
    return SimpleNamespace(language=spoken.language, **spoken.phrases)


def _topics(offered: Sequence[str], held: Sequence[str]) -> tuple[Topic, ...]:
    """The boxes of one newsletter; spellings of one tag are one box."""
    mine = {topic_slug(topic) for topic in held}
    names = {topic_slug(name): name for name in held} | {tag_slug(name): name for name in offered}
    order = dict.fromkeys([*map(tag_slug, offered), *map(topic_slug, held)])
    return tuple(Topic(names[slug], slug in mine) for slug in order)


PATH = "subscribe/index.html"


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """One feed as people see it: a name, what it holds, and its address in every format."""

    group: str
    title: str
    description: str
    links: tuple[FeedLink, ...]


def plan_subscribe(frame: Frame, feeds: Sequence[ListedFeed], opml: str, form: SignUpForm | None = None) -> Output:
    """Plan the page. opml: address of the list of all feeds, "" for none. form: that of the newsletters."""
    key = frame.key("subscribe", repr(feeds), opml, repr(form))
    return Output(PATH, key, partial(_make, frame, tuple(feeds), opml, form))


def _make(frame: Frame, feeds: tuple[ListedFeed, ...], opml: str, form: SignUpForm | None) -> bytes:
    page = frame.page(PATH, frame.words.subscribe, section="subscribe")
    groups = {
        name: [feed for feed in feeds if feed.group == name] for name in ("site", "newsletters", "tags", "authors")
    }
    context = {
        "groups": {name: feeds for name, feeds in groups.items() if feeds},
        "opml": opml,
        "form": form,
        "say": form_words(form.language, frame.templates) if form else None,
    }
    return frame.render("subscribe.html", page, **context)
