"""The files next to posts that a build publishes, by extension, with their media types.

One table says which files are copied, their types in feeds, and which are measured as enclosures. It contains pictures,
sounds, films, subtitles and documents only, since a link must never publish a configuration file or a database.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

PICTURES: Mapping[str, str] = {
    ".apng": "image/apng",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".ico": "image/x-icon",
    ".j2k": "image/j2k",
    ".jfif": "image/jpeg",
    ".jp2": "image/jp2",
    ".jpe": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".jxl": "image/jxl",
    ".pjp": "image/jpeg",
    ".pjpeg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}
_SOUNDS = {
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".mid": "audio/midi",
    ".midi": "audio/midi",
    ".mka": "audio/x-matroska",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",  # RFC 7845 section 9
    ".spx": "audio/ogg",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".wma": "audio/x-ms-wma",
}
_FILMS = {
    ".3g2": "video/3gpp2",
    ".3gp": "video/3gpp",
    ".avi": "video/x-msvideo",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".ogv": "video/ogg",
    ".webm": "video/webm",
    ".wmv": "video/x-ms-wmv",
}
_WORDS_OF_THEM = {
    ".lrc": "text/plain",
    ".sbv": "text/plain",
    ".srt": "application/x-subrip",
    ".ttml": "application/ttml+xml",
    ".vtt": "text/vtt",
}
_DOCUMENTS = {
    ".azw3": "application/vnd.amazon.ebook",
    ".bib": "text/x-bibtex",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".gz": "application/gzip",
    ".ics": "text/calendar",
    ".mobi": "application/x-mobipocket-ebook",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".pdf": "application/pdf",
    ".ppt": "application/vnd.ms-powerpoint",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".tar": "application/x-tar",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}
MEDIA_TYPES: Mapping[str, str] = {**PICTURES, **_SOUNDS, **_FILMS, **_WORDS_OF_THEM, **_DOCUMENTS}

# Pictures that most browsers do not show. The first are converted to JPEG; nothing here can read the others.
CONVERTED = frozenset((".heic", ".heif", ".j2k", ".jp2", ".tif", ".tiff"))
NOT_SHOWN = frozenset((".jxl",))


def ending_of(path: str) -> str:
    """Return the extension of a path in lower case, with its dot; "" if it has none."""
    return posixpath.splitext(path)[1].lower()


def is_published(path: str) -> bool:
    """Return whether a build publishes such a file next to a post, judging by its extension."""
    return ending_of(path) in MEDIA_TYPES


def is_picture(path: str) -> bool:
    """Return whether a file, judging by its extension, is a picture of a kind that has metadata."""
    return ending_of(path) in PICTURES and ending_of(path) != ".svg"


def has_places(path: str) -> bool:
    """Return whether a file, judging by its extension, is a picture or film that may say where it was taken."""
    return is_picture(path) or ending_of(path) in (".3g2", ".3gp", ".m4v", ".mov", ".mp4")


def media_type_of(path: str) -> str:
    """Return the media type for a file's extension; "" if it is not known."""
    ending = ending_of(path)
    if ending in MEDIA_TYPES:
        return MEDIA_TYPES[ending]
    import mimetypes  # only for rare extensions

    # A new table contains only Python's own types, without those that the machine adds.
    return mimetypes.MimeTypes().guess_type(f"file{ending}")[0] or ""
