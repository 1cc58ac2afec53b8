"""Mutants: the code, broken in known ways. An assertion must fail within a minute for each of them.

    python -m tests.support.mutants [NAME ...]     try all mutants, or the named ones

Each mutant is made in a copy of the checkout, where its listed tests are run. A test that hangs, or fails with a
different error, does not count, because its report does not say what is broken. Without a mutant the tests must pass.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

LONGEST_SECONDS = 60
CAUGHT, SURVIVED = "caught by an assertion", "survived"
WATCHED = "--watched"

# The parts of a checkout that the tests need.
PARTS = ("publisher", "templates", "tests")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way to break the code.

    name   what the broken code does
    file   the file to change; its path in the checkout
    old    text that occurs in it exactly once
    new    text to replace it with
    tests  the tests that must fail, as pytest's node ids
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """Return the file's text with the change. Raises ValueError unless `old` occurs exactly once."""
        if (found := text.count(self.old)) != 1:
            raise ValueError(f"{self.file} has {self.old!r} {found} times, so the mutant {self.name!r} needs an update")
        return text.replace(self.old, self.new)


_CONNECTION = "publisher/mail/smtp/connection.py"
_DATABASE = "publisher/store/database.py"
_LEDGER = "publisher/mail/smtp/ledger_writer.py"
_LIMITS = "publisher/mail/smtp/limits.py"
_PRAGMAS = ("tests/integration/store/test_database.py::test_every_connection_waits_for_the_disk",)
_NOTED = ("tests/integration/mail/test_in_doubt.py::test_every_message_is_noted_before_its_body_is_sent[sqlite]",)
_OLD_NOTE = (
    "tests/integration/mail/test_in_doubt.py::test_a_message_with_an_old_note_is_noted_again_before_it_is_sent",
)
_LOST = ("tests/integration/mail/test_in_doubt.py::test_a_worker_whose_work_is_taken_over_during_a_run_ends[sqlite]",)
_WRITTEN = ("tests/integration/mail/test_ledger_writer.py::test_a_written_answer_is_committed",)
_NEVER_WRITTEN = ("tests/integration/mail/test_ledger_writer.py::test_a_failed_write_is_never_reported_as_written",)
_GRANTS = "publisher/store/sending_limits.py"
_SHARED = "publisher/mail/smtp/shared_limits.py"
_GRANT = "tests/integration/store/test_sending_limits.py"
_TURN = "tests/unit/mail/test_shared_limits.py"
_COUNT = ("tests/unit/mail/test_smtp_limits.py::test_workers_share_a_daily_quota",)
_QUEUE = "publisher/daemon/job_queue.py"
_JOBS = "tests/integration/daemon/test_job_queue.py"
_SHARES = "tests/integration/daemon/test_shared_jobs.py"
_STATUSES = "publisher/core/subscription_status.py"
_IMPORTS = "tests/integration/subscribers/test_imports.py"
_OWN_NO = (f"{_IMPORTS}::test_a_refusal_by_a_person_overrides_that_of_a_file[sqlite]",)
_SELF = "tests/integration/subscribers/test_self_service.py"
_EXCHANGE = "publisher/posts/sources/exchange.py"
_FETCHER = "publisher/posts/sources/fetcher.py"
_FETCHES = "tests/integration/posts/test_fetcher.py"
_SERVER = ("tests/integration/mail/test_several_servers.py::test_the_daily_quota_counts_all_runs",)

