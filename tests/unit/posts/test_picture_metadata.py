"""The metadata that cameras add to images is removed, and nothing else is changed."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageChops

from publisher.posts.picture_metadata import without_metadata
from tests.support.picture_samples import ENDINGS, SECRETS, moving, opened, photograph, picture

taken = cache(photograph)
SIGNS = (b"Exif\0\0MakerX", b"http://ns.adobe.com/xap/1.0/\0MakerX", b"eXIf MakerX")


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_location_or_serial_number_is_published(ending: str) -> None:
    photo = taken(ending)
    clean = without_metadata(photo)
    assert any(secret in photo for secret in SECRETS)
    assert [secret for secret in SECRETS if secret in clean] == []
    assert not opened(clean).getexif().get_ifd(34853)
    assert without_metadata(clean) == clean


@pytest.mark.parametrize("ending", ENDINGS)
def test_pixels_profile_frames_and_orientation_stay(ending: str) -> None:
    photo = taken(ending)
    before, after = opened(photo), opened(without_metadata(photo))
    assert (after.size, after.mode) == (before.size, before.mode)
    assert after.info.get("icc_profile") == before.info.get("icc_profile")
    assert getattr(after, "n_frames", 1) == getattr(before, "n_frames", 1)
    assert after.getexif().get(274, 1) == before.getexif().get(274, 1)
    assert ImageChops.difference(after.convert("RGB"), before.convert("RGB")).getbbox() is None


def test_data_after_the_end_of_a_photo_is_not_published() -> None:
    photo = picture("jpg")
    assert without_metadata(photo + b"a film with GPSLatitude") == photo
    assert without_metadata(picture("png") + b"GPSLatitude") == picture("png")


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_an_animation_is_unchanged(ending: str) -> None:
    film = moving(ending)
    assert opened(without_metadata(film)).n_frames == opened(film).n_frames  # type: ignore[attr-defined]
    assert without_metadata(film) == film


@pytest.mark.parametrize("data", [b"", b"x", b"<svg/>", b"\x89PNG picture", b"%PDF-1.4", b"II*", b"RIFF"])
def test_a_file_that_is_not_an_image_is_unchanged(data: bytes) -> None:
    assert without_metadata(data) == data


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_broken_picture_neither_fails_nor_leaks(data: st.DataObject) -> None:
    photo = bytearray(taken(data.draw(st.sampled_from(ENDINGS))))
    for _ in range(data.draw(st.integers(0, 4))):
        photo[data.draw(st.integers(12, len(photo) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(12, len(photo)))
    assert len(without_metadata(bytes(photo[:cut]))) <= cut + 100


@pytest.mark.parametrize("sign", SIGNS)
def test_metadata_in_the_broken_part_of_a_file_is_left_out(sign: bytes) -> None:
    for ending, head in (("jpg", 20), ("png", 33), ("gif", 781), ("webp", 12)):
        assert sign not in without_metadata(picture(ending)[:head] + b"\x05\x00" + sign)


def box(name: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return (len(data) + 8).to_bytes(4, "big") + name + data


PLACE = b"+48.1371+011.5754+519.000/"
KEYS = [b"com.apple.quicktime.location.ISO6709", b"com.apple.quicktime.title"]


@pytest.mark.parametrize(
    "moov",
    [
        box(b"udta", box(b"\xa9xyz", b"\0\x1a\x15\xc7", PLACE), box(b"\xa9nam", b"A title")),
        box(b"trak", box(b"udta", box(b"loci", b"\0\0\0\0\x15\xc7", PLACE)), box(b"tkhd", b"A title")),
        box(b"meta", box(b"hdlr", bytes(24)),
            box(b"keys", bytes(4), b"\0\0\0\x02", *(box(b"mdta", key) for key in KEYS)),
            box(b"ilst", box(b"\0\0\0\x01", box(b"data", b"\0\0\0\x01", bytes(4), PLACE)),
                box(b"\0\0\0\x02", box(b"data", b"\0\0\0\x01", bytes(4), b"A title")))),
    ],
)  # fmt: skip
def test_the_location_of_a_video_is_removed_and_nothing_else(moov: bytes) -> None:
    film = box(b"ftyp", b"qt  ") + box(b"mdat", b"pixels") + box(b"moov", moov)
    clean = without_metadata(film)
    assert PLACE in film
    assert PLACE not in clean
    assert clean == film.replace(PLACE, bytes(len(PLACE))) or clean.count(b"\0") > film.count(b"\0")
    assert b"A title" in clean
    assert len(clean) == len(film)
    assert without_metadata(clean) == clean


def test_endlessly_nested_boxes_do_no_harm() -> None:
    film = b""
    for _ in range(3000):
        film = box(b"udta", film)
    assert without_metadata(box(b"ftyp", b"qt  ") + box(b"moov", film))
