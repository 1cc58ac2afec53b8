"""The language of segments: conditions on subscribers, such as `tag:vip and joined > 2026-01-01 and not topic:ruby`.

`parse` turns the text into a tree, which store/segments.py turns into SQL. docs/segments.md describes the language for
people. Every condition is either true or false of a person: `!=` is the opposite of `=`, so it is also true of people
who have no value at all.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from publisher.core import patterns
from publisher.core.errors import SegmentError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.segment_conditions import (
    PAUSED,
    Ago,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Operator,
    Subject,
    Term,
    Value,
)

__all__ = ["LONGEST", "Condition", "SegmentError", "both", "field_is", "is_segment_name", "parse", "parse_joined"]

LONGEST = 1_000  # characters of a condition
_MOST_TERMS = 50
_DEEPEST = 20  # levels of parentheses and "not"
_YEARS = range(1900, 2200)  # of dates in conditions
_STATUSES = (*SubscriberStatus, PAUSED)

_WORDS = frozenset((Operator.IS, Operator.IS_NOT))
_TEXTS = _WORDS | {Operator.CONTAINS}
_ORDERED = _WORDS | {Operator.ABOVE, Operator.AT_LEAST, Operator.BELOW, Operator.AT_MOST}
_HAS = frozenset((Operator.HAS_VALUE, Operator.HAS_NO_VALUE))

_OPERATORS: Mapping[Subject, frozenset[Operator]] = {
    Subject.TAG: _WORDS | _HAS,
    Subject.TOPIC: _WORDS | _HAS,
    Subject.NEWSLETTER: _WORDS,
    Subject.STATUS: _WORDS,
    Subject.LANGUAGE: _WORDS | _HAS,
    Subject.SOURCE: _TEXTS,
    Subject.ADDRESS: _TEXTS,
    Subject.NAME: _TEXTS | _HAS,
    Subject.NOTE: _TEXTS | _HAS,
    Subject.JOINED: _ORDERED,
    Subject.LEFT: _ORDERED | _HAS,
    Subject.BOUNCES: _ORDERED,
    Subject.FIELD: _TEXTS | _ORDERED | _HAS,
}
_DATES = (Subject.JOINED, Subject.LEFT)
_NOT_WITH_COLON = (Subject.ADDRESS, Subject.NAME, Subject.NOTE, *_DATES, Subject.BOUNCES)

_TOKEN = patterns.compile(r'\s*(?:([()])|(>=|<=|!=|[:=<>~])|"((?:[^"\\]|\\["\\])*)"|([^\s()":=<>!~]+))')
_ESCAPED = patterns.compile(r'\\(["\\])')
_NAME = patterns.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_FIELD_NAME = patterns.compile(r"[a-z][a-z0-9_]{0,59}")
_NUMBER = patterns.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_DAY = patterns.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNITS = {f"{unit}{s}": unit for unit in ("day", "week", "month", "year") for s in ("", "s")}
_MOST_AGO = {"day": 36_500, "week": 5_200, "month": 1_200, "year": 100}
_QUOTES = str.maketrans("“”„", '"""')  # as phones and word processors write them


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    column: int
    kind: str  # "mark" for parentheses and operators, "quoted", "word" or "end"

    def is_word(self, *words: str) -> bool:
        """Return whether the token is one of these words, in capitals or not."""
        return self.kind == "word" and self.text.lower() in words

    def is_mark(self, *marks: str) -> bool:
        """Return whether the token is one of these marks."""
        return self.kind == "mark" and self.text in marks


def parse(text: str) -> Condition:
    """Return the condition that a text expresses, in linear time and memory.

    Raises SegmentError, which names the column, if it is not a condition, or is too long or too deep.
    """
    return _parse(text, 1)


def is_segment_name(text: str) -> bool:
    """Return whether a text can be the name of a segment. No condition can."""
    return _NAME.fullmatch(text) is not None


def both(first: str, second: str) -> str:
    """Return the text of a condition that is true if both conditions are, for `parse_joined`; "" is always true."""
    return f"({first}) and ({second})" if first and second else first or second


def parse_joined(text: str) -> Condition:
    """Parse a text as `parse` does, but also accept a condition that `both` joined from two."""
    return _parse(text, 2)


def _parse(text: str, joined: int) -> Condition:
    longest = joined * LONGEST + len(both("-", "-"))
    if len(text) > (LONGEST if joined == 1 else longest):
        raise SegmentError(f"a condition can have at most {LONGEST:,} characters, and this one has {len(text):,}")
    if not text.strip():
        raise SegmentError("the condition is empty", hint="write it like tag:vip and joined > 2026-01-01")
    for column, character in enumerate(text, 1):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            raise _error(column, "a condition can't contain control characters")
    pieces = list(_tokens(unicodedata.normalize("NFC", text.translate(_QUOTES))))
    return _Reading(pieces, joined * _MOST_TERMS, _DEEPEST + joined - 1).condition()


