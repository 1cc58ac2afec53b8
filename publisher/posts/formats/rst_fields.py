"""The front matter of a post in reStructuredText: its title, Pelican's field list below it, and Nikola's comments."""

from __future__ import annotations

from publisher.core import patterns
from publisher.posts.front_matter.parsing import parse_head, split_body
from publisher.posts.post_file import Head, Tree

_NIKOLA = patterns.compile(r"\.\.[ \t]{1,8}([A-Za-z][\w-]{0,60}):(?:[ \t]++(.*))?+")
_FIELD = patterns.compile(r":([A-Za-z][\w .-]{0,60}):(?:[ \t]++(.*))?+")
_ADORNED = patterns.compile(r"([!-/:-@\[-`{-~])\1*")
_MARKS = patterns.compile(
    r"``([^`]*+)``|\*\*([^*]*+)\*\*|\*([^*]*+)\*"
    r"|:[\w-]{1,40}:`([^`<]*+)(?:<[^`>]*+>)?`|`([^`<]*+)(?:<[^`>]*+>)?`_{0,2}"
)
_ESCAPED = patterns.compile(r"\\(.)")
# How many lines front matter may have.
_MOST = 500


def rst_head(text: str) -> Head:
    """Return the front matter of a reStructuredText file. Its body is all its text, or the text below YAML's fences."""
    if text.startswith("---\n"):
        head = parse_head(text, whole=True)
        return _with_title(head, head.body.split("\n")[:_MOST])
    lines = text.split("\n")[:_MOST]
    fields: dict[str, Tree] = {}
    places: dict[str, int] = {}
    number = _comments(lines, fields, places)
    title, number = _title(lines, number)
    _field_list(lines, number, fields, places)
    if title and "title" not in {key.lower() for key in fields}:
        fields["title"] = title
    return Head(fields, places, text, 1)


def split_rst(text: str) -> tuple[str, int]:
    """Return the reStructuredText of a whole file, and the line on which it begins."""
    return split_body(text) if text.startswith("---\n") else (text, 1)


def _with_title(head: Head, lines: list[str]) -> Head:
    title, _ = _title(lines, 0)
    if title and "title" not in head.fields:
        head.fields["title"] = title
    return head


def _comments(lines: list[str], fields: dict[str, Tree], places: dict[str, int]) -> int:
    """Note the fields that Nikola writes as comments; return the index of the line after them."""
    number = _behind_blank(lines, 0)
    while number < len(lines) and (found := _NIKOLA.fullmatch(lines[number].rstrip())):
        _note(fields, places, found[1], found[2] or "", number)
        number += 1
    return number


def _title(lines: list[str], number: int) -> tuple[str, int]:
    """Return the title of the document, and the index of the line after it; "" if it has none."""
    number = _behind_blank(lines, number)
    near = [line.rstrip() for line in lines[number : number + 3]] + ["", "", ""]
    if _is_adornment(near[0]) and near[1].strip() and near[2] == near[0]:
        return _plain(near[1]), number + 3
    if near[0] and not near[0][0].isspace() and _is_adornment(near[1]) and len(near[1]) >= min(len(near[0]), 4):
        return _plain(near[0]), number + 2
    return "", number


def _is_adornment(line: str) -> bool:
    return len(line) > 1 and _ADORNED.fullmatch(line) is not None


def _field_list(lines: list[str], number: int, fields: dict[str, Tree], places: dict[str, int]) -> None:
    number = _behind_blank(lines, number)
    name = ""
    for index in range(number, len(lines)):
        line = lines[index].rstrip()
        if found := _FIELD.fullmatch(line):
            name = found[1]
            _note(fields, places, name, found[2] or "", index)
        elif name and line[:1].isspace() and line.strip():
            fields[name] = f"{fields[name] or ''} {line.strip()}".strip()
        else:
            return


def _note(fields: dict[str, Tree], places: dict[str, int], name: str, value: str, index: int) -> None:
    fields.setdefault(name, value.strip())
    places.setdefault(name, index + 1)


def _behind_blank(lines: list[str], number: int) -> int:
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


def _plain(title: str) -> str:
    """Return a title without the inline markup of reStructuredText."""
    plain = _MARKS.sub(lambda found: next(each for each in found.groups() if each is not None).strip(), title.strip())
    return _ESCAPED.sub(r"\1", plain)
