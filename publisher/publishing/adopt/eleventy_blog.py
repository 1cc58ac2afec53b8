"""Adopts a blog built with Eleventy, by reading eleventy.config.js, its data files and its feed template."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from publisher.posts.blog_tools.data_files import Data, DataError, read_data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, author_of, inner, one_line, table
from publisher.publishing.adopt.blog_settings import (
    feed_kind,
    folder_in,
    take_first,
    take_patterns,
    take_posts,
    without_template,
)
from publisher.publishing.adopt.dated_files import BlogFile, post_folders, texts_below
from publisher.publishing.adopt.script_settings import Script
from publisher.publishing.adopt.tool_files import text_of

_SITE_DATA = ("metadata", "meta", "site", "config", "blog", "siteMeta", "site_data", "siteData", "settings")
_SITE_ENDINGS = ("js", "mjs", "cjs", "json", "yaml", "yml", "toml")
_FEED_PERMALINK = re.compile(
    r"permalink[\"']?[ \t]{0,9}:[ \t]{0,9}[\"'`]?/?([\w./-]{1,100}\.(?:xml|json|rss))\b", re.ASCII
)
_TEMPLATES = (".njk", ".liquid", ".html", ".11ty.js", ".md", ".hbs", ".ejs", ".webc", ".11ty.cjs")
_TAGS = ("addShortcode", "addPairedShortcode", "addAsyncShortcode", "addNunjucksShortcode", "addLiquidShortcode")
_FEED_FOLDERS = ("feed", "feeds", "_feeds", "content", "content/feed", "pages")
_NO_FEEDS = ("sitemap", "robots", "manifest", "search", "browserconfig", "opensearch")


def adopt_eleventy(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Eleventy. file: its configuration."""
    script = Script(text_of(root / file, root))
    folders = _folders(script)
    output = folder_in(folders.get("output")) or "_site"
    found = Findings("eleventy", file, command="npx @11ty/eleventy", output=output)
    top = folder_in(folders.get("input"))
    data = folder_in(folders.get("data")) or f"{top}/_data".lstrip("/")
    _take_site(found, root, data)
    for given in script.calls("addPlugin"):
        if len(given) > 1 and isinstance(of_feed := inner(given[1], "metadata"), dict):
            rows = (("site.title", "title"), ("site.url", "base"), ("site.author.name", "author.name"))
            found.take("feeds.limit", inner(given[1], "collection", "limit"), f"{file}: addPlugin(feedPlugin)")
            take_first(found, of_feed, f"{file}: addPlugin(feedPlugin)", *rows, ("site.description", "subtitle"))
    files = texts_below(root / top, (output, data))
    posts = post_folders(_with_tags(root / top, files))
    take_posts(found, top or ".", posts, f"{file}: dir.input" if top else "Eleventy's folder of texts")
    found.take("posts.permalink", "/{folder}/{file}/", "Eleventy's rule")
    _take_feeds(found, root, root / top)
    _take_copied(found, root, script, top, file)
    found.take("site.timezone", "UTC", "Eleventy's default time zone")
    found.take("posts.time", "00:00", "Eleventy's default time of day")
    _leave(found, root, script, file)
    return found.blog()


def _leave(found: Findings, root: Path, script: Script, file: str) -> None:
    for each in (table(script.exported), table(script.constants.get("config")), *script.returned()):
        if prefix := one_line(each.get("pathPrefix")).strip("/"):
            found.leave(f"{file}: pathPrefix: site.url must end with /{prefix}")
    for name in _TAGS:
        written = [tag for given in script.calls(name) if given and (tag := one_line(given[0]))]
        if own := without_template(root, written):
            shown = ", ".join(own[:12])
            found.leave(f"{file}: {name}: write templates/shortcodes/NAME.html for {shown} if posts use them")
    if own := [name for given in script.calls("addFilter") if given and (name := one_line(given[0]))]:
        found.leave(f"{file}: addFilter: {', '.join(dict.fromkeys(own[:12]))}: filters of your own are not run")


