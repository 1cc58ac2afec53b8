"""A build with nothing to do is recognised before the configuration is read, if the full check would agree."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from publisher.cli.unchanged_build import report_unchanged
from publisher.config import load_config
from publisher.posts.index import INDEX_FILE
from publisher.posts.last_versions import VERSIONS_FILE
from publisher.publishing.wiring import run_build
from publisher.site.build import BuildStart
from publisher.site.unchanged import CACHES, forget_look
from tests.support.project import Project

Change = Callable[[Path], object]


def _append(path: str, text: str = "\n") -> Change:
    def change(root: Path) -> None:
        with (root / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def _write(path: str) -> Change:
    def change(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("---\ntitle: New\ndate: 2026-11-01\n---\n\nNew.\n", encoding="utf-8")

    return change


def _with_same_times(path: str) -> Change:
    """Write other content of the same length, and restore the file's old time, like `cp -p` and rsync."""

    def change(root: Path) -> None:
        status = (root / path).stat()
        (root / path).write_bytes(b"#" * status.st_size)
        os.utime(root / path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return change


CHANGES: dict[str, Change] = {
    "a post is edited": _append("posts/first.md", "More words.\n"),
    "a post is new": _write("posts/new.md"),
    "a post in a new folder": _write("posts/deep/er/new.md"),
    "a post is removed": lambda root: (root / "posts/third.md").unlink(),
    "a post is renamed": lambda root: (root / "posts/third.md").rename(root / "posts/fourth.md"),
    "a post becomes a link": lambda root: (
        (root / "posts/third.md").rename(root / "elsewhere.md"),
        (root / "posts/third.md").symlink_to("../elsewhere.md"),
    ),
    "a post cannot be found": lambda root: (root / "posts").rename(root / "essays"),
    "the configuration": _append("publisher.toml", "\n[feeds]\nlimit = 1\n"),
    "a comment in the configuration": _append("publisher.toml", "# a comment\n"),
    "a template of the project": _write("templates/pages/site.css"),
    "a static file": _write("static/new.txt"),
    "a static file with its old time": _with_same_times("static/robots.txt"),
    "a page": _write("pages/about.md"),
    "a file is missing from the output": lambda root: (root / "public/feed.xml").unlink(),
    "a file of the output is edited": _append("public/feed.xml"),
    "the output is missing": lambda root: (root / "public").rename(root / "old"),
    "a killed build left a partial file": _write("public/.publisher-999999999-x.part"),
    "a killed build left a partial file in the state folder": _write(".publisher/.outputs-x.json.1f.part"),
    "the index is missing": lambda root: (root / ".publisher/index.db").unlink(),
    "the index is damaged": lambda root: (root / ".publisher/index.db").write_bytes(b"no database"),
    "the published ids are missing": lambda root: (root / ".publisher/published.db").unlink(),
    "the last versions are missing": lambda root: (root / ".publisher/last-versions.db").unlink(),
    "the manifest is damaged": lambda root: [each.write_text("{") for each in root.glob(".publisher/outputs-*")],
    "the state folder is open to others": lambda root: (root / ".publisher").chmod(0o755),
    "the state folder is not ignored": lambda root: (root / ".publisher/.gitignore").unlink(),
}


@pytest.fixture
def built(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in the current folder that was built shortly after its last change."""
    project.write("static/robots.txt", "User-agent: *\n")
    monkeypatch.chdir(project.root)
    _build(project)
    return project


def _build(project: Project) -> str:
    time.sleep(0.03)  # longer than a tick of the file system's clock
    return project.run("build", now="").out


def _short(project: Project, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the short path prints; "" if it is not taken."""
    capsys.readouterr()
    was_taken = report_unchanged(arguments or ["build"])
    forget_look()  # the program does one right after the other, and a test does something in between
    out = capsys.readouterr().out
    assert bool(out) == was_taken
    return out


def test_the_short_path_prints_the_same_as_the_usual_path(built: Project, capsys: pytest.CaptureFixture[str]) -> None:
    short = _short(built, capsys)
    assert "nothing changed" in short
    assert short == built.run("build", now="").out
    assert short == _short(built, capsys, "--project", str(built.root), "build")
    assert short == _short(built, capsys, "build", "-C", ".")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_takes_the_usual_path_until_a_build_has_processed_it(
    built: Project, capsys: pytest.CaptureFixture[str], change: Change
) -> None:
    assert _short(built, capsys)
    change(built.root)
    assert not _short(built, capsys)


def test_a_file_that_no_build_reads_takes_the_usual_path_once(
    built: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    built.write("README.md", "About this project.\n")
    assert not _short(built, capsys)
    assert "nothing changed" in _build(built)
    assert _short(built, capsys)


def test_nothing_is_printed_for_other_command_lines(
    built: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["build", "--json"], ["--now", "2026-11-16", "build"], ["publish"], [], ["-C", "posts", "build"]):
        assert not report_unchanged(arguments)
    monkeypatch.setenv("PUBLISHER_SITE_TITLE", "A Different Title")
    assert not _short(built, capsys)


def test_a_project_with_a_symbolic_link_or_a_problem_takes_the_usual_path(
    built: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (built.root / "link").symlink_to("posts")
    _build(built)
    assert not _short(built, capsys)
    (built.root / "link").unlink()
    built.post("odd", tags="[a", draft="perhaps")
    _build(built)
    assert not _short(built, capsys)


def test_a_file_that_may_change_unnoticed_is_read_again(built: Project, capsys: pytest.CaptureFixture[str]) -> None:
    built.write("README.md", "About this project.\n")
    built.run("build", now="")  # within a tick of the file system's clock, or soon after
    ahead = time.time() + 60
    os.utime(built.root / "README.md", (ahead, ahead))
    assert not _short(built, capsys)


def test_a_post_appears_although_no_file_has_changed(built: Project, capsys: pytest.CaptureFixture[str]) -> None:
    soon = time.time() + 3_600
    built.post("soon", date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon)))
    _build(built)
    assert "1 post scheduled for later" in _short(built, capsys)
    with time_machine.travel(soon - 2, tick=False):
        assert _short(built, capsys)
    with time_machine.travel(soon + 2, tick=False):
        assert not _short(built, capsys)


def test_an_edition_that_becomes_public_is_built(built: Project, capsys: pytest.CaptureFixture[str]) -> None:
    built.subscribe("ada")
    assert _short(built, capsys)  # a new database without editions
    built.ok("publish", "--yes", now="")
    _build(built)
    short = _short(built, capsys)
    assert short == built.run("build", now="").out


def test_the_short_path_is_never_taken_if_the_usual_path_has_work(
    built: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    choose = random.Random(20)
    taken = 0
    for _ in range(25):
        if choose.random() < 0.6:
            change = choose.choice([each for name, each in CHANGES.items() if "first" in name or "new" in name])
            change(built.root)
        short, usual = _short(built, capsys), _build(built)
        assert short in ("", usual)
        taken += bool(short)
    assert taken > 3


def test_all_caches_are_checked() -> None:
    assert CACHES == (INDEX_FILE, "published.db", VERSIONS_FILE)


def test_an_edit_after_the_posts_were_read_is_for_the_next_build(
    built: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    built.post("second", title="Before")
    time.sleep(0.03)
    config, now = load_config(built.root, os.environ), datetime.now(UTC)
    start = BuildStart(config)
    archive = start.read(now)
    built.post("late", title="After")
    assert not [post for post in archive.posts if post.title == "After"]
    time.sleep(0.03)
    run_build(config, now, start=start)
    start.close()
    assert "Before" in built.read("public/feed.xml")
    assert "After" not in built.read("public/feed.xml")
    assert not _short(built, capsys)
    _build(built)
    assert "After" in built.read("public/feed.xml")
