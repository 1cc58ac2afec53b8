"""Deliver unfinished editions side by side, and count the messages that mail servers refuse for good."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from publisher.bounces.apply import SendingFailure, judge_refusal, take_refusals
from publisher.core.bounce_report import Verdict
from publisher.core.errors import ProjectError, PublisherError, RefusedError, StoreAwayError, TransportError
from publisher.core.frozen import dataclass
from publisher.core.hold_reasons import HeldBy
from publisher.core.newsletter_models import Delivery, DeliveryCounts, DeliveryStatus, Edition
from publisher.mail.transport import RefusedAt
from publisher.publishing import operations
from publisher.publishing.edition_plan import PlannedEdition
from publisher.publishing.mail_wiring import (
    delivery_options,
    headers_of,
    open_transport,
    project_links,
    subscription_policy,
)
from publisher.publishing.wiring import Project

if TYPE_CHECKING:
    from publisher.mail.queue import EditionOrder
    from publisher.mail.run_options import Stop
    from publisher.mail.transport import Deferred, Rejected, Transport
    from publisher.store import Store

# Refusals are recorded in groups of this size, which is ten times as fast as one at a time.
REFUSAL_GROUP = 50

# If a server refuses more mailboxes than this, and more than half of those that it answered for, the server itself is
# to blame.
REFUSALS_BELIEVED = 20


# A run works on this many editions at once, so that their texts need little memory and few deliveries are leased.
MOST_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of delivering one edition.

    edition    the edition after the run, including its hold
    sent       number of messages sent by this run; another run may be sending at the same time
    after      number of deliveries in each status after the run
    unmatched  number of subscribers who got no email because no post matches their topics; only the run that created
               the edition knows it, for other runs it is 0
    stopped    number of subscribers who get no more email: PERMANENT if their mailboxes do not exist, TEMPORARY if they
               have refused email too often in a row
    doubted    number of mailboxes that the mail server refuses, by verdict, if there are implausibly many
    next_try   when the first waiting message is due; None if no message is waiting
    troubles   errors of mail servers whose work other servers have taken over
    finished   whether this process should report that the whole edition is delivered; see operations.finish
    """

    edition: Edition
    sent: int
    after: DeliveryCounts
    unmatched: int = 0
    stopped: Mapping[Verdict, int] = field(default_factory=dict)
    doubted: Mapping[Verdict, int] = field(default_factory=dict)
    next_try: datetime | None = None
    troubles: tuple[TransportError, ...] = ()
    finished: bool = False

    @property
    def all_sent(self) -> bool:
        """Whether this run sent everything that it should have. An edition on hold may still have queued messages."""
        after, Status = self.after, DeliveryStatus  # noqa: N806 - an enum
        left = after[Status.DEFERRED] + after[Status.FAILED] + after[Status.UNCERTAIN]
        return not left and (not after[Status.QUEUED] or bool(self.edition.held))


class DeliveryProgress:
    """The progress of a run with one edition."""

    def __init__(self, edition: Edition, total: int) -> None:
        """Begin to count the deliveries of an edition. total: how many were open when the run began."""
        self.edition = edition
        self._total = total
        self._settled: Counter[DeliveryStatus] = Counter()

    def __getitem__(self, status: DeliveryStatus) -> int:
        """Return how many deliveries this run has moved to a status."""
        return self._settled[status]

    @property
    def done(self) -> int:
        """The number of messages that are settled."""
        return self._settled.total()

    @property
    def total(self) -> int:
        """The number of messages of the edition."""
        return max(self._total, self.done)

    def count(self, status: DeliveryStatus) -> None:
        """Count one more delivery."""
        self._settled[status] += 1


Watch = Callable[[DeliveryProgress], None]
Created = Sequence[tuple[PlannedEdition, Edition]]


def deliver_open(
    project: Project, names: Sequence[str], watch: Watch | None = None, created: Created = ()
) -> list[DeliveryResult]:
    """Deliver all unfinished editions that are due, oldest first, as `deliver_editions` does.

    Editions that a process did not finish making are completed first.

    names  names of the newsletters to deliver; all if it is empty
    """
    now = project.clock()
    project.store.editions.complete()
    unfinished = [e for e in project.store.editions.unfinished() if not names or e.newsletter in names]
    ready = [each for each in unfinished if not each.held and (each.goes_at is None or each.goes_at <= now)]
    return deliver_editions(project, ready, watch, created)


