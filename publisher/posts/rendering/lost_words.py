"""Words that the Markdown parser would drop, which stay as text and are reported.

A table on GitHub drops the cells for which its header has no column, and CommonMark takes "[Ann]: Yes." for the address
of a link, which readers do not see. A footnote with two texts mixes the footnotes with the rest of the post, and one
that nothing refers to does not appear. Drawings and the like are removed with their words, which is only reported. All
functions are pure, and keep the number of lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import unquote

from publisher.core import patterns
from publisher.posts.rendering.settled_tags import ShownTag
from publisher.posts.text.comments import outside_code
from publisher.posts.text.prose import code_spans, line_counter, masked


class LostWords(NamedTuple):
    """Words that are not where the writer meant them to be.

    line      their line in the body, from 1
    message   what happens to them
    hint      how to fix it
    is_error  whether readers might misunderstand or miss them; otherwise it is only a warning
    """

    line: int
    message: str
    hint: str
    is_error: bool = True


_PREFIX = r"^[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++[ \t>]*+)*+"
# Means "[" in Markdown as well as in HTML.
_BRACKET = "&#91;"


# Renders a body in which HTML is text, with the place of each element in an attribute.
Placed = Callable[[str], str]


def with_all_words(body: str, *, footnotes: bool = True) -> tuple[str, list[LostWords]]:
    """Return a Markdown body of which its parser drops no words outside tables, and the words that it would drop.

    footnotes  whether the parser knows footnotes
    """
    found: list[LostWords] = []
    if "]:" in body:
        body = _without_second_notes(body, found) if footnotes else body
        _report_second_addresses(body, found)
        body = _without_false_links(body, found)
    return body, found


def with_all_cells(body: str, placed: Placed, found: dict[int, LostWords]) -> str:
    """Return a Markdown body whose tables have no row with more cells than columns.

    Whether there is a table depends on the tags around it, so this must run directly before the parser.

    found  where rows with too many cells are noted, by their lines
    """
    if "|" in body and _may_lose_cells(body):
        return _with_all_cells(body, placed(body), found)
    return body


_COMMENT = patterns.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def _prose(body: str) -> str:
    """Return a body with spaces instead of code and comments."""
    return _without_comments(masked(body))


def _without_comments(prose: str) -> str:
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), prose) if "<!--" in prose else prose


# Footnotes

_NOTE = patterns.compile(rf"{_PREFIX}\[\^([^\[\]\s]{{1,100}})\]:", re.MULTILINE)
_NOTE_SIGN = patterns.compile(r"\[\^([^\[\]\s]{1,100})\](?!:)")
_NOTE_ID = patterns.compile(r'<li id="fn-([^"]+)"')


def _without_second_notes(body: str, found: list[LostWords]) -> str:
    """Return a body in which each footnote has one text; any other becomes text of the post."""
    names = [note[1].casefold() for note in _NOTE.finditer(body)] if "[^" in body else []
    if len(names) == len(set(names)):
        return body
    line_of = line_counter(body)
    seen: set[str] = set()
    pieces, last = [], 0
    for note in _NOTE.finditer(_prose(body)):
        line = line_of(note.end())
        name = note[1].casefold()
        if name in seen:
            message = f"the footnote [^{note[1]}] has a text already; this one is shown as is"
            found.append(LostWords(line, message, "give one of them another name, and refer to it in the text"))
            start = body.rindex("[^", 0, note.end())
            pieces += [body[last:start], _BRACKET]
            last = start + 1
        seen.add(name)
    return "".join([*pieces, body[last:]])


def unseen_notes(body: str, html: str) -> set[str]:
    """Return the names of the footnotes in a body that are missing from its HTML. Some may be in code or comments."""
    if "^" not in body or "[^" not in body or "]:" not in body:
        return set()
    shown = {unquote(unescape(name)).casefold() for name in _NOTE_ID.findall(html)}
    return {note[1] for note in _NOTE.finditer(body) if note[1].casefold() not in shown}


def lost_notes(prose: str, html: str, unseen: Collection[str]) -> Iterator[LostWords]:
    """Yield an error for each of these footnotes whose text no reader sees.

    prose  a file whose front matter and code are blank
    html   the HTML of its body, before it was sanitised
    """
    prose = _without_comments(prose)
    line_of, shown = line_counter(prose), outside_code(html)
    used = {sign[1].casefold() for sign in _NOTE_SIGN.finditer(prose)}
    left = Counter(note[1] for note in _NOTE.finditer(prose))
    for note in _NOTE.finditer(prose):
        left[note[1]] -= 1
        if note[1] in unseen and shown.count(f"[^{escape(note[1], quote=False)}]:") <= left[note[1]]:
            if note[1].casefold() in used:
                what = f"the footnote [^{note[1]}] is only referred to where Markdown is not processed, such as in HTML"
            else:
                what = f"nothing refers to the footnote [^{note[1]}]"
            hint = f"write [^{note[1]}] where the footnote belongs, in a Markdown paragraph"
            yield LostWords(line_of(note.end()), f"{what}, so readers don't see its text", hint)


# Elements


def lost_elements(removed: Iterable[ShownTag]) -> Iterator[LostWords]:
    """Yield an error for each of the removed elements that had words in it."""
    for tag in removed:
        if tag.loses_text:
            message = f"<{tag.why}> is not allowed and was removed, with its words: {tag.words}"
            yield LostWords(max(tag.line, 1), message, "write them as text, or draw them into a picture")


# Definitions of links

_DEFINITION = patterns.compile(
    rf"{_PREFIX}\[(?!\^)([^\[\]\n]{{1,200}})\]:[ \t]*+(?:\n[ \t>]*+)?+(<[^<>\n]*+>|[^\s<]\S*+)[ \t]*+(?=\n|\Z|[\"'(])",
    re.MULTILINE,
)
_LABEL = patterns.compile(r"\[([^\[\]]{1,200})\](:?)")
_ADDRESS = patterns.compile(r"<?(?:[#/?>]|\.{1,2}/|www\.|[a-z][a-z0-9+.-]*+:[^\s:]|[^\s@]+@[^\s@]+\.\w)", re.IGNORECASE)
_DOTTED = patterns.compile(r"[^\sA-Z./][^\s/]*\.[A-Za-z0-9]{1,6}")
_SLUG = patterns.compile(r"[^\sA-Z.,;:!?\u2026\u3001\u3002\uff01\uff0c\uff1f]+")
# In "[//]: # (words)" and the like, the words are hidden on purpose.
_HIDING = frozenset(("//", "_", "comment"))
_HIDING_TARGETS = ("", "#")
_URL_OR_PATH = patterns.compile(r"(?:https?|ftps?)://\w|(?:www\.|//)\w|[#/?]|\.{1,2}/", re.IGNORECASE)
_AUTOLINK = patterns.compile(r"<[a-z][a-z0-9+.-]+:[^\s<>]*>", re.IGNORECASE)
# A title of several words, which may be on the next line.
_TITLE_OF_WORDS = patterns.compile(
    r"[ \t]*+(?:\n[ \t>]*+)?+"
    r"(?:\"[^\s\"]++\s[^\"]{1,2000}\"|'[^\s']++\s[^']{1,2000}'|\([^\s()]++\s[^()]{1,2000}\))[ \t]*+(?=\n|\Z)"
)
# Why the definition of a link is text, and what to do about it.
_UNUSED = ("nothing refers to it", "delete it")
_NO_ADDRESS = ("it is not the address of a link", "else the address")


def _report_second_addresses(body: str, found: list[LostWords]) -> None:
    """Report the links with a second address, of which Markdown uses the first."""
    names = [_name(each[1]) for each in _DEFINITION.finditer(body)]
    if len(names) == len(set(names)):
        return
    line_of = line_counter(body)
    first: dict[str, str] = {}
    for each in _DEFINITION.finditer(_prose(body)):
        if _ADDRESS.match(each[2]) and first.setdefault(_name(each[1]), each[2]) != each[2]:
            message = f"the link [{each[1]}] has an address already, which is used"
            found.append(LostWords(line_of(each.start(1)), message, "give one of them another name", False))


def _without_false_links(body: str, found: list[LostWords]) -> str:
    """Return a body in which a line such as "[Ann]: Yes." is text, since it is not the address of a link.

    The same goes for an address that nothing refers to, unless it is just a URL or a path.
    """
    if not _DEFINITION.search(body):
        return body
    view, line_of = _prose(body), line_counter(body)
    used = {_name(each[1]) for each in _LABEL.finditer(view) if not (each[2] and _begins_line(view, each.start()))}
    pieces, last, reader = [], 0, _Definitions(view, line_of)
    as_text: set[int] = set()
    unread: list[tuple[int, str]] = []
    for each in _DEFINITION.finditer(view):
        start, name, target = each.start(1) - 1, _name(each[1]), each[2].strip("<>")
        is_read, title = reader.is_read(each), _TITLE_OF_WORDS.match(view, each.end(2))
        if not name or name in _HIDING or name == target or target in _HIDING_TARGETS:
            continue
        line, short = line_of(start), f"[{each[1]}]: {each[2]}"[:60]
        is_link = _ADDRESS.match(each[2]) is not None or _is_file(target)
        if name in used:
            if is_link or _SLUG.fullmatch(target):
                continue
        elif _is_bare_address(target) and not title:
            unread += [(line, short)] if is_read else []
            continue
        why, else_ = _UNUSED if is_link else _NO_ADDRESS
        message = f"{short} is shown as text, because {why}"
        found.append(LostWords(line, message, f"write \\[ if that is intended, or {else_}", False))
        shown = each[2] if _AUTOLINK.match(each[2]) else each[2].replace("<", "&lt;")
        pieces += [body[last:start], _BRACKET, body[start + 1 : each.start(2)], shown]
        last = each.end(2)
        as_text.update(range(line - 1, line_of((title or each).end())))
    if unread:
        found.append(_unread(unread))
    return _definitions_first("".join([*pieces, body[last:]]), as_text)


def _unread(unread: list[tuple[int, str]]) -> LostWords:
    """Return one warning for all lines with addresses that nothing refers to."""
    line, short = unread[0]
    message = f"nothing refers to the link {short}, so readers don't see this line"
    if len(unread) > 1:
        message += f", nor {len(unread) - 1} more like it"
    return LostWords(line, message, "delete it; or write \\[ if readers should see it", False)


class _Definitions:
    """Tells link definitions apart from lines of a paragraph that look like them. Call is_read for each in order."""

    def __init__(self, view: str, line_of: Callable[[int], int]) -> None:
        self._lines, self._line_of, self._last = view.split("\n"), line_of, 0

    def is_read(self, found: re.Match[str]) -> bool:
        """Return whether Markdown reads a line as a definition: below a blank line, a heading or another definition."""
        line = self._line_of(found.start(1))
        above = self._lines[line - 2].strip(" \t>") if line > 1 else ""
        begins_item = self._lines[line - 1].lstrip(" \t>")[:1] != "["
        is_read = begins_item or not above or above.startswith("#") or self._last == line - 1
        if is_read:
            self._last = self._line_of(found.end(2))
        return is_read


def _is_bare_address(target: str) -> bool:
    """Return whether a target is a URL, or a path that can't be meant as a word, such as img/logo.png."""
    return _URL_OR_PATH.match(target) is not None or ("/" in target and ":" not in target and _has_extension(target))


