"""The pictures of posts: how large they are, and the smaller copies of them that pages and emails show.

A copy is next to its original, and its name says what it is: columns.png.720.png is 720 pixels wide. No picture is
enlarged, and a moving one is not copied. The size of the original determines which copies exist, so that pages can name
them before they are made. They are made in a child process, when a build writes them, and kept in .publisher/pictures/
by the content of the original. docs/decisions/0038-pictures.md has the reasons.
"""

from __future__ import annotations

import hashlib
import posixpath
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any, NamedTuple

from publisher.config import Config
from publisher.core import patterns
from publisher.core.atomic_write import remove_left, replacing
from publisher.core.file_names import is_file
from publisher.core.models import Picture, Problem, Severity
from publisher.core.private_folder import make_private
from publisher.posts.media_types import CONVERTED, NOT_SHOWN, ending_of, has_places, is_picture
from publisher.posts.permalinks import site_path
from publisher.posts.picture_metadata import without_metadata
from publisher.posts.picture_pixels import MOST_PIXELS, Measured, measured, scaled
from publisher.posts.urls import is_disguised, quoted, static_path

# It is part of the keys of all published pictures. A new number makes builds write all of them again.
VERSION = 1

# The widths of copies, in pixels: a thumbnail, and a column of text on a normal and on a high-resolution screen.
WIDTHS = (360, 720, 1440)
_WIDEST = 2160  # an original up to this width is offered to browsers along with its copies
_WORTHWHILE = 1.2  # a copy is only made if the original is this many times as wide
_EMAILED = ("JPEG", "PNG", "GIF")  # what every mail program shows

# Processor time for one copy: seconds for a small file, and for each further megabyte.
_SECONDS, _SECONDS_PER_MB = 10.0, 4.0

HEAVY = 3_000_000  # bytes, from which a check reports a picture
_STUB = 500  # bytes, up to which it doesn't matter that a file can't be read

_UNUSED_DAYS = 60  # after which a copy is removed from the cache
_DENSITY = patterns.compile(r"@([234])x$")
_COPY = patterns.compile(r"(?:\.(\d{1,4}))?\.(jpg|png|webp)")


class Shown(NamedTuple):
    """A picture of a post, and the paths in the site of the copies that are needed to show it."""

    picture: Picture
    copies: list[str]


def shown_as(found: Measured, site_path: str, project_path: str, config: Config) -> Shown:
    """Return how a picture is shown on pages and in emails.

    site_path     where it is published
    project_path  the file; a density in its name, as in logo@2x.png, divides the size at which it is shown
    Without pages, another program may serve the site, so nothing but the picture itself is shown.
    """
    wanted: dict[str, None] = {}
    stem = site_path.removesuffix(".jpg") if is_converted(project_path) else site_path

    def copy(width: int, ending: str) -> tuple[int, str]:
        """Return the width and URL of a copy, and record that the copy is needed."""
        path = f"{stem}.{width}.{ending}"
        wanted[path] = None
        return width, config.site_url + "/" + quoted(path)

    original = (found.width, config.site_url + "/" + quoted(site_path))
    form = "JPEG" if is_converted(project_path) else found.form
    can_copy = config.pages.enabled and found.width * found.height <= MOST_PIXELS
    widths = [width for width in WIDTHS if can_copy and not found.moves and width * _WORTHWHILE <= found.width]
    sources = [copy(width, _page_ending(form)) for width in widths]
    if found.is_turned and can_copy and not found.moves:
        sources.append(copy(min(found.width, _WIDEST), _page_ending(form)))
    elif sources and found.width <= _WIDEST:
        sources.append(original)
    ending = _page_ending(form) if form in _EMAILED else "png" if found.has_alpha else "jpg"
    emailed = widths if form in _EMAILED else [min(width, found.width) for width in WIDTHS if can_copy]
    thumbnail = copy(emailed[0], ending) if emailed else original
    email = copy(emailed[-1], ending) if len(emailed) == len(WIDTHS) else original
    size = _size(found, project_path)
    return Shown(Picture(project_path, *size, original[1], tuple(sources), email[1], thumbnail[1]), list(wanted))


def static_picture(config: Config, url: str) -> Picture | None:
    """Return the static picture at an absolute URL, for text that is not in a post; None if there is none.

    It has no resized copies, since builds do not process such text.
    """
    path = site_path(url, config.site_url) or ""
    project_path = static_path(config.root, config.pages.places, posixpath.normpath(path))
    file = config.root / project_path
    if not (is_picture(path) and project_path) or is_disguised(config.root, project_path):
        return None
    found, _ = _in_child(_SECONDS, measured, file)
    return Picture(project_path, *_size(found, project_path), url, (), url, url) if found else None


def _size(found: Measured, project_path: str) -> tuple[int, int]:
    """Return the size in pixels of CSS, which is smaller for a picture with a density in its name."""
    match = _DENSITY.search(Path(project_path).stem)
    density = int(match[1]) if match else 1
    return max(1, round(found.width / density)), max(1, round(found.height / density))


