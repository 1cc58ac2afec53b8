"""Emails without posts, which the writer sends in addition to editions: find their files, and plan those to send now.

Each is a file letters/<newsletter>/<name>.md whose front matter says when it is sent:

    send: draft              never, until that line is changed
    send: now                by the next `publish`; by the scheduler, once the file has rested
    send: 2026-12-01 09:00   at that time, in the newsletter's time zone

The name of the file is the email's name in the ledger, so it is sent once, however often it is planned, and whatever
becomes of the file afterwards.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from publisher.config import Config, NewsletterConfig
from publisher.config.schedule import parse_duration
from publisher.core import hold_reasons as holds
from publisher.core import patterns
from publisher.core.characters import shorten
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, problem_at
from publisher.core.newsletter_models import Edition, EditionKind
from publisher.publishing.edition_plan import PlannedEdition
from publisher.publishing.recipients import segment_of

if TYPE_CHECKING:
    from publisher.newsletters.letter.note import NoteFile
    from publisher.newsletters.letter.own_text import OwnText
    from publisher.store import Store

FOLDER = "letters"
KEYS = ("send", "to", "approve")

_SLOT = "email:"
_NAME = patterns.compile(r"\w[\w.+-]{0,99}")
_OTHERS = patterns.compile(r"welcome(?:-\d+)?|farewell")  # emails that are not sent to all at the same time
_NOTES = patterns.compile(r"\d{4}-(?:W\d\d|\d\d(?:-\d\d(?:T\d\d-\d\d)?)?)(?:\.\d+)?|post-.*")  # notes for editions
_YES, _NO = ("yes", "true", "on"), ("no", "false", "off")


@dataclass(frozen=True, slots=True)
class OwnEmail:
    """An email without posts.

    path        its file, relative to the project
    subject     the subject as written; "" if it is missing or the file is not readable
    text        its text; None if the file is not readable, in which case `problem` is the reason
    is_draft    whether it is not sent at all
    send_at     when it is sent; None if that is now, or never
    to          the segment, or the condition, that decides which subscribers get it; "" for all
    approve     whether the owner has to approve it; None if the newsletter decides
    changed_at  when its file was last changed
    """

    newsletter: NewsletterConfig
    name: str
    path: str
    changed_at: datetime
    subject: str = ""
    text: OwnText | None = None
    is_draft: bool = False
    send_at: datetime | None = None
    to: str = ""
    approve: bool | None = None
    problem: Problem | None = None

    @property
    def slot(self) -> str:
        """The label under which it is in the ledger."""
        return f"{_SLOT}{self.name}"

    def where(self, key: str) -> str:
        """Return the place of a key of its front matter."""
        return self.text.file.where(key) if self.text else self.path


class EmailPlan(NamedTuple):
    """The emails to create now, the problems of those that cannot be, and a line for each that waits."""

    editions: tuple[PlannedEdition, ...]
    broken: tuple[Problem, ...]
    lines: tuple[str, ...]


def email_name(slot: str) -> str:
    """Return the name of an email by its label in the ledger."""
    return slot.removeprefix(_SLOT)


def require_name(name: str, where: str) -> None:
    """Raise PublisherError if an email cannot have this name. where: the place to report."""
    if _NOTES.fullmatch(name):
        what, hint = "an email cannot have the name of a slot", "give the file another name, or remove `send`"
        raise PublisherError(what, where=where, hint=hint)
    if not _NAME.fullmatch(name) or _OTHERS.fullmatch(name):
        hint = "choose a short one like we-have-moved"
        raise PublisherError(f"{name!r} can't be the name of an email", where=where, hint=hint)


def find_emails(config: Config, newsletter: NewsletterConfig, besides: Collection[str] = ()) -> list[OwnEmail]:
    """Return the newsletter's emails without posts, by name.

    besides  the labels of emails whose files need not be read, because they were made already
    A file that is not valid is returned with its problem. Files without `send` are notes, and are left out.
    """
    found = (_email(config, newsletter, path, besides) for path in _files(config, newsletter))
    return [email for email in found if email is not None]


def paths_of_emails(config: Config, newsletter: NewsletterConfig) -> list[str]:
    """Return the paths of the files in letters/ that are emails of any kind, and not notes for editions."""
    found = [email.path for email in find_emails(config, newsletter)]
    folder = config.root / FOLDER / newsletter.name
    return [*found, *(f"{FOLDER}/{newsletter.name}/{path.name}" for path in folder.glob("*.md") if _is_other(path))]


def unmade_emails(config: Config, store: Store | None, newsletter: NewsletterConfig) -> list[OwnEmail]:
    """Return the newsletter's emails without posts that are not in the ledger."""
    if next(_files(config, newsletter), None) is None:
        return []
    made = store.editions.slots(newsletter.name, EditionKind.LETTER) if store else frozenset()
    return find_emails(config, newsletter, made)


