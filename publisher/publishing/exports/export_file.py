"""The file of an export: which tool wrote it, whatever its name is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, cast

from publisher.publishing.exports.export_archive import ExportArchive
from publisher.publishing.exports.exported import Export, ExportError
from publisher.publishing.exports.ghost import read_ghost
from publisher.publishing.exports.substack import TABLE, read_substack
from publisher.publishing.exports.wordpress import read_wordpress

MOST_JSON = 300_000_000
_WHAT = "isn't an export of Ghost (.json), WordPress (.xml) or Substack (.zip)"
_HINT = "to import subscribers, use `publisher subscribers import`"


@contextmanager
def open_export(path: Path, site_url: str = "") -> Iterator[Export]:
    """Provide the export in a file, which may be packed in a zip archive.

    site_url  the address of the old site, if the export doesn't say it
    Raises ExportError if the file isn't an export, or is damaged.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(100_000)
            size = path.stat().st_size
    except OSError as error:
        raise ExportError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if begin.startswith(b"PK"):
        with ExportArchive(path) as archive:
            yield _in_archive(archive, path, site_url)
        return
    start = begin.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"{", b"[")):
        if size > MOST_JSON:
            raise ExportError(f"is larger than {MOST_JSON // 1_000_000} MB", where=str(path))
        yield read_ghost(path.read_bytes(), str(path))
    elif start.startswith(b"<") and re.search(rb"<(?:rss|\?xml)\b", start):
        yield read_wordpress([lambda: path.open("rb")], str(path))
    else:
        raise ExportError(_WHAT, where=str(path), hint=_HINT)


def _in_archive(archive: ExportArchive, path: Path, site_url: str) -> Export:
    if archive.named(TABLE):
        return read_substack(archive, site_url, str(path))
    if xml := archive.ending(".xml"):
        return read_wordpress([partial(_opened, archive, name) for name in xml], str(path))
    for name in archive.ending(".json"):
        data = archive.read(name)
        if b'"posts"' in data[:50_000_000]:
            return read_ghost(data, f"{path}/{name}")
    raise ExportError(_WHAT, where=str(path), hint=_HINT)


def _opened(archive: ExportArchive, name: str) -> BinaryIO:
    file: IO[bytes] = archive.open(name)
    return cast(BinaryIO, file)
