"""Other site generators in the same folder: which parts of a project they would publish, and how to keep them from it.

Jekyll copies almost every file that it finds next to its posts, so it must be told what is not part of the site. Hugo,
Hexo and Pelican publish from folders of their own, and Eleventy only turns templates into pages.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from publisher.core.errors import PostError
from publisher.core.frozen import dataclass
from publisher.posts.front_matter.parsing import parse_head

JEKYLL_FILES = ("_config.yml", "_config.yaml", "_config.toml")

# What Jekyll leaves out by itself. Before version 4, the site's own list replaces these.
_JEKYLL_DEFAULTS = (
    ".sass-cache/", ".jekyll-cache/", "gemfiles/", "Gemfile", "Gemfile.lock", "node_modules/", "vendor/bundle/",
    "vendor/cache/", "vendor/gems/", "vendor/ruby/",
)  # fmt: skip

# The folders from which the others publish everything, and the files by which they are recognised.
_PUBLISHED_FROM = {
    "Hugo": (("hugo.toml", "hugo.yaml", "hugo.json", "config.toml"), ("content", "static")),
    "Hexo": (("_config.yml",), ("source",)),
    "Pelican": (("pelicanconf.py",), ("content",)),
    "Zola": (("zola.toml",), ("content", "static")),
    "Astro": (("astro.config.mjs", "astro.config.ts", "astro.config.js"), ("public", "src/pages")),
    "Docusaurus": (("docusaurus.config.js", "docusaurus.config.ts"), ("blog", "docs", "static", "src/pages")),
    "MkDocs": (("mkdocs.yml", "mkdocs.yaml"), ("docs",)),
    "VitePress": ((".vitepress/config.js", ".vitepress/config.ts", ".vitepress/config.mts"), ("public",)),
}


@dataclass(frozen=True, slots=True)
class Published:
    """A folder from which a site generator publishes what it finds.

    generator  its name, for messages
    folder     the folder
    advice     how to keep a path out of the site, with {} for the path in `folder`
    exclude    the paths that the generator leaves out of the site; None if it has no such setting
    """

    generator: str
    folder: Path
    advice: str
    exclude: tuple[str, ...] | None = None
    include: tuple[str, ...] = ()

    def takes(self, path: Path) -> bool:
        """Return whether the generator would publish a file or folder."""
        try:
            parts = path.relative_to(self.folder).parts
        except ValueError:
            return False
        return bool(parts) and (self.exclude is None or self._copied(parts))

    def _copied(self, parts: Sequence[str]) -> bool:
        """Return whether Jekyll's EntryFilter accepts the path and every folder above it."""
        for number, name in enumerate(parts, 1):
            path = "/".join(parts[:number])
            if _is_listed(self.include, path, is_folder=number < len(parts)):
                continue
            if name[0] in "._#~" or name.endswith("~"):
                return False
            if _is_listed(self.exclude or (), path, is_folder=number < len(parts) or (self.folder / path).is_dir()):
                return False
        return True


def is_jekyll(folder: Path) -> bool:
    """Return whether Jekyll builds a site from this folder: it has Jekyll's settings, or a folder of posts for it."""
    if (folder / "source" / "_posts").is_dir():
        return False  # Hexo has settings of the same name
    return (folder / "_posts").is_dir() or any((folder / name).is_file() for name in JEKYLL_FILES)


def published_folders(root: Path, top: Path) -> list[Published]:
    """Return the folders around a project from which a site generator publishes.

    root  the project's folder
    top   the highest folder to look into, such as the folder of the git repository
    """
    above = [folder for folder in (root, *root.parents) if folder.is_relative_to(top)]
    found = []
    for folder in above:
        if is_jekyll(folder):
            found.append(_jekyll(folder))
        for name, (files, published) in _PUBLISHED_FROM.items():
            if any((folder / file).is_file() for file in files):
                advice = f"move it out of the folder that {name} publishes"
                found += [Published(name, folder / each, advice) for each in published if (folder / each).is_dir()]
    return found


def with_exclusions(text: str, names: Iterable[str]) -> str | None:
    """Return the text of Jekyll's _config.yml with these names in `exclude`, and every other byte unchanged.

    Returns None if the text cannot be read, or has an `exclude` in a form that cannot be added to.
    """
    settings = _settings(text)
    if settings is None:
        return None
    there = settings.get("exclude")
    missing = [name for name in names if name not in (there if isinstance(there, list) else ())]
    line = "\r\n" if "\r\n" in text else "\n"
    if not missing:
        return text
    if "exclude" not in settings:
        listed = "".join(f"  - {name}{line}" for name in (*missing, *_JEKYLL_DEFAULTS))
        return f"{text}{'' if not text or text.endswith(line) else line}{line if text else ''}exclude:{line}{listed}"
    found = re.search(
        r"^exclude:[ \t]*(?:\[|(?:#[^\r\n]*)?\r?\n(?:[ \t]*(?:#[^\r\n]*)?\r?\n)*([ \t]*)- )", text, re.MULTILINE
    )
    if found is None:
        return None
    if found[0].endswith("["):
        return f"{text[: found.end()]}{''.join(f'{name}, ' for name in missing)}{text[found.end() :]}"
    at = found.end() - len(found[1]) - 2
    return text[:at] + "".join(f"{found[1]}- {name}{line}" for name in missing) + text[at:]


def _jekyll(folder: Path) -> Published:
    file = next((folder / name for name in JEKYLL_FILES if (folder / name).is_file()), None)
    try:
        text = file.read_text("utf-8-sig") if file else ""
    except (OSError, UnicodeDecodeError):
        text = ""
    settings = (_settings(text) if file and file.suffix != ".toml" else _settings(text, fence="+++")) or {}
    source = settings.get("source")
    exclude = [*_strings(settings.get("exclude")), *_JEKYLL_DEFAULTS]
    where = folder / source if isinstance(source, str) and not PurePosixPath(source).is_absolute() else folder
    advice = f"add {{}} to `exclude` in {file.name if file else JEKYLL_FILES[0]}"
    return Published("Jekyll", where, advice, tuple(exclude), tuple(_strings(settings.get("include"))))


def _settings(text: str, fence: str = "---") -> dict[str, object] | None:
    bare = re.sub(r"\A---[ \t]*\r?\n", "", text.removeprefix("\ufeff"))
    if not re.search(r"^[^\s#]", bare, re.MULTILINE):
        return {}
    try:
        return dict(parse_head(f"{fence}\n{bare.rstrip()}\n{fence}\n", whole=True).fields)
    except PostError:
        return None


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _is_listed(patterns: Iterable[str], path: str, *, is_folder: bool) -> bool:
    """Return whether a path is in one of Jekyll's lists: as a pattern, as the start of the path, or as a folder."""
    return any(
        fnmatch.fnmatchcase(path, pattern) or path.startswith(pattern) or (is_folder and pattern == f"{path}/")
        for pattern in (each.removeprefix("./").removeprefix("/") for each in patterns)
        if pattern
    )
