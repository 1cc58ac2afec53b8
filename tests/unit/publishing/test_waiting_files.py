"""Files that wait for the owner are found only by their tokens. At most five are kept, for at most a day."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from publisher.publishing.waiting_files import WaitingFiles


def test_at_most_five_files_wait_for_at_most_a_day(tmp_path: Path) -> None:
    files, now = WaitingFiles(tmp_path), datetime.now(UTC)
    tokens = []
    for number in range(7):
        part = tmp_path / f".{number}.file"
        part.write_text("x")
        tokens.append(files.keep(part, f"{number}.csv", now).token)
        os.utime(tmp_path / tokens[-1], (now.timestamp() + number, now.timestamp() + number))
    files.tidy(now)
    assert [files.find(token) is not None for token in tokens] == [False] * 2 + [True] * 5
    assert files.find("../../etc") is files.find("0" * 16) is None
    files.delete(tokens[-1])
    assert files.find(tokens[-1]) is None
    files.tidy(now + timedelta(days=2))
    assert list(tmp_path.iterdir()) == []
