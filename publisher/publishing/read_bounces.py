"""From reports of letters that came back to what the record says of their readers: read, judge, take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.bounce_report import Report, Verdict
from publisher.core.errors import BounceError, ProjectError
from publisher.publishing.wiring import project_links, return_path, subscription_policy

if TYPE_CHECKING:
    from publisher.bounces.reading import Signatures
    from publisher.bounces.sources import ReportSource
    from publisher.store import Store

BY_MAIL = "report by mail"

# How a summary names each verdict, in this order.
_WORDS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.PERMANENT: ("permanent", "permanent"),
    Verdict.TEMPORARY: ("temporary", "temporary"),
    Verdict.REFUSED: ("refused for its content or sender", "refused for their content or sender"),
    Verdict.COMPLAINT: ("complaint", "complaints"),
    Verdict.NOTHING: ("delay or automatic answer", "delays or automatic answers"),
    Verdict.KNOWN: ("known already", "known already"),
    Verdict.GONE: ("of a reader who is gone", "of readers who are gone"),
    Verdict.FOREIGN: ("not ours", "not ours"),
    Verdict.FORGED: ("forged", "forged"),
}


@dataclass(frozen=True, slots=True)
class BounceReport:
    """How many reports were read, by what came of them."""

    counts: Mapping[Verdict, int] = field(default_factory=dict)

    def __getitem__(self, verdict: Verdict) -> int:
        return self.counts.get(verdict, 0)

    @property
    def read(self) -> int:
        """How many there were."""
        return sum(self.counts.values())

    @property
    def summary(self) -> str:
        """All of it in a line: "12 read: 3 permanent, 7 temporary, 1 complaint, 1 not ours"."""
        told = [f"{self[verdict]:,} {words[self[verdict] != 1]}" for verdict, words in _WORDS.items() if self[verdict]]
        return f"{self.read:,} read: {', '.join(told)}" if told else "nothing to read"


def read_bounces(
    config: Config, store: Store, now: datetime, *, source: str = "", dry_run: bool = False
) -> BounceReport:
    """Read every new report in a source, give each its effect, and mark it there as read.

    source    a path or URL; by default the one that bounces.source names
    dry_run  write nothing and mark nothing
    Whatever was taken when it is interrupted stays taken, and nothing is taken twice, however often it is read.
    Raises BounceError where there is no source or it cannot be read, StoreError where the record says no.
    """
    from publisher.bounces.sources import open_source

    place = source or config.bounces.source
    if not place:
        raise BounceError("there is no source of reports", hint="name one, or set bounces.source")
    return take_messages(config, store, open_source(place, config.root, lambda: _password(config)), now, dry_run)


def take_messages(
    config: Config, store: Store, source: ReportSource, now: datetime, dry_run: bool = False
) -> BounceReport:
    """Give every message of a source its effect. Raises like `read_bounces`."""
    from publisher.bounces.apply import take_report
    from publisher.bounces.reading import read_message

    signatures, terms, counts = signatures_of(config), subscription_policy(config), Counter[Verdict]()
    for message in source.messages():
        report = read_message(message.data, signatures)
        counts[take_report(store, terms, report, now=now, source=BY_MAIL, dry_run=dry_run)] += 1
        if not dry_run:
            message.mark_read()
    return BounceReport(counts)


def take_reports(config: Config, store: Store, reports: Iterable[Report], now: datetime, source: str) -> BounceReport:
    """Give reports that are judged already their effect, each in a transaction of its own."""
    from publisher.bounces.apply import take_report

    terms = subscription_policy(config)
    outcomes = (take_report(store, terms, report, now=now, source=source) for report in reports)
    return BounceReport(Counter(outcomes))


def signatures_of(config: Config) -> Signatures:
    """Return what identifies the messages of this project."""
    from publisher.bounces.reading import Signatures

    return Signatures(return_path(config), project_links(config))


def _password(config: Config) -> str:
    if config.bounces.password:
        return config.bounces.password
    if not config.bounces.password_file:
        hint = "set PUBLISHER_BOUNCES_PASSWORD or bounces.password_file"
        raise BounceError("there is no password for the mailbox", where=config.bounces.source, hint=hint)
    path = config.root / config.bounces.password_file
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        what = f"the password cannot be read: {error}"
        raise ProjectError(what, where=str(path), hint="see bounces.password_file") from error
