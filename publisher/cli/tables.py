"""Tables for people; plain tab-separated lines where the output is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

# What would break a line, or move a terminal's cursor.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a head; control characters in a cell become spaces."""
    rows = [[cell.translate(_CONTROLS) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in head:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
