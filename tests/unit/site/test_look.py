"""The look of the site: [theme] reaches every page, text stays readable, and older templates still work."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import html

from publisher.config.palette import looks_of
from publisher.config.theme import AA, DEFAULT, Theme, contrast, unreadable
from publisher.core.templates import Templates
from publisher.site.pages.look import look_of, stylesheet, stylesheet_path
from tests.support import DATA
from tests.support.pages_samples import BASE, CONFIG, LISTED, OPML, TEMPLATES, plan
from tests.support.picture_samples import picture

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
ON_PAPER = ("ink", "quiet", "link", "note", "tip", "important", "warning", "caution", "code-note", "code-word",
            "code-text", "code-number", "code-name", "code-out")  # fmt: skip


def values(sheet: str) -> list[dict[str, str]]:
    """Return the colours among a stylesheet's custom properties, in light mode and in dark mode."""
    light, _, dark = sheet.partition("@media (prefers-color-scheme: dark)")
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in (light, dark.partition("}\n}")[0])]


@settings(max_examples=40, deadline=None)
@given(
    st.builds(Theme, **dict.fromkeys(("paper", "text", "accent", "dark_paper", "dark_text", "dark_accent"), COLOURS))
)
def test_every_text_on_the_site_is_readable_in_an_accepted_theme(theme: Theme) -> None:
    wrong = {key: hint for key, _, hint in unreadable(theme)}
    assume(not any(key.endswith("paper") for key in wrong))
    fixed = {key: found[0] for key, hint in wrong.items() if (found := re.search("#[0-9a-f]{6}", hint))}
    looks = looks_of(replace(theme, **fixed).over(DEFAULT), BASE)
    for mode in values(TEMPLATES.render("pages/theme.css", looks=looks)):
        low = [n for n in ON_PAPER for ground in ("paper", "raised") if contrast(mode[n], mode[ground]) < AA]
        assert low == []
        assert contrast(mode["mark-ink"], mode["mark"]) >= AA


def test_site_and_emails_have_the_same_fonts_and_accent() -> None:
    theme = Theme(accent="#a3195b", font="Verdana, sans-serif", title_font="Palatino, serif")
    sheet = stylesheet(TEMPLATES, look_of(replace(CONFIG, theme=theme)))
    assert "--link:#a3195b" in sheet
    assert "--text:Verdana, sans-serif;" in sheet
    assert "--titles:Palatino, serif;" in sheet
    letter = TEMPLATES.render("email/letter.css", looks=look_of(CONFIG))
    plain = stylesheet(TEMPLATES, look_of(CONFIG))
    for name, selector in (("text", ".sheet"), ("titles", ".lead-title")):
        font = re.search(rf"--{name}:([^;]+);", plain)
        assert font
        assert f"font-family: {font[1]}" in next(line for line in letter.splitlines() if line.startswith(selector))


def test_a_theme_changes_the_name_of_the_stylesheet() -> None:
    red = look_of(replace(CONFIG, theme=Theme(accent="#a3195b")))
    assert stylesheet_path(TEMPLATES, red) != stylesheet_path(TEMPLATES, look_of(CONFIG))


def test_a_logo_has_its_size_and_the_name_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "static" / "img").mkdir(parents=True)
    (tmp_path / "static" / "img" / "our logo.png").write_bytes(picture("png", 300, 100))
    config = replace(CONFIG, root=tmp_path, theme=Theme(logo="img/our logo.png", logo_width=150))
    for path, up in (("index.html", "./"), ("archive/index.html", "../")):
        page = html.document_fromstring(plan(config=config)[path].make().decode())
        (logo,) = page.xpath("//header[@class='site-header']//img")
        assert dict(logo.attrib) == {
            "src": f"{up}img/our%20logo.png", "width": "150", "height": "50", "alt": "The Quiet Reader",
        }  # fmt: skip
    gone = replace(config, theme=Theme(logo="gone.png"))
    page = html.document_fromstring(plan(config=gone)["archive/index.html"].make().decode())
    assert page.xpath("//a[@class='site-title']")[0].text_content() == "The Quiet Reader"
    assert not page.xpath("//header//img")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((), [("icon", "./favicon.svg")]),
        (("favicon.ico",), [("icon", "./favicon.ico")]),
        (
            ("favicon.svg", "favicon.ico", "apple-touch-icon.png"),
            [("apple-touch-icon", "./apple-touch-icon.png"), ("icon", "./favicon.ico"), ("icon", "./favicon.svg")],
        ),
    ],
)
def test_the_icon_comes_from_the_static_folder_or_is_drawn(
    tmp_path: Path, files: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    (tmp_path / "static").mkdir()
    for name in files:
        (tmp_path / "static" / name).write_bytes(b"x")
    planned = plan(config=replace(CONFIG, root=tmp_path))
    page = html.document_fromstring(planned["index.html"].make().decode())
    links = page.xpath("head/link[@rel='icon' or @rel='apple-touch-icon']")
    assert [(link.get("rel"), link.get("href")) for link in links] == expected
    if not files:
        assert b">T</text>" in planned["favicon.svg"].make()


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/* Mine. */\na  >  b {\n  color: red;\n}\n", "a > b{color:red;}"),
        ('a { content: "  /* no */ ;  \\" } " }', 'a{content:"  /* no */ ;  \\" } "}'),
        ("a { width: calc(1px + 2px) } /* never closed", "a{width:calc(1px + 2px)}"),
        ("div/**/.x {}", "div/**/.x{}"),
        ("a::after { content: '", "a::after{content:'"),
    ],
)
def test_a_stylesheet_is_sent_without_what_browsers_skip(tmp_path: Path, written: str, sent: str) -> None:
    own = tmp_path / "pages"
    own.mkdir()
    for name in ("theme.css", "forms.css", "highlight.css"):
        (own / name).write_text("")
    (own / "site.css").write_text(written)
    assert stylesheet(Templates(tmp_path), look_of(CONFIG)).strip() == sent


OLD = DATA / "templates-of-2026-11"
BLOCKS = {
    "post.html": '{% extends "shipped/pages/post.html" %}{% block post_tags %}{{ super() }}<p>Reply</p>{% endblock %}',
    "base.html": '{% extends "pages/base.html" %}{% block menu %}{{ super() }}<li><a href="/x/">X</a>{% endblock %}',
    "index.html": '{% extends "pages/index.html" %}{% block intro %}<h1>Mine</h1>{% endblock %}',
}


@pytest.mark.parametrize("kind", ["copies", "blocks"])
def test_a_site_with_its_own_older_templates_still_builds(tmp_path: Path, kind: str) -> None:
    own = tmp_path / "pages"
    if kind == "copies":
        shutil.copytree(OLD, own)
    else:
        own.mkdir()
        for name, text in BLOCKS.items():
            (own / name).write_text(text, encoding="utf-8")
    templates = Templates(tmp_path)
    pages = {path: output.make() for path, output in plan(templates=templates, listed=LISTED, opml=OPML).items()}
    if kind == "blocks":
        assert b"<p>Reply</p>" in pages["2024/11/20/code/index.html"]
        assert b"<h1>Mine</h1>" in pages["index.html"]
        assert b'<a href="/x/">X</a>' in pages["archive/index.html"]
    else:
        sheet = stylesheet(templates, look_of(CONFIG))
        assert sheet.rindex("--paper:#fdfcf9") > sheet.index("--paper:#ffffff")  # their own colours count
