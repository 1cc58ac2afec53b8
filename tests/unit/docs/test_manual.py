"""docs/publisher.1 is generated from the help texts."""

from __future__ import annotations

import importlib.util
import re

from publisher.cli.main import COMMANDS
from tests.support.project import ROOT

PAGE = ROOT / "docs/publisher.1"


def test_the_manual_page_matches_the_commands() -> None:
    spec = importlib.util.spec_from_file_location("generate_manual", PAGE.with_name("generate_manual.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = PAGE.read_text(encoding="utf-8")
    assert module.manual() == text, "run make docs"
    named = set(re.findall(r"^\.SS publisher ([\w\\-]+)", text, re.MULTILINE))
    assert {name.replace("-", "\\-") for name in COMMANDS} == named
    lines = text.split("\n")
    assert all(re.match(r"\.(?:TH|SH|SS|PP|TP|B|nf|fi)\b", line) for line in lines if line.startswith("."))
    assert not any(line.startswith("'") for line in lines)
