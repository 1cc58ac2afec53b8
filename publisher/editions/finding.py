"""One thing that a letter's writer should know before it goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where, and how to mend it.

    level    error: readers lose something; warning: some readers do; note: for the writer's information
    code     a short name of the kind, such as "css-nested"
    message  one sentence without a full stop at its end
    where    "templates/email/letter.css:12", or the file without a line; empty if there is no such place
    mend     what to do about it; empty if the message says it
    """

    level: Literal["error", "warning", "note"]
    code: str
    message: str
    where: str
    mend: str
