"""The state of the project at one moment: the list of emails, and the content and findings of each on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.models import Post, Problem, Severity, problem_at
from publisher.core.newsletter_models import Edition, EditionKind
from publisher.core.templates import Templates
from publisher.newsletters.lint.finding_codes import Finding
from publisher.newsletters.lint.lint_letter import lint_letter
from publisher.newsletters.slots import is_post_slot
from publisher.posts.archive import open_archive
from publisher.publishing.edition_plan import PlannedEdition, make_plan
from publisher.publishing.letter_check import as_message
from publisher.publishing.own_emails import unmade_emails, whole_email
from publisher.publishing.recipients import some_of
from publisher.publishing.render import EditionRenderer
from publisher.publishing.sample_editions import next_edition
from publisher.publishing.sent_files import held_posts
from publisher.publishing.wiring import has_store, open_project_store
from publisher.web.preview.site_preview import SitePreview
from publisher.web.responses import NotFoundError
from publisher.web.sample_email import SampleEmail, make_sample_email

if TYPE_CHECKING:
    from publisher.store import Store

NEXT = "next"
_LEVELS = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class ListedEmail:
    """An email that can be previewed.

    which      the name of the email in URLs: "next", "next-2", "email:" and the name of an email without posts, or the
               id of an edition in the database
    about      the text below the title in the list, such as the number of recipients or posts
    is_sample  whether nothing is new, so that it only shows how the newest posts would look
    segment    the condition on its recipients; "" for all subscribers
    some       the addresses of the first recipients, if it goes to a segment
    """

    newsletter: str
    which: str
    title: str
    about: str
    number: int
    is_next: bool
    is_sample: bool = False
    segment: str = ""
    some: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The path of the email's page."""
        return f"/letters/{self.newsletter}/{self.which}"


@dataclass(frozen=True, slots=True)
class NewsletterEmails:
    """The emails of one newsletter: upcoming emails (`next`), and previous emails with the newest first (`past`)."""

    name: str
    title: str
    schedule: str
    next: tuple[ListedEmail, ...]
    past: tuple[ListedEmail, ...]


@dataclass(frozen=True, slots=True)
class EmailFindings:
    """The findings about an email, with the most severe first."""

    findings: tuple[Finding, ...]

    def count(self, level: str) -> int:
        """Return the number of findings with this level."""
        return sum(finding.level == level for finding in self.findings)

    @property
    def pressing(self) -> int:
        """The number of findings that are errors or warnings."""
        return self.count("error") + self.count("warning")


