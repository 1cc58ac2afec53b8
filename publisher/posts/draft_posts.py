"""One post as its file is now, whether or not it is public: a draft that is shown to somebody before it is published.

The post is read and rendered separately, so nothing about it is stored, and nothing else changes because of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.file_names import composed, in_folder
from publisher.core.models import RenderedPost, Severity
from publisher.posts.archive import Archive
from publisher.posts.cache_keys import hash_of
from publisher.posts.index import Index
from publisher.posts.index_rows import to_row
from publisher.posts.last_versions import LastVersions
from publisher.posts.markup import BrokenPost, Renderer
from publisher.posts.post_file import PostSettings
from publisher.posts.scan import Scan, Stamp, scan_posts


def find_draft(config: Config, source: str) -> Stamp | None:
    """Return the stamp of a file in the posts folder, which changes with the file; None if it is not there.

    source: the path of the file, relative to the folder
    """
    return scan_posts(config).found.get(source)


def render_draft(config: Config, source: str, posts: Archive) -> RenderedPost:
    """Return a post as its file is now, although it may be a draft, or have a date in the future.

    posts: the public posts, to which its links can lead
    Raises PublisherError if the file is gone, or cannot be published as it is.
    """
    path, stamp = in_folder(config.posts.folder, source), find_draft(config, source)
    if stamp is None:
        raise PublisherError("is no longer there", where=path)
    from publisher.posts.head import read_file  # as for pages

    scan = Scan({source: stamp}, [], [])
    settings = replace(PostSettings.of(config), shows_drafts=True, needs_date=False).for_posts(scan)
    folder = config.root / config.posts.folder
    entry = read_file(f"{folder}/", source, stamp, settings, 0)
    post = entry[3].post
    if post is None:
        first = next((each for each in entry[3].problems if each.severity is Severity.ERROR), None)
        if first is None:
            raise PublisherError("is not a post", where=path)
        raise PublisherError(first.message, where=first.where, hint=first.hint)
    index = Index(None, hash_of(source, str(stamp)))
    try:
        index.update([to_row(entry)], ())
        rows = [row._replace(expires=None) for row in index.rows()]
        others = _others(config, posts)
        moment = max(posts.now, post.updated, post.published) + timedelta(seconds=1)
        here: tuple[Any, ...] = (folder, index, rows, [], moment, settings, LastVersions(config), others)
        return Renderer(Archive(*here), config, inspect=True).render(post)
    except BrokenPost as broken:
        raise PublisherError(broken.problem.message, where=broken.problem.where, hint=broken.problem.hint) from broken
    finally:
        index.close()


def _others(config: Config, posts: Archive) -> dict[str, str]:
    """Return the permalinks of the public posts by the paths of their files in the project (in composed Unicode)."""
    found = posts.places.permalinks.items()
    return {composed(in_folder(config.posts.folder, source)): permalink for source, permalink in found}
