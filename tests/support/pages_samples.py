"""A small site for the tests of pages: one hand-made post of every kind, and a renderer that counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from pathlib import Path
from typing import Any

from publisher.config import Config, NewsletterConfig, PagesConfig, Person, Site
from publisher.core.models import Author, Enclosure, Image, Output, Post, RenderedPost, Tag
from publisher.core.newsletter_models import Edition, EditionPost
from publisher.core.templates import Templates
from publisher.site.pages.frame import FeedLink
from publisher.site.pages.page_files import plan_pages
from publisher.site.pages.signup_pages import ListedFeed
from publisher.site.web_versions import WebVersion

BASE = "https://letters.example"
TEMPLATES = Templates(Path("no-templates-of-its-own"))
HOSTILE = '"></title><script>alert(1)</script> Use <head> & <3'

CONFIG = Config(
    site=Site(title="The Quiet Reader", url=BASE, description="Notes on reading.", author=Person(name="Ada")),
    pages=PagesConfig(per_page=3),
    newsletters=(NewsletterConfig(name="weekly", title="The Weekly", description="Every Friday."),),
)
FEEDS = (
    FeedLink("The Quiet Reader", f"{BASE}/feed.xml", "application/rss+xml"),
    FeedLink("The Quiet Reader", f"{BASE}/atom.xml", "application/atom+xml"),
    FeedLink("The Quiet Reader", f"{BASE}/feed.json", "application/feed+json"),
)
PYTHON, READING, JAPANESE = Tag("Python", "python"), Tag("R&D <x>", "r-and-d-x"), Tag("日本語", "日本語")
LETTER = (
    '<!doctype html>\n<html lang="en">\n<head>\n<title>Week 47</title>\n</head>\n'
    '<body style="margin:0" data-x="a>b">\n<h1>The Weekly</h1>\n<p>Hello.</p>\n</body>\n</html>\n'
)
CODE = escape('def line(a):\n    """Say <b> & "c"."""\n    return f"{a!r}" if a > 1 else None  # why\n', quote=False)


def moment(index: int) -> datetime:
    return datetime(2024, 11, 20, 9, tzinfo=UTC) - timedelta(days=40 * index)


def make_post(index: int, slug: str, title: str, **facts: Any) -> Post:
    when = moment(index)
    permalink = facts.pop("permalink", f"/{when:%Y/%m/%d}/{slug}/")
    return Post(
        source=f"{slug}.md",
        id=f"tag:letters.example,2024:{slug}",
        title=title,
        permalink=permalink,
        url=facts.pop("url", f"{BASE}{permalink}"),
        published=when,
        updated=facts.pop("updated", when),
        digest=facts.pop("digest", slug),
        authors=facts.pop("authors", (Author("Ada", url="https://ada.example/"),)),
        **facts,
    )


COVER = Image(f"{BASE}/cover.jpg", "Hills at dusk", "Hills. Drawing by the author.")
AUDIO = Enclosure(f"{BASE}/12.mp3", "audio/mpeg", 24_500_000, 1934)
POSTS = (
    make_post(0, "code", "Code and notes", tags=(PYTHON, READING), updated=moment(0) + timedelta(days=2)),
    make_post(1, "table", "A wide table", tags=(PYTHON,), image=COVER, excerpt="In one table."),
    make_post(2, "hostile", HOSTILE, tags=(READING,)),
    make_post(3, "静か", "静かな読書", language="ja", tags=(JAPANESE,), url=f"{BASE}/2024/07/23/%E9%9D%99%E3%81%8B/"),
    make_post(4, "arabic", "القراءة ببطء", language="ar"),
    make_post(5, "talk", "Episode 12", tags=(PYTHON,), enclosures=(AUDIO,)),
    make_post(6, "plain", "Just words", authors=(), permalink="/old/plain.html"),
    make_post(7, "more", "More words", tags=(PYTHON,)),
)
HERE = POSTS[0].url
BODIES = {
    "code": f"""<h1>Code and notes</h1>
