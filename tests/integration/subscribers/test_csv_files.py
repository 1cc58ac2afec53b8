"""Subscribers imported from and exported to files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription
from publisher.core.subscription_status import SubscriptionRecord
from publisher.store import Store, open_store
from publisher.store.subscriber_records import FullRecord
from publisher.subscribers.csv_cells import guarded, topics_of, unguarded
from publisher.subscribers.export import export_csv, export_json
from tests.support.csv_samples import bring, bring_file, export_to
from tests.support.store_samples import NOW, add_people, later, person


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def test_every_column_is_read(store: Store, file: Path) -> None:
    text = (
        'Email,Name,newsletters,topics,language,shoe size\nada@example.org,"Lovelace, Ada",weekly daily,ml;ai,en,37\n'
    )
    done = bring(store, file, text)
    report, refused = done.report, done.refused

    assert (report.added, refused) == (1, [])
    (ada,) = store.subscribers.list()
    assert (ada.name, ada.language, ada.status) == ("Lovelace, Ada", "en", SubscriberStatus.ACTIVE)
    assert ada.subscriptions == (Subscription("daily", ("ai", "ml")), Subscription("weekly", ("ai", "ml")))
    assert {event.source for event in store.subscribers.consent(ada.id)} == {"import people.csv"}


@pytest.mark.parametrize(
    "text",
    [
        "address\nada@example.org\n",
        "email;name\r\nada@example.org;Ada\r\n",
        "name\temail\nAda\tada@example.org",
        "\ufeffemail,name\nada@example.org,Ada\n",
        'email,name,notes\n\n"ada@example.org","Ada","first\nsecond, third"\n,\n',
    ],
)
def test_all_kinds_of_csv_are_read(sqlite_store: Store, file: Path, text: str) -> None:
    done = bring(sqlite_store, file, text)
    report, refused = done.report, done.refused
    assert (report.added, refused) == (1, [])


def test_each_refused_line_is_reported_with_its_reason(store: Store, file: Path) -> None:
    store.subscribers.add(person("left@example.org"), at=NOW, source="form")
    store.subscribers.remove("left@example.org", at=NOW, source="link")
    text = (
        b"email,name,newsletters,notes,status\n"  # 1
        b"ada@example.org,Ada,,,\n"
        b"no address,Eve,,,\n"  # 3
        b"left@example.org,Left,,,active\n"  # 4
        b'multi@example.org,Multi,monthly,"over\ntwo lines"\n'  # 5 and 6
        b"broken@example.org,\xe9t\xe9,,,\n"  # 7
        b"comma@example.org,Lovelace, Ada,,,active\n"  # 8
        b"bounced@example.org,B,,,bounced\n"  # 9
        b"grace@example.org,Grace,daily,,active\n"
    )
    done = bring(store, file, text, encoding="utf-8")
    report, refused = done.report, done.refused

    assert (report.rows, report.added, report.refused, done.kept) == (8, 2, 5, {"bounced": 1})
    assert [line.partition(": ")[0] for line in refused] == [f"line {n}" for n in (3, 4, 5, 7, 8)]
    assert [line.partition(": ")[2] for line in refused] == [
        "'no address' is not a valid email address: An email address must have an @-sign",
        "left@example.org was unsubscribed from weekly on 21 November 2026",
        "there is no newsletter 'monthly'",
        "the line is not valid UTF-8",
        "it has 6 cells, and the first line names 5 columns",
    ]


def test_importing_twice_changes_nothing(store: Store, file: Path) -> None:
    text = "email\n" + "".join(f"reader{i}@example.org\n" for i in range(2_500))
    first = bring(store, file, text).report
    before = [(p.uid, p.subscriptions) for p in store.subscribers.list()]
    second = bring(store, file, text).report

    assert (first.added, second.unchanged) == (2_500, 2_500)
    assert [(p.uid, p.subscriptions) for p in store.subscribers.list()] == before


def test_a_repeated_address_in_a_file_is_one_subscriber(store: Store, file: Path) -> None:
    text = "email,newsletters\nada@example.org,weekly\nADA@example.org,daily\nada@example.org,weekly\n"
    report = bring(store, file, text).report

    assert (report.added, report.subscribed, report.unchanged) == (1, 1, 1)
    assert store.subscribers.count() == 1


def test_a_row_for_no_newsletter_is_refused(sqlite_store: Store, file: Path) -> None:
    refused = bring(sqlite_store, file, "email\nada@example.org\n", newsletters=()).refused
    assert refused == ["line 2: it does not name a newsletter"]


def test_one_stray_quote_costs_one_row(store: Store, file: Path) -> None:
    rows = [f"q{n}@mail.test,Reader {n}\n" for n in range(3_000)]
    rows[99] = 'q99@mail.test,"Bad quote\n'
    done = bring(store, file, "email,name\n" + "".join(rows))
    report, refused = done.report, done.refused

    assert (report.added, refused) == (2_999, ["line 101: a quote in it is not closed"])
    assert store.subscribers.get("q99@mail.test") is None
    assert {person.name for person in store.subscribers.list()} == {f"Reader {n}" for n in range(3_000) if n != 99}


@pytest.mark.parametrize(
    ("rows", "refused", "taken"),
    [
        # closed by the next quote, which is in another row
        ('a@x.test,"Ada,\nb@x.test,"Bea, B.",\n', {2: "not closed"}, "b"),
        ('a@x.test,"Ada,\nb@x.test,Bea,\nc@x.test,"",\nd@x.test,"D",\n', {2: "not closed"}, "bcd"),
        ('a@x.test,A,"a note\nb@x.test,B,\nc@x.test,C,5"\n', {2: "look like rows"}, "bc"),
        ('a@x.test,A,"a note\nb@x.test,B,b\n', {2: "not closed"}, "b"),
        (
            '"a@x.test\nb@x.test",A,\nc@x.test,C,\n',
            {2: "its email has a line break", 3: "not a valid email address"},
            "c",
        ),
        ('a@x.test,"A\nA",\nb@x.test,B,\n', {2: "its name has a line break", 3: "not a valid email address"}, "b"),
        ('a@x.test,A,"one, ""two""\r\nthree\n\nfour"\nb@x.test,B,"b"\n', {}, "ab"),
        ('a@x.test,A,"by bob@x.test\nand, so, on"\n\n"b@x.test","B","b"', {}, "ab"),
    ],
)
def test_a_record_of_several_lines_needs_closed_quotes(
    sqlite_store: Store, file: Path, rows: str, refused: dict[int, str], taken: str
) -> None:
    said = bring(sqlite_store, file, f"email,name,notes\n{rows}").refused
    assert [person.address[0] for person in sqlite_store.subscribers.list()] == list(taken)
    assert len(said) == len(refused)
    for line, (number, reason) in zip(said, refused.items(), strict=True):
        assert line.startswith(f"line {number}: ")
        assert reason in line


def test_endless_lines_do_not_fill_the_memory(sqlite_store: Store, file: Path) -> None:
    long = "x" * 3_000_000
    rows = f'email,name\na@x.test,{long}\nb@x.test,B\nc@x.test,"{"note" * 25_000}\nd@x.test,D\n'
    refused = bring(sqlite_store, file, rows).refused
    assert refused == ["line 2: the line is too long", "line 4: a quote in it is not closed"]
    assert [person.name for person in sqlite_store.subscribers.list()] == ["B", "D"]


@pytest.mark.parametrize("text", ["", "\n", "name,mehl\nAda,none\n", "name\nAda\n", "e\0mail\n"])
def test_a_file_without_an_address_column_is_one_line(sqlite_store: Store, file: Path, text: str) -> None:
    with pytest.raises(
        SubscriberError, match=r"people\.csv:1: the first line does not name a column with addresses \("
    ):
        bring(sqlite_store, file, text)


def test_a_file_in_utf_16_is_recognised_by_its_byte_order_mark(sqlite_store: Store, file: Path) -> None:
    done = bring(sqlite_store, file, "email\nada@example.org\n".encode("utf-16"))
    assert done.report.added == 1


def test_a_missing_file_is_one_line(sqlite_store: Store, tmp_path: Path) -> None:
    with pytest.raises(SubscriberError, match=r"absent\.csv: cannot be read: No such file or directory$"):
        bring_file(sqlite_store, tmp_path / "absent.csv")


def test_an_export_can_be_imported_unchanged(store: Store, tmp_path: Path) -> None:
    store.subscribers.add(person("=1+1@example.org", name="=HYPERLINK(1)"), at=NOW, source="test")
    store.subscribers.add(person("+plus@example.org", name="'- quoted"), at=NOW, source="test")
    store.subscribers.add(person("two@example.org", "weekly", topics=("ai",)), at=NOW, source="test")
    store.subscribers.add(person("two@example.org", "daily", topics=("ml", "x")), at=NOW, source="test")
    store.subscribers.add(person("left@example.org"), at=NOW, source="test")
    store.subscribers.remove("left@example.org", at=NOW, source="test")
    add_people(store, 1_100)
    path = tmp_path / "out.csv"
    assert export_to(store, path) == 1_104

    def known(a_store: Store) -> set[tuple[object, ...]]:
        return {(p.address, p.name, p.language, p.status, p.records) for p in a_store.subscribers.list()}

    with open_store("sqlite:///copy.db", tmp_path) as other:
        report = bring_file(other, path, at=later(days=1)).report
        assert (report.added, report.subscribed, report.not_mailed, report.refused) == (1_104, 0, 1, 0)
        assert known(other) == known(store)


@pytest.mark.parametrize(
    ("cell", "topics"),
    [
        ("Bird watching", ("Bird watching",)),
        ("Bird watching;maps , ai,", ("Bird watching", "maps", "ai")),
        ('birds, "Maps, old" ;"say ""hi"""', ("birds", "Maps, old", 'say "hi"')),
        ('"Maps, old', ('"Maps', "old")),
        ('the "old" maps', ('the "old" maps',)),
        (' ;, "", ai, ai', ("ai",)),
        ("", ()),
    ],
)
def test_commas_and_semicolons_separate_topics_and_quotes_keep_them(cell: str, topics: tuple[str, ...]) -> None:
    assert topics_of(cell) == topics


