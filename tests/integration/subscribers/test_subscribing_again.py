"""Every way to unsubscribe from a newsletter, combined with every way to subscribe again, on both databases.

tests/data/golden/who_may_be_mailed.txt is the resulting table in readable form: UPDATE_GOLDEN=1 rewrites it; review the
difference before you commit it.
"""

from __future__ import annotations

import os
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from publisher.core.bounce_report import Verdict
from publisher.core.newsletter_models import SubscriberStatus
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.store import Store, open_store
from publisher.store.migrate import move_to
from publisher.store.tables import HEAD
from tests.support import ROOT
from tests.support.consent_samples import SECRET, people
from tests.support.csv_samples import bring, bring_file, export_to
from tests.support.store_samples import NOW, draft, later, person
from tests.support.subscriber_life import BOTH, FILES, Life, bring_all

__all__ = ["people"]

GOLDEN = ROOT / "tests/data/golden/who_may_be_mailed.txt"
FORGOTTEN = "is erased, and the suppression is lifted"  # nothing is stored about them, at the owner's request
KNOWN = (*BOTH, "monthly")
UNUSED, USED = "confirmation link from before, not used yet", "confirmation link that was used before"
BEFORE = "0009"  # the last version without a status for each subscription


def moved(life: Life) -> None:
    """Change the address, but continue with the old one."""
    old = life.address
    life.move(f"new-{old}")
    life.address = old


def moved_and_left(life: Life) -> None:
    life.move(f"new-{life.address}")
    life.leave("weekly")


LEAVING: dict[str, Callable[[Life], object]] = {
    "unsubscribes from weekly (one click, a button or an email)": lambda life: life.leave("weekly"),
    "unsubscribes from everything": lambda life: life.leave(None),
    "leaves weekly, then daily, the last one": lambda life: (
        life.leave("weekly"),
        life.wait(minutes=1),
        life.leave("daily"),
    ),
    "unticks weekly on the preferences page": lambda life: life.prefer("daily"),
    "unticks everything on the preferences page": lambda life: life.prefer(),
    "is unsubscribed from weekly by the owner": lambda life: life.unsubscribe_by_owner("weekly"),
    "is unsubscribed from everything by the owner": lambda life: life.unsubscribe_by_owner(None),
    "leaves weekly, and is then unsubscribed from it by the owner": lambda life: (
        life.leave("weekly"),
        life.unsubscribe_by_owner("weekly"),
    ),
    "is put on the suppression list": lambda life: life.suppress(),
    "is put on the suppression list and taken off": lambda life: (life.suppress(), life.lift()),
    "is erased": lambda life: life.erase(),
    FORGOTTEN: lambda life: (life.erase(), life.lift()),
    "has a mailbox that is gone": lambda life: life.bounce(),
    "reports an email as spam": lambda life: life.bounce(Verdict.COMPLAINT),
    'presses "Never write to me again"': lambda life: life.decline(),
    "moves to another address (this is the old one)": moved,
    "moves to this address, then unsubscribes from weekly": moved_and_left,
}
# A status in a file, dated after their consent.
BY_FILE = {
    "is unsubscribed in a file": "unsubscribed",
    "is a hard bounce in a file": "bounced",
    "has complained in a file": "complained",
    "is on the suppression list of another tool": "suppressed",
}


def no(done: bool) -> str:
    return "" if done else "the link or the page says no"


def to_another_address(life: Life) -> str:
    life.move(f"next-{life.address}")
    return ""


def forgotten_form(life: Life) -> str:
    life.ask()
    return ""


# Each gets the person and returns the reason of a refusal, or "".
BACK: dict[str, Callable[[Life], str]] = {
    "add": lambda life: life.add(),
    "add --again --why": lambda life: life.add("by phone on 3 May"),
    "sign-up form, not confirmed": forgotten_form,
    "sign-up form and the link in the email": lambda life: no(life.sign_up()),
    UNUSED: lambda life: no(life.confirm(life.kept)),
    USED: lambda life: no(life.confirm(life.used)),
    "undo, right after": lambda life: no(life.undo("weekly")),
    "undo of everything, right after": lambda life: no(life.undo(None)),
    "undo, two days later": lambda life: (life.wait(days=2), no(life.undo("weekly")))[1],
    "weekly ticked on the preferences page, right after": lambda life: no(life.prefer("weekly", "daily")),
    "weekly ticked on the preferences page, two days later": lambda life: (
        life.wait(days=2),
        no(life.prefer("weekly", "daily")),
    )[1],
    "change of the address": to_another_address,
}
IMPORTS = (*(f"import: {kind}" for kind in FILES), "import: our own export, from before", "import and its undo")
EVERYBODY = ("rename-newsletter daily weekly", "migration of the database")
ALL = (*LEAVING, *BY_FILE)
WAYS = (*BACK, *IMPORTS, *EVERYBODY)

