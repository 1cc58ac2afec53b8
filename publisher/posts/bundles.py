"""Page bundles: the files that Hugo, Zola and Hexo publish along with the page of a post, whatever their kind.

In Hugo and Zola, a bundle is the folder of a file called index; in Hexo, it is the folder with the name of the post's
file. Without one of these tools, posts publish only pictures, sounds, films and documents, which they show or link to.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from publisher.config import Config, Tool
from publisher.config.private_paths import PublicFiles
from publisher.core.file_names import in_folder
from publisher.posts.scan import ENDINGS
from publisher.posts.unread_kinds import is_unread_kind

_BY_INDEX: tuple[Tool, ...] = ("hugo", "zola")


class Resource(NamedTuple):
    """A file of a bundle. source: its post's source. inside: its path in the bundle. path: its path in the project."""

    source: str
    inside: str
    path: str


def bundle_of(source: str, tool: Tool) -> str:
    """Return the folder, in the posts folder, whose files are published along with a post; "" if there is none."""
    folder, _, name = source.rpartition("/")
    if tool == "hexo":
        return source.rpartition(".")[0]
    return folder if tool in _BY_INDEX and name.partition(".")[0].lower() == "index" else ""


def is_resource(source: str, path: str, config: Config) -> bool:
    """Return whether a file belongs to the bundle of a post. path: the path of the file in the project."""
    bundle = bundle_of(source, config.posts.tool)
    start = in_folder(config.posts.folder, bundle)
    return bool(bundle) and path.startswith(f"{start}/") and _is_taken(path.rpartition("/")[2], config.posts.tool)


def resources(config: Config, sources: Iterable[str]) -> Iterator[Resource]:
    """Yield the files of the bundles of these posts, except private ones and links out of the project."""
    tool, public = config.posts.tool, PublicFiles(config)
    if tool not in (*_BY_INDEX, "hexo"):
        return
    for source in sources:
        bundle = bundle_of(source, tool)
        top = config.root / config.posts.folder / bundle
        if not bundle or not top.is_dir():
            continue
        has_private = public.has_private(top)
        for path, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name[0] != "." and not _is_bundle(Path(path, name), tool))
            for name in sorted(name for name in names if _is_taken(name, tool)):
                file = Path(path, name)
                if file.is_file() and not ((has_private or file.is_symlink()) and public.why_not(file)):
                    inside = file.relative_to(top).as_posix()
                    yield Resource(source, inside, in_folder(config.posts.folder, f"{bundle}/{inside}"))


def output_path(permalink: str, inside: str) -> str:
    """Return the output path of a bundle's file, given the permalink of its post."""
    return permalink[1 : permalink.rindex("/") + 1] + inside


def _is_taken(name: str, tool: Tool) -> bool:
    endings = ".md" if tool == "zola" else ENDINGS
    return name[0] != "." and name[-1] != "~" and not name.lower().endswith(endings) and not is_unread_kind(name)


def _is_bundle(folder: Path, tool: Tool) -> bool:
    """Return whether a folder in a bundle is a bundle itself. Hugo's bundles contain none."""
    names = [path.name for path in folder.iterdir()] if os.access(folder, os.R_OK | os.X_OK) else []
    starts = "_index." if tool == "hugo" else ("index.", "_index.")
    return any(name.lower().startswith(starts) and not _is_taken(name, tool) for name in names)
