"""Broken templates, stylesheets and logos of a project: each is reported in one line, with its place."""

from __future__ import annotations

import re

import pytest

from publisher.newsletters.lint.project_templates import css_findings
from publisher.posts.archive import open_archive
from publisher.publishing.render import EditionRenderer
from publisher.publishing.sample_editions import sample_edition
from tests.support.findings_samples import NOW, SETTINGS, examine, good, places
from tests.support.project import Project


def refusal(project: Project, *command: str) -> str:
    """Return the one error line of a command that fails."""
    ran = project.run(*command)
    assert ran.code == 1
    (line,) = [line for line in ran.said.splitlines() if line.startswith(("error:", "publisher: "))]
    assert "should not have happened" not in line
    return line


@pytest.mark.parametrize("text", ["", " \n", "<!-- nothing -->", "{# nothing #}"])
@pytest.mark.parametrize("command", [("check",), ("publish", "--dry-run"), ("publish", "--to", "a@example.org")])
def test_an_empty_template_is_reported_by_name(project: Project, text: str, command: tuple[str, ...]) -> None:
    good(project).write("templates/email/digest.html", text)
    project.subscribe("ada")
    assert "this template produces an empty email" in refusal(project, *command)


def test_a_template_with_only_parts_is_refused(project: Project) -> None:
    good(project).write("publisher.toml", f'{SETTINGS}template = "parts"\n')
    assert "templates/email/parts.html: newsletter weekly: this template produces an empty email" in refusal(
        project, "check"
    )


@pytest.mark.parametrize("name", ["pages/site.css", "pages/post.html", "pages/rows.html"])
def test_a_page_template_must_be_utf8(project: Project, name: str) -> None:
    good(project).write(f"templates/{name}", "a {content: 'ü'}".encode("latin-1"))
    assert f"templates/{name}: not UTF-8 text (save it as UTF-8)" in refusal(project, "build")


@pytest.mark.parametrize("name", ["own.css", "letter.txt", "digest.html"])
def test_an_email_template_must_be_utf8(project: Project, name: str) -> None:
    good(project).write(f"templates/email/{name}", "a {content: 'ü'}".encode("latin-1"))
    assert f"templates/email/{name}: newsletter weekly: not UTF-8 text" in refusal(project, "check")


BROKEN = [
    ('{% extends "email/digest.html" %}\n\n{% block intro %}{% include "email/none.html" %}{% endblock %}', 3, "none"),
    ('\n{% extends "email/none.html" %}', 2, "there is no template 'email/none.html'"),
    ('{% extends "email/digest.html" %}\n{% block intro %}{{ letter.subjct }}{% endblock %}', 2, "letter has no"),
    ('{% extends "email/digest.html" %}\n{% block posts %}{{ posts[0].naem }}{% endblock %}', 2, "post has no 'naem'"),
    ('{% extends "email/digest.html" %}\n{% block intro %}{{ 1 / 0 }}{% endblock %}', 2, "division by zero"),
    ('{% extends "email/digest.html" %}\n{% block intro %}{% if %}{% endblock %}', 2, "Expected an expression"),
]


@pytest.mark.parametrize(("text", "line", "message"), BROKEN)
def test_a_template_error_names_its_line(project: Project, text: str, line: int, message: str) -> None:
    good(project).write("templates/email/digest.html", text)
    said = refusal(project, "check")
    assert f"error: templates/email/digest.html:{line}: newsletter weekly: " in said
    assert message in said
    assert "object" not in said


@pytest.mark.parametrize("name", ["own.css", "own-kept.css"])
@pytest.mark.parametrize(
    "css", ["\na{" * 200, "\n.a {color: red;", "\n/* a { }", "\n.a {color: url(x", "\n.a {margin: (1px}"]
)
def test_unclosed_css_is_refused_with_its_line(project: Project, name: str, css: str) -> None:
    good(project).write(f"templates/email/{name}", css)
    said = refusal(project, "check")
    assert f"error: templates/email/{name}:2: newsletter weekly: CSS in the email is never closed" in said


@pytest.mark.parametrize("css", ["}}} .x", "@media", ".a {color: 'x\n;}", ")] {}"])
def test_invalid_css_does_not_affect_shipped_rules(project: Project, css: str) -> None:
    plain = letter(good(project))
    project.write("templates/email/own.css", css)
    project.write("templates/email/own-kept.css", css)
    assert letter(project) == plain


def letter(project: Project) -> list[str]:
    """Return the opening tags in the body of the project's email."""
    config = project.config()
    archive = open_archive(config, NOW, keep=False)
    html = (
        EditionRenderer(config, archive).letter(sample_edition(config, config.newsletters[0], archive, NOW), NOW).html
    )
    return re.findall(r"<\w[^>]*>", html[html.index("<body") :])


def test_a_missing_logo_is_skipped_and_reported_once(project: Project) -> None:
    plain = letter(good(project))
    project.write("publisher.toml", f'{SETTINGS}theme = {{ logo = "none.png" }}\n')
    said = project.ok("check").out
    assert [line for line in said.splitlines()[:-1] if not line.startswith("note: ")] == [
        "warning: publisher.toml:15: newsletter weekly: theme.logo: there is no static/none.png, so no logo is "
        "shown (put the picture there, or give its URL)"
    ]
    assert letter(project) == plain
    project.write("static/none.png", b"\x89PNG")
    assert any("none.png" in tag for tag in letter(project))


def test_an_empty_plain_text_is_reported_with_its_template(project: Project) -> None:
    good(project).write("templates/email/letter.txt", "\n")
    assert ("text-missing", "templates/email/letter.txt") in places(examine(project))
    project.write("templates/email/digest.txt", "\n")
    assert ("text-missing", "templates/email/digest.txt") in places(examine(project))


def test_too_much_kept_css_is_reported_with_its_file(project: Project) -> None:
    good(project).write("templates/email/own-kept.css", ".a {color: red !important}\n" * 1000)
    assert ("style-budget", "templates/email/own-kept.css") in places(examine(project))


def test_excerpts_are_not_suggested_twice(project: Project) -> None:
    good(project).write("publisher.toml", SETTINGS.replace('"full"', '"excerpt"') + "first = 300\nmaximum = 300\n")
    for number in range(300):
        project.post(f"p{number}", "2026-11-15", excerpt=f"'{'word ' * 60}'")
    (reported,) = [each for each in examine(project) if each.code == "size-fallback"]
    assert "content" not in reported.hint


def test_an_import_has_a_hint_with_a_file(project: Project) -> None:
    good(project).write("templates/email/own.css", "\n@import 'x.css';")
    said = refusal(project, "check")
    assert "templates/email/own.css:2: " in said
    assert "(copy the rules into templates/email/own.css)" in said


@pytest.mark.parametrize("css", ["p {colour}", "p {12: 3}", "p {color red}", "p {color: {}}", "p", "{}}", "p {: x}"])
def test_messages_use_no_parser_terms(css: str) -> None:
    said = " ".join(each.message for each in css_findings(css, "own.css"))
    assert not re.search(r"token|EOF|<ident>|\{colon|qualified", said), said


def test_a_length_without_a_unit_is_reported() -> None:
    css = "p {font-size: 12;\n margin: 0; line-height: 1.5; width: 50%;\n padding-top: 4}"
    assert [(each.code, each.where) for each in css_findings(css, "own.css")] == [
        ("css-declaration", "own.css:1"),
        ("css-declaration", "own.css:3"),
    ]
