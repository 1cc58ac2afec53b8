"""Adopts a blog built with Hexo, by reading its _config.yml."""

from __future__ import annotations

import re
from pathlib import Path

from publisher.posts.blog_tools.data_files import Data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, inner, one_line, texts
from publisher.publishing.adopt.blog_settings import data_of, folder_in, take_first, take_patterns
from publisher.publishing.adopt.dated_files import has_static_files, texts_below
from publisher.publishing.adopt.tool_files import text_of
from publisher.publishing.new_project import local_zone

_TOKEN = re.compile(r":([a-z_]+)")
# Hexo's tokens that have different names here: https://hexo.io/docs/permalinks
_PLACEHOLDERS = {
    "title": "{folder}/{file}", "name": "{file}", "post_title": "{title}", "category": "{categories}",
    "y_day": "{i_y_day}",
}  # fmt: skip
_KINDS = {"atom": ("atom.xml", "atom"), "rss2": ("rss2.xml", "rss")}


def adopt_hexo(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Hexo. file: its configuration."""
    found = Findings("hexo", file, command="hexo generate", output="public")
    settings = data_of(found, root, file)
    if output := folder_in(settings.get("public_dir")):
        found = Findings("hexo", file, command="hexo generate", output=output)
    take_first(
        found,
        settings,
        file,
        ("site.title", "title"),
        ("site.description", "description", "subtitle"),
        ("site.timezone", "timezone"),
        ("site.author.name", "author"),
        ("site.author.email", "email"),
    )
    _take_address(found, settings, file)
    languages = texts(settings.get("language"))
    found.take_language("site.language", languages[0] if languages else "", f"{file}: language")
    if len([each for each in languages if each != "default"]) > 1:
        found.take("site.languages", languages, f"{file}: language")
    source = folder_in(settings.get("source_dir")) or "source"
    found.take(
        "posts.folder", f"{source}/_posts", f"{file}: source_dir" if source != "source" else "Hexo's folder of posts"
    )
    found.posts = len(texts_below(root / source / "_posts"))
    _take_permalink(found, settings, file)
    _take_feed(found, root, settings, file)
    folders = sorted((root / source).iterdir()) if (root / source).is_dir() else []
    names = [path.name for path in folders if path.is_dir() and path.name[0] not in "._" and has_static_files(path)]
    take_patterns(found, "pages.copy", [f"{source}/{name} = /{name}" for name in names], "Hexo copies what is there")
    found.take("site.timezone", local_zone(), "Hexo's default: that of this computer")
    found.take("posts.time", "00:00", "Hexo's default time of day")
    if settings.get("future") is not False:
        found.leave(f"{file}: future: posts with a date in the future appear on that date")
    scripts = sorted(path.name for path in (root / "scripts").glob("*.js"))
    if scripts:
        found.leave(f"scripts/: {', '.join(scripts[:5])}: scripts are not run; write a template for each of their tags")
    return found.blog()


def _take_address(found: Findings, settings: dict[str, Data], file: str) -> None:
    url, path = one_line(settings.get("url")).rstrip("/"), one_line(settings.get("root")).strip("/")
    if url:
        whole = url if not path or url.endswith(f"/{path}") else f"{url}/{path}"
        found.take("site.url", whole, f"{file}: url and root" if whole != url else f"{file}: url")


def _take_permalink(found: Findings, settings: dict[str, Data], file: str) -> None:
    written = one_line(settings.get("permalink"))
    naming = one_line(settings.get("new_post_name"))
    pattern = _TOKEN.sub(lambda token: _token(token[1], naming), written or ":year/:month/:day/:title/")
    if "trailing_index" not in one_line(inner(settings, "pretty_urls")) and pattern.endswith("/index.html"):
        pattern = (
            pattern.removesuffix("index.html") if inner(settings, "pretty_urls", "trailing_index") is False else pattern
        )
    where = f"{file}: permalink: {written}" if written else "Hexo's default"
    found.take("posts.permalink", f"/{pattern.lstrip('/')}", where)


def _token(name: str, naming: str) -> str:
    """Return our placeholder for one of Hexo's. naming: its setting new_post_name, which may put the day in front."""
    if name == "title" and ":day" in naming:
        return "{folder}/{name}"
    return _PLACEHOLDERS.get(name, f"{{{name}}}")


def _take_feed(found: Findings, root: Path, settings: dict[str, Data], file: str) -> None:
    if "hexo-generator-feed" not in text_of(root / "package.json", root) and not settings.get("feed"):
        return
    found.take("feeds.limit", inner(settings, "feed", "limit"), f"{file}: feed.limit")
    kinds, paths = texts(inner(settings, "feed", "type")) or ["atom"], texts(inner(settings, "feed", "path"))
    for number, kind in enumerate(kinds):
        usual, form = _KINDS.get(kind, ("", ""))
        path = paths[number] if number < len(paths) else usual
        if form:
            found.take_feed(path, form, f"{file}: feed.path" if paths else "hexo-generator-feed")