def _folders(script: Script) -> dict[str, Data]:
    """Return the folders that the configuration names."""
    found: dict[str, Data] = {}
    for each in (script.exported, script.constants.get("config"), *script.returned()):
        found |= table(inner(each, "dir"))
    for key, name in (("input", "setInputDirectory"), ("output", "setOutputDirectory"), ("data", "setDataDirectory"),
                      ("includes", "setIncludesDirectory"), ("layouts", "setLayoutsDirectory")):  # fmt: skip
        for given in script.calls(name):
            found[key] = given[0] if given else None
    top = one_line(found.get("input"))
    for key in ("data", "includes", "layouts"):  # they are relative to the input folder
        if own := one_line(found.get(key)):
            found[key] = posixpath.normpath(f"{top}/{own}".lstrip("/"))
    return found


def _take_site(found: Findings, root: Path, data: str) -> None:
    """Take the title and so on from the data file that most starters have."""
    for name in (f"{data}/{each}.{ending}" for each in _SITE_DATA for ending in _SITE_ENDINGS):
        path = root / name
        if not path.is_file():
            continue
        if name.endswith("js"):
            settings: Data = Script(text_of(path, root)).exported
        else:
            try:
                settings = read_data(path, root)
            except DataError as error:
                found.leave(str(error))
                continue
        take_first(
            found,
            settings,
            name,
            ("site.title", "title", "name", "siteTitle"),
            ("site.url", "url", "siteUrl", "baseUrl", "domain"),
            ("site.description", "description", "siteDescription"),
            ("site.language", "language", "lang", "locale"),
        )
        if author := author_of(inner(settings, "author")):
            found.take("site.author.name", author.name, f"{name}: author")
            found.take("site.author.email", author.email, f"{name}: author")
            found.take("site.author.url", author.url, f"{name}: author")


def _with_tags(top: Path, files: list[BlogFile]) -> list[BlogFile]:
    """Return the texts; those in folders with data files count as dated, because folders of posts have such files."""
    folders = {file.path.rpartition("/")[0] for file in files if "/" in file.path}
    own = {each for each in folders if _has_data(top / each)}
    return [
        BlogFile(file.path, is_dated=True)
        if file.path.rpartition("/")[0] in own and not file.path.rpartition("/")[2].startswith("index.")
        else file
        for file in files
    ]


def _has_data(folder: Path) -> bool:
    names = (f"{folder.name}.{ending}" for ending in ("json", "11tydata.js", "11tydata.json", "11tydata.cjs"))
    return any((folder / name).is_file() for name in names)


def _take_feeds(found: Findings, root: Path, top: Path) -> None:
    for given in Script(text_of(root / found.file, root)).calls("addPlugin"):
        for each in given:
            if isinstance(each, dict) and isinstance(each.get("outputPath"), str):
                kind = {"rss": "rss", "json": "json"}.get(one_line(each.get("type")), "atom")
                found.take_feed(one_line(each.get("outputPath")), kind, f"{found.file}: addPlugin(feedPlugin)")
    for folder in (top, *(top / name for name in _FEED_FOLDERS)):
        for path in sorted(folder.iterdir())[:500] if folder.is_dir() else ():
            if path.name.endswith(_TEMPLATES) and path.is_file():
                text = text_of(path, root)
                named = _FEED_PERMALINK.search(text[:3000])
                if named and not any(each in named[1] for each in _NO_FEEDS) and (kind := feed_kind(text)):
                    found.take_feed(named[1], kind, path.relative_to(root).as_posix())


def _take_copied(found: Findings, root: Path, script: Script, top: str, file: str) -> None:
    """Take the folders that Eleventy copies, each with its place on the site."""
    places: list[str] = []
    for given in script.calls("addPassthroughCopy"):
        first = given[0] if given else None
        pairs = first.items() if isinstance(first, dict) else [(one_line(first), None)]
        for name, place in pairs:
            folder = folder_in(name)
            if not folder or "*" in folder or not (root / folder).exists():
                if one_line(name):
                    found.leave(f"{file}: addPassthroughCopy: {one_line(name)}: only folders and files are copied")
                continue
            target = folder_in(place) if place is not None else folder.removeprefix(f"{top}/") if top else folder
            places.append(f"{folder} = /{target}" if target != folder else folder)
    take_patterns(found, "pages.copy", list(dict.fromkeys(places)), f"{file}: addPassthroughCopy")
