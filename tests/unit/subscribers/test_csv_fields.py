"""The kinds of fields in CSV files are detected, and no cell causes an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.subscriber_fields import LONGEST_TAG, MOST_TAGS, FieldKind, decode_fields, encode_fields
from publisher.subscribers.csv_cells import cell_of
from publisher.subscribers.csv_fields import DetailReader, FieldOptions, is_own_detail, own_heading

EVERYTHING = FieldOptions(everything=True)


def read(rows: list[list[str]], *header: str, own: bool = False) -> DetailReader:
    """Return a reader that has inspected these rows. Every column may become a field."""
    reader = DetailReader(tags=0, note=1)
    reader.choose(header, set(range(len(header))), FieldOptions() if own else EVERYTHING, own=own)
    for row in rows:
        reader.look(row)
    reader.settle(())
    return reader


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", ""], FieldKind.NUMBER),
        (["1", "0"], FieldKind.NUMBER),
        (["01234", "56789"], FieldKind.TEXT),
        (["+47 22 00 00 00"], FieldKind.TEXT),
        (["1,000", "2"], FieldKind.TEXT),
        (["2026-11-29", "2025-01-01 10:00"], FieldKind.DATE),
        (["yes", "No", "true"], FieldKind.YES_NO),
        (["yes", "2"], FieldKind.TEXT),
        (["", " "], None),
    ],
)
def test_the_kind_depends_on_all_values(values: list[str], kind: FieldKind | None) -> None:
    reader = read([[value.strip()] for value in values], "Column")
    assert reader.kinds == ({} if kind is None else {"column": kind})


@given(st.lists(st.lists(st.text(max_size=80), max_size=4), max_size=6))
def test_nothing_in_a_cell_is_an_error(rows: list[list[str]]) -> None:
    reader = read(rows, "tags", "note", "attributes", "City")
    for number, row in enumerate(rows):
        found = reader.values(number, row, None)
        assert decode_fields(encode_fields(found)) == found
        tags = reader.tags_in(row)
        assert len(tags) <= MOST_TAGS
        assert all(0 < len(tag) <= LONGEST_TAG and "\x00" not in tag for tag in tags)
        assert "\x00" not in reader.note_in(number, row) + str(found)
    assert all(len(line.splitlines()) == 1 for line in reader.doubts())


@pytest.mark.parametrize(
    "cell",
    [
        "{",
        "[]",
        "{}",
        '{"a": NaN, "b": 1e999}',
        '{"a": {"b": 1}, "": 1}',
        '{"a": ' + "[" * 9_000 + "}",
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": "\\ud800"}',
        "{" + ", ".join(f'"k{n}": {n}' for n in range(500)) + "}",
    ],
)
def test_a_hostile_object_costs_little_and_is_not_an_error(cell: str) -> None:
    reader = read([["", "", cell]] * 3, "tags", "note", "attributes")
    found = reader.values(1, ["", "", cell], None)
    encode_fields(found).encode()
    assert len(found) <= 100


def test_our_own_columns_are_recognised_by_their_headings() -> None:
    headings = [own_heading("points", FieldKind.NUMBER), own_heading("zip", FieldKind.TEXT), "Field.Born : DATE"]
    assert headings[:2] == ["field.points:number", "field.zip"]
    assert all(map(is_own_detail, headings))
    reader = read([["1", "01", "2026-11-29", "x"]], *headings, "other", own=True)
    assert reader.kinds == {"points": FieldKind.NUMBER, "zip": FieldKind.TEXT, "born": FieldKind.DATE}


@pytest.mark.parametrize("tag", ["[1]", "[]", "[a", "[true]", "a]"])
def test_a_tag_in_brackets_is_exported_and_read_unchanged(tag: str) -> None:
    assert read([], "tags", own=True).tags_in([cell_of([tag])]) == (tag,)
    assert read([], "tags").tags_in(['["a", 1]']) == ("a",)
