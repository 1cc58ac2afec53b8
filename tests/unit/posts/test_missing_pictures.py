"""A missing image is left out of page, feeds and email, and its alt text is kept as text."""

from __future__ import annotations

from pathlib import Path

from publisher.config import PagesConfig
from publisher.posts.rendering.missing_pictures import alt_as_words
from tests.support.posts_samples import HELLO, Folder, rendered

CASES = {
    "Before ![a cat](no.png) after.": "<p>Before a cat after.</p>",
    "Before ![](no.png) after.": "<p>Before  after.</p>",
    "A\n\n![](no.png)\n\n![](no2.png) ![](no.png)\n\nB": "<p>A</p>\n<p>B</p>",
    "[![a dog](no.png)](https://o.test/)": '<p><a href="https://o.test/">a dog</a></p>',
    "[![](no.png)](https://o.test/?a&b)": '<p><a href="https://o.test/?a&amp;b">https://o.test/?a&amp;b</a></p>',
    "![&lt;b&gt; & x](no.png)": "<p>&lt;b&gt; &amp; x</p>",
    "| a |\n|--|\n| ![t](no.gif) |": "<td>t</td>",
    '<figure><img src="no.jpg" alt="fig"><figcaption>Words</figcaption></figure>': (
        "<figure>fig<figcaption>Words</figcaption></figure>"
    ),
    '<figure><img src="no.jpg" alt="Once"><figcaption>Once</figcaption></figure>': (
        "<figure><figcaption>Once</figcaption></figure>"
    ),
    '<figure><img src="no.jpg"></figure>\n\nB': "<p>B</p>",
    '<picture><source srcset="no.webp"><img src="no.jpg" alt="p"></picture>': "<p>p</p>",
    '<picture><source srcset="ok.png"><img src="no.jpg" alt="p"></picture>': (
        '<picture><source srcset="OK"><img src="OK" alt="p"></picture>'
    ),
    '<picture><source srcset="no.webp"><img src="ok.png" alt="p"></picture>': '<img src="OK" alt="p">',
    '<img src="ok.png" srcset="ok.png 1x, no.png 2x" alt="t">': '<img src="OK" srcset="OK 1x" alt="t">',
    '<img src="no.png" srcset="ok.png 2x" alt="t">': '<img src="OK" alt="t" srcset="OK 2x">',
    '<video src="no.mp4" poster="no.png"></video>': "<video src=",
    "![t](https://o.test/no.png) ![t](/no.png)": '<img src="https://o.test/no.png" alt="t"> <img src="https://site',
    "![t](ok.png)": '<img src="OK" alt="t">',
}


def test_alt_text_replaces_a_missing_image() -> None:
    for body, expected in CASES.items():
        result = rendered(body, files=("posts/ok.png",))
        html = result.html.replace(f"{result.post.url}ok.png", "OK")
        assert expected in html, body
        assert "no.jpg" not in html, body
        assert "poster" not in html, body
        if "no." in body and "https" not in body and "[!" not in body:
            assert any("doesn't exist" in problem.message for problem in result.problems), body


def test_alt_text_of_a_missing_picture_is_not_the_excerpt() -> None:
    assert rendered("![a cat](no.png)\n\nReal text.").excerpt == "Real text."
    assert rendered("![a cat](no.png) Real text.").words == 2


def test_an_image_without_a_url_does_not_take_long() -> None:
    for piece in ("<picture>", "<img alt='a'>", "<a href=''>", "<figure>", "<img><figcaption>"):
        assert "\x1a" not in alt_as_words(piece * 20_000)


def test_a_missing_picture_is_in_no_output_until_it_is_added(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    head = 'title: T\nimage: {url: no.png, alt: "The alt", caption: "The caption"}'
    folder.write(HELLO, "![a cat](cat.png)\n\n" + "Words. " * 5, head)
    outputs = ("2024/07/06/hello/index.html", "index.html", "feed.xml", "atom.xml", "feed.json")

    def shown(name: str) -> list[bool]:
        public = folder.public()
        return [f"{name}.png".encode() in public[output] for output in outputs]

    report = folder.build()
    assert sorted(problem.message for problem in report.warnings) == [
        "the file posts/cat.png doesn't exist",
        "the file posts/no.png doesn't exist",
    ]
    assert (any(shown("no")), any(shown("cat"))) == (False, False)
    assert folder.render().post.image is None  # from which emails are made
    for name in ("no", "cat"):
        folder.file(f"posts/{name}.png", b"P")
    assert folder.build().warnings == ()
    assert all(shown("no"))
    assert shown("cat") == [True, False, True, True, True]
    (tmp_path / "posts/no.png").unlink()
    folder.build()
    assert not any(shown("no"))


def test_a_picture_that_may_be_elsewhere_stays(tmp_path: Path) -> None:
    static = Folder(tmp_path / "static")
    static.write(HELLO, "![a cat](cat.png)")
    static.file("static/2024/07/06/hello/cat.png", b"P")
    assert static.build().warnings == ()
    assert "<img" in static.render().html
    feeds_only = Folder(tmp_path / "feeds", pages=PagesConfig(enabled=False))
    feeds_only.write(HELLO, "![a cat](cat.png)")
    assert "<img" in feeds_only.render().html
