"""Measures jobs: how many run in a second, how soon one starts, and what an idle worker uses.

    python -m benchmarks.jobs [--jobs 2000] [--idle 60]

The database is PostgreSQL on this machine, and the jobs do nothing. The worker is `publisher worker` as a process, and
ticks every 30 seconds; for --idle seconds, its CPU time and that of its database connections are counted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg

from benchmarks.imports import databases
from benchmarks.tables import markdown
from publisher.config import load_config
from publisher.daemon.job_queue import JobQueue, Task
from publisher.publishing.wiring import open_project_store
from publisher.store import open_store

CONFIG = """\
[site]
title = "Jobs"
url = "https://jobs.example"
postal_address = "1 Job Street"

[mail]
sender = "jobs@jobs.example"
transport = "smtp"
smtp = {{ url = "smtp://127.0.0.1:1", tls = "none" }}

[database]
url = "{url}"

[[newsletters]]
name = "weekly"
"""
TRIES = 200


def until(done: Callable[[], object]) -> None:
    """Wait until a condition is true."""
    while not done():
        time.sleep(0.005)


class Engine:
    """A job queue that runs in this process, with jobs that do nothing."""

    def __init__(self, folder: Path) -> None:
        self.done, self._begun = 0, threading.Event()
        self.config = load_config(folder)
        tasks = {"noop": Task(self._noop, lambda: True)}
        self.queue = JobQueue(lambda: self.config, lambda config: open_store(config.database.url, folder), tasks)

    def _noop(self) -> None:
        self.done += 1
        self._begun.set()

    def start(self) -> float:
        """Start; return the seconds until a job can be queued."""
        began = time.perf_counter()
        self.queue.begin()
        until(lambda: self.queue.put("noop") and self.done)
        return time.perf_counter() - began

    def latencies(self) -> list[float]:
        """Return the milliseconds from queueing a job to its start, for several jobs."""
        found = []
        for _ in range(TRIES):
            self._begun.clear()
            began = time.perf_counter()
            self.queue.put("noop")
            self._begun.wait()
            found.append(1_000 * (time.perf_counter() - began))
            time.sleep(0.01)
        return found

    def throughput(self, jobs: int) -> tuple[float, float]:
        """Run this many waiting jobs; return the jobs per second, and this process's CPU milliseconds per job."""
        before, clock, cpu = self.done, time.perf_counter(), time.process_time()
        with psycopg.connect(self.config.database.url, autocommit=True) as connection:
            schema = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%\\_jobs\\_%'").fetchone()
            connection.execute(f'SET search_path TO "{schema[0] if schema else ""}"'.encode())
            many = "SELECT 'noop', 'noop' FROM generate_series(1, %s)"
            connection.execute(f"INSERT INTO procrastinate_jobs (queue_name, task_name) {many}".encode(), [jobs])
        until(lambda: self.done >= before + jobs)
        return jobs / (time.perf_counter() - clock), 1_000 * (time.process_time() - cpu) / jobs


def idle_worker(folder: Path, seconds: float) -> list[tuple[str, str]]:
    """Run an idle worker; return what it uses."""
    with open_project_store(load_config(folder)):
        pass
    command = [sys.executable, "-m", "publisher", "-C", str(folder), "worker"]
    began = time.perf_counter()
    environment = os.environ | {"PUBLISHER_SECRET": "0" * 64}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        assert process.stdout
        process.stdout.readline()
        ready = time.perf_counter() - began
        time.sleep(5)
        worker, servers = psutil.Process(process.pid), backends(folder)
        before = cpu_of([worker]), cpu_of(servers)
        time.sleep(seconds)
        own, database = cpu_of([worker]) - before[0], cpu_of(servers) - before[1]
        memory, connections = worker.memory_info().rss, len(servers)
        process.terminate()
        process.wait()
    return [
        ("worker: ready after", f"{ready:.1f} s"),
        ("worker: memory (RSS)", f"{memory / 2**20:.0f} MiB"),
        ("worker at rest: CPU in an hour", f"{own * 3_600 / seconds:.0f} s"),
        ("the same in the database", f"{database * 3_600 / seconds:.0f} s on {connections} connections"),
    ]


def backends(folder: Path) -> list[psutil.Process]:
    """Return the PostgreSQL processes that serve the connections to a database, except our own."""
    with psycopg.connect(load_config(folder).database.url) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return [psutil.Process(pid) for (pid,) in connection.execute(query)]


def cpu_of(processes: list[psutil.Process]) -> float:
    """Return the total CPU seconds of the processes that are still alive."""
    return sum(sum(each.cpu_times()[:2]) for each in processes if each.is_running())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--idle", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, databases("postgresql", Path(name) / "server") as urls:
        rows = []
        for part, url in zip(("engine", "worker"), urls, strict=True):
            (Path(name) / part).mkdir()
            (Path(name) / part / "publisher.toml").write_text(CONFIG.format(url=url))
        engine = Engine(Path(name) / "engine")
        rows.append(("tables made and connected after", f"{engine.start():.2f} s"))
        latencies = engine.latencies()
        rows.append(("from queueing a job to its start, median", f"{statistics.median(latencies):.1f} ms"))
        rows.append(("the same, 99th percentile", f"{statistics.quantiles(latencies, n=100)[98]:.1f} ms"))
        a_second, cpu = engine.throughput(options.jobs)
        rows.append(("jobs a second in one process", f"{a_second:,.0f}"))
        rows.append(("its CPU for each", f"{cpu:.1f} ms"))
        engine.queue.end()
        rows += idle_worker(Path(name) / "worker", options.idle)
        print(markdown(("what", "measured"), rows))


if __name__ == "__main__":
    main()
