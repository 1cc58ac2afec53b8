"""All posts of a project: read once, indexed, looked at again only where a file changed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import overload

from publisher.config import Config
from publisher.core.errors import ProjectError
from publisher.core.models import Post, Problem, Severity, Tag
from publisher.posts.cache_keys import code_key, hash_of
from publisher.posts.encoding import decode, repair_body, without_controls
from publisher.posts.index import UNKNOWN_NS, Index, PostRow, Referred, tags_of
from publisher.posts.post_file import ParsedFile, PostSettings
from publisher.posts.published import PublishedIds
from publisher.posts.scan import scan
from publisher.posts.slugs import tag_slug


def resolve_clashes(
    rows: list[PostRow], shown: str, published: Callable[[], Mapping[str, str]] = dict
) -> tuple[list[PostRow], list[Problem]]:
    """Leave out a post whose id or permalink another one has; name both files.

    A post that readers know keeps its place, whatever date a later one bears; of others the older one does, and of
    one moment the first by path.

    rows       newest first
    published  returns the ids that readers know, by path; asked only where there is a clash
    """
    places_now = {_place(row.permalink) for row in rows}
    if len(places_now) == len(rows) == len({row.id for row in rows}):
        return rows, []
    ids: dict[str, str] = {}
    places: dict[str, str] = {}
    left_out: set[str] = set()
    problems = []
    for row in _by_right(rows, published()):
        for taken, value, name in ((ids, row.id, "id"), (places, _place(row.permalink), "permalink")):
            if value in taken:
                said = row.id if name == "id" else row.permalink
                problems.append(
                    Problem(
                        f"{shown}/{row.source}",
                        1,
                        f"has the {name} of {shown}/{taken[value]}: {said}",
                        f"give one of them {'an id' if name == 'id' else 'a slug'} of its own",
                        Severity.ERROR,
                    )
                )
                left_out.add(row.source)
                break
        else:
            ids[row.id] = places[_place(row.permalink)] = row.source
    return [row for row in rows if row.source not in left_out], problems


def _by_right(rows: list[PostRow], published: Mapping[str, str]) -> list[PostRow]:
    """The posts in the order in which they may choose. A file that was renamed is known by its id alone."""
    known = set(published.values())

    def rank(row: PostRow) -> tuple[int, float, str]:
        order = 0 if published.get(row.source) == row.id else 1 if row.id in known else 2
        return order, row.published, row.source

    return sorted(rows, key=rank)


def _place(permalink: str) -> str:
    """What two permalinks have in common that would be one file, on a disk that knows no case too."""
    return permalink.casefold().removesuffix("index.html")


class PostList(Sequence[Post]):
    """Posts that are loaded when they are looked at."""

    def __init__(self, sources: list[str], load: Callable[[Iterable[str]], list[Post]]) -> None:
        self._sources, self._load = sources, load

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> Post: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Post]: ...
    def __getitem__(self, index: int | slice) -> Post | Sequence[Post]:
        if isinstance(index, slice):
            return self._load(self._sources[index])
        return self._load([self._sources[index]])[0]

    def __iter__(self) -> Iterator[Post]:
        return iter(self._load(self._sources))


_TICK_NS = 20_000_000


class Archive:
    """The posts of one project at one moment.

    posts        what readers may see at `now`, newest first; loaded only as far as it is looked at
    problems     files that are left out (errors) and what is doubtful in heads (warnings), by path
    next_change  when the next post appears, expires, or comes to be `updated`; None if none will
    """

    def __init__(
        self,
        folder: Path,
        index: Index,
        rows: list[PostRow],
        problems: list[Problem],
        now: datetime,
        settings: PostSettings,
    ) -> None:
        self.folder, self.now, self.settings = folder, now, settings
        self._index = index
        self.problems = sorted(problems, key=lambda p: (p.path, p.line))
        moment = now.timestamp()
        # Most archives hold nothing that waits or ends; then the list is taken as it is.
        timed = [row for row in rows if row.updated > moment or row.expires is not None]
        hidden = {row.source for row in timed if row.published > moment or moment >= (row.expires or moment + 1)}
        self._rows = [row for row in rows if row.source not in hidden] if hidden else rows
        self.waiting = sum(row.published > moment for row in timed)
        times = [t for row in timed for t in (row.published, row.updated, row.expires) if t is not None and t > moment]
        self.next_change = datetime.fromtimestamp(min(times), UTC) if times else None
        self._permalinks = {row.source: row.permalink for row in self._rows}
        self._digests = self._linked_digests()
        self._loaded: dict[str, Post] = {}
        self._stems: dict[str, list[str]] | None = None
        self.posts: Sequence[Post] = PostList([row.source for row in self._rows], self.load)

    def load(self, sources: Iterable[str]) -> list[Post]:
        """Return whole posts, in the order of `sources`."""
        wanted = list(sources)
        for post in self._index.posts([source for source in wanted if source not in self._loaded]):
            self._loaded[post.source] = self._with_digest(post)
        return [self._loaded[source] for source in wanted]

    def digest(self, source: str) -> str:
        """Return what changes whenever the rendered post may change."""
        return self._digests[source]

    def in_feeds(self, tag: str | None = None) -> list[str]:
        """Return the sources of the posts for a feed, newest first: all, or those of one tag's slug."""
        return self.by_tag().get(tag, []) if tag is not None else [row.source for row in self._rows if row.in_feeds]

    def by_tag(self) -> dict[str, list[str]]:
        """Return for every tag's slug the sources of its posts for feeds, newest first."""
        found: dict[str, list[str]] = {}
        lists: dict[str, list[list[str]]] = {"": []}  # the same few combinations of tags come again and again
        for source, tags in [(row.source, row.tags) for row in self._rows if row.in_feeds]:
            if tags not in lists:
                lists[tags] = [found.setdefault(line.partition("\t")[0], []) for line in tags.split("\n")]
            for sources in lists[tags]:
                sources.append(source)
        return found

    def tags(self) -> list[Tag]:
        """Return every tag of a public post by slug; its name is the spelling that most posts use."""
        counts: Counter[str] = Counter()
        for text, count in Counter(row.tags for row in self._rows if row.tags).items():
            for line in text.split("\n"):
                counts[line] += count
        spellings: dict[str, list[tuple[int, str]]] = {}
        for tag, count in zip(tags_of("\n".join(counts)), counts.values(), strict=True):
            spellings.setdefault(tag.slug, []).append((-count, tag.name))
        return [Tag(min(names)[1], slug) for slug, names in sorted(spellings.items())]

    def by_author(self) -> dict[str, tuple[str, list[str]]]:
        """Return for every author's slug the spelling that most posts use, and their posts for feeds, newest first."""
        sources: dict[str, list[str]] = {}  # by the authors of a post together, of which there are few
        for row in self._rows:
            if row.in_feeds:
                sources.setdefault(row.authors, []).append(row.source)
        places: dict[str, list[str]] = {}
        spellings: dict[str, Counter[str]] = {}
        for names, found in sources.items():
            for name in names.split("\n") if names else ():
                slug = tag_slug(name)
                spellings.setdefault(slug, Counter())[name] += len(found)
                places.setdefault(slug, []).append(names)
        return {
            slug: (min(counts, key=lambda name: (-counts[name], name)), self._merged(places[slug], sources))
            for slug, counts in spellings.items()
        }

    def _merged(self, keys: list[str], lists: dict[str, list[str]]) -> list[str]:
        """Return the lists of these keys as one, in the order of the archive."""
        if len(keys) == 1:
            return lists[keys[0]]
        wanted = {source for key in keys for source in lists[key]}
        return [row.source for row in self._rows if row.source in wanted]

    def weights(self, kind: str) -> dict[str, int]:
        """Return what keep_weights kept of the posts that are as they were then; kind says how they were weighed."""
        return {
            source: weight
            for source, (weight, weighed) in self._index.weights().items()
            if source in self._digests and weighed == f"{kind}:{self._digests[source]}"
        }

    def keep_weights(self, kind: str, weights: Mapping[str, int]) -> None:
        """Keep what posts weigh in feeds, for the next start: to know it, a post has to be rendered."""
        self._index.keep_weights((s, weight, f"{kind}:{self._digests[s]}") for s, weight in weights.items())

    def body(self, source: str, *, fix_encoding: bool) -> str:
        """Return the Markdown of a post behind its front matter, repaired as its HTML is if fix_encoding says so."""
        text, _ = without_controls(decode((self.folder / source).read_bytes(), whole=True))
        from publisher.posts.frontmatter import split_body  # YAML, which a build with nothing to do does not load

        body = split_body(text)[0]
        return (repair_body(body)[0] if fix_encoding else body).strip("\n")

    def permalink(self, source: str) -> str | None:
        """Return the permalink of a public post by its path, None where there is no such post."""
        return self._permalinks.get(source)

    def sources(self) -> dict[str, str]:
        """Return the permalink of every public post by its path."""
        return self._permalinks

    def ids(self) -> dict[str, str]:
        """Return the id of every public post by its path."""
        return {row.source: row.id for row in self._rows}

    def by_stem(self) -> dict[str, list[str]]:
        """Return the sources of the public posts by file name without ending."""
        if self._stems is None:
            self._stems = {}
            for source in self._permalinks:
                stem = source.rpartition("/")[2].rpartition(".")[0]
                self._stems.setdefault(stem, []).append(source)
        return self._stems

    def assets(self) -> list[tuple[str, str]]:
        """Return the files that rendered public posts show: (site path, project path), each once."""
        return sorted(
            {pair for source, pairs in self._index.assets().items() if source in self._permalinks for pair in pairs}
        )

    def body_problems(self) -> list[Problem]:
        """Return what is doubtful in the bodies of the public posts that were ever rendered."""
        found = [problem for source, problem in self._index.problems("body_problems") if source in self._permalinks]
        return found + self.asset_clashes()

    def asset_clashes(self) -> list[Problem]:
        """Return a warning for every file that is not published, because another has its address."""
        first: dict[str, str] = {}
        return [
            Problem(
                project_path,
                0,
                f"is not published: {first[site_path]} has its address, /{site_path}",
                "give one of them another name",
                Severity.WARNING,
            )
            for site_path, project_path in self.assets()
            if first.setdefault(site_path, project_path) != project_path
        ]

    def remember(self, rendered: Iterable[Referred]) -> None:
        """Keep what the bodies of rendered posts refer to, for the next start."""
        self._index.remember(rendered)

    def mark_broken(self, problem: Problem, source: str) -> None:
        """Leave a post out whose body turned out to be unreadable, until its file changes."""
        size, mtime_ns = self._index.stamps()[source]
        stamp = (size, mtime_ns if problem.line else UNKNOWN_NS)  # line 0: the file could not be opened
        self._index.update([(source, stamp, self._digests[source], ParsedFile(None, (problem,)))], ())

    def _with_digest(self, post: Post) -> Post:
        from dataclasses import replace

        digest = self._digests[post.source]
        if post.updated > self.now:  # no change that is still to come; readers would hold the post for the newest
            post = replace(post, updated=post.published)
        return post if digest == post.digest else replace(post, digest=digest)

    def _linked_digests(self) -> dict[str, str]:
        """Digests that change too when a post that is linked to moves."""
        moment = self.now.timestamp()
        digests = {
            row.source: row.digest if row.updated <= moment else hash_of(row.digest, "not updated yet")
            for row in self._rows
        }
        for source, targets in self._index.links().items():
            if source in digests:
                places = [self._permalinks.get(target, "") for target in targets]
                digests[source] = hash_of(digests[source], *places)
        return digests


