"""The tags of Jekyll and Eleventy: includes, links, code, and the owner's own from templates/shortcodes/NAME.html."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TextIO

from liquid import RenderContext
from liquid.ast import BlockNode, Node
from liquid.exceptions import LiquidSyntaxError
from liquid.parser import Parser
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_ILLEGAL, TOKEN_TAG, Token

from publisher.core import patterns
from publisher.core.errors import TemplateError
from publisher.posts.body_templates.hexo_tags import plugin_tag
from publisher.posts.body_templates.liquid_environment import LiquidContext, LiquidEnvironment, evaluated
from publisher.posts.front_matter.other_tools import code_block
from publisher.posts.tags.owner_templates import plain_error

_NAMED = patterns.compile(
    r"""([\w-]{1,100}+)\s*+[=:]\s*+(?:"((?:[^"\\]++|\\.)*+)"|'((?:[^'\\]++|\\.)*+)'|([^\s,"']++))""", re.DOTALL
)
_WORD = patterns.compile(r""""((?:[^"\\]++|\\.)*+)"|'((?:[^'\\]++|\\.)*+)'|([^\s,]++)""", re.DOTALL)
_PATH = patterns.compile(r"[A-Za-z_]\w*(?:[.][\w-]+|\[\d+\])*")
_OUTPUT = patterns.compile(r"\{\{(.{0,500}?)\}\}")
# A tag counts as this many iterations of a loop.
_ROUNDS = 10
_LITERALS: Mapping[str, Any] = {"true": True, "false": False, "nil": None, "null": None}


class _Written(Node):
    """A tag with the words after its name.

    inside   the text that it encloses, if it is a block
    closing  the tag that closes the block
    """

    __slots__ = ("closing", "inside", "name", "words")

    def __init__(self, token: Token, words: str, inside: BlockNode | None = None, closing: Token | None = None) -> None:
        super().__init__(token)
        self.name, self.words, self.inside, self.closing = token.value, words, inside, closing
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the text of the tag, or the tag as it is written if it has none."""
        assert isinstance(context, LiquidContext)  # noqa: S101
        context.env.running.begin(self.token, buffer)
        context.env.running.spend(_ROUNDS)
        text = self.text(context)
        if text is None:
            return self._as_written(context, buffer)
        return buffer.write(text)

    def text(self, context: LiquidContext) -> str | None:
        """Return the text that the tag becomes; None if it stays as it is written."""
        raise NotImplementedError

    def inner(self, context: LiquidContext) -> str:
        """Return the text inside the tag."""
        if self.inside is None:
            return ""
        inner = context.get_buffer()
        self.inside.render(context, inner)
        return inner.getvalue()

    def _as_written(self, context: LiquidContext, buffer: TextIO) -> int:
        running = context.env.running
        is_told = running.has_told(self.token)
        buffer.write(running.source_of(self.token) if is_told else running.keep(self.token, f"{{% {self.name} %}}"))
        if self.inside is not None and self.closing is not None:
            self.inside.render(context, buffer)
            running.begin(self.closing, buffer)
            buffer.write(running.source_of(self.closing))
        return 0


class _WrittenTag(Tag):
    """A tag whose words are not Liquid's expressions."""

    node: type[_Written]

    def parse(self, stream: TokenStream) -> Node:
        """Return the node of a tag, with the content of the tag."""
        token = stream.eat(TOKEN_TAG)
        has_words = stream.current.kind == TOKEN_EXPRESSION
        words = stream.current.value if has_words else ""
        env = self.env
        assert isinstance(env, LiquidEnvironment)  # noqa: S101
        if not env.running.is_block(token):
            stream.pos -= 0 if has_words else 1
            return self.node(token, words)
        stream.pos += has_words
        inside = Parser(env).parse_block(stream, (f"end{token.value}", TOKEN_EOF))
        if stream.current.kind == TOKEN_EOF:
            raise LiquidSyntaxError("nothing closes it", token=token)
        return self.node(token, words, inside, stream.current)


def filled(words: str, context: LiquidContext) -> str:
    """Return the words of a tag, with values in place of outputs such as {{ page.x }}."""
    if "{{" not in words:
        return words

    def value(found: re.Match[str]) -> str:
        """Return the value of an expression as text."""
        made, _ = evaluated(context.env.expression(found[1]), context)
        return "" if made is None else str(made)

    return _OUTPUT.sub(value, words)


def value_of(word: str, context: LiquidContext) -> Any:
    """Return the value of an unquoted word; the word itself if it has no value."""
    if word in _LITERALS:
        return _LITERALS[word]
    if re.fullmatch(r"-?\d{1,15}", word):
        return int(word)
    if not _PATH.fullmatch(word):
        return word
    made, vain = evaluated(context.env.expression(word), context)
    return word if vain and "." not in word else made


def named_values(words: str, context: LiquidContext) -> dict[str, Any]:
    """Return the values of words such as text="Mind" kind=page.kind."""
    found: dict[str, Any] = {}
    for match in _NAMED.finditer(words):
        quoted = match[2] if match[2] is not None else match[3]
        found[match[1]] = _unescaped(quoted) if quoted is not None else value_of(match[4], context)
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\"'\\])", r"\1", text)


