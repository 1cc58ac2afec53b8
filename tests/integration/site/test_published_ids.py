"""Ids of published posts are permanent: settings that would change them are refused, and a new domain changes none."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from publisher.posts.published import Origin, had_no_readers
from publisher.site.build.ids import NewId, new_ids, to_blame
from tests.support.project import WEEKLY, Project

OLD = Origin("a.example", "a.example,2024", "UTC", "posts")
ID = "tag:a.example,2024:2026-11-10:"


def set_up(project: Project, more: str = "", url: str = "https://a.example", posts: str = "posts") -> None:
    """Write publisher.toml of a site at this URL; more contains lines of [site]."""
    site = f'[site]\ntitle = "A"\nurl = "{url}"\n{more}\n[posts]\nfolder = "{posts}"\n'
    project.write("publisher.toml", site + WEEKLY)


def ids(project: Project) -> list[str]:
    """Return the ids of the entries in the JSON feed; those of RSS and Atom must be the same."""
    found = [item["id"] for item in json.loads(project.read("public/feed.json"))["items"]]
    assert re.findall(r"<guid[^>]*>([^<]*)<", project.read("public/feed.xml")) == found
    assert re.findall(r"<id>([^<]*)</id>", project.read("public/atom.xml"))[1:] == found
    return found


@pytest.fixture
def site(empty: Project) -> Project:
    """A project of three posts: one without an id, one with a number from another tool, one with a URI."""
    set_up(empty)
    empty.post("bare")
    empty.post("number", "2026-11-09", id="42")
    empty.post("own", "2026-11-08", id='"urn:x-mine:7"')
    empty.ok("build")
    assert ids(empty) == [f"{ID}bare", "tag:a.example,2024:id:42", "urn:x-mine:7"]
    return empty


@pytest.mark.parametrize("url", ["https://b.example", "http://a.example", "https://a.example/blog", "http://localhost"])
def test_a_new_domain_changes_no_id(site: Project, url: str) -> None:
    before = ids(site)
    set_up(site, url=url)
    site.ok("build")
    assert url in site.read("public/feed.xml")
    assert ids(site) == before
    new = site.ok("new", "Later").out.strip()
    assert 'id: "tag:a.example,2024:2026-11-16:later"' in site.read(f"posts/{new.rpartition('/')[2]}")


def test_the_first_domain_is_kept_when_every_cache_is_gone(site: Project) -> None:
    before = ids(site)
    for cache in (site.root / ".publisher").glob("*"):
        if cache.name != "published.db":
            cache.unlink()
    shutil.rmtree(site.root / "public")
    set_up(site, url="https://b.example")
    site.ok("build")
    assert ids(site) == before


def test_a_build_without_changes_restores_the_record(site: Project) -> None:
    (site.root / ".publisher/published.db").unlink()
    assert site.ok("build", "--json").json["written"] == 0
    set_up(site, 'authority = "b.example,2026"')
    assert site.run("build").code == 1


def test_check_reports_the_published_authority(site: Project) -> None:
    set_up(site, url="https://b.example")
    assert 'authority = "a.example,2024" under [site]' in site.ok("check").out
    set_up(site, 'authority = "a.example,2024"', url="https://b.example")
    assert "site.authority is not set" not in site.ok("check").out
    before = ids(site)
    site.ok("build")
    assert ids(site) == before


REFUSED = [
    (
        lambda p: set_up(p, 'authority = "b.example,2026"'),
        "site.authority: 2 published posts would get new ids, so feed readers would show them again, and newsletters "
        f"would send them again (posts/bare.md: {ID}bare -> tag:b.example,2026:2026-11-10:bare) "
        '(to keep the old ids, set site.authority = "a.example,2024"; ',
    ),
    (
        lambda p: set_up(p, 'timezone = "Pacific/Kiritimati"'),
        "site.timezone: 1 published post would get a new id, so feed readers would show it again, and newsletters "
        f"would send it again (posts/late.md: {ID}late -> tag:a.example,2024:2026-11-11:late) "
        '(to keep the old ids, set site.timezone = "UTC"; ',
    ),
    (
        lambda p: set_up(p, posts='posts"\ntimezone = "Pacific/Kiritimati'),
        "posts.timezone: 1 published post would get a new id, so feed readers would show it again, and newsletters "
        f"would send it again (posts/late.md: {ID}late -> tag:a.example,2024:2026-11-11:late) "
        '(to keep the old ids, set posts.timezone = "UTC"; ',
    ),
    (
        lambda p: (set_up(p, posts="blog"), p.write("blog/x", ""), (p.root / "posts").rename(p.root / "blog/posts")),
        "posts.folder: 2 published posts would get new ids, so feed readers would show them again, and newsletters "
        f"would send them again (blog/posts/late.md: {ID}late -> {ID}posts/late) "
        '(to keep the old ids, set posts.folder = "blog/posts"; ',
    ),
]


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=["authority", "timezone", "zone of posts", "folder"])
def test_settings_that_change_ids_are_refused(site: Project, change: Callable[[Project], None], said: str) -> None:
    if "authority:" not in said:
        site.post("late", date='"2026-11-10T15:00:00Z"')
        site.ok("build")
    site.subscribe("ada")
    change(site)
    before = site.listing("public"), ids(site)
    line = f"publisher.toml: {said}to continue, use `--accept-new-ids` with build or publish)\n"
    for command in (["build"], ["publish"], ["publish", "--dry-run"]):
        ran = site.run(*command)
        assert (ran.code, ran.out, ran.err) == (1, "", f"error: {line}"), command
    checked = site.run("check")
    assert checked.code == 1
    assert f"error: {line}" in checked.out
    assert (site.listing("public"), ids(site)) == before
    assert site.mail() == {}


def test_accepted_ids_are_kept_afterwards(site: Project) -> None:
    set_up(site, 'authority = "b.example,2026"')
    site.ok("build", "--accept-new-ids")
    assert ids(site) == ["tag:b.example,2026:2026-11-10:bare", "tag:b.example,2026:id:42", "urn:x-mine:7"]
    assert "nothing changed" in site.ok("build").out
    assert "nothing changed" in site.ok("publish", "--accept-new-ids").out
    set_up(site)
    site.ok("build")
    assert ids(site)[0] == "tag:b.example,2026:2026-11-10:bare"
    set_up(site, 'authority = "a.example,2024"')
    assert site.run("build").code == 1


def test_a_dry_run_of_accepted_ids_lists_what_newsletters_would_send(site: Project) -> None:
    site.subscribe("ada")
    site.ok("publish")
    set_up(site, 'authority = "b.example,2026"')
    ran = site.ok("publish", "--dry-run", "--extra", "--accept-new-ids")
    assert "Bare" in ran.out
    assert site.run("build").code == 1


def test_going_back_to_old_settings_is_allowed(site: Project) -> None:
    before = site.listing("public")
    set_up(site, 'authority = "b.example,2026"')
    assert site.run("build").code == 1
    set_up(site)
    site.ok("build")
    assert site.listing("public") == before


def test_a_new_authority_is_refused_even_if_posts_have_ids(empty: Project) -> None:
    set_up(empty)
    empty.post("own", id='"urn:x-mine:7"')
    empty.ok("build")
    set_up(empty, 'authority = "b.example,2026"')
    assert "site.authority: the ids of feeds and editions would change" in empty.run("build").err


def test_other_settings_are_accepted(site: Project) -> None:
    site.post("named-2026", "2026-11-07")
    (site.root / "posts/named-2026.md").rename(site.root / "posts/2026-11-07-named.md")
    site.ok("build")
    before = ids(site)
    set_up(site, 'timezone = "Europe/Berlin"\nlanguage = "de"')
    site.ok("build")
    assert ids(site) == before


def test_changes_in_a_post_file_are_never_refused(site: Project) -> None:
    site.post("bare", "2026-11-10", id="mine")
    site.post("number", "2026-11-01", id="42")
    (site.root / "posts/own.md").rename(site.root / "posts/other.md")
    checked = site.ok("check").out
    line = f"posts/bare.md:1: has a new id, so feed readers will show it again: {ID}bare -> mine"
    assert checked.count("has a new id") == 1
    assert f"warning: {line} (to keep the old one, put `id: {ID}bare` in its front matter)\n" in checked
    site.ok("build")
    assert ids(site) == ["tag:a.example,2024:id:mine", "urn:x-mine:7", "tag:a.example,2024:id:42"]
    assert "has a new id" not in site.ok("check").out


def test_an_edit_does_not_hide_a_change_of_settings(site: Project) -> None:
    site.post("bare", body="Wholly other words, with links to the new domain.")
    set_up(site, 'authority = "b.example,2026"')
    assert "posts/bare.md" in site.run("build").err


def test_a_folder_that_moved_with_its_posts_changes_nothing(site: Project) -> None:
    before = ids(site)
    (site.root / "content").mkdir()
    (site.root / "posts").rename(site.root / "content/blog")
    set_up(site, posts="content/blog")
    site.ok("build")
    assert ids(site) == before
    set_up(site, posts="content")
    assert f"content/blog/bare.md: {ID}bare -> {ID}blog/bare" in site.run("build").err


def test_a_scheduled_post_has_no_permanent_id(site: Project) -> None:
    site.post("bare", "2026-12-24")
    for name in ("number", "own"):
        (site.root / f"posts/{name}.md").unlink()
    shutil.rmtree(site.root / ".publisher")
    site.ok("build")
    set_up(site, 'authority = "b.example,2026"')
    site.ok("build")
    site.ok("build", now="2026-12-25T10:00")
    set_up(site, 'authority = "c.example,2026"')
    assert site.run("build", now="2026-12-25T10:00").code == 1


def test_a_local_build_makes_no_ids_permanent(empty: Project) -> None:
    set_up(empty, url="http://localhost:8000")
    empty.post("bare")
    empty.ok("build")
    assert ids(empty) == ["tag:localhost,2024:2026-11-10:bare"]
    set_up(empty)
    empty.ok("build")
    assert ids(empty) == [f"{ID}bare"]
    set_up(empty, url="http://localhost:8000")
    empty.ok("build")
    assert ids(empty) == [f"{ID}bare"]
    set_up(empty, 'authority = "b.example,2026"', url="http://localhost:8000")
    assert empty.run("build").code == 1


@pytest.mark.parametrize("damage", [b"no database at all, but long enough to be looked at" * 40, None])
def test_a_damaged_record_is_one_error_line_with_a_hint(site: Project, damage: bytes | None) -> None:
    path = site.root / ".publisher/published.db"
    path.write_bytes(path.read_bytes()[:5000] if damage is None else damage)
    ran = site.run("build")
    assert ran.code == 1
    assert ran.err.startswith("error: .publisher/published.db: the file of published ids can't be used: ")
    assert ran.err.count("\n") == 1
    path.unlink()
    site.ok("build")


def test_a_half_written_record_is_ignored(site: Project) -> None:
    path = site.root / ".publisher/published.db"
    path.write_bytes(b"")
    site.ok("build")
    whole = path.read_bytes()
    path.write_bytes(b"")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 1")  # a header and no table
    site.post("bare", body="Other words.")
    site.ok("build")
    assert len(path.read_bytes()) == len(whole)
    set_up(site, 'authority = "b.example,2026"')
    assert site.run("build").code == 1


@pytest.mark.parametrize(
    ("known", "host", "authority", "expected"),
    [
        ("localhost", "a.example", "", True),
        ("127.0.0.1", "blog.dev", "blog.dev,2026", True),
        ("::1", "localhost", "", False),
        ("my.localhost", "localhost", "", False),
        ("example.org", "blog.dev", "blog.dev,2026", True),
        ("example.org", "blog.dev", "", False),
        ("example.org", "blog.dev", "example.org,2026", False),
        ("example.org", "example.org", "blog.dev,2026", False),
        ("example.org", "blog.example.net", "blog.dev,2026", False),
        ("example.org", "localhost", "blog.dev,2026", False),
        ("blog.dev", "blog.org", "blog.org,2026", False),
    ],
)
def test_only_local_and_example_builds_had_no_readers(known: str, host: str, authority: str, expected: bool) -> None:
    assert had_no_readers(Origin(known, f"{known},2024", "UTC", "posts"), host, authority) is expected


def test_a_new_project_may_be_built_before_its_url_is_set(empty: Project) -> None:
    empty.ok("init", str(empty.root), now="2026-11-16T09:00")
    hello = "posts/2026-11-16-hello-world.md"
    empty.write(hello, empty.read(hello).replace("draft: true\n", ""))
    empty.ok("build")
    text = empty.read("publisher.toml")
    assert 'authority = "example.org,2026"' in text
    empty.write("publisher.toml", text.replace("example.org", "ada.blog"))
    assert "new id" not in empty.run("check").out
    empty.ok("build")
    empty.write("publisher.toml", text.replace("example.org", "ada.dev"))
    assert empty.run("build").code == 1


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [("a/b.md", "a/b.md", True), ("b.md", "a/b.md", True), ("x/a/b.md", "a/b.md", True), ("xb.md", "b.md", False)],
)
def test_a_path_is_recognised_with_more_or_fewer_folders(before: str, after: str, expected: bool) -> None:
    now = Origin("a.example", "a.example,2024", "UTC", "content")
    found = new_ids(OLD, now, {before: f"{ID}old"}, {after: f"{ID}new"}, lambda source, path: f"{ID}old")
    assert found == ([NewId(after, before, f"{ID}old", f"{ID}new")] if expected else [])


def test_only_settings_that_changed_ids_are_reported() -> None:
    now = Origin("b.example", "b.example,2026", "Asia/Tokyo", "blog")
    found = [NewId("b.md", "b.md", f"{ID}b", "tag:b.example,2026:2026-11-10:b")]
    assert to_blame(OLD, now, found) == ["authority"]
    assert to_blame(OLD, now, [*found, NewId("c.md", "c.md", f"{ID}c", "tag:b.example,2026:2026-11-11:c")]) == [
        "authority",
        "timezone",
    ]
