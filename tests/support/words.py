"""The texts that people read, and the words that must not come back into them.

    python -m tests.support.words [PART]     print every place where a retired word stands

Collected are documents, templates, the catalog's English, the strings of the program and its docstrings. A line may be
excused below, with the reason.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT

# What each pattern stands for is in the style sheet of CONTRIBUTING.md.
EVERYWHERE = {
    "is no …": r"\b(?:is|are|was|be|names?) no (?!longer|more\b|such\b|one\b|need\b|new\b|way\b|reason\b|other\b)[a-z]",
    "mend": r"\bmend(?:s|ed|ing)?\b",
    "anew": r"\banew\b",
    "likewise": r"\blikewise\b",
    "befall": r"\bbefall\w*\b",
    "whoever": r"\bwho(?:ever|mever)\b",
    "a headless who": r"(?:^|[.:;(|\"] ?|\b(?:of|to|for|that|and|but|with|by|from) )who (?!may\b|gets in)[a-z]+\b",
    "stands": r"\b(?:stands?|stood)\b(?! for\b| in for\b)",
    "came back": r"\b(?:came|comes|coming) back\b",
    "is mailed": r"\b(?:is|are|was|were|be|been|never|gets) mailed\b",
    "again for more": r"\bagain for more\b|\bseveral times\b",
    "tell of": r"\b(?:tells?|told) of\b",
}
READ_BY_USERS = {
    "letter": r"\bletters?\b(?!\.(?:css|html|txt)|/|-)",
    "e-mail": r"\be-mails?\b",
    "a mail": r"\b(?:a|one|such|each|the) mail\b(?! server| client)",
    "the record": r"\bthe record\b(?! that| of (?:ids|consent)| it prints)",
}


@dataclass(frozen=True)
class Text:
    """One text. place: file and line."""

    place: str
    text: str
    for_users: bool


def texts() -> Iterator[Text]:
    """Yield every text that somebody reads."""
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"):
        yield from _document(ROOT / name)
    for path in sorted((ROOT / "docs").glob("*.md")):
        yield from _document(path)
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in (".html", ".txt", ".toml", ".md") and path.is_file():
            yield from _template(path)
    for path in sorted((ROOT / "publisher").rglob("*.py")):
        yield from _program(path)


def _document(path: Path) -> Iterator[Text]:
    fenced, table = False, path.name == "CONTRIBUTING.md"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fenced ^= line.startswith("```")
        if not fenced and not (table and line.startswith("|")):
            yield Text(f"{path.relative_to(ROOT)}:{number}", re.sub(r"`[^`]*`|\]\([^)]*\)|<!--.*?-->", "", line), True)


def _template(path: Path) -> Iterator[Text]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        seen = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", " ", line)
        yield Text(f"{path.relative_to(ROOT)}:{number}", seen, True)


def _program(path: Path) -> Iterator[Text]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    place = path.relative_to(ROOT)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            for offset, line in enumerate(node.value.splitlines()):
                shown = re.sub(r"`[^`]*`", "", line)
                yield Text(f"{place}:{node.lineno + offset}", shown, id(node) not in docstrings)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        comment = re.search(r"(?:^|\s)# (.*)$", line)
        if comment and "noqa" not in comment[1]:
            yield Text(f"{place}:{number}", comment[1], False)


def retired() -> Iterator[tuple[str, Text]]:
    """Yield each retired word that is in use, with its text."""
    for text in texts():
        for name, pattern in (EVERYWHERE | (READ_BY_USERS if text.for_users else {})).items():
            if re.search(pattern, text.text, re.IGNORECASE):
                yield name, text


if __name__ == "__main__":
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    found = [(name, text) for name, text in retired() if part in text.place]
    for name, text in found:
        sys.stdout.write(f"{text.place}: {name}: {text.text.strip()[:140]}\n")
    sys.stdout.write(f"{len(found)} places\n")
