"""A scripted server for the SMTP protocol, without I/O, and messages to send to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from publisher.mail.smtp.protocol import Extensions, Fate, Message, MessageFate, SmtpProtocol
from publisher.mail.transport import GivenBack

PIPELINING = Extensions(pipelining=True)
LOCKSTEP = Extensions()


def message(number: int, **more: bool) -> Message:
    return Message("ada@example.org", f"reader{number}@example.org", [f"Message {number}\r\n".encode()], **more)


def body(letter: Message) -> bytes:
    return b"".join(letter.content)


FIRST, SECOND = message(1), message(2)


@dataclass
class Server:
    """A server that answers each command as its script says, and keeps the messages that it has accepted."""

    answer: Callable[[str, int], str]
    taken: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    body: list[bytes] | None = None

    def hear(self, data: bytes) -> list[str]:
        """Return one answer to each command and to each end of a body in these bytes."""
        said = []
        for line in data.splitlines(keepends=True):
            if self.body is not None and line != b".\r\n":
                self.body.append(line)
                continue
            word = "." if self.body is not None else line.split()[0].decode()
            said.append(answer := self.answer(word, len(self.commands)))
            self.commands.append(word)
            if word == "." and answer.startswith("2"):
                self.taken.append(b"".join(self.body or []))
            self.body = [] if word == "DATA" and answer.startswith("354") else None
        return said


def usual(word: str, _: int) -> str:
    return "354 go ahead" if word == "DATA" else "250 2.0.0 fine"


def converse(protocol: SmtpProtocol, server: Server, messages: list[Message]) -> list[MessageFate]:
    """Add messages while there is room, until nothing happens any more; return their fates."""
    waiting, answers, said = list(messages), [], b""
    while True:
        while waiting and protocol.has_room:
            answers += protocol.add(waiting.pop(0))
        written = b"".join(protocol.data_to_send())
        said = "".join(f"{line}\r\n" for line in server.hear(written)).encode()
        if not said:
            return answers
        answers += protocol.receive(said)


def fates(answers: list[MessageFate]) -> dict[str, Fate]:
    """Return the fate of each message, by recipient; their order has its own test."""
    assert len({id(answer.message) for answer in answers}) == len(answers)
    return {
        answer.message.recipient.partition("@")[0]: replace(answer.fate, suspect=False)
        if isinstance(answer.fate, GivenBack)
        else answer.fate
        for answer in answers
    }
