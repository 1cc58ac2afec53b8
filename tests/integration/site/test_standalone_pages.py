"""Standalone pages, and the menu that leads to them."""

from __future__ import annotations

import pytest
from lxml import html

from tests.support.picture_samples import picture
from tests.support.project import Project

ABOUT = "---\ntitle: About us\nlanguage: de\n---\nWir schreiben **langsam**.\n\n![Ich](me.png)\n"


def menu(project: Project, path: str = "index.html", where: str = "nav") -> list[tuple[str, str]]:
    page = html.document_fromstring(project.read(f"public/{path}"))
    return [(link.text_content(), link.get("href")) for link in page.xpath(f"//{where}//ul[1]//a")]


def test_a_page_is_on_the_site_and_in_the_menu_but_in_no_list(project: Project) -> None:
    project.write("pages/about.md", ABOUT)
    project.write("pages/me.png", picture("png", 900, 300))
    project.write("pages/team/ada.md", "# Ada\n\nHello.\n")
    project.write("pages/plan.md", "---\ndraft: true\n---\nSecret.\n")
    project.ok("build")
    made = project.read("public/about/index.html")
    assert '<html lang="de"' in made
    assert "<strong>langsam</strong>" in made
    assert 'width="900" height="300"' in made
    assert 'aria-current="page" lang="de">About us</a>' in made
    assert (project.root / "public/about/me.png.360.png").is_file()
    assert "<h1>Ada</h1>" in project.read("public/team/ada/index.html")
    assert not (project.root / "public/plan").exists()
    assert [entry for entry in menu(project) if "about" in entry[1]] == [("About us", "./about/")]
    assert "/about/</loc>" in project.read("public/sitemap.xml")
    for path in ("feed.xml", "archive/index.html"):
        assert "langsam" not in project.read(f"public/{path}")
    assert "nothing changed" in project.ok("build").out

    project.write("pages/about.md", ABOUT.replace("langsam", "bedächtig"))
    project.ok("build")
    assert "bedächtig" in project.read("public/about/index.html")
    assert (project.root / "public/about/me.png").is_file()
    (project.root / "pages/about.md").unlink()
    project.ok("build")
    assert not (project.root / "public/about").exists()


def test_a_broken_page_is_reported_and_the_others_stay(project: Project) -> None:
    project.write("pages/good.md", "# Good\n\nWords.\n")
    project.write("pages/bad.md", "---\ntitle: [\n---\nx\n")
    project.write("pages/twin.md", "---\ntitle: Twin\npermalink: /mine/\n---\nx\n")
    project.write("posts/2026-01-01-mine.md", "---\ntitle: Mine\npermalink: /mine/\n---\nThe post.\n")
    project.write("publisher.toml", project.read("publisher.toml") + '\n[pages]\nmenu = ["archive", "god"]\n')
    said = project.run("build")
    text = said.out + said.err
    assert "pages/bad.md" in text
    assert "pages/twin.md: its URL /mine/ belongs to a post" in text
    assert "The post." in project.read("public/mine/index.html")
    assert "Words." in project.read("public/good/index.html")
    (line,) = [line for line in project.run("check").said.splitlines() if "'god'" in line]
    number = project.read("publisher.toml").splitlines().index('menu = ["archive", "god"]') + 1
    assert line.startswith(f"warning: publisher.toml:{number}: pages.menu: there is no page 'god', so the menu leaves")


def test_a_chosen_menu_has_its_order_and_titles_and_the_rest_is_at_the_bottom(project: Project) -> None:
    for name in ("about", "imprint", "privacy"):
        project.write(f"pages/{name}.md", f"---\ntitle: {name.title()}\n---\nx\n")
    chosen = ["Me = about", "archive", "Code = https://code.example/ada", "Shop = /shop/", "tags"]
    project.write("publisher.toml", project.read("publisher.toml") + f"\n[pages]\nmenu = {chosen}\n")
    project.ok("build")
    assert menu(project) == [
        ("Me", "./about/"),
        ("Archive", "./archive/"),
        ("Code", "https://code.example/ada"),
        ("Shop", "./shop/"),
        *[("Tags", "./tags/")] * (project.root / "public/tags").exists(),
    ]
    assert menu(project, where="footer") == [("Imprint", "./imprint/"), ("Privacy", "./privacy/")]


