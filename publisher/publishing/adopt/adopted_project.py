"""Makes publisher.toml for a blog built with another tool, and writes the project's files next to the blog's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from publisher.config import CONFIG_FILE, FEED_FILES, AuthorConfig, mistakes_in
from publisher.core.errors import ProjectError, file_and_line
from publisher.core.frozen import dataclass
from publisher.core.templates import Templates
from publisher.publishing.adopt.adopted_blog import FOLDER_NAME, AdoptedBlog, Taken, Value
from publisher.publishing.new_project import (
    CreatedProject,
    ignore_more,
    leave_out_of_jekyll,
    local_zone,
    refuse_links_out,
    write_new,
)  # fmt: skip
from publisher.publishing.site_generators import JEKYLL_FILES

# Where feeds and the web versions of emails go next to another tool's site, and where a whole site goes. No tool treats
# a folder whose name begins like this as a part of the blog.
BESIDE, INSTEAD = "_feeds", "_public"

_NO_URL = "https://example.org"
_WIDTH = 60
_KEY_LINE = re.compile(r"([a-z_]+) = ")
_TABLE_LINE = re.compile(r"\[{1,2}([a-z_.]+)\]")

# What is written for a required value.
_NOT_FOUND = {
    "site.url": Taken("site.url", _NO_URL, "not found: write the address of the site here"),
    "site.title": Taken("site.title", "My blog", "not found: write the name of the site here"),
}

# How to keep notes above emails, which are Markdown, out of the sites of tools that turn all Markdown into pages.
_OF_NOTES = {
    "quarto": 'if you write notes above emails, leave them out in _quarto.yml: render: ["*.qmd", "!letters/"]',
    "vitepress": "if you write notes above emails, leave them out in .vitepress/config: srcExclude: ['letters/**']",
}

_OTHER_PAGES = (
    "other pages, such as about.md: move those that you want to keep to pages/ (docs/site.md); pages/about.md is at "
    "/about/, unless it says where it was before, such as permalink: /about.html"
)

# The tables that are made from what was found, in order; the others are text of the template.
_TABLES = ("site", "site.author", "posts", "feeds", "pages")
_ORDER = {
    "site": ("title", "url", "description", "language", "languages", "timezone", "image"),
    "site.author": ("name", "email", "url"),
    "posts": ("tool", "folder", "include", "exclude", "permalink", "timezone", "time"),
    "feeds": ("limit", "formats", "also"),
    "pages": ("enabled", "output", "static", "copy"),
}


@dataclass(frozen=True, slots=True)
class AdoptedProject:
    """The project for a blog.

    blog   the findings about the blog; `left` includes values that publisher.toml cannot have
    taken  the values in publisher.toml, by table
    text   the text of publisher.toml
    """

    blog: AdoptedBlog
    taken: tuple[Taken, ...]
    text: str


def config_text(blog: AdoptedBlog, now: datetime, *, instead: bool = False) -> str:
    """Return the text of publisher.toml for a blog; see adopted_project."""
    return adopted_project(blog, now, instead=instead).text


def adopted_project(blog: AdoptedBlog, now: datetime, *, instead: bool = False) -> AdoptedProject:
    """Return the project for a blog. Values that are not valid in a publisher.toml are left out and reported.

    now      the present time, for the year in site.authority and the day from which posts are sent
    instead  whether pages are written too, because the tool is no longer used
    """
    taken = list(_settings(blog, instead=instead))
    left = [_OTHER_PAGES] if instead else []
    authors = blog.authors
    for _ in range(len(taken) + len(authors) + 1):
        text = _text(blog, taken, authors, now)
        mistakes = mistakes_in(text)
        if not mistakes:
            return AdoptedProject(replace(blog, left=(*blog.left, *left)), tuple(sorted(taken, key=_place)), text)
        key = _key_at(text, file_and_line(mistakes[0].where)[1])
        wrong = next((each for each in taken if each.key == key), None)
        if wrong is not None:
            taken.remove(wrong)
            taken += [_NOT_FOUND[key]] if key in _NOT_FOUND and wrong != _NOT_FOUND[key] else []
            left.append(f"{wrong.where}: {mistakes[0].message.removeprefix(f'{key}: ')}")
        elif authors:
            authors = authors[:-1]
        else:
            break
    raise ProjectError(f"no {CONFIG_FILE} can be made from it: {mistakes[0].message}", where=blog.file)


def write_project(folder: Path, project: AdoptedProject, *, instead: bool = False) -> CreatedProject:
    """Write publisher.toml into the folder of a blog, and make git and the tool ignore what is not part of the blog.

    Raises ProjectError if there is a publisher.toml, or if a file cannot be written or is a link out of the folder.
    """
    refuse_second(folder)
    own_files = {"jekyll": JEKYLL_FILES, "eleventy": (".eleventyignore",)}.get(project.blog.tool, ())
    refuse_links_out(folder, (CONFIG_FILE, ".gitignore", *own_files))
    made, changed, advice = [folder / CONFIG_FILE], list[Path](), list[str]()
    if not write_new(folder / CONFIG_FILE, project.text):
        raise ProjectError("exists already", where=str(folder / CONFIG_FILE))
    output = INSTEAD if instead else BESIDE
    _add_lines(folder / ".gitignore", [".publisher/", f"{output}/"], made, changed)
    tool = "" if instead else project.blog.tool
    own = [f"{name}/" for name in ("letters", "templates") if not (folder / name).exists()]
    if tool == "jekyll":
        made, changed, advice = leave_out_of_jekyll(folder, made, changed)
    elif tool == "eleventy" and project.blog.value("posts.folder") == ".":
        _add_lines(folder / ".eleventyignore", [*own, f"{output}/"], made, changed)
    elif own and tool in _OF_NOTES and project.blog.value("posts.folder") == ".":
        advice = [_OF_NOTES[tool]]
    return CreatedProject(tuple(made), tuple(changed), (), tuple(advice))


def _add_lines(path: Path, lines: Sequence[str], made: list[Path], changed: list[Path]) -> None:
    """Write a file with these lines, or add the missing lines to an existing file."""
    text = "".join(f"{line}\n" for line in lines)
    if write_new(path, text):
        made.append(path)
    elif ignore_more(path, text):
        changed.append(path)


def refuse_second(folder: Path) -> None:
    """Raise ProjectError if a folder has a publisher.toml."""
    if (folder / CONFIG_FILE).exists():
        hint = "publisher adopt --dry-run shows what would be written, to compare"
        raise ProjectError("exists already, so nothing was changed", where=str(folder / CONFIG_FILE), hint=hint)


def next_steps(project: AdoptedProject, *, instead: bool = False, has_feed: bool = False) -> list[tuple[str, str]]:
    """Return what the owner should do next: for each step a command or an instruction, and its purpose.

    has_feed  whether the old feed has been taken over
    """
    blog = project.blog
    url = _url(project.taken)
    steps = []
    if url == _NO_URL:
        steps.append((f"write the address of the site into {CONFIG_FILE}", "it was not found"))
    title = next(each for each in project.taken if each.key == "site.title")
    if title.where in (FOLDER_NAME, _NOT_FOUND["site.title"].where):
        steps.append((f"write the name of the site into {CONFIG_FILE}", f"it was not found: {title.value} is a guess"))
    steps.append(("publisher check", "reads every post, and says what readers would stumble over"))
    if blog.feeds and not has_feed:
        address = f"{url.rstrip('/')}/{blog.feeds[0][0]}"
        steps.append(
            (f"publisher adopt --feed {address}", "keeps the ids that feed readers know, so nothing is new to them")
        )
    if instead:
        against = f"publisher adopt --check-against {blog.output or 'FOLDER'}"
        steps.append(
            (against, f"after `{blog.command}`: the addresses that would be lost" if blog.command else "what is lost")
        )
        steps.append(("publisher build", f"writes the whole site to {INSTEAD}/; publish that folder"))
    elif blog.command:
        copy = f"{blog.command} && publisher build && cp -R {BESIDE}/. {blog.output}/"
        steps.append((copy, "gives the feeds the addresses that readers know"))
    else:
        steps.append(("publisher build", f"writes the feeds to {BESIDE}/; put them where the site is"))
    steps.append(
        (
            "publisher preview",
            f"shows the first email; sending it needs web.public_url and mail.sender in {CONFIG_FILE}",
        )
    )
    return steps


def _settings(blog: AdoptedBlog, *, instead: bool) -> Iterator[Taken]:
    """Yield all values of publisher.toml that depend on the blog."""
    yield from (each for each in blog.taken if each.key.rpartition(".")[0] in _TABLES)
    yield from (each for key, each in _NOT_FOUND.items() if not blog.value(key))
    yield Taken("posts.tool", blog.tool, blog.file)
    formats, also = _feeds(blog)
    if formats != tuple(FEED_FILES):
        yield Taken("feeds.formats", formats, "the old feed has a name that belongs to another format here")
    if also:
        yield Taken("feeds.also", also, ", ".join(dict.fromkeys(where for _, _, where in blog.feeds)))
    if instead:
        yield Taken("pages.output", INSTEAD, "publish this folder")
    else:
        yield Taken(
            "pages.enabled", value=False, where=f"{blog.name if blog.command else 'another tool'} makes the pages"
        )
        where = f"copy its contents to {blog.output}/" if blog.output else "copy its contents to the site"
        yield Taken("pages.output", BESIDE, where)


def _feeds(blog: AdoptedBlog) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the feed formats with their usual names, and the other names that readers know, with their formats."""
    usual = {file: kind for kind, file in FEED_FILES.items()}
    taken_names = {usual[path] for path, kind, _ in blog.feeds if path in usual and usual[path] != kind}
    formats = tuple(kind for kind in FEED_FILES if kind not in taken_names)
    also = []
    for path, kind, _ in blog.feeds:
        if usual.get(path) != kind:
            guessed = "json" if path.endswith(".json") else "atom" if "atom" in path.lower() else "rss"
            also.append(path if guessed == kind else f"{path} = {kind}")
    return formats, tuple(also)


