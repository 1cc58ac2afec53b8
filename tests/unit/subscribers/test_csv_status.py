"""Columns that say who must not get email are understood, or cause a question, whichever tool wrote the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.subscribers.csv_columns import parse_choices
from publisher.subscribers.csv_file import CsvFile
from publisher.subscribers.csv_status import status_column, status_of_file
from publisher.subscribers.csv_status_languages import LANGUAGES
from publisher.subscribers.csv_status_words import plain, without_accents
from publisher.subscribers.csv_survey import survey
from tests.support import ROOT


def judged(folder: Path, text: str, maps: Sequence[str] = (), name: str = "list.csv") -> tuple[list[str], list[str]]:
    """Return the status of each row of a file, and the questions about the file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with CsvFile(path, parse_choices(maps)) as file:
        found = survey(file, lambda row: None)
        file.rewind()
        statuses = [found.columns.status(row.cells).value for row in file]
    return statuses, [str(question) for question in found.questions(name)]


def of_cell(folder: Path, column: str, cell: str, *maps: str) -> str:
    """Return the status that one cell gives a person, or "?" if the cell causes a question."""
    quoted = cell.replace('"', '""')
    (status,), questions = judged(folder, f'email,"{column}"\na@example.net,"{quoted}"\n', maps)
    return "?" if questions else status


