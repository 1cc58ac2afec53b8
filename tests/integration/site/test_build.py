"""From posts to public/: only changed files are written, old ones are removed, and other files stay."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest

from tests.support.forbidden import forbid
from tests.support.project import MONDAY, Project

ELSEWHERE = [
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "2"},
    {"TZ": "UTC", "LANG": "tr_TR.UTF-8", "LC_ALL": "", "PYTHONHASHSEED": "3", "PYTHONUTF8": "0"},
]


def rich(project: Project) -> None:
    """Add images, static files, tags in several scripts and a second page of the index, and publish an edition."""
    project.configure("\n[pages]\nper_page = 2\n")
    project.write("posts/pictures/hill.png", b"\x89PNG hill")
    project.post("pictures", "2026-11-12", "![A hill](pictures/hill.png)", tags='["C++", "c++", Öl]')
    project.write("static/robots.txt", "User-agent: *\n")
    project.write("static/.nojekyll", "")
    project.subscribe("ada")
    project.ok("publish")


@pytest.mark.parametrize("environment", ELSEWHERE, ids=lambda e: e["TZ"])
def test_a_second_build_touches_no_file_wherever_it_runs(project: Project, environment: dict[str, str]) -> None:
    rich(project)
    before = project.listing("public")
    ran = project.spawn("build", "--json", **environment)
    assert (ran.code, ran.json["written"], ran.json["removed"]) == (0, 0, 0)
    assert project.listing("public") == before


@pytest.mark.parametrize("environment", ELSEWHERE, ids=lambda e: e["TZ"])
def test_a_build_without_a_cache_makes_the_same_bytes(project: Project, environment: dict[str, str]) -> None:
    rich(project)
    before = project.listing("public")
    for cache in (project.root / ".publisher").glob("*"):
        if cache.name.startswith(("outputs-", "index.db", "config.")):
            cache.unlink()
    ran = project.spawn("build", "--json", **environment)
    assert (ran.code, ran.json["written"]) == (0, 0)
    assert project.listing("public") == before


def test_an_edited_post_touches_only_files_that_show_it(project: Project) -> None:
    project.configure("\n[pages]\nper_page = 1\n")
    project.ok("build")
    before = project.listing("public")
    project.post("first", "2026-11-02", "Quite other words.", tags="[Reading]", excerpt="The same.")
    project.ok("build")
    after = project.listing("public")
    assert after.keys() == before.keys()
    touched = {name for name in after if after[name] != before[name] and "." in name}
    assert "2026/11/02/first/index.html" in touched
    assert {"feed.xml", "atom.xml", "feed.json", "tags/reading/feed.xml"} <= touched
    assert not {
        name for name in touched if "second" in name or "third" in name or "日本語" in name or "r_and_d" in name
    }
    assert "index.html" not in touched


def test_a_removed_post_loses_its_pages_feeds_and_folders(project: Project) -> None:
    project.ok("build")
    (project.root / "posts/third.md").unlink()
    ran = project.ok("build", "--json").json
    assert ran["removed"] > 0
    assert not (project.root / "public/2026/11/15").exists()
    assert not (project.root / "public/tags/r_and_d").exists()
    assert "third" not in "".join(project.read(f"public/{name}") for name in project.files() if "site." not in name)


@pytest.mark.parametrize("template", ["", "<!doctype html>\n<p>{{ site.title }}</p>\n"])
def test_a_removed_post_disappears_even_without_caches(project: Project, template: str) -> None:
    project.write("posts/hill.png", b"\x89PNG hill")
    project.post("third", "2026-11-15", "![A hill](hill.png)", tags="[R&D]")
    if template:
        project.write("templates/pages/post.html", template)
    project.ok("build")
    assert any(name.endswith("hill.png") for name in project.files())
    shutil.rmtree(project.root / ".publisher")
    (project.root / "posts/third.md").unlink()
    project.ok("build")
    left = [name for name in project.files() if re.search("third|r_and_d|hill", name)]
    assert left == []


def test_files_that_no_build_wrote_stay(project: Project) -> None:
    project.ok("build")
    others = {
        "CNAME": "letters.example",
        "own/index.html": '<meta name="generator" content="Microsoft Publisher">',
        "old/feed.xml": "<rss><generator>Publisher</generator></rss>",
        "2026/11/15/third/notes.txt": "mine",
        ".well-known/x.json": '{"title": "Publisher"}',
    }
    for name, text in others.items():
        project.write(f"public/{name}", text)
    (project.root / "posts/third.md").unlink()
    project.ok("build")
    shutil.rmtree(project.root / ".publisher")
    project.post("fourth", "2026-11-14")
    project.ok("build")
    assert {name: project.read(f"public/{name}") for name in others} == others
    assert not (project.root / "public/2026/11/15/third/index.html").exists()


def test_a_tampered_list_removes_nothing_outside_the_folder(project: Project) -> None:
    project.ok("build")
    shutil.rmtree(project.root / ".publisher")
    outside = ["../publisher.toml", "/etc/hostname", "a/../../posts/first.md", "", ".", "x\x00y", 5, None]
    project.write("public/.publisher-files.json", json.dumps(outside))
    project.ok("build")
    assert {"publisher.toml", "posts/first.md"} <= project.files(".")
    for broken in ("[", "{}", "5"):
        project.write("public/.publisher-files.json", broken)
        project.post("again", "2026-11-13", broken)
        project.ok("build")


def test_static_files_are_copied_replaced_and_removed(project: Project) -> None:
    project.write("static/robots.txt", "User-agent: *\n")
    project.write("static/.well-known/deep/x", b"\x00\xff")
    project.write("static/404.html", "my own")
    ran = project.ok("build", "--json").json
    assert ran["problems"] == []
    assert project.read("public/404.html") == "my own"
    assert (project.root / "public/.well-known/deep/x").read_bytes() == b"\x00\xff"
    project.write("static/robots.txt", "User-agent: none\n")
    (project.root / "static/404.html").unlink()
    shutil.rmtree(project.root / "static/.well-known")
    project.ok("build")
    assert project.read("public/robots.txt") == "User-agent: none\n"
    assert "<html" in project.read("public/404.html")
    assert not (project.root / "public/.well-known").exists()


def test_pages_and_folders_may_replace_each_other(project: Project) -> None:
    project.write("static/talk", "a file")
    project.write("static/walk/deep/a.txt", "a folder")
    project.ok("build")
    (project.root / "static/talk").unlink()
    shutil.rmtree(project.root / "static/walk")
    project.write("static/walk", "a file now")
    project.post("talk", permalink="/talk/")
    ran = project.ok("build", "--json").json
    assert ran["problems"] == []
    assert (project.root / "public/talk/index.html").is_file()
    assert project.read("public/walk") == "a file now"
    assert project.ok("build", "--json").json["written"] == 0


def test_posts_appear_and_expire_at_their_times(project: Project) -> None:
    project.post("soon", "2026-11-20")
    project.post("brief", "2026-11-01", expires="2026-11-18 12:00")
    assert project.ok("build", "--json").json["future_posts"] == 1
    assert ("Soon" in project.read("public/index.html"), "Brief" in project.read("public/index.html")) == (False, True)
    assert project.ok("build", "--json", now="2026-11-18T11:59").json["written"] == 0
    project.ok("build", now="2026-11-18T12:00")
    assert "Brief" not in project.read("public/feed.xml")
    assert not (project.root / "public/2026/11/01/brief").exists()
    project.ok("build", now="2026-11-20T09:00")
    assert "Soon" in project.read("public/index.html")
    project.ok("build", now=MONDAY)
    assert "Soon" not in project.read("public/index.html")


def test_a_different_output_folder_gets_all_files(project: Project) -> None:
    project.ok("build")
    out = project.root.parent / "elsewhere"
    project.post("fourth", "2026-11-14")
    project.ok("build", "--out", str(out))
    assert "Fourth" in (out / "index.html").read_text()
    assert "Fourth" not in project.read("public/index.html")
    project.ok("build")
    assert "Fourth" in project.read("public/index.html")
    assert project.ok("build", "--out", str(out), "--json").json["written"] == 0


def test_posts_that_another_command_has_read_are_still_built(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    project.post("fourth", "2026-11-14")
    project.ok("build", "--out", str(project.root.parent / "elsewhere"))
    project.ok("status")
    project.ok("build")
    assert "Fourth" in project.read("public/index.html")


def test_a_file_that_was_changed_by_hand_is_written_again(project: Project) -> None:
    project.ok("build")
    right = project.read("public/index.html")
    project.write("public/index.html", "defaced")
    (project.root / "public/feed.xml").unlink()
    ran = project.ok("build", "--json").json
    assert (ran["written"], project.read("public/index.html")) == (2, right)


def test_without_pages_only_feeds_are_written(project: Project) -> None:
    project.write("static/robots.txt", "x")
    project.ok("build")
    project.configure("\n[pages]\nenabled = false\n")
    ran = project.ok("build", "--json").json
    assert ran["pages"] == 0
    assert {name.rpartition("/")[2] for name in project.files()} == {
        "feed.xml",
        "atom.xml",
        "feed.json",
        "feeds.opml",
        ".publisher-files.json",
    }


def test_an_empty_folder_of_posts_is_an_empty_site(empty: Project) -> None:
    empty.configure()
    (empty.root / "posts").mkdir()
    ran = empty.ok("build", "--json").json
    assert (ran["posts"], ran["feeds"], ran["problems"]) == (0, 3, [])
    assert "index.html" in empty.files()
    assert empty.ok("build", "--json").json["written"] == 0


@pytest.mark.parametrize("words", [["build"], ["publish"], ["publish", "--dry-run"], ["status"]])
def test_a_missing_posts_folder_empties_no_site(project: Project, words: list[str]) -> None:
    project.ok("build")
    before = project.listing("public")
    (project.root / "posts").rename(project.root / "away")
    ran = project.run(*words)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: posts: there is no such folder of posts (")
    assert project.listing("public") == before


@pytest.mark.parametrize(
    ("out", "said"),
    [
        (".", "--out contains the project"),
        ("..", "--out contains the project"),
        ("/", "--out contains the project"),
        ("", "must be the path of a folder"),
        ("  ", "must be the path of a folder"),
        ("~/site", "must be the path of a folder"),
        ("posts", "--out and posts.folder must not overlap: pages would become posts, or drafts would be public"),
        ("posts/site", "--out and posts.folder must not overlap"),
        ("Static", "--out and pages.static must not overlap: the output would be copied into itself"),
        (".publisher", "is where Publisher keeps its own files"),
        (".publisher/outbox", "is where Publisher keeps its own files"),
        ("mail/new", "--out and mail.outbox must not overlap: emails and addresses would become public"),
        (".git", "is where git or a similar tool keeps its own files"),
        ("../.git/site", "is where git or a similar tool keeps its own files"),
        ("templates", "contains files that you write"),
        ("letters/site", "contains files that you write"),
    ],
)
def test_an_unfit_output_folder_is_refused(
    out: str, said: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.configure("outbox = 'mail'\n")
    monkeypatch.chdir(project.root)
    before = project.files(".")
    ran = project.run("build", "--out", out)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert ran.err.endswith(" (choose a different folder)\n")
    assert ran.err.count("\n") == 1
    assert project.files(".") == before


@pytest.mark.parametrize("words", [["build"], ["build", "--out", "site"]])
def test_a_file_that_no_build_wrote_is_not_replaced(
    words: list[str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    for folder in ("public", "site"):
        project.write(f"{folder}/feed.xml", "mine")
        project.write(f"{folder}/other.txt", "mine, too")
    ran = project.run(*words)
    assert (ran.code, ran.out) == (1, "")
    assert "/feed.xml: was not written by a build, and is not replaced (move it away, or choose a different" in ran.err
    folder = words[-1] if len(words) > 1 else "public"
    assert project.files(folder) == {"feed.xml", "other.txt"}
    (project.root / folder / "feed.xml").unlink()
    project.ok(*words)
    assert project.read(f"{folder}/other.txt") == "mine, too"


@pytest.mark.parametrize("place", ["posts", "posts/deep", "posts/deep/er", "static", "static/deep"])
@pytest.mark.parametrize("words", [["build"], ["publish"]])
def test_an_unreadable_folder_empties_no_site(
    place: str, words: list[str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.post("deep/er/far")
    project.write("static/deep/logo.png", "a logo")
    project.ok("build")
    before = project.listing("public")
    with monkeypatch.context() as meanwhile:
        forbid(project.root / place, meanwhile)
        ran = project.run(*words)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"error: {place}: cannot be read: Permission denied (fix its permissions)\n"
    assert project.listing("public") == before
    assert project.ok("build", "--json").json["removed"] == 0


@pytest.mark.parametrize("words", [["publish", "--dry-run"], ["status"], ["schedule"], ["check"]])
def test_an_unreadable_folder_of_posts_is_reported_by_name(
    words: list[str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.post("deep/er/far")
    with monkeypatch.context() as meanwhile:
        forbid(project.root / "posts/deep", meanwhile)
        ran = project.run(*words)
    assert ran.code == 1
    assert "error: posts/deep: cannot be read: Permission denied (fix its permissions)\n" in ran.said


def test_changes_of_the_configuration_and_of_templates_are_noticed(project: Project) -> None:
    project.ok("build")
    project.configure("\n[feeds]\nlimit = 1\n")
    assert project.ok("build", "--json").json["written"] > 0
    assert project.read("public/feed.xml").count("<item>") == 1
    project.write("templates/pages/404.html", "lost, {{ site.title }}")
    project.ok("build")
    assert project.read("public/404.html") == "lost, The Quiet Reader"
    shutil.rmtree(project.root / "templates")
    project.ok("build")
    assert "<html" in project.read("public/404.html")


def test_a_change_of_size_is_noticed_despite_an_old_time(project: Project) -> None:
    project.ok("build")
    path = project.root / "posts/first.md"
    status = path.stat()
    path.write_text(path.read_text() + "And more.\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    project.ok("build")
    assert "And more." in project.read("public/2026/11/02/first/index.html")


def test_every_edit_of_the_configuration_of_a_tool_reaches_the_next_build(project: Project) -> None:
    for tool, file, asked in (
        ("jekyll", "_config.yml", "{{ site.shop }}"),
        ("hugo", "hugo.toml", '{{< param "shop" >}}'),
    ):
        project.configure(f'\n[posts]\ntool = "{tool}"\n')
        project.post("asks", "2026-11-11", f"Buy at {asked}.")
        for name in ("Mara", "Zoe", "Anna-Maria", "Zoe"):
            project.write(file, f"shop: {name}\n" if tool == "jekyll" else f'[params]\nshop = "{name}"\n')
            project.ok("build")
            shown = {path for path in project.files() if f"Buy at {name}." in project.read(f"public/{path}")}
            assert {"2026/11/11/asks/index.html", "feed.xml", "atom.xml", "feed.json"} <= shown, (tool, name)
        before = project.listing("public")
        project.ok("build")
        assert project.listing("public") == before
