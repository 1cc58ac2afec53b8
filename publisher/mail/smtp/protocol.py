"""The client side of SMTP without I/O, for one connection after the greeting, encryption and login.

The server's replies go in; the bytes to write next and the fate of each message come out. If the server offers
PIPELINING (RFC 2920), the envelope of the next message is written together with the body of the previous one, so that
each message costs only one round trip:

    client    MAIL RCPT DATA      body1 . MAIL RCPT DATA           body2 . MAIL RCPT DATA
    server                   354                          250 .. 354                       250 .. 354

Without it, every command waits for its reply. Every message that is added gets exactly one fate:

    Accepted, Deferred, Rejected   the server's answer
    GivenBack                      the end of the body was never written, so another connection may send the message
    Unanswered                     the end of the body was written but no answer came; the message may have arrived

At any time, a broken connection can make at most one message Unanswered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from enum import IntEnum, auto
from typing import ClassVar, NamedTuple

from publisher.core.frozen import dataclass
from publisher.mail.smtp.replies import CLOSING, LOGIN_NEEDED, READY_FOR_DATA, GarbledError, Reply, ReplyReader
from publisher.mail.transport import Accepted, GivenBack, Outcome, RefusedAt, Rejected, Unanswered

Fate = Outcome | GivenBack


@dataclass(frozen=True, slots=True)
class Extensions:
    """The SMTP extensions that a server offers."""

    pipelining: bool = False
    eight_bit: bool = False
    size: bool = False
    smtputf8: bool = False

    @classmethod
    def of(cls, extensions: Mapping[str, str]) -> Extensions:
        """Return the extensions from a reply to EHLO. extensions: their parameters, by name in lower case."""
        return cls(
            pipelining="pipelining" in extensions,
            eight_bit="8bitmime" in extensions,
            size="size" in extensions,
            smtputf8="smtputf8" in extensions,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message with its envelope. Each object is equal only to itself.

    sender, recipient  bare addresses with ASCII domains
    content            pieces of whole lines that end with CRLF; no line starts with a single dot (see `dot_stuffed`)
    utf8               whether an address needs SMTPUTF8 (RFC 6531)
    eight_bit          whether the body needs 8BITMIME (RFC 6152)
    """

    sender: str
    recipient: str
    content: Sequence[bytes]
    utf8: bool = False
    eight_bit: bool = False