def deliver_editions(
    project: Project,
    editions: Sequence[Edition],
    watch: Watch | None = None,
    created: Created = (),
    stop: Stop | None = None,
    before_joining: Callable[[], None] | None = None,
    may_begin: Callable[[Edition], bool] = lambda edition: True,
    ended: Callable[[DeliveryResult], None] = lambda result: None,
) -> list[DeliveryResult]:
    """Deliver the messages of these editions that are due. Their newsletters take turns, by their priority.

    An edition that the mail server rejects for every recipient is put on hold with the reason, and the run continues
    with the others. Subscribers whose mailboxes do not exist get no more email.

    watch    called when an edition begins, and after each delivery, but never by two threads at the same time
    created  the editions that this run has created; those on hold or without recipients have a result, too
    stop     lets another thread end the run, which then raises StoppedError
    before_joining  called before the run begins other editions that have become due in the meantime, perhaps in another
             thread; None if it should not begin any
    may_begin  returns whether the run may begin an edition that has become due in the meantime
    ended    called, perhaps in another thread, with the result of each edition as soon as it has ended
    Raises TransportError if the transport does not answer.
    """
    from publisher.mail.queue import deliver_editions as deliver  # not at the top: see open_transport

    store = project.store
    unmatched = {edition.id: planned.unmatched for planned, edition in created}
    begun = {edition.id for edition in editions}
    results = [
        DeliveryResult(edition, 0, store.deliveries.counts(edition.id), planned.unmatched)
        for planned, edition in created
        if edition.id not in begun
    ]
    if not editions:
        return results
    run = _DeliveryRun(project, editions, watch, before_joining, may_begin, ended)
    options = delivery_options(project.config, stop)
    with open_transport(project.config) as transport:
        try:
            deliver(store, transport, run.next_orders, options=options, clock=project.clock)
        finally:
            run.end()
        troubles = _troubles(transport)
    done = (replace(each, unmatched=unmatched.get(each.edition.id, 0), troubles=troubles) for each in run.results())
    return [*results, *done]


def results_so_far(store: Store, progress: Iterable[DeliveryProgress]) -> list[DeliveryResult]:
    """Return the results for the editions that a run has begun, even if it was stopped."""
    return [
        DeliveryResult(
            store.editions.get(each.edition.id) or each.edition,
            each[DeliveryStatus.SENT],
            store.deliveries.counts(each.edition.id),
            next_try=store.ledger.next_try(each.edition.id),
        )
        for each in progress
    ]


class _DeliveryRun:
    """The editions of a run: those that wait, those under way, and those that have ended."""

    def __init__(
        self,
        project: Project,
        editions: Sequence[Edition],
        watch: Watch | None,
        before_joining: Callable[[], None] | None,
        may_begin: Callable[[Edition], bool],
        ended: Callable[[DeliveryResult], None],
    ) -> None:
        self._project, self._before_joining, self._may_begin = project, before_joining, may_begin
        self._ended = ended
        self._watch = watch or (lambda progress: None)
        self._watching = Lock()
        self._waiting = deque(editions)
        self._begun: list[_EditionDelivery] = []
        self._links = project_links(project.config)

    def next_orders(self) -> list[EditionOrder]:
        """Return the editions to begin now, oldest first, as many as may be under way together.

        If the database is unavailable, the remaining ones begin with a later call.
        """
        room = MOST_AT_ONCE - sum(not each.over for each in self._begun)
        if room > 0 and not self._waiting and self._begun and self._before_joining is not None:
            self._look(self._before_joining)
        orders: list[EditionOrder] = []
        while self._waiting and len(orders) < room:
            try:
                orders += self._begin(self._waiting[0])
            except StoreAwayError:
                if orders:
                    break
                raise
            self._waiting.popleft()
        return orders

    def end(self) -> None:
        """Record what was counted for the editions that were interrupted."""
        for each in self._begun:
            each.interrupt()

    def results(self) -> list[DeliveryResult]:
        """Return the result of each edition, in the order in which they began. Raises the first error, if any."""
        for each in self._begun:
            if each.error is not None:
                raise each.error
        return [each.result for each in self._begun if each.result is not None]

    def _look(self, before_joining: Callable[[], None]) -> None:
        """Find the editions that have become due, including this run's editions that have messages to try again."""
        store, now, found = self._project.store, self._project.clock(), list[Edition]()
        own = {each.edition.id: each for each in self._begun}
        for edition in store.editions.ready(now):
            before = own.get(edition.id)
            # An edition from which nothing could be claimed is left to the next run, or this one might never end.
            again = before and before.over and before.progress.done and store.ledger.next_try(edition.id)
            if (before is None and self._may_begin(edition)) or (again and again <= now):
                found.append(edition)
        if found:
            before_joining()
        self._waiting.extend(found)

    def _begin(self, edition: Edition) -> list[EditionOrder]:
        """Begin an edition. The result is empty if its messages cannot be made."""
        from publisher.mail.queue import EditionOrder  # not at the top: see open_transport

        config = self._project.config
        delivery = _EditionDelivery(self._project, edition, self._report, self._ended)
        self._begun.append(delivery)
        self._report(delivery.progress)
        try:
            headers = headers_of(config, edition.newsletter, edition.slot)
        except ProjectError as error:
            delivery.ended(error)
            return []
        newsletter = config.newsletter(edition.newsletter)
        priority = newsletter.priority if newsletter else 1
        told = (delivery.settled, delivery.refusals.reported, delivery.ended)
        return [EditionOrder(edition, headers, self._links, priority, *told)]

    def _report(self, progress: DeliveryProgress) -> None:
        with self._watching:
            self._watch(progress)


