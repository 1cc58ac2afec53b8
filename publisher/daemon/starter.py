"""The program that forks the web application and the builds. Only `child_processes` runs it.

It has a single thread and has loaded everything that its processes need, so a fork is safe, takes a few milliseconds
and shares memory. It opens no file and no database, and it holds no lock of the project. When the parent ends, the
control connection is closed, and this program ends too. The kernel then ends the processes, because their lifelines are
closed as well.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

from publisher.daemon.build_process import run_one_build
from publisher.daemon.child_processes import BUILD, ENDED, RECORD, STARTED, WEB, BuildNote
from publisher.daemon.reporting import log_defect
from publisher.daemon.web_process import run_web

# What each build and web application would otherwise load only when needed, perhaps when no file can be opened.
_LATE = ("publisher.site.build.rebuild",)
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_NAME = 15
# How eagerly the kernel ends a process when memory runs out: builds first, and the sender, which has 0, last.
_OOM_SCORES = {WEB: 300, BUILD: 700}
_MOST_FILES = 3


def main() -> None:
    """Start processes on request, and report when they end, until the control connection is closed."""
    control, *listeners = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    for listener in listeners:
        listener.set_inheritable(False)
    control.set_inheritable(False)
    _name("publisher start")
    for module in _LATE:
        import_module(module)
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)  # otherwise it is not written to the pipe
    # So many objects live until the end that looking for cycles among them would only copy memory.
    gc.collect()
    gc.freeze()
    with suppress(ConnectionError):
        while True:
            ready, _, _ = select.select([control.fileno(), reading], [], [])
            if reading in ready:
                os.read(reading, 512)
                _report_ended(control)
            if control.fileno() in ready:
                request, received, _, _ = socket.recv_fds(control, 1, _MOST_FILES)
                if not request:
                    return
                pid = _fork(request, received, control, listeners)
                control.sendall(RECORD.pack(STARTED, pid, 0))


def _report_ended(control: socket.socket) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            control.sendall(RECORD.pack(ENDED, pid, status))


def _fork(kind: bytes, files: list[int], control: socket.socket, listeners: list[socket.socket]) -> int:
    """Fork. In this process, return the id of the new process; in the new process, do its work and end."""
    pid = os.fork()
    if pid:
        for file in files:
            os.close(file)
        return pid
    code = 1
    try:
        _become_child(kind, files[1])
        control.close()
        with Connection(files[0]) as connection:
            if kind == WEB:
                code = run_web(connection, listeners)
            else:
                for listener in listeners:
                    listener.close()
                code = run_one_build(connection, BuildNote(files[2]))
    except Exception as error:  # noqa: BLE001 - it ends this process; the parent hears of it
        log_defect(error)
    finally:
        os._exit(code)


def _become_child(kind: bytes, lifeline: int) -> None:
    """Reset the signals to their defaults, and let the kernel end this process when the lifeline is closed.

    It then sends SIGIO, which ends the process whatever it is doing, even in the middle of a function in C.
    """
    signal.set_wakeup_fd(-1)
    for number in (*_SIGNALS, signal.SIGIO):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform != "linux":  # elsewhere SIGIO does not end a process by default
        signal.signal(signal.SIGIO, lambda number, frame: os._exit(1))
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # the parent has already ended
        os._exit(1)
    _name("publisher web" if kind == WEB else "publisher build")
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORES.get(kind, 0)), encoding="ascii")


def _name(name: str) -> None:
    """Set the name that `ps` and `top` show."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()))


if __name__ == "__main__":
    main()
