"""The dates of items, in every form that blog tools write. An ambiguous date is None."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from publisher.posts.front_matter.dates import parse_date

# Longer texts are not dates.
_LONGEST = 100
# Blogs contain older texts too, but no program wrote a date before this one, and nobody means one in the far future.
_FIRST_YEAR, _LAST_YEAR = 1500, 2200
# The dates that programs write for "none": the beginning of Unix time, of .NET's and of Excel's.
_NO_DATES = frozenset(((1970, 1, 1), (1, 1, 1), (1900, 1, 1), (1899, 12, 30), (1601, 1, 1)))

# The time zones that names in feeds mean, in hours (RFC 822, and those of Europe and Asia that are not ambiguous).
_ZONES = {
    **dict.fromkeys(("ut", "utc", "gmt", "z", "wet"), 0.0),
    **{"edt": -4, "est": -5, "et": -5, "cdt": -5, "cst": -6, "ct": -6, "mdt": -6, "mst": -7, "mt": -7},
    **{
        "pdt": -7,
        "pst": -8,
        "pt": -8,
        "akdt": -8,
        "akst": -9,
        "hst": -10,
        "adt": -3,
        "ast": -4,
        "ndt": -2.5,
        "nst": -3.5,
    },
    **{"bst": 1, "ist": 5.5, "cet": 1, "cest": 2, "met": 1, "mez": 1, "mest": 2, "mesz": 2, "west": 1, "eet": 2},
    **{"eest": 3, "msk": 3, "msd": 4, "jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "wib": 7, "aest": 10, "aedt": 11},
    **{"acst": 9.5, "acdt": 10.5, "awst": 8, "nzst": 12, "nzdt": 13, "sast": 2, "brt": -3, "art": -3},
}
# An offset with the name of its zone, as Go writes it.
_NAMED_TOO = re.compile(r"([+-]\d\d:?\d\d) [A-Z]{2,5}$")
_ZONE = re.compile(r"(?<=[\d\s])\(?([A-Za-z]{1,5})\)?$")

# The names of months as feeds in other languages write them, by their first letters without accents.
_MONTHS = (
    ("jan", "gen", "ene", "janv", "led", "sty", "янв", "січ", "oca", "ιαν", "tam"),
    ("feb", "fev", "fevr", "uno", "lut", "фев", "лют", "sub", "φεβ", "hel"),
    ("mar", "mars", "marz", "mrt", "maerz", "bre", "мар", "бер", "μαρ", "maa"),
    ("apr", "avr", "abr", "dub", "kwi", "апр", "кві", "nis", "απρ", "huh"),
    ("may", "mai", "mag", "mei", "maj", "kve", "маи", "мая", "тра", "μαι", "tou"),
    ("jun", "juin", "giu", "cer", "cze", "июн", "чер", "haz", "ιουν", "kes"),
    ("jul", "juil", "lug", "cvc", "cervenc", "lip", "июл", "лип", "tem", "ιουλ", "hei"),
    ("aug", "aou", "ago", "srp", "sie", "agu", "авг", "сер", "αυγ", "elo"),
    ("sep", "set", "zar", "wrz", "сен", "вер", "eyl", "σεπ", "syy"),
    ("oct", "okt", "ott", "out", "rij", "paz", "окт", "жов", "eki", "οκτ", "lok"),
    ("nov", "marras", "lis", "лис", "ноя", "kas", "νοε"),
    ("dec", "dez", "dic", "des", "pro", "gru", "дек", "гру", "ara", "δεκ", "jou"),
)
_IN_WORDS = re.compile(
    r"(?:^|[\s,])(\d{1,2})\.?[\s-]{1,3}(?:de\s{1,3})?([^\W\d_]{3,12})\.?,?[\s-]{1,3}(?:de\s{1,3})?(\d{4}|\d\d)(?=\D|$)"
)
_MONTH_FIRST = re.compile(r"(?:^|[\s,])([^\W\d_]{3,12})\.?\s{1,3}(\d{1,2})(?:st|nd|rd|th)?,?\s{1,3}(\d{4})(?=\D|$)")
# Dates that programs write for "never", which must not be taken for a year of two digits.
_YEAR_ZERO = re.compile(r"(?:^|[\s-])-?0{2}\d\d(?=-\d|\s\d\d?:)|^0{4}")
_SECONDS = re.compile(r"\d{9,10}|\d{12,13}", re.ASCII)


def read_date(text: str) -> datetime | None:
    """Parse a date in a feed as a time; return None if it is empty, impossible or ambiguous, or says "never".

    It understands RFC 822, RFC 3339, looser spellings of both, names of months in other languages, names of time zones
    and Unix time. A date without a zone is in UTC, and a day alone means its beginning.
    """
    text = _NAMED_TOO.sub(r"\1", " ".join(text.split()))
    if not text or len(text) > _LONGEST or _YEAR_ZERO.search(text):
        return None
    for reading in (_rfc_3339, _rfc_822, _unix_time, _other_words, _loose):
        with suppress(ValueError, OverflowError, TypeError, IndexError):
            found = reading(text)
            if found is not None:
                return _sane(found)
    return None


def _sane(found: datetime) -> datetime | None:
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if (found.year, found.month, found.day) in _NO_DATES or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        return None
    return found.astimezone(UTC)


def _rfc_3339(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if re.match(r"\d{4}-\d\d-\d\d(?:[T ]\d|$)", text) else None


def _rfc_822(text: str) -> datetime | None:
    if not re.search(r"\d:\d", text) or not re.search("[A-Za-z]{3}", text):
        return None
    zone = _ZONE.search(text)
    if zone and (hours := _ZONES.get(zone[1].lower())) is not None:
        text = text[: zone.start()].rstrip()
        text = text if re.search(r"[+-]\d{4}$", text) else f"{text} {_offset(hours)}"
    text = re.sub(r"\b(?:GMT|UTC)\s?([+-]\d\d):?(\d\d)", r"\1\2", text)
    text = re.sub(r"([+-]\d\d):(\d\d)$", r"\1\2", text)
    if re.search(r"\d\s?[ap]\.?m\b", text, re.IGNORECASE):
        return None
    found = parsedate_to_datetime(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _offset(hours: float) -> str:
    minutes = round(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02}{minutes % 60:02}"


def _unix_time(text: str) -> datetime | None:
    if not _SECONDS.fullmatch(text):
        return None
    return datetime.fromtimestamp(int(text) / (1000 if len(text) > 10 else 1), UTC)


def _other_words(text: str) -> datetime | None:
    """Parse a date with the name of a month in any language, perhaps followed by a time and an offset."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    found = _IN_WORDS.search(plain)
    if found:
        day, name, year = found.groups()
    elif found := _MONTH_FIRST.search(plain):
        name, day, year = found.groups()
    else:
        return None
    month = _month(name)
    if not month:
        return None
    full_year = int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= 70 else 2000)
    return parse_date(f"{full_year}-{month:02}-{int(day):02} {_time_of(plain[found.end() :])}", UTC)


