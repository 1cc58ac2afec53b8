"""Eleventy with the virtual templates of its RSS plugin: https://www.11ty.dev/docs/plugins/rss/

The plugin is called once for each format; drafts use the preprocessor of
https://www.11ty.dev/docs/config-preprocessors/. Eleventy has no theme: the layout is minimal, with the lines for
autodiscovery of the official starter (eleventy-base-blog).
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.compare.corpus import AUTHOR, DESCRIPTION, LIMIT, TITLE, Corpus
from benchmarks.compare.program import (
    Bare,
    Generator,
    install_node,
    node_version,
    write_media,
    write_text,
    yaml_post,
)

# 3.1.5 is the newest whose own requirements can all be met (3.1.8 asks for an unreleased part).
PACKAGES = ("@11ty/eleventy@3.1.5", "@11ty/eleventy-plugin-rss@3.0.0")

_SETTINGS = """\
import { feedPlugin } from "@11ty/eleventy-plugin-rss";

const formats = { atom: "/feed.xml", rss: "/rss.xml", json: "/feed.json" };

export default function (eleventyConfig) {
  eleventyConfig.addPassthroughCopy("media");
  eleventyConfig.addPreprocessor("drafts", "*", (data) => (data.draft ? false : undefined));
  for (const [type, outputPath] of Object.entries(formats)) {
    eleventyConfig.addPlugin(feedPlugin, {
      type,
      outputPath,
      collection: { name: "posts", limit: LIMIT },
      metadata: {
        language: "en",
        title: NAME,
        subtitle: DESCRIPTION,
        description: DESCRIPTION,
        base: BASE,
        icon: BASE + "media/picture.png",
        author: { name: AUTHOR },
      },
    });
  }
}
"""

_LAYOUT = """\
<!doctype html>
<html lang="{{ lang or 'en' }}"><head><meta charset="utf-8"><title>{{ title }}</title>
<link rel="alternate" href="/feed.xml" type="application/atom+xml" title="Feed">
<link rel="alternate" href="/rss.xml" type="application/rss+xml" title="Feed">
<link rel="alternate" href="/feed.json" type="application/feed+json" title="Feed">
</head><body><h1>{{ title }}</h1>{{ content | safe }}</body></html>
"""

_INDEX = """\
---
layout: base.njk
title: All posts
permalink: /
---
{% for post in collections.posts %}<p><a href="{{ post.url }}">{{ post.data.title }}</a></p>{% endfor %}
"""

_BY_CODE = "By a template of one's own."


def generator() -> Generator:
    """Return Eleventy with the plugin's own templates."""
    return Generator(
        name="Eleventy",
        setup="the plugin's virtual templates, one call for each format; `summary` in the front matter",
        install=_installed,
        write=write,
        command=lambda _tools, _folder: ["node", "node_modules/@11ty/eleventy/cmd.cjs", "--quiet"],
        output="_site",
        notes={
            "rss": "Once a post has a `summary`, its RSS uses a prefix (`content:`) that it does not declare.",
            "tag-feeds": "By one more call of the plugin for each tag, written by hand.",
            "author-feeds": "By a collection and a call of the plugin for each author, written by hand.",
            "authors": _BY_CODE,
            "tags": _BY_CODE,
            "hidden": "By a collection of one's own that leaves out future posts.",
            "discovery": "By the layout; the official starter has these lines.",
        },
    )


def _installed(tools: Path) -> str:
    folder = install_node(tools, "eleventy", *PACKAGES)
    return f"{node_version(folder, '@11ty/eleventy')}, plugin {node_version(folder, '@11ty/eleventy-plugin-rss')}"


def write(folder: Path, corpus: Corpus) -> None:
    """Write the project."""
    settings = _SETTINGS.replace("LIMIT", str(LIMIT)).replace("BASE", json.dumps(f"{corpus.url}/"))
    for word, value in (("NAME", TITLE), ("DESCRIPTION", DESCRIPTION), ("AUTHOR", AUTHOR)):
        settings = settings.replace(word, json.dumps(value))
    write_text(folder / "eleventy.config.js", settings)
    write_text(folder / "package.json", '{"private": true, "type": "module"}\n')
    write_text(folder / "_includes" / "base.njk", _LAYOUT)
    write_text(folder / "index.njk", _INDEX)
    write_text(folder / "posts" / "posts.json", '{"layout": "base.njk", "tags": ["posts"]}\n')
    write_media(folder)
    for post in corpus.posts:
        fields = {
            "title": post.title,
            "date": Bare(post.published.isoformat()),
            "permalink": f"/posts/{post.slug}/",
            "summary": post.summary,
            "tags": list(post.tags),
            "authors": list(post.authors),
            "lang": post.language,
            "draft": post.draft,
        }
        write_text(folder / "posts" / f"{post.name}.md", yaml_post(fields, post.text))
