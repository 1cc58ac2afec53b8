"""Templates, stylesheets and logos of a project that are broken: each is told in one line, with its place."""

from __future__ import annotations

import re

import pytest

from publisher.newsletters.lint.project_templates import css_findings
from publisher.posts.archive import open_archive
from publisher.publishing.render import Press, newsletter_posts
from tests.support.findings_samples import NOW, SETTINGS, examine, good, places
from tests.support.project import Project


def refusal(project: Project, *command: str) -> str:
    """The one line in which a command refuses."""
    ran = project.run(*command)
    assert ran.code == 1
    (line,) = [line for line in ran.said.splitlines() if line.startswith(("error:", "publisher: "))]
    assert "should not have happened" not in line
    return line


@pytest.mark.parametrize("text", ["", " \n", "<!-- nothing -->", "{# nothing #}"])
@pytest.mark.parametrize("command", [("check",), ("publish", "--dry-run"), ("publish", "--to", "a@example.org")])
def test_an_empty_template_is_told_with_its_name(project: Project, text: str, command: tuple[str, ...]) -> None:
    good(project).write("templates/email/digest.html", text)
    project.subscribe("ada")
    assert "this template produces an empty email" in refusal(project, *command)


def test_a_template_of_pieces_only_makes_no_letter(project: Project) -> None:
    good(project).write("publisher.toml", f'{SETTINGS}template = "parts"\n')
    assert "templates/email/parts.html: newsletter weekly: this template produces an empty email" in refusal(
        project, "check"
    )


@pytest.mark.parametrize("name", ["pages/site.css", "pages/post.html", "pages/rows.html"])
def test_a_template_of_pages_that_is_no_text_is_told_with_its_name(project: Project, name: str) -> None:
    good(project).write(f"templates/{name}", "a {content: 'ü'}".encode("latin-1"))
    assert f"templates/{name}: not UTF-8 text (save it as UTF-8)" in refusal(project, "build")


@pytest.mark.parametrize("name", ["own.css", "letter.txt", "digest.html"])
def test_a_template_of_letters_that_is_no_text_is_told_with_its_name(project: Project, name: str) -> None:
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
def test_what_is_wrong_in_a_template_is_told_with_its_line(
    project: Project, text: str, line: int, message: str
) -> None:
    good(project).write("templates/email/digest.html", text)
    said = refusal(project, "check")
    assert f"error: templates/email/digest.html:{line}: newsletter weekly: " in said
    assert message in said
    assert "object" not in said


@pytest.mark.parametrize("name", ["own.css", "own-kept.css"])
@pytest.mark.parametrize(
    "css", ["\na{" * 200, "\n.a {color: red;", "\n/* a { }", "\n.a {color: url(x", "\n.a {margin: (1px}"]
)
def test_css_that_is_never_closed_is_refused_with_its_line(project: Project, name: str, css: str) -> None:
    good(project).write(f"templates/email/{name}", css)
    said = refusal(project, "check")
    assert f"error: templates/email/{name}:2: newsletter weekly: CSS in the email is never closed" in said


@pytest.mark.parametrize("css", ["}}} .x", "@media", ".a {color: 'x\n;}", ")] {}"])
def test_a_mistake_in_css_of_ones_own_takes_nothing_from_the_shipped_rules(project: Project, css: str) -> None:
    plain = letter(good(project))
    project.write("templates/email/own.css", css)
    project.write("templates/email/own-kept.css", css)
    assert letter(project) == plain


def letter(project: Project) -> list[str]:
    """The opening tags of the body of the project's letter."""
    config = project.config()
    archive = open_archive(config, NOW, keep=False)
    html = Press(config, archive).letter(newsletter_posts(config, config.newsletters[0], archive, NOW), NOW).html
    return re.findall(r"<\w[^>]*>", html[html.index("<body") :])


def test_a_logo_that_is_not_there_is_left_out_and_told_once_with_its_line(project: Project) -> None:
    plain = letter(good(project))
    project.write("publisher.toml", f'{SETTINGS}theme = {{ logo = "none.png" }}\n')
    said = project.ok("check").out
    assert said.splitlines()[:-1] == [
        "warning: publisher.toml:15: newsletter weekly: theme.logo: there is no static/none.png, so letters show no "
        "logo (put the picture there, or write its URL)"
    ]
    assert letter(project) == plain
    project.write("static/none.png", b"\x89PNG")
    assert any("none.png" in tag for tag in letter(project))


def test_an_empty_plain_text_is_told_of_the_file_that_makes_it(project: Project) -> None:
    good(project).write("templates/email/letter.txt", "\n")
    assert ("text-missing", "templates/email/letter.txt") in places(examine(project))
    project.write("templates/email/digest.txt", "\n")
    assert ("text-missing", "templates/email/digest.txt") in places(examine(project))


def test_too_much_kept_css_is_told_of_the_file_that_has_it(project: Project) -> None:
    good(project).write("templates/email/own-kept.css", ".a {color: red !important}\n" * 1000)
    assert ("style-budget", "templates/email/own-kept.css") in places(examine(project))


def test_a_newsletter_of_excerpts_is_not_told_to_ask_for_excerpts(project: Project) -> None:
    good(project).write("publisher.toml", SETTINGS.replace('"full"', '"excerpt"') + "first = 300\nmaximum = 300\n")
    for number in range(300):
        project.post(f"p{number}", "2026-11-15", excerpt=f"'{'word ' * 60}'")
    (told,) = [each for each in examine(project) if each.code == "size-fallback"]
    assert "content" not in told.hint


def test_an_import_is_refused_with_a_mend_that_names_a_file_of_ones_own(project: Project) -> None:
    good(project).write("templates/email/own.css", "\n@import 'x.css';")
    said = refusal(project, "check")
    assert "templates/email/own.css:2: " in said
    assert "(copy the rules into templates/email/own.css)" in said


@pytest.mark.parametrize("css", ["p {colour}", "p {12: 3}", "p {color red}", "p {color: {}}", "p", "{}}", "p {: x}"])
def test_no_words_of_a_parser_reach_the_writer(css: str) -> None:
    said = " ".join(each.message for each in css_findings(css, "own.css"))
    assert not re.search(r"token|EOF|<ident>|\{colon|qualified", said), said


def test_a_length_without_a_unit_is_told_and_a_nought_or_a_line_height_is_not() -> None:
    css = "p {font-size: 12;\n margin: 0; line-height: 1.5; width: 50%;\n padding-top: 4}"
    assert [(each.code, each.where) for each in css_findings(css, "own.css")] == [
        ("css-declaration", "own.css:1"),
        ("css-declaration", "own.css:3"),
    ]
