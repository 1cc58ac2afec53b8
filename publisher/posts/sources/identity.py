"""Finds which items of a document are new and which are known, by a pure comparison with the items in the database.

An item that is mistaken for a new one is sent twice, and one that is mistaken for a known one is lost. So an item is
recognised in several ways, the surest first, and each known item only once: by its guid, by its link, and by its title
together with its date or its path. Each of these is used only where it identifies a single item: a link or guid that
several items share, or a link to the home page, proves nothing by itself.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise

from publisher.core.frozen import dataclass
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.core.source_records import ChangedItem, ItemChanges, ItemKeys, KnownItem, NewItem
from publisher.posts.sources.item_links import canonical_link, hash_of_texts, is_home, link_key, path_of
from publisher.posts.sources.item_text import have_words_in_common

# A guid or a link with a different title and a date further away than this belongs to a different item.
FAR = timedelta(days=30)

# An item that disappears from the end of a document sooner than this was withdrawn; later, it has made room.
SETTLED = timedelta(days=1)

_LOOKED_AT = 20  # known items with one key
_MOST_TEXTS = 200  # that are compared in one document
_MOST_ID = 500  # characters of a guid that becomes the id of a post; longer ones get an id of ours
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}:[!-~]+")
_WEB = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Listed:
    """An item of a document, with the keys that recognise it. base: the hash of its guid alone."""

    item: FeedItem
    keys: ItemKeys
    base: str


def changes(
    known: Sequence[KnownItem],
    document: FeedDocument,
    now: datetime,
    *,
    is_first: bool,
    mint: str,
    listed: Sequence[int] = (),
    text_of: Callable[[int], str] = lambda number: "",
) -> ItemChanges:
    """Return how a document changes the items of its source.

    known     all items of the source that the database has, in any order
    is_first  whether it is the source's first document, so that everything in it is a backlog
    mint      the beginning of the ids of posts whose guid is not a URI, such as "tag:example.org,2026:blog/"
    listed    the numbers of the items of the previous document, newest first
    text_of   returns the text of a known item as HTML, given its number; it is called for few of them

    If more than half of the items suddenly seem new, have replaced others, and do not look like news, they are suspect:
    it is likelier that the feed has changed its guids and links than that somebody wrote so much. New items at the old
    end of the feed are a backlog too: the feed shows more than before, or has replaced deleted items.
    """
    home = link_key(document.link)
    found = _distinct(newest_first(document.items), home)
    numbers = _Recogniser(known, found, home, frozenset(listed), text_of).numbers()
    new = [index for index in range(len(found) - 1, -1, -1) if index not in numbers]
    by_number = {each.number: each for each in known}
    taken, keys_taken = {each.post_id for each in known}, {each.keys.guid for each in known}
    old = frozenset() if is_first else _old_end(found, numbers, by_number, listed)
    odd = [] if is_first else _unlike_news([index for index in new if index not in old], found, numbers, known, now)
    is_held = _turned_new(listed, set(numbers.values()), len(odd), len(found))
    made = [
        replace(each, is_backlog=is_first or index in old, is_suspect=is_held and index not in old, is_old=index in old)
        for index, each in zip(new, _new_items([found[index] for index in new], taken, keys_taken, mint), strict=True)
    ]
    pairs = [(by_number[number], found[index]) for index, number in sorted(numbers.items())]
    places = {index: -place for place, index in enumerate(new, 1)}
    return ItemChanges(
        new=tuple(made),
        changed=tuple(changed for old, each in pairs if (changed := _changed(old, each, keys_taken))),
        back=tuple(old.number for old, _ in pairs if old.is_gone),
        gone=tuple(_gone(listed, set(numbers.values()), by_number, len(found), now)),
        listed=tuple(numbers[index] if index in numbers else places[index] for index in range(len(found))),
        is_held=is_held,
    )


def digest_of(item: FeedItem) -> str:
    """Return a hash of everything that readers see of an item, except its dates."""
    shown = (
        item.title,
        item.link,
        item.html,
        item.summary,
        item.authors,
        item.categories,
        item.image,
        item.enclosures,
        item.episode,
        item.language,
    )
    return hashlib.blake2b(repr(shown).encode("utf-8", "replace"), digest_size=20).hexdigest()


def _listed(item: FeedItem, home: str) -> _Listed:
    label = " ".join((item.title or item.summary or item.html[:2_000]).split()).casefold()
    link, title = link_key(item.link), hash_of_texts(label) if label else ""
    guid = item.guid.strip()
    if guid and not (_WEB.match(guid) and is_home(link_key(guid), home)):
        base = hash_of_texts("guid", canonical_link(guid) if _WEB.match(guid) else guid)
    elif link and not is_home(link, home):
        base = hash_of_texts("link", link)
    else:
        base = hash_of_texts("title", label, str(item.published.timestamp()) if item.published else "")
    return _Listed(item, ItemKeys(base, link, title), base)


def newest_first(items: Sequence[FeedItem]) -> Sequence[FeedItem]:
    """Return items with the newest first: in the document's order, or reversed if its dates are ascending."""
    up = down = 0
    for one, other in pairwise(items):
        if one.published and other.published:
            up, down = up + (one.published < other.published), down + (one.published > other.published)
    return items[::-1] if up > down else items


