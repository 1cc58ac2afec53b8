"""How much one client, and one mail address, may ask for or guess in an hour. The only user of limits."""

from __future__ import annotations

import hashlib
import math
import time

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from publisher.web.client_address import household


class Gate:
    """Counts in memory: a restart forgets, and what must not be exceeded is guarded by the record as well."""

    def __init__(self, client_limit: int, address_limit: int, guess_limit: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._client = RateLimitItemPerHour(client_limit)
        self._address = RateLimitItemPerHour(address_limit)
        self._guess = RateLimitItemPerHour(guess_limit)

    def lets_client(self, address: str) -> bool:
        """Count one form of a client; return whether it may still send it."""
        return self._limiter.hit(self._client, "client", household(address))

    def seconds_left(self, address: str) -> int:
        """Return after how many seconds a client may send forms again."""
        resets_at, _ = self._limiter.get_window_stats(self._client, "client", household(address))
        return max(1, math.ceil(resets_at - time.time()))

    def lets_address(self, address: str) -> bool:
        """Count one request for a mail address; return whether it is to be looked at."""
        key = hashlib.sha256(address.strip().casefold().encode("utf-8", "replace")).hexdigest()
        return self._limiter.hit(self._address, "address", key)

    def lets_guess(self, address: str) -> bool:
        """Return whether a client may try one more password; count nothing."""
        return self._limiter.test(self._guess, "guess", household(address))

    def count_guess(self, address: str) -> None:
        """Count a wrong password of a client."""
        self._limiter.hit(self._guess, "guess", household(address))
