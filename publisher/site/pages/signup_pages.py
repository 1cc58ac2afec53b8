"""The page with the sign-up form, and the page of all feeds.

The page of feeds explains what a feed is. It replaces feeds styled with XSLT, which browsers will soon no longer
support.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from publisher.core.frozen import dataclass
from publisher.core.models import Output
from publisher.core.newsletter_models import Edition
from publisher.site.pages.edition_pages import edition_href
from publisher.site.pages.frame import FeedLink, Frame

SUBSCRIBE = "subscribe/index.html"
FEEDS = "feeds/index.html"


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed, as visitors see it: its title, a description, and a link for each format."""

    group: str
    title: str
    description: str
    links: tuple[FeedLink, ...]


def plan_signup_pages(
    frame: Frame, feeds: Sequence[ListedFeed], opml: str, newest: Sequence[Edition] = ()
) -> Iterator[Output]:
    """Yield an output for the page with the sign-up form, and one for the page of feeds if the site has feeds.

    Without a form, the first page redirects to the second, because the page of feeds used to be at its path.

    opml    URL of the list of all feeds; "" if there is none
    newest  the newest edition of each newsletter that has one
    """
    if frame.site.form or frame.site.feeds:
        offered = {offer.name for offer in frame.site.form.offers} if frame.site.form else set()
        newest = [edition for edition in newest if edition.newsletter in offered]
        shown = [(edition.path, edition.subject) for edition in newest]
        key = frame.key("subscribe", repr(feeds), opml, repr(shown))
        yield Output(SUBSCRIBE, key, partial(_make, frame, SUBSCRIBE, tuple(feeds), opml, tuple(newest)))
    if frame.site.feeds:
        yield Output(FEEDS, frame.key("feeds", repr(feeds), opml), partial(_make, frame, FEEDS, tuple(feeds), opml))


def _make(frame: Frame, path: str, feeds: tuple[ListedFeed, ...], opml: str, newest: tuple[Edition, ...] = ()) -> bytes:
    groups = {
        name: [feed for feed in feeds if feed.group == name] for name in ("site", "newsletters", "tags", "authors")
    }
    context = {"groups": {name: feeds for name, feeds in groups.items() if feeds}, "opml": opml}
    if path == FEEDS:
        return frame.render("feeds.html", frame.page(path, frame.words.all_feeds, section="feeds"), **context)
    page, form = frame.page(path, frame.words.subscribe, section="subscribe"), frame.site.form
    titles = {offer.name: offer.title for offer in form.offers} if form else {}
    return frame.render(
        "subscribe.html", page, form=form, newest=newest, titles=titles, edition_href=edition_href, **context
    )
