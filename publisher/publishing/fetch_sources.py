"""Fetch the sources that are due, and record what their feeds say.

A source is claimed before it is fetched, so that no other host fetches it too. The changes from its document are
written in one transaction, together with the headers for the next request. A process that is killed in between loses
nothing: the next request brings the same document again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from publisher.config import Config, SourceConfig
from publisher.config.private_paths import password_in
from publisher.core.errors import FeedError, ProjectError, PublisherError, StoreError
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity
from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.source_models import FeedDocument
from publisher.core.source_records import ItemChanges, KnownItem, SourceState
from publisher.mail.run_options import Stop
from publisher.posts.published import authority_of
from publisher.posts.sources.feed_document import read_feed
from publisher.posts.sources.fetcher import Answer, FetchError, Request, fetch_all, user_agent
from publisher.posts.sources.identity import changes, newest_first
from publisher.posts.sources.item_post import item_name
from publisher.posts.sources.network_addresses import destination_of
from publisher.posts.sources.pace import (
    LEAST,
    Whereabouts,
    after_redirect,
    closed_for,
    fresh_for,
    is_skipped,
    next_fetch,
)
from publisher.publishing.source_slots import wanted_for_slots
from publisher.publishing.source_views import suspects_of, unhandled
from publisher.publishing.wiring import Project

if TYPE_CHECKING:
    from publisher.posts.sources.exchange import Network

Progress = Callable[[int, int], None]

_GONE = 410
_NOT_MODIFIED = 304
_MOST_VALIDATOR = 1_000  # characters of an ETag that is sent back
_TRIES = 5
_NAMED = 3  # of several items in a warning
# A claim is for so few sources that they are fetched long before other hosts assume that this process was killed.
_CLAIMED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The result of fetching a source.

    new, changed, gone  numbers of items. Items of the first fetch count as new
    is_first   whether it was the first fetch
    is_held    whether so many items suddenly appeared as new that a person has to look at them
    error      why it could not be fetched or read, in one line; "" if it could
    waits      why it was not fetched at all; "" if it was
    next_at    when it is fetched next
    warnings   other remarks about it
    """

    name: str
    next_at: datetime
    new: int = 0
    changed: int = 0
    gone: int = 0
    is_first: bool = False
    is_held: bool = False
    error: str = ""
    waits: str = ""
    warnings: tuple[Problem, ...] = ()

    @property
    def problem(self) -> Problem | None:
        """Why it could not be fetched or read, as a problem; None if it could."""
        return Problem(f"source {self.name}", 0, self.error, severity=Severity.WARNING) if self.error else None

    @property
    def has_news(self) -> bool:
        """Whether anything has changed."""
        return bool(self.new or self.changed or self.gone)

    @property
    def summary(self) -> str:
        """The result, in a few words."""
        counts = ((self.new, "new"), (self.changed, "changed"), (self.gone, "gone"))
        said = ", ".join(f"{count:,} {what}" for count, what in counts if count) or "nothing new"
        held = "; more than half of its items suddenly appeared as new, so a person has to look at them"
        return self.error or self.waits or said + held * self.is_held


def fetch_sources(
    project: Project,
    now: datetime,
    names: Collection[str] | None = None,
    *,
    force: bool = False,
    since: Mapping[str, datetime] | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    network: Network | None = None,
) -> tuple[SourceReport, ...]:
    """Fetch the sources that are due at `now`, and record what they say; return a report for each that was fetched.

    names     only these sources, each of which then has a report. None fetches all
    force     fetch them even if they are not due, unless a server asked for a pause or another process is fetching them
    since     by name, the moment before which a source must have been fetched last to be fetched too; None for the
              sources that a slot needs
    progress  called with the number of sources that are done, and their total
    stop      lets another thread end it; the remaining sources are due again immediately
    network   see fetch_all
    Raises StoreError if the database is unavailable, and StoppedError. A source that cannot be fetched has an error in
    its report.
    """
    sources = {each.name: each for each in project.config.sources if names is None or each.name in names}
    if not sources:
        return ()
    states = project.store.sources.see({name: each.url for name, each in sources.items()}, now)
    if since is None:
        since = {} if force else wanted_for_slots(project.config, now)
    until = {
        name: _unless_written(state, now)
        for name, state in states.items()
        if state.may_be_claimed(now, since.get(name), force=force) and (force or state.ended_at is None)
    }
    reports: list[SourceReport] = []
    for start in range(0, len(until), _CLAIMED_AT_ONCE):
        some = dict(islice(until.items(), start, start + _CLAIMED_AT_ONCE))
        claimed = _Claimed(project, sources, project.store.sources.claim(some, now, since, force=force), now)
        done = len(reports)
        watch = (lambda count, done=done: progress(done + count, len(until))) if progress else None
        reports += claimed.reports(watch, stop or Stop(), network)
    if names is not None:
        left = sorted(sources.keys() - {report.name for report in reports})
        states = {state.name: state for state in project.store.sources.states()} if left else {}
        reports += [_not_fetched(project, states[name], now) for name in left if name in states]
    return tuple(sorted(reports, key=lambda report: report.name))


