"""From new posts to delivered editions: plan, make, deliver. Each step may be run again at any time.

Planning writes nothing. Making is one transaction an edition. Delivering goes on with whatever is open, of
this run or of one that was killed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.models import Problem
from publisher.core.newsletter_models import Choice, Edition, EditionDraft, Letter
from publisher.newsletters.variants import variants_of
from publisher.publishing.deliver import Delivered as Delivered
from publisher.publishing.deliver import Made as Made
from publisher.publishing.deliver import deliver_open as deliver_open
from publisher.publishing.plan import Call, Plan, make_plan
from publisher.publishing.render import Planned, Press, UnreadablePostError, newsletter_posts, unmade
from publisher.publishing.wiring import headers_of, open_transport, project_links

if TYPE_CHECKING:
    from publisher.store import Store

COMPOSED_AGAIN = 5  # times, where subscribers choose topics as an edition is being made


def compose_plan(
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    *,
    keep: bool = True,
    calls: Mapping[str, Call] | None = None,
) -> tuple[Plan, list[EditionDraft]]:
    """Plan as make_plan does, and compose every edition of the plan; write none of them.

    A post that cannot be rendered is left out, and all is planned again without it. A newsletter of which a note,
    a template or a key that signs is broken makes no edition from there on, and stands among the broken ones; the
    others go on.
    """
    unreadable: dict[str, Problem] = {}
    while True:
        plan = make_plan(config, store, names, now, keep=keep, without=unreadable, calls=calls)
        try:
            drafts, broken = _drafts(config, plan, now)
        except UnreadablePostError as error:
            unreadable[error.source] = error.problem
            continue
        whole = tuple(planned for planned, _ in drafts)
        plan = replace(plan, editions=whole, left_out=tuple(unreadable.values()), broken=broken)
        return plan, [draft for _, draft in drafts]


def _drafts(
    config: Config, plan: Plan, now: datetime
) -> tuple[list[tuple[Planned, EditionDraft]], tuple[Problem, ...]]:
    press = Press(config, plan.archive) if plan.editions else None
    drafts: list[tuple[Planned, EditionDraft]] = []
    broken: dict[str, Problem] = {}
    for planned in plan.editions:
        name = planned.newsletter.name
        if press is None or name in broken:
            continue  # its editions are numbered in their order: a later one waits for the earlier
        try:
            headers_of(config, name)  # reads the keys that sign: without them the edition could not leave
            drafts.append((planned, press.draft(planned, now)))
        except UnreadablePostError:
            raise
        except PublisherError as error:
            broken[name] = unmade(name, error)
    return drafts, tuple(broken.values())


def shortened(drafts: Iterable[EditionDraft]) -> list[str]:
    """Return one line for each edition of which a letter carries less than its newsletter wants, and why."""
    from publisher.newsletters.letter.compose import fallback_line

    lines = []
    for draft in drafts:
        letters = [letter for letter in draft.letters if letter.fallback]
        if letters:
            more = f" (and {len(letters) - 1} more of its letters)" if len(letters) > 1 else ""
            lines.append(f"{draft.newsletter} {draft.slot}: {fallback_line(letters[0])}{more}")
    return lines


def make_editions(
    config: Config, store: Store, plan: Plan, drafts: Sequence[EditionDraft], now: datetime
) -> list[Made]:
    """Write the composed editions of a plan into the ledger; one that another process made is left to it.

    Where subscribers chose topics meanwhile that nothing was composed for, the edition is composed again for
    the choices of now. Raises ChoicesChangedError when that does not end: what was made until then stands.
    """
    made = []
    for planned, draft in zip(plan.editions, drafts, strict=True):
        settled, edition = _make(config, store, plan, planned, draft, now)
        if edition is not None:
            made.append(Made(settled, edition))
    return made


def _make(
    config: Config, store: Store, plan: Plan, planned: Planned, draft: EditionDraft, now: datetime
) -> tuple[Planned, Edition | None]:
    from publisher.store.audience import ChoicesChangedError

    for _ in range(COMPOSED_AGAIN):
        try:
            return planned, store.editions.create(draft)
        except ChoicesChangedError:
            planned = planned.for_choices(store.subscribers.choices(planned.newsletter.name, now))
            draft = Press(config, plan.archive).draft(planned, now)
    return planned, store.editions.create(draft)


def send_test(config: Config, plan: Plan, address: str, name: str, now: datetime, topics: Collection[str] = ()) -> str:
    """Send one marked copy of a newsletter's next letter to an address; return its subject.

    topics: show what a subscriber who chose these gets; none is all. Touches neither the
    ledger nor an edition. A newsletter with nothing new shows its newest posts. Its links for leaving belong
    to nobody.
    """
    newsletter = config.newsletter(name)
    assert newsletter is not None  # noqa: S101 - the command line has looked
    planned = next((p for p in plan.editions if p.newsletter.name == name), None)
    planned = planned or newsletter_posts(config, newsletter, plan.archive, now)
    if not planned.posts:
        raise PublisherError(f"{name} has no post to show", hint="write one, or give the newsletter other tags")
    variant = variants_of(planned.posts, [Choice(tuple(topics), 1)])
    chosen = next(each for each in variant if each.subscribers)
    if not chosen.posts:
        raise PublisherError(
            f"no post of {name}'s next letter has a topic of {', '.join(topics)}",
            hint="nobody who chose only these would get it",
        )
    letter = Press(config, plan.archive).letter(planned, now, chosen)
    send_letter(config, name, planned.number, letter, address, now)
    return letter.subject


def send_letter(config: Config, name: str, number: int, letter: Letter, address: str, now: datetime) -> None:
    """Send one marked copy of a letter of the newsletter `name` to an address, by the project's transport.

    Touches neither the ledger nor an edition. Raises PublisherError where the copy is not taken.
    """
    import secrets

    from publisher.mail.send_test import send_test_email
    from publisher.mail.transport import Accepted

    # A slot that nothing else has: a second copy is a second message, also of one second or with --now.
    draft = Edition(0, name, f"copy-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}", number, letter.subject, now)
    with open_transport(config) as transport:
        outcome = send_test_email(transport, draft, letter, headers_of(config, name), project_links(config), to=address)
    if not isinstance(outcome, Accepted):
        raise PublisherError(f"the copy was not taken: {outcome.reason}", where=address)
