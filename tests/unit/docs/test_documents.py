"""The examples in the documents work, the names in them exist, and the links between them lead somewhere."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import publisher
from publisher.config import load_config
from tests.support import ROOT
from tests.support.documents import DECISIONS, DOCS, NOT_RUN, PAGES, SITE, blocks, commands, dead_links, fits, name
from tests.support.forked_program import with_command

# A shell example is a ```console block and run here, or a ```sh block and not run. Only commands that need the network,
# a server, another machine or a long time may be ```sh: a line that begins differently belongs into a console block.


@pytest.mark.slow
def test_the_examples_in_the_readme_have_the_output_shown(tmp_path: Path) -> None:
    environment = with_command(tmp_path / "bin")
    folder, ran = tmp_path, 0
    for block in blocks(ROOT / "README.md", "console"):
        for command, shown in commands(block):
            if command.startswith("cd "):
                folder = folder / command.removeprefix("cd ")
                continue
            done = subprocess.run(
                command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (command, done.stderr)
            assert fits(shown, done.stdout + done.stderr), (command, shown, done.stdout + done.stderr)
            ran += 1
    assert ran >= 6


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_shell_lines_that_are_not_run_have_a_reason(page: Path) -> None:
    lines = [line for block in blocks(page, "sh") for line in block.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not line.startswith(NOT_RUN)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_configuration_shown_can_be_loaded(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "toml"):
        raw: dict[str, Any] = tomllib.loads(block)
        (tmp_path / "publisher.toml").write_text(block if "site" in raw else SITE + block, encoding="utf-8")
        load_config(tmp_path, {})


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_between_documents_leads_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_every_document_is_reached_from_the_readme() -> None:
    reached, pending = set(), [ROOT / "README.md"]
    while pending:
        page = pending.pop()
        reached.add(page)
        targets = re.findall(r"\]\(([^)\s#]+\.md)", page.read_text(encoding="utf-8"))
        found = {(page.parent / target).resolve() for target in targets if "://" not in target}
        pending += [file for file in found if file in PAGES and file not in reached]
    assert set(PAGES) - reached == set()


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_has_its_number_and_says_what_was_refused(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert re.search(r"\brefused\b", text, re.IGNORECASE)
    assert len(text.splitlines()) <= 80, "at most 80 lines"


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_changelog_has_a_section_for_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(publisher.__version__)}\]", text, re.MULTILINE)


def test_the_pictures_are_small() -> None:
    assert [p.name for p in (DOCS / "pictures").iterdir() if p.stat().st_size > 150_000] == []


def test_the_architecture_shows_the_layers_that_are_enforced() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert "\n".join(layers) + "\n" in blocks(DOCS / "architecture.md", "text")


def test_the_architecture_names_every_room() -> None:
    package = ROOT / "publisher"
    files = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w/.]+)` \|", text, re.MULTILINE)) == files | folders
