"""Progress bars, tables, and the signals of a terminal. Scripts get neither bars nor tables.

Rich is loaded only if it draws something.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App
from publisher.core.errors import PublisherError

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.text import Text

    from publisher.publishing.deliver import DeliveryProgress

# Seconds over which the rate is averaged, long enough for a server that answers in bursts.
RATE_SECONDS = 15.0

# Seconds before a bar is drawn, so that nothing flickers when there is little to do.
_PATIENCE = 1.0

# Seconds between two updates. Drawing after each message would take a tenth of the sending time.
BETWEEN_DRAWINGS = 0.05

# Characters that would break a line of output or move the terminal's cursor.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")


@contextmanager
def bar(app: App, title: str) -> Iterator[Callable[[int, int], None] | None]:
    """Provide a function (done, total) that draws a progress bar, or None if no bar is to be shown.

    The bar appears after a second, and disappears at the end.
    """
    if not app.shows_progress:
        yield None
        return
    from rich.console import Console  # not at the top: rich takes long to load, and only a terminal needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Without a thread that refreshes it: a process with one thread renders posts in a fork, which starts much faster.
    progress = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    task, draw_at = progress.add_task(title, total=None), monotonic() + _PATIENCE
    with ExitStack() as drawing:

        def draw(done: int, total: int) -> None:
            """Draw how much is done, unless it was drawn a moment ago."""
            nonlocal draw_at
            if monotonic() < draw_at:
                return
            if not progress.live.is_started:
                drawing.enter_context(progress)
            draw_at = monotonic() + BETWEEN_DRAWINGS
            progress.update(task, completed=done, total=total, refresh=True)

        yield draw


@contextmanager
def delivery_bars(app: App) -> Iterator[Callable[[DeliveryProgress], None]]:
    """Provide a function that draws the progress of an edition: a bar, the rate, the time left and the results.

    The function does nothing if no progress is to be shown. The bars appear after a second, and disappear at the end.
    """
    if not app.shows_progress:
        yield lambda progress: None
        return
    drawn, tasks, draw_at = _delivery_progress(), dict[int, Any](), monotonic() + _PATIENCE
    with ExitStack() as drawing:

        def draw(progress: DeliveryProgress) -> None:
            """Draw the bar of an edition, unless it was drawn a moment ago."""
            nonlocal draw_at
            begun, edition = drawn.live.is_started, progress.edition
            if monotonic() < draw_at and (0 < progress.done < progress.total or not begun):
                return
            if not begun:
                drawing.enter_context(drawn)
            draw_at = monotonic() + BETWEEN_DRAWINGS
            if edition.id not in tasks:
                name = f"{edition.newsletter} {edition.slot}"
                tasks[edition.id] = drawn.add_task(name, total=progress.total, results="")
            results = progress_text(progress)
            drawn.update(tasks[edition.id], completed=progress.done, total=progress.total, results=results)

        yield draw


def _delivery_progress() -> Progress:
    from rich.console import Console  # not at the top: rich takes long to load, and only a terminal needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """The column with the number of messages per second."""

        def render(self, task: Any) -> Text:
            """Return the rate of an edition as a text."""
            return Text(rate(task.speed))

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[results]}", markup=False),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=RATE_SECONDS)


def rate(speed: float | None) -> str:
    """Return a speed in messages per second as text, such as "12/s" or "6/min"; "" if it is not known yet."""
    if not speed:
        return ""
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s" if speed >= 0.5 else f"{60 * speed:.0f}/min"


def progress_text(progress: DeliveryProgress) -> str:
    """Return the results of this run as text, such as "120 sent, 3 deferred", successes first."""
    from publisher.core.newsletter_models import DeliveryStatus as Status  # not at the top: takes 5 ms

    shown = (Status.SENT, Status.DEFERRED, Status.FAILED, Status.UNCERTAIN)
    return ", ".join(f"{progress[status]:,} {status}" for status in shown if progress[status])


def confirm(question: str, *, yes: bool, unasked: str) -> None:
    """Ask a question that is answered with yes or no, and raise click.Abort for no.

    yes      whether the answer is already given, by --yes
    unasked  what would happen, for the error if there is no terminal on which to ask
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise PublisherError(unasked, hint="use --yes to do it without being asked")
    click.confirm(question, abort=True, err=True)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, goes_on: bool = False) -> None:
    """Print a table with a header row; if the output is not a terminal, as lines whose cells are separated by tabs.

    Control characters in cells are replaced with spaces.
    goes_on: whether the rows continue the previous table, so that no second header is needed
    """
    rows = [[cell.translate(_CONTROLS) for cell in row] for row in rows]
    if sys.stdout.isatty():
        draw_table([(title, 0) for title in head], rows)
        return
    for row in rows if goes_on else [head, *rows]:
        click.echo("\t".join(row))


def draw_table(columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[str | tuple[str, str]]]) -> None:
    """Draw a table on a terminal.

    columns  title and share of the width of each column; a share of 0 makes the column as wide as its cells
    rows     the cells of each row, each a text or a (text, style) pair
    """
    from rich import box  # not at the top: rich takes long to load, and only a terminal needs it
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shared = any(share for _, share in columns)
    for title, share in columns:
        table.add_column(title, overflow="fold", ratio=share or None, no_wrap=shared and not share)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else Text(cell[0], style=cell[1]) for cell in row))
    Console().print(table)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Make SIGTERM and SIGHUP (a closed terminal) raise SystemExit(128 + number), so that they end the run cleanly.

    A signal that was already ignored when the program started stays ignored, such as SIGHUP under `nohup`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can set signal handlers
        return
    found = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    before = {number: handler for number, handler in found.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)
