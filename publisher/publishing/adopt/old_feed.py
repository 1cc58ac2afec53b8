"""Take over what feed readers know from a blog's old feed: the ids, addresses and times of its posts.

The items of the feed are matched with the posts by address, then by title and day. The matches go into old-feed.tsv
(see posts.adopted_entries), and from then on feeds have the same entries as before.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from publisher.config import FEED_FILES, Config
from publisher.core.atomic_write import replacing
from publisher.core.errors import FeedError, PublisherError
from publisher.core.file_names import in_folder
from publisher.core.frozen import dataclass
from publisher.core.models import Post
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.adopted_entries import ENTRIES_FILE, OldEntries, OldEntry
from publisher.posts.archive import Archive
from publisher.posts.head import parse_file
from publisher.posts.permalinks import file_key, tidy_path
from publisher.posts.sources.feed_document import MOST_BYTES, read_feed
from publisher.posts.urls import quoted
from publisher.publishing.adopt.adopted_blog import AdoptedBlog
from publisher.publishing.adopt_feed import AdoptedFeed, adopt_feed
from publisher.publishing.wiring import open_existing_store

_ENDING = re.compile(r"\.x?html?$")
_FORMATS = {"rss": "rss", "atom": "atom", "json": "json"}


@dataclass(frozen=True, slots=True)
class OldFeedMatch:
    """Which items of an old feed belong to which posts.

    entries    the new entries, in the order of the feed
    known      how many items have a post that already has their id
    conflicts  why items that were matched with a post cannot be taken unchanged: one line each
    unmatched  the items without a post
    others     how many posts the old feed does not contain
    guessed    how many of `entries` are guesses: their posts are older than the feed's newest item, so the feed may
               have contained them earlier; their ids are made in the same way as the ids of the other entries
    again      how many entries of the new feed would seem new to readers, although they are older than the old feed's
               newest item
    passed     pairs: a newsletter, and the new id of a post that it has passed over and must not send under that id
    """

    entries: tuple[OldEntry, ...] = ()
    known: int = 0
    conflicts: tuple[str, ...] = ()
    unmatched: tuple[FeedItem, ...] = ()
    others: int = 0
    guessed: int = 0
    again: int = 0
    passed: tuple[tuple[str, str], ...] = ()


def read_old_feed(place: str, site_url: str, *, allow_private: bool = False) -> AdoptedFeed:
    """Return the feed in a file or at a URL, which may also be the URL of a page that names the feed.

    site_url  the site's URL, to which a file's own URLs are relative
    Raises PublisherError if there is no feed.
    """
    path = Path(place)
    if re.match(r"https?://", place, re.IGNORECASE) or not path.exists():
        if "." not in place.partition("/")[0] and "://" not in place:
            raise PublisherError("is not there", where=place, hint="give the URL of the old feed, or its file")
        return adopt_feed(place, allow_private=allow_private)
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PublisherError(f"cannot be read: {error.strerror}", where=place) from error
    try:
        document = read_feed(body, urljoin(f"{site_url}/", path.name), {})
    except FeedError as error:
        raise PublisherError(error.message, where=place, hint=error.hint) from error
    return AdoptedFeed(document.url or urljoin(f"{site_url}/", path.name), document)


def match_old_feed(config: Config, archive: Archive, document: FeedDocument) -> OldFeedMatch:
    """Match the items of an old feed with posts, and return the result. Writes nothing."""
    posts = [post for post in archive.posts if not post.from_source]
    finder = _Finder(posts, config, document)
    found: dict[str, OldEntry] = {}
    conflicts: list[str] = []
    unmatched: list[FeedItem] = []
    matched: set[str] = set()
    for item in document.items:
        post = finder.post_of(item)
        if post is None:
            unmatched.append(item)
        elif post.source in matched:
            conflicts.append(
                f"{_called(item)}: {in_folder(config.posts.folder, post.source)} already belongs to another item"
            )
        else:
            matched.add(post.source)
            if post.source.isprintable():  # a tab would end the cell
                found[post.source] = _entry(item, post, finder.path_of(item))
    by_source = {post.source: post for post in posts}
    guessed = _guessed(config, posts, found)
    sent, handled = _in_ledger(config)
    entries, more = _fitting(config, archive, found, by_source, sent)
    guesses, _ = _fitting(config, archive, guessed, by_source, sent)
    known = sum(1 for source, entry in found.items() if by_source[source].id == entry.id)
    return OldFeedMatch(
        (*entries, *guesses),
        known,
        (*conflicts, *more),
        tuple(unmatched),
        len(posts) - len(matched),
        len(guesses),
        _seen_again(config, posts, found),
        tuple(
            (newsletter, each.id)
            for newsletter, ids in handled.items()
            for each in (*entries, *guesses)
            if by_source[each.source].id in ids
        ),
    )


def write_entries(root: Path, entries: Sequence[OldEntry]) -> bool:
    """Add the entries to old-feed.tsv; return whether there was anything to add. Existing lines stay."""
    old = OldEntries.of(root)
    if all(old.get(each.source) for each in entries):
        return False
    with replacing(root / ENTRIES_FILE) as part:
        part.write_bytes(old.with_more(entries))
    return True


def pass_over_again(config: Config, match: OldFeedMatch) -> None:
    """Record that newsletters have passed over posts under their new ids too, so that none sends an old post.

    To be called before the entries are written: from then on, the posts have these ids.
    """
    with open_existing_store(config) as store:
        if store is not None:
            for newsletter in sorted({name for name, _ in match.passed}):
                store.editions.pass_over(newsletter, [post_id for name, post_id in match.passed if name == newsletter])


def feed_keys(config: Config, feed: AdoptedFeed) -> dict[str, tuple[str, ...]]:
    """Return the keys of [feeds] that must change so that readers of the old feed find the new one at its address.

    `also` names the old feed, and a format whose feed would have the same name is dropped from `formats`.
    """
    name = _missing_name(config, feed)
    if not name:
        return {}
    also, taken = (*config.feeds.also, name), name.partition(" ")[0]
    others = tuple(kind for kind in config.feeds.formats if FEED_FILES[kind] != taken)
    return {"also": also} if others == config.feeds.formats else {"also": also, "formats": others}


def _missing_name(config: Config, feed: AdoptedFeed) -> str:
    """Return the path of the old feed as a value of `feeds.also`; "" if a feed has that path already."""
    path = old_name(feed, config.site_url)
    if not path:
        return ""
    name = path.partition(" ")[0]
    kind = feed.document.kind
    if any(each.path == name for each in config.feeds.other_names):
        return ""
    return "" if kind in config.feeds.formats and FEED_FILES.get(kind) == name else path


def old_name(feed: AdoptedFeed, site_url: str) -> str:
    """Return the old feed as a value of `feeds.also`; "" if it is on another host or not below the site.

    The format is added if the name suggests a different one: "feed.xml = atom".
    """
    site = urlsplit(site_url)
    for url in (feed.document.url, feed.url):
        parts = urlsplit(url)
        base = f"{site.path.rstrip('/')}/"
        path = unquote(parts.path)
        if parts.hostname == site.hostname and path.startswith(base) and len(path) > len(base):
            name, kind = path.removeprefix(base), _FORMATS.get(feed.document.kind, "rss")
            guessed = "json" if name.endswith(".json") else "atom" if "atom" in name.lower() else "rss"
            return name if kind == guessed else f"{name} = {kind}"
    return ""


def with_old_feed(blog: AdoptedBlog, feed: AdoptedFeed) -> AdoptedBlog:
    """Return the blog with the path of its old feed, which its configuration may not mention."""
    path = old_name(feed, str(blog.value("site.url") or "")).partition(" ")[0]
    if not path:
        return blog
    others = (each for each in blog.feeds if each[0] != path)
    return replace(blog, feeds=((path, feed.document.kind, "the old feed"), *others))


class _Finder:
    """Finds the post that a feed's item belongs to."""

    def __init__(self, posts: Iterable[Post], config: Config, document: FeedDocument) -> None:
        self._zone: tzinfo = config.posts_zone
        self._base = urlsplit(config.site_url).path.rstrip("/")
        urls = (config.site_url, document.link, document.url)
        self._hosts = {host.removeprefix("www.") for url in urls if (host := urlsplit(url).hostname)}
        self._exact: dict[str, Post] = {}
        self._alike: dict[str, Post] = {}
        self._titled: defaultdict[str, list[Post]] = defaultdict(list)
        self._by_id: dict[str, Post] = {}
        for post in posts:
            self._by_id[post.id] = post
            self._exact[post.permalink] = post
            self._alike.setdefault(_loose(post.permalink), post)
            self._titled[_words(post.title)].append(post)

    def path_of(self, item: FeedItem) -> str:
        """Return the path of an item's page on the site; "" if it is elsewhere, or is the home page."""
        for url in (item.link, item.guid):
            parts = urlsplit(url)
            if parts.scheme in ("http", "https") and (parts.hostname or "").removeprefix("www.") in self._hosts:
                path = unquote(parts.path)
                path = path.removeprefix(self._base) if path.startswith(f"{self._base}/") else path
                if path.strip("/") and path.isprintable():  # a line break would end the line of the file
                    return tidy_path(path)
        return ""

    def post_of(self, item: FeedItem) -> Post | None:
        """Return the post of an item: by its id, its address, or its title and day."""
        if item.guid and item.guid in self._by_id:
            return self._by_id[item.guid]
        path = self.path_of(item)
        if path and (found := self._exact.get(path) or self._alike.get(_loose(path))):
            return found
        titled = self._titled.get(_words(item.title), []) if _words(item.title) else []
        same = [post for post in titled if self._is_same_day(post, item.published)]
        return same[0] if len(same) == 1 else None

    def _is_same_day(self, post: Post, moment: datetime | None) -> bool:
        if moment is None:
            return True
        days: tuple[date, date] = (post.published.astimezone(self._zone).date(), moment.astimezone(self._zone).date())
        return abs(days[0] - days[1]) <= timedelta(days=1)


