"""Claimed deliveries wait for a turn of their recipient's domain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from publisher.core.newsletter_models import Delivery
from publisher.mail.smtp.limits import LONGEST_ASIDE, Claim, ThrottledDeliveries


def claim(number: int) -> Claim:
    return Claim(Delivery(number, 1, f"uid{number}", f"ada{number}@slow.example", "", "", 0), 1e12)


def throttled(
    taken: list[Claim], returned: list[float], more: Callable[[Claim], None] = lambda claim: None
) -> ThrottledDeliveries:
    def take_back(claim: Claim) -> None:
        taken.append(claim)
        more(claim)

    return ThrottledDeliveries(take_back, lambda claim, seconds: returned.append(seconds), lambda: None)


@pytest.mark.parametrize("wait", [0.01, 0.4, 2.0])
def test_only_claims_with_a_turn_soon_wait_in_memory(wait: float) -> None:
    async def keep_many() -> tuple[int, list[float]]:
        vars(asyncio.get_running_loop())["time"] = lambda: 100.0  # all come at the same moment, even on a busy machine
        returned: list[float] = []
        waiting = throttled([], returned)
        for number in range(1_000):
            waiting.keep(claim(number), wait, 20)
        return waiting.waiting_for("slow.example"), returned

    kept, returned = asyncio.run(keep_many())
    assert kept <= LONGEST_ASIDE * 20 + 1
    assert kept + len(returned) == 1_000
    assert returned == sorted(returned)
    assert returned[-1] >= 0.9 * 1_000 / 20


def test_a_claim_whose_turn_another_sender_got_remains_the_next_one() -> None:
    async def be_refused_once() -> list[int]:
        taken: list[Claim] = []
        refused: list[Claim] = []

        def refuse(claim: Claim) -> None:
            if not refused:
                refused.append(claim)
                waiting.keep(claim, 0.02, 500)

        waiting = throttled(taken, [], refuse)
        for number in range(3):
            waiting.keep(claim(number), 0.001, 500)
        while waiting.busy:
            await asyncio.sleep(0.01)
        return [each.delivery.id for each in taken]

    assert asyncio.run(be_refused_once()) == [0, 0, 1, 2]


def test_released_claims_get_no_turn() -> None:
    async def let_go() -> tuple[int, list[Claim]]:
        taken: list[Claim] = []
        waiting = throttled(taken, [])
        waiting.keep(claim(1), 0.001, 500)
        gone = waiting.empty()
        await asyncio.sleep(0.02)
        assert not waiting.busy
        return len(gone), taken

    assert asyncio.run(let_go()) == (1, [])