OWN_ACTS = {
    "sign-up form and the link in the email",
    "undo, right after",
    "undo of everything, right after",
    "weekly ticked on the preferences page, right after",
}
FOR_GOOD = {
    "is put on the suppression list",
    "is erased",
    "reports an email as spam",
    'presses "Never write to me again"',
    "has complained in a file",
    "is on the suppression list of another tool",
}
BY_OWNER = {each for each in ALL if "by the owner" in each or "suppression list and taken off" in each}


def may_return(leaving: str, back: str) -> bool:
    """Return whether someone may be subscribed again: only by their own action, or by the owner's with a reason."""
    if leaving == FORGOTTEN:
        return True
    if leaving in FOR_GOOD:
        return False
    if back.startswith("undo") and leaving in BY_OWNER:
        return False
    if (
        "bounce" in leaving or "mailbox that is gone" in leaving
    ):  # they never unsubscribed, and another action shows a mailbox
        return back in {*OWN_ACTS, "add --again --why", UNUSED, "change of the address"}
    return back in OWN_ACTS or back == "add --again --why"


@dataclass
class Cell:
    """One person, the way in which they unsubscribed, and the way in which they are subscribed again."""

    leaving: str
    back: str
    life: Life
    gets: tuple[str, ...] = ()
    why: str = ""

    def note(self, refused: str) -> None:
        self.gets = self.life.may_be_mailed()
        self.why = refused or self.life.why()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """The database of another project."""
    with open_store("sqlite:///other.db", tmp_path, lambda: SECRET) as opened:
        yield opened


def everyone(store: Store, folder: Path, ways: tuple[str, ...] = WAYS) -> list[Cell]:
    """A person for each cell of the table, subscribed to weekly and daily, possibly with a link in their inbox."""
    cells = [
        Cell(leaving, back, Life(store, folder, f"{number}-{of}@example.org", KNOWN))
        for of, leaving in enumerate(ALL)
        for number, back in enumerate(ways)
    ]
    store.subscribers.add_many([person(cell.life.address, *BOTH) for cell in cells], at=NOW, source="form")
    for cell in cells:
        life = cell.life
        if cell.back == UNUSED:
            life.kept = life.ask("weekly", "monthly")
            assert life.kept
        if cell.back == USED:
            life.used = life.ask("weekly", "monthly")
            assert life.confirm(life.used)
    return cells


def leave(store: Store, cells: list[Cell], folder: Path) -> None:
    for cell in cells:
        cell.life.wait(hours=1)
        if cell.leaving in LEAVING:
            LEAVING[cell.leaving](cell.life)
        cell.life.wait(hours=1)
    for leaving, status in BY_FILE.items():
        rows = [f"{cell.life.address},2026-11-21T10:00:00Z" for cell in cells if cell.leaving == leaving]
        text = "\n".join(["email,left", *rows, ""])
        bring(store, folder / f"{status}.csv", text, "left_at=left", at=later(hours=1), status=status)
    mailed = recipients(store)
    assert [cell.leaving for cell in cells if "weekly" in mailed[cell.life.address]] == []


def recipients(store: Store) -> dict[str, tuple[str, ...]]:
    """Return the newsletters that are sent to each address."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for each in store.subscribers.list(status=SubscriberStatus.ACTIVE):
        found[each.address] = tuple(wish.newsletter for wish in each.subscriptions)
    return found


def bring_back(store: Store, cells: list[Cell], folder: Path, export: Path) -> None:
    """Subscribe each person again in the way that their cell names, and note the result."""
    for cell in cells:
        if cell.back in BACK:
            cell.note(BACK[cell.back](cell.life))
    for way in IMPORTS:
        these = [cell for cell in cells if cell.back == way]
        addresses = [cell.life.address for cell in these]
        if way == "import: our own export, from before":
            done = bring_file(store, export, known=KNOWN, newsletters=BOTH, at=later(hours=5))
            said = {each.address: each.reason.removeprefix(each.address).strip() for each in done.refusals}
        else:
            kind = "Mailchimp" if way == "import and its undo" else way.removeprefix("import: ")
            said = bring_all(store, folder, addresses, kind, now=later(hours=5))
        if way == "import and its undo":
            store.imports.undo(store.imports.list()[-1].id, later(hours=6))
            said = {}
        for cell in these:
            cell.note(said.get(cell.life.address, ""))


def migrate(store: Store) -> None:
    """Migrate to a version without a status for each subscription, and back to the newest one."""
    with store._database.write() as connection:
        move_to(connection, BEFORE)
        move_to(connection, HEAD)


HEAD_LINE = """\
Who may be mailed, and why. Written by tests/integration/subscribers/test_subscribing_again.py.

