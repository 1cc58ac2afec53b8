"""`publisher run` for some minutes with everything happening at the same time: do database and received email agree?

    python -m benchmarks.soak [--minutes 10] [--readers 50]

A newsletter is due each minute. Meanwhile people subscribe and confirm on the pages, and unsubscribe by the link in an
email; posts are written and edited; the mail server answers some messages with 451, closes some connections, and is
unreachable now and then. In the end, after deferred messages have been sent, every delivery in the database is compared
with what the mail server accepted, and the memory of the process at the end with that at its start. Exit code 1 if they
differ.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
from aiosmtpd.controller import Controller

from benchmarks.free_ports import free_port
from publisher.config import Config, load_config
from publisher.core.newsletter_models import DeliveryStatus, Subscription
from publisher.mail.message import message_id
from publisher.publishing.wiring import Project, open_project_store
from publisher.store import Store
from publisher.store.subscriber_records import NewSubscriber

CONFIG = """\
[site]
title = "Soak"
url = "http://127.0.0.1:{web}"
authority = "soak.example,2026"

[web]
public_url = "http://127.0.0.1:{web}"
listen = "127.0.0.1:{web}"
client_limit = 100000

[mail]
sender = "{sender}"
transport = "smtp"
smtp = {{ url = "smtp://127.0.0.1:{mail}", tls = "none", timeout = 10, connections = {connections} }}

[run]
tick_seconds = 15
log = "json"