class _Include(_Written):
    """{% include note.html text="..." %}"""

    __slots__ = ()

    def folders(self, context: LiquidContext) -> list[str]:
        """Return the folders in which the tool looks for included files."""
        values = context.env.running.values
        if values.config.posts.tool == "eleventy":
            return [values.eleventy.includes]
        own = values.settings.get("includes_dir")
        return [own if isinstance(own, str) and own.strip("./") else "_includes"]

    def text(self, context: LiquidContext) -> str | None:
        """Return the text of the included file, or None if it cannot be included."""
        running = context.env.running
        found = _WORD.match(self.words.strip())
        quoted = found and (found[1] or found[2])
        rest = self.words.strip()[found.end() :] if found else ""
        if found and found[3] and "{{" in found[3]:
            end = self.words.strip().find("}}") + 2
            tail = re.match(r"[^\s,]*", self.words.strip()[end:])
            end += tail.end() if tail else 0
            name, rest = filled(self.words.strip()[:end], context), self.words.strip()[end:]
        else:
            name = quoted or (found[3] if found else "")
        folders = self.folders(context)
        file = next((file for each in _spellings(name) if (file := running.values.text(folders, each))), None)
        if file is None:
            if running.is_code(self.token):
                return None
            running.report_of(
                self.token, f"the include {name[:80]} doesn't exist in {folders[0]}/", "add it, or fix its name"
            )
            return None
        given = named_values(rest, context)
        names: dict[str, Any] = {"include": given}
        if running.values.config.posts.tool == "eleventy":
            names |= given
        out = context.get_buffer()
        with context.extend(names):
            for node in context.env.included(file[1]):
                node.render(context, out)
        return out.getvalue()


def _spellings(name: str) -> list[str]:
    return (
        [name]
        if "." in name.rpartition("/")[2]
        else [name, *(f"{name}{ending}" for ending in (".liquid", ".html", ".md"))]
    )


class _IncludeBeside(_Include):
    """{% include_relative part.md %}: a file next to the post."""

    __slots__ = ()

    def folders(self, context: LiquidContext) -> list[str]:
        """Return the folder of the post."""
        values = context.env.running.values
        source = values.asking.post.source
        return [f"{values.config.posts.folder}/{source}".rpartition("/")[0]]


class _Link(_Written):
    """{% link about.md %} and {% post_url 2024-07-06-hello %}"""

    __slots__ = ()

    def text(self, context: LiquidContext) -> str | None:
        """Return the address of a post, a page or a file, or None if there is no such thing."""
        running = context.env.running
        name = filled(self.words, context).strip().strip("\"'")
        found = running.values.address(name) if self.name == "link" else running.values.asking.link(name)
        if found is None and not running.is_code(self.token):
            what = "a post" if self.name == "post_url" else "a post, a page or a file"
            running.report_of(self.token, f"broken link: {name[:80]} is not {what}", "fix the path")
        return found


class _Code(_Written):
    """{% highlight ruby %}"""

    __slots__ = ()

    def text(self, context: LiquidContext) -> str | None:
        """Return the code block, or None if the tag is not closed."""
        if self.inside is None or self.closing is None:
            return None
        language = self.words.split()[0] if self.words.split() else ""
        before, behind = context.env.running.around(self.token, context.env.running.end_of(self.closing))
        return code_block(self.inner(context), language, before, behind)


class _Owned(_Written):
    """A tag of a plug-in, for which the owner may have a template."""

    __slots__ = ()

    def text(self, context: LiquidContext) -> str | None:
        """Return the result of the owner's shortcode of this name, or None if there is no such shortcode."""
        running = context.env.running
        if self.name.startswith("end"):
            return None
        running.asked[self.name] = None
        if not running.owner.has(self.name):
            return plugin_tag(self.name, self.words)
        named = named_values(self.words, context)
        positional = [
            _unescaped(quoted)
            if (quoted := each[1] if each[1] is not None else each[2]) is not None
            else value_of(each[3], context)
            for each in _WORD.finditer(_NAMED.sub(" ", self.words))
        ]
        try:
            return running.owner.render(self.name, positional, named, self.inner(context), running.values.page)
        except TemplateError as error:
            running.report_of(self.token, *plain_error(error))
            return None


class _IncludeTag(_WrittenTag):
    name, block, node = "include", False, _Include


class _CachedIncludeTag(_WrittenTag):
    name, block, node = "include_cached", False, _Include


class _RenderTag(_WrittenTag):
    name, block, node = "render", False, _Include


class _IncludeBesideTag(_WrittenTag):
    name, block, node = "include_relative", False, _IncludeBeside


class _LinkTag(_WrittenTag):
    name, block, node = "link", False, _Link


class _PostUrlTag(_WrittenTag):
    name, block, node = "post_url", False, _Link


class _CodeTag(_WrittenTag):
    name, end, node = "highlight", "endhighlight", _Code


class _OwnedTag(_WrittenTag):
    name, block, node = TOKEN_ILLEGAL, False, _Owned


TAGS = (_IncludeTag, _CachedIncludeTag, _RenderTag, _IncludeBesideTag, _LinkTag, _PostUrlTag, _CodeTag, _OwnedTag)
