"""Emails without posts as people see them: a list with the state of each, and everything about a single one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from publisher.config import Config, NewsletterConfig
from publisher.core.errors import PublisherError, SegmentError
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity, problem_at
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition, EditionKind, Letter, Subscriber
from publisher.posts.archive import open_archive
from publisher.publishing.edition_plan import PlannedEdition
from publisher.publishing.own_emails import (
    OwnEmail,
    email_name,
    find_emails,
    listed_subject,
    unmade_emails,
    whole_email,
)
from publisher.publishing.recipients import local, segment_of, some_of

if TYPE_CHECKING:
    from publisher.newsletters.lint.finding_codes import Finding
    from publisher.store import Store


class EmailState(StrEnum):
    """The progress of an email."""

    DRAFT = "draft"
    BROKEN = "has an error"
    SCHEDULED = "scheduled"
    READY = "goes next"
    HELD = "on hold"
    SENDING = "being sent"
    SENT = "sent"
    NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True)
class EmailView:
    """An email without posts, as it is in a file or in the ledger.

    path        its file, relative to the project; "" if the file of an email in the ledger is gone
    to          the segment, or the condition, on its recipients; "" for all subscribers
    edition     its edition; None before it is created
    counts      how many messages of the edition are in each status
    problem     why it cannot be sent
    is_changed  whether the file differs from what was sent
    """

    newsletter: str
    name: str
    path: str
    subject: str
    state: EmailState
    send_at: datetime | None = None
    to: str = ""
    edition: Edition | None = None
    counts: DeliveryCounts = field(default_factory=DeliveryCounts)
    problem: Problem | None = None
    is_changed: bool = False

    @property
    def summary(self) -> str:
        """The remark that is shown next to the state: how many people got it, why it is on hold, or what is wrong."""
        if self.problem:
            return self.problem.message
        if self.edition is None:
            return ""
        sent, total = self.counts[DeliveryStatus.SENT], self.counts.total
        line = f"{sent:,} of {total:,} sent" if total else "there were no subscribers"
        if self.state is EmailState.HELD:
            line = f"{self.edition.held}; {line}"
        return f"{line}; the file has changed since then, but is not sent again" if self.is_changed else line

    def as_json(self, zone: tzinfo) -> dict[str, Any]:
        """Return the email as JSON values. zone: the newsletter's time zone."""
        moment = self.send_at or (self.edition.dated if self.edition else None)
        return {
            "newsletter": self.newsletter,
            "name": self.name,
            "path": self.path or None,
            "subject": self.subject,
            "state": self.state.value,
            "at": moment.astimezone(zone).isoformat(timespec="seconds") if moment else None,
            "to": self.to,
            "edition": self.edition.id if self.edition else None,
            "held": self.edition.held if self.edition else "",
            "deliveries": {status.value: count for status, count in self.counts.by_status.items() if count},
            "changed": self.is_changed,
            "problem": str(self.problem) if self.problem else None,
        }


def email_views(config: Config, store: Store | None, now: datetime, newsletter: str = "") -> list[EmailView]:
    """Return the emails without posts: first those still to be sent, by time, then those in the ledger, newest first.

    newsletter  only this newsletter's emails; "" for all
    """
    coming: list[EmailView] = []
    made: list[EmailView] = []
    for each in config.newsletters:
        if newsletter and each.name != newsletter:
            continue
        emails = {email.slot: email for email in find_emails(config, each)}
        editions = store.editions.list(each.name, kind=EditionKind.LETTER) if store else ()
        counts = store.statistics.deliveries([edition.id for edition in editions]) if store and editions else {}
        for edition in editions:
            email = emails.pop(edition.slot, None)
            made.append(_made(config, store, edition, counts[edition.id], email))
        coming += [_coming(config, store, email, now) for email in emails.values()]
    coming.sort(key=lambda view: (view.send_at is None, view.send_at or now, view.newsletter, view.name))
    made.sort(key=lambda view: (view.edition.dated, view.edition.id) if view.edition else (now, 0), reverse=True)
    return [*coming, *made]


def coming_emails(config: Config, store: Store | None, newsletter: NewsletterConfig, now: datetime) -> list[EmailView]:
    """Return the newsletter's emails without posts that are still to be sent, soonest first, without drafts."""
    found = (
        _coming(config, store, email, now) for email in unmade_emails(config, store, newsletter) if not email.is_draft
    )
    return sorted(found, key=lambda view: (view.send_at or now, view.name))


def find_email(config: Config, newsletter: NewsletterConfig, name: str) -> OwnEmail:
    """Return an email by the name of its file; raise PublisherError, with the nearest name, if there is none."""
    emails = {email.name: email for email in find_emails(config, newsletter)}
    if name in emails:
        return emails[name]
    near = difflib.get_close_matches(name, emails, n=1)
    known = f"known: {', '.join(emails)}" if emails else f"create it: publisher emails new {newsletter.name} {name}"
    hint = f"did you mean {near[0]}?" if near else known
    raise PublisherError(f"{newsletter.name} has no email {name!r}", hint=hint)


