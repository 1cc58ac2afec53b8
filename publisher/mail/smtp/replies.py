"""Parsing the replies of an SMTP server. The meaning of a refusal for a subscriber is judged elsewhere."""

from __future__ import annotations

import re
from typing import NamedTuple

from publisher.mail.transport import Deferred, RefusedAt, Rejected

READY_FOR_DATA = 354
CLOSING = 421
LOGIN_NEEDED = 530

# RFC 5321, 4.5.3.1.5 allows 512 bytes for a line. Some servers write whole sentences with links, but no server needs
# more than these limits.
LINE_BYTES = 8_192
REPLY_BYTES = 65_536

_LINE = re.compile(rb"([2-5]\d\d)([ -]?)(.*)", re.DOTALL)
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\S)")


class GarbledError(Exception):
    """The server sent invalid data instead of a reply. Later replies can no longer be matched with commands."""


class Reply(NamedTuple):
    """One reply. It consists of a code, and the text after the code on each line."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def words(self) -> str:
        """Return the text of all lines as one line, without repetitions of the enhanced status code.

        The text is computed on demand, because it is rarely used for a positive reply.
        """
        texts = [" ".join(_shown(line).split()) for line in self.lines]
        first = _ENHANCED.match(texts[0])
        if first:
            texts[1:] = [text.removeprefix(first[0]).strip() for text in texts[1:]]
        return " ".join(text for text in texts if text)

    @property
    def refused(self) -> bool:
        """Return whether this is a refusal, either for now (4xx) or for good (5xx)."""
        return self.code >= 400

    @property
    def status(self) -> str:
        """Return the enhanced status code (RFC 2034), such as "5.1.1"; return "" if there is none."""
        found = _ENHANCED.match(self.words)
        return ".".join(str(int(part)) for part in found.groups()) if found else ""

    @property
    def sentence(self) -> str:
        """Return the code and the text as one line."""
        return f"{self.code} {self.words}".rstrip()

    def refusal(self, at: RefusedAt = RefusedAt.RECIPIENT) -> Deferred | Rejected:
        """Return the outcome for a message that the server refused with this reply. at: how far the message got."""
        kind = Deferred if self.code < 500 else Rejected
        return kind(self.sentence, at)


class ReplyReader:
    """A parser that turns bytes, in pieces of any size, into replies."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        self._code = b""
        self._size = 0

    def feed(self, data: bytes) -> list[Reply]:
        """Add bytes from the server, and return the replies that are now complete.

        Raises GarbledError if the bytes are not a valid reply.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_BYTES:
            raise GarbledError("a line without end")
        return [reply for line in lines if (reply := self._line(line.removesuffix(b"\r"))) is not None]

    def _line(self, line: bytes) -> Reply | None:
        found = _LINE.fullmatch(line)
        if not found or (self._lines and found[1] != self._code) or (not found[2] and found[3]):
            raise GarbledError(f"not a reply: {line[:80].decode('utf-8', 'replace')!r}")
        self._size += len(line)
        if self._size > REPLY_BYTES:
            raise GarbledError("a reply without end")
        self._code = found[1]
        self._lines.append(found[3])
        if found[2] == b"-":
            return None
        reply = Reply(int(self._code), tuple(self._lines))
        self._lines, self._size = [], 0
        return reply


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
