"""Random histories of people: whatever happens in whatever order, no one gets email against their will.

`make fuzz` plays many more of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.bounce_report import Verdict
from publisher.core.newsletter_models import SubscriberStatus
from publisher.store import Store, open_store
from publisher.store.migrate import move_to
from publisher.store.tables import HEAD
from tests.support.consent_samples import SECRET
from tests.support.csv_samples import bring, bring_file, export_to
from tests.support.store_samples import later
from tests.support.subscriber_life import FILES, Life, bring_all

BEFORE = "0009"
LATER = later(days=9_999)
NAMES = ("a", "b", "c")  # the newsletters of a history, each with its own names
_NUMBERS = count(1)


class History:
    """One person, and the latest decision by them or the owner about each newsletter at each of their addresses.

    no        (address, newsletter) -> who refused last, "person" or "owner"; no email may be sent there
    stopped   addresses that get nothing until the person acts, because all newsletters were refused
    asked_at  the address to which the unused confirmation link was sent
    asked     the newsletters of this link that no one has refused since
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.number = next(_NUMBERS)
        self.known = tuple(f"{name}{self.number}" for name in NAMES)
        self.life = Life(store, folder, f"p{self.number}@example.org", self.known)
        self.store, self.folder = store, folder
        self.no: dict[tuple[str, str], str] = {}
        self.stopped: set[str] = set()
        self.asked_at = ""
        self.asked: set[str] = set()

    def say_no(self, *names: str, who: str = "person") -> None:
        """Note a refusal of newsletters that the person has or had. Other newsletters are unaffected."""
        address, person = self.life.address, self.life.person
        for name in names:
            if person is None or person.record(name):
                stays = who == "person" and self.no.get((address, name)) == "owner"
                self.no[address, name] = "owner" if stays else who
        may_go_on = person is not None and person.status in (SubscriberStatus.BOUNCED, SubscriberStatus.PENDING)
        if not self.life.may_be_mailed() and not may_go_on:
            self.stopped.add(address)
        if address == self.asked_at:
            self.asked -= set(names)

    def say_yes(self, *names: str, undoes: tuple[str, ...] = ("person", "owner")) -> None:
        """Note consent, by the person or by the owner with a reason, for the named newsletters that are now sent."""
        got = self.life.may_be_mailed()
        for name in names:
            if name in got:
                self.stopped.discard(self.life.address)
                if self.no.get((self.life.address, name)) in undoes:
                    del self.no[self.life.address, name]

    def check(self) -> None:
        for address in dict.fromkeys(self.life.addresses):
            got = self.life.may_be_mailed(address)
            assert not [name for name in got if (address, name) in self.no], (address, got)
            assert not (got and address in self.stopped), (address, got)
            person = self.store.subscribers.get(address)
            if person is not None:
                assert (person.status is SubscriberStatus.ACTIVE) == bool(got), person
                stopped = person.status not in (SubscriberStatus.ACTIVE, SubscriberStatus.BOUNCED)
                assert not (stopped and person.subscriptions), person
        for name in self.known:
            listed = {each.address for each in self.store.subscribers.list(name, SubscriberStatus.ACTIVE)}
            mailed = {a for a in self.life.addresses if name in self.life.may_be_mailed(a)}
            assert listed == mailed
            assert self.store.subscribers.count(name, mailable_at=self.life.now) == len(mailed)

    # ------------------------------------------------------------------------------------------ what happens

    def play(self, verb: str, names: tuple[str, ...], file: str) -> None:
        """Let one event happen. names: the newsletters that it concerns."""
        mine = tuple(self.known[NAMES.index(name)] for name in names)
        self.life.wait(hours=1)
        getattr(self, verb)(mine, file)
        self.check()

    def sign_up(self, mine: tuple[str, ...], file: str) -> None:
        self.life.wait(days=8)  # the form limits the emails to a mailbox
        if self.life.sign_up(*mine):
            self.say_yes(*mine)

    def only_ask(self, mine: tuple[str, ...], file: str) -> None:
        if token := self.life.ask(*mine):
            self.life.kept, self.asked_at, self.asked = token, self.life.address, set(mine)

    def use_the_kept_link(self, mine: tuple[str, ...], file: str) -> None:
        """Use the link; a refusal since it was sent takes precedence."""
        if self.asked_at:
            self.life.address = self.asked_at
            if self.life.confirm(self.life.kept):
                self.say_yes(*self.asked)

    def leave(self, mine: tuple[str, ...], file: str) -> None:
        if self.life.leave(mine[0]):
            self.say_no(mine[0])

    def leave_all(self, mine: tuple[str, ...], file: str) -> None:
        self.life.leave(None)
        if self.life.person:
            self.say_no(*self.known)

    def leave_and_undo(self, mine: tuple[str, ...], file: str) -> None:
        before = self.life.may_be_mailed()
        self.life.leave(mine[0])
        assert mine[0] not in self.life.may_be_mailed()
        self.life.undo(mine[0])
        assert set(before) <= set(self.life.may_be_mailed())
        self.say_yes(mine[0], undoes=("person",))

    def leave_all_and_undo(self, mine: tuple[str, ...], file: str) -> None:
        before = self.life.may_be_mailed()
        self.life.leave(None)
        assert self.life.may_be_mailed() == ()
        self.life.undo(None)
        assert before in ((), self.life.may_be_mailed())
        self.say_yes(*self.known, undoes=("person",))

    def prefer(self, mine: tuple[str, ...], file: str) -> None:
        before = self.life.may_be_mailed()
        self.life.prefer(*mine)
        self.say_yes(*mine)
        if declined := [name for name in before if name not in self.life.may_be_mailed()]:
            self.say_no(*declined)

    def add(self, mine: tuple[str, ...], file: str) -> None:
        self.life.add("", *mine)

    def add_again(self, mine: tuple[str, ...], file: str) -> None:
        self.life.add("by phone", *mine)
        self.say_yes(*mine)

    def removed(self, mine: tuple[str, ...], file: str) -> None:
        self.life.unsubscribe_by_owner(mine[0])
        if self.life.person and self.life.person.record(mine[0]):
            self.say_no(mine[0], who="owner")

    def removed_from_all(self, mine: tuple[str, ...], file: str) -> None:
        self.life.unsubscribe_by_owner(None)
        if self.life.person:
            self.say_no(*self.known, who="owner")

    def suppress(self, mine: tuple[str, ...], file: str) -> None:
        self.life.suppress()
        self.say_no(*self.known, who="owner")

    def lift(self, mine: tuple[str, ...], file: str) -> None:
        """Lift a suppression; if the address was erased or moved, its earlier refusals no longer count."""
        forgotten = self.life.person is None
        self.life.lift()
        if forgotten:
            self.no = {key: who for key, who in self.no.items() if key[0] != self.life.address}
            self.stopped.discard(self.life.address)

    def erase(self, mine: tuple[str, ...], file: str) -> None:
        self.life.erase()
        self.say_no(*self.known, who="owner")

    def bounce(self, mine: tuple[str, ...], file: str) -> None:
        self.life.bounce()

    def complain(self, mine: tuple[str, ...], file: str) -> None:
        if self.life.person:
            self.life.bounce(Verdict.COMPLAINT)
            self.say_no(*self.known)

    def move(self, mine: tuple[str, ...], file: str) -> None:
        old = self.life.address
        self.life.move(f"{file[:1].lower()}{self.number}@example.net")
        new = self.life.address
        if new == old:
            return
        theirs = {(new, name): who for (address, name), who in self.no.items() if address == old}
        others = {key: who for key, who in self.no.items() if key[0] not in (new, old)}
        self.no = others | theirs | {(old, name): "owner" for name in self.known}
        self.stopped = ({new if each == old else each for each in self.stopped - {new}}) | {old}
        self.asked = set()

    def look_at_an_old_address(self, mine: tuple[str, ...], file: str) -> None:
        self.life.address = self.life.addresses[0]

    def bring(self, mine: tuple[str, ...], file: str) -> None:
        bring_all(self.store, self.folder, [self.life.address], file, now=self.life.now, newsletters=mine)

    def bring_and_undo(self, mine: tuple[str, ...], file: str) -> None:
        self.bring(mine, file)
        newest = max(self.store.imports.list(), key=lambda each: each.last_at)
        self.life.wait(hours=1)
        if newest.undone_at is None:
            self.store.imports.undo(newest.id, self.life.now)

    def gone_in_a_file(self, mine: tuple[str, ...], file: str) -> None:
        """Import an unsubscribed status; it counts, because the file has no dates."""
        path, text = self.folder / f"{file}-gone.csv", f"email\n{self.life.address}\n"
        at, known = self.life.now, self.known
        bring(self.store, path, text, newsletters=mine, known=known, at=at, status="unsubscribed")
        address, person = self.life.address, self.life.person
        for name in mine:  # and it says nothing about the others
            if person is None or person.record(name):
                self.no.setdefault((address, name), "person")
        if address == self.asked_at:
            self.asked -= set(mine)

    def rename(self, mine: tuple[str, ...], file: str) -> None:
        """Move the first newsletter into the second one, or to an unused name."""
        old, new = mine[0], mine[1] if len(mine) > 1 else f"{mine[0]}x"
        records = {a: found.record(new) for a in self.life.addresses if (found := self.store.subscribers.get(a))}
        self.store.newsletters.rename(old, new, self.life.now, "test")
        for address in self.life.addresses:
            who = self.no.pop((address, old), None)
            if who and records.get(address) is None:
                self.no[address, new] = who
        if new not in self.known:
            self.known = self.life.newsletters = tuple(new if name == old else name for name in self.known)
        self.asked = {new if name == old else name for name in self.asked} - ({new} & set(mine))

    def migrate(self, mine: tuple[str, ...], file: str) -> None:
        with self.store._database.write() as connection:
            move_to(connection, BEFORE)
            move_to(connection, HEAD)


