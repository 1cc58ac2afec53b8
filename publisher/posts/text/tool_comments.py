"""The comments of other tools, which are removed from a body as those tools remove them.

A comment that is never closed, or that may be something else, stays; the module `comments` reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.tags.expanded import Expanded, Pieces, TagProblem
from publisher.posts.text.merge_tags import without_shown_code
from publisher.posts.text.prose import line_at, line_counter, masked
from publisher.posts.text.signs import Signs
from publisher.posts.text.tex import without_formulas


class CommentKind(NamedTuple):
    """The delimiters of a comment, and the forms that the opening delimiter may have in HTML."""

    opening: str
    closing: str
    seen: tuple[str, ...]


_HYPHENS = ("-", "\N{EN DASH}", "\N{EM DASH}")  # what typography makes of two or three hyphens
COMMENT_KINDS = (
    CommentKind("{#", "#}", ("{#",)),  # Jinja, Twig, Nunjucks, Tera, Django
    CommentKind("{/*", "*/}", ("{/*",)),  # MDX
    CommentKind("{{/*", "*/}}", ("{{/*",)),  # Hugo, Go
    CommentKind("{{- /*", "*/ -}}", ("{{- /*",)),
    CommentKind("{{!--", "--}}", ("{{!",)),  # Handlebars, Mustache, Ghost
    CommentKind("{{!", "}}", ("{{!",)),
    CommentKind("{{--", "--}}", tuple(f"{{{{{sign}" for sign in _HYPHENS)),  # Blade
    CommentKind("{!--", "--}", tuple(f"{{!{sign}" for sign in _HYPHENS)),  # ExpressionEngine
    *(CommentKind(f"{{%{mark}#", "%}", (f"{{%{mark}#",)) for mark in ("", " ", "- ")),  # Liquid
    *(
        CommentKind(f"{{%{mark}comment", "", (f"{{%{mark}comment",)) for mark in ("", " ", "- ")
    ),  # a closed one was removed
    *(CommentKind(f"{{{{<{mark}comment", "}}", (f"{{{{&lt;{mark}comment",)) for mark in ("", " ")),  # Hugo's themes
    *(CommentKind(f"{{{{%{mark}comment", "}}", (f"{{{{%{mark}comment",)) for mark in ("", " ")),
    CommentKind("<%#", "%>", ("&lt;%#",)),  # Ruby
    CommentKind("<%--", "--%>", tuple(f"&lt;%{sign}" for sign in _HYPHENS)),  # Java
    CommentKind("[%#", "%]", ("[%#",)),  # Template Toolkit
    CommentKind("{* ", " *}", ("{* ",)),  # Smarty, Latte
    CommentKind("@* ", " *@", ("@* ",)),  # Razor
    CommentKind("{>>", "<<}", ("{\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}", "{&gt;&gt;")),  # CriticMarkup
    CommentKind("<#--", "-->", tuple(f"&lt;#{sign}" for sign in _HYPHENS)),  # FreeMarker
    CommentKind("{ /*", "*/ }", ("{ /*",)),
    CommentKind("[comment]", "[/comment]", ("[comment]",)),  # forums
    CommentKind("\\begin{comment}", "\\end{comment}", ("\\begin{comment}",)),  # LaTeX
    CommentKind("#+BEGIN_COMMENT", "#+END_COMMENT", ("#+BEGIN_COMMENT",)),  # Org, Logseq
    CommentKind("{--", "--}", tuple(f"{{{sign}" for sign in _HYPHENS)),  # its deleted words
    CommentKind("{~~", "~~}", ("{~~", "{<del>")),  # words that others replace
)
_ID = patterns.compile(r"\{#[^{}\n]{0,200}(?<!#)\}")

# Obsidian's. A merge tag such as %%NAME%% is not a comment, nor is a percentage, as in 5%%. Others are from programs:
# ${x%%.*}, %%d, %%time and %%i. Between spaces, or attached to a word, a pair may be either.
_PER_CENT = patterns.compile(r"(?<![%\d])%%(?!%)((?:[^%]|%(?!%))*+)(?=%%(?!%))")
_PER_CENT_SIGN = patterns.compile(r"(?<!\\)%%")
_BEGINS_LINE = patterns.compile(r"[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+")
_MERGE_TAG = patterns.compile(r"=[^%]*=|[A-Za-z][\w.-]{1,60}", re.ASCII)


def first_of(kind: CommentKind, prose: str) -> int:
    """Return the offset of a kind's first comment, or of the last one if the kind has no closing delimiter; else -1."""
    if not kind.closing:
        return prose.rfind(kind.opening)
    return next((start for start, _ in _closed(kind, prose)), -1)


