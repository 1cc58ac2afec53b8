"""The addresses of a blog's Markdown files that are not posts, such as its documentation.

Posts link to these files. The tool makes their pages, so only the addresses are known here.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from publisher.config import Posts
from publisher.core import patterns
from publisher.core.file_names import is_file
from publisher.posts.blog_tools.names import folder_path, name_segment, title_segment
from publisher.posts.permalinks import file_date, tidy_path
from publisher.posts.slugs import tag_slug

# The folders of the files whose pages are below a path, the most specific first; "" is the whole project.
_ROOTS: dict[str, tuple[tuple[str, str], ...]] = {
    "astro": (("src/pages", "/"), ("src/content", "/")),
    "docusaurus": (("docs", "/docs/"), ("src/pages", "/")),
    "eleventy": (("src", "/"), ("content", "/"), ("", "/")),
    "hexo": (("source", "/"),),
    "hugo": (("content", "/"),),
    "jekyll": (("", "/"),),
    "mkdocs": (("docs", "/"),),
    "pelican": (("content/pages", "/pages/"), ("content", "/")),
    "quarto": (("", "/"),),
    "vitepress": (("docs", "/"), ("", "/")),
    "zola": (("content", "/"),),
}
# Pelican's links: https://docs.getpelican.com/en/stable/content.html#linking-to-internal-content
_PELICAN = patterns.compile(
    r"(?:\{|%7B|\||%7C)(filename|static|attach|tag|category|author|index)(?:\}|%7D|\||%7C)(.*)",
    re.IGNORECASE | re.DOTALL,
)
# How much of a file is searched for its front matter.
_HEAD_BYTES = 4096
_NUMBER = patterns.compile(r"\d{1,4}\s*[-_.]+\s*(?=\S)")
_OWN_ADDRESS = patterns.compile(
    r"^(?:permalink|url|path)[ \t]{0,9}[:=][ \t]{0,9}[\"']?(/[^\"'\s{}:]{0,500})[\"']?[ \t]{0,9}$", re.MULTILINE
)
_LISTS = ("index", "_index", "readme")


def page_of_tool(posts: Posts, root: Path, path: str) -> str:
    """Return the path of the page that the blog's tool makes from a file; "" if it is not known, or there is no file.

    path: the path of the file from the root of the project.
    """
    if not posts.tool or path.startswith("../") or not is_file(root / path):
        return ""
    if not (root / path).resolve().is_relative_to(root.resolve()):
        return ""
    folders = _ROOTS.get(posts.tool, ())
    if posts.tool == "mkdocs" and posts.folder.strip("./"):
        folders = ((posts.folder.partition("/")[0], "/"), *folders)
    for folder, begin in folders:
        if not folder or path.startswith(f"{folder}/"):
            return _address(posts, root, path, begin, path[len(folder) :].lstrip("/"))
    return ""


def content_paths(posts: Posts, path: str) -> list[str]:
    """Return the paths in the project that a path from the root of a tool's content may mean, the likeliest first."""
    folder = posts.folder.strip("/")
    if folder == ".":
        return [path, f"content/{path}"]
    above = (f"{parent}/{path}".removeprefix("./") for parent in PurePosixPath(folder).parents)
    return [f"{folder}/{path}", *above, f"content/{path}"]


def of_pelican(reference: str, folder: str, *, is_here: bool) -> str:
    """Return a link in Pelican's notation, such as {filename}/a.md, as a path; any other link unchanged.

    folder   the folder of the post, relative to the posts folder
    is_here  whether the pages of the site are made here, so that lists of posts and files next to posts are ours
    """
    found = _PELICAN.fullmatch(reference)
    if found is None:
        return reference
    kind, rest = found[1].lower(), found[2]
    if kind in ("filename", "attach") or (kind == "static" and (is_here or rest.startswith("/"))):
        return rest
    if kind == "static":
        return f"/{posixpath.normpath(posixpath.join(folder, rest))}"
    if kind == "index" or (is_here and kind == "author"):
        return "/"
    name = unquote(rest).strip()
    return f"/tags/{tag_slug(name)}/" if is_here else f"/{kind}/{title_segment('pelican', name)}.html"


def _address(posts: Posts, root: Path, path: str, begin: str, rest: str) -> str:
    own = _own_address(root / path)
    if own:
        return own
    folder, _, file = rest.rpartition("/")
    name = file.rpartition(".")[0]
    if posts.tool == "docusaurus":
        folder = "/".join(_NUMBER.sub("", part, count=1) for part in folder.split("/"))
        name = _NUMBER.sub("", name, count=1)
    dated = file_date(name) if posts.tool in ("eleventy", "zola") else None
    below = f"{begin}{folder_path(posts.tool, folder)}/" if folder else begin
    is_folder = (posts.permalink.endswith("/") or posts.tool == "mkdocs") and posts.tool != "pelican"
    if name.lower() in _LISTS:
        return tidy_path(below if is_folder or posts.permalink.endswith(".html") else below.rstrip("/") or "/")
    name = name_segment(posts.tool, dated[1] if dated else name)
    return tidy_path(
        below
        + name
        + ("/" if is_folder else ".html" if posts.permalink.endswith(".html") or posts.tool == "pelican" else "")
    )


def _own_address(file: Path) -> str:
    """Return the path in the front matter of a file; "" if there is none, or if it is not a plain path."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    front = text[3:].partition(f"\n{text[:3]}")[0] if text.startswith(("---", "+++")) else ""
    found = _OWN_ADDRESS.search(front)
    return tidy_path(found[1]) if found else ""
