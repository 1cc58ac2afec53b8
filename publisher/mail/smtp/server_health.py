"""The health of a mail server during a run: when it rests after failures, and when the run stops using it."""

from __future__ import annotations

from dataclasses import replace

from publisher.core.frozen import dataclass

# A failing server is left alone for twice as long each time, but for at most this many seconds.
LONGEST_REST = 60.0

# A run stops using a server after this many failures in a row, each followed by a rest.
FAILURES = 5


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """The health of a mail server. Times are in seconds of the loop's clock.

    rest      how long the server is left alone after its first failure
    worked    whether a connection was made in this run, so that the settings must be right
    failures  the number of failures in a row
    until     when the current rest ends
    broken    whether the server cannot be used with these settings
    reason    the reason for the last failure
    hint      advice on how to fix the last failure
    """

    rest: float = 1.0
    worked: bool = False
    failures: int = 0
    until: float = float("-inf")
    broken: bool = False
    reason: str = ""
    hint: str = ""

    @property
    def given_up(self) -> bool:
        """Return whether this run should stop using the server."""
        return self.broken or self.failures >= (FAILURES if self.worked else 1)

    def resting(self, now: float) -> bool:
        """Return whether the server should be left alone for now."""
        return now < self.until

    def reached(self) -> ServerHealth:
        """Return the health after a connection was made."""
        return replace(self, worked=True)

    def well(self) -> ServerHealth:
        """Return the health after the server accepted or refused a message. In both cases the server works."""
        return replace(self, failures=0, until=float("-inf")) if self.failures else self

    def failed(self, now: float, reason: str, hint: str = "", *, broken: bool = False) -> ServerHealth:
        """Return the health after a connection failed.

        Connections that fail during a rest were opened earlier, so they are part of the failure that caused it.
        """
        failures = self.failures if self.resting(now) else self.failures + 1
        rest = min(self.rest * 2.0 ** (failures - 1), LONGEST_REST)
        until = self.until if self.resting(now) else now + rest
        return replace(self, failures=failures, until=until, broken=self.broken or broken, reason=reason, hint=hint)
