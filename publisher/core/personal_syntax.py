"""Converts the tags with which a writer addresses each subscriber to marks:

    {{ subscriber.name | default("friend") }}
    {% if subscriber.plan == "pro" and subscriber.points >= 10 %} ... {% else %} ... {% endif %}

It is a small part of Jinja2's language. The result of a tag depends only on the recipient's fields, so an email stays
one text for all recipients, with marks in it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import date

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.core.frozen import dataclass
from publisher.core.personal_marks import BUILT_IN, DEEPEST, ELSE, END, FieldMark, Rule, if_mark, surely_has
from publisher.core.subscriber_fields import FieldKind, FieldValue

_MOST_MARKS = 500
_LONGEST_TAG = 500  # characters
_MOST_BRACKETS = 10  # of a condition

_TAG = patterns.compile(r"\{\{-?((?:[^{}]|\}(?!\}))*+)\}\}|\{%-?((?:[^{}%]|%(?!\}))*+)%\}")
# Where a tag of ours begins, closed or not.
_BEGINS = patterns.compile(r"\{\{-?[ \t]*+subscriber\b|\{%-?[ \t]*+(?:el)?if\b[^{}%\n]*+\bsubscriber\.")
_WORD = re.compile(r"\s*+([A-Za-z_]\w*+)")
_SUBSCRIBER = re.compile(r"(?<![\w.])subscriber\b")
_LEXEME = patterns.compile(
    r"\s*+(?:(?P<word>[A-Za-z_]\w*+(?:\.\w++)*+)|(?P<number>-?\d++(?:\.\d++)?(?![\w.]))"
    r"|(?P<text>\"[^\"\n]*+\"|'[^'\n]*+'|“[^”\n]*+”|‘[^’\n]*+’)|(?P<sign>==|!=|<=|>=|<|>|=|\(|\)|\||,))"
)
_OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

# What a link begins with in Markdown and in HTML.
_LINK_BEGINS = re.compile(r"(?:\](?:\(|:)[ ]{0,3}<?|(?:href|src)[ ]?=[ ]?[\"']?)\Z")


@dataclass(slots=True)
class _OpenCondition:
    """A condition that is not closed yet.

    is_ours  whether it is about the subscriber, and not code of another tool
    ends     how many conditions its end closes, since each `elif` begins one more
    rule     the rule of the branch
    denied   the fields that a recipient certainly has if no earlier branch applies
    """

    line: int
    is_ours: bool
    ends: int = 1
    rule: Rule = ()
    in_else: bool = False
    denied: frozenset[str] = field(default_factory=frozenset)

    @property
    def sure(self) -> frozenset[str]:
        """The fields that every recipient of this branch certainly has."""
        found = self.denied
        if self.is_ours and not self.in_else:
            found |= surely_has(self.rule)
        return found


@dataclass(frozen=True, slots=True)
class PersonalTag:
    """A tag of ours in a text: where it is, and the marks that it stands for."""

    start: int
    end: int
    marks: str
    branches: bool


def tags_in(text: str, known: Mapping[str, FieldKind], *, language: str = "en", is_code: str = "") -> list[PersonalTag]:
    """Return the tags in a text that are about the subscriber, in order.

    known     the project's own fields, and the kinds of their values
    language  the language in which dates are written
    is_code   the text with blanks in place of code, which is shown as typed; "" if it contains none

    Raises PostError, with the line of the text, for a tag that is wrong: an unknown field, a value that some recipients
    may lack and that has no default, a condition that is not closed. Other tags in braces are left alone.
    """
    return _TagReader(is_code or text, text, {**known, **BUILT_IN}, language).tags()


class _TagReader:
    """The state of reading a text: its tags so far, and the conditions that are open."""

    def __init__(self, view: str, text: str, known: Mapping[str, FieldKind], language: str) -> None:
        self._view, self._text, self._known, self._language = view, text, known, language
        self._open: list[_OpenCondition] = []
        self._found: list[PersonalTag] = []
        self._line, self._counted = 1, 0

    def tags(self) -> list[PersonalTag]:
        """Return the tags; raise PostError for a mistake in them."""
        if "subscriber" not in self._view:
            return []
        starts = {each.start() for each in _BEGINS.finditer(self._view)}
        for match in _TAG.finditer(self._view):
            self._line += self._view.count("\n", self._counted, match.start())
            self._counted = match.start()
            starts.discard(match.start())
            self._read(match)
            if len(self._found) > _MOST_MARKS:
                raise self._wrong(f"there are more than {_MOST_MARKS} tags about the subscriber", "use fewer")
        if starts:
            self._line = self._view.count("\n", 0, min(starts)) + 1
            raise self._wrong("a tag about the subscriber is not closed", "end it with }} or %}")
        if line := next((each.line for each in self._open if each.is_ours), 0):
            raise PostError("{% if %} is not closed", line=line, hint="add {% endif %}")
        return self._found

    def _read(self, match: re.Match[str]) -> None:
        if len(match[0]) > _LONGEST_TAG:
            if _SUBSCRIBER.search(match[0]):
                raise self._wrong(f"a tag has more than {_LONGEST_TAG} characters", "make it shorter")
            return
        if match[1] is not None:
            inner = match[1].removesuffix("-")
            if (word := _WORD.match(inner)) and word[1] == "subscriber":
                self._take(match, self._value(inner, match), branches=False)
            return
        inner = match[2].removesuffix("-")
        word = _WORD.match(inner)
        name, rest = (word[1], inner[word.end() :]) if word else ("", inner)
        reader = {"if": self._if, "elif": self._elif, "else": self._else, "endif": self._endif}.get(name)
        if reader is None:
            if _SUBSCRIBER.search(rest):
                raise self._wrong(f"{{% {name} %}} can't be used here", "use if, elif, else and endif")
        elif marks := reader(rest):
            self._take(match, marks, branches=True)

    def _take(self, match: re.Match[str], marks: str, *, branches: bool) -> None:
        self._found.append(PersonalTag(match.start(), match.end(), marks, branches))

    def _value(self, inner: str, match: re.Match[str]) -> str:
        reader = _TagExpression(inner, self._known, self._wrong)
        name = reader.field()
        default = reader.default()
        reader.require_end()
        kind = self._known[name]
        shown = f"subscriber.{name}"
        if kind is FieldKind.YES_NO:
            hint = f"write {{% if {shown} %}} ... {{% else %}} ... {{% endif %}}"
            raise self._wrong(f"{shown} is yes or no, which can't be shown", hint)
        if default is None and name != "address" and not any(name in each.sure for each in self._open):
            hint = f'write {{{{ {shown} | default("...") }}}}, or default("") to show nothing'
            raise self._wrong(f"{{{{ {shown} }}}} doesn't say what to show subscribers without {name}", hint)
        before = self._text[max(0, match.start() - 40) : match.start()]
        if _LINK_BEGINS.search(before):
            raise self._wrong(f"a link can't begin with {{{{ {shown} }}}}", "begin it with https://")
        return str(FieldMark(name, default or "", kind, self._language if kind is FieldKind.DATE else "en"))

    def _if(self, rest: str) -> str:
        if not _SUBSCRIBER.search(rest):
            self._open.append(_OpenCondition(self._line, is_ours=False))
            return ""
        if sum(each.ends for each in self._open) >= DEEPEST:
            raise self._wrong(f"more than {DEEPEST} conditions are nested", "use fewer")
        rule = self._rule(rest)
        self._open.append(_OpenCondition(self._line, is_ours=True, rule=rule))
        return if_mark(rule)

    def _elif(self, rest: str) -> str:
        if not self._open or not self._open[-1].is_ours:
            if _SUBSCRIBER.search(rest):
                raise self._wrong("{% elif %} belongs to no condition about the subscriber", "begin with {% if %}")
            return ""
        last = self._open[-1]
        if last.in_else:
            raise self._wrong("{% elif %} follows {% else %}", "put {% else %} last")
        if sum(each.ends for each in self._open) >= DEEPEST:
            raise self._wrong(f"there are more than {DEEPEST} conditions in one", "use fewer")
        last.denied |= surely_has(last.rule, truth=False)
        last.rule = self._rule(rest)
        last.ends += 1
        return ELSE + if_mark(last.rule)

    def _else(self, _: str) -> str:
        if not self._open or not self._open[-1].is_ours:
            return ""
        last = self._open[-1]
        if last.in_else:
            raise self._wrong("a condition has {% else %} twice", "remove one")
        last.denied |= surely_has(last.rule, truth=False)
        last.in_else = True
        return ELSE

    def _endif(self, _: str) -> str:
        if not self._open:
            return ""
        last = self._open.pop()
        return END * last.ends if last.is_ours else ""

    def _rule(self, text: str) -> Rule:
        reader = _TagExpression(text, self._known, self._wrong)
        rule = reader.rule()
        reader.require_end()
        return rule

    def _wrong(self, message: str, hint: str = "") -> PostError:
        return PostError(message, line=self._line, hint=hint)


class _TagExpression:
    """Reads what is between the braces of one tag."""

    def __init__(self, text: str, known: Mapping[str, FieldKind], wrong: Callable[[str, str], PostError]) -> None:
        self._known, self._wrong, self._at, self._brackets = known, wrong, 0, 0
        self._lexemes: list[tuple[str, str]] = []
        end = 0
        while found := _LEXEME.match(text, end):
            self._lexemes.append((found.lastgroup or "", found[found.lastgroup or 0]))
            end = found.end()
        if rest := text[end:].strip():
            raise wrong(f"{rest[:20]!r} isn't understood in a tag about the subscriber", _EXAMPLE)

    def rule(self) -> Rule:
        """Read a condition."""
        return self._joined("or", lambda: self._joined("and", self._negated))

    def field(self) -> str:
        """Read the name of a field after "subscriber."."""
        kind, word = self._next()
        owner, dot, name = word.partition(".")
        if kind != "word" or owner != "subscriber" or not dot:
            raise self._wrong(f"{word or 'the end'!r} is not a field of the subscriber", _EXAMPLE)
        if name in self._known:
            return name
        near = difflib.get_close_matches(name, [*self._known, "email"], n=1, cutoff=0.6)
        if near:
            hint = f"did you mean subscriber.{'address' if near[0] == 'email' else near[0]}?"
        else:
            hint = f"add it to [[fields]] in publisher.toml, or use {_listed(self._known)}"
        raise self._wrong(f"there is no field {name[:60]!r}", hint)

    def default(self) -> str | None:
        """Read the filter after a field; return the text for recipients who lack a value, or None without a filter."""
        if not self._accept("|"):
            return None
        kind, word = self._next()
        if (kind, word) != ("word", "default"):
            raise self._wrong(f"{word or 'the end'!r} can't follow |", _EXAMPLE)
        text = self._literal() if self._accept("(") else None
        if self._accept(","):
            self._next()  # Jinja2's second argument, whose effect is always on here
        if text is None or not self._accept(")"):
            raise self._wrong("default needs a text in parentheses", _EXAMPLE)
        return str(text)

    def require_end(self) -> None:
        """Raise PostError if anything follows."""
        if self._at < len(self._lexemes):
            raise self._wrong(f"{self._lexemes[self._at][1][:20]!r} is unexpected there", _EXAMPLE)

    def _joined(self, word: str, part: Callable[[], Rule]) -> Rule:
        parts = [part()]
        while self._accept(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else (word, *parts)

    def _negated(self) -> Rule:
        times = 0
        while self._accept("not"):
            times += 1
        if self._accept("("):
            self._brackets += 1
            if self._brackets > _MOST_BRACKETS:
                raise self._wrong(f"a condition has more than {_MOST_BRACKETS} pairs of brackets", "use fewer")
            rule = self.rule()
            if not self._accept(")"):
                raise self._wrong("a bracket is not closed", "add )")
        else:
            rule = self._comparison()
        return ("not", rule) if times % 2 else rule

    def _comparison(self) -> Rule:
        kind, word = self._peek()
        if kind in ("text", "number") or word in ("true", "false", "True", "False"):
            value = self._literal()
            operator = self._next()[1]
            name = self.field()
            operator = _MIRRORED.get(operator, operator)
        else:
            name = self.field()
            operator = self._peek()[1]
            if operator in ("=", "is"):
                raise self._wrong(f"{operator!r} can't be used here", "write ==")
            if operator not in _OPERATORS:
                return ("has", name)
            self._next()
            value = self._literal()
        if operator not in _OPERATORS:
            raise self._wrong(f"{operator!r} is not a comparison", f"use {', '.join(_OPERATORS)}")
        return ("is", name, operator, self._fitting(name, operator, value))

    def _fitting(self, name: str, operator: str, value: FieldValue) -> FieldValue:
        """Return the value with which a field is compared; raise PostError if it is of a different kind."""
        kind = self._known[name]
        shown = f"subscriber.{name}"
        if operator not in ("==", "!=") and kind in (FieldKind.TEXT, FieldKind.YES_NO):
            raise self._wrong(f"{shown} is {_KINDS[kind]}, which has no {operator}", "use == or !=")
        match kind:
            case FieldKind.TEXT if isinstance(value, str):
                return value
            case FieldKind.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
                return value
            case FieldKind.YES_NO if isinstance(value, bool) or str(value).lower() in ("yes", "no"):
                return value if isinstance(value, bool) else str(value).lower() == "yes"
            case FieldKind.DATE if isinstance(value, str) and _is_date(value):
                return value
        raise self._wrong(f"{shown} is {_KINDS[kind]}, but is compared with {value!r}", _COMPARED[kind])

    def _literal(self) -> FieldValue:
        kind, word = self._next()
        if kind == "text":
            return " ".join(word[1:-1].split())
        if kind == "number":
            return float(word) if "." in word else int(word)
        if word.lower() in ("true", "false"):
            return word.lower() == "true"
        raise self._wrong(f"{word or 'the end'!r} is not a value", 'put text in quotes: "pro"')

    def _accept(self, word: str) -> bool:
        is_there = self._peek()[1] == word and self._peek()[0] != "text"
        self._at += is_there
        return is_there

    def _peek(self) -> tuple[str, str]:
        return self._lexemes[self._at] if self._at < len(self._lexemes) else ("", "")

    def _next(self) -> tuple[str, str]:
        found = self._peek()
        self._at += 1
        return found


_EXAMPLE = 'write it like {{ subscriber.name | default("friend") }} or {% if subscriber.plan == "pro" %}'
_KINDS = {
    FieldKind.TEXT: "text",
    FieldKind.NUMBER: "a number",
    FieldKind.DATE: "a date",
    FieldKind.YES_NO: "yes or no",
}
_COMPARED = {
    FieldKind.TEXT: 'put the text in quotes: "pro"',
    FieldKind.NUMBER: "compare it with a number, such as 10",
    FieldKind.DATE: 'compare it with a date, such as "2026-11-29"',
    FieldKind.YES_NO: "compare it with true or false",
}


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _listed(known: Mapping[str, FieldKind]) -> str:
    names = sorted(known)
    return ", ".join(f"subscriber.{name}" for name in names[:8]) + (" ..." if len(names) > 8 else "")
