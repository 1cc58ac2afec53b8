"""The owner can write templates that render the tags of other tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.core.errors import TemplateError
from publisher.posts.tags.owner_templates import FOLDER, OwnerTemplates, plain_error


def _templates(root: Path, **texts: str) -> OwnerTemplates:
    for name, text in texts.items():
        file = root / FOLDER / f"{name}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return OwnerTemplates(root)


def test_a_template_gets_the_arguments_of_its_tag(tmp_path: Path) -> None:
    for text, expected in (
        ("{{ args[0] }}/{{ named.size }}/{{ size }}", "a &lt; b/2/2"),
        ("{{ data_id }}{{ named['data-id'] }}", "77"),
        ("<p>{{ inner }}</p>", "<p><b>in</b></p>"),
        ("{{ body }}|{{ raw }}", "<b>in</b>|**in**"),
        ("{{ name }}{{ named.self }}", "NS"),
        ("{{ page.title }}{{ page.extra.none.at.all }}{{ nothing }}", "Tea"),
        ("{% if caption %}c{% else %}none{% endif %}", "none"),
        ("{% include 'shortcodes/other.html' %}", "other 2"),
    ):
        templates = _templates(tmp_path, tag=text, other="other {{ size }}")
        named = {"size": 2, "data-id": 7, "name": "N", "self": "S"}
        made = templates.render("tag", ["a < b"], named, "<b>in</b>", {"title": "Tea"}, "**in**")
        assert made == expected, text


def test_a_name_without_a_template_is_not_known(tmp_path: Path) -> None:
    templates = _templates(tmp_path, tag="x")
    (tmp_path / "templates" / "secret.html").write_text("s", encoding="utf-8")
    for name in ("other", "../secret", "..", "", "tag/", "/tag", "tag\0", "TAG2", "a b"):
        assert templates.render(name) is None, name


def test_a_post_depends_on_each_template_that_it_could_use(tmp_path: Path) -> None:
    texts = {
        "tag": "{% include 'shortcodes/other.html' %}{% import 'inc/macros.html' as m %}",
        "other": "{% include ['inc/a.html', 'inc/b.html'] ignore missing %}",
        "alone": "x",
        "any": "{% include args[0] %}",
        "broken": "{% include 'inc/a.html' %}{% if %}",
    }
    templates = _templates(tmp_path, **texts)
    (tmp_path / "templates/inc").mkdir()
    (tmp_path / "templates/inc/a.html").write_text("a", encoding="utf-8")
    of_tags = [f"{FOLDER}/{name}.html" for name in sorted(texts)]
    included = [f"templates/inc/{name}.html" for name in ("a", "b", "macros")]
    assert templates.files(["missing"]) == (f"{FOLDER}/missing.html",)
    assert templates.files(["alone"]) == (f"{FOLDER}/alone.html",)
    assert templates.files(["tag"]) == (*included, f"{FOLDER}/other.html", f"{FOLDER}/tag.html")
    for name in ("any", "broken"):
        assert templates.files([name]) == ("templates/inc/a.html", *of_tags)


def test_a_failing_template_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "publisher.toml").write_text("secret = 1", encoding="utf-8")
    for text, words in (
        ("\n{% if %}", "tag.html:2"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{% for i in range(100000000) %}x{% endfor %}", "too big"),
        ("{% include 'shortcodes/other.html' %}", "recursion"),
        ("{{ args.append(1) }}", "unsafe"),
        ("{% include '../publisher.toml' %}", "no template"),
    ):
        other = "{% include 'shortcodes/tag.html' %}"
        with pytest.raises(TemplateError) as failed:
            _templates(tmp_path, tag=text, other=other).render("tag", ["a"])
        message, _ = plain_error(failed.value)
        assert words in message and "\n" not in message and "templates/shortcodes/" in message
