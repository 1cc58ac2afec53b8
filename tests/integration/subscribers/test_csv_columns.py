"""Files exported by other tools: what their columns mean, who is imported, and what is reported before an import."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from publisher.core.errors import SubscriberError
from publisher.store import Store, open_store
from publisher.store.subscriber_records import Added, ConsentEvent
from publisher.subscribers import csv_import
from publisher.subscribers.csv_cells import date_of
from publisher.subscribers.csv_columns import NAMES, full_name, parse_choices, recognise
from publisher.subscribers.csv_file import CsvFile
from publisher.subscribers.csv_import import Listeners, import_csv
from publisher.subscribers.csv_rows import NamedNewsletters
from publisher.subscribers.csv_survey import survey
from tests.support.consent_samples import SECRET
from tests.support.csv_samples import bring
from tests.support.store_samples import NOW, later, person

WEEKLY = NamedNewsletters(("weekly",), frozenset({"weekly"}))
MAILCHIMP = (
    '"Email Address","First Name","Last Name",Address,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,TAGS\n'
    'ada@example.org,Ada,Lovelace,"1 Street, London",4,"2024-05-01 10:00:00","2024-05-02 11:00:00",1,a1,"""vip"""\n'
)
MAILCHIMP_UNCONFIRMED = MAILCHIMP.replace('"2024-05-02 11:00:00"', '""')
MAILCHIMP_LEFT = (
    '"Email Address","First Name","Last Name",UNSUB_TIME,LEID,EUID\nleft@example.org,Le,Ft,"2024-06-01 10:00:00",2,a2\n'
)
MAILCHIMP_CLEANED = '"Email Address",CLEAN_TIME,LEID,EUID\ngone@example.org,"2024-06-01 10:00:00",3,a3\n'
SUBSTACK = (
    "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
    "ada@example.org,false,,other,false,2024-05-02,\n"
    "paid@example.org,true,2027-01-01,yearly,false,2024-05-02,2024-05-03\n"
    "off@example.org,false,,other,true,2024-05-02,\n"
)
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n"
    "1,ada@example.org,Ada Lovelace,,true,false,,2024-05-02T11:00:00.000Z,,vip,\n"
    "2,off@example.org,Off,,false,false,,2024-05-02T11:00:00.000Z,,,\n"
    "3,gone@example.org,Gone,,true,false,,2024-05-02T11:00:00.000Z,2025-01-01T00:00:00.000Z,,\n"
)
BUTTONDOWN = (
    "email_address,notes,metadata,tags,creation_date,subscriber_type\n"
    'ada@example.org,,"{""name"": ""Ada""}",vip,2024-05-02,regular\n'
    "paid@example.org,,{},,2024-05-02,premium\n"
    "waits@example.org,,{},,2024-05-02,unactivated\n"
    "left@example.org,,{},,2024-05-02,unsubscribed\n"
)
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'f00,ada@example.org,Ada Lovelace,"{""city"": ""London""}",enabled,2024-05-02,2024-05-03\n'
    "f01,off@example.org,Off,{},disabled,2024-05-02,2024-05-03\n"
    "f02,no@example.org,No,{},blocklisted,2024-05-02,2024-05-03\n"
)


@pytest.mark.parametrize(
    ("tool", "text", "mailed", "kept", "name", "since"),
    [
        ("Mailchimp", MAILCHIMP, 1, {}, "Ada Lovelace", "2024-05-02 11:00:00"),
        ("Mailchimp", MAILCHIMP_UNCONFIRMED, 1, {}, "Ada Lovelace", "2024-05-01 10:00:00"),
        ("Mailchimp", MAILCHIMP_LEFT, 0, {"left@example.org": ("unsubscribed", "2024-06-01")}, "", ""),
        ("Mailchimp", MAILCHIMP_CLEANED, 0, {"gone@example.org": ("bounced", "2024-06-01")}, "", ""),
        ("Substack", SUBSTACK, 2, {"off@example.org": ("unsubscribed", "")}, "", "2024-05-02"),
        (
            "Ghost",
            GHOST,
            1,
            {"off@example.org": ("unsubscribed", ""), "gone@example.org": ("unsubscribed", "2025-01-01")},
            "Ada Lovelace",
            "2024-05-02T11:00:00.000Z",
        ),
        (
            "Buttondown",
            BUTTONDOWN,
            2,
            {"waits@example.org": ("pending", ""), "left@example.org": ("unsubscribed", "")},
            "",
            "2024-05-02",
        ),
        (
            "listmonk",
            LISTMONK,
            1,
            {"off@example.org": ("unsubscribed", ""), "no@example.org": ("suppressed", "")},
            "Ada Lovelace",
            "2024-05-02",
        ),
    ],
)
def test_exports_of_other_tools_are_understood(
    store_url: str,
    tmp_path: Path,
    tool: str,
    text: str,
    mailed: int,
    kept: dict[str, tuple[str, str]],
    name: str,
    since: str,
) -> None:
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        done = bring(store, tmp_path / "list.csv", text, consent="the form at example.org")
        assert (done.columns.tool, done.report.added, done.refused) == (tool, mailed, [])
        assert done.kept == dict(Counter(status for status, _ in kept.values()))
        assert store.subscribers.count("weekly", mailable_at=NOW) == mailed
        for address, (status, day) in kept.items():
            assert status_of(store, address) == status
            events = known(store, address)
            assert not day or [event.at.date().isoformat() for event in events if event.what not in ("recorded",)] == [
                day
            ]
            assert {event.source for event in events} <= {"import list.csv"}
        ada = store.subscribers.get("ada@example.org")
        assert (ada.name if ada else "") == name
        if ada:
            added = store.subscribers.consent(ada.id)[0]
            assert (added.what, added.source) == ("added", "import list.csv")
            assert added.detail == f"the form at example.org; since {since}"
            assert ada.joined_at == date_of(since)


def status_of(store: Store, address: str) -> str:
    """Return the status of a subscriber, or of an address on the suppression list."""
    person = store.subscribers.get(address)
    return person.status.value if person else str(store.suppressions.reason(address))


def known(store: Store, address: str) -> list[ConsentEvent]:
    person = store.subscribers.get(address)
    return list(store.subscribers.consent(person.id)) if person else []


MAILERLITE = (
    "\ufeffEmail,Name,Last name,Status,Subscribed,Unsubscribed,Location,Opens,Clicks,Source,Signup IP\n"
    "ada@example.org,Ada,Lovelace,Active,2023-07-21 20:57:23,,Berlin,18,5,Form: Website,198.51.100.2\n"
    "eve@example.org,Eve,Jones,Unsubscribed,2023-07-21 20:57:23,2024-06-01 10:00:00,,,,,\n"
)


def test_the_export_of_mailerlite_is_understood(sqlite_store: Store, tmp_path: Path) -> None:
    done = bring(sqlite_store, tmp_path / "list.csv", MAILERLITE, consent="form")
    assert done.columns.shown["joined_at"] == "Subscribed"
    assert [done.columns.header[each.place] for each in done.columns.statuses] == ["Status", "Unsubscribed"]
    ada = sqlite_store.subscribers.get("ada@example.org")
    assert ada is not None
    assert (ada.name, f"{ada.joined_at:%Y-%m-%d}") == ("Ada Lovelace", "2023-07-21")
    earlier = "email,unsubscribed_at\nada@example.org,2023-01-01\n"
    assert bring(sqlite_store, tmp_path / "no.csv", earlier).report.newer == 1
    assert bring(sqlite_store, tmp_path / "no2.csv", earlier.replace("2023-", "2025-")).report.not_mailed == 1


COMPLAINTS = [
    "Email,UNSUB_TIME,UNSUB_REASON\nada@example.org,2025-06-06 21:41:57,SPAM\n",
    "Email,Status,Subscribed,Unsubscribed\nada@example.org,Junk,2022-02-23 20:57:23,2025-06-06 21:41:57\n",
    "Email,Junk date,Status\nada@example.org,2025-06-06 21:41:57,complained\n",
    "Email,Complained at\nada@example.org,2025-06-06 21:41:57\n",
]


@pytest.mark.parametrize("text", COMPLAINTS)
def test_a_complaint_keeps_its_date_and_is_final_for_files(store_url: str, tmp_path: Path, text: str) -> None:
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        bring(store, tmp_path / "junk.csv", text)
        (event,) = [each for each in known(store, "ada@example.org") if each.what == "complained"]
        assert f"{event.at:%Y-%m-%d %H:%M:%S}" == "2025-06-06 21:41:57"
        late = "Email,Subscribed\nada@example.org,2026-01-01\nbob@example.org,2026-01-01\n"
        yes = bring(store, tmp_path / "yes.csv", late)
        assert dict(yes.report.known) == {Added.COMPLAINED: 1}
        bring(store, tmp_path / "junk2.csv", text.replace("ada@", "bob@"))
        assert status_of(store, "bob@example.org") == "complained"


@pytest.mark.parametrize(
    ("head", "cells", "name"),
    [
        ("Name,Last name", "Pia,O'Neil", "Pia O'Neil"),
        ("Name,Last name", 'María,"Brun, Jr."', "María Brun, Jr."),
        ("Name,Surname", "Pia Jones,JONES", "Pia Jones"),
        ("Name,Last name", '"Jones, Pia",Jones', "Jones, Pia"),
        ("Name,Last name", "Pia,", "Pia"),
        ("Name,Last name", ",Jones", "Jones"),
        ("Name,Nachname", "Änne,Müller", "Änne Müller"),
        ("Nombre,Apellidos", "José,García Ruiz", "José García Ruiz"),
        ("Nome,Cognome", "Ada,Rossi", "Ada Rossi"),
        ("Nom,Prénom", "Dupont,Chloé", "Chloé Dupont"),
        ("Name,Vorname", "Müller,Änne", "Änne Müller"),
        ("Vorname,Nachname", "Änne,Müller", "Änne Müller"),
        ("Name,First name", "Pia Jones,Pia", "Pia Jones"),
        ("Name,First name,Last name", "pj,Pia,Jones", "pj"),
        ("Full name,Last name", "Pia,Jones", "Pia"),
    ],
)
def test_a_name_in_two_columns_is_joined(tmp_path: Path, head: str, cells: str, name: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"email,{head}\nada@example.org,{cells}\n", encoding="utf-8")
    with CsvFile(path, parse_choices([])) as file:
        assert [full_name(file.columns, row.cells) for row in file] == [name]


@pytest.mark.parametrize(
    ("column", "cells", "joined"),
    [
        *((name, ("2023-07-21 20:57:23", ""), "list") for name in ("Subscribed", "Opted in", "Confirmed", "Signup")),
        *((name, ("21.07.2023", ""), "list") for name in ("Created", "Date added", "Subscribe date", "Sign-up time")),
        *((name, ("2023-07-21", ""), "list") for name in ("Member since", "Registration Date", "Double opt-in at")),
        *(
            (name, ("2023-07-21", ""), "list")
            for name in ("Angemeldet am", "Anmeldedatum", "Bestätigt am", "Erstellt am")
        ),
        *(
            (name, ("2023-07-21", ""), "list")
            for name in ("Date d'inscription", "Inscrit le", "Fecha de alta", "Creado")
        ),
        *((name, ("2023-07-21", ""), "list") for name in ("Data iscrizione", "Aangemeld op", "登録日", "创建时间")),
        ("Subscribed", ("2023-07-21", "no"), "list"),
        ("Subscribed", ("2023-07-21", "yes"), ""),
        ("Subscribed", ("yes", ""), ""),
        ("Created", ("by hand", "2023-07-21"), ""),
        ("Unsubscribed", ("", "2023-07-21"), ""),
        ("Last subscribed", ("2023-07-21", ""), ""),
        ("Birthday", ("1990-07-21", ""), ""),
        ("SMS opted in", ("2023-07-21", ""), ""),
    ],
)
def test_a_column_with_consent_dates_is_used_as_joining_date(
    tmp_path: Path, column: str, cells: tuple[str, str], joined: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f'email,"{column}"\na@example.org,{cells[0]}\nb@example.org,{cells[1]}\n', encoding="utf-8")
    with CsvFile(path, parse_choices([])) as file:
        found = survey(file, lambda row: None).columns
    assert found.shown.get("joined_at") == (column if joined else None)
    if joined and "no" not in cells:
        assert found.statuses == ()


def test_a_column_can_be_mapped(sqlite_store: Store, tmp_path: Path) -> None:
    text = "Adresse;Vorname;Name;Sprache\nada@example.org;Ada;Lovelace;en\n"
    chosen = ["email=Adresse", "name=vorname", "language = Sprache"]
    columns = bring(sqlite_store, tmp_path / "list.csv", text, *chosen).columns

    assert columns.shown == {"email": "Adresse", "name": "Vorname", "language": "Sprache"}
    assert columns.ignored == ["Name"]
    (ada,) = sqlite_store.subscribers.list()
    assert (ada.name, ada.language) == ("Ada", "en")


def test_a_recognised_column_can_be_left_out(sqlite_store: Store, tmp_path: Path) -> None:
    columns = bring(sqlite_store, tmp_path / "list.csv", GHOST, "subscribed=", "left_at=").columns
    assert columns.statuses == ()
    assert sqlite_store.subscribers.count() == 3


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("email", "'email' is not a mapping .write it like --map name=Vorname"),
        ("mail=Email", "there is no field 'mail' .fields: email, name"),
        ("name=Surname", "there is no column 'Surname' .columns: Email, Name"),
        ("email=", "does not name a column with addresses .*--map email=COLUMN"),
    ],
)
def test_an_impossible_mapping_is_explained(choice: str, said: str) -> None:
    with pytest.raises(SubscriberError, match=said):
        recognise(("Email", "Name"), parse_choices([choice]))


def test_column_names_are_unambiguous() -> None:
    every = [name for names in NAMES.values() for name in names]
    assert len(every) == len(set(every))


def test_a_dry_run_of_an_import_writes_nothing(store_url: str, tmp_path: Path) -> None:
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        store.subscribers.add(person("known@example.org"), at=NOW, source="test")
        store.subscribers.add(person("left@example.org"), at=NOW, source="test")
        store.subscribers.remove("left@example.org", at=NOW, source="test")
        text = "email\nnew@example.org\nknown@example.org\nleft@example.org\nno address\n"
        before = list(store.subscribers.list())

        rehearsed = bring(store, tmp_path / "list.csv", text, dry_run=True)
        assert list(store.subscribers.list()) == before
        assert store.imports.list() == []
        done = bring(store, tmp_path / "list.csv", text)
        assert done.refused == rehearsed.refused
        assert replace(done.report, number=0) == rehearsed.report


def test_an_interrupted_import_can_be_repeated(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_import, "GROUP", 100)
    lines = [f"Reader{n % 190}@example.org,Name {n},{'weekly' if n % 3 else ''}\n" for n in range(350)]
    text = "email,name,newsletters\n" + "".join(lines)

    class StopError(Exception):
        """Simulates a power cut."""

    def pull(rows: int, of_about: int) -> None:
        if rows >= 200:
            raise StopError

    path = tmp_path / "list.csv"
    path.write_text(text)
    with open_store(store_url, tmp_path) as store:
        with pytest.raises(StopError):
            import_csv(store, path, WEEKLY, at=NOW, listeners=Listeners(progress=pull))
        assert 0 < store.subscribers.count() <= 190
        bring(store, path, text, at=later(days=1))
        twice = [
            (p.address, p.name, p.subscriptions, [(e.what, e.detail) for e in store.subscribers.consent(p.id)])
            for p in store.subscribers.list()
        ]
    with open_store("sqlite:///once.db", tmp_path) as store:
        bring(store, path, text)
        once = [
            (p.address, p.name, p.subscriptions, [(e.what, e.detail) for e in store.subscribers.consent(p.id)])
            for p in store.subscribers.list()
        ]
    assert twice == once
    assert len(once) == 190


def test_progress_estimates_the_number_of_rows(sqlite_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email\n" + "".join(f"reader{n:06}@example.org\n" for n in range(5_000)))
    told: list[tuple[int, int]] = []
    watch = Listeners(progress=lambda rows, of_about: told.append((rows, of_about)))
    import_csv(sqlite_store, path, WEEKLY, at=NOW, listeners=watch)

    assert [rows for rows, _ in told] == [2_000, 4_000, 5_000]
    assert all(abs(of_about - 5_000) < 1_500 for _, of_about in told)
    assert told[-1] == (5_000, 5_000)
