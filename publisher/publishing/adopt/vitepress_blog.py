"""Adopts a blog built with VitePress, by reading .vitepress/config.js."""

from __future__ import annotations

from pathlib import Path

from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, inner, one_line, table, texts
from publisher.publishing.adopt.blog_settings import folder_in, take_first, take_posts, tell_unread
from publisher.publishing.adopt.dated_files import post_folders, texts_below
from publisher.publishing.adopt.script_settings import Script
from publisher.publishing.adopt.tool_files import text_of


def adopt_vitepress(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with VitePress. file: its configuration."""
    settings = table(Script(text_of(root / file, root)).exported)
    output = folder_in(settings.get("outDir")) or ".vitepress/dist"
    found = Findings("vitepress", file, command="npx vitepress build", output=output)
    if not settings:
        found.leave(f"{file}: its settings cannot be read, because they are made by a program")
    tell_unread(found, settings, file, "title", "lang", "base", "cleanUrls", "srcDir")
    take_first(
        found,
        settings,
        file,
        ("site.title", "title", "locales.root.title"),
        ("site.description", "description", "locales.root.description"),
        ("site.language", "lang", "locales.root.lang"),
    )
    host, base = one_line(inner(settings, "sitemap", "hostname")).rstrip("/"), one_line(settings.get("base")).strip("/")
    if host:
        whole = host if not base or host.endswith(f"/{base}") else f"{host}/{base}"
        found.take("site.url", whole, f"{file}: sitemap.hostname{' and base' if base else ''}")
    locales = [name for name in table(settings.get("locales")) if name != "root"]
    if locales:
        found.take("site.languages", [str(found.value("site.language") or "en"), *locales], f"{file}: locales")
    folder = folder_in(settings.get("srcDir"))
    posts = post_folders(texts_below(root / folder))
    take_posts(found, folder or ".", posts, f"{file}: srcDir" if folder else "VitePress' folder of texts")
    clean = settings.get("cleanUrls") is True
    where = f"{file}: cleanUrls" if clean else "VitePress' default"
    found.take("posts.permalink", "/{folder}/{file}" if clean else "/{folder}/{file}.html", where)
    if settings.get("rewrites"):
        found.leave(f"{file}: rewrites: they are not read; set posts.permalink, or a permalink in the posts")
    public = f"{folder}/public" if folder else "public"
    if (root / public).is_dir():
        found.take("pages.static", public, "VitePress' folder of static files")
    if excluded := texts(settings.get("srcExclude")):
        found.leave(f"{file}: srcExclude: {', '.join(excluded[:5])}: see posts.exclude")
    found.leave("the feed, if there is one, is made by a program: publisher adopt --feed ADDRESS keeps its ids")
    found.take("site.timezone", "UTC", "VitePress' default time zone")
    found.take("posts.time", "00:00", "VitePress' default time of day")
    return found.blog()