def take_document(
    project: Project, source: SourceConfig, document: FeedDocument, now: datetime, answer: Answer | None = None
) -> ItemChanges:
    """Record a document of a source that was fetched in another way; return what it has changed.

    answer  the answer that contained it; the source then counts as fetched, and the next request depends on its headers
    """
    sources = project.store.sources
    state = replace(sources.see({source.name: source.url}, now)[source.name], claim="")
    if answer is not None:
        next_at = next_fetch(now, answer, document.pace, 0, source.name)
        state = sources.claim({source.name: next_at}, now, {source.name: now}).get(source.name, state)
        max_age = int(fresh_for(answer.headers, now).total_seconds())
        state = _with_headers(replace(state, next_at=next_at, max_age=max_age), answer, document)
    return _record(project, source, state, document, now)


def _with_headers(state: SourceState, answer: Answer, document: FeedDocument) -> SourceState:
    """Return a state with the data from an answer and its document that the next request needs."""
    etag, last_modified = _validator(answer, "etag"), _validator(answer, "last-modified")
    return replace(state, etag=etag, last_modified=last_modified, topic=document.url or answer.url)


class _Claimed:
    """The sources that this process has claimed, each of which is fetched once."""

    def __init__(
        self, project: Project, sources: Mapping[str, SourceConfig], states: dict[str, SourceState], now: datetime
    ) -> None:
        self._project, self._store, self._now = project, project.store.sources, now
        self._sources, self._states = {name: sources[name] for name in sorted(states)}, states
        self._left, self._unwritten = set(states), set[str]()

    def reports(
        self, progress: Callable[[int], None] | None, stop: Stop, network: Network | None
    ) -> Iterator[SourceReport]:
        """Yield a report for each source. If it ends early, the remaining sources are due again immediately."""
        try:
            yield from self._reports(progress, stop, network)
            if self._unwritten:
                self._store.finished({name: self._states[name].claim for name in self._unwritten})
        except BaseException:  # Ctrl-C, or a caller that stops early, ends it too
            with suppress(StoreError):
                for name in sorted(self._left | self._unwritten):
                    self._store.wake(name, self._now if name in self._left else self._states[name].next_at)
            raise

    def _reports(
        self, progress: Callable[[int], None] | None, stop: Stop, network: Network | None
    ) -> Iterator[SourceReport]:
        requests: dict[Request, list[str]] = {}
        for name, source in self._sources.items():
            try:
                request = _request(self._project.config, source, self._states[name])
            except ProjectError as error:
                yield self._failed(name, FetchError(error.message, where=error.where, hint=error.hint))
            else:
                requests.setdefault(request, []).append(name)
        for request, outcome in self._outcomes(list(requests), stop, network):
            for name in requests[request]:
                yield self._settled(name, request, outcome)
            if progress:
                progress(len(self._sources) - len(self._left))
            stop.check()
        stop.check()

    def _outcomes(
        self, requests: Sequence[Request], stop: Stop, network: Network | None
    ) -> Iterator[tuple[Request, Answer | FetchError]]:
        if requests:
            readers = self._project.store.subscribers.count(status=SubscriberStatus.ACTIVE)
            agent, is_stopped = user_agent(self._project.config, readers), lambda: stop.asked
            yield from fetch_all(requests, agent=agent, network=network, is_stopped=is_stopped)

    def _settled(self, name: str, request: Request, outcome: Answer | FetchError) -> SourceReport:
        """Record the result of one request, and report it."""
        if isinstance(outcome, FetchError):
            return self._failed(name, outcome)
        state = self._after(name, request, outcome)
        if outcome.status == _NOT_MODIFIED:
            return self._unchanged(name, state)
        try:
            document = read_feed(outcome.body, outcome.url, outcome.headers)
        except FeedError as error:
            return self._failed(name, FetchError(error.message, where=error.where, hint=error.hint))
        next_at = next_fetch(self._now, outcome, document.pace, 0, name)
        state = _with_headers(replace(state, next_at=next_at), outcome, document)
        done = _record(self._project, self._sources[name], state, document, self._now)
        self._left.discard(name)
        return SourceReport(
            name,
            state.next_at,
            len(done.new),
            sum(each.is_edited for each in done.changed),
            len(done.gone),
            self._states[name].first_fetched_at is None,
            done.is_held,
            warnings=tuple(_unsent(self._project, name, done.gone)),
        )

    def _after(self, name: str, request: Request, answer: Answer) -> SourceState:
        """Return the state of a source after an answer, whatever its document says."""
        state = self._states[name]
        place = after_redirect(Whereabouts(request.url, state.moved_to, state.moved_seen), answer)
        says_nothing = answer.status == _NOT_MODIFIED and not {"cache-control", "expires"} & answer.headers.keys()
        max_age = state.max_age if says_nothing else int(fresh_for(answer.headers, self._now).total_seconds())
        headers = _fresh_headers(max_age)
        return replace(
            state,
            address="" if place.url == state.url else place.url,
            moved_to=place.moved_to,
            moved_seen=place.seen,
            max_age=max_age,
            next_at=next_fetch(self._now, replace(answer, headers=headers), state.pace, 0, name),
            closed_until=None,
            failing_since=None,
            failures=0,
            error="",
            ended_at=None,
        )

    def _unchanged(self, name: str, state: SourceState) -> SourceReport:
        """Record that a feed has not changed. Usually the claim has done that already."""
        claimed = self._states[name]
        is_in_time = claimed.next_at - LEAST <= state.next_at <= claimed.next_at
        if not is_in_time or replace(state, next_at=claimed.next_at, max_age=claimed.max_age) != claimed:
            self._store.answered(state)
        else:
            self._unwritten.add(name)
        self._left.discard(name)
        return SourceReport(name, state.next_at)

    def _failed(self, name: str, error: FetchError) -> SourceReport:
        state = self._states[name]
        failures = state.failures + 1
        next_at = next_fetch(self._now, error, state.pace, failures, name)
        closed = closed_for(error.retry_after, self._now)
        is_moved = bool(state.address) and error.status == _GONE  # the feed may be where it was before
        state = replace(
            state,
            address="" if is_moved else state.address,
            next_at=next_at,
            closed_until=self._now + closed if closed else None,
            failing_since=state.failing_since or self._now,
            failures=failures,
            error=f"{error.message} ({error.hint})" if error.hint else error.message,
            ended_at=self._now if error.status == _GONE and not is_moved else state.ended_at,
        )
        self._store.answered(state)
        self._left.discard(name)
        return SourceReport(name, next_at, error=str(error))


