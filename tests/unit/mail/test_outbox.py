"""The outbox contains one file for each delivery, even if a process dies or a delivery is repeated."""

from __future__ import annotations

import os
import re
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.errors import TransportError
from publisher.mail.outbox import Outbox, file_name, old_file_name
from publisher.mail.transport import Accepted

SENDER = "ada@example.org"
MESSAGE = b"From: ada@example.org\r\nTo: reader@example.org\r\nSubject: Hello\r\n\r\nHello\r\n.\r\n..dots\r\n"


def files(outbox: Path) -> list[Path]:
    return sorted(path for part in ("tmp", "new", "cur") for path in (outbox / part).iterdir())


@pytest.mark.parametrize("part", ["new", "cur"])
def test_a_message_of_version_0_1_is_not_written_a_second_time(tmp_path: Path, part: str) -> None:
    key, flags = "weekly-2026-W47/uid", ":2,S" if part == "cur" else ""
    Outbox(tmp_path)
    old = old_file_name("reader@example.org", key)
    assert re.fullmatch(r"weekly-2026-W47-reader@example\.org-[0-9a-f]{8}\.eml", old)
    (tmp_path / part / f"{old}{flags}").write_bytes(MESSAGE)

    Outbox(tmp_path).send(SENDER, "reader@example.org", MESSAGE, key)
    assert [path.parent.name for path in files(tmp_path)] == [part]


@pytest.mark.parametrize("mode", [0o755, 0o777, None])
def test_git_and_other_users_see_nothing_of_an_outbox(tmp_path: Path, mode: int | None) -> None:
    folder = tmp_path / "mail"
    if mode:
        folder.mkdir()
        folder.chmod(mode)
    Outbox(folder).send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(folder)] == [0o600]


def test_git_does_not_ignore_other_files_in_the_folder_of_an_outbox(tmp_path: Path) -> None:
    (tmp_path / "essay.md").write_text("mine")
    (tmp_path / "new").mkdir()
    Outbox(tmp_path)
    assert (tmp_path / ".gitignore").read_text().split() == ["/.gitignore", "/tmp/", "/new/", "/cur/"]


def test_the_same_delivery_keeps_one_file(tmp_path: Path) -> None:
    for _ in range(3):
        with Outbox(tmp_path) as outbox:
            outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly-2026-W47/uid")
    (path,) = files(tmp_path)
    assert path.parent.name == "new"
    assert re.fullmatch(r"weekly-2026-W47-[0-9a-f]{24}\.eml", path.name)


def test_a_file_moved_to_cur_is_not_written_again(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    (path,) = files(tmp_path)
    path.rename(tmp_path / "cur" / f"{path.name}:2,S")

    outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    assert [found.name for found in files(tmp_path)] == [f"{path.name}:2,S"]


def test_content_is_synced_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[
        tuple[bool, int]
    ] = []  # whether it was a folder, and how many messages had their final names at that time

    def sync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, len(list((tmp_path / "new").iterdir()))))
        fsync(descriptor)

    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", sync)
    Outbox(tmp_path).send(SENDER, "reader@example.org", MESSAGE, "weekly/1")

    assert synced == [(False, 0), (True, 1)]


def test_only_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    import fcntl

    Outbox(tmp_path)
    (tmp_path / "tmp" / "dead.eml.0a1b2c3d").write_bytes(b"half a mess")
    alive = tmp_path / "tmp" / "alive.eml.0a1b2c3d"
    with alive.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(b"half a mess")
        file.flush()
        Outbox(tmp_path)
        assert files(tmp_path) == [alive]


def test_opening_the_outbox_does_not_disturb_writers(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        sweeping = pool.submit(lambda: [Outbox(tmp_path) for _ in range(300)])
        written = 0
        while not sweeping.done():
            assert outbox.send(SENDER, f"reader{written}@example.org", MESSAGE, f"weekly/{written}") == Accepted()
            written += 1
    assert len(files(tmp_path)) == written


def test_an_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TransportError, match=r"file/outbox: the outbox cannot be written"):
        Outbox(tmp_path / "file" / "outbox")


def test_a_vanished_folder_is_an_error(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    shutil.rmtree(tmp_path / "outbox")
    with pytest.raises(TransportError, match="the outbox cannot be written"):
        outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")


ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)


@given(ANY_TEXT, ANY_TEXT)
def test_file_names_are_safe_short_and_unique(address: str, key: str) -> None:
    name = file_name(f"{address}/{key}")

    assert name == file_name(f"{address}/{key}")
    assert name != file_name(f"{address}/{key}x")
    assert "@" not in name
    assert len(os.fsencode(name)) <= 200
    assert not set(name) & set('/\\:*?"<>|\0\r\n ')
    assert not name.startswith(".")
    assert name.endswith(".eml")
