"""Posts that want the same id or the same address: one that is published keeps it, else the older one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from publisher.core.models import Problem, Severity
from publisher.posts.rows import Row


def without_clashes(
    rows: list[Row], shown: str, published: Callable[[], Mapping[str, str]] = dict
) -> tuple[list[Row], list[Problem]]:
    """Leave out a post whose id or permalink another one has; name both files.

    A post that readers know keeps its place, whatever date a later one bears; of others the older one does, and of
    one moment the first by path.

    rows       newest first
    published  returns the ids that readers know, by path; asked only where there is a clash
    """
    places_now = {_place(row.permalink) for row in rows}
    if len(places_now) == len(rows) == len({row.id for row in rows}):
        return rows, []
    ids: dict[str, str] = {}
    places: dict[str, str] = {}
    left_out: set[str] = set()
    problems = []
    for row in _by_right(rows, published()):
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
                left_out.add(row.source)
                break
        else:
            ids[row.id] = places[_place(row.permalink)] = row.source
    return [row for row in rows if row.source not in left_out], problems


def _by_right(rows: list[Row], published: Mapping[str, str]) -> list[Row]:
    """The posts in the order in which they may choose. A file that was renamed is known by its id alone."""
    known = set(published.values())

    def rank(row: Row) -> tuple[int, float, str]:
        order = 0 if published.get(row.source) == row.id else 1 if row.id in known else 2
        return order, row.published, row.source

    return sorted(rows, key=rank)


def _place(permalink: str) -> str:
    """What two permalinks have in common that would be one file, on a disk that knows no case too."""
    return permalink.casefold().removesuffix("index.html")
