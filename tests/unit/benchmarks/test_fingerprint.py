"""The import benchmark compares all imported data: the people and their consent history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.imports import CONFIG, fingerprint
from publisher.config import load_config
from publisher.publishing.wiring import open_project_store
from publisher.store.subscriber_records import NewSubscriber

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def project(folder: Path, consent: str) -> Path:
    folder.mkdir()
    (folder / "publisher.toml").write_text(CONFIG.format(url="sqlite:///people.db"))
    with open_project_store(load_config(folder, {})) as store:
        store.subscribers.add_many([NewSubscriber("ada@example.org", consent=consent)], at=NOW, source="test")
    return folder


def test_people_with_the_same_consent_have_the_same_fingerprint(tmp_path: Path) -> None:
    first, same, other = (project(tmp_path / name, name[:1]) for name in ("a1", "a2", "b"))
    assert fingerprint(first)["people"] == "1"
    assert fingerprint(first) == fingerprint(same)
    assert fingerprint(first) != fingerprint(other)
