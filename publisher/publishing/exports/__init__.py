"""The exports of Ghost, WordPress and Substack, whose posts become files of this project.

One module reads each tool's file; all of them yield ExportedPosts, which import_posts writes. A file that is there
already is never changed, so that an import can be stopped and run again.

Public modules:
    export_file   which tool wrote a file, and what it contains
    exported      a post of an export, whatever tool it comes from
    import_posts  writing of an export's posts, pages and pictures into a project
"""

__all__ = ["export_file", "exported", "import_posts"]
