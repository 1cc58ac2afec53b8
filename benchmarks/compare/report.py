"""The table, its footnotes and its reasons, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.compare.checks import ROWS
from benchmarks.compare.evidence import Evidence
from benchmarks.compare.program import Generator
from benchmarks.compare.verdict import Answer, Verdict

_SIGNS = {Answer.YES: "yes", Answer.PARTLY: "partly", Answer.NO: "**no**"}


@dataclass(frozen=True, slots=True)
class Column:
    """One generator's verdicts by row."""

    generator: Generator
    version: str
    verdicts: Mapping[str, Verdict]

    @property
    def kept(self) -> int:
        """The number of promises that are fully kept."""
        return sum(verdict.answer is Answer.YES for verdict in self.verdicts.values())


def judge(generator: Generator, version: str, evidence: Evidence) -> Column:
    """Return the verdict of every row for one generator."""
    return Column(generator, version, {row.key: row.check(evidence) for row in ROWS})


def table(columns: Sequence[Column], missing: Mapping[str, str]) -> str:
    """Return the whole section: versions, table, footnotes, reasons."""
    notes = _Notes()
    lines = [_cells(["", *(column.generator.name for column in columns)])]
    lines.append(_cells(["---", *("---" for _ in columns)]))
    lines += [_cells([row.promise, *(notes.cell(column, row.key) for column in columns)]) for row in ROWS]
    lines.append(_cells([f"of {len(ROWS)}", *(str(column.kept) for column in columns)]))
    parts = ["\n".join(_versions(columns, missing)), "\n".join(lines), "\n".join(notes.lines())]
    parts += [_reasons(column) for column in columns]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(columns: Sequence[Column]) -> str:
    """Return the table for a terminal."""
    width = max(len(row.promise) for row in ROWS)
    lines = [" " * width + "".join(f"  {column.generator.name:<9}" for column in columns)]
    for row in ROWS:
        answers = (f"  {column.verdicts[row.key].answer:<9}" for column in columns)
        lines.append(f"{row.promise:<{width}}" + "".join(answers))
    lines.append(f"{f'of {len(ROWS)}':<{width}}" + "".join(f"  {column.kept:<9}" for column in columns))
    return "\n".join(line.rstrip() for line in lines)


class _Notes:
    """Numbers the footnotes in order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def cell(self, column: Column, key: str) -> str:
        sign = _SIGNS[column.verdicts[key].answer]
        note = column.generator.notes.get(key)
        if not note:
            return sign
        number = self._numbers.setdefault(f"{column.generator.name}: {note}", len(self._numbers) + 1)
        return f"{sign} ({number})"

    def lines(self) -> Iterator[str]:
        yield from (f"{number}. {text}" for text, number in self._numbers.items())


def _versions(columns: Sequence[Column], missing: Mapping[str, str]) -> Iterator[str]:
    for column in columns:
        yield f"- {column.generator.name} {column.version}: {column.generator.setup}."
    for name, reason in missing.items():
        yield f"- {name} is not in the table: {reason}"


def _reasons(column: Column) -> str:
    found = [(row, column.verdicts[row.key]) for row in ROWS]
    lines = [
        f"- {row.promise}: {_safe(verdict.reason)}{'' if verdict.answer is Answer.NO else ' (partly)'}."
        for row, verdict in found
        if verdict.answer is not Answer.YES
    ]
    return f"### Where {column.generator.name} falls short\n\n" + (
        "\n".join(lines) or "It keeps every promise of the table."
    )


def _safe(reason: str) -> str:
    shown = "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in " ".join(reason.split()))
    return shown.replace("|", "\\|").replace("<", "&lt;")


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
