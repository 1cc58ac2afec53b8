"""Templates are compiled once per process, and always rendered in their current version."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.core.errors import TemplateError
from publisher.core.templates import Templates


def write(folder: Path, text: str) -> Templates:
    folder.mkdir(exist_ok=True)
    (folder / "x.html").write_text(text)
    return Templates(folder)


def test_a_changed_template_is_rendered_in_its_new_version(tmp_path: Path) -> None:
    said = [write(tmp_path / "own", f"{text}{{{{ who }}}}").render("x.html", who="Ada") for text in ("a", "b", "a")]
    assert said == ["aAda", "bAda", "aAda"]


def test_templates_with_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    first, second = write(tmp_path / "first", "first"), write(tmp_path / "second", "second")
    assert [first.render("x.html"), second.render("x.html"), write(tmp_path / "first", "first").render("x.html")] == [
        "first",
        "second",
        "first",
    ]


def test_an_error_names_its_line_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        templates = write(tmp_path / "own", "one\n{{ nobody.name }}\n")
        with pytest.raises(TemplateError, match=r"^templates/x\.html:2: 'nobody' is undefined"):
            templates.render("x.html")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% foo %}", "the tag 'foo' is unexpected here"),
        ("{% if a %}{% foo %}{% endif %}",
         "the tag 'foo' is unexpected here; expected 'elif' or 'else' or 'endif', because 'if' is still open"),
        ("{% block a %}", "the template ends too early; expected 'endblock', because 'block' is still open"),
        ("{{ a | nofilter }}", "No filter named 'nofilter'"),
    ],
)  # fmt: skip
def test_a_syntax_error_is_one_sentence_that_names_no_library(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own.html").write_text(text)
    with pytest.raises(TemplateError) as caught:
        Templates(tmp_path).render("own.html")
    assert caught.value.message == said
