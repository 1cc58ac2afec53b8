"""Find reasons why a source is unfit for a newsletter, or cannot be fetched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from publisher.config import CONFIG_FILE, Config, SourceConfig
from publisher.config.origins import KeyLines
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.sources.network_addresses import destination_of, may_be_allowed, refusal
from publisher.publishing.source_views import SourceHealth, SourceSummary, source_views

if TYPE_CHECKING:
    from publisher.core.source_records import SourceState
    from publisher.store import Store

# A feed whose newest item is older is reported as silent.
SILENT = timedelta(days=90)

# How many of the newest items are examined to see whether they are excerpts, and how many are needed to say so.
_LOOKED_AT, _ENOUGH = 10, 3

# A text of more characters, markup included, is not an excerpt, however it ends.
_LONG = 3_000

# How excerpts end: dots, perhaps in brackets, or a link to the rest.
_CUT = re.compile(
    r"(?:…|\.\.\.|\[&hellip;\]|&hellip;|&#8230;)\]?\s*$|(?:read|continue|weiterlesen|lire|leer)\W[^.!?]{0,60}$", re.I
)
_TAG = re.compile(r"<[^<>]{0,500}>")


@dataclass(frozen=True, slots=True)
class FeedDoubt:
    """An oddity of a feed. message: follows "the feed" or a source's name; hint: advice; neither has a full stop."""

    message: str
    hint: str


def feed_doubts(items: Sequence[FeedItem], now: datetime, *, content: str = "feed") -> Iterator[FeedDoubt]:
    """Yield the oddities of a feed's items, newest first.

    items    the items; the HTML is needed only for the first ten
    content  the part of the items that is taken (see SourceConfig)
    """
    if not items:
        yield FeedDoubt("has no items", "look at it in a browser; it may be the wrong address")
        return
    undated = sum(item.published is None for item in items)
    if 2 * undated > len(items):
        what = "has no dates" if undated == len(items) else f"has no dates for {undated} of {len(items)} items"
        yield FeedDoubt(what, "each item counts as published when it was first seen; a `since` does not help")
    shared = Counter(item.link for item in items if item.link).most_common(1)
    if shared and shared[0][1] > 1:
        link, count = shared[0]
        yield FeedDoubt(
            f"has {count} items with the same link, {link}", "readers cannot open them; ask the site to fix that"
        )
    if content == "feed" and _are_excerpts(items[:_LOOKED_AT]):
        yield FeedDoubt("contains only excerpts", 'set content = "excerpt", or ask the site for full texts in its feed')
    newest = max((item.published for item in items if item.published and item.published <= now), default=None)
    if newest is not None and now - newest > SILENT:
        yield FeedDoubt(f"has been silent since {newest:%Y-%m-%d}", "remove it, or see whether the blog has a new feed")


def doubts_about(feed: FeedDocument, now: datetime) -> tuple[str, ...]:
    """Return the oddities of a feed as a whole and of its items, in one line each."""
    doubts = (f"{each.message} ({each.hint})" for each in feed_doubts(feed.items, now))
    return tuple(f"the feed {each}" for each in (*feed.problems, *doubts))


def _are_excerpts(items: Sequence[FeedItem]) -> bool:
    return len(items) >= _ENOUGH and all(map(_is_excerpt, items))


def _is_excerpt(item: FeedItem) -> bool:
    if item.enclosures:
        return False  # a few words about an episode are all that there is
    text = _TAG.sub(" ", item.html[:_LONG]).rstrip() if len(item.html) <= _LONG else item.html
    return not item.html or (len(item.html) <= _LONG and bool(_CUT.search(text[-200:])))


def source_problems(config: Config, store: Store | None, now: datetime, lines: KeyLines) -> Iterator[Problem]:
    """Yield a problem for each source that can't be fetched, that no newsletter takes, or whose feed is odd.

    store  None if there is no database yet
    lines  finds the line of a key in publisher.toml
    """
    for number, view in enumerate(source_views(config, store)):
        source, line = config.sources[number], lines.of(("sources", number, "url"))
        for doubt in _doubts(config, store, source, view, now):
            severity = Severity.ERROR if _refusal(source) else Severity.WARNING
            yield Problem(CONFIG_FILE, line, f"source {view.name}: {doubt.message}", doubt.hint, severity)


def _doubts(
    config: Config, store: Store | None, source: SourceConfig, view: SourceSummary, now: datetime
) -> Iterator[FeedDoubt]:
    if why := _refusal(source):
        yield FeedDoubt(f"is never fetched, because {why}", _permit(source))
        return
    if not view.newsletters and config.newsletters:
        yield FeedDoubt("no newsletter takes it", f'add sources = ["{view.name}"] under [[newsletters]]')
    if not view.is_well:
        yield _trouble(view, config)
    state = store.sources.state(view.name) if store and view.asked_at and view.items else None
    if store and state:
        yield from (FeedDoubt(line, "") for line in state.problems)
        if state.renamed > 1:
            what = f"gave {state.renamed} of its items different ids than before"
            yield FeedDoubt(what, "they are recognised by their links, and sent only once; ask the site to fix that")
        yield from feed_doubts(_items(store, state), now, content=source.content)


def _refusal(source: SourceConfig) -> str:
    """Return why nothing may connect to the address of a source; "" if that is not certain from the address alone."""
    try:
        host = destination_of(source.url).host
    except ValueError as error:
        return f"its address {error}"
    if host == "localhost" and not source.allow_private:
        return "localhost is this machine"
    is_address = ":" in host or host.replace(".", "").isdigit()
    return refusal(host, allow_private=source.allow_private) if is_address else ""


def _permit(source: SourceConfig) -> str:
    host = urlsplit(source.url).hostname or ""
    is_ours = host == "localhost" or may_be_allowed(host)
    return "allow_private = true permits it" if is_ours else "set the address of a feed that others can reach"


def _trouble(view: SourceSummary, config: Config) -> FeedDoubt:
    since = f" since {view.since.astimezone(config.zone):%Y-%m-%d %H:%M}" if view.since else ""
    number, show = view.waits_in, f"look at them with `publisher sources show {view.name}`"
    if number is None:
        decide = "the edition with them will wait for you to approve or skip it"
    else:
        decide = (
            f"to send them: publisher deliveries resume {number}; to leave them out: publisher deliveries skip {number}"
        )
    hints = {
        SourceHealth.FAILING: f"to try it now: publisher sources fetch {view.name}",
        SourceHealth.ENDED: "remove it, or set its new address",
        SourceHealth.HELD: f"{show}; {decide}",
    }
    return FeedDoubt(f"{view.trouble}{since}: {view.why}", hints[view.health])


def _items(store: Store, state: SourceState) -> list[FeedItem]:
    """Return the items of the source's last document, newest first; the first ten with their HTML."""
    stored = {item.number: item for item in store.sources.items(state.name)}
    listed = [stored[number] for number in state.listed if number in stored]
    return [
        replace(each.item, html=store.sources.html(each.number)) if index < _LOOKED_AT else each.item
        for index, each in enumerate(listed)
    ]