@dataclass(frozen=True, slots=True)
class WholeEmail:
    """An email as it would be sent now: its edition, which knows the recipients, and its letter."""

    planned: PlannedEdition
    letter: Letter

    def edition(self, now: datetime) -> Edition:
        """Return the edition as it would be in the ledger."""
        planned, subject = self.planned, self.letter.plain_subject
        return Edition(0, planned.newsletter.name, planned.slot, 0, subject, now, kind=EditionKind.LETTER)


def render_email(config: Config, store: Store | None, email: OwnEmail, now: datetime) -> WholeEmail:
    """Return an email as it would be sent; raise PublisherError if its file, segment or template is wrong."""
    from publisher.publishing.render import render_text  # not at the top: a list of emails renders nothing

    planned = whole_email(config, store, email, now)
    assert planned.text is not None  # noqa: S101 - whole_email raises otherwise
    return WholeEmail(planned, render_text(config, email.newsletter, planned.text, email.send_at or now))


def recipients_of(config: Config, store: Store, planned: PlannedEdition, now: datetime) -> Sequence[Subscriber]:
    """Return the first few people who would get an email at `now`."""
    if planned.segment:
        return some_of(config, store, planned.newsletter, planned.segment, now)
    return store.segments.some(None, local(config, planned.newsletter, now), planned.newsletter.name)


def findings_of(config: Config, whole: WholeEmail, now: datetime) -> list[Finding]:
    """Return the findings of `check` about an email, without notes."""
    from publisher.publishing.letter_check import LetterChecker  # not at the top: it loads the linter

    found = LetterChecker(config, open_archive(config, now)).findings(whole.planned, whole.letter)
    return [finding for finding in found if finding.level != "note"]


def changed_emails(config: Config, store: Store | None) -> Iterator[Problem]:
    """Yield a warning for each file that was changed after its email was sent, because the email is not sent again."""
    for newsletter in config.newsletters if store else ():
        editions = store.editions.list(newsletter.name, kind=EditionKind.LETTER) if store else ()
        emails = {email.slot: email for email in find_emails(config, newsletter)} if editions else {}
        for edition in editions:
            email = emails.get(edition.slot)
            if email and _is_changed(config, store, email, edition):
                when = edition.dated.astimezone(config.newsletter_zone(newsletter))
                what = f"it has changed since it was sent on {when:%Y-%m-%d}, and is not sent again"
                hint = "give it another name to send it as a new email, or set `send: draft`"
                yield Problem(email.path, 0, what, hint, Severity.WARNING)


def _coming(config: Config, store: Store | None, email: OwnEmail, now: datetime) -> EmailView:
    problem = None if email.is_draft else email.problem or _wrong_segment(config, store, email)
    if email.is_draft:
        state = EmailState.DRAFT
    elif problem:
        state = EmailState.BROKEN
    else:
        state = EmailState.SCHEDULED if email.send_at and email.send_at > now else EmailState.READY
    text, subject = email.text, email.subject
    if text:
        subject = listed_subject(config, email.newsletter, text, email.send_at or now)
    return EmailView(
        email.newsletter.name,
        email.name,
        email.path,
        subject,
        state,
        send_at=email.send_at,
        to=email.to,
        problem=problem,
    )


def _wrong_segment(config: Config, store: Store | None, email: OwnEmail) -> Problem | None:
    """Return the error in the segment of an email or of its newsletter; None if neither has an error."""
    try:
        segment_of(config, store, email.newsletter, email.to, email.where("to"))
    except SegmentError as error:
        return problem_at(error)
    return None


def _made(
    config: Config, store: Store | None, edition: Edition, counts: DeliveryCounts, email: OwnEmail | None
) -> EmailView:
    if edition.held and (counts.open or counts.missing):
        state = EmailState.HELD
    elif counts.open or counts.missing:
        state = EmailState.SENDING
    else:
        state = EmailState.SENT if counts[DeliveryStatus.SENT] or not counts.total else EmailState.NOT_SENT
    return EmailView(
        edition.newsletter,
        email_name(edition.slot),
        email.path if email else "",
        edition.subject,
        state,
        to=edition.segment,
        edition=edition,
        counts=counts,
        is_changed=email is not None and _is_changed(config, store, email, edition),
    )


def _is_changed(config: Config, store: Store | None, email: OwnEmail, edition: Edition) -> bool:
    """Return whether a file differs from the edition that was made from it. A draft never does."""
    if store is None or email.is_draft or email.changed_at <= edition.made_at:
        return False
    if email.text is None:
        return True
    from publisher.publishing.render import render_text  # not at the top: only an email that was changed later needs it

    letter = store.editions.letter(edition.id)
    try:
        now = render_text(config, email.newsletter, email.text, edition.dated)
    except PublisherError:
        return True
    return letter is not None and (letter.subject, letter.text) != (now.subject, now.text)
