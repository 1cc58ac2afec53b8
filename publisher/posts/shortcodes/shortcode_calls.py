r"""The shortcodes in a text: Hugo's {{< name value >}} and {{% name %}}, and Zola's {{ name() }} and {% name() %}.

They are found here, with their values, and each is paired with its end. run_shortcodes replaces them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import field
from itertools import islice

from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.posts.text.prose import masked

# How many tags of one text are read; the others stay as they were typed.
MOST_CALLS = 5_000

Value = str | int | bool | list["Value"]


@dataclass(slots=True)
class ShortcodeCall:
    """A shortcode in a text.

    start, end   the place of its tag
    is_markdown  whether its result is Markdown, and not HTML
    closing      the place of the tag that ends it; None if it has none
    inside       the calls between these two tags
    """

    start: int
    end: int
    name: str
    is_markdown: bool
    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    closing: tuple[int, int] | None = None
    inside: list[ShortcodeCall | Escaped] = field(default_factory=list)

    @property
    def whole_end(self) -> int:
        """Where the shortcode ends, with the tag that ends it."""
        return self.closing[1] if self.closing else self.end

    def value(self, name: str, place: int = -1) -> str:
        """Return the value with a name, or else the value at an index among the unnamed values; "" if there is none."""
        found = self.named.get(name)
        if found is None and 0 <= place < len(self.positional):
            found = self.positional[place]
        return "" if found is None else str(found).lower() if isinstance(found, bool) else str(found)


@dataclass(frozen=True, slots=True)
class Escaped:
    """A shortcode that readers should see, such as {{</* name */>}}. shown: the text that they see."""

    start: int
    whole_end: int
    shown: str


@dataclass(frozen=True, slots=True)
class ShortcodeTag:
    """The tag that begins a call, or one that ends the call named in `closes`."""

    call: ShortcodeCall
    closes: str | None
    is_single: bool


_QUOTED = r"\"(?:\\.|[^\"\\]){0,5000}+\"|`[^`]{0,5000}+`"
_HUGO = patterns.compile(
    r"\{\{([<%])(?:/\*(?P<shown>(?:(?!\*/|\{\{).){0,5000}+)\*/[>%]\}\}"
    r"|\s{0,200}+(?P<close>/?)\s{0,200}+(?P<name>\w[\w./-]*+)"
    rf"(?P<values>(?:{_QUOTED}|(?!/?[ \t\n]{{0,200}}[>%]\}}\}}|\{{\{{)[^\"`]){{0,5000}}+)"
    r"(?P<single>/?)\s{0,200}+[>%]\}\})",
    re.DOTALL,
)
_HUGO_VALUE = patterns.compile(
    r"(?:(\w[\w.-]*+)\s{0,200}+=\s{0,200}+)?+(?:\"((?:\\.?|[^\"\\])*+)(?:\"|\Z)|`([^`]*+)(?:`|\Z)|([^\s\"`=]++))",
    re.DOTALL,
)
_ZOLA_VALUES = r"(?:\"[^\"]{0,5000}+\"|'[^']{0,5000}+'|`[^`]{0,5000}+`|[^\"'`(){}]){0,5000}+"
_ZOLA = patterns.compile(
    r"(?:\{\{/\*(?P<shown>(?:(?!\*/|\{\{).){0,5000}+)\*/\}\}|\{%/\*(?P<shown_block>(?:(?!\*/|\{%).){0,5000}+)\*/%\}"
    rf"|\{{\{{-?\s{{0,200}}+(?P<name>[A-Za-z_]\w*+)\((?P<values>{_ZOLA_VALUES})\)\s{{0,200}}+-?\}}\}}"
    rf"|\{{%-?\s{{0,200}}+(?:(?P<block>[A-Za-z_]\w*+)\((?P<block_values>{_ZOLA_VALUES})\)|(?P<close>end))\s{{0,200}}+-?%\}})",
    re.DOTALL,
)
_ZOLA_VALUE = patterns.compile(
    r"(?<!\w)(\w++)\s{0,200}+=\s{0,200}+(?:\"([^\"]*+)(?:\"|\Z)|'([^']*+)(?:'|\Z)|`([^`]*+)(?:`|\Z)|\[([^\[\]]*+)(?:\]|\Z)|([^\s,()\"'`]++))"
)
# Their content is code, in which backticks mean nothing.
_VERBATIM = patterns.compile(
    r"(\{\{[<%]\s{0,200}+(?:highlight|comment)\b[^{}]{0,2000}[>%]\}\})((?:(?!\{\{[<%]\s{0,200}+/).)*+)", re.DOTALL
)


def may_have_shortcodes(text: str, tool: str) -> bool:
    """Return whether a text may have shortcodes. It is quick."""
    if "{" not in text:
        return False
    if tool == "zola":
        return ")" in text and ("{{" in text or "{%" in text)
    return "{{<" in text or "{{%" in text


def calls_in(text: str, *, is_zola: bool = False, in_code: bool = False) -> list[ShortcodeCall | Escaped]:
    """Return the shortcodes in a Markdown text, in order, each with those that are inside it.

    is_zola  whether to look for Zola's shortcodes rather than Hugo's
    in_code  whether shortcodes in code count too
    """
    found = _zola(text) if is_zola else _hugo(text)
    if not in_code:
        view = masked(text if is_zola else _VERBATIM.sub(lambda each: each[1] + _blank(each[2]), text))
        found = (each for each in found if view[_start(each)] == "{")
    return paired(islice(found, MOST_CALLS))


def _start(found: ShortcodeTag | Escaped) -> int:
    return found.call.start if isinstance(found, ShortcodeTag) else found.start


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _hugo(text: str) -> Iterator[ShortcodeTag | Escaped]:
    for tag in _HUGO.finditer(text):
        if tag["shown"] is not None:
            shown = f"{{{{{tag[1]}{tag['shown']}{'>' if tag[1] == '<' else '%'}}}}}"
            yield Escaped(tag.start(), tag.end(), shown)
            continue
        call = ShortcodeCall(tag.start(), tag.end(), tag["name"].rstrip("/"), tag[1] == "%")
        is_single = tag["single"] == "/" or tag["name"].endswith("/")
        if not tag["close"]:
            for value in islice(_HUGO_VALUE.finditer(tag["values"]), MOST_CALLS):
                written = _unescaped(value[2]) if value[2] is not None else value[3]
                _add(call, value[1], written if written is not None else typed(value[4]))
        yield ShortcodeTag(call, call.name if tag["close"] else None, is_single)


def _zola(text: str) -> Iterator[ShortcodeTag | Escaped]:
    for tag in _ZOLA.finditer(text):
        if tag["shown"] is not None or tag["shown_block"] is not None:
            shown = f"{{{{{tag['shown']}}}}}" if tag["shown"] is not None else f"{{%{tag['shown_block']}%}}"
            yield Escaped(tag.start(), tag.end(), shown)
            continue
        call = ShortcodeCall(tag.start(), tag.end(), tag["name"] or tag["block"] or "", is_markdown=False)
        for value in islice(_ZOLA_VALUE.finditer(tag["values"] or tag["block_values"] or ""), MOST_CALLS):
            _add(call, value[1], _zola_value(value))
        yield ShortcodeTag(call, "" if tag["close"] else None, tag["name"] is not None)


def _zola_value(found: re.Match[str]) -> Value:
    written = next((each for each in found.groups()[1:4] if each is not None), None)
    if written is not None:
        return written
    if found[5] is not None:
        return [typed(each.strip().strip("\"'`")) for each in found[5].split(",") if each.strip()]
    return typed(found[6])


def _add(call: ShortcodeCall, name: str | None, value: Value) -> None:
    if name:
        call.named[name] = value
    else:
        call.positional.append(value)


_WHOLE = patterns.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII)
_ESCAPE = patterns.compile(r"\\(.)", re.DOTALL)


def typed(word: str) -> Value:
    """Return an unquoted value as a boolean, a whole number or a text."""
    if word in ("true", "false"):
        return word == "true"
    return int(word) if _WHOLE.fullmatch(word) else word


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def paired(tags: Iterable[ShortcodeTag | Escaped]) -> list[ShortcodeCall | Escaped]:
    """Pair each call with the tag that ends it, if there is one, and with the calls between the two."""
    found: list[ShortcodeCall | Escaped] = []
    waiting: list[tuple[ShortcodeCall, int]] = []  # the calls that may have an end, each with its place in `found`
    names: Counter[str] = Counter()
    for tag in tags:
        if isinstance(tag, Escaped):
            found.append(tag)
        elif tag.closes is None:
            if not tag.is_single:
                waiting.append((tag.call, len(found)))
                names[tag.call.name] += 1
            found.append(tag.call)
        elif names[tag.closes] or (not tag.closes and waiting):
            while waiting:
                call, place = waiting.pop()
                names[call.name] -= 1
                if not tag.closes or call.name == tag.closes:
                    call.closing = tag.call.start, tag.call.end
                    call.inside = found[place + 1 :]
                    del found[place + 1 :]
                    break
    return found