SIGNS = ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "⁼", "⁺", "⁻", "₌", "₊", "₋", "−", "﬩"]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\xa0", "\u3000", "\u200b", "\ufeff", "'", "'' "])
def test_every_form_of_a_formula_character_is_escaped(sign: str, before: str) -> None:
    cell = f"{before}{sign}1+1"
    assert guarded(cell) == f"'{cell}"
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["Ada", "", "1+1", "'Ada", "Ada = Bob", " Ada", "–", "2026-11-29", "É", "''"])
def test_other_cells_are_unchanged(cell: str) -> None:
    assert guarded(cell) == unguarded(cell) == cell


HOSTILE = st.sampled_from([*SIGNS, "\t", "\r", "\n", "'", '"', ",", ";", " ", "\u200b", "cmd|' /C calc'!A0"])
CELLS = st.lists(HOSTILE | st.text(st.characters(exclude_categories=("Cs",)))).map("".join)


@given(CELLS)
def test_no_cell_is_a_formula_and_every_cell_reads_back(cell: str) -> None:
    assert guarded(cell)[:1] not in (*SIGNS, "\t", "\r", "\n")
    assert unguarded(guarded(cell)) == cell


TOPICS = st.lists(CELLS.map(lambda text: clean_line(text, 40)).filter(bool), unique=True, max_size=4)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=40
)
@given(TOPICS)
def test_any_topics_come_back_from_an_export_as_they_were(
    sqlite_store: Store, tmp_path: Path, topics: list[str]
) -> None:
    people, path = sqlite_store.subscribers, tmp_path / "out.csv"
    people.add(person(topics=tuple(topics)), at=NOW, source="test")
    before = people.get("ada@example.org")
    assert before
    export_to(sqlite_store, path)
    for result in ("unchanged", "added"):
        report = bring_file(sqlite_store, path).report
        after = people.get("ada@example.org")
        assert getattr(report, result) == 1
        assert after
        assert after.subscriptions == before.subscriptions
        with people.transaction(NOW) as transaction:
            transaction.erase(after, "ada@example.org")


