"""Build the site. If nothing has changed since the last build, its report is repeated."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from datetime import datetime
from pathlib import Path

from publisher.config import Config
from publisher.core.atomic_write import remove_left
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.listing import forget
from publisher.core.models import Problem, Severity, problem_at
from publisher.core.templates import Templates
from publisher.posts.archive import Archive, ArchiveReader
from publisher.posts.bundles import resources
from publisher.posts.cache_keys import code_key, hash_of
from publisher.posts.last_versions import LastVersions
from publisher.posts.published import PublishedIds
from publisher.posts.scan import scan_pages
from publisher.site.build.copied_files import StaticFiles, stamps, static_files
from publisher.site.build.folder import OutputFolder, Progress
from publisher.site.build.manifest import Manifest, manifest_file
from publisher.site.unchanged import PARTS, look_at, recorded
from publisher.site.web_versions import NO_WEB_VERSIONS, WebVersions


class BuildStart:
    """The state with which a build begins. It must be closed when neither the build nor the posts are needed any more.

    look     the state of the project's files before any was read; later changes are left to the next build. None if
             the output folder is not the usual one
    reader   the reader of the posts
    archive  the posts, if they were read before the build
    """

    def __init__(self, config: Config, *, is_usual: bool = True) -> None:
        """Find the posts. Raises ProjectError if their folder cannot be read as a whole."""
        self.look = look_at(str(config.root), config.pages.output) if is_usual else None
        self.reader = ArchiveReader.whole(config)
        self.archive: Archive | None = None

    def read(self, now: datetime) -> Archive:
        """Read the posts that are public at `now`, for a caller that needs them before the build does."""
        forget()  # what the look has found besides the posts may be different when the build needs it
        self.archive = self.reader.archive(now)
        return self.archive

    def close(self) -> None:
        """Close the reader; the posts must not be used afterwards."""
        self.reader.close()


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The result of a build.

    folder    the output folder
    posts     number of public posts
    kept      number of public posts shown in their last readable version because their files have errors
    flawed    number of public posts that are shown despite an error in their bodies
    flawed_files  number of files that contain those errors
    waiting   number of posts scheduled for later
    feeds     number of feed files, without archive documents
    pages     number of HTML pages
    written   number of files that the build wrote
    removed   number of files that the build removed
    problems  an error for each skipped post, the errors in the bodies of others, and warnings
    """

    folder: Path
    posts: int
    kept: int
    flawed: int
    flawed_files: int
    waiting: int
    feeds: int
    pages: int
    written: int
    removed: int
    problems: tuple[Problem, ...]

    @property
    def changed(self) -> bool:
        """Whether the build wrote or removed a file."""
        return bool(self.written or self.removed)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that are errors."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that are warnings."""
        return tuple(p for p in self.problems if p.severity is Severity.WARNING)


def build(
    config: Config,
    now: datetime,
    *,
    out: Path | None = None,
    editions: WebVersions = NO_WEB_VERSIONS,
    progress: Progress | None = None,
    accept_new_ids: bool = False,
    require: Callable[[Archive], None] | None = None,
    start: BuildStart | None = None,
) -> BuildReport:
    """Bring the output folder up to date with the posts that are public at `now`.

    A post with an error is reported. If it was published before, its last readable version is shown; if not, it is
    skipped. The others are published.

    out             the output folder; by default the folder in the configuration
    editions        the web versions of editions to show
    progress        called with the number of files made and their total
    accept_new_ids  whether to continue if settings would change the ids of published posts
    require         called with the posts, before any file is written, if their ids differ from those of the last build;
                    it raises PublisherError to stop the build
    start           the state that the caller has read at `now`, if the output folder is the usual one; None to read it
                    here
    Raises ProjectError if the folder cannot be written; every file in it is then complete, old or new. Also raises it,
    before any file is written, if posts or static files cannot be read, or if settings would change ids.
    """
    path = out or config.root / config.pages.output
    manifest = Manifest.read(manifest_file(config, path))
    is_usual = path == config.root / config.pages.output
    try:
        # Before anything else is read, because later changes are for the next build.
        with nullcontext(start) if start else closing(BuildStart(config, is_usual=is_usual)) as begun:
            return _build(
                config, now, path, manifest, editions, progress, require, begun, accept_new_ids=accept_new_ids
            )
    except PublisherError as error:
        manifest.note_failure(problem_at(error), now)
        raise


