"""Cells that a spreadsheet would run.

A cell that starts with one of these characters is a formula to Excel and its kin, and a name or address can
be chosen by a stranger. An apostrophe before it makes it text again; the import takes the apostrophe away,
so that what is exported comes back as it was.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


def guarded(cell: str) -> str:
    """Return the cell as text for any spreadsheet."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return what `guarded` was given."""
    return cell[1:] if cell[:1] == "'" and _GUARDED.match(cell) else cell
