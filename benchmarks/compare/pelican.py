"""Pelican with its default theme: https://docs.getpelican.com/en/stable/settings.html#feed-settings

Atom is the default; RSS, the feeds of tags and authors and FEED_MAX_ITEMS use the settings on that page.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.compare.corpus import AUTHOR, DESCRIPTION, LIMIT, TITLE, Corpus, Post
from benchmarks.compare.program import Generator, install_python, write_media, write_text

VERSION = "4.12.0"

_SETTINGS = """\
SITENAME = {title!r}
SITESUBTITLE = {description!r}
SITEURL = {url!r}
FEED_DOMAIN = SITEURL
AUTHOR = {author!r}
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
PATH = "content"
STATIC_PATHS = ["media"]
WITH_FUTURE_DATES = False
FEED_MAX_ITEMS = {limit}
RSS_FEED_SUMMARY_ONLY = False
FEED_ALL_ATOM = "feeds/all.atom.xml"
FEED_ALL_RSS = "feeds/all.rss.xml"
TAG_FEED_ATOM = "feeds/tag/{{slug}}.atom.xml"
TAG_FEED_RSS = "feeds/tag/{{slug}}.rss.xml"
AUTHOR_FEED_ATOM = "feeds/author/{{slug}}.atom.xml"
AUTHOR_FEED_RSS = "feeds/author/{{slug}}.rss.xml"
# C++ and C# as the documentation's own example has them (SLUG_REGEX_SUBSTITUTIONS); without it they collide.
TAG_REGEX_SUBSTITUTIONS = [
    (r"C\\+\\+", "cpp"), (r"C#", "c-sharp"), (r"[^\\w\\s-]", ""), (r"(?u)\\A\\s*", ""), (r"(?u)\\s*\\Z", ""),
    (r"[-\\s]+", "-"),
]
"""


def generator() -> Generator:
    """Return Pelican with its own feeds."""
    return Generator(
        name="Pelican",
        setup="the default theme; RSS, the feeds of tags and authors, `FEED_MAX_ITEMS` by settings",
        install=lambda tools: _installed(tools),
        write=write,
        command=lambda tools, _folder: [tools / "pelican" / "bin" / "pelican", "content", "-s", "pelicanconf.py"],
        output="output",
        notes={
            "tag-feeds": "`TAG_REGEX_SUBSTITUTIONS` tells C++ from C#; without it the build stops.",
            "enclosure": "By a plugin of one's own (signal `feed_generated`).",
            "image": "By a plugin of one's own (signal `feed_generated`).",
            "language": "`TRANSLATION_FEED_ATOM` makes a feed for each language; none says which it is.",
        },
    )


def _installed(tools: Path) -> str:
    install_python(tools, "pelican", f"pelican[markdown]=={VERSION}")
    return VERSION


def write(folder: Path, corpus: Corpus) -> None:
    """Write the project."""
    values = {"title": TITLE, "description": DESCRIPTION, "url": corpus.url, "author": AUTHOR, "limit": LIMIT}
    write_text(folder / "pelicanconf.py", _SETTINGS.format(**values))
    write_media(folder / "content")
    for post in corpus.posts:
        write_text(folder / "content" / "posts" / f"{post.name}.md", f"{_head(post)}\n{post.text}")


def _head(post: Post) -> str:
    fields = {
        "Title": post.title,
        "Date": post.published.isoformat(),
        "Modified": post.updated.isoformat() if post.updated else "",
        "Slug": post.slug,
        "Summary": post.summary,
        "Tags": ", ".join(post.tags),
        "Authors": ", ".join(post.authors),
        "Lang": post.language,
        "Status": "draft" if post.draft else "published",
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items() if value)
