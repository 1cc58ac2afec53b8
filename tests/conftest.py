"""Fixtures for all tests: a project in its own folder, a store on either database, a browser; also marks and skips."""

from __future__ import annotations

import gc
import logging
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import groupby
from pathlib import Path
from types import ModuleType

import psutil
import pytest
from hypothesis import HealthCheck, settings

from tests.support import ROOT
from tests.support.forked_program import start_forking
from tests.support.fresh_checkout import compile_share, find_constants
from tests.support.needs import advice
from tests.support.project import Project

pytest_plugins = ["tests.support.store_fixtures", "tests.support.browser"]

# A busy machine is slow, and no test is about time. `make test` tries the same examples each time, so that it never
# fails by chance; `make fuzz` searches at random, for longer.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("test", _PATIENT, derandomize=True, max_examples=30)
settings.register_profile("fuzz", _PATIENT, max_examples=1_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

# Without bytecode every program that a test starts would compile the package again, which takes half a second, and
# every run the tests, which takes six. PYTHONDONTWRITEBYTECODE is meant for the machine's own files.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# As in the program. With the objects of a whole test run, searching for cycles took a quarter of the time.
gc.set_threshold(100_000, 20, 20)
gc.disable()  # until the tests are collected, because they all stay alive

# All temporary files are in memory if there is room. A run makes hundreds of thousands; writing and removing them on a
# disk takes minutes. The files of a passed test are removed after it.
_MEMORY = Path("/dev/shm")
_ROOM = 6_000_000_000  # bytes; a run needs much less, as files of passed tests are removed


def _is_roomy(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    room = min(disk.f_bavail * disk.f_frsize, psutil.virtual_memory().available)
    return room > _ROOM and not disk.f_flag & os.ST_NOEXEC and os.access(folder, os.W_OK)


if "TMPDIR" not in os.environ and _is_roomy(_MEMORY):
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)  # workers and programs inherit it

# A shell lets background programs ignore Ctrl-C, and the programs that a test interrupts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A test whose module imports something from these starts a server, or a process that acts as one.
_SERVERS = {
    f"tests.support.{name}"
    for name in (
        "sink",
        "smtp_server",
        "static_server",
        "postfix_dovecot",
        "web_server",
        "preview_server",
        "run_server",
    )
}
# Our machines cannot provide these; .ci/run prevents every other skip.
_UNAVOIDABLE = ("next to this checkout", "file system", "this disk knows no such names")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --no-skips and --shuffle SEED."""
    parser.addoption("--no-skips", action="store_true", help="fail if a test is skipped because a program is missing")
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in a random order")


def pytest_configure(config: pytest.Config) -> None:
    """Start the process from which tests fork the program, one for all workers."""
    if not hasattr(config, "workerinput"):
        config.add_cleanup(start_forking().communicate)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return two workers per processor for `-n auto`: many tests wait for a server, a browser or a timeout.

    On two processors, a whole run took 400 s with four workers and 420 s with six, because each worker spends five
    seconds on collecting all tests.
    """
    processors = os.cpu_count() or 1
    return 2 * processors if config.getoption("numprocesses") == "auto" else processors


def _share_of(config: pytest.Config) -> tuple[int, int] | None:
    """Return the number of this worker, counted from 0, and the number of workers; None in a run without workers."""
    given = getattr(config, "workerinput", {})
    return (int(given["workerid"].removeprefix("gw")), given["workercount"]) if given else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Compile a share of the tests before all workers import them in the same order."""
    if share := _share_of(session.config):
        compile_share(session.config, *share)


def pytest_collection_finish() -> None:
    """Exclude the tests themselves from garbage collection, because they all stay alive."""
    gc.freeze()
    gc.enable()
    with suppress(ImportError):  # before its first test, hypothesis collects all garbage: later it would take 0.8 s
        from hypothesis.internal.entropy import deterministic_PRNG

        with deterministic_PRNG():
            pass


def pytest_unconfigure() -> None:
    """Exclude the objects of the run from pytest's last garbage collection, which would take seconds in each worker."""
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by what they use, so that no one has to remember to; shuffle them if requested."""
    if share := _share_of(config):
        find_constants(*share)
    _order(config, items)
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if "postgres" in item.fixturenames or "postgresql" in parameters.values():
            item.add_marker("postgres")
        if "browser" in item.fixturenames:
            item.add_marker("browser")
        if _starts_servers(item.module):
            item.add_marker("servers")


def _order(config: pytest.Config, items: list[pytest.Item]) -> None:
    share = _share_of(config)
    if (seed := config.getoption("--shuffle")) is not None:
        random.Random(seed).shuffle(items)
    elif share:
        items[:] = _spread_slow(items, share[1])


@cache
def _starts_servers(module: ModuleType) -> bool:
    return any(getattr(value, "__module__", "") in _SERVERS for value in vars(module).values())


def _spread_slow(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Give each worker a share of the slow tests, so that no worker is left with many of them at the end.

    Half of the workers begin with their share, and the others have theirs in the middle: most slow tests wait for a
    server or a browser, and meanwhile the other workers can compute.
    """
    slow = {item for item in items if "journeys" in item.path.parts or item.get_closest_marker("slow")}
    others = [item for item in items if item not in slow]
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for _, group in groupby((item for item in items if item in slow), key=lambda item: item.path):
        min(shares, key=len).extend(group)
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares):
        rest = max(0, (len(items) - len(ordered)) // (workers - number) - len(share))
        before = 0 if number % 2 == 0 else rest // 2
        ordered += others[:before] + share + others[before:rest]
        del others[:rest]
    return ordered + others


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print, once per run, what the skipped tests need."""
    if line := advice(_reasons(terminalreporter)):
        terminalreporter.write_line(line, yellow=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run with --no-skips if one of its skips was avoidable."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or exitstatus or not session.config.getoption("--no-skips"):
        return
    avoidable = [reason for reason in _reasons(reporter) if not any(word in reason for word in _UNAVOIDABLE)]
    for reason in sorted(set(avoidable)):
        reporter.write_line(f"skipped although it need not be: {reason}", red=True)
    if avoidable:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _reasons(reporter: pytest.TerminalReporter) -> list[str]:
    return [
        str(report.longrepr[2]) for report in reporter.stats.get("skipped", []) if isinstance(report.longrepr, tuple)
    ]


@pytest.fixture(scope="session", autouse=True)
def awaited_answers() -> Iterator[None]:
    """Let a run that ends wait for the answers of its mail servers for as long as a busy machine needs.

    After five seconds, as outside of tests, the messages without an answer would be in doubt.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publisher.mail.smtp.sending_loop.GRACE_SECONDS", 120.0)
        yield


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    """A folder that is not a project yet."""
    return Project(tmp_path / "letter", capsys)


@pytest.fixture
def project(empty: Project) -> Project:
    """A project with one newsletter and three posts."""
    empty.configure()
    empty.post("first", "2026-11-02", tags="[Reading]")
    empty.post("second", "2026-11-09", tags="[Reading, 日本語]")
    empty.post("third", "2026-11-15", tags="[R&D]")
    return empty


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Remove the log handlers that `serve` and `run` add in this process; later tests would find lines on stderr."""
    yield
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if type(handler).__module__ == "publisher.core.logging"]:
        root.removeHandler(handler)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove the machine's PUBLISHER_* variables, and let programs that tests start use this checkout."""
    for name in list(os.environ):
        if name.startswith("PUBLISHER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield
