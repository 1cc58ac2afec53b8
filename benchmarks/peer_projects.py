"""The programs of benchmarks.peers: how each is installed, and the project from which it builds feeds or a site.

For the work "feeds", pages are left out if the program can do that. For the work "site", programs other than Hugo get
minimal templates that show a post, lists of posts and of tags, or the program's own theme.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import feeds, hugo, site
from benchmarks.compare import hugo as hugo_tools
from benchmarks.compare.eleventy import PACKAGES
from benchmarks.compare.pelican import VERSION as PELICAN
from benchmarks.compare.program import MissingError, install_node, install_python, node_version, write_text
from benchmarks.corpus import TAGS, CorpusPost, make_post
from benchmarks.measure import find_program
from publisher import __version__

KINDS = ("feeds", "site")
LIMIT = 20
SYNTAX = "@11ty/eleventy-plugin-syntaxhighlight@5.0.2"

Write = Callable[[Path, str, int, Path], None]


@dataclass(frozen=True, slots=True)
class Peer:
    """One program.

    install  takes the folder for tools and returns the version; raises MissingError
    hint     how to get it if install fails
    write    takes an empty folder, the kind of work, how many posts, and the folder for tools
    command  takes the folder for tools and the project
    output   the folder that it writes
    """

    name: str
    install: Callable[[Path], str]
    hint: str
    write: Write
    command: Callable[[Path, Path], Sequence[str | Path]]
    output: str


def peers(publisher: str = "") -> list[Peer]:
    """Return all programs, ours first."""
    ours = [publisher] if publisher else [find_program("publisher") or "publisher"]
    return [
        Peer("Publisher", lambda _: __version__, "Run `make`.", _ours, lambda *_: [*ours, "build"], "public"),
        Peer("Hugo", hugo_tools.install, hugo.INSTALL_HINT, _hugo, _hugo_command, hugo.OUTPUT),
        Peer(
            "Eleventy",
            _install_eleventy,
            "It needs Node.js 18 or newer with npm: on Debian, `apt install nodejs npm`.",
            _eleventy,
            lambda *_: ["node", "node_modules/@11ty/eleventy/cmd.cjs", "--quiet"],
            "_site",
        ),
        Peer("Pelican", _install_pelican, "It is on PyPI.", _pelican, _pelican_command, "output"),
        Peer(
            "Jekyll",
            _find_jekyll,
            "On Debian: `apt install jekyll ruby-jekyll-feed ruby-jekyll-paginate`.",
            _jekyll,
            lambda *_: ["jekyll", "build", "--quiet"],
            "_site",
        ),
        Peer(
            "Zola",
            _find_zola,
            "PyPI, npm and Debian do not have it: `cargo install --git https://github.com/getzola/zola`.",
            _zola,
            lambda *_: ["zola", "build"],
            "public",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a post of the corpus."""

    title: str
    date: str
    tags: tuple[str, str]
    author: str
    slug: str
    body: str


_PARTS = re.compile(r'---\ntitle: "(.*)"\ndate: (.*)\ntags: \[(.*), (.*)\]\nauthor: "(.*)"\n---\n\n(?s:(.*))')


def parts(post: CorpusPost) -> Parts:
    """Return the parts of a post, for programs with a different front matter."""
    match = _PARTS.fullmatch(post.text)
    assert match is not None
    title, date, first, second, author, body = match.groups()
    return Parts(title, date, (first, second), author, post.name[11:].removesuffix(".md"), body)


def _all(posts: int) -> Iterator[tuple[CorpusPost, Parts]]:
    for number in range(posts):
        post = make_post(number)
        yield post, parts(post)


def _ours(folder: Path, kind: str, posts: int, tools: Path) -> None:
    (feeds.write_project if kind == "feeds" else site.write_site)(folder, posts)


def _hugo(folder: Path, kind: str, posts: int, tools: Path) -> None:
    _ours(folder, kind, posts, tools)


def _hugo_command(tools: Path, folder: Path) -> list[str | Path]:
    binary = hugo.find_binary(str(tools / "hugo" / "bin" / "hugo"))
    return hugo.build_command(binary or Path("hugo"), folder)


def _install_eleventy(tools: Path) -> str:
    folder = install_node(tools, "eleventy-peers", *PACKAGES, SYNTAX)
    return node_version(folder, "@11ty/eleventy")


