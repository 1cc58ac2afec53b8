"""Which newsletters a command is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import require_known
from publisher.errors import PublisherError

if TYPE_CHECKING:
    from publisher.config import Config

several: Callable[[Any], Any] = click.option(
    "-n",
    "--newsletter",
    "newsletters",
    multiple=True,
    metavar="NAME",
    help="The newsletter; may be given several times. Default: all.",
)


def chosen_newsletters(config: Config, names: Sequence[str]) -> list[str]:
    """Return the newsletters that were named, all if none was; raise PublisherError for an unknown one."""
    known = [newsletter.name for newsletter in config.newsletters]
    if not known:
        raise PublisherError(
            "the project has no newsletter to subscribe to",
            mend="add a [[newsletters]] table to publisher.toml",
        )
    require_known(config, names)
    return list(dict.fromkeys(names)) or known
