"""Troubles that strangers, writers and machines cause for a running project; each lasts as long as its `with` block."""

from __future__ import annotations

import os
import re
import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

# S1: a path of 62 KB that once took half a minute to log.
ENDLESS_PATH = b"GET /" + b"a/../" * 12_500 + b"index.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HALF_HEAD = b"GET / HT"


class Target:
    """A running `publisher run`, with its processes and files.

    pid     the process id of the parent
    port    the port on which it listens, at 127.0.0.1
    project the project's folder
    clock   the file that tells libfaketime how far the clock is ahead; None without libfaketime
    """

    def __init__(self, pid: int, port: int, project: Path, clock: Path | None) -> None:
        self.pid, self.port, self.project, self.clock = pid, port, project, clock
        self.url = f"http://127.0.0.1:{port}"

    def children(self, name: str) -> list[psutil.Process]:
        """Return the processes of this name, such as "publisher web"."""
        return processes(self.pid, self.port, name)


def processes(parent: int, port: int, name: str) -> list[psutil.Process]:
    """Return the processes of a name that are descendants of a process, or listen on its port.

    A web application that outlives the process that started it is no longer one of the parent's descendants.
    """
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.name() == name and (
                parent in {above.pid for above in each.parents()}
                or any(wire.laddr and wire.laddr.port == port for wire in each.net_connections("tcp"))
            ):
                found.append(each)
    return found


@contextmanager
def calm(target: Target) -> Iterator[None]:
    """Cause no trouble, for comparison."""
    yield


@contextmanager
def endless_paths(target: Target) -> Iterator[None]:
    """Four clients request, again and again, a path of 62 KB that once took half a minute to log."""

    def ask() -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", target.port), 10) as wire:
            wire.sendall(ENDLESS_PATH)
            while wire.recv(65_536):
                pass

    with _repeated(ask, threads=4):
        yield


def idle(count: int) -> Callable[[Target], object]:
    """Return a trouble: this many connections that send half a line, and are opened again when they are closed."""

    @contextmanager
    def trouble(target: Target) -> Iterator[None]:
        crowd, over = selectors.DefaultSelector(), threading.Event()

        def keep() -> None:
            while not over.is_set():
                for _ in range(min(500, count - len(crowd.get_map()))):
                    _open_half(crowd, target.port)
                for key, _ in crowd.select(0.2):
                    wire = key.fileobj
                    assert isinstance(wire, socket.socket)
                    closed = True
                    with suppress(BlockingIOError):
                        with suppress(ConnectionError):
                            closed = not wire.recv(4_096)
                        if closed:
                            crowd.unregister(wire)
                            wire.close()

        thread = threading.Thread(target=keep, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            for key in list(crowd.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]
            crowd.close()

    return trouble


def _open_half(crowd: selectors.BaseSelector, port: int) -> None:
    wire = socket.socket()
    wire.settimeout(0.5)
    try:
        wire.connect(("127.0.0.1", port))
        wire.sendall(HALF_HEAD)
        wire.setblocking(False)
        crowd.register(wire, selectors.EVENT_READ)
    except OSError:
        wire.close()


def guesses(count: int) -> Callable[[Target], object]:
    """Return a trouble: this many wrong passwords at a time, each from a different IP address, again and again."""

    @contextmanager
    def trouble(target: Target) -> Iterator[None]:
        login = f"{target.url}/admin/login"
        over = threading.Event()
        with httpx.Client(timeout=60, limits=httpx.Limits(max_connections=count)) as client:
            form = client.get(login, headers={"X-Forwarded-For": "198.18.0.1"})
            found = re.search(r'name="token" value="([0-9a-f]{64})"', form.text)
            assert found, form.text

            def guess(number: int) -> None:
                address = f"198.18.{number // 250 + 1}.{number % 250 + 1}"
                headers = {"X-Forwarded-For": address, "Origin": target.url}
                fields = {"token": found[1], "password": f"guess number {number}"}  # type: ignore[index]
                with suppress(httpx.HTTPError):
                    client.post(login, data=fields, headers=headers)

            def crowd() -> None:
                with ThreadPoolExecutor(count) as pool:
                    while not over.is_set():
                        list(pool.map(guess, range(count)))

            thread = threading.Thread(target=crowd, daemon=True)
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()

    return trouble


@contextmanager
def slow_post(target: Target) -> Iterator[None]:
    """A post whose body no Markdown parser can parse in a reasonable time."""
    path = target.project / "posts/slow.md"
    path.write_text(f"---\ntitle: Slow\ndate: 2026-01-01\n---\n\n{'>' * 60_000}\n", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def hanging_build(target: Target) -> Iterator[None]:
    """A page whose template never ends."""
    path = target.project / "templates/pages/post.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{% for number in range(10 ** 15) %}{% endfor %}", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


def killed(name: str) -> Callable[[Target], object]:
    """Return a trouble: children with this name are killed when the block begins, and builds also when it ends.

    A template that never ends keeps a build running until it can be killed. By then the next build has begun with the
    same template; it is killed as well, because letting it hang until it is ended is the subject of `hanging_build`.
    """

    @contextmanager
    def trouble(target: Target) -> Iterator[None]:
        if name != "publisher build":
            _kill(target, name)
            yield
            return
        with hanging_build(target):
            _kill(target, name)
            yield
        for each in target.children(name):
            with suppress(psutil.NoSuchProcess):
                each.kill()

    return trouble


def _kill(target: Target, name: str) -> None:
    until = time.monotonic() + 240
    while not (found := target.children(name)) and time.monotonic() < until:
        time.sleep(0.02)
    assert found, f"there is no process {name!r}"
    for each in found:
        with suppress(psutil.NoSuchProcess):
            each.kill()


@contextmanager
def full_disk(target: Target) -> Iterator[None]:
    """The file system with the database is completely full."""
    filler = target.project / ".publisher/filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4_096))
    try:
        yield
    finally:
        filler.unlink()


def jump(seconds: int) -> Callable[[Target], object]:
    """Return a trouble: the clock of all processes is set ahead by this many seconds, and back in the end."""

    @contextmanager
    def trouble(target: Target) -> Iterator[None]:
        assert target.clock is not None
        set_clock(target.clock, seconds)
        try:
            yield
        finally:
            set_clock(target.clock, 0)

    return trouble


def set_clock(file: Path, seconds: int) -> None:
    """Set the clock of libfaketime's processes ahead by this many seconds."""
    beside = file.with_suffix(".part")
    beside.write_text(f"{seconds:+d}s\n", encoding="ascii")
    beside.rename(file)


def faketime_library() -> str:
    """Return the path of libfaketime, which LIBFAKETIME may name; "" if there is none."""
    given = os.environ.get("LIBFAKETIME", "")
    places = [Path(given)] if given else sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return next((str(path) for path in places if path.is_file()), "")


def raise_file_limit() -> int:
    """Raise this process's limit of open files to the maximum, and return the new limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


@contextmanager
def _repeated(work: Callable[[], None], threads: int) -> Iterator[None]:
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            work()

    running = [threading.Thread(target=repeat, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in running:
            thread.join()
