"""Live progress bars; rich is imported only when somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App

if TYPE_CHECKING:
    from rich.text import Text

    from publisher.publishing.deliver import Tally


# Seconds over which the rate is measured: long enough for a server that answers by fits and starts.
RATE_SECONDS = 15.0

# Seconds: to tell the bar of each message would cost a tenth of the sending.
BETWEEN_DRAWINGS = 0.05


@contextmanager
def bar(app: App, title: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function (done, total) that draws a bar, or None when nobody watches. The bar goes when it is done."""
    if not app.shows_progress:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def delivery_bars(app: App) -> Iterator[Callable[[Tally], None]]:
    """Give a function that draws how far an edition is: a bar, messages a second, remaining time, states so far."""
    if not app.shows_progress:
        yield lambda tally: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(rate(task.speed))

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[states]}", markup=False),
    )
    tasks: dict[int, Any] = {}
    drawn_at = 0.0
    with Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=RATE_SECONDS) as drawn:

        def draw(tally: Tally) -> None:
            nonlocal drawn_at
            if 0 < tally.done < tally.total and monotonic() - drawn_at < BETWEEN_DRAWINGS:
                return
            drawn_at = monotonic()
            key = tally.edition.id
            if key not in tasks:
                name = f"{tally.edition.newsletter} {tally.edition.slot}"
                tasks[key] = drawn.add_task(name, total=tally.total, states="")
            drawn.update(tasks[key], completed=tally.done, total=tally.total, states=states(tally))

        yield draw


def rate(speed: float | None) -> str:
    """Return messages a second in words; "" while nobody can tell."""
    if not speed:
        return ""
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s" if speed >= 0.5 else f"{60 * speed:.0f}/min"


def states(tally: Tally) -> str:
    """Return what this run brought where, in words: what went well first."""
    from publisher.core.newsletter_models import DeliveryStatus as Status

    shown = (Status.SENT, Status.DEFERRED, Status.FAILED, Status.UNCERTAIN)
    return ", ".join(f"{tally[status]:,} {status}" for status in shown if tally[status])


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
