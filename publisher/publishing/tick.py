"""One look at the clock: what is due is made, what is open is delivered, what has piled up is cleared.

Whoever runs the project calls `make` and `send` at its start and then every 15 to 60 seconds: one after the other,
which is `tick`, or each in a thread of its own, since sending may take hours. Neither holds state between two calls:
all that they know is in the database, so they may be killed at any moment, run twice, or run on two hosts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import PublisherError, StoppedError, StoreError, TransportError
from publisher.core.models import Problem
from publisher.core.newsletter_models import Edition

if TYPE_CHECKING:
    from publisher.mail.run_options import Stop
    from publisher.publishing.deliver import Delivered
    from publisher.publishing.making import Making
    from publisher.store import Store

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one tick did, or one half of it, for logs.

    at         when it began
    made       editions that it wrote into the ledger; those that wait for a person among them have `held`
    delivered  what became of the editions that it sent from
    problems   posts that are left out, letters that could not be made, mail that did not leave; also those of
               earlier ticks that are still there; of a chore only what was not told before
    told       what is new of the problems and of editions that wait, one line each: the owner was mailed them
    unheard    the same where nobody was mailed, because `mail.owner` is not set
    stuck      whether no mail server took anything: whoever calls leaves them alone for a while
    kept       chores of housekeeping that were done, one line each
    waits      why nothing was made or sent at all: this host is not confirmed (`publisher hosts confirm`); "" where
               it may
    """

    at: datetime
    made: tuple[Edition, ...] = ()
    delivered: tuple[Delivered, ...] = ()
    problems: tuple[Problem, ...] = ()
    told: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    waits: str = ""
    stuck: bool = False

    @property
    def held(self) -> tuple[Edition, ...]:
        """Those of the made editions that wait for a person."""
        return tuple(edition for edition in self.made if edition.held)

    @property
    def quiet(self) -> bool:
        """Whether there is nothing new to log; problems that were told before are not new."""
        return not (self.made or self.delivered or self.told or self.unheard or self.kept or self.waits)


def tick(
    config: Config, store: Store, clock: Clock, *, progress: Progress | None = None, stop: Stop | None = None
) -> Ticked:
    """Make and then send whatever is due at the moment that the clock gives; return what was done. See both."""
    made = make(config, store, clock)
    if made.waits:
        return made
    sent = send(config, store, clock, progress=progress, stop=stop)
    problems = (*made.problems, *sent.problems)
    return replace(made, delivered=sent.delivered, problems=problems, stuck=sent.stuck)


def make(config: Config, store: Store, clock: Clock) -> Ticked:
    """Make what is due, tell the owner what is new, and clear what has piled up; return what was done.

    Takes no longer than a letter takes to be composed: whatever is being sent meanwhile, slots are made on time. Raises
    StoreError where the database cannot be had; everything else that goes wrong stands among the problems, and the
    next call tries again.
    """
    now = clock()
    if waits := why_not_here(config, store, now):
        return Ticked(now, waits=waits)
    making, trouble = _make(config, store, now)
    told, unmailed = _tell(config, store, making, trouble, now)
    kept, news, undone = _keep(config, store, now)
    new = (*told, *news)
    return Ticked(
        now,
        made=tuple(each.edition for each in making.made),
        problems=(*making.problems, *trouble, *unmailed, *undone),
        told=new if config.mail.owner else (),
        unheard=() if config.mail.owner else new,
        kept=tuple(kept),
    )


def send(
    config: Config, store: Store, clock: Clock, *, progress: Progress | None = None, stop: Stop | None = None
) -> Ticked:
    """Send what is open and due at the moment that the clock gives, edition after edition; return what was done.

    progress: told (done, total) deliveries of the edition that is being sent. It takes as long as it takes: whoever
    ends it asks `stop`, and the message in hand is finished. Raises StoppedError then, and StoreError as `make` does.
    """
    now = clock()
    if waits := why_not_here(config, store, now):
        return Ticked(now, waits=waits)
    delivered, problems, stuck = _deliver(config, store, clock, progress, stop)
    return Ticked(now, delivered=tuple(delivered), problems=tuple(problems), stuck=stuck)


