"""The outbox: one file for each delivery, whatever happens."""

from __future__ import annotations

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.errors import TransportError
from publisher.mail.outbox import Outbox, file_name
from publisher.mail.transport import Accepted

SENDER = "ada@example.org"
MESSAGE = b"From: ada@example.org\r\nTo: reader@example.org\r\nSubject: Hello\r\n\r\nHello\r\n.\r\n..dots\r\n"


def files(outbox: Path) -> list[Path]:
    return sorted(path for part in ("tmp", "new", "cur") for path in (outbox / part).iterdir())


def test_the_same_delivery_keeps_one_file(tmp_path: Path) -> None:
    for _ in range(3):
        with Outbox(tmp_path) as outbox:
            outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly-2026-W47/uid")
    (path,) = files(tmp_path)
    assert path.parent.name == "new"
    assert path.name.startswith("weekly-2026-W47-reader@example.org-")


def test_a_file_moved_to_cur_is_not_written_again(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    (path,) = files(tmp_path)
    path.rename(tmp_path / "cur" / f"{path.name}:2,S")

    outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    assert [found.name for found in files(tmp_path)] == [f"{path.name}:2,S"]


def test_content_is_synced_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, int]] = []  # whether it was a folder, and how many messages had their names then

    def sync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, len(list((tmp_path / "new").iterdir()))))
        fsync(descriptor)

    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", sync)
    Outbox(tmp_path).send(SENDER, "reader@example.org", MESSAGE, "weekly/1")

    assert synced == [(False, 0), (True, 1)]


def test_only_dead_processes_files_are_swept(tmp_path: Path) -> None:
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


def test_opening_the_outbox_disturbs_no_writer(tmp_path: Path) -> None:
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
    name = file_name(address, key)

    assert name == file_name(address, key)
    assert name != file_name(address, f"{key}x")
    assert len(os.fsencode(name)) <= 200
    assert not set(name) & set('/\\:*?"<>|\0\r\n ')
    assert not name.startswith(".")
    assert name.endswith(".eml")
