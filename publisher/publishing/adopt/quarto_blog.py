"""Adopts a blog built with Quarto, by reading _quarto.yml and the pages with a listing."""

from __future__ import annotations

from pathlib import Path

from publisher.posts.blog_tools.data_files import Data, DataError, parse_data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, author_of, inner, one_line, table, texts
from publisher.publishing.adopt.blog_settings import data_of, folder_in, take_first, take_patterns, take_posts
from publisher.publishing.adopt.dated_files import PostFolders, has_static_files, post_folders, texts_below
from publisher.publishing.adopt.tool_files import text_of


def adopt_quarto(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Quarto. file: its configuration."""
    found = Findings("quarto", file, command="quarto render", output="_site")
    settings = data_of(found, root, file)
    if output := folder_in(inner(settings, "project", "output-dir")):
        found = Findings("quarto", file, command="quarto render", output=output)
    take_first(
        found,
        settings,
        file,
        ("site.title", "website.title", "title"),
        ("site.url", "website.site-url"),
        ("site.description", "website.description"),
        ("site.language", "lang"),
    )
    if author := author_of(settings.get("author")):
        found.take("site.author.name", author.name, f"{file}: author")
    listings = list(_listings(root))
    posts = _posts(root, listings, found.blog().output)
    take_posts(found, ".", posts, "the folder of the project")
    bundles = sum(Path(path).stem == "index" for path in posts.dated)
    is_bundled = 0 < bundles == len(posts.dated)
    pattern = "/{folder}/{file}/" if is_bundled else "/{folder}/{file}.html"
    found.take("posts.permalink", pattern, "each post has a folder" if is_bundled else "Quarto's rule")
    for page, listing in listings:
        if listing.get("feed"):
            path = page.removesuffix(".qmd").removesuffix(".md")
            found.take_feed(f"{path}.xml", "rss", f"{page}: listing: feed")
            found.take("feeds.limit", inner(listing, "feed", "items"), f"{page}: listing: feed.items")
    names = [
        path.name for path in sorted(root.iterdir())
        if path.is_dir() and path.name[0] not in "._" and path.name != "static" and has_static_files(path)
    ]  # fmt: skip
    take_patterns(found, "pages.copy", names, "Quarto copies what pages use")
    found.take("site.timezone", "UTC", "Quarto's default time zone")
    found.take("posts.time", "00:00", "Quarto's default time of day")
    return found.blog()


def _listings(root: Path) -> list[tuple[str, dict[str, Data]]]:
    """Return the pages at the top that list posts, each with the settings of its list."""
    found: list[tuple[str, dict[str, Data]]] = []
    for path in sorted((*root.glob("*.qmd"), *root.glob("*.md"), *root.glob("*/index.qmd")))[:200]:
        head = text_of(path, root).split("\n---", 1)[0].removeprefix("---")
        try:
            listing = table(parse_data(head, ".yml")).get("listing")
        except DataError:
            continue
        lists = listing if isinstance(listing, list) else [listing]
        found += [(path.relative_to(root).as_posix(), each) for each in lists if isinstance(each, dict)]
    return found


def _posts(root: Path, listings: list[tuple[str, dict[str, Data]]], output: str) -> PostFolders:
    """Return the posts: the files that the lists name, or the texts with a date, except files that Quarto writes."""
    files = texts_below(root, ("_site", output))
    named = [one_line(each).strip("/") for _, listing in listings for each in texts(listing.get("contents"))]
    folders = [name for name in named if name and "*" not in name and (root / name).is_dir()]
    chosen = [file for file in files if any(file.path.startswith(f"{each}/") for each in folders)]
    if not chosen:
        return post_folders(files)
    pages = {page for page, _ in listings}
    undated = tuple(file.path for file in chosen if not file.is_dated or file.path in pages)
    dated = tuple(file.path for file in chosen if file.path not in undated)
    return PostFolders(tuple(f"{each}/**" for each in dict.fromkeys(folders)), undated, dated)
