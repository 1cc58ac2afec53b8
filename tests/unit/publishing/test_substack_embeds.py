"""Content that Substack shows with a script becomes HTML, or is counted if it cannot be shown."""

from __future__ import annotations

import json
from html import escape

from publisher.publishing.exports.substack_embeds import with_embeds


def embed(name: str, values: object, inside: str = "") -> str:
    return f'<p>A</p><div class="{name}" data-attrs="{escape(json.dumps(values))}">{inside}</div><p>B</p>'


IMAGES = {
    "gallery": {"images": [{"src": "https://i.example/1.jpg"}, {"src": "https://i.example/2.jpg"}], "caption": "C <1>"}
}
TWEET = {"url": "https://x.example/1", "full_text": "Tea & <b>", "username": "a", "name": "Ann"}
SHOWN: list[tuple[str, object, str]] = [
    (
        "image-gallery-embed",
        {"gallery": IMAGES["gallery"] | {"alt": 'a "b"'}},
        '<figure><img src="https://i.example/1.jpg" alt="a &quot;b&quot;"><img src="https://i.example/2.jpg"'
        ' alt="a &quot;b&quot;"><figcaption>C &lt;1&gt;</figcaption></figure>',
    ),
    (
        "tweet",
        TWEET,
        '<blockquote><p>Tea &amp; &lt;b&gt;</p><p><a href="https://x.example/1">Ann (@a)</a></p></blockquote>',
    ),
    (
        "embedded-post-wrap",
        {"url": "https://a.example/p/x", "title": "X", "truncated_body_text": "It began"},
        '<blockquote><p>It began</p><p><a href="https://a.example/p/x">X</a></p></blockquote>',
    ),
    (
        "digest-post-embed",
        {"canonical_url": "https://a.example/p/x", "title": "X", "caption": "C"},
        '<blockquote><p>C</p><p><a href="https://a.example/p/x">X</a></p></blockquote>',
    ),
    (
        "embedded-publication-wrap",
        {"name": "Tea", "base_url": "https://a.example", "hero_text": "All of it"},
        '<blockquote><p>All of it</p><p><a href="https://a.example">Tea</a></p></blockquote>',
    ),
    (
        "comment",
        {"url": "https://substack.com/@a/note/c-1", "comment": {"body": "N", "name": "Ann"}},
        '<blockquote><p>N</p><p><a href="https://substack.com/@a/note/c-1">Ann</a></p></blockquote>',
    ),
    ("latex-rendered", {"persistentExpression": "a<b^2"}, '<pre><code class="language-math">a&lt;b^2</code></pre>'),
    (
        "native-audio-embed",
        {"url": "https://a.example/a.mp3", "label": "L"},
        '<figure><audio controls src="https://a.example/a.mp3"></audio><figcaption>L</figcaption></figure>',
    ),
    ("mention-wrap", {"name": "Ann", "url": "https://a.example"}, '<a href="https://a.example">Ann</a>'),
    (
        "new-embed",
        {"url": "https://a.example", "title": "T"},
        '<blockquote><p><a href="https://a.example">T</a></p></blockquote>',
    ),
    (
        "youtube-wrap",
        {"videoId": "dQw4w9WgXcQ"},
        '<blockquote><p><a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">https://www.youtube.com/watch?v=dQw4w9WgXcQ</a>'
        "</p></blockquote>",
    ),
    ("install-substack-app-embed", {"publication_id": 1}, ""),
    ("tweet", {"url": "javascript:alert(1)", "full_text": "T"}, "<blockquote><p>T</p></blockquote>"),
]
LEFT = [
    ("poll-embed", {"id": 1}, "polls"),
    ("native-video-embed", {"mediaUploadId": "v"}, "videos that only Substack can play"),
    ("native-audio-embed", {"mediaUploadId": "v"}, "recordings that only Substack can play"),
    ("tweet", [1], "embeds of the kind tweet"),
    ("new-embed", {"id": 1}, "embeds of the kind new-embed"),
]


def test_the_content_of_an_element_is_shown() -> None:
    for name, values, made in SHOWN:
        assert with_embeds(embed(name, values)) == (f"<p>A</p>{made}<p>B</p>", {}), name


def test_content_that_cannot_be_shown_is_counted() -> None:
    for name, values, what in LEFT:
        assert with_embeds(embed(name, values)) == ("<p>A</p><p>B</p>", {what: 1}), name


def test_files_and_code_have_labels_and_images_have_no_buttons() -> None:
    file = (
        '<div class="file-embed-wrapper"><div><div class="file-embed-details-h1">Tea</div>'
        '<div class="file-embed-details-h2">1MB PDF file</div><a href="https://a.example/f.pdf">Download</a></div></div>'
    )
    assert with_embeds(file) == ('<p><a href="https://a.example/f.pdf">Tea</a> (1MB PDF file)</p>', {})
    code = embed("highlighted_code_block", {"language": "python"}, "<pre><code>y = 1</code></pre>")
    assert '<pre><code class="language-python">y = 1</code></pre>' in with_embeds(code)[0]
    button = '<a href="/i.png"><img src="/i.png"><div class="image-link-expand"><button><svg></svg></button></div></a>'
    assert with_embeds(button) == ('<a href="/i.png"><img src="/i.png"></a>', {})


def test_elements_that_show_their_content_are_unchanged() -> None:
    frame = '<div><iframe src="https://www.youtube-nocookie.com/embed/x"></iframe></div>'
    for html in (
        embed("youtube-wrap", {"videoId": "x"}, frame),
        embed("file-embed", {"url": "x"}, '<a href="/a.pdf">A</a>'),
        embed("comment", {}, "").replace(' data-attrs="{}"', " data-x")[:-50] + "<p>open",
        '<div class="tweet" data-attrs="{',
        '<p>data-attrs="poll-embed"</p>',
    ):
        assert with_embeds(html) == (html, {}), html
