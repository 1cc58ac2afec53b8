"""Posts that were drafts for a while and still have the date on which they were started.

`publisher new` dates a post on the day on which it is begun. A post that is finished weeks later would appear below
newer ones, where no reader of the site looks for it, so its author is warned when `draft: true` is removed. The warning
lasts until the post is published, and the index remembers when that was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from publisher.core.file_names import in_folder
from publisher.core.models import Problem, Severity
from publisher.posts.index import PostRow
from publisher.posts.post_file import Entry, PostSettings

# A post that is finished a day after it was started has the right date.
_LATE = 24 * 3600


def noted(entries: Iterable[Entry], drafts: Mapping[str, float], now: datetime) -> Iterator[Entry]:
    """Yield the entries of changed files; entries of former drafts get the time at which they stopped being drafts.

    drafts  when each post stopped being a draft, by source; 0 if it was a draft until now
    """
    for source, stamp, digest, parsed in entries:
        if parsed.post and source in drafts and not parsed.post.from_source:
            parsed = replace(parsed, left_draft=drafts[source] or now.timestamp())
        yield source, stamp, digest, parsed


def late_dates(
    rows: Collection[PostRow], settings: PostSettings, now: datetime, published: Callable[[], Mapping[str, str]]
) -> list[Problem]:
    """Return a warning for each former draft that would appear below newer posts, until a build has published it.

    rows       all posts, newest first
    published  function that returns the ids that readers know; called only if there is such a post
    """
    if not any(row.left_draft for row in rows):
        return []
    shown = [row for row in rows if row.published <= now.timestamp()]
    late = [row for row in shown if row.left_draft and row.published < row.left_draft - _LATE]
    if not late:
        return []
    known = set(published().values())
    newest = max((row.published for row in shown if not row.left_draft or row.id in known), default=0.0)
    return [_problem(row, settings) for row in late if row.id not in known and row.published < newest]


def _problem(row: PostRow, settings: PostSettings) -> Problem:
    begun, ready = (datetime.fromtimestamp(at, UTC).astimezone(settings.zone) for at in (row.published, row.left_draft))
    return Problem(
        in_folder(settings.folder, row.source),
        1,
        f"is no longer a draft, but has the date on which it was begun, {begun:%Y-%m-%d}, so it is below newer posts",
        f"write `date: {ready:%Y-%m-%d %H:%M}` if it should be the newest; keep its `id:`, if it has one",
        Severity.WARNING,
    )
