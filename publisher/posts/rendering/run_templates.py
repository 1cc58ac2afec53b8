"""Liquid and Nunjucks in the body of one post, for tools that have them. They run before the body is parsed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from publisher.config import Config, Tool
from publisher.core.errors import PostError
from publisher.posts.places import Places, WrittenPost
from publisher.posts.rendering.commonmark import settled_html
from publisher.posts.rendering.references import References
from publisher.posts.rendering.rendered_body import RenderedBody
from publisher.posts.tags.expanded import Expanded

if TYPE_CHECKING:
    from publisher.posts.body_templates.site_values import Asking

_TOOLS: frozenset[Tool] = frozenset(("jekyll", "eleventy", "hexo"))


def may_have_templates(body: str, tool: Tool) -> bool:
    """Return whether the tool runs templates in its posts, and a body may have some."""
    return tool in _TOOLS and ("{%" in body or "{{" in body or ("{#" in body and tool != "jekyll"))


def templates_run(
    file: str, body: str, post: WrittenPost, places: Places, config: Config, references: References, most: int
) -> Expanded | None:
    """Return a body whose templates have been run, and note in `references` what it depends on; None if it has none.

    file  the whole text of the post's file
    most  how many characters the body may become
    Raises PostError, with the line of the file, if it runs for too long or becomes too large.
    """
    from publisher.posts.body_templates.site_values import Asking  # most children need none of it

    asking = Asking(post, places, config, file, references.foreign_post, _html)
    try:
        expanded = _run(body, asking, most)
    except PostError as error:
        error.line = max(error.line, 1) + file.count("\n", 0, len(file) - len(body))
        raise
    if expanded:
        references.links |= dict.fromkeys("*" if path == "*" else f"./{path}" for path in expanded.files)
    return expanded


def _run(body: str, asking: Asking, most: int) -> Expanded | None:
    # Not at the top: few posts have templates in their bodies.
    from publisher.posts.body_templates.post_fields import fields_of, inherited_fields_of

    config, source = asking.config, asking.post.source
    fields = {**inherited_fields_of(asking.places, config, source), **fields_of(asking.file)}
    if fields.get("render_with_liquid") is False or fields.get("disableNunjucks") is True:
        return Expanded(body)  # the post says that it has none
    engine, folders, in_code = "liquid", list[str](), True
    if config.posts.tool == "hexo":
        engine, in_code = "njk", False
    elif config.posts.tool == "eleventy":
        # Not at the top: few posts have templates in their bodies.
        from publisher.posts.body_templates.eleventy_settings import eleventy_settings, engine_of

        settings = eleventy_settings(config.root)
        usual = settings.html if PurePosixPath(source).suffix.lower() == ".html" else settings.markdown
        engine, folders = engine_of(fields.get("templateEngineOverride"), usual), [settings.includes]
    if engine == "njk":
        # Not at the top: few posts have templates in their bodies.
        from publisher.posts.body_templates.nunjucks_bodies import expand_nunjucks

        return expand_nunjucks(body, asking, most, folders, in_code=in_code)
    if engine == "liquid":
        from publisher.posts.body_templates.liquid_bodies import expand_liquid  # python-liquid takes 0.1 s to import

        return expand_liquid(body, asking, most)
    return None if engine else Expanded(body)


def _html(markdown: str) -> str:
    return settled_html(markdown)[0].html.strip()


def with_own_lines(render: Callable[[], RenderedBody], expanded: Expanded, first_line: int) -> RenderedBody:
    """Render a body that was expanded; return it with the file's lines in everything that it reports.

    first_line  the line of the file on which the body begins
    """

    def line_of(line: int) -> int:
        """Return the line of the file that a line of the expanded text comes from."""
        return line if line < first_line else expanded.line_of(line - first_line + 1) + first_line - 1

    try:
        body = render()
    except PostError as error:
        error.line = line_of(error.line)
        raise
    problems = tuple(replace(each, line=line_of(each.line)) for each in body.problems)
    return body._replace(problems=problems, local=[each._replace(line=line_of(each.line)) for each in body.local])
