"""A published post stays while its file cannot be read, and disappears immediately when its author withdraws it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from publisher.posts.last_versions import VERSIONS_FILE
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import DAY, MINUTE, OWNER, SLOT, Clockwork, configure, text
from tests.support.forbidden import forbid
from tests.support.project import WEEKLY, Project

FRONT = "---\ntitle: Ferry\ndate: 2026-11-12 09:00\ntags: [boats]\nauthor: Flo\n---\n"
BODY = "All about the ferry.\n"
FERRY = "posts/deep/ferry.md"
PAGE = "deep/2026/11/12/ferry/index.html"

Slip = Callable[[Project, pytest.MonkeyPatch], None]


def written(content: str | bytes) -> Slip:
    return lambda project, _: project.write(FERRY, content) and None


def replaced(make: Callable[[Path], object]) -> Slip:
    def slip(project: Project, _: pytest.MonkeyPatch) -> None:
        (project.root / FERRY).unlink()
        make(project.root / FERRY)

    return slip


def outside(path: Path) -> Path:
    """Write a post next to the project's folder, and return its path."""
    file = path.parents[3] / "outside.md"
    file.write_text(FRONT + "From outside.\n")
    return file


def forbidden(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(FERRY, FRONT + "New, and not readable.\n")
    forbid(project.root / FERRY, monkeypatch)


def edited(before: str, after: str) -> Slip:
    return written((FRONT + BODY).replace(before, after))


SLIPS = {
    "yaml": edited("title: Ferry", "title: Ferry: a guide"),
    "unclosed": edited("author: Flo\n---\n", "author: Flo\n"),
    "quote": edited("title: Ferry", 'title: "Ferry'),
    "toml": written(f'+++\ntitle = Ferry\ndate = 2026-11-12\n+++\n{BODY}'),
    "json": written('{\n"title": "Ferry",\n"date": 2026-11-12,\n}\n' + BODY),
    "date": edited("date: 2026-11-12 09:00", "date: someday"),
    "no date": edited("date: 2026-11-12 09:00\n", ""),
    "date is a list": edited("date: 2026-11-12 09:00", "date: [2026-11-12]"),
    "newsletter switch": edited("author: Flo", "author: Flo\nnewsletter: nope"),
    "nesting": edited("title: Ferry", f"title: {'[' * 5_000}"),
    "encoding of the head": written(FRONT.encode().replace(b"Ferry", b"F\xe4hre") + BODY.encode()),
    "encoding of the body": written(FRONT.encode() + b"x" * 6_000 + b"\xff\n"),
    "utf-16": written((FRONT + BODY).encode("utf-16")),
    "nul": written(FRONT.encode() + b"\0" + BODY.encode()),
    "size": written(FRONT + "x" * 5_000_001),
    "permission": forbidden,
    "broken link": replaced(lambda path: path.symlink_to("nowhere.md")),
    "link out": replaced(lambda path: path.symlink_to(outside(path))),
    "link to itself": replaced(lambda path: path.symlink_to(path.name)),
    "fifo": replaced(lambda path: os.mkfifo(path)),
    "folder": replaced(lambda path: path.mkdir()),
    "permalink of another post": edited("author: Flo", "permalink: /2026/11/15/third/"),
    "id of another post": edited("author: Flo", "id: tag:letters.example,2024:2026-11-15:third"),
}  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "ferry"


@pytest.fixture
def ferry(project: Project, kept: Path) -> Project:
    """A built project with four posts, an owner and a subscriber; one post has its own folder."""

    def prepare() -> None:
        configure(project, WEEKLY)
        project.write(FERRY, FRONT + BODY)
        project.subscribe("ada")
        project.ok("build")

    project.prepare(kept, prepare)
    return project


def feeds_with_ferry(project: Project) -> set[str]:
    names = {name for name in project.files() if name.endswith(("feed.xml", "atom.xml", "feed.json"))}
    return {name for name in names if "ferry" in project.read(f"public/{name}")}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_published_post_stays_while_its_file_cannot_be_read(
    slip: str, ferry: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = feeds_with_ferry(ferry)
    assert {"feed.xml", "tags/boats/feed.xml", "atom.xml", "feed.json"} <= feeds
    SLIPS[slip](ferry, monkeypatch)
    ferry.post("news", "2026-11-16")  # the feeds, the index and the archive are written again
    ran = ferry.run("build")
    assert ran.code == 1
    assert FERRY in ran.err
    assert "; the site shows its last readable version" in ran.err
    assert "1 post shown in the last readable version" in ran.out
    assert "skipped" not in ran.out
    assert feeds_with_ferry(ferry) == feeds
    assert "All about the ferry." in ferry.read(f"public/{PAGE}")
    for name in ("index.html", "archive/index.html", "tags/boats/index.html", "sitemap.xml"):
        assert PAGE.removesuffix("index.html") in ferry.read(f"public/{name}"), name
    assert "2026/11/16/news/index.html" in ferry.files()
    again = ferry.ok("build", "--json", "--keep-going").json
    assert (again["written"], again["removed"], again["last_versions"]) == (0, 0, 1)


@pytest.mark.parametrize("slip", ["yaml", "encoding of the body", "size", "permission", "link out"])
def test_a_last_readable_version_is_reported_until_it_is_replaced(
    slip: str, ferry: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    SLIPS[slip](ferry, monkeypatch)
    ferry.run("build")
    status = ferry.ok("status").out
    assert FERRY in status
    assert "shows its last readable version since 2026-11-16 10:00" in status
    checked = ferry.run("check")
    assert checked.code == 1
    assert "the site shows its last readable version" in checked.out


@pytest.mark.parametrize("slip", ["yaml", "encoding of the body", "size", "link out"])
def test_publish_sends_readable_posts_and_fails(slip: str, ferry: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    SLIPS[slip](ferry, monkeypatch)
    assert ferry.run("publish", "--dry-run").code == 1
    ran = ferry.run("publish", "--yes")
    assert ran.code == 1
    (letter,) = ferry.mail()["ada@example.org"]
    assert "Third" in letter["Subject"]
    assert "erry" not in text(letter)
    assert PAGE in ferry.files()
    (ferry.root / FERRY).unlink()
    ferry.write(FERRY, FRONT + "It sails again.\n")
    ferry.ok("publish", "--extra")
    assert "It sails again." in text(ferry.mail()["ada@example.org"][1])


@pytest.mark.parametrize("slip", ["yaml", "encoding of the body", "permission", "broken link"])
def test_a_running_project_keeps_the_post_and_reports_it_once(
    slip: str, ferry: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_project_store(ferry.config()) as store:
        clockwork = Clockwork(ferry, store)
        clockwork.at(SLOT - 3 * DAY)
        SLIPS[slip](ferry, monkeypatch)
        ferry.run("build")
        for minutes in (0, 11, 30):
            clockwork.at(SLOT - 2 * DAY + minutes * MINUTE)
        (mail,) = ferry.mail()[OWNER]
        assert FERRY in text(mail)
        assert "the site shows its last readable version" in text(mail)
        clockwork.at(SLOT)
        assert clockwork.letters() == ["Third and 2 more"]
        assert PAGE in ferry.files()


@pytest.mark.parametrize(
    "take_down",
    {
        "deleted": lambda project, _: (project.root / FERRY).unlink(),
        "renamed": lambda project, _: (project.root / FERRY).rename(project.root / "posts/deep/ferry.md.txt"),
        "draft": edited("author: Flo", "draft: true"),
        "draft, by hand": edited("author: Flo", "draft: ture"),
        "draft and a slip": edited("title: Ferry", "title: Ferry: a guide\ndraft: true"),
        "draft in TOML and a slip": written("+++\ntitle = Ferry\ndraft = true\n+++\n"),
        "unpublished": edited("author: Flo", "published: false"),
        "status": edited("author: Flo", "status: draft"),
        "misspelled status": edited("author: Flo", "status: drfat"),
        "expired": edited("author: Flo", "expires: 2026-11-13"),
        "in the future": edited("date: 2026-11-12", "date: 2026-12-12"),
        "folder deleted": lambda project, _: shutil.rmtree(project.root / "posts/deep"),
    }.items(),
    ids=lambda item: item[0],
)  # fmt: skip
def test_an_intended_removal_takes_effect_at_once(
    take_down: tuple[str, Slip], ferry: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_down[1](ferry, monkeypatch)
    ferry.run("build")
    assert PAGE not in ferry.files()
    assert feeds_with_ferry(ferry) == set()
    assert "tags/boats/feed.xml" not in ferry.files()
    ferry.write(FERRY, FRONT.replace("title: Ferry", "title: a: b"))  # a later slip does not restore it
    ferry.run("build")
    assert PAGE not in ferry.files()
    state = ferry.root / ".publisher" / VERSIONS_FILE
    assert b"All about the ferry" not in state.read_bytes()


def test_a_corrected_post_is_shown_in_its_new_version(ferry: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    SLIPS["yaml"](ferry, monkeypatch)
    ferry.run("build")
    ferry.write(FERRY, FRONT + "Mended.\n")
    ferry.ok("build")
    assert "Mended." in ferry.read(f"public/{PAGE}")
    assert "last readable" not in ferry.ok("status").out


@pytest.mark.parametrize("slip", ["yaml", "encoding of the body", "link out", "size"])
def test_only_a_new_post_with_an_error_is_left_out(
    slip: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(FERRY, FRONT + BODY)
    SLIPS[slip](project, monkeypatch)
    ran = project.run("build")
    assert (ran.code, PAGE in project.files()) == (1, False)
    assert "1 file skipped" in ran.out
    assert "last readable version" not in ran.said
    assert "2026/11/15/third/index.html" in project.files()


def test_a_post_that_is_published_with_an_error_is_not_called_skipped(project: Project) -> None:
    project.configure('\n[posts]\ntool = "jekyll"\n')
    project.write("posts/2026-11-14-none.md", "---\ntitle: None\n---\nA {% picture b.png %}\n")
    for command in ("build", "publish"):
        ran = project.run(command)
        assert "2026/11/14/none/index.html" in project.files()
        assert "1 post published with an error in the text" in ran.out
        assert "skipped" not in ran.out
    project.write("posts/2026-11-13-broken.md", "---\ntitle: [\n---\n")
    assert "1 file skipped (see above); 1 post published with an error" in project.run("build").out
    assert "1 file skipped (run `publisher check`), 1 with an error in the text" in project.run("status").out


def test_a_broken_data_file_is_reported_once_where_it_is_broken(project: Project) -> None:
    project.configure('\n[posts]\ntool = "jekyll"\n')
    project.write("_data/teas.yml", "best: Assam\nworst: [\n")
    for name in ("one", "two"):
        project.post(name, body="Drink {{ site.data.teas.best }}{% for tea in site.data.teas %}{{ tea }}{% endfor %}!")
    project.write("posts/2026-11-13-broken.md", "---\ntitle: [\n---\n")
    for command in ("check", "build"):
        said = project.run(command).said
        assert said.count("error: _data/teas.yml:2: the data in teas.yml can't be used: is not valid YAML: ") == 1
        assert said.count("error: ") == 2
    assert "1 file skipped (see above); 2 posts published with an error in the text" in said
    assert "1 file skipped (run `publisher check`), 2 with an error in the text" in project.run("status").out
    project.subscribe("ada")
    assert "waits for a person: the data in teas.yml can't be used" in project.run("publish").said
    project.write("_data/teas.yml", "best: Assam\n")
    assert "error in the text" not in project.run("build").said
    assert "Drink Assam" in project.read("public/2026/11/10/one/index.html")


def test_a_fresh_checkout_leaves_the_post_out_and_fails(ferry: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    SLIPS["yaml"](ferry, monkeypatch)
    shutil.rmtree(ferry.root / ".publisher")
    shutil.rmtree(ferry.root / "public")
    ran = ferry.run("build")
    assert (ran.code, PAGE in ferry.files()) == (1, False)


def test_the_last_version_survives_a_deleted_index_and_new_settings(
    ferry: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    SLIPS["yaml"](ferry, monkeypatch)
    (ferry.root / ".publisher/index.db").unlink()
    ferry.write("publisher.toml", ferry.read("publisher.toml") + "\n[pages]\nper_page = 2\n")
    ferry.write("templates/pages/404.html", "lost")
    assert ferry.run("build", "--json").json["last_versions"] == 1
    assert "All about the ferry." in ferry.read(f"public/{PAGE}")


@pytest.mark.parametrize("setting", ['exclude = ["deep/**"]', 'exclude = ["ferry.md"]', 'include = ["*.txt", "a/**"]'])
def test_a_post_that_the_settings_exclude_disappears(setting: str, ferry: Project) -> None:
    before = ferry.read("publisher.toml")
    ferry.write("publisher.toml", f"{before}\n[posts]\n{setting}\n")
    ran = ferry.run("build")
    assert (ran.code, PAGE in ferry.files(), "error" in ran.err) == (0, False, False)
    ferry.write("publisher.toml", before)
    ferry.ok("build")
    assert PAGE in ferry.files()


def test_a_damaged_file_of_last_versions_is_replaced(ferry: Project) -> None:
    file = ferry.root / ".publisher" / VERSIONS_FILE
    for damage in (lambda: file.write_bytes(b"not a database, but longer than a header" * 40), file.unlink):
        damage()
        ferry.post("third", "2026-11-15", damage.__name__)
        ferry.ok("build")
        with sqlite3.connect(file) as db:
            assert db.execute("SELECT COUNT(*) FROM versions").fetchone() == (4,)


@pytest.mark.parametrize("place", ["posts", "posts/deep", "templates", "templates/pages", "static"])
@pytest.mark.parametrize("what", ["file", "broken link", "permission"])
def test_a_file_in_place_of_a_folder_empties_no_site(
    place: str, what: str, ferry: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ferry.write("templates/pages/404.html", "lost")
    ferry.write("static/logo.txt", "a logo")
    ferry.ok("build")
    before = ferry.listing("public")
    folder = ferry.root / place
    with monkeypatch.context() as meanwhile:
        if what == "permission":
            forbid(folder, meanwhile)
        else:
            folder.rename(ferry.root / "aside")
            folder.write_text("oops") if what == "file" else folder.symlink_to("nowhere")
        both = [ferry.run(*words) for words in (["build"], ["publish", "--yes"])]
    for ran in both:
        assert ran.code == 1
        assert f"error: {place}: " in ran.err
    assert ferry.listing("public") == before
    assert ferry.mail() == {}


@pytest.mark.parametrize("broken", ["{% if %}", "{{ nothing.at.all }}", "{% include 'gone.html' %}", "\udc80"])
def test_a_broken_template_leaves_the_last_site_complete(broken: str, ferry: Project) -> None:
    before = ferry.listing("public")
    ferry.post("news", "2026-11-16")
    text = f'{{% extends "pages/post.html" %}}\n\n{{% block main %}}{broken}{{% endblock %}}'
    ferry.write("templates/pages/post.html", text.encode("utf-8", "surrogateescape"))
    for words in (["build"], ["publish", "--yes"]):
        ran = ferry.run(*words)
        assert ran.code == 1
        assert "error: templates/pages/post.html" in ran.err
        assert ferry.listing("public") == before
    assert "not built    since 2026-11-16 10:00; the site stays as it was" in ferry.ok("status").out
    (ferry.root / "templates/pages/post.html").unlink()
    ferry.ok("build")
    assert "not built" not in ferry.ok("status").out
    assert "2026/11/16/news/index.html" in ferry.files()


@pytest.mark.parametrize("trouble", ["template", "folder"])
def test_emails_go_out_while_the_site_cannot_be_built(
    trouble: str, ferry: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_project_store(ferry.config()) as store:
        clockwork = Clockwork(ferry, store)
        clockwork.at(SLOT - 3 * DAY)
        if trouble == "template":
            ferry.write(
                "templates/pages/post.html", '{% extends "pages/post.html" %}{% block main %}{{ x.y }}{% endblock %}'
            )
            report = clockwork.at(SLOT)
            assert "templates/pages/post.html:1" in str(report.problems[0])
        else:
            from publisher.publishing.tick import create_due, send_due
            from publisher.publishing.wiring import Project as Open

            create_due(Open(ferry.config(), store, lambda: SLOT))
            forbid(ferry.root / "posts", monkeypatch)
            send_due(Open(ferry.config(), store, lambda: SLOT))
        (letter,) = ferry.mail()["ada@example.org"]
        assert "https://letters.example/editions/weekly/2026-W48/" in text(letter)
        assert "Third" in ferry.read("public/editions/weekly/2026-W48/index.html")
        clockwork.at(SLOT + 11 * MINUTE)
        clockwork.at(SLOT + 12 * MINUTE)
        (mail,) = ferry.mail()[OWNER]
        assert "templates/pages/post.html:1" in text(mail) if trouble == "template" else "posts" in text(mail)


def test_an_edition_uses_the_new_text_only_once_it_can_be_read(ferry: Project) -> None:
    ferry.write(FERRY, FRONT.replace("title: Ferry", "title: Ferry: a guide") + "New text.\n")
    planned = ferry.run("publish", "--dry-run", "--json")
    assert "ferry" not in json.dumps(planned.json)
    ferry.run("publish")
    assert "erry" not in text(ferry.mail()["ada@example.org"][0])
    ferry.write(FERRY, FRONT + "New text.\n")
    ferry.ok("publish", "--extra")
    assert "New text." in text(ferry.mail()["ada@example.org"][1])


def test_a_waiting_post_is_not_new_after_a_first_edition_skipped_it(project: Project) -> None:
    configure(project, WEEKLY + "first = 1\n")
    project.write("posts/old.md", "---\ntitle: Old\ndate: 2020-01-01\n---\nOld words.\n")
    project.subscribe("ada")
    project.ok("build")
    project.write("posts/old.md", "---\ntitle: Old: er\ndate: 2020-01-01\n---\nOld words.\n")
    project.run("publish")
    project.write("posts/old.md", "---\ntitle: Older\ndate: 2020-01-01\n---\nOld words.\n")
    project.ok("publish", "--extra")
    assert [str(letter["Subject"]) for letter in project.mail()["ada@example.org"]] == ["Third"]


@pytest.mark.parametrize(
    "line", ["updated: soon", "lastmod: true", "expires: never", "expires: [1]", "expiryDate: 2026-13-01"]
)
def test_an_optional_date_that_is_not_valid_is_a_warning(line: str, ferry: Project) -> None:
    ferry.write(FERRY, FRONT.replace("author: Flo", line) + BODY)
    ran = ferry.ok("build", "--json")
    (problem,) = ran.json["problems"]
    assert (problem["where"], problem["severity"]) == (f"{FERRY}:5", "warning")
    assert problem["message"].startswith(f"{line.partition(':')[0]} is ignored: ")
    assert PAGE in ferry.files()


@pytest.mark.parametrize("kind", ["adoc", "textile", "txt", "ipynb", "ORG", "htm", "docx"])
def test_a_kind_of_file_that_is_not_read_is_a_warning(kind: str, project: Project) -> None:
    project.write(f"posts/deep/notes.{kind}", "Words.")
    project.write("posts/deep/picture.png", b"\x89PNG")
    ran = project.ok("build", "--json")
    assert [(p["where"], p["severity"]) for p in ran.json["problems"]] == [(f"posts/deep/notes.{kind}", "warning")]
    assert project.ok("build", "--json").json["written"] == 0
    (project.root / f"posts/deep/notes.{kind}").unlink()
    assert project.ok("build", "--json").json["problems"] == []


def test_publish_also_puts_an_email_with_an_error_on_hold(project: Project) -> None:
    configure(project, WEEKLY)
    project.subscribe("ada")
    empty = '{% extends "email/base.html" %}{% block posts %}{% endblock %}'
    project.write("templates/email/digest.html", empty)
    planned = project.run("publish", "--dry-run")
    assert (planned.code, "it would be put on hold: waits for a person: " in planned.out) == (1, True)
    ran = project.run("publish", "--yes")
    assert ran.code == 1
    assert "on hold: waits for a person: the email shows none of its posts" in ran.out
    assert project.mail() == {}
    project.post("news", "2026-11-16")
    project.ok("publish", "--extra", "--keep-going")
    assert len(project.mail()["ada@example.org"]) == 1


@pytest.mark.parametrize("place", ["letters", "letters/weekly", "templates", "templates/email"])
@pytest.mark.parametrize("what", ["broken link", "permission", "file"])
def test_an_edition_is_not_made_without_its_own_templates_and_notes(
    place: str, what: str, ferry: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ferry.write("letters/weekly/2026-W47.md", "Dear readers.")
    ferry.write("templates/email/own.css", "p {}")
    ferry.ok("build")
    folder = ferry.root / place
    if what == "permission":
        forbid(folder, monkeypatch)
    else:
        folder.rename(ferry.root / "aside")
        folder.write_text("oops") if what == "file" else folder.symlink_to("nowhere")
    ran = ferry.run("publish", "--yes")
    assert ran.code == 1
    assert f"error: {place}: " in ran.err
    assert ferry.mail() == {}
    checked = ferry.run("check")
    assert checked.code == 1
    assert f"{place}: " in checked.out


@pytest.mark.parametrize(
    "permalink",
    ["/.publisher-files.json", "/my:ferry/", "//letters.example/ferry/", "/a/.git/config",
     "/.PUBLISHER-files.json", "/assets/", "/Assets/site.css/", "/ASSET\u017f/", "/editions/weekly/", "/404.html",
     "/feeds.opml", "/sitemap-2.xml", "/\u200b.publisher/", "/assets./", "/FEED.xml/"],
)  # fmt: skip
def test_a_refused_permalink_neither_stops_a_build_nor_moves_a_page(permalink: str, ferry: Project) -> None:
    own = "permalink: /boats/ferry/"
    ferry.write(FERRY, FRONT.replace("author: Flo", own) + BODY)
    ferry.ok("build")
    ferry.write(FERRY, FRONT.replace("author: Flo", f'permalink: "{permalink}"') + BODY)
    ferry.post("new", permalink=f'"{permalink}"')
    ran = ferry.run("build")
    assert ran.code == 1
    assert f"error: {FERRY}:5: the permalink " in ran.err
    assert {"boats/ferry/index.html", "2026/11/10/new/index.html", "404.html", "feeds.opml"} <= ferry.files()
    assert json.loads(ferry.read("public/.publisher-files.json"))
    warning = next(each for each in ferry.run("check", "--json").json if each["path"] == "posts/new.md")
    assert (warning["severity"], warning["line"]) == ("warning", 4)
    assert "and is ignored" in warning["message"]


@pytest.mark.parametrize("slug", ["assets", "Editions", "404.html", "ASSET\u017f", "feed.xml"])
def test_a_slug_equal_to_a_file_of_the_site_is_an_error(slug: str, empty: Project) -> None:
    empty.configure('\n[posts]\npermalink = "/{slug}/"\n', newsletters="")
    empty.post("mine", slug=slug)
    empty.post("other")
    ran = empty.run("build")
    assert ran.code == 1
    assert "error: posts/mine.md:4: its URL " in ran.err
    assert "other/index.html" in empty.files()


def test_a_static_file_never_replaces_a_file_of_the_build(project: Project) -> None:
    for name in (".publisher-files.json", ".PUBLISHER-1-2.part/x", ".well-known/security.txt"):
        project.write(f"static/{name}", "mine")
    ran = project.run("build")
    assert ran.code == 1
    assert "static/.publisher-files.json: has a name that builds use for their own files" in ran.err
    assert project.read("public/.well-known/security.txt") == "mine"
    assert ".PUBLISHER-1-2.part/x" not in project.files()
    assert "index.html" in json.loads(project.read("public/.publisher-files.json"))


@pytest.mark.parametrize("other", ["/caf\u00e9/", "/cafe\u0301/", "/CAF\u00c9/", "/caf\u00e9./"])
def test_two_urls_that_are_one_file_on_some_disks_are_refused(other: str, empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("first", "2026-11-01", permalink="/caf\u00e9/")
    empty.ok("build")
    empty.post("second", "2026-11-02", permalink=f'"{other}"')
    ran = empty.run("build")
    assert ran.code == 1
    assert "posts/second.md:1: has the same permalink as posts/first.md" in ran.err
