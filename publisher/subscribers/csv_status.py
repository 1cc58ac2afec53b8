"""What a subscriber file says about who must not get email: the names of such columns, and their values.

Every tool names these columns differently. So a column is recognised by the words in its name, in any spelling, and its
cells by what they can mean there: yes or no, a date, a number, or the name of a status. The operator is asked about any
other value; it is never taken for a yes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SubscriberStatus
from publisher.subscribers.csv_cells import date_of
from publisher.subscribers.csv_status_words import (
    DENIED,
    FILE_PATTERNS,
    JOINED_PATTERNS,
    LONGEST_VALUE,
    MEASURES,
    NAME_PATTERNS,
    NO,
    NO_STATUS,
    NOT_AGAINST,
    NOTHING,
    OTHER_CHANNEL,
    TELLING,
    TOLD,
    UNCLEAR,
    VALUE_PATTERNS,
    WHEN,
    WORDS,
    YES,
    Reading,
    plain,
)

_S = SubscriberStatus

# What a file can say about a person, mildest first. If several columns of a row say something, the hardest counts.
HARDNESS = (_S.ACTIVE, _S.PENDING, _S.UNSUBSCRIBED, _S.BOUNCED, _S.COMPLAINED, _S.SUPPRESSED)

# The names of the statuses on the command line, in the order in which they are offered.
STATUS_NAMES = {
    "subscribed": _S.ACTIVE,
    "unconfirmed": _S.PENDING,
    "unsubscribed": _S.UNSUBSCRIBED,
    "bounced": _S.BOUNCED,
    "complained": _S.COMPLAINED,
    "suppressed": _S.SUPPRESSED,
}

LONGEST_WORD = 200  # characters in a cell that can mean a status

# The words for the statuses in a sentence, such as "300 unsubscribed".
STATUS_WORDS = {status: word for word, status in STATUS_NAMES.items()}


@dataclass(frozen=True, slots=True)
class StatusColumn:
    """A column that says who must not get email.

    place    its index
    reading  how its cells are read
    status   the status that a cell gives; with WORD, each cell names its own
    sure     whether its name can mean nothing else. If not, the column counts only if its values have such a meaning
    told     whether any text means the status, because the column contains the reason or the occasion
    """

    place: int
    reading: Reading
    status: SubscriberStatus = _S.UNSUBSCRIBED
    sure: bool = True
    told: bool = False

    def verdict(self, cell: str) -> SubscriberStatus | None:
        """Return the status that a cell means. An empty cell says nothing, so it means ACTIVE.

        None: the cell is not understood in this column, and the operator has to be asked.
        """
        if not cell:
            return _S.ACTIVE
        if len(cell) > LONGEST_WORD:  # this is text, which must not fill up the cache
            return self.status if self.told else None
        return _verdict(self.reading, self.status, self.sure, self.told, cell)


@lru_cache(maxsize=20_000)
def _verdict(reading: Reading, status: SubscriberStatus, sure: bool, told: bool, cell: str) -> SubscriberStatus | None:
    word = plain(cell)
    if word in NOTHING and not (sure and reading is not Reading.AGAINST and word in NO_STATUS):
        return _S.ACTIVE
    if reading is Reading.WORD:
        return WORDS.get(word) or WORDS.get(plain(telling_word(cell))) or _partly(word)
    says = _says_yes(cell, word, counts=reading is Reading.AGAINST and sure)
    if says is None:
        return _named(reading, word) or (_partly(word) if sure else None) or (status if told else None)
    return status if says is (reading is Reading.AGAINST) else _S.ACTIVE


def _partly(word: str) -> SubscriberStatus | None:
    """Return the status that part of a cell means, as in "unsubscribed via email", or None."""
    if len(word) > LONGEST_VALUE or DENIED.search(word):
        return None
    return next((status for pattern, status in _VALUES if pattern.search(word)), None)


def _named(reading: Reading, word: str) -> SubscriberStatus | None:
    """Return the status that a cell names in a column where yes or no was expected, or None."""
    found = WORDS.get(word)
    # In a column of opt-outs, "subscribed" means that there was none, but "confirmed" may mean the opt-out.
    unclear = reading is Reading.AGAINST and found is _S.ACTIVE and word not in NOT_AGAINST
    return None if unclear else found


def _says_yes(cell: str, word: str, *, counts: bool) -> bool | None:
    """Return whether a cell means yes (a date does too), or None if it means neither yes nor no.

    counts: whether numbers above 1 mean yes. Some tools write 2 for no.
    """
    if word in YES:
        return True
    if word in NO or _NO_DATE.match(cell):
        return False
    if _NUMBER.fullmatch(cell) and not date_of(cell):
        number = float(cell.replace(",", "."))
        return number > 0 if counts or number in (0, 1) else None
    return True if date_of(cell) or _DATE.match(cell) else None


_NUMBER = re.compile(r"\d{1,18}([.,]\d{1,9})?")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ T]|$)")
_NO_DATE = re.compile("(0000-00-00|0001-01-01|1970-01-01[ T]00:00|00[./]00[./])")


@lru_cache(maxsize=20_000)
def telling_word(cell: str) -> str:
    """Return the word in a cell of any column that says that the person must not get email, or ""."""
    items = re.split(r"[,;|]", cell) if len(cell) <= 200 else []
    return next((word for item in items if plain(word := item.strip(" \"'[]")) in TELLING), "")


# Japanese, Chinese, Korean and Thai have no spaces between words.
_BEGIN = "(?:\\b|(?<=[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff]))"
_PATTERNS = tuple((re.compile(f"{_BEGIN}(?:{each.pattern})"), each) for each in NAME_PATTERNS)
_VALUES = tuple((re.compile(f"{_BEGIN}(?:{pattern})"), status) for pattern, status in VALUE_PATTERNS)


def status_column(place: int, name: str) -> StatusColumn | None:
    """Return how the column with this name says who must not get email; None if its name is not about that."""
    words = plain(name)[:LONGEST_WORD]
    found = next((each for pattern, each in _PATTERNS if pattern.search(words)), None)
    if found is None or (found.reading is Reading.WORD and WHEN.search(words)):
        return None
    tells = bool(TOLD.search(words))
    told = found.reading is Reading.AGAINST and tells
    if MEASURES.search(words) and not (told and found.sure):
        return None
    # The source of a consent is text, which means neither yes nor no.
    sure = found.sure and not OTHER_CHANNEL.search(words) and not (tells and found.reading is Reading.FOR)
    return StatusColumn(place, found.reading, found.status, sure, told)


def rank_of_joining(name: str) -> int | None:
    """Rank how likely it is that a column of dates with this name says when somebody agreed; 0 is likeliest.

    None: its name says nothing about that.
    """
    words = " ".join(plain(name)[:LONGEST_WORD].replace("'", " ").replace("’", " ").split())
    column = status_column(0, name)
    if OTHER_CHANNEL.search(words) or (column is not None and column.reading is Reading.AGAINST):
        return None
    return next((rank for rank, pattern in enumerate(JOINED_PATTERNS) if pattern.fullmatch(words)), None)


@lru_cache(maxsize=20_000)
def is_date_of_joining(cell: str) -> bool | None:
    """Return whether a cell can say when somebody agreed; None if it says that they did not, or says nothing."""
    word = plain(cell)
    if not word or word in NOTHING or word in NO or _NO_DATE.match(cell) or word in {"0", "1", "none"}:
        return None
    return bool(date_of(cell) or _DATE.match(cell))


def is_unclear(name: str) -> bool:
    """Return whether the operator must be asked even about values that are understood, as with temporary bounces."""
    words = plain(name)
    return bool(UNCLEAR.search(words) or OTHER_CHANNEL.search(words))


def hardest(statuses: Sequence[SubscriberStatus]) -> SubscriberStatus:
    """Return the status that argues most strongly against sending email; ACTIVE if there are none."""
    return max(statuses, key=HARDNESS.index, default=_S.ACTIVE)


def status_of_file(name: str) -> str:
    """Return the name of the status that everybody in a file with this name seems to have, or "" if unclear."""
    words = plain(name.rpartition(".")[0] or name)
    if re.search(r"\b(not?|without|minus|except|excl\w*) ", words):
        return ""
    return next((status for pattern, status in FILE_PATTERNS if pattern.search(words)), "")
