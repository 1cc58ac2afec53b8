"""Find out with which tool a blog is built, and read the tool's configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from publisher.config import Tool
from publisher.core.errors import ProjectError
from publisher.posts.blog_tools.data_files import DataError, read_data
from publisher.publishing.adopt.adopted_blog import FOLDER_NAME, TOOL_NAMES, AdoptedBlog, Taken, inner, one_line
from publisher.publishing.adopt.astro_blog import adopt_astro
from publisher.publishing.adopt.docusaurus_blog import adopt_docusaurus
from publisher.publishing.adopt.eleventy_blog import adopt_eleventy
from publisher.publishing.adopt.hexo_blog import adopt_hexo
from publisher.publishing.adopt.hugo_blog import adopt_hugo
from publisher.publishing.adopt.jekyll_blog import adopt_jekyll
from publisher.publishing.adopt.mkdocs_blog import adopt_mkdocs
from publisher.publishing.adopt.obsidian_blog import adopt_obsidian
from publisher.publishing.adopt.pelican_blog import adopt_pelican
from publisher.publishing.adopt.quarto_blog import adopt_quarto
from publisher.publishing.adopt.tool_files import below, text_of, tools_of
from publisher.publishing.adopt.vitepress_blog import adopt_vitepress
from publisher.publishing.adopt.zola_blog import adopt_zola

_READERS: dict[Tool, Callable[[Path, str], AdoptedBlog]] = {
    "astro": adopt_astro,
    "docusaurus": adopt_docusaurus,
    "eleventy": adopt_eleventy,
    "hexo": adopt_hexo,
    "hugo": adopt_hugo,
    "jekyll": adopt_jekyll,
    "mkdocs": adopt_mkdocs,
    "obsidian": adopt_obsidian,
    "pelican": adopt_pelican,
    "quarto": adopt_quarto,
    "vitepress": adopt_vitepress,
    "zola": adopt_zola,
}


# Where the name of a host is written, for GitHub Pages and the like.
_DOMAIN_FILES = ("CNAME", "static/CNAME", "public/CNAME", "source/CNAME", "content/extra/CNAME", "docs/CNAME")


def recognise(folder: Path) -> AdoptedBlog:
    """Return the findings about the blog in a folder, whichever tool builds it. Nothing is written or run.

    Raises ProjectError if there is no blog of a known tool.
    """
    if not folder.is_dir():
        raise ProjectError(
            "is a file, not a folder" if folder.exists() else "there is no such folder", where=str(folder)
        )
    tools = tools_of(folder)
    if not tools:
        raise _not_found(folder)
    tool, file = tools[0]
    try:
        blog = _READERS[tool](folder, file)
    except DataError as error:
        raise ProjectError(error.message, where=error.where, hint=error.hint) from error
    except OSError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", where=str(error.filename or folder)) from error
    left = [f"{name}: this belongs to {TOOL_NAMES[other]}, and was not read" for other, name in tools[1:]]
    if not blog.posts and blog.value("posts.folder"):
        left.append(
            f"{blog.value('posts.folder')}: no posts with a date were found: see posts.folder and posts.include"
        )
    url = _address(blog, folder)
    taken = [each for each in blog.taken if each.key != "site.url"]
    return replace(blog, taken=(*taken, *url, *_title(blog, folder)), left=(*left, *blog.left))


def _not_found(folder: Path) -> ProjectError:
    if near := below(folder):
        name, tool = near[0]
        hint = f"{name}/ has a blog made with {TOOL_NAMES[tool]}: publisher adopt {folder / name}"
    else:
        hint = f"known tools: {', '.join(TOOL_NAMES.values())}; for any other: publisher init"
    return ProjectError("there is no configuration of a tool that makes blogs", where=str(folder), hint=hint)


def _address(blog: AdoptedBlog, folder: Path) -> list[Taken]:
    """Return the address of the site, completed from other files if the configuration has only a part of it."""
    given = [each for each in blog.taken if each.key == "site.url"]
    if given and urlsplit(str(given[0].value)).hostname:
        return given
    for name in _DOMAIN_FILES:
        if host := one_line(text_of(folder / name, folder)):
            return [Taken("site.url", f"https://{host}", name)]
    try:
        home = one_line(inner(read_data(folder / "package.json", folder), "homepage"))
    except DataError:
        home = ""
    if home.startswith("http") and urlsplit(home).hostname not in (None, "github.com", "gitlab.com"):
        return [Taken("site.url", home.partition("#")[0], "package.json: homepage")]
    return given if given and str(given[0].value).strip("/") else []


def _title(blog: AdoptedBlog, folder: Path) -> list[Taken]:
    return [] if blog.value("site.title") else [Taken("site.title", folder.resolve().name, FOLDER_NAME)]
