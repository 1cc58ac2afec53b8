"""A database or a network fails during sending: what becomes of an edition that two worker processes are sending.

    python -m benchmarks.outages [--recipients 3000] [--seconds 30] [--only WORD ...] [--write]

Two workers send one edition over their own PostgreSQL to smtp-sink. When a quarter of it has been sent, something fails
for some seconds, and then works again. The workers are neither restarted nor notified. The sink and the ledger show the
outcome, and the workers' logs what they reported. PgBouncer is needed. The exit code is 1 if a promise is broken.
--write puts the table into docs/delivery.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.editions import add_readers, ledger, make_edition
from benchmarks.networks import PostgresServer, Proxy, pgbouncer
from benchmarks.sinks import sink
from benchmarks.tables import markdown, write
from publisher.config import load_config
from publisher.core.newsletter_models import DeliveryStatus
from publisher.publishing.joining import join_token
from publisher.publishing.mail_wiring import project_secret
from publisher.publishing.wiring import check_in_host, open_project_store
from publisher.store import open_store
from publisher.store.ledger import LedgerRow

WORKERS, CONNECTIONS, RATE, LEASE = 2, 4, 150, 60

# After an outage, messages arrive again within this many seconds.
PROMISED_SECONDS = 60.0
LONGEST_SECONDS = 300.0

CONFIG = """\
[site]
title = "Outages"
url = "https://outages.example"
authority = "outages.example,2026"

[mail]
sender = "Ada <ada@outages.example>"
transport = "smtp"
smtp = {{ url = "smtp://127.0.0.1:{mail}", tls = "none", connections = {connections}, rate = "{rate}/s" }}

[database]
url = "{url}"
direct_url = "{direct}"

[pages]
enabled = false

[delivery]
on_uncertain = "{on_uncertain}"
lease_seconds = {lease}

[run]
tick_seconds = 15
log = "json"

