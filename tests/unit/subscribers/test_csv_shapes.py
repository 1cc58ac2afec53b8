"""Files as spreadsheets and other tools write them, and dates, languages and addresses as people write them."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus
from publisher.store.subscriber_records import address_key
from publisher.subscribers.address import normalise
from publisher.subscribers.csv_cells import date_of, day_comes_first
from publisher.subscribers.csv_columns import Choices, parse_choices
from publisher.subscribers.csv_file import CsvFile, CsvRow
from publisher.subscribers.csv_repeats import Repeats
from publisher.subscribers.languages import clean_language


def read(folder: Path, content: str | bytes, *maps: str, encoding: str = "", bare: bool = False) -> list[CsvRow]:
    """Write a file with this content, and return its rows."""
    path = folder / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with CsvFile(path, parse_choices(maps), encoding=encoding, bare=bare) as file:
        return list(file)


def addresses(folder: Path, content: str | bytes, **options: object) -> list[str]:
    path = folder / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with CsvFile(path, Choices(), **options) as file:  # type: ignore[arg-type]
        return [file.columns.cell(row.cells, "email") for row in file if not row.fault]


PEOPLE = "email,name\nann@example.org,Jörg\n"


@pytest.mark.parametrize(
    "content",
    [
        "email;name\nann@example.org;Ann;;\n",
        "email;name\nann@example.org;Ann;; ; ;\n",
        "email;name;;\nann@example.org;Ann\n",
        "email\tname\t\t\nann@example.org\tAnn\t\t\t\t\n",
        "email,name\nann@example.org,Ann,,,\n",
        'email,name\n"ann@example.org","Ann",""," "\n',
        "email|name\nann@example.org|Ann\n",
        "sep=,\nemail,name\nann@example.org,Ann\n",
        "sep=;\r\n\r\nemail;name\r\nann@example.org;Ann\r\n",
        '"sep=;"\nemail;name, first\nann@example.org;Ann\n',
        "\ufeffsep=;\nemail;name\nann@example.org;Ann\n",
        "\n\n  \n,,,\nemail,name\nann@example.org,Ann\n",
        "\ufeff\n\nemail,name\nann@example.org,Ann\n",
        PEOPLE.encode("utf-8-sig"),
        PEOPLE.encode("utf-16"),
        PEOPLE.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"),
        b"\xfe\xff" + PEOPLE.encode("utf-16-be"),
        PEOPLE.encode("utf-32"),
    ],
)
def test_a_file_from_a_spreadsheet_is_read(tmp_path: Path, content: str | bytes) -> None:
    assert addresses(tmp_path, content) == ["ann@example.org"]


@pytest.mark.parametrize(
    "content",
    [
        'When,"Your email\n(never shared)",Name\n2024,ann@example.org,Ann\n2024,bob@example.org,Bob\n',
        'email,"What do\r\nyou like?"\r\nann@example.org,tea\r\nbob@example.org,"a\r\nb"\r\n',
        '"email";"Last name, first name";"Tea, milk, juice or water?"\nann@example.org;A;tea\nbob@example.org;B;a, b\n',
        '"email";"a, b\nc, d"\nann@example.org;A\nbob@example.org;B\n',
    ],
)
def test_the_questions_of_a_survey_are_column_names(tmp_path: Path, content: str) -> None:
    assert addresses(tmp_path, content) == ["ann@example.org", "bob@example.org"]
    (tmp_path / "list.csv").write_bytes(content.encode())
    with CsvFile(tmp_path / "list.csv", Choices()) as file:
        first, *_ = list(file)
        file.rewind()
        assert next(iter(file)) == first
        assert not any("\n" in name for name in file.columns.header)


@pytest.mark.parametrize("end", ["", '"\n'], ids=["never", "below the first row"])
def test_a_column_name_whose_quote_is_not_closed_contains_no_rows(tmp_path: Path, end: str) -> None:
    with pytest.raises(SubscriberError, match="does not name a column with addresses"):
        read(tmp_path, f'email,"name\nann@example.org,Ann\nbob@example.org,Bob{end}')


def test_a_cell_without_a_column_is_refused_unless_it_is_empty(tmp_path: Path) -> None:
    first, second = read(tmp_path, "email;name\nann@example.org;Ann;;\nbob@example.org;Bob;;x\n")
    assert (first.fault, second.fault) == ("", "it has 4 cells, and the first line names 2 columns")


def test_a_short_row_of_a_wide_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    wide = ",unsubscribed" * 300
    path.write_text(f"email,bounced{wide}\nann@example.org\nbob@example.org,yes\neve@example.org,,,,,yes\n")
    with CsvFile(path, Choices()) as file:
        found = [(len(list(file.columns.speaking(row.cells))), file.columns.status(row.cells)) for row in file]
    assert found == [
        (0, SubscriberStatus.ACTIVE),
        (1, SubscriberStatus.BOUNCED),
        (5, SubscriberStatus.UNSUBSCRIBED),
    ]


def test_an_answer_about_empty_cells_also_applies_to_missing_cells(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email,status\nann@example.org\nbob@example.org,\neve@example.org,active\n")
    with CsvFile(path, parse_choices(["status:=unsubscribed"])) as file:
        found = [file.columns.status(row.cells) for row in file]
    gone = SubscriberStatus.UNSUBSCRIBED
    assert found == [gone, gone, SubscriberStatus.ACTIVE]


def test_closing_quotes_are_searched_again_after_many_missing_ones(tmp_path: Path) -> None:
    broken, good = 'x","z\n' * 3_000, "ann@example.org,Ann,\n" * 500
    rows = read(tmp_path, f'email,name,note\n{broken}{good}bob@example.org,Bob,"two\nlines"\n')
    assert [row.cells for row in rows if not row.fault][-1] == ["bob@example.org", "Bob", "two\nlines"]
    assert sum(bool(row.fault) for row in rows) == 3_000


def workbook(member: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, "ann@example.org")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook("xl/workbook.xml"), "this is an Excel workbook, not a CSV file .save it as CSV UTF-8"),
        (workbook("mimetype opendocument.spreadsheet"), "an OpenDocument spreadsheet"),
        (workbook("members.csv"), "a zip archive, not a CSV file .unpack it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old Excel workbook"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"<html><table><tr><td>ann@example.org", "a web page"),
        (b'[{"email": "ann@example.org"}]', "JSON"),
        (b"BEGIN:VCARD\n", "vCards"),
        (b"\x1f\x8b\x08\0", "a compressed file"),
        (PEOPLE.encode("utf-16-le"), "seems to be UTF-16 .add --encoding utf-16-le"),
        ("ann@example.org\nbob@example.org\n", "the first line has no column names"),
        ("Ann;ann@example.org\n", "the first line has no column names"),
    ],
)
def test_a_file_that_is_not_a_list_is_refused(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(SubscriberError, match=rf"list\.csv(:1)?: .*{said}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        "ann@example.org\nbob@example.org\n",
        "Ann;ann@example.org\nBob;bob@example.org;;\n",
        "\n\nann@example.org\nbob@example.org",
    ],
)
def test_a_bare_list_of_addresses_is_read_if_their_meaning_is_given(tmp_path: Path, content: str) -> None:
    assert addresses(tmp_path, content, bare=True) == ["ann@example.org", "bob@example.org"]


def test_the_encoding_is_suggested_if_it_is_certain(tmp_path: Path) -> None:
    content = "email,name\na@x.test,Jürgen Weiß\nb@x.test,Zoë “the first” Ångström\n".encode("windows-1252")
    assert [(row.fault, row.coded) for row in read(tmp_path, content)] == [
        ("the line is not valid UTF-8", "windows-1252"),
        ("the line is not valid UTF-8", "windows-1252"),
    ]
    named = read(tmp_path, content, encoding="windows-1252")
    assert [row.cells[1] for row in named] == ["Jürgen Weiß", "Zoë “the first” Ångström"]


@pytest.mark.parametrize(
    "content", ["Иван".encode("cp1251"), "Jürgen".encode() + b" \xfc", b"\x81\x8d", "Łódź".encode("cp852")]
)
def test_no_encoding_is_suggested_if_it_is_uncertain(tmp_path: Path, content: bytes) -> None:
    (row,) = read(tmp_path, b"email,name\na@x.test," + content + b"\n")
    assert (row.fault, row.coded) == ("the line is not valid UTF-8", "")


@pytest.mark.parametrize("name", ["rot13", "idna", "no such", "unicode_escape", "hex", "base64"])
def test_an_unknown_encoding_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SubscriberError, match="there is no encoding"):
        read(tmp_path, PEOPLE, encoding=name)


@pytest.mark.parametrize(
    "heading",
    [
        *("Mail", "E-Mail-Adresse", "Adresse e-mail", "Correo", "Correo electrónico", "Courriel", "E-postadress"),
        *("emailAddress", "EMAIL_ADDRESS", "Indirizzo e-mail", "Kontakt", "メール"),
    ],
)
def test_the_column_with_addresses_is_found(tmp_path: Path, heading: str) -> None:
    assert addresses(tmp_path, f"Name;{heading};Ort\nAnn;ann@example.org;Berlin\n") == ["ann@example.org"]


def test_a_street_address_is_not_an_email_address(tmp_path: Path) -> None:
    assert addresses(tmp_path, "address,where\n1 Long Street,ann@example.org\n") == ["ann@example.org"]


def test_several_columns_with_addresses_cause_a_question(tmp_path: Path) -> None:
    with pytest.raises(SubscriberError, match=r"several columns contain addresses: 'One', 'Two' .*--map email=COLUMN"):
        read(tmp_path, "One,Two\na@x.test,b@x.test\n")


def test_a_pipe_can_be_read_twice(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(PEOPLE))
    writer.start()
    with CsvFile(pipe, Choices()) as file:
        once = [row.cells for row in file]
        file.rewind()
        assert [row.cells for row in file] == once == [["ann@example.org", "Jörg"]]
    writer.join()


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-05-02", datetime(2024, 5, 2, tzinfo=UTC)),
        ("2024-05-02 11:00:00", datetime(2024, 5, 2, 11, tzinfo=UTC)),
        ("2024-05-02T11:00:00.000Z", datetime(2024, 5, 2, 11, tzinfo=UTC)),
        ("2024-05-02T13:00:00+02:00", datetime(2024, 5, 2, 11, tzinfo=UTC)),
        ("2024-05-02 11:00:00 UTC", datetime(2024, 5, 2, 11, tzinfo=UTC)),
        ("2024/05/02", datetime(2024, 5, 2, tzinfo=UTC)),
        ("02.05.2024 11:00", datetime(2024, 5, 2, 11, tzinfo=UTC)),
        ("5/13/2024", datetime(2024, 5, 13, tzinfo=UTC)),
        ("13/05/2024 01:05 PM", datetime(2024, 5, 13, 13, 5, tzinfo=UTC)),
        ("May 2, 2024", datetime(2024, 5, 2, tzinfo=UTC)),
        ("2 May 2024", datetime(2024, 5, 2, tzinfo=UTC)),
        ("Thu, 02 May 2024 11:00:00 +0000", datetime(2024, 5, 2, 11, tzinfo=UTC)),
        ("1714647600", datetime(2024, 5, 2, 11, tzinfo=UTC)),
        ("1714647600000", datetime(2024, 5, 2, 11, tzinfo=UTC)),
        ("04/05/2024", None),
        ("", None),
        ("yes", None),
        ("2024", None),
        ("31.02.2024", None),
        ("99999999999", None),
    ],
)
def test_dates_are_read(cell: str, moment: datetime | None) -> None:
    assert date_of(cell) == moment


def test_one_date_shows_the_order_of_all_dates() -> None:
    cells = ["04/05/2024", "13/05/2024", "", "no date"]
    assert day_comes_first(cells) is True
    assert date_of("04/05/2024", day_first=True) == datetime(2024, 5, 4, tzinfo=UTC)
    assert day_comes_first(["04/13/2024"]) is False
    assert date_of("04/05/2024", day_first=False) == datetime(2024, 4, 5, tzinfo=UTC)
    assert day_comes_first(["13/05/2024", "05/13/2024"]) is None


@given(st.text(max_size=70))
def test_any_text_is_a_date_or_ignored(text: str) -> None:
    found = date_of(text)
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("de", "de"),
        (" de_DE ", "de-DE"),
        ("pt_BR.UTF-8", "pt-BR"),
        ("sr_RS@latin", "sr-RS"),
        ("German", "de"),
        ("deutsch", "de"),
        ("Français", "fr"),
        ("ESPAÑOL", "es"),
        ("Português (Brasil)", "pt-BR"),
        ("日本語", "ja"),
        ("Chinese (Simplified)", "zh-Hans"),
        ("Klingonese", ""),
        ("", ""),
        ("<de>", ""),
    ],
)
def test_a_language_is_a_tag_or_a_name(text: str, tag: str) -> None:
    assert clean_language(text) == tag


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ann\u200b@example.org", "ann@example.org"),
        ("\ufeffann@example.org", "ann@example.org"),
        ("an\u00adn@exam\u00adple.org", "ann@example.org"),
        ("ann@example.org\u200e\u2060", "ann@example.org"),
        ("ann@example.org\xa0", "ann@example.org"),
        ("ann\u200d@example.org", "ann@example.org"),
        ("ａｎｎ@example.org", "ann@example.org"),
        ("ann＠example．org", "ann@example.org"),
        ("jörg@bücher.example", "jörg@bücher.example"),
    ],
)
def test_characters_that_are_never_part_of_an_address_are_removed(text: str, kept: str) -> None:
    assert normalise(text) == kept
    assert normalise(kept) == kept
    assert address_key(normalise(text)) == address_key(kept)


KEYS = st.lists(st.sampled_from("abcdefgh"), max_size=40)


@given(KEYS)
def test_a_choice_repeats_an_earlier_one_of_the_same_person_and_newsletter(keys: list[str]) -> None:
    choices = [
        (key, newsletter, line) for line, key in enumerate(keys, 2) for newsletter in ("daily", "weekly")[line % 2 :]
    ]
    repeats = Repeats(["weekly", "daily"])
    for choice in choices:
        repeats.add(*choice)
    repeats.settle()
    for key, newsletter, line in choices:
        is_repeated = any(each[:2] == (key, newsletter) and each[2] < line for each in choices)
        assert repeats.repeats(newsletter, line) == is_repeated
    assert not repeats.repeats("daily", len(keys) + 9)


def test_many_choices_are_kept_in_files() -> None:
    repeats = Repeats(["weekly"])
    for number in range(300_000):
        repeats.add(str(number % 299_999), "weekly", number)
    repeats.settle()
    assert [number for number in range(300_000) if repeats.repeats("weekly", number)] == [299_999]
