"""Two first builds of a project at the same moment both succeed, however their steps alternate."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from publisher.config import PagesConfig
from publisher.core.errors import ProjectError
from publisher.posts.index import INDEX_FILE
from publisher.posts.last_versions import VERSIONS_FILE
from tests.support.posts_samples import Folder


class Interruption:
    """Calls a function once, as if another process were faster: before a statement that this process sends to SQLite.

    It is the statement with a number, of those that do not write. Within a transaction, only its end is one of them.
    Connections that the function opens do not wait for a lock. If they would have to, the function ends with an error.
    """

    def __init__(self, number: int, other: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self._left, self._other, self._connect = number, other, sqlite3.connect
        self.happened, self.errors = False, list[ProjectError]()
        monkeypatch.setattr(sqlite3, "connect", self._connected)

    def _connected(self, path: Any, *given: Any, **named: Any) -> sqlite3.Connection:
        if self.happened:
            named["timeout"] = 0
        db: sqlite3.Connection = self._connect(path, *given, **named)
        db.set_trace_callback(lambda statement: self._note(statement, db))
        return db

    def _note(self, statement: str, db: sqlite3.Connection) -> None:
        self._left -= statement == "COMMIT" or not db.in_transaction
        if not self._left and not self.happened:
            self.happened = True
            try:
                self._other()
            except ProjectError as error:
                self.errors.append(error)
            sqlite3.connect = self._connect


def project(root: Path) -> Folder:
    folder = Folder(root, pages=PagesConfig(enabled=False))
    for number in range(2):
        folder.write(f"2024-07-0{number + 1}-post.md", "Text", f"title: Post {number}\ndate: 2024-07-0{number + 1}")
    return folder


def stored(folder: Folder) -> list[Any]:
    """Return what a build stores besides the site."""
    wanted = {
        INDEX_FILE: "SELECT source, id, permalink FROM entries",
        "published.db": "SELECT * FROM ids",
        VERSIONS_FILE: "SELECT source, text FROM versions",
    }
    found = []
    for name, query in wanted.items():
        with closing(sqlite3.connect(folder.config.state_dir / name)) as db:
            found.append(sorted(db.execute(query)))
    return found


def test_two_first_builds_both_succeed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = project(tmp_path / "alone")
    alone.build()
    for number in count(1):
        folder = project(tmp_path / str(number))
        with monkeypatch.context() as patch:
            interruption = Interruption(number, folder.build, patch)
            folder.build()
        for error in interruption.errors:  # it would have waited for a lock
            assert "locked" in str(error)
            folder.build()
        assert folder.public() == alone.public()
        assert stored(folder) == stored(alone)
        assert not [path for path in folder.root.rglob("*") if path.name.endswith((".part", "-journal"))]
        if not interruption.happened:
            break
    assert number > 20
