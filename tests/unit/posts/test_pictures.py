"""The sizes of images, the copies that pages and emails show, and how copies are made."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from publisher.config import Config, PagesConfig
from publisher.core.models import Picture
from publisher.posts.picture_pixels import Measured, measured, scaled
from publisher.posts.pictures import PublishedFiles, shown_as
from tests.support.picture_samples import moving, opened, photograph, picture
from tests.support.posts_samples import SITE, URL

CONFIG = Config(site=SITE)


def shown(
    form: str, width: int, height: int = 100, name: str = "a.jpg", config: Config = CONFIG, **more: Any
) -> Picture:
    found, made = shown_as(Measured(form, width, height, **more), f"p/{name}", f"posts/{name}", config)
    used = {found.email, found.thumbnail, *(url for _, url in found.sources)}
    assert {f"{URL}/{path}" for path in made} == used - {found.url}
    return found


def widths(found: Picture) -> list[int]:
    return [width for width, _ in found.sources]


@pytest.mark.parametrize(
    ("width", "offered", "email", "thumbnail"),
    [
        (120, [], "a.jpg", "a.jpg"), (400, [], "a.jpg", "a.jpg"),
        (500, [360, 500], "a.jpg", "a.jpg.360.jpg"), (1000, [360, 720, 1000], "a.jpg", "a.jpg.360.jpg"),
        (2000, [360, 720, 1440, 2000], "a.jpg.1440.jpg", "a.jpg.360.jpg"),
        (4000, [360, 720, 1440], "a.jpg.1440.jpg", "a.jpg.360.jpg"),
    ],
)  # fmt: skip
def test_smaller_copies_are_offered_and_none_is_larger(
    width: int, offered: list[int], email: str, thumbnail: str
) -> None:
    found = shown("JPEG", width)
    assert widths(found) == offered
    assert (found.email, found.thumbnail) == (f"{URL}/p/{email}", f"{URL}/p/{thumbnail}")
    assert (found.width, found.height) == (width, 100)


@pytest.mark.parametrize(
    ("form", "name", "alpha", "page", "email"),
    [
        ("PNG", "a.png", True, "a.png.720.png", "a.png.1440.png"),
        ("GIF", "a.gif", False, "a.gif.720.png", "a.gif.1440.png"),
        ("WEBP", "a.webp", False, "a.webp.720.webp", "a.webp.1440.jpg"),
        ("WEBP", "a.webp", True, "a.webp.720.webp", "a.webp.1440.png"),
        ("AVIF", "a.avif", False, "a.avif.720.webp", "a.avif.1440.jpg"),
        ("BMP", "a.bmp", False, "a.bmp.720.png", "a.bmp.1440.jpg"),
    ],
)
def test_emails_get_a_format_that_every_client_shows(form: str, name: str, alpha: bool, page: str, email: str) -> None:
    found = shown(form, 3000, name=name, has_alpha=alpha)
    assert found.sources[1][1] == f"{URL}/p/{page}"
    assert found.email == f"{URL}/p/{email}"


def test_a_small_picture_in_a_modern_format_is_converted_for_emails() -> None:
    found = shown("WEBP", 90, name="a.webp")
    assert found.sources == ()
    assert found.email == found.thumbnail == f"{URL}/p/a.webp.90.jpg"


def test_a_picture_that_browsers_do_not_turn_is_shown_as_a_copy() -> None:
    small, large = (shown("WEBP", width, name="a.webp", is_turned=True) for width in (90, 2000))
    assert small.sources == ((90, f"{URL}/p/a.webp.90.webp"),)
    assert widths(large) == [360, 720, 1440, 2000]
    assert large.fitting == f"{URL}/p/a.webp.2000.webp"


def test_heic_and_tiff_are_shown_as_jpeg() -> None:
    found, made = shown_as(Measured("HEIF", 800, 600), "p/a.heic.jpg", "posts/a.heic", CONFIG)
    assert found.url == found.email == f"{URL}/p/a.heic.jpg"
    assert made == ["p/a.heic.360.jpg"]


def test_an_animation_and_a_huge_image_have_no_copies() -> None:
    for found in (shown("GIF", 2000, moves=True), shown("PNG", 20_000, 20_000)):
        assert (found.sources, found.email, found.thumbnail) == ((), f"{URL}/p/a.jpg", f"{URL}/p/a.jpg")


def test_without_pages_only_the_picture_itself_is_shown() -> None:
    found = shown("JPEG", 4000, config=Config(site=SITE, pages=PagesConfig(enabled=False)))
    assert (found.sources, found.email, found.thumbnail) == ((), found.url, found.url)
    assert found.width == 4000


def test_a_density_in_the_name_makes_a_picture_smaller() -> None:
    found = shown("PNG", 240, name="logo@2x.png")
    assert (found.width, found.height) == (120, 50)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (picture("jpg"), Measured("JPEG", 64, 48)), (picture("png", mode="RGBA"), Measured("PNG", 64, 48, False, True)),
        (photograph("jpg"), Measured("JPEG", 48, 64)), (photograph("png"), Measured("PNG", 48, 64)),
        (photograph("webp"), Measured("WEBP", 48, 64, False, False, True)),
        (photograph("avif"), Measured("AVIF", 48, 64)),
        (photograph("tiff"), Measured("TIFF", 48, 64)), (photograph("heic"), Measured("HEIF", 48, 64)),
        (moving("gif"), Measured("GIF", 64, 48, True)), (picture("jp2"), Measured("JPEG2000", 64, 48)),
        (b"", None), (b"\x89PNG picture", None), (picture("jpg")[:20], None), (b"<svg/>", None),
    ],
)  # fmt: skip
def test_a_picture_is_measured_as_it_is_shown(data: bytes, expected: Measured | None, tmp_path: Path) -> None:
    file = tmp_path / "any.name"
    file.write_bytes(data)
    assert measured(file) == expected


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_a_copy_is_turned_and_says_nothing_about_the_camera(ending: str) -> None:
    straight = opened(scaled(picture("png"), [24], ending)[0]).convert("RGB")
    assert straight.size == (24, 18)
    for form in ("jpg", "png", "webp", "avif", "tiff", "heic"):
        copy = opened(scaled(photograph(form), [24], ending)[0])
        assert copy.size == (24, 32)
        assert copy.info.keys() & {"exif", "icc_profile", "xmp", "comment"} == set()
        corner = copy.convert("RGB").getpixel((2, 2))
        assert isinstance(corner, tuple)
        assert corner[0] < 60
        assert corner[1] > 180  # the corner that was at the bottom left


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_pixel_format_can_be_copied(mode: str) -> None:
    data = picture("tif" if mode in ("CMYK", "I;16", "LA") else "png", 40, 30, mode)
    for ending in ("jpg", "png", "webp"):
        copy = opened(scaled(data, [20], ending)[0])
        assert copy.size == (20, 15)
        assert copy.mode in ("L", "P", "RGB", "RGBA")


def test_transparency_is_kept_or_becomes_white() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (40, 30), (255, 0, 0, 0)).save(file, "PNG")
    assert opened(scaled(file.getvalue(), [20], "png")[0]).getchannel("A").getextrema() == (0, 0)
    assert opened(scaled(file.getvalue(), [20], "jpg")[0]).getpixel((5, 5)) == (255, 255, 255)
    assert opened(scaled(file.getvalue(), [400], "png")[0]).size == (40, 30)


def test_narrower_copies_are_made_together() -> None:
    copies = [opened(copy) for copy in scaled(photograph("jpg", width=200, height=400), [300, 200, 100], "png")]
    assert [copy.size for copy in copies] == [(300, 150), (200, 100), (100, 50)]


def test_copies_are_cached_by_content(tmp_path: Path) -> None:
    config = Config(site=SITE, root=tmp_path)
    (tmp_path / "a.jpg").write_bytes(picture("jpg", 600, 450))
    (tmp_path / "b.jpg").write_bytes(picture("jpg", 600, 450))
    first = PublishedFiles(config).content("p/a.jpg.360.jpg", "a.jpg")
    assert opened(first).size == (360, 270)
    (kept,) = (tmp_path / ".publisher/pictures").iterdir()
    assert kept.name.endswith(".360.jpg")
    kept.write_bytes(b"from the cache")
    assert PublishedFiles(config).content("p/b.jpg.360.jpg", "b.jpg") == b"from the cache"


def test_an_image_that_cannot_be_copied_is_published_unchanged(tmp_path: Path) -> None:
    files = PublishedFiles(Config(site=SITE, root=tmp_path))
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    assert files.content("p/a.jpg.360.jpg", "a.jpg") == b"no picture"
    assert [(p.path, p.message[:30]) for p in files.problems] == [("a.jpg", "can't be read as a picture: ca")]


@pytest.mark.parametrize("name", ["a.jpg.360.jpg", "a.jpg", "x.jpg.360.jpg", "a.jpg.txt"])
def test_only_a_name_made_from_that_of_the_original_is_a_copy(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(data := picture("jpg", 600, 450))
    content = PublishedFiles(Config(site=SITE, root=tmp_path)).content(name, "a.jpg")
    assert (content == data) == (name != "a.jpg.360.jpg")
