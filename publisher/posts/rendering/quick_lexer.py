"""Pygments' lexers of rules, with the rules of a state tried at once.

A lexer of Pygments tries the patterns of a state one after the other, some forty for each token. Here they are one
pattern with an alternative for each, of which Python's `re` takes the first that matches, as Pygments does. Lexers that
find their tokens in a different way are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pygments.lexer import Lexer, RegexLexer
from pygments.token import Error, Whitespace, _TokenType

# What a state of Pygments has for each of its patterns: its function that matches, what to do with the text, and the
# states to enter.
_Rule = tuple[Callable[[str, int], "re.Match[str] | None"], Any, Any]

# A pattern, and the rules of its alternatives by `lastindex`.
_Step = tuple[Callable[[str, int], "re.Match[str] | None"], list[_Rule]]

# What a pattern cannot have inside a larger one: references to its groups, names of groups, and flags for all of it.
_STANDS_ALONE = re.compile(r"\\[1-9]|\(\?[P(]|\(\?[aiLmsux]++\)")


def quick_tokens(lexer: Lexer) -> Callable[[str], Iterable[tuple[Any, str]]]:
    """Return a function that returns the tokens of a text, as lexer.get_tokens does, in less time if that can be."""
    is_plain = isinstance(lexer, RegexLexer) and not lexer.filters
    if is_plain and type(lexer).get_tokens_unprocessed is RegexLexer.get_tokens_unprocessed:
        return _QuickLexer(lexer).tokens
    tokens: Callable[[str], Iterable[tuple[Any, str]]] = lexer.get_tokens
    return tokens


class _QuickLexer:
    """A lexer of rules. The patterns of a state are put together when a text first enters it."""

    def __init__(self, lexer: Any) -> None:
        self._lexer = lexer
        self._states: dict[str, list[_Step]] = {}

    def _steps(self, state: str) -> list[_Step]:
        if state not in self._states:
            self._states[state] = [_step(some) for some in _together(self._lexer._tokens[state])]
        return self._states[state]

    def tokens(self, text: str) -> list[tuple[Any, str]]:
        """Return the tokens of a text, exactly as RegexLexer.get_tokens_unprocessed finds them."""
        text = self._lexer._preprocess_lexer_input(text)
        stack, place, found = ["root"], 0, list[tuple[Any, str]]()
        steps, end, add = self._steps("root"), len(text), found.append
        while True:
            for match, rules in steps:
                if there := match(text, place):
                    alone, action, entered = rules[there.lastindex or 0]
                    if type(action) is _TokenType:
                        add((action, there.group()))
                    elif action is not None:  # it looks at the groups of its own pattern
                        found += [(kind, part) for _, kind, part in action(self._lexer, alone(text, place))]
                    place = there.end()
                    if entered is not None:
                        _enter(stack, entered)
                        steps = self._steps(stack[-1])
                    break
            else:
                if place >= end:
                    return found
                ends_line = text[place] == "\n"
                add((Whitespace if ends_line else Error, text[place]))
                stack = ["root"] if ends_line else stack
                steps = self._steps(stack[-1])
                place += 1


def _enter(stack: list[str], entered: Any) -> None:
    """Change the stack of states as a rule says: by a number of states to leave, or by one or more names."""
    if isinstance(entered, int):
        del stack[max(1, len(stack) + entered) :]
        return
    for name in (entered,) if isinstance(entered, str) else entered:
        if name == "#pop":
            del stack[max(1, len(stack) - 1) :]
        else:
            stack.append(stack[-1] if name == "#push" else name)


def _together(rules: Iterable[_Rule]) -> Iterator[list[_Rule]]:
    """Yield the rules of a state in their order, those together whose patterns can be one."""
    run: list[_Rule] = []
    for rule in rules:
        pattern = _pattern(rule)
        alone = _STANDS_ALONE.search(pattern.pattern) or pattern.flags & re.VERBOSE
        if run and (alone or _pattern(run[0]).flags != pattern.flags):
            yield run
            run = []
        run.append(rule)
        if alone:
            yield run
            run = []
    if run:
        yield run


def _step(rules: list[_Rule]) -> _Step:
    """Return the one pattern of some rules. A group without text behind each says which of them matched."""
    if len(rules) == 1:
        return rules[0][0], rules * (_pattern(rules[0]).groups + 1)
    whole = "|".join(f"(?:{_pattern(rule).pattern})()" for rule in rules)
    by_group = rules[:1]  # no group has the number 0
    for rule in rules:
        by_group += [rule] * (_pattern(rule).groups + 1)
    return re.compile(whole, _pattern(rules[0]).flags & ~re.UNICODE).match, by_group


def _pattern(rule: _Rule) -> re.Pattern[str]:
    pattern: re.Pattern[str] = rule[0].__self__  # type: ignore[attr-defined]
    return pattern
