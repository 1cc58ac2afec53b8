"""Cuts of the network to the database lose transactions, or the answers to them, but lose and repeat no message."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from benchmarks.editions import add_readers, ledger, make_edition
from benchmarks.networks import Proxy
from benchmarks.senders import Order, Sender
from benchmarks.sinks import Sink, sink
from publisher.core.newsletter_models import DeliveryStatus
from publisher.store import open_store
from tests.support.needs import needs

pytestmark = [needs("smtp-sink"), pytest.mark.postgres]

READERS, CONNECTIONS, CUTS = 600, 4, 4
LONGEST_SECONDS = 300


@pytest.mark.parametrize("way", ["refuse", "stall"])
def test_a_cut_network_neither_loses_nor_repeats_a_message(postgres_url: str, tmp_path: Path, way: str) -> None:
    url = make_url(postgres_url)
    socket = Path(str(url.query["host"])) / ".s.PGSQL.5432"
    proxy = Proxy(socket)
    cut_off = url.set(host="127.0.0.1", port=proxy.port).difference_update_query(["host"])
    with open_store(postgres_url, tmp_path) as store, sink(tmp_path / "sink") as to:
        add_readers(store, READERS)
        edition = make_edition(store)
        server = {"url": f"smtp://127.0.0.1:{to.port}", "tls": "none", "connections": CONNECTIONS, "rate": "200/s"}
        through = cut_off.render_as_string(hide_password=False)
        sender = Sender(Order(through, tmp_path / "host", (server,), "hold", (("stays", 1.0), ("rest", 0.05))))
        try:
            sender.go()
            for number in range(CUTS):
                _await_messages(to, (number + 1) * READERS // (CUTS + 2))
                proxy.refuse() if way == "refuse" else proxy.stall()
                time.sleep(0.2)
                proxy.let_through()
            until = time.monotonic() + LONGEST_SECONDS
            while store.deliveries.counts(edition.id).open and time.monotonic() < until:
                time.sleep(0.05)
            sender.stop()
        finally:
            sender.kill()
            proxy.close()
    rows, got = ledger(postgres_url, tmp_path), Counter(one.recipient for one in to.taken())
    assert {row.status for row in rows} == {DeliveryStatus.SENT}
    assert got == Counter(row.address for row in rows)


def _await_messages(to: Sink, count: int) -> None:
    until = time.monotonic() + LONGEST_SECONDS
    while to.count() < count:
        assert time.monotonic() < until
        time.sleep(0.01)
