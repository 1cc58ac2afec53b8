"""Dates as people write them become moments; ambiguous dates are rejected."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.config import Posts
from publisher.core.errors import PostError
from publisher.posts.front_matter.dates import parse_date as parse
from publisher.posts.front_matter.dates import place
from tests.support import ROOT
from tests.support.posts_samples import BERLIN, post_of, read

WRITTEN = [
    ("2024-07-06", "2024-07-06T09:00:00+02:00"),
    ("2024-01-06", "2024-01-06T09:00:00+01:00"),
    ("2024-7-6", "2024-07-06T09:00:00+02:00"),
    ("2024/07/06", "2024-07-06T09:00:00+02:00"),
    ("2024-07-06 08:30", "2024-07-06T08:30:00+02:00"),
    ("2024-07-06 8:30", "2024-07-06T08:30:00+02:00"),
    ("2024-07-06T08:30:15", "2024-07-06T08:30:15+02:00"),
    ("2024-07-06t08:30:15z", "2024-07-06T08:30:15+00:00"),
    ("2024-07-06 08:30 UTC", "2024-07-06T08:30:00+00:00"),
    ("2024-07-06 08:30 GMT", "2024-07-06T08:30:00+00:00"),
    ("2024-07-06 00:00:00", "2024-07-06T00:00:00+02:00"),
    ("2017-01-20T09:00:00.000Z", "2017-01-20T09:00:00+00:00"),
    ("2024-07-06T08:30:00.123456789Z", "2024-07-06T08:30:00+00:00"),
    ("2013-06-30 23:59:59 +0000", "2013-06-30T23:59:59+00:00"),
    ("2024-03-21 4:00:00 +0900", "2024-03-21T04:00:00+09:00"),
    ("2024-03-21 04:00:00 +05:45", "2024-03-21T04:00:00+05:45"),
    ("2020-07-25 07:30:00+00", "2020-07-25T07:30:00+00:00"),
    ("2024-07-06T08:30-03", "2024-07-06T08:30:00-03:00"),
    ("Sat, 06 Jul 2024 08:30:00 +0200", "2024-07-06T08:30:00+02:00"),
    ("Sat, 06 Jul 2024 08:30:00 GMT", "2024-07-06T08:30:00+00:00"),
    ("Sat, 06 Jul 2024 08:30:00 EST", "2024-07-06T08:30:00-05:00"),
    ("Sat, 06 Jul 2024 08:30:00 -0000", "2024-07-06T08:30:00+00:00"),
    ("Sat, 06 Jul 2024 08:30:00", "2024-07-06T08:30:00+02:00"),
    ("Sat, 6 Jul 2024", "2024-07-06T09:00:00+02:00"),
    ("6 July 2024", "2024-07-06T09:00:00+02:00"),
    ("July 6, 2024", "2024-07-06T09:00:00+02:00"),
    ("July 6th, 2024 at 8:30 pm", "2024-07-06T20:30:00+02:00"),
    ("Saturday, July 6, 2024 8:30 PM", "2024-07-06T20:30:00+02:00"),
    ("Sat, July 6, 2024 8:30 PM", "2024-07-06T20:30:00+02:00"),
    ("6 Jul 2024 08:30 +0530", "2024-07-06T08:30:00+05:30"),
    ("Sat Jul 06 2024 08:30:00 GMT+0100 (Central European Standard Time)", "2024-07-06T08:30:00+01:00"),
    ("Sat Jul  6 08:30:00 UTC 2024", "2024-07-06T08:30:00+00:00"),
    ("2024-Jul-06", "2024-07-06T09:00:00+02:00"),
    ("2024-07-06 12:30 AM", "2024-07-06T00:30:00+02:00"),
    ("2024-07-06 8:30:15 p.m. +0100", "2024-07-06T20:30:15+01:00"),
    ("2024/07/06 3pm", "2024-07-06T15:00:00+02:00"),
    ("20240706", "2024-07-06T09:00:00+02:00"),
    ("20240706T083000Z", "2024-07-06T08:30:00+00:00"),
    ("202407060830", "2024-07-06T08:30:00+02:00"),
    ("2024.07.06 08:30", "2024-07-06T08:30:00+02:00"),
    ("2024年7月6日 8:30", "2024-07-06T08:30:00+02:00"),
    ("２０２４年０７月０６日", "2024-07-06T09:00:00+02:00"),
    ("2024년 7월 6일", "2024-07-06T09:00:00+02:00"),
    ("2024. 7. 6.", "2024-07-06T09:00:00+02:00"),
    ("2015-03-17 14:00:00 -4", "2015-03-17T14:00:00-04:00"),
    ("2015-03-17 14:00:00 +12", "2015-03-17T14:00:00+12:00"),
    ("2015-03-17 14:00:00 +530", "2015-03-17T14:00:00+05:30"),
    ("2015-03-17 14:00:00 +5:30", "2015-03-17T14:00:00+05:30"),
    ("2015-03-17 14:00:00-5:45", "2015-03-17T14:00:00-05:45"),
    ("2015-03-17 14:00:00 -93015", "2015-03-17T14:00:00-09:30:15"),
    ("2015-03-17 14:00:00 +053015", "2015-03-17T14:00:00+05:30:15"),
    ("2015-03-17 14:00:00 +05:30:15", "2015-03-17T14:00:00+05:30:15"),
    ("2015-03-17 14:00:00 −4", "2015-03-17T14:00:00-04:00"),
    ("20150317T140000-4", "2015-03-17T14:00:00-04:00"),
    ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43-05:00"),  # the examples of YAML 1.1
    ("2001-12-14 21:59:43.10 -5", "2001-12-14T21:59:43-05:00"),
    ("2001-12-15\t2:59:43.10", "2001-12-15T02:59:43+01:00"),
    ("2006-01-02 15:04:05 -0700 MST", "2006-01-02T15:04:05-07:00"),  # as written by Go
    ("2006-01-02 15:04:05.999 +0000 UTC", "2006-01-02T15:04:05+00:00"),
    ("2024-07-06T08:30:00Z[UTC]", "2024-07-06T08:30:00+00:00"),
    ("2024-07-06T08:30:00+09:00[Asia/Tokyo]", "2024-07-06T08:30:00+09:00"),
    ("2024-07-06T08:30:00[Asia/Tokyo][u-ca=gregory]", "2024-07-06T08:30:00+09:00"),
    ("2024-07-06T08:30[!America/Argentina/Ushuaia]", "2024-07-06T08:30:00-03:00"),
    ("2024-07-06 08:30 America/New_York", "2024-07-06T08:30:00-04:00"),
    ("2024-03-10 02:30 America/New_York", "2024-03-10T03:30:00-04:00"),  # an hour that does not exist
    ("2024-11-03 01:30 America/New_York", "2024-11-03T01:30:00-04:00"),  # an hour that comes twice: the first
    ("6 July 2024 8:30 pm Asia/Kolkata", "2024-07-06T20:30:00+05:30"),
    ("2024-07-06 Pacific/Auckland", "2024-07-06T09:00:00+12:00"),
    ("2024-07-06 08:30 Etc/GMT+5", "2024-07-06T08:30:00-05:00"),
    ("6.7.2024", "2024-07-06T09:00:00+02:00"),
    ("06.07.2024 8:30", "2024-07-06T08:30:00+02:00"),
    ("6. 7. 2024, 08:30 +0100", "2024-07-06T08:30:00+01:00"),
    ("31.12.2024", "2024-12-31T09:00:00+01:00"),
]
REFUSED = [
    "1.13.2024", "1.2.24", "32.1.2024",
    "01/02/2024", "01-02-2024", "Monday 01/02/2024", "5 May 24", "May 2024", "6 July", "2024", "2024-07",
    "20241306", "2024-02-30", "2024-13-01", "2024-07-06 25:00", "2024-07-06 08:60", "2024-07-06 08:30 CET",
    "6 July 2024 08:30 CET", "Sat, 06 Jul 2024 08:30:00 CEST", "6 July 2024 08:30 XYZ", "2024-07-06T08:30+99:00",
    "2024-07-06 18:30 PM", "2024-07-06 00:30 am", "yesterday", "now", "", "1720252800", "٢٠٢٤-٠٧-٠٦", "0001-01-02",
    "0999-12-31", "5 janvier 2024", "[2024-07-06]", "2024-07-06 - 2024-07-08", "6 July 2024 or so",
    "2024-07-06 08:30 +1400000", "2024-07-06 08:30 -24", "2024-07-06 08:30 +0560", "2024-07-06 08:30 +5:3",
    "2024-07-06 08:30 +5 am", "2024-07-06 08:30 Mars/Olympus", "2024-07-06 08:30 America/", "2024-07-06 08:30[CET]",
    "2024-07-06 08:30 ../etc/passwd", "2024-07-06 08:30 America/Argentina", "2024-07-06T08:30[Europe/../UTC]",
]  # fmt: skip


@pytest.mark.parametrize(("written", "moment"), WRITTEN)
def test_a_date_is_the_moment_that_its_writer_meant(written: str, moment: str) -> None:
    assert parse(written, BERLIN).isoformat() == moment
    assert parse(f"  {written} ", BERLIN).isoformat() == moment


@pytest.mark.parametrize("written", REFUSED)
def test_ambiguous_dates_are_rejected(written: str) -> None:
    with pytest.raises(ValueError, match=r"(isn't a valid|is an ambiguous) date|has (an unknown time zone|no year)"):
        parse(written, BERLIN)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("01/02/2024", "is an ambiguous date; write it like 2024-07-06"),
        ("12.1.24", "is an ambiguous date"),
        ("31/12/2024", "isn't a valid date; write it like 2024-07-06"),
        ("5 May 24", "is an ambiguous date"),
        ("2024-13-01", "isn't a valid date: there is no such month"),
        ("2023-02-29", "isn't a valid date: there is no such day"),
        ("2024-07-06 25:00", "isn't a valid date: there is no such time"),
        ("0999-12-31", "isn't a valid date: there is no such year"),
        ("May 2024", "has no year, month or day"),
        ("git Last Modified", "isn't a valid date: it changes with the file or the build; write it like"),
        ("today", "isn't a valid date: it changes with the file or the build"),
        ("6 July 2024 08:30 CET", "has an unknown time zone, 'CET'; write an offset such as +01:00"),
        ("Sat, 06 Jul 2024 08:30:00 CEST", "has an unknown time zone, 'CEST'; write an offset"),
    ],
)
def test_a_rejected_date_says_why(written: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{written!r} {reason}")):
        parse(written, BERLIN)


def test_tools_that_read_slashes_as_american_dates_are_followed() -> None:
    for written, moment in (("01/02/2024", "2024-01-02T09:00"), ("1/2/2024 8:30 pm", "2024-01-02T20:30")):
        assert parse(written, UTC, month_first=True).isoformat() == f"{moment}:00+00:00"
    for written in ("13/02/2024", "01/02/24", "01-02-2024"):
        with pytest.raises(ValueError, match=r"valid|ambiguous"):
            parse(written, UTC, month_first=True)


def test_a_day_without_a_time_has_the_time_from_the_settings() -> None:
    posts = Posts(timezone="America/New_York", time="00:00")
    for lines, source, published in (
        ("date: 2024-07-06", "a.md", "2024-07-06T00:00:00-04:00"),
        ("date: 6 July 2024", "a.md", "2024-07-06T00:00:00-04:00"),
        ("x: y", "2024-07-06-a.md", "2024-07-06T00:00:00-04:00"),
        ("date: 2024-07-06 23:30", "a.md", "2024-07-06T23:30:00-04:00"),
        ("date: 2024-07-06 23:30 +0200", "a.md", "2024-07-06T23:30:00+02:00"),
    ):
        post = read(f"---\ntitle: x\n{lines}\n---\n", source, posts=posts).post
        assert post
        assert (post.published.isoformat(), post.permalink, post.id) == (
            published,
            "/2024/07/06/a/",
            "tag:site.example,2024:2024-07-06:a",
        )


def test_a_yaml_timestamp_is_in_utc_for_jekyll() -> None:
    for written, moment in (
        ("2024-07-06 08:30:00", "2024-07-06T08:30:00+00:00"),
        ("2024-7-6T8:30:00", "2024-07-06T08:30:00+00:00"),
        ("2024-07-06 08:30:00 +0200", "2024-07-06T08:30:00+02:00"),
        ("2024-07-06 08:30", "2024-07-06T08:30:00-04:00"),
        ("2024-07-06", "2024-07-06T00:00:00-04:00"),
    ):
        posts = Posts(timezone="America/New_York", time="00:00", tool="jekyll")
        post = read(f"---\ntitle: x\ndate: {written}\n---\n", "a.md", posts=posts).post
        assert post
        assert post.published.isoformat() == moment


def test_a_table_has_the_dates_of_the_post() -> None:
    for lines in (
        "date: {created: 2024-07-06, updated: 2024-07-08 10:00}",
        "date:\n  created: 2024-07-06\n  updated: 2024-07-08T10:00:00\n",
    ):
        post = post_of(f"---\ntitle: x\n{lines}\n---\n", "a.md")
        assert post.published.isoformat() == "2024-07-06T09:00:00+02:00"
        assert post.updated.isoformat() == "2024-07-08T10:00:00+02:00"
    for lines in ("date: {updated: 2024-07-06}", "date: {created: [a]}", "date: {created: soon}"):
        with pytest.raises(PostError, match="isn't a valid date") as caught:
            read(f"---\ntitle: x\n{lines}\n---\n", "a.md")
        assert caught.value.line == 3


@pytest.mark.parametrize(
    ("zone", "written", "utc"),
    [
        ("Pacific/Auckland", "2024-07-06", "2024-07-05T21:00"),
        ("America/Los_Angeles", "2024-07-06", "2024-07-06T16:00"),
        ("Asia/Kathmandu", "2024-07-06", "2024-07-06T03:15"),
        ("UTC", "2024-07-06", "2024-07-06T09:00"),
        ("Africa/Cairo", "2024-04-26", "2024-04-26T06:00"),  # midnight does not exist there on this day
        ("Pacific/Apia", "2011-12-30", "2011-12-30T19:00"),  # the day does not exist there
        ("Europe/Berlin", "2024-03-31 02:30", "2024-03-31T01:30"),  # an hour that does not exist
        ("Europe/Berlin", "2024-10-27 02:30", "2024-10-27T00:30"),  # an hour that comes twice: the first
        ("America/New_York", "2024-03-10 02:30", "2024-03-10T07:30"),
    ],
)
def test_civil_time_is_placed_in_the_zone_of_the_site(zone: str, written: str, utc: str) -> None:
    assert parse(written, ZoneInfo(zone)).astimezone(UTC).isoformat() == f"{utc}:00+00:00"


@settings(max_examples=4 * settings.default.max_examples, deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.timezone_keys())  # noqa: DTZ001 - civil times
def test_a_time_in_a_gap_moves_after_it(civil: datetime, key: str) -> None:
    placed = place(civil, ZoneInfo(key))
    assert placed.utcoffset() is not None
    assert timedelta() <= placed.replace(tzinfo=None) - civil <= timedelta(hours=24)


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(
    st.one_of(
        st.text(max_size=30),
        st.text(st.sampled_from("0123456789-/.,: TZ+GMTJanSep"), max_size=30),
        st.dates().map(str),
        st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat(" ")),
        st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M")),
    ),
    st.sampled_from(["Pacific/Kiritimati", "Etc/GMT+12", "UTC"]),
)
def test_any_text_is_an_aware_moment_or_a_value_error(text: str, zone: str) -> None:
    try:
        moment = parse(text, ZoneInfo(zone))
    except ValueError:
        return
    for other in (UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12")):
        assert moment.astimezone(other) == moment


SCRIPT = """
import locale, sys
from zoneinfo import ZoneInfo
from publisher.posts.front_matter.dates import parse_date
locale.setlocale(locale.LC_ALL, "")
for written in sys.stdin.read().split("\\n"):
    try:
        print(parse_date(written, ZoneInfo("Europe/Berlin")).isoformat())
    except ValueError as error:
        print("refused")