# (column, value, its meaning)
CELLS = [
    ("unsubscribed_on", "2024-05-01", "unsubscribed"),
    ("hard_bounce", "1", "bounced"),
    ("double_opt_in", "no", "pending"),
    # the same names in other spellings
    ("unsubscribedOn", "2024-05-01T10:00:00Z", "unsubscribed"),
    ("Unsubscribed On", "1/5/2024", "unsubscribed"),
    ("UNSUBSCRIBED-AT", "2024-05-01 10:00", "unsubscribed"),
    ("dateUnsubscribed", "1714550400", "unsubscribed"),
    ("Is Unsubscribed", "TRUE", "unsubscribed"),
    ("has_opted_out", "x", "unsubscribed"),
    ("HasOptedOutOfEmail", "1", "unsubscribed"),
    ("Opt-Out", "Y", "unsubscribed"),
    ("Unsubscribed from all email", "true", "unsubscribed"),
    ("gone", "yes", "unsubscribed"),
    ("Gone", "✓", "unsubscribed"),
    ("signed_off", "ja", "unsubscribed"),
    ("cancelled_at", "2023-01-01", "unsubscribed"),
    ("Abgemeldet am", "01.05.2024", "unsubscribed"),
    ("désinscrit", "oui", "unsubscribed"),
    ("Baja", "sí", "unsubscribed"),
    ("email_bounced", "yes", "bounced"),
    ("EmailBouncedReason", "mailbox full for years", "bounced"),
    ("last bounce date", "2024-01-01", "bounced"),
    ("Number of bounces on this subscriber", "7", "bounced"),
    ("CLEAN_TIME", "2024-06-01 10:00:00", "bounced"),
    ("undeliverable", "true", "bounced"),
    ("Invalid email address", "true", "bounced"),
    ("complaint", "1", "complained"),
    ("spamComplaint", "yes", "complained"),
    ("marked_as_spam_at", "2024-01-01", "complained"),
    ("Abuse reports", "2", "complained"),
    ("blacklisted", "1", "suppressed"),
    ("Is this subscriber blacklisted", "1", "suppressed"),
    ("EMAIL_BLOCKLISTED", "true", "suppressed"),
    ("blocked", "yes", "suppressed"),
    ("doNotContact", "1", "suppressed"),
    ("Do not email", "Yes", "suppressed"),
    ("suppression_reason", "manual", "suppressed"),
    ("deleted_at", "2024-01-01", "unsubscribed"),
    ("unconfirmed", "1", "pending"),
    # columns whose yes means no
    ("may be mailed", "no", "unsubscribed"),
    ("subscribed", "0", "unsubscribed"),
    ("subscribed_to_emails", "false", "unsubscribed"),
    ("Accepts Email Marketing", "no", "unsubscribed"),
    ("is_active", "f", "unsubscribed"),
    ("Active", "no", "unsubscribed"),
    ("Active subscriber", "no", "unsubscribed"),
    ("Subscribed to", "no", "unsubscribed"),
    ("enabled", "off", "unsubscribed"),
    ("mailable", "nein", "unsubscribed"),
    ("confirmed", "0", "pending"),
    ("optedin", "0", "pending"),
    ("email_verified", "false", "pending"),
    ("Bestätigt", "Nein", "pending"),
    ("CONFIRM_TIME", "no", "pending"),
    ("newsletter", "no", "unsubscribed"),
    ("gdpr", "no", "unsubscribed"),
    # statuses in words
    ("status", "unsubscribed", "unsubscribed"),
    ("global_status", "bounced", "bounced"),
    ("Subscriber status", "Unconfirmed", "pending"),
    ("list_status", "Marked as spam", "complained"),
    ("state", "cancelled", "unsubscribed"),
    ("Mailing state", "Hard-Bounce", "bounced"),
    ("SuppressionReason", "SpamComplaint", "complained"),
    ("Reason", "HardBounce", "bounced"),
    ("Type", "blocklisted", "suppressed"),
    ("bounced", "complained", "complained"),
    ("subscribed", "bounced", "bounced"),
    # the same columns, with nothing against sending email
    ("unsubscribed_on", "", "active"),
    ("unsubscribed_on", "0000-00-00 00:00:00", "active"),
    ("unsubscribed", "no", "active"),
    ("bounces", "0", "active"),
    ("bounced", "-", "active"),
    ("blacklisted", "False", "active"),
    ("confirmed", "1", "active"),
    ("confirmed", "", "active"),
    ("double_opt_in", "2024-05-01", "active"),
    ("subscribed", "yes", "active"),
    ("status", "Subscribed", "active"),
    ("status", "enabled", "active"),
    ("CONFIRM_TIME", "2024-05-02 11:00:00", "active"),
    # columns about something else
    ("open rate", "0", "active"),
    ("bounce_rate", "12", "active"),
    ("spam score", "3.5", "active"),
    ("Days active (30d)", "0", "active"),
    ("MEMBER_RATING", "1", "active"),
    ("OPTIN_IP", "192.0.2.1", "active"),
    ("State", "Ohio", "active"),
    ("Lead Status", "New", "active"),
    ("Marital status", "married", "active"),
    ("type", "company", "active"),
    ("Block", "12b", "active"),
    ("Left handed", "hook", "active"),
    ("Contact", "Ann", "active"),
    ("notes", "complained about the price", "active"),
    ("Subscription source", "Import", "active"),
    ("Opt-in source", "the form on the site", "active"),
    ("Confirmed by", "Ann", "active"),
    ("Last active", "3 days ago", "active"),
    ("Active campaigns", "3", "active"),
    ("unsubscribe_link", "https://example.org/u/1", "active"),
    ("unsubscribe_id", "4711", "active"),
    ("Subscribed to", "Weekly, Daily", "active"),
    ("Subscribed lists", "News", "active"),
    ("Email status", "valid", "active"),
    # values that are not understood
    ("unsubscribed", "maybe", "?"),
    ("status", "vip", "?"),
    ("subscribed", "2", "?"),
    ("DOUBLE_OPT-IN", "2", "?"),
    ("confirmed", "sort of", "?"),
    ("unsubscribe", "confirmed", "?"),
    ("soft_bounces", "2", "?"),
    ("SMS blacklisted", "yes", "?"),
    ("Do Not Call", "1", "?"),
    # values about it in a column of any name
    ("tags", "vip, unsubscribed", "?"),
    ("Info", "Hard bounce", "?"),
    ("Group", "opted out", "?"),
    ("K1", "do-not-mail", "?"),
]


@pytest.mark.parametrize(("column", "cell", "status"), CELLS)
def test_each_cell_has_its_meaning(tmp_path: Path, column: str, cell: str, status: str) -> None:
    assert of_cell(tmp_path, column, cell) == status


def test_columns_of_many_tools_and_languages_are_understood(tmp_path: Path) -> None:
    """Each column in tests/data/export_columns.tsv is understood or asked about, as the file says."""
    lines = (ROOT / "tests/data/export_columns.tsv").read_text(encoding="utf-8").splitlines()
    wrong = []
    for line in lines:
        if not line.startswith("#"):
            source, column, value, meaning = line.split("\t")
            got = of_cell(tmp_path, column, value)
            if got == "active" if meaning == "no" else got != meaning:
                wrong.append(f"{source}: {column!r} of {value!r} is {got}, not {meaning}")
    assert wrong == []
    assert len(lines) > 600


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_every_language_are_in_normalised_form(language: str) -> None:
    for kind, pattern in asdict(LANGUAGES[language]).items():
        re.compile(without_accents(pattern))
        assert re.sub(r"\\[a-zA-Z]", "", pattern) == re.sub(r"\\[a-zA-Z]", "", pattern).lower(), kind


