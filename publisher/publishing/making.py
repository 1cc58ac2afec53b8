"""Making what the clock calls for: posts are looked at afresh, what is wrong is left out or held, and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core import hold_reasons as holds
from publisher.core.models import Problem, Severity
from publisher.core.newsletter_models import EditionDraft
from publisher.posts.archive import open_archive, require_posts
from publisher.publishing.due import Calls, due_calls
from publisher.publishing.plan import Plan
from publisher.publishing.publish import Made, compose_plan, make_editions
from publisher.site.build.ids import KnownIds

if TYPE_CHECKING:
    from publisher.store import Store

# So long a broken file is left alone before the owner is told of it, unless a slot is due.
RESTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Making:
    """What was made.

    looked    whether posts were looked at
    problems  posts that are left out, and newsletters whose letter cannot be made
    broken    every post that cannot be read, also of files that are just being written; of posts that were looked at
    """

    made: tuple[Made, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: tuple[Problem, ...] = ()
    looked: bool = False


def make_due(config: Config, store: Store, now: datetime) -> Making:
    """Make the editions that are due, late or to be approved at `now`; raise PublisherError where nothing can be.

    A slot for which there is nothing to send is over, and no later post makes it.
    """
    called = due_calls(config, store, now)
    if called.calls:
        return _make(config, store, called, now)
    if not called.soon:
        return Making()
    require_posts(config)
    errors = _errors(open_archive(config, now).problems)
    return Making((), tuple(error for error in errors if _rests(config, error, now)), errors, looked=True)


def _make(config: Config, store: Store, called: Calls, now: datetime) -> Making:
    plan, drafts = compose_plan(config, store, list(called.calls), now, calls=called.calls)
    KnownIds(config, accept_new=False).require_same(plan.archive)
    plan, drafts = hold_on_errors(config, plan, drafts)
    made = make_editions(config, store, plan, drafts, now)
    decided = {planned.newsletter.name for planned in plan.editions} | {idle.newsletter.name for idle in plan.idle}
    for name, until in called.begun.items():
        if name in decided:  # a newsletter whose template is broken is tried again until it is mended
            store.newsletters.passed(name, until)
    errors = _errors(plan.archive.problems)
    return Making(tuple(made), (*errors, *plan.left_out, *plan.broken), errors, looked=True)


def hold_on_errors(config: Config, plan: Plan, drafts: Sequence[EditionDraft]) -> tuple[Plan, list[EditionDraft]]:
    """Return plan and drafts with those editions held whose letter has a finding of level error."""
    from publisher.publishing.next_letter import Proofreader

    reader = Proofreader(config, plan.archive)
    planned, held = [], []
    for each, draft in zip(plan.editions, drafts, strict=True):
        findings = reader.findings(each, draft.letters[0]) if each.newsletter.hold_on_errors else []
        errors = [finding.message for finding in findings if finding.level == "error"]
        hold = holds.joined(each.hold, holds.errors(errors) if errors else None)
        planned.append(replace(each, hold=hold))
        held.append(replace(draft, hold=hold))
    return replace(plan, editions=tuple(planned)), held


def _rests(config: Config, problem: Problem, now: datetime) -> bool:
    """Return whether a broken file is not just being written: before a slot there is time to finish it."""
    try:
        changed = datetime.fromtimestamp((config.root / problem.path).stat().st_mtime, UTC)
    except OSError:
        return True
    return changed > now or now - changed >= RESTS


def _errors(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
