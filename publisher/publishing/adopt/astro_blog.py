"""Adopts a blog built with Astro, by reading astro.config.mjs, its routes and the constants of its starters."""

from __future__ import annotations

import re
from pathlib import Path

from publisher.posts.blog_tools.data_files import Data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, inner, one_line, table
from publisher.publishing.adopt.blog_settings import feed_kind, folder_in, take_first, take_posts, tell_unread
from publisher.publishing.adopt.dated_files import PostFolders, post_folders, texts_below
from publisher.publishing.adopt.script_settings import Script
from publisher.publishing.adopt.tool_files import text_of

_STARTERS = ("consts", "config", "site.config", "constants", "site")
_CONSTANTS = tuple(f"src/{name}.{ending}" for name in _STARTERS for ending in ("ts", "js", "mjs"))
_COLLECTIONS = ("src/content.config.ts", "src/content.config.mjs", "src/content/config.ts", "src/content/config.mjs",
                "src/content/config.js", "src/content.config.js")  # fmt: skip
_ROUTE = re.compile(r"(.{0,200}?)\[(?:\.\.\.)?(?:slug|id|path|post)\](\.astro|/index\.astro)")
_FEED = re.compile(r"((?:feed|rss|atom|index)[\w.-]{0,40}\.(?:xml|json))\.(?:js|ts|mjs)", re.ASCII)


def adopt_astro(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Astro. file: its configuration."""
    settings = table(Script(text_of(root / file, root)).exported)
    output = folder_in(settings.get("outDir")) or "dist"
    found = Findings("astro", file, command="npx astro build", output=output)
    tell_unread(found, settings, file, "site", "base", "trailingSlash")
    if not settings:
        found.leave(f"{file}: its settings cannot be read, because they are made by a program")
    site, base = one_line(settings.get("site")).rstrip("/"), one_line(settings.get("base")).strip("/")
    found.take("site.url", f"{site}/{base}".rstrip("/") if site else "", f"{file}: site{' and base' if base else ''}")
    found.take_language("site.language", inner(settings, "i18n", "defaultLocale"), f"{file}: i18n.defaultLocale")
    _take_constants(found, root)
    folder, posts = _posts(root)
    take_posts(
        found, folder, posts, "Astro's folder of posts" if folder != "src/content" else "Astro's folder of texts"
    )
    _take_permalink(found, root, settings, folder, file)
    pages = root / "src/pages"
    for path in sorted(pages.rglob("*.xml.*"))[:50] + sorted(pages.rglob("*.json.*"))[:50]:
        if _FEED.fullmatch(path.name):
            name = path.relative_to(pages).as_posix().rpartition(".")[0]
            kind = feed_kind(text_of(path, root)) or (
                "json" if name.endswith(".json") else "atom" if "atom" in name else "rss"
            )
            found.take_feed(name, kind, f"src/pages/{name}")
    public = folder_in(settings.get("publicDir")) or "public"
    if (root / public).is_dir():
        found.take("pages.static", public, "Astro's folder of static files")
    if (root / "src/assets").is_dir():
        found.leave("src/assets/: pictures that posts name by an alias, such as ~/assets/a.png, need a relative path")
    found.take("site.timezone", "UTC", "Astro's default time zone")
    found.take("posts.time", "00:00", "Astro's default time of day")
    return found.blog()


def _take_constants(found: Findings, root: Path) -> None:
    """Take the values that Astro's starters keep in a file of constants."""
    for name in _CONSTANTS:
        constants = Script(text_of(root / name, root)).constants
        tables = [value for value in constants.values() if isinstance(value, dict)]
        rows = (("site.title", "SITE_TITLE", "TITLE"), ("site.description", "SITE_DESCRIPTION", "DESCRIPTION"))
        take_first(found, constants, name, *rows, ("site.author.name", "SITE_AUTHOR", "AUTHOR"))
        for each in tables:
            take_first(found, each, name, ("site.title", "title", "name"), ("site.description", "description", "desc"))
            take_first(found, each, name, ("site.author.name", "author"), ("site.language", "lang", "language"))
            take_first(found, each, name, ("site.timezone", "timezone"), ("site.url", "website", "url"))


def _posts(root: Path) -> tuple[str, PostFolders]:
    """Return the folder of the posts: the folder of a collection, or of pages in Markdown."""
    bases = []
    for name in _COLLECTIONS:
        for given in Script(text_of(root / name, root)).calls("glob"):
            bases += [folder for each in given if (folder := folder_in(inner(each, "base")))]
    content = root / "src/content"
    bases += [f"src/content/{path.name}" for path in sorted(content.iterdir())] if content.is_dir() else []
    best: tuple[str, PostFolders] = ("src/content", PostFolders((), (), ()))
    for folder in dict.fromkeys((*bases, "src/pages")):
        files = texts_below(root / folder)
        posts = post_folders(files)
        if len(posts.dated) > len(best[1].dated):
            best = (folder, posts)
    return best


def _take_permalink(found: Findings, root: Path, settings: dict[str, Data], folder: str, file: str) -> None:
    is_flat = inner(settings, "build", "format") == "file"
    slash = inner(settings, "trailingSlash")
    ending = ".html" if is_flat and slash != "never" else "" if slash == "never" else "/"
    why = f"{file}: trailingSlash" if slash else f"{file}: build.format" if is_flat else ""
    if folder == "src/pages":
        found.take("posts.permalink", f"/{{folder}}/{{file}}{ending}", why or "Astro's rule for pages")
        return
    pages = root / "src/pages"
    routes = [path.relative_to(pages).as_posix() for path in sorted(pages.rglob("*.astro"))[:500]]
    name = folder.rpartition("/")[2]
    matches = [route for each in routes if (route := _ROUTE.fullmatch(each))]
    best = sorted(matches, key=lambda route: (name not in route[1], "blog" not in route[1] and "post" not in route[1]))
    if best and "[" not in best[0][1]:
        path = f"/{best[0][1]}{{folder}}/{{slug_or_file}}{ending}"
        found.take("posts.permalink", path, f"src/pages/{best[0][0]}{f', {why}' if why else ''}")
    else:
        found.take(
            "posts.permalink", f"/{name}/{{folder}}/{{slug_or_file}}{ending}", "a guess, because no route was found"
        )
        found.leave("src/pages/: no [slug].astro shows the addresses of posts: set posts.permalink")
