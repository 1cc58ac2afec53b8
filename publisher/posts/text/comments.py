"""Comments, which only the writer should see, in HTML, in other editors, and in the template languages of other tools.

Markdown knows only HTML comments, which are removed from titles and descriptions as well. Other comments, and HTML
comments that Markdown doesn't recognise, would be published as text. They are found here, each kind once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.text.merge_tags import without_shown_code
from publisher.posts.text.prose import masked, without_inline_code
from publisher.posts.text.tool_comments import COMMENT_KINDS, first_of, per_cent_pair


class ShownComment(NamedTuple):
    """A comment that readers would see: its offset in the prose, what is wrong with it, and how to fix it.

    is_certain  whether it certainly is a comment; otherwise the same characters may be meant for readers
    """

    place: int
    message: str
    hint: str
    is_certain: bool = True


_HINT = "delete it, or write <!-- ... -->"
_NEVER_CLOSED = ("the comment that begins here is never closed, and readers see it", "close it where it ends")


_PER_CENT_LINE = patterns.compile(r"^[ \t>]{0,40}%%(?=[ \t]+[^\s%])", re.MULTILINE)
_CONTAINER = patterns.compile(
    r"^[ \t>]{0,40}:::++(?=[ \t]{0,8}\{?[ \t]{0,8}\.?(?:comment|hidden|content-hidden)\b)", re.MULTILINE
)
_SEEN_CONTAINER = patterns.compile(r":::[ \t]{0,8}\{?[ \t]{0,8}\.?(?:comment|hidden|content-hidden)\b")
# A reference that no link uses, which Markdown takes for text if it follows other words of a paragraph.
_REFERENCE = patterns.compile(r"(?<!\\)\[(?://\]:|[^\[\]\n]{0,60}\]:[ \t]{0,8}(?:#|<>)[ \t]{0,8}[(\"'])")
_SEEN_REFERENCE = patterns.compile(
    "\\[//\\]:|(?:\\]|</a>): ?(?:#|&lt;&gt;) ?[(\"'\N{LEFT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}]"
)

_NO_COMMENT = "(?!doctype|element|attlist|entity|notation)"
_SEEN_HTML = patterns.compile(rf"&lt;!(?:[ \u2013\u2014-]|{_NO_COMMENT}[a-z])", re.IGNORECASE)
_SEEN_END = patterns.compile("[-\u2013\u2014]&gt;")
_ESCAPED = patterns.compile(r"(?:\\<|&lt;|&#60;)\\?![\\ &a-z-]", re.IGNORECASE)
_MISSPELLED = patterns.compile(rf"<!(?:[ \u2013\u2014]|-(?!-)|{_NO_COMMENT}[a-z](?=[^<>\n]{{0,200}}>))", re.IGNORECASE)
_ODD_END = patterns.compile("(?:[\u2013\u2014]|--? |(?<!-)-)>")
_BLANK_LINE = patterns.compile(r"\n[ \t]*\n")
_HTML = patterns.compile(r"<!--(?:(?!-->).)*+(-->|\Z)", re.DOTALL)


def without_comments(text: str) -> str:
    """Return a title or another line of text without the comments <!-- ... -->, except those in backticks."""
    if "<!--" not in text:
        return text
    pieces, last = [], 0
    for found in _HTML.finditer(without_inline_code(text)):
        if found[1]:
            pieces.append(text[last : found.start()])
            last = found.end()
    return " ".join("".join([*pieces, text[last:]]).split()) if last else text


def with_plain_ends(body: str) -> str:
    """Return a Markdown body in which no comment ends with more than two hyphens, as `<!--- x --->` does.

    In CommonMark 0.31 such a comment is hidden; our parser would show it if it is within a line.
    """
    if "<" not in body or "--->" not in body or "<!--" not in body:
        return body
    view, pieces, last = masked(body), [], 0
    for start, end in _html_comments(view):
        inside = view[start + 4 : max(end, start + 4)]
        if (
            inside.endswith("-")
            and inside.strip("-")
            and inside[:2].lstrip("-")[:1] != ">"
            and not _BLANK_LINE.search(inside)
        ):
            pieces.append(body[last : start + 4 + len(inside.rstrip("-"))])
            last = end
    return "".join([*pieces, body[last:]])


def without_comments_in_attributes(html: str) -> str:
    """Return HTML without the comments in the descriptions of pictures and the titles of links."""
    if "&lt;!" not in html:
        return html
    return _TAG.sub(lambda tag: _IN_DESCRIPTION.sub("", tag[0]) if "&lt;!--" in tag[0] else tag[0], html)


_TAG = patterns.compile(r"<[a-z][^<>]*+>")
_IN_DESCRIPTION = patterns.compile(r"\s?&lt;!--(?:(?!--&gt;|&lt;!--)[^\"<>])*+--&gt;")


def without_hidden_text(body: str) -> str:
    """Return a Markdown body without the comments and scripts that are missing from its HTML. Code stays."""
    if not any(sign in body for sign in ("<!--", "]:", "comment", "<?php", "<s", "<S")):
        return body
    for _ in range(max(5, min(_MOST, _MOST_READ // len(body)))):
        body, has_more = _without_hidden(body)
        if not has_more:
            break
    return body


# The beginning of a comment that Markdown, Liquid or kramdown removes, or of a script, which no reader sees. A
# reference counts unless a link uses it.
_BEGINS = patterns.compile(
    r"<!--|(?:\A|(?<=\n\n)) {0,3}<\?php\b"
    r"|(?:(?:^ {0,3}\x01|(?<=</script>)<)(?i:script)|[<\x01](?i:style))\b(?=[^<>\n]{0,300}>)"
    r"|\{%-?[ \t]*comment\b[^%\n]*%\}|\{::comment\}"
    r"|^ {0,3}\[(?:(?=(?://|comment)\])|(?=[^\[\]\n]{1,60}\]:[ \t]{0,8}(?:#|<>)[ \t]{1,8}[(\"']))"
    r"([^\[\]\n]{1,60})\]:[ \t]{0,8}(?:(?:#|<>)[ \t]{0,8})?",
    re.MULTILINE,
)
_ENDS = {
    "<!": patterns.compile("-->"),
    "<?": patterns.compile(r"\?>([ \t]*$)?", re.MULTILINE),
    "<sc": patterns.compile(r"</script\s*>([ \t]*$|(?=<))?", re.IGNORECASE | re.MULTILINE),
    "<st": patterns.compile(r"</style\s*>", re.IGNORECASE),
    "{%": patterns.compile(r"\{%-?[ \t]*endcomment[ \t]*-?%\}"),
    "{:": patterns.compile(r"\{:/(?:comment)?\}"),
}
# A block that counts as code unless its < is replaced.
_RAW = patterns.compile(r"^( {0,3})<(?=(?:script|style)\b)", re.IGNORECASE | re.MULTILINE)
_IN_BRACKETS = patterns.compile(r"\((?:\\.|[^()\\\n]|\n(?![ \t]*\n))*+\)[ \t]*$", re.MULTILINE)
_IN_QUOTES = patterns.compile(r"([\"'])(?:\\.|(?!\1)[^\\\n]|\n(?![ \t]*\n))*+\1[ \t]*$", re.MULTILINE)
_LABELS = frozenset(("//", "comment"))
_LINKED = patterns.compile(r"\[([^\[\]\n]{1,60})\](?!:)")


def _without_hidden(body: str) -> tuple[str, bool]:
    """Return a body without comments up to the first that contains a code delimiter, and whether more may follow."""
    view = masked(_RAW.sub("\\1\x01", without_shown_code(body)))
    linked = {found[1].casefold() for found in _LINKED.finditer(view)}
    pieces, last, has_more = [], 0, False
    unclosed: set[str] = set()
    for found in _BEGINS.finditer(view):
        if found.start() < last or (found[1] and found[1].casefold() in linked):
            continue
        end = _end_of(found, body, unclosed)
        if end < 0:
            continue
        pieces.append(body[last : found.start()])
        last = end
        if "`" in body[found.start() : end] or "~~~" in body[found.start() : end]:
            has_more = True  # what follows may only seem to be code
            break
    return "".join([*pieces, body[last:]]), has_more


def _end_of(beginning: re.Match[str], body: str, unclosed: set[str]) -> int:
    """Return where a comment ends; -1 if it doesn't. A comment that begins a block of HTML then ends with the body.

    unclosed  the kinds of comments that have no end further down; the kind of this comment may be added
    """
    if beginning[1]:
        ended = _IN_BRACKETS.match(body, beginning.end()) or _IN_QUOTES.match(body, beginning.end())
        if ended or beginning[1].casefold() not in _LABELS:
            return ended.end() if ended else -1
        return (body.find("\n", beginning.end()) + 1 or len(body) + 1) - 1
    tag = beginning[0].lstrip(" ").lower().replace("\x01", "<")
    sign = tag[: 2 + tag[1].isalpha()]
    if sign not in unclosed and (closing := _ENDS[sign].search(body, beginning.end())):
        if not closing.re.groups or closing[1] is not None:
            return closing.end()
        if closing.start() > beginning.end() + 300:
            unclosed.add(sign)  # so that the search is not repeated from each beginning
        return -1  # with words after it, it is shown
    unclosed.add(sign)
    before = body[max(0, beginning.start() - 4) : beginning.start()].rpartition("\n")[2]
    return len(body) if beginning[0] == "<!--" and not before.strip() else -1


def shown_comments(prose: str, html: str, *, is_markdown: bool) -> Iterator[ShownComment]:
    """Yield the comments in a text that readers would see, the first of each kind.

    prose  the text, in which code is blank
    html   the HTML that was made from it
    """
    prose, seen = without_shown_code(prose), outside_code(html)
    for kind in COMMENT_KINDS:
        if any(sign in seen for sign in kind.seen) and (place := first_of(kind, prose)) >= 0:
            signs = f"{kind.opening.strip()} ... {kind.closing.strip()}"
            message = f"{signs} is a comment in other tools, but readers see it here"
            yield ShownComment(place, *((message, _HINT) if kind.closing else _NEVER_CLOSED))
    place = prose.rfind("{::comment}")
    if place >= 0 and "{:/" not in prose[place:]:
        yield ShownComment(place, *_NEVER_CLOSED)
    if is_markdown:
        yield from _shown_in_markdown(prose, seen)


def _inner_front_matter(prose: str) -> int:
    """Return the offset of the first block, between lines of dashes, with two fields of front matter; -1 if none."""
    for found in _BETWEEN_RULES.finditer(prose):
        if len({field[1] for field in _USUAL_FIELD.finditer(found[0])}) >= 2:
            return found.start()
    return -1


_BETWEEN_RULES = patterns.compile(
    r"^---[ \t]*\n(?=[\w-])(?:(?:[A-Za-z][\w-]*[ \t]?:|[ \t]{1,8}[^\s]|- )[^\n]*\n){2,40}+(?=---[ \t]*$)", re.MULTILINE
)
_USUAL_FIELD = patterns.compile(
    r"^(title|date|draft|published|layout|slug|permalink|status|tags|categories)[ \t]?:", re.MULTILINE
)


def _shown_in_markdown(prose: str, seen: str) -> Iterator[ShownComment]:
    if "\n---" in prose and (place := _inner_front_matter(prose)) >= 0:
        hint = "move it to the first line of a file of its own, or put it between lines of ```"
        yield ShownComment(place, "this looks like front matter, and readers see it", hint)
    in_html = len(_SEEN_HTML.findall(seen)) if "&lt;!" in seen else 0
    if in_html > len(_ESCAPED.findall(prose) if in_html else ()) and (found := _html(prose)):
        yield found
    if _SEEN_END.search(seen) and (place := _comment_in_comment(prose)) >= 0:
        message = "the comment that begins here ends at the first -->, so that readers see the rest of it"
        yield ShownComment(place, message, "delete the comment inside it")
    if "%%" in seen:
        yield from _shown_per_cent(prose)
    if ":::" in seen and _SEEN_CONTAINER.search(seen) and (line := _CONTAINER.search(prose)):
        yield ShownComment(line.end(), "this container is hidden in other tools, but readers see it here", _HINT)
    if _SEEN_REFERENCE.search(seen) and (place := _reference(prose)) >= 0:
        hint = "put a blank line before it, or write <!-- ... -->"
        yield ShownComment(place, "the comment on this line is shown to readers", hint)


def comment_in(line: str) -> str:
    """Return the characters that begin a comment in a title or another line of text; "" if there are none."""
    view = without_inline_code(line)
    if "<!--" in view or _MISSPELLED.search(view):
        return "<!"
    if per_cent_pair(view) >= 0:
        return "%%"
    return next((kind.opening for kind in COMMENT_KINDS if first_of(kind, view) >= 0), "")


def outside_code(html: str) -> str:
    """Return well-formed HTML without its code."""
    if "<code" not in html and "<pre" not in html:
        return html
    depth, kept = 0, []
    for part in re.split(r"(</?(?:pre|code|kbd|samp)\b)", html):
        if part[:1] == "<" and part.lstrip("</") in _CODE:
            depth += -1 if part[1] == "/" else 1
        elif not depth:
            kept.append(part)
    return "".join(kept)


_CODE = frozenset(("pre", "code", "kbd", "samp"))


def _html(prose: str) -> ShownComment | None:
    """Return the comment <!-- ... --> that Markdown most likely shows as text.

    That is the first comment that contains a blank line, or is not well-formed, or else the first of all.
    """
    first = -1
    begins = "the comment that begins here is shown to readers, because it"
    apart = (f"{begins} is not in one block of text", "begin it on a line of its own, or remove the blank lines in it")
    for start, end in _html_comments(prose):
        first = start if first < 0 else first
        if end < 0:
            blank = _BLANK_LINE.search(prose, start)
            odd = _ODD_END.search(prose, start + 4, blank.start() if blank else len(prose))
            if odd:
                return ShownComment(start, f"{begins} doesn't end with -->", "write -->")
            first = -1 if first == start else first
        elif _BLANK_LINE.search(prose, start, end):
            return ShownComment(start, *apart)
    if misspelled := _MISSPELLED.search(prose):
        return ShownComment(misspelled.start(), f"{begins} doesn't begin with <!--", "write <!-- ... -->")
    return ShownComment(first, *apart) if first >= 0 else None


def _html_comments(prose: str) -> Iterator[tuple[int, int]]:
    """Yield where HTML comments begin and end; the last ends at -1 if it is not closed."""
    start = prose.find("<!--")
    while start >= 0:
        end = prose.find("-->", start + 4)
        if not prose.startswith("\\", start - 1):
            yield start, end
        if end < 0:
            return
        start = prose.find("<!--", end)


def _comment_in_comment(prose: str) -> int:
    """Return the offset of an HTML comment in which another begins, so that its rest is shown; -1 if there is none."""
    for start, end in _html_comments(prose):
        if end >= 0 and prose.find("<!--", start + 4, end) >= 0:
            behind = prose.find("-->", end + 3)
            if behind >= 0 and not 0 <= prose.find("<!--", end) < behind:
                return start
    return -1


def _shown_per_cent(prose: str) -> Iterator[ShownComment]:
    if (place := per_cent_pair(prose)) >= 0:
        yield ShownComment(place, "%%...%% is a comment in other editors, but readers see it here", _HINT)
    elif line := _PER_CENT_LINE.search(prose):
        yield ShownComment(line.end() - 2, "%% begins a comment in other editors, but readers see it here", _HINT)
    elif (place := per_cent_pair(prose, certain=False)) >= 0:
        hint = "put it in backticks if readers should see it; a comment is <!-- ... -->"
        yield ShownComment(place, "%%...%% may be a comment, and readers see it", hint, False)


def _reference(prose: str) -> int:
    """Return the offset of the first reference that follows words, or else of the first one; -1 if there is none."""
    places = [found.start() for found in islice(_REFERENCE.finditer(prose), _MOST)]
    return next((place for place in places if _is_behind_words(prose, place)), places[0] if places else -1)


def _is_behind_words(prose: str, place: int) -> bool:
    """Return whether words precede a place on its line, or are on the line above."""
    before = prose[max(0, place - _NEAR) : place].split("\n")[-2:]
    return any(line.strip(" \t>*+-") for line in before)


# How many characters are read to remove the comments of one body; each time that it is read counts.
_MOST_READ = 5_000_000
# How many references are looked at, and how much of the text before each.
_MOST, _NEAR = 100, 500
