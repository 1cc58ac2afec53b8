"""Items of sources are posts in the archive, just as files are."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.config import ItemFilter
from publisher.config.server import DatabaseConfig
from publisher.core.errors import ProjectError
from publisher.core.models import Author, Enclosure, Episode, Image
from publisher.posts.archive import ArchiveReader, open_archive
from publisher.posts.markup import Renderer
from tests.support.posts_samples import HELLO, NOW, URL, Folder
from tests.support.source_samples import BLOG, NEWS, changed, fetched, item, opened

DAY = timedelta(days=1)
FULL = item(
    1,
    title="One & two",
    html='<p>A <a href="https://blog.example.net/x/">link</a> <a href="/x/">or</a>.</p>\n<script>x</script>',
    summary="In short.",
    authors=(Author("Ann"),),
    categories=("C++", "c++", "News"),
    published=NOW - 3 * DAY,
    updated=NOW - 2 * DAY,
    image=Image("https://blog.example.net/a.png", "A"),
    enclosures=(Enclosure("https://blog.example.net/a.mp3", "audio/mpeg", 5, 60),),
    episode=Episode(1, 2),
    language="de",
)


def test_an_item_is_a_post_whose_page_is_elsewhere(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    folder.write(HELLO, "Mine.")
    assert [post.source for post in folder.posts()] == [HELLO]  # there is no database yet
    fetched(folder.config, FULL)
    archive = folder.archive()
    post, own = archive.posts
    assert (post.id, post.title, post.url, post.canonical) == (FULL.guid, FULL.title, FULL.link, FULL.link)
    assert (post.from_source, post.is_elsewhere, post.is_backlog, post.first_seen) == ("blog", True, True, NOW)
    assert (post.published, post.updated, post.changed_at) == (FULL.published, FULL.updated, FULL.updated)
    assert (post.language, post.excerpt, post.authors) == ("de", "In short.", FULL.authors)
    assert [tag.name for tag in post.tags] == ["C++", "News"]
    assert (post.image, post.enclosures, post.episode) == (FULL.image, FULL.enclosures, FULL.episode)
    assert (own.from_source, own.is_elsewhere) == ("", False)
    rendered = Renderer(archive, folder.config).render(post)
    assert rendered.html == '<p>A <a href="https://blog.example.net/x/">link</a> <a>or</a>.</p>\n'
    assert (rendered.excerpt, rendered.words) == ("In short.", 4)
    assert (post.from_title, post.from_url) == ("The Blog", "https://blog.example.net/")
    assert archive.problems == []


def test_the_database_is_read_only_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    fetched(folder.config, item(1), item(2))
    folder.build()
    before = (tmp_path / "public/feed.json").read_text()
    with monkeypatch.context() as patch:
        patch.setattr("publisher.posts.sources.stored_items.open_store", None)
        assert folder.build().written == 0
        assert len(folder.archive(keep=True).posts) == 2
        reader = ArchiveReader(folder.config)
        assert reader.is_unchanged
        reader.close()
    fetched(folder.config, item(3))
    assert folder.build().written
    after = (tmp_path / "public/feed.json").read_text()
    assert [len(json.loads(feed)["items"]) for feed in (before, after)] == [2, 3]


def test_a_reader_that_is_stopped_early_loses_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    fetched(folder.config, item(1))
    folder.reader().close()
    assert [post.title for post in folder.archive(keep=True).posts] == ["Item 1"]


def test_changes_of_an_item_are_changes_of_its_post(tmp_path: Path, store_url: str) -> None:
    folder = Folder(tmp_path, sources=(BLOG,), database=DatabaseConfig(url=store_url))
    fetched(folder.config, item(1), item(2))
    first = {post.title: post for post in open_archive(folder.config, NOW).posts}
    later = NOW + timedelta(hours=1)
    changed(folder.config, "Item 1", item(1, title="Item one"), at=later)
    second = {post.title: post for post in open_archive(folder.config, later).posts}
    assert second["Item 2"] == first["Item 2"]
    one = second["Item one"]
    assert (one.id, one.changed_at, one.updated) == (first["Item 1"].id, later, later)
    assert one.digest != first["Item 1"].digest
    changed(folder.config, "Item one", None, at=later)
    assert [post.title for post in open_archive(folder.config, later).posts] == ["Item 2"]
    changed(folder.config, "Item one", item(1, title="Item one"), at=later + 9 * DAY)
    archive = open_archive(folder.config, later + 9 * DAY)
    assert one.id in [post.id for post in archive.posts]
    assert archive.problems == []
    changed(folder.config, "Item one", None, at=later)
    with opened(folder.config) as store:
        (number,) = [each.number for each in store.sources.items("blog") if each.item.title == "Item 2"]
        store.sources.skip(number, later)
    archive = open_archive(folder.config, later)
    assert [post.in_newsletters for post in archive.posts] == [False]
    assert Renderer(archive, folder.config).render(archive.posts[0]).html == "<p>The text of 2.</p>\n"


def test_undated_items_are_dated_when_first_seen_and_future_items_appear_on_their_date(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    fetched(folder.config, item(1), item(2, published=NOW + DAY), item(3, published=NOW - 9999 * DAY))
    archive = folder.archive()
    assert [(post.title, post.published) for post in archive.posts] == [
        ("Item 1", NOW),
        ("Item 3", NOW - 9999 * DAY),
    ]
    assert archive.next_change == NOW + DAY
    future = next(post for post in folder.archive(NOW + DAY).posts if post.title == "Item 2")
    assert not future.is_backlog


def test_settings_of_a_source_select_its_items(tmp_path: Path) -> None:
    items = (
        item(1, categories=("Web Design",), title="The week, again", published=NOW - 4 * DAY),
        item(2, authors=(Author("Ann  Lee"),), published=NOW - 3 * DAY),
        item(3, title="Sponsored: buy", summary="Buy.", published=NOW - 2 * DAY),
        item(4, published=NOW - 1 * DAY, title="weekend"),
    )
    table = [
        ({}, "1234"),
        ({"include": ItemFilter(categories=("web-design",))}, "1"),
        ({"include": ItemFilter(authors=("ann lee",), title_words=("the week",))}, "12"),
        ({"exclude": ItemFilter(title_words=("sponsored", "week"))}, "24"),
        ({"exclude": ItemFilter(title_words=(" ", "!"))}, "1234"),
    ]
    config = Folder(tmp_path, sources=(BLOG,)).config
    fetched(config, *items)
    for values, expected in table:
        archive = open_archive(replace(config, sources=(replace(BLOG, **values),)), NOW)
        assert "".join(post.id.split("/")[-2] for post in reversed(archive.posts)) == expected, values


def test_a_source_shows_only_excerpts_if_configured(tmp_path: Path) -> None:
    html = f"<p>{'Words ' * 200}</p>\n<p>More &amp; more.</p>"
    folder = Folder(tmp_path, sources=(replace(BLOG, content="excerpt"), NEWS))
    fetched(folder.config, item(1, html=html), item(2, html="<p>x</p>", summary="a < b"))
    fetched(folder.config, item(3, html="", summary="Only a < summary."), name="news")
    archive = folder.archive()
    bodies = {post.title: Renderer(archive, folder.config).render(post).html for post in archive.posts}
    assert bodies["Item 2"] == "<p>a &lt; b</p>\n"
    assert bodies["Item 3"] == "<p>Only a &lt; summary.</p>\n"
    assert 200 < len(bodies["Item 1"]) < 700
    fetched(folder.config, item(4), name="news")
    assert [post.title for post in folder.posts() if not post.is_excerpt] == ["Item 4"]


def test_a_republished_source_has_pages_that_name_the_original(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(replace(BLOG, republish=True),))
    fetched(folder.config, item(1, published=NOW - DAY, link="https://blog.example.net/a/Hello%20World.html"))
    (post,) = folder.posts()
    assert (post.is_elsewhere, post.url) == (False, f"{URL}/blog/2026/11/19/hello-world-1/")
    folder.build()
    page = folder.public()["blog/2026/11/19/hello-world-1/index.html"].decode()
    assert f'<link rel="canonical" href="{post.canonical}">' in page
    assert "The text of 1." in page


def test_an_item_without_a_title_is_a_note(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    fetched(folder.config, item(1, title="", html="<p>Just a thought about nothing at all.</p>"))
    fetched(folder.config, item(2, title="", html="", guid="x", link=""))
    titles = {post.id: (post.title, post.has_title, post.url) for post in folder.posts()}
    assert titles["https://blog.example.net/1/"] == (
        "Just a thought about nothing at all.",
        False,
        "https://blog.example.net/1/",
    )
    assert titles["x"] == ("The Blog", False, "https://blog.example.net/")


def test_an_item_in_two_sources_is_one_post_of_both(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG, NEWS))
    fetched(folder.config, item(1), item(2))
    fetched(folder.config, item(2), name="news")
    folder.write(HELLO, "Mine.", "title: x\nid: https://blog.example.net/1/")
    archive = folder.archive()
    found = {post.id: (post.from_source, post.also_from) for post in archive.posts}
    assert found == {"https://blog.example.net/1/": ("", ()), "https://blog.example.net/2/": ("blog", ("news",))}
    (problem,) = archive.problems  # the file is the original
    assert (problem.path, problem.severity) == ("source blog", "warning")


def test_items_of_several_sources_with_one_link_are_one_post(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG, NEWS))
    blog, day = "https://blog.example.net", NOW - DAY
    fetched(folder.config, item(1), item(2), item(3), item(4), item(5), item(6, link=f"{blog}/5"), name="news", at=day)
    spelt = ["http://blog.example.net/1", f"{blog}/2/?utm_source=x", "https://www.blog.example.net/3/", f"{blog}/4/"]
    fetched(folder.config, *(item(n, link=link, guid=f"x{n}") for n, link in enumerate(spelt, 1)), item(5, guid="x5"))
    folder.write(HELLO, "Mine.", f"title: Four\ncanonical: {blog}/4\nrepublish: true\nid: four")
    archive = folder.archive()
    found = {post.id: (post.from_source, post.also_from, post.also_ids) for post in archive.posts}
    assert found == {  # the item that was seen first stays, but a file takes precedence over items
        f"{blog}/1/": ("news", ("blog",), ("x1",)),
        f"{blog}/2/": ("news", ("blog",), ("x2",)),
        f"{blog}/3/": ("news", ("blog",), ("x3",)),
        "four": ("", ("blog", "news"), ("x4", f"{blog}/4/")),
        f"{blog}/5/": ("news", (), ()),  # two items of one source share this link
        f"{blog}/6/": ("news", (), ()),
        "x5": ("blog", (), ()),
    }
    assert archive.problems == []


def test_an_item_of_a_post_of_this_site_is_that_post(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG, NEWS))
    folder.write(HELLO, "Mine.")
    (own,) = folder.posts()
    fetched(folder.config, item(1, link=own.url, guid=own.url), item(2, link=f"{URL}/", guid="home"))
    fetched(folder.config, item(3, link=f"{URL}/", guid="at home"), name="news")
    found = {post.id: (post.from_source, post.also_from) for post in folder.posts()}
    assert found == {own.id: ("", ("blog",)), "home": ("blog", ()), "at home": ("news", ())}
    folder.write("other.md", "Mine too.", "title: Other\ndate: 2024-01-02\ncanonical: https://x.example/series/")
    folder.write("another.md", "Mine too.", "title: Another\ndate: 2024-01-02\ncanonical: https://x.example/series/")
    fetched(folder.config, item(4, link="https://x.example/series", guid="series"), name="news")
    assert len(folder.posts()) == 6  # two files share the link, so it says nothing about the item


def test_items_with_one_link_in_one_source_are_separate_posts(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    fetched(folder.config, *(item(number, link="https://blog.example.net/") for number in range(3)))
    assert len(folder.posts()) == 3


def test_a_project_with_sources_needs_no_posts_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    (tmp_path / "posts").rmdir()
    fetched(folder.config, item(1))
    assert [post.title for post in open_archive(folder.config, NOW, whole=True).posts] == ["Item 1"]
    assert folder.build().posts == 1
    folder.file(f"posts/{HELLO}", "---\ntitle: Mine\n---\n")
    folder.build()
    (tmp_path / "posts" / HELLO).unlink()
    (tmp_path / "posts").rmdir()
    with pytest.raises(ProjectError):  # otherwise a missing disk would empty the site
        open_archive(folder.config, NOW, whole=True)


def test_an_item_that_cannot_be_rendered_is_left_out_with_a_warning(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    fetched(folder.config, item(1, html="<div>" * 5000 + "x"), item(2))
    report = folder.build()
    assert report.posts == 1
    (problem,) = [each for each in report.problems if "Item 1" in each.path]
    assert (problem.path, problem.severity, problem.line) == ("source blog, item 'Item 1'", "warning", 0)


def test_a_source_removed_from_the_configuration_disappears_from_the_site(tmp_path: Path) -> None:
    folder = Folder(tmp_path, sources=(BLOG, NEWS))
    fetched(folder.config, item(1))
    fetched(folder.config, item(2), name="news")
    assert len(open_archive(folder.config, NOW).posts) == 2
    assert [post.title for post in open_archive(replace(folder.config, sources=(NEWS,)), NOW).posts] == ["Item 2"]
    assert open_archive(replace(folder.config, sources=()), NOW).posts[:] == []


def test_an_item_that_triggers_a_bug_does_not_affect_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path, sources=(BLOG,))
    fetched(folder.config, item(1), item(2, categories=("odd",)), item(3))
    monkeypatch.setattr("publisher.posts.sources.item_post.tag_slug", None)
    archive = folder.archive()
    assert {post.title for post in archive.posts} == {"Item 1", "Item 3"}
    (problem,) = archive.problems
    assert (problem.path, problem.severity) == ("source blog, item 'Item 2'", "warning")
