"""The result of each hostile post in every format. A post that is not listed here must be published as written."""

from __future__ import annotations

from dataclasses import dataclass

SITE = "https://hostile.example.org/blog"
NOBODY = ('O\'Brien, "Bob" <b> & Sons',)


@dataclass(frozen=True)
class Promise:
    """The required result of a post (None: not checked). holds, lacks: in the HTML. begins: the summary."""

    title: str | None = None
    holds: tuple[str, ...] = ("<p>A paragraph.</p>",)
    lacks: tuple[str, ...] = ()
    begins: str = ""
    authors: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    image: str | None = None
    enclosures: tuple[tuple[str, str, str], ...] | None = None
    published: str = ""
    updated: str = ""
    id: str = ""
    url: str = ""
    language: str = "en"


def _body(*holds: str, lacks: tuple[str, ...] = (), title: str | None = None) -> Promise:
    return Promise(title=title, holds=holds, lacks=lacks)


_CODE = '<pre><code class="language-text">a\nb\n</code></pre>'
_AUDIO = "audio/mpeg"

CHARACTERS = {
    "controls-raw-in-title": Promise(title="Bell and all"),
    "controls-raw-in-tag": Promise(tags=("Python",)),
    "controls-raw-in-author": Promise(authors=("Ada",)),
    "controls-raw-in-excerpt": Promise(begins="Excerpt"),
    "controls-raw-in-body": _body("<p>Before.</p>", "incode\n", 'alt="picture"'),
    "controls-escaped-in-title": Promise(title="Bell and all"),
    "controls-escaped-in-tag": Promise(tags=("Escaped tag",)),
    "controls-escaped-in-author": Promise(authors=("Ada",)),
    "controls-escaped-in-excerpt": Promise(begins="Excerpt"),
    "controls-escaped-in-image-alt": Promise(image="https://example.org/a.png"),
    "controls-escaped-in-id": Promise(id="urn:example:withcontrols"),
    "controls-escaped-in-slug": Promise(url="/withcontrols/"),
    "controls-as-references": _body("<p>References", " end.</p>", 'alt="alt" title="title"'),
    "controls-as-references-in-html": _body("<p>References ", " end.</p>"),
    "controls-c1": _body("<p>Body.</p>", title="C1 gone"),
    "next-line-character": _body(title="Next line"),
    "delete-character": _body("<p>Delete.</p>", title="Delete"),
    "noncharacters-raw": Promise(title="Noncharacters", holds=("<p>Noncharacters.</p>",), tags=("nontag",)),
    "noncharacters-escaped": Promise(title="Noncharacters"),
    "surrogates-escaped-in-json": Promise("Lone surrogate", tags=("tag",), authors=("Ada",), begins="Excerpt"),
    "line-ends-cr": _body("<p>One.</p>\n<p>Two.</p>", _CODE),
    "line-ends-crlf": _body("<p>One.</p>\n<p>Two.</p>", _CODE),
    "line-ends-mixed": _body("<p>One.</p>\n<p>Two.</p>", _CODE),
    "carriage-return-escaped": Promise("Two lines", holds=("<p>A\nB.</p>",), begins="Three lines of text"),
    "bidi-controls": _body("Over\u202eride\u202c", title="Right \u202eto\u202c left \u2067here\u2069"),
    "line-separators": _body("<p>Line\u2028separator\u2029s.</p>", title="Line separator s"),
    "emoji-and-astral": Promise(
        "👩‍👩‍👧‍👦 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🏳️‍🌈 𓀀", holds=("<p>👩‍👩‍👧‍👦 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🏳️‍🌈 𓀀.</p>",), tags=("🎉", "𝔘𝔫𝔦")
    ),
    "combining-marks": _body("<p>Z̸̛̤͙̪̓͗a̵̢͔͉͌l̶͎̯̄͠g̸͔̐o̴̹͐.</p>", title="Z̸̛̤͙̪̓͗a̵̢͔͉͌l̶͎̯̄͠g̸͔̐o̴̹͐"),
    "word-without-end": _body("x" * 10_000),
}

