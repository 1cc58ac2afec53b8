"""Imports of people who unsubscribed, of whole projects, of the same file twice, and undoing an import."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.core.bounce_report import Verdict
from publisher.core.errors import StoreError, SubscriberError
from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.core.subscriber_fields import FieldKind
from publisher.core.subscriber_status import SubscriberEvent
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.store import Store, open_store
from publisher.store.imports import TakenBack
from publisher.store.subscriber_records import Evidence
from publisher.subscribers import csv_import
from publisher.subscribers.csv_import import Listeners, import_csv
from publisher.subscribers.csv_rows import NamedNewsletters
from publisher.subscribers.csv_survey import QuestionsError
from publisher.subscribers.edit import Change, edit
from publisher.subscribers.manage import subscribe, suppress, unsubscribe
from publisher.subscribers.privacy import erase
from publisher.subscribers.self_service import Preferences, set_preferences
from publisher.subscribers.self_service import unsubscribe as leave
from tests.support.consent_samples import FORM, SECRET, TERMS, ask, bounce
from tests.support.csv_samples import bring, bring_file, export_to
from tests.support.store_fixtures import new_postgres_url
from tests.support.store_samples import NOW, draft, later, person

BOTH = NamedNewsletters(("weekly", "daily"), frozenset({"weekly", "daily"}))


@pytest.fixture
def people(store_url: str, tmp_path: Path) -> Iterator[Store]:
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        yield store


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """An empty project with the same secret, on SQLite."""
    with open_store("sqlite:///other.db", tmp_path, lambda: SECRET) as store:
        yield store


def everything(store: Store, *, sources: bool = True) -> list[tuple[object, ...]]:
    """Return all data about everyone, in the order of their addresses."""
    found = []
    for full in store.subscribers.full_records():
        p = full.subscriber
        events = [(e.at, e.what, e.source if sources else "", e.detail, e.ip) for e in full.consent]
        records = p.records if sources else p.subscriptions
        details = p.tags, p.fields, p.note
        who = p.address, p.name, p.language, p.status, p.joined_at, p.paused_until
        found.append((*who, records, events, full.suppressed, details))
    return sorted(found, key=lambda each: str(each[0]))


def mailed(store: Store, newsletter: str = "weekly", at: datetime = NOW) -> set[str]:
    """Return the addresses to which an edition would be sent."""
    listed = store.subscribers.list(newsletter, SubscriberStatus.ACTIVE)
    found = {each.address for each in listed if not each.paused_until or each.paused_until <= at}
    assert len(found) == store.subscribers.count(newsletter, mailable_at=at)
    return found


# -------------------------------------------------------------------------------------------- people who unsubscribed


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("unsubscribed", "unsubscribed"),
        ("bounced", "bounced"),
        ("complained", "complained"),
        ("unconfirmed", "pending"),
    ],
)
def test_a_bare_list_is_recorded_with_its_declared_status(
    people: Store, tmp_path: Path, status: str, standing: str
) -> None:
    done = bring(people, tmp_path / "gone.txt", "ann@example.org\nbob@example.org\n", status=status)
    assert (done.report.mailed, done.kept, done.refused) == (0, {standing: 2}, [])
    assert [each.status.value for each in people.subscribers.list()] == [standing] * 2
    old = bring(people, tmp_path / "old.csv", "email\nann@example.org\nbob@example.org\ncyd@example.org\n")
    said_no = status != WAITS  # "unconfirmed" is not a refusal
    assert (old.report.added, old.report.refused) == ((1, 2) if said_no else (3, 0))
    assert mailed(people) == {"cyd@example.org"} | (set() if said_no else {"ann@example.org", "bob@example.org"})


def test_a_suppression_list_is_kept_as_hashes(people: Store, tmp_path: Path) -> None:
    bring(people, tmp_path / "never.txt", "ann@example.org\n", status="suppressed")
    assert list(people.subscribers.list()) == []
    assert people.suppressions.is_listed("ANN@example.org")
    again = bring(people, tmp_path / "old.csv", "email\nann@example.org\n")
    assert again.refused == ["line 2: ann@example.org is on the suppression list"]


SUPPRESSION_LISTS = [
    ("SendGrid", "status,reason,email,created\n5.1.1,550 no such user,ann@example.org,1714550400\n", "bounced"),
    (
        "Postmark",
        "EmailAddress,SuppressionReason,Origin,CreatedAt\nann@example.org,HardBounce,Recipient,2024-05-01\n",
        "",
    ),
    ("Postmark", "EmailAddress,SuppressionReason\nann@example.org,SpamComplaint\n", ""),
    ("Amazon", "EmailAddress,Reason,LastUpdateTime\nann@example.org,COMPLAINT,2024-05-01T10:00:00Z\n", ""),
    (
        "Mailgun",
        'address,code,error,created_at\nann@example.org,550,no mailbox,"Wed, 01 May 2024 10:00:00 UTC"\n',
        "bounced",
    ),
    ("Brevo", "EMAIL,BLOCKLISTED\nann@example.org,TRUE\n", ""),
    ("listmonk", "email,status\nann@example.org,blocklisted\n", ""),
]


@pytest.mark.parametrize(("tool", "text", "status"), SUPPRESSION_LISTS)
def test_suppression_lists_of_other_tools_are_imported(
    sqlite_people: Store, tmp_path: Path, tool: str, text: str, status: str
) -> None:
    sqlite_people.subscribers.add(person("ann@example.org"), at=NOW, source="form")
    done = bring(sqlite_people, tmp_path / "list.csv", text, status=status)
    assert (done.report.mailed, done.report.not_mailed) == (0, 1)
    assert mailed(sqlite_people) == set()


@pytest.fixture
def sqlite_people(other: Store) -> Store:
    return other


@pytest.mark.parametrize(
    ("row", "is_mailed"),
    [
        ("", False),  # without dates the refusal counts
        ("2020-01-01", True),  # has confirmed here since then
        ("2026-11-20", True),
        ("2026-11-22T10:00:00Z", False),  # later than the consent
    ],
)
def test_the_later_decision_counts_according_to_the_dates(
    people: Store, tmp_path: Path, row: str, is_mailed: bool
) -> None:
    people.subscribers.add(person("ann@example.org"), at=NOW, source="form")
    text = f"email,unsubscribed,unsubscribed_at\nann@example.org,yes,{row}\n"
    done = bring(people, tmp_path / "list.csv", text, at=later(days=3))
    assert bool(mailed(people)) == is_mailed == bool(done.report.newer)


def test_people_who_left_one_newsletter_keep_the_other(people: Store, tmp_path: Path) -> None:
    text = "email,newsletters,status\nann@example.org,weekly,unsubscribed\nann@example.org,daily,active\n"
    people.subscribers.add(person("ann@example.org", "weekly"), at=NOW, source="form")
    people.subscribers.add(person("ann@example.org", "daily"), at=NOW, source="form")
    bring(people, tmp_path / "list.csv", text)
    assert (mailed(people), mailed(people, "daily")) == (set(), {"ann@example.org"})


# The files that contain someone: the status in each, and its newsletters; without newsletters it means all.
YES, NO, GONE, NEVER = "subscribed", "unsubscribed", "bounced", "suppressed"
WAITS = "unconfirmed"
SEVERAL_FILES: tuple[tuple[tuple[tuple[str, str], ...], str], ...] = (
    (((NO, "daily"), (YES, "weekly")), "weekly"),
    (((NO, "daily"), (YES, "daily")), ""),
    (((NO, "daily"), (YES, "daily weekly")), "weekly"),
    (((NO, "daily"), (NO, "weekly"), (YES, "monthly")), "monthly"),
    (((NO, "daily"), (YES, "weekly"), (YES, "monthly")), "monthly weekly"),
    (((NO, "daily"), (NO, ""), (YES, "weekly")), ""),
    (((NO, ""), (YES, "weekly")), ""),
    (((NO, "daily"), (GONE, ""), (YES, "weekly")), ""),
    (((NO, "daily"), (NEVER, ""), (YES, "weekly")), ""),
    (((WAITS, ""), (YES, "weekly")), "weekly"),
    (((WAITS, ""), (WAITS, "daily"), (YES, "weekly")), "weekly"),
    (((WAITS, ""), (NO, "daily"), (YES, "daily weekly")), "weekly"),
    (((WAITS, ""), (NO, ""), (YES, "weekly")), ""),
    (((WAITS, ""), (GONE, ""), (YES, "weekly")), ""),
)


def test_the_order_of_files_does_not_matter(people: Store, tmp_path: Path) -> None:
    """A refusal of one newsletter concerns only that newsletter; a refusal of everything concerns all of them."""
    known = ("weekly", "daily", "monthly")
    orders = [(order, gets) for files, gets in SEVERAL_FILES for order in itertools.permutations(files)]
    for step in range(3):
        members: dict[tuple[str, str], list[int]] = {}
        for number, (order, _) in enumerate(orders):
            if step < len(order):
                members.setdefault(order[step], []).append(number)
        for (says, names), numbers in members.items():
            text = "\n".join(["email", *(f"{number}@example.org" for number in numbers), ""])
            path, newsletters = tmp_path / f"{step}-{says}-{names}.csv", names.split() or known
            bring(people, path, text, newsletters=newsletters, known=known, status=says)
    for number, (order, gets) in enumerate(orders):
        found = people.subscribers.get(f"{number}@example.org")
        got = " ".join(name for name in sorted(known) if found and found.status_in(name) == "active")
        assert got == gets, order
        if found is not None:
            assert (found.status is SubscriberStatus.ACTIVE) == bool(gets), order


def test_a_refusal_by_a_person_overrides_that_of_a_file(people: Store, tmp_path: Path) -> None:
    """Later files can subscribe no one who has unsubscribed from their last newsletter, or from all of them."""
    known = ("weekly", "daily")
    for name, does in {"one": "weekly", "all": None, "twice": "weekly", "none": None}.items():
        address = f"{name}@example.org"
        bring(people, tmp_path / f"{name}-no.csv", f"email\n{address}\n", newsletters=("weekly",), status=NO)
        if name in ("one", "all"):
            assert bring(people, tmp_path / f"{name}.csv", f"email\n{address}\n", newsletters=("daily",)).report.added
        found = people.subscribers.get(address)
        assert found is not None
        leave(people, TERMS, found.uid, "daily" if name == "one" else does, now=later(hours=1), evidence=FORM)
        done = bring(people, tmp_path / f"{name}-2.csv", f"email\n{address}\n", newsletters=known, at=later(hours=2))
        assert done.report.refused == 1, name
        text = f"email,newsletters\n{address},new\n"
        third = bring(people, tmp_path / f"{name}-3.csv", text, known=(*known, "new"))
        assert third.report.refused == 1, name


def test_someone_known_only_by_a_refusal_is_added_with_name_and_date(people: Store, tmp_path: Path) -> None:
    bring(people, tmp_path / "no.csv", "email\nann@example.org\n", newsletters=("daily",), status=NO)
    text = "email,name,language,joined\nann@example.org,Ann,de,2025-05-01T00:00:00Z\n"
    done = bring(people, tmp_path / "yes.csv", text, "joined_at=joined", consent="form").report
    found = people.subscribers.get("ann@example.org")
    assert found is not None
    assert (done.added, found.name, found.language) == (1, "Ann", "de")
    assert found.joined_at == datetime(2025, 5, 1, tzinfo=UTC)
    events = [event.what for full in people.subscribers.full_records() for event in full.consent]
    assert events == ["recorded", "left", "added", "subscribed"]
    people.imports.undo(people.imports.list()[-1].id, later(hours=1))
    again = people.subscribers.get("ann@example.org")
    assert again is not None
    assert (again.status, again.subscriptions) == (SubscriberStatus.UNSUBSCRIBED, ())


@pytest.mark.parametrize("dry_run", [True, False])
def test_people_who_are_unconfirmed_in_a_file_and_active_here_stay(
    people: Store, tmp_path: Path, dry_run: bool
) -> None:
    people.subscribers.add(person("ann@example.org"), at=NOW, source="form")
    text = "ann@example.org\nbob@example.org\n"
    done = bring(people, tmp_path / "ns.csv", text, status="unconfirmed", dry_run=dry_run)
    assert (done.report.mailed, done.report.stay.count, done.report.stay.first, done.kept) == (1, 1, 1, {"pending": 1})
    told = bring(people, tmp_path / "ns.csv", "email,status\nann@example.org,unconfirmed\n", dry_run=dry_run)
    assert (told.report.stay.count, told.kept, mailed(people)) == (1, {}, {"ann@example.org"})


@pytest.mark.parametrize("dry_run", [True, False])
def test_people_who_left_one_newsletter_and_get_another_are_counted_separately(
    people: Store, tmp_path: Path, dry_run: bool
) -> None:
    people.subscribers.add(person("ann@example.org", "weekly"), at=NOW, source="form")
    people.subscribers.add(person("ann@example.org", "daily"), at=NOW, source="form")
    people.subscribers.add(person("bob@example.org", "daily"), at=NOW, source="form")
    text = "ann@example.org\nbob@example.org\n"
    done = bring(people, tmp_path / "l", text, status="unsubscribed", newsletters=["daily"], dry_run=dry_run)
    ((names, rows),) = done.report.parted.items()
    assert (names, rows.count, rows.first) == ((("daily",), ("weekly",)), 1, 1)
    assert (done.report.mailed, done.kept) == (1, {"unsubscribed": 1})
    assert dry_run or (mailed(people), mailed(people, "daily")) == ({"ann@example.org"}, set())


@pytest.mark.parametrize(
    ("name", "answer"),
    [("Jürgen".encode("cp1252"), "--encoding windows-1252; or"), ("Иван".encode("cp1251"), "--encoding NAME")],
)
def test_a_file_that_is_not_utf_8_causes_a_question(people: Store, tmp_path: Path, name: bytes, answer: str) -> None:
    text = b"email,name\nann@example.org,Ann\nbob@example.org," + name + b"\n"
    with pytest.raises(QuestionsError, match=answer) as asked:
        bring(people, tmp_path / "list.csv", text)
    assert "1 line is not valid UTF-8: line 3" in str(asked.value)
    assert list(people.subscribers.list()) == []
    assert bring(people, tmp_path / "list.csv", text, encoding="utf-8").report.refused == 1
    with pytest.raises(QuestionsError, match=answer):
        bring(people, tmp_path / "head.csv", b"email," + name + b"\nann@example.org,Ann\n", status="suppressed")


@pytest.mark.parametrize("column", ["hs_email_bad_address", "Bad email", "Invalid email address", "email_is_bad"])
def test_a_bad_address_is_a_bounce(people: Store, tmp_path: Path, column: str) -> None:
    done = bring(people, tmp_path / "list.csv", f"Email,{column}\nann@example.org,true\nbob@example.org,false\n")
    assert (done.kept, mailed(people)) == ({"bounced": 1}, {"bob@example.org"})


def test_a_row_for_two_newsletters_is_refused_for_the_one_that_was_left(people: Store, tmp_path: Path) -> None:
    people.subscribers.add(person("ann@example.org", "weekly"), at=NOW, source="form")
    unsubscribe(people, "ann@example.org", "weekly", at=NOW)
    subscribe(people, "ann@example.org", newsletters=["daily"], at=NOW, again="asked")
    done = bring(people, tmp_path / "list.csv", "email,newsletters\nann@example.org,weekly daily\n")
    assert (done.report.partly, done.report.mailed, done.report.refused, len(done.refused)) == (1, 1, 0, 1)
    assert "from weekly on 21 November 2026" in done.refused[0]
    assert (mailed(people), mailed(people, "daily")) == (set(), {"ann@example.org"})


def test_three_hundred_unsubscribed_rows_are_one_line_and_no_refusal(people: Store, tmp_path: Path) -> None:
    rows = "".join(f"reader{number}@example.org,2024-05-01 10:00:00\n" for number in range(300))
    done = bring(people, tmp_path / "list.csv", f"Email Address,UNSUB_TIME\n{rows}", newsletters=("weekly", "daily"))
    ((status, kept),) = done.report.kept.items()
    assert (status.value, kept.count, kept.first, kept.last) == ("unsubscribed", 300, 2, 301)
    assert (len(done.rows), done.refused, done.report.refused) == (300, [], 0)
    ann = people.subscribers.get("reader7@example.org")
    assert ann
    assert [(e.what, e.at.date().isoformat()) for e in people.subscribers.consent(ann.id)][-1] == (
        "unsubscribed",
        "2024-05-01",
    )


def test_nothing_is_written_before_a_question_is_answered(people: Store, tmp_path: Path) -> None:
    text = "email,consent given\n" + "".join(
        f"r{n}@example.org,{'no' if n == 1400 else 'perhaps'}\n" for n in range(1_500)
    )
    with pytest.raises(QuestionsError, match=r"list\.csv: the column 'consent given' seems to say who must not"):
        bring(people, tmp_path / "list.csv", text)
    assert (people.subscribers.count(), people.imports.list()) == (0, [])


# ------------------------------------------------------------------------------------------------ a whole project


KINDS = {
    **{"city": FieldKind.TEXT, "zip": FieldKind.TEXT, "points": FieldKind.NUMBER},
    **{"born": FieldKind.DATE, "status": FieldKind.YES_NO},
}


def a_project(store: Store) -> None:
    """Return people with every status, with topics, languages, dates, pauses, and histories."""
    add = store.subscribers
    for name in ("active", "left", "removed", "bounced", "complained", "suppressed", "partly", "erased"):
        for newsletter in ("weekly", "daily"):
            topics = ("Maps, old", "ai") if newsletter == "weekly" else ()
            add.add(person(f"{name}@example.org", newsletter, topics=topics), at=NOW, source="form")
    for name, verdict in (("bounced", Verdict.PERMANENT), ("complained", Verdict.COMPLAINT)):
        found = store.subscribers.get(f"{name}@example.org")
        assert found
        bounce(store, found.uid, verdict)
    with add.transaction(later(days=1)) as transaction:
        left, partly, active = (transaction.find(f"{name}@example.org") for name in ("left", "partly", "active"))
        assert left
        assert partly
        assert active
        transaction.leave(left, None, FORM, "too much")
        transaction.leave(partly, "weekly", Evidence("link", ip="192.0.2.1", user_agent="Browser"))
        transaction.pause(active, later(days=9))
        transaction.describe(active, name='=Ada, "A"', language="pt-BR")
        fields = {"city": "=1+1", "zip": "01234", "points": -2.5, "born": "1990-05-01", "status": True}
        transaction.note_fields(KINDS)
        transaction.describe(active, fields=fields, note='He said: "a,b;c".\n\n=SUM(A1)\n- item')
        transaction.set_tags(active, ["=vip", "unsubscribed", "early birds"])
        transaction.set_tags(left, ["vip"])
        transaction.describe(left, fields={"points": 3})
        transaction.find_or_add("pending@example.org", SubscriberEvent.REQUESTED)
    unsubscribe(store, "removed@example.org", "daily", at=later(days=2))
    suppress(store, "suppressed@example.org", now=later(days=2), source="command line")
    suppress(store, "stranger@example.org", now=later(days=2), source="command line")
    erase(store, "erased@example.org", now=later(days=3), source="command line")


@pytest.mark.parametrize("onto", ["sqlite", "postgresql"])
def test_an_export_and_an_import_reproduce_everything(
    people: Store, onto: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every status and every byte of the next export are the same, from each kind of database to each kind."""
    a_project(people)
    bring(people, tmp_path / "old.csv", "email,name,created_at\nold@example.org,Old,2019-02-03\n", at=later(days=4))
    export_to(people, tmp_path / "all.csv")
    url = "sqlite:///new.db" if onto == "sqlite" else new_postgres_url(request.getfixturevalue("postgres"))
    with open_store(url, tmp_path, lambda: SECRET) as new:
        done = bring_file(new, tmp_path / "all.csv", at=later(days=30))
        assert done.refused == []
        assert everything(new) == everything(people)
        assert new.subscribers.known_fields() == people.subscribers.known_fields() == dict(sorted(KINDS.items()))
        assert list(new.suppressions.entries()) == list(people.suppressions.entries())
        assert [p.uid for p in new.subscribers.list()] == [p.uid for p in people.subscribers.list()]
        assert {p.status for p in people.subscribers.list()} == set(SubscriberStatus)
        for newsletter in ("weekly", "daily"):
            assert mailed(new, newsletter) == mailed(people, newsletter)
        assert mailed(people, "daily") >= {"partly@example.org"}
        assert "partly@example.org" not in mailed(people)
        assert new.statistics.joined() == people.statistics.joined()
        assert new.suppressions.is_listed("erased@example.org")

        export_to(new, tmp_path / "again.csv")
        assert (tmp_path / "again.csv").read_text() == (tmp_path / "all.csv").read_text()
        twice = bring_file(new, tmp_path / "all.csv", at=later(days=31))
        assert twice.report.added == 0
        export_to(new, tmp_path / "again.csv")
        assert (tmp_path / "again.csv").read_text() == (tmp_path / "all.csv").read_text()


