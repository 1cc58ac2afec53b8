"""Astro with @astrojs/rss: https://docs.astro.build/en/recipes/rss/

The endpoint is the recipe's with full content (markdown-it, sanitize-html); order and limit are one line of code each,
and the fields of the front matter are those of the recipe's rssSchema. The pages are minimal, with the recipe's line
for autodiscovery.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.compare.corpus import AUDIO_BYTES, DESCRIPTION, LIMIT, TITLE, Corpus, Post
from benchmarks.compare.program import (
    Bare,
    Generator,
    install_node,
    node_version,
    write_media,
    write_text,
    yaml_post,
)

# Astro 6 needs Node 22.
PACKAGES = ("astro@5.18.2", "@astrojs/rss@4.0.19", "sanitize-html@2", "markdown-it@14")

_SETTINGS = """\
import { defineConfig } from "astro/config";
export default defineConfig({ site: BASE, cacheDir: "./.cache", vite: { cacheDir: "./.cache/vite" } });
"""

_COLLECTION = """\
import { defineCollection } from "astro:content";
import { glob } from "astro/loaders";
import { rssSchema } from "@astrojs/rss";
import { z } from "astro:content";

const blog = defineCollection({
  loader: glob({ pattern: "**/*.md", base: "./src/blog" }),
  schema: z.object({
    title: z.string(),
    description: z.string().optional(),
    pubDate: z.coerce.date(),
    categories: z.array(z.string()).optional(),
    author: z.string().optional(),
    enclosure: z.object({ url: z.string(), length: z.number(), type: z.string() }).optional(),
    draft: z.boolean().optional(),
  }),
});
export const collections = { blog };
"""

_FEED = """\
import rss from "@astrojs/rss";
import { getCollection } from "astro:content";
import sanitizeHtml from "sanitize-html";
import MarkdownIt from "markdown-it";
const parser = new MarkdownIt();

export async function GET(context) {
  const blog = await getCollection("blog", ({ data }) => data.draft !== true);
  blog.sort((a, b) => b.data.pubDate - a.data.pubDate);
  return rss({
    title: NAME,
    description: DESCRIPTION,
    site: context.site,
    items: blog.slice(0, LIMIT).map((post) => ({
      link: `/posts/${post.id}/`,
      content: sanitizeHtml(parser.render(post.body), {
        allowedTags: sanitizeHtml.defaults.allowedTags.concat(["img"]),
      }),
      ...post.data,
    })),
  });
}
"""

_HEAD = """\
<html lang="en"><head><meta charset="utf-8" /><title>Posts</title>
<link rel="alternate" type="application/rss+xml" title="Posts" href={new URL("rss.xml", Astro.site)} /></head>
"""

_INDEX = f"""\
---
import {{ getCollection }} from "astro:content";
const blog = await getCollection("blog", ({{ data }}) => data.draft !== true);
---
{_HEAD}<body>{{blog.map((post) => <p><a href={{`/posts/${{post.id}}/`}}>{{post.data.title}}</a></p>)}}</body></html>
"""

_POST = f"""\
---
import {{ getCollection, render }} from "astro:content";
export async function getStaticPaths() {{
  const blog = await getCollection("blog", ({{ data }}) => data.draft !== true);
  return blog.map((post) => ({{ params: {{ id: post.id }}, props: {{ post }} }}));
}}
const {{ Content }} = await render(Astro.props.post);
---
{_HEAD}<body><Content /></body></html>
"""

_BY_CODE = "The endpoint is code: whatever is written there by hand."


def generator() -> Generator:
    """Return Astro with its RSS package."""
    return Generator(
        name="Astro",
        setup="the recipe's endpoint with full content; order and limit a line of code each",
        install=_installed,
        write=write,
        command=lambda _tools, _folder: ["node", "node_modules/astro/astro.js", "build"],
        output="dist",
        notes={
            "atom": "By an endpoint written by hand.",
            "json": "By an endpoint written by hand.",
            "enclosure": "Length and type are written into the front matter by hand.",
            "image": _BY_CODE,
            "self": "By `customData`.",
            "language": "For the whole feed by `customData`.",
            "tag-feeds": "By an endpoint written by hand.",
            "limit": "Order and limit are a line of code each in the endpoint.",
            "discovery": "By the recipe's line in the layout.",
            "hidden": "Future posts can be left out in the endpoint.",
        },
        environment={"ASTRO_TELEMETRY_DISABLED": "1"},
    )


def _installed(tools: Path) -> str:
    folder = install_node(tools, "astro", *PACKAGES)
    return f"{node_version(folder, 'astro')}, @astrojs/rss {node_version(folder, '@astrojs/rss')}"


def write(folder: Path, corpus: Corpus) -> None:
    """Write the project."""
    write_text(folder / "package.json", '{"private": true, "type": "module"}\n')
    write_text(folder / "astro.config.mjs", _SETTINGS.replace("BASE", json.dumps(corpus.url)))
    write_text(folder / "src" / "content.config.ts", _COLLECTION)
    feed = _FEED.replace("LIMIT", str(LIMIT)).replace("NAME", json.dumps(TITLE))
    write_text(folder / "src" / "pages" / "rss.xml.js", feed.replace("DESCRIPTION", json.dumps(DESCRIPTION)))
    write_text(folder / "src" / "pages" / "index.astro", _INDEX)
    write_text(folder / "src" / "pages" / "posts" / "[...id].astro", _POST)
    write_media(folder / "public")
    for post in corpus.posts:
        write_text(folder / "src" / "blog" / f"{post.name}.md", yaml_post(_fields(post), post.text))


def _fields(post: Post) -> dict[str, object]:
    enclosure = {"url": post.audio, "length": AUDIO_BYTES, "type": "audio/mpeg"} if post.audio else {}
    return {
        "title": post.title,
        "pubDate": Bare(post.published.isoformat()),
        "slug": post.slug,
        "description": post.summary,
        "categories": list(post.tags),
        "author": ", ".join(post.authors),
        "enclosure": enclosure,
        "draft": post.draft,
    }
