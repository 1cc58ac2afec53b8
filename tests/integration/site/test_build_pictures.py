"""A built site with images: no location is published, smaller copies are shown, and nothing is made twice."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html

from publisher.config import NewsletterConfig
from publisher.core.newsletter_models import Letter
from publisher.core.templates import Templates
from publisher.newsletters.letter.compose import compose
from publisher.posts.bounded_process import picture_process
from publisher.posts.markup import Renderer
from tests.support.picture_samples import SECRETS, moving, opened, photograph, picture
from tests.support.posts_samples import NOW, PAGE, URL, Folder

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><metadata>MakerX</metadata></svg>'
BODY = """
![a](photo.jpg) ![b](small.png) ![c](photo.heic) ![d](film.gif) ![e](drawing.svg) ![f](photo.jfif)

![g](/img/static.webp) <img src="photo.jpg" width="300" alt="h"> <img src="small.png" style="width: 40px" alt="i">

<img src="https://site.example/img/static.webp" alt="j"> <img src="https://else.example/k.jpg" alt="k">
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A built site with three posts with images."""
    folder = Folder(tmp_path_factory.mktemp("pictures"))
    for path, content in {
        "posts/photo.jpg": photograph("jpg", width=1000, height=1500),
        "posts/photo.jfif": photograph("jpg"),
        "posts/small.png": picture("png", 120, 90),
        "posts/photo.heic": photograph("heic"),
        "posts/film.gif": moving(comment=b"MakerX"),
        "posts/drawing.svg": SVG,
        "posts/scan.tiff": photograph("tiff"),
        "posts/cover.jpg": photograph("jpg"),
        "posts/linked.jpg": photograph("jpg", width=1000, height=1500),
        "static/img/static.webp": photograph("webp"),
        "static/img/alone.jpg": photograph("jpg"),
        "static/img/scan.tif": photograph("tiff"),
    }.items():
        folder.file(path, content)
    folder.write("2024-07-06-hello.md", BODY, "title: One\nimage: photo.jpg\nenclosure: cover.jpg")
    folder.write("2024-07-07-two.md", "Two.", "title: Two\nimage: photo.jpg")
    folder.write(
        "2024-07-08-three.md", "[the scan](scan.tiff) [in full](linked.jpg)", "title: Three\nimage: /img/static.webp"
    )
    folder.build()
    return folder


def test_no_location_or_serial_number_is_published(folder: Folder) -> None:
    public = folder.public()
    assert [name for name, data in public.items() if any(each in data for each in SECRETS) and data != SVG] == []
    assert public["2024/07/06/hello/drawing.svg"] == SVG
    assert opened(public["img/alone.jpg"]).getexif().get(274) == 6
    assert opened(public["2024/07/08/three/scan.tiff"]).size == (48, 64)


def test_every_image_that_is_shown_exists(folder: Folder) -> None:
    public = folder.public()
    for page in ("index.html", "2024/07/06/hello/index.html", "2024/07/07/two/index.html"):
        text = public[page].decode()
        tags = re.findall(r"<img[^>]*>", text)
        assert tags
        for tag in tags:
            listed = [each.split()[0] for each in "".join(re.findall(r'srcset="([^"]*)"', tag)).split(", ") if each]
            for reference in [*re.findall(r' src="([^"]*)"', tag), *listed]:
                path = os.path.normpath(os.path.join(os.path.dirname(page), reference))  # noqa: PTH118, PTH120
                assert "://" in reference or path in public, reference


def test_pictures_have_their_size_and_smaller_copies_on_pages(folder: Folder) -> None:
    page = folder.public()["2024/07/06/hello/index.html"].decode()
    tags = {alt: tag for tag in re.findall(r"<img[^>]*>", page) for alt in re.findall(r'alt="(.)"', tag)}
    for alt, size in {
        "a": "1500 1000",
        "b": "120 90",
        "c": "48 64",
        "d": "64 48",
        "g": "48 64",
        "h": "300 200",
        "i": "40 30",
    }.items():
        assert [re.findall(rf'{name}="(\d+)"', tags[alt])[0] for name in ("width", "height")] == size.split()
    assert re.findall(r"(\d+)w", tags["a"]) == ["360", "720", "1500"]
    assert 'sizes="300px"' in tags["h"]
    assert 'src="../../../../2024/07/06/hello/photo.heic.jpg"' in tags["c"]
    assert "srcset" not in tags["b"] + tags["d"] + tags["k"]
    assert "width" not in tags["e"] + tags["k"]


def test_an_image_in_the_text_is_not_also_shown_above_it(folder: Folder) -> None:
    public = folder.public()
    assert "post-image" not in public["2024/07/06/hello/index.html"].decode()
    assert "post-image" in public["2024/07/07/two/index.html"].decode()


def test_a_list_shows_a_small_copy(folder: Folder) -> None:
    index = folder.public()["index.html"].decode()
    assert "two/photo.jpg.360.jpg 360w" in index
    assert 'sizes="(min-width: 36rem) 10rem, 100vw"' in index
    assert opened(folder.public()["2024/07/07/two/photo.jpg.360.jpg"]).size == (360, 240)


def test_a_picture_that_is_only_linked_to_has_no_copies(folder: Folder) -> None:
    assert [name for name in folder.public() if "linked.jpg" in name] == ["2024/07/08/three/linked.jpg"]


def test_the_length_of_an_image_enclosure_is_that_of_the_published_file(folder: Folder) -> None:
    (post,) = folder.archive().load(["2024-07-06-hello.md"])
    assert post.enclosures[0].length == len(folder.public()["2024/07/06/hello/cover.jpg"])


def test_a_second_build_makes_nothing_and_a_touched_picture_changes_nothing(folder: Folder) -> None:
    assert not folder.build().changed
    os.utime(folder.root / "posts/photo.jpg", (1, 1))
    picture_process().end()
    assert not folder.build().changed
    assert picture_process().pid == 0  # its previous version is in the cache


def test_a_replaced_image_is_shown_with_its_own_size(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = folder.file("posts/a.png", picture("png", 1000, 500))
    folder.write("2024-07-06-hello.md", "![a](a.png)")
    folder.build()
    assert "2024/07/06/hello/a.png.720.png" in folder.public()
    file.write_bytes(picture("png", 100, 50))
    folder.build(NOW + timedelta(hours=1))
    page = folder.public()["2024/07/06/hello/index.html"].decode()
    assert 'width="100" height="50"' in page
    assert "srcset" not in page
    assert "2024/07/06/hello/a.png.720.png" not in folder.public()


def letter_of(folder: Folder, **newsletter: str) -> Letter:
    settings = NewsletterConfig(name="weekly", **newsletter)  # type: ignore[arg-type]
    archive = folder.archive()
    renderer = Renderer(archive, folder.config)
    posts = [renderer.render(post) for post in archive.posts]
    return compose(folder.config, settings, posts, 1, "2024-W28", NOW, Templates(folder.root), f"{URL}/editions/1/")


def pictures_in(letter: Letter) -> dict[str, str]:
    """Return the width of each image in an email, by its URL."""
    tags = re.findall(r"<img[^>]*>", letter.html)
    assert not [tag for tag in tags if " width=" not in tag]
    return {re.findall(r' src="([^"]*)"', tag)[0]: re.findall(r' width="(\d+)"', tag)[0] for tag in tags}


def test_an_email_with_excerpts_has_an_image_and_thumbnails(folder: Folder) -> None:
    letter = letter_of(folder, template="digest", content="excerpt", intro="![of a note](/img/alone.jpg)")
    two = f"{URL}/2024/07/07/two"
    assert pictures_in(letter) == {
        f"{URL}/img/alone.jpg": "48",
        f"{URL}/img/static.webp.48.jpg": "48",
        f"{two}/photo.jpg.360.jpg": "100",
        f"{PAGE}photo.jpg.360.jpg": "100",
    }
    assert {url.removeprefix(f"{URL}/") for url in pictures_in(letter)} <= folder.public().keys()
    assert "width:100%" not in re.sub(r"<t(able|d)[^>]*>|<body[^>]*>", "", letter.html).replace("max-width:100%", "")


def test_an_email_with_full_posts_shows_no_image_wider_than_itself(folder: Folder) -> None:
    widths = pictures_in(letter_of(folder, template="digest", content="full"))
    else_where = widths.pop("https://else.example/k.jpg")
    assert else_where == "536"
    assert widths[f"{PAGE}small.png"] in ("120", "40")
    assert widths[f"{PAGE}film.gif"] == "64"
    assert widths[f"{PAGE}photo.heic.jpg"] == "48"
    assert widths[f"{PAGE}photo.jpg"] in ("536", "300")


def test_feeds_show_the_widest_copy_of_a_very_wide_picture(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.file("posts/wide.png", picture("png", 2400, 40))
    folder.file("posts/fits.png", picture("png", 2000, 40))
    folder.write("2024-07-06-hello.md", "![a](wide.png?v=2) ![b](fits.png)", "title: x\nimage: wide.png")
    folder.build()
    feed, public = folder.public()["feed.xml"].decode(), folder.public()
    urls = re.findall(r'(?:src|<media:\w+ url)="([^"]*)"', feed)
    assert set(urls) == {f"{PAGE}wide.png.1440.png", f"{PAGE}fits.png"}
    assert {url.removeprefix(f"{URL}/") for url in urls} | {"2024/07/06/hello/wide.png"} <= public.keys()


AUTHORS = """\
  - Ada
  - {name: Bob, url: "https://bob.example", image: bob.jpg, about: Draws <maps>.}
  - {name: Eve, avatar: /img/eve.png}
  - {name: Joe, photo: none.jpg, bio: Gone.}
  - {name: Ann, email: ann@site.example}"""


def test_guests_are_shown_with_their_pictures(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.file("posts/bob.jpg", photograph("jpg", width=1000, height=1500))
    folder.file("static/img/eve.png", picture("png", 100, 100))
    folder.write("2024-07-06-hello.md", "Words.", f"title: One\nauthors:\n{AUTHORS}")
    folder.write("2024-07-05-other.md", "Words.", "title: Two\nauthors: Ada, Bob")
    folder.build()
    page = html.document_fromstring(folder.public()["2024/07/06/hello/index.html"].decode())
    parts = (".//p[@class='name']", ".//p[@class='about']", "img/@src")
    shown = [[each.xpath(f"string({part})") for part in parts] for each in page.xpath("//div[@class='author']")]
    assert shown == [
        ["Bob", "Draws <maps>.", "../../../../2024/07/06/hello/bob.jpg.360.jpg"],
        ["Eve", "", "../../../../img/eve.png"],
        ["Joe", "Gone.", ""],
    ]
    built = folder.public()
    assert "2024/07/06/hello/bob.jpg.360.jpg" in built
    assert all(secret not in built["2024/07/06/hello/bob.jpg"] for secret in SECRETS)
    assert 'class="author"' not in built["2024/07/05/other/index.html"].decode()
    assert any("none.jpg doesn't exist" in each.message for each in folder.check())
    folder.build()  # from the index
    assert b"bob.jpg.360.jpg" in folder.public()["2024/07/06/hello/index.html"]