FIELDS = {
    "title-markup": Promise(title="Use <head> & <3"),
    "title-quotes": Promise(title="“Double” ‘single’ “curly” «guillemets» `back`"),
    "title-cdata-end": Promise(title="Ends ]]> here"),
    "title-entities": Promise(title="Fish & chips <b> —"),
    "title-script": Promise(title="Bold <script>alert(1)"),
    "title-of-300-characters": Promise(title=("Long words " * 30)[:300].strip()),
    "title-year": Promise(title="2024"),
    "title-yes": Promise(title="yes"),
    "title-version": Promise(title="1.10"),
    "title-null": Promise(title="From the heading & <more>"),
    "title-a-list": Promise(title="One"),
    "title-template": _body("<p>{{ 7 * 7 }} and @@publisher", title="{{ 7 * 7 }} {% raw %} ${x} %(y)s {z}"),
    "tags-of-every-script": Promise(
        tags=("C", "C++", "C#", "R&D", "日本語", ".NET", "a/b", "..", "<b>", "it's", "100%")
    ),
    "tags-that-look-the-same": Promise(tags=("R and D", "r&d", "ＲｕｂＹ")),
    "tag-of-300-characters": Promise(tags=("é" * 300,)),
    "tags-that-are-paths": Promise(tags=("../../up", "feed.xml", "index.html", "/", "\\", "a:b", "CON")),
    "authors-with-signs": Promise(
        authors=('Ada "Countess" Lovelace', "O'Brien, Jr. & Sons", "Bold & <3", "Comma, Smith; Esq.")
    ),
    "authors-many": Promise(authors=tuple(f"Author {number}" for number in range(1, 41))),
    "authors-empty": Promise(authors=NOBODY),
    "author-with-wicked-urls": Promise(authors=("Script", "Relative", "Spaces", "No address")),
    "author-of-300-characters": Promise(authors=("é" * 300,)),
    "excerpt-markup": Promise(begins="One bold & two"),
    "excerpt-signs": Promise(begins="1 < 2 && 3 > 2 ]]> AT&T <3"),
    "excerpt-of-many-lines": Promise(begins="One. Two. Three."),
    "excerpt-of-5000-characters": Promise(begins="word word"),
    "body-empty": Promise(holds=(), begins="Body empty"),
    "body-of-one-picture": Promise(holds=('<img src="https://example.org/a.png"',), begins="Body of one picture"),
    "body-of-blanks": Promise(holds=(), begins="Body of blanks"),
}

XML = {
    "cdata-end-in-body": _body("<p>Ends ]]&gt; here, and <code>in ]]&gt; code</code>.</p>", "]]]]&gt;&gt;"),
    "cdata-in-html": _body("<p>Before ", "after.</p>"),
    "feed-injection": _body("<p>After.</p>", lacks=("<entry", "<item", "<title")),
    "processing-instructions": _body("<p>After.</p>", lacks=("echo",)),
    "processing-instructions-in-html": _body("<p>After.</p>", lacks=("echo",)),
    "doctype-and-entity": _body("<p>Before &amp;xxe; after.</p>", lacks=("root:",)),
    "billion-laughs": _body("<p>Before &amp;lol2; after.</p>", lacks=("lollol",)),
    "whole-document": _body(f'<p>Inside <a href="{SITE}/2024/03/13/whole-document/page">link</a>.</p>'),
    "entities-by-name": _body("A&nbsp;B © ♥", "&amp;notanentity; &amp;amp; &lt;b&gt;", "AT&amp;T."),
    "html-comments": _body("<p>Before.</p>", "<p>After.</p>", lacks=("one", "alert", "never")),
}

