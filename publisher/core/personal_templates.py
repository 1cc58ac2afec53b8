"""Tags about the subscriber in email templates: {{ subscriber.name | default("friend") }}, {% if subscriber.vip %}.

A template is rendered once for all recipients, and does not know the fields that they have. So these tags are taken out
of its source before Jinja2 compiles it, and printed as marks that contain the tag and its place. When the email is
finished, all of its tags are read together, in the order in which they were printed.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping

from publisher.core import patterns
from publisher.core.errors import PostError, TemplateError
from publisher.core.personal_marks import ELSE, END, if_mark
from publisher.core.personal_syntax import tags_in
from publisher.core.subscriber_fields import FieldKind

PRINTED_TAG = "@@publisher-tag-"  # what the mark of a printed tag begins with

_OPENING = "@@publisher-"
_DISARMED = "@\u2060@publisher-"  # it looks the same

_PRINTED = re.compile(r"@@publisher-tag-([a-z2-7]++)@@")
_SUBSCRIBER = re.compile(r"(?<![\w.])subscriber\b")
_DEFAULT = re.compile(r"default\(\s*+(?:\"([^\"]*+)\"|'([^']*+)')")

# A value, or a statement.
_PIECE = patterns.compile(
    r"\{\{(?P<before>-?)(?P<value>[ \t]*+subscriber\b(?:[^{}]|\}(?!\}))*?)(?P<after>-?)\}\}"
    r"|\{%(?P<begin>-?)[ \t]*+(?P<word>if|elif|else|endif|for|endfor)\b"
    r"(?P<rest>(?:[^{}%]|%(?!\})|\}(?!\}))*?)(?P<end>-?)%\}"
)
# What begins a comment or a block that is printed verbatim, and what ends each.
_HIDES = patterns.compile(r"\{#|\{%-?[ \t]*+raw\b")
_SHOWS = {"{#": re.compile(r"#\}"), "{%": re.compile(r"\{%-?[ \t]*+endraw\b")}


def with_printed_tags(source: str, name: str) -> str:
    """Return the source of a template in which tags about the subscriber are printed as marks.

    name: the template's name, for errors. Lines stay as they are, and so does white-space control.
    """

    def printed(found: re.Match[str], mark: str) -> str:
        """Return a tag that prints a mark, on as many lines as the tag that it replaces."""
        lines = "\n" * source.count("\n", *found.span())
        if found["value"] is not None:
            return f'{{{{{found["before"]} "{mark}" {lines}{found["after"]}}}}}'
        # A statement swallows the line end after it, and the mark has to do so too.
        return f'{{{{{found["begin"]} "{mark}" }}}}{{% set _subscriber = 1 {lines}{found["end"]}%}}'

    return _printed(source, _visible(source), f"templates/{name}", 1, printed)


def with_marked_tags(body: str, view: str, path: str, first_line: int) -> str:
    """Return the Markdown of a post that has no page, with marks in place of its tags about the subscriber.

    view        the body with blanks in place of its code
    path        the path of its file, for errors
    first_line  the line of the file on which it begins

    Text that looks like a mark is disarmed. Line breaks stay as they are.
    """
    body, view = (text.replace(_OPENING, _DISARMED) for text in (body, view))
    return _printed(body, view, path, first_line, lambda found, mark: mark + "\n" * body.count("\n", *found.span()))


def tags_of(texts: Iterable[str]) -> list[str]:
    """Return the tags that are about the subscriber, with the {% else %} and {% endif %} of their conditions.

    texts: tags, or texts that contain one, in the order in which they were written.
    """
    open_blocks: list[bool] = []
    return [text for text in texts if any(_tag(found, text, open_blocks) for found in _PIECE.finditer(text))]


def _printed(source: str, view: str, path: str, first_line: int, printed: Callable[[re.Match[str], str], str]) -> str:
    """Return a text with each tag about the subscriber replaced by what `printed` returns for it and its mark."""
    if "subscriber" not in view:
        return source
    open_blocks: list[bool] = []  # whether a block is a condition about the subscriber
    pieces, last = [], 0
    for found in _PIECE.finditer(view):
        if tag := _tag(found, source, open_blocks):
            line = source.count("\n", 0, found.start()) + first_line
            pieces += [source[last : found.start()], printed(found, _mark(tag, f"{path}:{line}"))]
            last = found.end()
    return "".join([*pieces, source[last:]])


def _tag(found: re.Match[str], source: str, open_blocks: list[bool]) -> str:
    """Return a tag about the subscriber without its white-space control; "" if it is about something else."""
    if found["value"] is not None:
        return f"{{{{{source[slice(*found.span('value'))]}}}}}"
    word = found["word"]
    if word in ("if", "for"):
        open_blocks.append(word == "if" and _SUBSCRIBER.search(found["rest"]) is not None)
    is_ours = bool(open_blocks) and open_blocks[-1]
    if word in ("endif", "endfor") and open_blocks:
        open_blocks.pop()
    return f"{{% {word}{source[slice(*found.span('rest'))]}%}}" if is_ours else ""


def _visible(source: str) -> str:
    """Return a template with blanks in place of its comments and its verbatim text."""
    pieces, last = [], 0
    while begin := _HIDES.search(source, last):
        end = _SHOWS[begin[0][:2]].search(source, begin.end())
        if end is None:
            break
        pieces += [source[last : begin.start()], " " * (end.end() - begin.start())]
        last = end.end()
    return "".join([*pieces, source[last:]])


def with_read_tags(text: str, known: Mapping[str, FieldKind], language: str) -> str:
    """Return a rendered text with the marks that its printed tags stand for.

    known     the project's own fields, and the kinds of their values
    language  the language in which dates are written
    Raises TemplateError, with the template and its line, for a tag that is wrong.
    """
    found = [_read(each[1]) for each in _PRINTED.finditer(text)] if PRINTED_TAG in text else []
    if not found:
        return text
    written = [" ".join(tag.split()) for tag, _ in found]
    try:
        tags = tags_in("\n".join(written), known, language=language)
    except PostError as error:
        raise TemplateError(error.message, where=found[error.line - 1][1], hint=error.hint) from error
    marks = iter(tags)
    return _PRINTED.sub(lambda _: next(marks).marks, text)


def without_tags(text: str) -> str:
    """Return a rendered text for a reader about whom nothing is known, whether or not its tags are right."""

    def shown(found: re.Match[str]) -> str:
        """Return what a tag shows to a reader about whom nothing is known."""
        tag, _ = _read(found[1])
        if tag.startswith("{{"):
            default = _DEFAULT.search(tag)
            return (default[1] or default[2] or "") if default else ""
        word = tag.split()[1]
        return {"if": if_mark(_NEVER), "elif": "", "else": ELSE, "endif": END}.get(word, "")

    return _PRINTED.sub(shown, text)


_NEVER = ("or",)


def _mark(tag: str, place: str) -> str:
    data = base64.b32encode(json.dumps([tag, place]).encode()).decode("ascii")
    return f"@@publisher-tag-{data.rstrip('=').lower()}@@"


def _read(payload: str) -> tuple[str, str]:
    tag, place = json.loads(base64.b32decode(payload.upper() + "=" * (-len(payload) % 8)))
    return tag, place
