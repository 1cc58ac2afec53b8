"""Which pages are planned, and when a page is rebuilt."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from publisher.config.server import Web
from publisher.core.i18n import direction
from publisher.core.models import Author, Tag
from publisher.core.templates import Templates
from publisher.site.pages.frame import FeedLink, output_path
from tests.support import ROOT
from tests.support.pages_samples import (
    AUDIO,
    BASE,
    CONFIG,
    COVER,
    EDITIONS,
    FEEDS,
    POSTS,
    PYTHON,
    CountingRenderer,
    make_edition,
    make_post,
    moment,
    plan,
    with_post,
)

CODE, TABLE, HOSTILE = (f"{post.permalink[1:]}index.html" for post in POSTS[:3])
TALK, MORE = (f"{POSTS[index].permalink[1:]}index.html" for index in (5, 7))


def changed_paths(**changed: Any) -> set[str]:
    before, after = plan(), plan(**changed)
    return {path for path in before.keys() | after.keys() if key(before, path) != key(after, path)}


def key(planned: dict[str, Any], path: str) -> str:
    return planned[path].key if path in planned else ""


def site(**changed: Any) -> dict[str, Any]:
    return {"config": replace(CONFIG, site=replace(CONFIG.site, **changed))}


def test_planning_renders_no_post() -> None:
    renderer = CountingRenderer()
    plan(render=renderer)
    assert renderer.rendered == []


def test_planning_imports_neither_jinja2_nor_pygments_nor_lxml() -> None:
    script = (
        "import sys; from tests.support.pages_samples import plan; plan();"
        "print(sorted({'jinja2', 'pygments', 'lxml', 'babel'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_planning_twice_gives_the_same_keys() -> None:
    assert {p: o.key for p, o in plan().items()} == {p: o.key for p, o in plan().items()}


def test_the_small_site_has_exactly_these_pages() -> None:
    expected = {
        "index.html", "page/2/index.html", "page/3/index.html", "archive/index.html",
        "404.html", "sitemap.xml", "favicon.svg",
        "tags/index.html", "tags/python/index.html", "tags/python/page/2/index.html",
        "tags/r-and-d-x/index.html", "tags/日本語/index.html",
        "editions/index.html", "editions/weekly/index.html",
        "editions/weekly/2024-W46/index.html", "editions/weekly/2024-W47/index.html",
        "old/plain.html", "2024/07/23/静か/index.html", "subscribe/index.html",
            "feeds/index.html", "editions/weekly/latest/index.html",
    }  # fmt: skip
    planned = set(plan())
    assert expected <= planned
    rest = planned - expected
    assert {path for path in rest if not path.startswith("assets/")} == {
        output_path(post.permalink) for post in POSTS
    } - expected


@pytest.mark.parametrize(
    ("index", "changed", "pages"),
    [
        pytest.param(0, {"digest": "new"}, {CODE, "index.html"}, id="the body of a post on the first page"),
        pytest.param(7, {"digest": "new"}, {"own"}, id="the body of an old post"),
        pytest.param(0, {"url": f"{BASE}/else/"}, {CODE, "sitemap.xml"}, id="the canonical address"),
        pytest.param(0, {"updated": moment(0)}, {CODE, "sitemap.xml"}, id="the day of the last change"),
        pytest.param(0, {"authors": (Author("Grace"),)}, {CODE}, id="an author"),
        pytest.param(5, {"enclosures": (replace(AUDIO, duration=1),)}, {"own"}, id="an enclosure"),
        pytest.param(1, {"image": replace(COVER, caption="New")}, {TABLE}, id="a caption"),
        pytest.param(
            1,
            {"image": replace(COVER, url=f"{BASE}/new.jpg")},
            {TABLE, "index.html", "tags/python/index.html"},
            id="an image, which lists show",
        ),
        pytest.param(
            1,
            {"title": "Renamed"},
            {CODE, TABLE, HOSTILE, TALK, MORE, "index.html", "tags/python/index.html", "archive/index.html"},
            id="a title, which neighbours and lists show",
        ),
        pytest.param(1, {"source": "elsewhere.md", "id": "x", "in_feeds": False}, set(), id="unseen"),
    ],
)
def test_only_pages_that_show_a_change_are_rebuilt(index: int, changed: dict[str, Any], pages: set[str]) -> None:
    own = output_path(POSTS[index].permalink)
    assert changed_paths(posts=with_post(index, **changed)) == {own if page == "own" else page for page in pages}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(site(title="Renamed"), id="the site's title"),
        pytest.param(site(language="de"), id="the site's language"),
        pytest.param(site(description="Else"), id="the site's description"),
        pytest.param(site(image="cover.png"), id="the site's image"),
        pytest.param({"feeds": FEEDS[:2]}, id="the site's feeds"),
        pytest.param({"editions": ()}, id="the menu loses the editions"),
    ],
)
def test_a_change_in_the_frame_rebuilds_every_page(changed: dict[str, Any]) -> None:
    stylesheet = {path for path in plan() if path.startswith("assets/")}
    assert changed_paths(**changed) == set(plan()) - stylesheet


def test_unrelated_settings_rebuild_no_page() -> None:
    other = replace(CONFIG, mail=replace(CONFIG.mail, sender="ada@letters.example"))
    assert changed_paths(config=replace(other, feeds=replace(CONFIG.feeds, limit=5))) == set()


def test_a_new_edition_rebuilds_only_lists_of_editions() -> None:
    assert changed_paths(editions=(*EDITIONS, make_edition(3))) == {
        "editions/index.html",
        "editions/weekly/index.html",
        "editions/weekly/2024-W48/index.html",
        "editions/weekly/latest/index.html",
        "sitemap.xml",
    }


def test_with_a_form_a_new_edition_also_rebuilds_its_page() -> None:
    served = {"config": replace(CONFIG, web=Web(public_url=BASE))}
    before, after = plan(**served), plan(**served, editions=(*EDITIONS, make_edition(3)))
    changed = {path for path, output in after.items() if path not in before or before[path].key != output.key}
    assert (len(changed), "subscribe/index.html" in changed) == (6, True)
    first = plan(**served, editions=())
    assert b"latest/" not in first["index.html"].make()
    assert b'href="./editions/weekly/latest/"' in after["index.html"].make()


def test_a_tag_feed_rebuilds_only_pages_of_its_tag() -> None:
    def feeds(tag: Tag) -> list[FeedLink]:
        from tests.support.pages_samples import tag_feeds

        return [] if tag == PYTHON else tag_feeds(tag)

    assert changed_paths(tag_feeds=feeds) == {"tags/python/index.html", "tags/python/page/2/index.html"}


def test_a_project_template_rebuilds_every_page(tmp_path: Path) -> None:
    own = tmp_path / "pages" / "post.html"
    own.parent.mkdir()
    own.write_text('{% extends "shipped/pages/post.html" %}{% block follow %}<p>Mine</p>{% endblock %}')
    changed = changed_paths(templates=Templates(tmp_path))
    assert {CODE, "index.html"} <= changed
    made = plan(templates=Templates(tmp_path))[CODE].make().decode()
    assert "<p>Mine</p>" in made
    assert "Code and notes" in made
    assert 'class="follow"' not in made


def test_a_new_stylesheet_has_a_new_name(tmp_path: Path) -> None:
    own = tmp_path / "pages" / "site.css"
    own.parent.mkdir()
    own.write_text("body { color: red }")
    (old,) = (path for path in plan() if path.startswith("assets/"))
    (new,) = (path for path in plan(templates=Templates(tmp_path)) if path.startswith("assets/"))
    assert old != new


@pytest.mark.parametrize(
    "permalink",
    ["/../../etc/passwd", "/a/../../b/", "//x//", "/./", "/..\\..\\b/", "/a/..", "/", "", "../x.html"],
)
def test_no_permalink_leads_out_of_the_output_folder(permalink: str) -> None:
    planned = plan(posts=[make_post(0, "x", "X", permalink=permalink)], editions=())
    assert output_path(permalink) in planned
    for path in planned:
        pure = PurePosixPath(path)
        assert not pure.is_absolute()
        assert ".." not in pure.parts
        assert "\\" not in path


def test_a_post_replaces_a_page_at_its_permalink() -> None:
    mine = make_post(0, "mine", "My own archive", permalink="/archive/")
    made = plan(posts=(mine, *POSTS))["archive/index.html"].make().decode()
    assert "<h1>My own archive</h1>" in made


def test_an_empty_site_has_an_index() -> None:
    planned = plan(posts=(), editions=())
    assert set(planned) > {"index.html", "archive/index.html", "404.html", "sitemap.xml"}
    assert not any(path.startswith(("tags/", "editions/")) for path in planned)
    assert "Nothing has been published here yet." in planned["index.html"].make().decode()


def test_only_the_first_page_of_the_index_renders_its_posts() -> None:
    renderer = CountingRenderer()
    planned = plan(render=renderer)
    for path, output in planned.items():
        if path.startswith(("page/", "tags/", "archive/", "editions/", "sitemap")):
            output.make()
    assert renderer.rendered == []
    planned["index.html"].make()
    assert renderer.rendered == [post.source for post in POSTS[:3]]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "ltr"),
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("az-Arab", "rtl"),
        ("ar-Latn", "ltr"),
        ("ja", "ltr"),
        ("", "ltr"),
    ],
)
def test_a_script_decides_the_direction_before_the_language(language: str, expected: str) -> None:
    assert direction(language) == expected
