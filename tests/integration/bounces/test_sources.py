"""Reports from a Maildir, an mbox, an IMAP account and a mail server's pipe: each is read once, and none is lost."""

from __future__ import annotations

import grp
import mailbox
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.free_ports import free_port
from tests.support.bounced_project import BouncedProject, maildir, pipe
from tests.support.needs import need
from tests.support.project import Project, Ran

BOUNCES = '\n[mail]\nsender = "ada@letters.example"\nbounces = "bounces@letters.example"\n'


SUMMARY = "5 read: 1 hard bounce, 1 soft bounce, 1 spam complaint, 1 not for this project, 1 forged\n"


@pytest.fixture
def bounced(project: Project) -> BouncedProject:
    return BouncedProject(project)


def test_a_maildir_is_read_once(bounced: BouncedProject) -> None:
    folder = maildir(bounced.project.root / "returned", bounced.all())
    before = bounced.project.listing("returned")
    rehearsed = bounced.project.ok("bounces", "read", "returned", "--dry-run")
    assert rehearsed.out == SUMMARY.replace("\n", " (dry run: nothing was written)\n")
    assert bounced.project.listing("returned") == before
    assert bounced.status("ada") == "active"

    assert bounced.project.ok("bounces", "read", "returned").out == SUMMARY
    assert [bounced.status(name) for name in ("ada", "bob", "eve")] == ["bounced", "active", "complained"]
    assert len(list((folder / "cur").glob("*:2,S"))) == 5
    assert bounced.project.ok("bounces", "read", "returned").out == "nothing to read\n"

    for path in (folder / "cur").iterdir():  # an email client marks them as new again
        path.rename(path.with_name(path.name.replace(":2,S", ":2,F")))
    again = bounced.project.ok("bounces", "read", "returned").out
    assert again == "5 read: 3 already processed, 1 not for this project, 1 forged\n"


def test_an_mbox_is_read_once(bounced: BouncedProject) -> None:
    path = bounced.project.root / "returned.mbox"
    box = mailbox.mbox(path)
    for data in bounced.all():
        box.add(mailbox.mboxMessage(data))
    box.close()
    assert bounced.project.ok("bounces", "read", str(path)).out == SUMMARY
    assert bounced.project.ok("bounces", "read", str(path)).out == "nothing to read\n"
    kept = mailbox.mbox(path)
    assert [len(message.as_bytes()) > 50 for message in kept] == [True] * 5
    assert [message.get_flags() for message in kept] == ["RO"] * 5
    kept.lock()
    ran = bounced.project.run("bounces", "read", str(path))
    kept.unlock()
    assert ran.code == 1
    assert "is locked by another program (try again)" in ran.err


def test_an_empty_mbox_has_nothing_to_read(project: Project) -> None:
    (project.root / "empty.mbox").touch()
    assert project.ok("bounces", "read", "empty.mbox").out == "nothing to read\n"


def test_a_mail_server_can_pipe_a_report(bounced: BouncedProject) -> None:
    assert pipe(bounced, bounced.of("ada")) == Ran(0, "1 read: 1 hard bounce\n", "")
    assert pipe(bounced, bounced.of("ada")) == Ran(0, "1 read: 1 already processed\n", "")
    assert pipe(bounced, b"\xff\0 no message at all").code == 0
    assert bounced.status("ada") == "bounced"


def test_a_failure_asks_for_redelivery(bounced: BouncedProject) -> None:
    config = bounced.project.root / "publisher.toml"
    text = config.read_text()
    config.write_text(text + "\n[database]\nurl = 'sqlite:///publisher.toml'\n")
    refused = pipe(bounced, bounced.of("ada"))
    assert (refused.code, "not a database" in refused.err, "Traceback" in refused.err) == (75, True, False)
    config.write_text("[site")
    assert pipe(bounced, bounced.of("bob")).code == 75
    config.write_text(text)
    assert pipe(bounced, bounced.of("ada")).code == 0


def test_the_source_can_be_configured(project: Project) -> None:
    bounced = BouncedProject(project, '\n[bounces]\nsource = "returned"\n')
    maildir(project.root / "returned", bounced.all())
    ran = project.ok("bounces", "read", "--json").json
    assert ran == {"read": 5, "permanent": 1, "temporary": 1, "complaint": 1, "foreign": 1, "forged": 1}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "there is no source of bounce reports (name one, or set bounces.source)"),
        ("nowhere", "does not exist (name a Maildir"),
        ("posts", "isn't a Maildir: it has no new/ and cur/"),
        ("publisher.toml", 'an mbox file: its first line doesn\'t begin with "From " (name a Maildir'),
        ("imaps://ada:hunter2@mail.example/", "contains a password, which every process on this host can read"),
        ("imaps://mail.example/INBOX", "isn't the URL of a mailbox"),
        ("http://ada@mail.example/INBOX", "isn't the URL of a mailbox"),
        ("imaps://ada@mail.example:x/INBOX", "isn't the URL of a mailbox"),
        ("imaps://ada@mail.example/INBOX", "there is no password for the mailbox"),
    ],
)
def test_an_invalid_source_is_reported(project: Project, source: str, said: str) -> None:
    ran = project.run("bounces", "read", *([source] if source else []))
    assert ran.code == 1
    assert said in ran.err
    assert "hunter2" not in ran.err


