"""Forks processes from one that has already loaded the program, because loading takes longer than most of them run.

All callers share that one process, so it loads everything that any of them needs.
"""

from __future__ import annotations

import multiprocessing

LOADED = ["__main__", "benchmarks.deliverer", "benchmarks.ticker", "sqlalchemy.dialects.postgresql.psycopg"]
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(LOADED)
