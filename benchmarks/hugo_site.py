"""Hugo, set up for the whole site: the same pages, URLs, texts and feeds as ours, with highlighting.

Its templates are the files of hugo_layouts/. They give the same information as ours: the head and page of a post, with
previous, next and related posts; the index and the tags, with all their pages; the archive, the page of feeds, the
OPML, the sitemap and the 404 page. What is the same on all pages is rendered once (`partialCached`), as Hugo's
documentation advises.
"""

from __future__ import annotations

import shutil
from pathlib import Path

LAYOUTS = Path(__file__).parent / "hugo_layouts"
_LOOKS = Path(__file__).resolve().parents[1] / "templates" / "pages"

_PAGES = {"archive": "Archive", "feeds": "All feeds", "subscribe": "Subscribe"}

# :filename takes only the slug from a file's name, because `date` has already been found.
_CONFIG = """\
baseURL = "https://bench.example.org/"
title = "Benchmark"
publishDir = "hugo-public"
disableKinds = ["robotsTXT", "section"]
capitalizeListTitles = false
summaryLength = 15

[frontmatter]
date = ["date"]
lastmod = ["date"]
publishDate = [":filename", "date"]

[permalinks.page]
"/" = "/:year/:month/:day/:slug/"

[permalinks.term]
author = "/authors/:slug/"

[pagination]
pagerSize = 20
disableAliases = true

[taxonomies]
tag = "tags"
author = "author"

[markup.highlight]
noClasses = false

[[module.mounts]]
source = "posts"
target = "content"

[[module.mounts]]
source = "hugo-pages"
target = "content"

[[module.mounts]]
source = "hugo-static"
target = "static"

[[module.mounts]]
source = "hugo-layouts"
target = "layouts"

[mediaTypes."application/atom+xml"]
suffixes = ["xml"]

[mediaTypes."application/feed+json"]
suffixes = ["json"]

[mediaTypes."text/x-opml"]
suffixes = ["opml"]

[outputFormats.rss]
mediaType = "application/rss+xml"
baseName = "feed"
isPlainText = true

[outputFormats.atom]
mediaType = "application/atom+xml"
baseName = "atom"
isPlainText = true

[outputFormats.feed]
mediaType = "application/feed+json"
baseName = "feed"
isPlainText = true

[outputFormats.opml]
mediaType = "text/x-opml"
baseName = "feeds"
isPlainText = false

[outputs]
home = ["html", "rss", "atom", "feed", "opml"]
term = ["html", "rss", "atom", "feed"]
taxonomy = ["html"]

[[cascade]]
outputs = ["rss", "atom", "feed"]
[cascade.target]
kind = "term"
path = "/author/**"

[[cascade]]
[cascade.build]
render = "never"
[cascade.target]
kind = "taxonomy"
path = "/author"
"""

_PAGE = """\
---
title: {title}
layout: {name}
url: /{name}/
build: {{ list: never }}
---
"""


def write_project(folder: Path) -> None:
    """Write Hugo's configuration, templates, fixed pages and styles into `folder`, next to posts/."""
    (folder / "hugo.toml").write_text(_CONFIG, encoding="utf-8")
    shutil.copytree(LAYOUTS, folder / "hugo-layouts")
    pages = folder / "hugo-pages"
    pages.mkdir()
    for name, title in _PAGES.items():
        (pages / f"{name}.md").write_text(_PAGE.format(name=name, title=title), encoding="utf-8")
    (pages / "tags").mkdir()
    (pages / "tags" / "_index.md").write_text("---\ntitle: Tags\n---\n", encoding="utf-8")
    static = folder / "hugo-static"
    (static / "assets").mkdir(parents=True)
    styles = "".join((_LOOKS / name).read_text(encoding="utf-8") for name in ("site.css", "highlight.css"))
    (static / "assets" / "site.css").write_text(styles, encoding="utf-8")
    shutil.copy(_LOOKS / "favicon.svg", static)