def as_picture(url: str, found: tuple[str, str], site_url: str) -> tuple[str, tuple[str, str]]:
    """Return the URL of a picture, and its (site path, project path), after a conversion if it needs one.

    url, found  the same before the conversion
    """
    if not is_converted(found[1]):
        return url, found
    path = f"{found[0]}.jpg"
    return f"{site_url}/{quoted(path)}", (path, found[1])


def doubts(file: Path, project_path: str, found: Measured | None) -> Iterator[tuple[str, str]]:
    """Yield (message, hint) for each drawback of a picture in a post. found: None if the picture can't be read."""
    if ending_of(project_path) in NOT_SHOWN:
        yield f"most browsers don't show {project_path}", "save it as a JPEG, PNG or WebP"
        return
    size = file.stat().st_size if is_file(file) else 0
    if found and found.width * found.height > MOST_PIXELS:
        yield (
            f"{project_path} has {found.width} × {found.height} pixels, which is too large to scale down",
            "make it smaller",
        )
    elif found and size > HEAVY:
        hint = "make it smaller, as everyone who opens it loads all of it"
        yield f"{project_path} is {size / 1_000_000:.1f} MB", hint
    elif size > _STUB and not found and ending_of(project_path) != ".ico":
        yield f"{project_path} can't be read as a picture", "save it again in an image editor"


def is_converted(project_path: str) -> bool:
    """Return whether a picture is published as a JPEG, because few browsers show its format."""
    return ending_of(project_path) in CONVERTED


def _page_ending(form: str) -> str:
    return {"JPEG": "jpg", "WEBP": "webp", "AVIF": "webp"}.get(form, "png")


class PublishedFiles:
    """The contents of the files that a build copies; pictures are not published unchanged.

    root      the folder of the project
    problems  a warning for each picture of which no copy could be made
    """

    def __init__(self, config: Config) -> None:
        self.root, self._cache = config.root, config.state_dir / "pictures"
        self.problems: list[Problem] = []
        self._is_tidy = False

    def content(self, site_path: str, project_path: str) -> bytes:
        """Return the content to be published at a path of the site, from a file of the project.

        If a copy can't be made, it is the original, which only takes longer to load. Raises OSError.
        """
        data = (self.root / project_path).read_bytes()
        if not has_places(project_path):
            return data
        width, ending = _recipe(site_path, project_path)
        copy = self._copy(data, project_path, width, ending) if ending else b""
        return copy or without_metadata(data)

    def _copy(self, data: bytes, project_path: str, width: int, ending: str) -> bytes:
        """Return a copy; b"" if it can't be made. Narrower copies are made with it, since they are needed too."""
        name = f"{hashlib.blake2b(data, digest_size=16).hexdigest()}-{VERSION}"
        with suppress(OSError):
            file = self._cache / f"{name}.{width}.{ending}"
            cached = file.read_bytes()
            file.touch()
            return cached
        widths = [width, *(each for each in reversed(WIDTHS) if each < width)]
        seconds = _SECONDS + _SECONDS_PER_MB * len(data) / 1_000_000
        copies, why = _in_child(seconds, scaled, data, widths, ending)
        if why:
            self._report(project_path, why)
            return b""
        for each, copy in zip(widths, copies, strict=True):
            self._keep(f"{name}.{each}.{ending}", copy)
        return bytes(copies[0])

    def _report(self, project_path: str, what: str) -> None:
        problem = Problem(project_path, 0, what, "save it again in an image editor", Severity.WARNING)
        if problem not in self.problems:
            self.problems.append(problem)

    def _keep(self, name: str, copy: bytes) -> None:
        """Store a copy, and remove those that no build needed for a long time. Without a cache, builds take longer."""
        with suppress(OSError):
            if not self._is_tidy:
                self._is_tidy = True
                make_private(self._cache.parent)
                self._cache.mkdir(exist_ok=True)
                remove_left(self._cache)
                for file in self._cache.iterdir():
                    if file.stat().st_mtime < time() - _UNUSED_DAYS * 86400:
                        file.unlink(missing_ok=True)
            with replacing(self._cache / name) as part:
                part.write_bytes(copy)


def _in_child(seconds: float, function: Callable[..., Any], *args: Any) -> tuple[Any, str]:
    """Call a function in the child for pictures; return its result and "", or None and the reason for its failure."""
    from publisher.posts.bounded_process import OverLimit, picture_process  # a build with nothing to do needs neither

    try:
        return picture_process().call(function, *args, seconds=seconds), ""
    except OverLimit as over:
        return None, over.said("to read")
    except (OSError, ValueError, RuntimeError, SyntaxError) as error:
        return None, f"can't be read as a picture: {str(error)[:100]}"


def _recipe(site_path: str, project_path: str) -> tuple[int, str]:
    """Return the width and ending of a copy, from its name; (0, "") for the picture itself."""
    made, own = (unicodedata.normalize("NFC", path.rpartition("/")[2]) for path in (site_path, project_path))
    match = _COPY.fullmatch(made, len(own)) if made.startswith(own) else None
    return (int(match[1] or 0), match[2]) if match else (0, "")
