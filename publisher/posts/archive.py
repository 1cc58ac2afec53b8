"""The posts of a project at one moment. Only files that have changed are read."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from publisher.config import Config
from publisher.core.errors import ProjectError
from publisher.core.file_names import out_of_folder
from publisher.core.listing import TICK_NS
from publisher.core.models import Post, Problem, Severity, Tag
from publisher.posts.blog_tools.path_languages import translated_sources
from publisher.posts.cache_keys import code_key, hash_of, with_stamps
from publisher.posts.clashes import Copy, Resolved, also_from, asset_clashes, named_alike, resolve_clashes
from publisher.posts.first_texts import FirstTexts
from publisher.posts.index import INDEX_FILE, UNKNOWN_NS, Index, PostRow, Referred
from publisher.posts.index_rows import Row, to_row
from publisher.posts.last_versions import LastVersions
from publisher.posts.left_drafts import late_dates, noted
from publisher.posts.loaded_posts import LoadedPosts, at_moment
from publisher.posts.page_heads import page_permalinks
from publisher.posts.places import Places
from publisher.posts.post_file import Entry, ParsedFile, PostSettings
from publisher.posts.post_groups import all_tags, by_author, by_tag, site_language, translations
from publisher.posts.published import PublishedIds
from publisher.posts.scan import ENDINGS, is_item, require_posts, scan_posts

if TYPE_CHECKING:
    from publisher.posts.sources.stored_items import StoredItems

# How many posts, the newest ones, have their bodies stored when they are rendered.
MOST_BODIES = 1_000


def open_archive(config: Config, now: datetime, *, keep: bool = True, whole: bool = False) -> Archive:
    """Return the archive of the project's posts at the moment `now`.

    keep   whether the index is saved in .publisher/ for the next run; if False, it is copied into memory
    whole  whether to raise ProjectError if there is no posts folder, or part of it cannot be read
    Broken posts raise no exception; they are reported in Archive.problems.
    """
    reader = ArchiveReader.whole(config, keep=keep) if whole else ArchiveReader(config, keep=keep)
    return reader.archive(now)


class ArchiveReader:
    """A reader that compares the posts folder with the index and reads the files that have changed.

    It is for callers that need to know whether anything changed, or need the archive at several moments. Other callers
    use open_archive. settled_ns: files that change at that time (in nanoseconds) or later may change while they are
    read.
    """

    def __init__(self, config: Config, *, keep: bool = True, reread: bool = False) -> None:
        """Walk the folder without reading any post. See open_archive for `keep`; with `reread`, no index is copied."""
        self._config, self.folder = config, config.root / config.posts.folder
        self.settled_ns = time.time_ns() - TICK_NS
        self._found, self.problems, self._unread = scanned = scan_posts(config)
        translated = frozenset[str]() if config.posts.tool else translated_sources(self._found, ENDINGS)
        self.settings = replace(PostSettings.of(config).for_posts(scanned), translated=translated)
        key = hash_of(code_key(), repr(self.settings), *sorted(translated))
        path = config.state_dir / INDEX_FILE
        self.index = Index(path, key) if keep else Index(None, key, None if reread else path)
        self._published_ids = PublishedIds(config)
        self._items: StoredItems | None = None
        if config.sources:
            from publisher.posts.sources.stored_items import StoredItems  # not at the top: most projects have none

            self._items = StoredItems(config, self.index, self.settings)
            self._found |= self._items.found
        self._versions = LastVersions(config, self.settings)
        self._taken: dict[str, Problem] = {}
        self._texts: FirstTexts | None = None
        known = self.index.stamps()
        self._gone = known.keys() - self._found.keys()
        if self._gone or not known:
            self._note_taken()
        # In most builds nothing has changed, and comparing the two as a whole takes a quarter of the time.
        changed = () if known == self._found else self._found.items()
        self._changed = [source for source, stamp in changed if known.get(source) != stamp]
        self._changed += self._remeasured()

    @classmethod
    def whole(cls, config: Config, *, keep: bool = True) -> ArchiveReader:
        """Return a reader that has found every post. See open_archive for `keep`.

        Raises ProjectError if the posts folder is missing or part of it cannot be read: posts would seem to be deleted.
        """
        require_posts(config)
        reader = cls(config, keep=keep)
        if not reader._unread:
            return reader
        reader.close()
        first = reader._unread[0]
        raise ProjectError(first.message, where=first.where, hint=first.hint)

    def close(self) -> None:
        """Close the index; the archives that this reader returned must not be used afterwards."""
        for each in (self.index, self._versions, self._items):
            if each:
                each.close()

    @property
    def sources(self) -> list[str]:
        """The sources of all post files and items that were found, sorted."""
        return sorted(self._found)

    @property
    def is_unchanged(self) -> bool:
        """Whether the folder could be walked and every file is unchanged since it was indexed."""
        has_errors = any(problem.severity is Severity.ERROR for problem in self.problems)
        return not (self._changed or self._gone or self._taken or has_errors)

    @property
    def state(self) -> str:
        """A text that changes when the index or the problems of the folder change (see Index.state)."""
        return hash_of(self.index.state, *map(str, self.problems))

    def archive(self, now: datetime, *, keeps_texts: bool = False) -> Archive:
        """Read the changed files' front matter, and return the archive. keeps_texts: for a later keep_versions."""
        if self._changed or self._gone or self._taken:
            self._texts = self._versions.first_texts(now) if keeps_texts else None
            self.index.update(self._changed_rows(self.index.drafts(), now), sorted(self._gone), self._found)
            self._changed, self._gone, self._taken = [], set(), {}
        if self._items:
            self._items.keep()
        rows, clashes, copies = self._resolve_clashes()
        if clashes and (apart := self._found.keys() & named_alike(self.index.rows(), clashes, self._slug_language)):
            settings = replace(self.settings, own_names=frozenset(apart))
            self.index.update(map(to_row, map(self._versions.readable, self._read(sorted(apart), settings))), ())
            rows, clashes, copies = self._resolve_clashes()
        if clashes and self._show_last_versions(clashes):
            rows, clashes, copies = self._resolve_clashes()
        problems = [*self.problems, *clashes.values(), *(problem for _, problem in self.index.problems())]
        problems += late_dates(rows, self.settings, now, self._published_ids.ids)
        others = page_permalinks(self._config, now)
        here = self.folder, self.index, rows, problems, now, self.settings, self._versions
        return Archive(*here, others, self._items, copies)

    def _changed_rows(self, drafts: Mapping[str, float], now: datetime) -> Iterator[Row]:
        """Yield the rows of the files that have changed, plain files first. drafts: see Index.drafts."""
        from publisher.posts.head import plain_rows  # a build with nothing to do saves 0.02 s

        others = [source for source in self._changed if source in drafts]
        stamps = {source: self._found[source] for source in sorted(self._changed) if source not in drafts}
        yield from plain_rows(f"{self.folder}/", stamps, self.settings, self.settled_ns, others, self._texts)
        taken = ((source, (0, UNKNOWN_NS), "", ParsedFile(None, (each,))) for source, each in self._taken.items())
        entries = map(self._versions.readable, chain(self._read(sorted(others), self.settings), taken))
        yield from map(to_row, noted(entries, drafts, now))

    def _read(self, sources: Collection[str], settings: PostSettings) -> Iterator[Entry]:
        from publisher.posts.head import read_file  # see above

        folder, found, files, items = f"{self.folder}/", self._found, sources, list[str]()
        if self._items:
            files, items = [each for each in files if not is_item(each)], [each for each in files if is_item(each)]
        read = (read_file(folder, source, found[source], settings, self.settled_ns) for source in files)
        return chain(read, self._items.entries(items)) if self._items and items else read

    def _note_taken(self) -> None:
        """Find out whether published posts whose files were not found were deleted or replaced by something else."""
        reported = {out_of_folder(self.settings.folder, problem.path): problem for problem in self.problems}
        gone = (self.index.stamps().keys() | self._versions.stamps().keys()) - self._found.keys()
        self._taken, blocked = self._versions.taken(gone, reported)
        self._gone -= self._taken.keys()
        self.problems = [each for each in self.problems if each not in self._taken.values()]
        self._unread += [problem for problem in blocked if problem not in self._unread]

    def _resolve_clashes(self) -> Resolved:
        rows, known = self.index.rows(), (self._published_ids.ids, self._edited)
        items = (self._items.links(rows), self._items.seen) if self._items else ()
        return resolve_clashes(rows, self.settings.folder, *known, *items)

    @property
    def _slug_language(self) -> str:
        return self.settings.language if self.settings.tool in ("jekyll", "pelican") else ""

    def _edited(self) -> set[str]:
        """Return the sources of the posts that have changed since a build published them."""
        found = self._found
        return {source for source, stamp in self._versions.stamps().items() if found.get(source, stamp) != stamp}

    def _show_last_versions(self, clashes: Mapping[str, Problem]) -> bool:
        """Show the last version of posts that an edit gave the id or address of others; return whether any exist."""
        edited = self._edited() - self.index.last_versions()
        entries = [
            self._versions.instead((source, (self._found[source][0], UNKNOWN_NS), "", ParsedFile(None, (problem,))))
            for source, problem in clashes.items()
            if source in edited
        ]
        shown = [entry for entry in entries if entry[3].post]
        if shown:
            self.index.update(map(to_row, shown), ())
        return bool(shown)

    def _remeasured(self) -> list[str]:
        """Return the sources of posts with an enclosure whose size has changed."""
        measured = self.index.measured()
        if not measured:
            return []
        from publisher.posts.front_matter.enclosures import remeasured  # only podcasts need it

        same = self._found.keys() - set(self._changed)
        return remeasured(self.settings.root, {each: measured[each] for each in measured if each in same})