def test_an_export_can_be_imported_into_the_project_that_it_came_from(people: Store, tmp_path: Path) -> None:
    a_project(people)
    before = everything(people)
    export_to(people, tmp_path / "all.csv")
    bring_file(people, tmp_path / "all.csv", at=later(days=30))
    assert everything(people) == before


def test_a_suppression_list_with_another_secret_causes_a_question(people: Store, tmp_path: Path) -> None:
    a_project(people)
    export_to(people, tmp_path / "all.csv")
    others = len(list(people.suppressions.entries()))
    with open_store("sqlite:///new.db", tmp_path, lambda: "another secret") as store:
        with pytest.raises(QuestionsError, match=r"made with a different secret.*copy \.publisher/secret"):
            bring_file(store, tmp_path / "all.csv")
        assert store.subscribers.count() == 0
        done = bring_file(store, tmp_path / "all.csv", "suppressed_hash=ignore")
        assert (done.refused, done.report.left_behind) == ([], others)
        assert store.suppressions.is_listed("suppressed@example.org")
        assert store.suppressions.is_listed("complained@example.org") == people.suppressions.is_listed(
            "complained@example.org"
        )
        assert mailed(store) == mailed(people)


def test_a_status_that_was_edited_in_an_export_counts(people: Store, other: Store, tmp_path: Path) -> None:
    people.subscribers.add(person("ann@example.org"), at=NOW, source="form")
    export_to(people, tmp_path / "all.csv")
    text = (tmp_path / "all.csv").read_text(encoding="utf-8-sig").replace(",active,", ",unsubscribed,")
    bring(other, tmp_path / "all.csv", text)
    assert mailed(other) == set()


