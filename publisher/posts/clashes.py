"""Posts and files that have the same id or the same address: which is published, and which is left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from publisher.core.models import Problem, Severity
from publisher.posts.index import PostRow
from publisher.posts.permalinks import file_date, file_key, name_of
from publisher.posts.scan import is_item, source_name
from publisher.posts.slugs import own_slug, post_slug


def resolve_clashes(
    rows: list[PostRow],
    shown: str,
    published: Callable[[], Mapping[str, str]] = dict,
    edited: Callable[[], Collection[str]] = frozenset,
) -> tuple[list[PostRow], dict[str, Problem]]:
    """Leave out posts whose id or permalink another post has; return the other posts, and the errors by source.

    A post that readers already know keeps its id and permalink, whatever its date, unless it got them by an edit. Among
    other posts, the oldest keeps them, or the first by path if the dates are equal.

    rows       the posts, newest first
    shown      the posts folder's name in problems
    published  function that returns the ids that readers know, by path; called only if there is a clash
    edited     function that returns the posts that changed since they were published; called only if there is a clash
    """
    here = [row.permalink for row in rows if row.permalink[0] == "/"]
    if _all_differ(here) and len({row.id for row in rows}) == len(rows):
        return rows, {}
    by_id: dict[str, str] = {}
    by_permalink: dict[str, str] = {}
    problems: dict[str, Problem] = {}
    copies: set[str] = set()  # of one item in several sources, such as a blog's feed and that of one of its tags
    for row in _by_precedence(rows, published(), edited()):
        keys = _address_keys(row.permalink) if row.permalink[0] == "/" else ()  # many may be about one page elsewhere
        other = next((by_permalink[key] for key in keys if key in by_permalink), "")
        if row.id in by_id:
            if is_item(by_id[row.id]):
                copies.add(row.source)
            else:
                problems[row.source] = _clash(shown, row.source, by_id[row.id], "id", row.id, "id")
        elif other:
            problems[row.source] = _clash(shown, row.source, other, "permalink", row.permalink, "slug")
        else:
            by_id[row.id] = row.source
            by_permalink |= dict.fromkeys(keys, row.source)
    return [row for row in rows if row.source not in problems and row.source not in copies], problems


def also_from(every: Iterable[PostRow], rows: Iterable[PostRow]) -> dict[str, tuple[str, ...]]:
    """Return the names of the other sources that have the same item, by its path. rows: those of `every` that remain"""
    kept = {row.id: row.source for row in rows if is_item(row.source)}
    found: dict[str, tuple[str, ...]] = {}
    for row in every:
        source = kept.get(row.id, row.source)
        if source != row.source:
            found[source] = (*found.get(source, ()), source_name(row.source))
    return found


def _all_differ(permalinks: list[str]) -> bool:
    """Return whether no two permalinks have the same address."""
    text = "\n".join([*permalinks, ""]).lower()
    # The addresses of most blogs are plain ones with a slash at the end, and comparing them so is five times as fast.
    if text.isascii() and text.count("/\n") == len(permalinks) and not any(sign in text for sign in ("//", "./", " /")):
        return len(set(text.split("\n"))) == len(permalinks) + 1
    known = [key for permalink in permalinks for key in _address_keys(permalink)]
    return len(set(known)) == len(known)


def named_alike(rows: list[PostRow], clashes: Mapping[str, Problem]) -> list[str]:
    """Return the sources of clashing posts whose files are named like others but for signs, such as C.md and C++.md.

    With names of their own they are posts of their own. The one without signs is not among them.

    rows     all posts
    clashes  the errors of those that are left out, by source
    """
    ids = {row.id for row in rows if row.source in clashes}
    here = [row for row in rows if row.permalink[0] == "/"]
    places = {address_key(row.permalink) for row in here if row.source in clashes}
    alike = [row.source for row in rows if row.id in ids or address_key(row.permalink) in places]
    names = {source: _own_name(source) for source in alike}
    return sorted(source for source, name in names.items() if own_slug(name) != post_slug(name))


def asset_clashes(assets: Iterable[tuple[str, str]]) -> list[Problem]:
    """Return a warning for every file of which another one has the URL. assets: pairs of site path, project path."""
    first: dict[str, str] = {}
    return [
        Problem(
            project_path,
            0,
            f"is not published, because {first[site_path]} has the same URL, /{site_path}",
            "rename one of them",
            Severity.WARNING,
        )
        for site_path, project_path in assets
        if first.setdefault(site_path, project_path) != project_path
    ]


def _own_name(source: str) -> str:
    """Return the name of a post's file without its day."""
    name = name_of(source)[1]
    dated = file_date(name)
    return dated[1] if dated else name


def _clash(shown: str, source: str, other: str, what: str, value: str, change: str) -> Problem:
    message = f"has the same {what} as {shown}/{other}: {value}"
    if is_item(source):
        left_out = f"an item {message}, and is left out"
        return Problem(f"source {source_name(source)}", 0, left_out, severity=Severity.WARNING)
    return Problem(f"{shown}/{source}", 1, message, f"give one of them a different {change}")


def _by_precedence(rows: list[PostRow], published: Mapping[str, str], edited: Collection[str]) -> list[PostRow]:
    """Sort the posts by their right to an id. A renamed file is recognised by its id alone."""
    known = set(published.values())

    def rank(row: PostRow) -> tuple[bool, int, bool, float, str]:
        order = 0 if published.get(row.source) == row.id else 1 if row.id in known else 2
        return is_item(row.source), order, row.source in edited, row.published, row.source

    return sorted(rows, key=rank)


def address_key(path: str) -> str:
    """Return a key that is equal for two permalinks whose pages would be one file on some disk (see file_key).

    It is also equal for /x and /x/, which many servers take for the same.
    """
    return file_key(path).removesuffix("index.html").rstrip("/") or "/"


def _address_keys(path: str) -> tuple[str, ...]:
    """Return the keys that no other post may have: that of the permalink, and that of its file for /p, p.html."""
    key = address_key(path)
    return (key,) if path.endswith(("/", ".html", ".htm", ".xhtml")) else (key, f"{key}.html")
