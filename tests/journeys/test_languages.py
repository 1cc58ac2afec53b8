"""A whole project in another language, with its own texts and design, through the command line."""

from __future__ import annotations

from tests.support.project import WEEKLY, Project

OWN = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgctxt "page.archive"
msgid "Archive"
msgstr "Alle Jahre"

msgctxt "letter.read_on"
msgid "Continue reading"
msgstr "Ganz lesen"
"""


def german(project: Project) -> None:
    toml = project.read("publisher.toml").replace("[site]", '[site]\nlanguage = "de"', 1)
    project.write("publisher.toml", toml)


def test_a_site_and_its_emails_are_in_the_language_of_the_site(project: Project) -> None:
    german(project)
    project.subscribe("ada")
    project.ok("publish")
    page = project.read("public/index.html")
    assert "Archiv" in page
    assert "Min. Lesezeit" in page
    assert "November 2026" in page
    (letter,) = project.mail()["ada@example.org"]
    html = letter.get_body(("html",)).get_content()
    text = letter.get_body(("plain",)).get_content()
    assert "Abbestellen" in html
    assert "Abbestellen:" in text
    assert "Unsubscribe" not in html + text


def test_only_a_changed_catalog_rebuilds_the_pages(project: Project) -> None:
    german(project)
    project.ok("build")
    assert project.ok("build", "--json").json["written"] == 0
    project.write("templates/locale/de.po", OWN)
    assert project.ok("build", "--json").json["written"] > 0
    assert "Alle Jahre" in project.read("public/index.html")
    assert project.ok("build", "--json").json["written"] == 0


def test_a_broken_catalog_stops_the_build_in_one_line_with_its_place(project: Project) -> None:
    german(project)
    project.write("templates/locale/de.po", OWN.replace('"Alle Jahre"', '"Alle Jahre'))
    ran = project.run("build")
    assert ran.code == 1
    assert "templates/locale/de.po:7: not a valid catalog line" in ran.said
    assert "Traceback" not in ran.said


def test_check_reports_a_missing_logo(project: Project) -> None:
    project.configure('\n[theme]\nlogo = "logo.png"\n', newsletters=WEEKLY + 'theme = { logo = "/other.png" }\n')
    said = [problem["message"] for problem in project.ok("check", "--json").json]
    assert [message for message in said if "logo" in message] == [
        "theme.logo: there is no static/logo.png, so no logo is shown",
        "newsletter weekly: theme.logo: there is no static/other.png, so no logo is shown",
    ]
    project.write("static/logo.png", b"\x89PNG logo")
    project.write("static/other.png", b"\x89PNG logo")
    assert "logo" not in project.ok("check").said
