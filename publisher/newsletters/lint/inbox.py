"""What an inbox shows before the letter is opened: subject and preheader."""

from __future__ import annotations

import re
from collections.abc import Iterator

from publisher.newsletters.letter.finding import Finding
from publisher.newsletters.letter.note import NOTES_FOLDER
from publisher.newsletters.letter.subject import SUBJECT_LENGTH
from publisher.newsletters.lint.codes import found
from publisher.newsletters.lint.letter_context import Case


def inbox_findings(case: Case) -> Iterator[Finding]:
    """Yield what is wrong with the letter's subject and preheader."""
    subject, preheader = case.letter.subject.strip(), case.letter.preheader.strip()
    if not subject:
        yield found("subject-empty", case.places.words("subject"), "the letter has no subject")
    elif len(subject) > SUBJECT_LENGTH:
        yield found(
            "subject-long",
            case.places.words("subject"),
            f"the subject has {len(subject)} characters, more than {SUBJECT_LENGTH}: {subject!r}",
        )
    yield from _placeholders(case)
    if not preheader:
        yield found("preheader-missing", case.places.words("preheader"), "the letter has no preheader")
    elif subject and _repeats(preheader, subject):
        yield found(
            "preheader-repeats", case.places.words("preheader"), f"the preheader repeats the subject: {preheader!r}"
        )


def _placeholders(case: Case) -> Iterator[Finding]:
    """Yield what a subject asks for in vain; braces in the title of a post are meant."""
    place = case.places.words("subject")
    for name in re.findall(r"\{\w+\}", case.letter.subject):
        if place.startswith(f"{NOTES_FOLDER}/") or name in case.newsletter.subject:
            yield found("subject-unknown", place, f"the subject says {name}, which stands for nothing")


_NEWS = 20  # characters that a preheader has to say beyond the subject that it begins with


def _repeats(preheader: str, subject: str) -> bool:
    """Whether the preheader says no more than the subject; what an ellipsis cut off does not count."""
    one, other = (" ".join(text.casefold().rstrip(" .…!?").split()) for text in (preheader, subject))
    return one in other or (one.startswith(other) and len(one) < len(other) + _NEWS)