[[newsletters]]
name = "weekly"
"""


@dataclass
class Scene:
    """The servers of one proof and the proxies in front of them. url: of the database, as workers reach it."""

    server: PostgresServer
    database: Proxy
    mail: Proxy
    url: str


@dataclass(frozen=True, slots=True)
class OutageKind:
    """Something that fails.

    begin         causes the failure
    end           ends the failure
    is_pooled     whether the workers connect through PgBouncer
    on_uncertain  the setting of the workers
    seconds       how long it lasts; None for the time given on the command line
    may_doubt     whether messages may be in doubt afterwards
    """

    name: str
    begin: Callable[[Scene], None]
    end: Callable[[Scene], None]
    is_pooled: bool = False
    on_uncertain: str = "hold"
    seconds: float | None = None
    may_doubt: bool = False


def _restart(scene: Scene, *, at_once: bool) -> None:
    scene.server.stop(at_once=at_once)
    scene.server.start()


def _no_connections(scene: Scene) -> None:
    scene.server.execute(
        "ALTER ROLE letter CONNECTION LIMIT 0",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'letter'",
    )


def _connections(scene: Scene) -> None:
    scene.server.execute("ALTER ROLE letter CONNECTION LIMIT -1")


def _nothing(scene: Scene) -> None:
    """Do nothing."""


def _let_through(scene: Scene) -> None:
    scene.database.let_through()
    scene.mail.let_through()


def _away(scene: Scene) -> None:
    scene.server.stop(at_once=False)


def _back(scene: Scene) -> None:
    scene.server.start()


_FAST = OutageKind("PostgreSQL is restarted (`-m fast`)", lambda s: _restart(s, at_once=False), _nothing, seconds=0.0)
_IMMEDIATE = replace(_FAST, name="PostgreSQL is restarted (`-m immediate`)", begin=lambda s: _restart(s, at_once=True))
_AWAY = OutageKind("PostgreSQL is away", _away, _back)
_LONGER = replace(_AWAY, name="PostgreSQL is away for longer than the lease", seconds=1.5 * LEASE, may_doubt=True)

OUTAGES = (
    _FAST,
    replace(_FAST, on_uncertain="resend"),
    _IMMEDIATE,
    replace(_IMMEDIATE, on_uncertain="resend"),
    _AWAY,
    replace(_AWAY, on_uncertain="resend"),
    _LONGER,
    replace(_LONGER, on_uncertain="resend"),
    OutageKind("the connection limit is reached", _no_connections, _connections),
    OutageKind("the network to the database loses everything", lambda s: s.database.stall(), _let_through),
    OutageKind("the network to the database is cut", lambda s: s.database.refuse(), _let_through),
    OutageKind(
        "the network to the mail server loses everything", lambda s: s.mail.stall(), _let_through, may_doubt=True
    ),
    OutageKind("the network to the mail server is cut", lambda s: s.mail.refuse(), _let_through, may_doubt=True),
    OutageKind("nothing; PgBouncer in transaction mode is between", _nothing, _nothing, is_pooled=True, seconds=0.0),
    replace(_IMMEDIATE, name="PostgreSQL is restarted behind PgBouncer", is_pooled=True),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of an edition.

    doubtful    how many messages may be in doubt
    back_after  how many seconds after the end of the outage the next message arrived
    reports     warnings and errors in the logs of the workers
    """

    recipients: int
    doubtful: int
    rows: tuple[LedgerRow, ...]
    got: Counter[str]
    back_after: float
    reports: tuple[str, ...]

    @property
    def uncertain(self) -> int:
        return sum(row.status is DeliveryStatus.UNCERTAIN for row in self.rows)

    @property
    def lost(self) -> int:
        """The number of recipients that got nothing and are not listed as uncertain with a reason."""
        listed = {row.address for row in self.rows if row.status is DeliveryStatus.UNCERTAIN and row.reason}
        return len({row.address for row in self.rows} - set(self.got) - listed)

    @property
    def twice(self) -> int:
        return self.got.total() - len(self.got)

    def broken(self) -> list[str]:
        """Return the promises that were broken."""
        promises = {
            "every subscriber has a row": len(self.rows) == self.recipients,
            "nobody is lost": not self.lost,
            f"at most {self.doubtful} are in doubt": self.uncertain + self.twice <= self.doubtful,
            f"it continues within {PROMISED_SECONDS:g} s": self.back_after <= PROMISED_SECONDS,
            "it is reported without a traceback": not any("defect" in each or "Trace" in each for each in self.reports),
        }
        return [promise for promise, holds in promises.items() if not holds]


