"""The sign-up form: what it offers, how often each newsletter comes, and its words.

The same form is used on the pages of the site and of the web application, and can be pasted into any HTML page
(`publisher serve --snippet`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

from publisher.config import Config, ScheduleKind, frequency_schedules, parse_schedule
from publisher.core.frozen import dataclass
from publisher.core.i18n import Plural, direction, translate
from publisher.core.templates import Templates
from publisher.posts.slugs import tag_slug, topic_slug

if TYPE_CHECKING:
    from publisher.config import Schedule
    from publisher.core.newsletter_models import Subscription

ENGLISH: dict[str, str | Plural] = {
    "address": "Email address",
    "name": "Name (optional)",
    "newsletters": "Newsletters",
    "topics": "Only these topics (leave empty for all)",
    "more_options": "More options",
    "leave_empty": "Leave this field empty",
    "consent": "We’ll only send you what you choose here. Unsubscribe at any time with one click.",
    "subscribe_button": "Subscribe",
    "by_mail": "Get new posts by email",
    "newest": "Read the newest edition",
    "past": "Read past editions",
    "often_each_post": "One email for each new post.",
    "often_daily": "At most one email a day.",
    "often_weekdays": "At most one email each weekday.",
    "often_weekly": Plural("At most one email a week.", "At most {count} emails a week."),
    "often_biweekly": Plural("At most one email every two weeks.", "At most {count} emails every two weeks."),
    "often_monthly": Plural("At most one email a month.", "At most {count} emails a month."),
    "often_manual": "An email now and then.",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a newsletter, shown as a checkbox."""

    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class NewsletterOffer:
    """A newsletter in a form, with the subscriber's choices if the form is for a subscriber.

    often   the key of the phrase for how often it comes, such as "often_weekly"; "" if that cannot be said
    times   the number in that phrase
    newest  the link to its newest edition, on the site from its root; "" if there is none
    choices  how often a subscriber can get it instead: the value, the key of the phrase, and its number
    chosen  the value that a subscriber has chosen; "" for the newsletter's own schedule
    """

    name: str
    title: str
    description: str
    topics: tuple[Topic, ...]
    is_chosen: bool
    often: str = ""
    times: int = 1
    newest: str = ""
    choices: tuple[tuple[str, str, int], ...] = ()
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """The sign-up form on a page of the site. `action` is the URL to which the form is sent."""

    action: str
    offers: tuple[NewsletterOffer, ...]
    language: str


def sign_up_form(config: Config, newsletters_with_editions: Collection[str] = ()) -> SignUpForm | None:
    """Return the sign-up form of the site; None if there are no newsletters, or if web.public_url is not set."""
    if not config.web.public_url or not config.newsletters:
        return None
    offers = tuple(
        replace(offer, newest=newest_path(offer.name)) if offer.name in newsletters_with_editions else offer
        for offer in newsletter_offers(config)
    )
    return SignUpForm(f"{config.public_url}/subscribe", offers, config.site.language)


def newest_path(newsletter: str) -> str:
    """Return the path, from the root of the site, that always leads to the newest edition of a newsletter."""
    return f"editions/{newsletter}/latest/"


def newsletter_offers(config: Config, held: Sequence[Subscription] | None = None) -> tuple[NewsletterOffer, ...]:
    """Return an offer for every configured newsletter, with the subscriber's newsletters and topics marked as chosen.

    The offers include topics that a newsletter no longer offers but the subscriber still has.

    held  the subscriber's subscriptions; None for a new subscriber, for whom the first newsletter is preselected
    """
    mine = {subscription.newsletter: subscription for subscription in held or ()}
    found = []
    for number, newsletter in enumerate(config.newsletters):
        topics = mine[newsletter.name].topics if newsletter.name in mine else ()
        often, times = how_often(parse_schedule(newsletter.schedule))
        found.append(
            NewsletterOffer(
                name=newsletter.name,
                title=config.newsletter_title(newsletter),
                description=newsletter.description,
                topics=_topics(newsletter.topics, topics),
                is_chosen=newsletter.name in mine or (held is None and number == 0),
                often=often,
                times=times,
            )
        )
    return tuple(found)


def with_frequencies(
    config: Config, offers: Sequence[NewsletterOffer], frequencies: Mapping[str, str]
) -> tuple[NewsletterOffer, ...]:
    """Return the offers with a choice of frequency, if the owner offers one.

    frequencies: the subscriber's choices, by the name of the newsletter.
    """
    found = []
    for offer in offers:
        newsletter = config.newsletter(offer.name)
        offered = frequency_schedules(newsletter) if newsletter else {}
        chosen = frequencies.get(offer.name, "")
        choices = tuple((value, *how_often(parse_schedule(schedule))) for value, schedule in offered.items())
        found.append(replace(offer, choices=choices, chosen=chosen if chosen in offered else ""))
    return tuple(found)


def how_often(schedule: Schedule) -> tuple[str, int]:
    """Return the key of the phrase for how often a newsletter comes at most, and the number in it.

    The key is "" for a cron expression that is due too often for any phrase.
    """
    if schedule.kind is ScheduleKind.CRON:
        times = schedule.most_a_month
        return ("often_monthly", times) if times else ("", 0)
    if schedule.kind is ScheduleKind.WEEKLY:
        return "often_biweekly" if schedule.anchor else "often_weekly", 1 + len(schedule.others)
    return f"often_{schedule.kind.value.replace(' ', '_')}", 1


def _topics(offered: Sequence[str], held: Sequence[str]) -> tuple[Topic, ...]:
    """Return the topics of a newsletter. Different spellings of a tag are the same topic."""
    mine = {topic_slug(topic) for topic in held}
    names = {topic_slug(name): name for name in held} | {tag_slug(name): name for name in offered}
    order = dict.fromkeys([*map(tag_slug, offered), *map(topic_slug, held)])
    return tuple(Topic(names[slug], slug in mine) for slug in order)


def form_words(language: str, templates: Templates) -> SimpleNamespace:
    """Return the words of the form in a language (a BCP 47 tag). Templates use them as `say.address`."""
    spoken = translate("form", ENGLISH, language, templates.folders)
    tongue = {"language": spoken.language, "direction": direction(spoken.language)}
    return SimpleNamespace(**tongue, **spoken.phrases, **spoken.counted)