def test_a_long_history_is_imported(people: Store, other: Store, tmp_path: Path) -> None:
    people.subscribers.add(person("ann@example.org"), at=NOW, source="form")
    with people.subscribers.transaction(NOW, newsletters=["weekly"]) as transaction:
        ann = transaction.find("ann@example.org")
        assert ann is not None
        assert transaction.change_frequency(ann, "weekly", "monthly", Evidence("test"))
    with people.subscribers.transaction(NOW) as transaction:
        ann = transaction.find("ann@example.org")
        assert ann
        for number in range(400):
            transaction.record(ann, "subscribed", Evidence("form " + "x" * 300), f"weekly {number}")
    export_to(people, tmp_path / "all.csv")
    bring_file(other, tmp_path / "all.csv")
    assert everything(other) == everything(people)


def test_the_longest_details_are_imported(people: Store, other: Store, tmp_path: Path) -> None:
    people.subscribers.add(person("ann@example.org"), at=NOW, source="form")
    kinds = {f"field_{number}": FieldKind.TEXT for number in range(100)}
    values = dict.fromkeys(kinds, 'x"' * 250)
    note = "\n".join(['"a" b'] * 500)
    change = Change(tags=tuple(f"{'t' * 55}{number}" for number in range(100)), fields=values, note=note)
    found = people.subscribers.get("ann@example.org")
    assert found
    edit(people, found, change, at=NOW, source="test", known=kinds)
    with people.subscribers.transaction(NOW) as transaction:
        for number in range(200):
            transaction.record(found, "subscribed", Evidence("form " + '"' * 100), f"weekly {number}")
    export_to(people, tmp_path / "all.csv")
    assert bring_file(other, tmp_path / "all.csv").refused == []
    assert everything(other) == everything(people)


