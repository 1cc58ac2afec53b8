"""A child process that calls functions for this one, with limits on the time and the memory of each call.

A pattern or a parser that never ends cannot be interrupted from inside its process, and a parser that fills the memory
or overruns the stack ends its process. So whatever a stranger or an author wrote is parsed in a child: the kernel ends
the child at its limit, the caller gets an OverLimit, and the next call starts a new child.
docs/decisions/0027-bounded-rendering.md has the reasons. bounded_child.py is the other side.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import Any

from publisher.core.frozen import dataclass
from publisher.posts.bounded_child import FIRST_FD, SAME_STATE, Limit, Messages, send, serve, widen

# The memory that a child may use beyond what it has when it starts. A new interpreter has 40 MB.
MEMORY = 400_000_000

# A call may wait for this many times its limit of processor time, on a computer that is busy with other things.
_PATIENCE = 15
_LEAST_WAIT = 30.0

# How large a call may be that a child is sent before it has answered those before it. Each takes a page of the pipe,
# which has as many pages as calls are sent, so neither process waits for the other to read.
_SMALL = 3500

# Signals with which a user, a service manager or a system that is out of memory ends a process, whatever it is doing.
_FROM_OUTSIDE = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL))


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The processor time that a call may take, which depends on the size of what it reads.

    seconds  for the first 60 KB
    per_mb   seconds for each further megabyte
    """

    seconds: float = 2.0
    per_mb: float = 10.0

    def for_size(self, size: int) -> float:
        """Return the limit in seconds for a number of bytes."""
        return self.seconds + self.per_mb * max(0, size - 60_000) / 1_000_000


class OverLimit(Exception):  # noqa: N818 - it is the caller's business whether this is an error
    """A call exceeded a limit.

    amount   the limit as text, such as "2 s", or the name of the signal that ended the child
    lasting  whether the same call would exceed the limit again; False if the computer may have been the reason
    """

    def __init__(self, limit: Limit, amount: str = "", *, lasting: bool = True) -> None:
        super().__init__(f"{limit}: {amount}")
        self.limit, self.amount, self.lasting = limit, amount, lasting

    def said(self, purpose: str) -> str:
        """Return the reason as the end of a sentence about the text that was read. purpose: such as "to render"."""
        return _SAID[self.limit].format(amount=self.amount, purpose=purpose)


_SAID = {
    Limit.TIME: "takes longer than {amount} {purpose}",
    Limit.MEMORY: "takes more than {amount} of memory {purpose}",
    Limit.DEPTH: "is nested too deeply {purpose}",
    Limit.CRASH: "crashes the process that tries {purpose} it ({amount})",
    Limit.WAIT: "gave no result within {amount} of trying {purpose} it",
}


