"""Every reference becomes absolute, links to posts lead to their pages, and images are copied to their URLs."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.config import Posts
from publisher.posts.urls import local_file
from tests.support.picture_samples import picture
from tests.support.posts_samples import HELLO, PAGE, SITE, URL, Folder, html_of, rendered, said

PICTURE = b"\x89PNG picture"


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("#part", f"{PAGE}#part"), ("", PAGE), ("?page=2", f"{PAGE}?page=2"), ("other/", f"{PAGE}other/"),
        ("../", f"{URL}/2024/07/06/"), ("/", f"{URL}/"), ("/about/", f"{URL}/about/"), ("/a b/", f"{URL}/a%20b/"),
        ("/caf%C3%A9/", f"{URL}/caf%C3%A9/"), ("/café/", f"{URL}/caf%C3%A9/"), ("//cdn.example/x", "https://cdn.example/x"),
        ("//cdn.example/2024-07-06-hello.md", "https://cdn.example/2024-07-06-hello.md"),
        ("https://a.example/%2B?q=%28#rb=x", "https://a.example/%2B?q=%28#rb=x"), ("HTTPS://A.example/X", "HTTPS://A.example/X"),
        ("mailto:a@b.example?subject=x", "mailto:a@b.example?subject=x"), ("tel:123", "tel:123"),
        ("2024-07-06-hello.md", PAGE), ("./2024-07-06-hello.md#x", f"{PAGE}#x"), ("/posts/2024-07-06-hello.md", PAGE),
    ],
)  # fmt: skip
def test_every_link_is_absolute(reference: str, address: str) -> None:
    assert html_of(f'<p><a href="{reference}">t</a></p>') == f'<p><a href="{address}">t</a></p>'


@pytest.mark.parametrize("reference", ["http:page", "https:/page", "https:", "//[", "nothing:x", "C:\\x", "1:2"])
def test_a_link_without_a_url_leaves_its_text(reference: str) -> None:
    result = html_of(f'<p><a href="{reference}">words</a></p>')
    assert "words" in result
    for address in re.findall(r'href="([^"]*)"', result):
        assert urlsplit(address).scheme == "https"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('<img src="a.png" alt="t">', f'src="{PAGE}a.png"'),
        ('<img srcset="a.png 1x, b.png 2x" alt="t">', f'srcset="{PAGE}a.png 1x, {PAGE}b.png 2x"'),
        ('<img srcset="a.png" alt="t">', f'srcset="{PAGE}a.png"'),
        ('<img srcset="https://a.example/w_1,h_2/x.png 400w,b.png 800w" alt="t">',
         f'srcset="https://a.example/w_1%2Ch_2/x.png 400w, {PAGE}b.png 800w"'),
        ('<img srcset=" a.png ,, b.png 2x ," alt="t">', f'srcset="{PAGE}a.png, {PAGE}b.png 2x"'),
        ('<img srcset="a.png 100w 50h, javascript:x 2x" alt="t">', f'srcset="{PAGE}a.png 100w 50h"'),
        ('<picture><source srcset="a.webp 2x" type="image/webp"></picture>', f'srcset="{PAGE}a.webp 2x"'),
        ('<video poster="a.jpg" src="b.mp4"></video>', f'poster="{PAGE}a.jpg" src="{PAGE}b.mp4"'),
        ('<audio><source src="a.mp3"></audio>', f'src="{PAGE}a.mp3"'),
        ('<video><track src="a.vtt"></video>', f'src="{PAGE}a.vtt"'),
        ('<blockquote cite="/source/">t</blockquote>', f'cite="{URL}/source/"'),
        ('<iframe src="//video.example/embed/1"></iframe>', 'src="https://video.example/embed/1"'),
        ("![t](<a b.png>)", f'src="{PAGE}a%20b.png"'),
        ("![t](../a.png)", f'src="{URL}/2024/07/06/a.png"'),
    ],
)  # fmt: skip
def test_every_image_audio_and_video_url_is_absolute(written: str, expected: str) -> None:
    files = tuple(f"posts/{name}" for name in ("a.png", "b.png", "a.webp", "a.jpg", "a b.png", "../a.png"))
    assert expected in html_of(written, files=files)


LOOSE = st.text(st.sampled_from("ab./#?:%&=[]@ \\é日,;'()"), max_size=12)


@settings(max_examples=3 * settings.default.max_examples, deadline=None)
@given(st.sampled_from(["", "/", "//", "../", "https://", "http:", "mailto:", "#", "?", "%"]), LOOSE)
def test_any_reference_becomes_absolute_or_is_removed(start: str, rest: str) -> None:
    result = html_of(f'<p><a href="{start}{rest}">t</a><img src="{start}{rest}" alt="t"></p>')
    for address in re.findall(r'(?:href|src)="([^"]*)"', result):
        assert re.match(r"[a-z][a-z0-9+.-]*:", address, re.IGNORECASE), address
        if address.lower().startswith(("http:", "https:")):
            assert re.match(r"https?://[^/]", address, re.IGNORECASE), address


@pytest.mark.parametrize(
    ("source", "reference", "target"),
    [
        ("a/2024-07-06-x.md", "2024-07-07-y.md", "a/2024-07-07-y.md"),
        ("a/2024-07-06-x.md", "../b/2024-07-07-y.md", "b/2024-07-07-y.md"),
        ("2024-07-06-x.md", "b/2024-07-07%20y.md", "b/2024-07-07 y.md"),
        ("2024-07-06-x.md", "2024-07-07-日本.md", "2024-07-07-日本.md"),
        ("2024-07-06-x.md", "2024-07-07-y.html", "2024-07-07-y.html"),
        ("2024-07-06-x.md", "bundle/index.md", "bundle/index.md"),
        ("2024-07-06-x.md", "../posts/2024-07-07-y.md", "2024-07-07-y.md"),
        ("2024-07-06-x.md", "./../posts/b/../2024-07-07%20y.md", "2024-07-07 y.md"),
        ("a/b/2024-07-06-x.md", "../../../posts/c/2024-07-07-y.md", "c/2024-07-07-y.md"),
        ("a/b/2024-07-06-x.md", "../../2024-07-07-y.md", "2024-07-07-y.md"),
    ],
)
def test_a_link_to_the_file_of_a_post_leads_to_its_page(
    source: str, reference: str, target: str, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    folder.write(source, f"[t](<{reference}#part>)")
    for permalink in ("/there/", "/else/where.html"):
        folder.write(target, head=f"title: y\ndate: 2024-07-07\npermalink: {permalink}")
        result = folder.render(source)
        assert f'href="{URL}{permalink}#part"' in result.html
        assert result.problems == ()


def test_a_page_is_rebuilt_when_a_linked_post_moves(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "[t](2024-07-07-y.md)")
    folder.write("2024-07-07-y.md", head="title: y\npermalink: /one/")
    folder.build()
    folder.write("2024-07-07-y.md", head="title: y\npermalink: /moved/")
    folder.build()
    page = folder.public()["2024/07/06/hello/index.html"].decode()
    assert "../../moved/" in page
    assert "/one/" not in page


@pytest.mark.parametrize("target", ["draft: true", "date: 2030-01-01", "expires: 2020-01-01"])
def test_a_link_to_a_post_that_is_not_public_is_a_warning(target: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "One.\n\n[t](2024-07-01-y.md)")
    folder.write("2024-07-01-y.md", head=f"title: y\n{target}")
    assert said(folder.render()) == [(6, "broken link: 2024-07-01-y.md is not a published post")]


@pytest.mark.parametrize(
    ("source", "reference", "file"),
    [
        (HELLO, "a.png", "posts/a.png"),
        (HELLO, "./a.png", "posts/a.png"),
        (HELLO, "../assets/a.png", "assets/a.png"),
        (HELLO, "./../assets/a%20b.png", "assets/a b.png"),
        (HELLO, "/assets/日本.png", "assets/日本.png"),
        (HELLO, "a.png?size=2#x", "posts/a.png"),
        ("en/2024-07-06-hello.md", "../../assets/a.png", "assets/a.png"),
        ("2024-07-06-hello/index.md", "a,b.png", "posts/2024-07-06-hello/a,b.png"),
        (HELLO, "slides.PDF", "posts/slides.PDF"),
    ],
)
@pytest.mark.parametrize("url", [URL, f"{URL}/blog"])
def test_a_file_next_to_the_post_is_copied_to_its_url(
    source: str, reference: str, file: str, url: str, tmp_path: Path
) -> None:
    base = urlsplit(url).path
    written = f"{base}{reference}" if reference.startswith("/") else reference
    folder = Folder(tmp_path, replace(SITE, url=url))
    folder.file(file, PICTURE)
    folder.write(source, f'<img src="{written}" srcset="{written} 2x" alt="t"> [t](<{written}>)')
    report = folder.build()
    assert report.warnings == ()
    (entry,) = json.loads(folder.public()["feed.json"])["items"]
    addresses = set(re.findall(r'(?:src|srcset|href)="([^" ]*)', entry["content_html"]))
    assert addresses
    for address in addresses:
        path = unquote(urlsplit(address).path)
        assert address.startswith(f"{url}/")
        assert folder.public()[path.removeprefix(f"{base}/")] == PICTURE


def test_files_in_front_matter_are_copied_too(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("assets/a.png", "posts/e.mp3"):
        folder.file(name, PICTURE)
    folder.write(HELLO, "", "title: x\nimage: ../assets/a.png\naudio: e.mp3")
    (post,) = folder.posts()
    assert post.image
    assert (post.image.url, post.enclosures[0].length) == (f"{URL}/2024/07/06/assets/a.png", len(PICTURE))
    folder.build()
    assert folder.public()["2024/07/06/assets/a.png"] == folder.public()["2024/07/06/hello/e.mp3"] == PICTURE


@pytest.mark.parametrize(
    "reference",
    [
        "../publisher.toml", "/publisher.toml", "../.publisher/index.db", "/.publisher/secret.png", "../.secret.png",
        "../../outside.png", "/../outside.png", "..%2F..%2Foutside.png", "../../../../../etc/passwd", "link.png",
        "out.png", "folder.png", "../.git/a.png", "..\\outside.png", "/%2e%2e/outside.png", "x/../../../outside.png",
    ],
)  # fmt: skip
@pytest.mark.parametrize("template", ["![t](<{}>)", "[t](<{}>)", '<img src="{}" alt=t>'])
def test_only_public_files_of_the_project_are_published(reference: str, template: str, tmp_path: Path) -> None:
    secret = b"top secret"
    folder = Folder(tmp_path / "project")
    for name in ("publisher.toml", ".publisher/secret.png", ".secret.png", ".git/a.png", "../outside.png"):
        folder.file(name, secret)
    (folder.root / "posts/link.png").symlink_to("../publisher.toml")
    (folder.root / "posts/out.png").symlink_to("../../outside.png")
    (folder.root / "posts/folder.png").symlink_to("..")
    folder.write(HELLO, template.format(reference), f"title: x\nimage: {reference!r}")
    folder.build()
    assert [name for name, data in folder.public().items() if secret in data] == []
    assert not (folder.root / "outside.png").exists()


BELOW = f"{URL}/notes"
ROOTED = {
    # the reference: its target on a site at https://site.example/notes
    "/files/talk.pdf": f"{BELOW}/files/talk.pdf", "/media/v.mp4": f"{BELOW}/media/v.mp4", "/p.png": f"{BELOW}/p.png",
    "/deep/a b.png": f"{BELOW}/deep/a%20b.png", "/deep/a%20b.png?x=1#y": f"{BELOW}/deep/a%20b.png?x=1#y",
    "/data.json": f"{BELOW}/data.json", "/日本.png": f"{BELOW}/%E6%97%A5%E6%9C%AC.png",
    "/notes/files/talk.pdf": f"{BELOW}/files/talk.pdf", "/notes/tags/a/": f"{BELOW}/tags/a/",
    "/notes/inner.pdf": f"{BELOW}/notes/inner.pdf", "/": f"{BELOW}/", "/notes/": f"{BELOW}/", "/notes": BELOW,
    "/tags/a/": f"{BELOW}/tags/a/", "/tags/a": f"{BELOW}/tags/a", "/archive/": f"{BELOW}/archive/",
    "/subscribe/": f"{BELOW}/subscribe/", "/feed.xml": f"{BELOW}/feed.xml",
    "/tags/a/atom.xml": f"{BELOW}/tags/a/atom.xml",
    "/2024/07/06/other/": f"{BELOW}/2024/07/06/other/", "/2024/07/06/other": f"{BELOW}/2024/07/06/other",
    "/2024/07/06/other/index.html": f"{BELOW}/2024/07/06/other/index.html",
    "/posts/2024-07-06-other.md": f"{BELOW}/2024/07/06/other/", "/2024/07/06/other/#x": f"{BELOW}/2024/07/06/other/#x",
    "/gone/": f"{URL}/gone/", "/gone.png": f"{URL}/gone.png", "/publisher.toml": f"{URL}/publisher.toml",
    "/files/": f"{URL}/files/", "/notesbook/": f"{URL}/notesbook/", "//site.example/x/": f"{URL}/x/",
    "/a%00.png": f"{URL}/a%00.png",
}  # fmt: skip
FILES = ("files/talk.pdf", "media/v.mp4", "static/p.png", "deep/a b.png", "static/data.json", "static/日本.png",
         "notes/inner.pdf", "publisher.toml")  # fmt: skip


def test_on_a_site_with_a_path_root_relative_links_start_at_that_path(tmp_path: Path) -> None:
    folder = Folder(tmp_path, replace(SITE, url=BELOW))
    for path in FILES:
        folder.file(path, PICTURE)
    folder.write("2024-07-06-other.md")
    links = "\n".join(f'<a href="{written}">t</a>' for written in ROOTED)
    media = (
        '<video src="/media/v.mp4" poster="/p.png"></video><audio src="/media/v.mp4"></audio>'
        '<img srcset="/p.png 1x, /notes/p.png 2x" src="/p.png" alt="t"><img src="/gone.jpg" alt="t">'
    )
    folder.write(HELLO, f"{links}\n\n{media}", "title: x\ntags: [a]\nimage: /p.png\nenclosure: /media/v.mp4")
    said_of = {(p.line, p.message) for p in folder.check()}
    dead = ("/gone/", "/gone.png", "/gone.jpg", "/publisher.toml", "/files/", "/notesbook/", "/a%00.png")
    assert {message.rpartition(" at ")[2] for _, message in said_of} == set(dead)
    assert (9 + list(ROOTED).index("/gone/") - 2, "broken link: no page of this site is at /gone/") in said_of
    folder.build()
    entry = next(item for item in json.loads(folder.public()["feed.json"])["items"] if item["title"] == "x")
    assert re.findall(r'href="([^"]*)"', entry["content_html"]) == list(ROOTED.values())
    for attribute, url in (("poster", f"{BELOW}/p.png"), ("srcset", f"{BELOW}/p.png 1x, {BELOW}/p.png 2x")):
        assert f'{attribute}="{url}"' in entry["content_html"]
    assert entry["image"] == f"{BELOW}/p.png"
    assert entry["attachments"][0] == {
        "url": f"{BELOW}/media/v.mp4", "mime_type": "video/mp4", "size_in_bytes": len(PICTURE)
    }  # fmt: skip
    copied = {name for name, data in folder.public().items() if data == PICTURE}
    assert copied == {
        "files/talk.pdf",
        "media/v.mp4",
        "p.png",
        "deep/a b.png",
        "data.json",
        "日本.png",
        "notes/inner.pdf",
    }


@pytest.mark.parametrize("url", ["https://müller.example", "HTTPS://MÜLLER.example", "https://xn--mller-kva.example"])
def test_files_are_found_on_a_site_whose_host_has_other_letters(tmp_path: Path, url: str) -> None:
    folder = Folder(tmp_path, site=replace(SITE, url=url))
    body = "![s](/img/s.png) ![n](n.png) [b](b.md) [c](https://müller.example/b/) <img src='https://m%C3%BCller.example/img/s.png'>"
    folder.write("2024-07-06-a.md", body, "title: A\nimage: /img/s.png")
    folder.write("b.md", "", "title: B\ndate: 2024-07-06\npermalink: /b/")
    for path in ("posts/n.png", "static/img/s.png"):
        folder.file(path, b"")
    assert folder.build().problems == ()
    files = folder.public()
    assert {"img/s.png", "2024/07/06/a/n.png"} <= files.keys()
    page = files["2024/07/06/a/index.html"].decode()
    assert page.count(' src="../../../../img/s.png"') >= 2
    assert ' src="../../../../2024/07/06/a/n.png"' in page
    assert b"<link>https://xn--mller-kva.example/b/</link>" in files["feed.xml"]
    assert b"m\xc3\xbcller" not in files["feed.xml"].lower()


def test_a_file_or_post_that_is_added_later_changes_the_target_of_a_link(tmp_path: Path) -> None:
    for url in (URL, BELOW):
        folder = Folder(tmp_path / url.rpartition("/")[2], replace(SITE, url=url))
        folder.write(HELLO, "[t](/files/a.pdf) [u](/2024/07/06/new/)", "title: x\nimage: /files/b.png")
        folder.build()
        for path in ("files/a.pdf", "files/b.png", "posts/2024-07-06-new.md"):
            folder.file(path, PICTURE if path.startswith("files") else "New.")
            folder.build()
        built = folder.public()
        assert built["files/a.pdf"] == built["files/b.png"] == PICTURE
        entry = next(item for item in json.loads(built["feed.json"])["items"] if item["title"] == "x")
        links = re.findall(r'href="([^"]*)"', entry["content_html"])
        assert [*links, entry["image"]] == [f"{url}/files/a.pdf", f"{url}/2024/07/06/new/", f"{url}/files/b.png"]


def test_a_missing_file_is_one_warning_until_it_is_added(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "![t](b.png) ![t](b.png)\n\n![t](a.png)", "title: x\nimage: a.png")
    assert said(folder.render()) == [
        (3, "the file posts/a.png doesn't exist"),
        (5, "the file posts/b.png doesn't exist"),
    ]
    folder.build()
    folder.file("posts/b.png", PICTURE)
    folder.build()
    assert folder.public()["2024/07/06/hello/b.png"] == PICTURE


def test_two_files_with_one_url_are_a_warning(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(permalink="/{slug}/"))
    for place in ("a", "b"):
        folder.file(f"posts/{place}/pic.png", place.encode())
        folder.write(f"{place}/2024-07-06-{place}.md", "![t](pic.png)")
        folder.write(f"{place}/y/2024-07-06-{place}2.md", "![t](../pic.png)")
    reported = [problem for problem in folder.build().problems if "is not published" in problem.message]
    assert [(p.path, p.message) for p in reported] == [
        ("posts/b/pic.png", "is not published, because posts/a/pic.png has the same URL, /pic.png")
    ]
    assert reported == [problem for problem in folder.check() if "is not published" in problem.message]


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(st.text(st.sampled_from("ab./\\%2eE "), max_size=20))
def test_no_reference_names_a_file_outside_or_hidden(path: str) -> None:
    found = local_file(f"{path}.png", f"{URL}/x/{path}.png", URL, "posts", "en/a.md")
    if found:
        for part in (*found[0].split("/"), *found[1].split("/")):
            assert part not in ("..", "")
        assert not any(part.startswith(".") for part in found[1].split("/"))


def test_a_warning_shows_the_spelling_of_the_writer() -> None:
    result = rendered("One.\n\n![t](a&amp;b.png)\n\n![t](c\\_d.png)\n\n`e.png` ![t](e.png)\n\n![t](fä.png)")
    assert [line for line, _ in said(result)] == [6, 8, 10, 12]


@pytest.mark.parametrize(
    "name",
    [
        "a.jfif", "a.pjpeg", "a.apng", "a.avif", "a.bmp", "a.jxl", "a.weba", "a.mka", "a.m4b", "a.opus", "a.aiff",
        "a.mkv", "a.avi", "a.3gp", "a.mpg", "a.vtt", "a.srt", "a.ttml", "a.mobi", "a.epub",
    ],
)  # fmt: skip
def test_everything_that_a_page_loads_or_a_feed_encloses_is_published(name: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.file(f"posts/{name}", b"some bytes")
    folder.write(HELLO, f'<video src="{name}" poster="{name}"></video>', f"title: x\nimage: {name}\nenclosure: {name}")
    (post,) = folder.archive().posts
    assert [(e.length, bool(e.media_type)) for e in post.enclosures] == [(10, True)]
    folder.build()
    assert folder.public()[f"2024/07/06/hello/{name}"] == b"some bytes"


@pytest.mark.parametrize(
    "written", ["![a](a.psd)", "[a](a.psd)", '<video src="a.psd"></video>', '<img srcset="a.psd 2x" alt="a">']
)
def test_a_file_that_is_not_published_is_reported_once(written: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    what = "the file posts/a.psd is not published: files that end in .psd are not pictures, audio, video or documents"
    folder.file("posts/a.psd", "x")
    folder.write(HELLO, f"One.\n\n{written}")
    assert [(p.line, p.message) for p in folder.check()] == [(6, what)]
    folder.file("static/2024/07/06/hello/a.psd", "x")
    assert folder.check() == []


def test_a_file_in_front_matter_that_is_not_published_is_reported(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.file("posts/a.psd", "x")
    folder.file("posts/LICENCE", "x")
    folder.write(HELLO, "[l](LICENCE)", "title: x\nimage: a.psd")
    assert [(p.line, p.message.partition(": ")[2]) for p in folder.check()] == [
        (3, "files that end in .psd are not pictures, audio, video or documents"),
        (5, "files without an extension are not pictures, audio, video or documents"),
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.jxl", b"x", "most browsers don't show posts/a.jxl"),
        ("a.png", b"\x89PNG broken" + bytes(500), "posts/a.png can't be read as a picture"),
        ("a.bmp", b"BM" + bytes(3_000_000), "posts/a.bmp can't be read as a picture"),
        ("a.jpg", picture("jpg") + bytes(3_000_000), "posts/a.jpg is 3.0 MB"),
    ],
)
def test_a_check_reports_pictures_that_readers_cannot_see_or_wait_for(
    name: str, data: bytes, message: str, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    folder.file(f"posts/{name}", data)
    folder.write(HELLO, f"One.\n\n![a]({name})")
    assert [(p.line, p.message) for p in folder.check()] == [(6, message)]
    assert folder.render(inspect=False).problems == ()


NAMES = ("mañana", "Übersicht", "ガ", "각", "Việt/ệ", "é/ü")


def other_form(name: str, form: Literal["NFC", "NFD"]) -> str:
    """Return the name in this Unicode normalisation form, percent-encoded as editors write it."""
    return quote(unicodedata.normalize(form, name))


@pytest.mark.parametrize(("on_disk", "written"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_both_unicode_forms_of_a_name_mean_the_same_file(
    on_disk: Literal["NFC", "NFD"], written: Literal["NFC", "NFD"], tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    body = []
    for number, name in enumerate(NAMES):
        real, asked = unicodedata.normalize(on_disk, name), other_form(name, written)
        for ending in ("png", "pdf", "mp3"):
            folder.file(f"posts/{real}.{ending}", f"{name}.{ending}")
        folder.write(f"{real}.md", head=f"title: x\ndate: 2024-07-01\npermalink: /to/{number}/")
        body += [f"![x]({asked}.png) [x]({asked}.pdf) [x]({asked}.md#) {{% post_url {unquote(asked)} %}}"]
    face = unicodedata.normalize(written, "mañana")
    head = f"title: x\nimage: {face}.png\nenclosure: {face}.mp3"
    folder.write(HELLO, "\n\n".join(body), head)
    result = folder.render()
    assert [str(p) for p in result.problems] == []
    assert result.post.enclosures[0].length == len("mañana.mp3".encode())
    for number in range(len(NAMES)):
        assert result.html.count(f"{URL}/to/{number}/") == 3  # the link, and a bare URL
    folder.build()
    public = folder.public()
    for name in NAMES:
        for ending in ("png", "pdf"):
            path = f"2024/07/06/hello/{unicodedata.normalize(written, name)}.{ending}"
            assert public[path] == f"{name}.{ending}".encode()
            assert f"{URL}/{quote(path)}" in result.html


def test_a_file_that_appears_in_another_form_is_published(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "![x](caf\u00e9.png)")
    folder.build()
    folder.file("posts/cafe\u0301.png", b"x")
    folder.build()
    assert folder.public()["2024/07/06/hello/caf\u00e9.png"] == b"x"


def test_a_static_file_is_found_in_another_form(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    names = ("e\u0301.png", "e\u0301.pdf", "e\u0301.mp3", "b/o\u0308.png")
    for name in names:
        folder.file(f"static/f/{name}", name)
    written = [unicodedata.normalize("NFC", name) for name in names]
    body = "\n\n".join(f"![x](/f/{name}) [x](/f/{name})" for name in written)
    folder.write(HELLO, body, f"title: x\nimage: /f/{written[3]}\nenclosure: /f/{written[2]}")
    folder.build()
    public = folder.public()
    for name, asked in zip(names, written, strict=True):
        assert public[f"f/{asked}"] == public[f"f/{name}"] == name.encode()
    assert folder.check() == []


def test_a_name_that_exists_in_no_form_is_missing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "![x](caf\u00e9.png)\n\n[x](\u00fc.md)")
    folder.file("posts/cafe.png", b"x")
    assert [line for line, _ in said(folder.render())] == [4, 6]
