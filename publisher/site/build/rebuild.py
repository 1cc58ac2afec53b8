"""The part of a build that makes files. It loads the renderer, the feeds and the pages, so it is imported on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from publisher.config import Config
from publisher.core.errors import ChangedError, ProjectError
from publisher.core.models import Output, Paint, Problem, Severity, problem_at
from publisher.core.templates import Templates
from publisher.posts.archive import Archive, ArchiveReader
from publisher.posts.markup import BrokenPost, Renderer
from publisher.posts.pictures import PublishedFiles
from publisher.posts.standalone import standalone_pages
from publisher.site.build.copied_files import StaticFiles, assets, stamps
from publisher.site.build.folder import OutputFolder, Progress
from publisher.site.build.ids import KnownIds
from publisher.site.build.manifest import Manifest, is_feed, manifest_file
from publisher.site.build.site_files import plan_site, standalone_problems, without_clashes
from publisher.site.feeds.feed_files import size_problems
from publisher.site.feeds.items import PostSource
from publisher.site.web_versions import WebVersion, WebVersions

# How many complete posts are kept at once.
_MOST_LOADED = 2_000

# How often a build begins again because of another process.
_MOST_CHANGES = 5


class Rebuild:
    """A build that has files to make. It writes the changed files and updates the manifest without saving it."""

    def __init__(
        self,
        config: Config,
        reader: ArchiveReader,
        templates: Templates,
        static: StaticFiles,
        editions: WebVersions,
        folder: OutputFolder,
        manifest: Manifest,
    ) -> None:
        self._config, self._reader, self._templates, self._static = config, reader, templates, static
        self._editions, self._folder, self._manifest = editions, folder, manifest
        self._web_versions: Sequence[WebVersion] | None = None

    def run(
        self,
        now: datetime,
        progress: Progress | None,
        require: Callable[[Archive], None] | None,
        archive: Archive | None = None,
        *,
        accept_new_ids: bool,
    ) -> None:
        """Make all files that changed.

        If the body of a post turns out to be unreadable, the whole site is planned again, either with the last readable
        version of that post or without it. It is planned again, too, if another process notices deleted posts.
        Raises ProjectError, before any file is written, if settings would change ids and `accept_new_ids` is False.
        require: see builder.build. archive: the posts, if they were read; None to read them
        """
        known, changes = KnownIds(self._config, accept_new=accept_new_ids), 0
        try:
            while True:
                archive = archive or self._reader.archive(now, keeps_texts=True)
                archive.posts.most = _MOST_LOADED
                known.require_same(archive)
                are_new = not known.has(archive)
                if require is not None and are_new:
                    require(archive)
                try:
                    self._make(archive, now, progress)
                except BrokenPost as broken:
                    archive.mark_broken(broken.problem, broken.source, lasting=broken.lasting)
                except ChangedError:
                    if (changes := changes + 1) > _MOST_CHANGES:
                        raise
                else:
                    if are_new:
                        known.record(archive)
                    self._keep_versions(archive)
                    return
                archive = None
        finally:
            self._folder.discard()

    def _keep_versions(self, archive: Archive) -> None:
        try:
            archive.keep_versions()
        except ProjectError as error:
            # The site is complete; without this, only a later mistake in a post that changed now would remove the post.
            self._manifest.problems.append(replace(problem_at(error), severity=Severity.WARNING))

    def _make(self, archive: Archive, now: datetime, progress: Progress | None) -> None:
        renderer = Renderer(archive, self._config, paint=_paint(self._config))
        renderer.start_processes()
        problems = [*archive.problems, *self._static.problems, *standalone_problems(self._config, archive)]
        planned = without_clashes(self._plan(archive, renderer), self._config.pages.output, problems)
        self._folder.prepare(planned)
        ordered = in_turns(planned.values())
        expect, done = partial(_expect, renderer, archive), partial(_let_go, renderer)
        self._folder.stage(ordered, progress, expect, done)
        if self._config.pages.enabled:
            by_email = [source for source in archive.places.permalinks if source in archive.places.by_email]
            for post in archive.load(by_email):  # their pictures are published anyway, because emails show them
                renderer.render(post)
        renderer.remember()
        renderer.end_processes()
        own = standalone_pages(self._config, archive)
        wanted, files = [*archive.assets(), *own.assets], PublishedFiles(self._config)
        shown = [output for output in assets(files, wanted) if output.path not in planned]
        self._folder.stage(shown, progress)
        paths = {*planned, *(output.path for output in shown)}
        self._folder.begin(paths)
        self._folder.put_staged((*planned.values(), *shown))
        self._folder.remove_others(paths)
        watched = (*(project_path for _, project_path in wanted), *archive.awaited())
        self._manifest.shown = stamps(self._config.root, watched, self._reader.settled_ns)
        self._manifest.since, self._manifest.until = now.astimezone(UTC), _first(archive.next_change, own.next_change)
        source = PostSource(self._config, archive, renderer.render)
        of_bodies = archive.body_problems()
        problems += {problem: None for _, problem in of_bodies}  # each once, even for a file that several posts use
        problems += [*files.problems, *archive.asset_clashes(), *size_problems(self._config, archive, source)]
        self._manifest.problems = sorted(problems, key=lambda p: (p.path, p.line))
        self._manifest.facts = _facts(archive, planned) | _flawed(archive, of_bodies)

    def _plan(self, archive: Archive, renderer: Renderer) -> list[Output]:
        if self._web_versions is None:
            self._web_versions = self._editions.load()
        config, render, expect, static = self._config, renderer.render, renderer.expect, self._static.outputs
        return list(plan_site(config, archive, render, self._templates, static, self._web_versions, expect))


def in_turns(outputs: Iterable[Output]) -> Iterator[Output]:
    """Yield outputs in the order of making them: from the first post's page on, post pages and other outputs alternate.

    Lists need no bodies, so the next bodies are rendered while lists are made. Outputs before the first post's page,
    such as feeds, stay first.
    """
    every = list(outputs)
    first = next((number for number, output in enumerate(every) if output.source), len(every))
    yield from every[:first]
    pages = [output for output in every[first:] if output.source]
    others = [output for output in every[first:] if not output.source]
    done = 0
    for number, page in enumerate(pages, 1):
        yield page
        upto = len(others) * number // len(pages)
        yield from others[done:upto]
        done = upto


def _paint(config: Config) -> Paint | None:
    """Return the function that colours the code on pages; None for a site with only feeds, which need no colours."""
    if not config.pages.enabled:
        return None
    from publisher.site.pages.post_body import coloured  # not at the top: it would add 3 ms to a first build of feeds

    return coloured


def _expect(renderer: Renderer, archive: Archive, outputs: Iterable[Output]) -> None:
    renderer.expect(archive.posts.each([output.source for output in outputs if output.source]), with_code=True)


def _let_go(renderer: Renderer, output: Output) -> None:
    if output.source:
        renderer.let_go(output.source)


def put_web_versions(config: Config, editions: Iterable[WebVersion]) -> None:
    """Write the web versions that are missing from the output folder, without the site's frame.

    The next build that succeeds replaces them. Raises ProjectError if they cannot be written.
    """
    from publisher.site.pages.edition_pages import bare_web_version  # few builds need this

    path = config.root / config.pages.output
    missing = [made for made in map(bare_web_version, editions) if not (path / made.path).is_file()]
    folder = OutputFolder(path, Manifest.read(manifest_file(config, path)))
    try:
        if missing:
            folder.begin([each.path for each in missing])
        for each in missing:
            folder.put(each, each.make())
    finally:
        folder.discard()


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


def _flawed(archive: Archive, of_bodies: Iterable[tuple[str, Problem]]) -> dict[str, int]:
    """Return how many posts are shown in spite of an error in their bodies, and how many files have such errors."""
    older = archive.last_versions
    wrong = [(source, each.path) for source, each in of_bodies if each.severity is Severity.ERROR]
    shown = [(source, path) for source, path in wrong if source not in older]
    return {"flawed": len({source for source, _ in shown}), "flawed_files": len({path for _, path in shown})}


def _facts(archive: Archive, planned: Iterable[str]) -> dict[str, int]:
    names = list(planned)
    return {
        "posts": len(archive.posts),
        "kept": archive.shown_last_versions,
        "waiting": len(archive.waiting),
        "feeds": sum(map(is_feed, names)),
        "pages": sum(name.endswith(".html") for name in names),
    }