_ELEVENTY = """\
import { feedPlugin } from "@11ty/eleventy-plugin-rss";
import syntaxHighlight from "@11ty/eleventy-plugin-syntaxhighlight";

const metadata = {
  language: "en", title: "Benchmark", subtitle: "Benchmark", description: "Benchmark",
  base: "https://bench.example.org/", author: { name: "Ada" },
};

export default function (eleventyConfig) {
  if (HIGHLIGHT) eleventyConfig.addPlugin(syntaxHighlight);
  for (const [type, file] of [["rss", "feed.xml"], ["atom", "atom.xml"]]) {
    for (const tag of ["posts", ...TAGS]) {
      const outputPath = tag === "posts" ? `/${file}` : `/tags/${tag}/${file}`;
      const inputPath = `feed-${tag}-${file}.njk`;
      const collection = { name: tag, limit: LIMIT };
      eleventyConfig.addPlugin(feedPlugin, { type, outputPath, inputPath, collection, metadata });
    }
  }
}
"""

_ELEVENTY_BASE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<link rel="alternate" href="/feed.xml" type="application/rss+xml">
<link rel="alternate" href="/atom.xml" type="application/atom+xml">
</head><body><h1>{{ title }}</h1>{{ content | safe }}
{% if author %}<p>{{ author }}, {{ page.date.toISOString() }}</p>
{% for tag in tags %}{% if tag != "posts" %}<a href="/tags/{{ tag }}/">{{ tag }}</a> {% endif %}{% endfor %}{% endif %}
</body></html>
"""

_ELEVENTY_LIST = """\
---
pagination: {{ data: collections.{data}, size: 20, alias: some, reverse: true }}
layout: base.njk
title: {title}
permalink: "{path}{{% if pagination.pageNumber %}}page/{{{{ pagination.pageNumber + 1 }}}}/{{% endif %}}"
eleventyExcludeFromCollections: true
---
{{% for post in some %}}<p><a href="{{{{ post.url }}}}">{{{{ post.data.title }}}}</a></p>{{% endfor %}}
"""


def _eleventy(folder: Path, kind: str, posts: int, tools: Path) -> None:
    """Eleventy: the feed plugin is called once per feed, and needs the pages of posts; the site has a layout."""
    settings = _ELEVENTY.replace("TAGS", json.dumps(TAGS)).replace("LIMIT", str(LIMIT))
    write_text(folder / "eleventy.config.js", settings.replace("HIGHLIGHT", "true" if kind == "site" else "false"))
    write_text(folder / "package.json", '{"private": true, "type": "module"}\n')
    (folder / "node_modules").symlink_to(tools / "eleventy-peers" / "node_modules")
    write_text(folder / "_includes" / "base.njk", _ELEVENTY_BASE)
    data = {"tags": ["posts"], "permalink": "/{{ page.date | date: '%Y/%m/%d' }}/{{ page.fileSlug }}/"}
    write_text(folder / "posts" / "posts.json", json.dumps(data | ({"layout": "base.njk"} if kind == "site" else {})))
    if kind == "site":
        write_text(folder / "index.njk", _ELEVENTY_LIST.format(data="posts", title="Benchmark", path="/"))
        for tag in TAGS:
            text = _ELEVENTY_LIST.format(data=tag, title=tag, path=f"/tags/{tag}/")
            write_text(folder / f"tag-{tag}.njk", text)
    for number in range(posts):
        post = make_post(number)
        write_text(folder / "posts" / post.name, post.text)


def _install_pelican(tools: Path) -> str:
    install_python(tools, "pelican", f"pelican[markdown]=={PELICAN}")
    return PELICAN


def _pelican_command(tools: Path, folder: Path) -> list[str | Path]:
    return [tools / "pelican" / "bin" / "pelican", "content", "-s", "pelicanconf.py", "--quiet"]


_PELICAN = """\
SITENAME = "Benchmark"
SITEURL = FEED_DOMAIN = "https://bench.example.org"
AUTHOR = "Ada"
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
PATH = "content"
STATIC_PATHS = []
FEED_MAX_ITEMS = {limit}
DEFAULT_PAGINATION = 20
RSS_FEED_SUMMARY_ONLY = False
FEED_ALL_ATOM = "atom.xml"
FEED_ALL_RSS = "feed.xml"
CATEGORY_FEED_ATOM = None
TAG_FEED_ATOM = "tags/{{slug}}/atom.xml"
TAG_FEED_RSS = "tags/{{slug}}/feed.xml"
AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
"""

_PELICAN_FEEDS = """\
ARTICLE_SAVE_AS = TAG_SAVE_AS = CATEGORY_SAVE_AS = AUTHOR_SAVE_AS = ""
DIRECT_TEMPLATES = []
MARKDOWN = {"extension_configs": {"markdown.extensions.extra": {}}}
"""


def _pelican(folder: Path, kind: str, posts: int, tools: Path) -> None:
    """Pelican with its default theme; for the feeds, no pages are saved and code is not highlighted."""
    text = _PELICAN.format(limit=LIMIT) + (_PELICAN_FEEDS if kind == "feeds" else "")
    write_text(folder / "pelicanconf.py", text)
    for post, part in _all(posts):
        head = f"Title: {part.title}\nDate: {part.date}\nSlug: {part.slug}\nTags: {', '.join(part.tags)}\n"
        write_text(folder / "content" / post.name, f"{head}Authors: {part.author}\n\n{part.body}")


def _find_jekyll(tools: Path) -> str:
    found = shutil.which("jekyll")
    if found is None:
        raise MissingError("jekyll is not on the path")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return said.removeprefix("jekyll ").strip()


_JEKYLL = """\
title: Benchmark
url: https://bench.example.org
permalink: /:year/:month/:day/:title/
future: true
plugins: [{plugins}]
paginate: 20
feed: {{ posts_limit: 20, tags: true }}
collections: {{ posts: {{ output: {output} }} }}
defaults: [{{ scope: {{ path: "" }}, values: {{ layout: {layout} }} }}]
kramdown: {{ syntax_highlighter: {highlighter}, input: GFM }}
"""

_JEKYLL_LAYOUT = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ page.title }}</title>
<link rel="alternate" href="/feed.xml" type="application/atom+xml">
</head><body><h1>{{ page.title }}</h1>{{ content }}
{% if page.author %}<p>{{ page.author }}, {{ page.date | date_to_xmlschema }}</p>
{% for tag in page.tags %}<a href="/tags/{{ tag }}/">{{ tag }}</a> {% endfor %}{% endif %}</body></html>
"""

