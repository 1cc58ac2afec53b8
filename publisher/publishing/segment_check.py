"""Problems of segments: those that do not exist, and conditions that name things that do not exist.

Problems of fields are found too: values that are not of the kind that publisher.toml says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from publisher.config import CONFIG_FILE, Config, NewsletterConfig
from publisher.core.errors import SegmentError
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity, problem_at
from publisher.core.segment_conditions import Condition, Operator, Subject, Term, terms
from publisher.core.segment_language import is_segment_name, parse
from publisher.core.subscriber_fields import FieldKind
from publisher.publishing.own_emails import OwnEmail, unmade_emails
from publisher.publishing.recipients import in_config, line_of, near, require_segment
from publisher.subscribers.edit import known_fields

if TYPE_CHECKING:
    from publisher.store import Store

_ORDER = (Operator.ABOVE, Operator.AT_LEAST, Operator.BELOW, Operator.AT_MOST)


def segment_problems(config: Config, store: Store | None) -> Iterator[Problem]:
    """Yield the problems of the newsletters' segments, of saved segments, and of fields."""
    yield from _of_fields(config, store)
    for newsletter in config.newsletters:
        if newsletter.segment:
            yield from _of_newsletter(config, store, newsletter)
        for email in unmade_emails(config, store, newsletter):
            if email.to and not email.problem:
                yield from _of_email(config, store, email)
    for segment in store.segments.list() if store else ():
        for finding in segment_findings(config, store, parse(segment.condition)):
            hint = f"publisher segments save {segment.name} '...'"
            yield Problem(f"segment {segment.name}", 0, finding, hint, Severity.WARNING)


def _of_fields(config: Config, store: Store | None) -> Iterator[Problem]:
    """Yield a warning for each field whose kind was changed and that still has values of the old kind."""
    found = store.subscribers.known_fields() if store else {}
    for place, each in enumerate(config.fields):
        kind = FieldKind(each.kind)
        count = 0
        if store is not None and found.get(each.name, kind) is not kind:
            count = store.subscribers.count_unfit(each.name, kind)
        if count:
            values = "1 value is" if count == 1 else f"{count:,} values are"
            message = f"field {each.name}: {values} not of its kind ({kind}), so no condition is true of them"
            hint = "`publisher subscribers export people.csv`, and import that file: it is read as the new kind"
            yield Problem(CONFIG_FILE, line_of(config, ("fields", place, "kind")), message, hint, Severity.WARNING)


def _of_newsletter(config: Config, store: Store | None, newsletter: NewsletterConfig) -> Iterator[Problem]:
    try:
        condition = require_segment(config, store, newsletter.segment, "")
    except SegmentError as error:
        yield problem_at(in_config(config, newsletter, error))
        return
    if not is_segment_name(newsletter.segment):  # the saved ones are checked separately
        for finding in segment_findings(config, store, parse(condition)):
            problem = problem_at(in_config(config, newsletter, SegmentError(finding)))
            yield replace(problem, severity=Severity.WARNING)


def _of_email(config: Config, store: Store | None, email: OwnEmail) -> Iterator[Problem]:
    try:
        condition = require_segment(config, store, email.to, email.where("to"))
    except SegmentError as error:
        yield problem_at(error)
        return
    if not is_segment_name(email.to):
        for finding in segment_findings(config, store, parse(condition)):
            yield replace(problem_at(SegmentError(finding, where=email.where("to"))), severity=Severity.WARNING)


def segment_findings(config: Config, store: Store | None, condition: Condition) -> Iterator[str]:
    """Yield a finding for each name in a condition that does not exist, so that no one, or everyone, meets it."""
    kinds = fields_of(config, store)
    newsletters = {each.name for each in config.newsletters}
    asked = [term for term in terms(condition) if term.subject is Subject.TAG]
    tags = store.subscribers.tags_in_use() if store and asked else {}
    found = [_finding(term, kinds, newsletters) or _mistyped(term, tags) for term in terms(condition)]
    yield from dict.fromkeys(each for each in found if each)


def fields_of(config: Config, store: Store | None) -> dict[str, FieldKind]:
    """Return the fields that subscribers have or could have, with their kinds."""
    return known_fields(store, config.fields)


@dataclass(frozen=True, slots=True)
class SegmentUse:
    """A place that names a saved segment.

    what   the newsletter, by its title, or the email without posts that goes to the segment
    where  the file and line, such as "publisher.toml:12"
    """

    what: str
    where: str


def segment_uses(config: Config, store: Store | None) -> dict[str, list[SegmentUse]]:
    """Return the newsletters, and the emails not yet made, that go to each segment, by its name."""
    found: dict[str, list[SegmentUse]] = {}
    for newsletter in config.newsletters:
        if is_segment_name(newsletter.segment):
            use = SegmentUse(config.newsletter_title(newsletter), in_config(config, newsletter, SegmentError("")).where)
            found.setdefault(newsletter.segment, []).append(use)
        for email in unmade_emails(config, store, newsletter):
            if is_segment_name(email.to):
                use = SegmentUse(f"the email {newsletter.name} {email.name}", email.where("to"))
                found.setdefault(email.to, []).append(use)
    return found


def require_unused(config: Config, store: Store, name: str) -> None:
    """Raise SegmentError if anything goes to a segment, so that it cannot be deleted or renamed."""
    if uses := segment_uses(config, store).get(name):
        raise SegmentError(
            f"{name} is used", where=uses[0].where, hint="name another segment there first, or write out the condition"
        )


def _finding(term: Term, kinds: dict[str, FieldKind], newsletters: Collection[str]) -> str:
    """Return what is wrong with a comparison; "" if nothing is."""
    value = term.value.text if term.value else ""
    if term.subject is Subject.NEWSLETTER and value not in newsletters:
        return f"there is no newsletter {value!r}{near(value, newsletters)}"
    if term.subject is not Subject.FIELD:
        return ""
    if term.field not in kinds:
        return f"no subscriber has a field {term.field!r}{near(term.field, kinds)}"
    return _mismatch(term, kinds[term.field])


def _mistyped(term: Term, tags: Collection[str]) -> str:
    """Return the tag that a condition may mean, if no one has the tag that it names; "" if that isn't clear."""
    value = term.value.text.lower() if term.value and term.subject is Subject.TAG else ""
    similar = near(value, tags) if value and value not in tags and term.operator is not Operator.CONTAINS else ""
    return f"no one has the tag {value!r}{similar}" if similar else ""


def _mismatch(term: Term, kind: FieldKind) -> str:
    if term.value is None or term.operator is Operator.CONTAINS:
        return ""
    typed = term.value.typed
    match kind:
        case FieldKind.NUMBER:
            fits = isinstance(typed, float)
        case FieldKind.YES_NO:
            fits = isinstance(typed, bool)
        case FieldKind.DATE:
            fits = typed is not None and not isinstance(typed, float | bool)
        case FieldKind.TEXT:
            fits = term.operator not in _ORDER
    return "" if fits else f"the values of {term.field} are {_WANTED[kind].format(term.value.text)}"


_WANTED = {
    FieldKind.TEXT: "texts, which have no order",
    FieldKind.NUMBER: "numbers, but {!r} is not one",
    FieldKind.DATE: "dates, but {!r} is not one",
    FieldKind.YES_NO: "yes or no, but {!r} is neither",
}
