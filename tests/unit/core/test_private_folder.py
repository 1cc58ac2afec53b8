"""Folders that contain data about people are closed to other users, and ignored by git."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from publisher.core.private_folder import make_inside, make_private, protect
from publisher.store.database import Database


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("made", [None, 0o755, 0o775, 0o700])
@pytest.mark.parametrize("inside", ["", "dkim", "outbox"])
def test_a_private_folder_is_closed_even_if_it_was_open(tmp_path: Path, made: int | None, inside: str) -> None:
    state = tmp_path / "blog" / ".publisher"
    if made:
        state.mkdir(parents=True)
        state.chmod(made)
    make_inside(state / inside) if inside else make_private(state)
    assert {mode(path) for path in (state, state / inside)} == {0o700}
    assert (state / ".gitignore").read_text() == "*\n"
    assert not (tmp_path / "blog" / ".gitignore").exists()


def test_a_gitignore_of_the_owner_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("secret\n")
    protect(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "secret\n"


@pytest.mark.parametrize(
    ("path", "before", "folder", "after"),
    [
        (".publisher/people.db", None, None, 0o600),
        (".publisher/people.db", 0o644, None, 0o600),
        ("data/people.db", None, None, 0o600),
        ("data/people.db", None, 0o755, 0o600),
        ("data/people.db", 0o644, 0o755, 0o640),  # the owner's folder: their group may make backups
    ],
)
def test_a_database_is_closed_to_other_users(
    tmp_path: Path, path: str, before: int | None, folder: int | None, after: int
) -> None:
    file = tmp_path / path
    if folder:
        file.parent.mkdir(mode=folder)
    if before:
        file.parent.mkdir(exist_ok=True)
        file.touch()
        file.chmod(before)
    database = Database(f"sqlite:///{path}", tmp_path)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE people (name TEXT)")
        assert {mode(each) for each in file.parent.glob("people.db*")} == {after}
    database.close()
    assert mode(file.parent) == (folder or 0o700)
