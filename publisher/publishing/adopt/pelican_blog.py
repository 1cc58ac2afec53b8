"""Adopts a blog built with Pelican, by reading plain values in pelicanconf.py and publishconf.py, which are not run."""

from __future__ import annotations

import ast
import re
from pathlib import Path, PurePosixPath

from publisher.posts.blog_tools.data_files import Data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, one_line, table, texts
from publisher.publishing.adopt.blog_settings import folder_in, take_first, take_patterns
from publisher.publishing.adopt.dated_files import texts_below
from publisher.publishing.adopt.tool_files import text_of

_LONGEST = 300_000
_MOST_TEXT = 10_000
# At most this many files may have places of their own.
_MOST_PLACED = 50
_DATE = re.compile(r"\{date:([^{}]{1,40})\}")
_OTHER = re.compile(r"\{([a-z_]{1,30})\}")
# The formats of strftime as placeholders.
_FORMATS = {
    "%Y": "{year}", "%y": "{short_year}", "%m": "{month}", "%-m": "{i_month}", "%b": "{short_month}",
    "%B": "{long_month}", "%d": "{day}", "%-d": "{i_day}", "%j": "{y_day}", "%H": "{hour}", "%M": "{minute}",
    "%S": "{second}", "%F": "{year}-{month}-{day}",
}  # fmt: skip
# The settings that are read.
_USED = frozenset((
    "SITENAME", "SITEURL", "DEFAULT_LANG", "TIMEZONE", "AUTHOR", "PATH", "ARTICLE_PATHS", "PAGE_PATHS", "STATIC_PATHS",
    "ARTICLE_EXCLUDES", "ARTICLE_URL", "OUTPUT_PATH", "FEED_ALL_ATOM", "FEED_ATOM", "FEED_ALL_RSS", "FEED_RSS",
    "EXTRA_PATH_METADATA",
))  # fmt: skip
_FEEDS = (
    ("FEED_ALL_ATOM", "feeds/all.atom.xml", "atom"), ("FEED_ATOM", "", "atom"), ("FEED_ALL_RSS", "", "rss"),
    ("FEED_RSS", "", "rss"),
)  # fmt: skip


