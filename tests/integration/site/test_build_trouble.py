"""Builds that go wrong: a kill, a full disk, two at a time, pages with the same path. Every file stays complete."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from publisher.config import load_config
from publisher.core.atomic_write import replacing
from publisher.posts.archive import open_archive
from publisher.publishing.wiring import run_build
from publisher.site.build import rebuild
from tests.support.forked_program import Program
from tests.support.needs import needs
from tests.support.project import MONDAY, ROOT, Project
from tests.support.signalled_program import Moment, signalled

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def start(project: Project, *arguments: str, most_bytes: int = 0) -> subprocess.Popen[str]:
    """Start a command in its own process; no file that it writes may be larger than most_bytes."""

    def limit() -> None:
        if most_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    program = [sys.executable, "-m", "publisher", "-C", str(project.root), "--now", MONDAY, *arguments]
    return Program(
        program,
        env=ENVIRONMENT,
        preexec_fn=limit if most_bytes else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def assert_whole(folder: Path) -> None:
    """Check that every page and feed is complete."""
    for path in folder.rglob("*"):
        if path.suffix == ".html":
            assert path.read_text().rstrip().endswith("</html>"), path
        elif path.suffix == ".xml":
            ElementTree.parse(path)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def many(project: Project, count: int = 60) -> None:
    for number in range(count):
        project.post(
            f"post-{number}",
            f"2026-{number % 10 + 1:02}-{number % 28 + 1:02}",
            "Words. " * 300,
            tags=f"[t{number % 7}]",
        )


def killed_build(project: Project, moment: Moment) -> None:
    """Run a build that is killed at a moment."""
    process = signalled(project.root, signal.SIGKILL, moment, "--now", MONDAY, "build")
    process.communicate(timeout=240)
    assert process.returncode == -signal.SIGKILL


def test_a_killed_build_leaves_complete_files(project: Project) -> None:
    many(project)
    project.ok("build", "--out", str(project.root.parent / "wanted"))
    (project.root / ".publisher/index.db").unlink()
    moments = random.Random(5)
    public = project.root / "public"
    for _ in range(6):
        made = len(list(public.glob("**/*"))) + moments.randrange(1, 30)
        killed_build(project, Moment("public/**/*", made))
        assert_whole(public)
    project.ok("build")
    assert not list(public.rglob("*.part"))
    assert contents(public) == contents(project.root.parent / "wanted")


def test_a_post_that_a_killed_build_published_disappears_when_withdrawn(project: Project) -> None:
    project.ok("build")
    many(project)
    killed_build(project, Moment("public/2026/*/*/post-*/index.html"))
    for path in (project.root / "posts").glob("post-*.md"):
        path.unlink()
    project.ok("build")
    assert not [name for name in project.files() if "post-" in name]


def test_a_build_killed_early_does_not_count_as_done(project: Project) -> None:
    project.ok("build")
    project.post("fourth", "2026-11-14")
    config = project.config()
    open_archive(config, datetime(2026, 11, 16, 12, tzinfo=UTC))  # all that a killed build has done
    project.ok("build")
    assert "Fourth" in project.read("public/index.html")


def test_a_build_with_nothing_to_do_removes_what_killed_ones_left_and_nothing_of_running_ones(project: Project) -> None:
    project.ok("build")
    left = ("public/.publisher-1-7f-0.part", ".publisher/.secret.1f.part", ".publisher/outputs-1f.json.1-2.part")
    for name in left:
        project.write(name, "half a pa")
    with replacing(project.root / ".publisher/outputs-2f.json") as running:
        project.ok("build")
        assert running.exists()
    assert not [name for name in left if (project.root / name).exists()]


def test_a_full_disk_leaves_every_file_complete(project: Project) -> None:
    project.ok("build")
    before = contents(project.root / "public")
    project.post("long", "2026-11-14", "A very long word. " * 20_000)
    process = start(project, "build", most_bytes=200_000)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
    assert "cannot be written: File too large (free some disk space, or fix the permissions" in err
    assert_whole(project.root / "public")
    after = contents(project.root / "public")
    assert before.keys() <= after.keys()
    assert not [name for name in after if name.endswith(".part")]
    project.ok("build")
    assert "2026/11/14/long/index.html" in project.files()
    assert "Long" in project.read("public/index.html")


@pytest.mark.parametrize(
    ("blocked", "said"),
    [
        ("public", "public: is a file, not a folder (move it away)"),
        (".publisher", ".publisher"),
        ("public/2026", "public/2026/11/15/third/index.html: cannot be written: "),
    ],
)
def test_a_file_in_place_of_a_folder_is_one_error_line(project: Project, blocked: str, said: str) -> None:
    project.write(blocked, "in the way")
    ran = project.run("build")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert said in ran.err
    assert "should not have happened" not in ran.err
    assert project.read(blocked) == "in the way"


@needs("unshare")
@pytest.mark.parametrize("words", ["build", "publish", "new A", "subscribers add ada@example.org", "init {root}"])
def test_an_unwritable_project_is_one_error_line(project: Project, words: str) -> None:
    project.ok("build")
    project.post("fourth", "2026-11-14")
    project.write("posts/2026-11-16-hello-world.md", "x")
    (project.root / ".gitignore").unlink(missing_ok=True)
    command = words.format(root=project.root)
    mount = f'mount --bind "{project.root}" "{project.root}" && mount -o remount,bind,ro "{project.root}"'
    program = f'"{sys.executable}" -m publisher -C "{project.root}" --now {MONDAY} {command}'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"{mount} || exit 77; exec {program}"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this machine does not allow tests to mount a file system")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "should not have happened" not in done.stderr
    assert re.search(r"(Read-only file system|readonly database|unable to open database file)", done.stderr)


def test_two_builds_at_once_give_the_same_site(project: Project) -> None:
    many(project)
    for _ in range(3):
        runs = [start(project, "build") for _ in range(3)]
        for process in runs:
            out, err = process.communicate(timeout=240)
            assert (process.returncode, err) == (0, ""), out
        assert_whole(project.root / "public")
        for number in range(0, 60, 7):
            (project.root / f"posts/post-{number}.md").unlink(missing_ok=True)
    project.ok("build")
    project.ok("build", "--out", str(project.root.parent / "alone"))
    assert contents(project.root / "public") == contents(project.root.parent / "alone")


def test_an_unreadable_body_skips_only_its_post(project: Project) -> None:
    head = "---\ntitle: Broken\ndate: 2026-11-14\n---\n" + "Words. " * 1000
    project.write("posts/broken.md", head.encode() + b"\xff\xfe\x00")
    ran = project.fails("build", "--json")
    assert ran.json["posts"] == 3
    (problem,) = ran.json["problems"]
    assert problem["where"].startswith("posts/broken.md:")
    assert "Broken" not in "".join(project.read(f"public/{name}") for name in project.files())
    assert project.fails("build", "--json").json["written"] == 0
    project.post("broken", "2026-11-14", "Mended.")
    assert project.ok("build", "--json").json["posts"] == 4


@pytest.mark.parametrize(
    ("permalink", "is_told"),
    [
        ("/feed.xml", True),
        ("/tags/Reading/feed.xml/more", True),
        ("/TAGS/Reading/", True),
        ("/Index.html", True),
        ("/", True),  # an own home page
        ("/tags/", True),
        ("/404.html", True),  # refused
        ("/tags/reading/", True),
        ("/assets/", True),  # refused
        ("/2026/", False),
    ],
)
def test_a_permalink_in_use_stops_nothing(project: Project, permalink: str, is_told: bool) -> None:
    project.write("static/assets/keep.txt", "x")
    project.post("greedy", "2026-11-14", permalink=permalink)
    ran = project.ok("build", "--json", "--keep-going")
    assert ran.json["posts"] == 4
    assert bool(ran.json["problems"]) is is_told
    assert {"feed.xml", "atom.xml", "feed.json", "2026/11/15/third/index.html"} <= project.files()
    ElementTree.fromstring(project.read("public/feed.xml"))
    places = [name.casefold() for name in project.files()]
    assert len(set(places)) == len(places)
    assert project.ok("build", "--json", "--keep-going").json["written"] == 0


def test_permalinks_that_differ_only_in_case_are_reported(project: Project) -> None:
    project.post("one", "2026-11-14", permalink="/Same/")
    project.post("two", "2026-11-13", permalink="/same/")
    ran = project.fails("build", "--json")
    assert (ran.json["posts"], len(ran.json["problems"])) == (4, 1)
    assert "posts/one.md" in str(ran.json["problems"])
    assert "posts/two.md" in str(ran.json["problems"])


@pytest.mark.parametrize(
    "name", ["x" * 240, "語" * 80, "a" * 200 + " b" * 20, "-" * 30, "con", "2026-11-14", "a.b.c", "%2e%2e"]
)
def test_a_post_is_built_whatever_its_file_name(project: Project, name: str) -> None:
    project.write(f"posts/{name}.md", "---\ntitle: Odd\ndate: 2026-11-14\n---\nOdd words.\n")
    ran = project.ok("build", "--json")
    assert (ran.json["posts"], ran.json["problems"]) == (4, [])
    assert "Odd words." in project.read("public/feed.xml")
    assert all(len(part.encode()) <= 255 for path in project.files() for part in path.split("/"))


def test_a_file_name_that_is_not_text_is_a_problem(project: Project) -> None:
    path = os.fsencode(project.root) + b"/posts/caf\xe9.md"
    Path(os.fsdecode(path)).write_text("---\ntitle: Odd\ndate: 2026-11-14\n---\nOdd words.\n")
    ran = project.run("build")
    assert "should not have happened" not in ran.err
    assert "3 posts" in ran.out or "4 posts" in ran.out


def test_a_build_continues_after_another_one_has_noticed_a_deleted_post(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The posts are loaded again for their pages, as if there were too many to keep in memory."""
    monkeypatch.setattr(rebuild, "_MOST_LOADED", 1)
    for number in range(30):
        project.post(f"post-{number:02}", f"2024-05-{number + 1:02}")
    config, deleted = load_config(project.root, {}), []

    def delete(made: int, of: int) -> None:
        """After a few files, delete a post, and let another process read the posts."""
        if made == 5 and not deleted:
            deleted.append(project.root / "posts" / "post-03.md")
            deleted[0].unlink()
            open_archive(config, datetime.fromisoformat(MONDAY).replace(tzinfo=UTC), whole=True)

    report = run_build(config, datetime.fromisoformat(MONDAY).replace(tzinfo=UTC), progress=delete)
    assert deleted
    assert report.problems == ()
    listed = (project.root / "public" / "archive" / "index.html").read_text()
    assert "post-02" in listed
    assert "post-03" not in listed
    assert_whole(project.root / "public")
