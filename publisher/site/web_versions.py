"""The web versions of editions, for feeds and pages to show. Another package renders them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from publisher.core.frozen import dataclass

if TYPE_CHECKING:
    from publisher.core.newsletter_models import Edition


@dataclass(frozen=True, slots=True)
class WebVersion:
    """The public version of an edition. `html` is a complete document without placeholders."""

    edition: Edition
    html: str


@dataclass(frozen=True, slots=True)
class WebVersions:
    """The web versions of all editions to show, loaded when they are needed.

    key       a string that changes whenever the editions change; "" if there are none
    load      returns the web versions, newest first; it reads the database, so it is called only if a build needs it
    database  the URL of the database whose store.location.editions_key is the key; None if it comes from elsewhere
    """

    key: str
    load: Callable[[], Sequence[WebVersion]]
    database: str | None = None


NO_WEB_VERSIONS = WebVersions("", lambda: ())
