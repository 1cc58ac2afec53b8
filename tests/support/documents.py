"""The documents, their code blocks and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT

DOCS = ROOT / "docs"
LOOSE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md")
PAGES = [*(ROOT / name for name in LOOSE), *sorted(DOCS.rglob("*.md"))]
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))

# A shell example is a ```console block and run here, or a ```sh block and not run. Only commands that need the network,
# a server, another machine or a long time may be ```sh: a line that begins differently belongs into a console block.
NOT_RUN = (
    "make ",
    "python3 -m venv ",
    "~/publisher/bin/pip install ",
    "/opt/publisher/bin/pip install ",
    "PYTHONPATH=build /opt/publisher/bin/pip install ",
    "export PATH=",
    "export PUBLISHER_MAIL_SMTP_PASSWORD=",
    "PUBLISHER_",
    "publisher preview",
    "publisher share",
    "publisher sources try https://",  # run by tests/journeys/test_sources.py
    "publisher init weekly --from-feed ",  # the same
    "jekyll build ",
    "publisher adopt",  # run by tests/integration/cli/test_adopt.py
    "publisher publish ",
    "publisher mail keys",  # run by tests/integration/cli/test_mail.py
    "publisher mail doctor",  # run by tests/integration/cli/test_doctor.py
    "publisher check --strict",
    "publisher admin password",  # run by tests/integration/web/test_admin.py
    "publisher run",  # run by tests/journeys/test_run.py
    "publisher worker",  # run by tests/journeys/test_worker.py
    "publisher database",  # run by tests/integration/cli/test_database_command.py
    "publisher deliveries",  # run by tests/integration/cli/test_deliveries.py
    "sqlite3 ",
    "cp ",
    "chmod ",
    "useradd ",
    "systemctl ",
    "docker ",
)

SITE = '[site]\ntitle = "My letter"\nurl = "https://example.org"\n'


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Yield (command, shown output) of a console block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def fits(shown: str, said: str) -> bool:
    """Return whether an output matches the page; "..." matches anything."""
    pattern = ".*".join(map(re.escape, shown.strip().split("...")))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


def headings(page: Path) -> set[str]:
    """Return the fragments of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#{1,6} (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def dead_links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.is_file() or (fragment and fragment not in headings(file)):
            dead.append(target)
    return dead
