"""The sign-up form, and the page of the site that contains it and explains feeds.

The form is also on pages of the web application, and can be pasted into any HTML page (`publisher serve --snippet`).
The page that explains feeds replaces feeds styled with XSLT, which browsers are about to drop.
"""

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

PATH = "subscribe/index.html"
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
    """A topic of a newsletter, shown as a checkbox."""

    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class NewsletterOffer:
    """A newsletter in a form, with the subscriber's choices if the form is for a subscriber."""

    name: str
    title: str
    description: str
    topics: tuple[Topic, ...]
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """The sign-up form on a page of the site. `action` is the URL that the form is sent to."""

    action: str
    offers: tuple[NewsletterOffer, ...]
    language: str


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed, as visitors see it: its title, a description, and a link for each format."""

    group: str
    title: str
    description: str
    links: tuple[FeedLink, ...]


def sign_up_form(config: Config) -> SignUpForm | None:
    """Return the sign-up form of the site; None if there are no newsletters, or if web.public_url is not set."""
    if not config.web.public_url or not config.newsletters:
        return None
    return SignUpForm(f"{config.public_url}/subscribe", newsletter_offers(config), config.site.language)


def newsletter_offers(config: Config, held: Sequence[Subscription] = ()) -> tuple[NewsletterOffer, ...]:
    """Return an offer for every configured newsletter, with the subscriber's newsletters and topics marked as chosen.

    The offers include topics that a newsletter no longer offers but the subscriber still has.

    held  the subscriber's subscriptions; empty for a new subscriber
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


def _topics(offered: Sequence[str], held: Sequence[str]) -> tuple[Topic, ...]:
    """Return the topics of a newsletter. Different spellings of a tag are the same topic."""
    mine = {topic_slug(topic) for topic in held}
    names = {topic_slug(name): name for name in held} | {tag_slug(name): name for name in offered}
    order = dict.fromkeys([*map(tag_slug, offered), *map(topic_slug, held)])
    return tuple(Topic(names[slug], slug in mine) for slug in order)


def form_words(language: str, templates: Templates) -> SimpleNamespace:
    """Return the words of the form in a language (a BCP 47 tag). Templates use them as `say.address`."""
    spoken = translate("form", ENGLISH, language, templates.folders)
    return SimpleNamespace(language=spoken.language, **spoken.phrases)


def plan_subscribe(frame: Frame, feeds: Sequence[ListedFeed], opml: str, form: SignUpForm | None = None) -> Output:
    """Return the output for the page that explains feeds.

    opml  URL of the list of all feeds; "" if there is none
    form  the sign-up form to show, or None
    """
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
