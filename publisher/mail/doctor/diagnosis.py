"""The findings of the mail doctor, and functions to read and write DNS records."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.core.errors import DnsError
from publisher.core.frozen import dataclass

if TYPE_CHECKING:
    pass


# A function that returns the records with a name and a type ("TXT", "MX") as text, () if there are none. It raises
# DnsError if the DNS does not answer.
Ask = Callable[[str, str], tuple[str, ...]]


class Level(StrEnum):
    """The severity of a finding: an error makes emails fail, a warning means that they may fail, a note informs."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding of the doctor, with its consequences and its solution.

    check    the name of the check: SPF, DKIM, DMARC, MX, PTR, TLS, one-click
    level    the severity
    subject  the name, address or server that was checked
    message  the finding, as a sentence without a full stop
    meaning  the consequences, as a sentence without a full stop
    hint     the advice to the user; "" if there is nothing to do
    record   the line of a zone file that fixes the problem; "" if there is none
    """

    check: str
    level: Level
    subject: str
    message: str
    meaning: str = ""
    hint: str = ""
    record: str = ""


def zone_line(name: str, kind: str, *texts: str) -> str:
    """Return a line of a zone file. The text of a TXT record is split into strings of 255 bytes (RFC 1035, 3.3.14)."""
    if kind != "TXT":
        return f"{name}. IN {kind} {' '.join(texts)}"
    text = texts[0].replace("\\", "\\\\").replace('"', '\\"')
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
    return f"{name}. IN TXT {strings}"


def parse_tags(text: str) -> dict[str, str]:
    """Return the tags of a DKIM or DMARC record such as "v=DMARC1; p=none" (RFC 6376, 3.2).

    The keys are the tags' names in lower case. White space is removed from the values.
    """
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, equals, value in pairs if equals}


class DeadResolverError(DnsError):
    """The DNS server has never answered, so further queries are pointless."""
