"""python-liquid, set up for bodies: unknown tags and values stay as they are written, and everything is bounded."""

from __future__ import annotations

from io import StringIO
from typing import Any, TextIO

from liquid import Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, tokenize
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.assign_tag import AssignNode, AssignTag
from liquid.exceptions import LiquidError, LiquidSyntaxError, LoopIterationLimitError, OutputStreamLimitError
from liquid.parser import Parser
from liquid.stream import TokenStream
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_EXPRESSION, Token
from liquid.undefined import UNDEFINED, Undefined

from publisher.posts.body_templates.kept_tags import shortened
from publisher.posts.body_templates.liquid_filters import MOST_CHARACTERS, SiteFilters
from publisher.posts.body_templates.liquid_lexer import LiquidText
from publisher.posts.body_templates.site_values import Noted, SiteValues
from publisher.posts.tags.owner_templates import OwnerTemplates
from publisher.posts.text.prose import line_counter, masked

# How many rounds all loops of a body may run, together with its includes.
MOST_ROUNDS = 100_000
_MOST_ITEMS = 100_000
# How many tags of a text that cannot be parsed are set aside, one after the other.
_MOST_RETRIES = 20
# Names that have a value only in some places, and are empty elsewhere.
_USUAL = frozenset(
    ("forloop", "tablerowloop", "include", "paginator", "content", "layout", "page", "site", "empty", "blank", "nil")
)
_BLOCKS = frozenset(("if", "for", "unless", "case", "capture", "tablerow", "ifchanged"))


class Unknown(Undefined):
    """A value that is not known here, such as one from a data file that does not exist."""

    __slots__ = ()


