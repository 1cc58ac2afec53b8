"""The beginning of a post's file: text that may precede front matter, and front matter in the wrong place.

Licence comments, the mode lines of editors, blank lines and invisible characters say nothing to readers, so front
matter after them counts. In a file without front matter, lines that look like it are an error, so that no draft is
published as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import dropwhile, takewhile

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.posts.front_matter.field_names import SPELLINGS
from publisher.posts.front_matter.switches import hides, is_date, is_hidden_by, keeps_back
from publisher.posts.text.prose import masked

# White space of every kind, and characters without width: Unicode's Default_Ignorable_Code_Point, and blank braille.
_UNSEEN = patterns.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# The comments of HTML, Jinja, Hugo, MDX, CSS and Obsidian, and the beginnings of XML and HTML files.
_COMMENTS = (
    ("<!--", "-->"),
    ("{#", "#}"),
    ("{{/*", "*/}}"),
    ("{{- /*", "*/ -}}"),
    ("{/*", "*/}"),
    ("/*", "*/"),
    ("%%", "%%"),
    ("<?", "?>"),
    ("<!doctype", ">"),
)
_LIQUID_COMMENT = patterns.compile(r"\{%-?[ \t]*comment[ \t]*-?%\}")
_LIQUID_END = patterns.compile(r"\{%-?[ \t]*endcomment[ \t]*-?%\}")
# Mode lines of Emacs and Vim, the interpreter of a script, and comments made with Markdown's link references.
_MODE_LINE = patterns.compile(
    r"(?:#!|[#;%/.*\"\\]{0,4}[ \t]{0,8}(?:-\*-[^\n]*-\*-|(?:vim?|ex):)|\[(?://|comment)\]:[ \t]{1,8}(?:#|<>))[^\n]*",
    re.IGNORECASE,
)

# How many lines of a file without front matter are searched for a block of it, and for a single line that hides the
# post.
_MOST_LINES = 100
_MOST_LINES_OF_FIELDS = 20

_DECLARED = patterns.compile(r"^(?:const|let|var)[ \t]{1,9}")
_FENCE = patterns.compile(r"[ \t]*(---|\+\+\+)[ \t]*")
# A key, the space after its colon or equals sign, and the value.
_FIELD = patterns.compile(r"[^\w\n]{0,4}(\w[\w .-]{0,40})[^\w\s:=]{0,2}[ \t]{0,8}[:=]{1,2}([ \t]*+)(.*+)")
# How many bytes are searched for a key: more than in the longest one, and some space in front of it.
_LONGEST_KEY = 1_000
# The colon or equals sign of a field is within this many characters; other lines are not matched against its pattern.
_SIGN_WITHIN = 56
# The fields that make a block between two fences front matter; in a text they would be unusual.
_USUAL = frozenset(("title", "date", "draft", "published", "publish", "status", "tags", "layout", "slug", "permalink"))


def front_start(text: str) -> tuple[int, bool]:
    """Return the offset of the first content, and whether it is a comment that isn't closed."""
    place = 0
    while place < len(text):
        if unseen := _UNSEEN.match(text, place):
            place = unseen.end()
        end = _end_of_comment(text, place)
        if end <= place:
            return place, end < 0
        place = end
    return place, False


def _end_of_comment(text: str, place: int) -> int:
    """Return the offset after a comment or mode line; the same offset if there is none, or -1 if it isn't closed."""
    beginning = text[place : place + 9].lower()
    for opening, closing in _COMMENTS:
        if beginning.startswith(opening):
            return _after(text.find(closing, place + len(opening)), closing)
    if opened := _LIQUID_COMMENT.match(text, place):
        ended = _LIQUID_END.search(text, opened.end())
        return ended.end() if ended else -1
    line = _MODE_LINE.match(text, place)
    return line.end() if line else place


def _after(found: int, closing: str) -> int:
    return found + len(closing) if found >= 0 else -1


def is_front_matter(text: str) -> bool:
    """Return whether a text that begins with three hyphens is front matter, not a horizontal rule above other text."""
    lines = text.split("\n", _MOST_LINES)[1:]
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    field = _FIELD.fullmatch(first)
    if not lines or not lines[0].strip():  # an empty line follows a rule, but seldom begins front matter
        return field is not None and _key(field[1]) in _USUAL
    is_field = field is not None and bool(field[2] or not field[3])
    return is_field or _FENCE.fullmatch(first) is not None or first[:1] in ("{", "?")


def refuse_misplaced(text: str) -> None:
    """Raise PostError, with the line, if a file without front matter has lines that look like it.

    Code is not searched, since a post may show front matter as an example.
    """
    lines = masked("\n".join(text.split("\n", _MOST_LINES)[:_MOST_LINES])).split("\n")
    if number := _block_of_fields(lines):
        raise PostError(
            "this looks like front matter, but it is below the first line",
            line=number,
            hint="move it to the first line of the file; if it is text, put it between lines of ```",
        )
    for number, line in enumerate(lines[:_MOST_LINES_OF_FIELDS], 1):
        field = _FIELD.fullmatch(line)
        if field and is_hidden_by(_key(field[1]), _word(field[3])):
            what = f"this line looks like front matter, but the file has none: {line.strip()[:40]!r}"
            raise PostError(what, line=number, hint="write it between two lines of --- at the beginning of the file")


