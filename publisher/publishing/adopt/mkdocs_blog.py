"""Adopts a blog built with the blog plugin of Material for MkDocs, by reading mkdocs.yml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from publisher.posts.blog_tools.data_files import Data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, inner, one_line, table
from publisher.publishing.adopt.blog_settings import data_of, folder_in, take_first, take_patterns
from publisher.publishing.adopt.dated_files import has_static_files, texts_below

_PART = re.compile(r"\{([a-z_]{1,20})\}")
_FORMAT = re.compile(r"y{1,4}|M{1,4}|d{1,2}|D{1,3}")
# Unicode's date fields, in which Material writes dates, as placeholders.
_FIELDS = {
    "yyyy": "{year}", "y": "{year}", "yy": "{short_year}", "MM": "{month}", "M": "{i_month}", "MMM": "{short_month}",
    "MMMM": "{long_month}", "dd": "{day}", "d": "{i_day}", "DDD": "{y_day}", "D": "{i_y_day}",
}  # fmt: skip


def adopt_mkdocs(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with MkDocs. file: its configuration."""
    found = Findings("mkdocs", file, command="mkdocs build", output="site")
    settings = data_of(found, root, file)
    if output := folder_in(settings.get("site_dir")):
        found = Findings("mkdocs", file, command="mkdocs build", output=output)
    take_first(
        found,
        settings,
        file,
        ("site.title", "site_name"),
        ("site.url", "site_url"),
        ("site.description", "site_description"),
        ("site.language", "theme.language"),
        ("site.author.name", "site_author"),
    )
    plugins = dict(_plugins(settings.get("plugins")))
    docs = folder_in(settings.get("docs_dir")) or "docs"
    blog = plugins.get("blog", plugins.get("material/blog"))
    if blog is None:
        found.leave(f"{file}: there is no blog plugin, so it is not known which pages are posts: set posts.folder")
    _take_posts(found, root, docs, blog or {}, file, is_flat=settings.get("use_directory_urls") is False)
    _take_feeds(found, plugins.get("rss"), file)
    folders = sorted((root / docs).iterdir()) if (root / docs).is_dir() else []
    names = [path.name for path in folders if path.is_dir() and path.name[0] != "." and has_static_files(path)]
    take_patterns(found, "pages.copy", [f"{docs}/{name} = /{name}" for name in names], "MkDocs copies its files")
    found.take("site.timezone", "UTC", "Material's default time zone")
    found.take("posts.time", "00:00", "Material's default time of day")
    others = [
        name for name in plugins if name.split("/")[-1] not in ("blog", "rss", "search", "tags", "meta", "social")
    ]
    if others:
        found.leave(f"{file}: plugins: {', '.join(others[:8])}: plugins are not run")
    return found.blog()


def _take_feeds(found: Findings, rss: dict[str, Data] | None, file: str) -> None:
    if rss is None or rss.get("enabled") is False:
        return
    name = one_line(inner(rss, "feeds_filenames", "rss_created")) or "feed_rss_created.xml"
    found.take_feed(name, "rss", f"{file}: plugins: rss")
    for key, usual in (("rss_updated", "feed_rss_updated.xml"), ("json_created", "feed_json_created.json")):
        own = one_line(inner(rss, "feeds_filenames", key)) or usual
        found.take_feed(own, "json" if key.startswith("json") else "rss", f"{file}: plugins: rss")
    found.take("feeds.limit", rss.get("length"), f"{file}: plugins: rss: length")
    dates = f"{file}: plugins: rss: date_from_meta"
    found.take("site.timezone", one_line(inner(rss, "date_from_meta", "default_timezone")), dates)
    found.take("posts.time", _time(inner(rss, "date_from_meta", "default_time")), dates)


def _time(data: Data) -> str:
    """Return a time of day as HH:MM; "" if it is not one. YAML reads 9:30 as a number of minutes."""
    if isinstance(data, int) and not isinstance(data, bool) and 0 <= data < 1440:
        return f"{data // 60:02}:{data % 60:02}"
    found = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", one_line(data))
    return f"{int(found[1]):02}:{found[2]}" if found and int(found[1]) < 24 and int(found[2]) < 60 else ""


def _plugins(data: Data) -> Iterator[tuple[str, dict[str, Data]]]:
    """Yield the name of each plugin with its settings."""
    for each in data if isinstance(data, list) else []:
        if isinstance(each, str):
            yield each, {}
        for name, own in table(each).items():
            yield name, table(own)
    for name, own in table(data).items():
        yield name, table(own)


def _take_posts(found: Findings, root: Path, docs: str, blog: dict[str, Data], file: str, *, is_flat: bool) -> None:
    below = folder_in(blog.get("blog_dir", "blog"))
    posts = one_line(blog.get("post_dir")) or "{blog}/posts"
    folder = folder_in(f"{docs}/{posts.replace('{blog}', below)}")
    found.take(
        "posts.folder", folder, f"{file}: plugins: blog: post_dir" if "post_dir" in blog else "Material's folder"
    )
    found.posts = len(texts_below(root / folder))
    form = one_line(blog.get("post_url_format")) or "{date}/{slug}"
    dates = one_line(blog.get("post_url_date_format")) or "yyyy/MM/dd"
    day = _FORMAT.sub(lambda part: _FIELDS.get(part[0], part[0]), dates)
    pattern = _PART.sub(lambda part: day if part[1] == "date" else f"{{{part[1]}}}", form)
    where = f"{file}: plugins: blog: post_url_format" if "post_url_format" in blog else "Material's default"
    path = "/".join(filter(None, (below, pattern.strip("/"))))
    found.take("posts.permalink", f"/{path}{'.html' if is_flat else '/'}", where)