class _EditionDelivery:
    """The delivery of one edition by a run.

    over    whether it has ended
    result  the result, when it has ended well or the server has refused the edition
    error   why its messages could not be made
    """

    def __init__(
        self, project: Project, edition: Edition, report: Watch, ended: Callable[[DeliveryResult], None]
    ) -> None:
        counts = project.store.deliveries.counts(edition.id)
        self.edition, self._project, self._report, self._ended = edition, project, report, ended
        self.progress = DeliveryProgress(edition, counts.open)
        self.refusals = _Refusals(project, self.progress, counts[DeliveryStatus.SENT])
        self.over = False
        self.result: DeliveryResult | None = None
        self.error: PublisherError | None = None

    def settled(self, delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        """Count a delivery."""
        self.progress.count(status)
        self._report(self.progress)

    def ended(self, error: PublisherError | None) -> None:
        """Note the result. An edition that the server refuses is put on hold."""
        store, refusals = self._project.store, self.refusals
        if isinstance(error, RefusedError):
            operations.hold(store, self.edition, error.message, HeldBy.SERVER)
        else:
            self.error = error
        refusals.end()
        (result,) = results_so_far(store, [self.progress])
        self.result = replace(result, stopped=refusals.stopped, doubted=refusals.doubted)
        if not self.over and self.error is None:
            self._ended(self.result)
        self.over = True

    def interrupt(self) -> None:
        """Record what was counted, if the edition has not ended."""
        if not self.over:
            self.refusals.end()


def _troubles(transport: Transport) -> tuple[TransportError, ...]:
    from publisher.mail.queue import BulkTransport  # not at the top: see above

    return transport.troubles() if isinstance(transport, BulkTransport) else ()


class _Refusals:
    """Counts the messages that were refused for good, unless the mail server refuses implausibly many mailboxes.

    Messages that were refused for their content or sender are recorded, but count against no one.
    """

    def __init__(self, project: Project, progress: DeliveryProgress, sent_before: int) -> None:
        """Prepare to count. sent_before: how many messages of the edition earlier runs have sent."""
        self._project, self._progress, self._sent_before = project, progress, sent_before
        self._source = f"mail server, {progress.edition.newsletter} {progress.edition.slot}"
        self._waiting: list[SendingFailure] = []
        self._rejected: list[SendingFailure] = []
        self._counted = 0
        self.stopped, self.doubted = Counter[Verdict](), Counter[Verdict]()

    def reported(self, delivery: Delivery, outcome: Deferred | Rejected) -> Verdict:
        """Note a delivery that failed for good, and return the verdict on the mail server's last answer."""
        refusal = judge_refusal(delivery.id, outcome.reason)
        if refusal.verdict is Verdict.REFUSED:
            self._rejected.append(refusal)
        elif outcome.at is RefusedAt.RECIPIENT:
            self._counted += 1
            self._waiting.append(refusal)
        if max(len(self._waiting), len(self._rejected)) % REFUSAL_GROUP == 0:
            with suppress(StoreAwayError):  # they are recorded with the next group
                self._write()
        return refusal.verdict

    def end(self) -> None:
        """Record the remaining refusals, or count them as doubted."""
        self._write()
        self.doubted = Counter(refusal.verdict for refusal in self._waiting)

    def _write(self) -> None:
        answered = self._sent_before + self._progress.done
        group, left = self._rejected, self._waiting
        if self._counted <= REFUSALS_BELIEVED or 2 * self._counted <= answered:
            group, left = group + left, []
        if group:
            project = self._project
            terms = subscription_policy(project.config)
            self.stopped += take_refusals(project.store, terms, group, now=project.clock(), source=self._source)
        self._rejected, self._waiting = [], left
