"""The sample folder of posts behaves as the other tests expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.config import Posts as PostsConfig
from tests.support.posts_samples import HELLO, PAGE, Folder, post_of, read


def test_a_written_post_is_found_rendered_built_and_checked(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "Some *words*.\n")
    assert [post.title for post in folder.posts()] == ["A title"]
    assert folder.render().html == "<p>Some <em>words</em>.</p>\n"
    assert folder.build().posts == 1
    assert "2024/07/06/hello/index.html" in folder.public()
    assert folder.check() == []


def test_the_permalink_pattern_is_the_one_these_tests_count_on() -> None:
    assert PostsConfig().permalink == "/{folder}/{year}/{month}/{day}/{slug}/"
    assert post_of("---\ntitle: x\n---\n").url == PAGE


@pytest.mark.parametrize("text", ["", "\n", "no front matter at all\n", "---\n---\n"])
def test_a_file_without_front_matter_needs_a_dated_name(text: str) -> None:
    assert read(text, HELLO).post
    with pytest.raises(Exception, match="no date"):
        read(text, "hello.md")
