"""The ids that readers know: a change of settings that would make others is refused, unless it is meant.

Feed readers show a post with a new id once more, and newsletters send it again. A post's own file is its
writer's business: a new id there, or another date or name, is never refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from publisher.config import Config
from publisher.core.errors import ProjectError, PublisherError
from publisher.core.models import Problem, Severity
from publisher.posts.archive import Archive
from publisher.posts.published import Origin, PublishedIds

_CONFIG_FILE = "publisher.toml"
_KEYS = {"authority": "site.authority", "timezone": "site.timezone", "folder": "posts.folder"}


@dataclass(frozen=True, slots=True)
class NewId:
    """A published post that would be another one for readers. Ids are as feeds say them.

    before  its path in the folder of posts when it was published
    """

    source: str
    before: str
    old: str
    new: str


class KnownIds:
    """What one build may do to the ids that readers know, and its record of them."""

    def __init__(self, config: Config, *, accept_new: bool) -> None:
        """accept_new: go on although ids change."""
        self._config, self._accept = config, accept_new
        self._record = PublishedIds(config)

    def require_same(self, archive: Archive) -> None:
        """Raise ProjectError when the settings give published posts other ids than readers know; write nothing."""
        problem = None if self._accept else changed_by_settings(self._config, archive, self._record)
        if problem:
            raise ProjectError(problem.message, where=problem.path, hint=problem.hint)

    def record(self, archive: Archive) -> None:
        """Write down the ids of the public posts, as far as they are not yet."""
        ids, origin = archive.ids(), Origin.of(self._config)
        if ids and not self._record.has(origin, ids):
            self._record.write(origin, ids)


def id_problems(config: Config, archive: Archive) -> Iterator[Problem]:
    """Yield what `publisher check` tells: an error for settings that change ids, a warning for each post that does."""
    record = PublishedIds(config)
    problem = changed_by_settings(config, archive, record)
    if problem:
        yield problem
        return
    ids = record.ids()
    for source, now in archive.ids().items():
        before = ids.get(source, now)
        if before != now:
            yield Problem(
                f"{config.posts.folder}/{source}",
                1,
                f"has a new id, so readers will see it again: {before} -> {now}",
                f"`id: {before}` in its front matter keeps the old one",
                Severity.WARNING,
            )


def changed_by_settings(config: Config, archive: Archive, record: PublishedIds) -> Problem | None:
    """Return what is wrong when the settings would give published posts new ids, else None."""
    known, origin = record.origin(), Origin.of(config)
    if known is None or not changed_keys(known, origin):
        return None

    def id_before(source: str, source_before: str) -> str:
        return _id_before(archive, known, source, source_before)

    found = new_ids(known, origin, record.ids(), archive.ids(), id_before)
    if not found and known.authority == origin.authority:
        return None
    keys = to_blame(known, origin, found)
    values = {"authority": known.authority, "timezone": known.timezone, "folder": _folder(config, known, found)}
    kept = " and ".join(f'{_KEYS[key]} = "{values[key]}"' for key in keys)
    return Problem(
        _CONFIG_FILE,
        0,
        f"{' and '.join(_KEYS[key] for key in keys)}: {_what_changes(found, config.posts.folder)}",
        f"{kept} keeps the old ids; `--accept-new-ids` with build or publish goes on",
    )


def changed_keys(known: Origin, now: Origin) -> list[str]:
    """Return which settings that ids are made of are other ones than before."""
    return [key for key in _KEYS if getattr(known, key) != getattr(now, key)]


def new_ids(
    known: Origin,
    now: Origin,
    ids: Mapping[str, str],
    public: Mapping[str, str],
    id_before: Callable[[str, str], str],
) -> list[NewId]:
    """Return the published posts whose ids the new settings change, and not their own files.

    ids, public  id by path: published before, and public now
    id_before    gives the id that a file would have had at a path under the old settings
    """
    from publisher.site.feeds.items import entry_id

    moved = _moved(ids, public) if known.folder != now.folder else {}
    found = []
    for source, new in public.items():
        before = source if source in ids else moved.get(source, "")
        if before not in ids:
            continue
        old_id, new_id = entry_id(ids[before], known.authority), entry_id(new, now.authority)
        if old_id != new_id and (ids[before] == new or id_before(source, before) == ids[before]):
            found.append(NewId(source, before, old_id, new_id))
    return found


def to_blame(known: Origin, now: Origin, found: list[NewId]) -> list[str]:
    """Return the settings that made the ids others, told by the part in which the ids differ."""
    changed = changed_keys(known, now)
    parts = [zip(_KEYS, each.old.split(":", 3)[1:], each.new.split(":", 3)[1:], strict=False) for each in found]
    differing = {key for part in parts for key, old, new in part if old != new}
    if known.authority != now.authority:
        differing.add("authority")  # those of feeds and editions too
    return [key for key in changed if key in differing] or changed


def _moved(ids: Mapping[str, str], public: Mapping[str, str]) -> dict[str, str]:
    """For posts that the old folder named by a longer or a shorter path: the path there."""
    gone = [source for source in ids if source not in public]
    tails = {tail: source for source in gone for tail in _tails(source)}
    found = {}
    for source in public:
        if source not in ids:
            before = tails.get(source) or next((tails[t] for t in _tails(source) if tails.get(t) == t), None)
            if before:
                found[source] = before
    return found


def _tails(source: str) -> Iterator[str]:
    """The path, then without its first folder, and so on to the file's name."""
    yield source
    while "/" in source:
        source = source.partition("/")[2]
        yield source


def _id_before(archive: Archive, known: Origin, source: str, source_before: str) -> str:
    """The id of a file under the settings of before; "" where it cannot be read, or was no post."""
    from publisher.posts.head import parse_file

    settings = replace(archive.settings, authority=known.authority, zone=ZoneInfo(known.timezone))
    try:
        path = archive.folder / source
        post = parse_file(str(path), source_before, path.stat().st_size, "", settings).post
    except (PublisherError, OSError):
        return ""
    return post.id if post else ""


def _folder(config: Config, known: Origin, found: list[NewId]) -> str:
    """The folder from which posts have the paths of before; it may have been moved with all that is in it."""
    path = f"{config.posts.folder}/{found[0].source}" if found else ""
    return path.removesuffix(f"/{found[0].before}") if found and path.endswith(f"/{found[0].before}") else known.folder


def _what_changes(found: list[NewId], folder: str) -> str:
    if not found:
        return "the ids of the feeds and of the editions would change, and readers would see these again"
    first = found[0]
    many = len(found) > 1
    posts = f"{len(found):,} published posts would get new ids" if many else "1 published post would get a new id"
    again = "them" if many else "it"
    return (
        f"{posts}, so readers would see {again} again and newsletters send {again} again "
        f"({folder}/{first.source}: {first.old} -> {first.new})"
    )