def may_be_second(data: bytes, start: int = 0) -> bool:
    """Return whether `refuse_second` may refuse the body that begins at `start`. It is quick."""
    rest = data[start : start + _LONGEST_KEY + 1]
    first = rest[:_LONGEST_KEY].lstrip().partition(b"\n")[0]
    if first[:1].isalnum() and b":" not in first and b"=" not in first:
        return False  # most bodies
    text = first.decode("utf-8", "replace")
    is_field = any(sign in text[:_SIGN_WITHIN] for sign in ":=") and _FIELD.match(text) is not None
    is_far = not first and len(rest) > _LONGEST_KEY
    return is_field or is_far or first[:3] in (b"---", b"+++") or first[:1] in (b"<", b"{", b"\xe2", b"\xef")


def refuse_second(body: str, first_line: int, *, whole: bool) -> bool:
    """Raise PostError, with the line, if a body begins with more front matter, or with a line that would hide the post.

    first_line  the line of the file on which the body begins
    whole       whether `body` is the whole body; False is returned if more of it is needed
    """
    start = _first_words(body)
    lines = body[start : start + _LONGEST_BLOCK].split("\n", _MOST_LINES)[:_MOST_LINES]
    fence = _FENCE.fullmatch(lines[0]) is not None
    if not fence and len(lines) > 1 and not any(sign in lines[0] for sign in ":={"):
        return True
    if not whole and len(body) - start < _LONGEST_BLOCK:
        return False
    line = first_line + body.count("\n", 0, start)
    if (fence and _block_of_fields(lines) == 1) or (lines[0] == "{" and _has_usual_field(lines[1:])):
        hint = "move its keys into the first; if it is text, put it between lines of ```"
        raise PostError("this is a second block of front matter, which readers would see", line=line, hint=hint)
    for number, text in enumerate(lines[fence:], line + fence):
        field = _FIELD.fullmatch(text)
        if field is None or text[0] in " \t":  # which may be code
            break
        key, word = _key(field[1]), _word(field[3])
        if keeps_back(key, word) or (key in SPELLINGS["expires"] and is_date(word.upper())):
            what = f"this line looks like front matter, but is below it: {text.strip()[:40]!r}"
            raise PostError(what, line=number, hint="move it above the line that closes the front matter")
    return True


def _first_words(body: str) -> int:
    """Return the offset of a body's first content, which may follow comments."""
    unseen = _UNSEEN.match(body)
    start = unseen.end() if unseen else 0
    return front_start(body)[0] if body[start : start + 1] in _COMMENT_SIGNS else start


def _has_usual_field(lines: list[str]) -> bool:
    """Return whether the line that ends a JSON object comes after a field that only front matter has."""
    fields = map(_FIELD.fullmatch, takewhile(lambda line: line[:1] != "}", lines))
    return any(field is not None and _key(field[1]) in _USUAL for field in fields)


_COMMENT_SIGNS = frozenset('<{/%[#;*."\\v')
# How much of a body is looked at.
_LONGEST_BLOCK = 2_000


def _block_of_fields(lines: list[str]) -> int:
    """Return the line (from 1) on which a block of fields between two fences begins; 0 if there is none."""
    opened, fence, known = 0, "", False
    for number, line in enumerate(lines, 1):
        found = _FENCE.fullmatch(line)
        if found and found[1] == fence and known:
            return opened
        if found:
            opened, fence, known = number, found[1], False
        elif opened and line.strip() and line[0] not in " \t-#":
            field = _FIELD.fullmatch(line)
            known = known or (field is not None and _key(field[1]) in _USUAL)
            opened, fence = (opened, fence) if field else (0, "")
    return 0


def seems_hidden(beginning: bytes) -> bool:
    """Return whether the beginning of a file says that its post is hidden, although the file may not be readable.

    Each line before the body counts by itself, even one with a misspelled value: a published post must be taken down if
    its author hides it and makes a mistake somewhere else.
    """
    text = beginning.decode("utf-8", "replace")
    return any(map(_is_hiding, _lines_of_head(text[front_start(text)[0] :].splitlines())))


def _lines_of_head(lines: list[str]) -> Iterator[str]:
    """Yield the lines up to the end of front matter, which may begin below the first line."""
    first = lines[0].rstrip() if lines else ""
    has_begun = (
        first in _FENCES
        or first == "{"
        or first[:2] == '{"'
        or (first[:1].isalpha() and _FIELD.fullmatch(first) is not None)
    )
    for number, line in enumerate(lines):
        if number and line.rstrip() in _FENCES:
            if has_begun:
                yield from _second_head(lines[number + 1 :])
                return
            has_begun = True
        yield line


def _second_head(lines: list[str]) -> Iterator[str]:
    """Yield the lines of a second block of front matter, or the fields below the first block."""
    lines = list(dropwhile(lambda line: not line.strip(), lines))
    is_block = bool(lines) and (lines[0].rstrip() in _FENCES or lines[0].rstrip() == "{")
    for line in lines[is_block:]:
        if line.rstrip() in _FENCES or not (is_block or _FIELD.fullmatch(line)):
            return
        yield line


def _is_hiding(line: str) -> bool:
    line = _DECLARED.sub("", line.lstrip(".: "))  # the fields of reStructuredText, and those of JavaScript
    ends = [at for at in (line.find(":"), line.find("=")) if at > 0]
    if not ends:
        return False
    return hides(_key(line[: min(ends)]), _word(line[min(ends) + 1 :].partition(" #")[0]))


_FENCES = frozenset(("---", "...", "+++", "}"))
_NOT_OF_KEY = str.maketrans("", "", "-_ \t\"'")


def _key(written: str) -> str:
    return written.translate(_NOT_OF_KEY).lower()


def _word(written: str) -> str:
    return written.strip(" \t,;'\"*_").lower()
