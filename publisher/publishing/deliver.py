"""Deliver unfinished editions, one after the other, and count the messages that mail servers refuse for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.bounces.apply import SendingFailure, judge_refusal, take_refusals
from publisher.core.bounce_report import Verdict
from publisher.core.errors import RefusedError, TransportError
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
    from publisher.mail.links import Links
    from publisher.mail.run_options import Stop
    from publisher.mail.transport import Deferred, Rejected, Transport
    from publisher.store import Store

# Refusals are recorded in groups of this size, which is ten times as fast as one at a time.
REFUSAL_GROUP = 50

# If a server refuses more mailboxes than this, and more than half of those that it answered for, it is to blame itself.
REFUSALS_BELIEVED = 20


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
    doubted    number of mailboxes that the mail server refuses, by verdict, if there are too many to believe it
    next_try   when the first waiting message is due; None if no message is waiting
    troubles   errors of mail servers whose work other servers have taken over
    """

    edition: Edition
    sent: int
    after: DeliveryCounts
    unmatched: int = 0
    stopped: Mapping[Verdict, int] = field(default_factory=dict)
    doubted: Mapping[Verdict, int] = field(default_factory=dict)
    next_try: datetime | None = None
    troubles: tuple[TransportError, ...] = ()

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
        return self._settled.total()

    @property
    def total(self) -> int:
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

    names  names of the newsletters to deliver; all if it is empty
    """
    now = project.clock()
    unfinished = [e for e in project.store.editions.unfinished() if not names or e.newsletter in names]
    ready = [each for each in unfinished if not each.held and (each.goes_at is None or each.goes_at <= now)]
    return deliver_editions(project, ready, watch, created)


def deliver_editions(
    project: Project,
    editions: Sequence[Edition],
    watch: Watch | None = None,
    created: Created = (),
    stop: Stop | None = None,
) -> list[DeliveryResult]:
    """Deliver the messages of these editions that are due, one edition after the other.

    An edition that the mail server rejects for every recipient is put on hold with the reason, and the run continues
    with the next edition. Subscribers whose mailboxes do not exist get no more email.

    watch    called when an edition begins, and after each delivery
    created  the editions that this run has created; the result also includes the editions among them that are on
             hold or have no recipients
    stop     lets another thread end the run, which then raises StoppedError
    Raises TransportError if the transport does not answer.
    """
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
    links = project_links(project.config)
    with open_transport(project.config) as transport:
        for edition in editions:
            done = _deliver_edition(project, transport, edition, links, watch, stop)
            results.append(replace(done, unmatched=unmatched.get(edition.id, 0)))
    return results


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


def _deliver_edition(
    project: Project,
    transport: Transport,
    edition: Edition,
    links: Links,
    watch: Watch | None,
    stop: Stop | None,
) -> DeliveryResult:
    from publisher.mail.queue import deliver  # not at the top: loads the SMTP client, see open_transport

    config, store = project.config, project.store
    progress = DeliveryProgress(edition, store.deliveries.counts(edition.id).open)
    refusals = _Refusals(project, progress, store.deliveries.counts(edition.id)[DeliveryStatus.SENT])
    report = watch or (lambda progress: None)

    def settled(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        progress.count(status)
        report(progress)

    report(progress)
    headers, options = headers_of(config, edition.newsletter, edition.slot), delivery_options(config, stop)
    try:
        deliver(
            store,
            transport,
            edition,
            headers,
            links,
            options=options,
            clock=project.clock,
            progress=settled,
            refused=refusals.reported,
        )
    except RefusedError as error:
        operations.hold(store, edition, error.message, HeldBy.SERVER)
    finally:
        refusals.end()
    (result,) = results_so_far(store, [progress])
    return replace(result, stopped=refusals.stopped, doubted=refusals.doubted, troubles=_troubles(transport))


def _troubles(transport: Transport) -> tuple[TransportError, ...]:
    from publisher.mail.queue import BulkTransport  # not at the top: see above

    return transport.troubles() if isinstance(transport, BulkTransport) else ()


class _Refusals:
    """Counts the messages that were refused for good, unless the mail server refuses implausibly many mailboxes.

    Those that were refused for their content or sender are recorded, but count against nobody.
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
            self._write()
        return refusal.verdict

    def end(self) -> None:
        """Record the remaining refusals, or count them as doubted."""
        self._write()
        self.doubted = Counter(refusal.verdict for refusal in self._waiting)

    def _write(self) -> None:
        answered = self._sent_before + self._progress.done
        group, self._rejected = self._rejected, []
        if self._counted <= REFUSALS_BELIEVED or 2 * self._counted <= answered:
            group, self._waiting = group + self._waiting, []
        if group:
            project = self._project
            terms = subscription_policy(project.config)
            self.stopped += take_refusals(project.store, terms, group, now=project.clock(), source=self._source)
