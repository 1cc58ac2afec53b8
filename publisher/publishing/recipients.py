"""The recipients of a newsletter's editions: its subscribers, or only the subscribers in a segment."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import CONFIG_FILE, Config, NewsletterConfig
from publisher.config.origins import KeyLines
from publisher.core.errors import PublisherError, SegmentError
from publisher.core.newsletter_models import Choice, Subscriber
from publisher.core.segment_conditions import Condition, Subject, terms
from publisher.core.segment_language import both, is_segment_name, parse, parse_joined

if TYPE_CHECKING:
    from publisher.store import Store

MOST_TESTERS = 50
SHOWN = 3  # people of a segment to show, so that the owner recognises it


def segment_of(
    config: Config, store: Store | None, newsletter: NewsletterConfig, only: str = "", where: str = ""
) -> str:
    """Return the condition on the recipients of a newsletter's editions; "" for all subscribers.

    only   a segment that they must be in besides the newsletter's own: its name, or a condition
    where  the place that names it, for messages
    Raises SegmentError if there is no such segment, with the place in publisher.toml if the newsletter names it.
    """
    try:
        own = require_segment(config, store, newsletter.segment, "")
    except SegmentError as error:
        raise in_config(config, newsletter, error) from error
    return both(own, require_segment(config, store, only, where))


def outside_of(
    store: Store,
    newsletter: NewsletterConfig,
    segment: str,
    inside: Iterable[Choice],
    at: datetime,
    frequency: str | None = None,
) -> int:
    """Return how many subscribers outside the segment may get email. inside: the choices of those who are in it."""
    if not segment:
        return 0
    everyone = store.subscribers.choices(newsletter.name, at, frequency=frequency)
    return sum(each.subscribers for each in everyone) - sum(each.subscribers for each in inside)


def some_of(
    config: Config, store: Store, newsletter: NewsletterConfig, segment: str, now: datetime
) -> Sequence[Subscriber]:
    """Return the first people in a segment who may be sent the newsletter. segment: the text of a condition."""
    at = local(config, newsletter, now)
    return store.segments.some(parse_joined(segment), at, newsletter.name, SHOWN)


def testers(config: Config, store: Store | None, segment: str, now: datetime) -> list[str]:
    """Return the addresses of the people in a segment, for test emails.

    segment: its name, or a condition. Raises PublisherError if there is no such segment, or if no one in it, or more
    than MOST_TESTERS of them, may get email.
    """
    condition = f"({require_segment(config, store, segment, '--test-segment')}) and status:active and not status:paused"
    at = now.astimezone(config.zone)
    people = store.segments.some(parse_joined(condition), at, None, MOST_TESTERS + 1) if store else ()
    if not people:
        raise PublisherError("no one in this segment can be sent email", where="--test-segment")
    if len(people) > MOST_TESTERS:
        hint = "use a smaller segment, such as tag:testers"
        raise PublisherError(f"a test goes to at most {MOST_TESTERS} people", where="--test-segment", hint=hint)
    return [person.address for person in people]


def require_segment(config: Config, store: Store | None, text: str, where: str) -> str:
    """Return the condition of a segment's name, or a condition unchanged; "" for "".

    where: the option or the line that names it. Raises SegmentError if there is no such segment, if the text is not a
    condition, or if it names a field or a newsletter that does not exist: with "not" before it, everyone would be in
    it.
    """
    condition = resolved(store, text, where)
    unknown = unknown_name(config, store, parse_joined(condition)) if condition else ""
    if unknown:
        raise _located(SegmentError(unknown), where)
    return condition


def unknown_name(config: Config, store: Store | None, condition: Condition) -> str:
    """Return in words which field or newsletter of a condition does not exist; "" if all of them do."""
    from publisher.subscribers.edit import known_fields  # not at the top: most newsletters go to no segment

    kinds, newsletters = known_fields(store, config.fields), {each.name for each in config.newsletters}
    for term in terms(condition):
        value = term.value.text if term.value else ""
        if term.subject is Subject.FIELD and term.field not in kinds:
            return f"no subscriber has a field {term.field!r}{near(term.field, kinds)}"
        if term.subject is Subject.NEWSLETTER and value not in newsletters:
            return f"there is no newsletter {value!r}{near(value, newsletters)}"
    return ""


def near(name: str, known: Collection[str]) -> str:
    """Return the known name that a mistyped one may mean, as the end of a message; "" if no name is similar."""
    found = difflib.get_close_matches(name[:60], known, 1)
    return f" (did you mean {found[0]}?)" if found else ""


def resolved(store: Store | None, text: str, where: str) -> str:
    """Return the condition of a segment's name, or a condition unchanged; "" for "". Names in it are not checked.

    where: the option or the line that names it. Raises SegmentError if there is no such segment, or the text is not a
    condition.
    """
    try:
        if store is None and is_segment_name(text):
            raise SegmentError(f"there is no segment {text!r}", hint="known: none")
        if store is None and text.strip():
            parse(text)
        return store.segments.resolve(text) if store else text
    except SegmentError as error:
        raise _located(error, where) from error


def _located(error: SegmentError, where: str) -> SegmentError:
    """Return an error in a condition with the place of the condition."""
    column = f"{error.where}: " if error.where else ""
    return SegmentError(f"{column}{error.message}", where=where, hint=error.hint)


def local(config: Config, newsletter: NewsletterConfig, now: datetime) -> datetime:
    """Return a moment in the newsletter's time zone, which determines when the days of a condition begin."""
    return now.astimezone(config.newsletter_zone(newsletter))


def line_of(config: Config, path: tuple[str | int, ...]) -> int:
    """Return the line of a key in publisher.toml; 0 if it is not there."""
    file = config.root / CONFIG_FILE
    text = file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else ""
    return KeyLines(text).of(path) or 0


def in_config(config: Config, newsletter: NewsletterConfig, error: SegmentError) -> SegmentError:
    """Return an error in a newsletter's segment with its place in publisher.toml."""
    line = line_of(config, ("newsletters", config.newsletters.index(newsletter), "segment"))
    found = _located(error, f"{CONFIG_FILE}:{line}" if line else CONFIG_FILE)
    return SegmentError(f"newsletter {newsletter.name}: segment: {found.message}", where=found.where, hint=found.hint)
