"""The web versions of editions, for feeds and pages to show. They are rendered before they come to this room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publisher.core.newsletter_models import Edition


@dataclass(frozen=True, slots=True)
class WebVersion:
    """An edition as anyone may see it: html is a whole document, with no mark left to fill in."""

    edition: Edition
    html: str


@dataclass(frozen=True, slots=True)
class WebVersions:
    """All editions to publish, newest first.

    key   changes whenever they do; empty for none
    load  returns them; only called when a build has something to do, because it reads the database
    """

    key: str
    load: Callable[[], Sequence[WebVersion]]


NO_WEB_VERSIONS = WebVersions("", lambda: ())
