"""Every repository file that the documents name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.documents import DECISIONS, DOCS, PAGES, name

CHANGES = ROOT / "CHANGELOG.md"  # it also names old files and files of a user's project
TEXTS = [*(page for page in PAGES if page not in DECISIONS and page != CHANGES), *sorted(DOCS.glob("generate_*.py"))]
_TOPS = "publisher|tests|docs|deploy|examples|benchmarks|templates|locale"
_PATH = re.compile(rf"(?<![\w/.:<-])((?:{_TOPS}|\.ci)/[\w./*-]*\w|\w+(?:/\w+)*\.(?:py|tsv|pot))(?![\w<{{])")
# Paths of a project that the text describes, or in the wheel, instead of this repository.
_OF_A_PROJECT = (
    "templates/",
    "locale/",
    "docs/",
    "deploy/letter",
    "publisher/templates",
    "pelicanconf.py",
    "publishconf.py",
)


def paths_of(text: str) -> list[str]:
    """Return the paths in a text that look like files of this repository rather than of a user's project."""
    return [path for path in _PATH.findall(text) if not path.startswith(_OF_A_PROJECT)]


def is_there(path: str) -> bool:
    """Return whether the repository has a file or folder with this path, or with a longer path that ends in it."""
    if (ROOT / path).exists() or any(ROOT.glob(path)):
        return True
    return any(
        any((ROOT / top).rglob(path)) for top in ("publisher", "tests", "docs", "examples", "benchmarks", "templates")
    )


def prose_of(page: Path) -> str:
    """Return the texts in backticks and the link targets of a document, or the docstrings of a script."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".py":
        kinds = (ast.Module, ast.FunctionDef, ast.ClassDef)
        return "\n".join(ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, kinds))
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(re.findall(r"`([^`\n]+)`", text) + re.findall(r"\]\(([^)\s#]+)", text))


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_every_named_file_of_the_repository_exists(page: Path) -> None:
    assert [path for path in paths_of(prose_of(page)) if not is_there(path)] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("publisher/newsletters/lint/codes.py", True),
        ("publisher/newsletters/lint/finding_codes.py", False),
        ("tests/integration/newsletters/test_codes.py", True),
        ("finding_codes.py", False),
        ("codes.py", True),
        ("benchmarks/nothing", True),
        ("publisher/bounces/providers/", False),
    ],
)
def test_a_missing_file_is_reported(text: str, wrong: bool) -> None:
    (path,) = paths_of(text)
    assert is_there(path) is not wrong
