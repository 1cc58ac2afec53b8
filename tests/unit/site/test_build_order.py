"""Between the pages of posts, a build makes other files while the next posts are rendered."""

from __future__ import annotations

import pytest

from publisher.core.models import Output
from publisher.site.build.rebuild import in_turns


@pytest.fixture
def outputs() -> dict[str, Output]:
    lists = {name: Output(name, "", bytes) for name in ["feed", "first", "second", "third"]}
    return lists | {f"p{number}": Output(f"p{number}", "", bytes, f"p{number}.md") for number in range(6)}


@pytest.mark.parametrize(
    ("planned", "made"),
    [
        ("feed p0 p1 p2 p3 p4 p5 first second third", "feed p0 p1 first p2 p3 second p4 p5 third"),
        ("feed p0 first p1", "feed p0 p1 first"),
        ("p0 feed first second third", "p0 feed first second third"),
        ("p0 p1", "p0 p1"),
        ("feed first", "feed first"),
        ("", ""),
    ],
)
def test_lists_are_made_between_the_pages_of_posts(planned: str, made: str, outputs: dict[str, Output]) -> None:
    assert [each.path for each in in_turns(outputs[path] for path in planned.split())] == made.split()
