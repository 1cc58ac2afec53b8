"""A child process calls functions within limits, and the caller gets an answer even if the child dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.posts.bounded_process import BoundedProcess, Limit, OverLimit, TimeLimit
from tests.support import ROOT
from tests.support.bounded_calls import (
    abort,
    add,
    end_by,
    end_by_unless_there,
    fail,
    fill_memory,
    fill_memory_noted,
    leave,
    longer_than,
    match_for_ever,
    open_files,
    process_id,
    recurse,
    size_of,
    spin,
    spin_after,
)
from tests.support.web_client import until

pytestmark = pytest.mark.slow  # all of them together

MEMORY = 150_000_000
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


class Counted(str):
    """A state that counts how often it is sent to the child process."""

    sent = 0

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        Counted.sent += 1
        return str, ("four",)


@pytest.fixture(params=[True, False], ids=["forked", "new interpreter"])
def process(request: pytest.FixtureRequest) -> Iterator[BoundedProcess]:
    process = BoundedProcess(memory=MEMORY, fork=request.param)
    yield process
    process.end()


def over(process: BoundedProcess, function: object, *args: object, seconds: float = 20.0) -> OverLimit:
    with pytest.raises(OverLimit) as caught:
        process.call(function, *args, seconds=seconds)  # type: ignore[arg-type]
    return caught.value


def is_there(pid: int) -> bool:
    """Return whether a process is running. A zombie is not running."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pid: int) -> bool:
    return until(lambda: not is_there(pid))


def test_nothing_is_started_before_the_first_call(process: BoundedProcess) -> None:
    assert process.pid == 0


def test_calls_are_answered_by_one_child(process: BoundedProcess) -> None:
    assert process.call(add, 1, 2, seconds=20) == 3
    child = process.call(process_id, seconds=20)
    assert child == process.pid
    assert child != os.getpid()
    assert process.call(process_id, seconds=20) == child


def test_a_state_is_sent_once_whatever_calls_come_in_between(process: BoundedProcess) -> None:
    state, before = Counted("four"), Counted.sent
    for text in ("long enough", "not"):
        assert process.call(longer_than, text, seconds=20, state=state) is (text == "long enough")
        assert process.call(add, 1, 2, seconds=20) == 3
    assert Counted.sent <= before + 1  # none if the child was forked with it


def test_a_call_may_set_another_limit_for_its_rest(process: BoundedProcess) -> None:
    assert process.call(spin_after, 60, seconds=0.5) == "done"
    with pytest.raises(OverLimit):
        process.call(spin_after, 0.05, seconds=60)


def test_a_state_is_an_argument_of_the_calls_that_have_it(process: BoundedProcess) -> None:
    answers = [process.call(longer_than, "four", seconds=20, state=state) for state in ("x", "x", "longer", "y")]
    assert answers == [True, True, False, True]
    assert process.call(add, 1, 2, seconds=20) == 3


def test_large_arguments_and_results_arrive(process: BoundedProcess) -> None:
    assert len(process.call(size_of, b"x" * 3_000_000, seconds=20)) == 6_000_000


@pytest.mark.parametrize("endless", [spin, match_for_ever])
def test_a_call_ends_at_its_time_limit(process: BoundedProcess, endless: object) -> None:
    found = over(process, endless, seconds=0.1)
    assert (found.limit, found.lasting) == (Limit.TIME, True)
    assert found.said("to render") == "takes longer than 0.1 s to render"
    assert process.call(add, 1, 2, seconds=20) == 3


@pytest.mark.parametrize("hungry", [fill_memory, abort])
def test_a_call_ends_at_its_memory_limit(process: BoundedProcess, hungry: object) -> None:
    assert over(process, hungry).said("to render") == "takes more than 150 MB of memory to render"
    assert process.call(add, 1, 2, seconds=20) == 3


def test_a_call_that_fills_the_memory_of_a_new_child_is_not_made_twice(process: BoundedProcess, tmp_path: Path) -> None:
    noted = tmp_path / "calls"
    for calls in (1, 2):
        assert over(process, fill_memory_noted, str(noted)).limit is Limit.MEMORY
        assert noted.read_text() == calls * "x"
    process.call(add, 1, 2, seconds=20)
    assert over(process, fill_memory_noted, str(noted)).limit is Limit.MEMORY
    assert noted.read_text() == "xxxx"  # the memory of the first child may have been full


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL])
def test_a_crash_is_reported_with_its_signal(process: BoundedProcess, number: int) -> None:
    found = over(process, end_by, number)
    assert (found.limit, found.lasting) == (Limit.CRASH, True)
    assert signal.Signals(number).name in found.said("to render")
    assert process.call(add, 1, 2, seconds=20) == 3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_call_is_tried_again_if_it_may_not_be_the_cause(process: BoundedProcess, number: int, tmp_path: Path) -> None:
    process.call(add, 1, 2, seconds=20)
    assert process.call(end_by_unless_there, number, str(tmp_path / "died"), seconds=20) == "lives"


def test_a_call_whose_child_is_killed_twice_is_not_blamed_for_ever(process: BoundedProcess) -> None:
    assert over(process, end_by, signal.SIGKILL).lasting is False


def test_the_exit_of_a_child_is_an_answer(process: BoundedProcess) -> None:
    assert over(process, leave).limit is Limit.CRASH


def test_endless_recursion_is_reported_as_too_deep(process: BoundedProcess) -> None:
    assert over(process, recurse).said("to render") == "is nested too deeply to render"


def test_an_exception_of_the_function_is_passed_on(process: BoundedProcess) -> None:
    with pytest.raises(ValueError, match="a defect"):
        process.call(fail, seconds=20)
    assert process.call(add, 1, 2, seconds=20) == 3


def test_a_child_has_no_open_files_of_the_parent(process: BoundedProcess, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w"):
        files = process.call(open_files, seconds=20)
    assert str(tmp_path / "lock") not in files
    assert sum(name.startswith("pipe:") for name in files) == 3


def test_ending_the_process_ends_the_child(process: BoundedProcess) -> None:
    child = process.call(process_id, seconds=20)
    process.end()
    assert not is_there(child)
    assert process.call(process_id, seconds=20) != child


def test_threads_share_a_child(process: BoundedProcess) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(process.call(add, n, 0, seconds=20))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(8))


def test_a_process_with_threads_starts_a_new_interpreter_and_one_without_forks() -> None:
    script = """
import sys, threading
from publisher.posts.bounded_process import BoundedProcess
from tests.support.bounded_calls import command_line
for alone in (True, False):
    if not alone:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    process = BoundedProcess()
    print(process.call(command_line, seconds=20) != command_line())
    process.end()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("fork", [True, False])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_child_outlives_its_parent_even_in_the_middle_of_a_call(fork: bool, number: int, tmp_path: Path) -> None:
    script = f"""
from publisher.posts.bounded_process import BoundedProcess
from tests.support.bounded_calls import process_id, match_for_ever
process = BoundedProcess(fork={fork})
print(process.call(process_id, seconds=60), flush=True)
process.call(match_for_ever, {str(tmp_path / "begun")!r}, seconds=600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=ENVIRONMENT,
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        until(lambda: (tmp_path / "begun").exists())
        assert is_there(child)
        parent.send_signal(number)
        parent.wait()
    assert wait_until_gone(child)


@pytest.mark.parametrize(("size", "seconds"), [(0, 2.0), (60_000, 2.0), (1_060_000, 12.0)])
def test_the_time_grows_with_the_size(size: int, seconds: float) -> None:
    assert TimeLimit().for_size(size) == seconds
