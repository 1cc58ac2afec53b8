"""What the conditions of segments mean, and which conditions are refused."""

from __future__ import annotations

import json
import random
from datetime import date

import pytest

from publisher.core.segment_conditions import (
    Ago,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Operator,
    Subject,
    Term,
    Value,
    day_of,
    fold,
    other_cases,
    terms,
)
from publisher.core.segment_language import LONGEST, SegmentError, parse

S, Op = Subject, Operator


def shape(condition: Condition) -> str:
    """Return a condition as a short text that shows how its parts are nested."""
    match condition:
        case Not(part):
            return f"not {shape(part)}"
        case AllOf(parts):
            return f"({' & '.join(map(shape, parts))})"
        case AnyOf(parts):
            return f"({' | '.join(map(shape, parts))})"
        case Term():
            return condition.value.text if condition.value else condition.subject.value


def test_not_binds_tighter_than_and_which_binds_tighter_than_or() -> None:
    for text, expected in {
        "tag:a": "a",
        "tag:a and tag:b and tag:c": "(a & b & c)",
        "tag:a or tag:b and tag:c": "(a | (b & c))",
        "(tag:a or tag:b) and tag:c": "((a | b) & c)",
        "not tag:a and tag:b": "(not a & b)",
        "not (tag:a and tag:b)": "not (a & b)",
        "NOT not tag:a OR\n\ttag:b": "(not not a | b)",
        "tag:and and tag:or": "(and & or)",
        "((tag:a))": "a",
        "tag:vip and joined > 2026-01-01 and not topic:ruby": "(vip & 2026-01-01 & not ruby)",
    }.items():
        assert shape(parse(text)) == expected, text


def test_each_comparison_has_its_meaning() -> None:
    for text, expected in {
        "tag:vip": Term(S.TAG, Op.IS, Value("vip")),
        'Tag = "two words"': Term(S.TAG, Op.IS, Value("two words")),
        "tag:“two words”": Term(S.TAG, Op.IS, Value("two words")),
        r'name = "say \"hi\" \\ now"': Term(S.NAME, Op.IS, Value(r'say "hi" \ now')),
        "tag != vip": Term(S.TAG, Op.IS_NOT, Value("vip")),
        "tag:2026": Term(S.TAG, Op.IS, Value("2026", 2026.0)),
        "status:Active": Term(S.STATUS, Op.IS, Value("Active")),
        "status:paused": Term(S.STATUS, Op.IS, Value("paused")),
        "source:import": Term(S.SOURCE, Op.CONTAINS, Value("import")),
        'address ~ "@example.org"': Term(S.ADDRESS, Op.CONTAINS, Value("@example.org")),
        "address~@example.org": Term(S.ADDRESS, Op.CONTAINS, Value("@example.org")),
        "joined>=2026-01-31": Term(S.JOINED, Op.AT_LEAST, Value("2026-01-31", date(2026, 1, 31))),
        "joined < 30 days ago": Term(S.JOINED, Op.BELOW, Value("30 days ago", Ago(30, "day"))),
        "left <= 1 Month ago": Term(S.LEFT, Op.AT_MOST, Value("1 month ago", Ago(1, "month"))),
        "left = today": Term(S.LEFT, Op.IS, Value("today", Ago(0, "day"))),
        "left has no value": Term(S.LEFT, Op.HAS_NO_VALUE),
        "bounces >= 2": Term(S.BOUNCES, Op.AT_LEAST, Value("2", 2.0)),
        'field.city = "Oslo"': Term(S.FIELD, Op.IS, Value("Oslo"), "city"),
        "field.zip = 01234": Term(S.FIELD, Op.IS, Value("01234", 1234.0), "zip"),
        'field.zip = "01234"': Term(S.FIELD, Op.IS, Value("01234"), "zip"),
        "field.points > -1.5": Term(S.FIELD, Op.ABOVE, Value("-1.5", -1.5), "points"),
        "field.vip = yes": Term(S.FIELD, Op.IS, Value("yes", True), "vip"),
        "field.vip:no": Term(S.FIELD, Op.IS, Value("no", False), "vip"),
        "field.renews < 2026-03-01": Term(S.FIELD, Op.BELOW, Value("2026-03-01", date(2026, 3, 1)), "renews"),
        "field.plan_2 has value": Term(S.FIELD, Op.HAS_VALUE, None, "plan_2"),
    }.items():
        assert parse(text) == expected, text
    assert [term.column for term in terms(parse("tag:a or  not (tag:b and tag:c)"))] == [1, 16, 26]


