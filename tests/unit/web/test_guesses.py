"""The queue of passwords that wait to be checked, and the threads that check them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from publisher.web.admin.guesses import MOST_WAITING, Turns
from publisher.web.rate_limit import RateLimits
from publisher.web.worker_threads import THREADS, run_in_thread

T = TypeVar("T")


def run(main: Callable[[], Awaitable[T]]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(20):
            return await main()

    return asyncio.run(limited())


async def settled() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_few_clients_wait_and_the_others_are_turned_away_immediately() -> None:
    async def main() -> list[bool | None]:
        turns = Turns()
        assert await turns.take("first")
        tasks = [asyncio.create_task(turns.take(f"client {number}")) for number in range(50)]
        await settled()
        answers = [task.result() if task.done() else None for task in tasks]
        for _ in range(MOST_WAITING):
            turns.give()
            await settled()
        assert [task.result() for task in tasks] == [False] * (50 - MOST_WAITING) + [True] * MOST_WAITING
        return answers

    assert run(main) == [False] * (50 - MOST_WAITING) + [None] * MOST_WAITING


def test_a_client_that_has_not_tried_is_next() -> None:
    async def main() -> list[str]:
        turns, order = Turns(), list[str]()

        async def enter(client: str) -> None:
            if await turns.take(client):
                order.append(client)

        assert await turns.take("attacker")
        tasks = [asyncio.create_task(enter(client)) for client in ["attacker"] * 9 + ["owner"] + ["attacker"] * 9]
        for _ in range(MOST_WAITING):
            await settled()
            turns.give()
        await asyncio.gather(*tasks)
        return order

    assert run(main) == ["owner", *["attacker"] * (MOST_WAITING - 1)]


def test_a_client_that_disconnects_passes_its_turn_on() -> None:
    async def main() -> None:
        turns = Turns()
        assert await turns.take("one")
        gone, stays = asyncio.create_task(turns.take("gone")), asyncio.create_task(turns.take("stays"))
        await settled()
        gone.cancel()
        await settled()
        turns.give()
        assert await stays
        late = asyncio.create_task(turns.take("late"))
        await settled()
        turns.give()  # the late one is admitted, and cancels before it notices
        late.cancel()
        await settled()
        assert await turns.take("next")

    run(main)


def test_waiting_forms_do_not_block_pages() -> None:
    async def main() -> str:
        held = threading.Event()
        forms = [asyncio.create_task(run_in_thread("form", held.wait)) for _ in range(60)]
        hooks = [asyncio.create_task(run_in_thread("webhook", held.wait)) for _ in range(60)]
        await settled()
        try:
            return await asyncio.to_thread(lambda: "a page") + await run_in_thread("password", lambda: ", a hash")
        finally:
            held.set()
            await asyncio.gather(*forms, *hooks)

    assert run(main) == "a page, a hash"


def test_waiting_threads_leave_some_database_connections_free() -> None:
    assert sum(THREADS.values()) <= 10  # of 15, the size of SQLAlchemy's pool


def test_each_client_may_guess_a_few_times_and_all_together_more_often() -> None:
    limits = RateLimits(1, 1, 3)
    assert not limits.is_under_attack()
    assert [limits.count_wrong_password("203.0.113.1") for _ in range(2)] == [1, 2]
    assert limits.allow_password("203.0.113.1")
    limits.count_wrong_password("203.0.113.1")
    assert not limits.allow_password("203.0.113.1")
    assert limits.allow_password("203.0.113.2")
    assert limits.count_wrong_password("2001:db8::1") == 4
    limits.count_wrong_password("2001:db8::2")
    limits.count_wrong_password("2001:db8::3")
    assert not limits.allow_password("2001:db8::4")  # one household


def test_while_many_clients_guess_each_may_guess_once() -> None:
    limits = RateLimits(1, 1, 3)
    for number in range(30):
        limits.count_wrong_password(f"198.51.100.{number}")
    assert limits.is_under_attack()
    assert not limits.allow_password("198.51.100.7")
    assert limits.allow_password("203.0.113.9")
    limits.count_wrong_password("203.0.113.9")
    assert not limits.allow_password("203.0.113.9")
