"""Posts, newsletters and a configuration as values, for the tests of emails."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.config import Config, NewsletterConfig, Site
from publisher.core.models import Author, Enclosure, Image, Post, RenderedPost, Tag
from publisher.core.templates import Templates
from publisher.newsletters.letter.compose import compose
from publisher.newsletters.letter.note import Note, markdown

BERLIN = ZoneInfo("Europe/Berlin")
MADE_AT = datetime(2026, 11, 21, 8, tzinfo=BERLIN)
TEMPLATES = Templates(Path("no-such-folder"))
SITE = Site(
    title="The Quiet Press",
    url="https://example.org",
    timezone="Europe/Berlin",
    postal_address="Example Press\n1 Long Road\n12345 Anytown",
)
CONFIG = Config(site=SITE)
WEEKLY = NewsletterConfig(name="weekly")


def post(
    number: int,
    title: str = "A title",
    *,
    age: timedelta | None = None,
    tags: tuple[str, ...] = (),
    language: str = "",
    authors: tuple[str, ...] = ("Ada Lovelace",),
    image: Image | None = None,
    enclosures: tuple[Enclosure, ...] = (),
    in_newsletters: bool = True,
    expires: datetime | None = None,
) -> Post:
    """Return a post that is older than MADE_AT by `number` days, or by `age`."""
    published = MADE_AT - (timedelta(days=number) if age is None else age)
    return Post(
        source=f"{number}.md",
        id=f"tag:example.org,2026:{number}",
        title=title,
        permalink=f"/{number}/",
        url=f"https://example.org/{number}/",
        published=published,
        updated=published,
        digest=str(number),
        expires=expires,
        language=language,
        authors=tuple(Author(name) for name in authors),
        tags=tuple(Tag(name, name.lower().replace(" ", "-")) for name in tags),
        image=image,
        enclosures=enclosures,
        in_newsletters=in_newsletters,
    )


def rendered(of: Post, html: str = "<p>Words.</p>", excerpt: str = "Words.", words: int = 900) -> RenderedPost:
    return RenderedPost(of, html, excerpt, words)


RICH_HTML = """\
<p>The year began with a promise and ended with an invoice. What follows is a short tour of what changed, \
what did not, and <a href="https://example.com/why?a=1&amp;b=2">why the difference matters</a>\
<sup class="footnote-ref"><a href="https://example.org/1/#fn-1" id="fnref-1">1</a></sup>.</p>
<h1 id="trends">Three trends</h1>
<p><strong>1. Smaller models.</strong> They run on phones, with <code>int4</code> weights.</p>
<figure><img src="https://example.org/shelf.png" alt="A long shelf" width="1200" height="300">\
<figcaption>A shelf, somewhere north.</figcaption></figure>
<table><thead><tr><th>Trend</th><th>What changed</th><th align="right">Share</th><th>Examples</th></tr>
</thead>
<tbody><tr><td>Small models</td><td>From cloud to phone<br>From rent to own</td><td align="right">41 %</td>\
<td>Gemma, Phi<br>Llama</td></tr>
<tr><td>Agents</td><td>Many demos<br>few deployments</td><td align="right">9 %</td>\
<td>Too many for a cell</td></tr></tbody></table>
<h3>Code that shows it</h3>
<pre><code class="language-python">def shelf(limit: int = 20) -&gt; list[str]:
    # the newest
    return [f"{name} &lt;3" for name in names[:limit]]


print(shelf())
</code></pre>
<blockquote><p>Make it work, then <em>leave it alone</em>.</p></blockquote>
<ul><li>First with a <a href="https://example.com/two">second link</a></li>\
<li><input type="checkbox" checked disabled> done</li></ul>
<iframe src="https://www.youtube.com/embed/dQw4w9WgXcQ"></iframe>
<audio><source src="https://example.org/a.mp3"></audio>
<section class="footnotes"><ol><li id="fn-1"><p>Or who pays. \
<a href="https://example.org/1/#fnref-1" class="footnote-backref">↩</a></p></li></ol></section>
"""

RICH = rendered(
    post(
        1,
        "What generative models changed this year, and what they left as it was",
        image=Image("https://example.org/hills.jpg", "Hills in the morning", "Photo: nobody"),
        tags=("AI",),
    ),
    RICH_HTML,
    "The year began with a promise and ended with an invoice.",
)
HOSTILE = rendered(
    post(2, 'Use <head> & <3 "quotes" @@publisher-unsubscribe@@', authors=("<script>alert(1)</script>",)),
    '<p>See @@publisher-name@@ and <a href="https://example.com/@@publisher-unsubscribe@@">this</a>.</p>',
    "On <b>tags</b> & ampersands, @@publisher-address@@.",
    200,
)
JAPANESE = rendered(
    post(3, "東京で過ごした一週間", language="ja", authors=("山田 花子",)),
    "<p>日本語の文章は空白なしで続きますので、行の折り返しは文字の間で行われます。「かぎ括弧」も句読点もあります。</p>",
    "日本語の文章は空白なしで続きます。",
)
ARABIC = rendered(
    post(4, "رسالة من الجنوب", language="ar", authors=("ليلى",)),
    '<p>هذه رسالة قصيرة، وفيها <a href="https://example.org/ar">رابط واحد</a>.</p><ul><li>واحد</li></ul>',
    "هذه رسالة قصيرة بالعربية.",
)
EPISODE = rendered(
    post(5, "Episode 12: Bread", enclosures=(Enclosure("https://example.org/12.mp3", "audio/mpeg", 9, 600),)),
    "<p>We talk.</p>",
    "We talk about bread.",
    40,
)
ALL = [RICH, HOSTILE, JAPANESE, ARABIC, EPISODE]
WEB_COPY = "https://example.org/editions/weekly/2026-W47/"
NOTE = Note(html=markdown("Dear readers, **five posts**. [Write back](/hello), I read all.", SITE.url))
FULL = replace(WEEKLY, content="full")
LETTERS = {
    "digest": (CONFIG, WEEKLY, ALL, NOTE),
    "digest-full": (CONFIG, FULL, ALL, None),
    "post": (CONFIG, replace(WEEKLY, template="post"), [RICH], None),
    "plain": (CONFIG, replace(WEEKLY, template="plain"), ALL[:3], NOTE),
    "arabic": (CONFIG, replace(FULL, language="ar", title="الصحيفة الهادئة"), [ARABIC, RICH], None),
    "japanese": (CONFIG, replace(FULL, language="ja", title="静かな新聞"), [JAPANESE, RICH], None),
}


def make(config=CONFIG, newsletter=WEEKLY, posts=ALL, note=None, templates=TEMPLATES):
    return compose(config, newsletter, posts, 12, "2026-W47", MADE_AT, templates, WEB_COPY, note)
