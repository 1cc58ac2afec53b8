"""Adopts a blog built with Jekyll, by reading its _config.yml."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from publisher.posts.address_parts import from_jekyll
from publisher.posts.blog_tools.data_files import Data
from publisher.posts.blog_tools.path_languages import language_of_folder
from publisher.publishing.adopt.adopted_blog import (
    AdoptedBlog,
    Findings,
    author_of,
    inner,
    language,
    one_line,
    table,
    texts,
)  # fmt: skip
from publisher.publishing.adopt.blog_settings import data_of, feed_kind, folder_in, take_first, take_patterns
from publisher.publishing.adopt.dated_files import has_static_files, texts_below
from publisher.publishing.adopt.tool_files import text_of

# How much of a template is read to see whether it is a feed.
_FEED_NAMES = re.compile(r"(?:feed|atom|rss|index|posts|blog)[\w.-]{0,40}\.(?:xml|json|rss)", re.ASCII | re.IGNORECASE)
# Files that browsers, search engines and hosts look for at the top of a site.
_ROOT_FILE = re.compile(
    r"CNAME|(?:robots|ads|app-ads|humans|security|llms)\.txt|[0-9a-f]{8,128}\.txt|google[0-9a-f]{8,32}\.html"
    r"|(?:browserconfig|BingSiteAuth)\.xml|manifest\.json|[^._#~][^/]{0,100}\.(?:webmanifest|ico|png|svg|jpe?g|gif|webp|avif)",
    re.ASCII,
)
_MOST_ROOT_FILES = 40
_NOT_PUBLISHED = frozenset(("node_modules", "vendor", "_feeds", "_public", "templates", "letters", "pages", "posts"))


def adopt_jekyll(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Jekyll. file: its configuration, or its folder of posts."""
    found = Findings("jekyll", file, command="jekyll build", output="_site")
    settings = data_of(found, root, file) if not file.endswith("/") else {}
    destination = folder_in(settings.get("destination"))
    if destination:
        found = _again(found, destination)
    _take_site(found, settings, file)
    source = folder_in(settings.get("source"))
    _take_posts(found, root, source, folder_in(settings.get("collections_dir")))
    _take_permalink(found, settings, file)
    _take_feeds(found, root, root / source, settings, file)
    _take_static(found, root, source, texts(settings.get("exclude")))
    _take_authors(found, settings)
    _leave(found, root / source, settings, file)
    return found.blog()


def _again(found: Findings, output: str) -> Findings:
    return Findings(found.tool, found.file, command="jekyll build", output=output)


def _take_site(found: Findings, settings: dict[str, Data], file: str) -> None:
    take_first(
        found,
        settings,
        file,
        ("site.title", "title", "name"),
        ("site.description", "description", "tagline", "subtitle"),
        ("site.language", "lang", "locale", "language", "default_lang"),
        ("site.timezone", "timezone"),
        ("feeds.limit", "feed.posts_limit"),
    )
    url = one_line(settings.get("url")).rstrip("/")
    base = one_line(settings.get("baseurl")).strip("/")
    if url:
        where = f"{file}: url and baseurl" if base else f"{file}: url"
        found.take("site.url", f"{url}/{base}" if base else url, where)
    found.take("site.languages", texts(settings.get("languages")), f"{file}: languages")
    author = author_of(settings.get("author"))
    person = table(settings.get("author"))
    found.take("site.author.name", author.name if author else "", f"{file}: author")
    found.take("site.author.email", author.email if author else "", f"{file}: author")
    found.take("site.author.email", settings.get("email"), f"{file}: email")
    found.take("site.author.url", person.get("url"), f"{file}: author")
    found.take("site.timezone", "UTC", "Jekyll's default on a server")
    found.take("posts.time", "00:00", "Jekyll's default time of day")


def _take_posts(found: Findings, root: Path, source: str, collections: str) -> None:
    """Take the folder of posts; if there are several, all of them."""
    top = root / source
    folders = sorted(_post_folders(top))
    usual = f"{collections}/_posts".lstrip("/")
    if folders in ([], [usual]):
        found.take("posts.folder", "/".join(filter(None, (source, usual))), "Jekyll's folder of posts")
    else:
        found.take("posts.folder", source or ".", "there are several folders of posts")
        found.take("posts.include", [f"{folder}/**" for folder in folders], "Jekyll reads every folder of this name")
        _take_languages(found, [folder.partition("/")[0] for folder in folders])
    found.posts = sum(len(texts_below(top / folder)) for folder in folders)


def _take_languages(found: Findings, names: Sequence[str]) -> None:
    """Take the languages after which top-level folders are named, if there are several."""
    tags = list(dict.fromkeys(tag for name in names if (tag := language_of_folder(name))))
    main = language(found.value("site.language")) or ("en" if "en" in tags or not tags else tags[0])
    if len({*tags, main}) > 1 and len(tags) > 1:
        found.take("site.language", main, "the language of the folders of posts")
        found.take("site.languages", [main, *(each for each in tags if each != main)], "the names of folders of posts")


