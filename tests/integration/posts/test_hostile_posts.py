"""Every post of the hostile corpus keeps its promise in the table (tests/support/promises.py)."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from publisher.config import load_config
from publisher.posts.archive import open_archive
from publisher.posts.permalinks import page_file
from publisher.site.build import BuildReport
from publisher.site.feeds.items import entry_id
from tests.support.formats import KINDS, Read, read
from tests.support.hostile_site import CORPUS, NOW, TITLE, build_site, make_site
from tests.support.promises import LEFT_OUT, PROMISES, SITE, Promise

FILES = {path.stem: path.name for path in CORPUS.iterdir()}
README = (CORPUS.parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> BuildReport:
    return build_site(make_site(tmp_path_factory.mktemp("hostile") / "site"))


@pytest.fixture(scope="module")
def entries(report: BuildReport) -> dict[tuple[str, str], Read]:
    """Every entry by format and by the name of the post's file without its extension."""
    config = load_config(report.folder.parent)
    names = {
        entry_id(post.id, "hostile.example.org,2024"): Path(post.source).stem
        for post in open_archive(config, NOW).posts
    }
    return {
        (kind, names[entry.id]): entry
        for kind, file in KINDS.items()
        for entry in read(kind, (report.folder / file).read_bytes())
    }


def test_there_are_at_least_45_traps() -> None:
    assert len(FILES) >= 45


def test_the_table_lists_exactly_the_posts() -> None:
    assert set(re.findall(r"^\| ([\w-]+) \|", README, re.MULTILINE)) - {"post"} == set(FILES)


def test_every_promise_is_about_a_post() -> None:
    assert set(PROMISES) | set(LEFT_OUT) <= set(FILES)
    assert set(PROMISES) & set(LEFT_OUT) == set()


@pytest.mark.parametrize("name", sorted(set(FILES) - set(LEFT_OUT)))
@pytest.mark.parametrize("kind", KINDS)
def test_the_post_keeps_its_promise(name: str, kind: str, entries: dict[tuple[str, str], Read]) -> None:
    promise = PROMISES.get(name, Promise())
    entry = entries[kind, name]
    assert entry.title == (promise.title or name.replace("-", " ").capitalize())
    assert [text for text in promise.holds if text not in entry.html] == []
    assert [text for text in promise.lacks if text in entry.html] == []
    assert entry.summary.startswith(promise.begins)
    assert entry.id.endswith(promise.id)
    assert entry.url.removeprefix(SITE).endswith(promise.url)
    assert entry.language == promise.language
    for field in ("authors", "tags", "image"):
        assert getattr(promise, field) in (None, getattr(entry, field)), field
    if promise.enclosures is not None:
        assert entry.enclosures == (promise.enclosures[:1] if kind == "rss" else promise.enclosures)


@pytest.mark.parametrize("name", sorted(name for name, promise in PROMISES.items() if promise.published))
@pytest.mark.parametrize("kind", KINDS)
def test_the_date_is_that_of_the_writer(name: str, kind: str, entries: dict[tuple[str, str], Read]) -> None:
    promise, entry = PROMISES[name], entries[kind, name]
    written = (
        parsedate_to_datetime(entry.published).astimezone(UTC) if kind == "rss" else _moment(entry.published)
    ).replace(microsecond=0)
    assert written == _moment(promise.published)
    if promise.updated and kind != "rss":
        assert _moment(entry.updated).replace(microsecond=0) == _moment(f"{promise.updated}Z")


@pytest.mark.parametrize(("name", "reason"), sorted(LEFT_OUT.items()))
def test_a_hostile_post_is_skipped_with_a_reason(
    name: str, reason: str, report: BuildReport, entries: dict[tuple[str, str], Read]
) -> None:
    assert {kind for kind, found in entries if found == name} == set()
    said = [problem.message for problem in report.errors if problem.path == f"posts/{FILES[name]}"]
    assert [reason in message for message in said] == ([True] if reason else [])


def test_posts_with_the_same_date_differ_in_their_atom_updated(entries: dict[tuple[str, str], Read]) -> None:
    assert entries["atom", "same-moment-one"].updated != entries["atom", "same-moment-two"].updated
    moments = [entry.updated for (kind, _), entry in entries.items() if kind == "atom"]
    assert len(moments) == len(set(moments))


def test_every_entry_leads_to_a_page_that_shows_it(report: BuildReport, entries: dict[tuple[str, str], Read]) -> None:
    for (_, name), entry in entries.items():
        page = report.folder / page_file(unquote(urlsplit(entry.url).path).removeprefix("/blog"))
        assert page.is_file(), name
        assert f'href="{entry.url}"'.replace("&", "&amp;").replace("'", "&#39;") in page.read_text(), name


def test_no_post_writes_outside_the_output_folder(report: BuildReport) -> None:
    site = report.folder.parent
    assert {path.name for path in site.iterdir()} == {
        *("posts", "public", "publisher.toml", ".publisher"),
        *("b.png", "one.webp"),  # files that posts show by a path that leads out of their folder
    }
    assert {path.name for path in site.parent.iterdir()} == {site.name}


def test_every_tag_has_a_feed_with_its_posts(report: BuildReport, entries: dict[tuple[str, str], Read]) -> None:
    said = {tag for (kind, _), entry in entries.items() if kind == "rss" for tag in entry.tags}
    feeds = [path for path in report.folder.glob("tags/*/feed.xml") if path.is_file()]
    held = {tag for path in feeds for entry in read("rss", path.read_bytes()) for tag in entry.tags}
    assert held == said


def test_different_tags_have_different_feeds(report: BuildReport) -> None:
    titles = [json.loads(path.read_bytes())["title"] for path in report.folder.glob("tags/*/feed.json")]
    assert len(titles) == len(set(titles))
    assert {f"{TITLE}: {tag}" for tag in PROMISES["tags-of-every-script"].tags or ()} - set(titles) <= {f"{TITLE}: R&D"}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
