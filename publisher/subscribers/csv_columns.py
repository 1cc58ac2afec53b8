"""The meaning of the columns of a subscriber file, according to the names that tools and languages give them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache
from itertools import takewhile

from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SubscriberStatus
from publisher.subscribers.csv_fields import DETAILS, FieldColumn, details_of, is_own_detail
from publisher.subscribers.csv_status import STATUS_NAMES, StatusColumn, hardest, rank_of_joining, status_column
from publisher.subscribers.csv_status_words import NO, YES, Reading, plain

MOST_DATED = 20  # columns in which to look for the day of consent

# Field -> the column names that it may have. Names are compared in lower case, with _ and - read as spaces. If a file
# has several columns for a field, the first of these names wins. So "email" wins over Mailchimp's "Address", a street.
NAMES: Mapping[str, tuple[str, ...]] = {
    "email": (
        *("email", "email address", "e mail", "e mail address", "subscriber email", "mail", "mail address", "emails"),
        *("e mail adresse", "email adresse", "mailadresse", "mail adresse", "emailadresse", "adresse e mail"),
        *("adresse email", "adresse mail", "adresse electronique", "courriel", "correo", "correo electronico"),
        *("direccion de correo", "email direccion", "indirizzo email", "indirizzo e mail", "posta elettronica"),
        *("e mailadres", "emailadres", "endereco de email", "endereco de e mail", "e post", "e postadress", "epost"),
        *("adres e mail", "adres email", "sahkoposti", "e posta", "e mailova adresa"),
        *("contact email", "primary email", "user email", "member email", "recipient", "address"),
    ),
    "name": (
        *("name", "full name", "display name", "vollstandiger name", "nom complet", "nombre completo"),
        *("nome completo", "volledige naam", "nom", "nombre", "nome", "naam", "namn", "navn", "nimi", "имя"),
    ),
    "first_name": (
        *("first name", "fname", "firstname", "first", "given name", "given names", "forename", "vorname", "rufname"),
        *("prenom", "voornaam", "primeiro nome", "primer nombre", "imie", "fornamn", "fornavn", "etunimi"),
        *("krestni jmeno", "jmeno", "meno", "keresztnev", "prenume", "ad", "adi", "adı"),
    ),
    "last_name": (
        *("last name", "lname", "lastname", "last", "family name", "familyname", "surname", "second name", "nachname"),
        *("familienname", "zuname", "nom de famille", "apellido", "apellidos", "primer apellido", "cognome"),
        *("achternaam", "familienaam", "sobrenome", "apelido", "ultimo nome", "nazwisko", "efternamn", "efternavn"),
        *("etternavn", "sukunimi", "prijmeni", "priezvisko", "vezeteknev", "nume de familie", "soyad", "soyadi"),
        *("soyadı", "фамилия", "прізвище", "επωνυμο", "姓", "성"),
    ),
    "newsletters": ("newsletters", "newsletter"),
    "topics": ("topics",),
    "language": ("language", "lang", "locale"),
    "joined_at": (
        *("joined at", "confirm time", "optin time", "opt in time", "subscribed at", "created at", "creation date"),
        *("signup date", "start date"),
    ),
}

# Such a column may contain only the first name, or in some languages the last, if another column has the other part.
SHORT_NAMES = frozenset({"name", "nom", "nombre", "nome", "naam", "namn", "navn", "nimi", "имя"})

# The fields that say who must not get email. Each can have any number of columns.
STATUS_FIELDS: Mapping[str, tuple[Reading, SubscriberStatus]] = {
    "status": (Reading.WORD, SubscriberStatus.UNSUBSCRIBED),
    "subscribed": (Reading.FOR, SubscriberStatus.UNSUBSCRIBED),
    "confirmed": (Reading.FOR, SubscriberStatus.PENDING),
    "unconfirmed": (Reading.AGAINST, SubscriberStatus.PENDING),
    "unsubscribed": (Reading.AGAINST, SubscriberStatus.UNSUBSCRIBED),
    "left_at": (Reading.AGAINST, SubscriberStatus.UNSUBSCRIBED),
    "disabled": (Reading.AGAINST, SubscriberStatus.UNSUBSCRIBED),
    "bounced": (Reading.AGAINST, SubscriberStatus.BOUNCED),
    "complained": (Reading.AGAINST, SubscriberStatus.COMPLAINED),
    "suppressed": (Reading.AGAINST, SubscriberStatus.SUPPRESSED),
}
IGNORE = "ignore"

# Column names that occur together only in the exports of one tool.
TOOLS: Mapping[str, frozenset[str]] = {
    "Publisher": frozenset({"email", "newsletter status", "history", "uid"}),
    "Mailchimp": frozenset({"email address", "euid", "leid"}),
    "Ghost": frozenset({"subscribed to emails", "complimentary plan"}),
    "listmonk": frozenset({"uuid", "email", "attributes"}),
    "Substack": frozenset({"email", "active subscription"}),
    "Substack's": frozenset({"email", "stripe plan"}),
    "Buttondown": frozenset({"creation date", "subscriber type"}),
    "Buttondown's": frozenset({"email address", "creation date", "type"}),
}
# Columns of a tool whose names are about a paid subscription, not about email.
PAID = {"Substack": frozenset({"active subscription", "cancel date", "expiry", "type", "activity"})}
# Columns of our own exports, in addition to NAMES.
OWN = (
    *("newsletter status", "newsletter since", "created at", "paused until", "uid", "history"),
    *("suppressed", "suppressed hash"),
)
# Columns that people care about but that are kept only if the operator asks for them, by tool.
DROPPED = {
    "Substack": ("plan", "expiry", "active subscription", "first payment at", "stripe plan"),
    "Ghost": ("tiers", "complimentary plan", "stripe customer id"),
    "listmonk": ("attributes", "lists"),
    "Mailchimp": ("member rating",),
    "Buttondown": ("metadata",),
}


@dataclass(frozen=True, slots=True)
class Choices:
    """The operator's choices for the columns of a file.

    fields  (field, column name) for fields that should not be recognised automatically; "" ignores the field. A key
            that is not a field but a column, with the value "ignore", ignores that column
    """

    fields: tuple[tuple[str, str], ...] = ()

    def named(self, field_name: str) -> list[str]:
        """Return the columns that were chosen for a field."""
        return [column for key, column in self.fields if _field(key) == field_name]


@dataclass(frozen=True, slots=True)
class Columns:
    """The mapping from the columns of a file to fields.

    header    the column names in the first line; "" for each column of a bare list
    fields    field -> index of its column
    tool      the tool that seems to have exported the file; "" if it is unknown
    joined    the indexes of further columns with the day of consent, for rows in which the first one is empty
    dated     the indexes of columns that contain the day of consent if they contain dates
    statuses  the columns that say who must not get email, from left to right
    values    (index of a column, value in lower case) -> what the operator says it means: the name of a status, or of a
              newsletter
    own       column name -> index, for a file that Publisher exported
    settled   the indexes of columns that the operator has decided on
    details   "tags" and "note" -> index of the column
    kept      the columns that become fields
    """

    header: tuple[str, ...]
    fields: Mapping[str, int]
    tool: str
    joined: tuple[int, ...] = ()
    dated: tuple[int, ...] = ()
    statuses: tuple[StatusColumn, ...] = ()
    values: Mapping[tuple[int, str], str] = field(default_factory=dict)
    own: Mapping[str, int] = field(default_factory=dict)
    settled: frozenset[int] = frozenset()
    details: Mapping[str, int] = field(default_factory=dict)
    kept: tuple[FieldColumn, ...] = ()

    def cell(self, cells: Sequence[str], field: str) -> str:
        """Return the cell of a row for a field, or "" if there is none."""
        place = self.fields.get(field)
        return cells[place] if place is not None and place < len(cells) else ""

    def own_cell(self, cells: Sequence[str], column: str) -> str:
        """Return the cell of a row in a column of our own exports, or "" if there is none."""
        return _at(cells, self.own.get(column, -1))

    def joined_at(self, cells: Sequence[str]) -> str:
        """Return the date of consent in a row, exactly as the file writes it, or "" if there is none."""
        if (first := self.cell(cells, "joined_at")) or not self.joined:
            return first
        return next((cells[place] for place in self.joined if place < len(cells) and cells[place]), "")

    def with_dates(self, places: Sequence[int]) -> Columns:
        """Return the mapping with further columns that contain the day of consent."""
        if not places:
            return self
        first = self.fields.get("joined_at", places[0])
        joined = tuple(place for place in (*self.joined, *places) if place != first)
        return replace(self, fields={**self.fields, "joined_at": first}, joined=joined)

    def verdict(self, column: StatusColumn, cells: Sequence[str]) -> SubscriberStatus | None:
        """Return what a column says in a row: ACTIVE, or why not to send email; None if the cell is not understood."""
        cell = _at(cells, column.place)
        if self.values and (chosen := self.values.get((column.place, cell.lower()))):
            return STATUS_NAMES.get(chosen)
        return column.verdict(cell)

    def speaking(self, cells: Sequence[str]) -> Iterator[StatusColumn]:
        """Yield the status columns that can say something about a row: those for which it has a cell.

        This keeps short rows cheap, however many columns the file has.
        """
        width = len(cells)
        yield from takewhile(lambda column: column.place < width, self.statuses)
        if any(not value for _, value in self.values):  # the operator says what an empty cell means
            yield from (each for each in self.statuses if each.place >= width and (each.place, "") in self.values)

    def status(self, cells: Sequence[str]) -> SubscriberStatus:
        """Return the strictest status that a row gives; ACTIVE if nothing in the row speaks against sending email.

        A cell that is not understood counts as unsubscribed.
        """
        if not self.statuses:
            return SubscriberStatus.ACTIVE
        found = [self.verdict(column, cells) for column in self.speaking(cells)]
        return hardest([SubscriberStatus.UNSUBSCRIBED if each is None else each for each in found])

    @property
    def shown(self) -> dict[str, str]:
        """The mapping in a form that can be shown: field -> column name, in the order of NAMES."""
        found = {**self.fields, **self.details}
        return {field: self.header[found[field]] for field in (*NAMES, *DETAILS) if field in found}

    @property
    def ignored(self) -> list[str]:
        """The names of the columns that are ignored."""
        used = {*self.used, *self.details.values(), *(each.place for each in self.kept)}
        return [name for place, name in enumerate(self.header) if place not in used and name]

    @property
    def used(self) -> set[int]:
        """The indexes of the columns that say what each person gets."""
        return {*self.fields.values(), *self.joined, *(each.place for each in self.statuses), *self.own.values()}

    @property
    def dropped(self) -> list[str]:
        """The names of the ignored columns that say something about people."""
        names = DROPPED.get(self.tool, ())
        return [name for name in self.ignored if plain(name) in names]


def recognise(header: Sequence[str], choices: Choices, sample: Sequence[Sequence[str]] = ()) -> Columns:
    """Return the mapping from the columns of a file with this header to fields.

    sample: the cells of some rows. If no column is named as an address, the only column with addresses in it is used.
    Raises SubscriberError if a chosen field or column does not exist, or if no column contains addresses.
    """
    names = [plain(name) for name in header]
    tool = next((tool for tool, signs in TOOLS.items() if signs <= set(names)), "").removesuffix("'s")
    own = {name: names.index(name) for name in OWN if name in names} if tool == "Publisher" else {}
    fields, chosen, ignored, values = _chosen(header, names, choices)
    own = {name: place for name, place in own.items() if place not in ignored}
    told = {name: fields.pop(name) for name in DETAILS if name in fields}
    told |= {name: place for place, name in enumerate(header) if tool == "Publisher" and is_own_detail(name)}
    decided = {*own.values(), *ignored, *(each.place for each in chosen), *told.values()}
    _name_fields(names, fields, choices, decided)
    if (place := fields.get("newsletters", -1)) >= 0 and _is_yes_or_no([_at(cells, place) for cells in sample]):
        del fields["newsletters"]  # it says whether, not which
    if "email" not in fields or (names[fields["email"]] == "address" and not choices.named("email")):
        taken = {*fields.values(), *decided}
        fields["email"] = _with_addresses(header, fields.get("email"), taken, sample)
    taken = {*fields.values(), *decided}
    dates = [names.index(each) for each in NAMES["joined_at"] if each in names and not choices.named("joined_at")]
    joined = tuple(place for place in dates if place not in taken)
    free = [place for place in range(len(header)) if place not in taken or place == fields.get("joined_at")]
    statuses = [*chosen, *_statuses(header, free, {*joined, fields.get("joined_at")}, tool, choices)]
    settled = frozenset({*ignored, *(each.place for each in chosen), *told.values()})
    left_out = {name for name in DETAILS if choices.named(name)}
    details = details_of(names, told, left_out, {*taken, *joined, *(each.place for each in statuses)})
    is_open = tool != "Publisher" and not choices.named("joined_at")
    dated = _dated(names, {*taken, *joined, *settled}, tool) if is_open else ()
    statuses.sort(key=lambda column: column.place)
    return Columns(tuple(header), fields, tool, joined, dated, tuple(statuses), values, own, settled, details)


def _name_fields(names: Sequence[str], fields: dict[str, int], choices: Choices, decided: set[int]) -> None:
    """Add the fields that are recognised by the names of their columns."""
    for name, known in NAMES.items():
        if name in fields or choices.named(name):
            continue
        taken = {*fields.values(), *decided}
        found = next((names.index(each) for each in known if each in names and names.index(each) not in taken), None)
        if found is not None:
            fields[name] = found


def _dated(names: Sequence[str], taken: Collection[int], tool: str) -> tuple[int, ...]:
    """Return the indexes of the MOST_DATED columns whose names most likely mean the day of consent, likeliest first."""
    free = [place for place in range(len(names)) if place not in taken and names[place] not in PAID.get(tool, ())]
    ranks = {place: rank for place in free if (rank := rank_of_joining(names[place])) is not None}
    return tuple(sorted(ranks, key=lambda place: (ranks[place], place))[:MOST_DATED])


def _statuses(
    header: Sequence[str], places: Iterable[int], dates: Iterable[int | None], tool: str, choices: Choices
) -> Iterator[StatusColumn]:
    """Yield the columns that say who must not get email, judged by their names.

    dates: the columns with the date of consent. A date means yes, but some files have "no" there.
    """
    for place in places:
        column = status_column(place, header[place])
        if column is None or plain(header[place]) in PAID.get(tool, ()) or _left_out(column, choices):
            continue
        if place not in dates:
            yield column
        elif column.reading is Reading.FOR:
            yield replace(column, sure=False)


def parse_choices(texts: Sequence[str]) -> Choices:
    """Parse texts such as "name=Vorname" into choices.

    Raises SubscriberError for a text without "=".
    """
    choices = []
    for text in texts:
        # A column's name may contain a "=", so "ignore" is looked for at the end.
        name, equals, column = text.rpartition("=") if text.lower().endswith(f"={IGNORE}") else text.partition("=")
        if not equals:
            raise SubscriberError(f"{text!r} is not a mapping", hint="write it like --map name=Vorname")
        choices.append((name.strip(), column.strip()))
    return Choices(tuple(choices))


def full_name(columns: Columns, cells: Sequence[str]) -> str:
    """Return the full name in a row, which may be in one column or split into first and last name.

    A column that is just called "name" may contain only part of it, if another column has the other part.
    """
    name = columns.cell(cells, "name")
    if "first_name" not in columns.fields and "last_name" not in columns.fields:
        return name
    first, last = columns.cell(cells, "first_name"), columns.cell(cells, "last_name")
    if not name or not (first or last):
        return name or " ".join(filter(None, (first, last)))
    if not _is_short_name(columns.header[columns.fields["name"]]):
        return name
    if "last_name" not in columns.fields:
        return name if not first or _has_words(name, first) else f"{first} {name}"
    is_first = not first or plain(first) == plain(name)
    return f"{name} {last}" if last and is_first and not _has_words(name, last) else name


@lru_cache(maxsize=10)
def _is_short_name(heading: str) -> bool:
    return plain(heading) in SHORT_NAMES


def _has_words(text: str, words: str) -> bool:
    """Return whether a name contains another one as whole words."""
    whole, part = (" ".join(plain(each).replace(",", " ").split()) for each in (text, words))
    return f" {part} " in f" {whole} "


_ADDRESS = re.compile(r"<?[^\s@＠,;<>]+[@＠][^\s@＠,;<>]+\.[^\s@＠,;<>.]+>?")


def is_like_an_address(cell: str) -> bool:
    """Return whether a cell seems to be an email address."""
    return _ADDRESS.fullmatch(cell.strip(' "\ufeff\u200b\xa0')) is not None


def _chosen(
    header: Sequence[str], names: Sequence[str], choices: Choices
) -> tuple[dict[str, int], list[StatusColumn], set[int], dict[tuple[int, str], str]]:
    """Return what the operator has chosen: fields, status columns, ignored columns, and values."""
    fields: dict[str, int] = {}
    statuses: list[StatusColumn] = []
    ignored: set[int] = set()
    values: dict[tuple[int, str], str] = {}
    for key, column in choices.fields:
        name = _field(key)
        if column.lower() == IGNORE and IGNORE not in names:
            ignored.update(_places(header, names, key, name))
        elif ":" in key and name not in NAMES:
            place, value = _value(header, names, key)
            values[place, value.lower()] = column
        elif name in STATUS_FIELDS:
            if column:
                reading, status = STATUS_FIELDS[name]
                told = reading is Reading.AGAINST  # whatever it contains, they chose it as a reason against email
                statuses.append(StatusColumn(_place(header, names, column), reading, status, told=told))
        elif name not in NAMES and name not in DETAILS:
            known = ", ".join((*NAMES, *DETAILS, *STATUS_FIELDS))
            raise SubscriberError(f"there is no field {key!r}", hint=f"fields: {known}")
        elif column:
            fields[name] = _place(header, names, column)
    return fields, statuses, ignored, values


def _value(header: Sequence[str], names: Sequence[str], key: str) -> tuple[int, str]:
    """Return the index of the column and the value in a key "COLUMN:VALUE"."""
    for match in re.finditer(":", key):
        column = key[: match.start()].strip()
        if column in header or plain(column) in names:
            return _place(header, names, column), key[match.end() :].strip()
    return _place(header, names, key.partition(":")[0].strip()), ""


def _places(header: Sequence[str], names: Sequence[str], key: str, name: str) -> list[int]:
    """Return the indexes of the columns with a name; if there are none, of those that are recognised as that field."""
    found = [place for place, each in enumerate(header) if each == key]
    found = found or [place for place, each in enumerate(names) if each == plain(key)]
    found = found or [place for place, each in enumerate(names) if each in NAMES.get(name, ())]
    return found or [_place(header, names, key)]


def _left_out(column: StatusColumn, choices: Choices) -> bool:
    """Return whether the operator has said that no column of this kind should count."""
    kinds = {name for name, kind in STATUS_FIELDS.items() if kind == (column.reading, column.status)}
    if column.reading is Reading.AGAINST and column.status in _CALLED_LEFT:
        kinds.add("left_at")
    return any("" in choices.named(kind) for kind in kinds)


# `left_at` used to be the only field for columns of this kind.
_CALLED_LEFT = (SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED, SubscriberStatus.SUPPRESSED)


def _with_addresses(header: Sequence[str], found: int | None, taken: set[int], sample: Sequence[Sequence[str]]) -> int:
    """Return the index of the column that contains addresses, judged by the values in some rows.

    found: the column with the right name, if any; it is kept unless exactly one other column has the addresses.
    Raises SubscriberError if there is no such column, or if there are several.
    """
    counts, filled = Counter[int](), Counter[int]()
    for cells in sample:
        for place, cell in enumerate(cells[: len(header)]):
            filled[place] += bool(cell)
            counts[place] += bool(cell) and is_like_an_address(cell)
    likely = [place for place, count in sorted(counts.items()) if count and 2 * count > filled[place]]
    if found is not None and (found in likely or len(likely) != 1 or likely[0] in taken - {found}):
        return found
    if len(likely) == 1:
        return likely[0]
    if likely:
        several = ", ".join(repr(header[place] or f"column {place + 1}") for place in likely)
        raise SubscriberError(
            f"several columns contain addresses: {several}", hint="choose one, such as --map email=COLUMN"
        )
    raise SubscriberError(
        "the first line does not name a column with addresses",
        hint="the file must be UTF-8, and its first line must name a column email; or use --map email=COLUMN",
    )


def _is_yes_or_no(cells: Iterable[str]) -> bool:
    found = {plain(cell) for cell in cells if cell}
    return bool(found) and found <= YES | NO | {"0", "1"}


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if 0 <= place < len(cells) else ""


def _place(header: Sequence[str], names: Sequence[str], column: str) -> int:
    if column in header:
        return list(header).index(column)
    if plain(column) in names:
        return names.index(plain(column))
    raise SubscriberError(f"there is no column {column!r}", hint=f"columns: {', '.join(filter(None, header))}")


def _field(key: str) -> str:
    return key.strip().lower().replace(" ", "_")
