"""Write the table of docs/findings.md from the codes in publisher/newsletters/lint/finding_codes.py.

    make docs

Only the text between the two marks is replaced. A test fails while the page is out of date.
"""

from __future__ import annotations

from pathlib import Path

from publisher.newsletters.lint.finding_codes import CODES

PAGE = Path(__file__).parent / "findings.md"
BEGIN = "<!-- The table below is written by generate_findings.py; do not edit it. -->"
END = "<!-- End of the table. -->"


def with_table(page: str) -> str:
    """Return the page with a new table between its marks; raise ValueError if a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost one of its marks")
    rows = [("Code", "Level", "What it means", "How to fix it"), ("---",) * 4]
    rows += [(f"`{code}`", kind.level, _escaped(kind.meaning), _escaped(kind.hint)) for code, kind in CODES.items()]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
