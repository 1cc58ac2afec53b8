"""The table in docs/findings.md is generated from the finding codes."""

from __future__ import annotations

import importlib.util
import json

from publisher.newsletters.lint.finding_codes import CODES
from tests.support.project import ROOT

PAGE = ROOT / "docs/findings.md"


def test_the_table_matches_the_codes() -> None:
    spec = importlib.util.spec_from_file_location("generate_findings", PAGE.with_name("generate_findings.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = PAGE.read_text(encoding="utf-8")
    assert module.with_table(text) == text, "run make docs"
    assert all(f"| `{code}` | {kind.level} |" in text for code, kind in CODES.items())


def test_the_number_of_programs_matches_the_data() -> None:
    data = json.loads((ROOT / "publisher/newsletters/lint/clients.json").read_text(encoding="utf-8"))
    assert f"which tests {len(data['clients'])} email clients" in PAGE.read_text(encoding="utf-8")