def prove(kind: OutageKind, recipients: int, seconds: float, folder: Path) -> Seen:
    """Cause one failure during sending."""
    with ExitStack() as stack:
        server = PostgresServer(folder / "postgresql")
        stack.callback(server.close)
        to = stack.enter_context(sink(folder / "sink"))
        database, mail = Proxy(server.socket), Proxy(to.port)
        stack.callback(database.close)
        stack.callback(mail.close)
        port = stack.enter_context(pgbouncer(server)) if kind.is_pooled else database.port
        scene = Scene(server, database, mail, server.url(port))
        with open_store(server.url(), folder) as store:
            add_readers(store, recipients)
        own = _fleet(scene, folder, kind.on_uncertain)
        logs = [stack.enter_context(_worker(folder / f"worker-{n}", own)) for n in range(WORKERS)]
        with open_store(server.url(), folder) as store:
            edition = make_edition(store)
        _await(lambda: to.count() > recipients // 4)
        kind.begin(scene)
        time.sleep(seconds if kind.seconds is None else kind.seconds)
        kind.end(scene)
        arrived, ended = to.count(), time.monotonic()
        _await(lambda: to.count() > arrived)
        back_after = time.monotonic() - ended
        with open_store(server.url(), folder) as store:
            _await(lambda: not _open(store.deliveries.counts(edition.id)))
        rows = tuple(ledger(server.url(), folder))
    reports = tuple(line for log in logs for line in _reports(log))
    doubtful = WORKERS * CONNECTIONS if kind.may_doubt else 0
    return Seen(recipients, doubtful, rows, Counter(one.recipient for one in to.taken()), back_after, reports)


def _fleet(scene: Scene, folder: Path, on_uncertain: str) -> dict[str, str]:
    """Write the workers' settings to a folder, and confirm this host; return the environment variables of workers."""
    text = CONFIG.format(
        mail=scene.mail.port,
        connections=CONNECTIONS,
        rate=RATE,
        url=scene.url,
        direct=scene.server.url(),
        on_uncertain=on_uncertain,
        lease=LEASE,
    )
    (folder / "publisher.toml").write_text(text)
    config = load_config(folder)
    with open_project_store(config) as store:
        check_in_host(config, store, datetime.now(UTC))  # the first host of a project is confirmed automatically
    return {"PUBLISHER_JOIN": join_token(config), "PUBLISHER_SECRET": project_secret(config)}


@contextmanager
def _worker(folder: Path, own: dict[str, str]) -> Iterator[Path]:
    """Run `publisher worker` in its own folder; yield its log. own: its variables."""
    folder.mkdir()
    shutil.copy(folder.parent / "publisher.toml", folder)
    own = own | {"PUBLISHER_HOST": folder.name}
    words = [sys.executable, "-m", "publisher", "-C", str(folder), "worker"]
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(words, env=os.environ | own, stdout=subprocess.DEVNULL, stderr=file)
    try:
        yield log
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        process.kill()
        process.wait()


def _open(counts: Any) -> int:
    return sum(counts[each] for each in (DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.DEFERRED))


def _await(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST_SECONDS
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)


def _reports(log: Path) -> Iterator[str]:
    for line in log.read_text("utf-8", "replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            yield line
            continue
        if told.get("level") in ("warning", "error"):
            yield " ".join(str(told.get(key, "")) for key in ("event", "what", "message")).strip()


HEADER = (
    "what fails",
    "`on_uncertain`",
    "lost",
    "twice",
    "uncertain",
    "goes on after",
    "lines in the logs",
    "as promised",
)


def line(kind: OutageKind, seen: Seen) -> tuple[str, ...]:
    """Return the outcome of an outage as a line of the table."""
    figures = (seen.lost, seen.twice, seen.uncertain, f"{seen.back_after:.0f} s", len(seen.reports))
    verdict = "yes" if not seen.broken() else "NO: " + "; ".join(seen.broken())
    return (kind.name, f"`{kind.on_uncertain}`", *map(str, figures), verdict)


def section(recipients: int, seconds: float, lines: Sequence[Sequence[str]]) -> str:
    """Return the part of the document."""
    said = (
        f"{recipients:,} recipients, {WORKERS} workers with {CONNECTIONS} connections each, {RATE} messages a second,"
        f" `lease_seconds = {LEASE}`, `tick_seconds = 15`; what is not a restart lasts for {seconds:g} s, and what is"
        f" longer than the lease for {_LONGER.seconds:g} s."
    )
    return f"{said}\n\n{markdown(HEADER, lines)}"


def main() -> int:
    """Cause every requested failure, and print the table."""
    given = _arguments()
    wanted = [kind for kind in OUTAGES if not given.only or any(word in kind.name for word in given.only)]
    lines, wrong = [], False
    for kind in wanted:
        with tempfile.TemporaryDirectory(prefix="publisher-outages-") as name:
            seen = prove(kind, given.recipients, given.seconds, Path(name))
        lines.append(line(kind, seen))
        wrong = wrong or bool(seen.broken())
        print(" | ".join(lines[-1]), *seen.reports, sep="\n    ", file=sys.stderr, flush=True)
    print(section(given.recipients, given.seconds, lines))
    if given.write:
        write("outages", section(given.recipients, given.seconds, lines))
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outages", description=__doc__.split("\n")[0])
    parser.add_argument("--recipients", type=int, default=3_000, help="readers (default 3000)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long an outage lasts (default 30)")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="only outages whose names contain one of these words")
    parser.add_argument("--write", action="store_true", help="put the table into docs/delivery.md")
    given = parser.parse_args()
    if given.write and given.only:
        parser.error("--write needs every outage: leave out --only")
    return given


if __name__ == "__main__":
    sys.exit(main())
