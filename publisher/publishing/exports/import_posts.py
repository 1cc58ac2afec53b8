"""Write the posts, pages and pictures of an export into a project, without overwriting any file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path

from publisher.config import Config
from publisher.core.atomic_write import write_new
from publisher.core.errors import PostError, ProjectError, PublisherError
from publisher.core.frozen import dataclass
from publisher.core.private_folder import COPY_IT
from publisher.posts.front_matter.post_id import written_id
from publisher.posts.media_types import is_picture
from publisher.posts.sources.fetcher import Answer, FetchError, FetchLimits, Request, fetch_all
from publisher.publishing.exports.export_file import open_export
from publisher.publishing.exports.exported import Export, ExportedPost
from publisher.publishing.exports.exported_files import PreviousSite

# Called with the number of steps done, and their total.
Progress = Callable[[int, int], None]

_LIMITS = FetchLimits(bytes=50_000_000)
_MOST_FILES = 200_000
# At most this many posts may share a name. With the same day and title, the second is called hello-2.
_MOST_ALIKE = 1_000
POSTS, DRAFTS, PAGES, FILES = "posts", "drafts", "pages", "pictures and files"
_LEADS_OUT = "is a link to something outside the project, so nothing is written there"
_SNIFFED = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostImportOptions:
    """How an export is imported.

    site_url       the address of the old site, if the export doesn't say it
    with_files     whether its pictures and other files are fetched
    allow_private  whether these may be on this machine or in a private network
    dry_run        whether nothing is written or fetched
    """

    site_url: str = ""
    with_files: bool = True
    allow_private: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class PostImport:
    """The result of an import.

    tool      the tool that wrote the export
    site_url  the address of the old site; "" if it isn't known
    new       how many posts, drafts, pages and files were written, or would be
    there     how many of each existed already
    failed    the files that couldn't be fetched: URL and reason
    refused   why files in a private network were not requested, with the number of each
    left      the parts of the export that cannot be imported, with the number of each
    hidden    the posts that are drafts here although they were published: path and reason
    """

    tool: str
    site_url: str
    new: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    hidden: list[tuple[str, str]] = field(default_factory=list)


def import_posts(config: Config, path: Path, options: PostImportOptions, progress: Progress | None) -> PostImport:
    """Write what an export contains as files of the project, and return what was done.

    Published posts and drafts go into the folder of posts, pages into the folder of pages, and files into the folder of
    static files. Running it again writes what is missing. Raises PublisherError if the export can't be read, or a file
    can't be written; the files written by then are complete.
    """
    with open_export(path, options.site_url) as export:
        known = options.site_url or (export.site_url if "://" in export.site_url else "")
        site = PreviousSite(known or config.site_url, export.pages, takes_files=options.with_files)
        done = PostImport(export.tool, known)
        files: dict[str, str] = {}
        total = 0
        for post in export.posts():
            total += 1
            for url, place in site.files(post):
                if len(files) < _MOST_FILES:
                    files.setdefault(place, url)
        done.left = Counter(export.left)
        writing = _Writing(config, options, done)
        writing.require_own_folders()
        writing.fetch(files, progress)
        writing.write(export, site, total, progress)
    return done


class _Writing:
    """An import in progress."""

    def __init__(self, config: Config, options: PostImportOptions, done: PostImport) -> None:
        self._config, self._options, self._done = config, options, done
        self._taken: set[Path] = set()
        self._ids: set[str] = set()

    def require_own_folders(self) -> None:
        """Raise ProjectError if a folder of the project is a link to a place outside it."""
        config = self._config
        for name in (config.posts.folder, config.pages.folder, config.pages.static):
            if self._leads_out(config.root / name):
                raise ProjectError(_LEADS_OUT, where=f"{name}/", hint=COPY_IT)

    def _leads_out(self, folder: Path) -> bool:
        """Return whether a symbolic link in the path of a folder leads out of the project."""
        root = os.path.realpath(self._config.root)
        real = os.path.realpath(folder)
        written = os.path.normpath(Path(root, os.path.relpath(folder, self._config.root)))
        return real != written and os.path.commonpath((root, real)) != root

    def fetch(self, files: dict[str, str], progress: Progress | None) -> None:
        """Fetch the files, given by path on the site, that do not exist yet."""
        static = self._config.root / self._config.pages.static
        missing = {place: url for place, url in files.items() if not _is_there(static / place.lstrip("/"))}
        self._done.there[FILES] += len(files) - len(missing)
        if self._options.dry_run:
            self._done.new[FILES] += len(missing)
            return
        places = {url: place for place, url in missing.items()}
        requests = [Request(url, allow_private=self._options.allow_private) for url in places]
        for count, (request, outcome) in enumerate(fetch_all(requests, _LIMITS)):
            if progress:
                progress(count, len(requests))
            place = places[request.url]
            why = _why_unfit(outcome, place)
            if isinstance(outcome, Answer) and not why:
                why = self._write_file(static / place.lstrip("/"), outcome.body)
            if isinstance(outcome, FetchError) and outcome.is_refused and not self._options.allow_private:
                self._done.refused[why] += "allow_private" in outcome.hint
            if why:
                self._done.failed.append((request.url, why))
            else:
                self._done.new[FILES] += 1
        self._done.failed.sort()

    def write(self, export: Export, site: PreviousSite, total: int, progress: Progress | None) -> None:
        """Write the posts and pages that do not exist yet."""
        for number, post in enumerate(export.posts()):
            if progress:
                progress(number, total)
            is_hidden = post.is_draft or bool(post.why_draft)
            kind = PAGES if post.kind == "page" else DRAFTS if is_hidden else POSTS
            if post.id in self._ids:  # WordPress allows two posts with the same id
                post = replace(post, id="")
            self._ids.add(post.id)
            path, is_new = self._place(site.moved(post))
            (self._done.new if is_new else self._done.there)[kind] += 1
            if post.why_draft:
                self._done.hidden.append((path.relative_to(self._config.root).as_posix(), post.why_draft))

    def _place(self, post: ExportedPost) -> tuple[Path, bool]:
        """Write the file of a post unless it exists; return its path, and whether it was written."""
        config = self._config
        folder = config.root / (config.pages.folder if post.kind == "page" else config.posts.folder)
        name, data = post.file_name(config.posts_zone), post.as_file().encode("utf-8", "replace")
        for number in range(1, _MOST_ALIKE):
            path = folder / f"{name}{f'-{number}' if number > 1 else ''}.html"
            if path in self._taken:
                continue
            if path.exists() and not _is_same(path, post, data):
                continue
            self._taken.add(path)
            return path, (not path.exists() if self._options.dry_run else self._write(path, data))
        raise ProjectError("has too many posts with the same date and name", where=str(folder), hint="move some away")

    def _write_file(self, path: Path, data: bytes) -> str:
        """Write one of the old site's files; return why it can't be written, or "". Other files are not affected."""
        shown = path.relative_to(self._config.root).as_posix()
        if self._leads_out(path.parent):
            return f"{shown} {_LEADS_OUT}"
        try:
            if not write_new(path, data) and not _is_there(path):
                return f"cannot be written to {shown}: something else is there"
        except OSError as error:
            return f"cannot be written to {shown}: {error.strerror}"
        return ""

    def _write(self, path: Path, data: bytes) -> bool:
        try:
            return write_new(path, data)
        except OSError as error:
            hint = "free some disk space, or fix the permissions; then run the same command again"
            raise ProjectError(f"cannot be written: {error.strerror}", where=str(path), hint=hint) from error


def _is_same(path: Path, post: ExportedPost, data: bytes) -> bool:
    """Return whether a file contains the post, either as it was imported or as its author has changed it since."""
    try:
        written = path.read_bytes()
    except OSError:
        return False
    if written == data:
        return True
    begin = written[:2_000].decode("utf-8", "replace")
    if not post.id:
        lines = {line for line in post.as_file()[:2_000].split("\n") if line.startswith(("permalink: ", "title: "))}
        return lines <= set(begin.split("\n"))
    with suppress(PostError):
        return written_id(written) == post.id
    return False


def _is_there(path: Path) -> bool:
    with suppress(OSError):  # a path that is too long
        return path.is_file()
    return False


def _why_unfit(outcome: Answer | PublisherError, place: str) -> str:
    """Return why an answer can't be the file at a path; "" if it can."""
    if isinstance(outcome, PublisherError):
        return outcome.message
    is_page = outcome.body[:500].lstrip().lower().startswith(_SNIFFED)
    if not outcome.body:
        return "is empty"
    return "is a web page, not a picture" if is_page and is_picture(place) else ""
