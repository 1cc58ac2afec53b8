"""The meaning of the columns and cells of a subscriber file: the column names of other tools, topics, and formulas.

Excel and similar programs treat a cell as a formula if it begins with =, +, -, @ or white space. Strangers can choose
such a name or address, so the export writes an apostrophe in front, which turns the cell into text. The import removes
the apostrophe, so that an exported file can be imported without changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from publisher.core.errors import SubscriberError
from publisher.subscribers.address import clean_line

# Field -> the column names that it may have. Names are compared in lower case, with _ and - as spaces. If a file has
# several columns for a field, the first of these names wins. So "email" wins over Mailchimp's "Address", a street.
NAMES: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "email address", "e mail", "e mail address", "subscriber email", "address"),
    "name": ("name", "full name", "display name"),
    "first_name": ("first name", "fname", "given name"),
    "last_name": ("last name", "lname", "family name", "surname"),
    "newsletters": ("newsletters", "newsletter"),
    "topics": ("topics",),
    "language": ("language", "lang", "locale"),
    "status": ("status", "subscriber type", "type"),
    "subscribed": ("subscribed to emails", "subscribed"),
    "disabled": ("email disabled",),
    "left_at": ("unsub time", "unsubscribed at", "unsubscribe date", "clean time", "deleted at"),
    "joined_at": (
        *("confirm time", "optin time", "opt in time", "subscribed at", "created at", "creation date"),
        *("signup date", "start date"),
    ),
}

# The values of a column "type" or "status" that mean that a subscriber may be mailed. Each line has the values of one
# or two tools: Publisher and Mailchimp, listmonk, Buttondown, and then Ghost and Substack.
MAILED = frozenset(
    {
        *("", "active", "subscribed", "confirmed"),
        *("enabled",),
        *("regular", "premium", "gifted", "trialed"),
        *("free", "paid", "comped", "comp", "gift"),
    }
)
YES = frozenset({"true", "1", "yes", "y", "t"})
NO = frozenset({"false", "0", "no", "n", "f"})

# Column names that occur together only in the exports of this tool.
TOOLS: Mapping[str, frozenset[str]] = {
    "Mailchimp": frozenset({"email address", "euid", "leid"}),
    "Ghost": frozenset({"subscribed to emails", "complimentary plan"}),
    "listmonk": frozenset({"uuid", "email", "attributes"}),
    "Substack": frozenset({"email", "active subscription"}),
    "Buttondown": frozenset({"creation date", "subscriber type"}),
    "Buttondown's": frozenset({"email address", "creation date", "type"}),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """The mapping from the columns of a file to fields.

    header   the column names in the first line
    fields   field -> index of its column
    tool     the tool that seems to have exported the file; "" if it is unknown
    joined   the indexes of further columns with the day of consent, for rows in which the first one is empty
    """

    header: tuple[str, ...]
    fields: Mapping[str, int]
    tool: str
    joined: tuple[int, ...] = ()

    def cell(self, cells: Sequence[str], field: str) -> str:
        """Return the cell of a row for a field, or "" if there is none."""
        place = self.fields.get(field, -1)
        return cells[place] if 0 <= place < len(cells) else ""

    def joined_at(self, cells: Sequence[str]) -> str:
        """Return the date of consent in a row, exactly as the file writes it, or "" if there is none."""
        found = (cells[place] for place in self.joined if place < len(cells) and cells[place])
        return self.cell(cells, "joined_at") or next(found, "")

    @property
    def shown(self) -> dict[str, str]:
        """The mapping in a form that can be shown: field -> column name, in the order of NAMES."""
        return {field: self.header[self.fields[field]] for field in NAMES if field in self.fields}

    @property
    def ignored(self) -> list[str]:
        """The names of the columns that are ignored."""
        used = {*self.fields.values(), *self.joined}
        return [name for place, name in enumerate(self.header) if place not in used and name]


def recognise(header: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """Return the mapping from the columns of a file with this header to fields.

    chosen: field -> column name, for fields that should not be recognised automatically; "" ignores the field.
    Raises SubscriberError if a chosen field or column does not exist, or if no column contains addresses.
    """
    names = [_plain(name) for name in header]
    fields: dict[str, int] = {}
    for field, known in NAMES.items():
        if field in chosen:
            continue
        found = next((names.index(name) for name in known if name in names), None)
        if found is not None and found not in fields.values():
            fields[field] = found
    for field, column in chosen.items():
        if field not in NAMES:
            raise SubscriberError(f"there is no field {field!r}", hint=f"fields: {', '.join(NAMES)}")
        if column:
            fields[field] = _place(header, names, column)
    if "email" not in fields:
        raise SubscriberError(
            "the first line does not name a column with addresses",
            hint="the file must be UTF-8, and its first line must name a column email; or use --map email=COLUMN",
        )
    tool = next((tool for tool, signs in TOOLS.items() if signs <= set(names)), "")
    others = [names.index(name) for name in NAMES["joined_at"] if name in names] if "joined_at" not in chosen else []
    joined = tuple(place for place in others if place not in fields.values())
    return Columns(tuple(header), fields, tool.removesuffix("'s"), joined)


def parse_choices(texts: Sequence[str]) -> dict[str, str]:
    """Parse texts such as "name=Vorname" into a mapping field -> column name.

    Raises SubscriberError for a text without "=".
    """
    choices = {}
    for text in texts:
        field, equals, column = text.partition("=")
        if not equals:
            raise SubscriberError(f"{text!r} is not a mapping", hint="write it like --map name=Vorname")
        choices[field.strip().lower().replace(" ", "_")] = column.strip()
    return choices


def why_not(columns: Columns, cells: Sequence[str]) -> str:
    """Return the reason in the file why the subscriber in a row must not be mailed, or "" if they may be mailed."""
    status = columns.cell(cells, "status").lower()
    if status not in MAILED:
        return status
    if columns.cell(cells, "subscribed").lower() in NO:
        return "not subscribed"
    if columns.cell(cells, "disabled").lower() in YES:
        return "disabled"
    return "unsubscribed" if columns.cell(cells, "left_at") else ""


def full_name(columns: Columns, cells: Sequence[str]) -> str:
    """Return the full name in a row, which may be in one column or split into first and last name."""
    return columns.cell(cells, "name") or " ".join(
        part for field in ("first_name", "last_name") if (part := columns.cell(cells, field))
    )


def _place(header: Sequence[str], names: Sequence[str], column: str) -> int:
    if column in header:
        return list(header).index(column)
    if _plain(column) in names:
        return names.index(_plain(column))
    raise SubscriberError(f"there is no column {column!r}", hint=f"columns: {', '.join(filter(None, header))}")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


LONGEST_TOPIC = 300  # characters

_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*(?=[,;]|$)|([^,;]*))(?:[,;]|$)', re.DOTALL)
_NEEDS_QUOTES = re.compile('[,;"]')


def topics_of(cell: str) -> tuple[str, ...]:
    """Return the topics in a cell. They are separated by commas or semicolons, and may contain spaces.

    A topic in quotes may also contain commas and semicolons, and a doubled quote in it means a single quote. For
    example, `birds, "Maps, old"` is two topics.
    """
    found = (
        quoted.replace('""', '"') if quoted is not None else bare for quoted, bare in map(_parts, _ITEM.finditer(cell))
    )
    return tuple(dict.fromkeys(topic for each in found if (topic := clean_line(each, LONGEST_TOPIC))))


def cell_of(topics: Iterable[str]) -> str:
    """Return a cell from which `topics_of` reads these topics."""
    return ", ".join(_quoted(topic) if _NEEDS_QUOTES.search(topic) else topic for topic in topics)


def _parts(match: re.Match[str]) -> tuple[str | None, str]:
    return match[1], match[2] or ""


def _quoted(topic: str) -> str:
    doubled = topic.replace('"', '""')
    return f'"{doubled}"'


_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


def guarded(cell: str) -> str:
    """Return a cell with an apostrophe in front if a spreadsheet would otherwise treat it as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that `guarded` has added."""
    return cell[1:] if cell[:1] == "'" and _GUARDED.match(cell) else cell
