"""Messages that were made to harm parsers: each is handled separately, and the reports after it are read."""

from __future__ import annotations

import io
import mailbox
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.bounces.mailboxes import Mbox, SingleMessage
from publisher.bounces.reading import MOST_BYTES
from tests.support.bounced_project import BouncedProject, maildir, pipe
from tests.support.project import Project


def nested(depth: int, kind: str = "multipart/mixed") -> bytes:
    """Return a message with deeply nested parts."""
    inner = "".join(f'Content-Type: {kind}; boundary="b{n}"\n\n--b{n}\n' for n in range(depth))
    return f"From: x@example.org\nSubject: deep\n{inner}\nend\n".encode()


HOSTILE = [
    nested(400),
    nested(5_000),
    b"From: x@example.org\n" + b"Content-Type: message/rfc822\n\n" * 2_000,
    b"Content-Type: text/plain; charset=\xff\xfe\nFrom: =?no-such?B?/w==?=\n\n\xff\xfe",
    b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\nYQ=\n",
    b"Content-Type: multipart/report; boundary*=x''%ff%\n\n--\n",
    b"\0\n",
]
READ = f"{len(HOSTILE) + 2} read: 2 hard bounces, {len(HOSTILE)} not for this project"


@pytest.fixture
def bounced(project: Project) -> BouncedProject:
    return BouncedProject(project)


def test_an_unreadable_message_stops_no_other_in_an_mbox(bounced: BouncedProject) -> None:
    path = bounced.project.root / "mix.mbox"
    messages = [bounced.of("ada"), *HOSTILE, bounced.of("bob")]
    path.write_bytes(b"".join(b"From x Sat Nov 21 09:00:00 2026\n" + data + b"\n" for data in messages))
    assert (
        bounced.project.ok("bounces", "read", str(path), "--dry-run").out == f"{READ} (dry run: nothing was written)\n"
    )
    assert bounced.project.ok("bounces", "read", str(path)).out == f"{READ}\n"
    assert [bounced.status(name) for name in ("ada", "bob")] == ["bounced", "bounced"]
    assert bounced.project.ok("bounces", "read", str(path)).out == "nothing to read\n"


def test_an_unreadable_message_stops_no_other_in_a_maildir(bounced: BouncedProject) -> None:
    folder = maildir(bounced.project.root / "returned", [bounced.of("ada")])
    for number, data in enumerate([*HOSTILE, bounced.of("bob")]):
        (folder / f"new/1.{number}.x").write_bytes(data)
    assert bounced.project.ok("bounces", "read", "returned").out == f"{READ}\n"
    assert bounced.project.ok("bounces", "read", "returned").out == "nothing to read\n"


def test_an_unreadable_piped_message_is_accepted(bounced: BouncedProject) -> None:
    ran = pipe(bounced, HOSTILE[1])
    assert (ran.code, ran.out, ran.err) == (0, "1 read: 1 not for this project\n", "")


TEXT = st.binary(max_size=60) | st.lists(
    st.sampled_from([b"Status: RO\n", b"status: O\r\n", b"\n", b"\r\n", b"X: y\n", b" z\n", b"From x\n", b"words"])
).map(b"".join)


@settings(max_examples=60)
@given(first=TEXT, second=TEXT)
@example(first=b"", second=b"\n")
def test_marking_a_message_changes_nothing_else(
    first: bytes, second: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("mbox") / "box"
    path.write_bytes(b"".join(b"From x Sat\n" + data + b"\n\n" for data in (first, second)))
    before = [message.get_payload() for message in mailbox.mbox(path)]
    for found in Mbox(path).messages():
        found.mark_read()
    assert list(Mbox(path).messages()) == []
    assert [message.get_payload() for message in mailbox.mbox(path)] == before


def test_a_long_message_is_read_completely_and_its_beginning_kept(tmp_path: Path) -> None:
    stream = io.BytesIO(b"Subject: long\n\n" + b"x" * 3_000_000)
    (message,) = SingleMessage.of(stream).messages()
    assert (len(message.data), stream.read()) == (MOST_BYTES, b"")
    path = tmp_path / "box"
    path.write_bytes(b"From x Sat\n" + stream.getvalue() + b"\nFrom y Sat\nSubject: short\n\nend\n")
    assert [len(found.data) for found in Mbox(path).messages()] == [MOST_BYTES, 20]
