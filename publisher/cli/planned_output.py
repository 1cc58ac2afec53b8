"""How `publisher publish --dry-run` shows the editions that would be created."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from publisher.cli.app import App, plural
from publisher.cli.terminal import print_table
from publisher.config import Config
from publisher.core.newsletter_models import EditionDraft, Subscriber
from publisher.publishing.edition_plan import Plan, PlannedEdition
from publisher.publishing.wiring import transport_name


def _outside(planned: PlannedEdition) -> str:
    """Return a sentence that says that subscribers outside the segment do not get the edition's posts."""
    them = "1 other subscriber does" if planned.outside == 1 else f"{planned.outside:,} other subscribers do"
    posts = "this post, now or later" if len(planned.posts) == 1 else "these posts, now or later"
    return f"{them} not get {posts if planned.posts else 'it'}; they are not in the segment {planned.segment}"


def show_planned(
    app: App, config: Config, planned: PlannedEdition, draft: EditionDraft, some: Sequence[Subscriber]
) -> None:
    """Show an edition, and some of the people in the segment that it goes to."""
    readers = plural(planned.recipients, "subscriber")
    goes = f", for {readers}" if planned.hold else f" would go to {readers} ({transport_name(config)})"
    app.say(f"{planned.name}: {draft.subject!r}{goes}")
    if some:
        more = ["..."] if planned.recipients > len(some) else []
        app.say(f"  to {', '.join([*(person.address for person in some), *more])}")
    if planned.outside:
        app.say(f"  {_outside(planned)}")
    if planned.hold:
        app.say(f"  it would be put on hold: {planned.hold.why}")
    if planned.rests:
        app.say(f"  without {planned.rests}")
    for post in planned.posts:
        app.say(f"  {post.published:%Y-%m-%d}  {post.title}")
    if planned.number == 1 and len(planned.posts) > 1:
        app.say(f"  the first edition; its oldest post is from {planned.posts[-1].published:%Y-%m-%d} (see `since`)")
    if len(planned.variants) > 1:
        print_table(
            ("Topics", "Posts", "Subscribers", "Subject"), [_row(each) for each in _letters_json(planned, draft)]
        )


def show_left_out(app: App, editions: Sequence[PlannedEdition]) -> None:
    """Show which items wait for a later edition, and how many people are not in its segment."""
    for planned in editions:
        if planned.rests:
            app.say(f"{planned.newsletter.name}: {planned.rests} (run it again then)")
        if planned.outside:
            app.say(f"{planned.newsletter.name}: {_outside(planned)}")


def say_not_sent(app: App, plan: Plan) -> None:
    """Say which newsletters get no edition, and which emails without posts are not sent."""
    for line in (*(f"{idle.newsletter.name}: {idle.advice}" for idle in plan.idle), *plan.emails):
        app.say(line)


def _letters_json(planned: PlannedEdition, draft: EditionDraft) -> list[dict[str, Any]]:
    """Return the letters of an edition as JSON values. A letter without posts has no subject and is not sent."""
    subjects = {letter.variant: letter.plain_subject for letter in draft.letters}
    return [
        {
            "topics": list(variant.topics),
            "subject": subjects.get(variant.key),
            "posts": [post.id for post in variant.posts],
            "differs": bool(variant.others),
            "subscribers": variant.subscribers,
        }
        for variant in planned.variants
    ]


def _row(letter: dict[str, Any]) -> tuple[str, ...]:
    return (
        (", ".join(letter["topics"]) or "all topics") + (" (what they haven't got)" if letter["differs"] else ""),
        f"{len(letter['posts']):,}",
        f"{letter['subscribers']:,}",
        "not sent" if letter["subject"] is None else letter["subject"],
    )


def planned_json(planned: PlannedEdition, draft: EditionDraft, some: Sequence[Subscriber]) -> dict[str, Any]:
    """Return an edition as a JSON value, with some of the people in the segment that it goes to."""
    return {
        "newsletter": planned.newsletter.name,
        "frequency": planned.frequency,
        "slot": planned.slot,
        "kind": draft.kind.value,
        "number": planned.number or None,
        "subject": draft.subject,
        "posts": [post.id for post in planned.posts],
        "recipients": planned.recipients,
        "unmatched": planned.unmatched,
        "segment": planned.segment,
        "outside": planned.outside,
        "held": planned.hold.why if planned.hold else "",
        "some": [person.address for person in some],
        "letters": _letters_json(planned, draft),
    }
