"""The texts that people read, and the retired words that must not be used in them again.

    python -m tests.support.words [PART]     print every place of a retired word

The texts are documents, templates, the catalog's English, the strings of the program and its docstrings. A line may be
excused below, with the reason.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support import ROOT
from tests.support.house import statements

# The style sheet of CONTRIBUTING.md explains each pattern.
EVERYWHERE = {
    "is no …": r"(?<!there )\b(?:is|are|was|were|be|names) no (?!longer\b|more\b|such\b|one\b|need\b|new\b|way\b)[a-z]",
    "mend": r"\bmend(?:s|ed|ing)?\b",
    "anew": r"\banew\b",
    "likewise": r"\blikewise\b",
    "befall": r"\bbefall\w*\b",
    "a headless who": r"\b(?:of|to|for|that|but|with|by|from) who [a-z]+s\b",
    "stands": r"\bstands?\b(?! for\b| in (?:for )?|-in)|\bstood\b(?! in\b)",
    "again for more": r"\bagain for more\b|\bmay be given several times\b",
    "tell of": r"\b(?:tells?|told) of\b",
}
READ_BY_USERS = {
    "letter": r"\bletters?\b(?!\.|/|-)",
    "e-mail": r"\be-mails?\b",
    "a mail": r"\b(?:a|one|such|each) mail\b(?! server| client| service)(?!\.)",
    "the record": r"\bthe record (?:knows|says|keeps|holds)\b",
    "is mailed": r"\b(?:is|are|was|were|been|gets) mailed\b",
    "whoever": r"\bwhoever\b",
    "came back": r"\b(?:came|comes|coming) back\b",
    "beside": r"\bbeside\b(?!-)",
    "any more": r"\bany more\b(?! [a-z]+s\b)",
}
# Places that may use a word: the beginning of the place, the pattern, and why.
EXCUSED = (
    ("publisher/web/public/strings.py", "any more", "good English where the verb has the negation"),
    ("docs/architecture.md", "letter", "the table of words explains the code's own word"),
    ("CONTRIBUTING.md", "letter", "the style sheet explains the code's own word"),
    ("docs/feeds.md", "letter", "a letter of the alphabet"),
    ("docs/feeds.md", "the record", "the record of published ids, a file of its own"),
    ("publisher/config/checks.py", "letter", "letters of the alphabet"),
    ("publisher/config/mail.py", "letter", "letters of the alphabet"),
    ("publisher/cli/mail.py", "letter", "the name of a key"),
    ("publisher/cli/admin.py", "letter", "the name of a password in an example"),
    ("publisher/newsletters/lint/requirements.py", "letter", "a variable of the templates"),
    ("publisher/newsletters/letter/compose.py", "letter", "an error of the code, not of a user"),
    ("publisher/store/editions.py", "letter", "an error of the code, not of a user"),
)


@dataclass(frozen=True)
class Text:
    """One text. place: file and line."""

    place: str
    text: str
    for_users: bool


@cache
def texts() -> tuple[Text, ...]:
    """Return every text that people read; the files are parsed only once."""
    return tuple(_texts())


def _texts() -> Iterator[Text]:
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
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in (tree, *statements(tree))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    place = path.relative_to(ROOT)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            for offset, line in enumerate(node.value.splitlines()):
                shown = re.sub(r"`[^`]*`|[\w.]*letters?[\w.-]*\.\w+", "", line)
                yield Text(f"{place}:{node.lineno + offset}", shown, id(node) not in docstrings)
    for number, line in enumerate(source.splitlines(), 1):
        comment = re.search(r"(?:^|\s)# (.*)$", line)
        if comment and "noqa" not in comment[1]:
            yield Text(f"{place}:{number}", comment[1], False)


def retired() -> Iterator[tuple[str, Text]]:
    """Yield each retired word in use, with its text."""
    for text in texts():
        for name, pattern in (EVERYWHERE | (READ_BY_USERS if text.for_users else {})).items():
            if re.search(pattern, text.text, re.IGNORECASE) and not _excused(name, text):
                yield name, text


def _excused(name: str, text: Text) -> bool:
    return any(text.place.startswith(place) and name == pattern for place, pattern, _ in EXCUSED)


if __name__ == "__main__":
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    found = [(name, text) for name, text in retired() if part in text.place]
    for name, text in found:
        sys.stdout.write(f"{text.place}: {name}: {text.text.strip()[:140]}\n")
    sys.stdout.write(f"{len(found)} places\n")
