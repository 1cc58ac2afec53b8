"""When a source is fetched next, and from which URL: pure functions that depend on the last answer.

A source is fetched at most every 30 minutes, and less often if the feed or its server says so. A source that fails is
fetched less and less often, but never abandoned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.core.source_models import FeedPace
from publisher.core.source_records import FETCHES_OF_A_MOVE
from publisher.posts.sources.fetcher import Answer, FetchError
from publisher.posts.sources.network_addresses import destination_of

LEAST = timedelta(minutes=30)
MOST_AFTER_FAILURES = timedelta(hours=6)
# Nothing that a server says keeps us away for longer, because it may be a mistake.
MOST = timedelta(days=7)

_HOUR = timedelta(hours=1)
_HOURS, _DAYS = 24, 7
_NOT_STORED = patterns.compile(r"\bno-(cache|store)\b")
_MAX_AGE = patterns.compile(r"(?<![\w-])max-age\s*=\s*\"?([0-9]{1,10})")
_SECONDS = patterns.compile(r"[0-9]{1,10}")
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The place of a source.

    url       the URL to fetch
    moved_to  the URL on another host to which the last answers redirected permanently; "" if they did not
    seen      the number of those answers, in a row
    """

    url: str
    moved_to: str = ""
    seen: int = 0


def next_fetch(
    now: datetime, outcome: Answer | FetchError, pace: FeedPace, failures: int = 0, name: str = ""
) -> datetime:
    """Return the earliest time at which a source should be fetched again.

    outcome   the outcome of the fetch at `now`
    pace      the schedule in the feed when it was last read
    failures  how many fetches in a row have failed, including this one
    name      the source's name: it spreads sources that were fetched together, always in the same way
    """
    if isinstance(outcome, FetchError):
        wait = max(_backoff(outcome, failures), closed_for(outcome.retry_after, now))
    else:
        wait = max(
            LEAST, timedelta(minutes=min(pace.minutes, MOST // timedelta(minutes=1))), fresh_for(outcome.headers, now)
        )
    wait = min(wait, MOST)
    share = _share(name, now)
    return _outside_of_skipped(now + wait * (1 + share / 10), pace, share)


def fresh_for(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Return how long an answer stays fresh (RFC 9111 section 4.2.1): max-age, or else Expires; less its Age."""
    control = headers.get("cache-control", "").lower()
    if _NOT_STORED.search(control):
        return timedelta(0)
    age = timedelta(seconds=_number(headers.get("age", "")))
    if found := _MAX_AGE.search(control):
        return max(timedelta(0), timedelta(seconds=int(found[1])) - age)
    expires = _http_date(headers.get("expires", ""))
    if expires is None:
        return timedelta(0)
    return max(timedelta(0), expires - (_http_date(headers.get("date", "")) or now) - age)


def closed_for(retry_after: str, now: datetime) -> timedelta:
    """Return how long a server wants to be left alone, according to its header Retry-After (RFC 9110 section 10.2.3).

    retry_after  seconds, or a date; anything else is ignored
    """
    if _SECONDS.fullmatch(retry_after.strip()):
        return min(timedelta(seconds=int(retry_after)), MOST)
    date = _http_date(retry_after)
    return min(max(timedelta(0), date - now), MOST) if date else timedelta(0)


def is_skipped(moment: datetime, pace: FeedPace) -> bool:
    """Return whether a moment is in an hour or on a day on which a feed says that nothing changes.

    If a feed excludes every hour or every day of the week, that is ignored.
    """
    moment = moment.astimezone(UTC)
    hours, days = pace.skip_hours, pace.skip_days
    return (moment.hour in hours and len(hours) < _HOURS) or (moment.weekday() in days and len(days) < _DAYS)


def after_redirect(before: Whereabouts, answer: Answer) -> Whereabouts:
    """Return the place of a source after an answer.

    A permanent redirect on the same host changes the URL immediately; a redirect to another host does so only after
    FETCHES_OF_A_MOVE fetches in a row.
    """
    if not answer.moved_to or answer.moved_to == before.url:
        return Whereabouts(before.url)
    if destination_of(answer.moved_to).host == destination_of(before.url).host:
        return Whereabouts(answer.moved_to)
    seen = before.seen + 1 if answer.moved_to == before.moved_to else 1
    return Whereabouts(answer.moved_to) if seen >= FETCHES_OF_A_MOVE else Whereabouts(before.url, answer.moved_to, seen)


def _backoff(error: FetchError, failures: int) -> timedelta:
    first = _HOUR if error.status == _TOO_MANY_REQUESTS else LEAST
    return min(first * (1 << min(max(failures, 1) - 1, 10)), MOST_AFTER_FAILURES)


def _outside_of_skipped(time: datetime, pace: FeedPace, share: float) -> datetime:
    """Return a time, or the first one after it that the feed does not exclude."""
    begin = time.astimezone(UTC)
    for hours in range(24 * 8):
        hour = begin if not hours else begin.replace(minute=0, second=0, microsecond=0) + hours * _HOUR
        if not is_skipped(hour, pace):
            return time if not hours else hour + share * timedelta(minutes=10)
    return time


def _share(name: str, now: datetime) -> float:
    """Return a number from 0 to 1 that depends only on a name and a time."""
    digest = hashlib.blake2b(f"{name}\0{now.timestamp():.0f}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 0xFFFFFFFF


def _number(text: str) -> int:
    return int(text) if _SECONDS.fullmatch(text.strip()) else 0


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