def _text(blog: AdoptedBlog, taken: Sequence[Taken], authors: Sequence[AuthorConfig], now: datetime) -> str:
    zone, site_zone = local_zone(), next((each.value for each in taken if each.key == "site.timezone"), "UTC")
    url, title = _url(taken), next((str(each.value) for each in taken if each.key == "site.title"), "")
    name = next((str(each.value) for each in taken if each.key == "site.author.name"), "") or title
    mail = next((str(each.value) for each in taken if each.key == "site.author.email"), "") or "you@example.org"
    host = re.sub(r"[^a-z0-9._-]", "-", (urlsplit(url).hostname or "example.org").lower())
    context: dict[str, object] = {
        "name": blog.name,
        "file": blog.file,
        "site": "\n".join(_lines(taken, "site")),
        "tables": "\n\n".join(_tables(taken, authors)),
        "authority": toml(f"{host},{now.year}"),
        "title": toml(title),
        "sender": toml(f"{_display_name(name)} <{mail}>"),
        "host": host.removeprefix("www.") if host.count(".") > 1 else host,
        "zone": "" if zone in ("UTC", site_zone) else zone,
        "since": f"{now:%Y-%m-%d}",
    }
    return Templates(Path()).render("project/adopted.toml", **context)


def _url(taken: Sequence[Taken]) -> str:
    return next((str(each.value) for each in taken if each.key == "site.url"), _NO_URL)


