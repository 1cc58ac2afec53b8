"""What piles up is cleared, each chore at its own rhythm, and by one host only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import PublisherError, StoreError
from publisher.core.models import Problem

if TYPE_CHECKING:
    from publisher.store import Store

Chore = Callable[[Config, "Store", datetime], str]


# So long it is known which reports of letters that came back were taken: no mailbox keeps telling of one for a year.
REPORTS_KEPT = timedelta(days=400)


def keep_house(config: Config, store: Store, now: datetime) -> tuple[list[str], dict[str, list[Problem]]]:
    """Do the chores that are due; return what was done, in words, and what went wrong in each that was begun.

    When each was begun stands in the database. One that fails is tried again when its time comes, and keeps no other
    from being done. What a killed worker left in its hands is no chore: whoever delivers takes it over first.
    """
    done: list[str] = []
    trouble: dict[str, list[Problem]] = {}
    for name, (every, chore) in CHORES.items():
        if not store.chores.claim(name, now, every):
            continue
        trouble[name] = []
        try:
            if said := chore(config, store, now):
                done.append(said)
        except StoreError:
            raise
        except PublisherError as error:
            trouble[name].append(Problem(error.where, 0, error.message, error.hint))
    return done, trouble


def _read_bounces(config: Config, store: Store, now: datetime) -> str:
    if not config.bounces.source:
        return ""
    from publisher.publishing.read_bounces import read_bounces

    report = read_bounces(config, store, now)
    return f"letters that came back: {report.summary}" if report.read else ""


def _forget_reports(config: Config, store: Store, now: datetime) -> str:
    store.bounces.forget_reports(now - REPORTS_KEPT)
    return ""


def _forget(config: Config, store: Store, now: datetime) -> str:
    from publisher.publishing.wiring import subscription_policy
    from publisher.subscribers.privacy import forget_unconfirmed

    gone = forget_unconfirmed(store, subscription_policy(config), now)
    said = f"forgot {gone.people:,} who never confirmed and {gone.tokens:,} expired tokens"
    return said if gone.people or gone.tokens else ""


def _roll_up(config: Config, store: Store, now: datetime) -> str:
    from publisher.mail.lifecycle import UNSETTLED

    before = now - timedelta(days=config.delivery.keep_days)
    count = store.chores.roll_up(before, UNSETTLED)
    return f"put totals in place of the deliveries of {count:,} old edition{'s' * (count > 1)}" if count else ""


def _ping(config: Config, store: Store, now: datetime) -> str:
    from publisher.site.websub import notify_hub

    problems = notify_hub(config)
    if problems:
        raise PublisherError(problems[0].message, where=problems[0].path, hint=problems[0].hint)
    return ""


def _optimise(config: Config, store: Store, now: datetime) -> str:
    store.chores.optimise()
    return ""


CHORES: dict[str, tuple[timedelta, Chore]] = {
    "read bounces": (timedelta(minutes=5), _read_bounces),
    "forget": (timedelta(hours=6), _forget),
    "roll up": (timedelta(days=1), _roll_up),
    "tell hub": (timedelta(minutes=10), _ping),
    "forget reports": (timedelta(days=1), _forget_reports),
    "optimise": (timedelta(days=1), _optimise),
}
