"""Parts of a build: how clashes between paths are settled, and how files are written and removed."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.core.models import Output, Problem
from publisher.site.build.folder import OutputFolder, parents
from publisher.site.build.manifest import Manifest
from publisher.site.build.site_files import without_clashes
from tests.support.project import Project


def page(path: str, key: str = "made") -> Output:
    return Output(path, key, lambda: b"x")


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a"], ["a"]),
        (["a/b", "a"], ["a/b"]),
        (["a", "a/b"], ["a"]),
        (["a/b/c", "a/b", "a/B/d"], ["a/b/c", "a/B/d"]),
        (["A/x", "a/X"], ["A/x"]),
        (["Straße", "STRASSE"], ["Straße"]),
        (["feed.xml", "feed.xml/index.html", "other"], ["feed.xml", "other"]),
    ],
)
def test_the_first_of_two_outputs_wins_a_path(paths: list[str], kept: list[str]) -> None:
    problems: list[Problem] = []
    assert list(without_clashes([page(path) for path in paths], "out", problems)) == kept
    assert len(problems) == len(paths) - len(kept)
    assert all(problem.path.startswith("out/") for problem in problems)


def test_a_static_file_replaces_a_page_silently() -> None:
    problems: list[Problem] = []
    kept = without_clashes([page("404.html", "copy:1"), page("404.html")], "out", problems)
    assert (kept["404.html"].key, problems) == ("copy:1", [])


def test_two_static_files_may_differ_only_in_case() -> None:
    problems: list[Problem] = []
    kept = without_clashes([page("A.png", "copy:1"), page("a.png", "copy:2")], "out", problems)
    assert (list(kept), problems) == (["A.png", "a.png"], [])


names = st.lists(st.sampled_from(["a", "A", "b", "c.html"]), min_size=1, max_size=4).map("/".join)


@settings(deadline=None)
@given(st.lists(names, max_size=12))
def test_kept_outputs_fit_any_disk_and_others_are_reported(paths: list[str]) -> None:
    problems: list[Problem] = []
    kept = without_clashes([page(path) for path in paths], "out", problems)
    folded = [path.casefold() for path in kept]
    assert len(set(folded)) == len(folded)
    assert not {folder for path in folded for folder in parents(path)} & set(folded)
    assert len(kept) + len(problems) == len(paths)


def opened(tmp_path: Path) -> OutputFolder:
    return OutputFolder(tmp_path / "out", Manifest.read(tmp_path / "state.json"))


def test_a_folder_removed_by_another_build_is_recreated(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    folder.put(page("a/b/one"), b"1")
    shutil.rmtree(folder.path / "a")
    folder.put(page("a/b/two"), b"2")
    assert (folder.path / "a/b/two").read_bytes() == b"2"


def test_a_file_with_the_same_bytes_is_not_touched(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    folder.put(page("one"), b"1")
    before = (folder.path / "one").stat()
    folder.put(page("one", "another key"), b"1")
    after = (folder.path / "one").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert folder.written == ["one"]


def test_no_reader_ever_sees_a_partial_file(tmp_path: Path) -> None:
    folder, done, seen = opened(tmp_path), threading.Event(), set()
    whole = [bytes([letter]) * 200_000 for letter in b"ab"]
    folder.put(page("one"), whole[0])

    def read() -> None:
        while not done.is_set():
            seen.add((folder.path / "one").read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        folder.put(page("one", str(number)), whole[number % 2])
    done.set()
    reader.join()
    assert seen <= set(whole)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "outputs": {}}', '{"format": 2, "outputs": [1]}', "\x00"]
)
def test_a_broken_manifest_reads_as_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    manifest = Manifest.read(tmp_path / "state.json")
    assert (manifest.outputs, manifest.since, manifest.inputs) == ({}, None, "")


def test_an_image_that_changes_or_is_added_later_is_copied_by_the_next_build(project: Project) -> None:
    project.post("pictured", body="![here](here.png) ![later](later.png)")
    here, later = project.root / "posts/here.png", project.root / "posts/later.png"
    here.write_bytes(b"\x89PNG first")
    project.ok("build")
    # Old enough that no tick of the clock makes the index read the post again.
    time.sleep(0.2)
    project.ok("build")
    here.write_bytes(b"\x89PNG second")
    later.write_bytes(b"\x89PNG late")
    project.ok("build")
    built = {path.name: path.read_bytes() for path in (project.root / "public").rglob("*.png")}
    assert built == {"here.png": b"\x89PNG second", "later.png": b"\x89PNG late"}


@pytest.mark.parametrize(("before", "after"), [("Img", "img"), ("e\u0301t\u00e9", "\u00e9t\u00e9")])
def test_a_file_whose_name_changes_only_in_case_stays(project: Project, before: str, after: str) -> None:
    """On a file system that ignores case, both paths lead to one file. A link has the same effect on any other."""
    static, public = project.root / "static", project.root / "public"
    project.write(f"static/{before}/one.txt", "one")
    project.ok("build")
    if not (public / after).exists():
        (public / after).symlink_to(before)
    (static / before).rename(static / after)
    project.ok("build")
    assert (public / after / "one.txt").read_text() == "one"
    assert "nothing changed" in project.ok("build").out
    (static / after / "one.txt").unlink()
    project.ok("build")
    assert not (public / after / "one.txt").exists()