def plan_emails(
    config: Config, store: Store | None, names: Sequence[str], now: datetime, *, settle: bool = False
) -> EmailPlan:
    """Plan the emails without posts that the newsletters called `names` (all, if it is empty) have to send at `now`.

    settle  whether the scheduler plans them: an email that is sent "now" then waits until its file has rested, and one
            for which there are no subscribers counts as sent
    """
    planned: list[PlannedEdition] = []
    broken: list[Problem] = []
    lines: list[str] = []
    for newsletter in config.newsletters:
        emails = unmade_emails(config, store, newsletter) if not names or newsletter.name in names else ()
        for email in emails:
            if email.is_draft:
                continue
            try:
                found = _planned(config, store, email, now, settle=settle)
            except PublisherError as error:
                broken.append(problem_at(error))
                continue
            if isinstance(found, PlannedEdition):
                planned.append(_held_as_twin(config, found, planned))
            elif found:
                lines.append(f"{newsletter.name} {email.slot}: {found}")
    return EmailPlan(tuple(planned), tuple(broken), tuple(lines))


def listed_subject(config: Config, newsletter: NewsletterConfig, text: OwnText, at: datetime) -> str:
    """Return the subject of a text for lists, as for a reader about whom nothing is known."""
    if "{" not in text.file.text("subject"):
        return " ".join(text.file.text("subject").split())
    from publisher.publishing.render import shown_subject  # not at the top: most subjects are the same for everyone

    return shown_subject(config, newsletter, text, at)


def whole_email(config: Config, store: Store | None, email: OwnEmail, now: datetime) -> PlannedEdition:
    """Return the edition of an email as it would be sent at `now`, whether or not it is due.

    Raises PublisherError if its file is not valid, or its segment does not exist.
    """
    if email.problem:
        raise PublisherError(email.problem.message, where=email.problem.where, hint=email.problem.hint)
    segment = segment_of(config, store, email.newsletter, email.to, email.where("to"))
    planned = PlannedEdition(email.newsletter, email.slot, 0, (), (), (), text=email.text, segment=segment)
    return planned.for_subscribers(config, store, now) if store else planned.for_choices(())


def _planned(
    config: Config, store: Store | None, email: OwnEmail, now: datetime, *, settle: bool
) -> PlannedEdition | str:
    """Return the edition to create for an email, or why there is none yet ("" if no one waits for it)."""
    newsletter, zone = email.newsletter, config.newsletter_zone(email.newsletter)
    asks = newsletter.approve and settle if email.approve is None else email.approve
    lead = timedelta(hours=newsletter.approve_hours) if asks else timedelta()
    if email.send_at is None:
        if settle and now - timedelta(minutes=newsletter.settle_minutes) < email.changed_at <= now:
            return ""
        ahead, late = None, None
    else:
        if now < email.send_at - lead:
            subject = listed_subject(config, newsletter, email.text, email.send_at) if email.text else email.subject
            return f"{subject!r} will be sent at {email.send_at.astimezone(zone):%Y-%m-%d %H:%M}"
        ahead = email.send_at if email.send_at > now else None
        is_late = now - email.send_at > parse_duration(newsletter.max_lateness)
        late = holds.late(email.send_at, now, zone) if is_late else None
    planned = whole_email(config, store, email, now)
    if not planned.recipients and not (settle and not planned.segment):
        return _nobody(email, planned)
    again = _sent_before(config, store, planned, now) if store else None
    twice = holds.sent_as(email_name(again.slot), again.dated, zone) if again else None
    return replace(
        planned, hold=holds.joined(holds.approval(ahead, zone) if asks else None, late, twice), goes_at=ahead
    )


def _sent_before(config: Config, store: Store, planned: PlannedEdition, now: datetime) -> Edition | None:
    """Return an earlier edition with the same text for the same people, as after a renaming; None if there is none."""
    editions = store.editions.list(planned.newsletter.name, kind=EditionKind.LETTER)
    if not editions or planned.text is None:
        return None
    from publisher.publishing.render import render_text  # not at the top: it loads lxml

    subject = render_text(config, planned.newsletter, planned.text, now).plain_subject
    for edition in editions:
        if (edition.subject, edition.segment) == (subject, planned.segment):
            letter = render_text(config, planned.newsletter, planned.text, edition.dated)
            before = store.editions.letter(edition.id)
            if before and before.text == letter.text:
                return edition
    return None


