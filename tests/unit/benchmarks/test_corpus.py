"""The benchmark's posts are the same on every machine, and resemble real posts."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.corpus import TAGS, edit_post, make_post, published_at, write_posts


def test_equal_numbers_and_seeds_make_equal_posts() -> None:
    assert make_post(7) == make_post(7)
    assert make_post(7) != make_post(8)
    assert make_post(7) != make_post(7, seed=2)


def test_a_post_is_the_same_on_every_python() -> None:
    assert sha256(make_post(0).text.encode()).hexdigest()[:16] == "307231772d5dfe08"


def test_posts_have_the_size_that_the_benchmark_names() -> None:
    sizes = [len(make_post(number).text) for number in range(200)]
    assert 4_200 < sum(sizes) / len(sizes) < 4_600


def test_there_are_forty_tags_and_every_post_has_two() -> None:
    assert len(set(TAGS)) == 40
    for number in range(50):
        tags = make_post(number).text.split("tags: [")[1].split("]")[0].split(", ")
        assert len(set(tags)) == 2
        assert set(tags) <= set(TAGS)


def test_files_are_named_by_date_and_sort_by_age(tmp_path: Path) -> None:
    paths = write_posts(tmp_path / "posts", 20)
    assert paths == sorted(paths)
    assert paths[0].name == "2021-01-04-post-00000.md"


@pytest.mark.parametrize("count", [10_001, 100_000, 1_000_000])
def test_no_post_is_dated_in_the_future(count: int) -> None:
    dates = [published_at(number, count) for number in (0, 1, count - 2, count - 1)]
    assert dates == sorted(set(dates))
    assert dates[-1] < datetime(2026, 1, 1, tzinfo=UTC)


def test_the_first_posts_do_not_depend_on_the_number_of_posts() -> None:
    assert make_post(7, count=10) == make_post(7, count=10_000) == make_post(7)


def test_an_edit_changes_the_file_and_the_next_edit_replaces_it(tmp_path: Path) -> None:
    (path,) = write_posts(tmp_path, 1)
    before = path.read_text(encoding="utf-8")
    edit_post(path, 1)
    edit_post(path, 2)
    assert path.read_text(encoding="utf-8") == f"{before}\nCorrected in edition 2.\n"
