"""The program's fixed texts in other languages, from gettext catalogs.

The English texts are in the code, next to where they are used. Each other language is one file,
templates/locale/<language>.po. A project's own file of that name changes some texts or adds a language. Babel reads the
files and Python's gettext looks up the texts, so plurals follow the rule that each file declares.
"""

from __future__ import annotations

import io
import string
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from publisher.core import patterns
from publisher.core.errors import TemplateError
from publisher.core.frozen import dataclass

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message


LOCALE_FOLDER = "locale"
ENGLISH = "en"

_LINE = patterns.compile(r'(#.*)?|((msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d\])\s+)?"(\\.|[^"\\])*"')


@dataclass(frozen=True, slots=True)
class Plural:
    """A phrase with a number, in English; both forms contain {count}."""

    one: str
    many: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A phrase with a number, in any language; format() picks the form that the number needs."""

    context: str
    english: Plural
    catalog: NullTranslations

    def format(self, *, count: int) -> str:
        """Return the phrase with the number in it."""
        form = self.catalog.npgettext(self.context, self.english.one, self.english.many, count)
        return form.format(count=count)


@dataclass(frozen=True, slots=True)
class Translation:
    """The texts of one part of the program in one language. language: the language that was actually found."""

    language: str
    phrases: Mapping[str, str]
    counted: Mapping[str, Counted]


def translate(room: str, english: Mapping[str, str | Plural], language: str, folders: Sequence[Path]) -> Translation:
    """Return the texts of one part of the program in a language.

    Each text for pt-BR comes from pt-BR, or else from pt, or else from English.

    room      name of the part; a message's context consists of it and the key: "letter.why" for "letter" and "why"
    english   all texts of this part in English, by key
    language  BCP 47; "" is English
    folders   template folders, the project's own first; each may contain locale/<language>.po
    Raises TemplateError, with file and line, if a catalog can't be read or has an unknown placeholder.
    """
    chain = NullTranslations()
    found = ENGLISH
    for tag, path in reversed(_catalogs_for(language, folders)):
        answers = _answers(_of_room(_opened(path, path.stat().st_mtime_ns), room, english), path)
        answers.add_fallback(chain)
        chain, found = answers, tag
    phrases, counted = {}, {}
    for key, word in english.items():
        if isinstance(word, Plural):
            counted[key] = Counted(f"{room}.{key}", word, chain)
        else:
            phrases[key] = chain.pgettext(f"{room}.{key}", word)
    return Translation(found, phrases, counted)


def _catalogs_for(language: str, folders: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return the catalogs for a language, the most specific first, each with its language tag."""
    parts = language.replace("_", "-").split("-")
    tags = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    files = [path for folder in folders for path in sorted((folder / LOCALE_FOLDER).glob("*.po"))]
    return [(tag, path) for tag in tags for path in files if _same(path.stem, tag)]


def _same(one: str, other: str) -> bool:
    return one.replace("_", "-").casefold() == other.casefold()


@lru_cache(maxsize=32)
def _opened(path: Path, changed: int) -> Catalog:
    """Read a catalog. changed: the file's modification time, so that the cache notices an edit."""
    del changed
    from babel.messages.pofile import PoFileError, read_po  # here and below: 16 ms, and English needs no catalog

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"cannot be read: {error}", where=_place(path), hint="save it as UTF-8 text") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not _LINE.fullmatch(line.strip()):  # Babel would ignore most of these silently
            raise TemplateError("not a valid catalog line", where=f"{_place(path)}:{number}", hint='write msgstr "…"')
    try:
        catalog = read_po(io.StringIO(text), locale=path.stem.replace("-", "_"), abort_invalid=True)
    except PoFileError as error:
        raise TemplateError(f"{error}", where=f"{_place(path)}:{error.lineno + 1}") from error
    for message in catalog:
        if message.id:
            _check(message, path)
    return catalog


