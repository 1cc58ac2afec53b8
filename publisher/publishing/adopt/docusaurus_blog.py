"""Adopts a blog built with Docusaurus, by reading docusaurus.config.js."""

from __future__ import annotations

from pathlib import Path

from publisher.posts.blog_tools.data_files import Data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, inner, one_line, table, texts
from publisher.publishing.adopt.blog_settings import folder_in, take_first, take_patterns, tell_unread
from publisher.publishing.adopt.dated_files import texts_below
from publisher.publishing.adopt.script_settings import Script
from publisher.publishing.adopt.tool_files import text_of

_TRANSLATED = "docusaurus-plugin-content-blog"
_FEEDS = {"rss": "rss.xml", "atom": "atom.xml", "json": "feed.json"}


def adopt_docusaurus(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Docusaurus. file: its configuration."""
    found = Findings("docusaurus", file, command="npx docusaurus build", output="build")
    settings = table(Script(text_of(root / file, root)).exported)
    if not settings:
        found.leave(f"{file}: its settings cannot be read, because they are made by a program")
    tell_unread(found, settings, file, "title", "url", "baseUrl", "presets", "trailingSlash")
    take_first(found, settings, file, ("site.title", "title"), ("site.description", "tagline"))
    url, base = one_line(settings.get("url")).rstrip("/"), one_line(settings.get("baseUrl")).strip("/")
    if url:
        found.take("site.url", f"{url}/{base}".rstrip("/"), f"{file}: url and baseUrl" if base else f"{file}: url")
    found.take_language("site.language", inner(settings, "i18n", "defaultLocale"), f"{file}: i18n.defaultLocale")
    blogs = [*_blogs(settings, "presets"), *_blogs(settings, "plugins")]
    _take_posts(found, root, blogs, settings, file)
    for other in blogs[1:]:
        found.leave(f"{file}: the blog in {one_line(other.get('path')) or 'blog'}/ too: it needs a project of its own")
    static = [each for name in texts(settings.get("staticDirectories")) or ["static"] if (each := folder_in(name))]
    there = [each for each in static if (root / each).is_dir()]
    if there:
        found.take("pages.static", there[0], "Docusaurus' folder of static files")
        take_patterns(found, "pages.copy", [f"{each} = /" for each in there[1:]], f"{file}: staticDirectories")
    found.take("site.timezone", "UTC", "Docusaurus' default time zone")
    found.take("posts.time", "00:00", "Docusaurus' default time of day")
    return found.blog()


def _take_posts(
    found: Findings, root: Path, blogs: list[dict[str, Data]], settings: dict[str, Data], file: str
) -> None:
    if not blogs and _is_off(settings):
        found.leave(f"{file}: blog: false: the blog is switched off, so there are no posts")
        return
    blog = blogs[0] if blogs else {}
    locales = texts(inner(settings, "i18n", "locales"))
    if len(locales) > 1 and not _take_languages(found, root, locales, blog, file):
        found.leave(f"{file}: i18n.locales: translations in i18n/ are not read, only the posts in {locales[0]}")
    _take_blog(found, root, blog, settings, file)


def _take_languages(found: Findings, root: Path, locales: list[str], blog: dict[str, Data], file: str) -> bool:
    """Take the languages and the folders of translated posts; return whether there are any that can be read."""
    folders = [each for each in locales if (root / "i18n" / each / _TRANSLATED).is_dir() and folder_in(each) == each]
    if not folders or (folder_in(blog.get("path")) or "blog") != "blog" or "include" in blog:
        return False
    found.take("site.languages", locales, f"{file}: i18n.locales")
    found.take("posts.folder", ".", "the posts in blog/ and in i18n/")
    where = "Docusaurus' folders of posts"
    take_patterns(found, "posts.include", ["blog/**", *(f"i18n/{each}/{_TRANSLATED}/**" for each in folders)], where)
    return True


def _take_blog(found: Findings, root: Path, blog: dict[str, Data], settings: dict[str, Data], file: str) -> None:
    folder = folder_in(blog.get("path")) or "blog"
    route = one_line(blog.get("routeBasePath", "blog")).strip("/")
    found.take("posts.folder", folder, f"{file}: blog.path" if "path" in blog else "Docusaurus' folder of posts")
    found.posts = len(texts_below(root / folder))
    take_patterns(found, "posts.include", texts(blog.get("include")), f"{file}: blog.include")
    slash = "/" if settings.get("trailingSlash") is True else ""
    keys = [*(["blog.routeBasePath"] if "routeBasePath" in blog else []), *(["trailingSlash"] if slash else [])]
    where = f"{file}: {' and '.join(keys)}" if keys else "Docusaurus' default"
    found.take("posts.permalink", f"{f'/{route}' if route else ''}/{{slug}}{slash}", where)
    found.take("feeds.limit", inner(blog, "feedOptions", "limit"), f"{file}: blog.feedOptions.limit")
    for kind in _feeds(table(blog.get("feedOptions"))):
        is_set = "feedOptions" in blog
        name = f"{route}/{_FEEDS[kind]}" if route else _FEEDS[kind]
        found.take_feed(name, kind, f"{file}: blog.feedOptions" if is_set else "Docusaurus' default")


def _feeds(options: dict[str, Data]) -> list[str]:
    """Return the formats of the feeds, given their options."""
    kinds = texts(options["type"]) if "type" in options else ["rss", "atom"]
    return list(_FEEDS) if kinds == ["all"] else [each for each in kinds if each in _FEEDS]


def _is_off(settings: dict[str, Data]) -> bool:
    """Return whether a preset switches its blog off."""
    given = settings.get("presets")
    pairs = [each for each in given if isinstance(each, list) and len(each) > 1] if isinstance(given, list) else []
    return any(inner(each[1], "blog") is False for each in pairs)


def _blogs(settings: dict[str, Data], key: str) -> list[dict[str, Data]]:
    """Return the settings of each blog in the presets or plugins, which are pairs of a name and a table."""
    given = settings.get(key)
    pairs = [each for each in given if isinstance(each, list) and len(each) > 1] if isinstance(given, list) else []
    if key == "plugins":
        return [table(each[1]) for each in pairs if one_line(each[0]).endswith("content-blog")]
    return [blog for each in pairs if isinstance(blog := inner(each[1], "blog"), dict)]
