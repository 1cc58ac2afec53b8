"""Sources and slots (scheduled times): which sources are fetched before a slot, and how long an edition waits for them.

A newsletter begins to use a source as soon as its settings name the source, the source has been fetched, and somebody
is subscribed. An edition is made when each source of its newsletter was fetched for its slot. If a source fails, the
edition waits for `wait_minutes`, and is then sent without the source's new items; they are in the next edition.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from publisher.config import OWN_POSTS, Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.core.models import Problem, Severity
from publisher.core.source_records import SourceBeginning
from publisher.newsletters.slots import Decision, latest_due
from publisher.newsletters.streams import streams_of
from publisher.publishing.edition_plan import lead_of

if TYPE_CHECKING:
    from publisher.core.source_records import SourceState
    from publisher.store import Store

# A fetch counts for a slot if it is not older than this, so that a feed is fetched once more just before the slot.
FRESH = timedelta(minutes=10)

# How long an edition waits for sources that no process has tried to fetch yet. After that, none will: no daemon runs.
_TRIED = timedelta(minutes=5)


def sources_of(newsletter: NewsletterConfig) -> tuple[str, ...]:
    """Return the names of the sources whose items a newsletter takes."""
    return tuple(name for name in newsletter.sources if name != OWN_POSTS)


def begin_with_sources(config: Config, store: Store, now: datetime) -> None:
    """Record for each newsletter that it begins to use those of its sources that have been fetched by now.

    The items that a source has now are its backlog, of which the first edition takes as much as the newsletter's
    settings say. All later items are sent, however long the first edition takes. A newsletter that took items of a
    source before its beginning was recorded began with the first fetch. A newsletter without subscribers has not begun,
    so that its first subscriber does not get the items of the years before.
    """
    fetched: dict[str, datetime] | None = None
    for newsletter in config.newsletters:
        begun = store.editions.beginnings(newsletter.name) if sources_of(newsletter) else {}
        for name in sources_of(newsletter):
            if name in begun or not store.subscribers.choices(newsletter.name, now):
                continue
            if fetched is None:
                fetched = {each.name: each.first_fetched_at for each in store.sources.states() if each.first_fetched_at}
            if name in fetched:
                items, handled = store.sources.known(name), store.editions.handled_posts(newsletter.name)
                newest = max((item.first_seen_at for item in items), default=fetched[name])
                has_taken = any(item.post_id in handled for item in items)
                beginning = SourceBeginning(fetched[name], fetched[name]) if has_taken else SourceBeginning(now, newest)
                store.editions.begin_with(newsletter.name, name, beginning)


def wanted_for_slots(config: Config, now: datetime) -> dict[str, datetime]:
    """Return the sources that have to be fetched because a slot is near, each with the time from which a fetch counts.

    A slot is near from FRESH before its edition is made until the edition has to be sent without these sources.
    """
    wanted: dict[str, datetime] = {}
    for newsletter in (stream.newsletter for each in config.newsletters for stream in streams_of(each)):
        schedule = parse_schedule(newsletter.schedule)
        if not sources_of(newsletter) or schedule.kind in (ScheduleKind.MANUAL, ScheduleKind.EACH_POST):
            continue
        lead = lead_of(newsletter)
        slot = latest_due(schedule, now + FRESH + lead, config.newsletter_zone(newsletter))
        if slot is None or now > slot.at - lead + timedelta(minutes=newsletter.wait_minutes):
            continue
        since = slot.at - lead - FRESH
        for name in sources_of(newsletter):
            wanted[name] = max(since, wanted.get(name, since))
    return wanted


class SlotSources:
    """The state of all sources while it is decided which editions are made at `now`.

    without  a warning for each source that failed, so that an edition is sent without its new items
    """

    def __init__(self, store: Store, now: datetime) -> None:
        self._store, self._now = store, now
        self.without: list[Problem] = []

    @cached_property
    def _states(self) -> dict[str, SourceState]:
        return {state.name: state for state in self._store.sources.states()}

    def settled(self, newsletter: NewsletterConfig, decision: Decision) -> Decision:
        """Return the decision about a slot; None as long as the edition waits for a source."""
        if decision is None or not sources_of(newsletter):
            return decision
        made_at = decision.slot.at - lead_of(newsletter)
        found = {name: _condition(self._states.get(name), made_at, self._now) for name in sources_of(newsletter)}
        most = timedelta(minutes=newsletter.wait_minutes)
        waits = {_FAILS: most, _BUSY: most, _UNTRIED: min(most, _TRIED), _FINE: timedelta()}
        if any(self._now < made_at + waits[condition] for condition in found.values()):
            return None
        self.without += [
            _gone_without(newsletter, decision.slot.label, self._states[name])
            for name, condition in found.items()
            if condition == _FAILS
        ]
        return decision


def _gone_without(newsletter: NewsletterConfig, slot: str, state: SourceState) -> Problem:
    what = f"{newsletter.name} {slot} is sent without its new items, because it can't be fetched: {state.error}"
    return Problem(f"source {state.name}", 0, what, "they will be in the next edition", Severity.WARNING)


_FINE, _BUSY, _UNTRIED, _FAILS = "fine", "busy", "untried", "fails"


def _condition(state: SourceState | None, made_at: datetime, now: datetime) -> str:
    if state is None:
        return _UNTRIED
    if state.ended_at is not None:
        return _FINE  # nothing will ever come
    if state.has_failed:
        return _FAILS
    is_closed = state.closed_until is not None and state.closed_until > now
    if state.is_being_fetched(now):
        return _BUSY
    is_fresh = state.asked_at is not None and state.asked_at >= made_at - FRESH
    return _FINE if is_fresh or is_closed else _UNTRIED
