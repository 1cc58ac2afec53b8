"""Adopts a blog built with Hugo, by reading its hugo.toml or the folder config/_default/."""

from __future__ import annotations

import posixpath
from pathlib import Path

from publisher.posts.address_parts import from_hugo
from publisher.posts.blog_tools.data_files import DATA_ENDINGS, Data
from publisher.posts.chosen_paths import bundled
from publisher.publishing.adopt.adopted_blog import (
    AdoptedBlog,
    Findings,
    Value,
    author_of,
    inner,
    one_line,
    table,
    texts,
)
from publisher.publishing.adopt.blog_settings import (
    data_of,
    folder_in,
    take_first,
    take_patterns,
    take_posts,
    without_template,
)
from publisher.publishing.adopt.dated_files import PostFolders, post_folders, texts_below

_ROOT_FILES = ("hugo", "config")


def adopt_hugo(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Hugo. file: its configuration, perhaps one of several."""
    found = Findings("hugo", file, command="hugo", output="public")
    settings = _settings(found, root, file)
    if output := folder_in(inner(settings, "publishDir")):
        found = Findings("hugo", file, command="hugo", output=output)
    take_first(
        found,
        settings,
        file,
        ("site.title", "title", "params.title"),
        ("site.url", "baseURL"),
        ("site.description", "params.description", "description", "params.subtitle"),
        ("site.timezone", "timeZone"),
        ("feeds.limit", "services.rss.limit", "rssLimit"),
    )
    _take_author(found, settings, file)
    _take_languages(found, settings, file)
    posts = _take_content(found, root, settings, file)
    sections = _sections(posts, found.value("site.languages"))
    _take_permalink(found, settings, sections, file)
    _take_feeds(found, settings, sections, file)
    _take_static(found, root, settings, file)
    found.take("site.timezone", "UTC", "Hugo's default")
    found.take("posts.time", "00:00", "Hugo's default time of day")
    _leave(found, root, settings, file)
    return found.blog()


def _settings(found: Findings, root: Path, file: str) -> dict[str, Data]:
    """Return all settings as one table: the settings of the file and of the folder config/_default/."""
    settings: dict[str, Data] = {}
    folder = root / "config/_default"
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths[:50]:
        if path.suffix in DATA_ENDINGS and path.is_file():
            here = data_of(found, root, path.relative_to(root).as_posix())
            name = path.name.removesuffix(path.suffix)
            settings = _merged(settings, here if name in _ROOT_FILES else _nested(name, here))
    if "/" not in file:
        settings = _merged(settings, data_of(found, root, file))
    return settings


def _nested(name: str, here: dict[str, Data]) -> dict[str, Data]:
    """Return the settings of a file such as params.toml or menus.fr.toml."""
    name, divided, tag = name.partition(".")
    return {"languages": {tag: {name: here}}} if divided else {name: here}


def _merged(first: dict[str, Data], second: dict[str, Data]) -> dict[str, Data]:
    both = {name: _merged(table(first[name]), table(second[name])) for name in first.keys() & second.keys()
            if isinstance(first[name], dict) and isinstance(second[name], dict)}  # fmt: skip
    return first | second | both


def _take_author(found: Findings, settings: dict[str, Data], file: str) -> None:
    for names in (("params", "author"), ("author",), ("params", "authors")):
        data = inner(settings, *names)
        if author := author_of(data[0] if isinstance(data, list) and data else data):
            where = f"{file}: {'.'.join(names)}"
            found.take("site.author.name", author.name, where)
            found.take("site.author.email", author.email, where)
            found.take("site.author.url", author.url, where)


def _take_languages(found: Findings, settings: dict[str, Data], file: str) -> None:
    main = one_line(inner(settings, "defaultContentLanguage"))
    known = {name: table(each) for name, each in table(inner(settings, "languages")).items() if isinstance(each, dict)}
    known = {name: each for name, each in known.items() if inner(each, "disabled") is not True}
    if len(known) > 1:
        order = sorted(known, key=lambda name: (name != main, _weight(known[name]), name))
        main = main or order[0]
        found.take_language("site.language", main, f"{file}: defaultContentLanguage")
        found.take("site.languages", order, f"{file}: languages")
    of_main = known.get(main, next(iter(known.values()), {}))
    take_first(found, of_main, f"{file}: languages.{main}", ("site.title", "title"), ("site.url", "baseURL"))
    take_first(found, of_main, f"{file}: languages.{main}", ("site.description", "params.description", "description"))
    take_first(found, settings, file, ("site.language", "languageCode", "locale", "defaultContentLanguage"))


def _weight(data: dict[str, Data]) -> float:
    weight = inner(data, "weight")
    return float(weight) if isinstance(weight, int | float) else 1e9


def _take_content(found: Findings, root: Path, settings: dict[str, Data], file: str) -> PostFolders:
    """Take the content folder, and the sections in it that contain posts."""
    folder = folder_in(inner(settings, "contentDir")) or "content"
    own = [folder_in(inner(each, "contentDir")) for each in table(inner(settings, "languages")).values()]
    if len(apart := [each for each in own if each]) > 1 and inner(settings, "contentDir") is None:
        folder = posixpath.commonpath(apart) or "."
    files = texts_below(root / folder)
    parts = bundled((each.path for each in files), "hugo")
    files = [each for each in files if each.path not in parts]
    named = texts(inner(settings, "params", "mainSections")) or texts(inner(settings, "mainSections"))
    chosen = [each for each in files if each.path.split("/")[0] in named] if named else []
    posts = post_folders(chosen or files)
    if chosen:
        undated, dated = (tuple(each.path for each in chosen if each.is_dated is wanted) for wanted in (False, True))
        posts = PostFolders(tuple(f"{name}/**" for name in named), undated, dated)
    has_key = inner(settings, "contentDir") is not None
    take_posts(found, folder, posts, f"{file}: contentDir" if has_key else "Hugo's folder of texts")
    return posts


def _sections(posts: PostFolders, languages: Value | None) -> list[str]:
    """Return the sections that have posts, the one with the most posts first. A language's folder does not count."""
    tags = {each.lower() for each in languages} if isinstance(languages, tuple) else set()
    below = [path.partition("/")[2] if path.partition("/")[0].lower() in tags else path for path in posts.dated]
    names = [path.split("/")[0] for path in below if "/" in path]
    return sorted(set(names), key=lambda name: (-names.count(name), name))


def _take_permalink(found: Findings, settings: dict[str, Data], sections: list[str], file: str) -> None:
    """Take the rule for sections without their own; a section's own rule is read from the settings at each build."""
    permalinks = table(inner(settings, "permalinks"))
    of_pages = table(inner(permalinks, "page")) or permalinks
    written = {name: text for name in sections if (text := one_line(of_pages.get(name)))}
    is_one = len(set(written.values())) == 1 and len(written) == len(sections)
    for name, pattern in written.items():
        if not from_hugo(pattern):
            found.leave(f"{file}: permalinks.{name}: {pattern}: a part of it has no counterpart in posts.permalink")
        elif is_one:
            found.take("posts.permalink", from_hugo(pattern), f"{file}: permalinks.{name}: {pattern}")
    ending = ".html" if inner(settings, "uglyURLs") is True else "/"
    lang = "/{lang}" if inner(settings, "defaultContentLanguageInSubdir") is True else ""
    # With this setting, Hugo removes the day from the name of the file.
    name = "{slug}" if ":filename" in texts(inner(settings, "frontmatter", "date")) else "{slug_or_file}"
    where = f"Hugo's default; {file}: permalinks apply to {', '.join(written)}" if written else "Hugo's default"
    found.take("posts.permalink", f"{lang}/{{folder}}/{name}{ending}", where)


def _take_feeds(found: Findings, settings: dict[str, Data], sections: list[str], file: str) -> None:
    off = {each.lower() for each in (*texts(inner(settings, "disableKinds")), *texts(inner(settings, "disableRSS")))}
    of_home = {each.lower() for each in texts(inner(settings, "outputs", "home"))}
    name = one_line(inner(settings, "outputFormats", "rss", "baseName")) or "index"
    if "rss" in off or inner(settings, "disableRSS") is True:
        return
    if not of_home or "rss" in of_home:
        found.take_feed(f"{name}.xml", "rss", f"{file}: outputFormats.rss" if name != "index" else "Hugo's default")
    of_sections = {each.lower() for each in texts(inner(settings, "outputs", "section"))}
    if len(sections) == 1 and "section" not in off and (not of_sections or "rss" in of_sections):
        found.take_feed(f"{sections[0]}/{name}.xml", "rss", f"Hugo's feed of the section {sections[0]}")


def _take_static(found: Findings, root: Path, settings: dict[str, Data], file: str) -> None:
    folders = [each.strip("/") for each in texts(inner(settings, "staticDir"))] or ["static"]
    there = [each for each in folders if each and (root / each).is_dir()]
    if there:
        where = f"{file}: staticDir" if inner(settings, "staticDir") is not None else "Hugo's folder of static files"
        found.take("pages.static", there[0], where)
        take_patterns(found, "pages.copy", [f"{each} = /" for each in there[1:]], f"{file}: staticDir")


def _leave(found: Findings, root: Path, settings: dict[str, Data], file: str) -> None:
    for key, what in (
        ("buildFuture", "posts with a date in the future appear on that date"),
        ("buildDrafts", "drafts stay hidden"),
        ("buildExpired", "posts that have expired stay hidden"),
    ):
        if inner(settings, key) is True:
            found.leave(f"{file}: {key}: {what}")
    layouts = [path for path in sorted(root.glob("layouts/**/*.xml")) if path.name.endswith("rss.xml")]
    if layouts:
        shown = ", ".join(path.relative_to(root).as_posix() for path in layouts[:5])
        found.leave(f"{shown}: a layout is not run, so what it adds to the feed is missing here (docs/feeds.md)")
    if inner(settings, "module", "mounts"):
        found.leave(f"{file}: module.mounts: only the files that are here are read")
    paths = sorted((root / "layouts").glob("**/shortcodes/*.html")) + sorted(root.glob("layouts/_shortcodes/*.html"))
    own = without_template(root, (path.stem for path in paths))
    if own:
        names = ", ".join(own[:12])
        more = f" and {len(own) - 12} more" if len(own) > 12 else ""
        found.leave(
            f"layouts/: Go templates are not run; write templates/shortcodes/NAME.html for {names}{more} "
            "if posts use them"
        )
