"""Limits on how many forms a client may send, and how many passwords it may guess, per hour. The only user of limits.

The counts are kept in memory: a flood of forms or guesses must not become a flood of writes to the database, for which
emails would have to wait. A restart resets them. Limits that must never be exceeded are also enforced in the database.
"""

from __future__ import annotations

import hashlib
import math
import time

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from publisher.web.client_address import household

# This many times the wrong passwords that one client may try are an attack of many clients.
_ATTACK = 10
_NO_LIMIT = 1_000_000


class RateLimits:
    """The rate limits of one process. A client is an IPv4 address or an IPv6 /64 network."""

    def __init__(self, client_limit: int, address_limit: int, guess_limit: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._client = RateLimitItemPerHour(client_limit)
        self._address = RateLimitItemPerHour(address_limit)
        self._most_guesses = guess_limit
        self._guess = RateLimitItemPerHour(_NO_LIMIT)

    def allow_form(self, client: str) -> bool:
        """Count a form from a client, and return whether it is within the limit."""
        return self._limiter.hit(self._client, "client", household(client))

    def seconds_until_reset(self, client: str) -> int:
        """Return the number of seconds until a client may send forms again."""
        resets_at, _ = self._limiter.get_window_stats(self._client, "client", household(client))
        return max(1, math.ceil(resets_at - time.time()))

    def allow_request(self, email: str) -> bool:
        """Count a sign-up for an email address, and return whether it is within the limit."""
        key = hashlib.sha256(email.strip().casefold().encode("utf-8", "replace")).hexdigest()
        return self._limiter.hit(self._address, "address", key)

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
        for key in (household(client), ""):
            self._limiter.hit(self._guess, "guess", key)
        return self._wrong("")

    def _wrong(self, key: str) -> int:
        """Return how many wrong passwords came from a household, or from all clients together ("")."""
        return _NO_LIMIT - self._limiter.get_window_stats(self._guess, "guess", key).remaining
