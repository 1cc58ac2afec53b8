"""Process bounce reports: read each report, judge it, and update its subscriber."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.bounces.apply import subscriptions_of, take_report
from publisher.bounces.mailboxes import ReportSource, open_source
from publisher.bounces.reading import Signatures, read_message
from publisher.config import Config
from publisher.config.private_paths import password_in
from publisher.core.bounce_report import Report, Verdict
from publisher.core.errors import BounceError, PublisherError
from publisher.core.frozen import dataclass
from publisher.core.logging import log
from publisher.core.templates import Templates
from publisher.publishing.farewell import farewell_email, sends_farewells
from publisher.publishing.mail_wiring import open_transport, project_links, return_path, subscription_policy
from publisher.publishing.subscription_emails import send_subscription_email
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store

BY_MAIL = "report by mail"

# The singular and plural name of each verdict, in the order of a summary.
_WORDS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.PERMANENT: ("hard bounce", "hard bounces"),
    Verdict.TEMPORARY: ("soft bounce", "soft bounces"),
    Verdict.REFUSED: ("rejected for its content or sender", "rejected for their content or sender"),
    Verdict.COMPLAINT: ("spam complaint", "spam complaints"),
    Verdict.UNSUBSCRIBED: ("unsubscribe", "unsubscribes"),
    Verdict.NOTHING: ("delay or automatic reply", "delays or automatic replies"),
    Verdict.KNOWN: ("already processed", "already processed"),
    Verdict.GONE: ("for a deleted subscriber", "for deleted subscribers"),
    Verdict.FOREIGN: ("not for this project", "not for this project"),
    Verdict.FORGED: ("forged", "forged"),
}


@dataclass(frozen=True, slots=True)
class BounceReport:
    """The number of reports that were read, by verdict."""

    counts: Mapping[Verdict, int] = field(default_factory=dict)

    def __getitem__(self, verdict: Verdict) -> int:
        return self.counts.get(verdict, 0)

    @property
    def read(self) -> int:
        """The total number of reports."""
        return sum(self.counts.values())

    @property
    def summary(self) -> str:
        """The counts in one line: "12 read: 3 hard bounces, 7 soft bounces, 1 spam complaint, 1 forged"."""
        parts = [f"{self[verdict]:,} {words[self[verdict] != 1]}" for verdict, words in _WORDS.items() if self[verdict]]
        return f"{self.read:,} read: {', '.join(parts)}" if parts else "nothing to read"


def read_bounces(
    config: Config,
    store: Store,
    now: datetime,
    *,
    source: str = "",
    dry_run: bool = False,
    is_over: Callable[[], bool] = lambda: False,
) -> BounceReport:
    """Process every new report in a source, and mark it there as read.

    After an interruption, the reports already processed keep their effect. No report is processed twice, however often
    it is read.

    source   a path or URL; by default the setting bounces.source
    dry_run  whether to write nothing and mark no report
    is_over  returns, after each report, whether to leave the others for the next time
    Raises BounceError if there is no source or it cannot be read, and StoreError if the database fails.
    """
    place = source or config.bounces.source
    if not place:
        raise BounceError("there is no source of bounce reports", hint="name one, or set bounces.source")
    found = open_source(place, config.root, lambda: _password(config))
    return apply_messages(config, store, found, now, dry_run, is_over)


def apply_messages(
    config: Config,
    store: Store,
    source: ReportSource,
    now: datetime,
    dry_run: bool = False,
    is_over: Callable[[], bool] = lambda: False,
) -> BounceReport:
    """Process the messages of an open source, as `read_bounces` does. Raises the same errors."""
    signatures, terms, counts = signatures_of(config), subscription_policy(config), Counter[Verdict]()
    with closing(source.messages()) as messages:
        for message in messages:
            report = read_message(message.data, signatures)
            if dry_run:
                counts[take_report(store, terms, report, now=now, source=BY_MAIL, dry_run=True)] += 1
                continue
            verdict, uid, left = _taken(store, terms, report, now, BY_MAIL, with_farewell=sends_farewells(config))
            counts[verdict] += 1
            message.mark_read()
            if left:
                _send_farewell(config, store, uid, left, now)
            if is_over():
                break
    return BounceReport(counts)


def _taken(
    store: Store, terms: SubscriptionPolicy, report: Report, now: datetime, source: str, *, with_farewell: bool
) -> tuple[Verdict, str, frozenset[str]]:
    """Apply a report; return the verdict, and the uid and the newsletters of someone who unsubscribed with it."""
    leaving = with_farewell and report.verdict is Verdict.UNSUBSCRIBED
    uid, before = subscriptions_of(store, report, now) if leaving else ("", frozenset[str]())
    verdict = take_report(store, terms, report, now=now, source=source)
    return verdict, uid, before - subscriptions_of(store, report, now)[1] if before else before


def _send_farewell(config: Config, store: Store, uid: str, left: Collection[str], now: datetime) -> None:
    """Send the email about unsubscribing, if the project sends one. A failure to send it is only logged."""
    email = farewell_email(config, store, subscription_policy(config), uid, left, now)
    if email is None:
        return
    try:
        with open_transport(config) as transport:
            templates, links = Templates(config.root / "templates"), project_links(config)
            send_subscription_email(config, store, links, templates, transport, email, now)
    except PublisherError as error:
        log("farewell failed", level="warning", error=type(error).__name__)


def apply_reports(
    config: Config,
    store: Store,
    reports: Iterable[Report],
    now: datetime,
    source: str,
    farewell_to: Callable[[str, Collection[str]], None],
) -> BounceReport:
    """Process reports that have already been parsed, for example those in a webhook's request, each in a transaction.

    farewell_to: called with the uid and the newsletters of each subscriber who unsubscribed at the provider, if the
    project sends an email about that
    """
    terms, counts = subscription_policy(config), Counter[Verdict]()
    for report in reports:
        verdict, uid, left = _taken(store, terms, report, now, source, with_farewell=sends_farewells(config))
        counts[verdict] += 1
        if left:
            farewell_to(uid, left)
    return BounceReport(counts)


def signatures_of(config: Config) -> Signatures:
    """Return the signatures by which a report's message is recognised: return addresses and personal links."""
    return Signatures(return_path(config), project_links(config))


def _password(config: Config) -> str:
    if config.bounces.password:
        return config.bounces.password
    if not config.bounces.password_file:
        hint = "set PUBLISHER_BOUNCES_PASSWORD or bounces.password_file"
        raise BounceError("there is no password for the mailbox", where=config.bounces.source, hint=hint)
    return password_in(config.root, config.bounces.password_file)