ACTIVE = {
    "script-and-style": _body("<p>Before.</p>", "<p>Styled</p>", "<p>After.</p>", lacks=("color", "(4)", "(5)")),
    "event-handlers": _body("<p>One</p>", ">Two</a>", "Three"),
    "script-urls-in-html": _body(*["link"] * 26),
    "script-urls-in-markdown": _body(*["link"] * 20),
    "script-urls-in-every-attribute": _body("https://example.org/a.png 2x", "Cell", "Gone", "<p>After.</p>"),
    "frames": _body(
        '<a href="https://video.example/embed/1?a=1&amp;b=2">', '<a href="https://video.example/2">', "<p>After.</p>"
    ),
    "objects-and-embeds": _body("<p>Before.</p>", "Moving Blinking", "<p>After.</p>"),
    "svg": _body("<p>Before.</p>", "<p>After.</p>", lacks=("alert",)),
    "mathml": _body("<p>Before.</p>", "<p>After.</p>", lacks=("<math", "<mtext")),
    "mutation": _body("<p>Before.</p>", "After &lt;script&gt;.</p>", lacks=("<script",)),
    "forms": _body("<p>Before.</p>", "<pre>Two</pre>", "<p>After.</p>", lacks=("<textarea",)),
}

_HERE = f"{SITE}/2024/03/27/relative-links"
_SOURCES = f"{SITE}/2024/03/28/relative-sources"
_SRCSET = f"{SITE}/2024/03/29/srcset-with-commas"
ADDRESSES = {
    "relative-links": _body(
        f'"{_HERE}/page">dot<',
        f'"{SITE}/2024/03/27/page">up<',
        '"https://hostile.example.org/page">root<',
        f'"{_HERE}/?a=1&amp;b=2">query<',
        f'"{_HERE}/#part">fragment<',
        '"https://other.example/page">host<',
        f'"{_HERE}/page.html#part">name<',
        f'"{_HERE}/a%20b%20c">Spaces<',
        f'"{_HERE}/trimmed">Trimmed<',
        f'"{_HERE}/a.png"',
        f'"{SITE}/2024/03/27/b.png"',
    ),
    "relative-sources": _body(
        f'poster="{_SOURCES}/poster.png" src="{_SOURCES}/v.mp4"',
        f'<track src="{_SOURCES}/captions.vtt">',
        '<source src="https://hostile.example.org/v.webm">',
        f'srcset="{SITE}/2024/03/28/one.webp 1x, https://hostile.example.org/two.webp 2x"',
        f'cite="{_SOURCES}/quote"',
    ),
    "srcset-with-commas": _body(
        f'src="{_SRCSET}/a,b.png"',
        'srcset="https://cdn.example/w_400%2Cc_fill/a.png 400w, https://hostile.example.org/w_800%2Cc_fill/a.png 800w"',
        f'srcset="{_SRCSET}/one%2Ctwo.png"',
        f"{_SRCSET}/y.png 2x",
        lacks=("base64%2C",),
    ),
    "data-pictures": _body("data:image/gif;base64,R0lGODlhAQABAAAAACw=", lacks=("svg+xml", "text/plain")),
    "broken-urls": _body("one", "seven", "https://hostile.example.org/three", "fifteen", lacks=("[bad", "https:no")),
    "other-schemes": _body("mailto:a@example.org", "tel:+49123", "ftp://example.org/x", lacks=("myapp:",)),
    "link-to-another-post": _body("/title-markup/", "/title-quotes/#part"),
}

STRUCTURE = {
    "nested-tables": _body("One<table>", "Two<table>", "Three"),
    "tags-never-closed": _body("<b>two <i>three", "</b>", "</table>", "eight"),
    "tags-closed-too-often": _body("<p>After.</p>"),
    "nested-links": _body("One </a>", ">Two</a>", "Three", "Four"),
    "code-with-highlighting": _body(
        '<code class="language-python">print("&lt;b&gt;")  # a &amp; b\n</code>',
        "<code>def name():</code>",
        lacks=("<span",),
    ),
    "headings-with-the-same-text": _body('id="same"', 'id="same-1"', 'id="same-2"', lacks=("<a ", 'id=""')),
    "footnotes": _body('id="fn-1-', 'id="fnref-1-', "#fn-note-", "Second."),  # the ids contain a key of the post
    "task-list": _body("☐ open", "☑ done", "☑ done too", "☐ nested", lacks=("<input",)),
    "custom-elements": _body("<p>Card</p>", "Dialog", "Slot", "Office", "Font", "Odd", lacks=("<x-", "<o:", "<font")),
    "prototype-names": _body("Text.", '<a href="https://example.org/">x</a>'),
}