def field_is(name: str, text: str) -> Condition:
    """Return the condition that a field has a value, compared as in a written condition; "" means any value.

    Raises SegmentError if a field can't have this name.
    """
    if not _FIELD_NAME.fullmatch(name):
        raise SegmentError(f"{_shown(name)} can't be the name of a field", hint="write it like city")
    if not text.strip():
        return Term(Subject.FIELD, Operator.HAS_VALUE, field=name)
    pieces = list(_tokens(text)) if not any(mark in text for mark in '"()<>=!:~') else []
    if len(pieces) == 2:  # a single word, and the end
        return parse(f"field.{name} = {text.strip()}")
    return Term(Subject.FIELD, Operator.IS, Value(text.strip()), name)


def _error(column: int, message: str, hint: str = "") -> SegmentError:
    return SegmentError(message, where=f"column {column} of the condition", hint=hint)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _tokens(text: str) -> Iterator[_Piece]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            if text[at] == '"':
                raise _error(at + 1, "the quotation mark isn't closed", 'inside a text, write " as \\" and \\ as \\\\')
            raise _error(at + 1, f"{_shown(text[at])} doesn't belong here", "put texts with such characters in quotes")
        group = found.lastindex or 0
        token, column = found[group], found.start(group) + 1
        if group == 3:
            yield _Piece(_ESCAPED.sub(r"\1", token), column - 1, "quoted")
        else:
            yield _Piece(token, column, "word" if group == 4 else "mark")
        at = found.end()
    yield _Piece("", end + 1, "end")


class _Reading:
    """A recursive-descent parser of one condition: or, and, not, parentheses and comparisons."""

    def __init__(self, tokens: list[_Piece], most_terms: int, deepest: int) -> None:
        self._tokens = tokens
        self._most_terms, self._deepest = most_terms, deepest
        self._at = 0
        self._depth = 0
        self._terms = 0

    def condition(self) -> Condition:
        """Return the whole text as a condition. Raises SegmentError if the text is not one."""
        found = self._any_of()
        rest = self._next
        if rest.is_mark(")"):
            raise _error(rest.column, "this closing parenthesis has no opening one")
        if rest.kind != "end":
            raise _error(rest.column, f"{_shown(rest.text)} doesn't belong here", "join conditions with `and` or `or`")
        return found

    @property
    def _next(self) -> _Piece:
        return self._tokens[self._at]

    def _take(self) -> _Piece:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _any_of(self) -> Condition:
        parts = self._joined("or", self._all_of)
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    def _all_of(self) -> Condition:
        parts = self._joined("and", self._single)
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _joined(self, word: str, part: Callable[[], Condition]) -> tuple[Condition, ...]:
        parts = [part()]
        while self._next.is_word(word):
            self._take()
            parts.append(part())
        return tuple(parts)

    def _single(self) -> Condition:
        token = self._next
        if not token.is_mark("(") and not token.is_word("not"):
            return self._term()
        self._take()
        self._depth += 1
        if self._depth > self._deepest:
            raise _error(token.column, f"parentheses and `not` can be nested at most {_DEEPEST} levels deep")
        inner = Not(self._single()) if token.kind == "word" else self._in_parentheses(token)
        self._depth -= 1
        return inner

    def _in_parentheses(self, opening: _Piece) -> Condition:
        inner = self._any_of()
        if self._next.kind == "end":
            raise _error(opening.column, "the parenthesis isn't closed")
        if not self._next.is_mark(")"):
            raise _error(
                self._next.column,
                f"{_shown(self._next.text)} doesn't belong here",
                "join conditions with `and` or `or`",
            )
        self._take()
        return inner

    def _term(self) -> Term:
        self._terms += 1
        token = self._take()
        if self._terms > self._most_terms:
            raise _error(token.column, f"a condition can have at most {_MOST_TERMS} comparisons")
        subject, field = _subject(token, self._next)
        operator = self._operator(subject, token)
        value = None if operator in _HAS else self._value(subject, operator)
        return Term(subject, operator, value, field, token.column)

    def _operator(self, subject: Subject, name: _Piece) -> Operator:
        token = self._take()
        if token.is_word("has"):
            lacks = self._next.is_word("no")
            if lacks:
                self._take()
            if not self._take().is_word("value"):
                raise _error(token.column, f"write {name.text} has value, or {name.text} has no value")
            operator = Operator.HAS_NO_VALUE if lacks else Operator.HAS_VALUE
        elif token.is_mark(":") and subject not in _NOT_WITH_COLON:
            operator = Operator.CONTAINS if subject is Subject.SOURCE else Operator.IS
        elif token.kind == "mark" and token.text in tuple(Operator):
            operator = Operator(token.text)
        else:
            raise _error(token.column, f"a comparison is missing after {_shown(name.text)}", _examples(subject))
        if operator not in _OPERATORS[subject]:
            raise _error(token.column, f"{name.text} can't be compared with {token.text}", _examples(subject))
        return operator

    def _value(self, subject: Subject, operator: Operator) -> Value:
        token = self._take()
        if token.kind not in ("word", "quoted"):
            mark = self._tokens[self._at - (2 if token.kind != "end" else 1)].text
            raise _error(token.column, f"a value is missing after {mark}", _examples(subject))
        if not token.text.strip():
            raise _error(token.column, "the text is empty", "write has no value")
        value = self._typed(token) if token.kind == "word" else Value(token.text)
        if subject in _DATES and not isinstance(value.typed, date | Ago):
            raise _error(token.column, f"{_shown(token.text)} is not a date", "write it like 2026-01-31 or 30 days ago")
        is_number = isinstance(value.typed, float)
        if subject is Subject.BOUNCES and not is_number:
            raise _error(token.column, f"{_shown(token.text)} is not a number")
        if (
            subject is Subject.FIELD
            and operator in _ORDERED - _WORDS
            and not (is_number or isinstance(value.typed, date | Ago))
        ):
            raise _error(token.column, f"{_shown(token.text)} is neither a number nor a date", "use = or ~ for texts")
        if subject is Subject.STATUS and token.text.lower() not in _STATUSES:
            raise _error(token.column, f"there is no status {_shown(token.text)}", _nearest(token.text, _STATUSES))
        return value

    def _typed(self, token: _Piece) -> Value:
        """Return what a word without quotation marks means, with the words that follow a number: `30 days ago`."""
        word = token.text.lower()
        if word in ("yes", "true", "no", "false"):
            return Value(token.text, word in ("yes", "true"))
        if word in ("today", "yesterday"):
            return Value(token.text, Ago(0 if word == "today" else 1, "day"))
        if _DAY.fullmatch(word):
            return Value(token.text, _day(token))
        if not _NUMBER.fullmatch(word):
            return Value(token.text)
        return self._ago(token) if self._next.is_word(*_UNITS) else Value(token.text, float(word))

    def _ago(self, token: _Piece) -> Value:
        units = self._take().text.lower()
        if not self._take().is_word("ago"):
            raise _error(token.column, f"write {token.text} {units} ago")
        if not token.text.isdecimal() or int(token.text) > _MOST_AGO[_UNITS[units]]:
            raise _error(token.column, f"{token.text} {units} are too many, or not a whole number")
        return Value(f"{token.text} {units} ago", Ago(int(token.text), _UNITS[units]))


