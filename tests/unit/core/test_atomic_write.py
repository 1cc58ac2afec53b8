"""A file is written completely or not at all, and what a killed process leaves of it is removed, but nothing else."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from publisher.core.atomic_write import Parts, locked_file, remove_left, replacing, taken, temporary_folder, write_new


def test_a_new_file_is_complete_and_never_replaces_another(tmp_path: Path) -> None:
    target = tmp_path / "deep/a.html"
    assert (write_new(target, b"one"), write_new(target, b"two")) == (True, False)
    assert target.read_bytes() == b"one"
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert not write_new(tmp_path / "gone", b"three")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.html", "deep", "gone"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links_can_be_written(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    assert (write_new(tmp_path / "a", b"one"), write_new(tmp_path / "a", b"two")) == (True, False)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_cannot_be_written_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        write_new(tmp_path / "file/a", b"one")
    with pytest.raises(OSError, match="File name too long"):
        write_new(tmp_path / ("a" * 300), b"one")


_IN_THE_MIDDLE = """
import sys
from pathlib import Path
from publisher.core.atomic_write import Parts, replacing, temporary_folder
folder = Path(sys.argv[1])
with replacing(folder / "a.html") as part, temporary_folder(folder, ".all-") as several:
    part.write_text("half")
    (several / "b.html").write_text("half")
    several = Parts(folder, ".mine-")
    for number in range(2):
        Path(several.path(number)).write_text("half")
    print("begun", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_what_a_killed_process_has_left_is_removed(tmp_path: Path) -> None:
    others = (".mine-1-2-3.part", "older.json.1-2.part", "part", "my.parts")
    for name in others:
        (tmp_path / name).write_text("x")
    command = [sys.executable, "-c", _IN_THE_MIDDLE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        before = names(tmp_path)
        remove_left(tmp_path)
        assert set(before) - set(names(tmp_path)) == {".mine-1-2-3.part", "older.json.1-2.part"}
        process.kill()
    remove_left(tmp_path, ".mine-")
    assert [re.sub("[0-9a-f]{12}.*", "", name) for name in names(tmp_path)] == [
        ".a.html.",
        ".all-",
        ".all-",
        "my.parts",
        "part",
    ]
    remove_left(tmp_path)
    assert names(tmp_path) == ["my.parts", "part"]


def test_nothing_is_removed_from_under_this_process(tmp_path: Path) -> None:
    parts = Parts(tmp_path, ".mine-")
    part = Path(parts.path("one"))
    part.write_text("half")
    with replacing(tmp_path / "a") as other:
        remove_left(tmp_path)
        assert (part.exists(), other.exists()) == (True, True)
        other.write_text("whole")
    part.unlink()
    parts.close()
    assert names(tmp_path) == ["a"]


def test_a_temporary_folder_is_private_and_removed_with_its_files(tmp_path: Path) -> None:
    with temporary_folder(tmp_path, ".all-") as folder:
        (folder / "inside").mkdir()
        remove_left(tmp_path)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "inside").exists()
    assert names(tmp_path) == []


def test_a_file_that_fails_half_way_is_removed_and_the_old_one_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a", 0o600) as part:
        part.write_text("half")
        assert part.stat().st_mode & 0o777 == 0o600
        raise KeyboardInterrupt
    assert (names(tmp_path), (tmp_path / "a").read_text()) == (["a"], "old")


def test_what_is_not_a_plain_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".pipe.part")
    (tmp_path / ".folder.part").mkdir()
    (tmp_path / ".link.part").symlink_to(tmp_path / "target")
    (tmp_path / "target").write_text("x")
    remove_left(tmp_path)
    remove_left(tmp_path / "missing")
    assert names(tmp_path) == [".folder.part", ".link.part", "target"]


def test_a_file_that_was_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, left = os.open, [tmp_path / "a"]

    def removed(*given: object) -> int:
        handle = opened(*given)  # type: ignore[arg-type]
        if left:
            left.pop().unlink()  # another process takes it for a file that was left
        return handle

    monkeypatch.setattr(os, "open", removed)
    with locked_file(tmp_path / "a"):
        assert names(tmp_path) == ["a"]
        with pytest.raises(BlockingIOError):
            taken(tmp_path / "a")
