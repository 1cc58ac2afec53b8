"""Delivering unfinished editions, one after the other, and what the mail server's answers say about subscribers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.bounces.apply import stop_gone
from publisher.core.errors import RefusedError, TransportError
from publisher.core.hold_reasons import HeldBy
from publisher.core.newsletter_models import Delivery, DeliveryCounts, DeliveryStatus, Edition
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
    from publisher.mail.transport import Transport
    from publisher.store import Store

# Mailboxes that do not exist are recorded in groups of this size, which takes a tenth of the time of one by one.
GONE_GROUP = 50

# If more mailboxes than this, and more than half of those that answered, do not exist, the server is to blame.
GONE_BELIEVED = 20


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What became of the deliveries of one edition.

    edition    as it is after the run, including its hold
    sent       messages sent by this run; another one may be sending at the same time
    unmatched  subscribers who got nothing because no post matches their topics; known only to the run that created
               the edition
    stopped    subscribers who get no more email because their mailboxes do not exist
    doubted    mailboxes that the mail server says do not exist, if they are too many to be believed
    next_try   when the first waiting message is due; None if none is waiting
    troubles   what is wrong with mail servers whose work others have taken over
    """

    edition: Edition
    sent: int
    after: DeliveryCounts
    unmatched: int = 0
    stopped: int = 0
    doubted: int = 0
    next_try: datetime | None = None
    troubles: tuple[TransportError, ...] = ()

    @property
    def all_sent(self) -> bool:
        """Whether nothing is left that this run should have sent. It is not responsible for editions on hold."""
        after, Status = self.after, DeliveryStatus  # noqa: N806 - an enum
        left = after[Status.DEFERRED] + after[Status.FAILED] + after[Status.UNCERTAIN]
        return not left and (not after[Status.QUEUED] or bool(self.edition.held))


class DeliveryProgress:
    """How far a run has come with one edition."""

    def __init__(self, edition: Edition, total: int) -> None:
        """total: how many deliveries were open when the run began."""
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
    """Deliver everything that is unfinished and due, oldest edition first. See deliver_editions."""
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
    """Deliver what is due of these editions, one after the other.

    An edition that the mail server rejects for every recipient is put on hold with the reason; the others go on.
    Subscribers whose mailboxes do not exist get no more email.

    watch    called when an edition begins, and after each delivery
    created  the editions that this run has created. Those that are on hold or have no recipients are in the result
             as well
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
    """Return what became of the editions of a run that was stopped."""
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
    gone = _GoneMailboxes(project, progress)
    report = watch or (lambda progress: None)

    def settled(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        progress.count(status)
        report(progress)

    report(progress)
    headers, options = headers_of(config, edition.newsletter), delivery_options(config, stop)
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
            gone=gone.reported,
        )
    except RefusedError as error:
        operations.hold(store, edition, error.message, HeldBy.SERVER)
    finally:
        gone.end()
    (result,) = results_so_far(store, [progress])
    return replace(result, stopped=gone.stopped, doubted=gone.doubted, troubles=_troubles(transport))


def _troubles(transport: Transport) -> tuple[TransportError, ...]:
    from publisher.mail.queue import BulkTransport  # not at the top: see above

    return transport.troubles() if isinstance(transport, BulkTransport) else ()


class _GoneMailboxes:
    """Stops email to mailboxes that do not exist, as long as the mail server can be believed."""

    def __init__(self, project: Project, progress: DeliveryProgress) -> None:
        self._project, self._progress = project, progress
        self._source = f"mail server, {progress.edition.newsletter} {progress.edition.slot}"
        self._waiting: list[tuple[str, str]] = []
        self._reported = self.stopped = self.doubted = 0

    def reported(self, delivery: Delivery, reason: str) -> None:
        """Note that the mail server says a mailbox does not exist."""
        self._reported += 1
        self._waiting.append((delivery.subscriber_uid, reason))
        if len(self._waiting) % GONE_GROUP == 0:
            self._write()

    def end(self) -> None:
        """Record the rest, or count it as doubted."""
        self._write()
        self.doubted = len(self._waiting)

    def _write(self) -> None:
        believed = self._reported <= GONE_BELIEVED or 2 * self._reported <= self._progress.done
        if self._waiting and believed:
            project = self._project
            group, self._waiting = self._waiting, []
            terms = subscription_policy(project.config)
            self.stopped += stop_gone(project.store, terms, group, now=project.clock(), source=self._source)
