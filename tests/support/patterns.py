"""The regular expressions of the package, and the repetitions for which they take longest.

    python -m tests.support.patterns     add the patterns that tests/data/patterns.tsv does not list, and drop old ones

The calls of `re` are found in the syntax trees. Candidates for the worst repetition come from a pattern's own tree:
every character in it, every pair of these, and a sample of each of its parts, after a beginning that leads to that
part, and before an end that makes the match fail.
"""

from __future__ import annotations

import ast
import importlib
import math
import re
import re._parser as parser  # type: ignore[import-not-found]
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from types import FrameType
from typing import Any

from tests.support import ROOT

TABLE = ROOT / "tests/data/patterns.tsv"
FUNCTIONS = ("compile", "sub", "subn", "match", "search", "fullmatch", "findall", "finditer", "split")
# An end that makes a match fail after the repetition.
_FAILS = "\0! \n"
_SLOW = 0.2
"""Seconds of CPU time after which a single match is ended."""
_CLEAR = 0.002
"""Seconds of CPU time after which a pattern that seems slow is slow, and not only because the machine is busy."""
_LONG = 2_000
"""The length of text above which no longer ones are measured."""


@dataclass(frozen=True, slots=True)
class Use:
    """A pattern in a module of the package: its source code, and the methods that are called."""

    module: str
    written: str
    methods: tuple[str, ...]
    pattern: re.Pattern[Any] | None  # None if it is known only at run time

    @property
    def key(self) -> tuple[str, str]:
        return self.module, self.written


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    sees    "foreign" for text written by a writer, reader, client or server; "own" for text of the owner or the program
    worst   beginning, repeated unit, end; None for a pattern that is known only at run time
    """

    module: str
    written: str
    methods: tuple[str, ...]
    sees: str
    worst: tuple[str, str, str] | None

    def text(self, length: int) -> str:
        assert self.worst is not None
        begin, unit, end = self.worst
        return f"{begin}{unit * (length // len(unit))}{end}"


def uses() -> Iterator[Use]:
    """Yield every call of a function of `re`, file by file."""
    for path in sorted((ROOT / "publisher").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not re.search(r"\b(?:re|patterns)\s*\.", text):
            continue
        nodes = list(ast.walk(ast.parse(text)))
        names, called = _names_and_methods(nodes)
        for call in nodes:
            if (function := _function_of_re(call)) and isinstance(call, ast.Call):
                methods = called.get(names.get(call, ""), set()) if function == "compile" else {function}
                module = path.relative_to(ROOT / "publisher").as_posix()
                written = ast.unparse(call.args[0])
                yield Use(module, written, tuple(sorted(methods or {"search"})), _compiled(module, call))


def _function_of_re(node: ast.AST) -> str:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    owner, name = node.func.value, node.func.attr
    is_one = isinstance(owner, ast.Name) and owner.id in ("re", "patterns")  # publisher.core.patterns
    return name if is_one and name in FUNCTIONS else ""


def _names_and_methods(nodes: list[ast.AST]) -> tuple[dict[ast.AST, str], dict[str, set[str]]]:
    """Return the names of compiled patterns by call, and the methods that are called on each name."""
    names: dict[ast.AST, str] = {}
    called: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.value] = node.targets[0].id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in FUNCTIONS:
            called.setdefault(node.value.id, set()).add(node.attr)
    return names, called


def _compiled(module: str, call: ast.Call) -> re.Pattern[Any] | None:
    """Return the pattern of a call, computed from the names of its module; None if it is known only at run time."""
    name = "publisher." + module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    scope = vars(importlib.import_module(name))
    at = {"compile": 1, "match": 2, "search": 2, "fullmatch": 2, "findall": 2, "finditer": 2}
    flags = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    flags += call.args[at.get(_function_of_re(call), 99) :][:1]
    try:
        values = [eval(compile(ast.Expression(each), name, "eval"), scope) for each in (call.args[0], *flags)]
    except NameError:
        return None
    return re.compile(*values)


def seconds(pattern: re.Pattern[Any], methods: tuple[str, ...], text: str) -> float:
    """Return the seconds that a pattern takes for a text, with all its methods; _SLOW if it takes longer."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(pattern.pattern, bytes) else text
    signal.signal(signal.SIGVTALRM, _end)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SLOW)
    begin = time.thread_time()
    try:
        for method in methods:
            if method in ("sub", "subn"):
                pattern.sub(data[:0], data)
            elif method == "finditer":
                any(False for _ in pattern.finditer(data))
            elif method != "compile":
                getattr(pattern, method)(data)
    except TimeoutError:
        return _SLOW
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.thread_time() - begin