@given(CELLS, CELLS)
def test_no_cell_of_an_export_is_a_formula(name: str, topic: str) -> None:
    out = io.StringIO()
    export_csv([someone(name, topic)], [], out)
    _, *rows = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert all(cell[:1] not in ("=", "+", "-", "@", "\t", "\r") for row in rows for cell in row)


def test_json_is_an_array_of_subscribers(tmp_path: Path) -> None:
    empty, two = io.StringIO(), io.StringIO()
    assert export_json([], empty) == 0
    assert export_json([someone('"Ada"', "ai"), someone("例", "ml")], two) == 2

    assert json.loads(empty.getvalue()) == []
    first, second = json.loads(two.getvalue())
    assert first == {
        "uid": "u1",
        "email": "ada@example.org",
        "name": '"Ada"',
        "language": "en",
        "status": "active",
        "created_at": "2026-11-21T09:00:00+00:00",
        "joined_at": "2026-11-21T09:00:00+00:00",
        "subscriptions": [{"newsletter": "weekly", "topics": ["ai"]}],
        "ended": [],
        **{"tags": [], "fields": {}, "note": ""},
        "suppressed": False,
        "consent": [],
    }
    assert second["name"] == "例"


def someone(name: str, topic: str) -> FullRecord:
    wish = SubscriptionRecord("weekly", (topic,))
    ada = Subscriber(1, "u1", "ada@example.org", name, "en", SubscriberStatus.ACTIVE, NOW, (wish,))
    return FullRecord(ada, (), None)