def _loose(path: str) -> str:
    """Return a key that is equal for /x, /x/, /x/index.html and /x.html, ignoring case."""
    return _ENDING.sub("", file_key(path).removesuffix("index.html").rstrip("/"))


def _words(title: str) -> str:
    """Return a title's letters and digits: quotes and dashes differ from tool to tool."""
    return "".join(filter(str.isalnum, title.casefold()))


def _entry(item: FeedItem, post: Post, path: str) -> OldEntry:
    moment = item.published if item.published != post.published else None
    return OldEntry(post.source, _plain(item.guid or item.link), "" if path == post.permalink else path, moment)


def _plain(post_id: str) -> str:
    """Return an id without characters that would end a cell or a line of the file."""
    return " ".join(post_id.split())


def _guessed(config: Config, posts: Sequence[Post], found: Mapping[str, OldEntry]) -> dict[str, OldEntry]:
    """Return entries for older posts, which the feed may once have contained, if its ids are made from addresses.

    A post that the feed never contained loses nothing by such an id, and a post that it contained does not seem new.
    """
    known = [(post, found[post.source]) for post in posts if post.source in found]
    for rule in _RULES:
        fits = sum(1 for post, entry in known if unquote(rule(config, _as_known(post, entry))) == unquote(entry.id))
        if fits >= 2 and fits * 2 > len(known):
            newest = max(post.published for post, _ in known)
            older = [post for post in posts if post.source not in found and post.published <= newest]
            named = [post for post in older if post.source.isprintable()]
            return {post.source: OldEntry(post.source, rule(config, post)) for post in named}
    return {}


