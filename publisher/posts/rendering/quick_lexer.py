"""Pygments' rule-based lexers, which try only the rules that may match at a character.

A lexer of Pygments tries the patterns of a state one after the other, some forty for each token. Here each state has a
table of the rules whose patterns may begin with a character (see first_characters.py), in the same order, so that
four or five are left. Lexers that find their tokens in a different way are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pygments.lexer import Lexer, RegexLexer
from pygments.token import Error, Whitespace, _TokenType

from publisher.posts.rendering.first_characters import ASCII, first_characters

# The data that a state of Pygments has for each of its patterns: a function that matches, what to do with the text, and
# the states to enter.
_Rule = tuple[Callable[[str, int], "re.Match[str] | None"], Any, Any]

# The rules of a state by the character at which they may match, and all of them, for any other character.
_State = tuple[dict[str, list[_Rule]], list[_Rule]]


def quick_tokens(lexer: Lexer) -> Callable[[str], Iterable[tuple[Any, str]]]:
    """Return a function that does the same as lexer.get_tokens, and takes less time if possible."""
    is_plain = isinstance(lexer, RegexLexer) and not lexer.filters
    if is_plain and type(lexer).get_tokens_unprocessed is RegexLexer.get_tokens_unprocessed:
        return _QuickLexer(lexer).tokens
    tokens: Callable[[str], Iterable[tuple[Any, str]]] = lexer.get_tokens
    return tokens


class _QuickLexer:
    """A rule-based lexer. The table of a state is made when a text first enters it."""

    def __init__(self, lexer: Any) -> None:
        self._lexer = lexer
        self._states: dict[str, _State] = {}

    def _state(self, name: str) -> _State:
        if name not in self._states:
            self._states[name] = _by_character(self._lexer._tokens[name])
        return self._states[name]

    def tokens(self, text: str) -> list[tuple[Any, str]]:
        """Return the tokens of a text, exactly as RegexLexer.get_tokens_unprocessed finds them."""
        text = self._lexer._preprocess_lexer_input(text)
        stack, place, found = ["root"], 0, list[tuple[Any, str]]()
        (table, rules), end, add = self._state("root"), len(text), found.append
        while True:
            for match, action, entered in table.get(text[place], rules) if place < end else rules:
                if there := match(text, place):
                    if type(action) is _TokenType:
                        add((action, there.group()))
                    elif action is not None:
                        found += [(kind, part) for _, kind, part in action(self._lexer, there)]
                    place = there.end()
                    if entered is not None:
                        _enter(stack, entered)
                        table, rules = self._state(stack[-1])
                    break
            else:
                if place >= end:
                    return found
                ends_line = text[place] == "\n"
                add((Whitespace if ends_line else Error, text[place]))
                stack = ["root"] if ends_line else stack
                table, rules = self._state(stack[-1])
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


def _by_character(rules: list[_Rule]) -> _State:
    """Return the state with these rules, by the characters with which their matches can begin."""
    begins = [first_characters(match.__self__) for match, _, _ in rules]  # type: ignore[attr-defined]
    pairs = list(zip(rules, begins, strict=True))
    return {char: [rule for rule, begin in pairs if begin is None or char in begin] for char in ASCII}, rules