def _day(token: _Piece) -> date:
    try:
        day = date.fromisoformat(token.text)
    except ValueError:
        raise _error(token.column, f"{token.text} is not a day of the calendar") from None
    if day.year not in _YEARS:
        raise _error(token.column, f"a year is between {_YEARS[0]} and {_YEARS[-1]}, not {day.year}")
    return day


def _subject(token: _Piece, following: _Piece) -> tuple[Subject, str]:
    """Return the subject that a word names, and the name of a field. following: the next token, for the hint."""
    if token.is_word("and", "or"):
        raise _error(token.column, f"a condition is missing before {_shown(token.text)}", "write it like tag:vip")
    if token.kind != "word":
        said = f"{_shown(token.text)} is where a name such as tag should be" if token.text else "a condition is missing"
        raise _error(token.column, said, "write it like tag:vip")
    start, dot, field = token.text.lower().partition(".")
    if start == Subject.FIELD:
        if not dot or not _FIELD_NAME.fullmatch(field):
            raise _error(
                token.column, f"{_shown(token.text)} doesn't name a field", 'write it like field.city = "Oslo"'
            )
        return Subject.FIELD, field
    if dot or start not in tuple(Subject):
        hint = _nearest(token.text, tuple(Subject))
        if hint.startswith("known") and _FIELD_NAME.fullmatch(start) and not dot and following.kind == "mark":
            is_field = following.text not in (":", "(", ")")
            hint = f"did you mean field.{start}?" if is_field else f"{hint}; a field is written field.{start}"
        raise _error(token.column, f"{_shown(token.text)} can't be used in a condition", hint)
    return Subject(start), ""


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word.lower()[:40], known, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def _examples(subject: Subject) -> str:
    """Return how to compare a subject, as a hint."""
    match subject:
        case Subject.JOINED | Subject.LEFT:
            return f"write it like {subject.value} > 2026-01-31"
        case Subject.BOUNCES:
            return "write it like bounces >= 2"
        case Subject.FIELD:
            return 'write it like field.city = "Oslo" or field.points >= 10'
        case Subject.ADDRESS | Subject.NAME | Subject.NOTE:
            return f'write it like {subject.value} ~ "text" or {subject.value} = "text"'
        case _:
            return f"write it like {subject.value}:word"
