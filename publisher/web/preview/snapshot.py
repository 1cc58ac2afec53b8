"""The project at one moment: what could be looked at, and each letter once somebody looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig
from publisher.errors import PublisherError
from publisher.model import Edition, Letter, Problem, Severity
from publisher.press import Planned, Press, newsletter_posts
from publisher.publish import Plan, make_plan
from publisher.runtime import has_store, open_project_store
from publisher.web.preview.findings import LetterFindings, letter_findings
from publisher.web.preview.proof import Proof, make_proof
from publisher.web.preview.site import Site

if TYPE_CHECKING:
    from publisher.store import Store

NEXT = "next"


class NotThereError(PublisherError):
    """What was asked for is not there, or is no more."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A letter that can be looked at.

    which     its name in addresses: "next", "next-2", or the number of an edition in the record
    about     who would get it or how many posts it has, in words
    """

    newsletter: str
    which: str
    title: str
    about: str
    number: int
    is_next: bool

    @property
    def place(self) -> str:
        """The address of its page."""
        return f"/letters/{self.newsletter}/{self.which}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The letters of one newsletter: what comes next, and what was sent, newest first."""

    name: str
    title: str
    schedule: str
    next: tuple[Listed, ...]
    past: tuple[Listed, ...]


class Snapshot:
    """What the preview shows for one state of the files. Belongs to the thread that made it; writes no record.

    shelves  every newsletter, those that are configured first
    """

    def __init__(self, config: Config, now: datetime) -> None:
        """Read the posts and decide what comes next; raise PublisherError where there is nothing to read."""
        self.config, self.now = config, now
        with self._store() as store:
            self._plan: Plan = make_plan(config, store, (), now)
            self._editions = {e.id: e for e in store.editions.list()} if store else {}
        self._coming = {n.name: self._upcoming(n) for n in config.newsletters}
        self._letters: dict[tuple[str, str], tuple[Edition, Sequence[Letter]]] = {}
        self._proofs: dict[tuple[str, str, str], Proof] = {}
        self._findings: dict[tuple[str, str, str], LetterFindings] = {}
        self.shelves = self._shelves()

    @property
    def expires(self) -> datetime | None:
        """When the next post appears or goes, without any file changing."""
        return self._plan.archive.next_change

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps posts out of everything."""
        return tuple(problem for problem in self._plan.archive.problems if problem.severity is Severity.ERROR)

    @cached_property
    def site(self) -> Site:
        """The site as a build would write it."""
        return Site(self.config, self._plan.archive)

    def listed(self, newsletter: str, which: str) -> Listed:
        """Return one letter of the shelves; raise NotThereError for one that is not there."""
        for shelf in self.shelves:
            for listed in (*shelf.next, *shelf.past):
                if (listed.newsletter, listed.which) == (newsletter, which):
                    return listed
        raise NotThereError(f"there is no letter {which!r} of {newsletter!r}", mend="choose one from the list")

    def proof(self, newsletter: str, which: str, variant: str) -> Proof:
        """Return a letter as a reader gets it; a choice of topics that has none of its own gets that for all.

        Raises PublisherError for what keeps it from being composed.
        """
        key = (newsletter, which, variant)
        if key not in self._proofs:
            edition, letters = self._edition(newsletter, which)
            letter = next((each for each in letters if each.variant == variant), letters[0])
            self._proofs[key] = make_proof(self.config, edition, letter, letters)
        return self._proofs[key]

    def findings(self, newsletter: str, which: str, variant: str) -> LetterFindings:
        """Return what is found in a letter and in its posts; raises like `proof`."""
        key = (newsletter, which, variant)
        if key not in self._findings:
            planned = dict(self._coming.get(newsletter, ())).get(which)
            doubtful = [p for p in self._plan.archive.problems if p.severity is Severity.WARNING]
            proof = self.proof(newsletter, which, variant)
            posts = planned.posts if planned else ()
            self._findings[key] = letter_findings(self.config, self.site, proof, posts, doubtful)
        return self._findings[key]

    def _store(self) -> AbstractContextManager[Store | None]:
        return open_project_store(self.config) if has_store(self.config) else nullcontext()

    def _upcoming(self, newsletter: NewsletterConfig) -> tuple[tuple[str, Planned], ...]:
        """What publish would make; where that is nothing, what the newsletter would begin with."""
        planned = [each for each in self._plan.editions if each.newsletter.name == newsletter.name]
        if not planned:
            first = newsletter_posts(self.config, newsletter, self._plan.archive, self.now)
            planned = [first] if first.posts else []
        names = (NEXT if number == 1 else f"{NEXT}-{number}" for number in range(1, len(planned) + 1))
        return tuple(zip(names, planned, strict=True))

    def _edition(self, newsletter: str, which: str) -> tuple[Edition, Sequence[Letter]]:
        key = (newsletter, which)
        if key not in self._letters:
            self.listed(newsletter, which)
            planned = dict(self._coming.get(newsletter, ())).get(which)
            self._letters[key] = self._composed(planned) if planned else self._sent(int(which))
        return self._letters[key]

    def _composed(self, planned: Planned) -> tuple[Edition, Sequence[Letter]]:
        draft = Press(self.config, self._plan.archive).draft(planned, self.now)
        edition = Edition(0, draft.newsletter, draft.slot, draft.number, draft.subject, self.now, draft.posts)
        return edition, draft.letters

    def _sent(self, number: int) -> tuple[Edition, Sequence[Letter]]:
        with self._store() as store:
            assert store is not None  # noqa: S101 - the edition was read from it
            return self._editions[number], store.editions.letters(number)

    def _shelves(self) -> tuple[Shelf, ...]:
        titles = {n.name: (self.config.newsletter_title(n), n.schedule) for n in self.config.newsletters}
        for edition in self._editions.values():
            titles.setdefault(edition.newsletter, (edition.newsletter, "no longer configured"))
        # A reason may end with the command that mends it, in brackets: that is for a terminal.
        reasons = {idle.newsletter.name: idle.reason.partition(" (")[0] for idle in self._plan.idle}
        return tuple(
            Shelf(name, title, schedule, self._next(name, reasons.get(name, "")), self._past(name))
            for name, (title, schedule) in titles.items()
        )

    def _next(self, name: str, reason: str) -> tuple[Listed, ...]:
        return tuple(
            Listed(
                name,
                which,
                "Next letter" if len(self._coming[name]) == 1 else planned.posts[0].title,
                reason or f"{_slot(planned.slot)}{_count(planned.recipients, 'subscriber')}",
                planned.number,
                True,
            )
            for which, planned in self._coming.get(name, ())
        )

    def _past(self, name: str) -> tuple[Listed, ...]:
        return tuple(
            Listed(name, str(e.id), e.subject, f"{_slot(e.slot)}{_count(len(e.posts), 'post')}", e.number, False)
            for e in self._editions.values()
            if e.newsletter == name
        )


def _slot(slot: str) -> str:
    """A slot in front of other words; that of a single post names the post once more, and is left out."""
    return "" if slot.startswith("post:") else f"{slot} · "


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