VERBS = [
    name for name in vars(History) if not name.startswith("_") and name not in ("say_no", "say_yes", "check", "play")
]
# Events that may unsubscribe someone, and events that may subscribe them again. The others happen in between.
NOES = ("leave", "prefer", "removed", "leave_all", "gone_in_a_file", "removed_from_all", "leave_and_undo", "move")
BACKS = ("bring", "add", "use_the_kept_link", "bring", "leave_and_undo", "rename", "migrate", "bring_and_undo", "add")
NAMED = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(tuple)
STEPS = st.tuples(
    st.sampled_from(VERBS),
    st.sampled_from(NOES),
    st.sampled_from(BACKS),
    NAMED,
    NAMED,
    st.sampled_from(list(FILES)),
)
FEW = 300 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 14


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path]]:
    """A database for all histories: each has its own person and newsletters."""
    folder = tmp_path_factory.mktemp("histories")
    with open_store("sqlite:///publisher.db", folder, lambda: SECRET) as opened:
        yield opened, folder


@settings(max_examples=FEW, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=2, max_size=5))
def test_the_latest_decision_counts_after_any_history(
    one_store: tuple[Store, Path], steps: list[tuple[str, str, str, tuple[str, ...], tuple[str, ...], str]]
) -> None:
    history = History(*one_store)
    history.life.sign_up(*history.known[:2])
    for anything, no, back, names, others, file in steps:
        history.play("only_ask", names, file)
        history.play(no, names, file)
        history.play(back, names, file)
        history.play(anything, others, file)