class Snapshot:
    """The content of the preview for one state of the files.

    A snapshot changes nothing in the project. Only the thread that created it may use it.

    newsletters  the emails of every newsletter, starting with the configured newsletters
    """

    def __init__(self, config: Config, now: datetime) -> None:
        """Read the posts and plan the upcoming emails. Raises PublisherError if that is not possible."""
        self.config, self.now = config, now
        with self._store() as store:
            archive = open_archive(config, now, whole=True)
            self._plan = make_plan(config, store, (), now, archive, held=held_posts(config, store, archive))
            self._editions = {e.id: e for e in store.editions.list()} if store else {}
            self._unfit: list[Problem] = []
            self._coming = {n.name: self._upcoming(n, store) for n in config.newsletters}
            self._some = {
                (name, which): tuple(each.address for each in some_of(config, store, p.newsletter, p.segment, now))
                for name, coming in self._coming.items()
                for which, p in coming
                if store and p.segment
            }
        self._press = EditionRenderer(config, self._plan.archive)
        self._samples: dict[tuple[str, str, str], SampleEmail] = {}
        self._findings: dict[tuple[str, str, str], EmailFindings] = {}
        self.newsletters = self._newsletters()

    @property
    def expires(self) -> datetime | None:
        """The time at which the next post appears or expires, even if no file changes; None if there is none."""
        return self._plan.archive.next_change

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The errors that cause posts or emails to be skipped."""
        found = (*self._plan.archive.problems, *self._plan.left_out, *self._plan.broken, *self._unfit)
        return tuple(problem for problem in found if problem.severity is Severity.ERROR)

    @cached_property
    def site(self) -> SitePreview:
        """The site as a build would write it."""
        return SitePreview(self.config, self._plan.archive)

    def listed(self, newsletter: str, which: str) -> ListedEmail:
        """Return an email in the list. Raise NotFoundError if it does not exist."""
        for emails in self.newsletters:
            for listed in (*emails.next, *emails.past):
                if (listed.newsletter, listed.which) == (newsletter, which):
                    return listed
        raise NotFoundError(f"there is no email {which!r} of {newsletter!r}", hint="choose one from the list")

    def sample(self, newsletter: str, which: str, variant: str) -> SampleEmail:
        """Return an email as a subscriber would receive it.

        variant  the key of a selection of topics; if it has no version, the version for all topics is returned

        Raises PublisherError if the email cannot be composed.
        """
        key = (newsletter, which, variant)
        if key not in self._samples:
            self.listed(newsletter, which)
            planned = dict(self._coming.get(newsletter, ())).get(which)
            self._samples[key] = self._composed(planned, variant) if planned else self._sent(int(which), variant)
        return self._samples[key]

    def findings(self, newsletter: str, which: str, variant: str) -> EmailFindings:
        """Return the findings about an email and its posts. Raises the same errors as `sample`."""
        key = (newsletter, which, variant)
        if key not in self._findings:
            planned = dict(self._coming.get(newsletter, ())).get(which)
            warnings = [p for p in self._plan.archive.problems if p.severity is Severity.WARNING]
            sample = self.sample(newsletter, which, variant)
            posts = planned.posts if planned else ()
            self._findings[key] = _email_findings(self.config, self.site, sample, posts, warnings)
        return self._findings[key]

    def _store(self) -> AbstractContextManager[Store | None]:
        return open_project_store(self.config) if has_store(self.config) else nullcontext()

    def _upcoming(self, newsletter: NewsletterConfig, store: Store | None) -> tuple[tuple[str, PlannedEdition], ...]:
        """Return the editions that `publish` would make, with their names in URLs.

        If there are none, return the next edition, or a sample edition with the newest posts.
        """
        planned = [each for each in self._plan.editions if each.newsletter.name == newsletter.name]
        if not planned:
            first = next_edition(self.config, store, newsletter, self._plan.archive, self.now)
            planned = [first] if first.posts else []
        names = (NEXT if number == 1 else f"{NEXT}-{number}" for number in range(1, len(planned) + 1))
        return (*zip(names, planned, strict=True), *((each.slot, each) for each in self._own_emails(newsletter, store)))

    def _own_emails(self, newsletter: NewsletterConfig, store: Store | None) -> Iterator[PlannedEdition]:
        """Yield the emails without posts that are still to be sent, and drafts; note the problems of the others."""
        for email in unmade_emails(self.config, store, newsletter):
            try:
                yield replace(whole_email(self.config, store, email, self.now), goes_at=email.send_at)
            except PublisherError as error:
                if not email.is_draft:
                    self._unfit.append(problem_at(error))

    def _composed(self, planned: PlannedEdition, variant: str) -> SampleEmail:
        variants = {each.key: each for each in planned.variants if each.posts}
        letter = self._press.letter(planned, self.now, variants.get(variant))
        kind = EditionKind.LETTER if planned.text else EditionKind.POSTS
        edition = Edition(
            0, planned.newsletter.name, planned.slot, planned.number, letter.plain_subject, self.now, kind=kind
        )
        return make_sample_email(self.config, edition, letter, tuple(variants))

    def _sent(self, number: int, variant: str) -> SampleEmail:
        with self._store() as store:
            assert store is not None  # noqa: S101 - the edition was read from it
            letters = store.editions.letters(number)
        letter = next((each for each in letters if each.variant == variant), letters[0])
        return make_sample_email(self.config, self._editions[number], letter, [each.variant for each in letters])

    def _newsletters(self) -> tuple[NewsletterEmails, ...]:
        titles = {n.name: (self.config.newsletter_title(n), n.schedule) for n in self.config.newsletters}
        for edition in self._editions.values():
            titles.setdefault(edition.newsletter, (edition.newsletter, "no longer configured"))
        reasons = {idle.newsletter.name: idle.reason for idle in self._plan.idle}
        return tuple(
            NewsletterEmails(name, title, schedule, self._next(name, reasons.get(name, "")), self._past(name))
            for name, (title, schedule) in titles.items()
        )

    def _next(self, name: str, reason: str) -> tuple[ListedEmail, ...]:
        coming = self._coming.get(name, ())
        is_single = sum(planned.text is None for _, planned in coming) == 1
        return tuple(
            ListedEmail(
                name,
                which,
                _title(planned, is_single=is_single),
                (not planned.text and reason) or f"{_slot(planned.slot)}{_count(planned.recipients, 'subscriber')}",
                planned.number,
                True,
                planned.is_sample,
                planned.segment,
                self._some.get((name, which), ()),
            )
            for which, planned in coming
        )

    def _past(self, name: str) -> tuple[ListedEmail, ...]:
        return tuple(
            ListedEmail(name, str(e.id), e.subject, _about(e), e.number, False, segment=e.segment)
            for e in self._editions.values()
            if e.newsletter == name
        )


def _email_findings(
    config: Config, site: SitePreview, sample: SampleEmail, posts: Sequence[Post], warnings: Sequence[Problem]
) -> EmailFindings:
    """Return the findings about an email, and the warnings about its posts.

    posts     the posts in the email; empty for an email that was sent, because it no longer depends on its posts
    warnings  the warnings about the front matter of all posts in the project
    """
    paths = {post.where(config.posts.folder) for post in posts}
    of_bodies = [problem for post in posts for problem in site.render(post).problems]
    of_posts = [_of_problem(problem) for problem in (*warnings, *of_bodies) if problem.path in paths]
    found = dict.fromkeys([*_of_email(config, site, sample, posts), *of_posts])
    return EmailFindings(tuple(sorted(found, key=_rank)))


def _of_email(config: Config, site: SitePreview, sample: SampleEmail, posts: Sequence[Post]) -> Sequence[Finding]:
    edition, templates = sample.edition, Templates(config.root / "templates")
    newsletter, slot = config.newsletter(edition.newsletter) or NewsletterConfig(name=edition.newsletter), edition.slot
    if edition.kind is not EditionKind.POSTS:
        newsletter, slot = as_message(newsletter, slot, templates)
    return lint_letter(
        sample.letter,
        config=config,
        newsletter=newsletter,
        posts=[site.render(post) for post in posts],
        templates=templates,
        slot=slot,
        paths=site.paths(posts),
    )


def _of_problem(problem: Problem) -> Finding:
    return Finding(problem.severity.value, "post", problem.message, problem.where, problem.hint)


def _rank(finding: Finding) -> tuple[int, str]:
    return _LEVELS.index(finding.level) if finding.level in _LEVELS else len(_LEVELS), finding.where


def _title(planned: PlannedEdition, *, is_single: bool) -> str:
    """Return the title of an email that is still to be sent. is_single: whether it is the only one with posts."""
    if planned.text:
        return planned.text.subject
    return "Next email" if is_single else planned.posts[0].title


def _about(edition: Edition) -> str:
    return f"{_slot(edition.slot)}{_count(len(edition.posts), 'post')}" if edition.posts else edition.slot


def _slot(slot: str) -> str:
    """Return the slot (the scheduled time) of an edition as the beginning of a line.

    Return "" for the slot of a single post, because it only repeats the post.
    """
    return "" if is_post_slot(slot) else f"{slot} · "


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
