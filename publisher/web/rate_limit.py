"""Limits on how many forms a client may send, and how many passwords it may guess, per hour.

The counts are kept in memory: a flood of forms or guesses must not become a flood of writes to the database, which
would delay emails. A restart resets them. Limits that must never be exceeded are also enforced in the database.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable

from publisher.web.client_address import household

HOUR = 3_600.0

# The maximum number of clients and addresses to count; if there are more, the oldest are forgotten.
MOST_COUNTED = 200_000

# Wrong passwords from all clients, in multiples of what one client may try, that count as an attack.
_ATTACK = 10


class HourlyCounts:
    """Counts by key, each of which is reset an hour after it began. All threads may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST_COUNTED) -> None:
        self._clock, self._most, self._lock = clock, most, threading.Lock()
        self._counts: dict[tuple[str, str], tuple[int, float]] = {}  # the count and when it ends, oldest first

    def add(self, kind: str, key: str) -> int:
        """Count once more, and return the count within the hour."""
        with self._lock:
            count, ends = self._now(kind, key)
            if not count:
                self._counts.pop((kind, key), None)  # so that the newest hour is the last
                self._forget()
            self._counts[kind, key] = count + 1, ends
            return count + 1

    def get(self, kind: str, key: str) -> int:
        """Return how often something was counted within the hour."""
        with self._lock:
            return self._now(kind, key)[0]

    def seconds_left(self, kind: str, key: str) -> float:
        """Return the number of seconds until a count is reset."""
        with self._lock:
            return self._now(kind, key)[1] - self._clock()

    def _now(self, kind: str, key: str) -> tuple[int, float]:
        now = self._clock()
        count, ends = self._counts.get((kind, key), (0, 0.0))
        return (count, ends) if ends > now else (0, now + HOUR)

    def _forget(self) -> None:
        """Make room for one more key. The counts whose hour has ended come first."""
        now = self._clock()
        while self._counts:
            oldest = next(iter(self._counts))
            if self._counts[oldest][1] > now and len(self._counts) < self._most:
                return
            del self._counts[oldest]


class RateLimits:
    """The rate limits of one process. A client is an IPv4 address or an IPv6 /64 network."""

    def __init__(self, client_limit: int, address_limit: int, guess_limit: int) -> None:
        self._counts = HourlyCounts()
        self._most_forms, self._most_requests, self._most_guesses = client_limit, address_limit, guess_limit

    def allow_form(self, client: str) -> bool:
        """Count a form from a client, and return whether it is within the limit."""
        return self._counts.add("form", household(client)) <= self._most_forms

    def seconds_until_reset(self, client: str) -> int:
        """Return the number of seconds until a client may send forms again."""
        return max(1, math.ceil(self._counts.seconds_left("form", household(client))))

    def allow_request(self, email: str) -> bool:
        """Count a sign-up for an email address, and return whether it is within the limit."""
        key = hashlib.sha256(email.strip().casefold().encode("utf-8", "replace")).hexdigest()
        return self._counts.add("request", key) <= self._most_requests

    def allow_password(self, client: str) -> bool:
        """Return whether a client may try another password. This does not count as a guess.

        While many clients guess, each of them may guess only once.
        """
        return self._wrong(household(client)) < (1 if self.is_under_attack() else self._most_guesses)

    def is_under_attack(self) -> bool:
        """Return whether all clients together have tried too many wrong passwords within the hour."""
        return self._wrong("") >= _ATTACK * self._most_guesses

    def count_wrong_password(self, client: str) -> int:
        """Count a wrong password from a client; return how many there were from all clients within the hour."""
        self._counts.add("guess", household(client))
        return self._counts.add("guess", "")

    def _wrong(self, key: str) -> int:
        """Return how many wrong passwords came from a household, or from all clients together ("")."""
        return self._counts.get("guess", key)
