"""Make a project from a blog built with another tool: take over its configuration, its old feed and its addresses.

`recognise` finds the tool by its own files and reads what they say: where the posts are, their addresses, the title and
language of the site, the paths of its feeds. No code of the blog is run. Settings in JavaScript or Python are read as
far as they are plain values. `adopted_project` makes the text of publisher.toml from these findings, and writes the
files of the project next to those of the blog.

Public modules:
    adopted_blog     what is known about a blog, and where it was found
    adopted_project  publisher.toml for a blog, and the files of the project
    old_addresses    compares the addresses of the old site and the new one
    old_feed         takes over what feed readers know from the old feed: ids, addresses and times
    recognise        read the configuration of the tool
    tool_files       the files by which each tool is recognised
"""

__all__ = ["adopted_blog", "adopted_project", "old_addresses", "old_feed", "recognise", "tool_files"]
