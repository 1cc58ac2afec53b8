"""Subscriptions to the hubs of sources: requesting them, and acting on their reports.

They need a web application that the hub can reach, so they exist only if `web.public_url` is set.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from publisher.config import Config
from publisher.core.source_records import HubLease
from publisher.posts.sources.fetcher import Answer, Request, fetch_all, user_agent
from publisher.posts.sources.hub_subscription import (
    after_verification,
    is_due,
    lease_for,
    signature_check,
    subscription_form,
)
from publisher.store import Store

CALLBACK = "/hooks/websub/{token}"
# However often a hub reports something, a source is fetched because of it only this often.
_LEAST = timedelta(seconds=20)


def renew_hubs(config: Config, store: Store, now: datetime, is_stopped: Callable[[], bool] = lambda: False) -> int:
    """Ask the hubs that sources name for leases that are missing or end soon; return how many accepted the request.

    Hubs agree later, by a request to the callback. A hub that refuses, or doesn't answer, is asked again. The lease
    with a hub that a source no longer names is forgotten.

    is_stopped: returns whether to end immediately.
    """
    before = store.sources.hubs()
    private = {source.name: source.allow_private for source in config.sources}
    requests = []
    for state in store.sources.states():
        is_wanted = bool(config.web.public_url) and state.name in private and state.ended_at is None
        lease = lease_for(before.get(state.name), state.hub, state.topic) if is_wanted else None
        is_asked = lease is not None and is_due(lease, now)
        if lease is not None and is_asked:
            form = subscription_form(lease, config.public_url + CALLBACK.format(token=lease.token))
            requests.append(Request(lease.hub, allow_private=private[state.name], form=form))
            lease = replace(lease, asked_at=now)
        if lease != before.get(state.name):
            store.sources.set_hub(state.name, lease)  # before it is asked, as it may verify before it answers
    outcomes = fetch_all(requests, agent=user_agent(config, 0), is_stopped=is_stopped)
    return sum(isinstance(outcome, Answer) for _, outcome in outcomes)


def verify_hub(store: Store, token: str, query: Mapping[str, str], now: datetime) -> str | None:
    """Record what a hub says about a lease; return the answer for the hub, or None if the lease was not requested."""
    name, lease = lease_of(store, token)
    found = after_verification(lease, query, now) if lease else None
    if found is None:
        return None
    store.sources.set_hub(name, found[0])
    return found[1]


async def is_authentic(lease: HubLease, header: str, body: AsyncIterator[bytes]) -> bool:
    """Read a report to its end, without keeping it; return whether the hub has signed it."""
    check = signature_check(lease, header)
    async for part in body:
        if check:
            check[0].update(part)
    return check is not None and hmac.compare_digest(check[0].hexdigest(), check[1])


def wake_source(store: Store, name: str, now: datetime) -> None:
    """Have a source fetched as soon as possible, because its hub reports something new."""
    state = store.sources.state(name)
    if state is not None:
        store.sources.wake(name, max(now, state.asked_at + _LEAST) if state.asked_at else now)


def lease_of(store: Store, token: str) -> tuple[str, HubLease | None]:
    """Return the source whose callback has this token, and its lease; None if there is no such source."""
    for name, lease in store.sources.hubs().items():
        if hmac.compare_digest(lease.token.encode(), token.encode()):
            return name, lease
    return "", None
