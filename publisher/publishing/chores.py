"""The housekeeping of a project. Each chore has its own interval and runs on one host at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from time import monotonic

from publisher.core.errors import PublisherError, StoreError
from publisher.core.models import Problem
from publisher.mail.lifecycle import UNSETTLED
from publisher.publishing.mail_wiring import subscription_policy
from publisher.publishing.waiting_files import UPLOADS, WaitingFiles
from publisher.publishing.wiring import Project
from publisher.site.websub import notify_hub
from publisher.subscribers.privacy import forget_unconfirmed

Chore = Callable[[Project, datetime], str]

# How long processed bounce reports are remembered: no mail server sends the same report for a year.
REPORTS_KEPT = timedelta(days=400)

# How long to read bounce reports in one go, in seconds. Editions that become due meanwhile are made later.
READING_SECONDS = 60.0


def run_chores(
    project: Project, now: datetime, names: Collection[str] | None = None
) -> tuple[list[str], dict[str, list[Problem]]]:
    """Do the chores that are due; return a line for each chore that had work to do, and the problems by chore.

    names  only these chores; None for all
    The problems include every chore that was started, with an empty list if it succeeded. The database records when
    each chore was last started. A chore that fails does not stop the others, and is tried again when it is next due.
    Deliveries that a killed worker left behind are not a chore: the next run picks them up first.
    """
    done: list[str] = []
    trouble: dict[str, list[Problem]] = {}
    for name, (every, chore) in CHORES.items():
        if (names is not None and name not in names) or not project.store.chores.claim(name, now, every):
            continue
        trouble[name] = []
        try:
            if line := chore(project, now):
                done.append(line)
        except StoreError:
            raise
        except PublisherError as error:
            trouble[name].append(Problem(error.where, 0, error.message, error.hint))
    return done, trouble


def _read_bounces(project: Project, now: datetime) -> str:
    if not project.config.bounces.source:
        return ""
    from publisher.publishing.read_bounces import read_bounces  # not at the top: it loads the letters, 25 MiB

    end = monotonic() + READING_SECONDS
    report = read_bounces(project.config, project.store, now, is_over=lambda: monotonic() >= end)
    return f"bounces: {report.summary}" if report.read else ""


def _forget_reports(project: Project, now: datetime) -> str:
    project.store.bounces.forget_reports(now - REPORTS_KEPT)
    return ""


def _forget_unconfirmed(project: Project, now: datetime) -> str:
    gone = forget_unconfirmed(project.store, subscription_policy(project.config), now)
    line = f"deleted {gone.people:,} who never confirmed and {gone.tokens:,} expired links"
    return line if gone.people or gone.tokens else ""


def _roll_up(project: Project, now: datetime) -> str:
    before = now - timedelta(days=project.config.delivery.keep_days)
    count = project.store.chores.roll_up(before, UNSETTLED)
    return f"replaced the deliveries of {count:,} old edition{'s' * (count > 1)} with totals" if count else ""


def _ping_hub(project: Project, now: datetime) -> str:
    problems = notify_hub(project.config)
    if problems:
        raise PublisherError(problems[0].message, where=problems[0].path, hint=problems[0].hint)
    return ""


def _forget_actions(project: Project, now: datetime) -> str:
    project.store.actions.forget(now - timedelta(days=project.config.admin.log_days))
    project.store.sessions.forget(now)
    return ""


def _forget_files(project: Project, now: datetime) -> str:
    WaitingFiles(project.config.state_dir / UPLOADS).tidy(now)
    return ""


def _optimise(project: Project, now: datetime) -> str:
    project.store.chores.optimise()
    return ""


def _compact(project: Project, now: datetime) -> str:
    freed = project.store.chores.compact(now)
    return f"the database has become {freed / 1e6:,.1f} MB smaller" if freed > 0 else ""


# The database stores these names.
CHORES: dict[str, tuple[timedelta, Chore]] = {
    "read bounces": (timedelta(minutes=5), _read_bounces),
    "forget": (timedelta(hours=6), _forget_unconfirmed),
    "roll up": (timedelta(days=1), _roll_up),
    "tell hub": (timedelta(minutes=10), _ping_hub),
    "forget reports": (timedelta(days=1), _forget_reports),
    "forget actions": (timedelta(days=1), _forget_actions),
    "forget files": (timedelta(hours=6), _forget_files),
    "optimise": (timedelta(days=1), _optimise),
    "compact": (timedelta(days=1), _compact),
}

# These need files of the host: the built site, uploads, or a mailbox that may be a folder.
LOCAL_CHORES = frozenset({"read bounces", "tell hub", "forget files"})
DATABASE_CHORES = frozenset(CHORES) - LOCAL_CHORES
