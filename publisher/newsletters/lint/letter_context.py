"""One letter under examination, with all that a finding about it is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from publisher.config import Config, NewsletterConfig
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Letter
from publisher.newsletters.lint.computed_styles import Sheet
from publisher.newsletters.lint.locations import Places


@dataclass(frozen=True)
class Case:
    """A letter, taken apart, and where its parts come from.

    posts  those of the letter, rendered
    paths  what a build writes, relative to the output; None when that is not known
    """

    sheet: Sheet
    places: Places
    posts: Sequence[RenderedPost]
    paths: frozenset[str] | None = None

    @property
    def letter(self) -> Letter:
        return self.sheet.letter

    @property
    def config(self) -> Config:
        return self.places.config

    @property
    def newsletter(self) -> NewsletterConfig:
        return self.places.newsletter

    def site_path(self, address: str) -> str | None:
        """Return the path of an address of the own site, relative to its root; None for the rest of the world."""
        if address != self.config.site_url and not address.startswith(f"{self.config.site_url}/"):
            return None
        return unquote(urlsplit(address).path)[len(urlsplit(self.config.site_url).path) :].lstrip("/")
