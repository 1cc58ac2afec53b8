"""A file where a folder should be, or an endless value, gives one error line with a hint."""

from __future__ import annotations

import shutil

import pytest

from tests.support.project import Project


@pytest.mark.parametrize("command", ["build", "publish"])
def test_a_file_in_place_of_the_state_folder_has_a_hint(project: Project, command: str) -> None:
    project.write(".publisher", "")
    ran = project.run(command)
    assert ran.code == 1
    assert ran.err.endswith("/.publisher: File exists (a file is in the way: move it)\n")


def test_a_file_in_place_of_the_posts_is_reported(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.write("posts", "")
    assert "posts: is a file, not a folder of posts (move it away, or set posts.folder)" in empty.run("build").err
    assert "error: posts: is a file, not a folder (move it away)" in empty.run("check").out


def test_check_reports_a_file_in_place_of_the_output(project: Project) -> None:
    project.ok("build")
    shutil.rmtree(project.root / "public")
    project.write("public", "")
    assert "public: is a file, not a folder (move it away)" in project.run("build").err
    ran = project.run("check")
    assert "error: public: is a file, not a folder (move it away)" in ran.out
    assert ran.code == 1


def test_a_folder_or_file_in_place_of_an_output_is_reported(project: Project) -> None:
    project.ok("build")
    (project.root / "public/feed.json").unlink()
    project.write("public/feed.json/mine.txt", "x")
    hint = (
        "feed.json: cannot be written: Is a directory (a folder is in the way: move it away; then run the same command"
    )
    assert hint in project.run("build").err
    shutil.rmtree(project.root / "public/feed.json")
    shutil.rmtree(project.root / "public/2026")
    project.write("public/2026", "x")
    assert "(a file is in the way of a folder: move it away; then run" in project.run("build").err


def test_an_endless_date_is_shortened_in_the_message(project: Project) -> None:
    project.write("posts/long.md", "---\ntitle: x\ndate: " + "9" * 10_000 + "\n---\n")
    told = next(line for line in project.run("check").out.splitlines() if "posts/long.md" in line)
    assert "isn't a valid date; write it like 2024-07-06" in told
    assert len(told) < 200
