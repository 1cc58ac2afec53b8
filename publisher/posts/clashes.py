"""Posts that want the same id or the same address: the older one keeps it."""

from __future__ import annotations

from publisher.model import Problem, Severity
from publisher.posts.rows import Row


def without_clashes(rows: list[Row], shown: str) -> tuple[list[Row], list[Problem]]:
    """Leave out a post whose id or permalink an older one has; name both files."""
    places_now = {_place(row.permalink) for row in rows}
    if len(places_now) == len(rows) == len({row.id for row in rows}):
        return rows, []
    ids: dict[str, str] = {}
    places: dict[str, str] = {}
    kept, problems = [], []
    for row in reversed(rows):
        for taken, value, name in ((ids, row.id, "id"), (places, _place(row.permalink), "permalink")):
            if value in taken:
                said = row.id if name == "id" else row.permalink
                problems.append(
                    Problem(
                        f"{shown}/{row.source}",
                        1,
                        f"has the {name} of {shown}/{taken[value]}: {said}",
                        f"give one of them {'an id' if name == 'id' else 'a slug'} of its own",
                        Severity.ERROR,
                    )
                )
                break
        else:
            ids[row.id] = places[_place(row.permalink)] = row.source
            kept.append(row)
    kept.reverse()
    return kept, problems


def _place(permalink: str) -> str:
    """What two permalinks have in common that would be one file, on a disk that knows no case too."""
    return permalink.casefold().removesuffix("index.html")
