"""Posts: a folder of Markdown files becomes Post objects, and their bodies become HTML.

The archive walks the folder, reads the front matter of changed files, and stores the result in an index, so that a
build with nothing to do reads no post at all. The front matter of every blog tool becomes the same kind of Post. A body
is read only when its post is rendered, as HTML that is safe anywhere, with absolute URLs. A post that cannot be read
becomes a Problem and never stops the others. This package knows nothing about the feeds, pages and newsletters that
show posts.

Begin with archive.open_archive; then follow one file through head and front_matter, and its body through markup, text
and rendering.

Public modules:
    address_parts    the parts from which the address of a post is built
    adopted_entries  the ids, addresses and times of posts that readers know from an old feed
    archive          the posts of a project at one moment
    blog_tools       what is known about the tools for which the posts of a blog were written
    body_templates   Liquid and Nunjucks in bodies
    bounded_process  a child process with limits of time and memory for each call
    bundles          the files that are published along with the page of a post
    cache_keys       the keys that show whether a cached output is still valid
    chosen_paths     which paths in the posts folder may be posts
    draft_posts      one post as its file is now, whether or not it is public
    formats          posts in formats other than Markdown and HTML
    front_matter     the metadata at the top of a post's file
    head             reading a file up to the end of its front matter
    last_versions    the last readable version of each published post
    markup           rendering of posts as RenderedPosts, within limits
    media_types      the files next to posts that are published, by their extensions
    page_heads       the standalone pages, without their texts
    permalinks       paths of posts, and their permanent ids
    pictures         the sizes of pictures, and the smaller copies of them that are shown
    post_groups      posts by tag, author, language and translation
    published        the ids under which readers already know posts
    rendering        the HTML of a body, safe anywhere
    scan             the search for post files
    shortcodes       shortcodes of Hugo and Zola in bodies
    slugs            the path segments of posts, tags and authors
    social_card      pictures for link previews, with the title of a page
    sources          the feeds of other sites, whose items become posts
    standalone       standalone pages, such as About and Imprint
    tags         the tags of other tools in bodies
    text             the text of a post before a Markdown parser reads it
    urls             absolute addresses, and the local files that they name
    written_days     the day that the beginning of a text names
"""

__all__ = [
    "address_parts",
    "adopted_entries",
    "archive",
    "blog_tools",
    "body_templates",
    "bounded_process",
    "bundles",
    "cache_keys",
    "chosen_paths",
    "draft_posts",
    "formats",
    "front_matter",
    "head",
    "last_versions",
    "markup",
    "media_types",
    "page_heads",
    "permalinks",
    "pictures",
    "post_groups",
    "published",
    "rendering",
    "scan",
    "shortcodes",
    "slugs",
    "social_card",
    "sources",
    "standalone",
    "tags",
    "text",
    "urls",
    "written_days",
]
