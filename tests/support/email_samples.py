"""Emails with real posts in every shipped template: the sample posts, two long documents, 30 posts of a site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from publisher.config import Config, NewsletterConfig, Posts, Site, load_config
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Letter
from publisher.core.templates import Templates
from publisher.newsletters.letter.compose import compose
from publisher.posts.archive import open_archive
from publisher.posts.markup import Renderer
from tests.support import ROOT

SHARED = (ROOT / ".." / "shared").resolve()
RUBY, SEEDS = SHARED / "corpora/ruby-news", SHARED / "seeds"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
TOGETHER = 12  # posts in one email

FORMS = {
    "digest": NewsletterConfig(name="weekly"),
    "digest-full": NewsletterConfig(name="weekly", content="full"),
    "post": NewsletterConfig(name="weekly", template="post"),
    "plain": NewsletterConfig(name="weekly", template="plain"),
    "arabic": NewsletterConfig(name="weekly", language="ar", content="full"),
}
SOURCES = ["samples", "seeds", "ruby-news"]


class Watched(Templates):
    """Templates that keep the HTML of an email as it was before its CSS was inlined."""

    def __init__(self, own: Path) -> None:
        super().__init__(own)
        self.rendered = ""

    def render(self, name: str, **context: Any) -> str:
        """Render as usual, and keep the HTML."""
        text = super().render(name, **context)
        if name.endswith(".html"):
            self.rendered = text
        return text


@dataclass(frozen=True)
class Sample:
    """An email, and its HTML before inlining."""

    name: str
    letter: Letter
    before: str


@cache
def posts_of(source: str) -> tuple[RenderedPost, ...]:
    """Return the rendered posts of a source; empty if the source is not next to this checkout."""
    if source == "samples":
        config = load_config(ROOT, {})
    elif source == "seeds":
        return _seeds()
    else:
        config = Config(site=_site("https://www.ruby.example"), root=RUBY.parent, posts=Posts(folder=RUBY.name))
    if not (config.root / config.posts.folder).is_dir():
        return ()
    archive = open_archive(config, NOW, keep=False)
    chosen = archive.posts if source == "samples" else archive.posts[:: max(1, len(archive.posts) // 30)][:30]
    renderer = Renderer(archive, config)
    return tuple(renderer.render(post) for post in chosen)


def _site(url: str) -> Site:
    return Site(title="The Quiet Press", url=url, timezone="Europe/Berlin", postal_address="1 Long Road\nAnytown")


def _seeds() -> tuple[RenderedPost, ...]:
    files = sorted(SEEDS.glob("*.txt"))
    with TemporaryDirectory() as folder:
        (Path(folder) / "posts").mkdir()
        for day, file in enumerate(files, start=1):
            (Path(folder) / f"posts/2024-01-0{day}-seed.md").write_bytes(file.read_bytes())
        config = Config(site=_site("https://seeds.example"), root=Path(folder))
        archive = open_archive(config, NOW, keep=False)
        renderer = Renderer(archive, config)
        return tuple(renderer.render(post) for post in archive.posts)


def letters(source: str, form: str) -> Iterator[Sample]:
    """Yield emails that together contain all posts of a source, in one form."""
    posts = posts_of(source)
    for start in range(0, len(posts), TOGETHER):
        yield from _whole(posts[start : start + TOGETHER], form, f"{source}-{form}-{start}")


def _whole(posts: tuple[RenderedPost, ...], form: str, name: str) -> Iterator[Sample]:
    """Yield emails with the posts, as full as the form says; an email that would be shortened is split in two."""
    made = letter(posts, form, name)
    if not made.letter.fallback or len(posts) == 1:
        yield made
        return
    half = len(posts) // 2
    yield from _whole(posts[:half], form, f"{name}a")
    yield from _whole(posts[half:], form, f"{name}b")


def letter(posts: tuple[RenderedPost, ...], form: str, name: str, **site: Any) -> Sample:
    """Return one email with these posts."""
    config = Config(site=replace(_site("https://example.org"), **site))
    templates = Watched(Path("no-such-folder"))
    web_copy = "https://example.org/editions/weekly/2026-W47/"
    made = compose(config, FORMS[form], list(posts), 12, "2026-W47", NOW, templates, web_copy)
    return Sample(name, made, templates.rendered)
