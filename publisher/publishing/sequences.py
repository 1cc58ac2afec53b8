"""Emails that welcome new subscribers, each at their own time: letters/NEWSLETTER/welcome.md, welcome-2.md and so on.

---
subject: Welcome!
after: 3d
---
Dear reader, ...

Each file is a step. A step's email is made when it is due for someone, once for each version of its text, and then gets
a delivery for each new subscriber in turn. The ledger ensures that no one gets a step twice, in whatever version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig
from publisher.config.schedule import parse_duration
from publisher.core import patterns
from publisher.core.errors import PublisherError, StoreError
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity, problem_at
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition, EditionDraft, EditionKind, Letter
from publisher.core.templates import Templates
from publisher.publishing.idle_reasons import rendering_problem
from publisher.publishing.own_emails import listed_subject
from publisher.publishing.recipients import segment_of
from publisher.publishing.wiring import Project

if TYPE_CHECKING:
    from publisher.newsletters.letter.own_text import OwnText
    from publisher.store import Store
    from publisher.store.latecomers import StepTime

FOLDER = "letters"
KEYS = ("after", "send")
FIRST = "welcome"
FAREWELL = "farewell"

# A welcome that is later than this says the wrong thing, so it is no longer sent.
LATEST = timedelta(days=30)

# If a step was late, the next one follows no sooner than this, or half the time between them.
APART = timedelta(days=1)

_LONGEST_WAIT = timedelta(days=366)
_STEP = patterns.compile(r"welcome(?:-([2-9]|[1-9][0-9]))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One email of a sequence.

    name   the file's name without its ending, such as welcome-2
    after  how long after the subscription began it is sent
    """

    name: str
    after: timedelta
    text: OwnText


@dataclass(frozen=True, slots=True)
class WelcomeSequence:
    """The emails to the new subscribers of a newsletter, in order.

    names    the names of all its files, also of those that cannot be read
    steps    the steps up to the first that cannot be read
    problem  why that step cannot be read; None if all can
    """

    newsletter: NewsletterConfig
    names: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class SequenceReport:
    """The result of adding the deliveries that are due.

    created   the editions that were made: new steps, and new versions of steps
    added     how many deliveries were added
    problems  why a step could not be made; the people for whom it is due wait for it
    """

    created: tuple[Edition, ...] = ()
    added: int = 0
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class StepView:
    """A welcome email or a farewell as people see it.

    name      the file's name without its ending
    when      when it is sent, in words
    counts    its messages by status, in all versions of its text
    due       the number of subscribers for whom it is due now, but who have no message yet
    coming    the number of subscribers for whom it is still to come, now or later
    edition   the edition of its newest version; None if no one has received one yet
    problem   why it cannot be sent; None if it can
    """

    newsletter: str
    name: str
    subject: str = ""
    when: str = ""
    counts: DeliveryCounts = field(default_factory=DeliveryCounts)
    due: int = 0
    coming: int = 0
    edition: Edition | None = None
    problem: Problem | None = None

    @property
    def path(self) -> str:
        """The path of its file, relative to the project."""
        return f"{FOLDER}/{self.newsletter}/{self.name}.md"

    @property
    def is_farewell(self) -> bool:
        """Whether it goes to people who unsubscribe."""
        return self.name == FAREWELL

    @property
    def sent(self) -> int:
        """How many of its messages were sent."""
        return self.counts[DeliveryStatus.SENT]


def step_views(config: Config, store: Store | None, newsletter: NewsletterConfig, now: datetime) -> list[StepView]:
    """Return a newsletter's welcome emails as people see them, in order. Nothing is written or rendered."""
    sequence = welcome_sequence(config, newsletter)
    if not sequence.names:
        return []
    seen = {f"{newsletter.name}/{name}": now for name in sequence.names}
    for key in seen:
        watched = store.newsletters.find(key) if store else None
        seen[key] = watched.since if watched else now
    try:
        segment = segment_of(config, store, newsletter)
    except PublisherError as error:
        return [StepView(newsletter.name, name, problem=problem_at(error)) for name in sequence.names]
    counts = store.latecomers.step_counts(newsletter.name) if store else {}
    made = store.editions.list(newsletter.name, kind=EditionKind.WELCOME) if store else []
    views = []
    for step in sequence.steps:
        time = _time_of(sequence, step, seen, segment)
        which = newsletter.name, sequence.names, step.name, time, now
        due, coming = (store.latecomers.due(*which), store.latecomers.coming(*which)) if store else (0, 0)
        edition = next((each for each in made if each.slot.startswith(f"{step.name}:")), None)
        found = counts.get(step.name, DeliveryCounts())
        subject = edition.subject if edition else listed_subject(config, newsletter, step.text, now)
        views.append(StepView(newsletter.name, step.name, subject, _in_words(step.after), found, due, coming, edition))
    if sequence.problem:
        broken = sequence.names[len(sequence.steps)]
        views.append(StepView(newsletter.name, broken, problem=sequence.problem))
    return views


