"""The exports of Ghost, WordPress and Substack, whose posts become files of this project.

One module reads each tool's file; all of them yield ExportedPosts, which import_posts writes. An existing file is never
changed, so that an import can be stopped and run again.

Public modules:
    export_file   finds which tool wrote a file, and what it contains
    exported      a post of an export, whichever tool it comes from
    import_posts  writes an export's posts, pages and pictures into a project
"""

__all__ = ["export_file", "exported", "import_posts"]