def _definitions_first(body: str, as_text: Collection[int]) -> str:
    """Return a body in which link definitions precede lines that are text now: below these they would not count.

    as_text  the indices of the lines of definitions that are text now
    """
    lines = body.split("\n")
    end = 0
    for begin in sorted(as_text):
        if begin < end:
            continue
        end = begin + 1
        while end < len(lines) and (end in as_text or _is_definition(lines[end])):
            end += 1
        run = range(begin, end)
        lines[begin:end] = [lines[each] for each in sorted(run, key=lambda number: number in as_text)]
    return "\n".join(lines)


def _is_definition(line: str) -> bool:
    return line.lstrip(" \t>").startswith("[") and _DEFINITION.match(line) is not None


def _is_file(target: str) -> bool:
    """Return whether a target is a file or a domain, rather than a sentence of one word, or a name such as Node.js."""
    return _DOTTED.fullmatch(_path(target).partition("/")[0]) is not None or _has_extension(target)


def _has_extension(target: str) -> bool:
    """Return whether the last part of a path with several parts has an extension."""
    return _DOTTED.fullmatch(_path(target).partition("/")[2].rpartition("/")[2].lower()) is not None


def _path(target: str) -> str:
    return re.split(r"[?#]", target, maxsplit=1)[0]


def _name(label: str) -> str:
    return " ".join(label.split()).casefold()


