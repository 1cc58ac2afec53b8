"""Runs `python -m publisher` in forks of a process that has loaded it, because loading takes a second or two.

    process = Program([sys.executable, "-m", "publisher", "serve"], stdout=subprocess.PIPE, text=True)

behaves like a subprocess.Popen, and runs what `-m publisher` runs. It ends like Python, but without destroying its
modules, which would copy all shared memory. If Python would start differently, because of PYTHONIOENCODING or LC_ALL,
it starts a real interpreter; so do all tests about the start or the end itself.

One process with one thread forks the programs for all workers of a pytest run.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from importlib import import_module
from multiprocessing.connection import wait
from pathlib import Path
from pkgutil import walk_packages
from struct import Struct
from types import SimpleNamespace
from typing import Any, AnyStr

from tests.support import ROOT

ADDRESS = "TESTS_PROGRAM_SOCKET"
# Modules of others that the program loads only when it needs them.
_LATE = (
    "alembic.command",
    "alembic.config",
    "anyio._backends._asyncio",
    "babel.dates",
    "email_validator",
    "encodings.ascii",
    "encodings.utf_8_sig",
    "jinja2.ext",
    "jinja2.meta",
    "rich.console",
    "rich.progress",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "structlog",
    "uvicorn.protocols.http.h11_impl",
)
# What can be run, and the module whose function `main` does that.
_MODULES = {
    "publisher": "publisher.__main__",
    "benchmarks.mortal_rounds": "benchmarks.mortal_rounds",
    "tests.support.clocked_program": "tests.support.clocked_program",
    "tests.support.signalled_program": "tests.support.signalled_program",
}
_LARGEST = 1_000_000  # bytes of a request
_NUMBER = Struct("=q")
_STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}


def _of_python(environment: Any) -> dict[str, str]:
    """Return the variables that decide how an interpreter starts."""
    found = {name: value for name, value in environment.items() if name.startswith(("PYTHON", "LC_", "LANG"))}
    found.pop("PYTHONDONTWRITEBYTECODE", "")
    return found


_OURS = _of_python(os.environ | {"PYTHONPATH": str(ROOT)})


def start_forking() -> subprocess.Popen[bytes]:
    """Start the process that forks the others until its standard input is closed. It has loaded nothing yet."""
    os.environ[ADDRESS] = f"publisher-tests-{os.getpid()}"
    words = [sys.executable, "-m", "tests.support.forked_program"]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(1), "the process that forks the program did not start"
    return process


class Program(subprocess.Popen[AnyStr]):
    """A process of the program. It is not a child of this process: a connection reports its end."""

    _wire: socket.socket | None = None

    def _execute_child(self, args: list[str], *rest: Any) -> None:
        # The order and the names are those of Popen's own method.
        _, before, _, files, folder, given, _, _, _, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, *_ = rest
        environment = dict(os.environ if given is None else given)
        module = args[2] if args[:2] == [sys.executable, "-m"] else ""
        if module not in _MODULES or before or files or _of_python(environment) != _OURS:
            super()._execute_child(args, *rest)  # type: ignore[misc] - it is private
            return
        asked = {"module": module, "words": args[3:], "folder": str(folder or Path.cwd()), "environment": environment}
        streams = [own if own != -1 else number for number, own in enumerate((p2cread, c2pwrite, errwrite))]
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._wire.connect(f"\0{os.environ[ADDRESS]}")
        socket.send_fds(self._wire, [json.dumps(asked).encode()], streams)
        self.pid = self._number()
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]

    def _number(self) -> int:
        assert self._wire is not None
        received = self._wire.recv(_NUMBER.size)
        assert received, "the process that forks the program has ended"
        return int(_NUMBER.unpack(received)[0])

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._wire is None:
            return super()._try_wait(wait_flags)  # type: ignore[misc,no-any-return]
        if wait_flags & os.WNOHANG and not wait([self._wire], 0):  # select() would refuse numbers from 1,024 on
            return 0, 0
        return self.pid, self._number()

    def _internal_poll(self, *given: Any, **named: Any) -> int | None:
        if self._wire is None:
            return super()._internal_poll(*given, **named)  # type: ignore[misc,no-any-return]
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                pid, status = self._try_wait(os.WNOHANG)
                if pid:
                    self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


_COMMAND = f"""#!/bin/sh
exec "{sys.executable}" -c 'import sys
from tests.support.forked_program import Program
sys.exit(Program([sys.executable, "-m", "publisher", *sys.argv[1:]]).wait())' "$@"
"""


def with_command(folder: Path) -> dict[str, str]:
    """Put the command `publisher` into a new folder, and return an environment in which a shell finds it."""
    folder.mkdir()
    command = folder / "publisher"
    command.write_text(_COMMAND)
    command.chmod(0o755)
    return os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


class _Forked(subprocess.Popen[bytes]):
    """Runs the starter of `publisher run` in a fork of this process, which has loaded it, if there is one thread."""

    def _execute_child(self, args: list[str], *rest: Any) -> None:
        if args[1:4] != ["-P", "-m", "publisher.daemon.starter"] or len(list(Path("/proc/self/task").iterdir())) > 1:
            super()._execute_child(args, *rest)  # type: ignore[misc] - it is private
            return
        kept, pipes = rest[3], rest[9:15]
        self.pid = os.fork()
        if not self.pid:
            try:
                _be_the_starter(args[4:], kept)
            finally:
                os._exit(1)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def _be_the_starter(numbers: list[str], kept: list[int]) -> None:
    from publisher.daemon import starter

    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if number > 2 and number not in kept:
            with suppress(OSError):  # the descriptor of the list itself
                os.close(number)
    sys.argv[1:] = numbers
    starter.main()
    os._exit(0)


class _Forker:
    """Forks the requested processes, and reports how each ended."""

    def __init__(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(f"\0{os.environ[ADDRESS]}")
        self._listener.listen(100)
        self._woken, self._waking = socket.socketpair()
        self._running: dict[int, socket.socket] = {}
        for end in (self._woken, self._waking):
            end.setblocking(False)
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # without a handler, no wake-up would be written
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> tuple[dict[str, Any], list[int]] | None:
        """Return the request and its standard streams in each forked process, and None in this process at the end."""
        while True:
            ready, _, _ = select.select([self._listener, self._woken, 0], [], [])
            if 0 in ready:
                return None
            if self._woken in ready:
                self._woken.recv(512)
                self._tell_ends()
            if self._listener in ready:
                wire, _ = self._listener.accept()
                data, files, _, _ = socket.recv_fds(wire, _LARGEST, 3)
                if not data:  # the caller has ended
                    wire.close()
                    continue
                _load()
                pid = os.fork()
                self._running[pid] = wire
                if not pid:
                    self._leave()
                    return json.loads(data), files
                with suppress(ConnectionError):  # the same
                    wire.sendall(_NUMBER.pack(pid))
                for file in files:
                    os.close(file)

    def _tell_ends(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._running.pop(pid) as wire, suppress(ConnectionError):  # the caller may have ended
                wire.sendall(_NUMBER.pack(status))

    def _leave(self) -> None:
        """Close, in a forked process, what belongs only to its parent."""
        signal.set_wakeup_fd(-1)
        for each in (self._listener, self._woken, self._waking, *self._running.values()):
            each.close()


def _load() -> None:
    """Load the program, and do what each process would otherwise do when it first needs it."""
    if "publisher.cli.main" in sys.modules:
        return
    for name in (*_modules(), *_LATE):
        import_module(name)
    _compile()
    _be_patient()
    gc.collect()
    gc.freeze()


def _compile() -> None:
    """Compile the templates, the patterns and the constructors of the program, and read how English writes a date."""
    from publisher.core import frozen, patterns
    from publisher.core.i18n import civil_date
    from publisher.core.templates import Templates, shipped_folder

    folder = shipped_folder()
    templates = Templates(folder)
    for kind in ("*.html", "*.txt"):
        for file in sorted(folder.rglob(kind)):
            templates.require_valid(name := file.relative_to(folder).as_posix())
            templates.family(name)
    civil_date(date(2026, 11, 30), "en")
    for each in gc.get_objects():
        if isinstance(each, patterns._Pattern):
            each.search  # noqa: B018 - the first use of a pattern compiles it
        elif isinstance(each, type) and getattr(vars(each).get("__init__"), "__module__", "") == frozen.__name__:
            each.__init__ = frozen._compiled_init(each)  # type: ignore[misc]


def _be_patient() -> None:
    """Let the program take longer to end than it may outside of tests, because a busy machine is slow."""
    from publisher.daemon import main_thread
    from publisher.mail.smtp import sending_loop

    sending_loop.GRACE_SECONDS, main_thread.STOP_SECONDS, main_thread.HURRY_SECONDS = 120.0, 240.0, 60.0


def _modules() -> Iterator[str]:
    """Return the names of all modules of the program except the migrations, which only Alembic can load."""
    import publisher

    for module in walk_packages(publisher.__path__, "publisher."):
        if ".migrations." not in module.name:
            yield module.name


def _become(asked: dict[str, Any], files: list[int]) -> None:
    """Make the process look as if an interpreter had just started to run the program."""
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for (name, mode), file, number in zip(_STREAMS.items(), files, range(3), strict=True):
        os.dup2(file, number)
        os.close(file)
        old = getattr(sys, name)
        new = open(number, mode, 1 if name == "stderr" else -1, old.encoding, old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    os.chdir(asked["folder"])
    sys.path[0] = asked["folder"]
    sys.argv[1:] = asked["words"]


def main() -> None:
    """Fork processes of the program on request, until standard input ends."""
    forker = _Forker()
    os.write(1, b"\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if forked := forker.serve():
        _become(*forked)
        from publisher.daemon import child_processes

        run = import_module(_MODULES[forked[0]["module"]]).main

        vars(child_processes)["subprocess"] = SimpleNamespace(**vars(subprocess) | {"Popen": _Forked})
        try:
            sys.exit(run())
        except SystemExit as ended:
            _end(ended.code or 0)
            raise


def _end(code: Any) -> None:
    """End like Python, but without destroying the modules. Return if an output is full, so that Python reports it."""
    threading._shutdown()  # type: ignore[attr-defined] - waits for the threads that are not daemons
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