DATES = {
    "same-moment-one": Promise(published="2024-06-01T10:00:00Z"),
    "same-moment-two": Promise(published="2024-06-01T10:00:00Z"),
    "year-1990": Promise(published="1990-01-01T00:00:00Z"),
    "zone-odd": Promise(published="2024-06-02T06:15:00Z"),
    "zone-far": Promise(published="2024-06-02T10:30:00Z"),
    "hour-that-is-not": Promise(published="2024-03-31T01:30:00Z"),
    "updated-before-published": Promise(published="2024-04-24T07:00:00Z", updated="2024-04-24T07:00:00"),
    "updated-in-the-future": Promise(published="2024-04-25T07:00:00Z", updated="2024-04-25T07:00:00"),
    "fraction-of-a-second": Promise(published="2024-06-05T12:00:00Z"),
}

NAMES = {
    "permalink-with-unicode": Promise(url="/%C3%A9t%C3%A9/%E6%97%A5%E6%9C%AC%E8%AA%9E/"),
    "permalink-with-signs": Promise(url="/a%3Fb=c%23d&e%20f+g%22h%3Ci%3E'/"),
    "permalink-upwards": Promise(url="/etc/passwd"),
    "id-with-signs": Promise(),
    "id-of-a-number": Promise(id="42"),
    "language-odd": Promise(language="en-US-POSIX"),
    "language-script": Promise(language="zh-Hant-TW"),
    "picture-with-odd-name": Promise(
        image=f"{SITE}/2024/05/15/picture-with-odd-name/files/my%20pict%C3%BCre%20(1)%20'odd'.png"
    ),
    "picture-with-quotes": Promise(image="https://example.org/a%22b%3Cc%3E&d.png?x=%22y%22"),
    "picture-of-script": Promise(image=""),
    "picture-of-data": Promise(image=""),
    "picture-elsewhere": Promise(image=""),
    "picture-broken": Promise(image=""),
    "episode": Promise(enclosures=((f"{SITE}/2024/05/21/episode/files/episode.mp3", _AUDIO, "1284"),)),
    "episode-with-length": Promise(enclosures=(("https://media.example/a.mp3", _AUDIO, "123456"),)),
    "episode-without-length": Promise(enclosures=(("https://media.example/b.mp3", _AUDIO, "0"),)),
    "episode-of-video": Promise(enclosures=(("https://media.example/c.mp4?a=1&b=2", "video/mp4", "5"),)),
    "episode-of-two-files": Promise(
        enclosures=(("https://media.example/d.mp3", _AUDIO, "1"), ("https://media.example/d.ogg", "audio/ogg", "2"))
    ),
    "episode-of-unknown-type": Promise(enclosures=()),
    "episode-of-script": Promise(enclosures=()),
    "episode-with-odd-type": Promise(enclosures=(("https://media.example/f.mp3", _AUDIO, "0"),)),
    "episode-with-odd-name": Promise(enclosures=(("https://media.example/g%20h%20'1'%20%C3%BC.mp3", _AUDIO, "7"),)),
    "front-matter-with-python": Promise(authors=("true",)),
}

PROMISES = CHARACTERS | FIELDS | XML | ACTIVE | ADDRESSES | STRUCTURE | DATES | NAMES

# These are never published; if a file has a reason, the writer gets a message with it.
LEFT_OUT = {
    "surrogates-escaped-in-yaml": "not valid YAML",
    "nul-in-body": "NUL bytes",
    "not-utf-8": "not UTF-8",
    "utf-16": "NUL bytes",
    "front-matter-never-closed": "isn't closed",
    "front-matter-broken": "not valid YAML",
    "front-matter-bomb": "too many values",
    "date-missing": "no date",
    "date-of-words": "isn't a valid date",
    "zone-impossible": "isn't a valid date",
    "leap-second": "isn't a valid date",
    "year-1": "has no date",
    "year-9999": "",
    "id-of-another-post": "has the same id as",
    "draft": "",
    "expired": "",
    "hidden-from-feeds": "",
    "year-2100": "",
}
