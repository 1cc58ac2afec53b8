"""The child of a BoundedProcess: it reads calls from one pipe, calls the functions, and writes the results to another.

The kernel ends it when a call has used its processor time (SIGPROF), and when the parent's end of a third pipe, the
lifeline, is closed (SIGIO), which happens as soon as the parent ends, however it ends. Neither needs code in the child,
so both work even while a pattern or a C library is running. This module imports little, because a new interpreter
starts with it.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pickle
import resource
import select
import signal
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

# The numbers of the pipes in the child: calls, results, lifeline.
FIRST_FD = 3

# Represents the state that the child already has.
SAME_STATE = "the same state"

# Seconds without a call after which a child ends, so that a server that builds once a day does not keep one.
IDLE_SECONDS = 60.0

_HEAD = 8  # bytes of a message's length

# A message that is smaller takes one page of a pipe on Linux, and never two. Pipes have 16 pages at first.
_PAGE, _PAGES = 4096, 16

# How many calls and answers, in bytes, the pipes should have room for, so that a child can work for a tenth of a second
# while the parent does something else.
_CALLS, _ANSWERS = 128 * _PAGE, 1 << 20

# Whether this process is the child of a BoundedProcess, so that everything it calls is already bounded.
is_child = False


class Limit(StrEnum):
    """The limit that a call exceeded."""

    TIME = "time"
    MEMORY = "memory"
    DEPTH = "depth"  # the recursion limit of Python
    CRASH = "crash"  # the child was ended by a signal, such as a segmentation fault
    WAIT = "wait"  # no answer came, although the child did not use up its time


def send(handle: int, data: bytes) -> None:
    """Write a message to a pipe."""
    view = memoryview(len(data).to_bytes(_HEAD, "big") + data)
    while view:
        view = view[os.write(handle, view) :]


def widen(requests: int, replies: int) -> int:
    """Make the pipes of a child larger if the system allows that; return how many calls there is room for."""
    if not hasattr(fcntl, "F_SETPIPE_SZ"):  # only Linux has it
        return _PAGES
    for pipe, size in ((requests, _CALLS), (replies, _ANSWERS)):
        with suppress(OSError):  # all pipes of a user have a limit
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
    return fcntl.fcntl(requests, fcntl.F_GETPIPE_SZ) // _PAGE


class Messages:
    """The messages that arrive in a pipe."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._buffer = b""
        self._poll = select.poll()
        self._poll.register(handle, select.POLLIN)

    def is_there(self, seconds: float) -> bool:
        """Wait until a message begins or the pipe is closed; return False if neither happens within the time given."""
        return bool(self._buffer or self._poll.poll(seconds * 1000))

    def take(self) -> bytes | None:
        """Return the next message; None if the other end was closed before it was complete."""
        if not self._fill(_HEAD):
            return None
        end = _HEAD + int.from_bytes(self._buffer[:_HEAD], "big")
        if not self._fill(end):
            return None
        message, self._buffer = self._buffer[_HEAD:end], self._buffer[end:]
        return message

    def _fill(self, size: int) -> bool:
        parts, have = [self._buffer], len(self._buffer)
        while have < size:
            part = os.read(self.handle, max(1 << 16, size - have))
            if not part:
                return False
            parts.append(part)
            have += len(part)
        self._buffer = parts[0] if len(parts) == 1 else b"".join(parts)
        return True


def main() -> NoReturn:
    """Serve the calls of the process that started this interpreter."""
    serve(int(sys.argv[1]), int(sys.argv[2]), None)


def serve(parent: int, memory: int, state: Any) -> NoReturn:
    """Serve calls until the parent closes the pipe, or for a minute without a call.

    parent  the process id of the parent
    memory  bytes that this process may use beyond what it uses now
    state   the state of the first calls
    """
    global is_child
    is_child = True
    requests, replies, lifeline = range(FIRST_FD, FIRST_FD + 3)
    os.closerange(FIRST_FD + 3, min(os.sysconf("SC_OPEN_MAX"), 1 << 20))  # the parent's files, locks and connections
    _take_signals(lifeline)
    _limit_memory(memory)
    gc.freeze()  # nothing that was inherited is collected here: it would be copied first
    gc.set_threshold(100_000, 20, 20)  # a build looks for cycles less often, but its memory has no limit
    calls = Messages(requests)
    while calls.is_there(IDLE_SECONDS) and os.getppid() == parent and (data := calls.take()):
        passed, has_state, seconds, function, args = pickle.loads(data)  # noqa: S301 - from our own parent
        state = state if isinstance(passed, str) and passed == SAME_STATE else passed
        answer, goes_on = _called(seconds, function, (state, *args) if has_state else args)
        send(replies, answer)
        if not goes_on:
            break
    os._exit(0)


def allow(seconds: float) -> None:
    """Limit the rest of the current call to `seconds` of processor time, whatever it has used so far."""
    if is_child:
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _called(seconds: float, function: Any, args: tuple[Any, ...]) -> tuple[bytes, bool]:
    """Return the pickled answer to a call, and whether this process can take another call."""
    goes_on = True
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        answer = pickle.dumps((True, function(*args)), 5)
    except MemoryError:
        answer, goes_on = pickle.dumps((False, Limit.MEMORY), 5), False
    except RecursionError:
        answer = pickle.dumps((False, Limit.DEPTH), 5)
    except BaseException as error:  # noqa: BLE001 - the caller gets it, even a panic of a library in Rust
        answer = _pickled(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return answer, goes_on


def _pickled(error: BaseException) -> bytes:
    try:
        data = pickle.dumps((False, error), 5)
        pickle.loads(data)  # noqa: S301 - some exceptions can be pickled, but not read
    except Exception:  # noqa: BLE001 - whatever it is
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")), 5)
    return data


def _take_signals(lifeline: int) -> None:
    """Let the kernel end this process at its limits and when its parent ends, and leave Ctrl-C to the parent."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGPROF, signal.SIGIO, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform != "linux":  # elsewhere SIGIO does not end a process; this does, between two steps of Python
        signal.signal(signal.SIGIO, lambda number, frame: os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        os._exit(0)  # the parent has ended already


def _limit_memory(memory: int) -> None:
    """Limit the memory of this process, and write no core files. Without such limits, only the time is limited."""
    size, data = _memory_in_use()
    for name, used in (("RLIMIT_AS", size), ("RLIMIT_DATA", data), ("RLIMIT_CORE", -memory)):
        kind = getattr(resource, name, None)
        if kind is not None:
            soft, hard = resource.getrlimit(kind)
            wanted = [used + memory, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (min(wanted), hard))


def _memory_in_use() -> tuple[int, int]:
    """Return the size of this process's address space, and of its private data, in bytes; a guess without /proc."""
    try:
        pages = [int(word) for word in Path("/proc/self/statm").read_bytes().split()]
    except OSError:
        return 10**12, 10**9
    page = os.sysconf("SC_PAGE_SIZE")
    return pages[0] * page, pages[5] * page
