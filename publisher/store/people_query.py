"""Queries about the people on the list, and a page of the result. This module does not load SQLAlchemy."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from publisher.core.errors import StoreError
from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.segment_conditions import Condition

MOST_PEOPLE = 1_000  # on one page
_MOST_WORDS, _LONGEST_KEY = 10, 100


class PeopleSort(StrEnum):
    """The order of a list of people."""

    JOINED = "joined"
    ADDRESS = "address"
    NAME = "name"  # people without a name come last, in either direction


class PlaceGoneError(StoreError):
    """The subscriber after whom a page begins is no longer in the database."""


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """Which people to find, and in which order. A person must meet all given conditions.

    search       words in the name, the address, a tag or the value of a field. Case does not matter, and neither do
                 accents in a name
    newsletter   the newsletter to which they are or were subscribed
    status       the status of the person; with a newsletter, the status for that newsletter (see Subscriber.status_in)
    topic        a topic that they have chosen, of the newsletter if one is given
    tag          the owner's word for them
    field        the name of a field, and its value; "" for any value
    source       where they came from: the source of the first event in their history of consent
    joined_from  they joined at this moment or later
    joined_to    they joined before this moment
    segment      a condition that they meet
    descending   whether the order is reversed
    after        the uid of the person after whom the page begins; "" for the first page
    before       the uid of the person before whom the page ends; not together with `after`
    limit        the number of people on a page, at most MOST_PEOPLE
    """

    search: str = ""
    newsletter: str = ""
    status: SubscriberStatus | None = None
    topic: str = ""
    tag: str = ""
    field: tuple[str, str] | None = None
    source: str = ""
    joined_from: datetime | None = None
    joined_to: datetime | None = None
    segment: Condition | None = None
    sort: PeopleSort = PeopleSort.JOINED
    descending: bool = False
    after: str = ""
    before: str = ""
    limit: int = 50

    def __post_init__(self) -> None:
        require_aware("joined_from", self.joined_from)
        require_aware("joined_to", self.joined_to)
        if not 0 < self.limit <= MOST_PEOPLE:
            raise ValueError(f"a page has 1 to {MOST_PEOPLE} people, not {self.limit}")

    @property
    def words(self) -> tuple[str, ...]:
        """The words to search for."""
        return tuple(self.search.split()[:_MOST_WORDS])


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of a list of people.

    next      the `after` of the next page; "" on the last page
    previous  the `before` of the previous page; "" on the first page
    """

    people: Sequence[Subscriber]
    next: str = ""
    previous: str = ""


_ACCENTS = dict.fromkeys(range(0x300, 0x370))


def search_key(text: str) -> str:
    """Return the form of a text in which names are compared and sorted: without case and accents.

    It is truncated, because it is stored in an index.
    """
    if text.isascii():  # it has one form, and no accents
        return " ".join(text.lower().split())[:_LONGEST_KEY]
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(unicodedata.normalize("NFC", folded.translate(_ACCENTS)).split())[:_LONGEST_KEY]