<p>See <a href="{POSTS[1].url}">the table</a> and <a href="https://other.example/">others</a>.\
<sup class="footnote-ref"><a href="{HERE}#fn-1" id="fnref-1">1</a></sup></p>
<pre><code class="language-python">{CODE}</code></pre>
<pre><code class="language-nonesuch">a &lt; b</code></pre>
<div class="markdown-alert markdown-alert-note"><p class="markdown-alert-title">Note</p><p>Careful.</p></div>
<h1>Second</h1>
<section class="footnotes"><ol><li id="fn-1"><p>Note. <a href="{HERE}#fnref-1">↩</a></p></li></ol></section>
""",
    "table": f"""<table><thead><tr><th>Family</th><th align="right">Price</th></tr></thead>
<tbody><tr><td>One<br>Two</td><td align="right">$ 3</td></tr></tbody></table>
<p><img src="{BASE}/pic.png" alt="<table> {BASE}/x"></p>
""",
    "静か": "<p>本を読むことは、ゆっくりと考えることです。</p>\n",
    "arabic": "<p>القراءة البطيئة ليست ترفا.</p>\n",
}


class CountingRenderer:
    """Renders from BODIES; `rendered` lists the posts that it rendered."""

    def __init__(self) -> None:
        self.rendered: list[str] = []

    def __call__(self, post: Post) -> RenderedPost:
        self.rendered.append(post.source)
        html = BODIES.get(post.digest, "<p>Some plain words.</p>\n")
        return RenderedPost(post, html, post.excerpt or "The first words of it.", 440)


def make_edition(number: int, html: str = LETTER) -> WebVersion:
    when = datetime(2024, 11, 8, 9, tzinfo=UTC) + timedelta(days=7 * number)
    carried = (EditionPost(POSTS[0].id, POSTS[0].title, POSTS[0].url),)
    return WebVersion(
        Edition(number, "weekly", f"2024-W{45 + number}", number, f"Week {45 + number} & more", when, carried),
        html,
    )


EDITIONS = (make_edition(1), make_edition(2))


def tag_feeds(tag: Tag) -> list[FeedLink]:
    return [FeedLink(f"{tag.name} RSS", f"{BASE}/tags/{tag.slug}/feed.xml", "application/rss+xml")]


def listed_feed(group: str, folder: str, title: str, description: str) -> ListedFeed:
    kinds = (("feed.xml", "application/rss+xml"), ("atom.xml", "application/atom+xml"))
    links = (FeedLink(f"The Quiet Reader: {title}", f"{BASE}/{folder}{name}", kind) for name, kind in kinds)
    return ListedFeed(group, title, description, tuple(links))


OPML = f"{BASE}/feeds.opml"
LISTED = (
    ListedFeed("site", "The Quiet Reader", "Notes on reading.", FEEDS),
    listed_feed("tags", "tags/python/", "Python", "Posts about Python from The Quiet Reader"),
    listed_feed("tags", "tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/", "日本語", "Posts about 日本語 from The Quiet Reader"),
    listed_feed("authors", "authors/bob/", HOSTILE, f"Posts by {HOSTILE} from The Quiet Reader"),
    listed_feed("newsletters", "editions/weekly/", "The Weekly", "Every Friday."),
)


def plan(**changed: Any) -> dict[str, Output]:
    """Plan the small site with some arguments changed, as path -> Output; fails if a path is planned twice."""
    facts: dict[str, Any] = {
        "config": CONFIG,
        "posts": POSTS,
        "render": CountingRenderer(),
        "editions": EDITIONS,
        "templates": TEMPLATES,
        "feeds": FEEDS,
        "tag_feeds": tag_feeds,
    }
    outputs = list(plan_pages(**facts | changed))
    planned = {output.path: output for output in outputs}
    assert len(planned) == len(outputs)
    return planned


def with_post(index: int, **changed: Any) -> tuple[Post, ...]:
    """Return the site's posts, with one of them changed."""
    return tuple(replace(post, **changed) if i == index else post for i, post in enumerate(POSTS))


def text_of(html: str) -> str:
    """Return the visible text of a simple piece of HTML."""
    import re

    return unescape(re.sub(r"<[^<>]*>", "", html))
