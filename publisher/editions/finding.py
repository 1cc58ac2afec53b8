"""One thing about a letter that its writer would want to know before readers do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong or doubtful in a letter.

    level    "error", "warning" or "note"
    code     what kind of finding it is, the same for ever
    message  one sentence without a full stop at its end
    where    "path:line" or "path", "" if there is no such place
    mend     what to do about it, "" if the message says it
    """

    level: str
    code: str
    message: str
    where: str = ""
    mend: str = ""