def why_not_here(config: Config, store: Store, now: datetime) -> str:
    """Return why this host may not send; "" where it may. The first host of a project may; it is written down."""
    from publisher.core.host_id import host_id, host_name

    host = store.hosts.check_in(host_id(config.root, os.environ), host_name(config.root, os.environ), now)
    return "" if host.confirmed_at is not None else waits_here(config, store)


def waits_here(config: Config, store: Store) -> str:
    """Return why this host may not send; "" where it may, or would be the first. Writes nothing."""
    from publisher.core.host_id import host_id, host_name

    known, here = store.hosts.list(), host_id(config.root, os.environ)
    if not known or any(host.id == here and host.confirmed_at for host in known):
        return ""
    others = ", ".join(host.name for host in known if host.confirmed_at is not None) or "another"
    return f"this host, {host_name(config.root, os.environ)}, is not confirmed, and the project has run on {others}"


def _make(config: Config, store: Store, now: datetime) -> tuple[Making, tuple[Problem, ...]]:
    from publisher.publishing.making import Making, make_due

    try:
        return make_due(config, store, now), ()
    except StoreError:
        raise
    except PublisherError as error:
        return Making(), (_problem(error),)


def _tell(
    config: Config, store: Store, making: Making, trouble: Sequence[Problem], now: datetime
) -> tuple[list[str], list[Problem]]:
    """Tell the owner what is new: broken posts where they were looked at, whatever keeps editions from being made."""
    from publisher.publishing.owner_alerts import tell_held, tell_problems

    told, unmailed = tell_problems(config, store, "trouble", trouble, now, still=trouble)
    if making.looked:
        broken = [problem for problem in making.problems if problem in making.broken]
        of_letters = [problem for problem in making.problems if problem not in making.broken]
        more, left = tell_problems(config, store, "post", broken, now, still=making.broken)
        # Only the newsletters that were called for were looked at: what is not among these may be there all the same.
        others, lost = tell_problems(config, store, "letter", of_letters, now)
        told, unmailed = told + more + others, unmailed + left + lost
    waiting, left = tell_held(config, store, now)
    return told + waiting, unmailed + left


def _deliver(
    config: Config, store: Store, clock: Clock, progress: Progress | None, stop: Stop | None
) -> tuple[list[Delivered], list[Problem], bool]:
    from publisher.publishing.deliver import deliver_editions
    from publisher.publishing.wiring import run_build
    from publisher.site.websub import notify_hub

    now = clock()
    ready = store.editions.ready(now)
    if not ready:
        return [], [], False
    watch = None if progress is None else lambda tally: progress(tally.done, tally.total)
    try:
        # The web copies are up before the first letter points to them.
        run_build(config, now)
        delivered = deliver_editions(config, store, ready, clock, watch, stop=stop)
    except (StoreError, StoppedError):
        raise
    except PublisherError as error:
        return [], [_problem(error)], isinstance(error, TransportError)
    troubles = delivered[-1].troubles if delivered else ()
    return delivered, [*map(_problem, troubles), *notify_hub(config)], False


def _keep(config: Config, store: Store, now: datetime) -> tuple[list[str], list[str], list[Problem]]:
    """Do the chores that are due; return what was done, what the owner was told, and what is newly wrong.

    A chore has its own rhythm, and between two of them nothing is known of it. So the record knows what was told.
    """
    from publisher.publishing.maintenance import keep_house
    from publisher.publishing.owner_alerts import tell_problems

    kept, trouble = keep_house(config, store, now)
    told: list[str] = []
    undone: list[Problem] = []
    for name, problems in trouble.items():
        news, unmailed = tell_problems(config, store, name, problems, now, still=problems)
        told += news
        undone += [*(problem for problem in problems if str(problem) in news), *unmailed]
    return kept, told, undone


def _problem(error: PublisherError) -> Problem:
    return Problem(error.where, 0, error.message, error.hint)