MUTANTS = (
    Mutant(
        "puts-in-a-job-that-waits",
        _QUEUE,
        "queueing_lock=name)",
        "queueing_lock=None)",
        (f"{_JOBS}::test_a_waiting_job_is_not_queued_twice",),
    ),
    Mutant(
        "takes-jobs-while-busy",
        _QUEUE,
        "if self._is_free(queue)]",
        "]",
        (f"{_JOBS}::test_a_busy_process_leaves_jobs_to_others",),
    ),
    Mutant(
        "sends-before-the-web-version",
        "publisher/daemon/jobs.py",
        "now + WITHOUT_RUN_SECONDS) <= now",
        "now) <= now",
        (f"{_SHARES}::test_a_process_without_posts_waits_for_web_versions",),
    ),
    Mutant("commits-without-fsync", _DATABASE, "PRAGMA synchronous = FULL", "PRAGMA synchronous = OFF", _PRAGMAS),
    Mutant("leaves-erased-data", _DATABASE, "PRAGMA secure_delete = ON", "PRAGMA secure_delete = OFF", _PRAGMAS),
    Mutant("hands-over-before-the-note", _LEDGER, "self._notes.append(noted)", "noted(1e12)", _NOTED),
    Mutant("sends-on-an-old-note", _CONNECTION, "self._loop.time() >= self._noted_until", "False", _OLD_NOTE),
    Mutant("notes-too-late", _LEDGER, "self._in_doubt.add(delivery_id)", "pass", _NOTED),
    Mutant(
        "goes-on-after-a-lost-lease",
        _LEDGER,
        "            self._lost = True\n            self._failed(error)\n",
        "            pass\n",
        _LOST,
    ),
    Mutant(
        "says-written-at-once",
        _LEDGER,
        "self._gathered.append((update, written))",
        "self._gathered.append((update, lambda: None)); written()",
        _WRITTEN,
    ),
    Mutant(
        "says-written-before-the-commit",
        _LEDGER,
        "group, self._gathered = self._gathered, []",
        "group, self._gathered = [(each, said() or (lambda: None)) for each, said in self._gathered], []",
        _WRITTEN,
    ),
    Mutant(
        "says-written-after-a-failure",
        _LEDGER,
        "self._failed(error)\n            return\n",
        "self._failed(error)\n",
        _NEVER_WRITTEN,
    ),
    Mutant("counts-past-the-quota", _LIMITS, "min(amount, max(0, self._per_day - used))", "amount", _COUNT),
    Mutant(
        "grants-turns-twice",
        _GRANTS,
        ".values(next_at=start + length)",
        ".values(next_at=start)",
        (f"{_GRANT}::test_a_second_grant_begins_where_the_first_ends",),
    ),
    Mutant(
        "grants-past-the-day",
        _GRANTS,
        "min(recipients, per_day - used)",
        "recipients",
        (f"{_GRANT}::test_several_workers_never_exceed_the_daily_recipients",),
    ),
    Mutant("keeps-missed-turns", _SHARED, "if missed <= 0:", "if True:", (f"{_TURN}::test_a_missed_turn_is_lost",)),
    Mutant("sends-past-the-count", _LIMITS, "return self._reserved > 0", "return True", _COUNT),
    Mutant(
        "never-asks-for-the-quota",
        "publisher/mail/smtp/pool.py",
        "return self._quota is not None and not self._quota.left()",
        "return False",
        _SERVER,
    ),
    Mutant(
        "subscribes-again-by-a-file",
        _STATUSES,
        "_E.IMPORTED: (_S.SUBSCRIBED, _S.SUBSCRIBED, None, None)",
        "_E.IMPORTED: (_S.SUBSCRIBED, _S.SUBSCRIBED, _S.SUBSCRIBED, None)",
        ("tests/unit/core/test_subscription_status.py::test_only_the_subscriber_or_a_reason_can_undo_a_no",),
    ),
    Mutant(
        "widens-the-no-of-a-file",
        "publisher/store/departures.py",
        "if says is SubscriberEvent.LEFT and names and is_open:",
        "if False:",
        (f"{_IMPORTS}::test_the_order_of_files_does_not_matter[sqlite]",),
    ),
    Mutant(
        "forgets-a-no-to-everything",
        _STATUSES,
        "return causes == {SubscriptionEvent.FILE_LEFT_ONE}",
        "return True",
        _OWN_NO,
    ),
    Mutant(
        "keeps-a-no-narrow",
        "publisher/store/subscriptions.py",
        "these += [subscriptions.c.cause == SubscriptionEvent.FILE_LEFT_ONE] if after is before else []",
        "these += [sa.false()] if after is before else []",
        _OWN_NO,
    ),
    Mutant(
        "undoes-after-years",
        "publisher/subscribers/self_service.py",
        "long_ago = transaction.now - UNDO_WITHIN",
        "long_ago = transaction.now - UNDO_WITHIN * 999",
        (f"{_SELF}::test_undo_works_for_a_day[sqlite-daily]",),
    ),
    Mutant(
        "keeps-links-from-before-a-no",
        "publisher/store/subscriber_transaction.py",
        "            self.void(subscriber, consent.CONFIRM)\n        return after",
        "        return after",
        (f"{_SELF}::test_an_emailed_link_ends_with_certain_events[sqlite-removed]",),
    ),
    Mutant(
        "fetches-a-source-on-two-hosts",
        "publisher/store/sources.py",
        "        is_due = sources.c.next_at <= now\n",
        "        is_due = sa.true()\n",
        ("tests/integration/store/test_sources.py::test_each_due_source_is_claimed_by_one_host",),
    ),
    Mutant(
        "loses-an-item-with-a-used-guid",
        "publisher/posts/sources/identity.py",
        "    return abs(one - other) > FAR\n",
        "    return False\n",
        ("tests/unit/posts/test_source_identity.py::test_each_item_becomes_one_post",),
    ),
    Mutant(
        "leaves-out-what-made-room",
        "publisher/posts/sources/identity.py",
        "if index < last or not (is_old or len(listed) - last - 1 <= newer):",
        "if index < last or not is_old:",
        (
            "tests/unit/posts/test_source_identity.py::test_a_withdrawn_item_is_gone_and_one_that_moved_out_of_the_feed_is_not",
        ),
    ),
    Mutant(
        "connects-to-this-machine",
        _EXCHANGE,
        "            if reason := refusal(address, allow_private=self._allow_private):",
        "            if reason := refusal(address, allow_private=True):",
        (f"{_FETCHES}::test_nothing_reaches_an_address_that_is_not_public",),
    ),
    Mutant(
        "checks-the-first-address-only",
        _EXCHANGE,
        "        for address in addresses:\n",
        "        for address in addresses[:1]:\n",
        (f"{_FETCHES}::test_nothing_reaches_an_address_that_is_not_public",),
    ),
    Mutant(
        "resolves-again-after-the-check",
        _EXCHANGE,
        "        return addresses\n",
        "        return [host] if addresses == [host] else await self._network.resolve(host, port)\n",
        (f"{_FETCHES}::test_a_name_that_resolves_differently_the_second_time_gains_nothing",),
    ),
    Mutant(
        "shares-connections-to-private-networks",
        _EXCHANGE,
        "self._begin(request, self._pools[allow_private])",
        "self._begin(request, self._pools[True])",
        (f"{_FETCHES}::test_a_connection_to_a_private_address_serves_only_sources_that_may_use_it",),
    ),
    Mutant(
        "follows-from-https-to-http",
        _FETCHER,
        'if place.scheme == "https" and url[:5].lower() == "http:":',
        'if place.scheme == "never" and url[:5].lower() == "http:":',
        (f"{_FETCHES}::test_only_trusted_servers_are_read_and_https_is_never_downgraded",),
    ),
    Mutant(
        "sends-a-password-to-another-host",
        _FETCHER,
        "(request.user or request.password) and _is_same_host(first, place)",
        "(request.user or request.password)",
        (f"{_FETCHES}::test_a_password_is_sent_only_to_its_host",),
    ),
    Mutant(
        "inflates-without-a-limit",
        "publisher/posts/sources/inflating.py",
        "if self.size > self._limit:",
        "if self.size > self._limit * 1_000_000:",
        (f"{_FETCHES}::test_every_hostile_answer_ends_in_one_line",),
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the tests caught a mutant, in words, and how many seconds they took."""

    words: str
    seconds: float


def main(names: Sequence[str]) -> int:
    """Print the verdict on each mutant; return 1 unless an assertion caught every one of them."""
    chosen = [mutant for mutant in MUTANTS if mutant.name in names or not names]
    if unknown := set(names) - {mutant.name for mutant in chosen}:
        sys.stderr.write(f"no such mutant: {', '.join(sorted(unknown))}\n")
        return 2
    tests = tuple(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
    unchanged = judge(None, tests)
    if unchanged.words != SURVIVED:
        sys.stderr.write(f"the tests do not pass without a mutant: {unchanged.words}\n")
        return 1
    missed = 0
    for mutant in chosen:
        verdict = judge(mutant, mutant.tests)
        missed += verdict.words != CAUGHT
        _print(mutant.name, verdict)
    sys.stdout.write(f"{len(chosen) - missed} of {len(chosen)} caught by an assertion\n")
    return min(missed, 1)


def _print(name: str, verdict: Verdict) -> None:
    sys.stdout.write(f"{name:32} {verdict.words:24} {verdict.seconds:5.1f} s\n")
    sys.stdout.flush()


def judge(mutant: Mutant | None, tests: Sequence[str]) -> Verdict:
    """Run the tests in a copy of the checkout, broken by the mutant if there is one."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        shutil.copy(ROOT / "pyproject.toml", copy)
        for part in PARTS:
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        if mutant is not None:
            file = copy / mutant.file
            file.write_text(mutant.applied(file.read_text(encoding="utf-8")), encoding="utf-8")
        begun = time.monotonic()
        words = _watch(copy, tests)
        return Verdict(words, time.monotonic() - begun)


def _watch(copy: Path, tests: Sequence[str]) -> str:
    """Run the tests of a copy in their own process, and return how they ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.mutants", WATCHED, *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # servers started by a test end with it
    )
    try:
        said, _ = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "timed out"
    try:
        report = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        return "ended without a report"
    if report["assertions"]:
        return CAUGHT
    if report["others"] or report["code"]:
        return f"failed otherwise: {', '.join(report['others']) or report['code']}"
    return "skipped" if report["skipped"] else SURVIVED


class _Watch:
    """Collects the errors with which tests fail."""

    def __init__(self) -> None:
        self.assertions = self.skipped = 0
        self.others: list[str] = []

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        """Count failed assertions; a test that ran out of time does not count, although it ends with pytest.fail."""
        assert call.excinfo is not None
        error = call.excinfo.value
        if isinstance(error, AssertionError | pytest.fail.Exception) and not str(error).startswith("Timeout"):
            self.assertions += 1
        else:
            self.others.append(type(error).__name__)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count skipped tests."""
        self.skipped += report.skipped


def watched(tests: Sequence[str]) -> int:
    """Run tests in this process until the first fails, and print its error as the last line."""
    watch = _Watch()
    code = pytest.main(["-x", "-p", "no:cacheprovider", *tests], plugins=[watch])
    report = {"assertions": watch.assertions, "others": watch.others, "skipped": watch.skipped, "code": int(code)}
    sys.stdout.write(f"\n{json.dumps(report)}\n")
    return int(code)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(watched(arguments[1:]) if arguments[:1] == [WATCHED] else main(arguments))
