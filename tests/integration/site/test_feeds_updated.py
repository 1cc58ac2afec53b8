"""A post with an `updated` date in the future shows it from that time on, and not earlier."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import feedparser

from tests.support.project import Project


def updated(project: Project) -> tuple[str, str, str]:
    """Return when the feed and its newest entry were changed, in Atom and in JSON, to the second."""
    feed = feedparser.parse((project.root / "public/atom.xml").read_bytes())
    item = json.loads(project.read("public/feed.json"))["items"][0]
    return feed.feed.updated[:19], feed.entries[0].updated[:19], item["date_modified"][:19]


def test_a_future_update_takes_effect_at_its_time(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("later", "2026-11-10", updated="2026-11-20 12:00")
    empty.post("settled", "2026-11-09")
    empty.ok("build", now="2026-11-16T10:00")
    assert updated(empty) == ("2026-11-10T08:00:00",) * 3
    assert empty.ok("build", "--json", now="2026-11-20T11:59").json["written"] == 0
    assert empty.ok("build", "--json", now="2026-11-20T12:00").json["written"] > 0
    assert updated(empty) == ("2026-11-20T11:00:00",) * 3
    assert empty.ok("build", "--json", now="2026-11-20T12:01").json["written"] == 0


def test_rss_says_when_an_entry_was_changed(empty: Project) -> None:
    empty.configure("\n[feeds]\nlimit = 2\n", newsletters="")
    empty.post("settled", "2026-11-10", tags="[a]")
    empty.post("changed", "2026-11-09", updated="2026-11-12 18:30", tags="[a]")
    empty.post("older", "2026-11-08", updated="2026-11-07", tags="[a]")
    empty.ok("build")
    names = [name for name in empty.files() if name.endswith(".xml") and "feed" in name]
    assert {"feed.xml", "feed-1.xml", "tags/a/feed.xml", "tags/a/feed-1.xml"} <= set(names)
    told = {
        (item.findtext("title"), item.findtext("{http://www.w3.org/2005/Atom}updated"))
        for name in names
        for item in ElementTree.fromstring(empty.read(f"public/{name}")).iter("item")
    }
    assert told == {("Settled", None), ("Changed", "2026-11-12T17:30:00Z"), ("Older", None)}
    entry = feedparser.parse(empty.read("public/feed.xml")).entries[1]
    assert (entry.updated[:16], entry.published[:16]) == ("2026-11-12T17:30", "Mon, 09 Nov 2026")


def test_an_update_before_publication_is_ignored(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("odd", "2026-11-10", updated="2026-11-01 12:00")
    empty.ok("build")
    assert updated(empty) == ("2026-11-10T08:00:00",) * 3


def test_a_scheduled_post_may_have_a_later_update(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("first", "2026-11-01")
    empty.post("waiting", "2026-11-18", updated="2026-11-20 12:00")
    empty.ok("build")
    assert updated(empty)[0] == "2026-11-01T08:00:00"
    empty.ok("build", now="2026-11-18T10:00")
    assert updated(empty) == ("2026-11-18T08:00:00",) * 3
    empty.ok("build", now="2026-11-21T10:00")
    assert updated(empty) == ("2026-11-20T11:00:00",) * 3


def test_atom_entries_have_distinct_times(empty: Project) -> None:
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


def test_opml_prefers_rss_and_atom_to_json(empty: Project) -> None:
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


def test_a_name_appears_only_once_in_a_feed(empty: Project) -> None:
    """A title is not repeated as subtitle, and an author with the site's name appears only where Atom requires one."""
    empty.post("one", "2026-11-10")
    for settings, subtitle in (("", False), ('description = "Letters by the fire"\n', True)):
        text = f'[site]\ntitle = "Fireside"\nurl = "https://letters.example"\nauthority = "a.example,2024"\n{settings}'
        empty.write("publisher.toml", text)
        empty.ok("build")
        atom, rss = empty.read("public/atom.xml"), empty.read("public/feed.xml")
        feed = json.loads(empty.read("public/feed.json"))
        assert (("<subtitle" in atom), ("description" in feed)) == (subtitle, subtitle)
        assert atom.count("Fireside") == 2  # the title, and the author that Atom requires
        assert (rss.count("Fireside"), json.dumps(feed).count("Fireside")) == (1 if subtitle else 2, 1)
