"""Processes that are forked from one that has loaded the program: to load it takes longer than most of them run.

There is one such process, whoever asks for another, so it loads what all of them need.
"""

from __future__ import annotations

import multiprocessing

LOADED = ["__main__", "benchmarks.deliverer", "benchmarks.ticker", "sqlalchemy.dialects.postgresql.psycopg"]
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(LOADED)
