"""Publisher itself: the defaults, and the documented keys site.authority, site.image and feeds.hub."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compare.corpus import AUTHOR, DESCRIPTION, HUB, TITLE, Corpus
from benchmarks.compare.program import Bare, Generator, write_media, write_text, yaml_post
from publisher import __version__

_ROOT = Path(__file__).resolve().parents[2]

_SETTINGS = """\
[site]
title = {title}
url = {url}
description = {description}
authority = "compare.example.org,2024"
image = "/media/picture.png"
author = {{ name = {author} }}

[feeds]
hub = {hub}
"""


def generator(program: str = "") -> Generator:
    """Return Publisher from this repository, or from the program at a path."""

    def command(_tools: Path, folder: Path) -> Sequence[str | Path]:
        start: list[str | Path] = [program] if program else [sys.executable, "-m", "publisher"]
        return [*start, "-C", folder, "build"]

    return Generator(
        name="Publisher",
        setup="the defaults; `site.authority`, `site.image` and `feeds.hub` set",
        install=lambda _tools: __version__,
        write=write,
        command=command,
        output="public",
        notes={"domain": "By `site.authority`; by default ids keep the host that was published first."},
        environment={} if program else {"PYTHONPATH": str(_ROOT)},
    )


def write(folder: Path, corpus: Corpus) -> None:
    """Write the project."""
    values = {"title": TITLE, "url": corpus.url, "description": DESCRIPTION, "author": AUTHOR, "hub": HUB}
    settings = _SETTINGS.format(**{key: json.dumps(value) for key, value in values.items()})
    write_text(folder / "publisher.toml", settings)
    write_media(folder / "static")
    for post in corpus.posts:
        fields = {
            "title": post.title,
            "date": Bare(post.published.isoformat()),
            "updated": Bare(post.updated.isoformat()) if post.updated else "",
            "slug": post.slug,
            "description": post.summary,
            "tags": list(post.tags),
            "authors": list(post.authors),
            "lang": post.language,
            "image": post.image,
            "audio": post.audio,
            "draft": post.draft,
        }
        write_text(folder / "posts" / f"{post.name}.md", yaml_post(fields, post.text))