_JEKYLL_INDEX = """\
---
title: Benchmark
---
{% for post in paginator.posts %}<p><a href="{{ post.url }}">{{ post.title }}</a></p>{% endfor %}
"""

_JEKYLL_TAG = """\
---
title: {tag}
permalink: /tags/{tag}/
---
{{% for post in site.tags.{tag} %}}<p><a href="{{{{ post.url }}}}">{{{{ post.title }}}}</a></p>{{% endfor %}}
"""


def _jekyll(folder: Path, kind: str, posts: int, tools: Path) -> None:
    """Jekyll with jekyll-feed, which only makes Atom; it cannot paginate tags, and makes a page for each post."""
    is_site = kind == "site"
    settings = {
        "plugins": "jekyll-feed, jekyll-paginate" if is_site else "jekyll-feed",
        "output": "true" if is_site else "false",
        "layout": "post" if is_site else "null",
        "highlighter": "rouge" if is_site else "null",
    }
    write_text(folder / "_config.yml", _JEKYLL.format(**settings))
    if is_site:
        write_text(folder / "_layouts" / "post.html", _JEKYLL_LAYOUT)
        write_text(folder / "index.html", _JEKYLL_INDEX)
        for tag in TAGS:
            write_text(folder / "tags" / f"{tag}.html", _JEKYLL_TAG.format(tag=tag))
    for number in range(posts):
        post = make_post(number)
        write_text(folder / "_posts" / post.name, post.text)


def _find_zola(tools: Path) -> str:
    found = shutil.which("zola")
    if found is None:
        raise MissingError("zola is not on the path")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return said.removeprefix("zola ").strip()


_ZOLA = """\
base_url = "https://bench.example.org"
title = "Benchmark"
generate_feeds = true
feed_limit = 20
feed_filenames = ["atom.xml", "rss.xml"]
taxonomies = [{{ name = "tags", feed = true, render = {render}, paginate_by = 20 }}]

[markdown]
highlight_code = {highlight}
"""


def _zola(folder: Path, kind: str, posts: int, tools: Path) -> None:
    """Zola, which always makes the pages of posts."""
    is_site = "true" if kind == "site" else "false"
    write_text(folder / "config.toml", _ZOLA.format(render=is_site, highlight=is_site))
    links = '{% for post in paginator.pages %}<p><a href="{{ post.permalink }}">{{ post.title }}</a></p>{% endfor %}'
    page = "<!doctype html><title>{{ page.title }}</title><h1>{{ page.title }}</h1>{{ page.content | safe }}"
    for name, text in (("index", links), ("page", page), ("tags/single", links), ("tags/list", "")):
        write_text(folder / "templates" / f"{name}.html", text)
    write_text(folder / "content" / "_index.md", '+++\nsort_by = "date"\npaginate_by = 20\n+++\n')
    for post, part in _all(posts):
        head = f'+++\ntitle = "{part.title}"\ndate = {part.date}\nslug = "{part.slug}"\n'
        head += f"[taxonomies]\ntags = {json.dumps(part.tags)}\n+++\n\n"
        write_text(folder / "content" / post.name, head + part.body)
