"""A build after a change writes the same as a first build would, even if the change is not in a file of a post."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from publisher.config import NewsletterConfig, Posts
from publisher.config.server import Web
from publisher.config.site import AuthorConfig, PagesConfig
from publisher.core.source_records import ItemChanges
from publisher.site.build.builder import build
from publisher.site.web_versions import WebVersions
from tests.support.pages_samples import EDITIONS
from tests.support.picture_samples import picture
from tests.support.posts_samples import NOW, SITE, Folder
from tests.support.source_samples import BLOG, fetched, item, opened

ADA = AuthorConfig(id="ada", name="Ada")
WEEKLY = NewsletterConfig(name="weekly")
WEB_VERSIONS = WebVersions("two editions", lambda: EDITIONS)
ILLUSTRATED = replace(SITE, image="static/img/s.png")

# Differences from the usual configuration, by subject.
SETTINGS: dict[str, dict[str, Any]] = {
    "permalinks": {"posts": Posts(permalink="/{year}/{slug}/")},
    "the time of posts with only a date": {"posts": Posts(time="11:00")},
    "the time zone of posts": {"posts": Posts(timezone="Pacific/Auckland")},
    "repaired text": {"posts": Posts(fix_encoding=False)},
    "the folder of static files": {"pages": PagesConfig(static="assets")},
    "where folders are copied": {"pages": PagesConfig(copy=("media = /pictures",))},
    "the name of an author": {"authors": (replace(ADA, name="Ada Lovelace"),)},
    "the language": {"site": replace(SITE, language="de")},
    "the languages": {"site": replace(SITE, languages=("en", "de"))},
    "the language of a newsletter": {"newsletters": (replace(WEEKLY, language="de"),)},
    "the URL of web versions": {"web": Web(public_url="https://other.example")},
    "the usual author": {"site": replace(SITE, author=replace(SITE.author, name="Bob"))},
}


def folder_of(root: Path, **settings: Any) -> Folder:
    """Return a project with posts on which all of these settings have an effect."""
    folder = Folder(root, **({"authors": (ADA,), "newsletters": (WEEKLY,), "site": ILLUSTRATED} | settings))
    folder.write("2024-07-06-day.md", "A day. [other](other.md) ![s](/img/s.png) ![m](/pictures/m.png)\n", "title: Day")
    folder.write("2024-07-07-other.de.md", "Andere.\n", "title: Andere\nauthor: ada")
    folder.write("2024-07-08-other.md", "OpenAI\u00e2\u20ac\u2122s own\n", "title: Other\nauthor: ada")
    for path in ("static/img/s.png", "media/m.png"):
        folder.file(path, picture())
    folder.file("pages/about.md", "---\ntitle: About\n---\nOpenAI\u00e2\u20ac\u2122s page ![s](/img/s.png)\n")
    return folder


def texts(folder: Folder) -> Mapping[str, bytes]:
    """Return the written files by path."""
    return {path: data for path, data in folder.public().items() if not path.startswith(".")}


@pytest.mark.parametrize("has_pages", [True, False], ids=["with pages", "feeds only"])
@pytest.mark.parametrize("changed", SETTINGS.values(), ids=SETTINGS)
def test_a_changed_setting_reaches_every_file(tmp_path: Path, changed: dict[str, Any], has_pages: bool) -> None:
    first = {"pages": PagesConfig(enabled=has_pages)}
    settings = first | changed
    if not has_pages:
        settings["pages"] = replace(settings["pages"], enabled=False)
    one = folder_of(tmp_path / "one", **first)
    build(one.config, NOW, editions=WEB_VERSIONS)
    one.config = folder_of(tmp_path / "one", **settings).config
    other = folder_of(tmp_path / "other", **settings)
    for folder in (one, other):
        build(folder.config, NOW, editions=WEB_VERSIONS, accept_new_ids=True)
    assert texts(one) == texts(other)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("pages/about.de.md", "title: Über uns", b'hreflang="de" href="https://site.example/de/about/"'),
        ("pages/about.md", "title: About\ncanonical: https://other.example/about/", b"https://other.example/about/"),
        ("pages/about.md", "title: About\ndescription: All of us", b"All of us"),
    ],
    ids=["a translation", "another URL", "a description"],
)
def test_a_standalone_page_shows_what_changes_besides_its_text(
    tmp_path: Path, path: str, text: str, expected: bytes
) -> None:
    folder = folder_of(tmp_path, site=replace(SITE, languages=("en", "de")))
    folder.build()
    assert expected not in folder.public()["about/index.html"]
    before = folder.root / "pages/about.md"
    body = before.read_text().rpartition("---\n")[2]
    folder.file(path, f"---\n{text}\n---\n{body}")
    folder.build()
    assert expected in folder.public()["about/index.html"]
    assert folder.build().written == 0


@pytest.mark.parametrize("has_pages", [True, False], ids=["with pages", "feeds only"])
@pytest.mark.parametrize("head", ["image: /img/new.png", "image: img/new.png", "author: bob"])
def test_a_picture_in_front_matter_may_be_added_after_the_post(tmp_path: Path, head: str, has_pages: bool) -> None:
    bob = AuthorConfig(id="bob", name="Bob", image="img/new.png")
    settings = {"pages": PagesConfig(enabled=has_pages), "authors": (ADA, bob)}
    one, other = (folder_of(tmp_path / name, **settings) for name in ("one", "other"))
    for folder in (one, other):
        post = folder.write("2024-07-09-pictured.md", "A post.", f"title: Pictured\n{head}")
        os.utime(post, (1_720_000_000, 1_720_000_000))
        if folder is one:
            build(folder.config, NOW)
        folder.file("static/img/new.png", picture(width=900))
        build(folder.config, NOW)
    assert texts(one) == texts(other)


@pytest.mark.parametrize("changed", [{"title": "A New Title"}, {"language": "ar"}], ids=["title", "language"])
def test_the_title_and_language_of_a_source_reach_every_file(tmp_path: Path, changed: dict[str, str]) -> None:
    one, other = (Folder(tmp_path / name, sources=(replace(BLOG, republish=True),)) for name in ("one", "other"))
    for folder in (one, other):
        fetched(folder.config, item(1), item(2, title="", html=""))
        if folder is one:
            build(folder.config, NOW)
        with opened(folder.config) as store:
            state = store.sources.state("blog")
            assert state is not None
            assert store.sources.apply(replace(state, **changed), ItemChanges(), NOW)
        build(folder.config, NOW)
    assert texts(one) == texts(other)
    assert build(one.config, NOW).written == 0


def test_an_image_that_is_replaced_while_its_page_is_made_is_read_again(tmp_path: Path) -> None:
    folder, heights = folder_of(tmp_path), [48]
    build(folder.config, NOW)

    def replaced_at(moment: int) -> Callable[[int, int], None]:
        def progress(made: int, total: int) -> None:
            """Replace the image before one of the files is made."""
            if made == moment:
                heights.append(heights[-1] + 1)
                folder.file("static/img/s.png", picture(height=heights[-1]))

        return progress

    for moment in range(8):
        folder.write("2024-07-06-day.md", f"Edited {moment}. ![s](/img/s.png)\n", "title: Day")
        build(folder.config, NOW, progress=replaced_at(moment))
        build(folder.config, NOW)
        assert f'height="{heights[-1]}"'.encode() in folder.public()["2024/07/06/day/index.html"], moment
    assert len(heights) > 5


def test_a_post_whose_file_has_a_future_time_follows_its_text_and_templates(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(tool="hugo"))
    post = folder.write("2024-07-06-day.md", "{{< box >}}one{{< /box >}}", "title: Day")
    ahead = time.time() + 3_600
    for change, expected in (
        (lambda: None, b"<p>one</p>"),
        (lambda: folder.file("templates/shortcodes/box.html", "<b>{{ inner }}</b>"), b"<p><b>one</b></p>"),
        (lambda: post.write_bytes(post.read_bytes().replace(b"one", b"two")), b"<p><b>two</b></p>"),
    ):
        change()
        os.utime(post, (ahead, ahead))
        folder.build()
        assert expected in folder.public()["2024/07/06/day/index.html"]