class Archive:
    """The posts of one project at one moment.

    posts        the posts that are public at `now`, newest first; each is loaded when it is first used
    places       the permalinks of these posts, for references from other posts
    problems     errors of posts that are left out, and warnings about front matter, sorted by path
    broken       the problems of posts that exceeded a limit when they were rendered; these are not rendered again
    waiting      source and time of publication of each post that will become public later
    last_versions  sources of the posts that are read from their last readable version, because their files have errors
    sites        the site of each source, by the source's name
    copies       items that are left out because they are the same post as another item or a file
    next_change  when the next post appears, expires or reaches its `updated` time; None if there is no such time
    """

    def __init__(
        self,
        folder: Path,
        index: Index,
        rows: list[PostRow],
        problems: list[Problem],
        now: datetime,
        settings: PostSettings,
        versions: LastVersions,
        others: Mapping[str, str],
        items: StoredItems | None = None,
        copies: Collection[Copy] = (),
    ) -> None:
        self.folder, self.now, self.settings, self._versions = folder, now, settings, versions
        self._index, self._all_rows, self._items = index, rows, items
        self.sites, self._also_from = items.sites if items else {}, also_from(copies)
        self.copies = tuple(copies)
        self.problems = sorted(problems, key=lambda p: (p.path, p.line))
        moment = now.timestamp()
        # In most archives no post waits or expires, and the list is used unchanged.
        timed = [row for row in rows if row.updated > moment or row.expires is not None]
        hidden = {row.source for row in timed if row.published > moment or moment >= (row.expires or moment + 1)}
        self._rows = [row for row in rows if row.source not in hidden] if hidden else rows
        self.waiting = [(row.source, row.published) for row in timed if row.published > moment]
        times = [t for row in timed for t in (row.published, row.updated, row.expires) if t is not None and t > moment]
        self.next_change = datetime.fromtimestamp(min(times), UTC) if times else None
        self._permalinks = {row.source: row.permalink for row in self._rows}
        keys = index.translation_keys() if settings.tool in ("hugo", "jekyll") else {}
        self._translations = translations(self._rows, settings, keys)
        self.broken: dict[str, Problem] = {}
        self.places = Places(folder, self._permalinks, settings, others, self._earlier(), index.by_email())
        self.last_versions = index.last_versions()
        self._digests = self._linked_digests()
        self.posts = LoadedPosts([row.source for row in self._rows], self._read_posts)

    def _earlier(self) -> frozenset[str]:
        """Return the earlier paths of the public posts, from which the site redirects to them.

        They matter only on a site whose URL has a path: on other sites, no link depends on which paths exist.
        """
        if not self.settings.has_pages or not urlsplit(self.settings.site_url).path:
            return frozenset()
        found = self._index.earlier().items()
        return frozenset(path for source, paths in found if source in self._permalinks for path in paths)

    def load(self, sources: Iterable[str]) -> list[Post]:
        """Return the complete posts, in the order of `sources`."""
        return self.posts.load(sources)

    def _read_posts(self, sources: Iterable[str]) -> Iterator[Post]:
        for post in self._index.posts(sources, self._digests, self._permalinks):
            site, others = self.sites.get(post.from_source), self._translations.get(post.source, ())
            yield at_moment(post, self.now, site, others, *self._also_from.get(post.source, ()))

    @property
    def has_earlier_paths(self) -> bool:
        """Whether any post has an earlier path, from which the site redirects to it."""
        return bool(self._index.earlier())

    def digest(self, source: str) -> str:
        """Return a hash that changes whenever the rendered post may change."""
        return self._digests[source]

    def permalink(self, source: str) -> str | None:
        """Return the permalink of the public post with this source, or its URL on another site; else None."""
        return self._permalinks.get(source)

    def permalinks(self) -> Collection[str]:
        """Return the permalinks of all public posts, and the URLs of those whose pages are elsewhere."""
        return self._permalinks.values()

    def ids(self) -> dict[str, str]:
        """Return the id of every public post, by source path."""
        return {row.source: row.id for row in self._rows}

    def all_ids(self) -> dict[str, str]:
        """Return the id of every post, including those that are not public yet or no longer, by source path."""
        return {row.source: row.id for row in self._all_rows}

    def digest_of(self, source: str) -> str:
        """Return a hash of the digest of a public post, short enough for the ledger; "" for any other path."""
        return hash_of(self._digests[source]) if source in self._digests else ""

    def in_feeds(self) -> list[str]:
        """Return the sources of the posts that appear in feeds, newest first."""
        return [row.source for row in self._rows if row.in_feeds]

    def by_tag(self) -> dict[str, list[str]]:
        """Return, by the slug of each tag, the sources of its posts that appear in feeds, newest first."""
        return by_tag(self._rows)

    def tags(self) -> list[Tag]:
        """Return all tags of public posts, sorted by slug, each with the name that most posts use."""
        return all_tags(self._rows)

    def by_author(self) -> dict[str, tuple[str, list[str]]]:
        """Return what post_groups.by_author returns for the public posts."""
        return by_author(self._rows)

    def languages(self) -> list[str]:
        """Return the language of every public post."""
        return [row.language for row in self._rows]

    def in_language(self, language: str) -> list[str]:
        """Return the sources of the posts in feeds that are listed under a language of the site, newest first."""
        languages, usual = self.settings.languages, self.settings.language
        spoken = {each: site_language(each, languages, usual) for each in {row.language for row in self._rows}}
        return [row.source for row in self._rows if row.in_feeds and spoken[row.language] == language]

    def remember(self, rendered: Iterable[Referred]) -> None:
        """Store in the index the references in the bodies of rendered posts, for the next run."""
        self._index.remember(rendered)

    def text_instead(self, source: str) -> bytes | None:
        """Return the text to use instead of a file: a post's last readable version, or an item's text; else None.

        Raises PostError if there is no longer such a version.
        """
        if self._items and is_item(source):
            return self._items.text(source)
        return self._versions.text(source) if source in self.last_versions else None

    def read(self, source: str) -> bytes:
        """Return the file of a post, or its last readable version; raise OSError or PostError if there is none."""
        text = self.text_instead(source)
        return (self.folder / source).read_bytes() if text is None else text

    def mark_broken(self, problem: Problem, source: str, *, lasting: bool = True) -> Problem:
        """Show the last readable version of a post whose body cannot be rendered, or leave it out.

        This lasts until its file changes if `lasting`, or else only this time. Returns the problem, which says whether
        there is such a version. The archive must be opened again.
        """
        size, mtime_ns = self._index.stamps()[source]
        stamp = (size, mtime_ns if lasting else UNKNOWN_NS)
        entry: Entry = (source, stamp, self._digests[source], ParsedFile(None, (problem,)))
        if source not in self.last_versions:
            entry = self._versions.instead(entry)
        self._index.update([to_row(entry)], ())
        return entry[3].problems[0]

    @property
    def shown_last_versions(self) -> int:
        """The number of public posts that are read from their last readable version."""
        return len(self._permalinks.keys() & self.last_versions)

    def keep_versions(self) -> None:
        """Store the texts of the public posts that changed, once a build has published them."""
        public = self._permalinks.keys() - self.last_versions
        if self._items:
            public = {source for source in public if not is_item(source)}
        shown = self._permalinks.keys() & self.last_versions
        self._versions.keep(public, shown, self._index.stamps(), self.now)

    def assets(self) -> list[tuple[str, str]]:
        """Return the files that rendered public posts show, as (site path, project path), without duplicates."""
        return sorted(
            {pair for source, pairs in self._index.assets().items() if source in self._permalinks for pair in pairs}
        )

    def awaited(self) -> list[str]:
        """Return the paths, in the project, of files that public posts depend on or name by a path from the root."""
        links = self._index.links().items()
        found = {target for source, targets in links if source in self._permalinks for target in targets}
        paths = (target.removeprefix(".")[1:] for target in found if target.startswith(("/", "./")))
        return sorted(path for path in set(paths) if Path(path).suffix)

    def body_problems(self) -> list[tuple[str, Problem]]:
        """Return (source, problem) of the bodies of public posts that were rendered in this run or an earlier one."""
        return [each for each in self._index.problems("body_problems") if each[0] in self._permalinks]

    def asset_clashes(self) -> list[Problem]:
        """Return a warning for every file that is not published because another file has the same URL."""
        return asset_clashes(self.assets())

    def weights(self, kind: str) -> dict[str, int]:
        """Return the weights stored by keep_weights for this kind, for posts that have not changed since."""
        return {
            source: weight
            for source, (weight, weighed) in self._index.weights().items()
            if source in self._digests and weighed == f"{kind}:{self._digests[source]}"
        }

    def keep_weights(self, kind: str, weights: Mapping[str, int]) -> None:
        """Store the size in bytes of each post in feeds, so that the next run knows it without rendering the post.

        kind     the kind of content that was measured, such as full texts or summaries
        weights  size in bytes, by source
        """
        self._index.keep_weights((s, weight, f"{kind}:{self._digests[s]}") for s, weight in weights.items())

    @property
    def has_bodies(self) -> bool:
        """Whether any bodies may be stored; False in a first build."""
        return self._index.has_bodies

    def body(self, source: str, key: str) -> tuple[str, str, int] | None:
        """Return the (HTML, excerpt, number of words) that keep_bodies stored for a post under this key, if any."""
        return self._index.body(source, f"{key}:{self._digests[source]}")

    def keep_bodies(self, bodies: Mapping[str, tuple[str, str, str, int]]) -> None:
        """Store bodies that depend only on their posts, as (key, HTML, excerpt, number of words), by source.

        Only the bodies of the newest posts are stored, since feeds and pages show these again and again.
        """
        newest = {row.source for row in self._rows[:MOST_BODIES]} & bodies.keys()
        rows = ((source, f"{bodies[source][0]}:{self._digests[source]}", *bodies[source][1:]) for source in newest)
        if newest:
            self._index.keep_bodies(rows)

    def _linked_digests(self) -> dict[str, str]:
        """Return the digest of each post, which also changes with its pictures, and when a linked post moves.

        A setting, or another file, can change any post and its address, although its own file stays the same.
        """
        moment, digests = self.now.timestamp(), {row.source: row.digest for row in self._rows}
        for row in self._rows:
            if row.updated > moment:
                digests[row.source] += " not updated yet"
        for source, others in self._translations.items():
            digests[source] = hash_of(digests[source], *map(str, others))
        digests = self.places.with_links(digests, self._index.links())
        return with_stamps(digests, self._index.assets(), self.settings.root)
