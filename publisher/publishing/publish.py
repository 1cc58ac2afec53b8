"""Plan editions, render them and write them into the ledger; send test emails, which are not recorded.

Rendering writes nothing. Each edition is created in one transaction. Every step can be repeated at any time. `deliver`
sends all unfinished editions, whether they are from this run or from one that was killed.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core import hold_reasons as holds
from publisher.core.errors import PublisherError
from publisher.core.models import Problem, UnreadablePostError
from publisher.core.newsletter_models import Choice, Edition, EditionDraft, Letter
from publisher.core.personal_marks import Person
from publisher.mail.send_test import send_test_email
from publisher.mail.transport import Accepted
from publisher.newsletters.variants import variants_of
from publisher.posts.archive import Archive, open_archive
from publisher.publishing.edition_plan import USUAL, DueEdition, Plan, PlannedEdition, make_plan
from publisher.publishing.idle_reasons import rendering_problem
from publisher.publishing.mail_wiring import headers_of, open_transport, project_links
from publisher.publishing.own_emails import plan_emails
from publisher.publishing.sample_editions import sample_edition
from publisher.publishing.web_copies import with_web_copy
from publisher.publishing.wiring import Project, open_existing_store, web_version_url

if TYPE_CHECKING:
    from publisher.publishing.render import EditionRenderer
    from publisher.store import Store

RENDERED_AGAIN = 5  # attempts, if subscribers keep changing their topics while an edition is being created


def compose_plan(
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    archive: Archive | None = None,
    *,
    due: Mapping[str, DueEdition] | None = None,
    usual: DueEdition = USUAL,
    held: Mapping[str, Problem] | None = None,
    emails: bool = True,
) -> tuple[Plan, list[EditionDraft]]:
    """Plan as `make_plan` does, and render every edition of the plan, without creating any.

    Emails without posts that are sent now are in the plan too, unless the plan is for a segment only.

    If a post cannot be rendered, everything is planned again without that post. If a newsletter's note, template or
    DKIM key is broken, the newsletter gets no edition and the problem is in `broken`; other newsletters are not
    affected.

    archive  the posts, if they have just been read; None to read them
    emails   whether to include the emails without posts
    """
    unreadable: dict[str, Problem] = dict(held or {})
    while True:
        plan = make_plan(config, store, names, now, archive, due=due, usual=usual, held=unreadable)
        if emails and not usual.segment:
            own, failed, lines = plan_emails(config, store, names, now)
            plan = replace(plan, editions=(*plan.editions, *own), broken=(*plan.broken, *failed), emails=lines)
        try:
            drafts, broken = _drafts(config, plan, now)
        except UnreadablePostError as error:
            unreadable[error.source] = error.problem
            continue
        return _rendered(plan, drafts, broken)


def compose_emails(config: Config, store: Store, now: datetime) -> tuple[Plan, list[EditionDraft]] | None:
    """Plan and render the emails without posts that the scheduler has to create at `now`; None if there are none.

    Problems are in `broken`, as for `compose_plan`.
    """
    planned, broken, _ = plan_emails(config, store, (), now, settle=True)
    if not planned and not broken:
        return None
    plan = Plan(open_archive(config, now), planned, broken=broken)
    return _rendered(plan, *_drafts(config, plan, now))


def _rendered(
    plan: Plan, drafts: Sequence[tuple[PlannedEdition, EditionDraft]], broken: tuple[Problem, ...]
) -> tuple[Plan, list[EditionDraft]]:
    """Return the plan with the editions that could be rendered, and their drafts."""
    editions = tuple(planned for planned, _ in drafts)
    return replace(plan, editions=editions, broken=(*plan.broken, *broken)), [draft for _, draft in drafts]


def hold_on_errors(config: Config, plan: Plan, drafts: Sequence[EditionDraft]) -> tuple[Plan, list[EditionDraft]]:
    """Put each edition on hold if its letter has a finding of level error and its newsletter asks for that."""
    from publisher.publishing.letter_check import LetterChecker  # not at the top: it loads lxml

    checker = LetterChecker(config, plan.archive)
    planned, held = [], []
    for each, draft in zip(plan.editions, drafts, strict=True):
        findings = checker.findings(each, draft.letters[0]) if each.newsletter.hold_on_errors else []
        errors = [finding.message for finding in findings if finding.level == "error"]
        hold = holds.joined(each.hold, holds.errors(errors) if errors else None)
        planned.append(replace(each, hold=hold))
        held.append(replace(draft, hold=hold))
    return replace(plan, editions=tuple(planned)), held


def create_editions(
    project: Project, plan: Plan, drafts: Sequence[EditionDraft], now: datetime
) -> list[tuple[PlannedEdition, Edition]]:
    """Write the rendered editions of a plan into the ledger; return each with its planned edition.

    An edition that another process has just created is left to that process. If subscribers have meanwhile selected
    topics for which no letter was rendered, the edition is rendered again. Raises ChoicesChangedError if that keeps
    happening; editions created before the error remain.
    """
    created = []
    for planned, draft in zip(plan.editions, drafts, strict=True):
        final, edition = _create_edition(project, plan.archive, planned, draft, now)
        if edition is not None:
            created.append((final, edition))
    return created


def shortened(drafts: Iterable[EditionDraft]) -> list[str]:
    """Return a line for each edition that shows less of its posts than its newsletter is set to, with the reason."""
    lines = []
    for draft in drafts:
        letters = [letter for letter in draft.letters if letter.fallback]
        if letters:
            from publisher.newsletters.letter.compose import fallback_line  # not at the top: loads lxml

            more = f" (and {len(letters) - 1} more of its versions)" if len(letters) > 1 else ""
            lines.append(f"{draft.newsletter} {draft.slot}: {fallback_line(letters[0])}{more}")
    return lines


def send_test(config: Config, plan: Plan, address: str, name: str, now: datetime, topics: Collection[str] = ()) -> str:
    """Send a test email of a newsletter's next edition to an address; return its subject.

    If the newsletter has no new posts, the email contains its newest posts. Nothing is recorded, and the personal
    links in the email do nothing.

    name    name of the newsletter
    topics  send the version for a subscriber with these topics; the version for all topics if it is empty
    Raises PublisherError if there is no post to show, or if the email cannot be rendered or sent.
    """
    newsletter = config.newsletter(name)
    assert newsletter is not None  # noqa: S101 - the caller has checked the name
    planned = next((p for p in plan.editions if p.newsletter.name == name), None)
    planned = planned or sample_edition(config, newsletter, plan.archive, now)
    if not planned.posts:
        raise PublisherError(f"{name} has no post to show", hint="write one, or give the newsletter different tags")
    variants = variants_of(planned.posts, [Choice(tuple(topics), 1)])
    chosen = next(each for each in variants if each.subscribers)
    if not chosen.posts:
        raise PublisherError(
            f"no post of {name}'s next edition has any of these topics: {', '.join(topics)}",
            hint="subscribers with only these topics would not get it",
        )
    letter = _renderer(config, plan.archive).letter(planned, now, chosen)
    send_letter(config, name, planned.slot, planned.number, letter, address, now)
    return letter.plain_subject


def send_letter(config: Config, name: str, slot: str, number: int, letter: Letter, address: str, now: datetime) -> None:
    """Send a letter of the newsletter `name` to an address as a test email, through the project's transport.

    Nothing is recorded, but its web version is kept for a while, so that its link works. slot: the letter's slot.
    Raises PublisherError if the email is not accepted.
    """
    # The slot is unique, so that a second test is a separate message, even in the same second or with --now.
    draft = Edition(0, name, f"copy-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}", number, letter.plain_subject, now)
    links = project_links(config)
    letter = with_web_copy(config, links, letter, web_version_url(config, name, slot))
    with open_transport(config) as transport:
        headers = headers_of(config, name, slot)
        outcome = send_test_email(transport, draft, letter, headers, links, to=address, person=_person(config, address))
    if not isinstance(outcome, Accepted):
        raise PublisherError(f"the test email was not accepted: {outcome.reason}", where=address)


def _person(config: Config, address: str) -> Person:
    """Return the data about the subscriber with an address, for a test email; an empty table if there is none."""
    with open_existing_store(config) as store:
        found = store.subscribers.get(address) if store else None
    return {**found.fields, "name": found.name} if found else {}


def _drafts(
    config: Config, plan: Plan, now: datetime
) -> tuple[list[tuple[PlannedEdition, EditionDraft]], tuple[Problem, ...]]:
    renderer = _renderer(config, plan.archive) if plan.editions else None
    drafts: list[tuple[PlannedEdition, EditionDraft]] = []
    broken: dict[str, Problem] = {}
    for planned in plan.editions:
        name = planned.newsletter.name
        key = planned.slot if planned.text else name
        if renderer is None or key in broken:
            continue  # editions are numbered in order, so a later one waits for the earlier one
        try:
            headers_of(config, name)  # reads the DKIM keys, without which the edition could not be sent
            drafts.append((planned, renderer.draft(planned, now)))
        except UnreadablePostError:
            raise
        except PublisherError as error:
            broken[key] = rendering_problem(config, name, error)
    return drafts, tuple(dict.fromkeys(broken.values()))


def _create_edition(
    project: Project, archive: Archive, planned: PlannedEdition, draft: EditionDraft, now: datetime
) -> tuple[PlannedEdition, Edition | None]:
    from publisher.store.audience import ChoicesChangedError  # not at the top: loads SQLAlchemy

    store = project.store
    for _ in range(RENDERED_AGAIN):
        try:
            return planned, store.editions.create(draft)
        except ChoicesChangedError:
            planned = planned.again(project.config, store, now)
            if not planned.posts and planned.text is None:
                return planned, None
            draft = _renderer(project.config, archive).draft(planned, now)
    return planned, store.editions.create(draft)


def _renderer(config: Config, archive: Archive) -> EditionRenderer:
    # Not at the top: lxml and the Markdown parser take 0.1 s to load, which a run without new posts does not need.
    from publisher.publishing.render import EditionRenderer

    return EditionRenderer(config, archive)
