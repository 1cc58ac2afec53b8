"""The display options of the preview, which are part of the URL: the view, width, colour scheme and topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from publisher.core.frozen import dataclass

VIEWS = {
    "letter": "Email",
    "text": "Plain text",
    "source": "Source",
    "headers": "Headers",
    "findings": "Findings",
}
WIDTHS = {"both": "Side by side", "desktop": "Desktop", "phone": "Phone"}
SCHEMES = {"light": "Light", "dark": "Dark", "both": "Both"}


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """How an email is shown in the preview.

    view, width, scheme  keys of VIEWS, WIDTHS and SCHEMES
    topics               the version of the email for a selection of topics; "" for the version for all topics
    """

    view: str = "letter"
    width: str = "both"
    scheme: str = "light"
    topics: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> ViewOptions:
        """Return the options from the parameters of a query string. Unknown values are replaced with the defaults."""
        return cls(
            view=_known(query.get("view", ""), VIEWS),
            width=_known(query.get("width", ""), WIDTHS),
            scheme=_known(query.get("scheme", ""), SCHEMES),
            topics=query.get("topics", ""),
        )

    def query(self, **changes: Any) -> str:
        """Return the options with the given changes as a query string, or "" if all of them are the defaults."""
        wanted, usual = replace(self, **changes), ViewOptions()
        named = {name: value for name in self.__slots__ if (value := getattr(wanted, name)) != getattr(usual, name)}
        return f"?{urlencode(named)}" if named else ""

    @property
    def widths(self) -> tuple[str, ...]:
        """The widths to show."""
        return ("desktop", "phone") if self.width == "both" else (self.width,)

    @property
    def schemes(self) -> tuple[str, ...]:
        """The colour schemes to show."""
        return ("light", "dark") if self.scheme == "both" else (self.scheme,)


def _known(value: str, table: Mapping[str, str]) -> str:
    return value if value in table else next(iter(table))
