"""Runs a program once and measures what it uses; finds programs and a file system in memory."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run of a program used: CPU (user and system) and wall seconds, and its peak memory.

    peak_mib includes this process's own size at the moment of the start: Linux counts a child from before
    its exec. Keep the measuring process small, and read large results only after the last run.
    """

    cpu: float
    wall: float
    peak_mib: float


class RunFailedError(Exception):
    """A measured program failed; the message contains its output."""


def run(command: Sequence[str | Path], folder: Path) -> Usage:
    """Run the command in `folder` to its end and return what it and its children used.

    Its output goes to a file, not to a pipe, so that this process does nothing meanwhile. Begin with a run that is
    not counted, so that Python can save its compiled modules.
    Raises RunFailedError when it exits with anything but 0.
    """
    words = [os.fspath(word) for word in command]
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(words, cwd=folder, env=_plain_environment(), stdout=output, stderr=output)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for; Popen must not wait again
        if status != 0:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2_000:]
            raise RunFailedError(f"{' '.join(words)} ended with {child.returncode}:\n{said}")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    peak = used.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return Usage(used.ru_utime + used.ru_stime, wall, peak)


def _plain_environment() -> dict[str, str]:
    """Return the environment without the variables that change Python's speed.

    Where PYTHONDONTWRITEBYTECODE is set, as in many containers, every start would compile every module again.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def find_program(name: str, given: str = "") -> Path | None:
    """Return a program's path: the given one, or next to this Python, or on PATH; None if there is none."""
    if given:
        return Path(found).resolve() if (found := shutil.which(given)) else None
    beside = Path(sys.executable).parent / name
    if beside.exists():
        return beside
    return Path(found) if (found := shutil.which(name)) else None


def memory_folder() -> tuple[Path, bool]:
    """Return a folder for scratch files, and whether it is in memory.

    On a disk, creating a file takes 36 to 700 microseconds, varying by the minute: more than the time to measure.
    """
    candidates = [Path("/dev/shm"), Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"))]
    for folder in candidates:
        if _is_tmpfs(folder) and os.access(folder, os.W_OK):
            return folder, True
    return Path(tempfile.gettempdir()), False


def _is_tmpfs(folder: Path) -> bool:
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(line.split()[1:3] == [os.fspath(folder), "tmpfs"] for line in mounts)


def median(values: Sequence[float]) -> float:
    """Return the median, or NaN for an empty list."""
    return statistics.median(values) if values else float("nan")


def median_usage(usages: Sequence[Usage]) -> Usage:
    """Return the median of each figure separately."""
    return Usage(
        median([usage.cpu for usage in usages]),
        median([usage.wall for usage in usages]),
        median([usage.peak_mib for usage in usages]),
    )
