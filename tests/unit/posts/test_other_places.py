"""A file that is not next to its post is found where other tools look for it, and a missing image is reported."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from publisher.config import PagesConfig
from tests.support.posts_samples import SITE, URL, Folder, said

HEAD = "title: A title\ndate: 2025-01-03"
PAGE = "2025/2025/01/03/x"
FILES = (
    "posts/2025/x/figure.png", "posts/2025/near.png", "posts/vault/a.png", "posts/vault/ü.png", "img/root.png",
    "static/st/s.png", "files/a.pdf", "posts/2025/x/talk.mp3", "posts/.hidden/h.png", ".env/e.png",
)  # fmt: skip
# The reference in a post, its target on the site, and the file of the project.
FOUND = {
    "figure.png": (f"{PAGE}/figure.png", "posts/2025/x/figure.png"),  # Hugo
    "./figure.png": (f"{PAGE}/figure.png", "posts/2025/x/figure.png"),
    "talk.mp3": (f"{PAGE}/talk.mp3", "posts/2025/x/talk.mp3"),
    "vault/a.png": ("vault/a.png", "posts/vault/a.png"),  # Obsidian
    "vault/u%CC%88.png": ("vault/u\u0308.png", "posts/vault/ü.png"),
    "img/root.png": ("img/root.png", "img/root.png"),  # jekyll-seo-tag
    "st/s.png": ("st/s.png", "static/st/s.png"),
    "files/a.pdf": ("files/a.pdf", "files/a.pdf"),
    "near.png": (f"{PAGE}/near.png", "posts/2025/near.png"),  # the nearest file is used
}


def project(root: Path, **pages: bool) -> Folder:
    folder = Folder(root, pages=PagesConfig(**pages))
    for path in FILES:
        folder.file(path, b"")
    return folder


def test_files_are_found_where_other_tools_look(tmp_path: Path) -> None:
    folder = project(tmp_path)
    folder.file("near.png", b"")
    folder.file("posts/2025/x/near.png", b"")
    for written, asset in FOUND.items():
        is_picture = written.endswith(".png")
        bodies = [f"[a]({written})", f'<audio src="{written}"></audio>'] + [f"![a]({written})"] * is_picture
        for body in (*bodies, *[f'<img alt="a" src="{written}" srcset="{written} 2x">'] * is_picture):
            folder.write("2025/x.md", body, head=HEAD)
            result = folder.render("2025/x.md")
            assert (said(result), set(result.assets)) == ([], {asset}), body
            quoted = asset[0].replace("u\u0308", "u%CC%88")
            assert set(re.findall(rf'"({URL}/[^" ]*)', result.html)) == {f"{URL}/{quoted}"}, body


def test_files_in_front_matter_are_found_as_well(tmp_path: Path) -> None:
    folder = project(tmp_path)
    for written, asset in FOUND.items():
        if written.endswith(".png"):
            folder.write("2025/x.md", "x", head=f"{HEAD}\nimage: {written}")
            result = folder.render("2025/x.md")
            assert (said(result), set(result.assets)) == ([], {asset}), written
            assert result.post.image
            assert result.post.image.url.startswith(f"{URL}/{asset[0].partition('u')[0]}")


def test_nothing_hidden_and_nothing_outside_is_found(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    (tmp_path / "out.png").write_bytes(b"")
    for written in (".hidden/h.png", ".env/e.png", "../../../out.png", "x/../../../../out.png", "gone.png"):
        folder.write("2025/x.md", f"![a]({written})", head=f"{HEAD}\nimage: {written}")
        result = folder.render("2025/x.md")
        assert {file for _, file in result.assets} <= {"posts/2025/gone.png"}, written


def test_the_url_of_the_site_leads_to_its_files_in_any_spelling(tmp_path: Path) -> None:
    for site_url in (URL, f"{URL}/notes"):
        folder = Folder(tmp_path, site=replace(SITE, url=site_url))
        spellings = (
            site_url,
            site_url.replace("https:", "http:"),
            site_url.replace("site.example", "SITE.Example"),
            site_url.removeprefix("https:"),
            "{{ site.url }}{{ site.baseurl }}",
            "{{site.baseurl}}",
        )
        for own in spellings:
            for body in (
                f"![a]({own}/img/root.png)",
                f"[a]({own}/img/root.png)",
                f'<img alt="a" srcset="{own}/img/root.png 2x">',
            ):
                folder.file("img/root.png", b"")
                folder.write("2025/x.md", body, head=HEAD)
                result = folder.render("2025/x.md")
                assert (said(result), result.assets) == ([], (("img/root.png", "img/root.png"),)), body
                assert f"{site_url}/img/root.png" in result.html, body
        for other in (
            "https://site.example.net/img/root.png",
            "https://other.example/img/root.png",
            f"{URL}:81/img/root.png",
        ):
            folder.write("2025/x.md", f"![a]({other}) [b]({other})", head=HEAD)
            assert (folder.render("2025/x.md").assets, folder.render("2025/x.md").html.count(other)) == ((), 2), other


def test_an_image_that_the_site_lacks_is_reported(tmp_path: Path) -> None:
    folder = project(tmp_path / "a", enabled=True)
    folder.write("2025/x.md", "x", head=f"{HEAD}\nimage: /gone.png")
    assert said(folder.render("2025/x.md")) == [(4, "the file gone.png doesn't exist")]
    assert folder.render("2025/x.md").post.image is None
    folder.write("2025/x.md", '![a](/nope.png) ![b](/img/root.png)\n\n<img alt="c" src="/no/c.gif">', head=HEAD)
    assert [(problem.line, problem.message) for problem in folder.check()] == [
        (5, "broken link: no file of this site is at /nope.png"),
        (7, "broken link: no file of this site is at /no/c.gif"),
    ]
    beside = project(tmp_path / "b", enabled=False)
    beside.write("2025/x.md", "![a](/nope.png)", head=HEAD)
    assert beside.check() == []


def test_a_post_is_read_again_when_such_a_file_appears(tmp_path: Path) -> None:
    folder = project(tmp_path)
    folder.write("2025/x.md", "![a](late.png)", head=f"{HEAD}\nimage: img/later.png")
    folder.build()
    page = f"{PAGE}/index.html"
    assert b"late.png" not in folder.public()[page]
    assert b"later.png" not in folder.public()[page]
    for path in ("posts/2025/x/late.png", "img/later.png"):
        folder.file(path, b"")
    folder.build()
    assert {f"{PAGE}/late.png", "img/later.png"} <= folder.public().keys()
    assert b"late.png" in folder.public()[page]