@dataclass(frozen=True, slots=True)
class MessageFate:
    """A message and its fate."""

    message: Message
    fate: Fate


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a conversation.

    reason  the reason why it ended
    hint    advice if the configuration is wrong, so that trying again would not help; otherwise ""
    """

    reason: str
    hint: str = ""


def dot_stuffed(message: bytes) -> bytes:
    """Return a message as the content of a Message: in whole lines, with leading dots doubled (RFC 5321, 4.5.2)."""
    if message.startswith(b"."):
        message = b"." + message
    doubled = message.replace(b"\n.", b"\n..")
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"


END = b".\r\n"


class _Step(IntEnum):
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    END = auto()
    RSET = auto()
    QUIT = auto()


class _Command(NamedTuple):
    """A command that awaits its reply.

    message: the message that the command belongs to; None for RSET, QUIT and the end of an empty body.
    """

    step: _Step
    message: Message | None = None


class SmtpProtocol:
    """One conversation with a server.

    The caller adds messages while there is room, writes the bytes that `data_to_send` returns, and passes replies to
    `receive`.
    """

    def __init__(self, extensions: Extensions) -> None:
        self._extensions = extensions
        self._reader = ReplyReader()
        self._todo: deque[tuple[_Command, bytes]] = deque()
        self._awaited: deque[_Command] = deque()
        self._next: Message | None = None  # the message that was added, but whose envelope has not begun
        self._current: Message | None = None  # the message whose envelope has begun, but whose body is not written
        self._refusal: Fate | None = None  # the first refusal in the current message's envelope
        self._open = False  # the server holds an envelope that will get no body
        self._due = False  # the server waits for the current message's body
        self.ending: Ending | None = None

    @property
    def has_room(self) -> bool:
        """Return whether one more message may be added."""
        return self._next is None and self.ending is None

    @property
    def awaits_reply(self) -> bool:
        """Return whether the server still has to reply."""
        return bool(self._awaited)

    @property
    def in_doubt(self) -> bool:
        """Return whether a message has been handed over but not answered yet."""
        return any(command.step is _Step.END and command.message for command in self._awaited)

    @property
    def body_due(self) -> Message | None:
        """Return the message whose body the server is waiting for, or None."""
        return self._current if self._due else None

    @property
    def next_body(self) -> Message | None:
        """Return the message whose body comes next, or None if no message was added."""
        return self._current or self._next

    @property
    def busy(self) -> bool:
        """Return whether any message has been added but not answered yet."""
        return self._current is not None or self._next is not None or self.in_doubt

    def add(self, message: Message) -> list[MessageFate]:
        """Add one more message. There must be room for it, see `has_room`.

        Returns the message's answer if the server could never accept it, and otherwise an empty list.
        """
        if message.utf8 and not self._extensions.smtputf8:
            words = "the mail server does not accept addresses outside ASCII (no SMTPUTF8)"
            return [MessageFate(message, Rejected(words, RefusedAt.HERE))]
        self._next = message
        self._begin()
        return []

    def quit(self) -> None:
        """Send QUIT. Call this only when the conversation is not busy."""
        self._todo.append((_Command(_Step.QUIT), b"QUIT\r\n"))

    def data_to_send(self, *, hand_over: bool = True) -> list[bytes]:
        """Return the bytes to write now, and treat them as written.

        hand_over: False holds back the next body and everything after it.
        """
        out: list[bytes] = []
        if hand_over and (message := self.body_due):
            out += message.content
            out.append(END)
            self._awaited.append(_Command(_Step.END, message))
            self._current, self._due = None, False
            self._begin()
        while self._todo and (self._extensions.pipelining or not self._awaited):
            command, line = self._todo.popleft()
            self._awaited.append(command)
            out.append(line)
        return out

    def receive(self, data: bytes) -> list[MessageFate]:
        """Process bytes from the server; return the fates of the messages that these bytes decide."""
        answers: list[MessageFate] = []
        try:
            for reply in self._reader.feed(data):
                if self.ending is None:
                    answers += self._reply(reply)
        except GarbledError as error:
            answers += self.end(f"the server broke the protocol: {error}")
        return answers

    def end(self, reason: str, hint: str = "", *, during: Message | None = None) -> list[MessageFate]:
        """End the conversation, because the connection broke or will be closed; return the fates of its messages.

        during: the message that the server was dealing with. By default, it is the message of the oldest command
        without a reply, or else the message whose body comes next.
        """
        suspect = during or (self._awaited[0].message if self._awaited else self._current)
        answers = [
            MessageFate(command.message, Unanswered(reason))
            for command in self._awaited
            if command.step is _Step.END and command.message
        ]
        answers += [
            MessageFate(m, GivenBack(reason, m is suspect)) for m in (self._current, self._next) if m is not None
        ]
        self._awaited.clear()
        self._todo.clear()
        self._current = self._next = None
        self.ending = self.ending or Ending(reason, hint)
        return answers

    def _begin(self) -> None:
        """Begin the envelope of the next message, unless another message is in progress."""
        if self._current is not None or self._next is None:
            return
        message, self._current, self._next = self._next, self._next, None
        self._refusal = None
        if self._open:
            self._todo.append((_Command(_Step.RSET), b"RSET\r\n"))
            self._open = False
        self._todo += (
            (_Command(_Step.MAIL, message), f"MAIL FROM:<{message.sender}>{self._parameters(message)}\r\n".encode()),
            (_Command(_Step.RCPT, message), f"RCPT TO:<{message.recipient}>\r\n".encode()),
            (_Command(_Step.DATA, message), b"DATA\r\n"),
        )

    def _parameters(self, message: Message) -> str:
        size = f" SIZE={sum(map(len, message.content))}" if self._extensions.size else ""
        body = " BODY=8BITMIME" if message.eight_bit and self._extensions.eight_bit else ""
        return size + body + (" SMTPUTF8" if message.utf8 else "")

    def _reply(self, reply: Reply) -> list[MessageFate]:
        if reply.code == CLOSING:  # refuses the oldest command (RFC 5321, 4.2.3), or says goodbye unprompted
            return self._hung_up(self._awaited.popleft() if self._awaited else None, reply.sentence)
        if not self._awaited:
            return self.end(f"the server sent an unexpected reply: {reply.sentence}")
        command = self._awaited.popleft()
        if reply.code == LOGIN_NEEDED:
            words = f"the mail server requires a login: {reply.sentence}"
            return self._hung_up(command, words, "see mail.smtp.username and tls")
        return self._HANDLERS[command.step](self, command, reply)

    def _hung_up(self, command: _Command | None, reason: str, hint: str = "") -> list[MessageFate]:
        """Handle a server that hangs up: the oldest command is refused, and the others get no reply.

        command: the oldest command, or None if no command was waiting for a reply.
        """
        refused = command.message if command and command.step is _Step.END else None
        said = [MessageFate(refused, GivenBack(reason, suspect=True))] if refused else []
        return said + self.end(reason, hint, during=command.message if command else None)

    def _on_envelope(self, command: _Command, reply: Reply) -> list[MessageFate]:
        if not reply.refused:
            if reply.code >= 300:
                return self.end(f"the server broke the protocol: {reply.sentence}")
            self._open = True
        elif command.step is _Step.MAIL and _blames_sender(command, reply):
            words = f"the mail server refuses the sender {command.message.sender if command.message else ''}"
            return self.end(f"{words}: {reply.sentence}", "see mail.sender")
        elif self._refusal is None:
            self._refusal = reply.refusal(RefusedAt.SENDER if command.step is _Step.MAIL else RefusedAt.RECIPIENT)
        return []

    def _on_data(self, command: _Command, reply: Reply) -> list[MessageFate]:
        message = command.message
        if message is None or (not reply.refused and reply.code != READY_FOR_DATA):
            return self.end(f"the server broke the protocol: {reply.sentence}")
        if reply.code == READY_FOR_DATA:
            self._open = False
            if self._refusal is None:
                self._due = True
                return []
            # RFC 2920, 3.1: a server may ask for a body although it refused every recipient; an empty body ends that.
            self._todo.appendleft((_Command(_Step.END), END))
        fate, self._refusal = self._refusal or reply.refusal(), None
        self._current = None
        self._begin()
        return [MessageFate(message, fate)]

    def _on_end(self, command: _Command, reply: Reply) -> list[MessageFate]:
        if command.message is None:
            return []
        if 300 <= reply.code < 400:
            self._awaited.appendleft(command)
            return self.end(f"the server broke the protocol: {reply.sentence}")
        return [MessageFate(command.message, reply.refusal() if reply.refused else Accepted())]

    def _on_quit(self, command: _Command, reply: Reply) -> list[MessageFate]:
        return self.end("said goodbye")

    def _ignored(self, command: _Command, reply: Reply) -> list[MessageFate]:
        return []

    _HANDLERS: ClassVar = {
        _Step.MAIL: _on_envelope,
        _Step.RCPT: _on_envelope,
        _Step.DATA: _on_data,
        _Step.END: _on_end,
        _Step.RSET: _ignored,
        _Step.QUIT: _on_quit,
    }


def _blames_sender(command: _Command, reply: Reply) -> bool:
    """Return whether a refusal of MAIL is about the sender, which all messages share, rather than about one message."""
    own = command.message is not None and command.message.utf8
    return reply.code >= 500 and not own and reply.code != 552 and reply.status != "5.3.4"