def _held_as_twin(config: Config, planned: PlannedEdition, before: Sequence[PlannedEdition]) -> PlannedEdition:
    """Return the edition of an email, on hold if one that is created with it says the same to the same people."""

    def said(each: PlannedEdition) -> tuple[object, ...]:
        """Return the text and the recipients of an email, which twins have in common."""
        text = each.text
        return each.newsletter.name, each.segment, *((text.subject, text.preheader, text.body) if text else ())

    twin = next((each for each in before if said(each) == said(planned)), None)
    if twin is None:
        return planned
    twice = holds.sent_as(email_name(twin.slot), None, config.newsletter_zone(planned.newsletter))
    return replace(planned, hold=holds.joined(planned.hold, twice))


def _nobody(email: OwnEmail, planned: PlannedEdition) -> str:
    name = email.newsletter.name
    if planned.segment:
        return f"no subscriber of {name} is in {email.to or email.newsletter.segment!r}"
    return f"no subscribers yet (add one: publisher subscribers add you@example.org --newsletter {name})"


def _files(config: Config, newsletter: NewsletterConfig) -> Iterator[Path]:
    folder = config.root / FOLDER / newsletter.name
    for path in sorted(folder.glob("*.md")):
        if not _is_other(path) and not path.name.startswith("."):
            yield path


def _is_other(path: Path) -> bool:
    return _OTHERS.fullmatch(path.stem) is not None


def _email(config: Config, newsletter: NewsletterConfig, path: Path, besides: Collection[str]) -> OwnEmail | None:
    # Not at the top: it loads the Markdown parser, which a project without such emails does not need.
    from publisher.newsletters.letter.note import read_file

    name = unicodedata.normalize("NFC", path.stem)  # as other computers spell it
    if f"{_SLOT}{name}" in besides:
        return None
    found = OwnEmail(newsletter, name, f"{FOLDER}/{newsletter.name}/{path.name}", _changed(path))
    if not name.isprintable():  # a line break in it would break the lines of messages
        shown = path.name.encode("unicode_escape").decode("ascii")
        problem = Problem(
            f"{FOLDER}/{newsletter.name}/{shown}", 0, "its name has characters that are not shown", "rename it"
        )
        return replace(found, name=shown.removesuffix(".md"), path=problem.path, problem=problem)
    is_note = _NOTES.fullmatch(name) is not None
    try:
        file = read_file(config, found.path)
    except PublisherError as error:
        return None if is_note else replace(found, problem=problem_at(error))  # a note is read with its edition
    if file is None or "send" not in file.fields:
        return None
    try:
        require_name(name, file.where("send") if is_note else found.path)
    except PublisherError as error:
        return replace(found, problem=problem_at(error))
    return _read(config, found, file)


def _read(config: Config, found: OwnEmail, file: NoteFile) -> OwnEmail:
    """Return an email with the contents of its file, or with the problem if they are not valid."""
    # Not at the top: only projects with such emails need it.
    from publisher.newsletters.letter.own_text import text_of_file

    found = replace(found, subject=" ".join(file.text("subject").split()), to=" ".join(file.text("to").split()))
    is_draft = file.text("send").strip().lower() == "draft"
    try:
        text = text_of_file(file, KEYS)
        send_at = None if is_draft else _send_at(config, found.newsletter, file)
        approve = _approve(file)
    except PublisherError as error:
        return replace(found, is_draft=is_draft, problem=problem_at(error))
    return replace(found, text=text, is_draft=is_draft, send_at=send_at, approve=approve)


def _send_at(config: Config, newsletter: NewsletterConfig, file: NoteFile) -> datetime | None:
    """Return the time at which an email is sent; None for "now"."""
    from publisher.posts.front_matter.dates import parse_date  # not at the top: only an email with a time needs it

    value, zone = file.text("send").strip(), config.newsletter_zone(newsletter)
    hint = "write `send: now`, `send: draft` or a time such as `send: 2026-12-01 09:00`"
    if value.lower() == "now":
        return None
    try:
        moment, other = (parse_date(value, zone, morning=time(hour)) for hour in (1, 2))
    except ValueError as error:
        raise PublisherError(
            f"send: {shorten(value, 40)!r} isn't a time", where=file.where("send"), hint=hint
        ) from error
    if moment != other:
        raise PublisherError(f"send: {value} has no time of day", where=file.where("send"), hint=hint)
    return moment.astimezone(UTC)


def _approve(file: NoteFile) -> bool | None:
    value = file.text("approve").strip().lower()
    if not value:
        return None
    if value not in (*_YES, *_NO):
        raise PublisherError(f"approve: {value!r} is neither yes nor no", where=file.where("approve"), hint="write yes")
    return value in _YES


def _changed(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)
