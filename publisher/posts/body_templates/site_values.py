"""The data that a tool's tags can read from its site: the configuration, data files, front matter of posts and pages.

Each file is read when a tag uses it; it must be inside the project, and its size is bounded. The files that were used
are noted, so that a body is rendered again when one changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from publisher.config import CONFIG_FILE, Config
from publisher.config.private_paths import PublicFiles
from publisher.core import patterns
from publisher.core.errors import PublisherError
from publisher.core.file_names import is_file
from publisher.posts.blog_tools.data_files import DATA_ENDINGS, DataError, data_file, read_data
from publisher.posts.body_templates.eleventy_settings import EleventySettings, eleventy_settings
from publisher.posts.body_templates.post_fields import Moment, fields_of, inherited_fields_of, moment_of, post_values
from publisher.posts.places import Places, WrittenPost
from publisher.posts.scan import is_item
from publisher.posts.text.encoding import decode, without_controls
from publisher.posts.urls import quoted

# How much of a file is read for the front matter of a page or of another post.
_MOST_BYTES = 2_000_000
_NAME = patterns.compile(r"[^./\\\0][^/\\\0]{0,200}")


class Asking(NamedTuple):
    """The body whose tags read values, and its surroundings.

    file      the whole text of the post's file
    link      returns the address of a post by its path as the tool writes it; None if there is no such post
    markdown  returns Markdown as HTML
    """

    post: WrittenPost
    places: Places
    config: Config
    file: str
    link: Callable[[str], str | None]
    markdown: Callable[[str], str]


class Noted:
    """The values and files that tags have used.

    files     paths in the project on which the body depends, and "*" if it depends on all posts
    missing   names of values that are not there
    in_vain   how often a tag used a value that is not there, or cannot be read
    vain      the name of the last such value
    unusable  the problems of the files that cannot be read
    unread    the names of the values that were used from such files
    """

    def __init__(self) -> None:
        self.files: dict[str, None] = {}
        self.missing: dict[str, None] = {}
        self.in_vain, self.vain = 0, ""
        self.unusable: dict[str, DataError] = {}
        self.unread: dict[str, None] = {}

    def read(self, path: Path, root: Path) -> Any:
        """Return the data in a data file; None if the file cannot be read."""
        name = path.relative_to(root).as_posix()
        self.files[name] = None
        try:
            return _data(path, root, path.stat().st_mtime_ns)
        except OSError:
            return None
        except DataError as error:
            self.unusable[name] = error
            return None


@lru_cache(maxsize=64)
def _data(path: Path, root: Path, changed: int) -> Any:
    """Return the data in a data file, which is read once for all posts. changed: the file's time, for the cache."""
    return read_data(path, root)


class DataFolder(Mapping[str, Any]):
    """The data files of a folder by their names without extensions, each read when it is used.

    called  the name of the folder in templates; "" if its files are values by themselves
    """

    def __init__(self, folder: Path, root: Path, noted: Noted, called: str) -> None:
        self._folder, self._root, self._noted, self._called = folder, root, noted, called

    def __getitem__(self, name: str) -> Any:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise KeyError(name)
        path = data_file(self._folder, name)
        if path:
            found = self._noted.read(path, self._root)
            if path.relative_to(self._root).as_posix() in self._noted.unusable:
                self._noted.in_vain += 1
                self._noted.vain = self._name(name)
                self._noted.unread[self._noted.vain] = None
                raise KeyError(name)
            return found
        if (self._folder / name).is_dir():
            return DataFolder(self._folder / name, self._root, self._noted, self._name(name))
        self._noted.files[(self._folder / f"{name}.yml").relative_to(self._root).as_posix()] = None
        if not self._called:
            raise KeyError(name)
        self._noted.vain = self._name(name)
        self._noted.missing[self._noted.vain] = None
        self._noted.in_vain += 1
        raise KeyError(name)

    def _name(self, name: str) -> str:
        return f"{self._called}.{name}" if self._called else name

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({each.stem if each.is_file() else each.name for each in self._entries()}))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _entries(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        found = [each for each in self._folder.iterdir() if not each.name.startswith(".")]
        return [each for each in found if each.is_dir() or each.suffix in DATA_ENDINGS][:10_000]


class Lazy(Mapping[str, Any]):
    """A table in which some values are computed only when they are used."""

    def __init__(self, values: Mapping[str, Any], made: Mapping[str, Callable[[], Any]]) -> None:
        self._values, self._made = dict(values), dict(made)

    def __getitem__(self, name: str) -> Any:
        if name in self._made:
            self._values[name] = self._made.pop(name)()
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._made, *self._values)))

    def __len__(self) -> int:
        return len(self._values.keys() | self._made.keys())


