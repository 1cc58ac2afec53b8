"""The findings about a blog built with another tool, each value with the place where it was found."""

from __future__ import annotations

import re
from collections.abc import Sequence

from publisher.config import AuthorConfig, Tool
from publisher.core.frozen import dataclass
from publisher.posts.blog_tools.data_files import Data
from publisher.posts.text.excerpt import decoded, plain_line

Value = str | int | bool | tuple[str, ...]

# Characters that a terminal obeys, or that TOML and YAML refuse.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)

# The keys whose values are whole numbers. Tools write -1 or 0 for no limit.
_NUMBERS = ("feeds.limit",)

# The longest value that is taken from a blog's own settings.
_LONGEST = 500
# Texts that the tool may treat as HTML. Here they are plain text.
_PLAIN = ("site.title", "site.description")

# Where the title comes from if the blog has none.
FOLDER_NAME = "the name of the folder"

# Titles of tools, as they write them themselves.
TOOL_NAMES: dict[Tool, str] = {
    "astro": "Astro",
    "docusaurus": "Docusaurus",
    "eleventy": "Eleventy",
    "hexo": "Hexo",
    "hugo": "Hugo",
    "jekyll": "Jekyll",
    "mkdocs": "MkDocs",
    "obsidian": "Obsidian",
    "pelican": "Pelican",
    "quarto": "Quarto",
    "vitepress": "VitePress",
    "zola": "Zola",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A value for publisher.toml.

    key    the table and the key in it, such as "site.title"
    value  its value
    where  where it was found, such as "_config.yml: title", or the reason for it
    """

    key: str
    value: Value
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedBlog:
    """A blog that is built with another tool.

    tool     the tool
    file     the file by which it was recognised
    taken    the values for publisher.toml
    posts    how many files look like posts
    authors  people whom posts name by an id that no data file describes
    feeds    the paths of the old feed, each with its format ("rss", "atom" or "json") and where it was found
    left     the things that could not be carried over, one line each
    command  the command that builds the site
    output   the folder that this command writes
    """

    tool: Tool
    file: str
    taken: tuple[Taken, ...]
    posts: int
    authors: tuple[AuthorConfig, ...] = ()
    feeds: tuple[tuple[str, str, str], ...] = ()
    left: tuple[str, ...] = ()
    command: str = ""
    output: str = ""

    @property
    def name(self) -> str:
        """The name of the tool, in the tool's own spelling."""
        return TOOL_NAMES[self.tool]

    def value(self, key: str) -> Value | None:
        """Return the value of a key of publisher.toml, or None if there is none."""
        return next((each.value for each in self.taken if each.key == key), None)


class Findings:
    """The findings about a blog so far."""

    def __init__(self, tool: Tool, file: str, *, command: str, output: str) -> None:
        """Begin with nothing. command, output: see AdoptedBlog."""
        self.tool, self.file = tool, file
        self.posts = 0
        self.authors: list[AuthorConfig] = []
        self._command, self._output = command, output
        self._taken: dict[str, Taken] = {}
        self._feeds: dict[str, tuple[str, str, str]] = {}
        self._left: list[str] = []

    def take(self, key: str, value: Data | Sequence[str], where: str) -> bool:
        """Set a key's value, unless it is empty or the key already has one; return whether the key now has a value."""
        if key not in self._taken:
            kept: Value | None = None
            if isinstance(value, bool):
                kept = value
            elif isinstance(value, list | tuple):
                kept = tuple(line for each in value if (line := one_line(each)))
            elif key in _NUMBERS:
                number = one_line(value)
                kept = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None
            else:
                kept = one_line(value)
            if key in _PLAIN and isinstance(kept, str):
                kept = one_line(decoded(plain_line(kept)))
            if kept or kept is False:
                self._taken[key] = Taken(key, kept, where)
        return key in self._taken

    def take_language(self, key: str, value: Data, where: str) -> bool:
        """Set the language, written like en_US.UTF-8 or pt-br, as a BCP 47 tag; return the same as `take`."""
        return self.take(key, language(value), where)

    def take_feed(self, path: str, kind: str, where: str) -> None:
        """Note a path at which feed readers know the feed."""
        path = path.strip().lstrip("/")
        if path and path not in self._feeds:
            self._feeds[path] = (path, kind, where)

    def leave(self, line: str) -> None:
        """Note a value that could not be carried over."""
        line = one_line(line)
        if line not in self._left:
            self._left.append(line)

    def has(self, key: str) -> bool:
        """Return whether a key has a value."""
        return key in self._taken

    def value(self, key: str) -> Value | None:
        """Return the value of a key, or None."""
        return self._taken[key].value if key in self._taken else None

    def blog(self) -> AdoptedBlog:
        """Return everything that was found."""
        return AdoptedBlog(
            tool=self.tool,
            file=self.file,
            taken=tuple(self._taken.values()),
            posts=self.posts,
            authors=tuple(self.authors),
            feeds=tuple(self._feeds.values()),
            left=tuple(self._left),
            command=self._command,
            output=self._output,
        )


def one_line(value: object) -> str:
    """Return a scalar as text on one line, without characters that TOML or a terminal would misread, else ""."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(_UNSEEN.sub(" ", str(value)[: 4 * _LONGEST]).split())[:_LONGEST]


def language(value: object) -> str:
    """Return a language as a BCP 47 tag, such as pt-BR for pt_br.UTF-8; "" if it is not one."""
    text = one_line(value).partition(".")[0].strip()
    if not _LANGUAGE.fullmatch(text):
        return ""
    first, *others = re.split("[-_]", text)
    parts = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in others]
    return "-".join([first.lower(), *parts])


def inner(data: Data, *names: str) -> Data:
    """Return the value inside nested tables, or None. If no name matches exactly, case is ignored."""
    for name in names:
        if not isinstance(data, dict):
            return None
        if name not in data:
            name = next((each for each in data if each.lower() == name.lower()), name)
        data = data.get(name)
    return data


def texts(data: Data) -> list[str]:
    """Return the texts in a list, or a text as a list of one."""
    if isinstance(data, str):
        return [data]
    return [each for each in data if isinstance(each, str)] if isinstance(data, list) else []


def table(data: Data) -> dict[str, Data]:
    """Return the value if it is a table, or else an empty table."""
    return data if isinstance(data, dict) else {}


def author_of(data: Data, person_id: str = "") -> AuthorConfig | None:
    """Return a person who is described by a name or by a table; None if there is no name."""
    if isinstance(data, str):
        return AuthorConfig(id=person_id or one_line(data), name=one_line(data)) if one_line(data) else None
    name = one_line(inner(data, "name")) or one_line(inner(data, "display_name"))
    if not name:
        return None
    url, mail = (one_line(inner(data, key)) for key in ("url", "email"))
    about = one_line(inner(data, "bio")) or one_line(inner(data, "description"))
    return AuthorConfig(
        id=person_id or name,
        name=name,
        email=mail if re.fullmatch(r"[^@\s<>,]{1,64}@[^@\s<>,]{1,255}", mail) else "",
        url=url if re.fullmatch(r"https?://[^\s@<>\"\\]{1,400}", url) else "",
        about=about,
    )
