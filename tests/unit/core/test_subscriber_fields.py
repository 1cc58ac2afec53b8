"""Tags and fields of subscribers: how they are normalised, and which values are accepted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.errors import SubscriberError
from publisher.core.subscriber_fields import (
    LONGEST_TAG,
    LONGEST_VALUE,
    MOST_TAGS,
    FieldKind,
    FieldValue,
    clean_field_name,
    clean_tag,
    clean_tags,
    decode_fields,
    encode_fields,
    parse_value,
    shown_value,
)

TEXT, NUMBER, DATE, YES_NO = FieldKind.TEXT, FieldKind.NUMBER, FieldKind.DATE, FieldKind.YES_NO


def test_a_tag_is_one_line_in_lower_case() -> None:
    tags = {"VIP": "vip", "  Early   birds ": "early birds", "O'Neill\n&co": "o'neill &co", "Größe": "größe"}
    assert {text: clean_tag(text) for text in tags} == tags
    assert clean_tags(["b", "A", "a"]) == ("a", "b")


@pytest.mark.parametrize("text", ["", " ", "\u202e", "a,b", "a;b", 'a"b', "(a)", "-a", "+a", "a" * (LONGEST_TAG + 1)])
def test_an_unusable_tag_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SubscriberError) as caught:
        clean_tag(text)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


def test_a_person_has_a_limited_number_of_tags() -> None:
    with pytest.raises(SubscriberError, match="101 tags"):
        clean_tags(str(number) for number in range(MOST_TAGS + 1))


def test_a_heading_becomes_a_name() -> None:
    names = {
        "City": "city",
        "Favourite colour": "favourite_colour",
        "Größe (cm)": "grosse_cm",
        "plan-2": "plan_2",
        "L'été": "l_ete",
        "x" * 90: "x" * 60,
    }
    assert {text: clean_field_name(text) for text in names} == names
    for text in ("", "2 cities", "年齢", "Name", "E-mail ", "TAGS", "_"):
        if text != "E-mail ":
            with pytest.raises(SubscriberError):
                clean_field_name(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (TEXT, " New \n York ", "New York"),
        (TEXT, "01234", "01234"),
        (TEXT, "{{ x }}", "{{ x }}"),
        (NUMBER, "12", 12),
        (NUMBER, "-0.5", -0.5),
        (NUMBER, "999999999999999", 999_999_999_999_999),
        (DATE, "2026-11-29", "2026-11-29"),
        (DATE, "2026-11-29 09:00:00", "2026-11-29"),
        (YES_NO, "Yes", True),
        (YES_NO, "0", False),
        *((NUMBER, text, None) for text in ("1,000", "1e5", "nan", "inf", "0x1", "01", "٣", "1.", "1" * 16, "1_0")),
        *((DATE, text, None) for text in ("29.11.2026", "2026-02-30", "2026", "tomorrow", "0000-01-01")),
        *((YES_NO, text, None) for text in ("maybe", "2", "")),
        *((kind, "", None) for kind in FieldKind),
        (TEXT, "x" * (LONGEST_VALUE + 1), None),
    ],
)
def test_a_value_has_its_kind(kind: FieldKind, text: str, value: FieldValue | None) -> None:
    if value is None:
        with pytest.raises(SubscriberError):
            parse_value(kind, text)
        return
    found = parse_value(kind, text)
    assert (found, type(found)) == (value, type(value))
    assert parse_value(kind, shown_value(found)) == found


@given(st.sampled_from(FieldKind), st.text(max_size=600))
def test_any_text_is_a_value_that_can_be_stored_or_refused(kind: FieldKind, text: str) -> None:
    try:
        value = parse_value(kind, text)
    except SubscriberError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert decode_fields(encode_fields({"a": value})) == {"a": value}
    assert shown_value(value).isprintable() or not shown_value(value).isascii()


def test_a_column_whose_value_is_not_an_object_has_no_fields() -> None:
    for text in ("", "[]", "1", "{", "null", '"x"', json.dumps({"a": [1], "b": {}, "c": None})):
        assert decode_fields(text) == {}