def test_a_password_in_the_source_is_refused(project: Project) -> None:
    project.configure('\n[bounces]\nsource = "imaps://ada:hunter2@mail.example/INBOX"\n')
    ran = project.run("bounces", "read")
    assert (ran.code, "hunter2" in ran.err) == (1, False)
    assert "publisher.toml:" in ran.err and "bounces.source" in ran.err


def test_bounces_are_listed(bounced: BouncedProject) -> None:
    assert bounced.project.ok("bounces", "list").out == "no bounces\n"
    maildir(bounced.project.root / "returned", bounced.all())
    bounced.project.ok("bounces", "read", "returned")
    rows = bounced.project.ok("bounces", "list", "--newsletter", "weekly", "--json").json
    assert [(row["address"], row["slot"], row["verdict"], row["status"]) for row in reversed(rows)] in (
        [("ada@example.org", "2026-W47", "permanent", "5.1.1"), ("bob@example.org", "2026-W47", "temporary", "4.2.2")],
        [("bob@example.org", "2026-W47", "temporary", "4.2.2"), ("ada@example.org", "2026-W47", "permanent", "5.1.1")],
    )
    head, *lines = bounced.project.ok("bounces", "list").out.splitlines()
    assert (head.split("\t")[1], len(lines)) == ("Subscriber", 3)
    counted = "Edition\tSent\tHard bounces\tSoft bounces\tRejected\tSpam complaints\nweekly 2026-W47\t3\t1\t1\t0\t0\n"
    assert bounced.project.ok("bounces", "stats").out == counted
    assert bounced.project.run("bounces", "stats", "--newsletter", "wekly").code == 1


DOVECOT = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
auth_failure_delay = 0
mail_location = maildir:{root}/mail
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = static
  args = password=open-sesame
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/home
}}
"""


@pytest.fixture
def imap() -> Iterator[tuple[str, Path]]:
    """Run a Dovecot, as another user if root runs the test; yield the URL of its inbox and its Maildir."""
    program = need("dovecot")
    me = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    root, port = Path(tempfile.mkdtemp(prefix="publisher-imap-")), free_port()
    root.chmod(0o755)
    group = grp.getgrgid(me.pw_gid).gr_name
    values = {"root": root, "port": port, "user": me.pw_name, "group": group, "uid": me.pw_uid, "gid": me.pw_gid}
    (root / "dovecot.conf").write_text(DOVECOT.format(**values))
    process = subprocess.Popen([program, "-F", "-c", str(root / "dovecot.conf")])
    try:
        limit = time.monotonic() + 300
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=60).close()
                break
            except OSError:
                log = root / "dovecot.log"
                assert process.poll() is None, log.read_text() if log.exists() else "no log"
                assert time.monotonic() < limit
                time.sleep(0.05)
        yield f"imap://ada@127.0.0.1:{port}/INBOX", root / "mail"
    finally:
        process.terminate()
        process.wait(300)
        shutil.rmtree(root, ignore_errors=True)


def test_an_imap_folder_is_read_once(
    bounced: BouncedProject, imap: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder = imap
    maildir(folder, bounced.all())
    owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    monkeypatch.setenv("PUBLISHER_BOUNCES_PASSWORD", "wrong")
    refused = bounced.project.run("bounces", "read", url)
    assert refused.code == 1
    assert "Authentication failed" in refused.err
    assert "check bounces.source and its password" in refused.err
    monkeypatch.setenv("PUBLISHER_BOUNCES_PASSWORD", "open-sesame")
    assert bounced.project.ok("bounces", "read", url, "--dry-run").out.startswith(SUMMARY[:-1])
    assert bounced.project.ok("bounces", "read", url).out == SUMMARY
    assert bounced.project.ok("bounces", "read", url).out == "nothing to read\n"
    missing = bounced.project.run("bounces", "read", url.replace("INBOX", "Nothing here"))
    assert (missing.code, "the folder cannot be opened" in missing.err) == (1, True)
