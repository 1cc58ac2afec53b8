"""docs/configuration.md describes exactly the keys and variables that publisher/config/ defines."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from publisher.config import Config, load_config
from publisher.config.environment import NOT_SETTINGS, variables
from publisher.config.keys import keys_of, table_in
from publisher.config.schedule import parse_schedule
from tests.support import ROOT

PAGE = ROOT / "docs/configuration.md"


def generator() -> ModuleType:
    """Import generate_configuration.py from its path, because docs/ is not a package."""
    spec = importlib.util.spec_from_file_location("generate_configuration", PAGE.with_name("generate_configuration.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_tables_match_the_keys() -> None:
    assert generator().with_tables(text()) == text(), "run `make docs`"


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lost one of its marks"):
        generator().with_tables("# Configuration\n")


def every_key(table: type[Any]) -> list[tuple[str, str]]:
    """Return the name and meaning of every key, including keys in nested tables."""
    found: list[tuple[str, str]] = []
    for name, key in keys_of(table).items():
        inner = table_in(key.type)
        found += every_key(inner) if inner else [(name, key.meaning)]
    return found


def test_every_key_is_listed_with_its_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(?:[^|]|\\\|)*\|(?:[^|]|\\\|)*\|((?:[^|]|\\\|)*)\|$", text(), re.MULTILINE)
    shown = [(key, re.sub(r"<br>.*", "", meaning).strip()) for key, meaning in rows]
    expected = [(key, meaning.replace("<", "&lt;").replace(">", "&gt;")) for key, meaning in every_key(Config)]
    assert sorted(shown) == sorted(expected)
    assert len(expected) > 50


def test_exactly_the_existing_variables_are_listed() -> None:
    named = set(re.findall(r"`(PUBLISHER_\w+)`", text()))
    assert named == set(variables()) | NOT_SETTINGS


def test_the_example_is_a_valid_project(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "publisher.toml").write_text(example, encoding="utf-8")
    config = load_config(tmp_path, {"PUBLISHER_MAIL_SMTP_PASSWORD": "secret"})
    assert [newsletter.name for newsletter in config.newsletters] == ["weekly", "poems"]
    assert config.mail.smtp.password == "secret"


def schedules() -> list[str]:
    section = text().partition("## Schedules")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("schedule", schedules())
def test_every_schedule_shown_is_valid(schedule: str) -> None:
    parse_schedule(schedule)


def test_every_checked_range_is_shown_with_its_key() -> None:
    assert "| `tick_seconds` | whole number, 15 to 60 |" in text()
    sources = "".join(path.read_text() for path in (PAGE.parents[1] / "publisher/config").glob("*.py"))
    shown = re.findall(r"^\| `\w+` \| whole number, \d+ (?:to \d+|or more) \|", text(), re.MULTILINE)
    assert len(shown) >= sources.count("Check(checks.between(") > 20
