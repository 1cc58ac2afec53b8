"""Liquid in bodies, run by python-liquid: values, filters, loops and includes of the project, and nothing else.

Code that cannot be run stays as it is written, and is reported. Everything is bounded: the rounds of all loops, the
depth of includes, the size of each value and of the text; the process in which bodies are rendered bounds the rest.
docs/decisions/0045-tags-of-other-tools.md has the reasons.
"""

from __future__ import annotations

from liquid import BoundTemplate
from liquid.exceptions import (
    BlockNestingError,
    ContextDepthError,
    LiquidError,
    LiquidInterrupt,
    ResourceLimitError,
    StopRender,
)

from publisher.core.errors import PostError
from publisher.posts.body_templates.kept_tags import problems_of
from publisher.posts.body_templates.liquid_environment import LineBuffer, LiquidContext, LiquidEnvironment, Running
from publisher.posts.body_templates.liquid_tags import TAGS
from publisher.posts.body_templates.site_values import Asking, Noted, SiteValues
from publisher.posts.tags.expanded import Expanded, Pieces
from publisher.posts.tags.owner_templates import owner_templates

# Messages of python-liquid, and what is said here instead.
_SAID = {"output stream limit reached": "a part of it becomes too long"}


def expand_liquid(text: str, asking: Asking, most: int) -> Expanded:
    """Return a body in which Liquid was run, as Jekyll and Eleventy do: in code as well.

    most  how many characters it may become
    Raises PostError, with a line of the text, if it runs for too long or becomes too large.
    """
    noted = Noted()
    running = Running(text, SiteValues(asking, noted), noted, owner_templates(asking.config.root))
    env = LiquidEnvironment(running, most)
    for tag in TAGS:
        env.add_tag(tag)
    buffer = LineBuffer(most)
    try:
        _render(running, env, buffer)
    except ResourceLimitError as error:
        raise _too_much(error, running.line) from error
    pieces = Pieces()
    for piece, line, is_copy in buffer.pieces:
        (pieces.copy if is_copy else pieces.insert)(piece, line)
    files = (*noted.files, "_config.yml", *running.owner.files(list(running.asked)))
    return pieces.expanded(
        tuple(problems_of("Liquid", running.kept, running.wrong, noted)), tuple(dict.fromkeys(files))
    )


def _render(running: Running, env: LiquidEnvironment, buffer: LineBuffer) -> None:
    """Render each part of a body; a part that fails stays as it is written."""
    nodes = running.parse(running.text, env)
    context = LiquidContext(BoundTemplate(env, nodes), globals=running.values.names())
    ends = [*(node.token.start_index for node in nodes), len(running.text)][1:]
    for node, end in zip(nodes, ends, strict=True):
        mark = buffer.mark()
        running.begin(node.token, buffer)
        line = running.line
        try:
            node.render(context, buffer)
        except (LiquidInterrupt, StopRender):
            return  # {% break %} outside of a loop ends the text
        except (ResourceLimitError, MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 - a filter of python-liquid may raise anything
            buffer.return_to(mark)
            why = str(error.message) if isinstance(error, LiquidError) else f"{type(error).__name__}: {error}"
            running.report(
                line, f"{{% {node.token.value} %}} can't be run and will be shown as is: {why}", "correct it"
            )
            buffer.copy(running.text[node.token.start_index : end], line)


def _too_much(error: ResourceLimitError, line: int) -> PostError:
    if isinstance(error, ContextDepthError):
        return PostError(
            "its Liquid includes files that include each other without end", line=line, hint="correct them"
        )
    if isinstance(error, BlockNestingError):
        return PostError("its Liquid is nested too deeply", line=line, hint="simplify it")
    why = _SAID.get(str(error.message), str(error.message))
    return PostError(f"its Liquid was stopped: {why}", line=line, hint="simplify it")