def test_long_names_and_values_are_read_quickly(tmp_path: Path) -> None:
    for text in ("a" * 100_000, "停" * 100_000, "un subscri " * 9_000, "ab" * 40_000 + "meldet", "x y " * 20_000):
        column = status_column(0, text)
        assert column is None or column.verdict(text) is None or column.told
        assert of_cell(tmp_path, "status", text) in ("?", "active")


@pytest.mark.parametrize(("column", "cell"), [(column, cell) for column, cell, status in CELLS if status == "?"])
def test_every_question_can_be_answered_with_ignore(tmp_path: Path, column: str, cell: str) -> None:
    assert of_cell(tmp_path, column, cell, f"{column}=ignore") == "active"


@pytest.mark.parametrize(("column", "cell"), [(column, cell) for column, cell, status in CELLS if status == "?"])
def test_the_first_suggested_answer_is_accepted(tmp_path: Path, column: str, cell: str) -> None:
    text = f'email,"{column}"\na@example.net,"{cell}"\n'
    (question,) = judged(tmp_path, text)[1]
    answer = question.partition("--map ")[2].partition(" to ")[0].partition(" or ")[0].removesuffix(",").strip("'")
    statuses, questions = judged(tmp_path, text, [answer])
    assert statuses != ["active"] or questions


def test_the_strictest_of_several_columns_counts(tmp_path: Path) -> None:
    rows = "a@x.test,active,1,no,0\nb@x.test,active,1,no,1\nc@x.test,active,,,\n"
    text = f"email,status,bounced,confirmed,complaints\n{rows}"
    assert judged(tmp_path, text)[0] == ["bounced", "complained", "active"]


def test_every_column_that_is_not_understood_is_reported(tmp_path: Path) -> None:
    text = "email,unsubscribed,status,open rate\n" + "".join(f"r{n}@x.test,maybe,vip,0.5\n" for n in range(12))
    assert judged(tmp_path, text)[1] == [
        "the column 'unsubscribed' seems to say who must not get email, and 12 rows have a value that is not understood"
        " there ('maybe'; first in line 2) (--map unsubscribed=unsubscribed to count every value except no as"
        " unsubscribed, or --map unsubscribed=ignore to ignore it)",
        "the column 'status' seems to say who must not get email, and 12 rows have a value that is not understood there"
        " ('vip'; first in line 2) (--map status:vip=unsubscribed or --map status:vip=subscribed, for each value, or"
        " --map status=ignore to ignore it)",
    ]


def test_a_value_can_be_given_a_meaning(tmp_path: Path) -> None:
    text = "email,status\na@x.test,vip\nb@x.test,Ex member\nc@x.test,active\n"
    maps = ["status:vip=subscribed", "status:ex member=unsubscribed"]
    assert judged(tmp_path, text, maps) == (["active", "unsubscribed", "active"], [])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unsubscribed_members_export_1a2b.csv", "unsubscribed"),
        ("cleaned_members_export_1a2b.csv", "bounced"),
        ("nonsubscribed_members_export_1a2b.csv", "unconfirmed"),
        ("subscribed_members_export_1a2b.csv", ""),
        ("suppression-list.csv", "suppressed"),
        ("Opt-outs 2024.csv", "unsubscribed"),
        ("blocklist.txt", "suppressed"),
        ("complaints.csv", "complained"),
        ("people.csv", ""),
        ("without unsubscribed.csv", ""),
    ],
)
def test_the_name_of_a_file_can_cause_a_question(tmp_path: Path, name: str, said: str) -> None:
    assert status_of_file(name) == said
    assert bool(judged(tmp_path, "email\na@x.test\n", name=name)[1]) == bool(said)


def test_a_file_with_a_status_column_causes_no_question_by_its_name(tmp_path: Path) -> None:
    text = "email,UNSUB_TIME\na@x.test,2024-05-01\n"
    assert judged(tmp_path, text, name="unsubscribed.csv") == (["unsubscribed"], [])


def test_contacts_of_mailchimp_who_never_opted_in_cause_a_question(tmp_path: Path) -> None:
    header = "Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,LEID,EUID\n"
    (question,) = judged(tmp_path, f"{header}a@x.test,A,,,1,a1\n")[1]
    assert "no one in this file has opted in" in question
    assert judged(tmp_path, f"{header}a@x.test,A,2024-05-01 10:00:00,,1,a1\n")[1] == []


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name_and_any_value_are_read(name: str, value: str) -> None:
    column = status_column(0, name)
    if column is not None:
        column.verdict(value)
    assert plain(plain(name)) == plain(name)
