"""One finding of the doctor, and the forms in which DNS records are read and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.core.errors import DnsError

if TYPE_CHECKING:
    pass


# Returns the records of a name and a kind ("TXT", "MX") as text, () if there are none. Raises DnsError.
Ask = Callable[[str, str], tuple[str, ...]]


class Level(StrEnum):
    """How bad it is: an error makes emails fail, a warning may do so, a note is for information."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, what it means, and what to do.

    check    what was checked: SPF, DKIM, DMARC, MX, PTR, TLS, one-click
    subject  the name, address or server that it is about
    message  what was found, a sentence without a full stop
    meaning  what follows from it, a sentence without a full stop
    hint     what to do; "" for nothing
    record   the line of a zone file that fixes it; "" for none
    """

    check: str
    level: Level
    subject: str
    message: str
    meaning: str = ""
    hint: str = ""
    record: str = ""


def zone_line(name: str, kind: str, *texts: str) -> str:
    """Return a line of a zone file. The text of a TXT record is cut into strings of 255 (RFC 1035, 3.3.14)."""
    if kind != "TXT":
        return f"{name}. IN {kind} {' '.join(texts)}"
    text = texts[0].replace("\\", "\\\\").replace('"', '\\"')
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
    return f"{name}. IN TXT {strings}"


def parse_tags(text: str) -> dict[str, str]:
    """Return the tags of a DKIM or DMARC record, "v=DMARC1; p=none" (RFC 6376, 3.2), by name in lower case.

    White space is removed from the values.
    """
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, equals, value in pairs if equals}


class DeadResolverError(DnsError):
    """The DNS server has never answered: there is no point in asking it anything else."""
