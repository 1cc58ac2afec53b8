"""If a draft is finished long after it was begun, its old date is reported until the post is published."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support.posts_samples import NOW, Folder

HEAD = 'title: Begun early\ndate: 2026-10-04 09:00\nid: "tag:site.example,2024:2026-10-04:early"'
EARLY = "2026-10-04-early.md"


def begun(tmp_path: Path, newer: str = "2026-11-01") -> Folder:
    """A folder with a draft from weeks ago, and a newer published post."""
    folder = Folder(tmp_path)
    folder.write(f"{newer}-other.md", "Text.", "title: Other")
    folder.write(EARLY, "Text.", f"{HEAD}\ndraft: true")
    folder.archive(keep=True)
    folder.build()
    return folder


def said(folder: Folder, **more: float) -> list[str]:
    archive = folder.archive(NOW + timedelta(**more), keep=True)
    assert all(problem.path == f"posts/{EARLY}" for problem in archive.problems)
    return [f"{problem.message} ({problem.hint})" for problem in archive.problems]


def test_the_old_date_is_reported_from_the_end_of_the_draft_until_the_build(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    assert said(folder) == []
    folder.write(EARLY, "Text, finished.", HEAD)
    (first,) = said(folder)
    assert "the date on which it was begun, 2026-10-04, so it is below newer posts" in first
    assert "write `date: 2026-11-20 13:00`" in first
    folder.write(EARLY, "Text, finished again.", HEAD)
    assert said(folder, days=1) == [first]
    (before,) = [each for each in folder.archive(keep=True).all_ids().values() if "early" in each]
    folder.build()
    assert said(folder) == []
    assert before == "tag:site.example,2024:2026-10-04:early"


def test_a_draft_with_a_new_date_or_without_newer_posts_is_not_reported(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    folder.write(EARLY, "Text, finished.", HEAD.replace("2026-10-04 09:00", "2026-11-20 09:00"))
    assert said(folder) == []
    folder = begun(tmp_path / "other", newer="2026-09-01")
    folder.write(EARLY, "Text, finished.", HEAD)
    assert said(folder) == []


def test_a_post_that_never_was_a_draft_is_not_reported(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    folder.write("2026-10-05-imported.md", "Text.", "title: Imported")
    assert said(folder) == []