def test_a_mistake_is_reported_in_one_line_with_its_column() -> None:
    for text, message in {
        "": "the condition is empty (write it like tag:vip and joined > 2026-01-01)",
        "  \n ": "the condition is empty (write it like tag:vip and joined > 2026-01-01)",
        "vip": "column 1 of the condition: 'vip' can't be used in a condition (known: tag, topic, newsletter, status,",
        "tag": "column 4 of the condition: a comparison is missing after 'tag' (write it like tag:word)",
        "tagg:vip": "column 1 of the condition: 'tagg' can't be used in a condition (did you mean tag?)",
        "xyzzy:1": "column 1 of the condition: 'xyzzy' can't be used in a condition (known: tag, topic, newsletter,",
        "tag:": "column 5 of the condition: a value is missing after : (write it like tag:word)",
        "tag =": "column 6 of the condition: a value is missing after = (write it like tag:word)",
        "tag:(x)": "column 5 of the condition: a value is missing after : (write it like tag:word)",
        "points > 3": "column 1 of the condition: 'points' can't be used in a condition (did you mean field.points?)",
        "city:Oslo": "column 1 of the condition: 'city' can't be used in a condition (known: tag, topic, newsletter, "
        "status, language, source, address, name, note, joined, left, bounces, field; a field is written field.city)",
        "tag:a or or tag:b": "column 10 of the condition: a condition is missing before 'or' (write it like tag:vip)",
        "and tag:b": "column 1 of the condition: a condition is missing before 'and' (write it like tag:vip)",
        "tag:a and": "column 10 of the condition: a condition is missing (write it like tag:vip)",
        "tag:a tag:b": "column 7 of the condition: 'tag' doesn't belong here (join conditions with `and` or `or`)",
        "(tag:a": "column 1 of the condition: the parenthesis isn't closed",
        "tag:a)": "column 6 of the condition: this closing parenthesis has no opening one",
        "(tag:a tag:b)": "column 8 of the condition: 'tag' doesn't belong here",
        'name = "a': "column 8 of the condition: the quotation mark isn't closed",
        'name = ""': "column 8 of the condition: the text is empty (write has no value)",
        "tag:a!": "column 6 of the condition: '!' doesn't belong here (put texts with such characters in quotes)",
        "tag > vip": "column 5 of the condition: tag can't be compared with > (write it like tag:word)",
        "name:Ann": "column 5 of the condition: a comparison is missing after 'name' (write it like name ~ \"text\"",
        "joined ~ 2026": "column 8 of the condition: joined can't be compared with ~ (write it like joined > 2026",
        "joined > 1/2/2026": "column 10 of the condition: '1/2/2026' is not a date (write it like 2026-01-31 or",
        "joined > 2026-02-30": "column 10 of the condition: 2026-02-30 is not a day of the calendar",
        "joined > 0001-01-01": "column 10 of the condition: a year is between 1900 and 2199, not 1",
        "joined > 30 days": "column 10 of the condition: write 30 days ago",
        "joined > 999999999 years ago": "column 10 of the condition: 999999999 years are too many",
        "joined > 1.5 days ago": "column 10 of the condition: 1.5 days are too many, or not a whole number",
        'joined > "2026-01-01"': "column 10 of the condition: '2026-01-01' is not a date",
        "bounces > many": "column 11 of the condition: 'many' is not a number",
        "field.points > many": "column 16 of the condition: 'many' is neither a number nor a date (use = or ~",
        "field = 1": "column 1 of the condition: 'field' doesn't name a field (write it like field.city = \"Oslo\")",
        "field.ci-ty:1": "column 1 of the condition: 'field.ci-ty' doesn't name a field",
        "field.city;drop:1": "column 1 of the condition: 'field.city;drop' doesn't name a field",
        "tag.x:1": "column 1 of the condition: 'tag.x' can't be used in a condition",
        "status:actve": "column 8 of the condition: there is no status 'actve' (did you mean active?)",
        "field.city has values": "column 12 of the condition: write field.city has value, or field.city has no value",
        "joined has no value": "column 8 of the condition: joined can't be compared with has",
        "tag:a\x00": "column 6 of the condition: a condition can't contain control characters",
        "tag:\ud800": "column 5 of the condition: a condition can't contain control characters",
        "and": "column 1 of the condition: a condition is missing before 'and'",
    }.items():
        with pytest.raises(SegmentError) as caught:
            parse(text)
        assert str(caught.value).startswith(message), text
        assert "\n" not in str(caught.value)


