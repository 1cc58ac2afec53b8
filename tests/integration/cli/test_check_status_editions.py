"""publisher check, status and editions: their output for people and for programs."""

from __future__ import annotations

import re

import pytest

from publisher.cli.editions import with_stand_ins
from publisher.core.newsletter_models import Mark
from tests.support.project import Project


def test_a_project_without_a_problem_says_so(project: Project) -> None:
    project.without_placeholders()
    ran = project.ok("check", "--strict")
    note, *said = ran.out.splitlines()
    assert note.startswith("note: publisher.toml: web.public_url is not set, so no page of the site has a sign-up form")
    assert (said, ran.err) == (["no problems found"], "")
    assert project.ok("check", "--json").json == []


def test_a_site_with_a_form_or_without_newsletters_has_no_note_about_it(project: Project) -> None:
    project.without_placeholders().configure('[web]\npublic_url = "https://letters.quiet-reader.eu"\n')
    assert project.ok("check", "--strict").out == "no problems found\n"
    project.configure(newsletters="")
    assert "sign-up form" not in project.ok("check").out
    project.configure("[pages]\nenabled = false\n")
    assert "sign-up form" not in project.ok("check").out


def test_a_warning_fails_only_when_strict(project: Project) -> None:
    project.without_placeholders().configure(newsletters="")
    project.post("linked", body="See [that](/nowhere/).")
    warned = project.ok("check")
    assert warned.out.endswith("0 errors, 1 warning\n")
    assert "warning: posts/linked.md:6: broken link: no page of this site is at /nowhere/ (" in warned.out
    assert project.run("check", "--strict").code == 1
    project.write("posts/broken.md", "---\ntitle: [\n---\n")
    project.write("posts/undated.md", "---\ntitle: When\n---\nWords.\n")
    failed = project.run("check")
    assert failed.code == 1
    assert failed.out.endswith("2 errors, 1 warning\n")
    assert re.search(r"^error: posts/broken\.md:\d: ", failed.out, re.MULTILINE)
    assert re.search(r"^error: posts/undated\.md", failed.out, re.MULTILINE)


def test_json_problems_have_places(project: Project) -> None:
    project.without_placeholders()
    project.write("posts/broken.md", "---\ntitle: [\n---\n")
    ran = project.run("check", "--json")
    assert ran.code == 1
    (problem,) = ran.json
    assert problem.keys() == {"path", "line", "severity", "message", "mend"}
    assert (problem["path"], problem["severity"]) == ("posts/broken.md", "error")


def test_configuration_mistakes_are_problems(project: Project) -> None:
    project.configure("[feeds]\nlimit = 0\n")
    ran = project.run("check", "--json")
    assert ran.code == 1
    assert [(p["path"], p["line"]) for p in ran.json] == [("publisher.toml", 13)]
    project.write("publisher.toml", b"title = '\xff'\n")
    assert [(p["path"], p["line"]) for p in project.run("check", "--json").json] == [("publisher.toml", 1)]
    project.configure()
    ran = project.spawn("check", "--json", PUBLISHER_FEEDS_LIMIT="0")
    assert [(p["path"], p["line"]) for p in ran.json] == [("PUBLISHER_FEEDS_LIMIT", 0)]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("templates/email/digest.html", "{% for %}", "digest.html:1: newsletter weekly: "),
        ("templates/email/digest.html", "\n\n{{ nothing_of_this_name.x }}", "digest.html:3: newsletter weekly: "),
        ("letters/weekly/2026-W47.md", "---\nsubjekt: A\n---\n", "letters/weekly/2026-W47.md:2: newsletter weekly: "),
    ],
)
def test_an_unrenderable_edition_is_a_problem(project: Project, name: str, text: str, where: str) -> None:
    project.write(name, text)
    ran = project.run("check")
    assert ran.code == 1
    assert where in ran.out


def test_a_missing_folder_of_posts_is_a_problem(project: Project) -> None:
    project.configure('\n[posts]\nfolder = "post"\n')
    ran = project.run("check")
    assert ran.code == 1
    what = "cannot be read: No such file or directory (create the folder, or set posts.folder)"
    assert ran.out.startswith(f"error: post: {what}\n")


def test_status_shows_what_is_next(project: Project) -> None:
    project.post("later", "2026-12-01")
    project.write("posts/broken.md", "---\ntitle: [\n---\n")
    before = project.ok("status").out
    assert "3 posts, 1 scheduled for later, 1 file skipped (run `publisher check`)" in before
    assert "newest: Third (2026-11-15)" in before
    assert "next  2026-W48 on 2026-11-23 at 08:00; today: 3 new posts, but no subscribers yet" in before
    project.subscribe("ada", "bob")
    project.fails("publish")
    facts = project.ok("status", "--json").json
    assert facts["subscribers"] == {"active": 2}
    assert facts["outbox"] == 2
    (newsletter,) = facts["newsletters"]
    assert (newsletter["would_hold"], newsletter["idle"]) == (0, "no new posts")
    assert newsletter["last"]["slot"] == "2026-W47"
    assert "last  2026-W47: Third and 2 more (edition 1, 2026-11-16)" in project.ok("status").out


