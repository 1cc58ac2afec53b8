"""A new file is written completely or not at all, and never replaces another file, even without hard links."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from publisher.core.atomic_write import write_new


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
