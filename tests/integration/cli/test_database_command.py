"""`publisher database`: backups, copies, and a restored database that is older than the last sending."""

from __future__ import annotations

import shutil
import stat
import tarfile
from pathlib import Path

import pytest

from tests.support.project import Project

OLDER = "error: the database is older than what this host has sent, as after restoring a backup"
ACCEPT = (
    "if it was copied from another database: run `publisher database copy` again; "
    "otherwise, if this host is to send: publisher database accept"
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "letter"


@pytest.fixture
def sent(project: Project, kept: Path) -> Project:
    """A project that has sent an edition to two subscribers."""

    def prepare() -> None:
        project.subscribe("ada", "bob")
        project.ok("publish", "weekly")

    project.prepare(kept, prepare)
    project.ok("hosts", "confirm")  # a copy in another folder
    return project


def test_a_restored_backup_sends_nothing_twice_or_against_consent(sent: Project) -> None:
    sent.subscribe("eve", "joe")
    backup = sent.root.parent / "letter.tar"
    said = sent.ok("database", "backup", str(backup)).out
    assert "4 subscribers, 1 edition, 2 messages, 0 suppressions" in said
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    before = sent.ok("subscribers", "show", "ada@example.org", "--json").json

    sent.ok("subscribers", "unsubscribe", "bob@example.org")
    sent.ok("subscribers", "erase", "eve@example.org", "--yes")
    sent.ok("subscribers", "suppress", "joe@example.org", "--yes")
    sent.post("later", "2026-11-15")
    sent.ok("publish", "weekly", "--extra")
    letters = len(sent.mail()["ada@example.org"])

    assert "would be replaced" in sent.fails("database", "restore", str(backup)).said
    said = sent.ok("database", "restore", str(backup), "--yes").out
    assert "2 people who stopped getting email, 1 whose data was deleted, 1 edition made since" in said
    assert "now publisher.db.replaced" in said
    shown = sent.ok("subscribers", "show", "ada@example.org", "--json").json
    assert len(shown["deliveries"]) == len(before["deliveries"]) + 1
    assert {**shown, "deliveries": 0} == {**before, "deliveries": 0}
    assert sent.ok("publish", "weekly", "--extra").code == 0
    assert len(sent.mail()["ada@example.org"]) == letters
    standing = {each["email"]: each["status"] for each in sent.ok("subscribers", "list", "--json").json}
    assert standing == {
        "ada@example.org": "active",
        "bob@example.org": "unsubscribed",
        "joe@example.org": "suppressed",
    }
    assert "suppress" in sent.fails("subscribers", "add", "eve@example.org").said


def test_what_a_killed_backup_or_restore_left_is_removed_by_the_next(sent: Project) -> None:
    backup = sent.root.parent / "letter.tar"
    for left in (sent.root.parent / ".backup-1f-folder.part", sent.root / ".publisher/.restore-1f-folder.part"):
        left.mkdir()
        (left / "secret").write_text("x")
        (left.parent / left.name.replace("folder", "lock")).write_text("")
    sent.ok("database", "backup", str(backup))
    sent.ok("database", "restore", str(backup), "--yes")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert not [*sent.root.parent.glob(".backup-*"), *(sent.root / ".publisher").glob(".restore-*")]


def test_a_backup_for_a_damaged_database_waits_for_the_owner(sent: Project) -> None:
    backup = sent.root.parent / "letter.tar"
    sent.ok("database", "backup", str(backup))
    secret = sent.read(".publisher/secret")
    sent.post("later", "2026-11-15")
    sent.ok("publish", "weekly", "--extra")
    for path in (sent.root / ".publisher").glob("publisher.db-*"):
        path.unlink()
    sent.write(".publisher/publisher.db", b"SQLite format 3\0" + b"x" * 5000)
    sent.write(".publisher/secret", "x" * 64)
    said = sent.ok("database", "restore", str(backup), "--yes").out
    assert "Emails were sent after that." in said
    assert sent.read(".publisher/secret") == secret
    refused = sent.fails("publish", "weekly", "--extra")
    assert refused.err == f"{OLDER} ({ACCEPT})\n"
    assert f"would be created or sent ({ACCEPT})" in sent.ok("publish", "--dry-run").err
    shown = sent.ok("status").out
    assert f"{OLDER.removeprefix('error: ')}\n             ({ACCEPT})\n" in shown
    assert "publisher publish" not in shown
    assert "1 post would never be sent" in sent.fails("database", "accept", "--pass-over").said
    accepted = sent.ok("database", "accept", "--pass-over", "--yes").out
    assert accepted.splitlines()[0].startswith("weekly: Later (2026-11-15) seems to be unsent")
    assert accepted.endswith("This host may send again.\n1 post will never be sent.\n")
    sent.ok("publish", "weekly", "--extra")
    assert len(sent.mail()["ada@example.org"]) == 2
    assert "accepted an older database" in sent.ok("admin", "log").out


def test_a_database_that_was_copied_back_by_hand_is_noticed(sent: Project) -> None:
    database = sent.root / ".publisher/publisher.db"
    old = shutil.copytree(database.parent, sent.root.parent / "old")
    sent.post("later", "2026-11-15")
    sent.ok("publish", "weekly", "--extra")
    for path in database.parent.glob("publisher.db*"):
        path.unlink()
    shutil.copy(old / "publisher.db", database)
    assert sent.fails("publish", "weekly", "--extra").err.startswith(OLDER)
    assert sent.ok("database", "accept").out.endswith("This host may send again.\n")
    assert sent.ok("database", "accept").out == "The database knows everything that this host has sent.\n"


def test_a_project_is_restored_where_nothing_of_it_is_left(sent: Project, tmp_path: Path) -> None:
    backup = tmp_path / "letter.tar"
    published = sent.ok("build").code, sent.read(".publisher/secret")
    sent.ok("database", "backup", str(backup))
    shutil.rmtree(sent.root / ".publisher")
    sent.ok("database", "restore", str(backup))
    assert published == (0, sent.read(".publisher/secret"))
    assert len(sent.ok("editions", "--json").json) == 1
    sent.ok("publish", "weekly")
    assert sent.mail() == {}


@pytest.mark.parametrize("kind", ["text", "half", "link", "damaged"])
def test_an_incomplete_backup_changes_nothing(sent: Project, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "letter.tar"
    sent.ok("database", "backup", str(file))
    data = file.read_bytes()
    if kind == "text":
        file.write_text("hello")
    elif kind == "half":
        file.write_bytes(data[: len(data) // 2])
    elif kind == "link":
        with tarfile.open(file, "a") as archive:
            info = tarfile.TarInfo("dkim/a.pem")
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    else:
        at = data.index(b"SQLite format 3") + 4096
        file.write_bytes(data[:at] + b"\xff" * 8192 + data[at + 8192 :])
    sent.write(".publisher/secret", "y" * 64)
    said = sent.fails("database", "restore", str(file), "--yes").said
    assert said.startswith(f"error: {file}: is ")
    assert sent.read(".publisher/secret") == "y" * 64
    assert len(sent.ok("subscribers", "list", "--json").json) == 2


def test_a_copy_can_be_used_instead(sent: Project) -> None:
    source, target = "sqlite:///.publisher/publisher.db", "sqlite:///data/copy.db"
    done = sent.ok("database", "copy", source, target, "--json").json
    assert {each["table"]: each["rows"] for each in done}["deliveries"] == 2
    assert "Both have" in sent.ok("database", "copy", source, target).out
    sent.write("publisher.toml", sent.read("publisher.toml") + f'\n[database]\nurl = "{target}"\n')
    assert len(sent.ok("subscribers", "list", "--json").json) == 2
    sent.ok("publish", "weekly")
    assert len(sent.mail()["ada@example.org"]) == 1


def test_mistakes_in_the_urls_are_one_line(sent: Project) -> None:
    url = "sqlite:///.publisher/publisher.db"
    assert sent.fails("database", "copy", url, url).said.startswith("error: FROM and TO are the same database")
    assert "there is no such database" in sent.fails("database", "copy", "sqlite:///no.db", url).said
    refused = sent.run("database", "copy", url, "mysql://x")
    assert (refused.code, refused.err.splitlines()[-1][:40]) == (2, "Error: Invalid value: unsupported databa")
