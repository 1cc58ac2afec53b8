"""Random histories of kills, answers, expired leases and commands, against the real ledger."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from publisher.core.newsletter_models import DeliveryStatus
from publisher.publishing import operations as by_hand
from publisher.store import open_store
from tests.support.delivery_samples import make_edition
from tests.support.mortal_sender import ANSWERS, Log, Plan, deliver_in_own_process
from tests.support.store_samples import NOW

READERS = 8
SENT, FAILED, SKIPPED = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.SKIPPED
UNCERTAIN = DeliveryStatus.UNCERTAIN
ENDINGS = ("", "", "killed before", "killed after", "interrupted", "away", "stalled")

readers = st.integers(0, READERS - 1).map(lambda number: f"reader{number}@example.org")
plans = st.builds(
    Plan,
    answers=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=READERS).map(tuple),
    ends_at=st.integers(0, READERS - 1),
    ends=st.sampled_from(ENDINGS),
    ticks=st.one_of(st.just(0), st.integers(1, 40)),
    dawdles=st.sampled_from((0, 0, 25)),
    leaves=st.one_of(st.just(""), readers),
)


killings = st.builds(Plan, ends_at=st.integers(0, 3), ends=st.sampled_from(("killed before", "killed after")))


class Histories(RuleBasedStateMachine):
    """An edition for eight subscribers, and everything that may happen to it."""

    @initialize(mode=st.sampled_from(("hold", "resend")), plan=killings | plans)
    def begin(self, mode: str, plan: Plan) -> None:
        """Each history begins with a run, when there is most to send."""
        self.folder = Path(tempfile.mkdtemp(prefix="publisher-history-"))
        self.url, self.mode, self.now = f"sqlite:///{self.folder}/publisher.db", mode, NOW
        self.log = Log(self.folder / "log")
        self.store = open_store(self.url, self.folder)
        self.edition = make_edition(self.store, READERS)
        self.over: dict[str, DeliveryStatus] = {}  # final statuses, as they were first seen
        self.gone: set[str] = set()
        self.may_copy: Counter[str] = Counter()  # how many copies of a subscriber's message may be sent
        self.lapsed = False
        self.run(plan)

    def handed(self) -> list[tuple[str, str]]:
        return [(words[1], words[2]) for run in self.log.runs() for words in run if words[0] == "handed"]

    def got(self) -> Counter[str]:
        return Counter(words[1] for run in self.log.runs() for words in run if words[0] == "arrived")

    def statuses(self) -> dict[str, DeliveryStatus]:
        return {row.address: row.status for row in self.store.ledger.rows(self.edition.id)}

    @rule(plan=killings)
    def killed_run(self, plan: Plan) -> None:
        """A run that is always killed, if there is anything to send."""
        self.run(plan)

    @rule()
    def good_run(self) -> None:
        self.run(Plan())

    @rule(plan=plans)
    def run(self, plan: Plan) -> None:
        """A run of a sender, which may be killed at any moment."""
        held = bool(self.store.editions.list()[0].held)
        signal = deliver_in_own_process(self.url, self.folder, self.mode, self.now, plan)
        self.now += timedelta(minutes=20)
        lines = self.log.runs()[-1]
        handed = [words[1] for words in lines if words[0] == "handed"]
        assert not (held and handed)
        assert self.gone.isdisjoint(handed)
        self.gone.update(words[1] for words in lines if words[0] == "left")
        self.lapsed = self.lapsed or plan.ends == "stalled"
        self.count_doubt(plan, handed, killed=bool(signal))

    def count_doubt(self, plan: Plan, handed: list[str], *, killed: bool) -> None:
        """Note who may get a duplicate because the answer to their message was lost; with "hold", no one may."""
        if self.mode == "hold":
            return
        if handed and (killed or plan.ends in ("interrupted", "stalled")):
            self.may_copy.update({handed[-1], handed[min(plan.ends_at, len(handed) - 1)]})
        self.may_copy.update(
            who for who, answer in zip(handed, plan.answers, strict=False) if answer.startswith("unanswered")
        )

    @rule(minutes=st.sampled_from((6, 60, 60 * 24)))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(address=readers)
    def leave(self, address: str) -> None:
        self.store.subscribers.remove(address, at=self.now, source="link")
        self.gone.add(address)

    @rule()
    def hold(self) -> None:
        by_hand.hold(self.store, self.edition, "a person wants to look")
        self.run(Plan())

    @rule()
    def resume(self) -> None:
        by_hand.resume(self.store, self.edition, now=self.now)

    @rule(statuses=st.sets(st.sampled_from(sorted(by_hand.RETRIABLE))))
    def retry(self, statuses: set[DeliveryStatus]) -> None:
        """Let the owner retry uncertain messages, which may send duplicates."""
        self.may_copy.update(
            who for who, status in self.statuses().items() if status in statuses - {DeliveryStatus.QUEUED}
        )
        by_hand.retry(self.store, self.edition, statuses, now=self.now)

    @rule()
    def cancel(self) -> None:
        by_hand.cancel(self.store, self.edition, why="it was a mistake")

    @invariant()
    def every_reader_has_one_row(self) -> None:
        assert len(self.statuses()) == READERS

    @invariant()
    def what_is_over_stays_so(self) -> None:
        now = self.statuses()
        assert {who: now[who] for who in self.over} == self.over
        self.over |= {who: status for who, status in now.items() if status in (SENT, SKIPPED)}

    @invariant()
    def what_is_sent_arrived(self) -> None:
        got = self.got()
        assert all(got[who] for who, status in self.statuses().items() if status is SENT)

    @invariant()
    def copies_are_the_same_and_only_of_what_was_in_doubt(self) -> None:
        assert len(set(self.handed())) == len({who for who, _ in self.handed()})
        assert all(count - 1 <= self.may_copy[who] for who, count in self.got().items())

    @invariant()
    def nothing_is_in_doubt_that_was_not_handed_over(self) -> None:
        """The exception is an expired lease of a living worker, whose journal is not read."""
        if not self.lapsed:
            uncertain = {who for who, status in self.statuses().items() if status is UNCERTAIN}
            assert uncertain <= {who for who, _ in self.handed()}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            try:
                self.nobody_is_lost()
            finally:
                self.store.close()
                shutil.rmtree(self.folder)

    def nobody_is_lost(self) -> None:
        """Let everything succeed: then each subscriber has the email, or a row that says why not."""
        by_hand.resume(self.store, self.edition, now=self.now)
        self.now += timedelta(days=1)
        self.run(Plan())
        got = self.got()
        for row in self.store.ledger.rows(self.edition.id):
            assert row.status in (SENT, FAILED, SKIPPED, UNCERTAIN)
            assert row.status is SENT or row.reason
            assert got[row.address] or row.status is not SENT
            assert not (row.status is UNCERTAIN and self.mode == "resend")
        self.copies_are_the_same_and_only_of_what_was_in_doubt()
        self.what_is_over_stays_so()


Histories.TestCase.settings = settings(
    max_examples=settings.default.max_examples // 5,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestWhateverHappensNobodyIsLostAndNobodyGetsTwo = Histories.TestCase
