"""The columns of a subscriber file that become tags, notes and custom fields.

Tags and notes are recognised by their headings. Other columns become fields if the operator says so, if publisher.toml
names the field, or if Publisher exported the file. A value that does not fit its field is left out and counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime

from publisher.core.characters import clean_line, clean_lines
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.subscriber_fields import (
    LONGEST_NOTE,
    LONGEST_VALUE,
    MOST_FIELDS,
    MOST_TAGS,
    FieldKind,
    FieldValue,
    clean_field_name,
    clean_tag,
    is_of_kind,
    parse_value,
)
from publisher.subscribers.address import LONGEST_NAME, clean_name, shortened
from publisher.subscribers.csv_cells import date_of, topics_of
from publisher.subscribers.csv_status_words import NO, YES, plain

# What a column can be besides the fields in csv_columns.py -> the headings that it may have.
DETAILS: Mapping[str, tuple[str, ...]] = {
    "tags": (
        *("tags", "tag", "labels", "label", "subscriber tags", "schlagworte", "schlagworter", "etiquetas"),
        *("etiquettes", "etichette"),
    ),
    "note": ("note", "notes", "notiz", "notizen", "notas", "remarks"),
}
# Columns with a JSON object for each person, whose members are what other tools call attributes.
_OBJECTS = frozenset({"attributes", "metadata", "custom fields"})
_MOST_MEMBERS = 100
_LONGEST_OBJECT = 20_000  # characters

# The heading of a field's column in our own exports. It contains the kind unless that is text.
_OWN = re.compile(r"field\.([a-z][a-z0-9_]{0,59})(?: ?: ?(number|date|yes-no))?", re.IGNORECASE)
_FOUND = (FieldKind.NUMBER, FieldKind.DATE, FieldKind.YES_NO)  # the kinds that values can reveal, narrowest first


def own_heading(name: str, kind: FieldKind) -> str:
    """Return the heading of a field's column in our own exports."""
    return f"field.{name}" + ("" if kind is FieldKind.TEXT else f":{kind.value}")


def is_own_detail(heading: str) -> bool:
    """Return whether a column of our own exports contains tags, notes, or the values of a field."""
    return heading.strip() in DETAILS or _OWN.fullmatch(heading.strip()) is not None


# Texts that are cut if they are longer. A field's value is left out instead, because a part of it may mean something
# else.
_LONGEST = {"name": LONGEST_NAME, "note": LONGEST_NOTE}


@dataclass(frozen=True, slots=True)
class FieldOptions:
    """Which columns of a file become fields.

    asked       headings of requested columns, or the names of the fields that they become
    everything  whether all columns that are not read as something else become fields
    known       the fields that exist, with their kinds
    configured  the fields that publisher.toml names; their columns need not be requested
    """

    asked: tuple[str, ...] = ()
    everything: bool = False
    known: Mapping[str, FieldKind] = field(default_factory=dict)
    configured: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """A column that becomes a field.

    member  the member of the JSON object in the column; "" if the column itself is the value
    """

    name: str
    place: int
    kind: FieldKind = FieldKind.TEXT
    member: str = ""


def details_of(
    names: Sequence[str], chosen: Mapping[str, int], left_out: Collection[str], taken: Collection[int]
) -> dict[str, int]:
    """Return "tags" and "note" with the index of the column for each that a file has.

    names     the headings, as `plain` returns them
    chosen    what the operator has chosen
    left_out  what the operator has left out
    taken     columns that are something else
    """
    found = {name: place for name, place in chosen.items() if name in DETAILS}
    for name, known in DETAILS.items():
        if name not in found and name not in left_out:
            places = [names.index(each) for each in known if each in names and names.index(each) not in taken]
            if places:
                found[name] = places[0]
    return found


@dataclass(slots=True)
class _Candidate:
    """What the values of a column can be. open: the kinds that have fitted all values so far."""

    column: FieldColumn
    fixed: bool
    open: tuple[FieldKind, ...] = _FOUND
    values: int = 0


