"""A Postfix and a Dovecot for a test, on loopback: Postfix accepts mail and passes it to Dovecot through LMTP.

Neither touches the machine's own servers: they have their own configuration, queue, mailboxes, log and ports.
"""

from __future__ import annotations

import imaplib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.free_ports import free_port
from tests.support.needs import PATH, need

PASSWORD = "secret"
DOMAIN, BOUNCES = "example.org", "bounces.letters.example"

# Mail delivery does not run as root.
OWNER = "nobody"

_DOVECOT = """\
protocols = imap lmtp
base_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%n
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"""

# Mail for its own domain goes to Dovecot, which knows the mailboxes; bounces go to a separate Maildir.
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file_prefixes = {folder}
maillog_file = {folder}/postfix.log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mydestination =
mynetworks = 127.0.0.0/8
disable_dns_lookups = yes
smtputf8_enable = yes
recipient_delimiter = +
relay_domains = {domain}
relay_transport = lmtp:inet:127.0.0.1:{lmtp}
virtual_mailbox_domains = {bounces}
virtual_mailbox_base = {folder}/bounces
virtual_mailbox_maps = inline:{{ bounces@{bounces}=new-bounces/ }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""

_MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Post:
    """A running pair, with its ports, mailboxes and bounces."""

    folder: Path
    smtp: int
    imap: int

    def mailbox(self, address: str) -> list[bytes]:
        """Return every message for an address, as an IMAP client reads it."""
        with imaplib.IMAP4("127.0.0.1", self.imap) as client:
            client.login(address, PASSWORD)
            client.select("INBOX", readonly=True)
            numbers = client.search(None, "ALL")[1][0].split()
            found = client.fetch(b",".join(numbers).decode(), "(RFC822)")[1] if numbers else []
            return [part[1] for part in found if isinstance(part, tuple)]

    @property
    def bounces(self) -> Path:
        """The Maildir of bounces."""
        return self.folder / "bounces/new-bounces"

    def settle(self) -> None:
        """Wait until Postfix has nothing left to deliver.

        It looks twice: a bounce may begin in a queue where it has already looked, before the failed message is gone.
        """
        # A message goes from one to the next, so none is missed.
        queues = [self.folder / "queue" / name for name in ("maildrop", "incoming", "active", "deferred")]

        def is_empty() -> bool:
            return not any(path.is_file() for queue in queues for path in queue.rglob("*"))

        _await(lambda: is_empty() and is_empty(), self.log)

    def log(self) -> str:
        """Return the last log lines of both, to find the cause of a failure."""
        logs = [path.read_text("utf-8", "replace")[-3_000:] for path in self.folder.glob("*.log")]
        return "\n".join(logs)


@contextmanager
def postfix_and_dovecot(names: list[str]) -> Iterator[Post]:
    """Run both until the block ends. names: the local parts of the mailboxes."""
    need("postfix", "dovecot", "lmtp")
    if os.geteuid() != 0:
        pytest.skip("Postfix and Dovecot can only be started by root")
    # Unix sockets need short names, and users other than root must have access: tmp_path has neither.
    folder = Path(tempfile.mkdtemp(prefix="publisher-mail-"))
    folder.chmod(0o755)
    try:
        yield from _run(folder, names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, names: list[str]) -> Iterator[Post]:
    smtp, imap, lmtp = free_port(), free_port(), free_port()
    post = Post(folder, smtp, imap)
    _write(folder, names, smtp=smtp, imap=imap, lmtp=lmtp)
    dovecot, postfix = ["-c", str(folder / "dovecot.conf")], ["postfix", "-c", str(folder / "postfix")]
    _call(["dovecot", *dovecot], post)
    try:
        _call([*postfix, "start"], post)
        try:
            _await(lambda: all(map(_listens, (smtp, imap, lmtp))), post.log)
            yield post
        finally:
            _call([*postfix, "abort"], post)  # there is nothing left to wait for
    finally:
        _call(["doveadm", *dovecot, "stop"], post)


def _write(folder: Path, names: list[str], **ports: int) -> None:
    from grp import getgrgid
    from pwd import getpwnam

    owner = getpwnam(OWNER)
    values = ports | {"folder": folder, "domain": DOMAIN, "bounces": BOUNCES, "owner": OWNER}
    values |= {"uid": owner.pw_uid, "gid": owner.pw_gid, "group": getgrgid(owner.pw_gid).gr_name}
    for name in ("postfix", "queue", "data", "mail", "bounces"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    for name in ("mail", "bounces"):
        shutil.chown(folder / name, OWNER)
    (folder / "dovecot.conf").write_text(_DOVECOT.format(**values))
    (folder / "postfix/main.cf").write_text(_MAIN.format(**values))
    (folder / "postfix/master.cf").write_text(_MASTER.format(**values))
    (folder / "users").write_text("".join(f"{name}@{DOMAIN}:{{PLAIN}}{PASSWORD}::::::\n" for name in names))


def _call(command: list[str], post: Post) -> None:
    environment = os.environ | {"PATH": PATH}
    with (post.folder / "commands.log").open("a") as log:  # a daemon would keep a pipe open for ever
        done = subprocess.run(command, env=environment, stdout=log, stderr=log, timeout=240, check=False)
    assert done.returncode == 0, (command, post.log())


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        return not caller.connect_ex(("127.0.0.1", port))


def _await(true: Callable[[], bool], log: Callable[[], str]) -> None:
    for _ in range(4_800):  # four minutes
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(log())