class LineBuffer(StringIO):
    """The result of running a body, in pieces, with the line of the body that each piece comes from."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.pieces: list[tuple[str, int, bool]] = []
        self.line, self._most, self._size = 1, most, 0

    def write(self, text: str, /) -> int:
        """Add a text that replaces a tag on the current line."""
        return self._add(text, self.line, False)

    def copy(self, text: str, line: int) -> int:
        """Add a piece of the body. line: the line of the body on which it begins."""
        return self._add(text, line, True)

    def mark(self) -> tuple[int, int]:
        """Return a mark to which `return_to` can go back."""
        return len(self.pieces), self._size

    def return_to(self, mark: tuple[int, int]) -> None:
        """Discard everything that was added after a mark."""
        del self.pieces[mark[0] :]
        self._size = mark[1]

    def _add(self, text: str, line: int, is_copy: bool) -> int:
        self._size += len(text)
        if self._size > self._most:
            raise OutputStreamLimitError(f"the text becomes longer than {self._most:,} characters", token=None)
        self.pieces.append((text, line, is_copy))
        return len(text)


class Running:
    """A body whose Liquid is being run.

    text    the body
    values  what its tags can read
    owner   the owner's templates for tags
    page    the front matter of the post
    line    the line of the body that is being run
    kept    the tags that stay as they are written, as (name, line), except those in code
    wrong   the other problems, as (line, message, hint)
    vain    the names without a known value in the expression that is being evaluated
    """

    def __init__(self, text: str, values: SiteValues, noted: Noted, owner: OwnerTemplates) -> None:
        self.text, self.values, self.noted, self.owner = text, values, noted, owner
        self.line = 1
        self.kept: list[tuple[str, int]] = []
        self.wrong: dict[tuple[int, str, str], None] = {}
        self.vain: list[str] = []
        self.asked: dict[str, None] = {}  # the names of tags for which the owner may have a template
        self._texts: dict[str, LiquidText] = {}
        self._line_of = line_counter(text)
        self._prose: str | None = None
        self._told: set[int] = set()
        self._rounds = 0

    def parse(self, source: str, env: LiquidEnvironment) -> list[Node]:
        """Return the nodes of the body or an include. Tags that cannot be parsed become text, and are reported."""
        as_text = set(self._unclosed(source))
        for _ in range(_MOST_RETRIES):
            read = self._texts[source] = LiquidText(source, frozenset(as_text))
            stream = TokenStream(iter(read.tokens))
            try:
                return Parser(env).parse(stream)
            except LiquidSyntaxError as error:
                begin = _tag_at(read, error.token.start_index if error.token else -1, stream.pos)
                if begin < 0 or begin in as_text:
                    break
                as_text.add(begin)
                self._refuse(source, begin, str(error.message))
        what = "Liquid cannot be run here, and is shown as written: too much of it is not valid"
        self.report(self.line, what, "correct it")
        self._texts[source] = LiquidText(source, frozenset(as_text | read.ends.keys()))
        return Parser(env).parse(TokenStream(iter(self._texts[source].tokens)))

    def _unclosed(self, source: str) -> list[int]:
        """Return the offsets of blocks that are never closed, and report them."""
        read = LiquidText(source)
        found = [
            token.start_index
            for token in read.tokens
            if token.kind == "tag" and token.value in _BLOCKS and not read.is_block.get(token.start_index)
        ]
        for offset in (*found, *read.unclosed):
            self._refuse(source, offset, "nothing closes it")
        return found

    def _refuse(self, source: str, offset: int, why: str) -> None:
        shown = " ".join(source[offset : offset + 40].partition("%}")[0].partition("}}")[0].split())
        line = self._line_of(offset) if source is self.text else self.line
        self.report(line, f"{shown} … is not valid Liquid and will be shown as is: {why}", "correct it")

    def report(self, line: int, message: str, hint: str) -> None:
        """Record a problem on a line of the body."""
        self.wrong[(line, message, hint)] = None

    def report_of(self, token: Token, message: str, hint: str) -> None:
        """Record a problem with a tag, so that no further problem with it is reported."""
        self._told.add(id(token))
        self.report(self.line, message, hint)

    def has_told(self, token: Token) -> bool:
        """Return whether a problem with the tag has been recorded."""
        return id(token) in self._told

    def begin(self, token: Token, buffer: TextIO) -> None:
        """Note which line of the body is being run. For an include, it is the line of the tag that includes it."""
        if token.source is self.text:
            self.line = self._line_of(token.start_index)
            if isinstance(buffer, LineBuffer):
                buffer.line = self.line

    def end_of(self, token: Token) -> int:
        """Return the offset at which a tag ends, in the text that contains the tag."""
        return self._texts[token.source].ends[token.start_index]

    def source_of(self, token: Token) -> str:
        """Return a tag as it is written."""
        return token.source[token.start_index : self.end_of(token)]

    def is_block(self, token: Token) -> bool:
        """Return whether the tag is closed by an end tag of its own name."""
        return bool(self._texts[token.source].is_block.get(token.start_index))

    def keep(self, token: Token, name: str) -> str:
        """Return a tag as it is written, and note that it is not run, unless it is in code for readers to see."""
        if not self.is_code(token):
            self.kept.append((name, self.line))
        return self.source_of(token)

    def is_code(self, token: Token) -> bool:
        """Return whether the tag is in a code block or in backticks of the body."""
        if token.source is not self.text:
            return False
        if self._prose is None:
            self._prose = masked(self.text)
        return self._prose[token.start_index] != "{"

    def around(self, token: Token, end: int) -> tuple[str, str]:
        """Return the text before a tag on its line, and the rest of the line after an offset in the tag's source."""
        source = token.source
        return source[source.rfind("\n", 0, token.start_index) + 1 : token.start_index], source[end:].partition("\n")[0]

    def spend(self, rounds: int) -> None:
        """Count iterations of loops; raise LoopIterationLimitError if there are too many."""
        self._rounds += rounds
        if self._rounds > MOST_ROUNDS:
            raise LoopIterationLimitError(f"loops run more than {MOST_ROUNDS:,} times", token=None)


def _tag_at(read: LiquidText, offset: int, place: int) -> int:
    """Return the offset of the tag around an offset, or of the last tag in the tokens up to `place`, or -1."""
    inside = max((begin for begin, end in read.ends.items() if begin <= offset < end), default=-1)
    if inside >= 0:
        return inside
    before = (token.start_index for token in reversed(read.tokens[: place + 1]) if token.start_index in read.ends)
    return next(before, -1)


