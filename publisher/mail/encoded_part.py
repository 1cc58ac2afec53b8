"""The parts of a message in quoted-printable, encoded once for all recipients and cut at the marks of the letter.

Every piece between two marks is encoded separately, with a soft line break on either side of the mark (RFC 2045, 6.7).
So no value, however long, can make a line too long or end up in the middle of an escape sequence. A condition has the
pieces of both its branches, from which the parts for a recipient are assembled.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from publisher.core.frozen import dataclass
from publisher.core.personal_marks import Fork, MarkedText, Rule, cut
from publisher.mail.dkim import canonical

SOFT_BREAK = b"=\r\n"

# binascii escapes a space before a line end only after it has measured the line, which then has up to 78 characters.
_OVERLONG = re.compile(rb"(?m)^(.{74,75})(=20|=09)$")

# The length that RFC 2045 allows for a line, without the "=" of a soft break.
QP_LINE = 75

# A message separator in mbox files. Programs that write such files change these lines to ">From", which breaks
# signatures.
_LEADING_FROM = re.compile(rb"(?m)^From (.*)$")

# A value that needs no escaping, wherever it is.
_SHORT_AND_PLAIN = re.compile(r"(?!From )(?:[A-Za-z0-9](?:[A-Za-z0-9@._, +-]{0,60}[A-Za-z0-9])?)", re.ASCII)

# What URLs consist of, as far as it needs no escape unless a line begins with a dot.
_PLAIN_URL = re.compile(r"[A-Za-z0-9:/?&._~@%+-]+", re.ASCII)

_LEADING_DOT = re.compile(rb"(?m)^(\.+)(.*)$")


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """An encoded MIME part, cut at its marks: pieces[0] marks[0] pieces[1] marks[1] ... pieces[-1].

    Every piece except the last ends with a soft break, and so does every value that replaces a mark.
    """

    pieces: tuple[bytes, ...]
    marks: tuple[str, ...]
    canonical: tuple[bytes, ...]  # the pieces in the form that DKIM hashes

    @classmethod
    def of(cls, text: str) -> EncodedPart:
        """Encode the text between the marks as quoted-printable with CRLF line ends; conditions are left out."""
        return BranchingPart.of(text).without_branches({})

    def join(self, values: Mapping[str, bytes], *, as_hashed: bool = False) -> list[bytes]:
        """Return the part's bytes for one recipient, as pieces.

        values: the encoded values, by mark. as_hashed: whether to return the pieces in the form that DKIM hashes.
        """
        pieces = self.canonical if as_hashed else self.pieces
        joined = [pieces[0]]
        for mark, piece in zip(self.marks, pieces[1:], strict=True):
            joined += (canonical(values[mark]) if as_hashed else values[mark], piece)
        return joined


@dataclass(frozen=True, slots=True)
class EncodedFork:
    """A place where recipients who meet a rule get one part, and the others a different one.

    mark  the mark at its beginning, which is the same for equal rules
    """

    mark: str
    rule: Rule
    then: BranchingPart
    otherwise: BranchingPart


@dataclass(frozen=True, slots=True)
class BranchingPart:
    """An encoded MIME part with the branches of its conditions; each recipient gets one branch of each."""

    pieces: tuple[bytes, ...]
    marks: tuple[str | EncodedFork, ...]

    @classmethod
    def of(cls, text: str) -> BranchingPart:
        """Encode the text between the marks as quoted-printable with CRLF line ends."""
        return _encoded(cut(text), ends=True)

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Yield the marks and rules of all conditions, some of which may be equal."""
        for mark in self.marks:
            if isinstance(mark, EncodedFork):
                yield mark.mark, mark.rule
                yield from mark.then.rules()
                yield from mark.otherwise.rules()

    def without_branches(self, outcomes: Mapping[str, bool]) -> EncodedPart:
        """Return the part for recipients for whom the conditions have these outcomes, keyed by their marks."""
        pieces: list[list[bytes]] = [[]]
        marks: list[str] = []
        self._collect(outcomes, pieces, marks)
        joined = tuple(b"".join(each) for each in pieces)
        return EncodedPart(joined, tuple(marks), tuple(map(canonical, joined)))

    def _collect(self, outcomes: Mapping[str, bool], pieces: list[list[bytes]], marks: list[str]) -> None:
        pieces[-1].append(self.pieces[0])
        for mark, piece in zip(self.marks, self.pieces[1:], strict=True):
            if isinstance(mark, EncodedFork):
                (mark.then if outcomes.get(mark.mark) else mark.otherwise)._collect(outcomes, pieces, marks)
                pieces[-1].append(piece)
            else:
                marks.append(mark)
                pieces.append([piece])


