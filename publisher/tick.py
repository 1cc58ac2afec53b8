"""One look at the clock: what is due is made, what is open is delivered, what has piled up is cleared.

Whoever runs the project calls `tick` at its start and then every 15 to 60 seconds. It holds no state between two
calls: everything it knows is in the database, so it may be killed at any moment, run twice, or run on two hosts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.errors import PublisherError
from publisher.model import Edition, Problem

if TYPE_CHECKING:
    from publisher.publish import Delivered, Made
    from publisher.store import Store

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one tick did, for logs.

    at         when it began
    made       editions that it wrote into the ledger; those that wait for a person among them have `held`
    delivered  what became of the editions that it sent from
    problems   posts that were left out, letters that could not be made, mail that did not leave; also those of
               earlier ticks that are still there
    told       what the owner was mailed about, one line each
    kept       chores of housekeeping that were done, one line each
    waits      why nothing was made or sent at all: this host is not confirmed; "" where it may
    """

    at: datetime
    made: tuple[Edition, ...] = ()
    delivered: tuple[Delivered, ...] = ()
    problems: tuple[Problem, ...] = ()
    told: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    waits: str = ""

    @property
    def held(self) -> tuple[Edition, ...]:
        """Those of the made editions that wait for a person."""
        return tuple(edition for edition in self.made if edition.held)

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to log."""
        return not (self.made or self.delivered or self.problems or self.told or self.kept or self.waits)


def tick(config: Config, store: Store, clock: Clock, *, progress: Progress | None = None) -> Ticked:
    """Do whatever is due at the moment that the clock gives; return what was done.

    progress: told (done, total) deliveries of the edition that is being sent. Delivering takes as long as it takes:
    whoever stops it raises KeyboardInterrupt in it, and the message in hand is finished. Raises StoreError where the
    database cannot be had; everything else that goes wrong stands among the problems, and the next tick tries again.
    """
    now = clock()
    made, problems = _made(config, store, now)
    delivered: tuple[Delivered, ...] = ()
    try:
        delivered = _delivered(config, store, clock, progress, made)
    except PublisherError as error:
        problems = (*problems, _problem(error))
    return Ticked(now, tuple(each.edition for each in made), delivered, problems)


def _made(config: Config, store: Store, now: datetime) -> tuple[tuple[Made, ...], tuple[Problem, ...]]:
    from publisher.config import parse_schedule
    from publisher.editions.schedule import latest_due
    from publisher.publish import compose_plan, make_editions

    due = []
    for newsletter in config.newsletters:
        slot = latest_due(parse_schedule(newsletter.schedule), now, config.newsletter_zone(newsletter))
        if slot and slot.label not in store.editions.slots(newsletter.name):
            due.append(newsletter.name)
    if not due:
        return (), ()
    plan, drafts = compose_plan(config, store, due, now)
    return tuple(make_editions(config, store, plan, drafts, now)), (*plan.left_out, *plan.broken)


def _delivered(
    config: Config, store: Store, clock: Clock, progress: Progress | None, made: tuple[Made, ...]
) -> tuple[Delivered, ...]:
    from publisher.publish import deliver_open
    from publisher.runtime import run_build

    if made:
        run_build(config, clock())
    return tuple(deliver_open(config, store, (), clock, progress, made))


def _problem(error: PublisherError) -> Problem:
    return Problem(error.where, 0, error.message, error.mend)
