"""The projects in examples/ can be published unchanged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.project import Project

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/publisher.toml"))
SUNDAY = "2026-11-15T10:00"


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    shutil.copytree(ROOT / "examples" / request.param, tmp_path / request.param)
    return Project(tmp_path / request.param, capsys)


def test_there_are_three_examples() -> None:
    assert len(EXAMPLES) == 3


def test_an_example_has_no_problems_but_its_domain(example: Project) -> None:
    found = example.ok("check", "--json", now=SUNDAY).json
    assert [each["message"] for each in found if "a placeholder domain" not in each["message"]] == []
    assert {each["severity"] for each in found} == {"warning"}


def test_an_example_sends_what_it_describes(example: Project) -> None:
    name = example.config().newsletters[0].name
    example.subscribe("ada", "grace", newsletter=name)
    example.ok("publish", "--yes", now=SUNDAY)

    mail = example.mail()
    assert sorted(mail) == ["ada@example.org", "grace@example.org"]
    (message,) = mail["ada@example.org"]
    text = message.get_body(("plain",)).get_content()
    assert all(title in text for title in titles(example))
    assert example.ok("publish", "--yes", now=SUNDAY).said.count("message") == 0


def test_an_example_is_listed(example: Project) -> None:
    assert f"[{example.root.name}]" in (ROOT / "examples/README.md").read_text(encoding="utf-8")


def titles(example: Project) -> list[str]:
    """Return the titles of the posts of an example."""
    heads = [path.read_text(encoding="utf-8") for path in example.root.rglob("20*.md")]
    return [
        line.partition(":")[2].strip(' "') for head in heads for line in head.splitlines() if line.startswith("title:")
    ]
