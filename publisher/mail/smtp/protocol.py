"""The conversation on one connection, after greeting, encryption and login; without any connection.

What the server said goes in, what to write next and what became of each message comes out. Where the server
offers PIPELINING (RFC 2920), the envelope of the next message rides in the same write as the body before it,
so that a message costs one round trip:

    we        MAIL RCPT DATA      body1 . MAIL RCPT DATA           body2 . MAIL RCPT DATA
    server                   354                          250 .. 354                       250 .. 354

Without it every command waits for its answer. Every message that is given gets exactly one fate:

    Accepted, Deferred, Rejected   the server's answer
    GivenBack                      its end was never written: another connection may take it
    Unanswered                     its end was written, and no answer was had: it may have arrived

At most one message at a time is such that a break makes it Unanswered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from publisher.mail.smtp.replies import CLOSING, LOGIN_NEEDED, READY_FOR_DATA, GarbledError, Reply, ReplyReader
from publisher.mail.transport import Accepted, GivenBack, Outcome, Rejected, Unanswered

Fate = Outcome | GivenBack


@dataclass(frozen=True, slots=True)
class Extensions:
    """Which extensions the server offers."""

    pipelining: bool = False
    eight_bit: bool = False
    size: bool = False
    smtputf8: bool = False

    @classmethod
    def of(cls, extensions: Mapping[str, str]) -> Extensions:
        """Read the extensions of an answer to EHLO, by their names in small letters."""
        return cls(
            pipelining="pipelining" in extensions,
            eight_bit="8bitmime" in extensions,
            size="size" in extensions,
            smtputf8="smtputf8" in extensions,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message on its way; equal only to itself.

    sender, recipient  bare addresses with ASCII domains
    content            in pieces: lines that end with CRLF, of which none starts with a single dot (see `stuffed`)
    utf8               an address or a header needs SMTPUTF8 (RFC 6531)
    eight_bit          the body needs 8BITMIME (RFC 6152)
    """

    sender: str
    recipient: str
    content: Sequence[bytes]
    utf8: bool = False
    eight_bit: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message."""

    message: Message
    fate: Fate


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a dialogue is over. mend: where the settings are wrong, so that a new connection would not help."""

    reason: str
    hint: str = ""


def stuffed(message: bytes) -> bytes:
    """Return a message as content: whole lines, each dot at the start of a line doubled (RFC 5321, 4.5.2)."""
    if message.startswith(b"."):
        message = b"." + message
    doubled = message.replace(b"\n.", b"\n..")
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"


END = b".\r\n"


