"""Posts: a folder of Markdown files becomes Post objects, and their bodies become HTML.

The archive walks the folder, reads the front matter of changed files, and stores the result in an index, so that a
build with nothing to do reads no post at all. The front matter of every blog tool becomes the same kind of Post. A body
is read only when its post is rendered, as HTML that is safe anywhere, with absolute URLs. A post that cannot be read
becomes a Problem and never stops the others. This package knows nothing about the feeds, pages and newsletters that
show posts.

Begin with archive.open_archive; then follow one file through head, frontmatter and metadata, and its body through
markup and body.

Public modules:
    allowed_html  the HTML that a post may contain
    archive       the posts of a project at one moment
    body          rendering of a Markdown body, in a child process
    bounded_process  a child process with limits of time and memory for each call
    cache_keys    the keys that show whether a cached output is still valid
    code_tokens   the tokens of code, for its colours
    dates         parsing of dates in front matter
    enclosures    podcast episodes and other attached files
    encoding      decoding of bytes to clean text
    frames        the pages that frames show a part of
    frontmatter   splitting and parsing of front matter
    head          reading of a file up to the end of its front matter
    last_versions  the last readable version of each published post
    lone_tags     tags that would swallow the text behind them, as text
    markup        rendering of posts as RenderedPosts, within limits
    mathml        MathML for the formulas of a post
    media_types   the files beside posts that are published, by their endings
    merge_tags    code of other tools that readers should not see
    nesting       how deeply a body may be nested
    permalinks    paths of posts, and their permanent ids
    pictures      the sizes of pictures, and the smaller copies of them that are shown
    post_id       reading and writing the id in a post's front matter
    preamble      what may come before front matter, and front matter in the wrong place
    prose         the difference between prose and code in a body, and the search for lines in a file
    published     the ids under which readers already know posts
    scan          the search for post files
    slugs         the path segments of posts, tags and authors
    tex           the search for TeX in a body
    typography    small signs that a Markdown parser reads differently from the writer
"""

__all__ = [
    "allowed_html",
    "archive",
    "body",
    "bounded_process",
    "cache_keys",
    "code_tokens",
    "dates",
    "enclosures",
    "encoding",
    "frames",
    "frontmatter",
    "head",
    "last_versions",
    "lone_tags",
    "markup",
    "mathml",
    "media_types",
    "merge_tags",
    "nesting",
    "permalinks",
    "pictures",
    "post_id",
    "preamble",
    "prose",
    "published",
    "scan",
    "slugs",
    "tex",
    "typography",
    "urls",
]