def _distinct(items: Iterable[FeedItem], home: str) -> list[_Listed]:
    """Return the items without repetitions. An item that only shares a guid with another gets a key of its own.

    Items that share a guid are still different if their titles differ, and their links or dates as well. Items that
    share a link, a title and a date are the same.
    """
    kept: list[_Listed] = []
    seen: set[Hashable] = set()
    for item in items:
        each = _listed(item, home)
        base, (_, link, title), date = each.base, each.keys, item.published
        repeated: set[Hashable] = {(base, title), (base, link, date), (base, link, None if date else "any")}
        if title and not is_home(link, home):
            repeated.add(("", link, title, date))
        if repeated.isdisjoint(seen):
            seen |= {(base, title), (base, link, date), (base, link, "any"), ("", link, title, date)}
            kept.append(each)
    shared = Counter(each.base for each in kept)
    return [_keyed(each) if shared[each.base] > 1 else each for each in kept]


def _keyed(each: _Listed) -> _Listed:
    """Return an item with a key that contains its link and title too, because it shares its guid with other items."""
    own = f"{each.base}:{hash_of_texts(each.keys.link, each.keys.title)}"
    return _Listed(each.item, each.keys._replace(guid=own), each.base)


class _Recogniser:
    """Pairs each item of a document with at most one known item."""

    def __init__(
        self,
        known: Sequence[KnownItem],
        found: Sequence[_Listed],
        home: str,
        listed: Collection[int],
        text_of: Callable[[int], str],
    ) -> None:
        self._known, self._found, self._home, self._listed, self._text_of = known, found, home, listed, text_of
        self._texts_left = _MOST_TEXTS
        self._numbers: dict[int, int] = {}
        self._free = {each.number: each for each in known}
        self._bases = Counter(map(_base, known)), Counter(each.base for each in found)
        self._links = Counter(each.keys.link for each in known), Counter(each.keys.link for each in found)

    def numbers(self) -> dict[int, int]:
        """Return the numbers of the known items, by their indices in the document."""
        self._pair(lambda e: (e.base, e.keys.link, e.keys.title), lambda k: (_base(k), k.keys.link, k.keys.title))
        self._pair(lambda e: (e.base, e.keys.link), lambda k: (_base(k), k.keys.link), is_unique=True)
        self._pair(lambda e: (e.base, e.keys.title), lambda k: (_base(k), k.keys.title), lambda e, k: _has_title(e))
        self._pair(
            lambda e: (e.keys.link, e.keys.title), lambda k: (k.keys.link, k.keys.title), lambda e, k: self._names(e)
        )
        self._pair(lambda e: e.base, _base, lambda e, k: self._owns_guid(e) and not self._are_other(e, k))
        self._pair(
            lambda e: e.keys.link,
            lambda k: k.keys.link,
            lambda e, k: self._names(e) and self._links[0][k.keys.link] == 1 and not _are_far(e, k),
        )
        self._pair(
            lambda e: (e.keys.link, e.item.published),
            lambda k: (k.keys.link, k.published),
            self._has_date,
            is_unique=True,
        )
        self._pair(
            lambda e: (e.keys.title, e.item.published),
            lambda k: (k.keys.title, k.published),
            lambda e, k: _has_title(e) and k.published is not None,
            is_unique=True,
        )
        self._pair(
            lambda e: (e.keys.title, path_of(e.keys.link)),
            lambda k: (k.keys.title, path_of(k.keys.link)),
            lambda e, k: _has_title(e) and bool(path_of(k.keys.link)),
            is_unique=True,
        )
        return self._numbers

    def _pair(
        self,
        of_found: Callable[[_Listed], tuple[object, ...] | str],
        of_known: Callable[[KnownItem], tuple[object, ...] | str],
        agrees: Callable[[_Listed, KnownItem], bool] = lambda found, known: True,
        *,
        is_unique: bool = False,
    ) -> None:
        """Pair the remaining items that have the same key and pass a further comparison.

        is_unique: only if no other item, paired or not, has the same key.
        """
        left = [index for index in range(len(self._found)) if index not in self._numbers]
        if not left:
            return
        free: defaultdict[Hashable, list[KnownItem]] = defaultdict(list)
        for each in self._free.values():
            free[of_known(each)].append(each)
        counts = (Counter(map(of_found, self._found)), Counter(map(of_known, self._known))) if is_unique else None
        for index in left:
            found = self._found[index]
            key = of_found(found)
            if counts and (counts[0][key] != 1 or counts[1][key] != 1):
                continue
            # The newest of several: an item that is in the document was most likely in the one before. Not more than a
            # few are looked at, because a hostile feed can have thousands with one key.
            candidates = free[key]
            for place in range(len(candidates) - 1, max(len(candidates) - _LOOKED_AT, 0) - 1, -1):
                if agrees(found, candidates[place]):
                    self._numbers[index] = candidates.pop(place).number
                    del self._free[self._numbers[index]]
                    break

    def _owns_guid(self, found: _Listed) -> bool:
        """Return whether the guid belongs to only one item, both in the document and among the known items."""
        return all(count[found.base] == 1 for count in self._bases)

    def _are_other(self, found: _Listed, known: KnownItem) -> bool:
        """Return whether a guid was reused: the items are far apart, or differ in link, title, date and text."""
        if found.keys.link == known.keys.link or found.keys.title == known.keys.title or _are_far(found, known):
            return _are_far(found, known)
        return found.item.published != known.published and not self._share_text(found, known, otherwise=True)

    def _has_date(self, found: _Listed, known: KnownItem) -> bool:
        """Return whether the date identifies a known item of the previous document that has no guid of its own.

        A date without a time is not enough, unless the items have text in common.
        """
        guid, date = found.item.guid.strip(), found.item.published
        owns_guid = guid and not is_home(link_key(guid), self._home) and self._bases[1][found.base] == 1
        if owns_guid or date is None or known.number not in self._listed:
            return False
        return date.time() != time() or self._share_text(found, known, otherwise=False)

    def _share_text(self, found: _Listed, known: KnownItem, *, otherwise: bool) -> bool:
        """Return whether two items have text in common. otherwise: the answer if that is not known."""
        self._texts_left -= 1
        one, other = found.item.html or found.item.summary, self._text_of(known.number) if self._texts_left > 0 else ""
        return have_words_in_common(one, other) if one and other else otherwise

    def _names(self, found: _Listed) -> bool:
        """Return whether no other item has this item's link, and the link does not lead to the home page."""
        return not is_home(found.keys.link, self._home) and self._links[1][found.keys.link] == 1