class Call:
    """A call that was begun. BoundedProcess.result waits for its result."""

    def __init__(self, state: Any, seconds: float, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.state, self.seconds, self.wanted = state, seconds, (seconds, function, args)
        self.is_done = self.is_again = False
        self._value: Any = None
        self._error: BaseException | None = None

    def finish(self, value: Any, error: BaseException | None = None) -> None:
        """Keep the result of the call, or its error."""
        self.is_done, self._value, self._error = True, value, error

    def result(self) -> Any:
        """Return the result of a call that is done, or raise its error."""
        if self._error is not None:
            raise self._error
        return self._value


class BoundedProcess:
    """A child process that is started by the first call, and again after a call that exceeded a limit.

    The child is forked if this process has only one thread, which takes a few milliseconds. Otherwise a lock that a
    different thread holds would stay locked in the child for ever, so a new interpreter is started instead. The child
    has none of this process's files, and ends as soon as this process does, however it ends. After a minute without a
    call it ends by itself.
    """

    def __init__(self, *, memory: int = MEMORY, fork: bool | None = None) -> None:
        """Start nothing yet.

        memory  bytes that the child may use beyond what it has when it starts
        fork    whether to fork; by default, whether this process has only one thread
        """
        self._memory, self._fork = memory, fork
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._waiting: deque[Call] = deque()
        self._sent: deque[Call] = deque()

    def call(self, function: Callable[..., Any], *args: Any, seconds: float, state: Any = None) -> Any:
        """Return function(*args), or function(state, *args) if there is a state, called in the child.

        function  a function of a module; it must not depend on what this process has changed since it started
        args      arguments that can be pickled, as must the result
        seconds   the processor time that the call may take
        state     an argument that many calls share; it is passed to the child only when it changes
        Raises OverLimit, and what the function raises. If the child had answered other calls before it died, the call
        is tried once more in a new child.
        """
        return self.result(self.begin(function, *args, seconds=seconds, state=state))

    def begin(self, function: Callable[..., Any], *args: Any, seconds: float, state: Any = None) -> Call:
        """Begin a call, and return immediately. The child makes calls in the order in which they were begun."""
        call = Call(state, seconds, function, args)
        with self._lock:
            self._waiting.append(call)
            self._send_waiting()
        return call

    def result(self, call: Call) -> Any:
        """Return the result of a call that was begun, or raise what `call` raises."""
        with self._lock:
            while not call.is_done:
                self._send_waiting()
                self._receive()
        return call.result()

    def start(self, state: Any) -> None:
        """Start the child now, unless there is one, so that it inherits nothing that this process makes later.

        state  see call
        """
        with self._lock:
            self._child = self._child or self._started(state)

    def withdraw(self, calls: Iterable[Call]) -> None:
        """Forget calls whose results are no longer needed. Calls that were already sent to the child are still made."""
        with self._lock:
            gone = set(map(id, calls))
            self._waiting = deque(call for call in self._waiting if id(call) not in gone)

    def end(self) -> None:
        """End the child, if there is one. The next call starts a new one."""
        with self._lock:
            self._discard()

    def forget(self) -> None:
        """Close the pipes of an inherited child without ending it, since it is the parent's."""
        if self._child is not None:
            self._child.close()
            self._child = None

    @property
    def pid(self) -> int:
        """The process id of the child; 0 if there is none."""
        return self._child.pid if self._child else 0

    def _send_waiting(self) -> None:
        """Send the next calls, as many as fit into a pipe, so that neither side waits for the other to read."""
        while self._waiting:
            call = self._waiting[0]
            child = self._child = self._child or self._started(call.state)
            if self._sent and (len(self._sent) >= child.ahead or not child.has_state(call.state)):
                return
            message = child.message(call)
            if self._sent and len(message) > _SMALL:
                return
            self._sent.append(self._waiting.popleft())
            child.send(message, call.state)

    def _receive(self) -> None:
        """Receive the answer to the first call that was sent, or find out why the child died."""
        child, call = self._child, self._sent[0]
        assert child is not None  # noqa: S101 - a call was sent to it
        fresh = not child.answered
        try:
            call.finish(*child.answer(call.seconds))
            self._sent.popleft()
        except _GoneError:
            self._discard()  # it had ended by itself, before it got the call
        except _DiedError as died:
            if call.is_again or died.over.limit in (Limit.TIME, Limit.WAIT) or (fresh and died.lasting):
                call.finish(None, died.over)
                self._sent.popleft()
            call.is_again = True
            self._discard()
        except BaseException:  # such as Ctrl-C; the answer would be taken for that of the next call
            self._discard()
            raise

    def _started(self, state: Any) -> _Child:
        alone = _is_alone() if self._fork is None else self._fork
        return _forked(state, self._memory) if alone else _spawned(self._memory)

    def _discard(self) -> None:
        """End the child. Calls that were sent to it but not answered will be sent to the next child."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        if self._child is not None:
            self._child.end()
            self._child = None


class _GoneError(Exception):
    """The child had ended before the call reached it."""


class _DiedError(Exception):
    """The child died during the call. lasting: whether the call was certainly the reason."""

    def __init__(self, over: OverLimit, *, lasting: bool) -> None:
        super().__init__(str(over))
        self.over, self.lasting = over, lasting


class _Child:
    """A running child, and this process's ends of its pipes.

    lifeline  the end of a pipe that nobody writes to. The kernel closes it when this process ends
    words     a file with what the child wrote to its standard error, or -1
    ahead     how many calls it may be sent before it has answered the first
    """

    def __init__(self, pid: int, requests: int, replies: int, lifeline: int, words: int, memory: int) -> None:
        self.pid, self._memory = pid, memory
        self._requests, self._replies, self._lifeline, self._words = requests, Messages(replies), lifeline, words
        self._state: Any = None
        self.ahead = widen(requests, replies)
        self.answered = 0

    def has_state(self, state: Any) -> bool:
        """Return whether the child has this state already. A call without a state needs none, and changes none."""
        return state is None or state is self._state or bool(state == self._state)

    def message(self, call: Call) -> bytes:
        """Return the bytes of a call, without its state if the child already has it."""
        passed = SAME_STATE if self.has_state(call.state) else call.state
        return pickle.dumps((passed, call.state is not None, *call.wanted), 5)

    def send(self, message: bytes, state: Any) -> None:
        """Send a call; the child then has its state, if there is one."""
        self._state = self._state if state is None else state
        with suppress(BrokenPipeError):  # it has ended, as waiting for its answer will show
            send(self._requests, message)

    def inherits(self, state: Any) -> None:
        """Note the state that the child has from its beginning."""
        self._state = state

    def answer(self, seconds: float) -> tuple[Any, BaseException | None]:
        """Return the result of the call in progress, and None; or None, and the exception of the function."""
        begun, wait = monotonic(), max(_LEAST_WAIT, _PATIENCE * seconds)
        if not self._replies.is_there(wait):
            raise _DiedError(OverLimit(Limit.WAIT, f"{wait:g} s", lasting=False), lasting=False)
        data = self._replies.take()
        if data is None:
            raise self._dead(seconds, monotonic() - begun)
        done, value = pickle.loads(data)  # noqa: S301 - from our own child
        if not done and isinstance(value, Limit):
            raise _DiedError(OverLimit(value, self._memory_words()), lasting=True)
        self.answered += 1
        return (value, None) if done else (None, value)

    def end(self) -> None:
        """Kill the child if it runs, and close the pipes."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._reap()
        self.close()

    def close(self) -> None:
        """Close the pipes."""
        for handle in (self._requests, self._replies.handle, self._lifeline, self._words):
            if handle >= 0:
                os.close(handle)

    def _dead(self, seconds: float, waited: float) -> Exception:
        """Return the exception for a child that closed its pipes without an answer."""
        status = self._reap()
        if status is None:  # this process does not wait for its children, so nobody can know
            status = signal.SIGPROF if waited >= seconds else signal.SIGKILL
        if not os.WIFSIGNALED(status):
            if os.WEXITSTATUS(status) == 0:
                return _GoneError()
            return _DiedError(OverLimit(Limit.CRASH, "no signal", lasting=False), lasting=False)
        number = os.WTERMSIG(status)
        if number in (signal.SIGPROF, signal.SIGXCPU):
            return _DiedError(OverLimit(Limit.TIME, f"{seconds:.3g} s"), lasting=True)
        if number == signal.SIGKILL or (number == signal.SIGABRT and b"memory allocation" in self._said()):
            over = OverLimit(Limit.MEMORY, self._memory_words(), lasting=number != signal.SIGKILL)
        else:
            over = OverLimit(Limit.CRASH, signal.Signals(number).name)
        return _DiedError(over, lasting=number not in _FROM_OUTSIDE)

    def _memory_words(self) -> str:
        return f"{self._memory // 1_000_000} MB"

    def _said(self) -> bytes:
        return os.pread(self._words, 10_000, 0) if self._words >= 0 else b"memory allocation"

    def _reap(self) -> int | None:
        pid, self.pid = self.pid, 0
        if not pid:
            return None
        try:
            return os.waitpid(pid, 0)[1]
        except ChildProcessError:
            return None


class _Pipes:
    """The pipes between this process and a child that is being started, as (end to read from, end to write to)."""

    def __init__(self) -> None:
        self.requests, self.replies, self.lifeline = os.pipe(), os.pipe(), os.pipe()
        self.words = os.memfd_create("publisher") if hasattr(os, "memfd_create") else -1
        self.theirs = (self.requests[0], self.replies[1], self.lifeline[0])

    def keep_ours(self, pid: int, memory: int) -> _Child:
        """Close the child's ends of the pipes, and return the child."""
        for handle in self.theirs:
            os.close(handle)
        return _Child(pid, self.requests[1], self.replies[0], self.lifeline[1], self.words, memory)


def _is_alone() -> bool:
    """Return whether this process has only one thread, so that a forked child can use everything it inherits."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - ten times as fast as pathlib
    except OSError:  # macOS has no such folder, and its own libraries start threads
        return sys.platform != "darwin" and threading.active_count() == 1


def _forked(state: Any, memory: int) -> _Child:
    pipes, parent = _Pipes(), os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _move(zip((*pipes.theirs, pipes.words), (*range(FIRST_FD, FIRST_FD + 3), 2), strict=True))
            serve(parent, memory, state)
        finally:
            os._exit(70)
    child = pipes.keep_ours(pid, memory)
    child.inherits(state)
    return child


def _move(pairs: Any) -> None:
    """Give file handles their fixed numbers, and move the standard streams out of the way."""
    high = [(fcntl.fcntl(old, fcntl.F_DUPFD_CLOEXEC, FIRST_FD + 10), new) for old, new in pairs if old >= 0]
    for handle, new in high:
        os.dup2(handle, new, inheritable=False)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2) if len(high) < 4 else (0, 1):
        os.dup2(nothing, standard)


def _spawned(memory: int) -> _Child:
    """Start a new interpreter, which imports modules from the same places as this one."""
    pipes = _Pipes()
    code = f"import sys; sys.path[:] = {sys.path!r}; from publisher.posts.bounded_child import main; main()"
    high = [fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, FIRST_FD + 10) for handle in pipes.theirs]
    moves: list[Any] = [(os.POSIX_SPAWN_DUP2, handle, FIRST_FD + n) for n, handle in enumerate(high)]
    nothing = os.open(os.devnull, os.O_RDWR)
    errors = pipes.words if pipes.words >= 0 else nothing
    moves += [(os.POSIX_SPAWN_DUP2, old, new) for new, old in enumerate((nothing, nothing, errors))]
    try:
        arguments = [sys.executable, "-c", code, str(os.getpid()), str(memory)]
        pid = os.posix_spawn(sys.executable, arguments, os.environ, file_actions=moves)
    finally:
        for handle in (*high, nothing):
            os.close(handle)
    return pipes.keep_ours(pid, memory)


# The memory for a feed of 20 MB, since the parser keeps several copies of every text.
_FEED_MEMORY = 700_000_000

_shared = BoundedProcess()
_second = BoundedProcess()
_pictures = BoundedProcess()
_feeds = BoundedProcess(memory=_FEED_MEMORY)


def shared_process() -> BoundedProcess:
    """Return the bounded process that all of this process's renderers use."""
    return _shared


def second_process() -> BoundedProcess:
    """Return a second bounded process, for renderers with so many posts that two processes finish sooner."""
    return _second


def picture_process() -> BoundedProcess:
    """Return the bounded process in which this process decodes pictures.

    It is not the process of the renderers, whose calls share a state that would have to be sent again after each
    picture.
    """
    return _pictures


def feed_process() -> BoundedProcess:
    """Return the bounded process in which this process reads the feeds of other sites."""
    return _feeds


def _forget() -> None:
    """Leave the bounded processes to the parent. This runs in a process that was forked from their owner."""
    global _shared, _second, _pictures, _feeds
    for process in (_shared, _second, _pictures, _feeds):
        process.forget()
    _shared, _second, _pictures = BoundedProcess(), BoundedProcess(), BoundedProcess()
    _feeds = BoundedProcess(memory=_FEED_MEMORY)


def _end() -> None:
    for process in (_shared, _second, _pictures, _feeds):
        process.end()


os.register_at_fork(after_in_child=_forget)
atexit.register(_end)
