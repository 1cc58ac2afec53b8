"""Markdown tables, and their places in docs/delivery.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "delivery.md"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write(name: str, section: str, document: Path = DOCUMENT) -> None:
    """Put a section between its two marks in the document; raise ValueError if they are missing."""
    begin = f"<!-- {name}: begin, written by python -m benchmarks.{name} --write -->"
    end = f"<!-- {name}: end -->"
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{document} has no marks for {name}")
    document.write_text(f"{before}{begin}\n\n{section}\n\n{end}{after}", encoding="utf-8")
