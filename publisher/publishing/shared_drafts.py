"""Links to something that is not public yet, for someone to read it first: a draft, or a newsletter's next email.

A link is signed and expires after some days. It leads to the web application, which shows the file as it is at that
moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.models import Output, RenderedPost
from publisher.core.templates import Templates
from publisher.mail.links import LinkPurpose, Links
from publisher.posts.archive import Archive
from publisher.posts.draft_posts import find_draft, render_draft
from publisher.posts.pictures import PublishedFiles

DAYS, MOST_DAYS = 14, 90


class DraftKind(StrEnum):
    """The kind of draft that a link shows."""

    POST = "post"
    EMAIL = "email"  # the next one of a newsletter


@dataclass(frozen=True, slots=True)
class DraftLink:
    """The contents of a link's token.

    name   the path of a post in the posts folder, or the name of a newsletter
    until  when the link expires
    """

    kind: DraftKind
    name: str
    until: datetime


def draft_link(links: Links, kind: DraftKind, name: str, until: datetime) -> str:
    """Return the URL at which a draft can be seen until a moment."""
    return links.draft(kind.value, name, until.astimezone(UTC).isoformat(timespec="seconds"))


def read_draft_link(links: Links, token: str) -> DraftLink | None:
    """Return the contents of a token, which may have expired; None if it was not made here."""
    parts = links.read(LinkPurpose.DRAFT, token)
    if parts is None:
        return None
    kind, name, until = parts
    return DraftLink(DraftKind(kind), name, datetime.fromisoformat(until))


def draft_source(config: Config, path: Path, here: Path) -> str:
    """Return the path of a post in the posts folder, for a file that a person named.

    here: the person's current folder. Raises PublisherError if it is not the file of a post.
    """
    folder = (config.root / config.posts.folder).resolve()
    for start in (here, config.root, folder):
        found = Path(os.path.normpath(start / path))
        for each in (found, found.resolve()):
            if each.is_relative_to(folder):
                source = each.relative_to(folder).as_posix()
                if find_draft(config, source):
                    return source
    raise PublisherError("is not a post of this project", where=str(path), hint="name the file of a post or a draft")


@dataclass(frozen=True, slots=True)
class DraftSite:
    """The page of a draft, with the files that it loads.

    path   the path of the page in the site, as it will be
    files  the function that makes each file, by its path in the site
    """

    path: str
    files: Mapping[str, Output]

    def file(self, path: str) -> bytes | None:
        """Return the page, or a file that it loads; None for anything else on the site."""
        found = self.files.get(path)
        return found.make() if found else None


def draft_site(config: Config, source: str, posts: Archive) -> DraftSite:
    """Return the page of a post that may not be public yet, as it would be now, with the site's design.

    source: its path in the posts folder. posts: the public posts. Raises PublisherError if it cannot be rendered.
    """
    # Not at the top: of the commands, only `share` and those of the web application need pages.
    from publisher.site.build.copied_files import assets
    from publisher.site.pages.page_files import plan_pages

    rendered = render_draft(config, source, posts)

    def render(_: object) -> RenderedPost:
        """Return the draft, which is rendered already."""
        return rendered

    without_form = replace(config, newsletters=())  # on the page of a draft, no form can be sent
    planned = plan_pages(without_form, [rendered.post], render, (), Templates(config.root / "templates"), ())
    path = rendered.post.permalink.lstrip("/")
    names = {path, f"{path}index.html", f"{path}.html"}
    shown = [each for each in planned if each.path in names or not each.path.endswith((".html", ".xml"))]
    copies: Iterable[Output] = assets(PublishedFiles(config), rendered.assets)
    return DraftSite(quote(path), {each.path: each for each in (*copies, *shown)})
