"""Liquid in the body of one post, if the tool of the project has it: it is run before anything reads the body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from publisher.config import Config, Tool
from publisher.core.errors import PostError
from publisher.posts.places import Places, WrittenPost
from publisher.posts.rendering.commonmark import settled_html
from publisher.posts.rendering.references import References
from publisher.posts.rendering.rendered_body import RenderedBody
from publisher.posts.tags.expanded import Expanded

_TOOLS: frozenset[Tool] = frozenset(("jekyll", "eleventy"))


def may_have_liquid(body: str, tool: Tool) -> bool:
    """Return whether the tool runs Liquid in its posts, and a body may have some."""
    return tool in _TOOLS and ("{%" in body or "{{" in body)


def liquid_run(
    file: str, body: str, post: WrittenPost, places: Places, config: Config, references: References, most: int
) -> Expanded:
    """Return a body in which Liquid was run, and note in `references` what it depends on.

    file  the whole text of the post's file
    most  how many characters the body may become
    Raises PostError, with the line of the file, if it runs for too long or becomes too large.
    """
    from publisher.posts.body_templates.liquid_bodies import expand_liquid  # python-liquid takes 0.1 s to import
    from publisher.posts.body_templates.site_values import Asking

    asking = Asking(
        post, places, config, file, references.foreign_post, lambda text: settled_html(text)[0].html.strip()
    )
    try:
        expanded = expand_liquid(body, asking, most)
    except PostError as error:
        error.line += file.count("\n", 0, len(file) - len(body))
        raise
    references.links |= dict.fromkeys("*" if path == "*" else f"./{path}" for path in expanded.files)
    return expanded


def with_own_lines(render: Callable[[], RenderedBody], expanded: Expanded, first_line: int) -> RenderedBody:
    """Render a body that was expanded; return it with the lines of the file in all that it reports.

    first_line  the line of the file on which the body begins
    """

    def line_of(line: int) -> int:
        return line if line < first_line else expanded.line_of(line - first_line + 1) + first_line - 1

    try:
        body = render()
    except PostError as error:
        error.line = line_of(error.line)
        raise
    problems = tuple(replace(each, line=line_of(each.line)) for each in body.problems)
    return body._replace(problems=problems, local=[each._replace(line=line_of(each.line)) for each in body.local])