class PostsOf(Sequence[Any]):
    """The public posts of a project, newest first, each read when it is used."""

    def __init__(self, places: Places, config: Config) -> None:
        self._places, self._config = places, config
        self._sources = [source for source in places.permalinks if not is_item(source)]
        self._read: dict[int, Mapping[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if not isinstance(index, int):
            raise KeyError(index)
        place = range(len(self))[index]
        if place not in self._read:
            self._read[place] = self._post(self._sources[place])
        return self._read[place]

    def _post(self, source: str) -> Mapping[str, Any]:
        try:
            file = decode((self._places.folder / source).read_bytes()[:_MOST_BYTES], whole=False)
            fields = fields_of(file)
        except (OSError, PublisherError):
            fields = {}
        return post_values(fields, source, self._places.permalinks[source], self._config)


class SiteValues:
    """The values that the tags of one body can use, by the names that its tool gives them."""

    def __init__(self, asking: Asking, noted: Noted) -> None:
        self.asking, self._noted, self.config = asking, noted, asking.config
        self.root = asking.config.root
        self._texts: dict[str, str | None] = {}  # of the files that were included
        self.base = urlsplit(asking.config.site_url).path.rstrip("/")
        self.origin = asking.config.site_url.removesuffix(self.base)

    @cached_property
    def eleventy(self) -> EleventySettings:
        """The settings in Eleventy's configuration."""
        found = eleventy_settings(self.root)
        if found.file:
            self._noted.files[found.file] = None
        return found

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The tool's own configuration file, if it is data."""
        found = self._noted.read(self.root / "_config.yml", self.root)
        return found if isinstance(found, dict) else {}

    @cached_property
    def page(self) -> dict[str, Any]:
        """The front matter of the post, with its title and url."""
        post = self.asking.post
        fields = {**inherited_fields_of(self.asking.places, self.config, post.source), **fields_of(self.asking.file)}
        values = post_values(fields, post.source, self._path(post.url), self.config)
        values["title"] = post.title
        if post.excerpt:
            values["excerpt"] = post.excerpt
        return values

    def names(self) -> Mapping[str, Any]:
        """Return the values that a body of the project's tool can use."""
        if self.config.posts.tool == "eleventy":
            return _Eleventy(self)
        if self.config.posts.tool == "hexo":
            return Lazy(
                {**self.page, "config": self.settings, "theme": {}}, {"site": self._hexo, "page": lambda: self.page}
            )
        jekyll = {"environment": "production", "version": "4.3.4"}
        known = {"jekyll": jekyll, "layout": {}, "content": "", "paginator": None, "theme": {}}
        return Lazy(known, {"site": lambda: self.site, "page": lambda: self.page})

    @cached_property
    def site(self) -> Mapping[str, Any]:
        """Jekyll's `site`: its configuration, data, posts, pages and collections."""
        values = {key: value for key, value in self.settings.items() if isinstance(key, str)}
        values |= {"url": self.origin, "baseurl": self.base}
        values.setdefault("title", self.config.site.title)
        made: dict[str, Callable[[], Any]] = {
            "time": self._now,
            "data": self._data,
            "posts": self.posts,
            "tags": lambda: self._by("tags"),
            "categories": lambda: self._by("categories"),
            "pages": self._pages,
            "html_pages": self._pages,
            "collections": list,
            "static_files": list,
            "related_posts": lambda: self.posts()[:10],
        }
        collections = self.settings.get("collections")
        for name in collections if isinstance(collections, dict | list) else ():
            if isinstance(name, str) and _NAME.fullmatch(name) and name not in made:
                made[name] = lambda name=name: self._collection(name)  # type: ignore[misc]
        return Lazy(values, made)

    def _hexo(self) -> Mapping[str, Any]:
        return Lazy({}, {"posts": self.posts, "data": self._hexo_data, "pages": self._pages})

    def _hexo_data(self) -> DataFolder:
        return DataFolder(self.root / "source/_data", self.root, self._noted, "site.data")

    def posts(self) -> PostsOf:
        """Return the posts, newest first."""
        self._noted.files["*"] = None
        return PostsOf(self.asking.places, self.config)

    def _now(self) -> Moment:
        return moment_of(datetime.now(self.config.zone))

    def _data(self) -> DataFolder:
        folder = self.settings.get("data_dir")
        inside = folder if isinstance(folder, str) and is_inside(folder) else "_data"
        return DataFolder(self.root / inside, self.root, self._noted, "site.data")

    def _by(self, key: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for post in self.posts():
            for name in post[key]:
                found.setdefault(name, []).append(post)
        return found

    def _pages(self) -> list[dict[str, Any]]:
        return [self._file(path, url) for path, url in self.asking.places.others.items()]

    def _collection(self, name: str) -> list[dict[str, Any]]:
        folder = self.root / f"_{name}"
        found = sorted(each for each in folder.glob("**/*.md") if each.is_file())[:1_000] if folder.is_dir() else []
        paths = [each.relative_to(self.root).as_posix() for each in found]
        return [self._file(path, self._page_url(path)) for path in paths]

    def _file(self, path: str, url: str) -> dict[str, Any]:
        """Return the front matter of a page in the project."""
        self._noted.files[path] = None
        try:
            file = decode((self.root / path).read_bytes()[:_MOST_BYTES], whole=False)
            fields = fields_of(file)
        except (OSError, PublisherError):
            fields = {}
        return {"title": "", **fields, "url": url or fields.get("permalink") or "", "path": path}

    def _path(self, url: str) -> str:
        return url.removeprefix(self.config.site_url) or "/"

    def address(self, path: str) -> str | None:
        """Return the address of a post, a page or a file of the project by its path; None if there is no such file.

        A page that was moved to the folder of pages is found by its earlier path too.
        """
        found = self.asking.link(path)
        if found:
            return found
        path = path.removeprefix("/")
        others = self.asking.places.others
        if not is_inside(path):
            return None
        if path not in others and not is_file(self.root / path):
            self._noted.files[path] = None
            moved = f"{self.config.pages.folder}/{path}"
            self._noted.files[moved] = None
            path = moved if moved in others else path
        if path in others:
            return self.config.site_url + quoted(others[path]) if others[path].startswith("/") else others[path]
        self._noted.files[path] = None
        file = self.root / path
        if not file.is_file() or PublicFiles(self.config).why_not(file):
            return None
        written = quoted(f"/{path}")
        if file.suffix in (".md", ".markdown", ".html"):
            written = self._page_url(path)
        return self.base + written

    def _page_url(self, path: str) -> str:
        """Return the path at which Jekyll shows a page of the project, or a document of a collection."""
        permalink = self._file(path, "")["url"]
        if isinstance(permalink, str) and permalink.startswith("/") and ":" not in permalink:
            return quoted(permalink)
        folder, _, below = path.partition("/")
        collections = self.settings.get("collections")
        if below and folder.startswith("_") and isinstance(collections, dict) and folder[1:] in collections:
            return quoted(_document_url(folder[1:], below, collections[folder[1:]]))
        stem = f"/{path.rpartition('.')[0]}"
        if stem.endswith("/index") or stem == "/index":
            return quoted(stem.removesuffix("index"))
        style = self.settings.get("permalink")
        is_pretty = style == "pretty" or (isinstance(style, str) and style.endswith("/"))
        return quoted(f"{stem}/" if is_pretty else f"{stem}.html")

    def text(self, folders: Sequence[str], name: str) -> tuple[str, str] | None:
        """Return the path and the text of a file of the project that a tag includes; None if it cannot be read.

        folders  paths from the root of the project, of which the first that has the file is used
        """
        if not is_inside(name):
            return None
        for folder in folders:
            path = (PurePosixPath(folder) / name).as_posix()
            self._noted.files[path] = None
            if path not in self._texts:
                self._texts[path] = self._included(self.root / path)
            text = self._texts[path]
            if text is not None:
                return path, text
        return None

    def _included(self, path: Path) -> str | None:
        """Return the text of a file; None if it is not there, private, outside the project, or too long."""
        if not path.is_file() or PublicFiles(self.config).why_not(path):
            return None
        real = path.resolve().relative_to(self.root.resolve())
        if any(part.startswith(".") for part in real.parts) or real.name == CONFIG_FILE:
            return None
        try:
            return (
                without_controls(decode(path.read_bytes(), whole=True))[0]
                if path.stat().st_size < _MOST_BYTES
                else None
            )
        except (OSError, PublisherError):
            return None


class _Eleventy(Mapping[str, Any]):
    """The names that Eleventy gives: the front matter, page, collections, and each file of _data under its own name."""

    def __init__(self, values: SiteValues) -> None:
        self._values = values
        folder = values.root / values.eleventy.data
        self._data = DataFolder(folder, values.root, values._noted, "")
        self._known = Lazy(
            {"eleventy": {"version": "3.0.0", "generator": "Eleventy v3.0.0", "env": {"runMode": "build"}}},
            {"page": self._page, "collections": self._collections},
        )

    def __getitem__(self, name: str) -> Any:
        if name in self._known:
            return self._known[name]
        if name in self._values.page:
            return self._values.page[name]
        return self._data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._known, *self._values.page, *self._data)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _page(self) -> dict[str, Any]:
        page = self._values.page
        shown = {key: page.get(key) for key in ("url", "date", "fileSlug")}
        return {**shown, "inputPath": f"./{page['path']}", "filePathStem": f"/{PurePosixPath(page['path']).stem}"}

    def _collections(self) -> Lazy:
        posts = [
            {"url": post["url"], "date": post.get("date"), "data": post} for post in reversed(self._values.posts())
        ]
        found: dict[str, list[Any]] = {"posts": posts, "post": posts}
        tagged: dict[str, list[Any]] = {}
        for post in posts:
            for tag in post["data"]["tags"]:
                tagged.setdefault(tag, []).append(post)
        return Lazy({**found, **tagged, "all": posts}, {})


def _document_url(collection: str, path: str, settings: Any) -> str:
    """Return the path at which Jekyll shows a document of a collection. path: its file in the collection's folder"""
    pattern = settings.get("permalink") if isinstance(settings, dict) else None
    stem = path.rpartition(".")[0]
    name = stem.rpartition("/")[2]
    values = {"collection": collection, "path": stem, "name": name, "title": name, "slug": name, "output_ext": ".html"}
    usual = "/:collection/:path:output_ext"
    return re.sub(r":([a-z_]+)", lambda found: values.get(found[1], ""), pattern if isinstance(pattern, str) else usual)


def is_inside(path: str) -> bool:
    """Return whether a path, relative to a folder, stays inside the folder and names nothing hidden."""
    parts = path.split("/")
    return bool(re.fullmatch(r"[^\\\0]{1,500}", path)) and not any(part.startswith(".") or not part for part in parts)
