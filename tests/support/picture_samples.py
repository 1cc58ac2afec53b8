"""Photos as cameras write them, with a location, a serial number and a rotation, in every format."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms

# The metadata in each of them, which must not be published.
SECRETS = (b"SERIAL123", b"MakerX", b"GPSLatitude", b"48,8.2N")
TURNED_HEIC = Path(__file__).parents[1] / "data/pictures/turned.heic"  # Pillow cannot write it
# Extensions of the formats with metadata. All show the same image: 64 by 48 pixels, turned by 90 degrees.
ENDINGS = ("jpg", "png", "webp", "avif", "tiff", "gif", "heic")
_XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><GPSLatitude>48,8.2N</GPSLatitude></x:xmpmeta>'


def drawing(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Return an image with a different colour in each corner."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, Image.new("L", (width, height), 128))).convert(mode)


def picture(ending: str = "png", width: int = 64, height: int = 48, mode: str = "RGB", **how: Any) -> bytes:
    """Return the file of an image without metadata."""
    file, form = io.BytesIO(), {"jpg": "JPEG", "jp2": "JPEG2000", "tif": "TIFF"}.get(ending, ending.upper())
    drawing(width, height, mode).save(file, form, **how)
    return file.getvalue()


def moving(ending: str = "gif", **how: Any) -> bytes:
    """Return the file of an animation."""
    frames = [drawing().rotate(90 * turn) for turn in range(3)]
    file = io.BytesIO()
    frames[0].save(file, ending.upper(), save_all=True, append_images=frames[1:], duration=100, loop=0, **how)
    return file.getvalue()


def photograph(ending: str = "jpg", *, width: int = 64, height: int = 48) -> bytes:
    """Return the file of a photo with everything that a camera writes. A GIF has it in a comment, and is animated."""
    if ending == "heic":
        return TURNED_HEIC.read_bytes()
    if ending == "gif":
        return moving(comment=b"GPSLatitude 48,8.2N")
    exif = Image.Exif()
    exif[274], exif[271] = 6, "MakerX"  # orientation and manufacturer
    exif.get_ifd(34853).update({1: "N", 2: (48.0, 8.0, 12.0), 3: "E", 4: (11.0, 34.0, 56.0)})
    exif.get_ifd(34665)[42033] = "SERIAL123"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    more = {"jpg": {"xmp": _XMP, "comment": b"MakerX"}, "webp": {"xmp": _XMP}, "avif": {"xmp": _XMP}}.get(ending, {})
    whole = exif if ending == "tiff" else exif.tobytes()
    return picture(ending, width, height, exif=whole, icc_profile=profile, **more)


def opened(data: bytes) -> Image.Image:
    """Return the image in a file."""
    if data[4:8] == b"ftyp" and data[8:11] == b"hei":
        import pi_heif

        pi_heif.register_heif_opener()
    return Image.open(io.BytesIO(data))
