"""Everything that one generator made from the corpus and its variants, as input for the checks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from benchmarks.compare import corpus as posts
from benchmarks.compare.corpus import Corpus
from benchmarks.compare.feed import Feed, main_feeds
from benchmarks.compare.program import BuildError, Generator, build
from benchmarks.compare.reading import read_feeds

_ELSEWHERE = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4711", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Build:
    """One build: the project's posts, the output's folder and feeds, or why they are missing."""

    corpus: Corpus
    folder: Path = Path()
    feeds: tuple[Feed, ...] = ()
    refused: str = ""

    @property
    def main(self) -> dict[str, Feed]:
        """The feed of the whole site in each format."""
        return main_feeds(self.feeds)

    def at(self, address: str) -> Path | None:
        """Return the output file that a server would serve at an absolute URL, or None."""
        if not address.startswith(self.corpus.url):
            return None
        path = unquote(urlsplit(address).path).lstrip("/")
        for candidate in (path, f"{path}/index.html".lstrip("/"), f"{path}.html"):
            file = self.folder / candidate
            if file.is_file():
                return file
        return None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The builds by variant, and the feed files that a build without changes rewrote."""

    builds: Mapping[str, Build]
    rewritten: tuple[str, ...] = ()
    again_refused: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def base(self) -> Build:
        """The build of the whole corpus, used by most rows."""
        return self.builds["base"]


def gather(generator: Generator, tools: Path, scratch: Path, tell: Callable[[str], None]) -> Evidence:
    """Build every variant with one generator, in new folders below `scratch`."""
    shop = _Shop(generator, tools, scratch / generator.name)
    whole = posts.whole_corpus()
    variants: dict[str, Corpus] = {
        "base": whole,
        "elsewhere": whole,
        "domain": Corpus(whole.posts, posts.OTHER_URL),
        "moved": posts.moved_corpus(whole),
        "big": posts.big_corpus(),
        **{kind: posts.breaking_corpus(kind) for kind in posts.BREAKING},
    }
    builds = {}
    for name, corpus in variants.items():
        tell(f"{generator.name}: {name}")
        builds[name] = shop.build(name, corpus, _ELSEWHERE if name == "elsewhere" else {})
    rewritten, refused = shop.again(builds["base"])
    return Evidence(builds, rewritten, refused, generator.notes)


class _Shop:
    """Builds projects with one generator."""

    def __init__(self, generator: Generator, tools: Path, scratch: Path) -> None:
        self._generator, self._tools, self._scratch = generator, tools, scratch

    def build(self, name: str, corpus: Corpus, environment: Mapping[str, str]) -> Build:
        """Write a new project and build it."""
        folder = self._scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        order = corpus if not environment else Corpus(tuple(reversed(corpus.posts)), corpus.url)
        self._generator.write(folder, order)
        modules = self._tools / self._generator.name.lower() / "node_modules"
        if modules.is_dir():
            (folder / "node_modules").symlink_to(modules)
        try:
            output = build(self._generator, self._tools, folder, environment)
        except BuildError as error:
            return Build(corpus, folder, refused=str(error))
        return Build(corpus, output, read_feeds(output))

    def again(self, first: Build) -> tuple[tuple[str, ...], str]:
        """Build an unchanged project again; return the feed files that were rewritten."""
        before = {feed.path: _stamp(first.folder / feed.path) for feed in first.feeds}
        try:
            build(self._generator, self._tools, self._scratch / "base", {})
        except BuildError as error:
            return (), str(error)
        return tuple(path for path, stamp in before.items() if _stamp(first.folder / path) != stamp), ""


def _stamp(file: Path) -> tuple[int, int]:
    """Return when a file was written, and its inode; zeros if there is no file."""
    try:
        return file.stat().st_mtime_ns, file.stat().st_ino
    except OSError:
        return 0, 0
