"""Ports for servers that start later."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from benchmarks.free_ports import free_port
from tests.support import ROOT


def test_a_port_is_given_only_once() -> None:
    ask = "from benchmarks.free_ports import free_port; print(*[free_port() for _ in range(20)]); input()"
    command = [sys.executable, "-c", ask]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = other.stdout.readline().split()
        ours = [str(free_port()) for _ in range(20)]
        other.communicate("\n")
    assert len({*theirs, *ours}) == 40


def test_a_port_is_none_that_the_system_gives_away() -> None:
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not first <= free_port() <= last


def test_a_port_on_which_a_server_listens_is_not_given() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] not in {free_port() for _ in range(3)}
