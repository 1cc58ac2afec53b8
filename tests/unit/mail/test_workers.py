"""The lock file of a worker shows whether the worker is still alive."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from publisher.core.errors import ProjectError
from publisher.mail.worker_locks import dead_workers, working


def test_a_worker_is_alive_until_its_block_ends(tmp_path: Path) -> None:
    with working(tmp_path) as first, working(tmp_path) as second:
        assert first != second
        with dead_workers(tmp_path) as dead:
            assert dead == frozenset()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_worker_is_found_only_once(tmp_path: Path) -> None:
    program = (
        "import os, signal; from pathlib import Path; from publisher.mail.worker_locks import working\n"
        f"with working(Path({str(tmp_path)!r})) as name:\n"
        "    print(name, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)

    with dead_workers(tmp_path) as dead:
        assert dead == {killed.stdout.strip()}
    with dead_workers(tmp_path) as dead:
        assert dead == frozenset()


def test_dead_workers_are_listed_until_they_are_taken_over(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), working(tmp_path) as name:
        raise RuntimeError
    with pytest.raises(RuntimeError), dead_workers(tmp_path):
        raise RuntimeError
    with dead_workers(tmp_path) as dead:
        assert dead == {name}


def test_workers_of_other_machines_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "another-machine.1.abcd.lock").touch()
    with dead_workers(tmp_path) as dead:
        assert dead == frozenset()
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="the worker's lock cannot be made"), working(tmp_path / "file/x"):
        pass
