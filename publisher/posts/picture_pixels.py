"""Reading pictures, and making smaller copies, with Pillow. Only social_card uses it as well.

Both tasks run in a bounded process, since pictures come from outside and the libraries are written in C.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from publisher.posts.picture_metadata import turn_in

if TYPE_CHECKING:
    from PIL.Image import Image

# Which formats are read, and up to how many pixels. The memory of the child is another limit.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "JPEG2000")
_PLUGINS = ("Jpeg", "Png", "Gif", "WebP", "Tiff", "Bmp", "Jpeg2K")
MOST_PIXELS = 100_000_000

_DECODED = 2880  # pixels on each side that are enough for every copy

_SIDEWAYS = (5, 6, 7, 8)

_SAVED: dict[str, dict[str, Any]] = {
    "jpg": {"format": "JPEG", "quality": 82, "optimize": True, "progressive": True},
    "png": {"format": "PNG"},
    "webp": {"format": "WEBP", "quality": 80},
}


class Measured(NamedTuple):
    """The data in the header of a picture's file. The size is that of the picture after it has been turned.

    is_turned  whether browsers fail to turn it as its file says, as Chromium does with WebP
    """

    form: str
    width: int
    height: int
    moves: bool = False
    has_alpha: bool = False
    is_turned: bool = False


def measured(file: Path) -> Measured | None:
    """Return the size and kind of a picture; None if it can't be read. No pixel is decoded.

    A JPEG followed by a second picture (MPO) is not animated.
    """
    try:
        with file.open("rb") as data, _opened(data) as image:
            form, (width, height) = image.format or "", image.size
            turn = _turn(image)
            if turn in _SIDEWAYS:
                width, height = height, width
            moves = form not in ("MPO", "TIFF") and bool(getattr(image, "is_animated", False))
            is_turned = form == "WEBP" and turn != 1
            return Measured("JPEG" if form == "MPO" else form, width, height, moves, _has_alpha(image), is_turned)
    except Exception:  # noqa: BLE001 - each format has its own errors, and a picture without a size is shown as well
        return None


def scaled(data: bytes, widths: Sequence[int], ending: str) -> list[bytes]:
    """Return copies of a picture as JPEG, PNG or WebP, in sRGB, turned, and without metadata.

    widths  the widths of the copies; 0 for the width of the picture, which is never exceeded
    ending  "jpg", "png" or "webp"
    The picture is decoded only once, and no copy depends on which others are made. Raises what Pillow raises, and
    ValueError if there are too many pixels.
    """
    from PIL import ImageFile  # not at the top: Pillow takes long to load, and only new pictures need it

    ImageFile.LOAD_TRUNCATED_IMAGES = True  # as browsers do
    with _opened(io.BytesIO(data)) as file:
        if file.width * file.height > MOST_PIXELS:
            raise ValueError(f"it has more than {MOST_PIXELS // 1_000_000} million pixels")
        turn, profile, has_palette = _turn(file), file.info.get("icc_profile"), file.mode == "P"
        across = file.height if turn in _SIDEWAYS else file.width
        shares = [min(1.0, width / across) if width else 1.0 for width in widths]
        sizes = [(max(1, round(file.width * share)), max(1, round(file.height * share))) for share in shares]
        file.draft(None, (_DECODED, _DECODED))  # a JPEG can be decoded at down to an eighth of its size
        whole = _with_plain_mode(file)
        return [
            _saved(_turned(_in_srgb(_resized(whole, size), profile), turn), ending, has_palette=has_palette)
            for size in sizes
        ]


def _resized(image: Image, size: tuple[int, int]) -> Image:
    from PIL.Image import Resampling  # not at the top: Pillow takes long to load, and only new pictures need it

    return image.copy() if image.size == size else image.resize(size, Resampling.LANCZOS, reducing_gap=3.0)


def _turned(image: Image, turn: int) -> Image:
    from PIL.Image import Transpose  # not at the top: Pillow takes long to load, and only new pictures need it

    how = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(turn)
    return image if how is None else image.transpose(how)


def _saved(image: Image, ending: str, *, has_palette: bool) -> bytes:
    from PIL import Image as Pillow  # not at the top: Pillow takes long to load, and only new pictures need it

    image.info.clear()
    if ending == "jpg" and image.mode == "RGBA":
        white = Pillow.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    elif ending == "png" and has_palette:
        image = image.quantize(256, method=Pillow.Quantize.FASTOCTREE)
    result = io.BytesIO()
    image.save(result, **_SAVED[ending])
    return result.getvalue()


def _with_plain_mode(image: Image) -> Image:
    """Return a picture in shades of grey, RGB, RGBA or CMYK, with eight bits for each value."""
    if image.mode.startswith(("I", "F")):
        share = 255 / 65535 if image.mode.startswith("I") else 255
        return image.convert("F").point(lambda value: value * share).convert("L")
    if _has_alpha(image):
        return image if image.mode == "RGBA" else image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("L" if image.mode == "1" else "RGB")


def _in_srgb(image: Image, profile: bytes | None) -> Image:
    """Return a picture in sRGB or in shades of grey; programs assume these if a picture has no profile."""
    if profile and image.mode != "L":
        from PIL import ImageCms  # not at the top: Pillow takes long to load, and only new pictures need it

        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            colours = image.convert("RGB") if image.mode == "RGBA" else image
            source, wanted = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(colours, source, wanted, outputMode="RGB")
            if converted is not None:
                if image.mode == "RGBA":
                    converted.putalpha(image.getchannel("A"))
                return converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def _has_alpha(image: Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _turn(image: Image) -> int:
    """Return the orientation that is still to be applied to a picture, from 1 to 8.

    Pillow turns a TIFF itself, and libheif turns a HEIC. Pillow's getexif would decode all pixels of a PNG.
    """
    return 1 if image.format in ("TIFF", "HEIF") else turn_in(image.info.get("exif", b"").removeprefix(b"Exif\0\0"))


def _opened(data: IO[bytes]) -> Image:
    from PIL import AvifImagePlugin  # not at the top: Pillow takes long to load, and only new pictures need it
    from PIL import Image as Pillow

    for name in _PLUGINS:  # Pillow would load all of its forty
        import_module(f"PIL.{name}ImagePlugin")
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each of its threads takes 70 MB of the limit
    Pillow.MAX_IMAGE_PIXELS = None  # MOST_PIXELS says what is too much
    head, formats = data.read(12), list(_FORMATS)
    data.seek(0)
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf"):
        import pi_heif  # 0.1 s, for the pictures of phones only

        pi_heif.register_heif_opener(decode_threads=1)
        formats.append("HEIF")
    return Pillow.open(data, formats=formats)