def _closed(kind: CommentKind, prose: str) -> Iterator[tuple[int, int]]:
    """Yield where the closed comments of a kind begin and end."""
    start, end = prose.find(kind.opening), 0
    while start >= 0:
        if end < start + len(kind.opening):
            end = prose.find(kind.closing, start + len(kind.opening))
        if end < 0:
            return
        is_longer = kind.opening[0] == "{" and prose[max(start - 1, 0) : start] == "{"
        is_id = kind.opening == "{#" and _ID.match(prose, start) is not None
        if kind.opening == "{~~" and "~>" not in prose[start:end]:
            start = end
        elif not is_longer and not is_id:
            yield start, end + len(kind.closing)
            start = end + len(kind.closing) - 1
        start = prose.find(kind.opening, start + 1)


def per_cent_pair(prose: str, *, certain: bool = True) -> int:
    """Return the offset of Obsidian's first comment, or of the first pair that may be one; -1 if there is none."""
    found = (each for each in _PER_CENT.finditer(prose) if not _MERGE_TAG.fullmatch(each[1]))
    return next((each.start() for each in found if _is_pair(each, certain=certain)), -1)


def _is_pair(found: re.Match[str], *, certain: bool) -> bool:
    """Return whether two %% enclose words, rather than each preceding a word, as in %%i and %%j."""
    prose, inside = found.string, found[1]
    before, behind = prose[max(0, found.start() - 1) : found.start()], prose[found.end() + 2 : found.end() + 3]
    line = prose[max(0, found.start() - _NEAR) : found.start()].rpartition("\n")[2]
    is_alone, ends_line = _BEGINS_LINE.fullmatch(line) is not None, not behind or behind == "\n"
    if line.rstrip()[-1:].isdigit() and inside.rstrip()[-1:].isdigit():
        return False  # 5 %% and 6 %%
    if not re.search(r"\w", inside) or (inside[0] in ".,;:!?)]}'\"*/#" and not is_alone):
        return False
    if inside[-1].isspace():  # it ends as it begins: %% words %%
        is_closed = behind.isspace() or ends_line
        may_be, is_sure = is_closed and (inside[0].isspace() or is_alone), is_closed and (is_alone or ends_line)
    elif inside[-1].isdigit():  # %%see page 5%%, or %%i is 5%% of it
        may_be = "\n" not in inside and (not inside[0].isspace() or is_alone)
        is_sure = is_alone and ends_line
    else:
        may_be = not inside[0].isspace() or is_alone
        is_sure = may_be and not (_is_of_code(before) or _is_of_code(behind))
    if not (is_alone and ends_line) and _BLANK_LINE.search(inside):
        is_sure = False
    return may_be and (is_sure or not certain)


def _is_of_code(char: str) -> bool:
    """Return whether %% next to a character is most likely code, as in x%%, "%%d" and ${x%%.*}."""
    return char in _OF_CODE or (char.isascii() and char.isalnum())


_OF_CODE = frozenset("_{}$=%\\/<&#@+'\"`‘’“”")


_BLANK_LINE = patterns.compile(r"\n[ \t]*\n")
# How many characters in front of a %% are looked at.
_NEAR = 500


