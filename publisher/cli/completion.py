"""The names that a shell completes with the Tab key: the newsletters, sources, segments and editions of the project.

Click completes commands and options by itself. A project that cannot be read has no names to offer.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from publisher.cli.app import App
from publisher.core.errors import PublisherError

if TYPE_CHECKING:
    from publisher.config import Config

# How many editions are offered, newest first.
_MOST = 50


def newsletter_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the newsletters whose names begin with what was typed, each with its title."""
    with suppress(PublisherError, OSError):
        names = {each.name: each.title for each in _config(ctx).newsletters}
        return [CompletionItem(name, help=title) for name, title in names.items() if name.startswith(incomplete)]
    return []


def source_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the sources whose names begin with what was typed, each with its address."""
    with suppress(PublisherError, OSError):
        urls = {each.name: each.url for each in _config(ctx).sources}
        return [CompletionItem(name, help=url) for name, url in urls.items() if name.startswith(incomplete)]
    return []


def segment_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the segments whose names begin with what was typed, each with its condition."""
    from publisher.publishing.wiring import open_existing_store  # not at the top: only this needs the database

    with suppress(PublisherError, OSError), open_existing_store(_config(ctx)) as store:
        found = {each.name: each.condition for each in (store.segments.list() if store else ())}
        return [CompletionItem(name, help=text) for name, text in found.items() if name.startswith(incomplete)]
    return []


def edition_ids(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the newest editions whose ids begin with what was typed, each with its newsletter, slot and subject."""
    from publisher.publishing.wiring import open_existing_store  # not at the top: only this needs the database

    with suppress(PublisherError, OSError), open_existing_store(_config(ctx)) as store:
        return [
            CompletionItem(str(each.id), help=f"{each.newsletter} {each.slot}: {each.subject}")
            for each in (store.editions.list(limit=_MOST) if store else ())
            if str(each.id).startswith(incomplete)
        ]
    return []


def _config(ctx: click.Context) -> Config:
    """Return the configuration of the project that a command line names, or of the folder in which it is typed."""
    while ctx.parent and not ctx.params.get("project_"):
        ctx = ctx.parent
    folder = ctx.params.get("project_") or os.environ.get("PUBLISHER_PROJECT")
    return App(Path(folder) if folder else None).config()
