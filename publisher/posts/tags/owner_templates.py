"""The owner's templates for the tags of other tools: templates/shortcodes/NAME.html takes the place of a tag NAME.

They are Jinja2 templates in its sandbox: they see the tag's values and its post, and nothing else. Shortcodes of Hugo
and Zola, tags of Liquid and Nunjucks, and components of MDX use the same templates.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from publisher.core import patterns
from publisher.core.errors import TemplateError
from publisher.core.templates import SandboxedTemplates, trusted_html

FOLDER = "templates/shortcodes"

# A name may have folders, as media/video in Hugo, but leads nowhere else.
_NAME = patterns.compile(r"\w[\w-]*(?:[./]\w[\w-]*)*", re.ASCII)
_NOT_OF_IDENTIFIER = patterns.compile(r"\W")
# How many templates are listed; a post depends on all of them if it is not known which it uses.
_MOST_FILES = 1_000


class OwnerTemplates:
    """The templates of one project for tags.

    folder  the project's folder
    """

    def __init__(self, root: Path) -> None:
        self._root, self._folder = root / "templates", root / FOLDER
        self._templates = SandboxedTemplates(self._root)

    def render(
        self,
        name: str,
        positional: Sequence[Any] = (),
        named: Mapping[str, Any] = {},
        inner: str = "",
        page: Mapping[str, Any] = {},
        raw: str | None = None,
    ) -> str | None:
        """Return the HTML in place of a tag; None if the owner has no template of this name.

        positional  the values without a name
        named       the values with a name
        inner       the content between the tag and its end, as HTML or Markdown that is inserted as it is
        page        the front matter of the post, with title and url
        raw         the same content as it was written, if that is not `inner`
        Raises TemplateError, with the file and line, if the template cannot be rendered.
        """
        if not self.has(name):
            return None
        inside = trusted_html(inner)
        values = {"args": list(positional), "named": dict(named), "page": page, "inner": inside, "body": inside}
        values["raw"] = inner if raw is None else raw
        # A named value can be used by its name alone, even if that is one of these.
        values |= {_NOT_OF_IDENTIFIER.sub("_", key): value for key, value in named.items()}
        return self._templates.render(f"shortcodes/{name}.html", **values)

    def has(self, name: str) -> bool:
        """Return whether the owner has a template of this name."""
        return _NAME.fullmatch(name) is not None and (self._folder / f"{name}.html").is_file()

    def files(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the files on which the result of `render` depends, by their paths from the root of the project.

        names  the names that were used; their files need not exist
        """
        asked = {f"{FOLDER}/{name}.html" for name in names if _NAME.fullmatch(name)}
        for name in filter(self.has, names):
            needed = self._templates.needs(f"shortcodes/{name}.html")
            asked.update(self._all() if needed is None else (f"templates/{each}" for each in needed))
        return tuple(sorted(asked))

    def _all(self) -> list[str]:
        """Return all templates of the project, since it is not known which other templates a template includes."""
        found: list[str] = []
        for where, folders, files in os.walk(self._root):
            folders.sort()
            below = Path(where).relative_to(self._root).as_posix()
            found += [os.path.normpath(f"templates/{below}/{each}") for each in sorted(files)]
            if len(found) >= _MOST_FILES:
                break
        return found[:_MOST_FILES]


def owner_templates(root: Path) -> OwnerTemplates:
    """Return the templates of a project, which are compiled once for all of its posts."""
    return _compiled(root, (root / "templates").is_dir())


@lru_cache(maxsize=4)
def _compiled(root: Path, has_templates: bool) -> OwnerTemplates:
    return OwnerTemplates(root)


def plain_error(error: TemplateError) -> tuple[str, str]:
    """Return the message and the hint of a template's error, for a problem of the post. The message names the place."""
    place = f"{error.where}: " if error.where else ""
    return f"{place}{error.message}", error.hint or "correct the template"
