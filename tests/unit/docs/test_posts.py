"""The table of spellings in docs/posts.md matches the program."""

from __future__ import annotations

import re
from pathlib import Path

from publisher.posts.front_matter.field_names import SPELLINGS, TAG_KEYS, fold
from publisher.posts.front_matter.switches import SWITCHES
from tests.support import ROOT

PAGE = ROOT / "docs/posts.md"


def spellings() -> dict[str, tuple[str, ...]]:
    """Return the spellings of each field in the table, normalised as the program normalises keys."""
    section = PAGE.read_text(encoding="utf-8").partition("## Front matter")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (`.+) \|$", section, re.MULTILINE)
    return {field: tuple(map(fold, re.findall(r"`([^`]+)`", cells))) for field, cells in rows}


def test_every_spelling_is_listed_in_order_of_precedence() -> None:
    assert spellings() == SPELLINGS | SWITCHES | {"tags": TAG_KEYS}


def test_the_front_matter_shown_is_read_as_intended(tmp_path: Path) -> None:
    from publisher.posts.front_matter.field_names import FrontMatter
    from publisher.posts.front_matter.parsing import parse_head

    example = re.findall(r"^```markdown\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[0]
    head = parse_head(example, whole=True)
    meta = FrontMatter(head.fields, head.lines)
    assert meta.text("id") == "tag:example.org,2026:2026-11-21:why-feeds-matter"
    assert meta.tags() == ["feeds", "open web"]
    assert meta.at("image.alt") == "A feed reader on a phone"
