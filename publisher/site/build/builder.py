"""One build: look at everything, make what is not current, remove what is left over."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import ProjectError
from publisher.core.models import Output, Problem, Severity
from publisher.core.templates import Templates
from publisher.posts.archive import Archive, ArchiveReader, require_posts
from publisher.posts.cache_keys import code_key, hash_of
from publisher.posts.published import PublishedIds
from publisher.site.build.folder import OutputFolder
from publisher.site.build.manifest import Manifest, is_feed, manifest_file
from publisher.site.build.site_files import assets, plan_site, stamps, static_files, without_clashes
from publisher.site.web_versions import NO_WEB_VERSIONS, WebVersions

if TYPE_CHECKING:
    from publisher.posts.markup import Renderer
    from publisher.site.build.ids import KnownIds
    from publisher.site.web_versions import WebVersion

INDEX_FILE = "index.db"

# Told how many outputs are done, of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build found and did. problems: posts that were left out (errors), and warnings."""

    folder: Path
    posts: int
    waiting: int
    feeds: int
    pages: int
    written: int
    removed: int
    problems: tuple[Problem, ...]

    @property
    def changed(self) -> bool:
        return bool(self.written or self.removed)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity is Severity.WARNING)


def build(
    config: Config,
    now: datetime,
    *,
    out: Path | None = None,
    editions: WebVersions = NO_WEB_VERSIONS,
    progress: Progress | None = None,
    accept_new_ids: bool = False,
) -> BuildReport:
    """Bring the output folder up to date with the posts as they are at `now`.

    out defaults to the folder in the configuration. A bad post is left out and reported; the others publish.
    Raises ProjectError when the folder cannot be written; then every file is still whole, old or new. Raises it
    too, and writes no file, when settings would change the ids of published posts: unless accept_new_ids.
    """
    require_posts(config)
    folder = out or config.root / config.pages.output
    manifest = Manifest.read(manifest_file(config, folder))
    templates = Templates(config.root / "templates")
    static = static_files(config.root / config.pages.static) if config.pages.enabled else []
    code = code_key()
    look_of_pages = templates.digest("pages", "web", "locale")
    inputs = hash_of(repr(config), code, look_of_pages, editions.key, *(f"{o.path}:{o.key}" for o in static))
    with _index_in_words(config), closing(ArchiveReader(config)) as reader:
        is_current = reader.is_unchanged and manifest.is_current(inputs, _state_of_index(config), now)
        is_current = is_current and (PublishedIds(config).is_there or not manifest.facts.get("posts"))
        if is_current and manifest.is_intact(str(folder)) and stamps(config.root, manifest.shown) == manifest.shown:
            return _report(folder, manifest, [], 0)
        builder = _Build(config, now, reader, folder, manifest, templates, editions, static, code)
        builder.run(_known_ids(config, accept_new_ids), progress)
    manifest.inputs, manifest.index = inputs, _state_of_index(config)
    try:
        manifest.write()
    except OSError as error:
        # Without the record the next build compares every file again; nothing is wrong with this one.
        manifest.problems.append(
            Problem(str(manifest.path), 0, f"cannot be written: {error.strerror}", "", Severity.WARNING)
        )
    return _report(folder, manifest, builder.target.written, len(builder.target.removed))


def _known_ids(config: Config, accept_new: bool) -> KnownIds:
    from publisher.site.build.ids import KnownIds

    return KnownIds(config, accept_new=accept_new)


@contextmanager
def _index_in_words(config: Config) -> Iterator[None]:
    """Say for a person what SQLite says of the index of posts."""
    import sqlite3

    try:
        yield
    except sqlite3.Error as error:
        where = str(config.state_dir / INDEX_FILE)
        raise ProjectError(
            f"cannot be used: {error}", where=where, hint="make room, or mend the permissions"
        ) from error


def _state_of_index(config: Config) -> str:
    """What changes whenever something was written into the index: SQLite's own count, in the head of the file."""
    try:
        with open(config.state_dir / INDEX_FILE, "rb") as file:
            return f"{os.fstat(file.fileno()).st_mtime_ns}:{file.read(28)[24:].hex()}"
    except OSError:
        return ""


class _Build:
    """The part of a build that has something to do."""

    def __init__(
        self,
        config: Config,
        now: datetime,
        reader: ArchiveReader,
        folder: Path,
        manifest: Manifest,
        templates: Templates,
        editions: WebVersions,
        static: list[Output],
        code: str,
    ) -> None:
        self._config, self._now, self._reader = config, now, reader
        self._manifest, self._templates = manifest, templates
        self._editions, self._static, self._code = editions, static, code
        self.target = OutputFolder(folder, manifest)
        self._pages: Sequence[WebVersion] | None = None

    def run(self, known: KnownIds, progress: Progress | None) -> None:
        """Make everything; a post whose body turns out unreadable is left out, and all is planned again."""
        from publisher.posts.markup import BrokenPost

        while True:
            archive = self._reader.archive(self._now)
            known.require_same(archive)
            try:
                self._make(archive, progress)
            except BrokenPost as broken:
                archive.mark_broken(broken.problem, broken.source)
                continue
            known.record(archive)
            return

    def _make(self, archive: Archive, progress: Progress | None) -> None:
        from publisher.posts.markup import Renderer

        renderer = Renderer(archive, self._config)
        problems = list(archive.problems)
        planned = without_clashes(list(self._plan(archive, renderer)), self._config.pages.output, problems)
        self.target.begin(planned)
        self._put(list(planned.values()), progress)
        renderer.remember()
        wanted = archive.assets()
        self._manifest.shown = stamps(self._config.root, (project_path for _, project_path in wanted))
        shown = [o for o in assets(self._config.root, wanted) if o.path not in planned]
        if shown:
            self.target.begin({*planned, *(output.path for output in shown)})
            self._put(shown, None)
        self.target.remove_others({*planned, *(output.path for output in shown)})
        problems = sorted([*problems, *archive.body_problems()], key=lambda p: (p.path, p.line))
        self._record(archive, planned, problems)

    def _put(self, outputs: Sequence[Output], progress: Progress | None) -> None:
        stale = [output for output in outputs if not self.target.is_current(output)]
        for number, output in enumerate(stale):
            if progress:
                progress(number, len(stale))
            self.target.put(output, output.make())

    def _plan(self, archive: Archive, renderer: Renderer) -> Iterator[Output]:
        if self._pages is None:
            self._pages = self._editions.load()
        return plan_site(self._config, archive, renderer.render, self._templates, self._static, self._pages, self._code)

    def _record(self, archive: Archive, planned: Iterable[str], problems: list[Problem]) -> None:
        manifest = self._manifest
        manifest.since, manifest.until = self._now.astimezone(UTC), archive.next_change
        manifest.problems = problems
        names = list(planned)
        manifest.facts = {
            "posts": len(archive.posts),
            "waiting": archive.waiting,
            "feeds": sum(map(is_feed, names)),
            "pages": sum(name.endswith(".html") for name in names),
        }


def _report(folder: Path, manifest: Manifest, written: Sequence[str], removed: int) -> BuildReport:
    facts = manifest.facts
    return BuildReport(
        folder,
        facts.get("posts", 0),
        facts.get("waiting", 0),
        facts.get("feeds", 0),
        facts.get("pages", 0),
        len(written),
        removed,
        tuple(manifest.problems),
    )
