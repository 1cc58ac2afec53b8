"""Real posts, unchanged: two documents and the 713 posts of a site in six languages."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html as lxml_html

from publisher.config import Config, Posts
from publisher.core.models import RenderedPost, Severity
from publisher.posts.archive import Archive, open_archive
from publisher.posts.markup import Renderer
from tests.support.corpora import RUBY, Ruby, looked_at, needs_ruby, needs_seeds, seed
from tests.support.posts_samples import NOW, SITE, URL, Folder


@pytest.fixture
def seeds(tmp_path: Path) -> Folder:
    """Both documents, with dates in their names."""
    folder = Folder(tmp_path)
    folder.write("2024-01-08-ai-trends.md", seed("000"))
    folder.write("2024-07-06-Generative-AI-Trends.md", seed("003"))
    return folder


@needs_seeds
def test_each_undated_seed_gives_exactly_one_clear_line(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("ai-trends.md", seed("000"))
    folder.write("generative.md", seed("003"))
    report = folder.build(NOW)
    assert [str(problem) for problem in report.problems] == [
        f"posts/{name}.md:1: the post has no date (add `date: 2024-07-06` to its front matter, "
        f"or name the file 2024-07-06-{name}.md)"
        for name in ("ai-trends", "generative")
    ]
    assert report.posts == 0


@needs_seeds
def test_with_dates_the_seeds_publish_without_errors(seeds: Folder) -> None:
    report = seeds.build(NOW)
    assert (report.posts, report.errors) == (2, ())
    messages = Counter(
        problem.message.split(" ", 2)[0] + " " + problem.message.split(" ", 2)[1] for problem in report.warnings
    )
    assert messages == {"repaired garbled": 3, "the file": 3}
    lines = [problem.line for problem in report.warnings if problem.message.startswith("repaired garbled")]
    assert lines == [40, 156, 174]
    for problem in report.warnings:
        what = problem.message.removeprefix("repaired ").split(" ")[2]
        wanted = what.rpartition("/")[2] if "/" in what else what.strip("'").split("\\")[0]
        assert wanted in looked_at(problem, seeds.root), problem


@needs_seeds
def test_the_seeds_keep_their_table_pictures_caption_excerpt_and_apostrophes(seeds: Folder) -> None:
    without = seeds.render("2024-07-06-Generative-AI-Trends.md")
    assert without.post.image is None  # none of the pictures is in the seeds
    assert "<img" not in without.html
    for name in ("logo", "204247", "204248"):
        seeds.file(f"assets/images/posts/2024-07-06-Generative-AI-Trends/{name}.jpeg", b"")
    result = seeds.render("2024-07-06-Generative-AI-Trends.md")
    post = result.post
    assert (post.permalink, post.published.isoformat()) == (
        "/2024/07/06/generative-ai-trends/",
        "2024-07-06T09:00:00+02:00",
    )
    folder = f"{URL}/2024/07/06/assets/images/posts/2024-07-06-Generative-AI-Trends"
    assert post.image
    assert post.image.url == f"{folder}/logo.jpeg"
    assert post.image.caption.startswith("Generative AI is the most powerful tool")
    assert post.image.caption.endswith("~Elon Musk")
    assert result.excerpt == post.excerpt != ""
    tree = lxml_html.fragment_fromstring(result.html, create_parent="div")
    rows = tree.xpath("//table//tr")
    assert {len(row.xpath("th|td")) for row in rows} == {3}
    assert tree.xpath("//table//td/br")
    assert [image.get("src").rpartition("/")[0] for image in tree.xpath("//img")] == [folder] * 2
    assert {image.get("width") for image in tree.xpath("//img")} <= {"50%", "80%", None}
    assert "OpenAI’s" in result.html
    assert not re.search("â€|\u201a€|Ã.", result.html)
    captions = [p.text_content().strip("\u200b\t ") for p in tree.xpath("//p") if "Fig" in p.text_content()]
    assert len([caption for caption in captions if caption.startswith("Fig")]) == 2
    assert not tree.xpath("//pre")
    first = seeds.render("2024-01-08-ai-trends.md")
    assert first.post.title == "AI Trends in 2024!"
    assert "<strong>1. From Big to Small" in first.html
    assert first.excerpt


@needs_seeds
def test_the_feeds_of_the_seeds_agree(seeds: Folder) -> None:
    seeds.build(NOW)
    entries = json.loads(seeds.public()["feed.json"])["items"]
    assert [entry["title"] for entry in entries][1] == "AI Trends in 2024!"
    assert "OpenAI’s" in entries[0]["content_html"]
    assert "<table>" in entries[0]["content_html"]
    assert "./../assets" not in seeds.public()["feed.json"].decode()


@pytest.fixture(scope="module")
def ruby() -> tuple[Archive, list[RenderedPost]]:
    """Every rendered post of the corpus, with the problems that a check finds; nothing is written."""
    if not RUBY.is_dir():
        pytest.skip("the corpus ruby-news is not next to this checkout")
    config = Config(site=replace(SITE, url="https://www.ruby.example"), root=RUBY.parent, posts=Posts(folder=RUBY.name))
    archive = open_archive(config, NOW, keep=False)
    renderer = Renderer(archive, config, inspect=True)
    return archive, [renderer.render(post) for post in archive.posts]


@needs_ruby
def test_all_713_posts_publish_without_an_error(ruby: Ruby) -> None:
    archive, posts = ruby
    assert (len(posts), archive.problems) == (713, [])
    assert len({post.post.id for post in posts}) == len({post.post.permalink for post in posts}) == 713
    assert all(problem.severity is Severity.WARNING for post in posts for problem in post.problems)


@needs_ruby
def test_exactly_235_posts_have_one_liquid_warning_each(ruby: Ruby) -> None:
    liquid = [problem for post in ruby[1] for problem in post.problems if problem.message.startswith("Liquid")]
    assert len(liquid) == len({problem.path for problem in liquid}) == 235
    assert all("{% assign" in looked_at(problem, RUBY.parent) for problem in liquid)


@needs_ruby
def test_the_other_warnings_of_the_corpus_are_counted(ruby: Ruby) -> None:
    others = [p for post in ruby[1] for p in post.problems if not p.message.startswith("Liquid")]
    unnamed = (re.sub(r"\[.*|nor \d+ more", "*", problem.message) for problem in others)
    kinds = Counter(re.sub(r"\S*[./]\S+|'[^']*'", "*", message).split(" (")[0] for message in unnamed)
    assert kinds == {
        "the picture * has no alt text": 10,
        "the URL * was removed, because its scheme isn't allowed": 5,
        "a link is written with two brackets: ]((": 1,
        "a ``` at the end of a line doesn't open a code block": 1,
        "nothing refers to the link *": 9,
    }
    for problem in others:
        words = r"picture (\S+)|URL '([^']+)'|brackets: (\S+)|a (```)|the link (\[[^\]]+\]):"
        named = re.search(words, problem.message)
        assert named
        assert next(filter(None, named.groups())) in looked_at(problem, RUBY.parent), problem


@needs_ruby
def test_no_kramdown_list_or_broken_link_is_left(ruby: Ruby) -> None:
    for post in ruby[1]:
        tree = lxml_html.fragment_fromstring(post.html, create_parent="div")
        for code in tree.xpath("//code|//pre"):
            code.text = ""
            for child in list(code):
                code.remove(child)
        words = tree.text_content()
        assert not re.search(r"\{:\s|\{:[.#]|\{:toc|^\s*\^\s*$", words, re.MULTILINE), post.post.source
        assert "{% highlight" not in words
        assert "{% link" not in words
        for link in tree.xpath("//a[@href]"):
            assert re.match(r"(?:https?|mailto|ftp|rsync|irc|news):", link.get("href")), (
                post.post.source,
                link.get("href"),
            )
        for link in tree.xpath("//a[not(@href)]"):
            assert link.get("id") or link.text_content(), post.post.source


@needs_ruby
def test_every_post_of_the_corpus_has_an_excerpt(ruby: Ruby) -> None:
    for post in ruby[1]:
        assert post.excerpt.strip(), post.post.source
        assert not re.search(r"^\{[%{]|\{:|</?p|^\^", post.excerpt), (post.post.source, post.excerpt)


@needs_ruby
def test_dates_languages_and_permalinks_match_the_corpus(ruby: Ruby) -> None:
    for post in (rendered.post for rendered in ruby[1]):
        language, _, name = post.source.partition("/")
        assert post.language == language.replace("zh_cn", "zh-CN")
        assert post.published.date().isoformat()[:7] == name[:7]
        assert post.permalink.startswith(f"/{language}/{name[:4]}/")
