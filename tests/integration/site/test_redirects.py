"""Earlier URLs of posts redirect to their current URLs, by pages or by lists for web servers."""

from __future__ import annotations

import pytest

from tests.support.project import Project


@pytest.fixture
def project(empty: Project) -> Project:
    empty.configure(newsletters="")
    empty.post("one", aliases='[/old one/, "/k/a$b.html", /shared/, /letters.html]', body="[a](/old%20one/) [b](/no/)")
    empty.post("two", "2026-11-09", redirect_from="[/older, /shared/, /2026/11/10/one/]")
    empty.post("three", "2026-11-08", redirect_to="https://other.example/x?a=1&b=2")
    empty.write("pages/about.md", "---\ntitle: About\naliases: [/me/]\n---\nText.\n")
    return empty


def test_earlier_urls_lead_to_the_pages_of_posts(project: Project) -> None:
    project.ok("build")
    page = project.read("public/old one/index.html")
    url = "https://letters.example/2026/11/10/one/"
    assert f'<link rel="canonical" href="{url}">' in page
    assert f'<meta http-equiv="refresh" content="0; url={url}">' in page
    assert '<meta name="robots" content="noindex">' in page
    assert "https://letters.example/2026/11/09/two/" in project.read("public/older.html")
    assert "https://letters.example/about/" in project.read("public/me/index.html")
    assert "url=https://other.example/x?a=1&amp;b=2" in project.read("public/2026/11/08/three/index.html")
    assert project.read("public/_redirects").splitlines() == [
        f"/old%20one/ {url} 301",
        f"/k/a$b.html {url} 301",
        f"/shared/ {url} 301",
        f"/letters.html {url} 301",
        "/older https://letters.example/2026/11/09/two/ 301",
        "/me/ https://letters.example/about/ 301",
    ]
    nginx = project.read("public/redirects.map")
    assert f'"/old one/" "{url}";\n"/old one" "{url}";\n"/k/a$b.html" "{url}";\n' in nginx
    sitemap = project.read("public/sitemap.xml")
    assert "older" not in sitemap
    assert "three" not in sitemap


def test_an_earlier_url_that_is_in_use_is_reported(project: Project) -> None:
    told = [p["message"] for p in project.run("check", "--json").json if "earlier address" in p["message"]]
    assert sorted(told, reverse=True) == [
        "its earlier address /shared/ already leads to posts/one.md, and is left out",
        "its earlier address /2026/11/10/one/ is the address of posts/one.md, and is left out",
    ]
    broken = [p["message"] for p in project.run("check", "--json").json if "broken link" in p["message"]]
    assert broken == ["broken link: no page of this site is at /no/"]


def test_another_tool_makes_its_own_redirects(project: Project) -> None:
    project.configure("\n[pages]\nenabled = false\n", newsletters="")
    project.ok("build")
    assert not {"_redirects", "redirects.map", "older.html"} & project.files()


def test_a_list_by_the_owner_takes_precedence(project: Project) -> None:
    project.write("static/_redirects", "/a /b\n")
    project.ok("build")
    assert project.read("public/_redirects") == "/a /b\n"


def test_a_link_to_an_earlier_url_works_on_a_site_below_a_path(empty: Project) -> None:
    empty.configure(newsletters="")
    settings = empty.read("publisher.toml").replace("https://letters.example", "https://letters.example/notes", 1)
    empty.write("publisher.toml", settings)
    empty.post("one", aliases="[/old/]")
    empty.post("two", "2026-11-09", body="[a](/old/) [b](/elsewhere/)")
    empty.ok("build")
    feed = empty.read("public/feed.json")
    assert "https://letters.example/notes/old/" in feed
    assert "https://letters.example/elsewhere/" in feed
    assert "/notes/old/ https://letters.example/notes/2026/11/10/one/ 301" in empty.read("public/_redirects")
