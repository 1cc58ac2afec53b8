"""No repetitive text hangs or breaks an entry point ("door"). `python -m benchmarks.bounds` uses longer texts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from benchmarks.doors import DOORS, REFUSALS
from benchmarks.repetitions import CODE, SHAPES, Text

# Some doors read a text many times, or do much with it. They get shorter texts, and only some of the patterns.
pytestmark = pytest.mark.slow  # all of them together

LENGTHS = {
    **{"email": 2_000, "site and feeds": 1_000, "front matter": 2_000, "bounce": 2_000, "webhook": 2_000},
    "feed": 3_000,
}
STEPS = {
    **{
        "post": 3,
        "email": 8,
        "site and feeds": 24,
        "front matter": 6,
        "publisher.toml": 24,
        "import": 16,
        "bounce": 10,
    },
    **{"feed": 16, "webhook": 8, "web: paths": 24, "web: headers": 24, "web: forms": 24},
}
# Doors -> a word in the names of patterns made for them.
AIMED = {"bounce": "MIME", "web: forms": "MIME", "import": "columns"}
LONG = 30_000  # characters of these patterns
ALARM = 5  # seconds of CPU time, of which the slowest takes less than half of one


@contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Raise TimeoutError after this many seconds of CPU time. Pytest's own timeout ends a hang that uses no CPU."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def some_shapes(door: str) -> dict[str, Text]:
    """Return a sample of the repetitive texts, with all those that are aimed at this entry point."""
    aimed = {name: shape for name, shape in SHAPES.items() if AIMED.get(door, name + ".") in name}
    return dict(list(SHAPES.items())[:: STEPS.get(door, 3)]) | aimed


@pytest.mark.parametrize("door", DOORS)
def test_no_repetition_hangs_or_breaks_a_door(door: str) -> None:
    wrong = []
    with DOORS[door].open() as take:
        for name, shape in some_shapes(door).items():
            try:
                with alarm(ALARM):
                    take(shape(LONG if AIMED.get(door, name + ".") in name else LENGTHS.get(door, 4_000)))
            except REFUSALS:
                continue
            except Exception as error:  # noqa: BLE001 - it is shown
                wrong.append(f"{name}: {type(error).__name__}: {error}")
    assert wrong == []


def test_there_are_patterns_of_every_kind() -> None:
    assert len(SHAPES) > 150
    assert len(CODE) == 20 * 8
    assert all(shape(100) != shape(8_000) for shape in (SHAPES | CODE).values())
    assert all(len(shape(8_000)) < 12_000 for shape in (SHAPES | CODE).values())
