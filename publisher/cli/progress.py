"""Live progress bars; rich is imported only when somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from publisher.cli.app import App


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
def counter(app: App, title: str) -> Iterator[Callable[[int], None]]:
    """Give a function (done) that draws a running count of what has no known end."""
    if not app.shows_progress:
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done: progress.update(task, completed=done)
