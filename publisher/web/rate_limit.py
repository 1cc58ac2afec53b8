"""Limits on how many forms a client may send, and how many passwords it may guess, per hour. The only user of limits.

The counts are kept in memory, so a restart resets them. Limits that must never be exceeded are also enforced in the
database.
"""

from __future__ import annotations

import hashlib
import math
import time

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from publisher.web.client_address import household


class RateLimits:
    """The rate limits of one process. A client is an IPv4 address or an IPv6 /64 network."""

    def __init__(self, client_limit: int, address_limit: int, guess_limit: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._client = RateLimitItemPerHour(client_limit)
        self._address = RateLimitItemPerHour(address_limit)
        self._guess = RateLimitItemPerHour(guess_limit)

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
        """Return whether a client may try another password. This does not count as a guess."""
        return self._limiter.test(self._guess, "guess", household(client))

    def count_wrong_password(self, client: str) -> None:
        """Count a wrong password from a client."""
        self._limiter.hit(self._guess, "guess", household(client))