def _place(taken: Taken) -> tuple[int, int]:
    """Return where a value is in publisher.toml."""
    table, _, name = taken.key.rpartition(".")
    return _TABLES.index(table), _ORDER[table].index(name)


def _tables(taken: Sequence[Taken], authors: Sequence[AuthorConfig]) -> Iterator[str]:
    """Yield the text of each table below [site]."""
    for table in _TABLES[1:]:
        if lines := _lines(taken, table):
            yield "\n".join([f"[{table}]", *lines])
        if table == "posts":
            yield from ("\n".join(["[[authors]]", *_author_lines(each)]) for each in authors)


def _lines(taken: Sequence[Taken], table: str) -> list[str]:
    """Return the lines of a table, each with the place where its value was found."""
    values = {each.key: each for each in taken}
    found = [values[f"{table}.{name}"] for name in _ORDER[table] if f"{table}.{name}" in values]
    return [_line(each) for each in found]


def _line(taken: Taken) -> str:
    line = f"{taken.key.rpartition('.')[2]} = {_toml_value(taken.value)}"
    return f"{line.ljust(_WIDTH)}  # {taken.where}" if taken.where else line


def _author_lines(author: AuthorConfig) -> list[str]:
    values = {"id": author.id, "name": author.name, "email": author.email, "url": author.url, "about": author.about}
    return [f"{key} = {toml(value)}" for key, value in values.items() if value]


def _toml_value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return toml(value) if isinstance(value, str) else f"[{', '.join(map(toml, value))}]"


def toml(text: str) -> str:
    """Quote a text for TOML as a JSON string, which is also a basic string of TOML."""
    return json.dumps(text, ensure_ascii=False)


def _display_name(name: str) -> str:
    name = name[:100].replace("\\", "").replace('"', "'")
    return name if re.fullmatch(r"[\w '-]+", name) else f'"{name}"'


def _key_at(text: str, number: int) -> str:
    """Return the key, with its table, on a line of a publisher.toml that was made here; "" if it has none."""
    lines = text.split("\n")[:number]
    found = _KEY_LINE.match(lines[-1]) if lines else None
    tables = [match[1] for line in lines if (match := _TABLE_LINE.fullmatch(line))]
    return f"{tables[-1]}.{found[1]}" if found and tables else ""
