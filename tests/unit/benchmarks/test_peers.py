"""Each generator gets the same posts with front matter in its own format, and its pages and feeds are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import peer_projects
from benchmarks.compare.program import MissingError
from benchmarks.corpus import TAGS, make_post
from benchmarks.measure import Usage
from benchmarks.peer_projects import KINDS, Peer, parts, peers
from benchmarks.peers import Built, compare, count, section


def peer(name: str) -> Peer:
    """Return the generator with this name."""
    return next(peer for peer in peers("publisher") if peer.name == name)


def test_a_post_is_taken_apart_without_loss() -> None:
    post = make_post(7)
    part = parts(post)
    tags = ", ".join(part.tags)
    head = f'---\ntitle: "{part.title}"\ndate: {part.date}\ntags: [{tags}]\nauthor: "{part.author}"\n---\n\n'
    assert head + part.body == post.text
    assert part.slug == "post-00007"
    assert set(part.tags) <= set(TAGS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [peer.name for peer in peers("publisher")])
def test_every_project_has_all_posts(name: str, kind: str, tmp_path: Path) -> None:
    peer(name).write(tmp_path, kind, 3, tmp_path / "tools")
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*post-0000*.md")]
    assert len(texts) == 3
    for number in range(3):
        body = parts(make_post(number)).body
        assert sum(text.endswith(body) for text in texts) == 1


def test_pages_and_feeds_are_counted_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    (tmp_path / "feed.xml").write_text('<?xml version="1.0"?><rss version="2.0"/>', encoding="utf-8")
    (tmp_path / "feed.json").write_text('{"version": "https://jsonfeed.org/version/1.1"}', encoding="utf-8")
    (tmp_path / "sitemap.xml").write_text("<urlset/>", encoding="utf-8")
    assert count(tmp_path) == (1, 2)


def test_a_missing_program_is_listed_with_the_way_to_install_it(tmp_path: Path) -> None:
    def install(tools: Path) -> str:
        raise MissingError("it is not on the path")

    absent = Peer("Absent", install, "Run `apt install absent`.", peer_projects._ours, lambda *_: [], "public")
    found, missing = compare([absent], [10], tmp_path / "tools", lambda line: None)
    assert found == []
    assert "- Absent is missing: it is not on the path. Run `apt install absent`." in section(found, missing)


def test_the_fastest_program_is_first_and_failed_ones_are_last() -> None:
    rows = [
        Built("Slow 1", "site", 1_000, Usage(9.0, 9.0, 90.0), 5, 2),
        Built("Broken 1", "site", 1_000, None, fault="no such option"),
        Built("Quick 1", "site", 1_000, Usage(1.0, 1.0, 10.0), 5, 2),
        Built("Slow 1", "feeds", 1_000, Usage(2.0, 2.0, 20.0), 0, 2),
    ]
    lines = [line for line in section(rows, {}).splitlines() if line.startswith("| ")][2:]
    assert [line.split(" | ")[0] for line in lines] == ["| Slow 1", "| Quick 1", "| Slow 1", "| Broken 1"]
    assert lines[-1].endswith("it fails: no such option |")