def adopt_pelican(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a blog built with Pelican. file: its configuration."""
    published = root / "publishconf.py"
    unread: set[str] = set()
    settings = python_values(text_of(root / file, root), {}, unread)
    settings = python_values(text_of(published, root), settings, unread)
    output = folder_in(settings.get("OUTPUT_PATH")) or "output"
    command = f"pelican content -s {'publishconf.py' if published.is_file() else file}"
    found = Findings("pelican", file, command=command, output=output)
    take_first(
        found,
        settings,
        file,
        ("site.title", "SITENAME"),
        ("site.url", "SITEURL", "FEED_DOMAIN"),
        ("site.description", "SITESUBTITLE", "SITE_DESCRIPTION"),
        ("site.language", "DEFAULT_LANG"),
        ("site.timezone", "TIMEZONE"),
        ("site.author.name", "AUTHOR"),
        ("feeds.limit", "FEED_MAX_ITEMS"),
    )
    for key in sorted(unread & _USED):
        found.leave(f"{file}: {key}: is made by a program, so it was not read")
    _take_posts(found, root, settings, file)
    _take_permalink(found, settings, file)
    for key, usual, kind in _FEEDS:
        value = settings.get(key, usual)
        found.take_feed(one_line(value), kind, f"{file}: {key}" if key in settings else "Pelican's default")
    found.take("site.timezone", "UTC", "Pelican's default")
    found.take("posts.time", "00:00", "Pelican's default time of day")
    if settings.get("PLUGINS"):
        found.leave(f"{file}: PLUGINS: {', '.join(texts(settings['PLUGINS'])[:8])}: plugins are not run")
    if one_line(settings.get("DEFAULT_DATE")) == "fs":
        found.leave(f"{file}: DEFAULT_DATE: a post needs its own date, because a file's changes with each copy")
    if any("{" in name for name in texts(settings.get("EXTRA_PATH_METADATA"))):
        found.leave(f"{file}: EXTRA_PATH_METADATA: only plain paths are read")
    return found.blog()


def _take_posts(found: Findings, root: Path, settings: dict[str, Data], file: str) -> None:
    content = folder_in(settings.get("PATH")) or "content"
    chosen = [path for each in texts(settings.get("ARTICLE_PATHS")) if (path := folder_in(each))]
    pages = texts(settings.get("PAGE_PATHS")) or ["pages"]
    static = texts(settings.get("STATIC_PATHS")) if "STATIC_PATHS" in settings else ["images"]
    without = [*pages, *texts(settings.get("ARTICLE_EXCLUDES"))]
    found.take("posts.folder", content, f"{file}: PATH" if "PATH" in settings else "Pelican's folder of texts")
    take_patterns(found, "posts.include", [f"{each}/**" for each in chosen], f"{file}: ARTICLE_PATHS")
    there = [name for each in without if (name := folder_in(each)) and (root / content / name).is_dir()]
    if not chosen:
        take_patterns(found, "posts.exclude", [f"{each}/**" for each in there], f"{file}: pages, not posts")
    files = texts_below(root / content, there)
    found.posts = len(
        [each for each in files if not chosen or each.path.startswith(tuple(f"{one}/" for one in chosen))]
    )
    is_by_folder = settings.get("USE_FOLDER_AS_CATEGORY", True) is not False
    if is_by_folder and any("/" in each.path for each in files):
        found.leave(f"{file}: USE_FOLDER_AS_CATEGORY: feeds lack the category of a post without `category:`")
    copied = [line for each in static if (path := folder_in(each)) for line in _copied(root, content, path, settings)]
    there = [each for each in copied if (root / each.partition(" = ")[0]).exists()]
    take_patterns(found, "pages.copy", there, f"{file}: STATIC_PATHS")


def _copied(root: Path, content: str, path: str, settings: dict[str, Data]) -> list[str]:
    """Return a folder or file of STATIC_PATHS, with the place that EXTRA_PATH_METADATA or its path gives it.

    Files in the folder that have places of their own come first. A folder that contains nothing else is not copied
    itself.
    """
    extra = {folder_in(name): folder_in(table(own).get("path")) for name, own in
             table(settings.get("EXTRA_PATH_METADATA")).items()}  # fmt: skip
    inside = [name for name in sorted(extra) if name.startswith(f"{path}/") and extra[name]][:_MOST_PLACED]
    lines = [f"{content}/{name} = /{extra[name]}" for name in inside if (root / content / name).is_file()]
    top = root / content / path
    placed = {PurePosixPath(name).name for name in inside if name.count("/") == path.count("/") + 1}
    if not (lines and top.is_dir() and {each.name for each in top.iterdir() if each.name[0] != "."} <= placed):
        lines.append(f"{content}/{path} = /{extra.get(path) or path}")
    return lines


def _take_permalink(found: Findings, settings: dict[str, Data], file: str) -> None:
    written = one_line(settings.get("ARTICLE_URL"))
    pattern = _DATE.sub(lambda part: _of_date(part[1]), written or "{slug}.html")
    unknown = [part for part in _OTHER.findall(pattern) if part == "author"]
    if unknown:
        found.leave(f"{file}: ARTICLE_URL: {{{unknown[0]}}} has no counterpart in posts.permalink")
        return
    where = f"{file}: ARTICLE_URL: {written}" if written else "Pelican's default"
    found.take("posts.permalink", f"/{pattern.lstrip('/')}", where)


def _of_date(form: str) -> str:
    return re.sub(r"%-?[A-Za-z]", lambda part: _FORMATS.get(part[0], part[0]), form)


def python_values(text: str, known: dict[str, Data], unread: set[str] | None = None) -> dict[str, Data]:
    """Return the values that a Python module assigns at its top level, as far as they are plain.

    known   values that are defined before it
    unread  a set to which the names of the other values are added
    """
    others: set[str] = set() if unread is None else unread
    values = dict(known)
    try:
        tree = ast.parse(text[:_LONGEST])
        for node in tree.body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            for name in (each.id for each in targets if isinstance(each, ast.Name)):
                values[name] = _value(node.value, values)  # type: ignore[attr-defined]
                is_none = isinstance(node.value, ast.Constant)  # type: ignore[attr-defined]
                (others.discard if values[name] is not None or is_none else others.add)(name)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass  # the values before the error are kept
    return {name: value for name, value in values.items() if value is not None or name.startswith("FEED")}


def _value(node: ast.expr | None, known: dict[str, Data]) -> Data:
    """Return the value of an expression; None if it is not plain."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str | int | float | bool) else None
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(each, known) for each in node.elts]
    if isinstance(node, ast.Dict):
        pairs = ((_value(key, known), value) for key, value in zip(node.keys, node.values, strict=True))
        return {key: _value(value, known) for key, value in pairs if isinstance(key, str)}
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        first, second = _value(node.left, known), _value(node.right, known)
        both = first + second if isinstance(first, str) and isinstance(second, str) else None
        return both if both is not None and len(both) < _MOST_TEXT else None
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return next((value for each in node.values if (value := _value(each, known))), None)
    return _default(node, known)


def _default(node: ast.expr | None, known: dict[str, Data]) -> Data:
    """Return the default of an environment variable: os.environ.get("X", "https://...") and os.getenv."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 2:
        return _value(node.args[1], known) if node.func.attr in ("get", "getenv") else None
    return None
