"""Which items of several sources, and which files of the project, are the same post because their links are the same.

A blog's post may come through its own feed, a planet's feed and a tag's feed, each time with a different guid; or it
may be a file of the project as well. What they have in common is the page that they lead to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from publisher.posts.index import PostRow
from publisher.posts.scan import is_item, source_name
from publisher.posts.sources.item_links import canonical_link
from publisher.posts.urls import quoted


def links_of(
    rows: Iterable[PostRow], canonical: Mapping[str, str], homes: Collection[str], site_url: str
) -> dict[str, tuple[str, ...]]:
    """Return the links by which posts are recognised, by Post.source. Files that no item can match are left out.

    The link of a home page, or one that several items of a source or several files share, identifies none of them.

    rows       all posts
    canonical  for posts that have a page here and elsewhere, the URL of the page elsewhere, by Post.source
    homes      the URLs of the pages that the sources' feeds belong to
    site_url   the URL of the site, without a slash at the end
    """
    files = [row for row in rows if not is_item(row.source)]
    items = {
        row.source: canonical_link(canonical.get(row.source, row.permalink)) for row in rows if is_item(row.source)
    }
    shared = Counter((source_name(source), link) for source, link in items.items())
    vague = {canonical_link(home) for home in homes} | {link for (_, link), count in shared.items() if count > 1}
    found = {source: (link,) for source, link in items.items() if link not in vague and _has_path(link)}
    return found | _of_files(files, canonical, {link for (link,) in found.values()}, site_url)


def _of_files(
    files: Iterable[PostRow], canonical: Mapping[str, str], wanted: Collection[str], site_url: str
) -> dict[str, tuple[str, ...]]:
    """Return those links of files that an item also has."""
    own = canonical_link(site_url)
    may_be_here = any(link.startswith(own) for link in wanted)
    links: dict[str, list[str]] = {}
    for row in files:
        is_here = row.permalink[0] == "/"
        elsewhere = canonical.get(row.source, "") if is_here else row.permalink
        urls = [elsewhere] if elsewhere else []
        if is_here and may_be_here:
            urls.append(site_url + quoted(row.permalink))
        if urls:
            links[row.source] = [link for link in map(canonical_link, urls) if link in wanted]
    shared = Counter(link for found in links.values() for link in found)
    return {
        source: kept for source, found in links.items() if (kept := tuple(link for link in found if shared[link] == 1))
    }


def _has_path(link: str) -> bool:
    """Return whether a canonical link leads to a page, and not to a site as a whole."""
    return not {"/", "?", "#"}.isdisjoint(link)