def welcome_sequence(config: Config, newsletter: NewsletterConfig) -> WelcomeSequence:
    """Read the emails to the new subscribers of a newsletter; it has no steps if there are no files."""
    names = sorted(filter(_STEP.fullmatch, _files(config, newsletter)), key=_place)
    steps: list[Step] = []
    drafts: set[str] = set()
    problem = None
    for name in names:
        try:
            step = _read_step(config, newsletter, name, steps[-1].after if steps else None)
        except PublisherError as error:
            problem = problem_at(error)
            break
        if step is None:
            drafts.add(name)
        else:
            steps.append(step)
    return WelcomeSequence(newsletter, tuple(each for each in names if each not in drafts), tuple(steps), problem)


def has_welcome_emails(config: Config, name: str) -> bool:
    """Return whether the newsletter with this name welcomes new subscribers with emails of its own."""
    newsletter = config.newsletter(name)
    return newsletter is not None and bool(welcome_sequence(config, newsletter).names)


def stray_steps(config: Config, newsletter: NewsletterConfig) -> Iterator[Problem]:
    """Yield a warning for each file whose name is almost the name of a step, so that no one would ever get it."""
    for name in _files(config, newsletter):
        if name.casefold().startswith(FIRST) and not _STEP.fullmatch(name):
            hint = f"name the first email {FIRST}.md, and the following {FIRST}-2.md to {FIRST}-99.md"
            message = "this is not the name of a welcome email, so no one gets this email"
            yield Problem(f"{FOLDER}/{newsletter.name}/{name}.md", 0, message, hint, Severity.WARNING)


def sequence_problems(config: Config, now: datetime) -> Iterator[Problem]:
    """Yield the problems that keep welcome emails from being sent, and the files that only look like welcome emails."""
    for newsletter in config.newsletters:
        yield from stray_steps(config, newsletter)
        sequence = welcome_sequence(config, newsletter)
        if sequence.problem:
            yield sequence.problem
        for step in sequence.steps:
            try:
                render_step(config, newsletter, step.text, now)
            except PublisherError as error:
                yield rendering_problem(config, newsletter.name, error)


def see_sequences(config: Config, store: Store, now: datetime, names: Sequence[str] = ()) -> dict[str, datetime]:
    """Record the steps that are seen for the first time; return when each was first seen, by newsletter and step.

    Everyone who subscribes after that gets the step, so this is also called before someone subscribes.
    names: the newsletters to look at; all if it is empty.
    """
    seen = {}
    for newsletter in _named(config, names):
        for step in welcome_sequence(config, newsletter).names:
            key = f"{newsletter.name}/{step}"
            seen[key] = store.newsletters.see(key, FIRST, now).since
    return seen


def add_due_emails(project: Project, now: datetime, names: Sequence[str] = ()) -> SequenceReport:
    """Add a delivery for each subscriber for whom a step is due, after making the step's email if its text is new.

    A step that cannot be rendered, or whose email has an error, is not made, and neither are those after it. The people
    for whom it is due wait for it. names: the newsletters to look at; all if it is empty.
    """
    created: list[Edition] = []
    problems: list[Problem] = []
    added = 0
    for newsletter in _named(project.config, names):
        sequence = welcome_sequence(project.config, newsletter)
        if sequence.problem:
            problems.append(sequence.problem)
        try:
            for edition, is_new, count in _add_due(project, sequence, now) if sequence.names else ():
                created += [edition] if is_new else []
                added += count
        except StoreError:
            raise
        except PublisherError as error:
            problems.append(rendering_problem(project.config, newsletter.name, error))
    return SequenceReport(tuple(created), added, tuple(problems))


def _add_due(project: Project, sequence: WelcomeSequence, now: datetime) -> Iterator[tuple[Edition, bool, int]]:
    """Add the deliveries that are due; yield the edition of each step, whether it is new, and how many were added."""
    config, store, newsletter = project.config, project.store, sequence.newsletter
    seen = see_sequences(config, store, now, [newsletter.name])
    segment = segment_of(config, store, newsletter)
    for step in sequence.steps:
        time = _time_of(sequence, step, seen, segment)
        if store.latecomers.due(newsletter.name, sequence.names, step.name, time, now):
            edition, is_new = _edition_of(project, newsletter, step, now)
            yield edition, is_new, store.latecomers.add_due(edition, sequence.names, step.name, time, now)


def render_welcome(config: Config, newsletter: NewsletterConfig, name: str, now: datetime) -> Letter | None:
    """Render one of a newsletter's welcome emails by its name; return None if it has none of this name.

    Raises PublisherError as `render_step` does, and if its file is not valid.
    """
    sequence = welcome_sequence(config, newsletter)
    step = next((each for each in sequence.steps if each.name == name), None)
    if step is not None:
        return render_step(config, newsletter, step.text, now)
    if sequence.problem and name in sequence.names:
        raise PublisherError(sequence.problem.message, where=sequence.problem.where, hint=sequence.problem.hint)
    return None


