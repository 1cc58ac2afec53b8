"""publisher sources, init --from-feed, and publish, status and check with a source: a blog served on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.cli.main import run
from publisher.config import load_config
from publisher.web.preview.live_project import LiveProject
from tests.support.blog_samples import TITLES, write_blog
from tests.support.project import MONDAY, Project
from tests.support.static_server import Site, serve

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
NEWSLETTER = '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\nsources = ["ada"]\n'


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[tuple[Site, Path]]:
    """A blog of another tool, served on loopback, and its folder."""
    folder = tmp_path / "blog"
    folder.mkdir()
    with serve(folder) as site:
        write_blog(folder, site.url, NOW)
        yield site, folder


def table(name: str, url: str, more: str = "allow_private = true") -> str:
    return f'\n[[sources]]\nname = "{name}"\nurl = "{url}"\n{more}\n'


def test_a_source_is_listed_fetched_shown_and_skipped(project: Project, blog: tuple[Site, Path]) -> None:
    site, folder = blog
    project.configure(table("ada", f"{site.url}/feed.xml"), newsletters=NEWSLETTER)
    assert "ada\tada\t0\t\tnever\tnot fetched yet" in project.ok("sources").out
    assert "run `publisher sources fetch`" in project.ok("status").out
    assert "source ada: not fetched yet" in project.ok("publish", "--dry-run").out
    assert project.ok("sources", "fetch").out == "ada: 3 new\n"
    assert project.ok("sources", "fetch").out.startswith("ada: was fetched at 2026-11-16 10:00, and is due again at ")
    for _ in range(2):
        assert project.ok("sources", "fetch", "ada").out == "ada: nothing new\n"
    (row,) = project.ok("sources", "list", "--json").json
    assert (row["title"], row["items"], row["state"], row["newsletters"]) == ("Ada's notes", 3, "ok", ["weekly"])

    shown = project.ok("sources", "show", "ada").out.splitlines()
    assert shown[0] == "ada: Ada's notes"
    assert [line.split("\t")[2:4] for line in shown if "\t" in line][1:] == [[title, "waiting"] for title in TITLES]
    assert project.ok("sources", "skip", "2").out == "2: 'A crane for sale' won't be sent\n"
    items = project.ok("sources", "show", "ada", "--json").json["items"]
    assert [each["state"] for each in items] == ["waiting", "skipped", "waiting"]
    project.subscribe("eve")
    assert "2 posts; 1 message sent" in project.ok("publish").out
    assert [each["state"] for each in project.ok("sources", "show", "ada", "--json").json["items"]] == [
        "in edition",
        "skipped",
        "in edition",
    ]
    write_blog(folder, site.url, NOW, ("A storm", *TITLES))
    ran = project.ok("publish", "--no-fetch", now="2026-11-23T10:00")
    assert "no new posts" in ran.out
    said = project.ok("publish", now="2026-11-23T10:00").out
    assert "ada: 1 new" in said
    assert (
        "weekly: 1 new item may still change until 2026-11-23 10:10 (run it again then, or set settle_minutes" in said
    )
    assert "1 message sent" in project.ok("publish", now="2026-11-23T10:11").out


def test_mistakes_with_sources_are_one_line_each(project: Project, blog: tuple[Site, Path]) -> None:
    site, folder = blog
    (folder / "text.xml").write_text("no feed at all")
    tables = table("ada", f"{site.url}/feed.xml") + table("text", f"{site.url}/text.xml")
    tables += table("away", f"{site.url}/nothing.xml") + table("inside", "http://10.0.0.1/feed.xml", "")
    project.configure(tables, newsletters=NEWSLETTER)
    for words, said in (
        ("sources fetch adda", "error: there is no source 'adda' (did you mean ada?)"),
        ("sources show zzz", "error: there is no source 'zzz' (known: ada, text, away, inside)"),
        ("sources skip 1", "error: nothing has been fetched yet (run `publisher sources fetch`)"),
        ("sources try http://10.0.0.1/", "10.0.0.1 is a private network (if you trust it, use --allow-private)"),
    ):
        ran = project.fails(*words.split())
        assert said in ran.err, words
        assert (ran.out, ran.err.count("\n")) == ("", 1), words
    ran = project.fails("sources", "fetch", now="2026-11-16T08:00")
    assert ran.out == "ada: 3 new\n"
    assert ran.err.count("\n") == 3
    assert "(if you trust it, set allow_private = true for this source)" in ran.err
    assert "--allow-private" not in ran.err
    assert "error: there is no item 9 (" in project.fails("sources", "skip", "1", "9").err
    assert {each["state"] for each in project.ok("sources", "--json").json} == {"ok", "failing"}
    assert "text can't be fetched since 2026-11-16 08:00: " in project.ok("status").out
    feed = (folder / "feed.xml").read_text()
    (folder / "feed.xml").write_text(feed.replace("/?p=", "/?other="))
    assert project.ok("sources", "fetch", "ada").out == "ada: nothing new\n"
    found = {each["message"]: each["severity"] for each in project.fails("check", "--json").json}
    assert found["source inside: is never fetched, because 10.0.0.1 is a private network"] == "error"
    assert found["source text: no newsletter takes it"] == "warning"
    assert found["source ada: gave 3 of its items different ids than before"] == "warning"
    assert any(message.startswith("source away: can't be fetched since 2026-11-16") for message in found)
    project.subscribe("eve")
    assert project.ok("publish", now="2026-11-16T16:30").err.count("warning: source ") == 3  # and the rest is sent


def test_an_unreadable_password_is_reported_where_it_is_configured(project: Project) -> None:
    (project.root / "folder").mkdir()
    (project.root / "bytes").write_bytes(b"\xff\xfe")
    (project.root / "good").write_text("secret", "utf-8")
    names = ("nope", "folder", "bytes", "good")
    tables = "".join(
        table(f"ada{number or ''}", "https://ada.example/", f'password_file = "{name}"')
        for number, name in enumerate(names)
    )
    project.configure(
        f'transport = "smtp"\n[mail.smtp]\nhost = "localhost"\npassword_file = "gone"\n{tables}', newsletters=NEWSLETTER
    )
    lines = project.read("publisher.toml").split("\n")
    found = {
        (lines[each["line"] - 1], each["message"])
        for each in project.fails("check", "--json").json
        if "password" in each["message"]
    }
    missing = "no such file or directory"
    assert found == {
        ('password_file = "gone"', f"the password cannot be read from 'gone': {missing}"),
        ('password_file = "nope"', f"source ada: the password cannot be read from 'nope': {missing}"),
        ('password_file = "folder"', "source ada1: the password cannot be read from 'folder': is a directory"),
        ('password_file = "bytes"', "source ada2: the password cannot be read from 'bytes': it is not text in UTF-8"),
    }


def test_a_project_without_sources_says_how_to_add_one(project: Project) -> None:
    assert "add a [[sources]] table" in project.ok("sources").out
    assert "add a [[sources]] table" in project.fails("sources", "fetch").err
    assert "sources" not in project.ok("status").out


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nothing/", "was not found (404)"),
        ("/plain.html", "doesn't name a feed"),
        ("/text.xml", ""),
        ("/empty.xml", ""),
        ("/future.xml", ""),
    ],
)
def test_a_url_that_is_not_a_blog_creates_nothing(
    path: str, said: str, blog: tuple[Site, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, folder = blog
    (folder / "text.xml").write_text("no feed at all")
    (folder / "empty.xml").write_text("")
    (folder / "plain.html").write_text("<!doctype html><html><title>Shop</title></html>")
    (folder / "feed.xml").unlink()
    later = "<item><title>T</title><link>/a</link><pubDate>Fri, 01 Jan 2100 09:00:00 GMT</pubDate></item>"
    (folder / "future.xml").write_text(f"<rss><channel><title>T</title>{later}</channel></rss>")
    if path == "/future.xml":
        assert run(["sources", "try", site.url + path, "--allow-private"]) == 1
        assert "has only items with dates in the future, the first on 2100-01-01 (" in capsys.readouterr().err
        return
    new = tmp_path / "new"
    for words in (["init", str(new), "--from-feed"], ["sources", "try"]):
        assert run([*words, site.url + path, "--allow-private"]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert said in err
    assert not new.exists()


def test_a_project_from_a_blog_has_its_items_immediately(
    blog: tuple[Site, Path], empty: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    site, _ = blog
    assert run(["--now", MONDAY, "init", str(empty.root), "--from-feed", site.url, "--allow-private"]) == 0
    said = capsys.readouterr().out
    assert f"found  Ada's notes: {site.url}/feed.xml (RSS, 3 items)" in said
    assert f"not taken  Ada's notes: comments: {site.url}/comments/feed.xml" in said
    assert load_config(empty.root, {}).site.language == "en-GB"
    empty.subscribe("eve")
    empty.ok("publish")
    assert site.statuses("/feed.xml") == [200]
    (mail,) = empty.mail()["eve@example.org"]
    assert "Harbour" not in mail["Subject"]
    assert f"{site.url}/the-boats-are-back/" in mail.get_body(("plain",)).get_content()
    run(["init", str(empty.root), "--from-feed", site.url, "--allow-private"])
    assert "already existed. To use the feed, add to it:" in capsys.readouterr().out


def test_a_feed_is_tried_without_a_project(
    blog: tuple[Site, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, folder = blog
    undated = "<rss><channel><title>T</title><item><title>No date</title><link>/a</link></item></channel></rss>"
    (folder / "undated.xml").write_text(undated, encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    for path, options, shown in (
        ("", [], "The boats are back\n====="),
        ("", [], "not taken  Ada's notes: comments: "),
        ("", ["--html"], "<!DOCTYPE html>"),
        ("", ["--json"], '"posts": 3'),
        ("/undated.xml", [], "No date\n====="),  # it may have been changed a moment ago
    ):
        assert run(["--now", MONDAY, "sources", "try", site.url + path, "--allow-private", *options]) == 0
        assert shown.lower() in capsys.readouterr().out.lower()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_url_without_a_scheme_and_a_private_url_get_a_hint(
    blog: tuple[Site, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = blog[0].url.removeprefix("http://")
    for words in (["sources", "try"], ["init", str(tmp_path / "new"), "--from-feed"]):
        assert run([*words, bare, "--allow-private"]) == 1
        assert f"if it has no https, write http://{bare})\n" in capsys.readouterr().err
        assert run([*words, blog[0].url]) == 1
        assert capsys.readouterr().err.endswith("(if you trust it, use --allow-private)\n")


def test_the_preview_follows_a_fetch(project: Project, blog: tuple[Site, Path]) -> None:
    site, _ = blog
    project.configure(table("ada", f"{site.url}/feed.xml"), newsletters=NEWSLETTER)
    live = LiveProject(project.root, lambda config: NOW)
    try:
        assert live.ask(lambda snapshot: snapshot.newsletters[0].next) == ()
        project.ok("sources", "fetch")
        (email,) = live.ask(lambda snapshot: snapshot.newsletters[0].next)
        assert email.which == "next"
    finally:
        live.close()
