"""Samples, every few milliseconds, where a Python program and the processes that it forks spend their user time.

    python benchmarks/sampler.py FILE FOLDER MODULE [WORD ...]

Runs MODULE of the checkout in FOLDER with the words as arguments, and adds a line to FILE for each sample: the running
function. Time in a C or Rust library counts towards the function that calls it. benchmarks.profile reads the file. This
file imports nothing of the project, so that it can run older checkouts.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path
from types import FrameType

_SECONDS = 0.002


def main() -> None:
    """Run the module, and sample it and its forks until it ends."""
    file, folder, module, *words = sys.argv[1:]
    where = os.fspath(Path(file).resolve())

    def look(number: int, frame: FrameType | None) -> None:
        if frame is not None:
            # Opened each time, because a process may close all its files and reuse their descriptors.
            opened = os.open(where, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.write(opened, f"{_named(frame)}\n".encode())
            os.close(opened)

    def start() -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS, _SECONDS)

    signal.signal(signal.SIGVTALRM, look)
    os.register_at_fork(after_in_child=start)
    sys.path[0] = folder
    sys.argv = [module, *words]
    start()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)  # an interpreter that is ending removes its handlers


def _named(frame: FrameType) -> str:
    """Return the module and the function of a frame, or the template and its block."""
    code = frame.f_code
    module = str(frame.f_globals.get("__name__", ""))
    if module == "__main__" or code.co_filename.endswith((".html", ".xml")):
        module = Path(code.co_filename).name
    return f"{module}: {code.co_qualname}"


if __name__ == "__main__":
    main()
