"""Posts without a title: readers see their text, and never an invented title."""

from __future__ import annotations

import json
from email.message import EmailMessage

import feedparser
import pytest

from publisher.posts.rendering.headline import first_words
from tests.support.posts_samples import read
from tests.support.project import Project

TEXT = "It rained **all** day. We stayed [in](https://x.example/) and read."


@pytest.fixture
def mail(project: Project) -> EmailMessage:
    """The email with the only note of a published project."""
    for path in (project.root / "posts").rglob("*.md"):
        path.unlink()
    project.write("posts/2026-11-16-p.md", f"---\ndate: 2026-11-16 09:00\n---\n{TEXT}\n")
    project.subscribe("ada")
    project.ok("publish", "--yes")
    ((message,),) = project.mail().values()
    return message


def test_a_note_has_no_title_in_feeds_pages_and_emails(project: Project, mail: EmailMessage) -> None:
    public = project.root / "public"
    rss = feedparser.parse((public / "feed.xml").read_bytes()).entries[0]
    atom = feedparser.parse((public / "atom.xml").read_bytes()).entries[0]
    (item,) = json.loads((public / "feed.json").read_text())["items"]
    assert "title" not in rss
    assert "title" not in item
    assert atom.title == "It rained all day. We stayed in and read."
    assert "<strong>all</strong> day" in rss.content[0].value
    page = (public / "2026/11/16/p/index.html").read_text()
    assert "<title>It rained all day. We stayed in and read." in page
    assert "<h1>November 16, 2026</h1>" in page
    index = (public / "index.html").read_text()
    assert index.count("It rained all day.") == 1
    assert mail["Subject"] == "It rained all day. We stayed in and read."
    html, text = (mail.get_body((kind,)).get_content() for kind in ("html", "plain"))  # type: ignore[union-attr]
    assert "all</strong> day. We stayed" in html
    assert html.count("<h2") == 0
    assert '<a class="small-link" href="https://letters.example/2026/11/16/p/"' in html  # the date links to the page
    assert text.count("It rained") == 1
    assert ">P<" not in html + page + index
    assert "posts/2026-11-16-p.md" not in project.ok("check").said


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("One *two* `three`.\n\nFour.", "One two three."),
        ("![A cat](a.png)\n", "A cat"),
        ("> Quoted **words**\n", "Quoted words"),
        ("- first\n- second\n", "first"),
        ("<!-- c -->\n```\ncode\n```\nWords.", "Words."),
        ("日本語の文。", "日本語の文。"),
        ("word " * 30, "word " * 10 + "word…"),
        ("\n# Heading\n\nText.", ""),
        ("x" * 1001, ""),
        ("***\n", ""),
        ("", ""),
    ],
)
def test_a_note_is_named_by_its_first_words(body: str, words: str) -> None:
    assert first_words(body) == words


def test_a_text_with_an_empty_title_has_the_name_of_its_file() -> None:
    entry = read('---\ntitle: ""\n---\nWords.\n')
    assert entry.post
    assert (entry.post.title, entry.post.has_title, len(entry.problems)) == ("Hello", True, 1)
    note = read("---\nlayout: post\n---\nWords.\n")
    assert note.post
    assert (note.post.title, note.post.has_title, note.problems) == ("Words.", False, ())
