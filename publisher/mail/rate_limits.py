"""How fast, and whether at all: pure values over a clock that is an argument, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

# A relay that fails is left alone for twice as long each time, but not longer than this.
LONGEST_REST = 60.0

# So many failures in a row, each after a rest, and a run gives a relay up.
FAILURES = 5


@dataclass(slots=True)
class Pace:
    """Turns at a steady rate, each as late as the rate demands and no later (GCRA, the leaky bucket as a meter).

    rate   turns a second; 0 for no limit
    burst  seconds by which turns may be early: what a busy machine makes up for after it was late
    """

    rate: float
    burst: float = 0.0
    _next: float = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds until the next turn; 0 when it may be taken now."""
        return max(0.0, self._next - self.burst - now) if self.rate else 0.0

    def take(self, now: float) -> None:
        """Take the next turn."""
        if self.rate:
            self._next = max(now, self._next) + 1 / self.rate


@dataclass(frozen=True, slots=True)
class Health:
    """How a relay does.

    worked    a connection was made in this run, so that its settings are right
    failures  in a row
    until     when its rest is over
    broken    it is of no use in this run: it cannot be reached with these settings
    rest      seconds of the first rest
    """

    rest: float = 1.0
    worked: bool = False
    failures: int = 0
    until: float = float("-inf")
    broken: bool = False
    reason: str = ""
    hint: str = ""

    @property
    def hopeless(self) -> bool:
        """Whether this run should not ask it again."""
        return self.broken or self.failures >= (FAILURES if self.worked else 1)

    def resting(self, now: float) -> bool:
        """Whether it should be left alone for now."""
        return now < self.until

    def reached(self) -> Health:
        """Return its health after a connection was made."""
        return replace(self, worked=True)

    def well(self) -> Health:
        """Return its health after it took or refused a message: either way it works."""
        return replace(self, failures=0, until=float("-inf")) if self.failures else self

    def failed(self, now: float, reason: str, hint: str = "", *, broken: bool = False) -> Health:
        """Return its health after a connection failed. What fails while it rests was begun before, and is one."""
        failures = self.failures if self.resting(now) else self.failures + 1
        rest = min(self.rest * 2.0 ** (failures - 1), LONGEST_REST)
        until = self.until if self.resting(now) else now + rest
        return replace(self, failures=failures, until=until, broken=self.broken or broken, reason=reason, hint=hint)


@dataclass(frozen=True, slots=True)
class Share:
    """One relay's part of the work, for `may_take`. lively: it takes messages as fast as it is given them."""

    taken: int
    weight: int
    lively: bool


# So many messages more than its share a relay may take before the others had theirs: what its connections
# hold in hand.
AHEAD = 8


def may_take(own: Share, others: list[Share]) -> bool:
    """Return whether a relay may take one more, so that relays that keep up get parts like their weights.

    One that does not keep up, because it rests, has reached a limit or is slow to answer, holds nobody back.
    """
    mine = (own.taken - AHEAD) / own.weight
    return all(mine < other.taken / other.weight for other in others if other.lively)