def _month(name: str) -> int:
    """Return the number of a month by its name; 0 if it is not one. The longest prefix that fits decides."""
    fitting = [
        (len(each), number) for number, names in enumerate(_MONTHS, 1) for each in names if name.startswith(each)
    ]
    return max(fitting, default=(0, 0))[1]


_TIME = re.compile(
    r"(\d{1,2}):(\d\d)(?::(\d\d))?(?:[.,]\d{1,9})?(?:\s?([ap])\.?m\b\.?)?\s?([+-]\d\d:?\d\d|[a-z]{1,5}\b)?"
)


def _time_of(text: str) -> str:
    """Return the time of day and offset in the text after a date, as ISO 8601 writes them."""
    found = _TIME.search(text)
    if not found:
        return "00:00:00+00:00"
    hour, minute, second, half, zone = found.groups()
    hours = int(hour) % 12 + (12 if half == "p" else 0) if half else int(hour)
    offset = zone if zone and zone[0] in "+-" else _offset(_ZONES.get(zone or "", 0.0))
    return f"{hours:02}:{minute}:{second or '00'}{offset}"


def _loose(text: str) -> datetime | None:
    """Parse a date in another form that front matter allows. A day alone means its beginning, not its morning."""
    if re.fullmatch(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{8}", text):
        text = f"{text} 00:00"
    return parse_date(text, timezone(timedelta(0)))
