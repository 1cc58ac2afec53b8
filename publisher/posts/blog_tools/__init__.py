"""Knowledge about the tools for which a blog's posts were written.

`posts.tool` names the tool. The tool's own files contain data that the posts rely on: values for a whole folder, people
with a short id, data that texts show. They are read at run time, from the root of the project, and come from outside:
each read is bounded in size, depth and time, and never leaves the project. Each module knows one kind of rule for all
tools, and nothing about how a post is read or rendered.

Public modules:
    author_data  people whom posts name by a short id
    data_files   data in YAML, TOML, JSON and CSV
    defaults     fields that a tool's files give to all posts in a folder
    heading_ids  the ids of headings
    list_pages   pages in the posts folder, such as lists of posts
    names        the path segments of names, titles and categories
    path_languages  the language that the path of a file names
"""

__all__ = [
    "author_data",
    "data_files",
    "defaults",
    "heading_ids",
    "list_pages",
    "names",
    "path_languages",
]
