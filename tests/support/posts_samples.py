"""A folder of posts with short methods, for the tests of the posts room."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from publisher.config import Config, Posts, Site
from publisher.core.models import Post, Problem, RenderedPost
from publisher.posts.archive import Archive, ArchiveReader, open_archive
from publisher.posts.front_matter.metadata import build_post
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.markup import Renderer
from publisher.posts.post_file import ParsedFile, PostSettings
from publisher.posts.rendering.headline import title_in
from publisher.publishing.project_check import check_project
from publisher.site.build import BuildReport, build

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
URL = "https://site.example"
SITE = Site(title="The Site", url=URL, authority="site.example,2024", timezone="Europe/Berlin")
HELLO = "2024-07-06-hello.md"
PAGE = f"{URL}/2024/07/06/hello/"


class Folder:
    """A project in `root` whose posts are in posts/."""

    def __init__(self, root: Path, site: Site = SITE, **more: Any) -> None:
        self.root = root
        self.config = Config(site=site, root=root, **more)
        (root / "posts").mkdir(parents=True, exist_ok=True)

    def write(self, path: str, text: str | bytes = "", head: str = "title: A title") -> Path:
        """Write posts/<path>: bytes unchanged, text after its front matter (head="" for none)."""
        return self.file(f"posts/{path}", text if isinstance(text, bytes) or not head else f"---\n{head}\n---\n{text}")

    def file(self, path: str, content: str | bytes) -> Path:
        """Write a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        return file

    def archive(self, now: datetime = NOW, *, keep: bool = False) -> Archive:
        return open_archive(self.config, now, keep=keep)

    def reader(self) -> ArchiveReader:
        return ArchiveReader(self.config)

    def posts(self, now: datetime = NOW) -> list[Post]:
        """Return the public posts; there must be no problems."""
        archive = self.archive(now)
        assert archive.problems == []
        return list(archive.posts)

    def render(self, source: str = HELLO, *, inspect: bool = True) -> RenderedPost:
        """Return one post as HTML, with the problems that only a check shows."""
        archive = self.archive()
        (post,) = archive.load([source])
        return Renderer(archive, self.config, inspect=inspect).render(post)

    def check(self) -> list[Problem]:
        """Return every problem of the posts that `publisher check` shows."""
        problems = check_project(self.config, NOW, None).problems
        return [p for p in problems if p.path.startswith(self.config.posts.folder)]

    def build(self, now: datetime = NOW) -> BuildReport:
        return build(self.config, now)

    def public(self) -> dict[str, bytes]:
        """Return every file of the output by its path."""
        top = self.root / "public"
        return {p.relative_to(top).as_posix(): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}

    def line(self, problem: Problem) -> str:
        """Return the line number in a problem."""
        text = (self.root / problem.path).read_bytes().decode().replace("\r\n", "\n").replace("\r", "\n")
        return text.split("\n")[problem.line - 1]


def settings(posts: Posts | None = None, **site: Any) -> PostSettings:
    """Return the settings of a site that differs from the usual one."""
    return PostSettings.of(Config(site=replace(SITE, **site), posts=posts or Posts(), root=Path("no-such-project")))


def read(text: str, source: str = HELLO, **site: Any) -> ParsedFile:
    """Read the head of a post's text. Raises PostError."""
    return build_post(source, parse_head(text, whole=True), "digest", settings(**site), title_in)


def post_of(text: str, source: str = HELLO, **site: Any) -> Post:
    """Return the post in a text. There must be no problems, and the post must not be a draft."""
    entry = read(text, source, **site)
    assert entry.problems == ()
    assert entry.post
    return entry.post


def rendered(
    body: str, head: str = "title: A title", name: str = HELLO, files: tuple[str, ...] = (), **more: Any
) -> RenderedPost:
    """Render one post in a temporary project that also has empty `files`."""
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(Path(root), **more)
        folder.write(name, body, head)
        for path in files:
            folder.file(path, b"")
        return folder.render(name)


def html_of(body: str, **more: Any) -> str:
    """Return the HTML of one body."""
    return rendered(body, **more).html.strip()


def said(result: RenderedPost) -> list[tuple[int, str]]:
    """Return the problems of a rendered post as (line, message)."""
    return [(problem.line, problem.message) for problem in result.problems]
