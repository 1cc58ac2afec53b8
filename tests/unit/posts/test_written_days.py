"""Dates are found in a file's path and the beginning of its text, without parsing the front matter."""

from __future__ import annotations

from datetime import date

from publisher.posts.front_matter.field_names import SPELLINGS
from publisher.posts.permalinks import day_of_path
from publisher.posts.written_days import PUBLISHED, is_dated, newest_day

# The beginning of a text, whether it has a date, and that date.
HEADS = [
    ("---\ndate: 2026-01-02\n---\n", True, date(2026, 1, 2)),
    ('+++\npath = "2014/09/15/Rust-1.0"\n+++\n', True, date(2014, 9, 15)),
    ("+++\npath = 'about/us'\n+++\n", False, None),
    ("---\npublished: true\n---\n", False, None),
    ("---\npublishDate: 2026-01-02T08:00:00Z\n---\n", True, date(2026, 1, 2)),
    ("---\ndate:\n  created: 2026-01-02\n---\n", True, date(2026, 1, 2)),
    ("---\r\ndate_published: 2 January 2026\r\n---\r\n", True, None),
    ("---\ndate: Last Modified\n---\n", True, None),
    ("Title\n#####\n\n:date: 2026-01-02 10:20\n", True, date(2026, 1, 2)),
    ("Title: x\nDate: 2026-01-02 10:20\n\nText", True, date(2026, 1, 2)),
    ('{"title": "x",\n  "date": "2026-01-02"\n}\n', True, date(2026, 1, 2)),
    ('---js\nconst date = "2023-01-23";\n---\n', True, date(2023, 1, 23)),
    ('---js\n{\n  date: "2023-01-23",\n}\n---\n', True, date(2023, 1, 23)),
    ("#+TITLE: x\n#+DATE: <2026-01-02 Fri>\n", True, date(2026, 1, 2)),
    ("= Title\n:revdate: 2026-01-02\n", True, date(2026, 1, 2)),
    ("---\ntitle: x\n---\ndate: 2026-01-02\n", False, None),
    ("", False, None),
]


def test_the_date_of_front_matter_is_found_in_each_format() -> None:
    for head, has_date, day in HEADS:
        assert (is_dated(head), newest_day(head)) == (has_date, day), head


def test_a_date_is_found_in_the_name_of_a_file_or_its_folders() -> None:
    paths = ("2026-01-02-x.rst", "a/2026-01-02-x/index.md", "2026/01/02/x.md", "2026-01-02-x/other.md", "x.md")
    day = date(2026, 1, 2)
    assert [day_of_path(path) for path in paths] == [day, day, day, None, None]


def test_all_keys_for_the_date_of_a_post_are_known() -> None:
    assert {"revdate", *(part for each in SPELLINGS["published"] for part in each.split("."))} == PUBLISHED
