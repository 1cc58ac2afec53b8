"""Texts of items are clean, have absolute URLs and contain nothing that the feed added. Their images are found."""

from __future__ import annotations

import pytest

from publisher.posts.sources.item_picture import NamedPictures, picture_of
from publisher.posts.sources.item_text import ItemText, clean_text, plain_title, summary_of

URL, LINK, HOME = "https://ann.test/feed", "https://ann.test/one/", "https://ann.test"


def clean(html: str, base: str = "") -> str:
    return clean_text(ItemText(html, base), URL, LINK, HOME).html


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        # lines about the feed itself, in any language: two links to the post
        (
            '<p>A</p>\n<p>The post <a rel="nofollow" href="https://ann.test/one/">One</a> appeared first on '
            '<a href="https://ann.test">Ann</a>.</p>',
            "<p>A</p>",
        ),
        (
            '<p>A</p><p>Příspěvek <a href="http://www.ann.test/one?utm_source=rss">One</a> pochází z '
            '<a href="https://ann.test/">Ann</a></p>',
            "<p>A</p>",
        ),
        (
            '<div><p>A</p><hr><p>Wpis <a href="https://ann.test/one/">One</a> jest z <a href="https://ann.test">A</a>'
            "</p></div>",
            "<div><p>A</p><hr></div>",
        ),
        ("<p>A</p><p>L’article One est apparu en premier sur Ann.</p>", "<p>A</p>"),
        ('<p>A</p><p><a href="https://ann.test/one/">Read more →</a></p>', "<p>A</p>"),
        # an author's own words stay
        (
            '<p>A</p><p>This first appeared on <a href="https://other.test">Other</a>.</p>',
            '<p>A</p><p>This first appeared on <a href="https://other.test">Other</a>.</p>',
        ),
        (
            '<p>A</p><p>Read <a href="https://ann.test/two/">the second part</a>.</p>',
            '<p>A</p><p>Read <a href="https://ann.test/two/">the second part</a>.</p>',
        ),
        # counters, and images of characters
        ('<p>A<img src="https://count.test/x" width="1" height="1"></p>', "<p>A</p>"),
        ('<p>A<img src="https://x.test/a.gif" height="0"></p>', "<p>A</p>"),
        ('<p>A<img src="https://x.test/a" style="border:0;display: none"></p>', "<p>A</p>"),
        ('<p style="display:none">A</p>', "<p>A</p>"),
        ('<p>A</p><img src="https://feeds.feedburner.com/~r/ann/~4/x" alt="">', "<p>A</p>"),
        (
            '<p>A</p><a href="http://feeds.wordpress.com/1.0/gocomments/a"><img src="http://feeds.wordpress.com/1.0/c"></a>',
            "<p>A</p>",
        ),
        (
            '<p>A <img src="https://s.w.org/images/core/emoji/15/72x72/1f600.png" alt="😀" class="wp-smiley"></p>',
            "<p>A 😀</p>",
        ),
        ('<p><img src="/a.png" width="100"></p>', '<p><img src="https://ann.test/a.png" width="100"></p>'),
        # images that a script loads
        (
            '<img src="data:image/gif;base64,AA" data-src="/a.png" alt="A">',
            '<img src="https://ann.test/a.png" alt="A">',
        ),
        (
            '<img data-src="/a.png" data-image="/a.png"><noscript><img src="/a.png" alt="A"></noscript>',
            '<img src="https://ann.test/a.png" alt="A">',
        ),
        ("<noscript><p>A</p></noscript>", "<p>A</p>"),
        # buttons
        ('<p>A</p><div class="x sharedaddy"><div><div>S</div></div></div><p>B</p>', "<p>A</p><p>B</p>"),
        ("<p>A</p><DIV ID='feedflare'><a href=\"x\">S</a></DIV><p>B</p>", "<p>A</p><p>B</p>"),
        ('<div class="social-share-on"><p>' + "A " * 130 + "</p></div>", "<div><p>" + "A " * 130 + "</p></div>"),
        ('<div class="sharedaddy"><p>A', "<div><p>A</p></div>"),  # it is never closed, so it would hide everything
        (
            '<p>A</p><p>Share: <a href="https://twitter.com/intent/tweet?u=1">X</a> | '
            '<a href="https://www.facebook.com/sharer/sharer.php?u=1">F</a></p>',
            "<p>A</p>",
        ),
        (
            '<ul><li><a href="https://bsky.app/intent/compose?text=1">B</a></li></ul><p>A</p>',
            "<p>A</p>",
        ),
        (
            '<p>To <a href="https://twitter.com/intent/tweet?u=1">tweet this</a> takes a second.</p>',
            '<p>To <a href="https://twitter.com/intent/tweet?u=1">tweet this</a> takes a second.</p>',
        ),
        ('<p class="shared">A</p>', "<p>A</p>"),
        # HTML that was escaped twice, and a text about HTML
        ("&lt;p&gt;A &amp;amp; &lt;b&gt;B&lt;/b&gt;&lt;/p&gt;", "<p>A &amp; <b>B</b></p>"),
        ("A &lt;p&gt; needs no &lt;/p&gt; &lt;here&gt;", "A &lt;p&gt; needs no &lt;/p&gt; &lt;here&gt;"),
        ("<code>&lt;p&gt;&lt;/p&gt;</code>", "<code>&lt;p&gt;&lt;/p&gt;</code>"),
        # what own posts may not contain, either
        ('<p onclick="x()">A<script>alert(1)</script></p><style>p{}</style>', "<p>A</p>"),
        ('<a href="javascript:x()">A</a>', "<a>A</a>"),
    ],
)
def test_additions_by_a_feed_are_left_out(written: str, shown: str) -> None:
    assert clean(written) == shown


