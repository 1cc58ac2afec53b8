"""Posts that a newsletter has sent under another id: as the item of a source that has the same link.

An item may have been sent before its post appeared in a second source, or before it became a file of the project. It is
recognised although its own source has dropped it or is not used any more.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from publisher.core.models import Post
from publisher.posts.sources.item_links import is_home, link_key

if TYPE_CHECKING:
    from publisher.newsletters.streams import NewsletterStream
    from publisher.posts.archive import Archive
    from publisher.store import Store


def handled_posts(store: Store, newsletter: str, posts: Collection[Post]) -> frozenset[str]:
    """Return the ids of posts that a newsletter has sent or passed over, including posts handled under other ids."""
    handled = store.editions.handled_posts(newsletter)
    return handled.union(handled_as(store, newsletter, handled, posts))


def unhandled_sources(store: Store, streams: Iterable[NewsletterStream], archive: Archive) -> list[str]:
    """Return the sources of the posts that decide about the next editions of these streams, newest first.

    Posts that all of the streams have sent or passed over make no difference, so a project with thousands of old posts
    need not load them. There are two exceptions, in which all posts are returned: items of feeds, since a post is
    recognised by the link of another one, and subscribers who have changed their frequency, because they may lack posts
    that others have received.
    """
    every, handled = archive.ids(), list[frozenset[str]]()
    if archive.sites or store.sources.exist():
        return list(every)
    for stream in streams:
        if stream.newsletter.frequencies or store.subscribers.any_out_of_step(stream.newsletter.name):
            return list(every)
        handled.append(store.editions.handled_posts(stream.name))
    by_all = handled[0].intersection(*handled[1:]) if handled else frozenset()
    return [source for source, post_id in every.items() if post_id not in by_all]


def other_ids(posts: Iterable[Post], handled: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return pairs of a post's id and an id that it has in another source, except those ids that are in `handled`.

    The ledger records them with the posts, because an item may get a different link later.
    """
    return tuple((post.id, each) for post in posts for each in post.also_ids if each not in handled)


def handled_as(store: Store, newsletter: str, handled: Collection[str], posts: Collection[Post]) -> dict[str, str]:
    """Return the posts that a newsletter handled under another id: that id, by the post's id.

    The other id belongs to an item that the newsletter has sent; for a file, also to an item that it has passed over.
    If it has passed over an item, for example because of a filter, that says nothing about an item of another source.

    A link of a home page, or one that several items of a source or several files share, identifies none of them.

    handled  the ids of all posts that the newsletter has sent or passed over
    posts    the posts of the archive
    """
    if not store.sources.exist():
        return {}
    written = Counter(link_key(post.canonical) for post in posts if post.canonical and not post.from_source)
    items: defaultdict[str, set[str]] = defaultdict(set)
    files: defaultdict[str, set[str]] = defaultdict(set)
    for post in posts:
        if post.id not in handled:
            for url in _links(post):
                (items if post.from_source else files)[link_key(url)].add(post.id)
    found = _handled_with(store, handled, {key: ids for key, ids in files.items() if written[key] < 2})
    return found | (_handled_with(store, store.editions.sent_posts(newsletter), items) if items else {})


def left_items(store: Store, newsletter: str, source: str, post_ids: Collection[str]) -> frozenset[str]:
    """Return which of these items of a source a newsletter has neither sent nor passed over, under any id.

    post_ids: the ids of their posts
    """
    handled = store.editions.handled_posts(newsletter)
    left = frozenset(post_ids) - handled
    if not left:
        return left
    by_link: defaultdict[str, set[str]] = defaultdict(set)
    for item in store.sources.known(source):
        if item.post_id in left:
            by_link[item.keys.link].add(item.post_id)
    return left - _handled_with(store, store.editions.sent_posts(newsletter), by_link).keys()


def _handled_with(store: Store, handled: Collection[str], by_link: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return the posts that were handled as an item with the same link: the item's id, by the post's id.

    by_link: the ids of the posts, by the keys of their links
    """
    items = store.sources.with_links(list(by_link)) if by_link else ()
    if all(item.post_id not in handled for item in items):
        return {}
    shared = Counter((item.source, item.key) for item in items)
    homes = {link_key(state.link or state.url) for state in store.sources.states()}
    vague = {key for (_, key), count in shared.items() if count > 1} | homes
    found: dict[str, str] = {}
    for item in items:
        if item.post_id in handled and item.key not in vague and not is_home(item.key, ""):
            found |= dict.fromkeys(by_link[item.key], item.post_id)
    return found


def _links(post: Post) -> Iterable[str]:
    """Return the URLs that identify a post: for an item of a source, only its own link, not its page on this site."""
    if post.from_source:
        return {post.canonical}
    return {post.url, post.canonical} - {""}
