"""Adopts a blog built with Zola, by reading its config.toml."""

from __future__ import annotations

import re
from pathlib import Path

from publisher.posts.blog_tools.data_files import Data, DataError, parse_data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, author_of, inner, one_line, table, texts
from publisher.publishing.adopt.blog_settings import data_of, feed_kind, folder_in, take_first, take_posts
from publisher.publishing.adopt.dated_files import PostFolders, post_folders, texts_below
from publisher.publishing.adopt.tool_files import text_of

# Names of files that are feeds even if their template, which includes another one, does not show it.
_FEED_NAME = re.compile(
    r"(?:feed|atom|rss|index|posts|blog)[\w-]{0,40}\.(?:xml|json|rss|atom)\Z", re.ASCII | re.IGNORECASE
)
_INHERITS = re.compile(r"\{%-?[ \t]{0,9}(?:extends|include)\b")
_FEEDS_ON = re.compile(r"^generate_feeds?[ \t]{0,20}=[ \t]{0,20}true", re.MULTILINE)


def adopt_zola(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Zola. file: its configuration."""
    found = Findings("zola", file, command="zola build", output="public")
    settings = data_of(found, root, file)
    if output := folder_in(settings.get("output_dir")):
        found = Findings("zola", file, command="zola build", output=output)
    take_first(
        found,
        settings,
        file,
        ("site.title", "title", "extra.title"),
        ("site.url", "base_url"),
        ("site.description", "description", "extra.description"),
        ("site.language", "default_language"),
        ("feeds.limit", "feed_limit"),
        ("site.author.name", "author", "extra.author"),
    )
    take_first(
        found, _front_page(root), "content/_index.md", ("site.title", "title"), ("site.description", "description")
    )
    if author := author_of(inner(settings, "extra", "author")):
        found.take("site.author.name", author.name, f"{file}: extra.author")
        found.take("site.author.email", author.email, f"{file}: extra.author")
    main = str(found.value("site.language") or "en")
    others = [name for name in table(settings.get("languages")) if name != main]
    if others:
        found.take("site.language", main, "Zola's default")
        found.take("site.languages", [main, *others], f"{file}: languages")
    posts = post_folders([each for each in texts_below(root / "content") if each.path.endswith(".md")])
    take_posts(found, "content", posts, "Zola's folder of texts")
    found.take("posts.permalink", "/{folder}/{slug}/", "Zola's rule")
    found.take("posts.time", "00:00", "Zola's default time of day")
    found.take("site.timezone", "UTC", "Zola's default time zone")
    if (root / "static").is_dir():
        found.take("pages.static", "static", "Zola's folder of static files")
    _take_feeds(found, root, settings, posts, file)
    _leave(found, root)
    return found.blog()


def _take_feeds(found: Findings, root: Path, settings: dict[str, Data], posts: PostFolders, file: str) -> None:
    names = texts(settings.get("feed_filenames")) or texts(settings.get("feed_filename")) or ["atom.xml"]
    is_on = settings.get("generate_feeds", settings.get("generate_feed")) is True
    sections = sorted({path.rpartition("/")[0] for path in posts.dated if "/" in path})[:50]
    own = [each for each in sections if _FEEDS_ON.search(text_of(root / "content" / each / "_index.md", root))]
    for name in names:
        kind = _kind(root, name)
        if not kind:
            found.leave(f"{file}: feed_filenames: {name}: neither its name nor its template belongs to a feed")
            continue
        if is_on:
            found.take_feed(name, kind, f"{file}: generate_feeds")
        for section in own if len(sections) == 1 else ():
            found.take_feed(f"{section}/{name}", kind, f"content/{section}/_index.md: generate_feeds")
    if own and len(sections) > 1:
        found.leave(f"content/{own[0]}/_index.md: generate_feeds: there is one feed of all posts, and one for each tag")


def _kind(root: Path, name: str) -> str:
    """Return the format of a feed, by its template or its name; "" if it is another file, such as a list of pages."""
    paths = [root / "templates" / name, *sorted(root.glob("themes/*/templates"))[:20]]
    written = [text for path in paths if (text := text_of(path if path.name == name else path / name, root))]
    if kind := feed_kind(written[0] if written else ""):
        return kind
    if not _FEED_NAME.search(name) or (written and not _INHERITS.search(written[0])):
        return ""
    return "json" if name.endswith(".json") else "atom" if "atom" in name else "rss"


def _front_page(root: Path) -> dict[str, Data]:
    """Return the fields of the front page."""
    fence, divided, text = text_of(root / "content/_index.md", root).lstrip().partition("\n")
    if not divided or fence.rstrip() not in ("+++", "---"):
        return {}
    try:
        head = text.split(f"\n{fence.rstrip()}", 1)[0].removeprefix(fence.rstrip())
        return table(parse_data(head, ".toml" if fence[0] == "+" else ".yml"))
    except DataError:
        return {}


def _leave(found: Findings, root: Path) -> None:
    own = sorted(path.stem for path in (root / "templates/shortcodes").glob("*.html"))
    if own:
        shown = one_line(", ".join(own[:12]))
        found.leave(
            f"templates/shortcodes/: Tera is not run; check that Jinja2 understands {shown} (docs/templates.md)"
        )