# ------------------------------------------------------------------------------------------------ repeated and killed


class StopError(Exception):
    """Simulates a power cut."""


def pull_at(limit: int) -> Callable[[int, int], None]:
    def pull(rows: int, of_about: int) -> None:
        if rows >= limit:
            raise StopError

    return pull


TOPICS = ("", "ai", "ai; maps", "maps")


def repeating_rows() -> str:
    """Return a list that repeats people, near and far apart, with other newsletters, topics and statuses."""
    lines = []
    for number in range(520):
        reader = number % 180 if number % 7 else max(number % 180 - 1, 0)
        newsletters = ("weekly", "daily", "weekly daily", "")[number % 4]
        status = "unsubscribed" if number % 211 == 5 else ""
        lines.append(f"Reader{reader}@example.org,{newsletters},{TOPICS[number // 3 % 4]},{status},2024-05-01\n")
    return "email,newsletters,topics,status,created_at\n" + "".join(lines)


def test_a_killed_import_that_is_repeated_is_one_import(
    people: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_import, "GROUP", 200)
    path = tmp_path / "list.csv"
    path.write_text(repeating_rows())
    with pytest.raises(StopError):
        import_csv(people, path, BOTH, at=NOW, listeners=Listeners(progress=pull_at(400)))
    assert 0 < people.subscribers.count() <= 180
    for days in (1, 2):
        import_csv(people, path, BOTH, at=NOW + timedelta(days=days))
    import_csv(other, path, BOTH, at=NOW)

    def without_times(store: Store) -> list[tuple[object, ...]]:
        return [
            (
                p.address,
                p.status,
                p.subscriptions,
                p.joined_at,
                [(e.what, e.detail) for e in store.subscribers.consent(p.id)],
            )
            for p in sorted(store.subscribers.list(), key=lambda each: each.address)
        ]

    assert without_times(people) == without_times(other)
    assert len(people.imports.list()) == 1


