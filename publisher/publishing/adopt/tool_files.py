"""The files by which each tool is recognised. They are few and small, so that each run of `check` can read them."""

from __future__ import annotations

import re
from pathlib import Path

from publisher.config import Tool
from publisher.posts.blog_tools.data_files import DATA_ENDINGS

_LONGEST = 1_000_000

_SCRIPTS = ("js", "mjs", "cjs", "ts", "mts", "cts")
_HUGO = ("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json")
_OLDER_HUGO = ("config.toml", "config.yaml", "config.yml", "config.json")

# The files that belong to one tool only. Of several tools in one folder, the first makes the site.
_CERTAIN: tuple[tuple[Tool, tuple[str, ...]], ...] = (
    ("obsidian", tuple(f"quartz.config.{ending}" for ending in _SCRIPTS)),
    ("docusaurus", tuple(f"docusaurus.config.{ending}" for ending in _SCRIPTS)),
    ("astro", tuple(f"astro.config.{ending}" for ending in _SCRIPTS)),
    ("vitepress", tuple(f".vitepress/config.{ending}" for ending in _SCRIPTS)),
    ("vitepress", tuple(f".vitepress/config/index.{ending}" for ending in _SCRIPTS)),
    ("eleventy", (".eleventy.js", *(f"eleventy.config.{ending}" for ending in _SCRIPTS))),
    ("quarto", ("_quarto.yml", "_quarto.yaml")),
    ("pelican", ("pelicanconf.py",)),
    ("mkdocs", ("mkdocs.yml", "mkdocs.yaml")),
    ("hugo", _HUGO),
    ("zola", ("zola.toml",)),
)
_JEKYLL = ("_config.yml", "_config.yaml", "_config.toml")
_ZOLA_KEY = re.compile(r"^base_url[ \t]*=", re.MULTILINE)
_HUGO_KEY = re.compile(r"^[ \t{]*\"?base_?url\"?[ \t]*[=:]", re.MULTILINE | re.IGNORECASE)
_HEXO_KEY = re.compile(r"^(?:source_dir|public_dir|post_asset_folder):", re.MULTILINE)


def tools_of(folder: Path) -> list[tuple[Tool, str]]:
    """Return the tools whose files are in a folder, each with its first file; the one that makes the site is first."""
    found: dict[Tool, str] = {}
    for tool, names in _CERTAIN:
        if (name := _first(folder, names)) and tool not in found:
            found[tool] = name
    for tool, name in _by_content(folder):
        found.setdefault(tool, name)
    if (folder / ".obsidian").is_dir():
        found.setdefault("obsidian", ".obsidian/")
    return list(found.items())


def _by_content(folder: Path) -> list[tuple[Tool, str]]:
    """Return the tools that are told apart by the content of their files, because other tools use the same names."""
    found: list[tuple[Tool, str]] = []
    if name := _first(folder, _OLDER_HUGO):
        text = text_of(folder / name, folder)
        if name.endswith(".toml") and _ZOLA_KEY.search(text):
            found.append(("zola", name))
        elif _HUGO_KEY.search(text) or any((folder / each).is_dir() for each in ("archetypes", "layouts")):
            found.append(("hugo", name))
    if name := _first(folder, tuple(f"config/_default/{each}" for each in (*_HUGO, *_OLDER_HUGO))):
        found.append(("hugo", name))
    if name := _first(folder, _JEKYLL):
        is_hexo = (folder / "source/_posts").is_dir() or _HEXO_KEY.search(text_of(folder / name, folder))
        found.append(("hexo" if is_hexo else "jekyll", name))
    elif (folder / "_posts").is_dir():
        found.append(("jekyll", "_posts/"))
    return found


def below(folder: Path) -> list[tuple[str, Tool]]:
    """Return the folders directly below a folder that have a tool's files, as folders with documentation often do."""
    names = ("blog", "docs", "site", "src", "web", "website", "www")
    return [(name, tools[0][0]) for name in names if (folder / name).is_dir() and (tools := tools_of(folder / name))]


def text_of(path: Path, root: Path) -> str:
    """Return the text of a file of a blog; "" if it cannot be read, is very long, or is a link out of the blog."""
    try:
        real = path.resolve()
        if not real.is_relative_to(root.resolve()) or not real.is_file() or real.stat().st_size > _LONGEST:
            return ""
        return real.read_text("utf-8-sig", errors="replace").replace("\r\n", "\n")
    except (OSError, ValueError):
        return ""


def first_data(root: Path, *names: str) -> str:
    """Return the first of these data files that exists; they are named without their ending."""
    return _first(root, tuple(f"{name}{ending}" for name in names for ending in DATA_ENDINGS))


def _first(folder: Path, names: tuple[str, ...]) -> str:
    return next((name for name in names if (folder / name).is_file()), "")
