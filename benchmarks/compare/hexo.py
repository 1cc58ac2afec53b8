"""Hexo with hexo-generator-feed: https://github.com/hexojs/hexo-generator-feed

Both types, full content, limit, hub and icon use the settings on its page; `future` and `updated_option` those of
https://hexo.io/docs/configuration (by default the date of an edit is the file's, which a fresh copy changes).
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.compare.corpus import AUTHOR, DESCRIPTION, HUB, LIMIT, TITLE, Corpus
from benchmarks.compare.program import (
    Bare,
    Generator,
    install_node,
    node_version,
    write_media,
    write_text,
    yaml_post,
)

# The packages that `hexo init` puts into a new site, and the plugin.
_PARTS = {
    "hexo": "8.1.2",
    "hexo-generator-archive": "2.0.0",
    "hexo-generator-category": "2.0.0",
    "hexo-generator-feed": "3.0.0",
    "hexo-generator-index": "4.0.0",
    "hexo-generator-tag": "2.0.0",
    "hexo-renderer-ejs": "2.0.0",
    "hexo-renderer-marked": "7.0.1",
    "hexo-renderer-stylus": "3.0.1",
    "hexo-theme-landscape": "1.1.0",
}

_SETTINGS = """\
title: {title}
subtitle: {description}
description: {description}
author: {author}
email: ada@example.org
language: en
timezone: UTC
url: {url}
theme: landscape
future: false
updated_option: date
feed:
  type: [atom, rss2]
  path: [atom.xml, rss2.xml]
  limit: {limit}
  content: true
  hub: {hub}
  icon: media/picture.png
"""


def generator() -> Generator:
    """Return Hexo with its feed plugin."""
    return Generator(
        name="Hexo",
        setup="a new site as `hexo init` makes it; both types, `content`, `limit`, `hub`, `icon` of the plugin",
        install=_installed,
        write=write,
        command=lambda _tools, _folder: ["node", "node_modules/hexo/bin/hexo", "generate"],
        output="public",
        notes={
            "json": "By another plugin.",
            "authors": "By a template of one's own (`feed.template`).",
            "hidden": "By `future: false`; the default shows future posts.",
        },
    )


def _installed(tools: Path) -> str:
    folder = install_node(tools, "hexo", *(f"{name}@{version}" for name, version in _PARTS.items()))
    return f"{node_version(folder, 'hexo')}, plugin {node_version(folder, 'hexo-generator-feed')}"


def write(folder: Path, corpus: Corpus) -> None:
    """Write the project."""
    values = {"title": TITLE, "description": DESCRIPTION, "author": AUTHOR, "url": corpus.url, "hub": HUB}
    quoted = {key: json.dumps(value) for key, value in values.items()}
    write_text(folder / "_config.yml", _SETTINGS.format(limit=LIMIT, **quoted))
    package = {"private": True, "hexo": {"version": _PARTS["hexo"]}, "dependencies": _PARTS}
    write_text(folder / "package.json", json.dumps(package, indent=1) + "\n")
    write_media(folder / "source")
    for post in corpus.posts:
        fields = {
            "title": post.title,
            "date": Bare(f"{post.published:%Y-%m-%d %H:%M:%S}"),
            "updated": Bare(f"{post.updated:%Y-%m-%d %H:%M:%S}") if post.updated else "",
            "permalink": f"posts/{post.slug}/",
            "description": post.summary,
            "tags": list(post.tags),
            "author": ", ".join(post.authors),
            "lang": post.language,
            "image": post.image,
        }
        kind = "_drafts" if post.draft else "_posts"
        write_text(folder / "source" / kind / f"{post.name}.md", yaml_post(fields, post.text))