def _unless_written(state: SourceState, now: datetime) -> datetime:
    """Return when a source is due again if it answers that nothing has changed."""
    unchanged = Answer(state.url, _NOT_MODIFIED, _fresh_headers(state.max_age), b"")
    return next_fetch(now, unchanged, state.pace, 0, state.name)


def _fresh_headers(max_age: int) -> dict[str, str]:
    return {"cache-control": f"max-age={max_age}"}


def _request(config: Config, source: SourceConfig, state: SourceState) -> Request:
    """Return the request for a source; raise ProjectError if its password cannot be read.

    While a feed that has moved fails, every other request asks for its configured address again. The password goes to
    the configured host only.
    """
    url = state.address or state.url
    if state.failures and state.failures % 2 == 0:
        url = state.url
    is_at_home = url == state.url or destination_of(url).host == destination_of(state.url).host
    has_validators = url == (state.address or state.url)
    return Request(
        url,
        etag=state.etag if has_validators else "",
        last_modified=state.last_modified if has_validators else "",
        user=source.user if is_at_home else "",
        password=password_in(config.root, source.password_file) if is_at_home and source.password_file else "",
        allow_private=source.allow_private,
    )


def _validator(answer: Answer, name: str) -> str:
    value = answer.headers.get(name, "")
    return value if len(value) <= _MOST_VALIDATOR else ""


