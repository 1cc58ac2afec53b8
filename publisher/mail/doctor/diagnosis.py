"""One thing that the doctor looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

# The records of a name and a kind ("TXT", "MX"), as text; none where there are none. Raises DnsError.
Ask = Callable[[str, str], tuple[str, ...]]


class Level(StrEnum):
    """How bad it is. An error costs letters; a warning may; a note is for who wants to know."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, what it means, and what to do.

    check    what was looked at: SPF, DKIM, DMARC, MX, PTR, TLS, one-click
    subject  the name, address or server that it is about
    message  what is there, a sentence without a full stop
    meaning  what follows for mail, a sentence without a full stop
    mend     what to do, "" for nothing
    record   the line for a zone file that mends it, "" for none
    """

    check: str
    level: Level
    subject: str
    message: str
    meaning: str = ""
    hint: str = ""
    record: str = ""


def zone_line(name: str, kind: str, *texts: str) -> str:
    """Return a line of a zone file; the text of a TXT record in strings of at most 255 (RFC 1035, 3.3.14)."""
    if kind != "TXT":
        return f"{name}. IN {kind} {' '.join(texts)}"
    text = texts[0].replace("\\", "\\\\").replace('"', '\\"')
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
    return f"{name}. IN TXT {strings}"


def parse_tags(text: str) -> dict[str, str]:
    """Return the tags by their names in small letters; white space inside a value is taken out."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, equals, value in pairs if equals}