_LINE_BEGIN = patterns.compile(_PREFIX.removeprefix("^"))


def _begins_line(text: str, offset: int) -> bool:
    line = text[max(text.rfind("\n", 0, offset) + 1, offset - _WIDEST_PREFIX) : offset]
    return _LINE_BEGIN.fullmatch(line) is not None


_WIDEST_PREFIX = 200


# Tables

_DELIMITER = patterns.compile(r"^[ \t>]*+(?=[^\n]*\|)\|?[ \t]*+:?-[-:| \t]*+$", re.MULTILINE)
_PLACE = patterns.compile(r'<(table|tr|th)\b[^<>]*?\bdata-sourcepos="(\d+):(\d+)-')
_PIPE = patterns.compile(r"(?<!\\)\|")


def _may_lose_cells(body: str) -> bool:
    """Return whether a row of a table may have more cells than its header. This is cheap, and has false positives."""
    if not _DELIMITER.search(body):
        return False
    most = 0
    for line in body.split("\n"):
        line = line.strip(" \t>")
        if not line:
            most = 0
        elif line.count("|") and (cells := len(_cells(line))):
            if most and cells > most:
                return True
            if _DELIMITER.match(line):
                most = min(most, cells) if most else cells
    return False


def _cells(row: str) -> list[str]:
    row = row.strip()
    row = row[1:] if row.startswith("|") else row
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    return _PIPE.split(row)