class ArchiveReader:
    """Compares the posts folder with the index, and reads what changed since.

    For callers that want to know whether anything changed, or want the archive at several moments; all others call
    open_archive.
    """

    def __init__(self, config: Config, *, keep: bool = True) -> None:
        """Walk the folder, but read no post yet. See open_archive for the arguments."""
        self.settings = PostSettings.of(config)
        self.folder = config.root / config.posts.folder
        self.index = Index(config.state_dir / "index.db" if keep else None, hash_of(code_key(), repr(self.settings)))
        # A file that was written in this very tick of the disk's clock may be written again, and its time not tell.
        self._settled_ns = time.time_ns() - _TICK_NS
        self._record = PublishedIds(config)
        self._found, self.problems = scan(self.folder, self.settings.folder, config.root)
        known = self.index.stamps()
        self._gone = known.keys() - self._found.keys()
        # Comparing the whole takes a quarter of the time, and is the answer of most builds.
        changed = () if known == self._found else self._found.items()
        self._changed = [source for source, stamp in changed if known.get(source) != stamp]
        self._changed += self._remeasured()

    def close(self) -> None:
        """Close the index; the archives that this reader returned must not be used afterwards."""
        self.index.close()

    @property
    def is_unchanged(self) -> bool:
        """Whether every file is as the index knows it, and all could be looked at."""
        return not (self._changed or self._gone or self.problems)

    def _remeasured(self) -> list[str]:
        """The posts whose lengths are those of files that have other sizes now; there are few such posts."""
        measured = self.index.measured()
        if not measured:
            return []
        from publisher.posts.enclosures import size_in

        root, changed = self.settings.root, set(self._changed)
        return [
            source
            for source, files in measured.items()
            if source in self._found
            and source not in changed
            and any(size_in(root, path) != size for path, size in files)
        ]

    def archive(self, now: datetime) -> Archive:
        """Read the heads of the files that changed, and return the archive as it is at `now`."""
        if self._changed or self._gone:
            from publisher.posts.head import read_file

            folder, found, settings, before = f"{self.folder}/", self._found, self.settings, self._settled_ns
            entries = (read_file(folder, source, found[source], settings, before) for source in sorted(self._changed))
            self.index.update(entries, sorted(self._gone))
            self._changed, self._gone = [], set()
        rows, clashes = resolve_clashes(self.index.rows(), self.settings.folder, self._record.ids)
        problems = [*self.problems, *clashes, *(problem for _, problem in self.index.problems())]
        return Archive(self.folder, self.index, rows, problems, now, self.settings)


def open_archive(config: Config, now: datetime, *, keep: bool = True) -> Archive:
    """Return the project's posts as they are at `now`.

    keep  whether the index is kept in .publisher/ for the next time; False keeps it in memory and writes nothing
    Raises nothing for bad posts: they are in Archive.problems.
    """
    return ArchiveReader(config, keep=keep).archive(now)


def require_posts(config: Config) -> None:
    """Raise ProjectError when there is no posts folder: a typing error, or a disk that is away, empties no site."""
    folder = config.root / config.posts.folder
    if folder.exists() and not folder.is_dir():
        hint = "move it away, or set posts.folder"
        raise ProjectError("is a file, not a folder of posts", where=config.posts.folder, hint=hint)
    if not folder.is_dir():
        raise ProjectError(
            "there is no such folder of posts",
            where=config.posts.folder,
            hint='publisher new "Hello, world" makes it, or set posts.folder',
        )
