"""The page for people who want to follow the site: what feeds are, and every address to copy.

It stands in for feeds styled by XSLT, which browsers are taking out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from publisher.core.models import Output
from publisher.site.pages.frame import FeedLink, Frame
from publisher.site.pages.signup import SignUp, form_words

PATH = "subscribe/index.html"


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """One feed as people see it: a name, what it holds, and its address in every format."""

    group: str
    title: str
    description: str
    links: tuple[FeedLink, ...]


def plan_subscribe(frame: Frame, feeds: Sequence[ListedFeed], opml: str, form: SignUp | None = None) -> Output:
    """Plan the page. opml: address of the list of all feeds, "" for none. form: that of the newsletters."""
    key = frame.key("subscribe", repr(feeds), opml, repr(form))
    return Output(PATH, key, partial(_make, frame, tuple(feeds), opml, form))


def _make(frame: Frame, feeds: tuple[ListedFeed, ...], opml: str, form: SignUp | None) -> bytes:
    page = frame.page(PATH, frame.words.subscribe, section="subscribe")
    groups = {
        name: [feed for feed in feeds if feed.group == name] for name in ("site", "newsletters", "tags", "authors")
    }
    context = {
        "groups": {name: feeds for name, feeds in groups.items() if feeds},
        "opml": opml,
        "form": form,
        "say": form_words(form.language, frame.templates) if form else None,
    }
    return frame.render("subscribe.html", page, **context)
