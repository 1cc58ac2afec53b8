"""Containers of other tools as GitHub's alerts: ::: of VitePress, Docusaurus and Pandoc, !!! and ??? of MkDocs, and
callouts of Obsidian.

A container that is only for looks, such as columns, loses its fences, and its text stays. The number of lines stays the
same, except where a blank line must be added so that the text after a container does not become part of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.tags.expanded import Expanded, TagProblem
from publisher.posts.text.excerpt import plain_line
from publisher.posts.text.prose import code_lines
from publisher.posts.text.signs import Signs

# How deeply containers may be nested.
_DEEPEST = 8

_ALERTS = {
    "NOTE": "note abstract cite collapse details example faq help info question quote seealso snippet spoiler summary "
    "tldr todo",
    "TIP": "tip check done hint success",
    "IMPORTANT": "important",
    "WARNING": "warning attention warn",
    "CAUTION": "caution bug danger error fail failure missing",
}
_COMMENT = "comment"
# Containers that other tools do not show. Quarto shows some in certain formats only.
_HIDDEN = frozenset(("comment", "content-hidden", "hidden"))
_CONDITION = patterns.compile(r"\b(when|unless)-format[ \t]*=[ \t]*[\"']?([\w:-]{1,40})")
_KINDS: Mapping[str, str] = {name: kind for kind, names in _ALERTS.items() for name in names.split()}
# Without one of these a text has no container.
_SIGNS = Signs(":::", "!!! ", "???", "/// ", "[!", '=== "', '===! "', '===+ "')

_MAYBE = patterns.compile(r"^[ \t>]{0,30}(?::::|///|!!![ \t]|\?\?\?|===[!+]?[ \t]+\"|\[!)", re.MULTILINE)
_FENCE = patterns.compile(r"([ \t]{0,12})(:{3,30}|/{3,30})[ \t]*+(?=[\w{])(?!.*:::)(.{1,600})")
_CLOSING = patterns.compile(r"[ \t]{0,12}(:{3,30}|/{3,30})[ \t]*")
_NAMED = patterns.compile(r"(?:\{[^.{}]{0,100}\.)?(callout-)?([A-Za-z][\w-]{0,60})(?![\w-])[ \t:]*(.*)")
_TITLE = patterns.compile(r"\btitle[ \t]*=[ \t]*(?:\"([^\"]{0,300})\"|'([^']{0,300})')")
_IN_BRACKETS = patterns.compile(r"\[(.{0,300})\](?:[ \t]*(?:\{.{0,300}\}|<a id=\"[^\"<>]{1,200}\"></a>))?[ \t]*")
_ID = patterns.compile(r"(?:\{[^{}#]{0,200}#|<a id=\")([A-Za-z][\w-]{0,100})")
_PARAGRAPH = patterns.compile(r" {0,3}[^\W\d_]")
_ATTRIBUTES = patterns.compile(r"\{[^{}]{0,300}\}|[^{}]{0,300}\}[ \t:]*$")
_OPTION = patterns.compile(r"[ \t]{4,16}[a-z_]{1,30}: \S.{0,300}")
_ADMONITION = patterns.compile(
    r"([ \t]{0,12})(?:!!!|\?\?\?\+?)[ \t]+([A-Za-z][\w-]{0,60})((?:[ \t]+[A-Za-z][\w-]{0,60}){0,3})"
    r"(?:[ \t]+[\"“”]([^\"“”]{0,300})[\"“”])?[ \t]*"
)
_TAB = patterns.compile(r"([ \t]{0,12})===[!+]?[ \t]+\"([^\"]{1,300})\"[ \t]*")
_CALLOUT = patterns.compile(r"([ \t]{0,12}(?:>[ \t]?){1,9})\[!([A-Za-z][\w -]{0,60})(?:\|[^\[\]]{0,60})?\]([+-]?)(.*)")
_QUOTE = patterns.compile(r"[ \t]{0,12}>")
_QUOTED = patterns.compile(r"([ \t]{0,12})>[ \t>]{0,20}(?::::|!!!|\?\?\?|///)")
_UNQUOTED = patterns.compile(r"^[ \t]{0,12}>[ \t]?")
_HEADING = patterns.compile(r"[ ]{0,3}#{1,6}[ \t]+(\S.*)")


class _Line(NamedTuple):
    """A line, and its number in the body, from 1."""

    text: str
    number: int


class _Container(NamedTuple):
    """A container in a list of lines.

    kind    the kind of alert that it becomes; "" if it is only for looks, _COMMENT if it is hidden
    title   its title; None if its first heading is its title
    first   the index of the first line of its text, after its options, if it has any
    end     the index after its text
    next    the index after its last line
    dedent  by how much its text is indented
    """

    indent: str
    kind: str
    title: str | None
    first: int
    end: int
    next: int
    dedent: int = 0


def has_containers(body: str) -> bool:
    """Return whether a body may have containers. Most have none, and this is cheap."""
    return _SIGNS.are_in(body) and _MAYBE.search(body) is not None


def as_alerts(body: str) -> Expanded:
    """Return a Markdown body in which containers are GitHub's alerts, and callouts have the kinds that GitHub has.

    Whatever looks like a container, but cannot be read as one, is reported.
    """
    lines = body.split("\n")
    found = _converted([_Line(text, number) for number, text in enumerate(lines, 1)], 0)
    texts = [line.text for line in found]
    if texts == lines:
        return Expanded(body, problems=_left(found))
    numbers = tuple(line.number for line in found)
    is_same = numbers == tuple(range(1, len(lines) + 1))
    return Expanded("\n".join(texts), () if is_same else numbers, _left(found))


def _left(lines: list[_Line]) -> tuple[TagProblem, ...]:
    """Return the problem for the lines that seem to open a container."""
    if not any(":::" in line.text for line in lines):
        return ()
    code = code_lines([line.text for line in lines])
    left = [
        line for line, is_code in zip(lines, code, strict=True) if not is_code and _FENCE.match(line.text.lstrip("> "))
    ]
    left = [line for line in left if ":::" in line.text[:40]]
    if not left:
        return ()
    more = f", on {len(left)} lines" if len(left) > 1 else ""
    what = f"a container is never closed, and its markup is shown as is: {' '.join(left[0].text.split())[:40]}{more}"
    return (TagProblem(left[0].number, what, "write ::: on a line of its own where it ends"),)


def _converted(lines: list[_Line], depth: int) -> list[_Line]:
    """Return the lines with their containers as alerts. depth: how many containers are around them."""
    if depth >= _DEEPEST or not any(_SIGNS.are_in(line.text) for line in lines):
        return lines
    texts = [line.text for line in lines]
    code = code_lines(texts)
    ends = _ends(texts, code)
    found: list[_Line] = []
    place = 0
    while place < len(lines):
        if not code[place] and (quoted := _quoted(lines, place, depth)):
            found += quoted
            place = quoted[-1].number - lines[0].number + 1
            continue
        container = None if code[place] else _fenced(texts, place, ends) or _indented(texts, place)
        if container is None:
            found.append(lines[place] if code[place] else lines[place]._replace(text=_callout(texts, place)))
            place += 1
            continue
        if container.kind not in ("", _COMMENT) and found and _QUOTE.match(found[-1].text):
            found.append(found[-1]._replace(text=""))  # otherwise the quotation above would continue
        found += _as_alert(container, lines, place, depth)
        place = container.next
        if container.dedent and place < len(lines) and texts[place].strip():
            found.append(found[-1]._replace(text=""))  # otherwise this line would be part of the alert
    return found


def _quoted(lines: list[_Line], place: int, depth: int) -> list[_Line]:
    """Return the rest of a quotation, from the line that opens a container in it, with its containers as alerts."""
    mark = _QUOTED.match(lines[place].text)
    if not mark:
        return []
    rest = list(takewhile(lambda line: _QUOTE.match(line.text), lines[place:]))
    inside = _converted([line._replace(text=_UNQUOTED.sub("", line.text)) for line in rest], depth + 1)
    return [line._replace(text=f"{mark[1]}> {line.text}" if line.text else f"{mark[1]}>") for line in inside]


def _as_alert(container: _Container, lines: list[_Line], opening: int, depth: int) -> list[_Line]:
    """Return the lines of a container as an alert, or as text if it is only for looks."""
    indent, kind, title, first, end, _, dedent = container
    if kind == _COMMENT:
        return [line._replace(text="") for line in lines[opening : container.next]]
    inside = [line._replace(text=_dedented(line.text, len(indent) + dedent)) for line in lines[first:end]]
    if title is None:
        title, place = "", next((place for place, line in enumerate(inside) if line.text.strip()), -1)
        heading = _HEADING.fullmatch(inside[place].text) if place >= 0 else None
        if heading:
            title, inside[place] = heading[1].rstrip(" \t#"), inside[place]._replace(text="")
    _place_target(inside, lines[opening].text)
    label = plain_line(title).strip()
    head = f"[!{kind}] {label}" if kind else f"**{label}**" if label else ""
    text = [lines[opening]._replace(text=head)]
    text += [line._replace(text="") for line in lines[opening + 1 : first]]
    text += _converted(inside, depth + 1)
    mark = f"{indent}> " if kind else indent
    found = [line._replace(text=f"{mark}{line.text}" if line.text else mark.rstrip()) for line in text]
    last = mark.rstrip() if indent and kind else ""  # a blank line in a list would set its items apart
    return found + [line._replace(text=last) for line in lines[end : container.next]]


def _place_target(inside: list[_Line], opening: str) -> None:
    """Put the id of a container before its first words, if they are in a paragraph, so that links lead there."""
    name = _ID.search(opening)
    place = next((place for place, line in enumerate(inside) if line.text.strip()), -1) if name else -1
    if name and place >= 0 and _PARAGRAPH.match(inside[place].text):
        inside[place] = inside[place]._replace(text=f'<a id="{name[1]}"></a>{inside[place].text}')


def _dedented(line: str, columns: int) -> str:
    """Return a line with this many columns of indentation removed; a tab counts as four."""
    place = 0
    while columns > 0 and place < len(line) and line[place] in " \t":
        columns -= 4 if line[place] == "\t" else 1
        place += 1
    return line[place:]


def _ends(lines: list[str], code: list[bool]) -> dict[int, int]:
    """Return the index of the line that closes each fence, by the index of the line that opens it.

    A closing fence belongs to the last open fence of the same length, or else to the last open fence.
    """
    found: dict[int, int] = {}
    opened: list[tuple[str, int]] = []
    for number, line in enumerate(lines):
        if code[number] or (":::" not in line and "///" not in line):
            continue
        closing = _CLOSING.fullmatch(line)
        if closing and opened:
            same = next((place for place in reversed(range(len(opened))) if opened[place][0] == closing[1]), -1)
            found[opened[same][1]] = number
            del opened[same:]
        elif not closing and (fence := _FENCE.match(line)) and len(opened) < _DEEPEST * 4:
            opened.append((fence[2], number))
    return found


def _fenced(lines: list[str], number: int, ends: Mapping[int, int]) -> _Container | None:
    """Return the container that a line with ::: opens. If nothing closes it, it ends with the text, as in VitePress."""
    fence = _FENCE.fullmatch(lines[number]) if ":::" in lines[number] or "///" in lines[number] else None
    if not fence:
        return None
    name = _NAMED.match(fence[3])
    known = name[2].lower() if name else ""
    kind = _COMMENT if _is_hidden(known, fence[3]) else _KINDS.get(known, "")
    if number not in ends and (kind in ("", _COMMENT) or fence[2][0] == "/"):
        return None
    end = ends.get(number, len(lines))
    first = number + 1
    while fence[2][0] == "/" and first < end and _OPTION.fullmatch(lines[first]):
        first += 1
    title: str | None = _title_behind(name[3] if name else fence[3], fence[3])
    if not title and kind:
        title = None if name and name[1] else _named(known, kind)
    return _Container(fence[1], kind, title, first, end, min(end + 1, len(lines)))


def _is_hidden(name: str, attributes: str) -> bool:
    """Return whether other tools hide a container on web pages."""
    condition = _CONDITION.search(attributes)
    is_for_web = condition is None or (condition[2].startswith("html") == (condition[1] == "when"))
    return (name in _HIDDEN and is_for_web) or (name == "content-visible" and not is_for_web)


def _title_behind(rest: str, all_of_it: str) -> str:
    """Return the title of a container: [words], {title="words"}, | words, or words alone."""
    attribute = _TITLE.search(all_of_it)
    if attribute:
        return attribute[1] or attribute[2] or ""
    bracketed = _IN_BRACKETS.fullmatch(rest)
    if bracketed:
        return bracketed[1]
    return _ATTRIBUTES.sub("", rest).strip().removeprefix("|").strip(' "')


def _indented(lines: list[str], number: int) -> _Container | None:
    """Return the container that a line with !!!, ??? or === opens. The indented lines below it are its text."""
    line = lines[number]
    admonition = _ADMONITION.fullmatch(line) if "!!!" in line or "???" in line else None
    tab = _TAB.fullmatch(line) if "===" in line else None
    opening = admonition or tab
    if not opening:
        return None
    deep = len(opening[1].expandtabs(4)) + 4
    end = place = number + 1
    while place < len(lines) and (not lines[place].strip() or _indent(lines[place]) >= deep):
        place += 1
        end = place if lines[place - 1].strip() else end
    if tab:
        return _Container(tab[1], "", tab[2], number + 1, end, end, 4) if end > number + 1 else None
    known = opening[2].lower()
    if end == number + 1 and not _stands_alone(known, opening[3], opening[4]):
        return None
    kind = _KINDS.get(known, "NOTE")
    title = _named(known, kind) if opening[4] is None else opening[4]
    return _Container(opening[1], kind, title, number + 1, end, end, 4)


def _stands_alone(kind: str, classes: str, title: str | None) -> bool:
    """Return whether a line with !!! or ??? and no text below it is a container rather than a sentence."""
    return kind in _KINDS and title is not None and all(word in ("inline", "end") for word in classes.split())


def _indent(line: str) -> int:
    spread = line.expandtabs(4)
    return len(spread) - len(spread.lstrip(" "))


def _callout(lines: list[str], number: int) -> str:
    """Return a line unchanged or, if it begins a callout that GitHub does not know, as the first line of an alert."""
    line = lines[number]
    callout = _CALLOUT.fullmatch(line) if "[!" in line else None
    if not callout or (number and _QUOTE.match(lines[number - 1]) and _signs(lines[number - 1]) >= _signs(line)):
        return line
    name, written = callout[2].lower(), callout[4].strip()
    title = plain_line(written)
    if name.upper() in _ALERTS and not callout[3] and title == written:
        return line
    kind = _KINDS.get(name, "NOTE")
    return f"{callout[1]}[!{kind}] {title or _named(name, kind)}".rstrip()


def _signs(line: str) -> int:
    return line[:40].partition("[")[0].count(">")


def _named(name: str, kind: str) -> str:
    """Return the title for a container that has none: its name, or "" if that is the name of its kind."""
    return "" if name.upper() == kind else name.replace("-", " ").replace("_", " ").capitalize()
