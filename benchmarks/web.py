"""The web application compared with a bare Starlette application, and its pages and forms while an edition is sent.

    python -m benchmarks.web [--rounds 5] [--seconds 3] [--recipients 60000] [--json FILE]

Both servers run on core 0 and serve the same files of one site to the same client on core 1, in turn. The ratio is
taken within each round, then the median of the ratios. The second part starts `publisher run` with an edition that is
due, and requests pages and submits sign-up forms at fixed times until all messages have been sent to Postfix's
smtp-sink.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from benchmarks import corpus
from benchmarks.editions import add_readers, make_edition
from benchmarks.free_ports import free_port
from benchmarks.http_client import Paced, connect, request_of
from benchmarks.measure import median, memory_folder
from benchmarks.report import Limit, write_limits
from benchmarks.sending import sink

POSTS = 200
PAGES_A_SECOND, FORMS_A_SECOND = 40, 10
# A form that is submitted too quickly is not accepted.
_BEFORE_A_FORM = 3.0
_LEAST_RATIO, _PAGE_SECONDS, _FORM_SECONDS = 0.5, 0.05, 0.2
_SETTINGS = """\
[site]
title = "Benchmark"
url = "http://127.0.0.1:{port}"
postal_address = "1 Long Road, 12345 Anytown"

[web]
public_url = "http://127.0.0.1:{port}"
listen = "127.0.0.1:{port}"
client_limit = 1000000
address_limit = 1000000

[mail]
sender = "Weekly <ada@example.org>"
transport = "smtp"

[mail.smtp]
host = "127.0.0.1"
port = {mail}
tls = "none"

[[newsletters]]
name = "weekly"
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one server did for the client: answers per second, and its CPU seconds per answer."""

    rate: float
    cpu: float


def write_site(folder: Path, port: int, mail: int, posts: int = POSTS) -> dict[str, str]:
    """Write and build a site; return the paths to request, by kind."""
    (folder / "publisher.toml").write_text(_SETTINGS.format(port=port, mail=mail), encoding="utf-8")
    newest = corpus.write_posts(folder / "posts", posts)[-1]
    subprocess.run([sys.executable, "-m", "publisher", "build"], cwd=folder, check=True, capture_output=True)
    (page,) = (folder / "public").rglob(f"{newest.stem[11:]}/index.html")
    return {"page": f"/{page.parent.relative_to(folder / 'public').as_posix()}/", "feed": "/feed.xml"}


@contextmanager
def running(command: Sequence[str | Path], folder: Path, port: int, core: int | None = None) -> Iterator[int]:
    """Run a server until the end of the block, and wait until it answers; yield its process id."""
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", *command], cwd=_ROOT, stdout=log, stderr=log)
        try:
            if core is not None and hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(server.pid, {core})
            _wait_for(port, server)
            yield server.pid
        finally:
            server.terminate()
            server.wait(60)


_ROOT = Path(__file__).resolve().parents[1]


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("the server did not start; see server.log")


def turn(port: int, pid: int, path: str, seconds: float) -> Turn:
    """Let the client request a path from one server."""
    before = _cpu(pid)
    command = [sys.executable, "-m", "benchmarks.http_client", str(port), path, str(seconds)]
    on_core = ["taskset", "-c", "1"] if (os.cpu_count() or 1) > 1 and Path("/usr/bin/taskset").exists() else []
    done = subprocess.run([*on_core, *command], check=True, capture_output=True, text=True, cwd=_ROOT)
    answers: dict[str, int] = json.loads(done.stdout)
    if set(answers) != {"200"}:
        sys.exit(f"{path} was answered with {answers}")
    return Turn(answers["200"] / seconds, (_cpu(pid) - before) / answers["200"])


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def compare(folder: Path, rounds: int, seconds: float) -> dict[str, dict[str, list[Turn]]]:
    """Let both servers serve the same files in turn; return their figures by path and server."""
    port, bare_port = free_port(), free_port()
    paths = write_site(folder, port, free_port())
    turns: dict[str, dict[str, list[Turn]]] = {name: {"bare": [], "ours": []} for name in paths}
    serve = ["publisher", "-C", folder, "serve"]
    bare = ["benchmarks.bare_web", folder / "public", str(bare_port)]
    with running(serve, folder, port, 0) as ours, running(bare, folder, bare_port, 0) as other:
        servers = [("bare", bare_port, other), ("ours", port, ours)]
        for number in range(rounds + 1):
            for name, path in paths.items():
                for server, at, pid in servers[:: 1 if number % 2 else -1]:
                    found = turn(at, pid, path, seconds)
                    if number:  # the first round fills caches
                        turns[name][server].append(found)
    return turns


def ratio(both: dict[str, list[Turn]]) -> tuple[float, float]:
    """Return the median ratios of our answers per second to the bare application's: by wall time and by CPU time."""
    pairs = list(zip(both["ours"], both["bare"], strict=True))
    return median([ours.rate / bare.rate for ours, bare in pairs]), median(
        [bare.cpu / ours.cpu for ours, bare in pairs]
    )