def test_the_first_row_with_topics_decides(people: Store, tmp_path: Path) -> None:
    text = "email,topics\nann@example.org,\nann@example.org,ai\nann@example.org,maps\n"
    for _ in range(2):
        bring(people, tmp_path / "list.csv", text)
        ann = people.subscribers.get("ann@example.org")
        assert ann
        assert ann.subscriptions == (Subscription("weekly", ("ai",)),)


@pytest.mark.parametrize("status", ["unconfirmed", "bounced", "complained"])
def test_topics_in_a_row_without_email_change_no_other_row(people: Store, tmp_path: Path, status: str) -> None:
    rows = [f"eve@example.org,maps,{status}", "ann@example.org,ai,subscribed", "ann@example.org,maps,subscribed"]
    rows += ["bob@example.org,ai,subscribed", f"cal@example.org,ai,{status}", "dan@example.org,maps,subscribed"]
    text = "email,topics,status\n" + "".join(f"{row}\n" for row in rows)
    for _ in range(2):
        bring(people, tmp_path / "list.csv", text)
        topics = {
            each.address[:3]: each.subscriptions[0].topics for each in people.subscribers.list() if each.subscriptions
        }
        assert {name: topics[name] for name in ("ann", "bob", "dan")} == {
            "ann": ("ai",),
            "bob": ("ai",),
            "dan": ("maps",),
        }


