"""What a reader's form chooses among the newsletters and topics that there are."""

from __future__ import annotations

from collections.abc import Sequence

from publisher.config import Config
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscription
from publisher.site.pages.signup import newsletter_offers
from publisher.web.forms import Form

TOPIC_FIELD = "topic."  # and the newsletter's name
SHOWN_FIELD = "shown"  # the newsletters whose boxes stand in the form, ticked or not


def chosen(config: Config, form: Form, *, held: Sequence[Subscription] = ()) -> tuple[Subscription, ...]:
    """Return what a form chooses. Where there is one newsletter only, a form need not name it.

    held  what the person has: a topic that nobody offers any more can be kept
    Raises SubscriberError for a newsletter or a topic that there is not.
    """
    offered = {offer.name: {topic.name for topic in offer.topics} for offer in newsletter_offers(config, held)}
    names = form.all("newsletter") or (tuple(offered) if len(offered) == 1 and not held else ())
    wishes = []
    for name in dict.fromkeys(names):
        topics = form.all(f"{TOPIC_FIELD}{name}")
        if name not in offered or not offered[name].issuperset(topics):
            raise SubscriberError("there is no such newsletter or topic")
        wishes.append(Subscription(name, topics))
    return tuple(wishes)


def title_of(config: Config, name: str) -> str:
    """Return a newsletter's title, also of one that is no longer configured."""
    newsletter = config.newsletter(name)
    return config.newsletter_title(newsletter) if newsletter else name
