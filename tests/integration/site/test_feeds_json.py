"""Every JSON Feed follows a strict interpretation of JSON Feed 1.1, whatever its posts contain."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support import DATA
from tests.support.corpora import RUBY, needs_ruby, needs_seeds, seed
from tests.support.project import CONFIG, ROOT, Project

SCHEMA = json.loads((DATA / "jsonfeed_schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def wrong(public: Path) -> list[str]:
    """Return the errors in the JSON feeds below a folder; there must be feeds."""
    paths = [path for path in sorted(public.rglob("feed*.json")) if path.is_file()]
    assert paths
    return [
        f"{path.relative_to(public)} {error.json_path}: {error.message[:200]}"
        for path in paths
        for error in VALIDATOR.iter_errors(json.loads(path.read_bytes()))
    ]


def built(project: Project, more: str = "") -> Path:
    """Return a project's output, with a hub, an image, and an archive if there are many posts."""
    (project.root / "publisher.toml").write_text(
        CONFIG.replace('name = "Ada"', 'name = "Ada", url = "https://ada.example/?a=b"').replace(
            "[mail]", 'image = "https://letters.example/i.png"\n\n[mail]'
        )
        + f'\n[feeds]\nhub = "https://hub.example/"\nlimit = 5\n{more}'
    )
    project.ok("build", now="2026-11-21T12:00")
    return project.root / "public"


def test_feeds_of_the_sample_posts_are_valid(empty: Project) -> None:
    shutil.copytree(ROOT / "posts", empty.root / "posts")
    assert wrong(built(empty)) == []
    assert wrong(built(empty, 'content = "summary"\n')) == []


@needs_seeds
def test_feeds_of_the_seed_documents_are_valid(empty: Project) -> None:
    for number, name in (("000", "2024-01-08-ai-trends"), ("003", "2024-07-06-Generative-AI-Trends")):
        empty.write(f"posts/{name}.md", seed(number))
    assert wrong(built(empty)) == []


@needs_ruby
def test_feeds_of_hundreds_of_posts_in_six_languages_are_valid(empty: Project) -> None:
    shutil.copytree(RUBY, empty.root / "posts")
    assert wrong(built(empty, "per_tag = false\nper_author = false\n")) == []


def test_feeds_of_episodes_images_and_editions_are_valid(project: Project) -> None:
    project.write("static/12.mp3", b"12")
    project.post(
        "episode", "2026-11-16", audio="[{url: /12.mp3, duration: '1:00'}, https://a.example/b.pdf]", image="/a.png"
    )
    project.ok("publish", now="2026-11-16T09:00")
    assert wrong(project.root / "public") == []


def test_feeds_of_a_site_without_posts_are_valid(empty: Project) -> None:
    (empty.root / "posts").mkdir()
    assert wrong(built(empty)) == []


ITEM = {
    "id": "tag:a.example,2026:1",
    "url": "https://a.example/1/",
    "title": "A",
    "summary": "B",
    "content_html": "<p>B</p>",
    "date_published": "2026-11-21T12:00:00Z",
    "date_modified": "2026-11-21T12:00:00Z",
}
SOUND = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "A",
    "home_page_url": "https://a.example/",
    "feed_url": "https://a.example/feed.json",
    "items": [ITEM],
}


def test_the_schema_accepts_valid_feeds() -> None:
    assert list(VALIDATOR.iter_errors(SOUND)) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "https://jsonfeed.org/version/1"}, {"title": ""}, {"items": None}, {"feed_url": "feed.json"},
        {"next_url": "/feed-1.json"}, {"unknown": 1}, {"authors": []}, {"authors": [{}]}, {"author": {"name": "A"}},
        {"hubs": [{"type": "WebSub"}]}, {"items": [ITEM, ITEM]},
    ],
)  # fmt: skip
def test_the_schema_rejects_an_invalid_feed(changed: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(SOUND | changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 1}, {"id": ""}, {"url": "/a/"}, {"date_published": "yesterday"}, {"date_published": "2026-11-21"},
        {"attachments": [{"url": "https://a.example/a.mp3"}]}, {"image": "i.png"}, {"tags": [1]}, {"author": "Ada"},
        {"content_html": None}, {"external": True},
    ],
)  # fmt: skip
def test_the_schema_rejects_an_invalid_item(changed: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(SOUND | {"items": [ITEM | changed]}))
