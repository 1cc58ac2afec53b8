"""Themes: a few settings change the whole design, and all text stays readable."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from publisher.config import load_config
from publisher.config.palette import Palette, looks_of
from publisher.config.theme import AA, DEFAULT, Theme, contrast, mixed, readable, unreadable
from publisher.core.errors import ConfigError
from publisher.core.templates import Templates
from tests.support.editions_samples import CONFIG, FULL, RICH, TEMPLATES, WEEKLY, make

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def test_contrast_follows_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#ffffff", "#0a5a8a") == contrast("#0a5a8a", "#ffffff")


@given(colour=COLOURS, ground=COLOURS)
def test_a_readable_colour_is_unchanged(colour, ground):
    found = readable(colour, [ground])
    assert contrast(found, ground) >= AA
    assert (found == colour) == (contrast(colour, ground) >= AA)


def rules(css):
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return [
        (selector.strip(), name.strip(), value.removesuffix(" !important").strip())
        for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css)
        for name, _, value in (part.partition(":") for part in body.split(";") if part.strip())
    ]


def test_every_colour_comes_from_the_theme():
    for sheet in ("letter.css", "letter-kept.css"):
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;} ])", TEMPLATES.source(f"email/{sheet}")) == []


def written_colours(sheet, palette_theme):
    looks = looks_of(palette_theme, "https://example.org")
    return {
        (selector, value)
        for selector, name, value in rules(TEMPLATES.render(f"email/{sheet}", looks=looks))
        if name == "color" and "preheader" not in selector and "mark" not in selector
    }


@settings(max_examples=60, deadline=None)
@given(
    theme=st.builds(
        Theme, **dict.fromkeys(("paper", "text", "accent", "dark_paper", "dark_text", "dark_accent"), COLOURS)
    )
)
def test_an_accepted_theme_is_readable_everywhere(theme):
    # Few random colours are readable on each other; a refused colour is replaced as the message suggests.
    wrong = {key: hint for key, _, hint in unreadable(theme)}
    assume(not any(key.endswith("paper") for key in wrong))
    theme = replace(theme, **{key: re.search("#[0-9a-f]{6}", hint)[0] for key, hint in wrong.items()})
    assert list(unreadable(theme)) == []
    whole = theme.over(DEFAULT)
    for sheet, palette in (("letter.css", "light"), ("letter-kept.css", "dark")):
        shown: Palette = getattr(looks_of(whole, ""), palette)
        for selector, colour in written_colours(sheet, whole):
            for ground in (shown.paper, shown.tint):
                assert contrast(colour, ground) >= AA, (selector, colour, ground)
        assert contrast(shown.marker, shown.marker_text) >= AA


@pytest.mark.parametrize("accent", ["#0a5a8a", "#a3195b", "#767676", "#000000", "#005500", "#5b2ae0"])
def test_an_accent_gets_a_lighter_twin_for_dark_mode(accent):
    looks = looks_of(Theme(accent=accent).over(DEFAULT), "")
    assert looks.light.accent == accent
    assert contrast(looks.dark.accent, looks.dark.tint) >= 7


def test_the_default_accent_suits_dark_paper():
    looks = looks_of(Theme(paper="#101010", text="#eeeeee").over(DEFAULT), "")
    assert contrast(looks.light.accent, "#101010") >= AA


def test_the_theme_of_a_newsletter_overrides_that_of_the_site():
    config = replace(CONFIG, theme=Theme(accent="#a3195b", font="serif"))
    newsletter = replace(WEEKLY, theme=Theme(accent="#005500"))
    theme = config.newsletter_theme(newsletter)
    assert (theme.accent, theme.font, theme.text) == ("#005500", "serif", DEFAULT.text)
    assert config.newsletter_theme(WEEKLY).accent == "#a3195b"


def test_a_theme_reaches_every_part_of_the_email():
    theme = Theme(
        accent="#a3195b",
        dark_paper="#000022",
        font="Verdana, sans-serif",
        title_font="Palatino, serif",
        logo="img/our logo.png",
        logo_width=200,
    )
    html = make(config=replace(CONFIG, theme=theme), newsletter=FULL).html
    assert "color:#a3195b" in html
    assert "background-color: #000022 !important" in html
    assert "font-family:Verdana, sans-serif" in html
    assert "font-family:Palatino, serif" in html
    assert "h3 a {font-family: Georgia, serif !important}" in html
    assert '<img src="https://example.org/img/our%20logo.png" alt="The Quiet Press" width="200"' in html
    assert '<span dir="auto">The Quiet Press</span>' in html


def test_an_empty_theme_is_the_default():
    assert make(config=replace(CONFIG, theme=DEFAULT)) == make()


def test_own_rules_come_after_the_shipped_ones(tmp_path):
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "own.css").write_text(".name {letter-spacing: 2px; color: {{ looks.light.accent }}}\n")
    (tmp_path / "email" / "own-kept.css").write_text("@media (max-width: 400px) {.cell {padding: 0 !important}}\n")
    html = make(templates=Templates(tmp_path)).html
    assert re.search(r"<h1[^>]*letter-spacing:2px", html)
    assert html.index("max-width: 400px") > html.index("max-width: 600px")
    assert "max-width: 400px" not in make().html


TOML = '[site]\ntitle = "A"\nurl = "https://example.org"\n'


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ('[theme]\naccent = "bluish"', 5, "theme.accent: 'bluish' isn't a valid colour; write it like #0a5a8a"),
        ('[theme]\naccent = "#abcg"', 5, "'#abcg' isn't a valid"),
        ('[theme]\nfont = "Georgia; x: y"', 5, "isn't a list of fonts"),
        ('[theme]\nfont = "}</style>"', 5, "isn't a list of fonts"),
        ('[theme]\nlogo = "../secret.png"', 5, "isn't a picture"),
        ('[theme]\nlogo = "javascript:x()"', 5, "isn't a picture"),
        ('[theme]\nlogo_width = 900', 5, "900 is not between 0 and 536"),
        ('[theme]\ntext = "#bbbbbb"', 5, "theme.text: #bbbbbb has a contrast of "),
        ('[theme]\ndark_accent = "#0a5a8a"', 5, "theme.dark_accent: #0a5a8a has a"),
        ('[theme]\npaper = "#7a7a7a"\ntext = "#7a7a7a"', 5, "theme.paper: no text colour has the contrast"),
        ('[theme]\npaper = "#222222"', 4, "theme.text: #1f1d1a has a"),
        ('[theme]\npaper = "#222222"\ntext = "#eeeeee"\n[[newsletters]]\nname = "a"\ntheme = { accent = "#0a5a8a" }', 9,
         "newsletters[1].theme.accent: #0a5a8a has"),
    ],
)  # fmt: skip
def test_an_invalid_theme_is_reported_with_its_line(table, line, message, tmp_path):
    (tmp_path / "publisher.toml").write_text(TOML + table, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path, {})
    (mistake,) = [mistake for mistake in raised.value.mistakes if message in mistake.message] or raised.value.mistakes
    assert message in mistake.message
    assert mistake.where == f"publisher.toml:{line}"


def test_an_unreadable_colour_gets_a_suggestion(tmp_path):
    (tmp_path / "publisher.toml").write_text(f'{TOML}[theme]\ntext = "#bb8888"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path, {})
    (mistake,) = raised.value.mistakes
    better = re.search('text = "(#[0-9a-f]{6})"', mistake.hint)[1]
    assert contrast(better, mixed("#ffffff", "#bb8888", 0.055)) >= AA


def test_text_links_follow_the_setting():
    at_end = make(newsletter=FULL, posts=[RICH]).text
    inline = make(newsletter=replace(FULL, text_links="inline"), posts=[RICH]).text
    assert "difference\nmatters [1]" in at_end or "matters [1]" in at_end
    assert "[1] https://example.com/why?a=1&b=2" in at_end
    assert "matters <https://example.com/why?a=1&b=2>" in inline
    assert "[1]" not in inline


def test_plain_subheadings_have_the_title_font():
    html = make(newsletter=replace(WEEKLY, template="plain", content="full")).html
    subheads = re.findall(r"<h[23] [^>]*font-size:2[14]px[^>]*>", html)
    assert subheads
    assert not [tag for tag in subheads if "Charter" in tag]
