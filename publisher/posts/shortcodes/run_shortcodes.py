"""Shortcodes of Hugo and Zola in a Markdown body: they are run, and replaced by their results.

The owner's template of a name has precedence over the tool's own shortcode (see embedded_shortcodes). Any other
shortcode with an end is reduced to the words inside it; one without an end stays as it was typed. The content of a
shortcode stays in the body, so that it is still Markdown, and its lines are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

from publisher.core import patterns
from publisher.core.errors import PostError, TemplateError
from publisher.posts.shortcodes.embedded_shortcodes import (
    NOWHERE,
    Made,
    ShortcodeContext,
    hugo_made,
    quarto_made,
    zola_made,
)
from publisher.posts.shortcodes.shortcode_calls import Escaped, ShortcodeCall, calls_in, may_have_shortcodes
from publisher.posts.tags.expanded import Expanded, Pieces, TagProblem
from publisher.posts.tags.owner_templates import plain_error
from publisher.posts.text.prose import line_counter, masked

# How deeply they may be nested, and how many are inserted, since a template may repeat its content.
_DEEPEST = 40
_MOST = 20_000
_SHORTCODE = "shortcode"
# Where a template puts the content of its shortcode.
_INNER = "\x08\x08"
# Takes a call and its content as it was written; returns what it makes, or None if it is not known.
Make = Callable[[ShortcodeCall, ShortcodeContext, str], Made | None]

# A tag in the address of a link or a picture, or in an attribute, becomes text. Longer addresses have no tags.
_IN_ADDRESS = patterns.compile(r"(?:\]\(<?[^()\s<>]{0,300}|\]:[ \t]{1,8}[^\s<>]{0,300}|=[\"'][^\"'<>\n]{0,300})\Z")


_MAKERS: Mapping[str, Make] = {"zola": zola_made, "quarto": quarto_made}


def expand_shortcodes(text: str, context: ShortcodeContext, *, is_html: bool = False) -> Expanded:
    """Return a body in which shortcodes are run. is_html: whether it is HTML, and not Markdown.

    Raises PostError, with a line of the body, if they are nested too deeply.
    """
    if not may_have_shortcodes(text, context.tool):
        return Expanded(text)
    is_zola = context.tool == "zola"
    calls = calls_in(text, is_zola=is_zola, in_code=is_html or context.tool == "hugo")
    if not calls:
        return Expanded(text)
    return run_calls(text, calls, context, _MAKERS.get(context.tool, hugo_made))


def run_calls(
    text: str,
    calls: Sequence[ShortcodeCall | Escaped],
    context: ShortcodeContext,
    make: Make,
    kind: str = _SHORTCODE,
) -> Expanded:
    """Return a text in which these calls have been run.

    make  runs a call for which the owner has no template (see Make)
    kind  the word for the calls in messages
    """
    expansion = _Expansion(text, context, make, kind)
    expansion.write(calls, 0, len(text))
    return expansion.expanded()


@dataclass
class _Expansion:
    """A text whose shortcodes are being run."""

    text: str
    context: ShortcodeContext
    embedded: Make
    kind: str
    pieces: Pieces = field(default_factory=Pieces)
    problems: dict[tuple[str, str], TagProblem] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    files: dict[str, None] = field(default_factory=dict)
    written: int = 0

    def __post_init__(self) -> None:
        self.line_of = line_counter(self.text)

    def expanded(self) -> Expanded:
        """Return the text with the results of the shortcodes, and the files that they read."""
        files = (*self.context.owner.files(tuple(self.names)), *self.files)
        return self.pieces.expanded(tuple(self.problems.values()), files)

    def write(self, calls: Sequence[ShortcodeCall | Escaped], start: int, end: int, depth: int = 0) -> None:
        """Write the text from `start` to `end`, in which these shortcodes are."""
        for call in calls:
            self._copy(start, call.start)
            start = call.start
            self.written += 1
            if depth >= _DEEPEST and self.kind == _SHORTCODE:
                what = f"shortcodes are nested more than {_DEEPEST} deep"
                raise PostError(what, line=self.line_of(call.start), hint="nest them less deeply")
            if depth < _DEEPEST and self.written <= _MOST:
                if isinstance(call, Escaped):
                    self._show(call)
                else:
                    self._run(call, depth)
                start = call.whole_end
        self._copy(start, end)

    def _copy(self, start: int, end: int) -> None:
        if end > start:
            self.pieces.copy(self.text[start:end], self.line_of(start))

    def _show(self, escaped: Escaped) -> None:
        in_code = self.context.tool == "hugo" and self._is_code(escaped.start, escaped.whole_end)
        html = f"<code>{escape(escaped.shown, quote=False)}</code>"
        shown = escaped.shown if in_code else self.context.held.hold(html, alone=False)
        self.pieces.insert(shown, self.line_of(escaped.start))

    def _is_code(self, start: int, end: int) -> bool:
        return self._view[start:end].isspace()

    @cached_property
    def _view(self) -> str:
        return masked(self.text)

    def _run(self, call: ShortcodeCall, depth: int) -> None:
        made = self._made(call)
        if made is None and call.closing:
            what = f"the {self.kind} {call.name} is unknown, so only the text inside it is shown"
            self._report(call, what, f"add templates/shortcodes/{call.name}.html")
            made = Made(("", None, ""))
        if made is None:
            self._copy(call.start, call.end)
            return
        if made.problem:
            self._report(call, made.problem, made.hint, is_error=made.is_error)
        is_before = True
        for part in made.parts:
            if part is None:
                closing = call.closing[0] if call.closing else call.end
                self.write(call.inside, call.end, closing, depth + 1)
                is_before = False
            elif part:
                place = (call.start, call.end) if is_before or not call.closing else call.closing
                self._insert(part, *place, as_text=made.as_text)

    def _made(self, call: ShortcodeCall) -> Made | None:
        """Return the result of a shortcode; None if the shortcode is not known."""
        self.names[call.name] = None
        raw = self.text[call.end : call.closing[0]] if call.closing else ""
        owner = self.context.owner
        if owner.has(call.name):
            page = self.context.page()
            inner = _INNER if call.closing else ""
            try:
                html = owner.render(call.name, call.positional, call.named, inner, page, raw) or ""
            except TemplateError as error:
                message, hint = plain_error(error)
                return Made(("", None, ""), problem=message, hint=hint, is_error=True)
            parts = [part for each in html.split(_INNER) for part in (None, each)][1:]
            return Made(tuple(parts), as_text=call.is_markdown)
        return self.embedded(call, self.context, raw)

    def _insert(self, text: str, start: int, end: int, *, as_text: bool) -> None:
        in_address = _IN_ADDRESS.search(self.text, max(0, start - 310), start) is not None
        if as_text or in_address:
            words = text if as_text else text.strip()
            self.pieces.insert(words if in_address or words != NOWHERE else "", self.line_of(start))
            return
        before = self.text[max(0, start - 200) : start].rpartition("\n")[2]
        behind = self.text[end : end + 200].partition("\n")[0]
        alone = not before.strip(" \t>*+-") and not behind.strip()
        self.pieces.insert(self.context.held.hold(text, alone=alone), self.line_of(start))

    def _report(self, call: ShortcodeCall, message: str, hint: str, *, is_error: bool = False) -> None:
        self.problems.setdefault((call.name, message), TagProblem(self.line_of(call.start), message, hint, is_error))
