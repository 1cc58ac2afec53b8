"""The project at one moment: what could be looked at, and each letter once somebody looks at it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig
from publisher.core.errors import PublisherError
from publisher.core.models import Problem, Severity
from publisher.core.newsletter_models import Edition
from publisher.publishing.plan import Plan, make_plan
from publisher.publishing.render import Planned, Press, newsletter_posts
from publisher.publishing.wiring import has_store, open_project_store
from publisher.web.preview.findings import LetterFindings, letter_findings
from publisher.web.preview.sample import Sample, make_sample
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
        self._press = Press(config, self._plan.archive)
        self._samples: dict[tuple[str, str, str], Sample] = {}
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
        raise NotThereError(f"there is no letter {which!r} of {newsletter!r}", hint="choose one from the list")

    def sample(self, newsletter: str, which: str, variant: str) -> Sample:
        """Return a letter as a reader gets it; a choice of topics that has none of its own gets that for all.

        Raises PublisherError for what keeps it from being composed.
        """
        key = (newsletter, which, variant)
        if key not in self._samples:
            self.listed(newsletter, which)
            planned = dict(self._coming.get(newsletter, ())).get(which)
            self._samples[key] = self._composed(planned, variant) if planned else self._sent(int(which), variant)
        return self._samples[key]

    def findings(self, newsletter: str, which: str, variant: str) -> LetterFindings:
        """Return what is found in a letter and in its posts; raises like `sample`."""
        key = (newsletter, which, variant)
        if key not in self._findings:
            planned = dict(self._coming.get(newsletter, ())).get(which)
            doubtful = [p for p in self._plan.archive.problems if p.severity is Severity.WARNING]
            sample = self.sample(newsletter, which, variant)
            posts = planned.posts if planned else ()
            self._findings[key] = letter_findings(self.config, self.site, sample, posts, doubtful)
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

    def _composed(self, planned: Planned, variant: str) -> Sample:
        variants = {each.key: each for each in planned.variants if each.posts}
        letter = self._press.letter(planned, self.now, variants.get(variant))
        edition = Edition(0, planned.newsletter.name, planned.slot, planned.number, letter.subject, self.now)
        return make_sample(self.config, edition, letter, tuple(variants))

    def _sent(self, number: int, variant: str) -> Sample:
        with self._store() as store:
            assert store is not None  # noqa: S101 - the edition was read from it
            letters = store.editions.letters(number)
        letter = next((each for each in letters if each.variant == variant), letters[0])
        return make_sample(self.config, self._editions[number], letter, [each.variant for each in letters])

    def _shelves(self) -> tuple[Shelf, ...]:
        titles = {n.name: (self.config.newsletter_title(n), n.schedule) for n in self.config.newsletters}
        for edition in self._editions.values():
            titles.setdefault(edition.newsletter, (edition.newsletter, "no longer configured"))
        reasons = {idle.newsletter.name: idle.reason for idle in self._plan.idle}
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
