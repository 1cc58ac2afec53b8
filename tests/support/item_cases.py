"""Changes to the items of a feed from one document to the next, and the posts that must result from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from publisher.core.source_models import FeedItem

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
BLOG = "https://blog.example.org"


def item(name: str, **values: object) -> FeedItem:
    """Return an item as a blog writes it; `days` is its age."""
    age = values.pop("days", 0)
    made = FeedItem(f"{BLOG}/?p={name}", f"{BLOG}/{name}/", f"On {name}", f"<p>{name}</p>", published=NOW)
    return replace(made, **{"published": NOW - timedelta(days=float(str(age))), **values})  # type: ignore[arg-type]


A, B, C, D = (item(name, days=age) for name, age in (("a", 40), ("b", 3), ("c", 2), ("d", 1)))


def https(each: FeedItem) -> FeedItem:
    return replace(each, guid=each.guid.replace("https", "http"), link=each.link.replace("https://", "http://www."))


def elsewhere(each: FeedItem) -> FeedItem:
    new = "https://new.example.net/blog"
    return replace(each, guid=each.guid.replace(BLOG, new), link=each.link.replace(BLOG, "https://new.example.net"))


def without(each: FeedItem, *names: str) -> FeedItem:
    return replace(each, **{name: None if name == "published" else "" for name in names})  # type: ignore[arg-type]


SAME = f"{BLOG}/today"
DAY, LONG = datetime(2026, 11, 20, tzinfo=UTC), timedelta(days=1)


def dated(each: FeedItem, moment: datetime) -> FeedItem:
    """Return the item with a date, and with the link that all items share."""
    return replace(each, link=SAME, published=moment)


# By case: the documents of a feed, newest item first, and the titles of the resulting posts, oldest first.
CASES: dict[str, tuple[list[list[FeedItem]], str]] = {
    "guids change": (
        [[C, B, A], [replace(D, guid="x1"), *(replace(e, guid=f"new {e.title}") for e in (C, B, A))]],
        "abcd",
    ),
    "guids change, and then the links": (
        [
            [B, A],
            [replace(B, guid="x"), replace(A, guid="y")],
            [replace(B, guid="x", link=f"{BLOG}/2026/b"), replace(A, guid="y")],
        ],
        "ab",
    ),
    "guids change each time": ([[replace(e, guid=f"{n}{e.title}") for e in (B, A)] for n in range(4)], "ab"),
    "guids are added later": ([[without(e, "guid") for e in (B, A)], [C, B, A]], "abc"),
    "http becomes https": ([[https(e) for e in (B, A)], [C, B, A], [D, C, B, A]], "abcd"),
    "another host": ([[C, B, A], [elsewhere(e) for e in (D, C, B, A)]], "abcd"),
    "no guid": ([[without(e, "guid") for e in (B, A)], [without(e, "guid") for e in (C, B, A)]], "abc"),
    "no guid, and campaign parameters are added to the link": (
        [[without(A, "guid")], [replace(without(A, "guid"), link=f"{A.link}?utm_source=feed&utm_medium=rss")]],
        "a",
    ),
    "neither guid nor link": (
        [[without(e, "guid", "link") for e in (B, A)], [without(e, "guid", "link") for e in (C, B, A)]],
        "abc",
    ),
    "no guid, one link for all": (
        [
            [replace(without(e, "guid"), link=SAME) for e in es]
            for es in ((B, A), (C, B, A), (C,), (D, C), (D, C, B, A))
        ],
        "abcd",
    ),
    "one link for all": ([[replace(e, link=SAME) for e in es] for es in ((B, A), (C, B), (D, C))], "abcd"),
    "all link to the home page": ([[replace(e, link=BLOG) for e in es] for es in ((A,), (B,), (D, C))], "abcd"),
    "one guid for all": (
        [[replace(e, guid="same") for e in es] for es in ((B, A), (C, B), (D,), (D, C, B, A))],
        "abcd",
    ),
    "the home page as guid of all": ([[replace(e, guid=BLOG) for e in es] for es in ((A,), (B, A), (D, C))], "abcd"),
    "one guid and one link for all": (
        [[replace(e, guid="same", link=SAME) for e in es] for es in ((B, A), (C, B), (D, C), (D, C, B, A))],
        "abcd",
    ),
    "a guid that is used again": (
        [[B, A], [replace(D, guid=A.guid), B], [replace(D, guid=A.guid, html="edited"), B]],
        "abd",
    ),
    "a guid that is used again, with both in the document": ([[B, A], [replace(D, guid=A.guid), B, A]], "abd"),
    "a guid and its text that are used again": ([[B, A], [replace(D, guid=A.guid, html=A.html), B]], "abd"),
    "a guid that is used again within a month for another text": (
        [[B, A], [replace(D, guid=B.guid), A], [C, replace(D, guid=B.guid, html="edited"), A]],
        "abcd",
    ),
    "a new title and link within a month is an edit": ([[B, A], [replace(D, guid=B.guid, html=B.html), A]], "ad"),
    "a new title, link and text with the same date is an edit": (
        [[B, A], [replace(D, guid=B.guid, published=B.published), A]],
        "ad",
    ),
    "no guid, one link for all, and a new title": (
        [
            [replace(without(e, "guid"), link=SAME) for e in (B, A)],
            [replace(without(e, "guid"), link=SAME) for e in (C, replace(B, title="On b!"), A)],
            [replace(without(e, "guid"), link=SAME) for e in (C, replace(B, title="On b!"), replace(A, title="On a!"))],
        ],
        "a!b!c",
    ),
    "no guid, all link to the home page, and a new title": (
        [
            [replace(without(e, "guid"), link=f"{BLOG}/") for e in (B, A)],
            [replace(without(e, "guid"), link=f"{BLOG}/") for e in (replace(B, title="On b!"), A)],
        ],
        "ab!",
    ),
    "the home page as guid of all, and a new title": (
        [[replace(e, guid=BLOG, link=BLOG) for e in es] for es in ((B, A), (replace(B, title="On b!"), A))],
        "ab!",
    ),
    "neither guid nor link, and a new title": (
        [[without(e, "guid", "link") for e in es] for es in ((B, A), (replace(B, title="On b!"), A))],
        "ab!",
    ),
    "one link for all, and another item on the same day": (
        [[dated(without(e, "guid"), DAY - n * LONG) for n, e in enumerate(es)] for es in ((A, C), (B, C))],
        "abc",
    ),
    "one link for all, and a new title with a day instead of a time": (
        [
            [dated(without(e, "guid"), DAY - n * LONG) for n, e in enumerate(es)]
            for es in ((A, C), (replace(A, title="On a!"), C))
        ],
        "a!c",
    ),
    "one link for all, and a guid each at the same time": (
        [[dated(e, NOW - n * LONG) for n, e in enumerate(es)] for es in ((A, C), (B, C))],
        "abc",
    ),
    "no dates": ([[without(e, "published") for e in es] for es in ((B, A), (C, B), (D, C, B), (D, C))], "abcd"),
    "no dates, and a title that comes again": (
        [[without(B, "published")], [without(replace(C, title=B.title), "published")]],
        "bb",
    ),
    "back-dated": ([[C, B], [C, B, A], [D, C, B, A]], "bcad"),
    "in the future": ([[B, A], [item("e", days=-9), B, A], [item("e", days=-9), C, B, A]], "abec"),
    "twice in one document": ([[A, A], [B, B, A, A]], "ab"),
    "twice in one document under two guids": (
        [[A, replace(A, guid="other")], [B, A], [B, replace(A, guid="other"), A]],
        "ab",
    ),
    "twice in one document with two texts": (
        [[replace(A, html="<p>new</p>"), A], [A, replace(A, html="<p>new</p>")]],
        "a",
    ),
    "edited": (
        [[B, A], [B, replace(A, title="On a!", html="x")], [B, replace(A, title="On a!", link=f"{BLOG}/2026/a/")]],
        "a!b",
    ),
    "other sections of one page": (
        [[replace(e, guid="", link=f"{BLOG}/log#{e.title[-1]}") for e in es] for es in ((A,), (B, A))],
        "ab",
    ),
    "oldest first": ([[A, B], [A, B, C], [B, C, D]], "abcd"),
    "two that swap their guids": ([[B, A], [replace(B, guid=A.guid), replace(A, guid=B.guid)], [B, A]], "ab"),
    "empty for a while": ([[B, A], [], [C, B, A]], "abc"),
}
