"""The first build stores the texts of the posts that it publishes, and reads each file only once."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from publisher.posts import first_texts, last_versions
from publisher.posts.last_versions import VERSIONS_FILE
from tests.support.posts_samples import NOW, Folder

LONG = "Many words. " * 1_000


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("2024-07-05-plain.md", "A plain post.", head="title: Plain\ndate: 2024-07-05")
    folder.write("2024-07-05-long.md", LONG, head="title: Long\ndate: 2024-07-05")
    folder.write("2024-07-05-other.md", "Not plain.", head="title: Other\ndate: 2024-07-05\ncustom: {a: 1}")
    folder.write("2024-07-05-draft.md", "A draft.", head="title: Draft\ndate: 2024-07-05\ndraft: true")
    folder.write("2094-07-05-later.md", "Not yet.", head="title: Later\ndate: 2094-07-05")
    for path in (tmp_path / "posts").iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder


def built(folder: Folder, *, in_first: bool) -> dict[str, tuple[int, int, bytes]]:
    reader = folder.reader()
    reader.archive(NOW, keeps_texts=in_first).keep_versions()
    reader.close()
    return stored(folder)


def stored(folder: Folder) -> dict[str, tuple[int, int, bytes]]:
    with sqlite3.connect(folder.config.state_dir / VERSIONS_FILE) as db:
        return {row[0]: row[1:] for row in db.execute("SELECT source, size, mtime_ns, text FROM versions")}


def parts(folder: Folder) -> list[str]:
    return [path.name for path in folder.config.state_dir.iterdir() if path.name not in ("index.db", ".gitignore")]


def test_texts_of_a_first_reading_equal_those_of_a_second_one(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_texts, "_AT_ONCE", 20)
    first = built(folder, in_first=True)
    for path in folder.config.state_dir.glob("*.db"):
        path.unlink()
    assert built(folder, in_first=False) == first
    assert sorted(first) == ["2024-07-05-long.md", "2024-07-05-other.md", "2024-07-05-plain.md"]
    assert first["2024-07-05-long.md"][2] == (tmp_path / "posts/2024-07-05-long.md").read_bytes()


def test_each_plain_file_is_read_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    again, read = last_versions.LastVersions._read, []
    monkeypatch.setattr(
        last_versions.LastVersions, "_read", lambda self, sources: again(self, read.extend(sources) or read)
    )
    built(folder, in_first=True)
    assert read == ["2024-07-05-other.md"]


def test_a_build_that_fails_stores_no_text(folder: Folder) -> None:
    reader = folder.reader()
    reader.archive(NOW, keeps_texts=True)
    assert [name.endswith(".part") for name in parts(folder)] == [True]
    reader.close()
    assert parts(folder) == []


def test_a_post_whose_body_is_broken_is_not_stored(folder: Folder) -> None:
    reader = folder.reader()
    archive = reader.archive(NOW, keeps_texts=True)
    (post,) = archive.load(["2024-07-05-plain.md"])
    archive.mark_broken(last_versions.Problem(post.source, 1, "broken", ""), post.source)
    reader.archive(NOW, keeps_texts=True).keep_versions()
    reader.close()
    assert sorted(stored(folder)) == ["2024-07-05-long.md", "2024-07-05-other.md"]


def test_texts_that_cannot_be_stored_are_read_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_texts, "_INSERT", "INSERT INTO nothing VALUES (?, ?, ?, ?)")
    assert len(built(folder, in_first=True)) == 3
    assert parts(folder) == [VERSIONS_FILE]
