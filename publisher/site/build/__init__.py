"""Bring the output folder up to date: make only what changed, and replace each file atomically.

Begin with `builder.build`. It compares the manifest of the last build with the project; if nothing has changed, it
ends there, and has imported neither the renderer nor the feeds and pages. Otherwise `rebuild` plans all files
(`site_files`), makes those whose keys differ, and removes what is left over (`folder`).

copied_files  the static folder, and the files that posts show
folder        the output folder: written atomically, cleaned up; feeds in it that no build wrote
ids           the ids of published posts, which settings must not change
site_files    every file of the site as an output, and the paths that links can lead to
"""

from publisher.site.build.builder import BuildReport, build

__all__ = ["BuildReport", "build", "copied_files", "folder", "ids", "site_files"]
