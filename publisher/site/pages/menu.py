"""The menu of the site, which leads to its sections, to standalone pages, and to other sites."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

from publisher.config import CONFIG_FILE, Config
from publisher.core.models import Post, Problem, Severity
from publisher.posts.urls import is_web_url, quoted

SECTIONS = {"archive": "archive", "tags": "tags", "editions": "editions", "subscribe": "subscribe", "feeds": "feed"}
"""The sections of a site that a menu can name, each with the key of its title in the catalog."""


class MenuEntry(NamedTuple):
    """A link in the menu. url: absolute. section: the `page.section` of the pages to which it leads."""

    title: str
    url: str
    section: str
    language: str


class Menu(NamedTuple):
    """The links at the top of every page, and the links to the remaining pages at its bottom."""

    top: tuple[MenuEntry, ...]
    bottom: tuple[MenuEntry, ...]


NO_MENU = Menu((), ())


def menu_of(
    config: Config, words: SimpleNamespace, sections: Collection[str], own: Sequence[Post], folder: str = ""
) -> Menu:
    """Return the menu: the one in the configuration, or else all sections and pages, with the sign-up page last.

    sections  the sections that this site has
    own       the standalone pages; those in subfolders are only included if the menu names them
    folder    the folder of the archive in another language, such as fr/
    """
    _to_section = partial(_section, config, words, folder)
    chosen = config.pages.menu_items
    main = [page for page in own if "/" not in page.source]
    if not chosen:
        last = [name for name in ("subscribe", "feeds") if name in sections][:1]
        first = [name for name in SECTIONS if name in sections and name not in ("subscribe", "feeds")]
        pages = [_to_page(page, "") for page in main]
        entries = [_to_section(name, "") for name in first]
        return Menu((*entries, *pages, *(_to_section(name, "") for name in last)), ())
    top: list[MenuEntry] = []
    for title, target in chosen:
        page = _page_named(target, own, folder)
        if target in sections:
            top.append(_to_section(target, title))
        elif page:
            top.append(_to_page(page, title))
        elif target not in SECTIONS and "/" in target:
            url = target if is_web_url(target) else f"{config.site_url}/{quoted(target.lstrip('/'))}"
            top.append(MenuEntry(title or target, url, target, config.site.language))
    named = {entry.url for entry in top}
    return Menu(tuple(top), tuple(_to_page(page, "") for page in main if page.url not in named))


def menu_problems(config: Config, own: Sequence[Post], line: int = 0) -> Iterator[Problem]:
    """Yield a warning for each entry of the menu that leads to no page. line: the menu's line in publisher.toml."""
    for _, target in config.pages.menu_items:
        if "/" not in target and target not in SECTIONS and not _page_named(target, own, ""):
            names = ", ".join([*SECTIONS, *(page.source.rpartition(".")[0] for page in own)])
            what = f"pages.menu: there is no page {target!r}, so the menu leaves it out"
            yield Problem(CONFIG_FILE, line, what, f"write one of {names}, or a path or URL", Severity.WARNING)


def _page_named(target: str, own: Sequence[Post], folder: str) -> Post | None:
    """Return the page with this name (about), file (about.md) or path (/about/), also in the folder of a language."""
    name = target.strip("/")
    for page in own:
        path = page.permalink.strip("/")
        if name in (page.source, page.source.rpartition(".")[0], path, path.removeprefix(folder)):
            return page
    return None


def _section(config: Config, words: SimpleNamespace, folder: str, name: str, title: str) -> MenuEntry:
    word, start = title or str(getattr(words, SECTIONS[name])), folder if name == "archive" else ""
    return MenuEntry(word, f"{config.site_url}/{start}{name}/", name, config.site.language)


def _to_page(page: Post, title: str) -> MenuEntry:
    return MenuEntry(title or page.title, page.url, page.permalink, page.language)
