"""Protect the ids of published posts: settings that would change them are refused unless confirmed.

If the id of a post changes, feed readers show the post again and newsletters send it again. Changes to a post's file
(its id, date or name) stop a build only if a newsletter has sent the post, according to publishing/sent_files.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from publisher.config import Config
from publisher.core.errors import ProjectError, PublisherError
from publisher.core.file_names import in_folder
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity
from publisher.posts.archive import Archive
from publisher.posts.published import Origin, PublishedIds
from publisher.site.feeds.items import entry_id

_CONFIG_FILE = "publisher.toml"
_KEYS = {"authority": "site.authority", "timezone": "site.timezone", "folder": "posts.folder"}


@dataclass(frozen=True, slots=True)
class NewId:
    """A published post that would get a new id.

    source    its path in the posts folder now
    before    its path in the posts folder when it was published
    old, new  its ids as feeds write them
    """

    source: str
    before: str
    old: str
    new: str


class KnownIds:
    """Checks and records the ids of published posts during a build or a publish."""

    def __init__(self, config: Config, *, accept_new: bool) -> None:
        """Open the record of ids. accept_new: whether to continue if ids change."""
        self._config, self._accept = config, accept_new
        self._record, self._origin = PublishedIds(config), Origin.of(config)

    def require_same(self, archive: Archive) -> None:
        """Raise ProjectError if the settings would give published posts different ids. Writes nothing."""
        problem = None if self._accept else changed_by_settings(self._config, archive, self._record)
        if problem:
            raise ProjectError(problem.message, where=problem.path, hint=problem.hint)

    def has(self, archive: Archive) -> bool:
        """Return whether the public posts have the ids that were last recorded."""
        return self._record.has(self._origin, archive.ids())

    def record(self, archive: Archive) -> None:
        """Record the ids of the public posts, if there are any."""
        if ids := archive.ids():
            self._record.write(self._origin, ids)


def id_problems(config: Config, archive: Archive) -> Iterator[Problem]:
    """Yield problems with ids: an error if settings change them, or else a warning for each post with a new id."""
    record = PublishedIds(config)
    problem = changed_by_settings(config, archive, record)
    if problem:
        yield problem
        return
    ids = record.ids()
    for source, now in archive.ids().items():
        before = ids.get(source, now)
        old = archive.settings.old.get(source)
        if before != now and (old is None or old.id != now):  # feed readers know it by the id of the old feed
            yield Problem(
                in_folder(config.posts.folder, source),
                1,
                f"has a new id, so feed readers will show it again: {before} -> {now}",
                f"to keep the old one, put `id: {before}` in its front matter",
                Severity.WARNING,
            )


def changed_by_settings(config: Config, archive: Archive, record: PublishedIds) -> Problem | None:
    """Return a problem if the settings would give published posts new ids, or None."""
    known, origin = record.origin(), Origin.of(config)
    if known is None or not changed_keys(known, origin):
        return None

    def id_before(source: str, source_before: str) -> str:
        """Return the id that a post had under the previous settings."""
        return _id_before(archive, known, source, source_before)

    found = new_ids(known, origin, record.ids(), archive.ids(), id_before)
    if not found and known.authority == origin.authority:
        return None
    keys = to_blame(known, origin, found)
    values = {"authority": known.authority, "timezone": known.timezone, "folder": _folder(config, known, found)}
    names = _KEYS | ({"timezone": "posts.timezone"} if config.posts.timezone else {})
    kept = " and ".join(f'{names[key]} = "{values[key]}"' for key in keys)
    return Problem(
        _CONFIG_FILE,
        0,
        f"{' and '.join(names[key] for key in keys)}: {_what_changes(found, config.posts.folder)}",
        f"to keep the old ids, set {kept}; to continue, use `--accept-new-ids` with build or publish",
    )


def changed_keys(known: Origin, now: Origin) -> list[str]:
    """Return the keys of the settings for ids that have changed."""
    return [key for key in _KEYS if getattr(known, key) != getattr(now, key)]


def new_ids(
    known: Origin,
    now: Origin,
    ids: Mapping[str, str],
    public: Mapping[str, str],
    id_before: Callable[[str, str], str],
) -> list[NewId]:
    """Return the published posts whose ids change because of the settings, not because of their files.

    known      the settings for ids when the posts were published
    now        the settings for ids now
    ids        ids of the posts published earlier, by path
    public     ids of the posts that are public now, by path
    id_before  returns the id of a file under the old settings, given its current path and its earlier path
    """
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
    """Return the keys of the settings that changed the ids, judging by the parts of the ids that differ."""
    changed = changed_keys(known, now)
    parts = [zip(_KEYS, each.old.split(":", 3)[1:], each.new.split(":", 3)[1:], strict=False) for each in found]
    differing = {key for part in parts for key, old, new in part if old != new}
    if known.authority != now.authority:
        differing.add("authority")  # it is also in the ids of feeds and editions
    return [key for key in changed if key in differing] or changed


def _moved(ids: Mapping[str, str], public: Mapping[str, str]) -> dict[str, str]:
    """Return the earlier paths, by current path, of posts whose path in the old posts folder was longer or shorter."""
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
    """Yield the path, then the path without its first folder, and so on, down to the file name."""
    yield source
    while "/" in source:
        source = source.partition("/")[2]
        yield source


def _id_before(archive: Archive, known: Origin, source: str, source_before: str) -> str:
    """Return the id of a file under the old settings; "" if it cannot be read or is not a post."""
    from publisher.posts.head import parse_file  # not at the top: only changed settings need it, and it takes 10 ms

    settings = replace(archive.settings, authority=known.authority, zone=ZoneInfo(known.timezone))
    try:
        path = archive.folder / source
        post = parse_file(str(path), source_before, path.stat().st_size, "", settings).post
    except (PublisherError, OSError):
        return ""
    return post.id if post else ""


def _folder(config: Config, known: Origin, found: list[NewId]) -> str:
    """Return the folder in which posts have their old paths now, even if the old folder was moved as a whole."""
    path = in_folder(config.posts.folder, found[0].source) if found else ""
    return path.removesuffix(f"/{found[0].before}") if found and path.endswith(f"/{found[0].before}") else known.folder


def _what_changes(found: list[NewId], folder: str) -> str:
    if not found:
        return "the ids of feeds and editions would change, and feed readers would show all entries again"
    first = found[0]
    many = len(found) > 1
    posts = f"{len(found):,} published posts would get new ids" if many else "1 published post would get a new id"
    again = "them" if many else "it"
    return (
        f"{posts}, so feed readers would show {again} again, and newsletters would send {again} again "
        f"({in_folder(folder, first.source)}: {first.old} -> {first.new})"
    )