def _post_folders(top: Path) -> Iterator[str]:
    for where, folders, _ in os.walk(top):
        if "_posts" in folders:
            yield os.path.relpath(Path(where, "_posts"), top).replace(os.sep, "/")
        folders[:] = [name for name in folders if name[0] not in "._" and name not in ("node_modules", "vendor")]
        if os.path.relpath(where, top).count(os.sep) > 6:
            folders[:] = []


def _take_permalink(found: Findings, settings: dict[str, Data], file: str) -> None:
    of_posts = one_line(inner(settings.get("collections"), "posts", "permalink"))
    written = of_posts or one_line(settings.get("permalink"))
    where = f"{file}: {'collections.posts.permalink' if of_posts else 'permalink'}"
    if written and not from_jekyll(written):
        found.leave(f"{where}: {written}: a part of it has no counterpart in posts.permalink")
        written = ""
    found.take(
        "posts.permalink", jekyll_pattern(written or "date"), f"{where}: {written}" if written else "Jekyll's default"
    )


def jekyll_pattern(style: str) -> str:
    """Return a permalink of Jekyll, in its own notation, as a pattern for posts.permalink."""
    text = from_jekyll(style) or from_jekyll("date")
    return text if text.startswith("/") else f"/{text}"


def _take_feeds(found: Findings, root: Path, source: Path, settings: dict[str, Data], file: str) -> None:
    plugins = {*texts(settings.get("plugins")), *texts(settings.get("gems"))}
    named = one_line(inner(settings.get("feed"), "path"))
    if named or "jekyll-feed" in plugins or "jekyll-feed" in text_of(root / "Gemfile", root):
        found.take_feed(named or "feed.xml", "atom", f"{file}: feed.path" if named else "jekyll-feed")
    for folder in (source, source / "feed", source / "feeds"):
        for path in sorted(folder.glob("*")) if folder.is_dir() else ():
            if _FEED_NAMES.fullmatch(path.name) and (kind := feed_kind(text_of(path, root))):
                shown = path.relative_to(source).as_posix()
                found.take_feed(shown, kind, f"the template {shown}")


def _take_static(found: Findings, root: Path, source: str, excluded: list[str]) -> None:
    top = root / source
    left_out = {name.strip("/") for name in excluded} | _NOT_PUBLISHED | {found.blog().output}
    names = [
        path.name
        for path in sorted(top.iterdir())
        if path.is_dir() and path.name[0] not in "._" and path.name not in left_out and has_static_files(path)
    ]
    names = [*(name for name in names if name != "static"), *_root_files(top, left_out)]
    places = [f"{source}/{name} = /{name}" if source else name for name in names]
    take_patterns(found, "pages.copy", places, "Jekyll copies its files as they are")


def _root_files(top: Path, left_out: set[str]) -> list[str]:
    """Return the top-level files that a site needs there, if Jekyll copies them unchanged.

    Other files, such as lists and notes, are left out rather than published on a guess.
    """
    files = (path for path in sorted(top.iterdir()) if _ROOT_FILE.fullmatch(path.name) and path.name not in left_out)
    return [path.name for path in files if _is_plain(path)][:_MOST_ROOT_FILES]


def _is_plain(path: Path) -> bool:
    """Return whether a path is a file, not a link, and does not begin with front matter."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(6).removeprefix(b"\xef\xbb\xbf")[:3] != b"---"
    except OSError:
        return False


def _take_authors(found: Findings, settings: dict[str, Data]) -> None:
    for person_id, person in table(settings.get("authors")).items():
        if author := author_of(person, one_line(person_id)):
            found.authors.append(author)


def _leave(found: Findings, source: Path, settings: dict[str, Data], file: str) -> None:
    if own := sorted(path.name for path in source.glob("_plugins/**/*.rb")):
        shown = f"{', '.join(own[:12])}{f' and {len(own) - 12:,} more' if len(own) > 12 else ''}"
        found.leave(
            f"_plugins/: {shown}: plugins are not run; write a template for each tag that posts use (docs/adopting.md)"
        )
    collections = settings.get("collections")
    others = [name for name in (*table(collections), *texts(collections)) if name not in ("posts", "drafts")]
    if others:
        found.leave(f"{file}: collections: {', '.join(others)}: only the posts are read")
    if settings.get("future") is True:
        found.leave(f"{file}: future: posts with a date in the future appear on that date")
    feed = table(settings.get("feed"))
    for key in ("collections", "tags", "categories"):
        if feed.get(key):
            found.leave(f"{file}: feed.{key}: the feeds of tags are at /tags/NAME/feed.xml (docs/feeds.md)")
