"""Readers of a newsletter that there is not any more: it was renamed, or its table was deleted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class Orphaned:
    """Active subscriptions to a newsletter that the configuration does not name.

    near  the newsletter that it may be called now; "" where there is none
    """

    newsletter: str
    readers: int
    near: str

    @property
    def message(self) -> str:
        """What is wrong, in one line."""
        readers = "1 reader is" if self.readers == 1 else f"{self.readers:,} readers are"
        return f"{readers} subscribed to {self.newsletter}, which is no newsletter of publisher.toml"

    @property
    def hint(self) -> str:
        """How to mend it."""
        renamed = f"publisher subscribers rename-newsletter {self.newsletter} {self.near or 'NEW'}"
        return f"{renamed}, if that is its name now" if self.near else f"after a renaming: {renamed}"


def orphaned(store: Store, known: Collection[str]) -> list[Orphaned]:
    """Return the newsletters that active people read and that are none of the known ones, by name."""
    readers = store.figures.by_newsletter()
    return [Orphaned(name, readers[name], _near(name, known, readers)) for name in sorted(set(readers) - set(known))]


def _near(name: str, known: Collection[str], readers: Collection[str]) -> str:
    """The newsletter of a like name, or else the only one, or the only one without readers: it may be the new name."""
    import difflib

    if near := difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5):
        return near[0]
    new = sorted(known) if len(known) == 1 else sorted(set(known) - set(readers))
    return new[0] if len(new) == 1 else ""
