"""Functions for child processes to call. A new interpreter can import this module without pytest, which is slow."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from time import process_time

from publisher.posts.bounded_child import allow


def add(one: int, two: int) -> int:
    return one + two


def longer_than(state: str, text: str) -> bool:
    return len(text) > len(state)


def process_id() -> int:
    return os.getpid()


def size_of(text: bytes) -> bytes:
    return text * 2


def spin() -> None:
    while True:
        pass


def match_for_ever(begun: str = "") -> None:
    """Match without an end. begun: a file that is made when this begins, or "" for none."""
    if begun:
        Path(begun).touch()
    re.match(r"(a|a)*b", "a" * 60)  # inside C code, where no Python handler can run


def fill_memory() -> None:
    _ = [bytes(1_000_000) for _ in range(10_000)]


def fill_memory_noted(path: str) -> None:
    with Path(path).open("a") as file:
        file.write("x")
    fill_memory()


def abort() -> None:
    os.write(2, b"memory allocation of 12345 bytes failed\n")
    os.abort()


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1)


def end_by(number: int) -> None:
    os.kill(os.getpid(), number)


def end_by_unless_there(number: int, path: str) -> str:
    """Return if the file exists; otherwise create it and die, so that only a second call survives."""
    if Path(path).exists():
        return "lives"
    Path(path).touch()
    return str(end_by(number))


def leave() -> None:
    os._exit(3)


def fail() -> None:
    raise ValueError("a defect")


def open_files() -> list[str]:
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(link.readlink()))
    return found


def spin_after(seconds: float) -> str:
    allow(seconds)
    end = process_time() + 0.6
    while process_time() < end:
        pass
    return "done"


def command_line() -> str:
    return Path("/proc/self/cmdline").read_text()