Everybody had weekly and daily. Somebody (columns) left in one way, and then (rows) something happened that could bring
them back. W: weekly goes to them again.
"""


def drawn(cells: list[Cell]) -> str:
    """Return the table as text and, for each way of unsubscribing, what people then get and why."""
    lines = [HEAD_LINE]
    lines += [f"{number:>4}  {leaving}" for number, leaving in enumerate(ALL, 1)]
    lines += ["", " " * 55 + "".join(f"{number:>3}" for number in range(1, len(ALL) + 1))]
    got = {(cell.leaving, cell.back): "weekly" in cell.gets for cell in cells}
    lines += [f"{way:<55}" + "".join("  W" if got[leaving, way] else "  ." for leaving in ALL) for way in WAYS]
    for number, leaving in enumerate(ALL, 1):
        lines += ["", "", f"{number}. Somebody {leaving}. Then they get:", ""]
        found: dict[tuple[str, str], list[str]] = {}
        for cell in cells:
            if cell.leaving == leaving:
                found.setdefault((" ".join(cell.gets) or "nothing", cell.why), []).append(cell.back)
        for (gets, why), ways in found.items():
            lines.append(f"    {gets:<22}{why}")
            lines += textwrap.wrap("; ".join(ways), 110, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return "\n".join(lines) + "\n"


def edition_recipients(store: Store) -> set[str]:
    """Return the addresses to which the next edition of weekly is really sent."""
    at = later(days=3)
    variants = {choice.topics: "" for choice in store.subscribers.choices("weekly", at)}
    edition = store.editions.create(draft(made_at=at, variants=variants))
    assert edition is not None
    claimed, left = moves(DeliveryEvent.CLAIMED), moves(DeliveryEvent.LEFT)
    until = later(days=4)
    taken = store.deliveries.claim(edition.id, "w", now=at, lease_until=until, limit=9_999, claimed=claimed, left=left)
    return {each.address for each in taken}


def test_people_are_subscribed_again_only_by_their_own_action(people: Store, other: Store, tmp_path: Path) -> None:
    cells = everyone(people, tmp_path)
    exported = [cell.life.address for cell in cells if cell.back == "import: our own export, from before"]
    other.subscribers.add_many([person(address, *BOTH) for address in exported], at=later(days=9), source="form")
    export_to(other, tmp_path / "export.csv")
    leave(people, cells, tmp_path)
    bring_back(people, cells, tmp_path, tmp_path / "export.csv")

    before = recipients(people)
    migrate(people)
    assert recipients(people) == before
    assert edition_recipients(people) == {address for address, names in before.items() if "weekly" in names}
    for cell in cells:
        if cell.back == "migration of the database":
            cell.note("")
    people.newsletters.rename("daily", "weekly", later(days=5), "test")
    for cell in cells:
        if cell.back.startswith("rename"):
            cell.note("")

    wrong = [cell for cell in cells if "weekly" in cell.gets and not may_return(cell.leaving, cell.back)]
    assert wrong == []
    if "UPDATE_GOLDEN" in os.environ:
        GOLDEN.write_text(drawn(cells), encoding="utf-8")
    assert drawn(cells) == GOLDEN.read_text(encoding="utf-8")


def test_a_person_without_a_newsletter_is_not_active(people: Store, tmp_path: Path) -> None:
    """The counts after every way of unsubscribing and returning agree with the recipients."""
    cells = everyone(people, tmp_path, WAYS[:1])
    leave(people, cells, tmp_path)
    counts = people.subscribers.counts()
    active = {each.address for each in people.subscribers.list(status=SubscriberStatus.ACTIVE)}
    assert active == {address for cell in cells for address in cell.life.addresses if cell.life.may_be_mailed(address)}
    assert counts[SubscriberStatus.ACTIVE] == people.subscribers.count(mailable_at=later(days=1)) == len(active)
    by_newsletter = people.statistics.by_newsletter()
    for name in BOTH:
        assert by_newsletter[name] == people.subscribers.count(name, mailable_at=later(days=1))
        assert by_newsletter[name] == people.subscribers.count(name, SubscriberStatus.ACTIVE)
        assert by_newsletter[name] == sum(
            choice.subscribers for choice in people.subscribers.choices(name, later(days=1))
        )
    joined, left = sum(people.statistics.joined().values()), sum(people.statistics.left().values())
    assert joined - left == len(active)
    for name in BOTH:
        joined, left = (sum(count(name).values()) for count in (people.statistics.joined, people.statistics.left))
        assert joined - left == by_newsletter[name]
    sources = people.statistics.by_source(NOW)
    assert sum(each.active for each in sources) == len(active)
    assert sum(each.joined for each in sources) == sum(people.statistics.joined().values())
    for each in sources:
        joined = sum(people.statistics.joined(source=each.source).values())
        left = sum(people.statistics.left(source=each.source).values())
        assert (each.joined, each.active) == (joined, joined - left)
    lately = people.statistics.since(later(days=-9_999))
    assert lately["joined"] - lately["left"] == len(active)