def test_topics_of_somebody_who_gets_no_email_do_not_count_as_a_first_choice(people: Store, tmp_path: Path) -> None:
    text = "email,topics,status\nann@example.org,ai,unconfirmed\nann@example.org,maps,subscribed\n"
    bring(people, tmp_path / "list.csv", text)
    ann = people.subscribers.get("ann@example.org")
    assert ann
    assert ann.subscriptions == (Subscription("weekly", ("maps",)),)


def test_actions_of_people_between_two_runs_of_a_file_stay(people: Store, tmp_path: Path) -> None:
    text = "email,topics,unsubscribed\nann@example.org,ai,\nbob@example.org,,yes\n"
    bring(people, tmp_path / "list.csv", text)
    ann = people.subscribers.get("ann@example.org")
    assert ann
    wanted = Preferences((Subscription("weekly", ("maps",)),))
    set_preferences(people, TERMS, ann.uid, wanted, known=("weekly",), now=later(days=1), evidence=FORM)
    subscribe(people, "bob@example.org", newsletters=["weekly"], at=later(days=1), again="asked by email")
    bring(people, tmp_path / "list.csv", text, at=later(days=2))
    ann = people.subscribers.get("ann@example.org")
    assert ann
    assert ann.subscriptions == (Subscription("weekly", ("maps",)),)
    assert mailed(people) == {"ann@example.org", "bob@example.org"}


# ------------------------------------------------------------------------------------------------------------ undo


def test_an_import_is_undone(people: Store, tmp_path: Path) -> None:
    people.subscribers.add(person("known@example.org", "daily"), at=NOW, source="form")
    people.subscribers.add(person("gone@example.org"), at=NOW, source="form")
    before = everything(people)
    rows = "new@example.org,ai,\nknown@example.org,ai,\ngone@example.org,,bounced\nx@example.org,,spam\n"
    text = f"email,topics,status\n{rows}"
    number = bring(people, tmp_path / "list.csv", text, at=later(hours=1)).report.number
    (listed,) = people.imports.list()
    assert (listed.id, listed.file, listed.people, listed.changed) == (number, "list.csv", 2, 2)
    assert people.suppressions.is_listed("x@example.org")

    rehearsed = people.imports.undo(number, later(hours=2), dry_run=True)
    done = people.imports.undo(number, later(hours=2))
    assert done == rehearsed
    assert (done.deleted, done.restored, done.kept, done.mailed, done.lifted) == (2, 2, 0, 0, 1)
    assert [(row[0], row[3], row[6]) for row in everything(people)] == [(row[0], row[3], row[6]) for row in before]
    assert not people.suppressions.is_listed("x@example.org")
    with pytest.raises(StoreError, match="already undone"):
        people.imports.undo(number, NOW)
    assert bring(people, tmp_path / "list.csv", text, at=later(days=1)).report.number == number + 1


def test_no_undo_reverts_a_later_decision_of_a_person(people: Store, tmp_path: Path) -> None:
    text = "email\nleft@example.org\nboth@example.org\nsuppressed@example.org\nplain@example.org\n"
    number = bring(people, tmp_path / "list.csv", text).report.number
    unsubscribe(people, "left@example.org", at=later(hours=1))
    suppress(people, "suppressed@example.org", now=later(hours=1), source="command line")
    bring(people, tmp_path / "next.csv", "email\nboth@example.org\n", at=later(hours=1))
    done = people.imports.undo(number, later(hours=2))
    assert (done.deleted, done.kept) == (1, 2)
    assert {p.address: p.status.value for p in people.subscribers.list()} == {
        "left@example.org": "unsubscribed",
        "both@example.org": "active",
        "suppressed@example.org": "suppressed",
    }


def test_an_undo_never_subscribes_someone_whom_another_file_calls_unsubscribed(people: Store, tmp_path: Path) -> None:
    people.subscribers.add(person("ann@example.org"), at=NOW, source="form")
    first = bring(
        people, tmp_path / "one.txt", "ann@example.org\nbob@example.org\n", status="unsubscribed", at=later(hours=1)
    )
    bring(people, tmp_path / "two.txt", "ann@example.org\nbob@example.org\n", status="unsubscribed", at=later(hours=2))
    bring(people, tmp_path / "three.txt", "cyd@example.org\n", status="suppressed", at=later(hours=2))
    second = bring(people, tmp_path / "four.txt", "cyd@example.org\n", status="suppressed", at=later(hours=3))
    people.imports.undo(first.report.number, later(hours=4))
    people.imports.undo(second.report.number - 1, later(hours=4))
    assert {p.address: p.status.value for p in people.subscribers.list()} == {
        "ann@example.org": "unsubscribed",
        "bob@example.org": "unsubscribed",
    }
    assert people.suppressions.is_listed("cyd@example.org")