def _encoded(text: MarkedText, *, ends: bool) -> BranchingPart:
    """Encode a text. ends: whether nothing follows it, so that it does not end with a soft break."""
    pieces = [*map(soft_broken, islice(text.texts, len(text.texts) - 1))]
    pieces.append(quoted_printable(text.texts[-1]) if ends else soft_broken(text.texts[-1]))
    marks = (_encoded_fork(mark) if isinstance(mark, Fork) else mark for mark in text.marks)
    return BranchingPart(tuple(pieces), tuple(marks))


def _encoded_fork(fork: Fork) -> EncodedFork:
    return EncodedFork(fork.mark, fork.rule, _encoded(fork.then, ends=False), _encoded(fork.otherwise, ends=False))


def quoted_printable(text: str) -> bytes:
    """Return text as quoted-printable UTF-8 (RFC 2045, 6.7), in lines of at most 76 characters that end with CRLF.

    Every kind of line end in the text becomes CRLF. White space at the end of a line or of the text is escaped. No line
    starts with a dot or with "From " (RFC 2049, 3), so messages do not need dot-stuffing for SMTP.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    encoded = binascii.b2a_qp(lines.encode("utf-8", "replace"), quotetabs=False, istext=True)
    encoded = _OVERLONG.sub(rb"\1=\n\2", encoded)
    encoded = _LEADING_FROM.sub(_without_from, encoded)
    return _LEADING_DOT.sub(_without_dot, encoded).replace(b"\n", b"\r\n")


def _without_from(line: re.Match[bytes]) -> bytes:
    """Return a line with its "F" escaped. A soft break divides the line if it would become too long."""
    break_in = b"=\n" if len(b"=46rom ") + len(line[1]) > QP_LINE + 1 else b""
    return b"=46%srom %s" % (break_in, line[1])


def _without_dot(line: re.Match[bytes]) -> bytes:
    """Return a line with its leading dots escaped. Soft breaks divide the line if it would become too long."""
    dots, rest = line[1], line[2]
    if len(rest) + 3 * len(dots) <= QP_LINE:
        return b"=2E" * len(dots) + rest
    full, left = divmod(len(dots), QP_LINE // 3)
    return (b"=2E" * (QP_LINE // 3) + b"=\n") * full + b"=2E" * left + (b"=\n" if left else b"") + rest


def soft_broken(text: str) -> bytes:
    """Return text as quoted-printable that ends with a soft break, so that the next piece continues its last line."""
    if _SHORT_AND_PLAIN.fullmatch(text):  # most names and addresses, and five times as fast
        return text.encode() + SOFT_BREAK
    if _PLAIN_URL.fullmatch(text):  # each message has two that are longer than a line
        lines = SOFT_BREAK.join([text[at : at + QP_LINE].encode() for at in range(0, len(text), QP_LINE)])
        if not lines.startswith(b".") and b"\n." not in lines:
            return lines + SOFT_BREAK
    # The "x" represents the next piece, and keeps one column free for the "=" of the soft break.
    return quoted_printable(f"{text}x")[:-1] + SOFT_BREAK if text else b""
