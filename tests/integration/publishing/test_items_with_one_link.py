"""A post from several sources, or from a source and a file, is sent once, even across editions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from publisher.core.source_models import FeedDocument, FeedItem
from publisher.publishing.fetch_sources import take_document
from publisher.publishing.item_states import item_states
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import DAY, HOUR, SLOT, Clockwork, configure
from tests.support.project import Project

BLOG = "https://blog.example.net"
SOURCES = "".join(
    f'[[sources]]\nname = "{name}"\nurl = "https://{name}.example.net/feed.xml"\n' for name in ("blog", "planet")
)
NEWSLETTERS = """
[[newsletters]]
name = "daily"
schedule = "daily 08:00"
sources = ["blog", "planet", "posts"]

[[newsletters]]
name = "planet-only"
schedule = "daily 08:00"
sources = ["planet"]
"""


OWN_POSTS = """
[[newsletters]]
name = "daily"
schedule = "daily 08:00"
"""


def item(name: str, link: str = "", guid: str = "", title: str = "") -> FeedItem:
    link = link or f"{BLOG}/{name}/"
    return FeedItem(guid or link, link, title or name.capitalize(), f"<p>On {name}.</p>")


class Reader:
    """A project with two sources and a subscriber, whose clock the test moves day by day."""

    def __init__(self, clockwork: Clockwork) -> None:
        self.clockwork, self.project = clockwork, clockwork.project

    def opened(self, at: datetime) -> OpenProject:
        return OpenProject(self.project.config(), self.clockwork.store, lambda: at)

    def fetch(self, name: str, day: int, *items: FeedItem) -> None:
        """Fetch a document, two hours before the slot of a day."""
        at = SLOT + day * DAY - 2 * HOUR
        opened = self.opened(at)
        source = opened.config.source(name)
        assert source is not None
        document = FeedDocument("rss", name.capitalize(), f"https://{name}.example.net/", items)
        take_document(opened, source, document, at)

    def day(self, number: int) -> dict[str, str]:
        """Let the slot of a day pass; return the titles in each newsletter's edition."""
        created = self.clockwork.at(SLOT + number * DAY + HOUR).created
        assert not any(edition.held for edition in created)
        return {each.newsletter: " ".join(sorted(post.title for post in each.posts)) for each in created}

    def states(self, name: str, day: int) -> dict[str, str]:
        found = item_states(self.opened(SLOT + day * DAY + HOUR), name)
        return {each.title: f"{each.state}: {each.why}" for each in found}


@pytest.fixture
def reader(project: Project) -> Iterator[Reader]:
    configure(project, SOURCES + NEWSLETTERS)
    for file in (project.root / "posts").glob("*.md"):
        file.unlink()
    project.ok("subscribers", "add", "ada@example.org", "--newsletter=daily", "--newsletter=planet-only")
    with open_project_store(project.config()) as store:
        reader = Reader(Clockwork(project, store))
        reader.clockwork.at(SLOT - 2 * DAY)
        reader.fetch("blog", -1, item("old"))
        reader.fetch("planet", -1, item("stone", "https://planet.example.net/stone"))
        yield reader


def test_a_post_with_one_link_is_sent_once_over_all_editions(reader: Reader) -> None:
    old, stone = item("old"), item("stone", "https://planet.example.net/stone")
    assert reader.day(0) == {"daily": "Old Stone", "planet-only": "Stone"}
    # Both arrive at the same time, with different guids.
    a, b = item("a"), item("b")
    spelt = [
        item("a", "http://www.blog.example.net/a?utm_source=rss&utm_medium=x", "z1"),
        item("b", f"{BLOG}/b/", "z2", "Planet: B"),
    ]
    reader.fetch("blog", 1, b, a, old)
    reader.fetch("planet", 1, *spelt, stone)
    assert reader.day(1) == {"daily": "A B", "planet-only": "A B"}
    assert reader.states("planet", 1)["Planet: B"].startswith("in edition: 2 of daily, 2026-11-24")
    # The second source has a post only after the newsletter has sent it, and then gives it a different link.
    c = item("c")
    reader.fetch("blog", 2, c, b, a, old)
    assert reader.day(2) == {"daily": "C"}
    reader.fetch("planet", 3, item("c", c.link, "z3"), *spelt, stone)
    reader.fetch("blog", 3, item("d"), c, b, a, old)
    assert reader.day(3) == {"daily": "D", "planet-only": "C"}
    moved = item("c", "https://planet.example.net/go/3", "z3")
    reader.fetch("planet", 4, moved, *spelt, stone)
    assert reader.day(4) == {}
    # An item becomes a file, even after it has vanished from its feed, and after its source is no longer used.
    reader.project.post("c", day="2026-11-20", canonical="http://blog.example.net/c")
    assert reader.day(5) == {}
    reader.fetch("blog", 6, item("d"), a, old)
    reader.project.post("b", day="2026-11-20", canonical=f"{BLOG}/b/", republish="true")
    assert reader.day(6) == {}
    configure(reader.project, OWN_POSTS)
    reader.project.post("d", day="2026-11-20", canonical=f"{BLOG}/d/")
    reader.project.post("e", day="2026-11-20", canonical=f"{BLOG}/e/")
    assert reader.day(7) == {"daily": "E"}


def test_a_file_and_an_item_of_its_page_are_one_post(reader: Reader) -> None:
    stone = item("stone", "https://planet.example.net/stone")
    reader.project.post("own", day="2026-11-20", title="Own")
    reader.project.post("far", day="2026-11-20", title="Far", canonical="https://elsewhere.example/far/")
    site = reader.project.config().site.url.rstrip("/")
    own, far = item("own", f"{site}/2026/11/20/own/"), item("far", "https://www.elsewhere.example/far")
    reader.fetch("planet", 0, own, far, stone)
    assert reader.day(0) == {"daily": "Far Old Own Stone", "planet-only": "Far Own Stone"}
    reader.fetch("planet", 1, item("x", f"{site}/"), item("y", "https://elsewhere.example/"), own, far, stone)
    assert reader.day(1) == {"daily": "X Y", "planet-only": "X Y"}
    # A file that waits for its date is not lost if an edition is made without the item.
    reader.project.post("late", day="2026-11-26", title="Late", canonical="https://elsewhere.example/late/")
    late, x = item("late", "http://elsewhere.example/late"), item("z", "https://planet.example.net/z")
    reader.fetch("planet", 2, x, late, own, far, stone)
    assert reader.day(2) == {"daily": "Z", "planet-only": "Z"}
    assert reader.day(3) == {"daily": "Late", "planet-only": "Late"}


def test_a_link_shared_by_many_items_or_to_a_home_page_identifies_nothing(reader: Reader) -> None:
    stone = item("stone", "https://planet.example.net/stone")
    assert reader.day(0)
    today = f"{BLOG}/today"
    reader.fetch("blog", 1, item("a", today, "1"), item("b", today, "2"), item("h", f"{BLOG}/", "3"), item("old"))
    reader.fetch("planet", 1, item("c", today, "z1"), item("i", BLOG, "z2"), stone)
    assert reader.day(1) == {"daily": "A B C H I", "planet-only": "C I"}