@dataclass(slots=True)
class DetailReader:
    """Reads tags, notes and fields from the rows of a file, first to find the kinds of fields, then their values.

    columns   the columns that become fields
    unusable  headings that cannot become fields
    unfit     field -> values that are not of its kind
    lines     field -> the first line with such a value
    long      what is too long -> [how many values, the first line]
    bad_tags  tags that can't be kept -> rows
    """

    tags: int = -1
    note: int = -1
    given: tuple[str, ...] = ()
    columns: tuple[FieldColumn, ...] = ()
    unusable: list[str] = field(default_factory=list)
    unfit: Counter[str] = field(default_factory=Counter)
    lines: dict[str, int] = field(default_factory=dict)
    long: dict[str, list[int]] = field(default_factory=dict)
    bad_tags: Counter[str] = field(default_factory=Counter)
    _looked: dict[tuple[int, str], _Candidate] = field(default_factory=dict)
    _objects: list[int] = field(default_factory=list)
    _known: Mapping[str, FieldKind] = field(default_factory=dict)
    _is_own: bool = False

    @property
    def kinds(self) -> dict[str, FieldKind]:
        """The fields for which the file has values, with their kinds."""
        return {each.name: each.kind for each in self.columns}

    def choose(self, header: Sequence[str], free: Collection[int], options: FieldOptions, *, own: bool) -> None:
        """Choose the columns that become fields, by their headings.

        free  the indexes of the columns that are not read as something else
        own   whether Publisher exported the file
        Raises SubscriberError if a requested column does not exist.
        """
        self._known, self._is_own = options.known, own
        asked = _asked(header, free, options)
        for place in sorted(free):
            match = _OWN.fullmatch(header[place].strip()) if own else None
            if match:
                self._add(match[1].lower(), place, FieldKind((match[2] or "text").lower()))
            elif plain(header[place]) in _OBJECTS and (options.everything or place in asked):
                self._objects.append(place)
            elif header[place] and (options.everything or place in asked):
                self._add_named(header[place], place, is_asked=place in asked)
            elif header[place] and options.configured:
                with suppress(SubscriberError):
                    name = clean_field_name(header[place])
                    if name in options.configured:
                        self._add(name, place)

    def look(self, cells: Sequence[str]) -> None:
        """Look at a row before the import: which kinds fit its values, and which members its objects have."""
        if not self._looked and not self._objects:
            return
        objects = self._objects_in(cells)
        for place, members in objects.items():
            for member in members:
                if (place, member) not in self._looked and len(self._looked) < _MOST_MEMBERS:
                    self._add_named(member, place, member=member)
        for looked in self._looked.values():
            text = _cell(cells, looked.column, objects)
            if text:
                looked.values += 1
                if not looked.fixed and looked.open:
                    looked.open = tuple(kind for kind in looked.open if is_of_kind(kind, text))

    def settle(self, used: Collection[int]) -> None:
        """Decide which fields there are, after the last row. used: the columns that turned out to be something else.

        Raises SubscriberError if there are too many.
        """
        found = []
        for looked in self._looked.values():
            if not looked.values or looked.column.place in used:
                continue
            kind = looked.column.kind if looked.fixed else next(iter(looked.open), FieldKind.TEXT)
            found.append(replace(looked.column, kind=kind))
        if len(found) > MOST_FIELDS:
            raise SubscriberError(
                f"{len(found):,} columns would become fields, but a person can have at most {MOST_FIELDS}",
                hint="name the columns that you need with --fields",
            )
        self.columns = tuple(found)

    def values(self, line: int, cells: Sequence[str], day_first: bool | None) -> dict[str, FieldValue]:
        """Return the values of fields in a row. Values that do not fit are counted and left out."""
        if not self.columns:
            return {}
        found: dict[str, FieldValue] = {}
        objects = self._objects_in(cells)
        for column in self.columns:
            text = _cell(cells, column, objects)
            if not text:
                continue
            if len(text) > LONGEST_VALUE and len(clean_line(text, LONGEST_VALUE + 1)) > LONGEST_VALUE:
                self._too_long(f"field {column.name}", line)
                continue
            try:
                found[column.name] = parse_value(column.kind, _understood(column.kind, text, day_first))
            except SubscriberError:
                self.unfit[column.name] += 1
                self.lines.setdefault(column.name, line)
        return found

    def tags_in(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Return the tags in a row and those that the operator gives to everybody, sorted."""
        if not 0 <= self.tags < len(cells) or not cells[self.tags]:
            return self.given
        tags = set(self.given)
        for text in (topics_of if self._is_own else _listed)(cells[self.tags]):
            try:
                tags.add(clean_tag(text))
            except SubscriberError:
                shown = clean_line(text, 60)
                if shown and (shown in self.bad_tags or len(self.bad_tags) < MOST_TAGS):
                    self.bad_tags[shown] += 1
        return tuple(sorted(tags)[:MOST_TAGS])

    def note_in(self, line: int, cells: Sequence[str]) -> str:
        """Return the note in a row. If it is too long, it is cut, and counted as such."""
        if not 0 <= self.note < len(cells):
            return ""
        found = clean_lines(cells[self.note], LONGEST_NOTE + 1)
        if len(found) > LONGEST_NOTE:
            self._too_long("note", line)
        return found[:LONGEST_NOTE]

    def name(self, line: int, text: str) -> str:
        """Return the name in a row. If it is too long, it is cut, and counted as such."""
        if len(text) > LONGEST_NAME and len(clean_line(text, LONGEST_NAME + 1)) > LONGEST_NAME:
            self._too_long("name", line)
        return clean_name(text)

    def doubts(self) -> Iterator[str]:
        """Yield lines about what was left out, which the operator may want to know."""
        for name, count in self.unfit.items():
            kind = self.kinds[name].value
            values = "1 value is" if count == 1 else f"{count:,} values are"
            yield f"field {name}: {values} not of its kind ({kind}), and left out; first in line {self.lines[name]}"
        for name, (count, line) in self.long.items():
            most, done = _LONGEST.get(name, LONGEST_VALUE), "cut there" if name in _LONGEST else "left out"
            values = "1 is" if count == 1 else f"{count:,} are"
            yield f"{name}: {values} longer than {most:,} characters, and {done}; first in line {line}"
        if self.bad_tags:
            shown = ", ".join(repr(shortened(tag, 30)) for tag, _ in self.bad_tags.most_common(5))
            yield f"these can't be tags, and were left out: {shown}"
        if self.unusable:
            shown = ", ".join(repr(shortened(clean_line(name, 60), 30)) for name in self.unusable[:5])
            yield f"the names of these columns can't be field names, so they were left out: {shown}"

    def _too_long(self, name: str, line: int) -> None:
        self.long.setdefault(name, [0, line])[0] += 1

    def _objects_in(self, cells: Sequence[str]) -> dict[int, dict[str, str]]:
        """Return index of a column -> the members of the object in it."""
        return {place: dict(_members(cells, place)) for place in self._objects}

    def _add_named(self, heading: str, place: int, *, is_asked: bool = False, member: str = "") -> None:
        try:
            self._add(clean_field_name(heading), place, member=member)
        except SubscriberError:
            if is_asked:
                raise
            if heading not in self.unusable and len(self.unusable) < _MOST_MEMBERS:
                self.unusable.append(heading)

    def _add(self, name: str, place: int, kind: FieldKind | None = None, member: str = "") -> None:
        taken = {each.column.name for each in self._looked.values()}
        if name in taken:
            name = next(f"{name[:55]}_{n}" for n in range(2, len(taken) + 3) if f"{name[:55]}_{n}" not in taken)
        known = self._known.get(name, kind)
        column = FieldColumn(name, place, known or FieldKind.TEXT, member)
        self._looked[place, member] = _Candidate(column, fixed=known is not None)


def _asked(header: Sequence[str], free: Collection[int], options: FieldOptions) -> set[int]:
    """Return the indexes of the requested columns, found by heading or by the name of the field."""
    found: set[int] = set()
    for text in options.asked:
        places = [place for place, each in enumerate(header) if each == text]
        places = places or [place for place, each in enumerate(header) if each and plain(each) == plain(text)]
        places = places or [place for place in sorted(free) if _is_named(header[place], text)]
        if not places:
            raise SubscriberError(
                f"there is no column {shortened(text)!r}", hint=f"columns: {', '.join(filter(None, header))}"
            )
        if not set(places) & set(free):
            raise SubscriberError(
                f"the column {shortened(text)!r} is read as something else", hint=f"see --map {shortened(text)}=ignore"
            )
        found.update(places[:1])
    return found


def _is_named(heading: str, name: str) -> bool:
    with suppress(SubscriberError):
        return clean_field_name(heading) == name
    return False


def _cell(cells: Sequence[str], column: FieldColumn, objects: Mapping[int, Mapping[str, str]]) -> str:
    """Return the text of a field in a row, or "" if it has none."""
    if column.place in objects:
        return objects[column.place].get(column.member, "")
    return cells[column.place] if column.place < len(cells) else ""


def _members(cells: Sequence[str], place: int) -> Iterator[tuple[str, str]]:
    """Yield (name, text) for the members with a plain value of the JSON object in a cell."""
    cell = cells[place] if place < len(cells) else ""
    if not cell.startswith("{") or len(cell) > _LONGEST_OBJECT:
        return
    with suppress(ValueError, RecursionError):
        for name, value in json.loads(cell).items():
            if isinstance(value, bool):
                yield name, "yes" if value else "no"
            elif isinstance(value, str | int | float):
                yield name, str(value).strip()


def _understood(kind: FieldKind, text: str, day_first: bool | None) -> str:
    """Return a text in the form that `parse_value` accepts: files write dates, and yes and no, in many ways."""
    if kind is FieldKind.DATE:
        found: datetime | None = date_of(text, day_first=day_first)
        return found.date().isoformat() if found else text
    if kind is FieldKind.YES_NO:
        word = plain(text)
        return "yes" if word in YES else "no" if word in NO else text
    return text


def _listed(cell: str) -> Sequence[str]:
    """Return the tags in a cell: separated by commas or semicolons, like topics, or a JSON array."""
    if cell.startswith("["):
        with suppress(ValueError, RecursionError):
            found = json.loads(cell)
            return [each for each in found if isinstance(each, str)] if isinstance(found, list) else ()
    return topics_of(cell)