def _as_known(post: Post, entry: OldEntry) -> Post:
    return replace(post, permalink=entry.path or post.permalink, published=entry.published or post.published)


def _address_as_id(config: Config, post: Post) -> str:
    return config.site_url + quoted(post.permalink)


def _tag_as_id(config: Config, post: Post) -> str:
    day = post.published.astimezone(config.posts_zone).date()
    return f"tag:{urlsplit(config.site_url).hostname},{day}:{quoted(post.permalink)}"


# How tools make ids from addresses: unchanged (Hugo, Hexo, Eleventy), without ending or slash (jekyll-feed), and with
# the day (Pelican).
_RULES: tuple[Callable[[Config, Post], str], ...] = (
    _address_as_id,
    lambda config, post: _ENDING.sub("", _address_as_id(config, post)).rstrip("/"),
    _tag_as_id,
)


def _seen_again(config: Config, posts: Sequence[Post], known: Collection[str]) -> int:
    """Return how many entries of the new feed are new to readers, but older than the newest one that they know."""
    shown = [post.source for post in posts if post.in_feeds][: config.feeds.limit]
    newest = next((number for number, source in enumerate(shown) if source in known), len(shown))
    return sum(1 for source in shown[newest:] if source not in known)


def _fitting(
    config: Config,
    archive: Archive,
    found: Mapping[str, OldEntry],
    posts: Mapping[str, Post],
    sent: Collection[str],
) -> tuple[tuple[OldEntry, ...], list[str]]:
    """Return the entries that have an effect, and the reasons why others cannot be taken over."""
    entries: list[OldEntry] = []
    conflicts: list[str] = []
    taken = {post.permalink: source for source, post in posts.items()}
    trial = replace(archive.settings, old=OldEntries(archive.settings.old.with_more(found.values()), "trial"))
    for source, entry in found.items():
        post, where = posts[source], in_folder(config.posts.folder, source)
        other = taken.get(entry.path, source)
        if other != source:
            whose = in_folder(config.posts.folder, other)
            conflicts.append(f"{where}: its old address {entry.path} belongs to {whose}")
            entry = entry._replace(path="")
        if post.id != entry.id and post.id in sent:
            conflicts.append(f"{where}: was sent under {post.id}, which it keeps (the old feed has {entry.id})")
            continue
        path = archive.folder / source
        try:
            tried = parse_file(str(path), source, path.stat().st_size, "", trial).post
        except (PublisherError, OSError):
            tried = None
        if tried and tried.id != entry.id:
            conflicts.append(f"{where}: has its own id, {tried.id} (the old feed has {entry.id})")
        if tried and entry.path and tried.permalink != entry.path:
            conflicts.append(f"{where}: stays at {tried.permalink} (the old feed has {entry.path})")
        if (
            tried
            and tried.id == entry.id
            and (tried.id, tried.permalink, tried.published)
            != (
                post.id,
                post.permalink,
                post.published,
            )
        ):
            entries.append(entry)
    return tuple(entries), conflicts


def _in_ledger(config: Config) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """Return the ids of the posts that are in an edition, and of those that each newsletter has sent or passed over."""
    with open_existing_store(config) as store:
        if store is None:
            return frozenset(), {}
        names = [each.name for each in config.newsletters]
        sent = frozenset[str]().union(*(store.editions.sent_posts(name) for name in names))
        return sent, {name: store.editions.handled_posts(name) for name in names}


def _called(item: FeedItem) -> str:
    return repr(item.title[:80]) if item.title else item.link or item.guid
