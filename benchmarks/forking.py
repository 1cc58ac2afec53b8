"""Processes forked from one that has already loaded the program, as loading it takes longer than most of them run.

All callers share one such process, so it loads what any of them needs.
"""

from __future__ import annotations

import multiprocessing

LOADED = ["__main__", "benchmarks.deliverer", "benchmarks.ticker", "sqlalchemy.dialects.postgresql.psycopg"]
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(LOADED)
