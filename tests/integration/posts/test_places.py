"""A permalink that belongs to a page of the site is a warning with the post's line; no post gets the URL of a feed."""

from __future__ import annotations

import json

import pytest

from tests.support.project import Project


def links(project: Project) -> list[str]:
    return [item["url"] for item in json.loads(project.read("public/feed.json"))["items"]]


@pytest.mark.parametrize(
    "permalink",
    ["/", "/index.html", "/subscribe/", "/subscribe/index.html", "/archive/", "/tags/", "/tags/ruby/",
     "/page/2/", "/Subscribe/", "/archive"],
)  # fmt: skip
def test_a_post_may_replace_a_page_of_the_site_with_a_warning(empty: Project, permalink: str) -> None:
    empty.configure(newsletters="")
    empty.post("mine", permalink=permalink)
    reported = [p for p in empty.run("build", "--json").json["problems"] if p["where"].startswith("posts/")]
    assert [(p["where"], p["severity"]) for p in reported] == [("posts/mine.md:4", "warning")]
    assert "belongs to one of the site's own pages, which the post replaces" in reported[0]["message"]
    assert len([p for p in empty.run("check", "--json").json if "own pages" in p["message"]]) == 1
    assert len(links(empty)) == 1


@pytest.mark.parametrize("permalink", ["/subscribe-now/", "/2026/archive/", "/tagged/ruby/", "/about.html"])
def test_a_path_similar_to_a_site_page_is_not_a_problem(empty: Project, permalink: str) -> None:
    empty.configure(newsletters="")
    empty.post("mine", permalink=permalink)
    assert empty.ok("build", "--json").json["problems"] == []


@pytest.mark.parametrize(
    "permalink",
    ["/feed-1.xml/", "/feed.xml", "/Feed.xml/", "/feed.xml/below/", "/atom-12.xml/", "/feed-3.json/", "/feeds.opml/a/",
     "/tags/ruby/feed.xml/", "/sitemap.xml/"],
)  # fmt: skip
def test_a_permalink_of_a_feed_is_ignored(empty: Project, permalink: str) -> None:
    empty.configure("\n[feeds]\nlimit = 1\n", newsletters="")
    empty.post("mine", permalink=permalink, tags="[ruby]")
    empty.post("older", "2026-11-09")
    reported = empty.ok("build", "--json").json["problems"]
    assert [(p["where"], p["severity"]) for p in reported] == [("posts/mine.md:4", "warning")]
    assert "is already used by a feed, and is ignored" in reported[0]["message"]
    assert links(empty) == ["https://letters.example/2026/11/10/mine/"]
    assert (empty.root / "public/2026/11/10/mine/index.html").is_file()
    assert (empty.root / "public/feed-1.xml").is_file()


def test_a_url_without_a_final_slash_is_the_same_everywhere(empty: Project) -> None:
    empty.configure('\n[posts]\npermalink = "/posts/{slug}"\n', newsletters="")
    empty.write("posts/a.png", b"PNG")
    empty.post("mine", body="![A](a.png) [the other](other.md)", tags="[t]")
    empty.post("other", permalink="/about-me", body="[back](/posts/mine)")
    assert empty.ok("build", "--json").json["problems"] == []
    assert sorted(links(empty)) == ["https://letters.example/about-me", "https://letters.example/posts/mine"]
    for name in ("feed.xml", "atom.xml", "sitemap.xml"):
        text = empty.read(f"public/{name}")
        assert "https://letters.example/posts/mine<" in text or 'https://letters.example/posts/mine"' in text
        assert "mine/" not in text
    assert {"posts/mine.html", "about-me.html", "posts/a.png"} <= empty.files()
    page = empty.read("public/posts/mine.html")
    assert 'src="../posts/a.png"' in page
    assert 'href="../about-me"' in page
    assert '<link rel="canonical" href="https://letters.example/posts/mine">' in page
    assert 'href="./posts/mine"' in empty.read("public/index.html")
    assert "no page of this site" not in empty.run("check").said


def test_two_posts_never_share_a_file(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("one", permalink="/p")
    for permalink in ("/p.html", "/p/"):
        empty.post("two", permalink=permalink)
        assert "has the same permalink as posts/one.md" in empty.fails("build").err


def test_a_slug_with_the_url_of_a_feed_is_an_error(empty: Project) -> None:
    empty.configure('\n[posts]\npermalink = "/{slug}/"\n', newsletters="")
    empty.post("mine", slug="feed-1.xml")
    empty.post("other")
    ran = empty.fails("build")
    assert "posts/mine.md:4: its URL /feed-1.xml/ is already used by a feed (give it a different slug)" in ran.err
    assert links(empty) == ["https://letters.example/other/"]


def test_a_tag_never_gets_the_url_of_a_site_file(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("mine", tags="[index.html, feed.xml]", author="index.html")
    empty.post("other", tags="[other]", author="feed.json")
    assert empty.ok("build", "--json").json["problems"] == []
    assert "other" in empty.read("public/tags/index.html")
    assert {"tags/other/feed.xml", "tags/index.html_a8062830/feed.xml"} <= empty.files()
