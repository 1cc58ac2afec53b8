"""Posts and files that have the same id or the same address: which is published, and which is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from publisher.core.file_names import in_folder
from publisher.core.models import Problem, Severity
from publisher.posts.index import PostRow
from publisher.posts.permalinks import address_key, file_date, name_of
from publisher.posts.scan import is_item, source_name
from publisher.posts.slugs import own_slug, post_slug

# When an item was first seen, and the position of its source in the configuration.
Seen = tuple[float, int]


class Copy(NamedTuple):
    """An item that is the same post as another item or a file, given by its path, its id and the path of the other."""

    source: str
    id: str
    original: str


class Resolved(NamedTuple):
    """The posts that remain when every id and address belongs to only one post.

    rows      these posts, in the order in which they were given
    problems  the errors of posts that are left out, by path
    copies    items that are left out because they are the same post as another
    """

    rows: list[PostRow]
    problems: dict[str, Problem]
    copies: list[Copy]


def resolve_clashes(
    rows: list[PostRow],
    shown: str,
    published: Callable[[], Mapping[str, str]] = dict,
    edited: Callable[[], Collection[str]] = frozenset,
    links: Mapping[str, tuple[str, ...]] | None = None,
    seen: Callable[[Collection[str]], Mapping[str, Seen]] = lambda sources: {},
) -> Resolved:
    """Leave out posts whose id or permalink another post has, and items whose link another post has.

    A post that readers already know keeps its id and permalink, whatever its date, unless it got them by an edit. Among
    other posts, the oldest keeps them, or the first by path if the dates are equal. A file has precedence over an item,
    and among items the one that was seen first.

    rows       the posts, newest first
    shown      the posts folder's name in problems
    published  function that returns the ids that readers know, by path; called only if there is a clash
    edited     function that returns the posts that changed since they were published; called only if there is a clash
    links      the links by which posts are recognised, by path (see posts.sources.same_link)
    seen       function that returns when items were first seen, by path; called only if there is a clash
    """
    links = links or {}
    if _are_clear(rows, links):
        return Resolved(rows, {}, [])
    alike = _alike(rows, links)
    by_id, by_link, by_permalink = dict[str, str](), dict[str, str](), dict[str, str]()
    problems: dict[str, Problem] = {}
    copies: list[Copy] = []  # such as an item in a blog's feed and in the feed of one of its tags
    for row in _by_precedence(rows, published(), edited(), seen(alike) if alike else {}):
        keys = _address_keys(row.permalink) if row.permalink[0] == "/" else ()  # many may share one page elsewhere
        other = next((by_permalink[key] for key in keys if key in by_permalink), "")
        if original := _original(row, by_id, by_link, links):
            copies.append(Copy(row.source, row.id, original))
            by_id.setdefault(row.id, original)
        elif row.id in by_id:
            problems[row.source] = _clash(shown, row.source, by_id[row.id], "id", row.id, "id")
        elif other:
            problems[row.source] = _clash(shown, row.source, other, "permalink", row.permalink, "slug")
        else:
            by_id[row.id] = row.source
            by_permalink |= dict.fromkeys(keys, row.source)
        if row.source not in problems:
            for link in links.get(row.source, ()):
                by_link.setdefault(link, original or row.source)
    left_out = problems.keys() | {copy.source for copy in copies}
    return Resolved([row for row in rows if row.source not in left_out], problems, copies)


def also_from(copies: Iterable[Copy]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return Post.also_from and Post.also_ids of each post that has copies, by its path."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for copy in sorted(copies):
        names, ids = found.setdefault(copy.original, ({}, {}))
        names[source_name(copy.source)], ids[copy.id] = None, None
    return {source: (tuple(names), tuple(ids)) for source, (names, ids) in found.items()}


def _alike(rows: Iterable[PostRow], links: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the sources of the items whose id or link another item or file has."""
    ids, linked = Counter(row.id for row in rows), Counter(link for found in links.values() for link in found)
    items = [row for row in rows if is_item(row.source)]
    return [
        row.source for row in items if ids[row.id] > 1 or any(linked[link] > 1 for link in links.get(row.source, ()))
    ]