def test_showing_a_project_creates_no_database(project: Project) -> None:
    for words in (["status"], ["editions"], ["check"], ["publish", "--dry-run"]):
        project.ok(*words)
    assert not (project.root / ".publisher/publisher.db").exists()


def test_editions_are_listed_newest_first(project: Project) -> None:
    assert project.ok("editions").out == "no editions yet: `publisher publish` creates the first one\n"
    assert project.ok("editions", "--json").json == []
    assert project.run("editions", "show", "1").err.startswith("error: no editions yet")
    project.subscribe("ada")
    project.ok("publish")
    project.post("fourth", "2026-11-20")
    project.ok("publish", now="2026-11-23T09:00")
    lines = [line.split("\t") for line in project.ok("editions").out.splitlines()]
    assert lines == [
        ["ID", "Newsletter", "Slot", "Subject", "Posts", "Messages"],
        ["2", "weekly", "2026-W48", "Fourth", "1", "1 sent"],
        ["1", "weekly", "2026-W47", "Third and 2 more", "3", "1 sent"],
    ]
    shown = project.ok("editions", "show", "1").out
    assert "weekly 2026-W47, no. 1, created 2026-11-16T09:00:00+00:00" in shown
    assert "messages: 1 sent\n3 posts:\n  Third\n    https://letters.example/2026/11/15/third/" in shown
    assert project.ok("editions", "show", "1", "--html").out.lower().startswith("<!doctype html>")
    assert "All about first, in a paragraph." in project.ok("editions", "show", "1", "--text").out
    assert project.ok("editions", "show", "1", "--json").json["posts"][0]["title"] == "Third"
    assert (
        project.run("editions", "show", "99").err == "error: there is no edition 99 (`publisher editions` lists them)\n"
    )


def test_titles_cannot_move_the_cursor(project: Project) -> None:
    project.subscribe("ada")
    project.configure(newsletters='\n[[newsletters]]\nname = "weekly"\nschedule = "each post"\nfirst = 1\n')
    project.post("odd", "2026-11-16", id='"urn:a\\tb\\e[31m\\u2028"', title='"A\\tB\\e[31mC\\u2028D\\x9b"')
    project.ok("publish")
    _, line = project.ok("editions").out.split("\n")[:-1]
    assert len(line.split("\t")) == 6
    assert line.replace("\t", "").isprintable()


def test_a_terminal_gets_a_table_and_a_program_gets_lines(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    project.post("linked", body="See [that](/nowhere/).")
    assert "Newsletter" in project.on_a_terminal("editions")
    assert "Address" in project.on_a_terminal("subscribers", "list")
    table = project.on_a_terminal("check")
    assert "How to fix it" in table
    assert "\x1b[" in table
    for words in (["editions"], ["subscribers", "list"], ["check"]):
        assert "\x1b[" not in project.ok(*words).out


def test_a_bar_disappears_when_done(project: Project) -> None:
    said = project.on_a_terminal("publish")
    assert "3 posts" in said
    assert said.rstrip().endswith("--newsletter weekly)")
    assert "Building" not in project.spawn("publish").said


def test_only_a_check_counts_warnings(project: Project) -> None:
    project.without_placeholders().configure(newsletters="")
    project.post("linked", body="See [that](gone.md) and ![](gone.png).")
    built = project.ok("build").out
    assert "there are warnings about posts and files (`publisher check` lists and counts them all)" in built
    assert not re.search(r"\d+ warning", built)
    ran = project.ok("check")
    counted = re.search(r"(\d+) warnings?$", ran.out.rstrip())
    assert counted
    assert int(counted[1]) == len(re.findall(r"^warning: ", ran.out, re.MULTILINE)) >= 2


def test_an_edition_is_shown_with_a_plain_placeholder_for_each_mark(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    whole = project.ok("editions", "show", "1", "--json").json
    for text in (
        project.ok("editions", "show", "1", "--text").out,
        project.ok("editions", "show", "1", "--html").out,
        whole["html"],
        whole["text"],
    ):
        assert "@@" not in text
        assert "ADDRESS" in text
        assert "UNSUBSCRIBE-LINK" in text
    assert with_stand_ins(" ".join(Mark.ALL)) == "UNSUBSCRIBE-LINK PREFERENCES-LINK NAME ADDRESS"


def test_the_tab_key_completes_newsletters_and_editions(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from click.shell_completion import BashComplete

    from publisher.cli.main import cli

    project.subscribe("ada")
    project.ok("publish")
    here = ["-C", str(project.root)]

    def completed(*words: str) -> list[str]:
        *before, incomplete = words
        found = BashComplete(cli, {}, "publisher", "_PUBLISHER_COMPLETE").get_completions([*here, *before], incomplete)
        return [each.value for each in found]

    assert completed("publish", "w") == completed("subscribers", "list", "-n", "") == ["weekly"]
    assert completed("publish", "x") == completed("deliveries", "list", "2") == []
    assert completed("editions", "show", "") == completed("deliveries", "retry", "1") == ["1"]
    assert completed("subs") == ["subscribers"]
    assert "--dry-run" in completed("publish", "--d")
    project.write("publisher.toml", "[")
    assert completed("publish", "") == completed("editions", "show", "") == []
    here = []
    monkeypatch.setenv("PUBLISHER_PROJECT", "/nowhere")
    assert completed("publish", "") == []
    assert capsys.readouterr().err == ""
