"""A line that is not valid TOML is explained to people who do not know TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.core.errors import ConfigError

SLIPS = [
    ("title = My letter", 'text needs quotes (write title = "My letter")'),
    ("title = My letter   # the name", 'text needs quotes (write title = "My letter")'),
    ("title = 1.2.3", 'text needs quotes (write title = "1.2.3")'),
    ('title = "My letter', 'the text has no closing quote (write title = "My letter")'),
    ("title = 'My letter", 'the text has no closing quote (write title = "My letter")'),
    ("title = “My letter”", 'text needs straight quotes (write title = "My letter")'),
    ("title = „Mein Brief“", 'text needs straight quotes (write title = "Mein Brief")'),
    ("title: My letter", 'a key is followed by = and not by a colon (write title = "My letter")'),
    ('title "My letter"', 'a line has a key, = and a value (write title = "My letter")'),
    ("title", 'a line has a key, = and a value (write title = "...")'),
    ("title =", 'title has no value (write title = "...")'),
    ("title = # later", 'title has no value (write title = "...")'),
    ('title = "A "good" one"', 'the text has a quote in the middle (write title = "A \\"good\\" one")'),
    ("title = 'It's mine'", 'the text has a quote in the middle (write title = "It\'s mine")'),
    ('title = "C:\\x"', "a backslash needs single quotes around the text (write title = 'C:\\x')"),
    ('title = "My" letter', "something follows the text (put it inside the quotes, or remove it)"),
    ('my title = "A"', "a key has no spaces (docs/configuration.md lists the keys)"),
    ("draft = True", "true and false are written in lower case (write draft = true)"),
    ("timeout = 10 s", 'text needs quotes (write timeout = "10 s")'),
    ('title = "A"\ntitle = "B"', "Cannot overwrite a value"),
    ("since = 2026-02-30", "Invalid"),
    ('password = "hunter2', "a password or secret needs quotes around it, and = before it (write it like "),
    ("url = pg://me:hunter2@db", "a password or secret needs quotes around it, and = before it (write it like "),
]  # fmt: skip


def test_a_slip_is_explained_with_its_line(tmp_path: Path) -> None:
    for line, said in SLIPS:
        (tmp_path / "publisher.toml").write_text(f'# Mine\n[site]\n{line}\nlanguage = "en"\n', encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_config(tmp_path, {})
        (shown,) = caught.value.lines()
        assert shown.startswith(f"publisher.toml:{3 + line.count(chr(10))}: not valid TOML: {said}"), shown
        assert "hunter2" not in shown


def test_values_in_plain_text_are_understood(tmp_path: Path) -> None:
    site = '[site]\ntitle = "A"\nurl = "https://quiet-reader.eu"\n'
    for written, colour in (
        ("navy", "#000080"),
        ("Navy", "#000080"),
        ("RebeccaPurple", "#663399"),
        ("#05a", "#0055aa"),
    ):
        (tmp_path / "publisher.toml").write_text(f'{site}[theme]\naccent = "{written}"\ndark_accent = "white"\n')
        theme = load_config(tmp_path, {}).theme
        assert (theme.accent, theme.dark_accent) == (colour, "#ffffff")
    (tmp_path / "publisher.toml").write_text(
        f'{site}[[newsletters]]\nname = "a"\n[newsletters.theme]\naccent = "navy"\n'
    )
    assert load_config(tmp_path, {}).newsletters[0].theme.accent == "#000080"
    assert load_config(tmp_path, {"PUBLISHER_THEME_ACCENT": "navy"}).theme.accent == "#000080"
    for zone, near in (("New York", "America/New_York"), ("PST", "America/Los_Angeles"), ("cest", "Europe/Berlin")):
        (tmp_path / "publisher.toml").write_text(f'{site}timezone = "{zone}"\n')
        with pytest.raises(ConfigError, match=f"is not a time zone; did you mean {near}"):
            load_config(tmp_path, {})
