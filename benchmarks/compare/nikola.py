"""Nikola with its default theme: https://getnikola.com/handbook.html

RSS is the default; Atom, full texts and several authors use the settings that its conf.py explains. Each post's
metadata has a guid, a field from the handbook's list.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.compare.corpus import AUDIO_BYTES, AUTHOR, DESCRIPTION, LIMIT, TITLE, Corpus
from benchmarks.compare.program import Bare, Generator, install_python, write_media, write_text, yaml_post

VERSION = "8.3.3"

_SETTINGS = """\
BLOG_AUTHOR = {author!r}
BLOG_TITLE = {title!r}
SITE_URL = {url!r}
BLOG_EMAIL = "ada@example.org"
BLOG_DESCRIPTION = {description!r}
DEFAULT_LANG = "en"
TRANSLATIONS = {{"en": ""}}
TIMEZONE = "UTC"
POSTS = (("posts/*.md", "posts", "post.tmpl"),)
PAGES = ()
COMPILERS = {{"markdown": (".md",)}}
GENERATE_RSS = True
GENERATE_ATOM = True
FEED_TEASERS = False
FEED_LENGTH = {limit}
INDEX_DISPLAY_POST_COUNT = {limit}
ENABLE_AUTHOR_PAGES = True
MULTIPLE_AUTHORS_PER_POST = True
FUTURE_IS_NOW = False
"""


def generator() -> Generator:
    """Return Nikola with its own feeds."""
    return Generator(
        name="Nikola",
        setup="the default theme; Atom, full texts, several authors by settings; a `guid` in each post",
        install=_installed,
        write=write,
        command=lambda tools, _folder: [tools / "nikola" / "bin" / "nikola", "build"],
        output="output",
        notes={
            "archive": "Its settings speak of archived Atom feeds; this version writes none here.",
            "moved": "Because each post's metadata gives its `guid`; by default the id is the permalink.",
            "enclosure": "Length and address are written into the front matter by hand.",
            "domain": "Because each post's metadata gives its `guid`; by default the id is the permalink.",
        },
    )


def _installed(tools: Path) -> str:
    install_python(tools, "nikola", f"nikola=={VERSION}", "ruamel.yaml")
    return VERSION


def write(folder: Path, corpus: Corpus) -> None:
    """Write the project."""
    values = {"title": TITLE, "description": DESCRIPTION, "url": f"{corpus.url}/", "author": AUTHOR, "limit": LIMIT}
    write_text(folder / "conf.py", _SETTINGS.format(**values))
    write_media(folder / "files")
    for post in corpus.posts:
        fields = {
            "title": post.title,
            "date": Bare(f"{post.published:%Y-%m-%d %H:%M:%S} UTC"),
            "updated": Bare(f"{post.updated:%Y-%m-%d %H:%M:%S} UTC") if post.updated else "",
            "slug": post.slug,
            "guid": f"tag:compare.example.org,2024:{post.name}",
            "description": post.summary,
            "tags": list(post.tags),
            "author": ", ".join(post.authors),
            "previewimage": post.image,
            "enclosure": f"{corpus.url}{post.audio}" if post.audio else "",
            "enclosure_length": str(AUDIO_BYTES) if post.audio else "",
            "status": "draft" if post.draft else "",
        }
        write_text(folder / "posts" / f"{post.name}.md", yaml_post(fields, post.text))
