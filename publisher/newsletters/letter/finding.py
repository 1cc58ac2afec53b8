"""One thing that a writer should know about a letter before it goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a letter, said in one line.

    level    error: readers or the law are wronged; warning: readers see something worse than was meant;
             note: good to know, and nothing has to be done
    code     short and permanent, such as "alt-missing"; docs/findings.md lists them all
    message  what is wrong, without a full stop at its end
    where    a place of the project: "posts/hello.md:12", "templates/email/digest.html:40", "publisher.toml:9"
    mend     what to do about it
    """

    level: Level
    code: str
    message: str
    where: str
    hint: str

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {self.message}{hint}"