@pytest.mark.parametrize("order", [(WAITS, YES), (YES, WAITS), (YES, WAITS, WAITS), (WAITS, YES, WAITS)])
@pytest.mark.parametrize("undone", [WAITS, YES])
def test_an_undo_keeps_the_data_of_another_file(
    people: Store, tmp_path: Path, order: tuple[str, ...], undone: str
) -> None:
    numbers = {}
    for hour, says in enumerate(order):
        text = "email\nann@example.org\n"
        numbers[says] = bring(people, tmp_path / f"{says}.csv", text, status=says, at=later(hours=hour)).report.number
    assert mailed(people) == {"ann@example.org"}
    done = people.imports.undo(numbers[undone], later(hours=5))
    ann = people.subscribers.get("ann@example.org")
    assert ann is not None
    assert ann.status.value == ("active" if undone == WAITS else "pending")
    assert mailed(people) == ({"ann@example.org"} if undone == WAITS else set())
    assert done.restored == (undone == YES)
    bring(people, tmp_path / "again.csv", "email\nann@example.org\n", at=later(hours=6))
    assert mailed(people) == {"ann@example.org"}


def test_an_undo_counts_people_who_are_also_in_another_file(people: Store, tmp_path: Path) -> None:
    first = bring(people, tmp_path / "one.csv", "email\nann@example.org\nbob@example.org\n").report.number
    second = bring(people, tmp_path / "two.csv", "email\nann@example.org\n", at=later(hours=1)).report.number
    done = people.imports.undo(first, later(hours=2))
    assert (done.deleted, done.shared, mailed(people)) == (1, 1, {"ann@example.org"})
    assert people.imports.undo(second, later(hours=3)) == TakenBack(deleted=1)
    assert everything(people) == []


def test_nothing_is_left_after_all_imports_were_undone(people: Store, tmp_path: Path) -> None:
    """This is true for any contents of the files. People who were there before are unchanged."""
    says = (YES, NO, WAITS, GONE)
    orders = [order for size in (2, 3) for order in itertools.product(says, repeat=size)]
    old = [f"old{number}@example.org" for number in range(len(orders))]
    people.subscribers.add_many([person(address) for address in old], at=NOW, source="form")
    before = [(row[0], row[3], row[6], row[9]) for row in everything(people)]
    numbers: dict[tuple[int, str], int] = {}
    for step, says_now in itertools.product(range(3), says):
        these = [at for at, order in enumerate(orders) if order[step : step + 1] == (says_now,)]
        rows = [f"{kind}{number}@example.org,{step}" for number in these for kind in ("new", "old")]
        text = "\n".join(["email,tags", *rows, ""])
        done = bring(people, tmp_path / f"{step}-{says_now}.csv", text, status=says_now, at=later(hours=step + 1))
        numbers[step, says_now] = done.report.number
    for number in sorted(numbers.values(), reverse=True):
        people.imports.undo(number, later(hours=9))
    assert [(row[0], row[3], row[6], row[9]) for row in everything(people)] == before


@pytest.mark.parametrize("says", [(YES, YES, YES), (YES, NO, YES), (NO, YES, WAITS), (YES, WAITS, NO)])
def test_the_order_in_which_imports_are_undone_does_not_matter(
    people: Store, tmp_path: Path, says: tuple[str, ...]
) -> None:
    people.subscribers.add(person("old@example.org"), at=NOW, source="form")
    before = [(row[0], row[3], row[6], row[9]) for row in everything(people)]
    text = "email,tags\nold@example.org,x{0}\nnew@example.org,x{0}\n"
    for way in itertools.permutations(range(3)):
        folder = tmp_path / "".join(map(str, way))
        folder.mkdir()
        numbers = [
            bring(
                people, folder / f"{step}.csv", text.format(step), status=each, at=later(hours=step + 1)
            ).report.number
            for step, each in enumerate(says)
        ]
        for hour, place in enumerate(way):
            people.imports.undo(numbers[place], later(hours=hour + 5))
        assert [(row[0], row[3], row[6], row[9]) for row in everything(people)] == before, way


def test_someone_who_never_confirmed_has_not_joined(people: Store, tmp_path: Path) -> None:
    text = "email,joined,status\nann@example.org,2026-11-01,unconfirmed\nbob@example.org,2026-11-02,subscribed\n"
    bring(people, tmp_path / "list.csv", text, "joined_at=joined")
    ann, bob = people.subscribers.get("ann@example.org"), people.subscribers.get("bob@example.org")
    assert ann is not None and bob is not None
    assert (ann.confirmed_at, bob.confirmed_at) == (None, datetime(2026, 11, 2, tzinfo=UTC))
    assert people.statistics.joined() == {"2026-11-02": 1}
    assert [each.joined for each in people.statistics.by_source(NOW)] == [1]
    suppress(people, "ann@example.org", now=NOW, source="command line")
    assert (people.statistics.left(), people.statistics.since(later(days=-9))) == ({}, {"joined": 0, "left": 0})


def test_a_refused_add_leaves_the_imported_status(people: Store, tmp_path: Path) -> None:
    text = "email,status\nann@example.org,bounced\nbob@example.org,unsubscribed\ncyd@example.org,subscribed\n"
    number = bring(people, tmp_path / "list.csv", text).report.number
    for address in ("ann@example.org", "bob@example.org"):
        with pytest.raises(SubscriberError):
            subscribe(people, address, newsletters=["weekly"], at=later(hours=1))
    (listed,) = people.imports.list()
    assert listed.people == 3
    subscribe(people, "cyd@example.org", newsletters=["weekly"], at=later(hours=1))
    done = people.imports.undo(number, later(hours=2))
    assert (done.deleted, done.shared, mailed(people)) == (2, 1, {"cyd@example.org"})


