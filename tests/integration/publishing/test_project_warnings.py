"""`publisher check` reports what would make a build or an email fail or stay empty, with its place."""

from __future__ import annotations

from tests.support.project import MONDAY, Project

PAGES = ["post", "index", "tag", "tags", "archive", "404", "subscribe", "edition", "editions", "newsletter"]


def reported(project: Project, *words: str, now: str = MONDAY) -> list[str]:
    """Return each problem of `publisher check` as one line."""
    lines = project.run("check", *words, "--json", now=now).json
    return [f"{each['severity']} {each['path']}:{each['line']} {each['message']} ({each['mend']})" for each in lines]


def test_each_template_that_would_stop_a_build_is_reported(project: Project) -> None:
    project.without_placeholders()
    names = ["sitemap.xml", *(f"{name}.html" for name in PAGES)]
    for name in names:
        project.write(f"templates/pages/{name}", "\n{{ nothing.of_this_name }}")
    undefined = "'nothing' is undefined ()"
    assert reported(project) == [f"error templates/pages/{name}:2 {undefined}" for name in sorted(names)]
    project.write("templates/pages/post.html", "{% for %}")
    assert "error templates/pages/post.html:1 Expected an expression, got 'end of statement block' ()" in reported(
        project
    )
    for name in names:
        (project.root / f"templates/pages/{name}").unlink()
    project.write("templates/web/leave.html", "{% if %}")
    (line,) = reported(project)
    assert line.startswith("error templates/web/leave.html:1 Expected an expression")


def test_an_unused_template_is_reported(project: Project) -> None:
    project.without_placeholders()
    right = '{% extends "shipped/email/digest.html" %}{% block intro %}{% include "email/mine.html" %}{% endblock %}'
    project.write("templates/email/digest.html", right)
    project.write("templates/email/mine.html", "Hello")
    project.write("templates/email/own.css", ".a {color: #222222}")
    assert reported(project) == []
    project.write("templates/digest.html", right)
    project.write("templates/pages/strange.html", "{{ unused }}")
    project.write("templates/email/digset.html", "{{ unused }}")
    mean = "this template is never used (did you mean templates/email/digest.html?)"
    assert reported(project) == [
        f"warning templates/digest.html:0 {mean}",
        f"warning templates/email/digset.html:0 {mean}",
        "warning templates/pages/strange.html:0 this template is never used "
        "(see docs/templates.md for the names of templates)",
    ]


def test_tags_that_no_post_has_are_reported(project: Project) -> None:
    project.without_placeholders().configure(
        newsletters='\n[[newsletters]]\nname = "weekly"\ntags = ["READING", "R & D"]\ntopics = ["reding", "News"]\n'
    )
    assert reported(project) == [
        "warning publisher.toml:16 newsletter weekly: no post has the topic 'News' "
        "(correct it, or write a post that has it)",
        "warning publisher.toml:16 newsletter weekly: no post has the topic 'reding' (did you mean 'Reading'?)",
    ]


def test_a_note_that_no_email_will_contain_is_reported(project: Project) -> None:
    project.without_placeholders()
    never = ("2026-W99", "2026-W46", "2026-W30", "2026-W54", "2026-w47", "2026-W47a")
    for name in (*never, "2026-W47", "2026-W47.2", "2026-W48", "2027-W01", "2025-W30", "2024-11"):
        project.write(f"letters/weekly/{name}.md", "Dear readers")
    assert {line.split(":")[0] for line in reported(project)} == {f"warning letters/weekly/{name}.md" for name in never}
    project.subscribe("ada")
    project.ok("publish", now="2026-11-12T09:00")
    assert "warning letters/weekly/2026-W46.md" not in {line.split(":")[0] for line in reported(project)}
    manual = project.without_placeholders()
    manual.configure(newsletters='\n[[newsletters]]\nname = "weekly"\nschedule = "daily 08:00"\n')
    for name in ("2026-11-16", "2026-11-15", "2026-13-01", "2026-11-17"):
        manual.write(f"letters/weekly/{name}.md", "Dear readers")
    days = {line.split(":")[0] for line in reported(manual) if "weekly/2026-1" in line}
    assert days == {"warning letters/weekly/2026-11-15.md", "warning letters/weekly/2026-13-01.md"}


def test_a_post_in_the_distant_future_is_reported(project: Project) -> None:
    project.without_placeholders().post("later", "2062-01-01")
    project.post("planned", "2027-06-01")
    assert reported(project) == [
        "warning posts/later.md:0 is dated 2062-01-01, so it is not published before that day "
        "(correct the year of its date, or make it a draft with draft: true)"
    ]


def test_an_option_is_suggested_only_if_it_is_similar(project: Project) -> None:
    assert "Did you mean" not in project.run("check", "--foo").err
    assert "Did you mean '--strict'?" in project.run("check", "--strct").err


def test_a_first_edition_with_old_posts_is_reported(project: Project) -> None:
    def newsletter(more: str) -> Project:
        project.without_placeholders().configure(
            newsletters=f'\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\n{more}\n'
        )
        return project

    project.post("ancient", "2026-03-01")
    project.subscribe("ada")
    assert reported(newsletter("")) == []
    assert "Ancient" not in project.ok("publish", "--dry-run").out
    (line,) = reported(newsletter("first = 5"))
    assert (
        "publisher.toml:16 newsletter weekly: its first edition would include a post from 2026-03-01, 'Ancient'" in line
    )
    assert reported(newsletter('since = "2026-01-01"')) == []
    said = project.ok("publish", "--dry-run").out
    assert "the first edition; its oldest post is from 2026-03-01" in said
    for name in ("first", "second", "third"):
        (project.root / f"posts/{name}.md").unlink()
    idle = newsletter("").ok("publish").out
    assert "no new posts; 1 post from more than 60 days ago stays out of a first edition" in idle
    project.write("publisher.toml", project.read("publisher.toml") + "first = 5\n")
    project.ok("publish")
    assert reported(project) == []
