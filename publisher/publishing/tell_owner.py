"""Emails to the owner about people who subscribed or unsubscribed, if `subscribers.notify` asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from publisher.core.errors import PublisherError
from publisher.core.models import Problem, problem_at
from publisher.publishing.owner_alerts import email_owner
from publisher.publishing.wiring import Project
from publisher.store.subscriber_news import Crowd, PersonNews, SubscriberNews

# How many people an email names; the others are only counted.
MOST_NAMED = 20
# When the daily email is sent, in the time zone of the site.
MORNING = time(7, 0)
# Between two emails, however many people join at the same time.
APART = timedelta(minutes=15)

_WAYS_TO_LEAVE = {
    "left": "unsubscribed",
    "unsubscribed": "unsubscribed from everything",
    "removed": "unsubscribed by you",
    "bounced": "the mailbox accepts no email",
    "complained": "reported an email as spam",
    "suppressed": "on the suppression list",
}


def tell_owner(project: Project, now: datetime) -> list[Problem]:
    """Email the owner about people who joined or left since the last such email, if it is due; return the errors.

    People who were added or removed by the same file share one line. If the email fails, the next tick tries again.
    """
    config, news = project.config, project.store.subscriber_news
    if config.subscribers.notify == "never" or not config.mail.owner:
        news.end()
        return []
    news.begin(now - APART)  # so that the first email is not late
    told_at = news.told_at()
    if told_at is None or not is_due(config.subscribers.notify, told_at, now, config.zone):
        return []
    found = news.since(MOST_NAMED)
    if not found or not news.tell(found, now):
        return []
    try:
        email_owner(config, f"{config.site.title}: {_summary(found)}", list(_lines(found)), _total(project), now)
    except PublisherError as error:
        news.withdraw(found, now)
        return [problem_at(error)]
    return []


def is_due(notify: str, told_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether the next email is due, if anything has happened.

    notify: "daily" for the first moment after MORNING on each day, or "at once"
    """
    if notify == "at once":
        return now - told_at >= APART
    local = now.astimezone(zone)
    morning = datetime.combine(local.date(), MORNING, zone)
    return told_at < morning <= local


def _summary(news: SubscriberNews) -> str:
    joined = news.number_joined + sum(each.joined for each in news.crowds)
    left = news.number_left + sum(each.left for each in news.crowds)
    return ", ".join([f"{joined:,} joined"] * bool(joined) + [f"{left:,} left"] * bool(left))


def _lines(news: SubscriberNews) -> Iterator[str]:
    for person in news.joined:
        yield f"Joined: {person.address}{_in_brackets(person.newsletters)}"
    yield from _others("Joined", news.number_joined - len(news.joined))
    for person in news.left:
        yield f"Left: {person.address}, {_how(person)}"
    yield from _others("Left", news.number_left - len(news.left))
    yield from map(_crowd, news.crowds)


def _how(person: PersonNews) -> str:
    """Return how a person unsubscribed, with their own reason if they gave one."""
    way = _WAYS_TO_LEAVE[person.what]
    if person.what == "left":
        newsletter, _, reason = person.detail.partition(" ")
        return f"{way} from {newsletter}{_quoted(reason)}"
    return f"{way}{_quoted(person.detail)}" if person.what == "unsubscribed" else way


def _quoted(reason: str) -> str:
    return f" (\u201c{reason}\u201d)" if reason else ""


def _in_brackets(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if names else ""


def _others(what: str, number: int) -> Iterator[str]:
    if number > 0:
        yield f"{what}: {number:,} more {'person' if number == 1 else 'people'}"


def _crowd(crowd: Crowd) -> str:
    parts = [f"{crowd.joined:,} joined"] * bool(crowd.joined) + [f"{crowd.left:,} left"] * bool(crowd.left)
    return f"By the {crowd.source}: {', '.join(parts)}"


def _total(project: Project) -> str:
    counts = project.store.subscribers.counts()
    total = sum(number for status, number in counts.items() if status.value == "active")
    return f"That makes {total:,} active subscriber{'' if total == 1 else 's'}."
