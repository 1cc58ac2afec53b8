"""Pictures without the data that cameras and programs add: places, serial numbers, names, thumbnails.

Films lose only their places: the other data in them consists of titles, chapters and the like.

A phone writes into each photograph where it was taken. These functions take that out of a file and change nothing else:
no pixel, no colour profile, no animation. A picture's orientation stays, since browsers turn it accordingly. A format
is recognised by the first bytes, whatever the name of the file says.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping

# What is left of EXIF: the picture's orientation (TIFF 6.0, tag 274), 1 to 8.
_ORIENTATION = 274
_TURNED = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHI", _ORIENTATION, 3, 1) + b"%c\0\0\0" + b"\0\0\0\0"

# The beginnings of data that nobody should get. The rest of a broken file is only kept if it contains none of these.
_PRIVATE = (b"Exif\0", b"ns.adobe.com/xap", b"Photoshop 3.0", b"eXIf", b"EXIF", b"XMP ", b"<x:xmpmeta")


def without_metadata(data: bytes) -> bytes:
    """Return a picture without metadata, a film without the places where it was taken, or any other file unchanged.

    In a broken file, parts that may be metadata are left out. This takes linear time.
    """
    for starts, clean in _FORMATS:
        if starts(data):
            try:
                return clean(data)
            except (IndexError, ValueError, RecursionError, struct.error):
                return _rest(data, 0)
    return data


def _jpeg(data: bytes) -> bytes:
    """Return a JPEG (ITU-T T.81, Annex B) with only its colour profile and orientation, up to its end.

    After the end, phones write a film or a second picture, with its own metadata.
    """
    kept, place, turn = [data[:2]], 2, 1
    while True:
        marker = _next_marker(data, place)
        if marker is None:
            kept.append(_rest(data, place))
            break
        name, start, end = marker
        if name == 0xE1 and data.startswith(b"Exif\0\0", start + 4):
            turn = turn_in(data[start + 10 : end])
        elif name not in _JPEG_GONE or _is_colour(name, data[start + 4 : start + 16]):
            kept.append(data[start:end])
        if name == 0xD9:
            break
        place = end
    if turn != 1:
        block = b"Exif\0\0" + _TURNED % turn
        kept.insert(
            2 if kept[1:2] and kept[1][1] == 0xE0 else 1, b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
        )
    return b"".join(kept)


# The application segments, except the first, which is JFIF's, and comments.
_JPEG_GONE = frozenset((*range(0xE1, 0xF0), 0xFE))

# In the data of a scan, FF is followed by 00, a restart marker or another FF, unless it begins a marker.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _next_marker(data: bytes, place: int) -> tuple[int, int, int] | None:
    """Return the name, start and end of a segment, with the scan that follows it; None if no segment is complete."""
    if data[place : place + 1] != b"\xff" or place + 2 > len(data):
        return None
    start = place
    while data[start + 1 : start + 2] == b"\xff":  # fill bytes
        start += 1
    name = data[start + 1] if start + 1 < len(data) else 0
    if name == 0xD9:
        return name, start, start + 2
    if name in (0x00, 0x01) or 0xD0 <= name <= 0xD8:
        return None
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    if end > len(data) or end < start + 4:
        return None
    if name == 0xDA:
        after = _AFTER_SCAN.search(data, end)
        end = after.start() if after else len(data)
    return name, start, end


def _is_colour(name: int, head: bytes) -> bool:
    """Return whether a segment defines the colours: whether it is an ICC profile, or Adobe's marker for CMYK."""
    return (name == 0xE2 and head.startswith(b"ICC_PROFILE\0")) or (name == 0xEE and head.startswith(b"Adobe"))