def _check(message: Message, path: Path) -> None:
    """Raise TemplateError for a translation with a placeholder that the program doesn't fill."""
    given = set().union(*map(placeholders, _texts(message.id)))
    for text in _texts(message.string):
        try:
            unknown = placeholders(text) - given
        except ValueError as error:
            raise TemplateError(f"{error} in {text!r}", where=f"{_place(path)}:{message.lineno}") from error
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in sorted(given)) or "none"
            raise TemplateError(
                f"{{{min(unknown)}}} in {text!r} is not a known placeholder",
                where=f"{_place(path)}:{message.lineno}",
                hint=f"placeholders here: {known}",
            )


def placeholders(text: str) -> set[str]:
    """Return the names in braces in a phrase.

    Raises ValueError if a brace is unmatched or braces contain more than a name.
    """
    parts = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    if any(form or conversion for _, form, conversion in parts):
        raise ValueError("braces may contain a name and nothing else")
    return {str(name) for name, _, _ in parts}


def _of_room(catalog: Catalog, room: str, english: Mapping[str, str | Plural]) -> Catalog:
    """Return the messages for one part of the program, matched by context alone, with the current English texts.

    gettext would match the English text as well. A project's catalog would then lose a phrase whenever a new version of
    the program words that phrase differently.
    """
    # Not at the top: only a catalog that was not read before needs Babel.
    from babel.messages.catalog import Catalog as NewCatalog

    found = NewCatalog(locale=catalog.locale)
    found.mime_headers = catalog.mime_headers
    for message in catalog:
        named, _, key = (message.context or "").partition(".")
        word = english.get(key) if named == room else None
        if word is None or isinstance(word, Plural) != isinstance(message.id, tuple):
            continue
        phrase = (word.one, word.many) if isinstance(word, Plural) else word
        found.add(phrase, message.string, context=message.context, flags=message.flags)
    return found


def _texts(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (str(value),)


def _answers(catalog: Catalog, path: Path) -> GNUTranslations:
    """Return the catalog in the form that gettext reads, without empty and fuzzy translations."""
    from babel.messages.mofile import write_mo  # not at the top: only a catalog that was not read before needs Babel

    file = io.BytesIO()
    write_mo(file, catalog)
    file.seek(0)
    try:
        return GNUTranslations(file)
    except ValueError as error:
        raise TemplateError(
            f"Plural-Forms: {error}", where=_place(path), hint="copy the line from a shipped catalog"
        ) from error


def _place(path: Path) -> str:
    """Return the path of a catalog, shipped or the project's own, as it appears in messages."""
    return f"templates/{path.parent.name}/{path.name}"


# Languages written from right to left, and scripts that always are, whatever the language (az-Arab).
_RTL_LANGUAGES = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "khw", "ks", "ku", "nqo", "ps", "sd", "syr", "ug", "ur", "yi")
)
_RTL_SCRIPTS = frozenset(("adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"))


@lru_cache(maxsize=512)
def own_name(language: str) -> str:
    """Return the name of a language in that language, such as Français; the tag itself if it is unknown."""
    from babel import Locale, UnknownLocaleError  # 10 ms, and few pages name languages

    try:
        name = Locale.parse(language.replace("-", "_")).get_display_name() or language
        return name[:1].upper() + name[1:]
    except (UnknownLocaleError, ValueError):
        return language


def direction(language: str) -> Literal["rtl", "ltr"]:
    """Return "rtl" or "ltr" for a BCP 47 tag. A script in the tag takes precedence over the language."""
    primary, *rest = language.lower().split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _RTL_SCRIPTS else "ltr"
    return "rtl" if primary in _RTL_LANGUAGES else "ltr"


def civil_date(value: date | datetime, language: str, style: str = "long") -> str:
    """Return a date as a language writes it, such as "6 July 2024". style: Babel's short, medium, long or full."""
    from babel import Locale, UnknownLocaleError  # 10 ms, and few templates show a date
    from babel.dates import format_date

    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return format_date(value, format=style, locale=locale)
