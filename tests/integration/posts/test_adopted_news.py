"""The news posts of a site in six languages, adopted as part of the Jekyll site to which they belong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from publisher.cli.main import run
from publisher.config import load_config
from publisher.posts.archive import Archive, open_archive
from publisher.posts.markup import Renderer
from tests.support.corpora import RUBY, needs_ruby
from tests.support.posts_samples import NOW

CONFIG = "title: News\nurl: https://www.ruby-lang.org\npermalink: pretty\ntimezone: UTC\n"
SOURCE = re.compile(r"(\w+)/news/_posts/(\d{4})-(\d\d)-(\d\d)-(.+)\.md")
FILES = ("gz", "zip", "bz2", "xz")


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """The site's folders, its configuration, and data for every release that its posts mention."""
    versions: set[str] = set()
    for path in RUBY.glob("*/*.md"):
        text = path.read_bytes()
        versions |= set(re.findall(r'where: "version", "([^"]+)"', text.decode()))
        copy = tmp_path / path.parent.name / "news/_posts" / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(text)
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "_data").mkdir()
    (tmp_path / "_data/releases.json").write_text(json.dumps([release(each) for each in sorted(versions)]))
    return tmp_path


def release(version: str) -> dict[str, object]:
    tables = {key: {file: f"{key}-{file}-{version}" for file in FILES} for key in ("size", "sha1", "sha256", "sha512")}
    stats = {"files_changed": 1, "insertions": 2, "deletions": 3}
    url = {file: f"https://cache.ruby-lang.org/ruby-{version}.{file}" for file in FILES}
    return {"version": version, "tag": f"v{version}", "stats": stats, "url": url, **tables}


@needs_ruby
def test_urls_equal_those_of_jekyll_and_no_liquid_with_data_is_left(news: Path) -> None:
    assert run(["adopt", str(news)]) == 0
    config = load_config(news)
    archive = open_archive(config, NOW, keep=False)
    assert len(archive.posts) == 713
    for source in archive.ids():
        found = SOURCE.fullmatch(source)
        assert found
        language, year, month, day, name = found.groups()
        assert archive.permalink(source) == f"/{language}/news/{year}/{month}/{day}/{name}/"
    left = [tag for source in archive.ids() for tag in liquid_left(archive, source)]
    # Some posts link to posts of other years and languages, which are not among the 713.
    assert [tag for tag in left if "link " not in tag] == []


def liquid_left(archive: Archive, source: str) -> list[str]:
    """Return the Liquid tags that readers of a post would see."""
    text = archive.read(source).decode()
    if "{{" not in text and "{%" not in text:
        return []
    (post,) = archive.load([source])
    html = Renderer(archive, load_config(archive.settings.root)).render(post).html
    assert "cache.ruby-lang.org/ruby-" in html or "release.url" not in text, source
    return re.findall(r"\{[{%][^}]*\}", html)