_PNG_GONE = frozenset((b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"))


def _png(data: bytes) -> bytes:
    """Return a PNG (also an animated one) without its chunks of text, time and EXIF."""
    kept, place = [data[:8]], 8
    while place < len(data):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        end = place + 12 + size
        if end > len(data):
            kept.append(_rest(data, place))
            break
        if kind == b"eXIf" and (turn := turn_in(data[place + 8 : end - 4])) != 1:
            kept.append(_png_chunk(b"eXIf", _TURNED % turn))
        elif kind not in _PNG_GONE:
            kept.append(data[place:end])
        place = end
        if kind == b"IEND":
            break
    return b"".join(kept)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    import zlib  # for the few that are turned

    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _webp(data: bytes) -> bytes:
    """Return a WebP without its chunks of EXIF and XMP (RFC 9649)."""
    kept, place, turn = [], 12, 1
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        end = place + 8 + size + size % 2
        if place + 8 + size > len(data):
            kept.append(_rest(data, place))
            break
        if kind == b"EXIF":
            turn = turn_in(data[place + 8 : end].removeprefix(b"Exif\0\0"))
        elif kind != b"XMP ":
            kept.append(data[place:end])
        place = end
    if turn != 1:
        kept.append(b"EXIF" + struct.pack("<I", len(_TURNED % turn)) + _TURNED % turn)
    if kept and kept[0].startswith(b"VP8X") and len(kept[0]) >= 9:
        flags = kept[0][8] & ~0x0C | (0x08 if turn != 1 else 0)  # EXIF and XMP
        kept[0] = kept[0][:8] + bytes([flags]) + kept[0][9:]
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


# The extensions of a GIF that are kept: for colours and times of frames, plain text, and how often it repeats.
_GIF_KEPT = (b"\x21\xf9", b"\x21\x01", b"\x21\xff\x0bNETSCAPE", b"\x21\xff\x0bANIMEXTS", b"\x21\xff\x0bICCRGBG1")


def _gif(data: bytes) -> bytes:
    """Return a GIF without comments and XMP, with all its frames."""
    place = 13 + (3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    kept = [data[:place]]
    while place < len(data):
        kind = data[place : place + 1]
        if kind == b"\x3b":
            kept.append(kind)
            break
        start = place + 2 if kind == b"\x21" else _gif_blocks(data, place)
        end = _gif_end(data, start) if kind in (b"\x21", b"\x2c") else None
        if end is None:
            kept.append(_rest(data, place))
            break
        if kind == b"\x2c" or data.startswith(_GIF_KEPT, place):
            kept.append(data[place:end])
        place = end
    return b"".join(kept)


def _gif_blocks(data: bytes, place: int) -> int:
    """Return where the blocks of a frame begin: after its descriptor, its own colours, and a byte."""
    packed = data[place + 9] if place + 9 < len(data) else 0
    return place + 11 + (3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0)


def _gif_end(data: bytes, place: int) -> int | None:
    """Return the end of a series of blocks, each preceded by its length; None if the file ends first."""
    while place < len(data):
        size = data[place]
        place += 1 + size
        if size == 0:
            return place
    return None


def _boxes(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield (name, start, start of the content, end) of the boxes of a file like MPEG-4 (ISO/IEC 14496-12)."""
    while place + 8 <= end:
        size, name, head = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[place + 8 : place + 16], "big"), 16
        size = end - place if size == 0 else size
        if size < head or place + size > end:
            return
        yield name, place, place + head, place + size
        place += size


_BOXES_GONE = frozenset((b"Exif", b"xml ", b"brob", b"jumb", b"uuid"))


def _boxed(data: bytes) -> bytes:
    """Return a JPEG XL or JPEG 2000 file without its boxes of metadata."""
    kept, place = [], 0
    for name, start, _, end in _boxes(data, 0, len(data)):
        if name not in _BOXES_GONE:
            kept.append(data[start:end])
        place = end
    return b"".join((*kept, _rest(data, place)))


# EXIF without any tag, after the four bytes that say where it begins. libavif refuses a picture with broken EXIF.
_NO_EXIF = b"\0\0\0\0II*\0\x08" + bytes(9)


def _heif(data: bytes) -> bytes:
    """Return an AVIF or HEIC file (ISO/IEC 23008-12) with its items of EXIF and XMP overwritten.

    The items are not removed, because other parts are found by their offsets. The picture's orientation is not in them.
    """
    found = _Overwritten(data)
    for name, _, start, end in _boxes(data, 0, len(data)):
        if name == b"meta":
            inner = {box: (first, last) for box, _, first, last in _boxes(data, start + 4, end)}
            if b"iinf" in inner and b"iloc" in inner:
                items = dict(_private_items(data, *inner[b"iinf"]))
                base = inner.get(b"idat", (0, 0))[0]
                for item, place, size in _extents(data, *inner[b"iloc"], items, base):
                    found.clear(place, size, _NO_EXIF if items[item] == b"Exif" else b"")
    return bytes(found.data)


class _Overwritten:
    """A file with parts that are overwritten. If they add up to more than twice its size, it is malicious."""

    def __init__(self, data: bytes) -> None:
        self.data, self._left = bytearray(data), 2 * len(data) + 1000

    def clear(self, place: int, size: int, instead: bytes = b"") -> None:
        """Overwrite a part of the file with other bytes or zeros, if the part is within the file.

        Raises ValueError if too much has been overwritten.
        """
        self.spend(size)
        if place + size <= len(self.data):
            self.data[place : place + size] = instead[:size].ljust(size, b"\0")

    def spend(self, size: int) -> None:
        """Count bytes that are read or overwritten; raise ValueError if there are more than twice the file."""
        self._left -= size
        if self._left < 0:
            raise ValueError("its parts overlap")


def _private_items(data: bytes, place: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the numbers and kinds of the items that are EXIF, XMP or other texts, from the box iinf."""
    place += 6 if data[place] == 0 else 8
    for name, _, start, last in _boxes(data, place, end):
        if name != b"infe" or data[start] < 2:
            continue
        wide = 4 if data[start] > 2 else 2
        kind = data[start + 4 + wide + 2 : start + 4 + wide + 6]
        if kind in (b"Exif", b"mime", b"uri ") and start + 4 + wide <= last:
            yield int.from_bytes(data[start + 4 : start + 4 + wide], "big"), kind


def _extents(
    data: bytes, place: int, end: int, items: Mapping[int, bytes], idat: int
) -> Iterator[tuple[int, int, int]]:
    """Yield (number, place, size) of the data of some items, from the box iloc."""
    version, sizes, place = data[place], data[place + 4 : place + 6], place + 6
    offset, length, base, index = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15 if version else 0
    wide = 4 if version == 2 else 2

    def number(size: int) -> int:
        """Return the next number with this many bytes."""
        nonlocal place
        place += size
        return int.from_bytes(data[place - size : place], "big")

    for _ in range(number(wide)):
        item, method = number(wide), number(2) & 15 if version else 0
        number(2)
        start = number(base) + (idat if method == 1 else 0)
        if place > end:
            return  # it claims more items than there is room for
        for _ in range(number(2) if offset + length + index else 0):
            number(index)
            where, size = number(offset), number(length)
            if place > end:
                return
            if item in items:
                yield item, start + where, size


def _film(data: bytes) -> bytes:
    """Return a film (QuickTime, MPEG-4) with the places in it overwritten; the same object if there are none."""
    places = [
        (start, end)
        for name, _, first, last in _boxes(data, 0, len(data))
        if name == b"moov"
        for start, end in _places_in(data, first, last)
    ]
    if not places:
        return data
    found = _Overwritten(data)
    for start, end in places:
        found.clear(start, end - start)
    return bytes(found.data)


def _places_in(data: bytes, place: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each place where a film was taken, in the content of one of its boxes."""
    for name, _, first, last in _boxes(data, place, end):
        if name in (b"\xa9xyz", b"loci"):
            yield first, last
        elif name in (b"udta", b"trak"):
            yield from _places_in(data, first, last)
        elif name == b"meta":
            first += 0 if data[first + 4 : first + 8] in (b"hdlr", b"keys") else 4  # MPEG-4 has a version there
            inner = {box: (start, stop) for box, _, start, stop in _boxes(data, first, last)}
            if b"keys" in inner and b"ilst" in inner:
                keys = [key for _, _, *key in _boxes(data, inner[b"keys"][0] + 8, inner[b"keys"][1])]
                wanted = {n for n, (start, stop) in enumerate(keys, 1) if b"location" in data[start:stop]}
                for number, _, start, stop in _boxes(data, *inner[b"ilst"]):
                    if int.from_bytes(number, "big") in wanted:
                        yield start + 16, stop  # after the head of the value, and its type and language


# TIFF tags that are kept: those needed to find and read the pixels (TIFF 6.0), and the colour profile.
_TIFF_KEPT = frozenset(
    (
        *(254, 255, 256, 257, 258, 259, 262, 266, 296, 297, 301, 332, 334, 336, 347, 34675),
        *(*range(273, 285), *range(290, 294), *range(317, 326), *range(338, 342), *range(512, 522), *range(529, 533)),
    )
)
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TIFF_INNER = (34665, 34853)  # the directories of EXIF and of places


def _tiff(data: bytes) -> bytes:
    """Return a TIFF without the tags that are not about its pixels; their values are overwritten."""
    order = "<" if data.startswith(b"II") else ">"
    found, place, seen = _Overwritten(data), struct.unpack_from(f"{order}I", data, 4)[0], set()
    while place and place not in seen:
        seen.add(place)
        place = _clean_directory(found, place, order, _TIFF_KEPT)
    return bytes(found.data)


def _clean_directory(found: _Overwritten, place: int, order: str, kept_tags: frozenset[int]) -> int:
    """Remove all tags but `kept_tags` from a directory of a TIFF; return the place of the next directory, or 0."""
    count = struct.unpack_from(f"{order}H", found.data, place)[0]
    end = place + 2 + 12 * count
    kept, following = bytearray(), bytes(found.data[end : end + 4])
    found.spend(end - place)
    for entry in range(place + 2, end, 12):
        tag, kind, number, value = struct.unpack_from(f"{order}HHII", found.data, entry)
        if tag in kept_tags:
            kept += found.data[entry : entry + 12]
        elif tag in _TIFF_INNER and kept_tags:
            _clean_directory(found, value, order, frozenset())
        elif (size := number * _TIFF_SIZES.get(kind, 1)) > 4:
            found.clear(value, size)
    body = struct.pack(f"{order}H", len(kept) // 12) + kept + following
    found.data[place : end + 4] = body.ljust(end + 4 - place, b"\0")
    return int(struct.unpack(f"{order}I", following)[0]) if kept_tags else 0


def turn_in(exif: bytes) -> int:
    """Return the orientation in EXIF data, from 1 to 8; 1 (upright) if the data has no valid orientation."""
    order = "<" if exif.startswith(b"II") else ">"
    try:
        place = struct.unpack_from(f"{order}I", exif, 4)[0]
        for number in range(struct.unpack_from(f"{order}H", exif, place)[0]):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, place + 2 + 12 * number)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _rest(data: bytes, place: int) -> bytes:
    """Return the rest of a broken file; nothing if metadata may be in it."""
    return b"" if any(data.find(sign, place) >= 0 for sign in _PRIVATE) else data[place:]


def _starting(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(starts)


def _is_heif(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in (
        b"avif",
        b"avis",
        b"heic",
        b"heix",
        b"hevc",
        b"heim",
        b"mif1",
        b"msf1",
    )


_FORMATS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], bytes]], ...] = (
    (_starting(b"\xff\xd8\xff"), _jpeg),
    (_starting(b"\x89PNG\r\n\x1a\n"), _png),
    (lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP", _webp),
    (_starting(b"GIF87a", b"GIF89a"), _gif),
    (_starting(b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x0cjP  \r\n\x87\n"), _boxed),
    (_is_heif, _heif),
    (_starting(b"II*\0", b"MM\0*"), _tiff),
    (lambda data: data[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free"), _film),
)
