"""Liquid in bodies, run by python-liquid: values, filters, loops and includes of the project, and nothing else.

What cannot be run stays as it is written, and is reported. Everything is bounded: the number of rounds of all loops, the
depth of includes, the size of each value and of the text; and the process in which bodies are rendered bounds the rest.
docs/decisions/0044-tags-of-other-tools.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, Mode, RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, tokenize
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.assign_tag import AssignNode, AssignTag
from liquid.exceptions import LiquidError, LiquidInterrupt, ResourceLimitError
from liquid.parser import Parser
from liquid.stream import TokenStream
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token
from liquid.undefined import UNDEFINED, Undefined

from publisher.core.errors import PostError
from publisher.posts.tags.expanded import Expanded, Pieces, TagProblem
from publisher.posts.tags.liquid_filters import MOST_CHARACTERS, SiteFilters
from publisher.posts.tags.liquid_lexer import LiquidText
from publisher.posts.tags.site_values import Asking, Noted, SiteValues
from publisher.posts.text.prose import line_counter, masked

# The rounds of all loops of a body together.
MOST_ROUNDS = 100_000
# How many tags that cannot be parsed are set aside, one after the other, before the rest is given up.
_MOST_RETRIES = 20
_DEEPEST = 30
# What a tool gives a name to, even if it has no value here.
_USUAL = frozenset(("forloop", "tablerowloop", "include", "paginator", "content", "layout", "nil", "null", "blank", "empty"))


class Unknown(Undefined):
    """A value that cannot be known here, such as that of a data file which is not there."""

    __slots__ = ()