@pytest.mark.parametrize(
    ("base", "reference", "url"),
    [
        ("", "a.html", "https://ann.test/one/a.html"),
        ("", "/a.html", "https://ann.test/a.html"),
        ("", "//cdn.test/a.html", "https://cdn.test/a.html"),
        ("https://b.test/c/", "a.html", "https://b.test/c/a.html"),
        ("/c/", "a.html", "https://ann.test/c/a.html"),
        ("", "#note", "https://ann.test/one/#note"),
        ("", "mailto:ann@ann.test", "mailto:ann@ann.test"),
        ("", "https://x.test/?a=1&amp;b=2", "https://x.test/?a=1&amp;b=2"),
    ],
)
def test_addresses_are_absolute(base: str, reference: str, url: str) -> None:
    assert clean(f'<a href="{reference}">A</a>', base) == f'<a href="{url}">A</a>'


def test_a_text_without_a_link_is_relative_to_the_feed() -> None:
    text = clean_text(ItemText('<img src="a.png">'), URL, HOME, HOME)
    assert text.html == '<img src="https://ann.test/a.png">'


@pytest.mark.parametrize(
    ("written", "is_text", "title"),
    [
        ("Tom &amp; Ann", False, "Tom & Ann"),
        ("Tom & Ann", False, "Tom & Ann"),
        ("Tom &amp;amp; Ann", False, "Tom &amp; Ann"),  # decoded once
        ("A <em>new</em> <b>start</b>", False, "A new start"),
        ("The <b> element", False, "The <b> element"),
        ("vector<int> and </body>", False, "vector<int> and </body>"),
        ("5 &lt; 6", False, "5 < 6"),
        ("m<sup>2</sup>", False, "m²"),
        ("One<br>two", False, "One two"),
        ("  One\n two ", False, "One two"),
        ("AT&amp;T <b>x</b>", True, "AT&amp;T <b>x</b>"),
        ("", False, ""),
        ("é &eacute; &#233; &#xe9;", False, "é é é é"),
    ],
)
def test_titles_are_plain_text(written: str, is_text: bool, title: str) -> None:
    assert plain_title(written, is_text=is_text) == title


@pytest.mark.parametrize(
    ("written", "summary", "is_whole"),
    [
        ("<p>One.</p><p>Two.</p>", "One. Two.", True),
        ("One. [&#8230;]", "One.", False),
        ("<p>One [...]</p>", "One…", False),
        ("<p>One…</p>", "One…", False),
        ("One &amp; <b>two</b>", "One & two", False),
        ("x" * 1500, "x" * 1500, True),
        ('<p>One.</p><img src="a.png">', "One.", True),
        ("", "", False),
    ],
)
def test_a_description_is_a_summary_or_the_full_text(written: str, summary: str, is_whole: bool) -> None:
    text = clean_text(ItemText(written), URL, LINK, HOME)
    assert (summary_of(text), text.is_whole) == (summary, is_whole)


def test_a_text_that_is_nested_too_deeply_keeps_its_words() -> None:
    assert clean("<div>" * 300 + "deep" + "</div>" * 300) == "<p>deep</p>"


BODY = '<p><img src="https://ann.test/small.png" width="64"><img src="https://ann.test/big-1024x768.jpg" alt="Big"></p>'


