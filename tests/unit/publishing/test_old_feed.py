"""Posts of an old feed keep what feed readers have stored: ids, URLs and dates."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.config import Feeds, NewsletterConfig
from publisher.core.errors import ProjectError, PublisherError
from publisher.core.newsletter_models import EditionPost
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.adopted_entries import ENTRIES_FILE, OldEntries, OldEntry
from publisher.posts.sources.feed_document import read_feed
from publisher.publishing.adopt.old_feed import (
    feed_keys,
    match_old_feed,
    old_name,
    pass_over_again,
    read_old_feed,
    write_entries,
)
from publisher.publishing.adopt_feed import AdoptedFeed
from publisher.publishing.project_check import check_project
from publisher.publishing.unused import lost_entries
from publisher.publishing.wiring import open_project_store
from publisher.site.build.ids import id_problems
from tests.support.posts_samples import NOW, URL, Folder
from tests.support.store_samples import draft

OLD = f"""<?xml version="1.0"?>
<rss version="2.0"><channel><title>Old</title><link>{URL}/</link><description>d</description>
<item><title>Tea</title><link>{URL}/drinks/tea.html</link><guid isPermaLink="false">post-17</guid>
<pubDate>Wed, 04 Mar 2026 07:15:00 GMT</pubDate></item>
<item><title>Why C++?</title><link>{URL}/2026/03/05/why-c++/</link><guid>{URL}/?p=18</guid></item>
<item><title>“Quoted” words</title><link>https://elsewhere.example/x</link><guid>urn:x:19</guid>
<pubDate>Fri, 06 Mar 2026 23:30:00 GMT</pubDate></item>
<item><title>No guid</title><link>{URL}/2026/03/07/none?utm_source=rss</link></item>
<item><title>Lost</title><link>{URL}/2020/01/01/lost/</link><guid>gone</guid></item>
<item><title>Tea</title><link>{URL}/more</link><guid>post-17b</guid></item>
</channel></rss>"""


@pytest.fixture
def blog(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("2026-03-04-tea.md", "Tea.", "title: Tea")
    folder.write("2026-03-05-why-c++.md", "C.", "title: Why C++?\ndate: 2026-03-05 10:00")
    folder.write("2026-03-06-quoted.md", "Q.", 'title: "\\"Quoted\\" words"')
    folder.write("2026-03-07-none.md", "N.", "title: None")
    folder.write("2026-03-08-new.md", "New.", "title: New")
    folder.file("old.xml", OLD)
    return folder


def test_each_entry_keeps_the_id_url_and_date_that_readers_know(blog: Folder) -> None:
    feed = read_old_feed(str(blog.root / "old.xml"), URL)
    before = {post.source: post for post in blog.archive().posts}
    match = match_old_feed(blog.config, blog.archive(), feed.document)
    assert [(each.source, each.id, each.path) for each in match.entries] == [
        ("2026-03-04-tea.md", "post-17", "/drinks/tea.html"),
        ("2026-03-05-why-c++.md", f"{URL}/?p=18", "/2026/03/05/why-c++/"),
        ("2026-03-06-quoted.md", "urn:x:19", ""),
        ("2026-03-07-none.md", f"{URL}/2026/03/07/none?utm_source=rss", "/2026/03/07/none"),
    ]
    assert [item.title for item in match.unmatched] == ["Lost"]
    assert match.conflicts == ("'Tea': posts/2026-03-04-tea.md already belongs to another item",)
    assert (match.known, match.others) == (0, 1)

    blog.build()  # a trial run, which records the ids that the posts would have had
    assert write_entries(blog.root, match.entries)
    blog.build()
    for name in ("feed.xml", "atom.xml", "feed.json"):
        found = {item.title: item for item in read_feed(blog.public()[name], f"{URL}/{name}", {}).items}
        tea = found["Tea"]
        # Atom requires a URI.
        assert tea.guid == ("tag:site.example,2024:id:post-17" if name == "atom.xml" else "post-17")
        assert (tea.link, tea.published) == (f"{URL}/drinks/tea.html", datetime(2026, 3, 4, 7, 15, tzinfo=UTC))
        assert found["Why C++?"].guid == f"{URL}/?p=18"
        assert found["None"].link == f"{URL}/2026/03/07/none"
        assert found["New"].guid == before["2026-03-08-new.md"].id
        assert [item.guid for item in found.values() if "Quoted" in item.title] == ["urn:x:19"]
    archive = blog.archive(keep=True)
    assert not list(id_problems(blog.config, archive))
    again = match_old_feed(blog.config, archive, feed.document)
    assert (again.entries, again.known) == ((), 4)
    assert not write_entries(blog.root, match.entries)


def test_values_in_a_post_override_the_old_feed(blog: Folder) -> None:
    blog.write("2026-03-04-tea.md", "Tea.", "title: Tea\nid: mine\npermalink: /tea/\ndate: 2026-03-09")
    feed = read_old_feed(str(blog.root / "old.xml"), URL)
    item = replace(feed.document.items[0], link=f"{URL}/tea", guid="theirs")
    match = match_old_feed(blog.config, blog.archive(), replace(feed.document, items=(item,)))
    assert match.entries == ()
    assert match.conflicts == (
        "posts/2026-03-04-tea.md: has its own id, mine (the old feed has theirs)",
        "posts/2026-03-04-tea.md: stays at /tea/ (the old feed has /tea)",
    )
    write_entries(blog.root, [OldEntry("2026-03-04-tea.md", "x", "/x/", datetime(2026, 3, 4, 7, tzinfo=UTC))])
    (tea,) = blog.archive().load(["2026-03-04-tea.md"])
    assert (tea.id, tea.permalink, tea.published.day) == ("mine", "/tea/", 9)


def test_an_old_url_of_another_post_is_reported_and_not_used(blog: Folder) -> None:
    item = FeedItem("tag:x,2026:1", f"{URL}/2026/03/08/new/", "New")
    other = FeedItem("tag:x,2026:2", "", "Tea")
    document = FeedDocument("atom", "Old", URL, (replace(other, guid="tag:x,2026:2"), item))
    assert [each.path for each in match_old_feed(blog.config, blog.archive(), document).entries] == ["", ""]
    blog.write("2026-03-04-tea.md", "Tea.", "title: Tea\nslug: cup")
    blog.write("2026-03-04-cup.md", "Cup.", "title: Cup\npermalink: /2026/03/04/tea/")
    moved = FeedItem("a:b", f"{URL}/2026/03/04/tea/", "Tea")
    match = match_old_feed(blog.config, blog.archive(), replace(document, items=(moved,)))
    assert [(each.source, each.path) for each in match.entries] == [("2026-03-04-cup.md", "")]


def test_values_of_a_hostile_feed_stay_in_their_line_and_inside_the_site(blog: Folder) -> None:
    items = (
        FeedItem("x:1\n2026-03-08-new.md\tx:2", f"{URL}/a%0Ab%09/", "Tea"),
        FeedItem("x:3", f"{URL}/../../..%2f..%2fetc/", "Why C++?"),
        FeedItem("x:4", f"{URL}/feed.xml", "None"),
    )
    match = match_old_feed(blog.config, blog.archive(), FeedDocument("rss", "Old", URL, items))
    write_entries(blog.root, match.entries)
    assert [(post.id, post.permalink) for post in blog.archive().load([each.source for each in match.entries])] == [
        ("x:1 2026-03-08-new.md x:2", "/2026/03/04/tea/"),
        ("x:3", "/etc/"),
        ("x:4", "/2026/03/07/none/"),
    ]
    assert match.conflicts == ("posts/2026-03-07-none.md: stays at /2026/03/07/none/ (the old feed has /feed.xml)",)


def test_the_file_is_read_line_by_line_and_a_wrong_line_is_reported(tmp_path: Path) -> None:
    assert OldEntries.of(tmp_path).get("a.md") is None
    entry = OldEntry("a b/ü.md", "http://x.example/1 2", "/a b/", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    write_entries(tmp_path, [entry, OldEntry("b.md", "2")])
    write_entries(tmp_path, [OldEntry("b.md", "other"), OldEntry("c.md", "3")])
    found = OldEntries.of(tmp_path)
    assert [found.get(name) for name in ("a b/ü.md", "b.md", "c.md", "d.md")] == [
        entry,
        OldEntry("b.md", "2"),
        OldEntry("c.md", "3"),
        None,
    ]
    wrong = {
        b"a.md": "old-feed.tsv:2",
        b"a.md\t": "old-feed.tsv:2",
        b"a.md\tid\tno-slash": "old-feed.tsv:2",
        b"a.md\tid\t/x\t2026-01-02": "'2026-01-02' is not a time with a time zone",
        b"a.md\tid\t/x\t2026-01-02T00:00:00Z\tmore": "old-feed.tsv:2",
        b"\xff": "is not UTF-8",
    }
    for line, said in wrong.items():
        (tmp_path / ENTRIES_FILE).write_bytes(b"# post\tid\n" + line + b"\n")
        with pytest.raises(ProjectError) as caught:
            OldEntries.of(tmp_path).get("a.md")
        assert said in str(caught.value)


def test_the_path_of_the_old_feed_is_reported_unless_it_is_written_anyway(tmp_path: Path) -> None:
    config = Folder(tmp_path).config
    cases = {
        (f"{URL}/feed.xml", "rss"): ("feed.xml", {}),
        (f"{URL}/feed.xml", "atom"): (
            "feed.xml = atom",
            {"also": ("feed.xml = atom",), "formats": ("atom", "json")},
        ),
        (f"{URL}/index.xml", "rss"): ("index.xml", {"also": ("index.xml",)}),
        (f"{URL}/feed/", "rss"): ("feed/", {"also": ("feed/",)}),
        (f"{URL}/feeds/all.atom.xml", "atom"): ("feeds/all.atom.xml", {"also": ("feeds/all.atom.xml",)}),
        (f"{URL}/feed.json", "json"): ("feed.json", {}),
        ("https://feeds.example.com/ada", "rss"): ("", {}),
        (f"{URL}/", "rss"): ("", {}),
    }
    for (url, kind), expected in cases.items():
        feed = AdoptedFeed(url, FeedDocument(kind, "Old", URL, ()))
        assert (old_name(feed, URL), feed_keys(config, feed)) == expected, url
    also = replace(config, feeds=Feeds(also=("feed.xml = atom",)))
    assert feed_keys(also, AdoptedFeed(f"{URL}/feed.xml", FeedDocument("atom", "", URL, ()))) == {}


def test_a_document_that_is_not_a_feed_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!doctype html><title>x</title>")
    (tmp_path / "feed.json").write_text(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": "x"}))
    for place, said in {
        str(tmp_path / "page.html"): "page.html",
        str(tmp_path): "cannot be read",
        "no-such-file": "no-such-file: is not there",
    }.items():
        with pytest.raises(PublisherError) as caught:
            read_old_feed(place, URL)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_only_sent_items_keep_their_ids_and_no_old_post_is_sent_again(blog: Folder) -> None:
    blog.config = replace(blog.config, newsletters=(NewsletterConfig(name="weekly"),))
    posts = {post.source: post for post in blog.archive().posts}
    sent, passed = posts["2026-03-04-tea.md"], posts["2026-03-05-why-c++.md"]
    with open_project_store(blog.config) as store:
        store.editions.pass_over("weekly", [passed.id, posts["2026-03-07-none.md"].id])
        assert store.editions.create(draft(posts=(EditionPost(sent.id, sent.title, sent.url),)))
        feed = read_old_feed(str(blog.root / "old.xml"), URL)
        match = match_old_feed(blog.config, blog.archive(), feed.document)
        new = {each.source: each.id for each in match.entries}
        assert sorted(new) == ["2026-03-05-why-c++.md", "2026-03-06-quoted.md", "2026-03-07-none.md"]
        assert match.conflicts[1:] == (
            f"posts/2026-03-04-tea.md: was sent under {sent.id}, which it keeps (the old feed has post-17)",
        )
        pass_over_again(blog.config, match)
        handled = store.editions.handled_posts("weekly")
        write_entries(blog.root, match.entries)
        now = {post.source: post.id for post in blog.archive().posts}
        assert {source for source, post_id in now.items() if post_id in handled} == {
            "2026-03-04-tea.md",
            "2026-03-05-why-c++.md",
            "2026-03-07-none.md",
        }
        assert now["2026-03-05-why-c++.md"] == f"{URL}/?p=18"
        assert store.editions.sent_posts("weekly") == {sent.id}


def test_check_reports_the_lines_whose_posts_are_gone(blog: Folder) -> None:
    feed = read_old_feed(str(blog.root / "old.xml"), URL)
    write_entries(blog.root, match_old_feed(blog.config, blog.archive(), feed.document).entries)
    blog.write("2026-03-05-why-c++.md", "C.", "title: Why C++?\ndraft: true")
    assert not list(lost_entries(blog.config, blog.archive()))
    (blog.root / "posts/2026-03-04-tea.md").rename(blog.root / "posts/2026-03-04-cup.md")
    (lost,) = lost_entries(blog.config, blog.archive())
    assert str(lost) == (
        "old-feed.tsv:3: no post at posts/2026-03-04-tea.md (if it was renamed, write its new path here; if it was "
        "deleted, delete this line)"
    )
    assert lost in check_project(blog.config, NOW, None).problems
    text = (blog.root / ENTRIES_FILE).read_text()
    blog.file(ENTRIES_FILE, text.replace("04-tea", "04-cup"))
    assert not list(lost_entries(blog.config, blog.archive()))
    blog.file(ENTRIES_FILE, f"{'x' * 5_000}.md\tid\na\0.md\tid\n")
    assert [each.line for each in lost_entries(blog.config, blog.archive())] == [1, 2]
