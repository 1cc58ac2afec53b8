"""The state of each item of a source, as shown to people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.config import Config, ItemFilter, NewsletterConfig, Site, SourceConfig
from publisher.core.hold_reasons import approval, turned_new
from publisher.core.newsletter_models import EditionPost
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.sources.item_post import item_name
from publisher.publishing.fetch_sources import take_document
from publisher.publishing.item_states import item_states
from publisher.publishing.operations import cancel, skip
from publisher.publishing.wiring import Project
from publisher.store import Store, open_store
from tests.support.store_samples import NOW, add_people, draft, later

SOURCE = SourceConfig(name="blog", url="https://blog.example.org/feed")
WEEKLY = NewsletterConfig(name="weekly", sources=("blog",), first=1)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "posts").mkdir()
    site = Site(title="Notes", url="https://notes.example")
    config = Config(site=site, root=tmp_path, sources=(SOURCE,), newsletters=(WEEKLY,))
    with open_store(config.database.url, tmp_path) as store:
        yield Project(config, store, lambda: NOW)


def item(name: str, days: float = 1, **values: object) -> FeedItem:
    link = f"https://blog.example.org/{name}/"
    made = FeedItem(link, link, f"On {name}", f"<p>Words of {name}</p>", published=later(days=-days))
    return replace(made, **values)  # type: ignore[arg-type]


def take(project: Project, now: datetime, *items: FeedItem) -> None:
    document = FeedDocument("rss", "A blog", "https://blog.example.org/", items)
    take_document(project, project.config.sources[0], document, now)


def states(project: Project, now: datetime = NOW, **config: object) -> dict[str, str]:
    """Return the state of each item by name, with the reason."""
    config_now = replace(project.config, **config)  # type: ignore[arg-type]
    found = item_states(Project(config_now, project.store, lambda: now), "blog")
    return {each.title.removeprefix("On "): f"{each.state}: {each.why}" for each in found}


def sent(store: Store, *names: str) -> None:
    posts = tuple(EditionPost(f"https://blog.example.org/{name}/", name, "https://x.example/") for name in names)
    store.editions.create(draft("2026-W47", posts=posts, passed_over=("https://blog.example.org/a/",)))


def test_an_item_is_seen_waits_settles_and_is_sent(project: Project) -> None:
    take(project, NOW, item("b", 2), item("a", 3))
    assert states(project) == {
        "b": "waiting: for the next edition of weekly",
        "a": "seen: it was in the feed before weekly began to use this source",
    }
    assert set(states(project, newsletters=()).values()) == {"seen: no newsletter takes this source"}
    sent(project.store, "b")
    take(project, later(hours=1), item("c", 0), item("b", 2), item("a", 3))
    at = later(hours=1, minutes=1)
    assert states(project, at) == {
        "c": "resting: until 2026-11-21 10:10, unless it changes again",
        "b": "in edition: 1 of weekly, 2026-W47",
        "a": "seen: it was in the feed before weekly began to use this source",
    }
    assert states(project, later(hours=2))["c"] == "waiting: for the next edition of weekly"
    daily = replace(WEEKLY, name="daily", first=9)
    assert states(project, later(hours=2), newsletters=(WEEKLY, daily)) == {
        "c": "waiting: for the next edition of weekly; for the next edition of daily",
        "b": "in edition: 1 of weekly, 2026-W47",
        "a": "waiting: for the next edition of daily",
    }


def test_an_item_that_is_left_out_has_a_reason(project: Project) -> None:
    take(project, NOW, item("old", 9))
    sent(project.store, "old")
    names = ("e", "d", "c", "future", "none")
    first = [item(name, -1 if name == "future" else 0, categories=("AI",) * (name != "none")) for name in names]
    take(project, later(hours=1), *first, item("old", 9))
    take(project, later(hours=2), *(each for each in first if each.title != "On d"), item("old", 9))
    number = next(each.number for each in project.store.sources.items("blog") if each.item.title == "On c")
    assert project.store.sources.skip(number, later(hours=2))
    weekly = replace(WEEKLY, tags=("ai",))
    without = replace(SOURCE, exclude=ItemFilter(title_words=("on e",)))
    assert states(project, later(hours=3), newsletters=(weekly,), sources=(without,)) == {
        "e": "seen: `include` or `exclude` of the source leaves it out",
        "d": "gone: it vanished from the feed by 2026-11-21 11:00",
        "c": "skipped: by a person, on 2026-11-21 11:00",
        "future": "waiting: for its date, 2026-11-22 09:00",
        "none": "seen: it has none of the tags of weekly",
        "old": "in edition: 1 of weekly, 2026-W47",
    }
    assert item_states(project, "unknown") == ()


def test_an_item_of_a_skipped_or_cancelled_edition_says_so(project: Project) -> None:
    add_people(project.store, 1)
    take(project, NOW, item("a", 3))
    take(project, later(hours=1), item("y", 3), item("x", 3))
    posts = [EditionPost(f"https://blog.example.org/{name}/", name, "https://x.example/") for name in "axy"]
    cancelled = project.store.editions.create(draft("2026-W47", posts=(posts[0],), hold=turned_new(["blog"])))
    skipped = project.store.editions.create(draft("2026-W48", number=2, posts=posts[1:], hold=turned_new(["blog"])))
    assert cancelled and skipped
    assert states(project, later(hours=2))["a"] == "in edition: 1 of weekly, 2026-W47, which is on hold"
    cancel(project.store, cancelled, why="old news")
    assert skip(project.store, skipped)
    project.store.editions.create(draft("2026-W49", number=3, posts=(EditionPost("own", "Own", ""),)))
    assert states(project, later(hours=2)) == {
        "a": "skipped: by a person, with edition 1 of weekly, 2026-W47",
        "x": "skipped: by a person, with edition 2 of weekly, 2026-W48",  # they had all suddenly appeared as new
        "y": "skipped: by a person, with edition 2 of weekly, 2026-W48",
    }


def test_an_item_of_a_skipped_edition_moves_on_unless_its_whole_feed_was_new(project: Project) -> None:
    add_people(project.store, 1)
    take(project, NOW, *(item(name, 3) for name in "abc"))
    take(project, later(hours=1), item("x", 0), *(item(name, 3) for name in "abc"))
    post = EditionPost("https://blog.example.org/x/", "x", "https://x.example/")
    first = project.store.editions.create(draft("2026-W47", posts=(post,), hold=approval(None, NOW.tzinfo or UTC)))
    assert first and skip(project.store, first)
    assert states(project, later(hours=2))["x"] == "waiting: for the next edition of weekly"
    project.store.editions.create(draft("2026-W48", number=2, posts=(post,)))
    assert states(project, later(hours=2))["x"] == "in edition: 2 of weekly, 2026-W48"


def test_items_that_appear_at_the_old_end_of_a_feed_count_as_seen(project: Project) -> None:
    many = replace(WEEKLY, first=9)
    take(project, NOW, item("b", 2), item("a", 3))
    sent(project.store, "b")
    take(project, later(hours=1), item("c", 0), item("b", 2), item("x", 4), item("y", published=None))
    found = states(project, later(hours=3), newsletters=(many,))
    why = "seen: it is older than what the feed had before"
    assert (found["c"], found["x"], found["y"]) == ("waiting: for the next edition of weekly", why, why)
    daily = replace(WEEKLY, name="daily", first=9)
    assert states(project, later(hours=3), newsletters=(daily,))["x"] == "waiting: for the next edition of daily"


def test_an_item_without_a_title_has_the_same_name_everywhere(project: Project) -> None:
    note = "<p>A note without any title. It has two sentences, and it is longer than a title.</p>"
    untitled = [item("n", title="", html=note), item("s", title="", summary="A summary"), item("l", title="", html="")]
    take(project, NOW, item("a", 3))
    take(project, later(hours=1), *untitled, item("a", 3))
    found = list(states(project, later(hours=2)))
    assert len(found[0]) <= 60
    assert note.startswith(f"<p>{found[0].removesuffix('…')}")
    assert found == [found[0], "A summary", "https://blog.example.org/l/", "a"]
    take(project, later(hours=2), item("a", 3))
    assert list(states(project, later(hours=2))) == found
    names = [item_name(each, project.store.sources.html) for each in project.store.sources.items("blog")]
    assert sorted(names) == sorted([*found[:3], "On a"])


def test_a_feed_with_only_new_items_waits_for_a_person(project: Project) -> None:
    take(project, NOW, item("b"), item("a"))
    sent(project.store, "b")
    take(project, later(hours=1), item("y"), item("x"))
    assert states(project, later(hours=2))["y"] == (
        "waiting: for a person, because more than half of the feed suddenly appeared as new"
    )
    (first, *_) = item_states(Project(project.config, project.store, lambda: later(hours=2)), "blog")
    assert first.may_be_skipped
    assert first.as_json(project.config.zone)["state"] == "waiting"
