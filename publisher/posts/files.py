"""Which file of the project a reference in a post means, and where that file is published.

A reference is always joined to the post's own address. When the same reference, read from the post's file,
names a file of the project, that file is copied to the joined address: what is written works in an editor's
preview, on the page, in feeds and in letters.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Only what readers look at, listen to or download: a link must never publish a configuration or a database.
_MEDIA = re.compile(
    r"\.(?:avif|bmp|gif|ico|jpe?g|png|svg|tiff?|webp|aac|flac|m4a|mp3|oga|ogg|opus|wav|m4v|mov|mp4|ogv|webm|vtt"
    r"|epub|pdf|zip|tar|gz|docx?|odt|ods|odp|pptx?|xlsx?|ics|bib)$",
    re.IGNORECASE,
)

_LONGEST_NAME = 255


def local_file(reference: str, address: str, site_url: str, folder: str, source: str) -> tuple[str, str] | None:
    """Return (site path, path in the project) of the file a reference may mean, None where it can mean none.

    reference  as written in the post; address: the same, absolute
    folder     the posts folder, relative to the project; source: the post's file in it
    The file need not exist. Never a hidden file, and never one outside the project.
    """
    if not address.startswith(f"{site_url}/") or not _MEDIA.search(urlsplit(reference).path):
        return None
    base = urlsplit(site_url).path.rstrip("/")
    path = unquote(urlsplit(reference).path)
    path = path[len(base) :] if path.startswith(f"{base}/") else path
    start = "" if path.startswith("/") else posixpath.dirname(posixpath.join(folder, source))
    project_path = posixpath.normpath(posixpath.join(start, path.lstrip("/")))
    if project_path.startswith("..") or any(part.startswith(".") for part in project_path.split("/")):
        return None
    if "\0" in project_path or max(map(len, project_path.encode("utf-8", "replace").split(b"/"))) > _LONGEST_NAME:
        return None  # no system can be asked for it
    site_path = re.sub("/+", "/", unquote(urlsplit(address).path)[len(base) :].lstrip("/"))
    if not site_path or ".." in site_path.split("/"):
        return None
    return site_path, project_path


def is_disguised(root: Path, project_path: str) -> bool:
    """Return whether a file is a link to one outside the project, or to what is no picture, sound or document."""
    real = os.path.realpath(root / project_path)
    return not _MEDIA.search(real) or not Path(real).is_relative_to(os.path.realpath(root))
