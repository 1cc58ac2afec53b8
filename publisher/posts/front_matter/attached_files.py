"""The files that the front matter of a post refers to: its picture, enclosures, transcripts and chapters."""

from __future__ import annotations

from collections.abc import Callable

from publisher.core.file_names import existing
from publisher.posts.front_matter.enclosures import files_of, size_in
from publisher.posts.pictures import as_picture
from publisher.posts.post_file import PostSettings
from publisher.posts.urls import (
    ELSEWHERE,
    absolute,
    from_root,
    has_file,
    is_disguised,
    is_web_url,
    leads_out,
    left_out,
    local_file,
    looks_like_url,
    other_places,
    quoted,
    static_path,
    static_paths,
)


class AttachedFiles:
    """The references in the front matter of one post, collected while they are made absolute.

    files     the files that it shows, as (site path, project path)
    measured  the files on whose sizes the post depends, as path -> bytes; a missing one has NOT_THERE. If one changes,
              the post is read again.
    """

    def __init__(self, source: str, settings: PostSettings, warn: Callable[[int, str, str], None]) -> None:
        """Store the post. warn: function that is called with a line, a message and a hint."""
        self._source, self._settings, self._warn = source, settings, warn
        self.files: dict[tuple[str, str], None] = {}
        self.measured: dict[str, int] = {}

    def url(self, base: str, reference: str, line: int, *, is_picture: bool = False) -> str:
        """Return the absolute URL of a reference, or ""; note the project's file that it refers to.

        base  the URL of the post
        line  the line of the field, for a warning if that file is not published
        """
        settings, reference = self._settings, reference.strip()
        url = absolute(base, reference) if looks_like_url(reference) else ""
        url = from_root(reference, url, settings.site_url, self._has_file)
        if not is_web_url(url):
            return ""
        if settings.has_pages and leads_out(reference, url, settings.site_url):
            what = f"neither the project nor its folder {settings.static} has the file {reference}"
            self._warn(line, what, "add it, or use the full URL if it is elsewhere")
        where = reference, url, settings.site_url, settings.folder, self._source
        why = left_out(*where, settings.root, settings.places)
        if why:
            self._warn(line, why, ELSEWHERE)
        found = local_file(*where)
        if found and not reference.startswith("/") and not is_web_url(reference):
            url, found = self._elsewhere(where, url, found)
        return self._shown(reference, url, found, is_picture=is_picture) if found else url

    def _elsewhere(
        self, where: tuple[str, str, str, str, str], url: str, found: tuple[str, str]
    ) -> tuple[str, tuple[str, str]]:
        """Return the URL and the paths of a file that is not next to the post, but where other tools look for files."""
        settings = self._settings
        if self._is_there(existing(settings.root, found[1])):
            return url, found
        for site_path, project_path in other_places(*where, settings.places):
            there = existing(settings.root, project_path)
            if self._is_there(there) and not is_disguised(settings.root, there):
                return (url if site_path == found[0] else f"{settings.site_url}/{quoted(site_path)}"), (
                    site_path,
                    there,
                )
        return url, found

    def _shown(self, reference: str, url: str, found: tuple[str, str], *, is_picture: bool) -> str:
        """Return the URL of a file of the project, and note it. A path from the root may name a static file."""
        root = self._settings.root
        found = found[0], existing(root, found[1])
        if is_disguised(root, found[1]):
            return url
        is_rooted = reference.startswith("/")
        static = static_path(root, self._settings.places, found[0])
        paths = static_paths(self._settings.places, found[0])
        is_odd = static not in paths
        if not static and is_picture:
            for path in paths:
                self._is_there(path)
        if static and (is_picture or is_odd) and (is_rooted or is_web_url(reference)):
            found, is_rooted = (found[0], static), False
        is_ours = is_picture and self._settings.has_pages  # it is reported, and left out
        if is_rooted and not self._is_there(found[1]) and not is_ours:
            return url
        if is_picture:
            url, found = as_picture(url, found, self._settings.site_url)
        self.files[found] = None
        return url

    def file_url(self, base: str, reference: str, line: int) -> str:
        """Return the absolute URL of a reference; "" with a warning if its file is not published."""
        url = self.url(base, reference, line)
        if url.startswith(f"{self._settings.site_url}/") and not self._sizes(reference, url):
            self._warn(line, f"the file {reference} is not published", f"put it into {self._settings.static}/")
            return ""
        return url

    def length(self, reference: str, url: str) -> int:
        """Return the size in bytes of the project's file that will be published at the URL; 0 if there is none."""
        return next(iter(self._sizes(reference, url)), 0)

    def _sizes(self, reference: str, url: str) -> list[int]:
        paths = files_of(reference, url, self._settings, self._source)
        self.measured |= {path: size_in(self._settings.root, path) for path in paths}
        return [self.measured[path] for path in paths if self.measured[path] >= 0]

    def _has_file(self, path: str) -> bool:
        for file in (path[1:], *static_paths(self._settings.places, path[1:])):
            self._is_there(file)
        return has_file(self._settings.root, self._settings.places, path)

    def _is_there(self, path: str) -> bool:
        """Return whether a file of the project exists; if not, the post is read again when the file is added."""
        size = size_in(self._settings.root, path)
        if size < 0:
            self.measured[path] = size
        return size >= 0