def test_any_history_survives_an_export(one_store: tuple[Store, Path], tmp_path: Path, postgres_url: str) -> None:
    """A new project that imports the export writes the same export, on either database."""
    chance = Random(13)
    played = []
    for _ in range(12):
        history = History(*one_store)
        played.append(history)
        history.life.sign_up(*history.known[:2])
        for _ in range(6):
            history.play(chance.choice(VERBS), tuple(chance.sample(NAMES, 2)), chance.choice(list(FILES)))
    export_to(one_store[0], tmp_path / "all.csv")
    first = (tmp_path / "all.csv").read_text()
    known = sorted({wish.newsletter for each in one_store[0].subscribers.list() for wish in each.records})
    for url in ("sqlite:///new.db", postgres_url):
        with open_store(url, tmp_path, lambda: SECRET) as new:
            assert bring_file(new, tmp_path / "all.csv", known=known, at=LATER).refused == []
            export_to(new, tmp_path / "again.csv")
            assert (tmp_path / "again.csv").read_text() == first
            for history in played:
                for address in history.life.addresses:
                    there, here = new.subscribers.get(address), one_store[0].subscribers.get(address)
                    assert (there and (there.status, there.records)) == (here and (here.status, here.records))
                    assert new.suppressions.reason(address) == one_store[0].suppressions.reason(address)
