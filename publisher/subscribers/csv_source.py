"""Opening a subscriber file: its encoding, or its format if it is not a text file.

A byte-order mark determines the encoding. Without one, the file is UTF-8, or whatever the operator says.
"""

from __future__ import annotations

import codecs
import io
import re
import shutil
import tempfile
from pathlib import Path
from typing import IO, BinaryIO

from publisher.core.errors import SubscriberError

_HEAD = 8_192  # bytes to examine

# UTF-32 comes first, because its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_SAVE = "save it as CSV UTF-8, and import that"
# The first bytes of files that are often mistaken for a list, the format, and what to do with such a file.
_KINDS = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", _SAVE),
    (b"%PDF", "a PDF", "export the list as CSV"),
    (b"\x1f\x8b", "a compressed file", "unpack it first"),
    (b"7z\xbc\xaf", "a compressed file", "unpack it first"),
    (b"Rar!", "a compressed file", "unpack it first"),
    (b"SQLite format 3\0", "a SQLite database", "export the list as CSV"),
    (b"\x89PNG", "a picture", ""),
    (b"\xff\xd8\xff", "a picture", ""),
)
_PACKED = (
    (b"xl/", "an Excel workbook", _SAVE),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", _SAVE),
    (b"word/", "a Word document", "export the list as CSV"),
    (b"Index/", "a Numbers spreadsheet", "export it as CSV, in UTF-8"),
)
_TEXTS = (
    (re.compile(rb"\s*<(!doctype|html|\?xml|table)", re.IGNORECASE), "a web page or XML", "export the list as CSV"),
    (re.compile(rb"\s*(\{\s*[\"}]|\[\s*[\[{\"])"), "JSON", "export the list as CSV"),
    (re.compile(rb"\s*BEGIN:VCARD", re.IGNORECASE), "a file of vCards", "export the list as CSV"),
    (re.compile(rb"\s*\{\\rtf"), "a text with formatting (RTF)", "save it as plain text, in UTF-8"),
)
_OF_WINDOWS = frozenset("äöüßÄÖÜéèêëÉÈÊçÇáàâãåæÁÀÂÃÅÆñÑíìîïÍóòôõøÓÒÔÕØœŒúùûÚÙÛýÿšŠžŽ’‘“”„–—…€´°§©®·ªº¡¿«»\xa0")
_ABOVE_ASCII = re.compile("[\udc80-\udcff]+")
MOST_OF_ONE_WORD = 2  # the most consecutive accented letters in the languages of Windows-1252


def open_source(path: Path, encoding: str = "") -> tuple[BinaryIO, io.TextIOWrapper, str]:
    """Open a subscriber file; return its bytes, its text, and the encoding used for reading it.

    Bytes that are not valid in the encoding become lone surrogates. A pipe is copied to a temporary file, so that it
    can be read twice.
    encoding: the encoding that the operator chose; "" for that of the file's byte-order mark, or else UTF-8.

    Raises SubscriberError if the file cannot be read, or is not a text file, or if the encoding is not known.
    """
    try:
        opened: IO[bytes] = path.open("rb")
        if not opened.seekable():
            opened = _copied(opened)
        head = opened.read(_HEAD)
        opened.seek(0)
    except OSError as error:
        raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        marked = next((name for mark, name in _MARKS if head.startswith(mark)), "")
        if not marked:
            _require_text(head, encoding)
        name = marked or (_text_codec(encoding) if encoding else "utf-8")
    except SubscriberError as error:
        opened.close()
        raise SubscriberError(error.message, where=str(path), hint=error.hint) from error
    errors = "replace" if name.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return opened, io.TextIOWrapper(opened, encoding=name, errors=errors, newline=""), name  # type: ignore[return-value]


def is_text(cell: str) -> bool:
    """Return whether every byte of a cell was valid in the encoding of the file."""
    return cell.isascii() or cell.isprintable() or not _ABOVE_ASCII.search(cell)


def likely_encoding(line: str) -> str:
    """Return "windows-1252" if a line that is not valid UTF-8 is certainly in that encoding, otherwise "".

    It is certain if no byte sequence in the line is UTF-8, and all bytes above ASCII become western European letters
    and symbols, hardly ever several in a row.
    """
    if any(not "\udc80" <= character <= "\udcff" for character in line if not character.isascii()):
        return ""  # part of it is UTF-8, so the rest is damaged
    found = _ABOVE_ASCII.findall(line)
    try:
        words = [word.encode("utf-8", "surrogateescape").decode("cp1252") for word in found]
    except UnicodeDecodeError:
        return ""
    western = all(len(word) <= MOST_OF_ONE_WORD and set(word) <= _OF_WINDOWS for word in words)
    return "windows-1252" if words and western else ""


def _copied(pipe: IO[bytes]) -> IO[bytes]:
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with pipe:
        shutil.copyfileobj(pipe, copy)
    copy.seek(0)
    return copy


def _require_text(head: bytes, encoding: str) -> None:
    """Raise SubscriberError, which names the format, if these first bytes do not begin a table in a text file."""
    what, hint = next(((what, hint) for sign, what, hint in _KINDS if head.startswith(sign)), ("", ""))
    if head.startswith(b"PK\x03\x04"):
        archive = ("a zip archive", "unpack it, and import the CSV files in it")
        what, hint = next(((what, hint) for sign, what, hint in _PACKED if sign in head), archive)
    if not what:
        what, hint = next(((what, hint) for sign, what, hint in _TEXTS if sign.match(head)), ("", ""))
    if what:
        raise SubscriberError(f"this is {what}, not a CSV file", hint=hint)
    if not encoding and head[: len(head) // 2 * 2].count(0) > len(head) // 4 > 0:
        likely = "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
        raise SubscriberError("this is not UTF-8, but seems to be UTF-16", hint=f"add --encoding {likely}")


def _text_codec(name: str) -> str:
    try:
        "".encode(name)
        b"".decode(name)
        known = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        known = ""
    if not known or known in (
        "idna",
        "punycode",
        "unicode_escape",
        "raw-unicode-escape",
        "unicode-escape",
        "undefined",
    ):
        raise SubscriberError(f"there is no encoding {name!r}", hint="use one such as utf-8, windows-1252 or utf-16")
    return known
