"""Posts: from a folder of Markdown files to Post objects, and from their bodies to HTML.

The archive walks the folder, reads the front matter of the files that changed, and keeps what it learnt in an index, so
that a build with nothing to do reads no file at all. Front matter of every blog tool ends up as the same Post. A body
is read only when its post is rendered: to HTML that is safe anywhere, with absolute URLs. A post that cannot be read
becomes a Problem and never stops the others. This room knows nothing of feeds, pages or newsletters, which show posts.

Begin with archive.open_archive; then follow one file through head, frontmatter and metadata, and its body through
markup. Other rooms import from these modules:

    allowed_html  what HTML a post may contain
    archive       the posts of a project at one moment
    cache_keys    the keys that say whether something cached is still good
    dates         dates as writers spell them
    enclosures    podcast episodes and other attached files
    encoding      from bytes to clean text
    frontmatter   where front matter ends, and what it says
    head          one file read up to the end of its front matter
    markup        from a Markdown body to a RenderedPost
    permalinks    paths of posts, and their permanent ids
    prose         which lines of a body are prose, and where things are in a file
    published     the ids under which readers already know posts
    scan          which files are posts
    slugs         the path segments of posts, tags and authors
"""

__all__ = [
    "allowed_html",
    "archive",
    "cache_keys",
    "dates",
    "enclosures",
    "encoding",
    "frontmatter",
    "head",
    "markup",
    "permalinks",
    "prose",
    "published",
    "scan",
    "slugs",
]