def test_long_deep_and_wide_conditions_are_refused() -> None:
    for text, message in {
        "tag:" + "a" * LONGEST: "a condition can have at most 1,000 characters, and this one has 1,004",
        "(" * 400
        + "tag:a"
        + ")" * 400: "column 21 of the condition: parentheses and `not` can be nested at most 20 levels deep",
        "not " * 200
        + "tag:a": "column 81 of the condition: parentheses and `not` can be nested at most 20 levels deep",
        " or ".join(["tag:a"] * 100): "column 451 of the condition: a condition can have at most 50 comparisons",
    }.items():
        with pytest.raises(SegmentError) as caught:
            parse(text)
        assert str(caught.value) == message
    assert len(list(terms(parse(" or ".join(["tag:a"] * 50))))) == 50
    assert parse("(" * 20 + "tag:a" + ")" * 20)
    assert parse("(not tag:a) or " * 30 + "tag:b")  # in a row, they aren't nested


def test_any_text_is_a_condition_or_is_refused_in_one_line() -> None:
    pieces = [
        *("tag", "field.x", "joined", "name", "has", "no", "value", "and", "or", "not", "(", ")", ":", "=", "!=", "~"),
        *(">", "30", "days", "ago", "2026-01-01", '"a b"', '"', "\\", "'", ";--", "%", "_", "{", "é", "\x07", "\u202e"),
    ]
    random_ = random.Random(19)
    for _ in range(3_000):
        text = " ".join(random_.choices(pieces, k=random_.randint(1, 9))) + random_.choice(pieces)
        try:
            parse(text)
        except SegmentError as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 400


def test_days_are_counted_back_on_the_calendar() -> None:
    today = date(2028, 3, 31)
    for ago, expected in {
        Ago(0, "day"): "2028-03-31",
        Ago(31, "day"): "2028-02-29",
        Ago(2, "week"): "2028-03-17",
        Ago(1, "month"): "2028-02-29",
        Ago(3, "month"): "2027-12-31",
        Ago(100, "year"): "1928-03-31",
    }.items():
        assert day_of(ago, today).isoformat() == expected
    assert day_of(Ago(1, "year"), date(2028, 2, 29)) == date(2027, 2, 28)
    assert day_of(date(2026, 1, 1), today) == date(2026, 1, 1)


def test_case_folding_keeps_the_length() -> None:
    assert fold("ÖsLO Ж ẞ İ ǅ Σ \u212a") == "öslo ж ẞ İ ǅ σ \u212a"
    assert other_cases("oslo ö") == {"Ö": "ö"}
    assert other_cases(json.dumps("жş", ensure_ascii=False)) == {"Ж": "ж", "Ş": "ş"}
