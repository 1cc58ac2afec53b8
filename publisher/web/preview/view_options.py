"""From which side a letter is looked at. It stands in the address, so it outlives every reload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

VIEWS = {
    "letter": "Letter",
    "text": "Plain text",
    "source": "Source",
    "headers": "Headers",
    "findings": "Findings",
}
WIDTHS = {"both": "Side by side", "desktop": "Desktop", "phone": "Phone"}
SCHEMES = {"light": "Light", "dark": "Dark", "both": "Both"}


@dataclass(frozen=True, slots=True)
class Angle:
    """view, width and scheme are keys of the tables above; topics is a variant of the letter, "" for all."""

    view: str = "letter"
    width: str = "both"
    scheme: str = "light"
    topics: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Angle:
        """Read an angle from an address; what is not known there is as usual."""
        return cls(
            view=_known(query.get("view", ""), VIEWS),
            width=_known(query.get("width", ""), WIDTHS),
            scheme=_known(query.get("scheme", ""), SCHEMES),
            topics=query.get("topics", ""),
        )

    def query(self, **changes: Any) -> str:
        """Return the angle as the end of an address, "" for the usual one; changes lays other values over it."""
        wanted, usual = replace(self, **changes), Angle()
        told = {name: value for name in self.__slots__ if (value := getattr(wanted, name)) != getattr(usual, name)}
        return f"?{urlencode(told)}" if told else ""

    @property
    def widths(self) -> tuple[str, ...]:
        """The widths that are shown."""
        return ("desktop", "phone") if self.width == "both" else (self.width,)

    @property
    def schemes(self) -> tuple[str, ...]:
        """The colour schemes that are shown."""
        return ("light", "dark") if self.scheme == "both" else (self.scheme,)


def _known(value: str, table: Mapping[str, str]) -> str:
    return value if value in table else next(iter(table))
