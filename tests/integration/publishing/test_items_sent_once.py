"""Whatever feeds do to their items from one document to the next, no item is sent twice, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import NamedTuple

import pytest

from publisher.posts.sources.feed_document import read_feed
from publisher.publishing.fetch_sources import take_document
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import DAY, HOUR, SLOT, Clockwork, configure
from tests.support.project import Project

WEEK = timedelta(weeks=1)
FRIDAY, NEXT = SLOT - 3 * DAY, SLOT + 2 * DAY


class Entry(NamedTuple):
    """An <item>. at: its date; None if it has none."""

    title: str
    link: str = ""
    guid: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        date = f"<pubDate>{format_datetime(self.at)}</pubDate>" if self.at else ""
        guid = f'<guid isPermaLink="false">{escape(self.guid)}</guid>' if self.guid else ""
        link = f"<link>{escape(self.link)}</link>" if self.link else ""
        return f"<item><title>{self.title}</title>{link}{guid}{date}<description>On {self.title}.</description></item>"


def entry(name: str, at: datetime | None = NEXT, **values: str) -> Entry:
    return Entry(f"About {name}", f"https://blog.example.net/{name}/", f"id-{name}", at)._replace(**values)


def moved(entries: list[Entry], before: str, after: str) -> list[Entry]:
    return [each._replace(link=each.link.replace(before, after) + "?utm_source=rss") for each in entries]


FIRST = [entry(name, FRIDAY - age * DAY) for age, name in enumerate("edcba")]
NAMELESS = [each._replace(guid="") for each in FIRST]
LINKS = [each._replace(guid=each.link) for each in FIRST]
HOME = [each._replace(link="https://blog.example.net/") for each in FIRST]

# The first document, the next one, and the new items in the edition after it. A plus: it is on hold.
CASES = {
    "a guid changes": (FIRST, [entry("f"), FIRST[0]._replace(guid="other"), *FIRST[1:]], "f"),
    "all guids change, to those of another tool": (FIRST, [each._replace(guid=f"x{each.guid}") for each in FIRST], ""),
    "http becomes https": (moved(LINKS, "https:", "http:"), [entry("f"), *LINKS], "f"),
    "the host changes": (FIRST, [entry("f"), *moved(FIRST, "blog.example.net", "www.new.example")], "f"),
    "there is no guid": (NAMELESS, [entry("f", guid=""), *moved(NAMELESS, "https", "http")], "f"),
    "there is neither guid nor link": (
        [each._replace(link="") for each in NAMELESS],
        [entry("f", guid="", link=""), *(each._replace(link="") for each in NAMELESS)],
        "f",
    ),
    "all have the same link": (HOME, [entry("f", link=HOME[0].link), entry("g", link=HOME[0].link), *HOME], "f g"),
    "all have the same link and no guid": (
        [each._replace(guid="") for each in HOME],
        [entry("f", link=HOME[0].link, guid=""), *(each._replace(guid="") for each in HOME)],
        "f",
    ),
    "a guid is used again": (FIRST, [entry("f", FRIDAY - 90 * DAY, guid=FIRST[0].guid), *FIRST[1:]], "f"),
    "items have no date": (
        [each._replace(at=None) for each in FIRST],
        [entry("f", None), *(each._replace(at=None) for each in FIRST)],
        "f",
    ),
    "an item is back-dated": (FIRST, [*FIRST, entry("f", FRIDAY - 4000 * DAY)], "f"),
    "an item is in a document twice": (FIRST, [entry("f"), entry("f"), entry("f", guid="again"), *FIRST], "f"),
    "an item is edited": (FIRST, [FIRST[0]._replace(title="About z"), *FIRST[1:]], ""),
    "the order changes": (FIRST, FIRST[::-1], ""),
    "old ones make room": (FIRST, [entry("g"), entry("f"), *FIRST[:3]], "f g"),
    "everything is new": (FIRST, [entry(name, NEXT - age * HOUR) for age, name in enumerate("jihgf")], "f g h i j"),
    "everything is new, with one date": (FIRST, [entry(name) for name in "fghij"], "f g h i j+"),
    "everything is new and older": (FIRST, [entry(name, FRIDAY - 9 * DAY) for name in "fghij"], "f g h i j+"),
    "an item is from the future": (FIRST, [entry("f", SLOT + 10 * DAY), *FIRST], ""),
}
NAMES = {case: f"case{number}" for number, case in enumerate(CASES)}


def settings(name: str) -> str:
    return f"""
[[sources]]
name = "{name}"
url = "https://{name}.example.net/feed.xml"

[[newsletters]]
name = "{name}"
schedule = "weekly monday 08:00"
sources = ["{name}"]
first = 2
"""


class Readers:
    """A newsletter for each case, each with one feed and one subscriber."""

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork
        self._config = clockwork.project.config()

    def fetch(self, case: str, entries: list[Entry], at: datetime) -> None:
        """Fetch a document with these entries."""
        text = f'<rss version="2.0"><channel><title>B</title>{"".join(map(str, entries))}</channel></rss>'
        text = text.replace("blog.example.net", f"blog.{NAMES[case]}.example.net")  # the cases are separate blogs
        project = OpenProject(self._config, self._clockwork.store, lambda: at)
        source = self._config.source(NAMES[case])
        assert source is not None
        take_document(project, source, read_feed(text.encode(), source.url, {}), at)

    def slot(self, week: int) -> dict[str, str]:
        """Let the slot of a week pass; return the item names in each edition, then a + if the edition is on hold."""
        cases = {name: case for case, name in NAMES.items()}
        found = dict.fromkeys(CASES, "")
        for edition in self._clockwork.at(SLOT + week * WEEK + HOUR).created:
            names = sorted(post.title.removeprefix("About ") for post in edition.posts)
            found[cases[edition.newsletter]] += " ".join(names) + "+" * bool(edition.held)
        return found


@pytest.fixture
def readers(project: Project) -> Iterator[Readers]:
    configure(project, "".join(map(settings, NAMES.values())))
    project.ok("subscribers", "add", "ada@example.org", *(f"--newsletter={name}" for name in NAMES.values()))
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(FRIDAY)
        yield Readers(clockwork)


def test_nothing_is_sent_twice_and_nothing_is_lost(readers: Readers) -> None:
    for case, (first, _, _) in CASES.items():
        readers.fetch(case, first, FRIDAY)
    assert set(readers.slot(0).values()) == {"d e"}
    for case, (_, second, _) in CASES.items():
        readers.fetch(case, second, NEXT)
    assert readers.slot(1) == {case: expected for case, (_, _, expected) in CASES.items()}
    for case, (first, second, _) in CASES.items():  # a server with two states shows the old one again
        readers.fetch(case, first, NEXT + WEEK)
        readers.fetch(case, second, NEXT + WEEK + HOUR)
    later = {case: names for case, names in readers.slot(2).items() if names}
    assert later == {"an item is from the future": "f"}
