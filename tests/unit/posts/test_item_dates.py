"""Dates in feeds, in every format that tools write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.posts.sources.item_dates import read_date

NOON = "2026-01-05T12:00:00+00:00"

SPELLINGS = {
    # RFC 822 and 2822
    "Mon, 05 Jan 2026 12:00:00 +0000": NOON,
    "Mon, 05 Jan 2026 12:00:00 GMT": NOON,
    "Mon, 5 Jan 2026 12:00:00 Z": NOON,
    "5 Jan 26 12:00 UT": NOON,
    "Monday, 05-Jan-26 12:00:00 GMT": NOON,
    "Mon, 05 Jan 2026 07:00:00 EST": NOON,
    "Mon, 05 Jan 2026 04:00:00 PST": NOON,
    "Mon, 05 Jan 2026 13:00:00 CET": NOON,
    "Mon, 05 Jan 2026 14:00:00 CEST": NOON,
    "Mon, 05 Jan 2026 21:00:00 JST": NOON,
    "Mon, 05 Jan 2026 17:30:00 IST": NOON,
    "Mon, 05 Jan 2026 13:00:00 +01:00": NOON,
    "Mon, 05 Jan 2026 13:00:00 GMT+0100": NOON,
    "Mon, 05 Jan 2026 13:00:00 GMT+01:00": NOON,
    "Mon, 05 Jan 2026 13:00:00 +0100 (CET)": NOON,
    "Mon Jan 05 2026 13:00:00 GMT+0100 (Central European Standard Time)": NOON,
    "Mon, 05 Jan 2026 12:00:00": NOON,
    "Mon,05 Jan 2026 12:00:00 +0000": NOON,
    "Wed, 05 Jan 2026 12:00:00 +0000": NOON,  # the day of the week is wrong
    "  Mon, 05 Jan 2026\n 12:00:00 +0000 ": NOON,
    "Mon, 05 January 2026 12:00:00 +0000": NOON,
    "Mon, Jan 05 2026 12:00:00 +0000": NOON,
    "Mon, 05 Jan 2026 24:00:00 +0000": None,
    "Mon Jan  5 12:00:00 2026": NOON,
    # RFC 3339 and ISO 8601
    "2026-01-05T12:00:00Z": NOON,
    "2026-01-05T12:00:00.000Z": NOON,
    "2026-01-05T13:00:00+01:00": NOON,
    "2026-01-05T13:00:00+0100": NOON,
    "2026-01-05t12:00:00z": NOON,
    "2026-01-05T12:00Z": NOON,
    "2026-01-05 12:00:00": NOON,
    "2026-01-05 12:00:00 +0000": NOON,
    "2026-01-05 12:00:00 UTC": NOON,
    "2026-01-05 12:00:00 +0000 UTC": NOON,  # Go
    "20260105T120000Z": NOON,
    "2026/01/05 12:00:00": NOON,
    "2026-01-05T12:00:00.1234567Z": "2026-01-05T12:00:00.123456+00:00",
    "2026-01-05": "2026-01-05T00:00:00+00:00",
    "2026-1-5": "2026-01-05T00:00:00+00:00",
    # other languages
    "lun., 05 janv. 2026 13:00:00 +0100": NOON,
    "Mo, 05 Jan 2026 13:00:00 +0100": NOON,
    "Montag, 5. Januar 2026 13:00 CET": NOON,
    "lun, 05 ene 2026 12:00:00 +0000": NOON,
    "5 de enero de 2026, 12:00": NOON,
    "lun, 05 gen 2026 12:00:00 GMT": NOON,
    "seg, 05 jan 2026 12:00:00 +0000": NOON,
    "Пн, 05 янв 2026 15:00:00 +0300": NOON,
    "pon, 05 sty 2026 12:00:00 +0000": NOON,
    "2026年1月5日 12:00": NOON,
    "ma, 05 jan 2026 12:00:00 +0000": NOON,
    "Di, 05 Mai 2026 12:00:00 +0000": "2026-05-05T12:00:00+00:00",
    "mer., 05 août 2026 12:00:00 +0000": "2026-08-05T12:00:00+00:00",
    "sáb, 05 dez 2026 12:00:00 +0000": "2026-12-05T12:00:00+00:00",
    "Do, 05 Mär 2026 12:00:00 +0000": "2026-03-05T12:00:00+00:00",
    # words and numbers
    "January 5, 2026 12:00 pm": NOON,
    "Jan 5th, 2026 12:00 PM": NOON,
    "1767614400": NOON,
    "1767614400000": NOON,
    # not a date, or an ambiguous one
    "": None,
    "now": None,
    "0000-00-00 00:00:00": None,
    "0001-01-01T00:00:00Z": None,
    "Mon, 01 Jan 0001 00:00:00 +0000": None,
    "-0001-11-30T00:00:00+00:00": None,
    "1970-01-01T00:00:00Z": None,
    "Thu, 01 Jan 1970 00:00:00 GMT": None,
    "01/02/2026": None,
    "2026-13-45T00:00:00Z": None,
    "Mon, 31 Feb 2026 12:00:00 +0000": None,
    "9999-12-31T23:59:59Z": None,
    "99999999999999999999": None,
    "Mon, 05 Jan 2026 12:00:00 +9999": None,
}


def test_dates_are_read_in_every_spelling() -> None:
    found = {text: date.isoformat() if (date := read_date(text)) else None for text in SPELLINGS}
    assert {text: (found[text], right) for text, right in SPELLINGS.items() if found[text] != right} == {}


@pytest.mark.parametrize(
    "months",
    [
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "janv févr mars avr mai juin juil août sept oct nov déc",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "jan fev mar abr mai jun jul ago set out nov dez",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "ledna února března dubna května června července srpna září října listopadu prosince",
        "januari februari mars april maj juni juli augusti september oktober november december",
        "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    ],
)
def test_months_are_read_in_other_languages(months: str) -> None:
    dates = [read_date(f"7 {name} 2026 12:00:00 +0000") for name in months.split()]
    assert [date.month if date else 0 for date in dates] == list(range(1, 13))


@given(st.text(max_size=60) | st.from_regex(r"[0-9]{1,5}[-/. :,][0-9A-Za-z]{1,9}[-/. :,+][0-9]{1,5}[T ][0-9:.]{1,12}"))
def test_no_text_makes_reading_dates_fail(text: str) -> None:
    found = read_date(text)
    assert found is None or found.utcoffset() is not None