class _Step(Enum):
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    END = auto()
    RSET = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A step whose answer is awaited. message: None for the end of a body that nobody shall get."""

    step: _Step
    message: Message | None = None


class Dialogue:
    """See the module. A caller gives messages while there is room, writes what `writes` returns, and reads."""

    def __init__(self, offer: Extensions) -> None:
        self._offer = offer
        self._reader = ReplyReader()
        self._todo: deque[tuple[_Asked, bytes]] = deque()
        self._asked: deque[_Asked] = deque()
        self._next: Message | None = None  # given, and its envelope not yet begun
        self._current: Message | None = None  # its envelope is begun, and its body not yet written
        self._refusal: Fate | None = None  # of the current one
        self._open = False  # the server remembers an envelope that will get no body
        self._due = False  # the server waits for the current one's body
        self.ending: Ending | None = None

    @property
    def room(self) -> bool:
        """Whether one more message may be given."""
        return self._next is None and self.ending is None

    @property
    def waiting(self) -> bool:
        """Whether the server owes an answer."""
        return bool(self._asked)

    @property
    def handed_over(self) -> bool:
        """Whether a message is in doubt: its end is written, and its answer is not here."""
        return any(asked.step is _Step.END and asked.message for asked in self._asked)

    @property
    def due(self) -> Message | None:
        """The message whose body `writes` would write now."""
        return self._current if self._due else None

    @property
    def busy(self) -> bool:
        """Whether any message is in hand."""
        return self._current is not None or self._next is not None or self.handed_over

    def give(self, message: Message) -> list[Answer]:
        """Take one more message; there must be room. Returns its answer where it cannot even be asked for."""
        if message.utf8 and not self._offer.smtputf8:
            words = "the mail server cannot take addresses outside ASCII (no SMTPUTF8)"
            return [Answer(message, Rejected(words))]
        self._next = message
        self._begin()
        return []

    def quit(self) -> None:
        """Say goodbye; only when nothing is in hand."""
        self._todo.append((_Asked(_Step.QUIT), b"QUIT\r\n"))

    def writes(self, *, hand_over: bool = True) -> list[bytes]:
        """Return what is to be written now, and count it as written.

        hand_over: False holds a body back, and with it all that comes after.
        """
        out: list[bytes] = []
        if hand_over and (message := self.due):
            out += message.content
            out.append(END)
            self._asked.append(_Asked(_Step.END, message))
            self._current, self._due = None, False
            self._begin()
        while self._todo and (self._offer.pipelining or not self._asked):
            asked, command = self._todo.popleft()
            self._asked.append(asked)
            out.append(command)
        return out

    def read(self, data: bytes) -> list[Answer]:
        """Take what the server said; return what became of messages by it."""
        answers: list[Answer] = []
        try:
            for reply in self._reader.feed(data):
                if self.ending is None:
                    answers += self._reply(reply)
        except GarbledError as error:
            answers += self.lost(f"the server broke the protocol: {error}")
        return answers

    def lost(self, reason: str, hint: str = "", *, during: Message | None = None) -> list[Answer]:
        """End the dialogue: the connection broke, or shall. Return the fate of all that is in hand.

        during: whose turn it was; by default that of the oldest question, or of the body that was to come.
        """
        suspect = during or (self._asked[0].message if self._asked else self._current)
        answers = [
            Answer(asked.message, Unanswered(reason))
            for asked in self._asked
            if asked.step is _Step.END and asked.message
        ]
        answers += [Answer(m, GivenBack(reason, m is suspect)) for m in (self._current, self._next) if m is not None]
        self._asked.clear()
        self._todo.clear()
        self._current = self._next = None
        self.ending = self.ending or Ending(reason, hint)
        return answers

    def _begin(self) -> None:
        """Put the next envelope on the way, unless one is on it."""
        if self._current is not None or self._next is None:
            return
        message, self._current, self._next = self._next, self._next, None
        self._refusal = None
        if self._open:
            self._todo.append((_Asked(_Step.RSET), b"RSET\r\n"))
            self._open = False
        self._todo += (
            (_Asked(_Step.MAIL, message), f"MAIL FROM:<{message.sender}>{self._parameters(message)}\r\n".encode()),
            (_Asked(_Step.RCPT, message), f"RCPT TO:<{message.recipient}>\r\n".encode()),
            (_Asked(_Step.DATA, message), b"DATA\r\n"),
        )

    def _parameters(self, message: Message) -> str:
        size = f" SIZE={sum(map(len, message.content))}" if self._offer.size else ""
        body = " BODY=8BITMIME" if message.eight_bit and self._offer.eight_bit else ""
        return size + body + (" SMTPUTF8" if message.utf8 else "")

    def _reply(self, reply: Reply) -> list[Answer]:
        if reply.code == CLOSING:  # a no to whatever was asked (RFC 5321, 4.2.3), or to nothing
            return self._over(self._asked.popleft() if self._asked else None, reply.sentence)
        if not self._asked:
            return self.lost(f"the server spoke out of turn: {reply.sentence}")
        asked = self._asked.popleft()
        if reply.code == LOGIN_NEEDED:
            words = f"the mail server wants a login: {reply.sentence}"
            return self._over(asked, words, "see mail.smtp.username and tls")
        return self._MEANING[asked.step](self, asked, reply)

    def _over(self, asked: _Asked | None, reason: str, hint: str = "") -> list[Answer]:
        """The server hangs up instead of answering. It said no to the oldest question, and nothing to the rest."""
        refused = asked.message if asked and asked.step is _Step.END else None
        said = [Answer(refused, GivenBack(reason, suspect=True))] if refused else []
        return said + self.lost(reason, hint, during=asked.message if asked else None)

    def _envelope(self, asked: _Asked, reply: Reply) -> list[Answer]:
        if not reply.refused:
            if reply.code >= 300:
                return self.lost(f"the server broke the protocol: {reply.sentence}")
            self._open = True
        elif asked.step is _Step.MAIL and _blames_sender(asked, reply):
            words = f"the mail server refuses the sender {asked.message.sender if asked.message else ''}"
            return self.lost(f"{words}: {reply.sentence}", "see mail.sender")
        elif self._refusal is None:
            self._refusal = reply.refusal()
        return []

    def _data(self, asked: _Asked, reply: Reply) -> list[Answer]:
        message = asked.message
        if message is None or (not reply.refused and reply.code != READY_FOR_DATA):
            return self.lost(f"the server broke the protocol: {reply.sentence}")
        if reply.code == READY_FOR_DATA:
            self._open = False
            if self._refusal is None:
                self._due = True
                return []
            # RFC 2920, 3.1: a server may ask for a body that nobody will get; an empty one ends it.
            self._todo.appendleft((_Asked(_Step.END), END))
        fate, self._refusal = self._refusal or reply.refusal(), None
        self._current = None
        self._begin()
        return [Answer(message, fate)]

    def _end(self, asked: _Asked, reply: Reply) -> list[Answer]:
        if asked.message is None:
            return []
        if 300 <= reply.code < 400:
            self._asked.appendleft(asked)
            return self.lost(f"the server broke the protocol: {reply.sentence}")
        return [Answer(asked.message, reply.refusal() if reply.refused else Accepted())]

    def _goodbye(self, asked: _Asked, reply: Reply) -> list[Answer]:
        return self.lost("said goodbye")

    def _nothing(self, asked: _Asked, reply: Reply) -> list[Answer]:
        return []

    _MEANING: ClassVar = {
        _Step.MAIL: _envelope,
        _Step.RCPT: _envelope,
        _Step.DATA: _data,
        _Step.END: _end,
        _Step.RSET: _nothing,
        _Step.QUIT: _goodbye,
    }


def _blames_sender(asked: _Asked, reply: Reply) -> bool:
    """Whether a refusal of MAIL is one of the sender, which is every message's, and not of this message."""
    own = asked.message is not None and asked.message.utf8
    return reply.code >= 500 and not own and reply.code != 552 and reply.status != "5.3.4"