def _record(
    project: Project, source: SourceConfig, state: SourceState, document: FeedDocument, now: datetime
) -> ItemChanges:
    """Record a document, and return what it has changed. If another process was faster, the document is compared again.

    state: the source's state, with what the answer says about the next request
    """
    document = replace(document, items=tuple(newest_first(document.items)[: source.max_items]))
    mint = f"tag:{authority_of(project.config)}:{source.name}/"
    for _ in range(_TRIES):
        known = project.store.sources.known(source.name)
        is_first = state.first_fetched_at is None
        done = changes(
            known, document, now, is_first=is_first, mint=mint, listed=state.listed, text_of=partial(_text_of, project)
        )
        after = replace(
            state,
            title=document.title,
            link=document.link,
            language=document.language,
            hub=document.hub,
            pace=document.pace,
            fetched_at=now,
            first_fetched_at=state.first_fetched_at or now,
            held_at=now if done.is_held else _still_held(project, state),
            problems=document.problems,
            renamed=_renamed(known, done),
        )
        if project.store.sources.apply(after, done, now):
            return done
        fresh = project.store.sources.state(source.name)
        if fresh is None or fresh.url != state.url:  # the configuration has changed, so this document is of no interest
            return ItemChanges()
        state = replace(state, revision=fresh.revision, listed=fresh.listed, first_fetched_at=fresh.first_fetched_at)
    raise PublisherError(f"the items of source {source.name} are being changed by other processes", hint="try again")


def _text_of(project: Project, number: int) -> str:
    """Return the text of an item as HTML, or its summary."""
    item = project.store.sources.item(number)
    return (project.store.sources.html(number) or item.item.summary) if item else ""


def _renamed(known: Sequence[KnownItem], done: ItemChanges) -> int:
    """Return how many known items have a different guid now."""
    guids = {item.number: item.keys.guid for item in known}
    return sum(each.keys.guid != guids[each.number] for each in done.changed)


def _still_held(project: Project, state: SourceState) -> datetime | None:
    """Return since when a person has to look at items of a source; None if all of them have been dealt with."""
    if state.held_at is None:
        return None
    suspects = suspects_of(project.store, state.name)
    return state.held_at if unhandled(project.config, project.store, state.name, suspects) else None


def _unsent(project: Project, name: str, gone: Sequence[int]) -> Iterator[Problem]:
    """Yield a warning if items have vanished from the feed before every newsletter could send them."""
    items = [item for item in project.store.sources.some(gone) if not item.is_backlog and item.skipped_at is None]
    unsent = unhandled(project.config, project.store, name, [item.post_id for item in items]) if items else ()
    left = [item for item in items if item.post_id in unsent]
    if left:
        names = [repr(item_name(item, project.store.sources.html)) for item in left[:_NAMED]]
        names += [f"{len(left) - _NAMED:,} more"] if len(left) > _NAMED else []
        what = "it was sent, and is" if len(left) == 1 else "they were sent, and are"
        last = f" and {names.pop()}" if len(names) > 1 else ""
        message = f"{', '.join(names)}{last} vanished from the feed before {what} left out"
        yield Problem(f"source {name}", 0, message, severity=Severity.WARNING)


def _not_fetched(project: Project, state: SourceState, now: datetime) -> SourceReport:
    """Return the report of a source that may not be fetched now."""
    zone = project.config.zone
    if state.closed_until is not None and state.closed_until > now:
        why = f"its server asks not to be contacted before {state.closed_until.astimezone(zone):%Y-%m-%d %H:%M}"
    elif state.is_being_fetched(now):
        why = "is being fetched by another process"
    elif state.ended_at is not None:
        why = "its server says that the feed is gone for good (410)"
    elif state.next_at <= now and is_skipped(now, state.pace):
        why = "its feed says that nothing changes at this hour"
    else:
        why = f"not due before {state.next_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return SourceReport(state.name, state.next_at, waits=why)