def render_step(config: Config, newsletter: NewsletterConfig, text: OwnText, now: datetime) -> Letter:
    """Render the email of a step, which shows no date, because each subscriber gets it on a different date.

    Raises PublisherError if it cannot be rendered, or has an error that subscribers would see.
    """
    # Not at the top: they load lxml, which a run that sends no welcome does not need.
    from publisher.newsletters.lint.lint_letter import lint_letter
    from publisher.publishing.render import render_text

    letter = render_text(config, newsletter, text, now, is_dated=False)
    templates = Templates(config.root / "templates")
    findings = lint_letter(letter, config=config, newsletter=newsletter, posts=[], templates=templates)
    if error := next((each for each in findings if each.level == "error"), None):
        raise PublisherError(error.message, where=text.path)
    return letter


def _named(config: Config, names: Sequence[str]) -> list[NewsletterConfig]:
    return [each for each in config.newsletters if not names or each.name in names]


def _files(config: Config, newsletter: NewsletterConfig) -> list[str]:
    """Return the names of the Markdown files of a newsletter, without their ending."""
    folder = config.root / FOLDER / newsletter.name
    return sorted(path.stem for path in folder.glob("*.md"))


def _place(name: str) -> int:
    match = _STEP.fullmatch(name)
    return int(match[1]) if match and match[1] else 1


def _read_step(config: Config, newsletter: NewsletterConfig, name: str, before: timedelta | None) -> Step | None:
    """Read a step; return None if it is a draft. before: when the step before it is sent; None if it is the first."""
    # Not at the top: only projects with welcome emails need it.
    from publisher.newsletters.letter.own_text import read_text

    text = read_text(config, f"{FOLDER}/{newsletter.name}/{name}.md", KEYS)
    if text is None or _is_draft(text):
        return None
    require_no_date(text)
    after, where = text.file.text("after"), text.file.where("after")
    try:
        wait = parse_duration(after) if after or before is not None else timedelta()
    except ValueError as error:
        what = f"after: {error}" if after else "it does not say when it is sent"
        hint = "write how long after subscribing it is sent, such as `after: 3d`"
        raise PublisherError(what, where=where, hint=hint) from error
    if wait > _LONGEST_WAIT:
        raise PublisherError(f"after: {after} is longer than a year", where=where, hint="make it shorter")
    if before is not None and wait <= before:
        what = f"after: {after} is not later than the email before it"
        raise PublisherError(what, where=where, hint="`after` counts from the time of subscribing")
    return Step(name, wait, text)


def require_no_date(text: OwnText) -> None:
    """Raise PublisherError if a text that people get at different times says when it was sent."""
    for key in ("subject", "preheader"):
        if "{date}" in text.file.text(key):
            what = f"the {key} has a {{date}}, but each subscriber gets the email on a different date"
            raise PublisherError(what, where=text.file.where(key), hint="leave it out")


def _is_draft(text: OwnText) -> bool:
    send = text.file.text("send").strip()
    if send not in ("", "draft"):
        what = f"send: {send} is not possible here: each subscriber gets this email at their own time"
        raise PublisherError(what, where=text.file.where("send"), hint="remove the line, or write `send: draft`")
    return bool(send)


def _in_words(after: timedelta) -> str:
    minutes = int(after.total_seconds()) // 60
    if not minutes:
        return "at once"
    unit, size = next((unit, size) for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)) if not minutes % size)
    count = minutes // size
    return f"after {count} {unit}{'s' * (count != 1)}"


def _time_of(sequence: WelcomeSequence, step: Step, seen: dict[str, datetime], segment: str) -> StepTime:
    from publisher.store.latecomers import StepTime  # not at the top: loads SQLAlchemy

    place = sequence.steps.index(step)
    apart = min((step.after - sequence.steps[place - 1].after) / 2, APART) if place else timedelta()
    began = seen[f"{sequence.newsletter.name}/{step.name}"]
    return StepTime(step.after, min(seen.values()), began, LATEST, apart, segment)


def _edition_of(project: Project, newsletter: NewsletterConfig, step: Step, now: datetime) -> tuple[Edition, bool]:
    """Return the edition of a step's present version, and whether it was just made."""
    from publisher.store.latecomers import step_slot  # not at the top: loads SQLAlchemy

    letter = render_step(project.config, newsletter, step.text, now)
    # With the newsletter in it, two newsletters that become one have no slot in common.
    parts = (newsletter.name, step.name, letter.subject, letter.preheader, letter.html, letter.text)
    slot = step_slot(step.name, hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:8])
    if found := project.store.editions.find(newsletter.name, slot):
        return found, False
    draft = EditionDraft(
        newsletter=newsletter.name,
        slot=slot,
        number=0,
        subject=letter.plain_subject,
        made_at=now,
        posts=(),
        letters=(letter,),
        kind=EditionKind.WELCOME,
    )
    made = project.store.editions.create(draft)
    edition = made or project.store.editions.find(newsletter.name, slot)  # None: another process has just made it
    assert edition is not None  # noqa: S101 - an edition is never deleted
    return edition, made is not None
