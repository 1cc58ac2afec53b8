"""The parts of a scheduler tick: create the editions that are due, send open editions, fetch sources, and do chores.

The daemon calls `create_due`, `send_due`, `fetch_due` and `do_chores` when it starts and then every 15 to 60 seconds,
each in its own thread, because sending may take hours, and servers may be slow. All their state is in the database, so
they can be killed at any moment, run twice, or run on two hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import DailyLimitError, PublisherError, StoppedError, StoreError, TransportError
from publisher.core.file_names import in_folder
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, problem_at
from publisher.core.newsletter_models import Edition
from publisher.publishing.chores import DATABASE_CHORES, LOCAL_CHORES, run_chores
from publisher.publishing.deliver import DeliveryResult, deliver_editions
from publisher.publishing.due_editions import DueReport, create_due_editions, create_due_emails, is_untouched
from publisher.publishing.operations import finish
from publisher.publishing.owner_alerts import alert_held, alert_problems, alert_sources
from publisher.publishing.sequences import add_due_emails
from publisher.publishing.tell_owner import tell_owner
from publisher.publishing.uncertain import DECIDE, uncertain_messages
from publisher.publishing.wiring import (
    Project,
    add_web_versions,
    check_in_host,
    run_build,
    site_problems,
)
from publisher.site.build import BuildReport
from publisher.site.websub import notify_hub

if TYPE_CHECKING:
    from publisher.mail.run_options import Stop
    from publisher.publishing.fetch_sources import SourceReport

Progress = Callable[[int, int], None]
Build = Callable[[Config, datetime], BuildReport]
Announce = Callable[[Sequence[Edition]], None]


@dataclass(frozen=True, slots=True)
class TickReport:
    """The result of one part of a tick, for the log.

    at           when it began
    created      the editions that it created, including editions on hold
    delivered    the results of the editions that it delivered
    problems     skipped posts, editions that could not be rendered, and email that could not be sent; problems that
                 remain from earlier ticks are included, except those of chores that were already reported
    alerts       a line for each new problem and each new edition on hold, of which the owner was notified
    unreported   the same lines if the owner cannot be notified because `mail.owner` is not set
    chores       a line for each chore that had work to do
    fetched      the result of fetching each source
    waits        why nothing was created or sent if this host is not confirmed; "" if it is
    stuck        whether the mail servers failed, so that the caller should wait before trying them again
    limited      when the mail servers' daily limits end; None if they did not end the sending
    """

    at: datetime
    created: tuple[Edition, ...] = ()
    delivered: tuple[DeliveryResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    alerts: tuple[str, ...] = ()
    unreported: tuple[str, ...] = ()
    chores: tuple[str, ...] = ()
    fetched: tuple[SourceReport, ...] = ()
    waits: str = ""
    stuck: bool = False
    limited: datetime | None = None


def create_due(project: Project, *, local: bool = False) -> TickReport:
    """Create the editions that are due, notify the owner of new problems and editions on hold, and do the chores.

    local  whether to leave the chores that need only the database to `do_chores`
    It sends no newsletter, so editions are created on time even while a long delivery is running. Raises StoreError
    if the database is unavailable. Other errors are among the problems of the result, and the next call tries again.
    """
    now = project.clock()
    if waits := check_in_host(project.config, project.store, now):
        return TickReport(now, waits=waits)
    due, emails, trouble = DueReport(), DueReport(), list[Problem]()
    try:
        emails = create_due_emails(project, now)
        due = create_due_editions(project, now)
    except StoreError:
        raise
    except PublisherError as error:
        trouble.append(problem_at(error))
    alerts, unsent = _alert(project, due, emails, trouble, now)
    unsent += tell_owner(project, now)
    welcome = add_due_emails(project, now)
    more, left = alert_problems(project, "welcome", welcome.problems, now, still=welcome.problems)
    alerts, unsent = alerts + more, unsent + left
    uncertain = uncertain_messages(project.store, now)
    more, left = alert_problems(project, "uncertain", uncertain, now, still=uncertain, below=DECIDE)
    alerts, unsent = alerts + more, unsent + left
    done, news, undone = _do_chores(project, now, LOCAL_CHORES if local else None)
    new, has_owner = (*alerts, *news), bool(project.config.mail.owner)
    return TickReport(
        now,
        created=(*emails.created, *due.created, *welcome.created),
        problems=(*emails.problems, *due.problems, *welcome.problems, *uncertain, *trouble, *unsent, *undone),
        alerts=new if has_owner else (),
        unreported=() if has_owner else new,
        chores=tuple(done),
    )


def do_chores(project: Project) -> TickReport:
    """Do the chores that are due and need only the database. Raises StoreError if it is unavailable."""
    now = project.clock()
    if waits := check_in_host(project.config, project.store, now):
        return TickReport(now, waits=waits)
    done, news, undone = _do_chores(project, now, DATABASE_CHORES)
    has_owner = bool(project.config.mail.owner)
    return TickReport(
        now,
        problems=tuple(undone),
        alerts=tuple(news) if has_owner else (),
        unreported=() if has_owner else tuple(news),
        chores=tuple(done),
    )


def send_due(
    project: Project,
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
    build: Build | None = run_build,
    announce: Announce | None = None,
    may_begin: Callable[[Edition], bool] = lambda edition: True,
) -> TickReport:
    """Send all open editions that are due, also those that become due in the meantime. This may take hours.

    progress  called with the number of deliveries done and their total, for the edition that is being sent
    stop      lets another thread end the run after the current message, which then raises StoppedError
    build     builds the site before an edition is sent, so that its web version is online; None on a host without posts
    announce  called with the editions whose web versions are online, before they are sent
    may_begin  returns whether this process may send an edition
    Raises StoreError if the database is unavailable.
    """
    now = project.clock()
    if waits := check_in_host(project.config, project.store, now):
        return TickReport(now, waits=waits)
    online = _WebVersions(project, build, announce)
    done = _deliver(project, progress, stop, online, may_begin)
    return replace(done, at=now, problems=(*online.not_built, *done.problems))


def fetch_due(project: Project, stop: Stop | None = None) -> TickReport:
    """Fetch the sources that are due, subscribe to their hubs, and notify the owner of those that keep failing.

    stop  lets another thread end it immediately; what was not fetched is due again later
    Raises StoreError if the database is unavailable. A source that cannot be fetched is among the problems.
    """
    # Not at the top: it loads the HTTP client, and few projects have sources.
    from publisher.publishing.fetch_sources import fetch_sources
    from publisher.publishing.source_hubs import renew_hubs

    now = project.clock()
    if waits := check_in_host(project.config, project.store, now):
        return TickReport(now, waits=waits)
    fetched = fetch_sources(project, now, stop=stop)
    renew_hubs(project.config, project.store, now, lambda: stop is not None and stop.asked)
    alerts, unsent = alert_sources(project, now)
    failures = [each.problem for each in fetched if each.problem]
    warnings = [warning for each in fetched for warning in each.warnings]
    has_owner = bool(project.config.mail.owner)
    return TickReport(
        now,
        fetched=fetched,
        problems=(*failures, *warnings, *unsent),
        alerts=tuple(alerts) if has_owner else (),
        unreported=() if has_owner else tuple(alerts),
    )


def _alert(
    project: Project, due: DueReport, emails: DueReport, trouble: Sequence[Problem], now: datetime
) -> tuple[list[str], list[Problem]]:
    """Notify the owner of new errors, broken posts and editions on hold.

    Returns a line for each of them, and the problems that prevented emails.
    """
    failures, errors = site_problems(project.config)
    trouble = list(dict.fromkeys([*trouble, *(each for each in failures if is_untouched(project.config, each, now))]))
    alerts, unsent = alert_problems(project, "trouble", trouble, now, still=[*trouble, *failures])
    if due.looked:  # the posts may have been corrected since the last build
        posts = in_folder(project.config.posts.folder, "")
        errors = [*due.broken, *(each for each in errors if not each.path.startswith(posts))]
    broken = [each for each in errors if is_untouched(project.config, each, now) or each in due.problems]
    more, left = alert_problems(project, "post", broken, now, still=errors)
    alerts, unsent = alerts + more, unsent + left
    if due.looked:
        of_letters = [problem for problem in due.problems if problem not in due.broken]
        # Only newsletters with a due edition were rendered, so a problem that is not among these may still be there.
        others, lost = alert_problems(project, "letter", of_letters, now)
        alerts, unsent = alerts + others, unsent + lost
    others, lost = alert_problems(project, "email", emails.problems, now, still=emails.broken)
    alerts, unsent = alerts + others, unsent + lost
    waiting, left = alert_held(project, now)
    return alerts + waiting, unsent + left


def _deliver(
    project: Project,
    progress: Progress | None,
    stop: Stop | None,
    online: _WebVersions,
    may_begin: Callable[[Edition], bool],
) -> TickReport:
    project.store.editions.complete()  # those that a process did not finish making
    now = project.clock()
    ready = [edition for edition in project.store.editions.ready(now) if may_begin(edition)]
    if not ready:
        return TickReport(now)
    watch = None if progress is None else lambda edition: progress(edition.done, edition.total)
    ended = list[DeliveryResult]()
    try:
        online.put()
        delivered = deliver_editions(
            project, ready, watch, stop=stop, before_joining=online.put, may_begin=may_begin, ended=ended.append
        )
    except (StoreError, StoppedError):
        raise
    except DailyLimitError as error:
        return TickReport(now, delivered=_finished(project, ended), problems=(problem_at(error),), limited=error.until)
    except PublisherError as error:
        is_stuck = isinstance(error, TransportError)
        return TickReport(now, delivered=_finished(project, ended), problems=(problem_at(error),), stuck=is_stuck)
    troubles = delivered[-1].troubles if delivered else ()
    problems = (*map(problem_at, troubles), *online.tell_hub())
    return TickReport(now, delivered=_finished(project, delivered), problems=problems)


def _finished(project: Project, ended: Sequence[DeliveryResult]) -> tuple[DeliveryResult, ...]:
    """Return the results, with which of the editions this process should report as delivered."""
    now = project.clock()
    return tuple(replace(each, finished=finish(project.store, each.edition, each.after, now)) for each in ended)


class _WebVersions:
    """Puts online the web versions of editions that are due, before the first email links to them.

    not_built  why the site, or a part of it, was not built
    """

    def __init__(self, project: Project, build: Build | None, announce: Announce | None) -> None:
        self._project, self._build, self._announce = project, build, announce
        self.not_built: list[Problem] = []

    def put(self) -> None:
        """Build the site, and announce the editions that can now be sent. On a host without posts, do nothing."""
        if self._build is None:
            return
        now = self._project.clock()
        self.not_built.extend(_put_online(self._project, self._build, now))
        if self._announce is not None:
            self._announce(self._project.store.editions.ready(now))

    def tell_hub(self) -> list[Problem]:
        """Notify the hub of the feeds that have changed; return why that failed."""
        return notify_hub(self._project.config) if self._build else []


def _put_online(project: Project, build: Build, now: datetime) -> list[Problem]:
    """Put the web versions online before the first email links to them; return why the rest of the site was not built.

    A broken template or an unreadable folder keeps the site as it is, but does not stop any email.
    """
    try:
        build(project.config, now)
    except StoreError:
        raise
    except PublisherError as error:
        return [problem_at(error), *_put_web_versions(project, now)]
    return []


def _put_web_versions(project: Project, now: datetime) -> list[Problem]:
    try:
        add_web_versions(project.config, now)
    except StoreError:
        raise
    except PublisherError as error:
        return [problem_at(error)]
    return []


def _do_chores(
    project: Project, now: datetime, names: Collection[str] | None
) -> tuple[list[str], list[str], list[Problem]]:
    """Do the chores that are due; return lines about the work done, the alerts to the owner, and new problems.

    Only problems that the database does not list as reported are new.
    """
    done, trouble = run_chores(project, now, names)
    alerts: list[str] = []
    undone: list[Problem] = []
    for name, problems in trouble.items():
        news, unsent = alert_problems(project, name, problems, now, still=problems)
        alerts += news
        undone += [*(problem for problem in problems if str(problem) in news), *unsent]
    return done, alerts, undone