[[newsletters]]
name = "minutely"
schedule = "* * * * *"
"""
SENDER = "Ada <ada@soak.example>"
# Read directly from the database, without the code that wrote it.
LEDGER = (
    "select d.edition_id, s.uid, s.address, d.status from deliveries d join subscribers s on s.id = d.subscriber_id"
)
# One in this many messages is deferred, and one in this many connections breaks.
PUT_OFF, BROKEN = 40, 60
# The server is away for the first number of seconds in each period of the second.
AWAY, EACH = 8, 100
CONNECTIONS = 3
SAMPLE = 5  # seconds between two looks at the memory
# Memory may differ by this many MiB between the first minute and the end.
FLAT = 15.0


@dataclass
class Server:
    """A mail server that fails now and then, and counts accepted messages by (slot's title or kind, address)."""

    chance: random.Random
    letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    notices: dict[str, list[str]] = field(default_factory=dict)
    refused: int = 0
    broken: int = 0
    went: int = 0

    async def handle_RCPT(  # noqa: N802 - the server looks for this name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.chance.randrange(BROKEN) == 0:
            self.broken += 1
            server.transport.close()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the same
        if self.chance.randrange(PUT_OFF) == 0:
            self.refused += 1
            return "451 4.3.0 later, please"
        text = envelope.content.decode("utf-8", "replace").replace("\r\n", "\n")
        (address,) = envelope.rcpt_tos
        head, _, body = text.partition("\n\n")
        if re.search(r"^List-Id:", head, re.MULTILINE):
            found = re.search(r"^Message-ID:\s*(<.*?>)", head, re.MULTILINE | re.IGNORECASE)
            self.letters[(found[1] if found else "", address)] += 1
            leave = re.search(r"^List-Unsubscribe:.*?<(http.*?)>", head, re.MULTILINE | re.DOTALL)
            self.notices.setdefault(address, []).append("leave " + re.sub(r"\s", "", leave[1] if leave else ""))
        else:
            link = re.search(r"http\S+/confirm/\S+", body.replace("=\n", ""))
            self.notices.setdefault(address, []).append("confirm " + (link[0] if link else ""))
        return "250 2.0.0 taken"

    def link(self, address: str, kind: str) -> str:
        """Return the newest link of a kind that an address received; "" if none."""
        links = [each for each in self.notices.get(address, []) if each.startswith(kind)]
        return links[-1].partition(" ")[2] if links else ""


@contextmanager
def mail_server(handler: Server, port: int, over: threading.Event) -> Iterator[None]:
    """Run the server, unavailable now and then, until the block ends; once `over` is set, it works without faults."""

    def live() -> None:
        while not ended.is_set():
            controller = Controller(handler, hostname="127.0.0.1", port=port)
            controller.start()
            while not ended.wait(1):
                if not over.is_set() and time.monotonic() % EACH < AWAY:
                    break
            controller.stop()
            handler.went += 1
            while not (ended.is_set() or over.is_set()) and time.monotonic() % EACH < AWAY:
                time.sleep(0.5)

    ended = threading.Event()
    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Life:
    """The actions of people and of the writer, in their own thread."""

    def __init__(self, root: Path, url: str, server: Server, chance: random.Random) -> None:
        self._root, self._url, self._server, self._chance = root, url, server, chance
        self._asked: list[str] = []
        self._over = threading.Event()
        self.came = self.left = self.posts = self.edits = 0
        self._thread = threading.Thread(target=self._live)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _live(self) -> None:
        deeds = (self._subscribe, self._confirm, self._leave, self._write, self._edit)
        with httpx.Client(timeout=30) as client:
            while not self._over.wait(self._chance.uniform(0.3, 1.5)):
                with suppress(httpx.TransportError):  # it will be missing in the final counts
                    self._chance.choice(deeds)(client)

    def _subscribe(self, client: httpx.Client) -> None:
        address = f"new{len(self._asked)}@soak.example"
        self._asked.append(address)
        form = client.get(f"{self._url}/subscribe").text
        time.sleep(3)  # a form that is submitted too quickly is not accepted
        (token,) = re.findall(r'name="token" value="([^"]+)"', form)
        fields = {"email": address, "newsletter": "minutely", "token": token}
        client.post(f"{self._url}/subscribe", data=fields).raise_for_status()

    def _confirm(self, client: httpx.Client) -> None:
        for address in self._asked:
            if link := self._server.link(address, "confirm"):
                self._asked.remove(address)
                self._asked.append("")  # keeps the numbers increasing
                client.post(link, data={"do": "confirm"}).raise_for_status()
                self.came += 1
                return

    def _leave(self, client: httpx.Client) -> None:
        known = [address for address in list(self._server.notices) if self._server.link(address, "leave")]
        if known:
            link = self._server.link(self._chance.choice(known), "leave")
            client.post(link, data={"List-Unsubscribe": "One-Click"}).raise_for_status()
            self.left += 1

    def _write(self, client: httpx.Client) -> None:
        self.posts += 1
        moment = datetime.now(UTC) - timedelta(seconds=1)
        text = f"---\ntitle: Post {self.posts}\ndate: {moment.isoformat()}\n---\n\nWhat was new.\n"
        (self._root / f"posts/post-{self.posts}.md").write_text(text, encoding="utf-8")

    def _edit(self, client: httpx.Client) -> None:
        path = self._chance.choice(sorted((self._root / "posts").glob("*.md")))
        path.write_text(path.read_text("utf-8") + "\nAnd one more thing.\n", encoding="utf-8")
        self.edits += 1


def soak(root: Path, minutes: float, readers: int, seed: int = 47) -> bool:
    """Run everything, print the outcome, and return whether database and email agree and memory is flat."""
    web, mail = free_port(), free_port()
    (root / "posts").mkdir(parents=True)
    (root / "posts/first.md").write_text("---\ntitle: First\ndate: 2026-01-01\n---\n\nHello.\n", encoding="utf-8")
    (root / "publisher.toml").write_text(
        CONFIG.format(web=web, mail=mail, sender=SENDER, connections=CONNECTIONS), encoding="utf-8"
    )
    config = load_config(root)
    with open_project_store(config) as store:
        people = [
            NewSubscriber(f"r{n}@soak.example", subscriptions=(Subscription("minutely"),)) for n in range(readers)
        ]
        store.subscribers.add_many(people, at=datetime.now(UTC) - timedelta(days=1), source="benchmark")
    server, well = Server(random.Random(seed)), threading.Event()
    life = Life(root, f"http://127.0.0.1:{web}", server, random.Random(seed + 1))
    with mail_server(server, mail, well):
        memory = _run(root, minutes, life)
        well.set()
        _finish(config, server)
    return _report(config, server, life, memory)


def _run(root: Path, minutes: float, life: Life) -> list[float]:
    """Let the program run this long; return samples of its memory in MiB, one every five seconds."""
    log = (root / "run.log").open("wb")
    program = [sys.executable, "-m", "publisher", "-C", str(root), "run"]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=log)
    watched, memory = psutil.Process(process.pid), []
    time.sleep(3)
    life.begin()
    until = time.monotonic() + minutes * 60
    while time.monotonic() < until:
        memory.append(watched.memory_info().rss / 2**20)
        time.sleep(SAMPLE)
    life.end()
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code = process.wait(60)
    print(f"ended with {code} in {time.monotonic() - began:.1f} s")
    if code:
        raise SystemExit(f"the program ended with {code}; see {log.name}")
    return memory


def _finish(config: Config, server: Server) -> None:
    """Send deferred messages as later runs would, with a clock that runs ahead."""
    from publisher.publishing.deliver import deliver_open

    now = datetime.now(UTC)
    server.chance = random.Random(1)
    with open_project_store(config) as store:
        for hours in range(1, 40):
            moment = now + timedelta(hours=hours)
            deliver_open(Project(config, store, lambda moment=moment: moment), ())  # type: ignore[misc]
            if not store.editions.unfinished():
                return


def _report(config: Config, server: Server, life: Life, memory: list[float]) -> bool:
    with open_project_store(config) as store:
        states, sent, slots = _ledger(store, config.state_dir / "publisher.db")
    taken = server.letters
    lost, unknown = sent - taken.keys(), taken.keys() - sent
    copies = {key: count for key, count in taken.items() if count > 1}
    first = memory[len(memory) // 4] if memory else 0.0
    growth = memory[-1] - first if memory else 0.0
    doubtful = CONNECTIONS * server.went
    double = len(slots) - len(set(slots))
    print(f"came {life.came}, left {life.left}, posts {life.posts}, edits {life.edits}")
    print(f"editions {len(slots)}, double {double}; deliveries {dict(states)}")
    print(f"server: deferred {server.refused}, connections broken {server.broken}, emails accepted {taken.total()}")
    print(f"in the database but not accepted {len(lost)}; accepted but not in the database {len(unknown)}")
    print(f"copies of one Message-ID {len(copies)}, of {doubtful} that a server which went away could cause")
    print("memory by the minute, MiB: " + " ".join(f"{each:.0f}" for each in memory[:: 60 // SAMPLE]))
    print(f"memory: {first:.1f} MiB after a quarter, {memory[-1]:.1f} at the end, {max(memory):.1f} at most")
    return not (lost or unknown or double) and len(copies) <= doubtful and growth < FLAT


def _ledger(store: Store, record: Path) -> tuple[Counter[str], set[tuple[str, str]], list[str]]:
    """Return the number of deliveries by status, (Message-ID, address) of the sent ones, and the slots."""
    editions = {edition.id: edition for edition in store.editions.list()}
    states: Counter[str] = Counter()
    sent = set()
    with sqlite3.connect(record) as connection:
        for edition, uid, address, status in connection.execute(LEDGER):
            states[status] += 1
            if status == DeliveryStatus.SENT:
                sent.add((message_id(editions[edition], uid, SENDER), address))
    return states, sent, [edition.slot for edition in editions.values()]


def main() -> None:
    """Read the options and soak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--readers", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raise SystemExit(not soak(Path(folder) / "project", options.minutes, options.readers))


if __name__ == "__main__":
    main()