"""


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Berlin", "CET"])
@pytest.mark.parametrize("language", ["C", "C.UTF-8"])
def test_no_date_depends_on_the_machine(zone: str, language: str) -> None:
    environment = os.environ | {"TZ": zone, "LC_ALL": language, "PYTHONIOENCODING": "utf-8"}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        input="\n".join([*(written for written, _ in WRITTEN), *REFUSED]).encode(),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=True,
    )
    expected = [*(moment for _, moment in WRITTEN), *["refused"] * len(REFUSED)]
    assert ran.stdout.decode().splitlines() == expected


@pytest.mark.parametrize(
    ("source", "lines", "moment"),
    [
        ("2024-07-06-a.md", "date: 2024-07-08 10:00", "2024-07-08T10:00:00+02:00"),
        ("2024-07-06-a.md", "path: 2024/07/07/b", "2024-07-07T09:00:00+02:00"),
        ("2024-07-06-a.md", "x: y", "2024-07-06T09:00:00+02:00"),
        ("2024-7-6-a.md", "x: y", "2024-07-06T09:00:00+02:00"),
        ("2024-07-06.md", "x: y", "2024-07-06T09:00:00+02:00"),
        ("2024-07-06-a/index.md", "x: y", "2024-07-06T09:00:00+02:00"),
        ("2024/07/06/a.md", "x: y", "2024-07-06T09:00:00+02:00"),
        ("2024-07-06-a.md", "date:", "2024-07-06T09:00:00+02:00"),
        ("2024-07-06-a.md", "date: 0001-01-01T00:00:00Z", "2024-07-06T09:00:00+02:00"),
        ("2024-07-06-a.md", "published: true", "2024-07-06T09:00:00+02:00"),
        ("2024-07-06-a.md", "published: 2024-07-09", "2024-07-09T09:00:00+02:00"),
    ],
)
def test_front_matter_outranks_the_dates_of_paths(source: str, lines: str, moment: str) -> None:
    assert post_of(f"---\ntitle: x\n{lines}\n---\n", source).published.isoformat() == moment


@pytest.mark.parametrize("source", ["a.md", "2024-13-06-a.md", "2024-07-a.md", "0001-01-01-a.md", "x-2024-07-06.md"])
def test_an_undated_post_is_an_error_with_a_hint(source: str) -> None:
    with pytest.raises(PostError, match="the post has no date") as caught:
        read("---\ntitle: x\n---\n", source)
    assert "add `date: 2024-07-06`" in caught.value.hint
    assert f"2024-07-06-{source}" in caught.value.hint


def test_an_update_before_publication_is_ignored() -> None:
    post = post_of("---\ntitle: x\nupdated: 2020-01-01\n---\n")
    assert post.updated == post.published == datetime.fromisoformat("2024-07-06T09:00:00+02:00")


@pytest.mark.parametrize("field", ["date", "publishDate", "created"])
def test_an_invalid_date_is_reported_with_its_line(field: str) -> None:
    with pytest.raises(PostError, match="'someday' isn't a valid date") as caught:
        read(f"---\ntitle: x\n{field}: someday\n---\n")
    assert caught.value.line == 3


def test_a_date_that_is_a_list_is_reported_with_its_line() -> None:
    with pytest.raises(PostError, match="isn't a valid date") as caught:
        read("---\ntitle: x\ndate: [2024-01-01]\n---\n")
    assert caught.value.line == 3


def test_a_later_publishing_time_overrides_the_date() -> None:
    for lines, published in (
        ("date: 2026-11-01\npublish: 2026-12-24 08:00", "2026-12-24T08:00:00+01:00"),
        ("date: 2026-11-01\npublished: 2026-12-24", "2026-12-24T09:00:00+01:00"),
        ("date: 2026-11-01\npublished: true", "2026-11-01T09:00:00+01:00"),
        ("date: 2026-11-01\npublished: 2026-10-01", "2026-11-01T09:00:00+01:00"),
        ("date: 2026-11-01\ncreated: 2026-12-01", "2026-11-01T09:00:00+01:00"),
        ("publishDate: 2026-11-01\ndate: 2026-12-01", "2026-11-01T09:00:00+01:00"),
    ):
        post = post_of(f"---\ntitle: x\n{lines}\n---\n", "hello.md")
        assert post.published.isoformat() == published
        # The URL and the id never change.
        assert (post.permalink, post.id) == ("/2026/11/01/hello/", "tag:site.example,2024:2026-11-01:hello")


def test_a_permalink_that_repeats_the_path_of_the_site_is_reported() -> None:
    for permalink, problems in (("/notes/x/", 1), ("/x/", 0), ("/notesx/", 0)):
        entry = read(f"---\ntitle: x\npermalink: {permalink}\n---\n", url="https://ann.test/notes")
        assert entry.post
        assert (entry.post.url, len(entry.problems)) == (f"https://ann.test/notes{permalink}", problems)
