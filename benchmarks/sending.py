"""Messages a second: Publisher compared with `smtp-source` on one `smtp-sink`, and with aiosmtplib on a slow line.

    python -m benchmarks.sending [--rounds 5] [--messages 10000] [--connections 64] [--json FILE]

smtp-source and smtp-sink are Postfix's own test programs, written in C, and show about what the machine can do. All
send messages of 75 KB. Publisher writes its ledger to SQLite on a disk, with an fsync for every group of answers;
smtp-source keeps no record. The programs take turns in every round; a ratio is taken within each round, then the median
of the ratios. The second part puts a proxy with a round trip of 20 ms in front of the sink. The sink reads each message
byte by byte in one thread; the last line says how many it could receive at most.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.free_ports import free_port
from benchmarks.measure import median
from benchmarks.report import Limit, write_limits
from benchmarks.sender import message_size

NEAR = ("smtp-source", "plain", "marks", "ed25519", "rsa")
FAR = ("aiosmtplib", "plain")
ONE_WAY_MS = 10
FAR_CONNECTIONS = 20

Rates = dict[str, list[float]]


@contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink; yield its port."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([_program("smtp-sink"), *user, f"127.0.0.1:{port}", "1000"])
    try:
        time.sleep(0.3)
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def far_away(port: int) -> Iterator[int]:
    """Run the proxy in front of a port; yield the proxy's port."""
    command = [sys.executable, "-m", "benchmarks.slow_line", str(port), str(ONE_WAY_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def rate(way: str, port: int, connections: int, messages: int) -> float:
    """Send the messages in one way; return the number of messages per second."""
    if way == "smtp-source":
        return messages / _smtp_source(port, connections, messages)
    with tempfile.TemporaryDirectory(prefix="publisher-bench-") as folder:
        command = [sys.executable, "-m", "benchmarks.sender", way, str(port), str(connections), str(messages), folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return messages / float(json.loads(done.stdout)["seconds"])


def _smtp_source(port: int, connections: int, messages: int) -> float:
    size = f"-l {message_size()} -m {messages}"
    words = f"-d -s {connections} {size} -f ada@example.org -t reader@example.org 127.0.0.1:{port}"
    start = time.perf_counter()
    subprocess.run([_program("smtp-source"), *words.split()], check=True)
    return time.perf_counter() - start


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        sys.exit(f"{name} is missing: on Debian, apt install postfix")
    return found


def _processor_seconds() -> float:
    """Return the CPU time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rounds(ways: tuple[str, ...], port: int, connections: int, messages: int, number: int) -> Rates:
    """Send in all ways in turn; return the rates of each, by round."""
    rates: Rates = {way: [] for way in ways}
    for turn in range(number):
        print(f"round {turn + 1} of {number}", file=sys.stderr)
        for way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:
            rates[way].append(rate(way, port, connections, messages))
    return rates


def table(title: str, rates: Rates, peer: str) -> str:
    """Return the medians of the rates, and of their ratios to the peer."""
    lines = [title]
    for way, values in rates.items():
        ratio = _ratio(rates, way, peer)
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        lines.append(f"  {way:<12} {median(values):>8,.0f} messages a second  ({spread})  {ratio:6.2f} of {peer}")
    return "\n".join(lines)


def limits(near: Rates, far: Rates) -> list[Limit]:
    """Return the promises about messages per second with the measured values."""
    goals = {"plain": 1.0, "ed25519": 0.85, "rsa": 0.6}
    found = [
        Limit(f"sending, {way}: messages a second of smtp-source's", _ratio(near, way, NEAR[0]), goal, at_least=True)
        for way, goal in goals.items()
    ]
    name = f"sending at {2 * ONE_WAY_MS} ms a round trip: messages a second of aiosmtplib's"
    return [*found, Limit(name, _ratio(far, "plain", FAR[0]), 4.0, at_least=True)]


def _ratio(rates: Rates, way: str, peer: str) -> float:
    return median([own / other for own, other in zip(rates[way], rates[peer], strict=True)])


def main() -> int:
    """Run both parts and print them."""
    arguments = _arguments()
    size = message_size()
    print(f"messages of {size:,} bytes; load at the start {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with sink() as port:
        near = rounds(NEAR, port, arguments.connections, arguments.messages, arguments.rounds)
        print(table(f"on this machine, {arguments.connections} connections", near, "smtp-source"))
        with far_away(port) as distant:
            few = max(200, arguments.messages // 4)
            far = rounds(FAR, distant, FAR_CONNECTIONS, few, arguments.rounds)
        print(table(f"at {2 * ONE_WAY_MS} ms a round trip, {FAR_CONNECTIONS} connections", far, "aiosmtplib"))
        before = _processor_seconds()
    taken = arguments.rounds * (len(NEAR) * arguments.messages + len(FAR) * few)
    each = (_processor_seconds() - before) / taken
    print(f"the sink itself took {1e6 * each:.0f} us of processor time a message: at most {1 / each:,.0f} a second")
    if arguments.json:
        figures: dict[str, Any] = {"near": near, "far": far, "bytes": size, "connections": arguments.connections}
        figures["sink_seconds"] = each
        write_limits(arguments.json, limits(near, far), **figures)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sending", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--messages", type=int, default=10_000, help="messages a run (default 10000)")
    parser.add_argument("--connections", type=int, default=64, help="connections at once (default 64)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
