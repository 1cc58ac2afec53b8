"""Publisher renders a small blog of each tool as the tool does, except for the differences in docs/adopting.md.

built.json is the output of the tool; `python -m benchmarks.adopt BLOG SITE --record built.json` writes it.
differences.tsv lists the remaining differences: the file, what differs, and why.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.adopt import adopted_copy, compare, read_built
from tests.support import ROOT

BLOGS = ROOT / "tests" / "data" / "blogs"
TOOLS = sorted(path.parent.name for path in BLOGS.glob("*/differences.tsv"))
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def expected(tool: str) -> set[tuple[str, ...]]:
    """Return the expected differences for a tool's blog, as (file or URL, difference, reason)."""
    file = BLOGS / tool / "differences.tsv"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    rows = [line.split("\t") for line in lines if line]
    assert all(len(row) == 3 and row[2] for row in rows), "each difference has its reason"
    return set(map(tuple, rows))


@pytest.mark.parametrize("tool", TOOLS)
def test_an_adopted_blog_matches_the_output_of_its_tool(tool: str, tmp_path: Path) -> None:
    found = compare(adopted_copy(BLOGS / tool / "blog", tmp_path), read_built(BLOGS / tool / "built.json"), NOW)
    assert {(each.where, each.what) for each in found.differences} == {row[:2] for row in expected(tool)}
    assert found.both >= 6
    assert found.same["id"] == found.both


def test_the_document_lists_each_difference() -> None:
    document = (ROOT / "docs" / "adopting.md").read_text(encoding="utf-8")
    listed = [row for tool in TOOLS for row in expected(tool)]
    reasons = {row[2] for row in listed} - {"not read yet"}
    assert reasons
    assert [reason for reason in reasons if f"| {reason} |" not in document] == []