class LiquidContext(RenderContext):
    """The values that a body can use while it is rendered. Each unknown value that it uses is noted."""

    env: LiquidEnvironment

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """Return the value of a path such as site.data.people."""
        running = self.env.running
        before = running.noted.in_vain
        found = super().get(path, token=token, default=default)
        if isinstance(found, Unknown):
            running.vain.append(found.name)
        elif isinstance(found, Undefined):
            root = path[0]
            if running.noted.in_vain > before:
                running.vain.append(running.noted.vain)
            elif isinstance(root, str) and root not in _USUAL and root not in self.scope:
                running.vain.append(root)
        return found

    def assign(self, key: str, val: Any) -> None:
        """Give a name to a value, unless it is too large."""
        if isinstance(val, str) and len(val) > MOST_CHARACTERS:
            raise OutputStreamLimitError(f"a value has more than {MOST_CHARACTERS:,} characters", token=None)
        if isinstance(val, list) and len(val) > _MOST_ITEMS:
            raise OutputStreamLimitError(f"a list has more than {_MOST_ITEMS:,} items", token=None)
        self.locals[key] = val

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Count the iterations of a loop."""
        self.env.running.spend(length)


def evaluated(expression: Any, context: LiquidContext) -> tuple[Any, list[str]]:
    """Return the value of an expression, and its unknown names; no names if the filter `default` replaces them."""
    running = context.env.running
    before, running.vain = running.vain, []
    try:
        value, vain = expression.evaluate(context), running.vain
    finally:
        running.vain = before
    filters = getattr(expression, "filters", None) or ()
    return value, [] if any(each.name == "default" for each in filters) else vain


class _Content(ContentNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the text as it is, and note which lines of the post it comes from."""
        running = context.env.running  # type: ignore[attr-defined]
        if isinstance(buffer, LineBuffer) and self.token.source is running.text:
            return buffer.copy(self.text, running._line_of(self.token.start_index))
        return buffer.write(self.text)


class _Text(Literal):
    node_class = _Content


class _Value(OutputNode):
    """{{ ... }}, which stays as it is written if its value is unknown."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value of an output tag."""
        assert isinstance(context, LiquidContext)  # noqa: S101
        running = context.env.running
        running.begin(self.token, buffer)
        try:
            value, vain = evaluated(self.expression, context)
        except LiquidError as error:
            if isinstance(error, LoopIterationLimitError | OutputStreamLimitError):
                raise
            return buffer.write(running.keep(self.token, shortened(self.token.value)))
        if vain:
            return buffer.write(running.keep(self.token, shortened(self.token.value)))
        return buffer.write(to_liquid_string(value, False))


class _Output(Output):
    node_class = _Value


class _Given(AssignNode):
    """{% assign %}, which also records that the value is unknown if it is."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Give a name its value; write nothing."""
        assert isinstance(context, LiquidContext)  # noqa: S101
        context.env.running.begin(self.token, buffer)
        value, vain = evaluated(self.expression, context)
        is_empty = value is None or isinstance(value, Undefined) or value in ("", [], {})
        context.assign(self.name, Unknown(vain[0]) if vain and is_empty else value)
        return 0


class _Assign(AssignTag):
    node_class = _Given


class LiquidEnvironment(Environment):
    """The tags and filters of a body. running: the body"""

    context_depth_limit = 30
    block_nesting_limit = 50
    keyword_assignment = True

    def __init__(self, running: Running, most: int) -> None:
        super().__init__()
        self.running = running
        self.output_stream_limit = most  # type: ignore[misc]
        for tag in (_Text, _Output, _Assign):
            self.add_tag(tag)
        self.filters.update(SiteFilters(running.values).all())
        self._included: dict[str, list[Node]] = {}

    def included(self, text: str) -> list[Node]:
        """Return the nodes of the text of an include."""
        if text not in self._included:
            self._included[text] = self.running.parse(text, self)
        return self._included[text]

    def condition(self, text: str) -> Any:
        """Return a condition such as item.year > 2020."""
        return BooleanExpression.parse(self, self._stream(text))

    def expression(self, text: str) -> Any:
        """Return an expression with its filters."""
        return FilteredExpression.parse(self, self._stream(text))

    @staticmethod
    def _stream(text: str) -> TokenStream:
        return TokenStream(tokenize(text, Token(TOKEN_EXPRESSION, text, 0, text)))