def test_a_folder_with_another_use_has_no_pages(project: Project) -> None:
    settings = project.read("publisher.toml")
    project.write("publisher.toml", f'{settings}\n[pages]\noutput = "pages"\n')
    project.ok("build")
    assert "nothing changed" in project.ok("build").out
    assert not (project.root / "pages" / "404").exists()


@pytest.mark.parametrize("entry", ["", " ", "= about", "Code = javascript:alert(1)", "a b", "x = http://u:p@h/"])
def test_an_invalid_entry_is_a_mistake(project: Project, entry: str) -> None:
    settings = project.read("publisher.toml")
    project.write("publisher.toml", f'{settings}\n[pages]\nmenu = ["{entry}"]\n')
    said = project.run("build")
    assert said.code == 1
    assert "pages.menu" in said.err


def test_posts_and_pages_link_to_each_other_by_their_files(project: Project) -> None:
    project.write("pages/about.md", "# About\n\n[The first](../posts/deep/one.md#a) [us](team/ada.md)\n")
    project.write("pages/team/ada.md", "# Ada\n\n[About](../about.md) [One](../../posts/deep/one.md) [No](../no.md)\n")
    body = "## A\n\n[About](../../pages/about.md#b) [Ada](/pages/team/ada.md) [Later](../../pages/later.md)"
    project.post("deep/one", body=body)
    project.ok("build")
    said = project.run("check").said
    one, about = (project.read(f"public/{path}/index.html") for path in ("deep/2026/11/10/one", "about"))
    assert ('href="../../../../../about/#b"' in one, 'href="../../../../../team/ada/"' in one) == (True, True)
    assert ('href="../deep/2026/11/10/one/#a"' in about, 'href="../team/ada/"' in about) == (True, True)
    ada = project.read("public/team/ada/index.html")
    assert ('href="../../about/"' in ada, 'href="../../deep/2026/11/10/one/"' in ada) == (True, True)
    assert "posts/deep/one.md:8: broken link: ../../pages/later.md is not a page (write the path of" in said
    assert "pages/team/ada.md:3: broken link: ../no.md is not a page" in said
    assert "https://letters.example/about/#b" in project.read("public/feed.xml")

    # Pages that move or appear later change the pages that link to them, and nothing else is written.
    project.write("pages/later.md", "# Later\n\nWords.\n")
    project.write("pages/about.md", "---\ntitle: About\npermalink: /who/\n---\n[The first](../posts/deep/one.md)\n")
    project.ok("build")
    said = project.run("check").said
    one = project.read("public/deep/2026/11/10/one/index.html")
    assert ('href="../../../../../who/#b"' in one, 'href="../../../../../later/"' in one) == (True, True)
    assert "later.md" not in said
    project.post("deep/one", body="Words.", permalink="/first/")
    project.ok("build")
    assert 'href="../first/"' in project.read("public/who/index.html")
    assert "nothing changed" in project.ok("build").out


def test_a_draft_or_future_page_is_not_linked_before_its_time(project: Project) -> None:
    project.write("pages/soon.md", "---\ntitle: Soon\ndate: 2026-11-20\n---\nWords.\n")
    project.write("pages/never.md", "---\ntitle: Never\ndraft: true\n---\nWords.\n")
    project.post("one", body="[Soon](../pages/soon.md) [Never](../pages/never.md)")
    said = project.run("check").said
    assert ("pages/soon.md is not a page" in said, "pages/never.md is not a page" in said) == (True, True)
    project.ok("build", now="2026-11-21T09:00")
    said = project.run("check", now="2026-11-21T09:00").said
    assert ("pages/soon.md is not a page" in said, "pages/never.md is not a page" in said) == (False, True)
    assert 'href="../../../../soon/"' in project.read("public/2026/11/10/one/index.html")