def _build(
    config: Config,
    now: datetime,
    path: Path,
    manifest: Manifest,
    editions: WebVersions,
    progress: Progress | None,
    require: Callable[[Archive], None] | None,
    start: BuildStart,
    *,
    accept_new_ids: bool,
) -> BuildReport:
    remove_left(config.state_dir)
    remove_left(path, PARTS)
    templates = Templates(config.root / "templates", reload=False)
    templates.require_readable()
    static = static_files(config)
    static.require_whole()
    inputs = _inputs(config, templates, static, editions)
    forget()  # what the look has found, unless it was used
    reader = start.reader
    inputs = _with_bundles(config, inputs, reader)
    if _is_current(config, reader, manifest, inputs, path, now):
        folder = None
    else:
        # Imported here: that takes 0.2 s, and a build with nothing to do does not need it.
        from publisher.site.build.rebuild import Rebuild

        folder = OutputFolder(path, manifest)
        rebuild = Rebuild(config, reader, templates, static, editions, folder, manifest)
        rebuild.run(now, progress, require, start.archive, accept_new_ids=accept_new_ids)
        manifest.inputs, manifest.index = inputs, reader.state
        manifest.failure = manifest.failing_since = None
    measured = {file for pairs in reader.index.measured().values() for file, _ in pairs}
    seen = recorded(config, start.look, editions, (*manifest.shown, *measured)) if start.look else {}
    if folder is None:
        _remember(manifest, seen)
        return _report(path, manifest)
    manifest.seen = seen
    _write(manifest)
    return _report(path, manifest, len(folder.written), len(folder.removed))


def _with_bundles(config: Config, inputs: str, reader: ArchiveReader) -> str:
    """Return a hash of other inputs and of the files next to the posts, if the posts are written for another tool."""
    if not (config.pages.enabled and config.posts.tool):
        return inputs
    bundled = stamps(config.root, (each.path for each in resources(config, reader.sources)))
    return hash_of(inputs, repr(bundled))


def _inputs(config: Config, templates: Templates, static: StaticFiles, editions: WebVersions) -> str:
    """Return a hash of everything that the output folder is made from, except the posts."""
    digest = templates.digest("pages", "web", "locale", "shortcodes")
    copied = (*(f"{o.path}:{o.key}" for o in static.outputs), *map(str, static.problems))
    return hash_of(repr(config), code_key(), digest, editions.key, repr(scan_pages(config)), *copied)


def _write(manifest: Manifest) -> None:
    try:
        manifest.write()
    except OSError as error:
        # Without the manifest the next build compares every file again, but this one is complete.
        message = f"cannot be written: {error.strerror}"
        manifest.problems.append(Problem(str(manifest.path), 0, message, "", Severity.WARNING))


def _remember(manifest: Manifest, seen: dict[str, str]) -> None:
    """Record the state of the project if it has changed, so that the next build can skip the full check."""
    if seen and seen != manifest.seen:
        manifest.seen = seen
        with suppress(OSError):
            manifest.write()


def _is_current(
    config: Config, reader: ArchiveReader, manifest: Manifest, inputs: str, path: Path, now: datetime
) -> bool:
    """Return whether the output folder is up to date. This needs a stat call for each file, but reads no post."""
    return (
        reader.is_unchanged
        and manifest.is_current(inputs, reader.state, now)
        and ((PublishedIds(config).is_there and LastVersions(config).is_there) or not manifest.facts.get("posts"))
        and manifest.is_intact(str(path))
        and stamps(config.root, manifest.shown) == manifest.shown
    )


def _report(folder: Path, manifest: Manifest, written: int = 0, removed: int = 0) -> BuildReport:
    names = ("posts", "kept", "flawed", "flawed_files", "waiting", "feeds", "pages")
    posts, kept, flawed, in_files, waiting, feeds, pages = (manifest.facts.get(name, 0) for name in names)
    numbers = posts, kept, flawed, in_files, waiting, feeds, pages, written, removed
    return BuildReport(folder, *numbers, tuple(manifest.problems))