async def visit(port: int, path: str, database: Path) -> tuple[Paced, Paced]:
    """Request a page and submit forms until no message of the edition is waiting; return how long each took."""
    pages, forms = Paced(), Paced()
    got: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    (first,) = await connect(port, 1, lambda each, status: got.done() or got.set_result(each.body.decode()))
    first.ask(request_of("/subscribe"))
    (token,) = re.findall(r'name="token" value="([^"]+)"', await got)[:1]
    await asyncio.sleep(_BEFORE_A_FORM)
    fields = ({"email": f"new{number}@example.org", "token": token} for number in count())
    waiting = _Waiting(database)
    await asyncio.gather(
        pages.ask(port, (request_of(path) for _ in count()), PAGES_A_SECOND, waiting),
        forms.ask(port, (request_of("/subscribe", each) for each in fields), FORMS_A_SECOND, waiting),
    )
    return pages, forms


class _Waiting:
    """Whether messages of the edition are waiting; checked twice a second."""

    def __init__(self, database: Path) -> None:
        import sqlite3  # imported here because only the second part needs it

        self._database = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
        self._looked, self._some = 0.0, True

    def __call__(self) -> bool:
        if time.monotonic() - self._looked > 0.5:
            self._looked = time.monotonic()
            query = "SELECT 1 FROM deliveries WHERE status IN ('queued', 'leased', 'deferred') LIMIT 1"
            self._some = self._database.execute(query).fetchone() is not None
        return self._some


def send_and_visit(folder: Path, recipients: int) -> tuple[Paced, Paced, float]:
    """Let `publisher run` send an edition; return how long pages and forms took, and the seconds in total."""
    from publisher.config import load_config
    from publisher.publishing.wiring import open_project_store

    port = free_port()
    with sink() as mail:
        paths = write_site(folder, port, mail)
        with open_project_store(load_config(folder, {})) as store:
            add_readers(store, recipients)
            make_edition(store)
        with running(["publisher", "-C", folder, "run"], folder, port):
            began = time.monotonic()
            pages, forms = asyncio.run(visit(port, paths["page"], folder / ".publisher" / "publisher.db"))
            return pages, forms, time.monotonic() - began


def report(turns: dict[str, dict[str, list[Turn]]], pages: Paced, forms: Paced, seconds: float) -> list[str]:
    """Return the figures as lines, with whether each limit is kept."""
    lines = []
    for name, both in turns.items():
        by_clock, by_cpu = ratio(both)
        rates = {server: median([each.rate for each in found]) for server, found in both.items()}
        lines.append(
            f"{_said(by_clock >= _LEAST_RATIO)}  {name}: {rates['ours']:,.0f} a second, bare {rates['bare']:,.0f}; "
            f"ratio {by_clock:.2f} by the clock, {by_cpu:.2f} by CPU time, limit {_LEAST_RATIO}"
        )
    for name, paced, most in (("page", pages, _PAGE_SECONDS), ("form", forms, _FORM_SECONDS)):
        worst = paced.percentile(0.99)
        lines.append(
            f"{_said(worst <= most)}  99th percentile of a {name} while an edition is sent for {seconds:.0f} s: "
            f"{worst * 1_000:.0f} ms, limit {most * 1_000:.0f} (median {paced.percentile(0.5) * 1_000:.1f} ms, "
            f"{len(paced.took):,} answers: {dict(paced.statuses)})"
        )
    return lines


def limits(turns: dict[str, dict[str, list[Turn]]], pages: Paced, forms: Paced) -> list[Limit]:
    """Return the promises about the web application with the measured values."""
    found = [
        Limit(f"web, {name}: answers a second of a bare application's", ratio(both)[0], _LEAST_RATIO, at_least=True)
        for name, both in turns.items()
    ]
    for name, paced, most in (("page", pages, _PAGE_SECONDS), ("form", forms, _FORM_SECONDS)):
        found.append(
            Limit(f"web, {name} while an edition is sent: 99th percentile, seconds", paced.percentile(0.99), most)
        )
    return found


def _said(holds: bool) -> str:
    return "holds " if holds else "BROKEN"


def main() -> int:
    """Run both parts and print the figures; return 0 if every limit holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="paired rounds (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of each turn (default 3)")
    parser.add_argument("--recipients", type=int, default=60_000, help="of the edition (default 60000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    options = parser.parse_args()
    scratch, _ = memory_folder()
    with tempfile.TemporaryDirectory(prefix="publisher-web-", dir=scratch) as folder:
        turns = compare(_made(Path(folder, "files")), options.rounds, options.seconds)
        pages, forms, seconds = send_and_visit(_made(Path(folder, "edition")), options.recipients)
    lines = report(turns, pages, forms, seconds)
    print("\n".join(lines))
    if options.json:
        figures = {
            name: {server: [asdict(each) for each in found] for server, found in both.items()}
            for name, both in turns.items()
        }
        times = {"pages": pages.took, "forms": forms.took, "seconds": seconds}
        write_limits(options.json, limits(turns, pages, forms), turns=figures, **times)
    return 0 if not any(line.startswith("BROKEN") for line in lines) else 1


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