def _base(known: KnownItem) -> str:
    return known.keys.guid.partition(":")[0]


def _are_far(found: _Listed, known: KnownItem) -> bool:
    """Return whether two items that share a guid or a link differ in title and, by more than a month, in date."""
    one, other = found.item.published, known.published
    if found.keys.title == known.keys.title or one is None or other is None:
        return False
    return abs(one - other) > FAR


def _has_title(found: _Listed) -> bool:
    return bool(found.keys.title)


def _old_end(
    found: Sequence[_Listed], numbers: Mapping[int, int], known: Mapping[int, KnownItem], listed: Sequence[int]
) -> frozenset[int]:
    """Return the indices of new items that are older than all items that the feed had before.

    Such items come after the last known item, and have no date later than the oldest known one. Items without a date
    count only if most of the document is as before, since they may be news below an item that always comes first. A
    single item does not count if nothing else has changed, since it may be a back-dated item of a small blog.
    """
    before, present = set(listed), set(numbers.values())
    last = max(numbers, default=len(found))
    then = (known[number].published for number in reversed(listed) if number in known)
    here = (found[index].item.published for index in sorted(numbers, reverse=True))
    oldest = min((date for dates in (then, here) if (date := next(filter(None, dates), None))), default=None)
    is_similar = 2 * len(before & present) >= len(before)
    dates = {index: found[index].item.published for index in range(last + 1, len(found))}
    old = frozenset(index for index, date in dates.items() if (oldest and date <= oldest if date else is_similar))
    return old if len(old) > 1 or before != present else frozenset()