# Comments that the writer also sees, or that are only the beginning of one.
_NOT_REMOVED = frozenset(("{--", "{~~"))
_REMOVED = tuple(
    kind
    for kind in COMMENT_KINDS
    if kind.closing
    and kind.opening not in _NOT_REMOVED
    and not (kind.opening[:2] == "{{" and "comment" in kind.opening)
)
# Without one of these there is no comment.
_SIGNS = Signs(
    *("%%", "<%", "[%", "<#--", "#+BEGIN_COMMENT", "]: ", "[comment]", "@* "),
    *(kind.opening for kind in _REMOVED if "{" in kind.opening),
)
# A reference that no link uses. After the words of a paragraph it is text to a Markdown parser.
_REFERENCE_LINE = patterns.compile(r"^[ \t>]{0,40}\[(?://|comment)\]:[ \t][^\n]*\n?", re.MULTILINE)
_SHOWN_IN_HTML = patterns.compile(r"<(pre|script|style|textarea)\b(?:(?!</\1).)*+", re.IGNORECASE | re.DOTALL)
# How many comments of one body are removed.
_MOST_REMOVED = 10_000


def may_have_tool_comments(body: str) -> bool:
    """Return whether a body may have a comment of another tool. It is quick."""
    return _SIGNS.are_in(body)


def without_tool_comments(body: str, *, is_html: bool = False, keep: str = "", tool: str = "") -> Expanded:
    """Return a body without the comments of other tools; comments in code stay.

    is_html  whether it is HTML, and not Markdown
    keep     text that is not a comment although it looks like one: the mark that ends an excerpt
    tool     the tool that the posts were written for, or ""; in Obsidian, whatever is between two %% is a comment
    """
    view = without_formulas(without_shown_code(body))
    view = _SHOWN_IN_HTML.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), view) if is_html else masked(view)
    places = [place for kind in _REMOVED for place in _closed(kind, view)]
    problems: tuple[TagProblem, ...] = ()
    if tool == "obsidian" and not is_html:
        hidden, problems = _obsidian_comments(view)
        places += hidden
    else:
        places += _per_cent_pairs(view)
    if "]: " in view and not is_html:
        places += (found.span() for found in _REFERENCE_LINE.finditer(view))
    if not places:
        return Expanded(body, problems=problems)
    return _without(body, places, keep, problems)


def _without(body: str, places: list[tuple[int, int]], keep: str, problems: tuple[TagProblem, ...]) -> Expanded:
    """Return a body without the text at these places."""
    pieces, line_of, last = Pieces(), line_counter(body), 0
    for start, end in islice(sorted(places, key=lambda place: (place[0], -place[1])), _MOST_REMOVED):
        if start >= last and body[start:end].rstrip("\n") != keep:
            pieces.copy(body[last:start], line_of(last))
            last = end
    pieces.copy(body[last:], line_of(last))
    return pieces.expanded(problems)


def _obsidian_comments(prose: str) -> tuple[list[tuple[int, int]], tuple[TagProblem, ...]]:
    """Return where the comments of a note begin and end in Obsidian, and what is wrong with the last."""
    signs = [found.start() for found in _PER_CENT_SIGN.finditer(prose)]
    places = [(start, end + 2) for start, end in zip(signs[::2], signs[1::2], strict=False)]
    if len(signs) % 2 == 0:
        return places, ()
    what = "the comment that begins here with %% is never closed, and readers see it"
    return places, (TagProblem(line_at(prose, signs[-1]), what, "write %% where it ends", is_error=True),)


def _per_cent_pairs(prose: str) -> Iterator[tuple[int, int]]:
    """Yield where Obsidian's comments begin and end, except doubtful ones."""
    found = _PER_CENT.search(prose)
    while found:
        is_comment = not _MERGE_TAG.fullmatch(found[1]) and _is_pair(found, certain=True)
        if is_comment:
            yield found.start(), found.end() + 2
        found = _PER_CENT.search(prose, found.end() + 2 if is_comment else found.end())