def test_only_an_unconfirmed_status_from_a_file_can_be_overruled(people: Store, tmp_path: Path) -> None:
    ask(people, "form@example.org")
    bring(people, tmp_path / "never.csv", "email\nform@example.org\nfile@example.org\n", status=WAITS)
    ask(people, "file@example.org", now=later(hours=1))
    done = bring(people, tmp_path / "yes.csv", "email\nform@example.org\nfile@example.org\n", at=later(hours=2))
    assert (done.report.refused, mailed(people)) == (2, set())


def test_people_who_have_got_an_email_stay_known_and_get_no_more(people: Store, tmp_path: Path) -> None:
    number = bring(people, tmp_path / "list.csv", "email\nann@example.org\n").report.number
    edition = people.editions.create(draft())
    claimed, left = moves(DeliveryEvent.CLAIMED), moves(DeliveryEvent.LEFT)
    until = later(hours=2)
    assert people.deliveries.claim(
        edition.id, "me", now=later(hours=1), lease_until=until, limit=9, claimed=claimed, left=left
    )
    done = people.imports.undo(number, later(hours=2))
    assert (done.deleted, done.mailed) == (0, 1)
    ann = people.subscribers.get("ann@example.org")
    assert ann
    assert mailed(people) == set()
    assert bring(people, tmp_path / "again.csv", "email\nann@example.org\n", at=later(days=1)).report.refused == 1


# -------------------------------------------------------------------------------------------------- newsletters, dates


TITLES = {"weekly": "My Site", "daily": "News, daily"}


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("weekly", {"weekly"}),
        ("My Site", {"weekly"}),
        ("my site; News, daily", {"weekly", "daily"}),
        ("News, daily, My Site", {"weekly", "daily"}),
        ("weekly daily", {"weekly", "daily"}),
        ("My Site, daily", {"weekly", "daily"}),
    ],
)
def test_titles_of_newsletters_count_as_their_names(other: Store, tmp_path: Path, cell: str, names: set[str]) -> None:
    bring(other, tmp_path / "list.csv", f'email,newsletters\nann@example.org,"{cell}"\n', titles=TITLES)
    (ann,) = other.subscribers.list()
    assert {wish.newsletter for wish in ann.subscriptions} == names


def test_a_column_without_known_newsletters_causes_one_question(other: Store, tmp_path: Path) -> None:
    text = "email,newsletters\n" + "".join(f"r{n}@example.org,Their Letter\n" for n in range(20))
    with pytest.raises(QuestionsError) as raised:
        bring(other, tmp_path / "list.csv", text)
    (line,) = raised.value.lines()
    assert "no row of the column 'newsletters' names a newsletter of this project: 'Their Letter'" in line
    done = bring(other, tmp_path / "list.csv", text, "newsletters:Their Letter=daily")
    assert (done.report.added, len(mailed(other, "daily")), mailed(other)) == (20, 20, set())


def test_dates_of_joining_are_data(people: Store, tmp_path: Path) -> None:
    text = (
        "email,joined_at\nann@example.org,2019-02-03\nbob@example.org,2021-04-05 10:00:00\ncyd@example.org,2999-01-01\n"
    )
    bring(people, tmp_path / "list.csv", text)
    assert people.statistics.joined() == {"2019-02-03": 1, "2021-04-05": 1, "2026-11-21": 1}
    ann = people.subscribers.get("ann@example.org")
    assert ann
    assert ann.joined_at == datetime(2019, 2, 3, tzinfo=UTC)


def test_unknown_languages_and_topics_are_counted(other: Store, tmp_path: Path) -> None:
    text = "email,language,topics\nann@example.org,German,vip\nbob@example.org,Klingon,ai\n"
    done = bring(other, tmp_path / "list.csv", text, has_posts=lambda topic: topic == "ai")
    assert (done.report.languages, done.report.nothing) == (("Klingon",), 1)
    assert [p.language for p in other.subscribers.list()] == ["de", ""]


def test_values_that_cannot_be_stored_are_reported(other: Store, tmp_path: Path) -> None:
    header = "id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,labels\n"
    text = "1,a@x.test,A,hi,true,false,2024-05-01,vip\n"
    assert bring(other, tmp_path / "list.csv", header + text).columns.dropped == ["complimentary_plan"]


def test_a_damaged_entry_of_a_suppression_list_is_refused(people: Store, other: Store, tmp_path: Path) -> None:
    suppress(people, "ann@example.org", now=NOW, source="test")
    export_to(people, tmp_path / "all.csv")
    text = (tmp_path / "all.csv").read_text(encoding="utf-8-sig").replace("+00:00", "")
    assert bring(other, tmp_path / "all.csv", text).refused == ["line 2: its entry in the suppression list is damaged"]


@pytest.mark.parametrize("text", ["email\n", "email,status\n\n\n"])
def test_an_empty_list_imports_nothing(other: Store, tmp_path: Path, text: str) -> None:
    assert bring(other, tmp_path / "unsubscribed.csv", text).report.rows == 0


def test_an_import_of_a_missing_file_is_one_line(other: Store, tmp_path: Path) -> None:
    with pytest.raises(SubscriberError, match="No such file"):
        bring_file(other, tmp_path / "missing.csv")
