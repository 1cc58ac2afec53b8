"""Bring the output folder up to date. Only files that changed are made, and each file is replaced atomically.

Begin with `builder.build`. It compares the manifest of the last build with the project. If nothing has changed, it
ends there, without importing the renderer, the feeds and the pages. Otherwise `rebuild` plans all files
(`site_files`), makes those whose keys differ, and removes the files that are no longer part of the site (`folder`).

Public modules:
    copied_files  the static folder, and the files that posts show
    folder        write and clean up the output folder, and find feeds in it that no build wrote
    ids           protect the ids of published posts against changes of settings
    manifest      what the last build of an output folder wrote, its problems, and why builds have failed since
    rebuild       make the files of the site, or only the missing web versions
    site_files    plan every file of the site as an output, and list all paths that links can lead to
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publisher.site.build.builder import BuildReport, BuildStart, build

__all__ = ["BuildReport", "BuildStart", "build", "copied_files", "folder", "ids", "manifest", "rebuild", "site_files"]


def __getattr__(name: str) -> Any:
    if name in ("BuildReport", "BuildStart", "build"):
        from publisher.site.build import builder  # not at the top: a command that reads the manifest does not build

        return getattr(builder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
