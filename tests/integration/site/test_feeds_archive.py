"""Archive documents: divided by weight, each post once, never too large, and unchanged once they are full."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from publisher.config import Config, Feeds, Person, Site
from publisher.core.models import Author, Enclosure, Episode, Image
from publisher.site.feeds.documents import frame_weight, pages_of
from publisher.site.feeds.feed_files import plan_feeds
from publisher.site.feeds.feed_list import Feed
from publisher.site.feeds.items import Item, item_weight
from tests.support.formats import parse_xml, read
from tests.support.posts_samples import Folder
from tests.support.project import Project
from tests.unit.site.test_hostile_text import WICKED

MOMENT = datetime(2026, 11, 20, tzinfo=UTC)
URL = "https://archive.example"
MOST = 10_000
KIND = {"feed.xml": "rss", "atom.xml": "atom", "feed.json": "json"}
sizes = st.lists(st.one_of(st.integers(0, 400), st.integers(0, 9_000)), max_size=25)


@dataclass
class Items:
    """A source that finds existing entries by their ids."""

    items_by_id: dict[str, Item]

    def digest(self, key: str) -> str:
        return repr(self.items_by_id[key])

    def weights(self, keys: list[str]) -> list[int]:
        return [item_weight(self.items_by_id[key]) for key in keys]

    def items(self, keys: list[str]) -> list[Item]:
        return [self.items_by_id[key] for key in keys]


def item(number: int, size: int, **more: object) -> Item:
    when = MOMENT + timedelta(hours=number)
    html = ("<p>One & two.</p>\n" * (size // 18 + 1))[:size]
    facts = {"title": "T", "summary": "S", "html": html, "language": "en", "updated": when} | more
    return Item(id=f"tag:a.example,2026:{number}", url=f"{URL}/{number}/", published=when, **facts)  # type: ignore[arg-type]


def written(items: list[Item], limit: int, most: int = MOST, **site: object) -> dict[str, bytes]:
    """Return every feed file of these entries, which are given oldest first."""
    config = Config(
        site=Site(title="A", url=URL, **site),  # type: ignore[arg-type]
        feeds=Feeds(limit=limit, max_bytes=most),
    )
    newest_first = {each.id: each for each in reversed(items)}
    feed = Feed("", "tag:a", "A", "D", URL, "en", list(newest_first), Items(newest_first), "site", "A")  # type: ignore[arg-type]
    outputs = plan_feeds(config, [feed])
    return {output.path: output.make() for output in outputs if output.path != "feeds.opml"}


def chain(files: dict[str, bytes], name: str) -> list[str]:
    """Return the archive documents of one format, newest first."""
    stem, _, ending = name.partition(".")
    found = [path for path in files if re.fullmatch(rf"{stem}-\d+\.{ending}", path)]
    return sorted(found, key=lambda path: -int(re.findall(r"\d+", path)[0]))


def ids(files: dict[str, bytes], path: str) -> list[str]:
    kind = KIND[re.sub(r"-\d+", "", path)]
    return [entry.id for entry in read(kind, files[path])]


@settings(deadline=None, max_examples=60)
@given(sizes=sizes, limit=st.integers(1, 8))
@pytest.mark.parametrize("name", KIND)
def test_feed_and_archive_have_every_post_once(name: str, sizes: list[int], limit: int) -> None:
    items = [item(number, size) for number, size in enumerate(sizes)]
    files = written(items, limit)
    newest_first = [each.id for each in reversed(items)]
    current = ids(files, name)
    assert current == newest_first[: len(current)]
    archived = [found for path in chain(files, name) for found in ids(files, path)]
    assert archived == (newest_first if archived else [])
    assert archived or current == newest_first  # nothing is dropped for lack of an archive


@settings(deadline=None, max_examples=60)
@given(sizes=sizes, limit=st.integers(1, 8))
@example(sizes=[9_000, 9_000, 20_000, 10], limit=3)
def test_no_document_is_too_large(sizes: list[int], limit: int) -> None:
    files = written([item(number, size) for number, size in enumerate(sizes)], limit)
    for path, data in files.items():
        assert len(data) <= MOST, path
        assert len(ids(files, path)) <= limit


LARGE, SMALL = 40_000, 300


@pytest.mark.parametrize(
    "newest_first",
    [[LARGE, *[SMALL] * 5], [*[SMALL] * 2, LARGE, *[SMALL] * 3], [*[SMALL] * 5, LARGE],
     [LARGE, SMALL, LARGE, SMALL, LARGE], [LARGE], [LARGE] * 4, [9_000, *[SMALL] * 5]],
)  # fmt: skip
def test_a_large_entry_displaces_no_other(newest_first: list[int]) -> None:
    files = written([item(number, size) for number, size in enumerate(reversed(newest_first))], 6, 14_000)
    for name, kind in KIND.items():
        entries = read(kind, files[name])
        assert len(files[name]) <= 14_000
        assert [bool(entry.html) for entry in entries] == [size == SMALL for size in newest_first]
        assert all(entry.url and entry.summary == "S" for entry in entries)


def test_the_newest_of_equally_large_entries_keep_their_text() -> None:
    files = written([item(number, 6_000) for number in range(8)], 6, 30_000)
    for name, kind in KIND.items():
        full = [bool(entry.html) for entry in read(kind, files[name])]
        assert (len(full), full) == (6, sorted(full, reverse=True))
        assert sum(full) >= 1


@settings(deadline=None, max_examples=60)
@given(sizes=sizes, more=sizes, limit=st.integers(1, 8))
def test_a_full_archive_document_never_changes(sizes: list[int], more: list[int], limit: int) -> None:
    items = [item(number, size) for number, size in enumerate([*sizes, *more])]
    before, after = written(items[: len(sizes)], limit), written(items, limit)
    for name in KIND:
        for path in chain(before, name)[1:]:
            assert after[path] == before[path]


@given(weights=st.lists(st.integers(0, 30), max_size=40), limit=st.integers(1, 5), most=st.integers(-5, 40))
def test_archive_pages_cover_the_list_and_are_full(weights: list[int], limit: int, most: int) -> None:
    pages = pages_of(weights, limit, most)
    assert [index for start, end in reversed(pages) for index in range(start, end)] == list(range(len(weights)))
    for start, end in pages:
        assert end - start <= limit
        assert end - start == 1 or sum(weights[start:end]) <= most
    for start, end in pages[:-1]:
        assert end - start == limit or sum(weights[start - 1 : end]) > most


wicked = st.lists(
    st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.sampled_from(WICKED)), max_size=12
).map("".join)
rows = st.one_of(wicked, st.sampled_from(['"' * 3000, "&" * 3000, "<" * 3000, "]]>" * 2000, "\n" * 3000, "日" * 3000]))


@settings(deadline=None, max_examples=2 * settings.default.max_examples, suppress_health_check=[HealthCheck.too_slow])
@example(title="", summary="", html="", name="", tags=[""] * 200, site="", markdown="")
@example(title="", summary="日" * 3000, html="", name="", tags=[], site="", markdown="")
@given(title=rows, summary=rows, html=rows, name=rows, tags=st.lists(wicked, max_size=30), site=rows, markdown=rows)
def test_no_document_is_larger_than_its_weights(
    title: str, summary: str, html: str, name: str, tags: list[str], site: str, markdown: str
) -> None:
    from publisher.site.feeds.feed_text import xml_text

    each = item(
        1,
        0,
        title=xml_text(title) or "T",
        summary=xml_text(summary) or "S",
        html=xml_text(html),
        authors=tuple(Author(xml_text(name), "a@a.example", f"{URL}/?a&b") for _ in range(3)),
        tags=tuple(map(xml_text, tags)),
        image=Image(f"{URL}/{'a' * 500}.png?a&b", xml_text(title)),
        enclosures=tuple(Enclosure(f"{URL}/{number}.mp3", "audio/mpeg", 10**12, 10**5) for number in range(3)),
        episode=Episode(
            10**5, 10**5, "trailer", xml_text(title), True, ((f"{URL}/?a&b", "text/vtt"),) * 3, f"{URL}/?a&b"
        ),
        updated=MOMENT + timedelta(days=1),
        markdown=xml_text(markdown),
    )
    person = Person(name=name or "Ada", email="ada@archive.example", url=f"{URL}/ada/")
    more = {"author": person, "image": f"{URL}/i.png", "description": site}
    files = written([each], 5, 10**9, **more)
    config = Config(site=Site(title="A", url=URL, **more))  # type: ignore[arg-type]
    most = frame_weight(config, "A", "D", f"{URL}/feed-1000000.xml") + item_weight(each)
    assert max(map(len, files.values())) <= most


def test_documents_link_to_the_next_older_one() -> None:
    history = "{http://purl.org/syndication/history/1.0}archive"
    assert sorted(written([item(0, 30_000)], 2)) == sorted(KIND)
    assert sorted(written([item(0, 100), item(1, 100)], 2)) == sorted(KIND)
    files = written([item(number, 100) for number in range(5)], 2)
    assert chain(files, "feed.json") == ["feed-3.json", "feed-2.json", "feed-1.json"]
    assert [json.loads(files[path]).get("next_url", "") for path in ("feed.json", *chain(files, "feed.json"))] == [
        f"{URL}/feed-3.json",
        f"{URL}/feed-2.json",
        f"{URL}/feed-1.json",
        "",
    ]
    assert all(parse_xml(files[path]).find(f"channel/{history}") is not None for path in chain(files, "feed.xml"))


def feeds_in(project: Project) -> dict[str, bytes]:
    top = project.root / "public"
    return {path.name: path.read_bytes() for path in top.iterdir() if re.match(r"(?:feed|atom)\b", path.name)}


def long_posts(project: Project, numbers: range) -> None:
    for number in numbers:
        day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        body = "A <sentence> & a [link](/there/). " * (20 + 150 * (number % 7 == 0))
        project.post(f"long-{number}", f"{day:%Y-%m-%d}", body)


def test_the_archive_of_a_site_keeps_to_max_bytes(empty: Project) -> None:
    empty.configure("\n[feeds]\nlimit = 6\nmax_bytes = 14000\n", newsletters="")
    long_posts(empty, range(20))
    empty.ok("build")
    before = feeds_in(empty)
    long_posts(empty, range(20, 31))
    empty.ok("build")
    after = feeds_in(empty)
    for name in KIND:
        old, new = chain(before, name), chain(after, name)
        assert len(new) > len(old) > 4
        assert {path: after[path] for path in old[1:]} == {path: before[path] for path in old[1:]}
        assert len({found for path in new for found in ids(after, path)}) == 31
        assert sum(len(ids(after, path)) for path in new) == 31
    assert [path for path, data in after.items() if len(data) > 14_000 and len(ids(after, path)) > 1] == []


def test_feeds_with_summaries_keep_to_max_bytes(empty: Project) -> None:
    empty.configure('\n[feeds]\ncontent = "summary"\nlimit = 20\nmax_bytes = 40000\n', newsletters="")
    for number in range(24):
        empty.post(f"post-{number}", f"2026-01-{number + 1:02}", "Text.", excerpt="日本語の要約です。" * 60)
    empty.ok("build")
    files = feeds_in(empty)
    assert len(chain(files, "feed.json")) >= 2
    assert {path: len(data) for path, data in files.items() if len(data) > 40_000} == {}
    assert sum(len(ids(files, path)) for path in chain(files, "feed.json")) == 24


@pytest.mark.parametrize("archives", ["true", "false"])
def test_a_warning_names_each_post_that_is_too_large_for_a_feed(empty: Project, archives: str) -> None:
    empty.configure(f"\n[feeds]\nlimit = 10\nmax_bytes = 60000\narchives = {archives}\n", newsletters="")
    for number in range(12):
        empty.post(f"short-{number}", f"2026-01-{number + 1:02}", "Short.", tags="[all]")
    empty.post("picture", "2026-01-08", f"Words.\n\n![A](data:image/png;base64,{'iVBO' * 20_000})", tags="[all]")
    empty.post("long", "2026-01-20", "A long sentence. " * 5_000, tags="[all]")
    for command in ("build", "build", "check"):
        said = empty.run(command, "--json").json
        problems = said["problems"] if command == "build" else said
        found = [p for p in problems if "feeds show its excerpt" in p["message"]]
        assert [p.get("where") or p["path"] for p in found] == ["posts/long.md", "posts/picture.md"]
        assert {p["severity"] for p in found} == {"warning"}
    for folder in ("", "tags/all/", "authors/ada/"):
        for name, kind in KIND.items():
            if (path := empty.root / f"public/{folder}{name}").is_file():
                assert path.stat().st_size < 20_000
                entries = read(kind, path.read_bytes())
                assert [bool(entry.html) for entry in entries] == [False, *[True] * 4, False, *[True] * 4]
    empty.post("long", "2026-01-20", "Shorter.")
    empty.post("picture", "2026-01-08", "Words.")
    assert empty.ok("build", "--json").json["problems"] == []


def test_a_new_post_needs_no_other_post_rendered_for_the_archive(
    empty: Project,
) -> None:
    empty.configure("\n[feeds]\nlimit = 3\n[pages]\nenabled = false\n", newsletters="")
    long_posts(empty, range(20))
    empty.ok("build")
    long_posts(empty, range(20, 21))
    for path in Path(empty.root, "posts").glob("long-?.md"):  # the ten oldest
        status = path.stat()
        path.write_bytes(b"\xff" * status.st_size)  # reading the body would report it
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    said = empty.ok("build").said
    assert "UTF-8" not in said
    assert len(ids(feeds_in(empty), "feed.xml")) == 3


def test_a_post_without_its_full_text_in_feeds_is_reported_with_the_setting(tmp_path: Path) -> None:
    words = {"a": 30_000, "b": 8_000, "c": 8_000, "d": 100}
    for limit, most, right in (
        (4, 40_000, {"a.md": "feeds.limit = 4"}),
        (1, 40_000, {}),
        (4, 20_000, {"a.md": "which is too much;", "c.md": "feeds.limit = 4"}),
    ):
        folder = Folder(tmp_path / f"{limit}-{most}", feeds=Feeds(limit=limit, max_bytes=most))
        for name, size in words.items():
            folder.write(f"{name}.md", "word and " * (size // 9), head=f"title: {name}\ndate: 2026-01-02")
        found = {each.path[6:]: each for each in folder.check() if "its full text takes" in each.what}
        assert found.keys() == right.keys()
        assert all(right[name] in each.what for name, each in found.items())
        assert all(("lower feeds.limit" in each.hint) == ("limit" in right[name]) for name, each in found.items())
