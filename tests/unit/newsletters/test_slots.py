"""Every slot comes once in every time zone, when the local wall clock reaches the civil time of the slot."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.config.schedule import parse_schedule
from publisher.core.newsletter_models import name_of_edition
from publisher.newsletters.slots import first_instant, latest_due, next_due, post_slot, slot_label, upcoming

ZONES = [
    "America/New_York",
    "Africa/Cairo",
    "America/Santiago",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Tehran",
    "UTC",
]
SCHEDULES = [
    "daily 00:00",
    "daily 00:30",
    "daily 02:30",
    "weekdays 07:30",
    "weekly sunday 01:30",
    "weekly friday 00:00",
    "weekly monday 08:00",
    "weekly monday, thursday 02:30",
    "biweekly sunday 00:30 from 2026-01-05",
    "monthly 1 00:00",
    "monthly 31 02:15",
    "monthly last friday 09:00",
    "monthly second tuesday 00:10",
    "30 1 * * 0",
    "0 0 * * *",
]
START = datetime(2009, 12, 31, 12, tzinfo=UTC)
END = datetime(2020, 1, 2, tzinfo=UTC)


def wall(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def slots(text: str, zone: str, start: datetime = START, end: datetime = END):
    schedule = parse_schedule(text)
    return list(takewhile(lambda slot: slot.at < end, upcoming(schedule, start, ZoneInfo(zone))))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", SCHEDULES)
def test_slots_are_in_order_and_labels_are_unique(text, zone):
    found = slots(text, zone, end=datetime(2014, 1, 2, tzinfo=UTC))  # python -m benchmarks.decade tests all years
    assert all(one.at < two.at and one.label < two.label for one, two in pairwise(found))


@pytest.mark.parametrize("zone", ZONES)
def test_no_day_week_or_month_is_missing(zone):
    days = [date(2010, 1, 1) + timedelta(days=n) for n in range(3652)]
    assert [s.label for s in slots("daily 02:30", zone) if "2010" <= s.label < "2020"] == [f"{d}" for d in days]
    weeks = sorted({"{}-W{:02}".format(*d.isocalendar()[:2]) for d in days})
    found = {s.label for s in slots("weekly wednesday 02:30", zone)}
    assert set(weeks) - {"2009-W53"} <= found
    months = sorted({f"{d:%Y-%m}" for d in days})
    for text in ("monthly 31 00:00", "monthly 1 02:30", "monthly last sunday 01:30"):
        assert [s.label for s in slots(text, zone) if "2010" <= s.label < "2020"] == months


def test_a_skipped_day_leads_to_the_next_midnight():
    # Apia had no 30 December 2011: both midnights fall on one instant, and one instant is one slot.
    labels = [s.label for s in slots("daily 00:00", "Pacific/Apia") if "2011-12-28" < s.label < "2012-01-02"]
    assert labels == ["2011-12-29", "2011-12-31", "2012-01-01"]


GAPS_AND_OVERLAPS = [
    ("America/New_York", "2026-03-08 02:30", "2026-03-08T07:00Z"),  # gap: the first instant after it
    ("America/New_York", "2026-11-01 01:30", "2026-11-01T05:30Z"),  # overlap: the first of the two
    ("Africa/Cairo", "2026-04-24 00:00", "2026-04-23T22:00Z"),  # a midnight gap
    ("America/Santiago", "2026-09-06 00:00", "2026-09-06T04:00Z"),
    ("Atlantic/Azores", "2026-03-29 00:30", "2026-03-29T01:00Z"),
    ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:30Z"),  # a gap of half an hour
    ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04T14:45Z"),
    ("Pacific/Apia", "2011-12-30 08:00", "2011-12-30T10:00Z"),  # a gap of a day
    ("Asia/Kathmandu", "2026-06-01 08:00", "2026-06-01T02:15Z"),
    ("UTC", "2026-06-01 08:00", "2026-06-01T08:00Z"),
]


@pytest.mark.parametrize(("zone", "civil", "instant"), GAPS_AND_OVERLAPS)
def test_a_civil_time_has_a_first_instant(zone, civil, instant):
    assert first_instant(datetime.fromisoformat(civil), ZoneInfo(zone)) == datetime.fromisoformat(instant)


@settings(deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    civil=st.datetimes(datetime(2009, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - civil times
)
def test_a_slot_is_due_when_the_wall_clock_reaches_it(zone, civil):
    civil = civil.replace(second=0, microsecond=0)
    at = first_instant(civil, ZoneInfo(zone))
    assert wall(at, zone) >= civil
    assert all(wall(at - timedelta(minutes=m), zone) < civil for m in range(1, 26 * 60, 5))
    assert wall(at - timedelta(seconds=1), zone) < civil


@settings(deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    text=st.sampled_from([*SCHEDULES, "*/30 * * * *", "15 */2 * * *"]),
    moment=st.datetimes(datetime(2011, 1, 1), datetime(2012, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_next_and_latest_slots_are_neighbours(zone, text, moment):
    # Two months before, so that the latest monthly slot is in the list.
    near = slots(text, zone, moment - timedelta(days=64), moment + timedelta(days=64))
    schedule = parse_schedule(text)
    assert next_due(schedule, moment, ZoneInfo(zone)) == next(s for s in near if s.at > moment)
    assert latest_due(schedule, moment, ZoneInfo(zone)) == [s for s in near if s.at <= moment][-1]


def test_cron_counts_a_repeated_hour_once():
    found = slots(
        "*/30 * * * *",
        "America/New_York",
        datetime(2026, 11, 1, 4, tzinfo=UTC),
        datetime(2026, 11, 1, 8, tzinfo=UTC),
    )
    assert [s.label[-5:] for s in found] == ["00:30", "01:00", "01:30", "02:00", "02:30"]


def test_a_repeated_hour_has_no_slots_of_its_own():
    second_pass = datetime(2026, 11, 1, 6, 10, tzinfo=UTC)  # 01:10 for the second time
    zone = ZoneInfo("America/New_York")
    found = latest_due(parse_schedule("*/30 * * * *"), second_pass, zone)
    assert found is not None
    assert found.label == "2026-11-01T01:30"


def test_cron_means_the_same_as_in_debian():
    def days(text):
        end = datetime(2026, 2, 1, tzinfo=UTC)
        return [s.at.day for s in slots(text, "UTC", datetime(2025, 12, 31, 23, tzinfo=UTC), end)]

    assert days("0 8 * * 0") == days("0 8 * * 7") == days("0 8 * * SUN") == [4, 11, 18, 25]
    assert days("0 8 13 * 5") == [2, 9, 13, 16, 23, 30]  # day of month or weekday
    assert days("0 8 */10 * 5") == []  # a field that begins with an asterisk: both must match
    assert days("0 8 1,11,21,31 * *") == [1, 11, 21, 31]


LABELS = [
    ("weekly monday 08:00", "2026-11-16T06:00Z", "2026-W47"),  # before its hour, it is still the same week
    ("weekly monday 08:00", "2026-11-21T12:00Z", "2026-W47"),
    ("weekly sunday 08:00", "2027-01-02T12:00Z", "2026-W53"),
    ("daily 07:30", "2026-11-20T23:30Z", "2026-11-21"),  # Berlin is an hour ahead
    ("weekdays 07:30", "2026-11-21T12:00Z", "2026-11-21"),
    ("manual", "2026-11-21T12:00Z", "2026-11-21"),
    ("monthly 1 09:00", "2026-11-30T23:30Z", "2026-12"),
    ("0 8 * * 1-5", "2026-11-21T12:00Z", "2026-11-20T08:00"),
    ("0 8 * * 1-5", "2026-11-20T07:00Z", "2026-11-20T08:00"),  # due at this very moment
]


@pytest.mark.parametrize(("text", "moment", "label"), LABELS)
def test_an_edition_made_by_hand_fills_its_slot(text, moment, label):
    found = slot_label(parse_schedule(text), datetime.fromisoformat(moment), ZoneInfo("Europe/Berlin"))
    assert found == label


@pytest.mark.parametrize("text", ["manual", "each post"])
def test_a_manual_newsletter_is_never_due(text):
    assert next_due(parse_schedule(text), START, ZoneInfo("UTC")) is None
    assert latest_due(parse_schedule(text), START, ZoneInfo("UTC")) is None


def test_a_post_slot_is_named_after_its_post():
    assert post_slot("tag:example.org,2026:a") == "post:tag:example.org,2026:a"
    with pytest.raises(ValueError, match="named after its post"):
        slot_label(parse_schedule("each post"), START, ZoneInfo("UTC"))


def test_internal_labels_are_not_shown():
    for slot, number, name in (
        ("post:tag:example.net,2026:/2026/08/31/g/", 3, "news post g, no. 3"),
        ("post:tag:example.net,2026:g", 3, "news post g, no. 3"),
        ("post:https://example.net/a/?p=5", 1, "news post ?p=5, no. 1"),
        ("welcome:8492b053", 0, "news welcome"),
        ("welcome-2:8492b053", 0, "news welcome-2"),
        ("email:moved", 0, "news email:moved"),
        ("2026-W47.2", 4, "news 2026-W47.2, no. 4"),
    ):
        assert name_of_edition("news", slot, number) == name


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        next_due(parse_schedule("daily 08:00"), datetime(2026, 1, 1), ZoneInfo("UTC"))  # noqa: DTZ001 - the point


def labels(text: str, count: int = 4) -> list[str]:
    monday = datetime(2026, 11, 16, 10, tzinfo=UTC)
    return [slot.label for slot in islice(upcoming(parse_schedule(text), monday, ZoneInfo("Europe/Berlin")), count)]


def test_several_weekdays_are_slots_named_after_their_days():
    days = ["2026-11-19", "2026-11-23", "2026-11-26", "2026-11-30"]
    for text in ("weekly monday, thursday 08:00", "weekly thu mon 8:00", "weekly monday and thursday 08:00"):
        assert labels(text) == days
    assert labels("weekly monday, monday 08:00") == ["2026-W48", "2026-W49", "2026-W50", "2026-W51"]


def test_a_weekday_of_a_month_may_be_any_from_monday_to_friday():
    def days(text, zone="UTC"):
        return [slot.at.date().isoformat() for slot in islice(upcoming(parse_schedule(text), START, ZoneInfo(zone)), 6)]

    begins = days("monthly first weekday 09:00")
    assert begins == [min(day for day in _working_days(each[:7])) for each in begins]
    assert days("monthly last weekday 09:00") == [max(_working_days(each[:7])) for each in begins]
    assert days("monthly third weekday 09:00") == [sorted(_working_days(each[:7]))[2] for each in begins]
    assert labels("monthly first weekday 09:00", 3) == ["2026-12", "2027-01", "2027-02"]
    assert labels("every 2 weeks monday 08:00 from 2026-01-05") == labels("biweekly monday 08:00 from 2026-01-05")
    assert labels("every two weeks mon, fri 08:00 from 2026-01-05") == labels("biweekly mon fri 08:00 from 2026-01-05")


def _working_days(month):
    days = (date.fromisoformat(f"{month}-01") + timedelta(days=number) for number in range(31))
    return [day.isoformat() for day in days if day.isoformat()[:7] == month and day.weekday() < 5]


def test_every_second_week_counts_from_the_first_day():
    assert labels("biweekly monday 08:00 from 2026-01-05") == ["2026-W48", "2026-W50", "2026-W52", "2027-W01"]
    assert labels("biweekly monday 08:00 from 2026-11-18") == ["2026-W49", "2026-W51", "2026-W53", "2027-W02"]
    assert labels("biweekly tuesday, friday 08:00 from 2030-01-01", 3) == ["2026-11-24", "2026-11-27", "2026-12-08"]
    for text, why in (
        ("biweekly monday 08:00", "in which week it begins; write it like biweekly monday 08:00 from 2026-01-05"),
        ("biweekly monday 08:00 from tomorrow", "'tomorrow' isn't a day"),
        ("weekly someday 08:00", "'someday' isn't a weekday"),
        ("weekly monday 8", "'8' isn't a valid time of day"),
    ):
        with pytest.raises(ValueError, match=why):
            parse_schedule(text)
