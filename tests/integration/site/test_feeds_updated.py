"""A post that says when it will be updated: nothing of that is told before its time, and all of it then."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import feedparser

from tests.support.project import Project


def updated(project: Project) -> tuple[str, str, str]:
    """The dates of change of the feed, of its newest entry, and in JSON, each to the second."""
    feed = feedparser.parse((project.root / "public/atom.xml").read_bytes())
    item = json.loads(project.read("public/feed.json"))["items"][0]
    return feed.feed.updated[:19], feed.entries[0].updated[:19], item["date_modified"][:19]


def test_an_update_to_come_counts_from_its_time_on(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("later", "2026-11-10", updated="2026-11-20 12:00")
    empty.post("settled", "2026-11-09")
    empty.ok("build", now="2026-11-16T10:00")
    assert updated(empty) == ("2026-11-10T08:00:00",) * 3
    assert empty.ok("build", "--json", now="2026-11-20T11:59").json["written"] == 0
    assert empty.ok("build", "--json", now="2026-11-20T12:00").json["written"] > 0
    assert updated(empty) == ("2026-11-20T11:00:00",) * 3
    assert empty.ok("build", "--json", now="2026-11-20T12:01").json["written"] == 0


def test_an_update_before_the_publication_is_none(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("odd", "2026-11-10", updated="2026-11-01 12:00")
    empty.ok("build")
    assert updated(empty) == ("2026-11-10T08:00:00",) * 3


def test_a_waiting_post_with_a_later_update_appears_unchanged_and_changes_then(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("first", "2026-11-01")
    empty.post("waiting", "2026-11-18", updated="2026-11-20 12:00")
    empty.ok("build")
    assert updated(empty)[0] == "2026-11-01T08:00:00"
    empty.ok("build", now="2026-11-18T10:00")
    assert updated(empty) == ("2026-11-18T08:00:00",) * 3
    empty.ok("build", now="2026-11-21T10:00")
    assert updated(empty) == ("2026-11-20T11:00:00",) * 3


def test_no_entry_of_atom_is_later_than_its_feed_and_no_two_are_of_one_moment(empty: Project) -> None:
    empty.configure("\n[feeds]\nlimit = 5\n", newsletters="")
    for number in range(12):
        empty.post(f"at-one-moment-{number}", tags="[a]")
    empty.ok("build")
    names = [name for name in empty.files() if name.rpartition("/")[2].startswith("atom")]
    assert len(names) == 2 * 4
    for name in names:
        feed = feedparser.parse(empty.read(f"public/{name}"))
        moments = [entry.updated for entry in feed.entries]
        assert len(set(moments)) == len(moments)
        assert feed.feed.updated == max(moments)


def test_a_list_of_feeds_names_rss_or_atom_where_they_are_written_and_json_as_such_where_not(empty: Project) -> None:
    def listed(*formats: str) -> tuple[str, str]:
        empty.configure(f"\n[feeds]\nformats = {list(formats)!r}\n", newsletters="")
        empty.ok("build")
        outline = ElementTree.fromstring(empty.read("public/feeds.opml")).find("body/outline")
        assert outline is not None
        return outline.attrib["type"], outline.attrib["xmlUrl"].rpartition("/")[2]

    empty.post("mine")
    assert listed("json", "rss") == ("rss", "feed.xml")
    assert listed("json", "atom", "rss") == ("rss", "atom.xml")
    assert listed("json") == ("JSONFeed", "feed.json")