def _original(
    row: PostRow, by_id: Mapping[str, str], by_link: Mapping[str, str], links: Mapping[str, tuple[str, ...]]
) -> str:
    """Return the path of the post that an item is a copy of; "" if there is none."""
    if not is_item(row.source):
        return ""
    for link in links.get(row.source, ()):
        if link in by_link:
            return by_link[link]
    same_id = by_id.get(row.id, "")
    return same_id if is_item(same_id) else ""  # a file with the id of an item is worth a warning


def _are_clear(rows: list[PostRow], links: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether no two posts have the same id, permalink or link."""
    here = [row.permalink for row in rows if row.permalink[0] == "/"]
    linked = [link for found in links.values() for link in found]
    return _all_differ(here) and len({row.id for row in rows}) == len(rows) and len(set(linked)) == len(linked)


def _all_differ(permalinks: list[str]) -> bool:
    """Return whether no two permalinks have the same address."""
    text = "\n".join([*permalinks, ""]).lower()
    # The addresses of most blogs are plain ones with a slash at the end, and comparing them like this is five times as
    # fast.
    if text.isascii() and text.count("/\n") == len(permalinks) and not any(sign in text for sign in ("//", "./", " /")):
        return len(set(text.split("\n"))) == len(permalinks) + 1
    known = [key for permalink in permalinks for key in _address_keys(permalink)]
    return len(set(known)) == len(known)


def named_alike(rows: list[PostRow], clashes: Mapping[str, Problem], usual: str = "") -> list[str]:
    """Return the sources of clashing posts whose files differ from others only in punctuation, as C.md and C++.md do.

    Translations in Pelican, which share one slug, are among them, as are those in Jekyll's Polyglot, which share one
    permalink.

    With names of their own, such files are separate posts. The file without punctuation is not among them.

    rows     all posts
    clashes  the errors of those that are left out, by source
    usual    the language whose posts keep the slug, for posts of these tools; "" for other tools
    """
    ids = {row.id for row in rows if row.source in clashes}
    here = [row for row in rows if row.permalink[0] == "/"]
    places = {address_key(row.permalink) for row in here if row.source in clashes}
    alike = [row.source for row in rows if row.id in ids or address_key(row.permalink) in places]
    names = {source: _own_name(source) for source in alike}
    spoken = {row.source for row in here if usual and row.language != usual and address_key(row.permalink) in places}
    return sorted(each for each, name in names.items() if each in spoken or own_slug(name) != post_slug(name))


def asset_clashes(assets: Iterable[tuple[str, str]]) -> list[Problem]:
    """Return a warning for every file whose URL another file also has. assets: pairs of site path, project path."""
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
    message = f"has the same {what} as {in_folder(shown, other)}: {value}"
    if is_item(source):
        left_out = f"an item {message}, and is left out"
        return Problem(f"source {source_name(source)}", 0, left_out, severity=Severity.WARNING)
    return Problem(in_folder(shown, source), 1, message, f"give one of them a different {change}")


def _by_precedence(
    rows: list[PostRow], published: Mapping[str, str], edited: Collection[str], seen: Mapping[str, Seen]
) -> list[PostRow]:
    """Sort the posts by precedence for an id. A renamed file is recognised by its id alone."""
    known = set(published.values())

    def rank(row: PostRow) -> tuple[bool, int, bool, float, int, str]:
        """Return the rank of a post: the lowest keeps its id and permalink."""
        order = 0 if published.get(row.source) == row.id else 1 if row.id in known else 2
        since, place = seen.get(row.source, (row.published, 0))
        return is_item(row.source), order, row.source in edited, since, place, row.source

    return sorted(rows, key=rank)


def _address_keys(path: str) -> tuple[str, ...]:
    """Return the keys that no other post may have: the permalink's and, for a path like /p, also the one of p.html."""
    key = address_key(path)
    return (key,) if path.endswith(("/", ".html", ".htm", ".xhtml")) else (key, f"{key}.html")