def _with_all_cells(body: str, placed: str, found: dict[int, LostWords]) -> str:
    """Return a body whose tables have no row with more cells than columns: the last cell takes the rest.

    Other parsers do not see a pipe in code as a cell border. Nor does this function if the row then has the right
    number of cells.
    """
    lines, columns = body.split("\n"), 0
    for tag in _PLACE.finditer(placed):
        columns = 0 if tag[1] == "table" else columns + (tag[1] == "th")
        number, place = int(tag[2]) - 1, int(tag[3]) - 1
        if tag[1] != "tr" or not columns or number >= len(lines):
            continue
        row = lines[number][place:]
        if not "".join(_cells(row)[columns:]).strip():
            continue
        row = _without_pipes_in_code(row)
        cells = _cells(row)
        if len(cells) > columns:
            more = "".join(cells[columns:]).strip()[:40]
            message = (
                f"a row has {len(cells)} cells, but its table has only {columns} columns: {more} is in the last one"
            )
            hint = "add a column to the header; write \\| for a | in a cell"
            found.setdefault(number + 1, LostWords(number + 1, message, hint))
            row = "|".join(["", *cells[: columns - 1], "\\|".join(cells[columns - 1 :]), ""])
        lines[number] = lines[number][:place] + row
    return "\n".join(lines)


def _without_pipes_in_code(row: str) -> str:
    pieces, last = [], 0
    for start, end in code_spans(row):
        pieces += [row[last:start], _PIPE.sub(r"\\|", row[start:end])]
        last = end
    return "".join([*pieces, row[last:]])