def _end(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


def growth(pattern: re.Pattern[Any], row: Row, length: int) -> float:
    """Return the factor by which doubling the length multiplies the time: the square root of that for four times it.

    A pattern that is quick even for four times the length counts as linear. Any other is measured again and again
    until it is quick once. If it never is, it gets longer texts, for which a busy machine makes less of a difference,
    unless it already takes so long that a busy machine can't be the reason.
    """
    whole = seconds(pattern, row.methods, row.text(4 * length))
    if whole >= _SLOW:
        return math.inf
    if whole < length * 400e-9:
        return 2.0
    found = math.inf
    # Both lengths in turn, and often if it seems slow: a busy machine is slow for a while, and then for both lengths.
    for attempt in range(20):
        both = [[seconds(pattern, row.methods, row.text(size)) for size in (length, 4 * length)] for _ in range(5)]
        short, long = map(min, zip(*both, strict=True))
        found = min(found, (long / max(short, 1e-7)) ** 0.5)
        if found < 2.5 or (found > 3.4 and attempt >= 4):
            break
    if found < 2.5 or length >= _LONG or (found > 3.4 and whole > _CLEAR):
        return found
    return min(found, growth(pattern, row, 4 * length))


def worst_repetition(use: Use, length: int = 600) -> tuple[str, str, str]:
    """Return the beginning, unit and end for which the pattern takes longest."""
    assert use.pattern is not None
    slowest, found = -1.0, ("", "a", "")
    for worst in _candidates(use.pattern):
        took = seconds(use.pattern, use.methods, Row("", "", (), "", worst).text(length))
        if took > slowest:
            slowest, found = took, worst
        if took >= _SLOW:
            break
    return found


def _candidates(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    tree = parser.parse(
        pattern.pattern, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    )
    signs, parts = dict.fromkeys(" a0\n\0<"), {"": None}
    for often in (0, 1):
        _sample(tree, {}, signs, parts, often)
    samples = sorted(filter(None, parts), key=len)[:30]
    begins = ["", *samples[:20]]
    alphabet = list(signs)[:26]
    for unit in alphabet:
        yield from ((begin, unit, end) for begin, end in product(begins, ("", _FAILS)))
    pairs = ["".join(pair) for pair in product(alphabet[:14], repeat=2)]
    longer = [
        *samples,
        *(a + b for a in samples for b in alphabet[:8]),
        *(b + a for a in samples for b in alphabet[:8]),
    ]
    yield from (("", unit, _FAILS) for unit in dict.fromkeys(pairs + longer))


def _sample(tree: Any, groups: dict[int, str], signs: dict[str, None], parts: dict[str, None], often: int) -> str:
    """Return a text that matches the tree of a pattern, and note its characters and samples of its parts."""
    text = ""
    for kind, value in tree:
        name = str(kind)
        inner = [_sample(each, groups, signs, parts, often) for each in _inside(name, value)]
        if name in ("LITERAL", "IN", "ANY", "NOT_LITERAL"):
            text += _of_set([(kind, value)] if name != "IN" else value, signs)
        elif name.endswith("_REPEAT"):
            text += inner[0] * min(max(value[0], often), int(value[1]), 99)
        elif name == "GROUPREF":
            text += groups.get(value, "")
        elif inner and not name.startswith("ASSERT"):
            text += inner[0]
        if name == "SUBPATTERN":
            groups[value[0]] = inner[0]
        parts[text] = None
        signs.update(dict.fromkeys(text[-1:]))
    return text


def _inside(name: str, value: Any) -> list[Any]:
    """Return the trees inside a node."""
    if name == "BRANCH":
        return list(value[1])
    if name == "ATOMIC_GROUP":
        return [value]
    places = {"SUBPATTERN": 3, "ASSERT": 1, "ASSERT_NOT": 1}
    place = 2 if name.endswith("_REPEAT") else places.get(name)
    return [value[place]] if place is not None else []


def _of_set(members: Any, signs: dict[str, None]) -> str:
    shown: list[str] = []
    for kind, value in members:
        name = str(kind)
        if name == "LITERAL":
            shown.append(chr(value))
        elif name == "RANGE":
            shown += [chr(value[0]), chr(value[1])]
        elif name == "CATEGORY":
            shown.append({"DIGIT": "0", "SPACE": " ", "NOT_WORD": " "}.get(str(value).removeprefix("CATEGORY_"), "a"))
    signs.update(dict.fromkeys(shown))
    if str(members[0][0]) in ("NEGATE", "ANY", "NOT_LITERAL"):
        return next((sign for sign in 'a -1.<"x\n' if sign not in shown), "z")
    return shown[0]


@cache
def table() -> tuple[Row, ...]:
    """Return the lines of the table."""
    rows = []
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        module, sees, methods, worst, written = line.split("\t", 4)
        rows.append(Row(module, written, tuple(methods.split()), sees, ast.literal_eval(worst)))
    return tuple(rows)


def _write() -> None:
    known = {(row.module, row.written): row for row in table()} if TABLE.exists() else {}
    lines = ["module\tsees\tmethods\tworst\tpattern"]
    found: dict[tuple[str, str], Use] = {}
    for use in uses():
        methods = {*use.methods, *(found[use.key].methods if use.key in found else ())}
        found[use.key] = replace(use, methods=tuple(sorted(methods)))
    for use in found.values():
        row = known.get(use.key)
        if row is None:
            sees = "foreign" if use.pattern else "own"
            row = Row(use.module, use.written, use.methods, sees, worst_repetition(use) if use.pattern else None)
            print(f"new: {row.module}: {row.written}")  # noqa: T201 - a command
        lines.append(f"{row.module}\t{row.sees}\t{' '.join(row.methods)}\t{row.worst!r}\t{row.written}")
    Path(TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