@pytest.mark.parametrize(
    ("pictures", "url", "alt"),
    [
        (NamedPictures(), "", ""),
        (NamedPictures(html=BODY), "https://ann.test/big-1024x768.jpg", "Big"),
        (NamedPictures(html='<img src="https://a.test/x.png" width="199">'), "", ""),
        (NamedPictures(html='<img src="https://a.test/x.png" width="200">'), "https://a.test/x.png", "T"),
        (NamedPictures(html='<img src="https://a.test/x.png" width="50%">'), "https://a.test/x.png", "T"),
        (NamedPictures(html='<img src="https://a.test/x-150x150.png">'), "", ""),
        (NamedPictures(html='<img src="https://a.test/x_142x100.png">'), "", ""),
        (NamedPictures(html='<img src="https://a.test/x-thumb-120x80-282.png">'), "", ""),
        (NamedPictures(html='<img src="https://a.test/x.svg">'), "", ""),
        (NamedPictures(html='<img src="https://secure.gravatar.com/avatar/1?s=600">'), "", ""),
        (NamedPictures(html='<img src="https://a.test/emoji/x.png">'), "", ""),
        (NamedPictures(html='<img src="data:image/png;base64,AAAA">'), "", ""),
        (NamedPictures(html='<img src="https://a.test/x.png" srcset="https://a.test/x.png 100w">'), "", ""),
        (NamedPictures(html='<video poster="https://a.test/p.jpg"></video>'), "https://a.test/p.jpg", "T"),
        # the order of preference of images in the feed
        (NamedPictures(own="/i.jpg", html=BODY), "https://ann.test/i.jpg", "T"),
        (
            NamedPictures(enclosures=({"href": "/e.png", "type": "image/png"},), own="/i.jpg"),
            "https://ann.test/e.png",
            "T",
        ),
        (
            NamedPictures(thumbnails=({"url": "/t.png"},), enclosures=({"href": "/e.png", "type": "image/png"},)),
            "https://ann.test/t.png",
            "T",
        ),
        (
            NamedPictures(media=({"url": "/m.png", "medium": "image"},), thumbnails=({"url": "/t.png"},)),
            "https://ann.test/m.png",
            "T",
        ),
        (NamedPictures(media=({"url": "/m.mp4", "medium": "video"},)), "", ""),
        (NamedPictures(media=({"url": "/m.jpg"},)), "https://ann.test/m.jpg", "T"),
        (NamedPictures(media=({"url": "javascript:x", "medium": "image"},)), "", ""),
        (NamedPictures(enclosures=({"href": "/e.mp3", "type": "audio/mpeg"},)), "", ""),
        # sizes
        (
            NamedPictures(
                media=tuple({"url": f"/{w}.jpg", "medium": "image", "width": str(w)} for w in (140, 1000, 500))
            ),
            "https://ann.test/1000.jpg",
            "T",
        ),
        (
            NamedPictures(media=({"url": "/a.jpg"}, {"url": "/b.jpg", "isdefault": "true"})),
            "https://ann.test/b.jpg",
            "T",
        ),
        (
            NamedPictures(thumbnails=({"url": "/t.png", "width": "72"},), html=BODY),
            "https://ann.test/big-1024x768.jpg",
            "Big",
        ),
        (NamedPictures(thumbnails=({"url": "/t.png", "width": "150"},)), "https://ann.test/t.png", "T"),
        (NamedPictures(thumbnails=({"url": "/t.png", "width": "72"},)), "", ""),
        # an avatar is skipped, and the feed's image gets the alt text of the same image in the text
        (
            NamedPictures(media=({"url": "https://0.gravatar.com/avatar/1", "medium": "image"}, {"url": "/a.jpg"})),
            "https://ann.test/a.jpg",
            "T",
        ),
        (NamedPictures(media=({"url": "/big.jpg"},), html=BODY), "https://ann.test/big.jpg", "Big"),
    ],
)
def test_the_picture_of_an_item_is_found(pictures: NamedPictures, url: str, alt: str) -> None:
    found = picture_of(pictures, LINK, "T")
    assert (found.url, found.alt) if found else (url, alt) == ("", "")
    assert (found is None) == (url == "")


@pytest.mark.parametrize(
    ("title", "end"),
    [
        ("\u202eevil", "\u202c"),
        ("a \u2067b \u202bc", "\u202c\u2069"),
        ("a \u2067b \u202bc\u2069 d", ""),
        ("\u202bשלום\u202c a", ""),
        ("\u202bשלום\u2069 a", "\u202c"),
        ("a\u202c b\u2069", ""),
        ("שלום", ""),
    ],
)
def test_a_title_does_not_turn_the_words_after_it(title: str, end: str) -> None:
    assert plain_title(title) == title + end