def _unlike_news(
    new: Iterable[int], found: Sequence[_Listed], numbers: Mapping[int, int], known: Sequence[KnownItem], now: datetime
) -> list[int]:
    """Return the indices of new items that may be known items in a different form.

    Items that are really new are dated after all known ones. But a feed that moves may give all its items new dates.
    Then more than half have the same date, or some have the titles of items that have disappeared; in that case, all
    items of the same day may be known too.
    """
    newest = max((each.published for each in known if each.published and each.published <= now), default=None)
    present = set(numbers.values())
    ours, theirs = Counter(each.keys.title for each in known), Counter(each.keys.title for each in found)
    lost = {each.keys.title for each in known if each.number not in present and ours[each.keys.title] == 1} - {""}
    dates = {index: found[index].item.published for index in new}
    titles = {index: found[index].keys.title for index in dates}
    at_once = {date for date, count in Counter(dates.values()).items() if 2 * count > len(found)}
    days = {date.date() for i, date in dates.items() if date and titles[i] in lost and theirs[titles[i]] == 1}
    return [
        index
        for index, date in dates.items()
        if date is None or newest is None or date <= newest or date in at_once or date.date() in days
    ]


def _turned_new(listed: Sequence[int], present: Collection[int], odd: int, found: int) -> bool:
    """Return whether more than half of the items, replacing more than half of the previous ones, may not be new."""
    absent = sum(number not in present for number in listed)
    return odd > 1 and 2 * odd > found and 2 * absent > len(listed)


def _new_items(new: Iterable[_Listed], taken: set[str], keys_taken: set[str], mint: str) -> list[NewItem]:
    """Return the items to store, with ids and keys that no other item of the source has."""
    made = []
    for found in new:
        each = found
        while each.keys.guid in keys_taken:  # a guid that was used before, or one that another item has given up
            each = _keyed(found) if each is found else _again(each)
        post_id = _post_id(each, taken, mint)
        taken.add(post_id)
        keys_taken.add(each.keys.guid)
        made.append(NewItem(each.item, post_id, each.keys, digest_of(each.item)))
    return made


def _again(each: _Listed) -> _Listed:
    return _Listed(each.item, each.keys._replace(guid=f"{each.base}:{hash_of_texts(each.keys.guid)}"), each.base)


def _post_id(each: _Listed, taken: Collection[str], mint: str) -> str:
    """Return the guid if it is a URI that no other item has, or else an id that is made from the item's key."""
    guid = each.item.guid.strip()
    if len(guid) <= _MOST_ID and _URI.fullmatch(guid) and guid not in taken:
        return guid
    number, made = 1, f"{mint}{each.keys.guid.replace(':', '-')}"
    while made in taken:
        number += 1
        made = f"{mint}{each.keys.guid.replace(':', '-')}-{number}"
    return made


def _changed(old: KnownItem, each: _Listed, keys_taken: Collection[str]) -> ChangedItem | None:
    """Return the changes that the document makes to a known item, or None if it makes none."""
    digest = digest_of(each.item)
    # An item that has a key of its own, since its guid is not its own, keeps it.
    keeps = each.base == _base(old) or each.keys.guid in keys_taken
    keys = each.keys._replace(guid=old.keys.guid) if keeps else each.keys
    if (digest, keys, each.item.published) == (old.digest, old.keys, old.published):
        return None
    return ChangedItem(old.number, each.item, keys, digest, is_edited=digest != old.digest)


def _gone(
    listed: Sequence[int], present: Collection[int], known: dict[int, KnownItem], found: int, now: datetime
) -> Iterable[int]:
    """Yield the numbers of items that have vanished.

    An item has vanished if it is missing although older items are there. Items missing at the old end have vanished
    only if they are recent and there are fewer new items than missing ones, since a feed is limited to a number of
    items or days, and drops old ones. found: the number of items of the document.
    """
    last = max((index for index, number in enumerate(listed) if number in present), default=-1)
    newer = found - sum(number in present for number in listed)
    for index, number in enumerate(listed):
        if number in present or number not in known or known[number].is_gone:
            continue
        is_old = now - known[number].first_seen_at >= SETTLED
        if index < last or not (is_old or len(listed) - last - 1 <= newer):
            yield number
