"""Two posts with the same permalink or id: the published one keeps it."""

from __future__ import annotations

import json

import pytest

from tests.support.project import Project


def at_place(project: Project) -> list[str]:
    """Return the titles of the posts in the feed."""
    return [item["title"] for item in json.loads(project.read("public/feed.json"))["items"]]


@pytest.mark.parametrize("day", ["2026-11-10", "2026-11-01", "2026-11-12"], ids=["equal", "back-dated", "later"])
@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_a_new_post_never_takes_a_published_permalink(empty: Project, name: str, day: str) -> None:
    empty.configure(newsletters="")
    empty.post("mine", permalink="/same/")
    empty.ok("build")
    empty.post(name, day, permalink="/same/")
    ran = empty.fails("build")
    assert at_place(empty) == ["Mine"]
    assert f"posts/{name}.md:1: has the same permalink as posts/mine.md: /same/" in ran.err
    assert "All about mine" in empty.read("public/same/index.html")
    empty.fails("build")
    assert at_place(empty) == ["Mine"]


@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_a_copy_never_takes_the_id_of_a_published_post(empty: Project, name: str) -> None:
    empty.configure(newsletters="")
    empty.post("mine", id="urn:x-mine:1")
    empty.ok("build")
    empty.post(name, "2026-11-01", id="urn:x-mine:1")
    empty.fails("build")
    assert at_place(empty) == ["Mine"]


def test_a_renamed_post_keeps_its_permalink_by_its_id(empty: Project) -> None:
    empty.configure(newsletters="")
    post = empty.post("mine", permalink="/same/", id="urn:x-mine:1", title="Mine")
    empty.ok("build")
    post.rename(empty.root / "posts/zzz.md")
    empty.post("aaa", "2026-11-01", permalink="/same/")
    empty.fails("build")
    assert at_place(empty) == ["Mine"]


def test_the_older_of_two_new_posts_keeps_the_permalink(empty: Project) -> None:
    empty.configure(newsletters="")
    for name in ("b", "a", "c"):
        empty.post(name, permalink="/same/")
    empty.post("d", "2026-11-09", permalink="/other/")
    empty.post("a0", "2026-11-10", permalink="/other/")
    empty.fails("build")
    assert at_place(empty) == ["A", "D"]
