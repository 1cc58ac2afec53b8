"""A table as plain text: side by side where it fits, otherwise row by row."""

from __future__ import annotations

from publisher.newsletters.letter.wrap import WIDTH, columns, indent, pad, wrap

Cell = list[str]  # the lines of a cell, not wrapped yet

GAP = "  "
NARROWEST = 11  # columns of text below which prose cannot be read


def table_lines(rows: list[list[Cell]], has_head: bool, width: int = WIDTH) -> list[str]:
    """Return a table of at most `width` columns where its words allow it; every cell's text is in it."""
    count = max((len(row) for row in rows), default=0)
    if not count:
        return []
    rows = [row + [[] for _ in range(count - len(row))] for row in rows]
    room = width - len(GAP) * (count - 1)
    widths = _widths(rows, count, room)
    if widths is None:
        return _records(rows, has_head, width)
    return _grid(rows, widths, has_head)


def _widths(rows: list[list[Cell]], count: int, room: int) -> list[int] | None:
    widths = [max([1, *(columns(line) for row in rows for line in row[number])]) for number in range(count)]
    if sum(widths) > room and count * NARROWEST > room:
        return None
    while sum(widths) > room:
        widest = widths.index(max(widths))
        if widths[widest] <= NARROWEST:
            return None
        widths[widest] -= 1
    longest_words = [
        max([0, *(columns(word) for row in rows for line in row[number] for word in line.split())])
        for number in range(count)
    ]
    fits = all(
        word <= given or _breaks_anywhere(rows, number)
        for number, (word, given) in enumerate(zip(longest_words, widths, strict=True))
    )
    return widths if fits else None


def _breaks_anywhere(rows: list[list[Cell]], number: int) -> bool:
    """Whether a column holds a script that breaks anywhere, so that no word is too long for it."""
    text = "".join(line for row in rows for line in row[number])
    return columns(text) > 1.5 * len(text)


def _grid(rows: list[list[Cell]], widths: list[int], has_head: bool) -> list[str]:
    found: list[str] = []
    laid = [[_lines(cell, width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    spaced = any(len(cell) > 1 for row in laid[int(has_head) :] for cell in row)
    for number, row in enumerate(laid):
        for level in range(max(1, *(len(cell) for cell in row))):
            parts = [cell[level] if level < len(cell) else "" for cell in row]
            padded = [pad(part, width) for part, width in zip(parts, widths, strict=True)]
            found.append(GAP.join(padded).rstrip())
        if has_head and number == 0:
            found.append(GAP.join("-" * width for width in widths))
        elif spaced and number < len(laid) - 1:
            found.append("")
    return found


def _records(rows: list[list[Cell]], has_head: bool, width: int) -> list[str]:
    head = [" ".join(cell) for cell in rows[0]] if has_head else []
    found: list[str] = []
    for row in rows[int(has_head) :]:
        if found:
            found.append("")
        for number, cell in enumerate(row):
            name = head[number] if number < len(head) else ""
            found += _record(name, cell, width)
    return found


def _record(name: str, cell: Cell, width: int) -> list[str]:
    label = f"{name}: " if name else ""
    if len(cell) > 1:
        lines = [line for part in cell for line in indent(wrap(part, width - 4), "  - ", "    ")]
        return [label.rstrip(), *lines] if label else lines
    text = " ".join(cell)
    return indent(wrap(label + text, width - 2), "", "  ") if text else []


def _lines(cell: Cell, width: int) -> list[str]:
    return [line for part in cell for line in wrap(part, width)]
