"""The tags of other tools in the body of one post: they are run before a Markdown parser reads the body."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from publisher.config import Config
from publisher.core.errors import PostError
from publisher.posts.formats.mdx import is_mdx, mdx_as_markdown
from publisher.posts.formats.quarto import quarto_as_markdown
from publisher.posts.formats.restructured_text import rst_as_html
from publisher.posts.formats.rst_fields import rst_head
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.places import WrittenPost
from publisher.posts.rendering.commonmark import settled_html
from publisher.posts.rendering.references import References
from publisher.posts.shortcodes.embedded_shortcodes import ShortcodeContext, value_at
from publisher.posts.shortcodes.held_html import HeldHtml
from publisher.posts.shortcodes.run_shortcodes import expand_shortcodes
from publisher.posts.tags.expanded import Expanded
from publisher.posts.tags.owner_templates import owner_templates

# Where Hugo looks for the values that all posts of a site share; the first file that has any counts.
_HUGO_FILES = tuple(f"{name}.{end}" for name in ("hugo", "config") for end in ("toml", "yaml", "yml", "json"))
_HUGO_PARAMS = tuple(f"config/_default/params.{end}" for end in ("toml", "yaml", "yml", "json"))


class BodyTags:
    """The data that the tags in the body of one post may use.

    file   the text of the post's file, with its front matter
    held   where the HTML that tags make is kept, to be put back into the HTML of the body
    """

    def __init__(self, post: WrittenPost, config: Config, references: References, file: str, held: HeldHtml) -> None:
        self._post, self._config, self._references, self._file = post, config, references, file
        self._held, self._files = held, dict[str, None]()
        self._is_rst = post.source.lower().endswith(".rst")

    def expanded(self, body: str, *, is_html: bool = False) -> Expanded:
        """Return a body in which the tags have been run, and note the files that it depends on.

        is_html  whether the body is HTML, and not Markdown
        """
        try:
            return self._noted(expand_shortcodes(body, self._context(), is_html=is_html))
        except PostError as error:
            error.line += self._file.count("\n", 0, len(self._file) - len(body))
            raise

    def converted(self, body: str) -> Expanded:
        """Return a body in MDX or Quarto's format as Markdown, or one in reStructuredText as HTML."""
        if self._is_rst:
            return self._noted(rst_as_html(body, self._context()))
        if self._post.source.lower().endswith(".qmd"):
            return quarto_as_markdown(body, self._page())
        if not is_mdx(self._post.source, self._config.posts.tool, body):
            return Expanded(body)
        return self._noted(mdx_as_markdown(body, self._context()))

    def _noted(self, found: Expanded) -> Expanded:
        self._references.links |= dict.fromkeys(f"./{path}" for path in (*found.files, *self._files))
        return found

    def _context(self) -> ShortcodeContext:
        return ShortcodeContext(
            tool=self._config.posts.tool,
            owner=owner_templates(self._config.root),
            held=self._held,
            page=cache(self._page),
            param=self._param,
            address=self._references.named_post,
            in_line=in_line,
        )

    def _page(self) -> Mapping[str, Any]:
        fields = (rst_head(self._file) if self._is_rst else parse_head(self._file, whole=True)).fields
        return {**fields, "title": self._post.title, "url": self._post.url}

    def _param(self, name: str) -> Any:
        """Return a value of hugo.toml's [params], or of Quarto's _variables.yml; None if there is none."""
        if self._config.posts.tool == "quarto":
            self._files["_variables.yml"] = None
            return value_at(_data(self._config.root, "_variables.yml"), name)
        for path in (*_HUGO_FILES, *(f"config/_default/{each}" for each in _HUGO_FILES), *_HUGO_PARAMS):
            self._files[path] = None
            found = _data(self._config.root, path)
            found = value_at(found if path in _HUGO_PARAMS else value_at(found, "params"), name)
            if found is not None:
                return found
        return None


def _data(root: Path, path: str) -> Any:
    file = root / path
    if not file.is_file():
        return None
    from publisher.posts.blog_tools.data_files import DataError, read_data  # not at the top: few bodies use data

    try:
        return read_data(file, root)
    except DataError as error:
        raise PostError(str(error)) from error


def in_line(markdown: str) -> str:
    """Return inline Markdown as HTML without a paragraph around it."""
    html = settled_html(" ".join(markdown.split()))[0].html.strip()
    inside = html.removeprefix("<p>").removesuffix("</p>")
    return inside if "<p>" not in inside else html
