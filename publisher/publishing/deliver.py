"""Delivering what is open: one edition after the other, and what is learned on the way about them and their readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import RefusedError, TransportError
from publisher.core.hold_reasons import HeldBy
from publisher.core.newsletter_models import Delivery, DeliveryCounts, DeliveryStatus, Edition
from publisher.publishing.render import Planned
from publisher.publishing.wiring import delivery_terms, headers_of, open_transport, project_links, subscription_policy

if TYPE_CHECKING:
    from publisher.mail.links import Links
    from publisher.mail.run_options import Stop
    from publisher.mail.transport import Transport
    from publisher.store import Store

# Mailboxes that are gone are written down in groups: a group takes a tenth of the time of its people one by one.
GONE_GROUP = 50

# More gone mailboxes than this, and more than half of the answers, say more of the mail server than of the readers.
GONE_BELIEVED = 20


@dataclass(frozen=True, slots=True)
class Made:
    """An edition that a run wrote into the ledger, and what it was made from."""

    planned: Planned
    edition: Edition


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the deliveries of one edition.

    edition    as it stands after the run: held too
    sent       by this run; another one may send at the same time
    unmatched  how many subscribers got nothing because no post has any of their topics; known to the run
               that made the edition
    stopped    how many readers are mailed no more, because their mailboxes are gone
    doubted    how many mailboxes the mail server calls gone, where they are too many to be believed
    next_try   when the first of what still waits is due, None where nothing waits
    troubles   what is wrong by then with mail servers for which others stood in
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
        """Whether nothing is left that this run should have sent: what was held before it is not its business."""
        after, Status = self.after, DeliveryStatus  # noqa: N806 - an enum
        left = after[Status.DEFERRED] + after[Status.FAILED] + after[Status.UNCERTAIN]
        return not left and (not after[Status.QUEUED] or bool(self.edition.held))


class Tally:
    """What a run has done of one edition so far, for whoever watches."""

    def __init__(self, edition: Edition, total: int) -> None:
        """total: how many deliveries were open when the run began."""
        self.edition = edition
        self._total = total
        self._settled: Counter[DeliveryStatus] = Counter()

    def __getitem__(self, status: DeliveryStatus) -> int:
        """Return how many deliveries this run has brought into a status."""
        return self._settled[status]

    @property
    def done(self) -> int:
        return self._settled.total()

    @property
    def total(self) -> int:
        return max(self._total, self.done)

    def count(self, status: DeliveryStatus) -> None:
        """Take one more delivery in."""
        self._settled[status] += 1


Watch = Callable[[Tally], None]


def deliver_open(
    config: Config,
    store: Store,
    names: Sequence[str],
    clock: Callable[[], datetime],
    watch: Watch | None = None,
    made: Sequence[Made] = (),
) -> list[Delivered]:
    """Deliver whatever is open and may go, oldest edition first; see deliver_editions."""
    now = clock()
    waiting = [edition for edition in store.editions.unfinished() if not names or edition.newsletter in names]
    goes = [each for each in waiting if not each.held and (each.goes_at is None or each.goes_at <= now)]
    return deliver_editions(config, store, goes, clock, watch, made)


def deliver_editions(
    config: Config,
    store: Store,
    editions: Sequence[Edition],
    clock: Callable[[], datetime],
    watch: Watch | None = None,
    made: Sequence[Made] = (),
    stop: Stop | None = None,
) -> list[Delivered]:
    """Deliver what is due of these editions, one after the other; raise TransportError for a transport without answer.

    An edition that the mail server refuses whoever it is for is held with the reason, and the others go on. Readers
    whose mailboxes are gone are mailed no more. watch: told of an edition when it begins, and of each delivery.
    made: by this run. Those that go to nobody, or are held, stand in the result too. stop: ends it from
    outside, with StoppedError.
    """
    unmatched = {one.edition.id: one.planned.unmatched for one in made}
    begun = {edition.id for edition in editions}
    results = [
        Delivered(one.edition, 0, store.deliveries.counts(one.edition.id), one.planned.unmatched)
        for one in made
        if one.edition.id not in begun
    ]
    if not editions:
        return results
    links = project_links(config)
    with open_transport(config) as transport:
        for edition in editions:
            done = _deliver_one(config, store, transport, edition, links, clock, watch, stop)
            results.append(replace(done, unmatched=unmatched.get(edition.id, 0)))
    return results


def so_far(store: Store, tallies: Iterable[Tally]) -> list[Delivered]:
    """Return what became of the editions of a run that was stopped."""
    return [
        Delivered(
            store.editions.get(tally.edition.id) or tally.edition,
            tally[DeliveryStatus.SENT],
            store.deliveries.counts(tally.edition.id),
            next_try=store.ledger.next_try(tally.edition.id),
        )
        for tally in tallies
    ]


def _deliver_one(
    config: Config,
    store: Store,
    transport: Transport,
    edition: Edition,
    links: Links,
    clock: Callable[[], datetime],
    watch: Watch | None,
    stop: Stop | None,
) -> Delivered:
    from publisher.mail.queue import deliver
    from publisher.publishing import operations as by_hand

    tally = Tally(edition, store.deliveries.counts(edition.id).open)
    gone = _Gone(config, store, tally, clock)
    told = watch or (lambda tally: None)

    def settled(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        tally.count(status)
        told(tally)

    told(tally)
    headers, terms = headers_of(config, edition.newsletter), delivery_terms(config, stop)
    try:
        deliver(
            store, transport, edition, headers, links, options=terms, clock=clock, progress=settled, gone=gone.heard
        )
    except RefusedError as error:
        by_hand.hold(store, edition, error.message, HeldBy.SERVER)
    finally:
        gone.end()
    (result,) = so_far(store, [tally])
    return replace(result, stopped=gone.stopped, doubted=gone.doubted, troubles=_troubles(transport))


def _troubles(transport: Transport) -> tuple[TransportError, ...]:
    from publisher.mail.queue import BulkTransport

    return transport.troubles() if isinstance(transport, BulkTransport) else ()


class _Gone:
    """Stops the mail to those whose mailboxes are gone, as long as that can be believed."""

    def __init__(self, config: Config, store: Store, tally: Tally, clock: Callable[[], datetime]) -> None:
        self._config, self._store, self._tally, self._clock = config, store, tally, clock
        self._source = f"mail server, {tally.edition.newsletter} {tally.edition.slot}"
        self._waiting: list[tuple[str, str]] = []
        self._heard = self.stopped = self.doubted = 0

    def heard(self, delivery: Delivery, reason: str) -> None:
        """Take the mail server's word; see deliver."""
        self._heard += 1
        self._waiting.append((delivery.subscriber_uid, reason))
        if len(self._waiting) % GONE_GROUP == 0:
            self._write()

    def end(self) -> None:
        """Write down the rest, or know how many are doubted."""
        self._write()
        self.doubted = len(self._waiting)

    def _write(self) -> None:
        from publisher.bounces.apply import stop_gone

        believed = self._heard <= GONE_BELIEVED or 2 * self._heard <= self._tally.done
        if self._waiting and believed:
            group, self._waiting = self._waiting, []
            self.stopped += stop_gone(
                self._store, subscription_policy(self._config), group, now=self._clock(), source=self._source
            )
